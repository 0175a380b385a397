//! Stories: what is to be told, what channels do, and what arrives. Time is an argument.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::{Channel, Job, Lease, Matter, Outbox, SelfNote, Terms};
use crate::incidents::{Announcement, Audience, Level, Route};
use crate::model::{
    Condition, Event, EventKind, Incident, IncidentId, Member, Parcel, Report, Severity, Sort,
    Status, Timestamp,
};
use crate::render::samples;
use crate::reporters::{Receipt, Retry, SendError};
use crate::store::{Kept, Row};

fn at(time: &str) -> Timestamp {
    format!("2026-11-21T{time}Z").parse().expect("a time")
}

fn event(kind: EventKind, now: Timestamp) -> Event {
    Event {
        at: now,
        kind,
        name: "db".to_owned(),
        status: None,
        text: None,
        rings: true,
    }
}

fn incident(id: IncidentId, severity: Severity, is_over: bool, now: Timestamp) -> Arc<Incident> {
    let member = Member {
        target: format!("databases/db-{id}"),
        name: format!("db-{id}"),
        sort: Sort::Problem,
        status: Status::Red,
        worst: Status::Red,
        since: now,
        resolved_at: is_over.then_some(now),
        condition: Condition {
            status: Status::Red,
            at: now,
            summary: "it does not answer".to_owned(),
            problems: Vec::new(),
            more_problems: 0,
            advice: Vec::new(),
            cause: None,
        },
        critical: severity == Severity::Critical,
        kind: "databases".to_owned(),
        ..a_member()
    };
    Arc::new(Incident {
        id,
        opened_at: now,
        resolved_at: is_over.then_some(now),
        severity,
        members: vec![member],
        ..an_incident()
    })
}

fn a_member() -> Member {
    serde_json::from_value(serde_json::json!({
        "target": "", "name": "", "sort": "problem", "status": "RED", "worst": "RED",
        "since": "2026-11-21T00:00:00Z", "resolved_at": null, "critical": true, "kind": "",
        "condition": {"status": "RED", "at": "2026-11-21T00:00:00Z", "summary": ""},
    }))
    .expect("a member")
}

fn an_incident() -> Incident {
    serde_json::from_value(serde_json::json!({
        "id": 0, "opened_at": "2026-11-21T00:00:00Z", "resolved_at": null, "severity": "critical", "members": [],
    }))
    .expect("an incident")
}

fn channel(name: &str) -> Channel {
    Channel {
        name: name.to_owned(),
        route: None,
        takes_updates: true,
    }
}

fn terms(names: &[&str]) -> Terms {
    Terms {
        channels: names.iter().map(|name| channel(name)).collect(),
        levels: Vec::new(),
        retry: TimeDelta::hours(24),
    }
}

/// What a channel does with what it is given.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mood {
    Takes,
    Fails,
    AsksToWait(u64),
    Refuses,
}

impl Mood {
    fn answer(self, external_id: String) -> Result<Receipt, SendError> {
        match self {
            Self::Takes => Ok(Receipt {
                external_id: Some(external_id),
            }),
            Self::Fails => Err(SendError::retryable("connection refused")),
            Self::AsksToWait(seconds) => Err(SendError {
                retry: Retry::Later {
                    not_before: Some(Duration::from_secs(seconds)),
                },
                ..SendError::retryable("too many requests")
            }),
            Self::Refuses => Err(SendError::permanent("the bot was blocked").hint("unblock it")),
        }
    }
}

fn words(events: &[Event]) -> String {
    let words = events
        .iter()
        .map(|event| format!("{:?}", event.kind).to_lowercase());
    words.collect::<Vec<_>>().join("+")
}

