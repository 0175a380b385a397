use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use globset::{Glob, GlobSet, GlobSetBuilder};
use tokio::runtime::Runtime;

use super::Session;
use super::arguments::Once;
use super::exit::Exit;
use super::progress::Progress;
use crate::analysis::analyst::NotExplained;
use crate::app::{App, Before, Channels, Undelivered};
use crate::clock::{Clock, SystemClock};
use crate::collectors::{self, KINDS};
use crate::config::{Plan, Watched};
use crate::desk::{self, Order, Outcome};
use crate::model::{Analysis, Explanation, Report};
use crate::problem::nearest;
use crate::render::explanation::{WORDS_HEADING, words_blocks};
use crate::render::text::text;
use crate::render::{Format, TextStyle, render};
use crate::reporters::{file, terminal::Screen};
use crate::store;

/// How long a daemon may take to say what became of an order.
const ANSWERING: Duration = Duration::from_secs(3);

/// Makes one round, prints the report, sends it, and ends by the worst status.
pub(super) fn run(session: &Session, once: &Once) -> Exit {
    let filter = match Filter::new(once) {
        Ok(filter) => filter,
        Err(message) => {
            session.terminal.complain(&message);
            return Exit::Usage;
        }
    };
    let plan = match session.plan() {
        Ok(plan) => plan,
        Err(exit) => return exit,
    };
    let watched: Vec<Watched> = plan
        .watched
        .iter()
        .filter(|one| filter.wants(one))
        .cloned()
        .collect();
    if watched.is_empty() {
        let message = "no target matches\n  hint: `roundsman graph` shows all names; patterns match the name or `kind/name`";
        session.terminal.complain(message);
        return Exit::Usage;
    }
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            session
                .terminal
                .complain(&format!("the round cannot start: {error}"));
            return Exit::Software;
        }
    };
    let exit = runtime.block_on(round(session, once, &plan, &watched));
    // A thread that hangs while it writes a report to a dead mount must not hold us.
    runtime.shutdown_background();
    exit
}

/// One thread per core.
pub(super) fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
}

async fn round(session: &Session, once: &Once, plan: &Plan, watched: &[Watched]) -> Exit {
    let before = before(session, once, plan);
    let complete = watched.len() == plan.watched.len();
    let app = App::new(watched, plan);
    let progress = Progress::new(watched);
    let done = |target: &_| progress.done(target);
    let looking = app.round(watched, &before, complete, &done);
    let mut report = if session.terminal.stderr {
        tokio::select! {
            biased;
            report = looking => report,
            () = progress.draw(session.terminal.stderr_width.unwrap_or(80)) => unreachable!("it draws for ever"),
        }
    } else {
        looking.await
    };
    if let Some(analyst) = &plan.analyst {
        let today = SystemClock.now().date_naive();
        report.self_alerts.extend(analyst.said_of_retired(today));
    }
    let worst = Exit::Worst(report.status);
    let style = style(session);
    let channels = Channels::of(plan, !once.no_notify, once.report_dir.as_deref());
    // A person reads the report while a model is asked; what programs read is one document.
    let is_read = once.format == Format::Text;
    if !is_read && let Some(words) = app.words(&report, plan.analyst.as_ref()).await {
        put_into_words(session, &mut report, words);
    }
    let report = Arc::new(report);
    let mut exit = match render(&report, once.format, style) {
        Ok(text) => session.terminal.print(&text, worst),
        Err(error) => {
            session.terminal.complain(&error.to_string());
            Exit::Software
        }
    };
    let sending = app.send(Arc::clone(&report), &channels, Screen::stdout(style));
    let undelivered = if is_read {
        let asking = app.words(&report, plan.analyst.as_ref());
        let (undelivered, words) = tokio::join!(sending, asking);
        match words {
            Some(Ok(words)) => {
                let text = text(&words_blocks(&words, WORDS_HEADING), style);
                exit = session.terminal.print(&format!("\n{text}"), exit);
                app.follow(&words, &channels, Screen::stdout(style)).await;
            }
            Some(Err(why)) => session.terminal.complain(&why.to_string()),
            None => {}
        }
        undelivered
    } else {
        sending.await
    };
    for failed in undelivered {
        let kept = hand_over(plan, &failed, &report).await;
        let hint = (failed.hint).map_or_else(String::new, |hint| format!("\n  hint: {hint}"));
        let said = format!(
            "the report was not sent to {}: {}{kept}{hint}",
            failed.reporter, failed.message
        );
        session.terminal.complain(&said);
    }
    exit
}

