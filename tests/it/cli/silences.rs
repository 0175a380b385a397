//! `silence` and `silences`: what is not spoken of, and who says so.

use chrono::TimeDelta;
use chrono_tz::Europe;
use roundsman::desk::{Answer, Order};
use roundsman::incidents::Silence;
use roundsman::model::Timestamp;
use roundsman::store::Row;
use serde_json::json;

use super::kept::{CANARY, Held, ago, open_window, ordered, place, place_with, silence, told};
use crate::support::program::{Ended, Workplace};

fn silenced(order: Option<Order>) -> Silence {
    match order {
        Some(Order::Silence { silence }) => *silence,
        other => panic!("{other:?}"),
    }
}

/// Six o'clock in Berlin in so many days: as it is written, as it is told, and when that is.
fn six_o_clock_in(days: i64) -> (String, String, Timestamp) {
    let day = (ago(0) + TimeDelta::days(days)).date_naive();
    let six = day.and_hms_opt(6, 0, 0).expect("a time");
    let six = six.and_local_timezone(Europe::Berlin).unwrap();
    (
        six.format("%Y-%m-%d %H:%M").to_string(),
        six.format("%a %Y-%m-%d %H:%M %:z").to_string(),
        six.to_utc(),
    )
}

#[tokio::test]
async fn it_shows_what_it_is_for_before_it_is_ordered() {
    let place = place();
    let (written, told, instant) = six_o_clock_in(100);
    let held = Held::with(&place, Vec::new());
    let answering = held.answering(Answer::done("2 targets are silenced"));
    let ended = place
        .run(&[
            "silence",
            "web-*",
            "shop",
            "--label",
            "team=ops",
            "--kind",
            "api_endpoints",
            "--until",
            &written,
            "--comment",
            "moving racks",
        ])
        .await;
    let silence = silenced(answering.end());
    ended.assert_code(0);
    assert_eq!(ended.stderr, "");
    let (first, rest) = ended.stdout.split_once('\n').expect("lines");
    // How many days it is to then changes as the days go by.
    let (words, days) = first.split_once(" (in ").expect("how long");
    assert_eq!(
        words,
        format!("names web-*, shop; kinds api_endpoints; team=ops: until {told}")
    );
    assert!(days.contains("days"), "{days}");
    assert_eq!(
        rest,
        format!(
            "  targets: api_endpoints/shop, api_endpoints/web-1\n2 targets are silenced\n`roundsman silence --end {}` ends \
             it\n",
            silence.id
        )
    );
    assert_eq!(silence.author.as_deref(), Some("anna"));
    assert_eq!(silence.comment.as_deref(), Some("moving racks"));
    assert_eq!(silence.until, Some(instant));
    assert_eq!(
        serde_json::to_value(&silence.matcher).expect("JSON"),
        json!({"names": ["web-*", "shop"], "kinds": ["api_endpoints"], "labels": {"team": ["ops"]}})
    );
}

#[tokio::test]
async fn it_lasts_as_long_as_is_said() {
    let place = place();
    let held = Held::with(&place, Vec::new());
    let answering = held.answering(Answer::done("done"));
    let ended = place
        .run(&["silence", "*", "--for", "2h", "--by", "ben"])
        .await;
    ended
        .assert_code(0)
        .assert_prints(" (in 2h)\n  targets: api_endpoints/shop, ");
    let silence = silenced(answering.end());
    let (from, until) = (
        silence.from.expect("a time"),
        silence.until.expect("a time"),
    );
    assert_eq!(until - from, TimeDelta::hours(2));
    assert!((ago(0) - from).abs() < TimeDelta::minutes(1), "{from}");
    assert_eq!(silence.author.as_deref(), Some("ben"));
}