fn matter(job: &Job) -> String {
    match &job.matter {
        Matter::Report(report) => {
            let changes = report.changes.iter().map(|change| {
                let word = |status: Option<Status>| status.map_or("-", Status::word);
                format!(
                    "{} {}→{}",
                    change.target,
                    word(change.from),
                    word(change.to)
                )
            });
            let changes: Vec<_> = changes.collect();
            format!("report {} ({})", report.round.id, changes.join(", "))
        }
        Matter::Incident {
            incident,
            events,
            before,
        } => {
            let state = if incident.is_open() { "" } else { ", over" };
            let edit = before.as_ref().map_or("", |_| " in its thread");
            format!("#{} {}{state}{edit}", incident.id, words(events))
        }
        Matter::Incidents(of) => format!("{} incidents", of.len()),
        Matter::Quiet { quiets, unsaid } => format!("{} of {}", quiets.join(", "), unsaid.len()),
        Matter::Note(note) => format!("note: {}", note.title),
    }
}

/// An outbox, its store, and its channels.
struct Post {
    outbox: Outbox,
    terms: Terms,
    moods: BTreeMap<String, Mood>,
    now: Timestamp,
    /// What a store would hold.
    kept: BTreeMap<String, Parcel>,
    reports: BTreeMap<String, Arc<Report>>,
    receipts: BTreeMap<(String, String), String>,
    incidents: BTreeMap<IncidentId, Incident>,
    /// What arrived or failed.
    told: String,
    tries: usize,
    arrived: usize,
}

impl Post {
    fn new(terms: Terms, time: &str) -> Self {
        let names = terms.channels.iter().map(|channel| channel.name.clone());
        Self {
            outbox: Outbox::new(terms.clone()),
            moods: names.map(|name| (name, Mood::Takes)).collect(),
            terms,
            now: at(time),
            kept: BTreeMap::new(),
            reports: BTreeMap::new(),
            receipts: BTreeMap::new(),
            incidents: BTreeMap::new(),
            told: String::new(),
            tries: 0,
            arrived: 0,
        }
    }

