//! What holds whatever happens, in whatever order: looks, time, silences, acknowledgements, restarts, and targets that go.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;
use proptest::prelude::*;

use super::engine::Place;
use super::timelines::{Silence, Story, at, condition, target};
use super::{Announcement, Facts, Level, Order, Policy, Quiet};
use crate::model::{EventKind, Sort, Status, Timestamp};

const NAMES: [&str; 6] = ["host", "db", "app", "web", "dns", "mail"];

fn targets() -> Vec<Facts> {
    let shared = |name| Facts {
        groups: vec!["label rack=7".to_owned()],
        ..target(name, &[])
    };
    vec![
        target("host", &[]),
        target("db", &["host"]),
        target("app", &["db", "dns"]),
        shared("web"),
        shared("mail"),
        Facts {
            instant: true,
            ..target("dns", &[])
        },
    ]
}

/// Two silences that overlap, one for two targets and one for all.
fn silences() -> Vec<Box<dyn Quiet>> {
    let silence = |name, targets: &[&str], from, until| {
        Box::new(Silence {
            name,
            targets: targets.iter().map(|&target| target.to_owned()).collect(),
            from: at(from),
            until: at(until),
        })
    };
    vec![
        silence("some", &["db", "web"], "10:10", "11:00"),
        silence("all", &[], "10:50", "11:30"),
    ]
}

fn is_silenced(name: &str, now: Timestamp) -> bool {
    let facts = target(name, &[]);
    silences()
        .iter()
        .any(|silence| silence.covers(&facts, now).is_some())
}

#[derive(Debug, Clone)]
enum Happens {
    Look(usize, Status),
    Acknowledged(usize),
    Restart,
    Nothing,
}

fn happens() -> impl Strategy<Value = (u32, Happens)> {
    let status = prop_oneof![
        3 => Just(Status::Green),
        1 => Just(Status::Unknown),
        2 => Just(Status::Yellow),
        4 => Just(Status::Red),
    ];
    let what = prop_oneof![
        20 => (0..NAMES.len(), status).prop_map(|(index, status)| Happens::Look(index, status)),
        1 => (0..NAMES.len()).prop_map(Happens::Acknowledged),
        1 => Just(Happens::Restart),
        1 => Just(Happens::Nothing),
    ];
    (prop_oneof![8 => 0..40_u32, 1 => 0..900_u32], what)
}

/// Follows what people hear.
#[derive(Default)]
struct Listener {
    /// Whether people believe that a numbered incident is still there.
    open: HashMap<u64, bool>,
    /// The ends that rang, be it in a summary.
    ended: HashSet<u64>,
}

impl Listener {
    fn hear(&mut self, announcements: &[Announcement], now: Timestamp) {
        for announcement in announcements {
            match announcement {
                Announcement::Incident {
                    incident, events, ..
                } => {
                    for event in events.iter().filter(|event| event.rings) {
                        let silenced = !event.name.is_empty() && is_silenced(&event.name, now);
                        assert!(!silenced, "{event:?} inside a silence at {now}");
                        let for_all_silenced = event.name.is_empty()
                            && (incident.members.iter())
                                .all(|member| is_silenced(&member.name, now));
                        assert!(!for_all_silenced, "{event:?} inside a silence at {now}");
                    }
                    let rings = events.iter().any(|event| event.rings);
                    let known = self.open.get(&incident.id).copied();
                    assert!(rings || known.is_some(), "nobody had heard of {incident:?}");
                    self.open.insert(incident.id, incident.is_open());
                    // That it is part of another need not ring.
                    if !incident.is_open() && (rings || incident.merged_into.is_some()) {
                        self.ended.insert(incident.id);
                    }
                }
                Announcement::QuietEnded { unsaid, .. } => {
                    for (incident, events) in unsaid {
                        assert!(!events.is_empty());
                        for event in events {
                            assert!(!is_silenced(&event.name, now), "{event:?} at {now}");
                        }
                        self.open.insert(incident.id, incident.is_open());
                        if !incident.is_open() {
                            self.ended.insert(incident.id);
                        }
                    }
                }
            }
        }
    }
}

/// Lets time pass, and hears what is said.
fn until(story: &mut Story, listener: &mut Listener, now: Timestamp) {
    while let Some(due) = story.engine.next_due().filter(|due| *due <= now) {
        let due = due.max(story.engine.now);
        let said = story.step(due);
        listener.hear(&said, due);
        assert!(story.engine.next_due().is_none_or(|next| next > due));
    }
    let said = story.step(now);
    listener.hear(&said, now);
}

/// Follows what became part of another incident, so that it is over elsewhere.
#[derive(Default)]
struct Moves {
    places: HashMap<Place, u64>,
    /// From which incident whose problem moved.
    from: HashSet<(u64, String)>,
}

impl Moves {
    fn follow(&mut self, story: &Story) {
        for (place, id) in &story.engine.places {
            let name = place.0.trim_start_matches("t/");
            match self.places.get(place) {
                Some(before) if before != id => {
                    self.from.insert((*before, name.to_owned()));
                }
                _ => {}
            }
        }
        self.places.clone_from(&story.engine.places);
    }
}

