//! What an explanation rests on: numbered facts, in the words of what was seen.

use std::collections::BTreeSet;

use super::class::Class;
use super::picture::Suspect;
use super::rank::{Candidate, Group};
use super::symptoms::{Sign, Symptom};
use super::timing::is_as_always;
use crate::model::{Status, Timestamp, Value};

/// Nobody reads more of them.
const MOST_FACTS: usize = 12;

/// More of one target hide the others.
const MOST_OF_ONE: usize = 3;

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// `E1` and on: the cause first, then what it explains in the order in which it was seen.
    pub id: String,
    /// The target: `kind/name`.
    pub target: String,
    /// The target, as a place in the picture.
    pub suspect: usize,
    /// Which of its symptoms.
    pub symptom: usize,
    /// In one line: `disk_free_percent of db-1:/var/lib fell 31 → 2 between 09:40 and 10:05`.
    pub text: String,
}

/// The facts of a group's cause; of a group without one, what is out of the ordinary in it.
///
/// Of each target that the cause explains the most telling symptoms: one of each before the second of any, so that a target
/// with much to tell does not hide the others.
#[must_use]
pub fn facts(suspects: &[Suspect], group: &Group, now: Timestamp) -> Vec<Fact> {
    let cause = group.cause();
    let mut of_each: Vec<Vec<Place>> = match cause {
        Some(cause) => told_by(suspects, cause),
        None => (group.suspects.iter())
            .map(|&suspect| telling(suspects, suspect, None))
            .collect(),
    };
    let first = cause.map(|cause| (cause.suspect, cause.symptom));
    // By their names too: in a group of many those are told of that are the first, whatever order they are given in.
    let order = |place: &Place| {
        let suspect = suspects.get(place.0);
        let target = suspect.map(|one| one.target.as_str());
        let seen_at = symptom(suspects, *place).map(|one| one.seen_at);
        (seen_at, target, place.1)
    };
    of_each.sort_by_key(|places| places.iter().map(order).min());
    let mut places: Vec<Place> = first.into_iter().collect();
    for rank in 0..MOST_OF_ONE {
        places.extend(of_each.iter().filter_map(|places| places.get(rank)));
    }
    places.truncate(MOST_FACTS);
    let after_the_cause = usize::from(first.is_some());
    if let Some(rest) = places.get_mut(after_the_cause..) {
        rest.sort_by_key(order);
    }
    let facts = places.into_iter().enumerate();
    let facts = facts.filter_map(|(index, place)| {
        let suspect = suspects.get(place.0)?;
        Some(Fact {
            id: format!("E{}", index + 1),
            target: suspect.target.clone(),
            suspect: place.0,
            symptom: place.1,
            text: text(suspect, symptom(suspects, place)?, now),
        })
    });
    facts.collect()
}

/// The most telling symptoms of a cause's target, and of each that it explains.
fn told_by(suspects: &[Suspect], cause: &Candidate) -> Vec<Vec<Place>> {
    let effects = cause.explains.iter();
    let others = effects.filter(|effect| effect.suspect != cause.suspect);
    let others = others.map(|effect| telling(suspects, effect.suspect, Some(effect.symptom)));
    let mut own = telling(suspects, cause.suspect, None);
    own.retain(|place| place.1 != cause.symptom);
    own.truncate(MOST_OF_ONE - 1);
    std::iter::once(own).chain(others).collect()
}

/// The symptoms of a target, the most telling first: that it failed or is RED, what the cause explains best, what lasts, and
/// then what moved first. What is as always tells nothing.
fn telling(suspects: &[Suspect], suspect: usize, explained: Option<usize>) -> Vec<Place> {
    let Some(one) = suspects.get(suspect) else {
        return Vec::new();
    };
    let symptoms = one.symptoms.iter().enumerate();
    let mut symptoms: Vec<(usize, &Symptom)> = symptoms
        .filter(|(_, symptom)| !is_as_always(symptom))
        .collect();
    symptoms.sort_by_key(|(index, symptom)| {
        let is_worst = symptom.sign == Sign::Failure || symptom.status == Status::Red;
        let is_explained = explained == Some(*index);
        let is_over = symptom.over_at.is_some();
        (!is_worst, !is_explained, is_over, symptom.seen_at)
    });
    // Once is enough for what comes and goes.
    let mut signs = BTreeSet::new();
    symptoms.retain(|(_, symptom)| signs.insert(&symptom.sign));
    // What the cause is held to explain is there, even among many that are RED.
    let place = symptoms
        .iter()
        .position(|(index, _)| explained == Some(*index));
    if let Some(place) = place.filter(|place| *place >= MOST_OF_ONE) {
        let one = symptoms.remove(place);
        symptoms.insert(1, one);
    }
    symptoms.truncate(MOST_OF_ONE);
    let places = symptoms.into_iter().map(|(index, _)| (suspect, index));
    places.collect()
}

/// A symptom, by the places of its target and of itself.
type Place = (usize, usize);

fn symptom(suspects: &[Suspect], (suspect, symptom): (usize, usize)) -> Option<&Symptom> {
    suspects.get(suspect)?.symptoms.get(symptom)
}

/// `09:40`, or with its day where that is not the one of `now`.
fn clock(at: Timestamp, now: Timestamp) -> String {
    let format = if at.date_naive() == now.date_naive() {
        "%H:%M"
    } else {
        "%Y-%m-%d %H:%M"
    };
    at.format(format).to_string()
}

