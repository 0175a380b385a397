//! `incidents`: what is open, what ended, and one in full.

use std::os::unix::fs::PermissionsExt;

use roundsman::model::{Acknowledgement, EventKind, Incident, Notice, Soon, Sort, Status};
use roundsman::store::Row;
use rusqlite::Connection;
use serde_json::json;

use super::kept::{
    CANARY, Held, ago, cells, event, incident, member, open_window, ordered, place, place_with,
    row, silence, told,
};
use crate::support::children::require;
use crate::support::program::Workplace;

/// A database with two that depend on it, one of them silenced.
fn outage() -> Incident {
    let since = ago(7_530);
    let mut root = member("shop", Status::Red, since, "answers 500, not 200");
    root.condition.problems = vec!["answers 500, not 200".to_owned(), "is slow".to_owned()];
    root.condition.more_problems = 2;
    root.condition.advice = vec!["look at its log".to_owned()];
    root.runbook = Some("https://wiki.example.com/shop".to_owned());
    let mut below = member("web-1", Status::Red, since, "cannot reach shop");
    below.under = Some(root.target.clone());
    below.condition.advice = vec!["look at its log".to_owned()];
    let mut over = member("web-2", Status::Yellow, since, "was slow");
    over.resolved_at = Some(ago(600));
    let mut opened = event(EventKind::Opened, "shop", Some(Status::Red), since);
    opened.text = Some("after 2 looks".to_owned());
    let resolved = event(EventKind::Resolved, "web-2", Some(Status::Green), ago(600));
    Incident {
        title: Some("[RED] shop: answers 500, not 200".to_owned()),
        told_at: Some(ago(3_930)),
        remind_at: Some(ago(-3_330)),
        reminders: 1,
        escalated: vec![0, 1],
        notice: Some(Notice {
            due_at: ago(-45),
            soon: Soon::Now,
            events: vec![resolved.clone()],
        }),
        events: vec![opened, resolved],
        ..incident(12, since, vec![root, below, over])
    }
}

fn flapping() -> Incident {
    let mut one = member(
        "web-2",
        Status::Yellow,
        ago(90_000),
        "response_time_ms is 2400 > 2000",
    );
    one.flapping = true;
    let acknowledged = Some(Acknowledgement {
        by: "ben".to_owned(),
        why: Some("new disk is on its way".to_owned()),
        at: ago(80_000),
    });
    Incident {
        acknowledged,
        ..incident(9, ago(90_030), vec![one])
    }
}

fn unmeasured() -> Incident {
    let mut one = member(
        "web-1",
        Status::Unknown,
        ago(100),
        "the login was not accepted",
    );
    one.sort = Sort::Unmeasured;
    incident(13, ago(100), vec![one])
}

fn ended(id: u64, seconds_ago: i64) -> Incident {
    let end = ago(seconds_ago);
    let mut one = member(
        "web-2",
        Status::Yellow,
        ago(seconds_ago + 1_230),
        "was slow",
    );
    one.worst = Status::Red;
    one.worst_summary = Some("answers 500, not 200".to_owned());
    one.resolved_at = Some(end);
    Incident {
        resolved_at: Some(end),
        ..incident(id, ago(seconds_ago + 1_230), vec![one])
    }
}

fn all() -> Vec<Incident> {
    let merged = Incident {
        merged_into: Some(12),
        ..ended(8, 7_000)
    };
    vec![
        flapping(),
        ended(3, 500_000),
        ended(7, 40),
        merged,
        outage(),
        unmeasured(),
    ]
}

/// What is kept, by number.
struct Kept {
    held: Held,
    incidents: Vec<Incident>,
}

impl Kept {
    fn at(place: &Workplace) -> Self {
        let incidents = all();
        let mut rows: Vec<Row> = incidents.iter().map(row).collect();
        let quiet = silence("silence-00000001", "web-1", ago(60), Some(ago(-3_600)));
        rows.push(Row::Silence(quiet));
        Self {
            held: Held::with(place, rows),
            incidents,
        }
    }

    fn get(&self, id: u64) -> &Incident {
        let mut incidents = self.incidents.iter();
        incidents.find(|one| one.id == id).expect("it is kept")
    }
}

