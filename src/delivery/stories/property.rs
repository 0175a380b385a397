//! Whatever fails and whenever we are killed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;

/// What may happen.
#[derive(Debug, Clone)]
enum Act {
    Tell(IncidentId),
    /// Something that rings nowhere.
    Whisper(IncidentId),
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
        4 => (0_u64..12).prop_map(Act::Whisper),
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
            while let Lease::Send(job) = post.outbox.lease(name, post.now, None) {
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
                // Nobody is told first of what nobody must hear.
                Act::Whisper(id) => {
                    if let Some(events) = told.get_mut(&id) {
                        post.now += TimeDelta::milliseconds(1);
                        events.push(post.now);
                        post.whisper(id, EventKind::Worded);
                    }
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