/// Each target has at most one open problem of each sort, and the index knows where.
fn check(story: &Story, moves: &mut Moves) {
    moves.follow(story);
    let mut seen = HashSet::new();
    for incident in story.engine.live.values() {
        if incident.is_open() {
            assert!(
                incident.members.iter().any(crate::model::Member::is_open),
                "open without a member: {incident:?}"
            );
        }
        let own = |member: &&crate::model::Member| {
            // One that was merged is shown with its last member, which lives on elsewhere.
            member.is_open() && incident.merged_into.is_none()
        };
        for member in incident.members.iter().filter(own) {
            let place = (member.target.clone(), member.sort);
            assert!(seen.insert(place.clone()), "{place:?} is open twice");
            assert_eq!(story.engine.places.get(&place), Some(&incident.id));
            assert!(incident.is_open());
            assert_ne!(member.status, Status::Green);
            let is_unmeasured = member.status == Status::Unknown;
            assert_eq!(is_unmeasured, member.sort == Sort::Unmeasured, "{member:?}");
            if let Some(parent) = &member.under {
                let parent = incident.member(parent, Sort::Problem);
                assert!(
                    parent.is_some(),
                    "explained by somebody elsewhere: {member:?}"
                );
            }
        }
        let mut open: HashMap<&str, i32> = HashMap::new();
        if incident.events.len() < 50 && incident.merged_into.is_none() {
            for event in &incident.events {
                let count = open.entry(&event.name).or_default();
                match event.kind {
                    EventKind::Opened => *count += 1,
                    EventKind::Resolved | EventKind::Removed => *count -= 1,
                    _ => {}
                }
                let elsewhere = moves.from.contains(&(incident.id, event.name.clone()));
                assert!(*count <= 2 || elsewhere, "opened twice: {incident:?}");
            }
        }
    }
    assert_eq!(seen.len(), story.engine.places.len());
}

/// All problems that are not over, and where they are told.
fn open(story: &Story) -> Vec<(u64, String, Sort, Status)> {
    let members = story.engine.open().flat_map(|incident| {
        let open = incident.members.iter().filter(|member| member.is_open());
        open.map(|member| {
            (
                incident.id,
                member.target.clone(),
                member.sort,
                member.status,
            )
        })
    });
    members.collect()
}

proptest! {
    #[test]
    fn whatever_happens(events in proptest::collection::vec(happens(), 1..160)) {
        let policy = Policy {
            escalation: vec![Level { after: TimeDelta::minutes(15), reporters: Vec::new(), severities: None }],
            ..Policy::default()
        };
        let mut story = Story::with(targets(), policy, silences);
        let mut listener = Listener::default();
        let mut moves = Moves::default();
        let mut now = at("10:00");
        for (seconds, what) in events {
            now += TimeDelta::seconds(i64::from(seconds));
            until(&mut story, &mut listener, now);
            match what {
                Happens::Look(index, status) => {
                    let target = format!("t/{}", NAMES[index]);
                    story.engine.see(&target, condition(status, now), now);
                }
                Happens::Acknowledged(index) => {
                    let order = Order::Acknowledge {
                        incident: NAMES[index].to_owned(),
                        by: "anna".to_owned(),
                        why: None,
                    };
                    // There may be nothing to take note of.
                    story.engine.obey(order, now).ok();
                }
                Happens::Restart => {
                    let said = story.step(now);
                    listener.hear(&said, now);
                    let before = open(&story);
                    let said = story.restart(now);
                    listener.hear(&said, now);
                    prop_assert_eq!(before, open(&story), "forgotten by a restart");
                }
                Happens::Nothing => {}
            }
            until(&mut story, &mut listener, now);
            check(&story, &mut moves);
        }
        // All silences end; what is still bad has been heard of.
        now = now.max(at("11:30")) + TimeDelta::minutes(10);
        until(&mut story, &mut listener, now);
        check(&story, &mut moves);
        for incident in story.engine.open() {
            prop_assert_eq!(listener.open.get(&incident.id), Some(&true), "not heard of: {:?}", incident);
        }
        // All is well for long: nobody believes that anything is still there.
        for _ in 0..40 {
            now += TimeDelta::minutes(1);
            for name in NAMES {
                story.engine.see(&format!("t/{name}"), condition(Status::Green, now), now);
            }
            until(&mut story, &mut listener, now);
        }
        now += TimeDelta::minutes(10);
        until(&mut story, &mut listener, now);
        check(&story, &mut moves);
        prop_assert!(story.engine.live.is_empty(), "{:?}", story.engine.live);
        prop_assert!(story.engine.marks.is_empty());
        for (id, open) in &listener.open {
            prop_assert!(!open, "nobody heard of the end of #{id}");
            prop_assert!(listener.ended.contains(id), "the end of #{id} rang nobody");
        }
    }
}
