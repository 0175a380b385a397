//! What must hold of every picture.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::stories::symptoms as symptoms_of;
use super::{Class, Sign, Suspect, Symptom, facts, groups};
use crate::model::{Status, Timestamp, Value};

const CLASSES: [Class; 12] = [
    Class::Disk,
    Class::Memory,
    Class::Cpu,
    Class::Service,
    Class::Change,
    Class::Certificate,
    Class::Name,
    Class::Gone,
    Class::Answer,
    Class::Slow,
    Class::Connections,
    Class::Access,
];

const STATUSES: [Status; 4] = [Status::Green, Status::Unknown, Status::Yellow, Status::Red];

/// More than are tried one by one, in a component and in a set.
const MOST: usize = 90;

fn began() -> Timestamp {
    "2026-11-21T09:00:00Z".parse().expect("a time")
}

fn now() -> Timestamp {
    began() + TimeDelta::minutes(70)
}

fn symptom() -> impl Strategy<Value = Symptom> {
    let times = (
        0..60_i64,
        prop::option::of(1..10_i64),
        prop::option::of(1..30_i64),
    );
    let what = (
        prop::sample::select(&CLASSES[..]),
        prop::sample::select(&STATUSES[..]),
        prop::option::of(0..MOST),
    );
    (what, times).prop_map(|((class, status, subject), (seen, well, over))| {
        let seen_at = began() + TimeDelta::minutes(seen);
        let metric = Sign::Metric {
            name: format!("{class:?}"),
            subject: subject.map(|number| format!("name-{number}")),
        };
        let is_failure = matches!(class, Class::Gone | Class::Certificate | Class::Access);
        Symptom {
            sign: if is_failure { Sign::Failure } else { metric },
            class,
            status,
            well_at: well.map(|well| seen_at - TimeDelta::minutes(well)),
            seen_at,
            last_at: seen_at,
            over_at: over.map(|over| seen_at + TimeDelta::minutes(over)),
            before: None,
            now: Value::Number(1.0),
            now_at: seen_at,
            distance: Some(9.0),
        }
    })
}

/// Targets that have a few machines, labels and dependencies among them; that of a number is called after it.
fn suspect(number: usize) -> impl Strategy<Value = Suspect> {
    (
        prop::option::of(0..12_u8),
        any::<bool>(),
        prop::collection::vec(0..3_u8, 0..2),
        prop::collection::vec(0..MOST, 0..3),
        prop::collection::vec(symptom(), 0..3),
    )
        .prop_map(
            move |(home, is_machine, groups, parents, symptoms)| Suspect {
                target: format!("api_endpoints/name-{number}"),
                name: format!("name-{number}"),
                kind: "api_endpoints".to_owned(),
                home: home.map(|home| format!("host-{home}.example.com")),
                is_machine,
                groups: groups
                    .iter()
                    .map(|group| format!("label {group}"))
                    .collect(),
                parents: (parents.iter())
                    .map(|parent| format!("api_endpoints/name-{parent}"))
                    .collect(),
                symptoms: symptoms_of(&symptoms),
            },
        )
}

fn suspects() -> impl Strategy<Value = Vec<Suspect>> {
    (1..MOST).prop_flat_map(|count| (0..count).map(suspect).collect::<Vec<_>>())
}

/// What is found, with names in place of numbers.
fn answer(suspects: &[Suspect]) -> Vec<String> {
    let name = |place: usize| suspects[place].name.as_str();
    let found = groups(suspects, now());
    let found = found.iter().map(|group| {
        let mut members: Vec<&str> = group.suspects.iter().map(|place| name(*place)).collect();
        members.sort_unstable();
        let candidates = group.candidates.iter().map(|one| {
            let explains: Vec<String> = (one.explains.iter())
                .map(|effect| {
                    let (likely, in_time) = (effect.likely, effect.in_time);
                    let (target, symptom) = (name(effect.suspect), effect.symptom);
                    format!(
                        "{target} {symptom} {likely} {in_time} {:?}",
                        effect.relation
                    )
                })
                .collect();
            let by = one
                .explained_by
                .map(|by| (name(by.suspect), by.symptom, by.factor));
            let (target, symptom) = (name(one.suspect), one.symptom);
            format!(
                "{target} {symptom} {} {} {} {by:?} {explains:?}",
                one.score, one.share, one.strength
            )
        });
        let candidates: Vec<String> = candidates.collect();
        let facts: Vec<String> = (facts(suspects, group, now()).into_iter())
            .map(|fact| format!("{} {}", fact.id, fact.text))
            .collect();
        format!("{members:?} {candidates:?} {facts:?}")
    });
    found.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_order_of_the_suspects_does_not_change_the_answer(
        (given, shuffled) in suspects().prop_flat_map(|given| {
            let shuffled = Just(given.clone()).prop_shuffle();
            (Just(given), shuffled)
        }),
    ) {
        prop_assert_eq!(answer(&given), answer(&shuffled));
    }

    #[test]
    fn each_that_is_ill_is_in_one_group_and_all_numbers_are_shares(given in suspects()) {
        let found = groups(&given, now());
        let mut told: Vec<usize> = found.iter().flat_map(|group| group.suspects.clone()).collect();
        told.sort_unstable();
        let ill = (0..given.len()).filter(|place| !given[*place].symptoms.is_empty());
        prop_assert_eq!(told, ill.collect::<Vec<_>>());
        for group in &found {
            for one in &group.candidates {
                let factor = one.explained_by.map_or(1.0, |by| by.factor);
                let score = one.share * (0.5 + 0.5 * one.strength) * factor;
                prop_assert!((score - one.score).abs() < 1e-9, "{:?}", one);
                for number in [one.score, one.share, one.strength, factor] {
                    prop_assert!((0.0..=1.0).contains(&number), "{:?}", one);
                }
                prop_assert!(one.explains.iter().all(|effect| group.suspects.contains(&effect.suspect)));
            }
            prop_assert!(facts(&given, group, now()).len() <= 12);
        }
    }
}