#[tokio::test]
async fn what_is_for_no_target_is_refused_unless_it_is_meant() {
    let place = place();
    Held::with(&place, Vec::new()).close();
    let ended = place.run(&["silence", "shopp", "--for", "2h"]).await;
    ended.assert_code(1);
    assert_eq!(ended.stdout, "");
    assert_eq!(
        ended.stderr,
        "names shopp: this is for no target that is known, so nothing was done\n  hint: did you mean `shop`? `--anyway` \
         silences all the same\n"
    );
    let arguments = ["silence", "shop", "--label", "team=dev", "--for", "2h"];
    let ended = place.run(&arguments).await;
    ended
        .assert_code(1)
        .assert_says("names shop; team=dev: this is for no target");
    assert!(ordered(&place.path().join("kept")).is_empty());

    let anyway = place
        .run(&["silence", "shopp", "--for", "2h", "--anyway"])
        .await;
    anyway
        .assert_code(0)
        .assert_prints("  targets: none that is configured\n")
        .assert_prints(
            "no daemon runs with this store: the next one does it as soon as it starts\n",
        );
    assert_eq!(ordered(&place.path().join("kept")).len(), 1);
}

#[tokio::test]
async fn wrong_usage_says_what_is_right() {
    let place = place();
    Held::with(&place, Vec::new()).close();
    for (arguments, said) in [
        (
            &["silence", "--for", "2h"][..],
            "nothing says which targets are meant\n  hint: give names, `--kind` or `--label`; `'*'` is all of them\n",
        ),
        (
            &["silence", "shop"],
            "nothing says until when\n  hint: add `--for 2h`, or `--until '2026-12-02 06:00'`\n",
        ),
        (
            &["silence", "shop", "--until", "tomorrow"],
            "expected a time such as `2026-12-02T06:00:00Z`, or `2026-12-02 06:00` in `monitoring.timezone`, found \
             `tomorrow`\n",
        ),
        (
            &["silence", "shop", "--kind", "databasse", "--for", "2h"],
            "there is no kind `databasse`\n  hint: did you mean `databases`?\n",
        ),
        (
            &["silence", "--label", "team", "--for", "2h"],
            "expected a label and its value, found `team`\n  hint: write `--label team=ops`; `--label team=` is all that \
             have no such label\n",
        ),
        (
            &["silence", "web-[", "--for", "2h"],
            "expected a name, or a pattern such as `web-*`, found `web-[`: unclosed character class; missing ']'\n",
        ),
    ] {
        let ended = place.run(arguments).await;
        ended.assert_code(64);
        assert_eq!(ended.stderr, said);
    }
    for (arguments, said) in [
        (
            &["silence", "shop", "--until", "2020-01-01 00:00"][..],
            "it would be over already: Wed 2020-01-01 00:00 +01:00 (",
        ),
        (
            &[
                "silence",
                "shop",
                "--for",
                "2h",
                "--until",
                "2131-01-01 00:00",
            ],
            "cannot be used with",
        ),
        (
            &["silence", "shop", "--end", "silence-1"],
            "cannot be used with",
        ),
        (
            &["silence", "shop", "--for", "30M"],
            "`M` would be a month: write `30m` for minutes, `d` for days",
        ),
        (
            &["silence", "shop", "--for", "5000y"],
            "write days, such as `90d`: months and years have no fixed length",
        ),
        (
            &["silence", "shop", "--for", "367d"],
            "a silence of more than 366 days would be forgotten\n  hint: `m` is a minute, `h` an hour, `d` a day",
        ),
        (
            &["silence", "shop", "--until", "2131-01-01 00:00"],
            "a silence of more than 366 days would be forgotten",
        ),
    ] {
        place.run(arguments).await.assert_code(64).assert_says(said);
    }
    assert!(ordered(&place.path().join("kept")).is_empty());
}

