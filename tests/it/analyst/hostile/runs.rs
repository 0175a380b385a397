//! The whole corpus through the real daemon, twice at the same time: without a model, and with one that obeys. All that people
//! are told is the same but for the model's own words, and in those there is nothing that is obeyed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use chrono::Timelike;
use regex::Regex;
use roundsman::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use super::obedient::{OBEYED, Obedient};
use super::worlds::World;
use super::{Hostile, corpus, obeyed_in};
use crate::incidents::{Hook, until};
use crate::reports::slack::{PATH, workspace};
use crate::support::daemon::Daemon;
use crate::support::program::Workplace;
use crate::support::servers::RawServer;
use crate::support::telegram::{GROUP, TOKEN, Telegram};

/// A daemon, and all that hears of it.
struct Run {
    place: Workplace,
    daemon: Daemon,
    hook: Hook,
    telegram: Telegram,
    slack: RawServer,
}

impl Run {
    async fn start(world: &World, llm: &str) -> Self {
        let (hook, telegram, slack) = (
            Hook::start().await,
            Telegram::start().await,
            workspace().await,
        );
        let yaml = format!(
            "monitoring: {{every: 1s, confirm_after: 1s, adaptive: false}}\n{}\
             report: {{when: always, schedule: \"* * * * *\"}}\n{llm}\
             reporters:\n  - {{kind: telegram, bot_token: \"{TOKEN}\", chat_id: {GROUP}, api_url: \"{}\"}}\n  - {}\n  \
             - {{kind: slack, webhook_url: \"http://127.0.0.1:{}{PATH}\"}}\n  - {{kind: file, directory: reports}}\n",
            world.targets(),
            telegram.url(),
            hook.reporter(),
            slack.port,
        );
        let place = Workplace::with_configuration(&yaml);
        let daemon = Daemon::start(&place);
        Self {
            place,
            daemon,
            hook,
            telegram,
            slack,
        }
    }

    async fn has_looked_at_all(&mut self) {
        for _ in 0..World::TARGETS {
            self.daemon.event("target.changed").await;
        }
    }

    /// The newest of each incident.
    fn incidents(&self) -> Vec<Value> {
        let posts = self.hook.posts();
        let mut newest: BTreeMap<u64, Value> = BTreeMap::new();
        for post in &posts {
            let several = post["incidents"].as_array().into_iter().flatten();
            for incident in several.chain(post["incident"].is_object().then_some(&post["incident"]))
            {
                let id = incident["id"].as_u64().expect("a number");
                newest.insert(id, incident.clone());
            }
        }
        newest.into_values().collect()
    }

    fn ill_targets(&self) -> BTreeSet<String> {
        let incidents = self.incidents();
        let targets = incidents
            .iter()
            .flat_map(|one| one["targets"].as_array().expect("targets"));
        targets.map(|target| target["name"].to_string()).collect()
    }

    /// The newest round report in which all is not well.
    fn report(&self) -> Option<Value> {
        let posts = self.hook.posts().into_iter().rev();
        let mut reports = posts
            .filter(|post| post["event"] == "report")
            .map(|post| post["report"].clone());
        reports.find(|report| report["counts"]["green"] == 0)
    }
}

/// Without times, which are those of each run.
fn timeless(value: &Value) -> Value {
    let times =
        Regex::new(r"\d\d:\d\d(:\d\d)?|\d{4}-\d\d-\d\d|\b\d+ (ms|s|min)\b|127\.0\.0\.1:\d+")
            .expect("a pattern");
    match value {
        Value::String(text) => times.replace_all(text, "*").into_owned().into(),
        Value::Array(all) => all.iter().map(timeless).collect(),
        Value::Object(all) => all
            .iter()
            .map(|(key, value)| (key.clone(), timeless(value)))
            .collect(),
        other => other.clone(),
    }
}

fn picked(value: &Value, keys: &[&str]) -> Value {
    let picked = keys
        .iter()
        .map(|key| ((*key).to_owned(), timeless(&value[*key])));
    Value::Object(picked.collect())
}