    fn keep(&mut self) {
        for row in self.outbox.take_rows() {
            match row {
                Row::Parcel(parcel) => {
                    self.kept.insert(parcel.id.clone(), *parcel);
                }
                Row::ParcelGone(id) => {
                    self.kept.remove(&id);
                }
                Row::Report(id, report) => {
                    self.reports.insert(id, report);
                }
                Row::ReportGone(id) => {
                    self.reports.remove(&id);
                }
                Row::Receipt {
                    reporter,
                    thread,
                    receipt,
                    ..
                } => {
                    self.receipts.insert((reporter, thread), receipt);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn restart(&mut self) {
        self.outbox = Outbox::new(self.terms.clone());
        let receipts = self.receipts.iter();
        let mut kept = Kept {
            outbox: self.kept.values().cloned().collect(),
            reports: self.reports.clone().into_iter().collect(),
            receipts: receipts
                .map(|((reporter, thread), receipt)| {
                    (reporter.clone(), thread.clone(), receipt.clone())
                })
                .collect(),
            incidents: self.incidents.values().cloned().collect(),
            ..Kept::default()
        };
        self.outbox.restore(&mut kept);
    }

    fn tell(&mut self, id: IncidentId, kind: EventKind) {
        self.tell_as(id, kind, Severity::Critical, Audience::Everyone);
    }

    fn tell_as(&mut self, id: IncidentId, kind: EventKind, severity: Severity, audience: Audience) {
        self.hand_in(id, kind, severity, audience);
        self.keep();
    }

    fn hand_in(&mut self, id: IncidentId, kind: EventKind, severity: Severity, audience: Audience) {
        let incident = incident(id, severity, kind == EventKind::Resolved, self.now);
        self.incidents.insert(id, Incident::clone(&incident));
        self.outbox.learn(&incident);
        let events = vec![event(kind, self.now)];
        let announcement = Announcement::Incident {
            incident,
            events,
            audience,
        };
        self.outbox.tell(announcement, self.now);
    }

    fn report(&mut self, report: Report) {
        self.outbox.report(&Arc::new(report), None, self.now);
        self.keep();
    }

    fn mood(&mut self, name: &str, mood: Mood) {
        self.moods.insert(name.to_owned(), mood);
    }

    /// Sends what is due now. Gives when something is due next.
    fn send(&mut self) -> Option<Timestamp> {
        let mut next: Option<Timestamp> = None;
        for (name, mood) in self.moods.clone() {
            loop {
                match self.outbox.lease(&name, self.now, None) {
                    Lease::Send(job) => {
                        self.tries += 1;
                        let outcome = mood.answer(job.message.clone());
                        let said = match &outcome {
                            Ok(_) => "",
                            Err(error) => &format!(" — {}", error.message),
                        };
                        self.arrived += usize::from(outcome.is_ok());
                        let time = self.now.format("%H:%M:%S");
                        self.told += &format!("{time} {name}: {}{said}\n", matter(&job));
                        self.outbox.settle(&job.parcel, &outcome, self.now);
                        self.keep();
                    }
                    Lease::Wait(at) => {
                        next = [next, at].into_iter().flatten().min();
                        break;
                    }
                    Lease::Commit => panic!("nothing is waited for"),
                }
            }
        }
        next
    }

    /// Lets time pass until then.
    fn until(&mut self, time: &str) {
        self.until_then(at(time));
    }

    fn until_then(&mut self, end: Timestamp) {
        loop {
            let next = self.send();
            match next {
                Some(next) if next <= end => self.now = next.max(self.now),
                _ => break,
            }
        }
        self.now = end;
        self.send();
    }

    fn after(&mut self, wait: TimeDelta) {
        self.until_then(self.now + wait);
    }

    fn told(&mut self) -> String {
        std::mem::take(&mut self.told)
    }
}

#[test]
fn a_message_is_tried_with_growing_waits_and_takes_along_what_happens_meanwhile() {
    let mut post = Post::new(terms(&["ops"]), "10:00:00");
    post.mood("ops", Mood::Fails);
    post.tell(7, EventKind::Opened);
    post.until("10:00:20");
    post.tell(7, EventKind::Worsened);
    post.until("10:01:00");
    post.mood("ops", Mood::Takes);
    post.until("10:30:00");
    insta::assert_snapshot!(post.told(), @r"
    10:00:00 ops: #7 opened — connection refused
    10:00:04 ops: #7 opened — connection refused
    10:00:13 ops: #7 opened — connection refused
    10:00:30 ops: #7 opened+worsened — connection refused
    10:01:09 ops: #7 opened+worsened
    ");
    assert_eq!(post.outbox.summary().waiting, 0);
    assert!(post.kept.is_empty(), "nothing is left in the store");
    // The next is known to belong to it.
    post.tell(7, EventKind::Resolved);
    post.until("10:31:00");
    insta::assert_snapshot!(post.told(), @r"
    10:30:00 ops: #7 resolved, over in its thread
    ");
}

#[test]
fn a_channel_that_was_dead_for_six_hours_is_told_how_it_is_now_in_few_messages() {
    let mut post = Post::new(terms(&["ops"]), "02:00:00");
    post.mood("ops", Mood::Fails);
    for hour in 0..6 {
        for id in 0..30 {
            post.tell(hour * 100 + id, EventKind::Opened);
            if id >= 5 {
                post.after(TimeDelta::minutes(1));
                post.tell(hour * 100 + id, EventKind::Resolved);
            }
        }
        let round = format!("r{hour}");
        post.report(samples::report(
            samples::round(&round, "03:00:00"),
            &[],
            None,
            true,
        ));
        post.after(TimeDelta::minutes(35));
    }
    let (tries, waiting) = (post.tries, post.outbox.summary().waiting);
    assert!(waiting <= 5, "{waiting} wait");
    assert!(tries < 200, "tried {tries} times");
    post.told();
    post.mood("ops", Mood::Takes);
    post.after(TimeDelta::minutes(20));
    let told = post.told();
    assert!(post.arrived <= 5, "{told}");
    assert!(
        told.contains("incidents") && told.contains("report r5"),
        "{told}"
    );
    assert_eq!(post.outbox.summary().waiting, 0);
    assert!(post.kept.is_empty() && post.reports.is_empty());
}

#[test]
fn what_a_channel_refuses_is_given_up_aloud_and_comes_when_it_works_again() {
    let mut post = Post::new(terms(&["ops", "phone"]), "10:00:00");
    post.tell(3, EventKind::Opened);
    post.until("10:00:10");
    post.told();
    post.mood("phone", Mood::Refuses);
    post.tell(1, EventKind::Opened);
    post.until("10:01:00");
    post.tell(2, EventKind::Opened);
    post.until("10:02:00");
    post.tell(2, EventKind::Resolved);
    post.until("10:03:00");
    post.tell(3, EventKind::Resolved);
    post.until("10:04:00");
    insta::assert_snapshot!(post.told(), @r"
    10:00:10 ops: #1 opened
    10:00:10 phone: #1 opened — the bot was blocked
    10:01:00 ops: note: messages do not get out through `phone`
    10:01:00 ops: #2 opened
    10:01:00 phone: #2 opened — the bot was blocked
    10:02:00 ops: #2 resolved, over in its thread
    10:02:00 phone: #2 resolved, over — the bot was blocked
    10:03:00 ops: #3 resolved, over in its thread
    10:03:00 phone: #3 resolved, over in its thread — the bot was blocked
    ");
    assert_eq!(post.outbox.summary().dead, 4);
    assert_eq!(post.outbox.summary().waiting, 0);
    post.restart();
    post.mood("phone", Mood::Takes);
    post.until("11:00:00");
    post.tell(4, EventKind::Opened);
    post.until("11:10:00");
    insta::assert_snapshot!(post.told(), @r"
    11:00:00 ops: #4 opened
    11:00:00 phone: #4 opened
    11:00:00 phone: 3 incidents
    ");
    assert_eq!(post.outbox.summary().dead, 0);
    assert!(post.kept.is_empty());
}

#[test]
fn ten_thousand_at_once_are_few_messages() {
    let mut post = Post::new(terms(&["ops"]), "10:00:00");
    for step in 0..20 {
        for id in 0..500 {
            let (kind, everyone) = (EventKind::Opened, Audience::Everyone);
            post.hand_in(step * 500 + id, kind, Severity::High, everyone);
        }
        post.keep();
        post.after(TimeDelta::milliseconds(250));
    }
    post.after(TimeDelta::minutes(10));
    let told = post.told();
    assert!(post.arrived <= 5, "{told}");
    let first = told.lines().next().expect("a message");
    assert!(first.starts_with("10:00:00"), "{told}");
    for id in 0..10_000 {
        post.hand_in(id, EventKind::Resolved, Severity::High, Audience::Everyone);
    }
    post.keep();
    post.after(TimeDelta::minutes(10));
    assert!(post.arrived <= 8, "{}", post.told());
    assert!(post.kept.is_empty());
}

#[test]
fn a_clock_that_is_set_back_an_hour_delays_nothing() {
    let mut post = Post::new(terms(&["ops"]), "10:00:00");
    post.mood("ops", Mood::Fails);
    post.tell(1, EventKind::Opened);
    post.until("10:00:30");
    post.told();
    post.mood("ops", Mood::Takes);
    post.now = at("09:00:30");
    post.until("09:01:00");
    insta::assert_snapshot!(post.told(), @r"
    09:00:32 ops: #1 opened
    ");
}

#[test]
fn a_channel_that_asks_to_wait_is_left_alone_as_long() {
    let mut post = Post::new(terms(&["ops"]), "10:00:00");
    post.mood("ops", Mood::AsksToWait(90));
    post.tell(1, EventKind::Opened);
    post.until("10:00:01");
    post.mood("ops", Mood::Takes);
    post.tell(2, EventKind::Opened);
    post.until("10:05:00");
    insta::assert_snapshot!(post.told(), @r"
    10:00:00 ops: #1 opened — too many requests
    10:01:30 ops: #1 opened
    10:01:30 ops: #2 opened
    ");
}

#[test]
fn a_message_that_a_kill_left_in_doubt_is_sent_again_as_it_was() {
    let mut post = Post::new(terms(&["ops"]), "10:00:00");
    post.tell(1, EventKind::Opened);
    let Lease::Send(first) = post.outbox.lease("ops", post.now, None) else {
        panic!("it is due");
    };
    // The channel took it, and before we knew, we were killed.
    post.restart();
    post.tell(1, EventKind::Resolved);
    let Lease::Send(again) = post.outbox.lease("ops", post.now, None) else {
        panic!("it is due");
    };
    assert_eq!(first.message, again.message);
    let Matter::Incident { events, .. } = &again.matter else {
        panic!("{again:?}");
    };
    assert_eq!(words(events), "opened");
    // It does not even change when it fails once more.
    post.outbox
        .settle(&again.parcel, &Mood::Fails.answer(String::new()), post.now);
    post.keep();
    post.after(TimeDelta::minutes(1));
    insta::assert_snapshot!(post.told(), @r"
    10:00:04 ops: #1 opened, over
    10:00:04 ops: #1 resolved, over in its thread
    ");
}

#[test]
fn one_that_hangs_holds_up_no_other_and_what_belongs_together_keeps_its_order() {
    let mut post = Post::new(terms(&["ops"]), "10:00:00");
    post.tell(1, EventKind::Opened);
    let Lease::Send(hanging) = post.outbox.lease("ops", post.now, None) else {
        panic!("it is due");
    };
    post.tell(1, EventKind::Worsened);
    post.tell(2, EventKind::Opened);
    post.until("10:00:10");
    insta::assert_snapshot!(post.told(), @r"
    10:00:00 ops: #2 opened
    ");
    post.outbox.settle(
        &hanging.parcel,
        &Mood::Takes.answer("m1".to_owned()),
        post.now,
    );
    post.until("10:00:20");
    insta::assert_snapshot!(post.told(), @r"
    10:00:10 ops: #1 worsened in its thread
    ");
}

#[test]
fn everyone_hears_what_their_route_wants_and_levels_come_when_they_are_reached() {
    let severe = Route {
        severities: Some(vec![Severity::Critical, Severity::High]),
        ..Route::default()
    };
    let mut terms = terms(&["all", "severe", "boss", "mail"]);
    terms.channels[1].route = Some(severe);
    terms.channels[3].takes_updates = false;
    terms.levels = vec![Level {
        after: TimeDelta::minutes(15),
        reporters: vec!["boss".to_owned()],
        severities: None,
    }];
    let mut post = Post::new(terms, "10:00:00");
    post.tell_as(1, EventKind::Opened, Severity::Warning, Audience::Everyone);
    post.until("10:15:00");
    post.tell_as(
        1,
        EventKind::Escalated,
        Severity::Warning,
        Audience::Level(0),
    );
    post.until("10:20:00");
    let quiet = Event {
        rings: false,
        ..event(EventKind::Improved, post.now)
    };
    let announcement = Announcement::Incident {
        incident: incident(1, Severity::Warning, false, post.now),
        events: vec![quiet],
        audience: Audience::Everyone,
    };
    post.outbox.tell(announcement, post.now);
    post.until("10:30:00");
    // Whoever heard of the beginning hears of the end.
    post.tell_as(
        1,
        EventKind::Resolved,
        Severity::Warning,
        Audience::Everyone,
    );
    post.until("10:40:00");
    insta::assert_snapshot!(post.told(), @r"
    10:00:00 all: #1 opened
    10:00:00 mail: #1 opened
    10:15:00 boss: #1 escalated
    10:20:00 all: #1 improved in its thread
    10:20:00 boss: #1 improved in its thread
    10:30:00 all: #1 resolved, over in its thread
    10:30:00 boss: #1 resolved, over in its thread
    10:30:00 mail: #1 resolved, over in its thread
    ");
}

#[test]
fn people_can_try_again_and_drop_by_a_beginning_of_a_name() {
    let mut post = Post::new(terms(&["ops"]), "10:00:00");
    post.mood("ops", Mood::Refuses);
    post.tell(12, EventKind::Opened);
    post.tell(34, EventKind::Opened);
    post.until("10:01:00");
    post.told();
    assert_eq!(post.outbox.retry(Some("i12"), post.now), Ok(1));
    post.mood("ops", Mood::Fails);
    post.until("10:01:01");
    insta::assert_snapshot!(post.told(), @r"
    10:01:00 ops: #12 opened — connection refused
    ");
    let wrong = post.outbox.retry(Some("i5"), post.now).unwrap_err();
    assert_eq!(wrong.to_string(), "no message begins with `i5`");
    let wrong = post.outbox.drop_message("i").unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "2 messages begin with `i`: give more of it"
    );
    assert!(post.outbox.drop_message("i34").is_ok());
    post.keep();
    assert_eq!(post.kept.len(), 1);
    assert_eq!(post.outbox.retry(None, post.now), Ok(1));
}

#[test]
fn nothing_is_sent_before_it_is_kept_unless_nothing_can_be() {
    let mut post = Post::new(terms(&["ops"]), "10:00:00");
    post.tell(1, EventKind::Opened);
    post.outbox.stamp(5);
    assert!(matches!(
        post.outbox.lease("ops", post.now, Some(4)),
        Lease::Commit
    ));
    assert!(matches!(
        post.outbox.lease("ops", post.now, Some(5)),
        Lease::Send(_)
    ));
    post.tell(2, EventKind::Opened);
    post.outbox.stamp(6);
    assert!(matches!(
        post.outbox.lease("ops", post.now, None),
        Lease::Send(_)
    ));
}

#[test]
fn what_waits_for_a_day_is_given_up_but_not_because_the_machine_slept() {
    let mut post = Post::new(terms(&["ops", "mail"]), "00:00:00");
    post.mood("ops", Mood::Fails);
    post.tell(1, EventKind::Opened);
    post.after(TimeDelta::seconds(8));
    post.now += TimeDelta::days(3);
    post.after(TimeDelta::minutes(1));
    assert_eq!(post.outbox.summary().dead, 0);
    post.after(TimeDelta::hours(2));
    assert_eq!(post.outbox.summary().dead, 1);
    let told = post.told();
    assert!(
        told.contains("mail: note: messages do not get out through `ops`"),
        "{told}"
    );
}

#[test]
fn a_newer_note_about_the_same_takes_the_place_of_one_that_waits() {
    let mut post = Post::new(terms(&["ops"]), "10:00:00");
    post.mood("ops", Mood::Fails);
    for title in ["the network is down", "the network was down for 8 min"] {
        let note = SelfNote {
            about: "network".to_owned(),
            title: title.to_owned(),
            tone: Status::Unknown,
            lines: Vec::new(),
        };
        post.outbox.note(&note, None, post.now);
        post.keep();
        post.after(TimeDelta::minutes(8));
    }
    post.mood("ops", Mood::Takes);
    post.told();
    post.after(TimeDelta::hours(1));
    insta::assert_snapshot!(post.told(), @r"
    10:17:46 ops: note: the network was down for 8 min
    ");
}

/// What may happen.
#[derive(Debug, Clone)]
enum Act {
    Tell(IncidentId),
    Report,
    Pass(i64),
    Mood(usize, Mood),
    /// A channel takes what is due, and we are killed before we know.
    KilledAfterSending(usize),
    Restart,
    Retry,
}

fn act() -> impl Strategy<Value = Act> {
    let mood = prop_oneof![
        Just(Mood::Takes),
        Just(Mood::Fails),
        (1_u64..120).prop_map(Mood::AsksToWait),
        Just(Mood::Refuses)
    ];
    prop_oneof![
        6 => (0_u64..12).prop_map(Act::Tell),
        1 => Just(Act::Report),
        4 => (0_i64..600).prop_map(Act::Pass),
        2 => (0_usize..2, mood).prop_map(|(channel, mood)| Act::Mood(channel, mood)),
        2 => (0_usize..2).prop_map(Act::KilledAfterSending),
        1 => Just(Act::Restart),
        1 => Just(Act::Retry),
    ]
}

const NAMES: [&str; 2] = ["ops", "phone"];

/// By channel and event, the names of the messages that told of it.
type Heard = BTreeMap<(String, IncidentId, Timestamp), BTreeSet<String>>;

fn note_heard(heard: &mut Heard, channel: &str, job: &Job) {
    let of: Vec<(&Arc<Incident>, &Vec<Event>)> = match &job.matter {
        Matter::Incident {
            incident, events, ..
        } => vec![(incident, events)],
        Matter::Incidents(of) => of
            .iter()
            .map(|(incident, events)| (incident, events))
            .collect(),
        _ => Vec::new(),
    };
    for (incident, events) in of {
        for event in events {
            let key = (channel.to_owned(), incident.id, event.at);
            heard.entry(key).or_default().insert(job.message.clone());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever fails and whenever we are killed: in the end each channel has heard of every event of an incident that is
    /// still open, no event twice under two names, and nothing is left.
    #[test]
    fn nothing_is_lost_and_nothing_comes_twice_under_two_names(acts in prop::collection::vec(act(), 1..80)) {
        let mut post = Post::new(terms(&NAMES), "00:00:00");
        let mut told: BTreeMap<IncidentId, Vec<Timestamp>> = BTreeMap::new();
        let mut heard = Heard::new();
        let drain = |post: &mut Post, heard: &mut Heard, name: &str, killed: bool| {
            loop {
                let Lease::Send(job) = post.outbox.lease(name, post.now, None) else { break };
                let mood = if killed { Mood::Takes } else { post.moods[name] };
                if mood == Mood::Takes {
                    note_heard(heard, name, &job);
                }
                if !killed {
                    post.outbox.settle(&job.parcel, &mood.answer(job.message.clone()), post.now);
                    post.keep();
                }
            }
            post.keep();
        };
        for act in acts {
            match act {
                Act::Tell(id) => {
                    post.now += TimeDelta::milliseconds(1);
                    let events = told.entry(id).or_default();
                    let kind = if events.is_empty() { EventKind::Opened } else { EventKind::Worsened };
                    events.push(post.now);
                    post.tell(id, kind);
                }
                Act::Report => {
                    let round = samples::round("r", "03:00:00");
                    post.report(samples::report(round, &[], None, true));
                }
                Act::Pass(seconds) => {
                    post.now += TimeDelta::seconds(seconds);
                    for name in NAMES {
                        drain(&mut post, &mut heard, name, false);
                    }
                }
                Act::Mood(channel, mood) => post.mood(NAMES[channel], mood),
                Act::KilledAfterSending(channel) => {
                    drain(&mut post, &mut heard, NAMES[channel], true);
                    post.restart();
                }
                Act::Restart => post.restart(),
                Act::Retry => {
                    let _tried = post.outbox.retry(None, post.now);
                    post.keep();
                }
            }
        }
        for name in NAMES {
            post.mood(name, Mood::Takes);
        }
        // Something that goes through says that the channel is back.
        post.now += TimeDelta::milliseconds(1);
        told.entry(99).or_default().push(post.now);
        post.tell(99, EventKind::Opened);
        let round = samples::round("last", "03:00:00");
        post.report(samples::report(round, &[], None, true));
        for _ in 0..60 {
            post.now += TimeDelta::minutes(1);
            for name in NAMES {
                drain(&mut post, &mut heard, name, false);
            }
        }
        for (id, times) in &told {
            for time in times {
                for name in NAMES {
                    let names = heard.get(&(name.to_owned(), *id, *time));
                    prop_assert!(names.is_some(), "{name} never heard of #{id} at {time}");
                    prop_assert!(names.is_some_and(|names| names.len() == 1), "{name} heard of #{id} at {time} as {names:?}");
                }
            }
        }
        prop_assert!(post.kept.is_empty(), "{:?}", post.kept.keys());
        prop_assert!(post.reports.is_empty());
    }
}
