//! Stories: what is to be told, what channels do, and what arrives. Time is an argument.

mod loudness;
mod property;
mod told;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

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
        Matter::Uptime { .. } => "uptime".to_owned(),
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
        self.outbox.restore(&mut kept, self.now);
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

    /// What only brings a message up to date.
    fn whisper(&mut self, id: IncidentId, kind: EventKind) {
        let quiet = Event {
            rings: false,
            ..event(kind, self.now)
        };
        let announcement = Announcement::Incident {
            incident: incident(id, Severity::Critical, false, self.now),
            events: vec![quiet],
            audience: Audience::Everyone,
        };
        self.outbox.tell(announcement, self.now);
        self.keep();
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
