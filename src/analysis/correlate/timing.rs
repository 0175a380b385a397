//! How much a symptom counts, and what its times allow: looks are apart, so that each began between a look that was well and the
//! one that was not.

use chrono::TimeDelta;

use super::class::Class;
use super::picture::Suspect;
use super::symptoms::{Sign, Symptom};
use crate::model::{Status, Timestamp, Value};

/// Effects that follow later than this are less and less likely to be effects.
const SOON: TimeDelta = TimeDelta::minutes(45);

/// Figures of a cause may follow its effects by so much.
const LAG: TimeDelta = TimeDelta::minutes(2);

/// A figure of CloudWatch is the average over five minutes that have ended, and arrives minutes after that; a check of an
/// instance must fail more than once before it is told of.
const CLOUD_FIGURES_LATE: TimeDelta = TimeDelta::minutes(10);

/// What was never seen well is taken to have begun so long before it was seen.
const BEFORE_THE_FIRST_LOOK: TimeDelta = TimeDelta::minutes(15);

/// How long name servers and their clients remember names that nobody answers for any more.
const NAMES_REMEMBERED: TimeDelta = TimeDelta::minutes(30);

/// A warning is as always up to so many spreads from what is usual.
const AS_ALWAYS: f64 = 3.0;

/// A symptom, with what of it is asked for again and again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment<'a> {
    pub(super) symptom: &'a Symptom,
    /// It did not begin before.
    pub(super) earliest: Timestamp,
    /// How far out of the ordinary it is, or was.
    pub(super) strength: f64,
    /// How much it counts now: less when it is over.
    pub(super) weight: f64,
    /// Whether it is what it usually is, though its limit warns: it was so yesterday, when all was well. It has nothing to do
    /// with what is new.
    pub(super) is_as_always: bool,
}

impl<'a> Moment<'a> {
    pub(super) fn new(suspect: &Suspect, symptom: &'a Symptom, now: Timestamp) -> Self {
        let is_late = suspect.kind == "ec2_instances"
            && matches!(&symptom.sign, Sign::Metric { name, .. } if name != "state");
        let late = if is_late {
            CLOUD_FIGURES_LATE
        } else {
            TimeDelta::zero()
        };
        let well_at = symptom.well_at;
        let strength = strength(symptom);
        Self {
            symptom,
            earliest: well_at.unwrap_or(symptom.seen_at - BEFORE_THE_FIRST_LOOK) - late,
            strength,
            weight: strength * lasting(symptom, now),
            is_as_always: is_as_always(symptom),
        }
    }
}

fn strength(symptom: &Symptom) -> f64 {
    let by_status: f64 = match symptom.status {
        Status::Red => 1.0,
        Status::Yellow if is_as_always(symptom) => 0.2,
        Status::Yellow => 0.8,
        Status::Unknown => 0.7,
        Status::Green => 0.0,
    };
    let by_distance = symptom
        .distance
        .filter(|_| !is_as_always(symptom))
        .map_or(0.0, |distance| (distance.abs() / 15.0).clamp(0.3, 0.7));
    let by_class = match symptom.class {
        Class::Change => 0.6,
        Class::Other => 0.5,
        _ => 1.0,
    };
    by_status.max(by_distance) * by_class
}

fn lasting(symptom: &Symptom, now: Timestamp) -> f64 {
    match symptom.over_at {
        None => 1.0,
        Some(over_at) if now - over_at < TimeDelta::minutes(5) => 0.8,
        Some(_) => 0.5,
    }
}

/// Whether the figure is what it usually is, though its limit warns: it was so yesterday, when all was well. What is RED is no
/// mere warning.
pub(super) fn is_as_always(symptom: &Symptom) -> bool {
    let distance = symptom.distance;
    let is_usual = distance.is_some_and(|distance| distance.abs() < AS_ALWAYS);
    symptom.status == Status::Yellow && is_usual
}

/// Whether a cause can have begun before its effect, as far as looks tell: each began between a look that was well and the
/// one that was not.
pub(super) fn in_time(one: &Moment<'_>, other: &Moment<'_>) -> f64 {
    let (cause, effect) = (one.symptom, other.symptom);
    let latest_effect = effect.seen_at;
    if one.earliest >= latest_effect {
        // What fails is often seen to fail before its figures say so.
        let late = one.earliest - latest_effect;
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
    if after <= SOON || is_running_out(cause) {
        return 1.0;
    }
    let over = (after - SOON).as_seconds_f64() / SOON.as_seconds_f64();
    (1.0 - 0.5 * over).clamp(0.2, 1.0)
}

/// What runs out does harm when there is none left, and what piles up when it is too much, however long before that it was
/// seen to begin.
fn is_running_out(cause: &Symptom) -> bool {
    let is_of_it = matches!(
        cause.class,
        Class::Disk
            | Class::Memory
            | Class::Connections
            | Class::Limits
            | Class::Locks
            | Class::Replication
    );
    // Quotas and credits have no limit of ours, but an end.
    let is_used_up =
        cause.class == Class::Limits && matches!(cause.now, Value::Number(left) if left <= 0.0);
    is_of_it && (cause.status == Status::Red || is_used_up) && cause.over_at.is_none()
}

/// Whether two began together.
pub(super) fn together(one: &Moment<'_>, other: &Moment<'_>) -> f64 {
    let is_over_before = |one: &Symptom, other: &Symptom| {
        (one.over_at).is_some_and(|over_at| other.well_at.is_some_and(|well_at| over_at <= well_at))
    };
    if is_over_before(one.symptom, other.symptom) || is_over_before(other.symptom, one.symptom) {
        return 0.5;
    }
    let apart = (one.symptom.seen_at - other.symptom.seen_at).abs();
    let overlap = one.earliest < other.symptom.seen_at && other.earliest < one.symptom.seen_at;
    match apart {
        _ if overlap => 1.0,
        apart if apart <= TimeDelta::minutes(5) => 0.9,
        apart if apart <= TimeDelta::minutes(15) => 0.5,
        _ => 0.0,
    }
}

/// Whether two names can have ceased to be answered for together: each was remembered for a while, here and there.
pub(super) fn forgotten_together(one: &Moment<'_>, other: &Moment<'_>) -> f64 {
    let apart = (one.symptom.seen_at - other.symptom.seen_at).abs();
    if apart <= NAMES_REMEMBERED {
        0.9
    } else {
        together(one, other)
    }
}
