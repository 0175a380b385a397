//! `outbox`: what no channel has taken, and what can be done with it.

use std::sync::Arc;

use roundsman::desk::{Answer, Order};
use roundsman::model::{
    EventKind, Parcel, ParcelContent, Report, ReportTarget, RoundSummary, Status,
};
use roundsman::store::Row;
use serde_json::json;

use super::kept::{
    CANARY, Held, ago, cells, event, incident, member, ordered, parcel, place, row, told,
};

fn news() -> Parcel {
    let mut opened = event(EventKind::Opened, "shop", Some(Status::Red), ago(3_630));
    opened.text = Some("after 2 looks".to_owned());
    let resolved = event(EventKind::Resolved, "web-1", None, ago(60));
    let content = ParcelContent::Incident {
        id: 12,
        events: vec![opened, resolved],
    };
    Parcel {
        tries: 7,
        due_at: ago(-570),
        last_error: Some("`api.telegram.org` does not answer".to_owned()),
        ..parcel(
            "20261129-incident-12-telegram",
            "telegram",
            ago(3_630),
            content,
        )
    }
}

fn report() -> Parcel {
    let content = ParcelContent::Report {
        id: "r-1".to_owned(),
    };
    parcel("20261129-report-slack", "slack", ago(630), content)
}

fn dead() -> Parcel {
    let content = ParcelContent::Note {
        about: "delivery".to_owned(),
        title: "messages to slack are not taken".to_owned(),
        tone: Status::Yellow,
        lines: Vec::new(),
        rings: true,
    };
    Parcel {
        tries: 96,
        last_error: Some("`mail` refused the login: 535".to_owned()),
        dead_at: Some(ago(150)),
        ..parcel("20261128-note-mail", "mail", ago(90_030), content)
    }
}

fn quiet() -> Parcel {
    let content = ParcelContent::Quiet {
        quiets: vec!["the window racks".to_owned(), "a silence".to_owned()],
        unsaid: Vec::new(),
    };
    parcel("20261129-quiet-telegram", "telegram", ago(31), content)
}

fn round_report() -> Arc<Report> {
    let round = RoundSummary {
        id: "r-1".to_owned(),
        started_at: "2026-11-29T05:00:00Z".parse().expect("a time"),
        duration_ms: 1,
        next_at: None,
        skipped_looks: 0,
        missed_rounds: 0,
    };
    let json = json!({
        "schema": 1, "round": round, "overall": "healthy", "status": "GREEN",
        "counts": {"green": 0, "yellow": 0, "red": 0, "unknown": 0}, "targets": Vec::<ReportTarget>::new(), "changes": [],
        "issues_found": [], "recommendations": [], "analysis": null,
    });
    Arc::new(serde_json::from_value(json).expect("a report"))
}

struct Kept {
    held: Held,
    parcels: [Parcel; 4],
}

fn kept(place: &crate::support::program::Workplace) -> Kept {
    let parcels = [dead(), news(), report(), quiet()];
    let problem = member("shop", Status::Red, ago(3_630), "answers 500, not 200");
    let mut rows: Vec<Row> = parcels
        .iter()
        .map(|one| Row::Parcel(Box::new(one.clone())))
        .collect();
    rows.push(row(&incident(12, ago(3_630), vec![problem])));
    rows.push(Row::Report("r-1".to_owned(), round_report()));
    Kept {
        held: Held::with(place, rows),
        parcels,
    }
}

#[tokio::test]
async fn what_waits_is_listed_and_what_was_given_up() {
    let place = place();
    let kept = kept(&place);
    let [dead, news, report, quiet] = &kept.parcels;
    let made = |parcel: &Parcel| told(parcel.created_at);
    let listed = place.run(&["outbox"]).await;
    listed.assert_code(0);
    assert_eq!(listed.stderr, "");
    assert_eq!(
        cells(&listed.stdout).join("\n"),
        format!(
            "3 messages wait, 1 given up
ID | TO | ABOUT | WAITS SINCE | TRIES | NEXT TRY | LAST ERROR
20261129-incident-12-telegram | telegram | incident #12 (shop): shop opened, RED (after 2 looks); web-1 resolved | {} (1h) | 7 | in 9m | \
             `api.telegram.org` does not answer
20261129-report-slack | slack | the round report of Sun 2026-11-29 06:00 +01:00 | {} (10m) | 0 | now
20261129-quiet-telegram | telegram | what was not said during the window racks, a silence | {} (QUIET) | 0 | now

Given up
ID | TO | ABOUT | TRIES | GIVEN UP | WHY
20261128-note-mail | mail | messages to slack are not taken | 96 | {} (2m ago) | `mail` refused the login: 535

`roundsman outbox retry` tries them once more, `roundsman outbox drop ID` forgets one",
            made(news),
            made(report),
            made(quiet),
            told(dead.dead_at.expect("a time")),
        )
        .replace("QUIET", &seconds_of(&listed.stdout))
    );
    let same = place.run(&["outbox", "list"]).await;
    assert_eq!(cells(&same.stdout).len(), cells(&listed.stdout).len());
}

/// How many seconds the youngest has waited: that goes on while one looks.
fn seconds_of(text: &str) -> String {
    let line = text.lines().find(|line| line.starts_with("20261129-q"));
    let (_, rest) = line
        .and_then(|line| line.split_once(" ("))
        .expect("how long");
    let (seconds, _) = rest.split_once("s)").expect("seconds");
    assert!(
        (31..60).contains(&seconds.parse().expect("a number")),
        "{text}"
    );
    format!("{seconds}s")
}