/// A symptom in one line, with what it was before and its times in UTC.
pub(super) fn text(suspect: &Suspect, symptom: &Symptom, now: Timestamp) -> String {
    let name = &suspect.name;
    let seen_at = clock(symptom.seen_at, now);
    let over_at = symptom.over_at.map(|at| clock(at, now));
    let (metric, subject) = match &symptom.sign {
        Sign::Failure => {
            let why = &symptom.now;
            let when = match over_at {
                Some(over_at) if over_at == seen_at => format!("at {seen_at}"),
                Some(over_at) => format!("from {seen_at} to {over_at}"),
                None => format!("since {seen_at}"),
            };
            let failed = match symptom.is_open() {
                // Our own trouble is not its.
                _ if symptom.is_ours() => "could not be measured",
                true => "fails",
                false => "failed",
            };
            return format!("{name} {failed} {when}: {why}");
        }
        Sign::Metric { name, subject } => (name, subject),
    };
    let subject = (subject.as_ref()).map_or_else(String::new, |subject| format!(":{subject}"));
    let over = over_at.map_or_else(String::new, |at| format!("; over at {at}"));
    let value = &symptom.now;
    let Some(before) = &symptom.before else {
        return match over.as_str() {
            "" => format!("{metric} of {name}{subject} is {value} since {seen_at}"),
            over => format!("{metric} of {name}{subject} was {value} at {seen_at}{over}"),
        };
    };
    let moved = match (before, value) {
        // The number of a status is a name.
        (Value::Number(_), Value::Number(_)) if symptom.class == Class::Answer => "went",
        (Value::Number(before), Value::Number(now)) if now < before => "fell",
        (Value::Number(_), Value::Number(_)) => "rose",
        _ => "went",
    };
    let now_at = clock(symptom.now_at, now);
    let when = match symptom.well_at.map(|at| clock(at, now)) {
        Some(well_at) if well_at != now_at => format!("between {well_at} and {now_at}"),
        _ => format!("at {now_at}"),
    };
    format!("{metric} of {name}{subject} {moved} {before} → {value} {when}{over}")
}

#[cfg(test)]
mod tests {
    use super::super::{Glance, Measured, Symptoms, Usual, groups};
    use super::*;
    use crate::model::{Blame, FailureKind, Status};

    fn at(clock: &str) -> Timestamp {
        format!("2026-11-21T{clock}:00Z").parse().expect("a time")
    }

    fn suspect(kind: &str, name: &str, parents: &[&str]) -> Suspect {
        Suspect {
            target: format!("{kind}/{name}"),
            name: name.to_owned(),
            kind: kind.to_owned(),
            home: Some("db-1.example.com".to_owned()).filter(|_| name != "shop"),
            is_machine: kind == "vps_servers",
            groups: Vec::new(),
            parents: parents.iter().map(|parent| (*parent).to_owned()).collect(),
            symptoms: Symptoms::default(),
        }
    }

    #[test]
    fn the_cause_comes_first_and_says_from_what_to_what() {
        let mut host = suspect("vps_servers", "db-1", &[]);
        let mut orders = suspect("databases", "orders", &["vps_servers/db-1"]);
        let mut shop = suspect("api_endpoints", "shop", &["databases/orders"]);
        let usual = Usual::Number {
            centre: 31.0,
            spread: 0.5,
        };
        for (clock, free) in [("09:40", 31.0), ("09:50", 12.0), ("10:05", 2.0)] {
            let measured = [Measured {
                metric: "disk_free_percent",
                subject: Some("/var/lib"),
                value: &Value::Number(free),
                status: if free < 10.0 {
                    Status::Red
                } else {
                    Status::Green
                },
                usual: Some(usual.clone()),
            }];
            let glance = Glance {
                at: at(clock),
                measured: &measured,
                gaps: &[],
                failure: None,
            };
            host.see(&glance);
        }
        for (suspect, clock, why) in [
            (
                &mut orders,
                "09:53",
                "the database system is in recovery mode",
            ),
            (&mut shop, "09:54", "it answered 500"),
        ] {
            let well = Glance {
                at: at("09:40"),
                measured: &[],
                gaps: &[],
                failure: None,
            };
            suspect.see(&well);
            suspect.see(&Glance {
                at: at(clock),
                failure: Some((FailureKind::Unexpected, Blame::Target, why)),
                ..well
            });
        }
        let suspects = [host, orders, shop];
        let found = groups(&suspects, at("10:06"));
        assert_eq!(found.len(), 1, "{found:#?}");
        let lines: Vec<String> = (facts(&suspects, &found[0], at("10:06")).iter())
            .map(|fact| format!("{} {}", fact.id, fact.text))
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        E1 disk_free_percent of db-1:/var/lib fell 31 → 2 between 09:40 and 10:05
        E2 orders fails since 09:53: the database system is in recovery mode
        E3 shop fails since 09:54: it answered 500
        ");
    }

    #[test]
    fn what_we_could_not_measure_did_not_fail() {
        let mut cache = suspect("redis_servers", "cache", &[]);
        cache.see(&Glance {
            at: at("09:40"),
            measured: &[],
            gaps: &[],
            failure: Some((FailureKind::Ours, Blame::Ours, "not in this build")),
        });
        let symptom = &cache.symptoms[0];
        let said = text(&cache, symptom, at("09:50"));
        assert_eq!(
            said,
            "cache could not be measured since 09:40: not in this build"
        );
        let mut symptom = symptom.clone();
        symptom.over_at = Some(at("09:45"));
        let said = text(&cache, &symptom, at("09:50"));
        assert_eq!(
            said,
            "cache could not be measured from 09:40 to 09:45: not in this build"
        );
    }
}
