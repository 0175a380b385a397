//! What an explanation rests on: numbered facts, in the words of what was seen.

use super::picture::Suspect;
use super::rank::Group;
use super::symptoms::{Sign, Symptom};
use crate::model::{Timestamp, Value};

/// Nobody reads more of them.
const MOST_FACTS: usize = 12;

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
#[must_use]
pub fn facts(suspects: &[Suspect], group: &Group) -> Vec<Fact> {
    let mut places: Vec<(usize, usize)> = Vec::new();
    if let Some(cause) = group.cause() {
        let effects = cause.explains.iter();
        places.extend(effects.map(|effect| (effect.suspect, effect.symptom)));
        places.retain(|place| *place != (cause.suspect, cause.symptom));
        places.sort_by_key(|place| symptom(suspects, *place).map(|one| one.seen_at));
        places.insert(0, (cause.suspect, cause.symptom));
    } else {
        for &suspect in &group.suspects {
            let count = suspects.get(suspect).map_or(0, |one| one.symptoms.len());
            places.extend((0..count).map(|index| (suspect, index)));
        }
        places.sort_by_key(|place| symptom(suspects, *place).map(|one| one.seen_at));
    }
    let facts = places.into_iter().take(MOST_FACTS).enumerate();
    let facts = facts.filter_map(|(index, place)| {
        let suspect = suspects.get(place.0)?;
        Some(Fact {
            id: format!("E{}", index + 1),
            target: suspect.target.clone(),
            suspect: place.0,
            symptom: place.1,
            text: text(suspect, symptom(suspects, place)?),
        })
    });
    facts.collect()
}

fn symptom(suspects: &[Suspect], (suspect, symptom): (usize, usize)) -> Option<&Symptom> {
    suspects.get(suspect)?.symptoms.get(symptom)
}

fn clock(at: Timestamp) -> String {
    at.format("%H:%M").to_string()
}

pub(super) fn text(suspect: &Suspect, symptom: &Symptom) -> String {
    let what = match &symptom.sign {
        Sign::Failure => format!("{} failed: {}", suspect.name, symptom.now),
        Sign::Metric { name, subject } => {
            let subject = subject
                .as_ref()
                .map_or_else(String::new, |subject| format!(":{subject}"));
            let moved = match (&symptom.before, &symptom.now) {
                (Some(Value::Number(before)), Value::Number(now)) if now < before => "fell",
                (Some(Value::Number(_)), Value::Number(_)) => "rose",
                _ => "went",
            };
            let before = symptom
                .before
                .as_ref()
                .map_or_else(String::new, |before| format!("{before} → "));
            format!(
                "{name} of {}{subject} {moved} {before}{}",
                suspect.name, symptom.now
            )
        }
    };
    let when = match symptom.well_at {
        Some(well_at) if clock(well_at) != clock(symptom.last_at) => {
            format!("between {} and {}", clock(well_at), clock(symptom.last_at))
        }
        _ => format!("at {}", clock(symptom.seen_at)),
    };
    match symptom.over_at {
        Some(over_at) => format!("{what} {when}; over at {}", clock(over_at)),
        None => format!("{what} {when}"),
    }
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
        let lines: Vec<String> = (facts(&suspects, &found[0]).iter())
            .map(|fact| format!("{} {}", fact.id, fact.text))
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        E1 disk_free_percent of db-1:/var/lib fell 31 → 2 between 09:40 and 10:05
        E2 orders failed: the database system is in recovery mode between 09:40 and 09:53
        E3 shop failed: it answered 500 between 09:40 and 09:54
        ");
    }
}