#[tokio::test]
async fn what_is_open_is_listed_worst_first_and_then_what_ended() {
    let place = place();
    let kept = Kept::at(&place);
    let since = |id: u64| told(kept.get(id).opened_at);
    let ended_at = |id: u64| told(kept.get(id).resolved_at.expect("it ended"));
    let remind = told(kept.get(12).remind_at.expect("a time"));
    let ended = place.run(&["incidents"]).await;
    ended.assert_code(0);
    assert_eq!(ended.stderr, "");
    let open = [
        "INCIDENT | STATUS | TARGET | PROBLEM | SINCE | MORE".to_owned(),
        format!(
            "#12 | RED | shop | answers 500, not 200 | {} (2h 5m) | 1 below it; 1 of 2 silenced; escalated to level 2; \
             people are reminded {remind} (in 55m)",
            since(12)
        ),
        format!(
            "#9 | YELLOW | web-2 | response_time_ms is 2400 > 2000 | {} (1 day 1h) | flapping; acknowledged by ben (new \
             disk is on its way)",
            since(9)
        ),
        format!(
            "#13 | UNKNOWN | web-1 | the login was not accepted | {} (1m) | silenced by the silence of ben",
            since(13)
        ),
    ];
    let mut expected = vec!["3 incidents are open".to_owned()];
    expected.extend(open.clone());
    assert_eq!(cells(&ended.stdout), expected);

    let ended = place.run(&["incidents", "--all"]).await;
    ended.assert_code(0);
    let mut expected = vec!["3 incidents are open, 3 ended in the last 7 days".to_owned()];
    expected.extend(open);
    expected.extend([
        String::new(),
        "Ended".to_owned(),
        "INCIDENT | WORST | TARGET | ENDED | LASTED | MORE".to_owned(),
        format!("#7 | RED | web-2 | {} | 20m", ended_at(7)),
        format!(
            "#8 | RED | web-2 | {} | 20m | became part of #12",
            ended_at(8)
        ),
        format!("#3 | RED | web-2 | {} | 20m", ended_at(3)),
    ]);
    assert_eq!(cells(&ended.stdout), expected);

    let short = place.run(&["incidents", "--all", "--since", "1h"]).await;
    short
        .assert_code(0)
        .assert_prints("1 ended in the last 1h\n");
    let long = place.run(&["incidents", "--all", "--since", "2d"]).await;
    long.assert_code(0)
        .assert_prints("2 ended in the last 2 days\n");
    let alone = place.run(&["incidents", "--since", "1h"]).await;
    alone.assert_code(64).assert_says("--all");

    kept.held.close();
    let ended = place.run(&["incidents"]).await;
    ended
        .assert_code(0)
        .assert_prints("\n\nno daemon runs with this store: this is what the last one knew\n");
}