#[tokio::test]
async fn programs_get_it_as_it_is_kept() {
    let place = place();
    let kept = kept(&place);
    for arguments in [
        &["outbox", "--format", "json"][..],
        &["outbox", "list", "--format", "json"],
        &["outbox", "--format", "json", "list"],
        &[
            "outbox",
            "--config",
            "config/config.yaml",
            "list",
            "--format",
            "json",
        ],
    ] {
        let listed = place.run(arguments).await;
        let parcels: Vec<Parcel> =
            serde_json::from_str(&listed.assert_code(0).stdout).expect("parcels");
        assert_eq!(parcels, kept.parcels);
    }
}

#[tokio::test]
async fn a_message_is_meant_by_the_beginning_of_its_id() {
    let place = place();
    let kept = kept(&place);
    let of_incident = "20261129-incident-12-telegram".to_owned();
    for (arguments, order) in [
        (&["outbox", "retry"][..], Order::Retry { message: None }),
        (
            &["outbox", "retry", "20261129-i"],
            Order::Retry {
                message: Some(of_incident.clone()),
            },
        ),
        (
            &["outbox", "drop", "20261129-incident-12-telegram"],
            Order::Drop {
                message: of_incident.clone(),
            },
        ),
        (
            &["outbox", "drop", "20261128"],
            Order::Drop {
                message: "20261128-note-mail".to_owned(),
            },
        ),
    ] {
        let answering = kept.held.answering(Answer::done("it is done"));
        let ended = place.run(arguments).await;
        assert_eq!(answering.end(), Some(order));
        ended.assert_code(0);
        assert_eq!(ended.stdout, "it is done\n");
    }
    for (id, said) in [
        (
            "20261129-",
            "`20261129-` is the beginning of several messages\n  hint: write one of 20261129-incident-12-telegram, \
             20261129-report-slack, 20261129-quiet-telegram\n",
        ),
        (
            "nothing",
            "there is no message `nothing`\n  hint: `roundsman outbox` shows them; what a channel has taken is not kept\n",
        ),
        (
            "",
            "there is no message ``\n  hint: `roundsman outbox` shows them; what a channel has taken is not kept\n",
        ),
    ] {
        for what in ["retry", "drop"] {
            let ended = place.run(&["outbox", what, id]).await;
            ended.assert_code(1);
            assert_eq!(ended.stderr, said);
        }
    }
    assert!(kept.held.ordered().is_empty());
    let answering = kept.held.answering(Answer::refused("it is on its way"));
    let ended = place.run(&["outbox", "drop", "20261129-i"]).await;
    assert!(answering.end().is_some());
    ended.assert_code(1);
    assert_eq!(
        ended.stderr,
        "it is on its way\n  hint: `roundsman outbox` shows what waits now\n"
    );
}

#[tokio::test]
async fn without_a_store_or_messages_there_is_nothing_to_do() {
    let place = place();
    let ended = place.run(&["outbox"]).await;
    ended
        .assert_code(0)
        .assert_says("there is no store at `kept/roundsman.db` yet\n  hint: the daemon makes it");
    assert!(
        ended
            .stdout
            .starts_with("nothing waits, and nothing was given up\n"),
        "{ended}"
    );
    for arguments in [&["outbox", "retry"][..], &["outbox", "drop", "a"]] {
        let ended = place.run(arguments).await;
        ended
            .assert_code(1)
            .assert_says("there is no store at `kept/roundsman.db` yet");
    }
    Held::with(&place, Vec::new()).close();
    let ended = place.run(&["outbox"]).await;
    ended.assert_code(0);
    assert_eq!(
        ended.stdout,
        "nothing waits, and nothing was given up\nno daemon runs with this store: this is what the last one knew\n"
    );
    let ended = place.run(&["outbox", "retry"]).await;
    ended.assert_code(0);
    assert_eq!(ended.stdout, "nothing waits, and nothing was given up\n");
    assert!(ordered(&place.path().join("kept")).is_empty());
}

#[tokio::test]
async fn what_channels_said_is_neither_obeyed_nor_secret() {
    let place = place();
    let hostile = Parcel {
        last_error: Some(format!("\u{1b}[2J{CANARY}")),
        ..report()
    };
    let _held = Held::with(&place, vec![Row::Parcel(Box::new(hostile))]);
    for arguments in [&["outbox"][..], &["outbox", "--format", "json"]] {
        let ended = place.run(arguments).await;
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains("[hidden]"), "{ended}");
        assert!(
            !said.contains(CANARY) && !said.contains('\u{1b}'),
            "{ended}"
        );
    }
}

#[tokio::test]
async fn a_report_that_no_daemon_has_taken_yet_is_shown() {
    let closed = crate::support::children::free_port();
    let place = crate::support::program::Workplace::with_configuration(&format!(
        "targets: {{local_hosts: [{{name: here}}]}}\n\
         reporters: [{{kind: webhook, name: hook, url: \"http://127.0.0.1:{closed}/\", secret: canary}}]\n"
    ));
    let mut daemon = crate::support::daemon::Daemon::start(&place);
    daemon.event("daemon.started").await;
    daemon.stop().await.assert_code(0);
    let round = place.run(&["--run-once"]).await;
    round.assert_says("; the next daemon takes it into its outbox");
    let outbox = place.run(&["outbox"]).await;
    outbox
        .assert_code(0)
        .assert_prints("for `hook` waits for the next daemon");
}