/// What a model said, as a part of the report; that it said nothing is said at the prompt too.
fn put_into_words(
    session: &Session,
    report: &mut Report,
    words: Result<Explanation, NotExplained>,
) {
    let at = report.round.started_at;
    let analysis = report.analysis.get_or_insert_with(|| Analysis::nothing(at));
    match words {
        Ok(words) => analysis.explanation = Some(words),
        Err(why) => {
            session.terminal.complain(&why.to_string());
            analysis.unexplained = Some(why.to_string());
        }
    }
}

/// Leaves a report that may get out later to the daemon of the same store, and says so. Where there is no store, no daemon
/// would find it.
async fn hand_over(plan: &Plan, failed: &Undelivered, report: &Arc<Report>) -> String {
    let is_configured = (plan.reporters.iter()).any(|one| one.name == failed.reporter);
    if !failed.is_worth_another_try || !is_configured {
        return String::new();
    }
    let (folder, reporter) = (plan.store.folder.clone(), failed.reporter.clone());
    let report = Box::new(Report::clone(report));
    let giving = tokio::task::spawn_blocking(move || {
        if !folder.join(store::DATABASE).exists() {
            return None;
        }
        let order = Order::Deliver { reporter, report };
        Some(desk::give(&folder, &order, ANSWERING, SystemClock.now()))
    });
    match giving.await {
        Ok(Some(Ok(Outcome::Answered(answer)))) if !answer.done => {
            format!("; the daemon does not take it either: {}", answer.text)
        }
        Ok(Some(Ok(Outcome::NoDaemon))) => "; the next daemon takes it into its outbox".to_owned(),
        Ok(Some(Ok(_))) => "; the daemon has it in its outbox and tries again".to_owned(),
        Ok(Some(Err(trouble))) => format!("; it could not be left to the daemon: {trouble}"),
        Ok(None) | Err(_) => String::new(),
    }
}

pub(super) fn style(session: &Session) -> TextStyle {
    TextStyle {
        color: session.terminal.stdout && session.terminal.colors,
        width: session.terminal.width,
        dots: session.terminal.stdout,
    }
}

/// What is known of earlier rounds, for `since` and `changes`: from the daemon's memory, else from the last report.
/// What cannot be read is said and otherwise ignored.
fn before(session: &Session, once: &Once, plan: &Plan) -> Before {
    match store::read(&plan.store.folder) {
        Ok(Some(remembered)) if !remembered.states.is_empty() => return Before::of(remembered),
        Ok(_) => {}
        Err(trouble) => {
            let said = format!("{trouble}\n  hint: {}", trouble.hint);
            session.terminal.complain(&said);
        }
    }
    let Some(folder) = Channels::report_folder(plan, once.report_dir.as_deref()) else {
        return Before::default();
    };
    match file::read_latest(&folder) {
        Ok(report) => report.map(Before::from).unwrap_or_default(),
        Err(message) => {
            session.terminal.complain(&message);
            Before::default()
        }
    }
}

/// Which targets are looked at.
struct Filter {
    only: Option<GlobSet>,
    kinds: HashSet<String>,
}

impl Filter {
    fn new(once: &Once) -> Result<Self, String> {
        for word in &once.kind {
            if collectors::kind(word).is_none() {
                let keys = KINDS.iter().map(|kind| kind.spec.key);
                let hint = nearest(word, keys).map_or_else(
                    || "`roundsman kinds` lists them".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                return Err(format!("unknown kind `{word}`\n  hint: {hint}"));
            }
        }
        let mut only = GlobSetBuilder::new();
        for pattern in &once.only {
            let glob = Glob::new(pattern);
            only.add(glob.map_err(|error| format!("`{pattern}` is no pattern: {}", error.kind()))?);
        }
        let only = only.build().map_err(|error| error.to_string())?;
        Ok(Self {
            only: Some(only).filter(|only| !only.is_empty()),
            kinds: once.kind.iter().cloned().collect(),
        })
    }

    fn wants(&self, one: &Watched) -> bool {
        let id = &one.target.id;
        let by_kind = self.kinds.is_empty() || self.kinds.contains(id.kind);
        let matches = |only: &GlobSet| only.is_match(&*id.name) || only.is_match(id.to_string());
        by_kind && self.only.as_ref().is_none_or(matches)
    }
}
