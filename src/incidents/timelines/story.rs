//! What tells a story: an engine, a store that takes what it is given, and a written list of what people hear.

use chrono::{NaiveTime, TimeDelta, TimeZone, Utc};

use crate::incidents::{
    Announcement, Audience, Engine, Facts, Family, Order, Policy, Quiet, Record, Until,
};
use crate::model::{Condition, Event, EventKind, Incident, Member, Sort, Status, Timestamp};

/// `10:00`, `10:00:30` or `10:00:30.5`, of one day; `+1 10:00` of the next.
pub(in crate::incidents) fn at(text: &str) -> Timestamp {
    let (days, time) = match text.strip_prefix('+') {
        Some(rest) => rest.split_once(' ').expect("days and a time"),
        None => ("0", text),
    };
    let time = NaiveTime::parse_from_str(time, "%H:%M:%S%.f")
        .or_else(|_| NaiveTime::parse_from_str(time, "%H:%M"))
        .expect("a time");
    let day = Utc.with_ymd_and_hms(2026, 11, 21, 0, 0, 0).unwrap();
    day + TimeDelta::days(days.parse().expect("days")) + (time - NaiveTime::MIN)
}

fn clock(at: Timestamp) -> String {
    at.format("%H:%M:%S%.f").to_string()
}

pub(in crate::incidents) struct Silence {
    pub(in crate::incidents) name: &'static str,
    pub(in crate::incidents) targets: Vec<String>,
    pub(in crate::incidents) from: Timestamp,
    pub(in crate::incidents) until: Timestamp,
}

impl Quiet for Silence {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn covers(&self, target: &Facts, now: Timestamp) -> Option<Until> {
        let named = self.targets.is_empty() || self.targets.contains(&target.name);
        (named && self.from <= now && now < self.until).then_some(Some(self.until))
    }
}

pub(in crate::incidents) fn target(name: &str, parents: &[&str]) -> Facts {
    Facts {
        target: format!("t/{name}"),
        name: name.to_owned(),
        kind: "t".to_owned(),
        own_name: name.to_owned(),
        critical: true,
        parents: parents.iter().map(|parent| format!("t/{parent}")).collect(),
        groups: vec![format!("host {name}")],
        ..Facts::default()
    }
}

pub(super) fn in_rack(name: &str) -> Facts {
    Facts {
        groups: vec!["label rack=7".to_owned()],
        ..target(name, &[])
    }
}

pub(in crate::incidents) fn condition(status: Status, now: Timestamp) -> Condition {
    Condition {
        status,
        at: now,
        summary: status.word().to_lowercase(),
        problems: Vec::new(),
        more_problems: 0,
        advice: Vec::new(),
        cause: (status == Status::Unknown).then(|| "credentials have expired".to_owned()),
    }
}

pub(in crate::incidents) struct Story {
    pub(in crate::incidents) engine: Engine,
    policy: Policy,
    targets: Vec<Facts>,
    silences: fn() -> Vec<Box<dyn Quiet>>,
    /// What a store would hold.
    kept: std::collections::BTreeMap<u64, Incident>,
    marks: std::collections::BTreeMap<String, crate::incidents::Marks>,
    next_id: u64,
    pub(super) told: String,
    /// Whether no process runs.
    down: bool,
}

impl Story {
    pub(in crate::incidents) fn of(targets: Vec<Facts>) -> Self {
        Self::with(targets, Policy::default(), Vec::new)
    }

    pub(in crate::incidents) fn with(
        targets: Vec<Facts>,
        policy: Policy,
        silences: fn() -> Vec<Box<dyn Quiet>>,
    ) -> Self {
        let engine = Engine::new(policy.clone(), Family::new(targets.clone()), silences());
        Self {
            engine,
            policy,
            targets,
            silences,
            kept: std::collections::BTreeMap::new(),
            marks: std::collections::BTreeMap::new(),
            next_id: 1,
            told: String::new(),
            down: false,
        }
    }

    /// Lets time pass until then.
    pub(in crate::incidents) fn until(&mut self, now: Timestamp) {
        if self.down {
            return;
        }
        while let Some(due) = self.engine.next_due().filter(|due| *due <= now) {
            let due = due.max(self.engine.now);
            self.step(due);
            assert!(
                self.engine.next_due().is_none_or(|next| next > due),
                "it does not end: {}",
                self.told
            );
        }
        self.step(now);
    }

    pub(in crate::incidents) fn step(&mut self, now: Timestamp) -> Vec<Announcement> {
        let step = self.engine.take_step(now);
        for record in step.records {
            match record {
                Record::Incident(incident) => {
                    self.kept.insert(incident.id, (*incident).clone());
                }
                Record::Marks { target, marks } => {
                    match marks {
                        Some(marks) => self.marks.insert(target, marks),
                        None => self.marks.remove(&target),
                    };
                }
                Record::NextId(id) => self.next_id = id,
            }
        }
        for look in &step.looks {
            let name = look.target.trim_start_matches("t/");
            self.told
                .push_str(&format!("{} look at {name}\n", clock(now)));
        }
        for announcement in &step.announcements {
            self.told
                .push_str(&format!("{} {}\n", clock(now), said(announcement)));
        }
        step.announcements
    }

