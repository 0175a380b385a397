//! How much a symptom counts, and what its times allow: looks are apart, so that each began between a look that was well and the
//! one that was not.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::class::Class;
use super::picture::Suspect;
use super::symptoms::Symptom;
use crate::model::{Status, Timestamp};

/// Effects that follow later than this are less and less likely to be effects.
const SOON: TimeDelta = TimeDelta::minutes(45);

/// So many hosts that fall silent together, and have nothing else in common, have our own line in common.
const SILENT_HOSTS: usize = 3;

/// Figures of a cause may follow its effects by so much.
const LAG: TimeDelta = TimeDelta::minutes(2);

/// Those whose hosts fell silent, or became hard to reach, at about the same time as those of others.
pub(super) fn silent_together(suspects: &[Suspect], affected: &[usize]) -> BTreeSet<usize> {
    let silent: Vec<(usize, &Symptom)> = (affected.iter())
        .filter_map(|place| {
            let symptoms = &suspects.get(*place)?.symptoms;
            let hard = |one: &&Symptom| {
                matches!(
                    one.class,
                    Class::Gone | Class::Name | Class::Reach | Class::Monitor
                )
            };
            Some((*place, symptoms.iter().find(hard)?))
        })
        .collect();
    let mut found = BTreeSet::new();
    for (place, symptom) in &silent {
        let near = silent
            .iter()
            .filter(|(_, other)| together(symptom, other) >= 0.9);
        let homes: BTreeSet<Option<&String>> = near
            .filter_map(|(other, _)| suspects.get(*other))
            .map(|suspect| suspect.home.as_ref())
            .collect();
        if homes.len() >= SILENT_HOSTS {
            found.insert(*place);
        }
    }
    found
}

/// How much a symptom counts.
pub(super) fn strength(symptom: &Symptom, now: Timestamp) -> f64 {
    let by_status: f64 = match symptom.status {
        Status::Red => 1.0,
        Status::Yellow => 0.8,
        Status::Unknown => 0.7,
        Status::Green => 0.0,
    };
    let by_distance = symptom
        .distance
        .map_or(0.0, |distance| (distance.abs() / 20.0).clamp(0.3, 0.7));
    let by_class = match symptom.class {
        Class::Change => 0.6,
        Class::Other => 0.5,
        _ => 1.0,
    };
    let lasting = match symptom.over_at {
        None => 1.0,
        Some(over_at) if now - over_at < TimeDelta::minutes(5) => 0.8,
        Some(_) => 0.5,
    };
    by_status.max(by_distance) * by_class * lasting
}

/// Whether a cause can have begun before its effect, as far as looks tell: each began between a look that was well and the
/// one that was not.
pub(super) fn in_time(cause: &Symptom, effect: &Symptom) -> f64 {
    let latest_effect = effect.seen_at;
    let earliest_cause = cause
        .well_at
        .unwrap_or(cause.seen_at - TimeDelta::minutes(15));
    if earliest_cause >= latest_effect {
        // What fails is often seen to fail before its figures say so.
        let late = earliest_cause - latest_effect;
        return if late <= LAG { 0.6 } else { 0.0 };
    }
    // It was over long before.
    if cause.over_at.is_some_and(|over| {
        effect
            .well_at
            .is_some_and(|well| well - over > TimeDelta::minutes(10))
    }) {
        return 0.1;
    }
    // It lasts, and what it is to have caused does not.
    let is_back =
        |over: Timestamp| cause.over_at.is_none() && over - effect.seen_at < TimeDelta::minutes(5);
    if effect.over_at.is_some_and(is_back) {
        return 0.3;
    }
    let after = effect.seen_at - cause.seen_at;
    if after < TimeDelta::zero() {
        return 0.8;
    }
    if after <= SOON {
        return 1.0;
    }
    let over = (after - SOON).as_seconds_f64() / SOON.as_seconds_f64();
    (1.0 - 0.5 * over).clamp(0.2, 1.0)
}

/// Whether two began together.
pub(super) fn together(one: &Symptom, other: &Symptom) -> f64 {
    let apart = (one.seen_at - other.seen_at).abs();
    let earliest = |symptom: &Symptom| {
        symptom
            .well_at
            .unwrap_or(symptom.seen_at - TimeDelta::minutes(15))
    };
    let overlap = earliest(one) < other.seen_at && earliest(other) < one.seen_at;
    match apart {
        _ if overlap => 1.0,
        apart if apart <= TimeDelta::minutes(5) => 0.9,
        apart if apart <= TimeDelta::minutes(15) => 0.5,
        _ => 0.0,
    }
}