#[tokio::test]
async fn one_is_shown_in_full_by_its_number_or_a_target() {
    let place = place();
    let kept = Kept::at(&place);
    let outage = kept.get(12);
    let (since, over) = (told(outage.opened_at), told(outage.events[1].at));
    let due = told(outage.notice.as_ref().expect("news").due_at);
    let last = told(outage.told_at.expect("a time"));
    let remind = told(outage.remind_at.expect("a time"));
    let ended = place.run(&["incidents", "#12"]).await;
    ended.assert_code(0);
    assert_eq!(ended.stderr, "");
    let expected = format!(
        "#12 RED shop: answers 500, not 200
- open since {since} (2h 5m)
- severity: critical
- last told {last} (1h 5m ago): [RED] shop: answers 500, not 200
- people were reminded: 1
- 1 below it
- 1 of 2 silenced
- escalated to level 2
- people are reminded {remind} (in 55m)

Targets
STATUS | TARGET | SINCE | PROBLEM | MORE
RED | shop | {since} (2h 5m) | answers 500, not 200; is slow; and 2 more | https://wiki.example.com/shop
RED | web-1 | {since} (2h 5m) | cannot reach shop | explained by api_endpoints/shop; silenced by the silence of ben
GREEN | web-2 | over since {over} | was YELLOW; now was slow

What to do
- look at its log

What happened
AT | EVENT | TARGET | STATUS | MORE
{since} | opened | shop | RED | after 2 looks
{over} | resolved | web-2 | GREEN

To be told {due}
- web-2 resolved, GREEN"
    );
    // How many seconds are left changes as one looks.
    let mut said = cells(&ended.stdout);
    let heading = said.iter_mut().find(|line| line.starts_with("To be told"));
    let heading = heading.expect("a heading");
    let words = heading.find(" (in ").expect("how long");
    heading.truncate(words);
    assert_eq!(said.join("\n"), expected);

    for asked in ["12", "shop", "api_endpoints/shop"] {
        let ended = place.run(&["incidents", asked]).await;
        ended.assert_code(0).assert_prints("#12 RED shop: ");
    }
    // One where it is there before those where it was.
    let flapping = place.run(&["incidents", "web-2"]).await;
    flapping.assert_code(0).assert_prints("#9 YELLOW web-2: ");
    let of_old = place.run(&["incidents", "3"]).await;
    of_old
        .assert_code(0)
        .assert_prints(&format!("- from {} to ", told(kept.get(3).opened_at)))
        .assert_prints("#3 GREEN web-2: was RED: answers 500, not 200\n")
        .assert_prints("- nobody was told of it yet\n");
    let row = cells(&of_old.stdout);
    let row = row.iter().find(|line| line.starts_with("GREEN | web-2"));
    let row = row.expect("its line");
    assert!(row.ends_with("was RED: answers 500, not 200"), "{row}");
}

#[tokio::test]
async fn who_asks_for_one_that_is_not_there_learns_which_are() {
    let place = place();
    let kept = Kept::at(&place);
    for asked in ["99", "#99", "nobody"] {
        let ended = place.run(&["incidents", asked]).await;
        ended.assert_code(64);
        assert_eq!(
            ended.stderr,
            format!(
                "there is no incident `{asked}`\n  hint: open: #9 web-2, #12 shop, #13 web-1\n"
            )
        );
    }
    let ended = place.run(&["incidents", "web-1"]).await;
    ended.assert_code(64);
    assert_eq!(
        ended.stderr,
        "`web-1` is or was part of several incidents\n  hint: write one of #12 shop, #13 web-1\n"
    );
    drop(kept);
}

#[tokio::test]
async fn programs_get_them_as_they_are_kept() {
    let place = place();
    let kept = Kept::at(&place);
    let listed = place
        .run(&["incidents", "--all", "--since", "6d", "--format", "json"])
        .await;
    let listed: Vec<Incident> =
        serde_json::from_str(&listed.assert_code(0).stdout).expect("incidents");
    let mut all = kept.incidents.clone();
    all.sort_by_key(|one| one.id);
    assert_eq!(listed, all);
    let one = place.run(&["incidents", "shop", "--format", "json"]).await;
    let one: Vec<Incident> = serde_json::from_str(&one.assert_code(0).stdout).expect("incidents");
    assert_eq!(one, [kept.get(12).clone()]);
}

#[tokio::test]
async fn what_was_collected_is_neither_obeyed_nor_secret() {
    let place = place();
    let summary = format!("\u{1b}[2Jgone\u{9b}1m {CANARY}\nnext");
    let mut one = member("shop", Status::Red, ago(90), &summary);
    one.condition.advice = vec![summary.clone()];
    one.runbook = Some(format!("https://wiki.example.com/{CANARY}"));
    let mut happened = event(EventKind::Opened, "shop", None, ago(90));
    happened.text = Some(summary.clone());
    let hostile = Incident {
        title: Some(summary.clone()),
        told_at: Some(ago(80)),
        events: vec![happened.clone()],
        notice: Some(Notice {
            due_at: ago(-90),
            soon: Soon::Now,
            events: vec![happened],
        }),
        ..incident(1, ago(90), vec![one])
    };
    let _held = Held::with(&place, vec![row(&hostile)]);
    for arguments in [
        &["incidents"][..],
        &["incidents", "1"],
        &["incidents", "--format", "json"],
        &["incidents", "2"],
    ] {
        let ended = place.run(arguments).await;
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(!said.contains(CANARY), "{ended}");
        assert!(!said.contains(['\u{1b}', '\u{9b}']), "{ended}");
    }
}

