use super::exit::Exit;
use super::orders::{Place, refuse};
use super::run_once::{runtime, style};
use super::{Session, nothing_found};
use crate::app;
use crate::clock::{Clock, SystemClock};
use crate::config::{Found, PlannedReporter};
use crate::model::{Status, Timestamp};
use crate::problem::nearest;
use crate::render::blocks::{Block, Column, Fit, Span, line};
use crate::render::escape::plain;
use crate::reporters::terminal::Screen;
use crate::reporters::{Content, Message, Retry};

const COLUMNS: &[Column] = &[
    Column {
        title: "STATUS",
        fit: Fit::Whole,
    },
    Column {
        title: "TARGET",
        fit: Fit::Wrap,
    },
    Column {
        title: "PROBLEM",
        fit: Fit::Wrap,
    },
];

/// How an incident is told, for somebody who sees one for the first time.
const SAMPLE: &str = "[RED] sample-db-1: connections_used_percent 96 > 90 (for 4 min)";

/// Sends a test message through a reporter, or lists the reporters.
pub(super) fn run(session: &Session, name: Option<&str>) -> Exit {
    if matches!(session.load(), Found::Nothing) {
        session.terminal.complain(&nothing_found());
        return Exit::Configuration;
    }
    let place = match Place::find(session) {
        Ok(place) => place,
        Err(exit) => return exit,
    };
    let reporters = &place.plan.reporters;
    let Some(name) = name else {
        return session
            .terminal
            .print(&place.redacted(list(reporters)), Exit::Well);
    };
    let Some(planned) = reporters.iter().find(|one| one.name == name) else {
        let hint = hint_of_name(name, reporters);
        let said = format!(
            "there is no reporter `{}`\n  hint: {}",
            plain(name),
            plain(&hint)
        );
        session.terminal.complain(&place.redacted(said));
        return Exit::Usage;
    };
    if planned.kind.spec.key == "file" {
        let why = format!("`{name}` keeps round reports and nothing else, so nothing was sent");
        let hint = "`roundsman --run-once` makes a round and writes its report there";
        return refuse(session, &place, &why, hint);
    }
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            let said = format!("nothing can be sent: {error}");
            session.terminal.complain(&said);
            return Exit::Software;
        }
    };
    let message = message(name, SystemClock.now());
    let screen = Screen::stdout(style(session));
    let sent = runtime.block_on(app::send_one(&place.plan, planned, &message, screen));
    runtime.shutdown_background();
    match sent {
        Ok(receipt) => {
            let called = receipt.external_id;
            let called = called.map_or_else(String::new, |id| format!("; there it is `{id}`"));
            let said = format!("`{name}` took the test message{called}");
            let said = format!("{}\n", plain(&said));
            session.terminal.print(&place.redacted(said), Exit::Well)
        }
        Err(error) => {
            let why = format!("`{name}` did not take the test message: {}", error.message);
            let hint = error.hint.unwrap_or_else(|| match error.retry {
                Retry::Later { .. } => "try again later".to_owned(),
                Retry::Never => "check the entry of this reporter".to_owned(),
            });
            refuse(session, &place, &why, &hint)
        }
    }
}

fn list(reporters: &[PlannedReporter]) -> String {
    if reporters.is_empty() {
        return "there are no reporters\n  hint: add one under `reporters:`, such as `- kind: slack`\n"
            .to_owned();
    }
    let mut text = String::new();
    for one in reporters {
        let spec = &one.kind.spec;
        let missing = if spec.built {
            ""
        } else {
            ", not in this build"
        };
        let line = format!("{}: {}, {}{missing}", one.name, spec.title, spec.how);
        text.push_str(&plain(&line));
        text.push('\n');
    }
    text
}

fn hint_of_name(name: &str, reporters: &[PlannedReporter]) -> String {
    let names = || reporters.iter().map(|one| one.name.as_str());
    match nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if reporters.is_empty() => "add one under `reporters:`".to_owned(),
        None => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
    }
}

/// What is sent: it says that it is a test, and has every shape and status that a real one may have.
fn message(reporter: &str, now: Timestamp) -> Message {
    let row = |status: Status, target: &str, problem: &str| {
        vec![
            vec![Span::Status(status)],
            vec![Span::Strong(target.to_owned())],
            line(problem),
        ]
    };
    let well =
        |status: Status, words: &str| vec![Span::Status(status), Span::Text(format!(" {words}"))];
    let blocks = vec![
        Block::Title(vec![
            Span::Strong("This is a test".to_owned()),
            Span::Text(": nothing is wrong".to_owned()),
        ]),
        Block::Paragraph(line(format!(
            "Somebody tries whether the reporter `{reporter}` works. An incident would be called so: {SAMPLE}"
        ))),
        Block::Heading("Problems, if there were any".to_owned()),
        Block::Table {
            columns: COLUMNS,
            rows: vec![
                row(
                    Status::Red,
                    "sample-db-1",
                    "connections_used_percent is 96 > 90",
                ),
                row(
                    Status::Yellow,
                    "sample-web-1",
                    "disk_free_percent of / is 17 < 20",
                ),
            ],
        },
        Block::List(vec![
            well(Status::Unknown, "sample-api-1 could not be measured"),
            well(Status::Green, "sample-web-2 is within its limits"),
        ]),
    ];
    Message {
        id: format!("test-{}", now.format("%Y%m%dT%H%M%S%3fZ")),
        title: format!("This is a test: {SAMPLE}"),
        tone: Status::Red,
        blocks,
        content: Content::Note { rings: true },
        thread: None,
    }
}