#[tokio::test]
async fn it_is_ended_by_its_id_or_the_beginning_of_it() {
    let place = place_with("silences: [{match: {names: shop}}]\n");
    let active = silence("silence-0a000001", "web-1", ago(60), None);
    let other = silence("silence-0a000002", "web-1", ago(60), None);
    let over = silence("silence-0b000003", "web-1", ago(60), Some(ago(30)));
    let rows = [active, other, over].map(Row::Silence);
    let held = Held::with(&place, rows.into());
    for asked in ["silence-0a000001", "silence-0a000001", "0a000001"] {
        let answering = held.answering(Answer::done("ended"));
        let ended = place.run(&["silence", "--end", asked]).await;
        let id = "silence-0a000001".to_owned();
        assert_eq!(answering.end(), Some(Order::EndSilence { id }));
        ended.assert_code(0);
        assert_eq!(ended.stdout, "ended\n");
    }
    let listed = place.run(&["silences", "--format", "json"]).await;
    let of_file = listed.json()["silences"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let stands = format!(
        "the silence `{of_file}` stands in the configuration\n  hint: take it out there, and send the daemon SIGHUP\n"
    );
    for (asked, said) in [
        (of_file.as_str(), stands.as_str()),
        (
            "silence-0a",
            "`silence-0a` is the beginning of several silences\n  hint: write one of silence-0a000001, silence-0a000002\n",
        ),
        (
            "0b",
            "the silence `silence-0b000003` has ended already\n  hint: `roundsman silences` shows them\n",
        ),
        (
            "silence-9",
            "there is no silence `silence-9`\n  hint: `roundsman silences` shows them\n",
        ),
        (
            "",
            "there is no silence ``\n  hint: `roundsman silences` shows them\n",
        ),
    ] {
        let ended = place.run(&["silence", "--end", asked]).await;
        ended.assert_code(1);
        assert_eq!(ended.stderr, said, "{asked}");
    }
    assert!(held.ordered().is_empty());
}

const FILE: &str = "silences:
  - {match: {names: shop}, until: 2131-12-02 06:00, author: carla, comment: moving racks}
  - {match: {labels: {team: dev}}, from: 2131-12-01T00:00:00Z}
";

/// Without how long it is to a time.
fn without_now(ended: &Ended) -> String {
    let line = |line: &str| {
        let before = line.split_once(" (").map(|(before, _)| before);
        before.unwrap_or(line).to_owned()
    };
    ended
        .stdout
        .lines()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}

#[tokio::test]
async fn all_are_shown_whoever_said_so() {
    let (window, closes) = open_window();
    let place = place_with(&format!("{FILE}{window}"));
    let ends = ago(-7_230);
    let mut of_people = silence("silence-00000001", "web-*", ago(60), Some(ends));
    of_people.comment = Some("a new disk".to_owned());
    let ended_at = ago(86_430);
    let over = silence("silence-00000002", "shop", ago(100_000), Some(ended_at));
    let of_old = silence(
        "silence-00000003",
        "shop",
        ago(2_000_000),
        Some(ago(1_000_000)),
    );
    let held = Held::with(&place, [of_people, over, of_old].map(Row::Silence).into());
    held.close();
    let (written, last, _) = six_o_clock_in(100);
    place
        .run(&["silence", "web-2", "--until", &written])
        .await
        .assert_code(0);
    let listed = place.run(&["silences", "--format", "json"]).await;
    let json = listed.assert_code(0).json();
    let id = |index: usize| json["silences"][index]["id"].as_str().expect("an id");
    assert!(id(0).starts_with("file-") && id(1).starts_with("file-"));
    assert!(id(4).starts_with("silence-"));

    let ended = place.run(&["silences"]).await;
    ended
        .assert_code(0)
        .assert_prints(" (in 2h)\n")
        .assert_prints(" (1 day ago)\n");
    assert_eq!(ended.stderr, "");
    assert_eq!(
        without_now(&ended),
        format!(
            "{}: names shop
  active: until Sun 2131-12-02 06:00 +01:00
  targets: api_endpoints/shop
  by: carla, in the configuration
  why: moving racks

silence-00000001: names web-*
  active: until {}
  targets: api_endpoints/web-1, api_endpoints/web-2
  by: ben
  why: a new disk

{}: names web-2
  waits for the daemon: until {last}
  targets: api_endpoints/web-2
  by: anna

{}: team=dev
  to come: from Sat 2131-12-01 01:00 +01:00 until it is taken out of the file
  targets: api_endpoints/web-2
  by: the configuration

silence-00000002: names shop
  ended: {}
  targets: api_endpoints/shop
  by: ben

window racks: team=ops
  open: until {}
  targets: api_endpoints/shop, api_endpoints/web-1
  why: nightly",
            id(0),
            told(ends),
            id(4),
            id(1),
            told(ended_at),
            closes.format("%a %F %R +00:00"),
        )
    );

    let people = &json["silences"][2];
    assert_eq!(people["source"], "people");
    assert_eq!(people["state"], "active");
    assert_eq!(people["match"], json!({"names": ["web-*"]}));
    assert_eq!(
        people["targets"],
        json!(["api_endpoints/web-1", "api_endpoints/web-2"])
    );
    assert_eq!(people["author"], "ben");
    assert_eq!(people["comment"], "a new disk");
    let until = people["until"].as_str().expect("a time");
    assert_eq!(until.parse::<roundsman::model::Timestamp>(), Ok(ends));
    let states: Vec<_> = json["silences"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["state"].clone())
        .collect();
    assert_eq!(
        states,
        [
            "active",
            "to_come",
            "active",
            "ended",
            "waits_for_the_daemon"
        ]
    );
    let windows = &json["open_windows"];
    assert_eq!(windows[0]["name"], "racks", "{windows:#}");
    let until = windows[0]["until"].as_str().expect("a time");
    assert_eq!(until.parse::<roundsman::model::Timestamp>(), Ok(closes));
}

#[tokio::test]
async fn where_there_are_none_it_says_how_to_make_one() {
    let nothing = "there are no silences, and no window is open\n  hint: `roundsman silence NAME --for 2h` makes one; \
                   `roundsman windows` shows when windows open\n";
    for place in [place(), Workplace::without_configuration()] {
        let ended = place.run(&["silences"]).await;
        ended.assert_code(0);
        assert_eq!(ended.stdout, nothing);
        let ended = place.run(&["silences", "--format", "json"]).await;
        let json = ended.assert_code(0).json();
        assert_eq!(json, json!({"silences": [], "open_windows": []}));
    }
    let ended = place().run(&["silence", "shop", "--for", "2h"]).await;
    ended.assert_code(1);
    assert_eq!(
        ended.stderr,
        "there is no store at `kept/roundsman.db` yet\n  hint: start the daemon first, or write it under `silences:` in the \
         configuration\n"
    );
    let ended = place().run(&["silence", "--end", "a"]).await;
    ended.assert_code(1).assert_says("there is no store at");
}

#[tokio::test]
async fn what_people_wrote_is_neither_obeyed_nor_secret() {
    let place = place_with("silences: [{match: {names: shop}, comment: \"${TOKEN}\"}]\n");
    let mut hostile = silence("silence-00000001", "shop", ago(60), None);
    hostile.author = Some(format!("\u{1b}[2J{CANARY}"));
    hostile.comment = Some(format!("\u{202e}{CANARY}"));
    Held::with(&place, vec![Row::Silence(hostile)]).close();
    let comment = format!("\u{9b}{CANARY}");
    for arguments in [
        &["silences"][..],
        &["silences", "--format", "json"],
        &[
            "silence",
            "*",
            "--for",
            "2h",
            "--comment",
            &comment,
            "--by",
            &comment,
        ],
        &["silence", &comment, "--for", "2h"],
        &["silence", "--end", &comment],
        &["silences"],
    ] {
        let ended = place.run(arguments).await;
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(!said.contains(CANARY), "{ended}");
        assert!(!said.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{ended}");
    }
}