#[tokio::test]
async fn without_a_store_it_says_who_makes_it() {
    let place = place();
    let ended = place.run(&["incidents"]).await;
    ended.assert_code(0);
    assert_eq!(ended.stdout, "no incident is known\n");
    let expected = "there is no store at `kept/roundsman.db` yet\n  hint: the daemon makes it when it runs for the first \
                    time; `store.path` says where\n";
    assert_eq!(ended.stderr, expected);
    let ended = place.run(&["incidents", "--format", "json"]).await;
    assert_eq!(ended.assert_code(0).json(), json!([]));
    assert!(!place.path().join("kept").exists());

    let nowhere = Workplace::without_configuration().variable("HOME", "/nowhere");
    let ended = nowhere.run(&["incidents"]).await;
    ended.assert_code(0);
    assert_eq!(
        ended.stderr,
        "there is no store at `/nowhere/.local/state/roundsman/roundsman.db` yet\n  hint: no configuration file was found, \
         and this is where the store lies without one: name yours by `--config`\n"
    );
}

#[tokio::test]
async fn a_store_that_cannot_be_read_is_said() {
    let place = place();
    Kept::at(&place).held.close();
    let database = place.path().join("kept/roundsman.db");
    let set = |pragma: &str| {
        let other = Connection::open(&database).expect("a database");
        other.execute_batch(pragma).expect("it is set");
    };
    set("PRAGMA user_version = 99");
    for arguments in [
        &["incidents"][..],
        &["ack", "12"],
        &["silences"],
        &["silence", "shop", "--for", "2h"],
        &["silence", "--end", "silence-00000001"],
        &["outbox"],
        &["outbox", "retry"],
        &["outbox", "drop", "a"],
    ] {
        let ended = place.run(arguments).await;
        ended
            .assert_code(70)
            .assert_says("was made by a newer version (its tables are of version 99, ours of ")
            .assert_says("\n  hint: run the version that made it");
    }
    // One of before there were incidents is brought up to date by the daemon.
    set("DROP TABLE incidents; DROP TABLE silences; DROP TABLE outbox; PRAGMA user_version = 1");
    for (arguments, said) in [
        (&["incidents"][..], "no incident is open\n"),
        (
            &["silences"],
            "there are no silences, and no window is open\n",
        ),
        (&["outbox"], "nothing waits, and nothing was given up\n"),
    ] {
        let ended = place.run(arguments).await;
        ended.assert_code(0).assert_prints(said);
        assert_eq!(ended.stderr, "");
    }
}

/// The folder of a daemon is for its user alone: whoever may not look into it must not be told that there is nothing.
#[tokio::test]
async fn a_folder_that_may_not_be_looked_into_is_no_missing_store() {
    require("setpriv");
    let place = place();
    Kept::at(&place).held.close();
    let folder = place.path().join("kept");
    let mode = |mode: u32| {
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode)).expect("its mode");
    };
    mode(0o000);
    // Root may look everywhere, but not without these.
    let script = if rustix::process::geteuid().is_root() {
        "exec setpriv --bounding-set=-dac_override,-dac_read_search \"$0\" \"$@\""
    } else {
        "exec \"$0\" \"$@\""
    };
    for arguments in [
        &["incidents"][..],
        &["ack", "12"],
        &["silence", "shop", "--for", "2h"],
        &["outbox", "retry"],
    ] {
        let ended = place.run_through(script, arguments).await;
        ended.assert_code(70);
        assert_eq!(
            ended.stderr,
            "could not look for the store `kept/roundsman.db`: Permission denied (os error 13)\n  hint: run it as the user \
             that the daemon runs as\n"
        );
    }
    mode(0o700);
    assert!(ordered(&folder).is_empty());
}

#[tokio::test]
async fn windows_of_the_file_silence_too() {
    let place = place_with(&open_window().0);
    let kept = Kept::at(&place);
    let ended = place.run(&["incidents", "12"]).await;
    ended
        .assert_code(0)
        .assert_prints("- silenced by the window racks\n");
    drop(kept);
}