/// What people are told that no model has a say in.
fn told(run: &Run) -> Value {
    let mut targets = BTreeMap::new();
    for incident in run.incidents() {
        let common = picked(
            &incident,
            &[
                "state",
                "status",
                "severity",
                "acknowledged",
                "targets_silenced",
                "merged_into",
            ],
        );
        for target in incident["targets"].as_array().expect("targets") {
            let own = picked(
                target,
                &[
                    "kind",
                    "labels",
                    "critical",
                    "sort",
                    "status",
                    "worst",
                    "silenced",
                    "seen",
                    "summary",
                    "problems",
                    "recommendations",
                    "runbook",
                    "flapping",
                ],
            );
            targets.insert(target["name"].to_string(), json!([common, own]));
        }
    }
    let report = run.report().expect("a report");
    let mut of_report = BTreeMap::new();
    for target in report["targets"].as_array().expect("targets") {
        let own = picked(
            target,
            &[
                "status",
                "summary",
                "silenced",
                "acknowledged",
                "findings",
                "failure",
                "runbook",
                "facts",
            ],
        );
        of_report.insert(target["name"].to_string(), own);
    }
    let mut changes = BTreeMap::new();
    for post in run.hook.posts() {
        for change in post["report"]["changes"].as_array().into_iter().flatten() {
            changes.insert(change["target"].to_string(), change["to"].clone());
        }
    }
    let lines = |key: &str| -> BTreeSet<String> {
        let lines = report[key].as_array().expect("lines").iter();
        lines.map(|line| timeless(line).to_string()).collect()
    };
    json!({
        "targets": targets,
        "report": picked(&report, &["status", "overall", "counts", "complete", "self_alerts"]),
        "targets of the report": of_report,
        "changes": changes,
        "issues": lines("issues_found"),
        "recommendations": lines("recommendations"),
        "chats": run.telegram.messages().iter().map(|one| one.chat.clone()).collect::<BTreeSet<_>>(),
    })
}

/// What a model said, by where it stands in JSON. Elsewhere than in an explanation nothing of it may stand.
fn words_in(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let its_own = path.contains(".explanation.");
            assert!(its_own || !text.contains(OBEYED), "{path}: {text}");
            if its_own {
                found.push(text.clone());
            }
        }
        Value::Array(all) => all
            .iter()
            .for_each(|one| words_in(one, &format!("{path}[]"), found)),
        Value::Object(all) => {
            for (key, one) in all {
                assert!(!key.contains(OBEYED), "{path}: {key}");
                words_in(one, &format!("{path}.{key}"), found);
            }
        }
        _ => {}
    }
}

/// Its lines in a text for people. They stand behind the words "In words", and before what we found.
fn lines_in(text: &str) -> Vec<String> {
    let mut is_inside = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        let bare = line.trim().trim_matches('*');
        if bare.to_lowercase().contains("in words") {
            is_inside = true;
        } else if bare.starts_with("Likely cause")
            || bare.starts_with("What to do")
            || bare.starts_with("Seen")
        {
            is_inside = false;
        }
        if line.contains(OBEYED) {
            assert!(
                is_inside,
                "what a model says stands among what we say: {line}\n{text}"
            );
            let words = bare.trim_start_matches("• ").trim_start_matches("- ");
            lines.push(words.to_owned());
        }
    }
    lines
}

fn assert_tame<'a>(texts: impl IntoIterator<Item = &'a String>, place: &str) -> usize {
    let mut count = 0;
    for text in texts {
        assert_eq!(obeyed_in(text), None, "{place}: {text}");
        for harm in ["curl ", "rm -rf", "sudo bash", "Disable roundsman"] {
            assert!(!text.contains(harm), "{place}: {text}");
        }
        count += 1;
    }
    count
}

/// Nothing but an explanation has words of the model, and in those nothing is obeyed.
async fn assert_words_are_only_words(run: &Run) {
    let mut said = Vec::new();
    for post in run.hook.posts() {
        if post["event"] == "note"
            && post["title"] == "the last report, put into words by a language model"
        {
            assert_eq!(post["status"], "UNKNOWN", "no colour of a model's");
            continue;
        }
        words_in(&post, "", &mut said);
    }
    assert!(assert_tame(&said, "webhook") > 0);
    let mut lines = Vec::new();
    for message in run.telegram.messages() {
        for text in message.earlier.iter().chain([&message.text]) {
            lines.extend(lines_in(text));
        }
        assert!(
            message
                .bold
                .iter()
                .all(|bold| obeyed_in(bold).is_none() || !bold.contains(OBEYED)),
            "{message:?}"
        );
    }
    assert!(assert_tame(&lines, "Telegram") > 0);
    let mut lines = Vec::new();
    for request in run.slack.requests() {
        let body = request.split_once("\r\n\r\n").expect("a body").1;
        let message: Value = serde_json::from_str(body).expect("JSON");
        assert!(!message["text"].to_string().contains(OBEYED), "{message:#}");
        let blocks = message["attachments"][0]["blocks"]
            .as_array()
            .expect("blocks")
            .iter();
        let texts: Vec<&str> = blocks
            .filter_map(|block| block["text"]["text"].as_str())
            .collect();
        lines.extend(lines_in(&texts.join("\n")));
    }
    assert!(assert_tame(&lines, "Slack") > 0);
    let mut said = Vec::new();
    for file in run.place.names_in("reports").iter().filter(|name| {
        Path::new(name)
            .extension()
            .is_some_and(|ending| ending == "json")
    }) {
        let kept: Value =
            serde_json::from_str(&run.place.read(&format!("reports/{file}"))).expect("JSON");
        words_in(&kept, "", &mut said);
    }
    assert!(assert_tame(&said, "files") > 0);
    for incident in run.incidents() {
        let id = incident["id"].to_string();
        let shown = run.place.run(&["explain", &id]).await;
        shown.assert_code(0);
        assert!(
            assert_tame(&lines_in(&shown.stdout), "explain") > 0
                || !shown.stdout.contains("In words"),
            "{shown}"
        );
        let shown = run.place.run(&["incidents", &id]).await;
        assert_tame(&lines_in(&shown.stdout), "incidents");
    }
}

