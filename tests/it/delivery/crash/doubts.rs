//! The judge himself: whatever is missing, repeated or untrue is found.

use std::time::{Duration, Instant};

use roundsman::model::{Event, EventKind, Incident};
use roundsman::render::incident::incident_report;
use serde_json::json;

use super::LOUD;
use super::chat::Done;
use super::hook::{Accepted, Posted};
use super::judge::Case;
use super::world::Answer;

/// What is wrong with a case.
type Change = fn(&mut Case);

const OPENED: &str = "2026-11-21T10:00:00Z";
const RESOLVED: &str = "2026-11-21T10:04:00Z";

fn name() -> String {
    format!("{LOUD}0")
}

fn event(at: &str, kind: EventKind) -> Event {
    Event {
        at: at.parse().expect("a time"),
        kind,
        name: name(),
        status: None,
        text: None,
        rings: true,
    }
}

fn incident(resolved: Option<&str>) -> Incident {
    let condition = json!({"status": "RED", "at": OPENED, "summary": "ill"});
    let member = json!({
        "target": format!("api_endpoints/{}", name()), "name": name(), "kind": "api_endpoints", "sort": "problem",
        "status": "RED", "worst": "RED", "critical": true, "since": OPENED, "resolved_at": resolved,
        "condition": condition,
    });
    let value = json!({
        "id": 1, "opened_at": OPENED, "resolved_at": resolved, "severity": "critical", "told_at": OPENED,
        "members": [member],
    });
    let mut incident: Incident = serde_json::from_value(value).expect("an incident");
    incident.events.push(event(OPENED, EventKind::Opened));
    incident
        .events
        .extend(resolved.map(|at| event(at, EventKind::Resolved)));
    incident
}

fn post(id: &str, events: &[Event], resolved: Option<&str>, at: Instant) -> Accepted {
    let report = incident_report(&incident(resolved), events);
    let posted: Posted =
        serde_json::from_value(json!({"id": id, "incident": report})).expect("a message");
    Accepted {
        posted,
        life: 0,
        at,
        answered: Some(at),
    }
}

fn call(text: &str, at: Instant) -> Done {
    Done {
        number: 1,
        method: "sendmessage".to_owned(),
        text: text.to_owned(),
        life: 0,
        at,
        answered: Some(at),
    }
}

/// A target was RED, and everybody heard of it, once. The daemon was killed long after that.
fn a_good_one() -> Case {
    let at = Instant::now();
    let answer = |time: &str| Answer {
        target: name(),
        at: time.parse().expect("a time"),
        instant: at,
        red: true,
        life: 0,
    };
    Case {
        incidents: vec![incident(Some(RESOLVED))],
        posts: vec![
            post("a", &[event(OPENED, EventKind::Opened)], None, at),
            post(
                "b",
                &[event(RESOLVED, EventKind::Resolved)],
                Some(RESOLVED),
                at,
            ),
        ],
        calls: vec![
            call("[RED] #1, critical", at),
            Done {
                method: "editmessagetext".to_owned(),
                ..call("[RESOLVED] #1, critical", at)
            },
        ],
        answers: vec![answer("2026-11-21T09:59:59Z"), answer(OPENED)],
        ends: vec![Some(at + Duration::from_secs(10))],
    }
}

#[test]
fn the_judge_finds_what_is_missing_repeated_or_untrue() {
    let verdict = a_good_one().judge();
    assert!(verdict.faults.is_empty(), "{:?}", verdict.faults);
    let wrong: [(&str, Change); 11] = [
        ("lost: (1, ", |case| drop(case.posts.remove(0))),
        ("#1 is not over", |case| {
            case.incidents = vec![incident(None)];
        }),
        ("#1 was never told", |case| case.incidents[0].told_at = None),
        ("which never told of", |case| {
            case.incidents[0].told_at = None;
            case.incidents[0].merged_into = Some(7);
        }),
        ("the store does not know it", |case| case.incidents.clear()),
        ("the last that was told of #1", |case| case.posts.reverse()),
        ("a was sent twice", |case| {
            let again = case.posts[0].clone();
            case.posts.insert(0, again);
        }),
        ("a says two different things", |case| {
            let mut again = case.posts[1].clone();
            "a".clone_into(&mut again.posted.id);
            case.posts.push(again);
        }),
        ("was told by", |case| {
            let mut again = case.posts[1].clone();
            "c".clone_into(&mut again.posted.id);
            case.ends = vec![Some(again.at)];
            case.posts.push(again);
        }),
        ("and that is no incident", |case| {
            let earlier = "2026-11-21T09:00:00Z".parse().expect("a time");
            for answer in &mut case.answers {
                answer.at = earlier;
            }
        }),
        ("the chat never heard of #1", |case| case.calls.clear()),
    ];
    for (words, change) in wrong {
        let mut case = a_good_one();
        change(&mut case);
        let faults = case.judge().faults;
        assert!(
            faults.iter().any(|fault| fault.contains(words)),
            "`{words}` is not among {faults:?}"
        );
    }
}

#[test]
fn the_judge_forgives_what_nobody_could_know() {
    let mut case = a_good_one();
    let again = case.posts[0].clone();
    case.posts.insert(0, again);
    case.calls[1].method = "sendmessage".to_owned();
    assert_eq!(case.judge().faults.len(), 2, "once on each channel");
    // The daemon died before it could keep that it was accepted.
    case.ends = vec![Some(case.posts[0].at)];
    let faults = case.judge().faults;
    assert!(faults.is_empty(), "{faults:?}");
    // Nobody answered it.
    let mut case = a_good_one();
    let again = case.posts[0].clone();
    case.posts.insert(0, again);
    case.posts[0].answered = None;
    case.posts[1].answered = None;
    let faults = case.judge().faults;
    assert!(faults.is_empty(), "{faults:?}");
}