    /// A process that ends here, and another that goes on with what was kept.
    pub(in crate::incidents) fn restart(&mut self, now: Timestamp) -> Vec<Announcement> {
        let family = Family::new(self.targets.clone());
        self.engine = Engine::new(self.policy.clone(), family, (self.silences)());
        let kept: Vec<Incident> = self.kept.values().cloned().collect();
        let marks: Vec<_> = self.marks.clone().into_iter().collect();
        self.engine.restore(kept, marks, self.next_id);
        self.told.push_str("         (restart)\n");
        self.step(now)
    }

    /// One line: a time, then what is seen or done: `10:00 db red`, `10:05 ack db anna`, `10:06 restart`, `10:07 gone db`.
    pub(super) fn line(&mut self, line: &str) {
        let line = line.trim();
        let (when, what) = if let Some(rest) = line.strip_prefix('+') {
            let mut parts = rest.splitn(3, ' ');
            let (day, time) = (parts.next().unwrap(), parts.next().unwrap());
            (at(&format!("+{day} {time}")), parts.next().unwrap_or(""))
        } else {
            let (time, what) = line.split_once(' ').unwrap_or((line, ""));
            (at(time), what)
        };
        self.until(when);
        let words: Vec<&str> = what.split(' ').collect();
        match words.as_slice() {
            [""] | [] => {}
            ["restart"] => {
                self.restart(when);
            }
            ["down"] => self.down = true,
            ["up"] => {
                self.down = false;
                self.restart(when);
            }
            ["gone", name] => self.engine.leave(&format!("t/{name}"), when),
            ["ack", name, by] => {
                let order = Order::Acknowledge {
                    incident: (*name).to_owned(),
                    by: (*by).to_owned(),
                    why: None,
                };
                if let Err(error) = self.engine.obey(order, when) {
                    self.told.push_str(&format!("{} {error}\n", clock(when)));
                }
            }
            [names @ .., status] => {
                let status = match *status {
                    "green" => Status::Green,
                    "yellow" => Status::Yellow,
                    "red" => Status::Red,
                    "unknown" => Status::Unknown,
                    other => panic!("what is {other}?"),
                };
                for name in names {
                    let name = format!("t/{}", name.trim_end_matches(','));
                    self.engine.see(&name, condition(status, when), when);
                }
            }
        }
        self.until(when);
    }

    pub(super) fn lines(&mut self, script: &str) {
        for line in script.lines().filter(|line| !line.trim().is_empty()) {
            self.line(line);
        }
    }

    /// What is kept of a target's part of the first incident.
    pub(super) fn kept(&self, name: &str) -> &Member {
        let member = self.kept[&1].member(&format!("t/{name}"), Sort::Problem);
        member.expect("a member")
    }

    pub(super) fn tell(mut self, script: &str) -> String {
        self.lines(script);
        self.until(self.engine.now + TimeDelta::seconds(45));
        self.told
    }
}

fn said(announcement: &Announcement) -> String {
    match announcement {
        Announcement::Incident {
            incident,
            events,
            audience,
        } => {
            let audience = match audience {
                Audience::Everyone => String::new(),
                Audience::Level(level) => format!(" [level {}]", level + 1),
            };
            let state = match (incident.is_open(), incident.severity) {
                (false, _) => "over",
                (true, severity) => severity.word(),
            };
            format!("#{}{audience} {state}: {}", incident.id, listed(events))
        }
        Announcement::QuietEnded { quiets, unsaid } => {
            let unsaid: Vec<String> = (unsaid.iter())
                .map(|(incident, events)| {
                    let state = if incident.is_open() {
                        "still there"
                    } else {
                        "over"
                    };
                    format!("#{} {state}: {}", incident.id, listed(events))
                })
                .collect();
            format!("after {}: {}", quiets.join(", "), unsaid.join("; "))
        }
    }
}

fn listed(events: &[Event]) -> String {
    let events: Vec<String> = events.iter().map(one).collect();
    events.join(", ")
}

fn one(event: &Event) -> String {
    let kind = match event.kind {
        EventKind::Opened => "opened",
        EventKind::Worsened => "worsened",
        EventKind::Improved => "improved",
        EventKind::Remained => "remained",
        EventKind::FlappingStarted => "flaps",
        EventKind::FlappingEnded => "flaps no more",
        EventKind::Resolved => "resolved",
        EventKind::Removed => "removed",
        EventKind::Merged => "merged",
        EventKind::Acknowledged => "acknowledged",
        // Its text says which.
        EventKind::Reminded => "",
        EventKind::Escalated => "escalated",
        EventKind::Explained => "explained",
        EventKind::Worded => "worded",
    };
    let quiet = if event.rings { "" } else { "(" };
    let end = if event.rings { "" } else { ")" };
    let status = match event.status {
        Some(status) if status != Status::Green && !event.name.is_empty() => {
            format!(" {}", status.word())
        }
        _ => String::new(),
    };
    let text = match &event.text {
        Some(text) if kind.is_empty() => text.clone(),
        Some(text) if event.name.is_empty() => format!(" {text}"),
        _ => String::new(),
    };
    format!(
        "{quiet}{}{kind}{status}{text}{end}",
        match event.name.as_str() {
            "" => String::new(),
            name => format!("{name} "),
        }
    )
}