/// A report is made with each minute: both runs begin well before one.
async fn early_in_a_minute() {
    let second = SystemClock.now().second();
    if second > 30 {
        tokio::time::sleep(Duration::from_secs(u64::from(61 - second))).await;
    }
}

async fn is_told_the_same(entries: &[Hostile]) -> usize {
    let world = World::start(entries).await;
    let model = Obedient::start().await;
    let llm = format!(
        "llm: {{provider: recorder, model: m, base_url: \"http://127.0.0.1:{}/v1\", price: {{input_per_1k: 0.001, output_per_1k: 0.005}}}}\n",
        model.server.port
    );
    early_in_a_minute().await;
    let mut without = Run::start(&world, "").await;
    let mut with = Run::start(&world, &llm).await;
    without.has_looked_at_all().await;
    with.has_looked_at_all().await;
    world.fail();
    for run in [&without, &with] {
        until("all targets in messages", || {
            run.ill_targets().len() >= World::TARGETS
        })
        .await;
        until("a report", || run.report().is_some()).await;
    }
    until("words in Telegram", || {
        with.telegram
            .texts()
            .iter()
            .any(|text| text.contains(OBEYED))
    })
    .await;
    let has_words = |request: &String| request.contains(OBEYED);
    until("words in Slack", || {
        with.slack.requests().iter().any(has_words)
    })
    .await;
    let is_of_report = |post: &Value| {
        post["title"] == "the last report, put into words by a language model"
            || post["report"]["analysis"]["explanation"].is_object()
    };
    until("a report in words", || {
        with.hook.posts().iter().any(is_of_report)
    })
    .await;

    assert_eq!(told(&without), told(&with));
    assert_words_are_only_words(&with).await;
    for command in [&["silences"][..], &["silences", "--all"]] {
        let (one, other) = (
            without.place.run(command).await,
            with.place.run(command).await,
        );
        assert_eq!((one.code, one.stdout), (other.code, other.stdout));
    }
    for question in model.questions() {
        for gone in ["://", "@", "\u{1b}", "canary"] {
            assert!(!question.contains(gone), "{gone}: {question}");
        }
    }
    for run in [without, with] {
        let Run { place, daemon, .. } = run;
        daemon.stop().await.assert_code(0);
        let listed = place.run(&["incidents", "--all"]).await;
        assert!(!listed.stdout.contains(OBEYED), "{listed}");
    }
    model.obeyed()
}

/// One part of the corpus, far enough apart from the others that each sort of it is in each part.
fn part(number: usize, parts: usize) -> Vec<Hostile> {
    let entries = corpus().into_iter().enumerate();
    let part = entries.filter(|(index, _)| index % parts == number);
    part.map(|(_, entry)| entry).collect()
}

#[tokio::test]
async fn a_model_that_obeys_changes_nothing_but_its_own_words_first_part() {
    assert!(is_told_the_same(&part(0, 3)).await > 5);
}

#[tokio::test]
async fn a_model_that_obeys_changes_nothing_but_its_own_words_second_part() {
    assert!(is_told_the_same(&part(1, 3)).await > 5);
}

#[tokio::test]
async fn a_model_that_obeys_changes_nothing_but_its_own_words_third_part() {
    assert!(is_told_the_same(&part(2, 3)).await > 5);
}
