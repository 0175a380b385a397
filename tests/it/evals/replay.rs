//! From the lines of a file to the looks that a daemon would have made, and what the correlation knows by then.

use std::collections::BTreeMap;

use chrono::{TimeDelta, Timelike};
use roundsman::analysis::correlate::{Glance, Measured, Suspect, Symptoms, Usual};
use roundsman::model::{Blame, FailureKind, Status, Timestamp, Value};
use roundsman::schedule::share;

use super::incident::{Incident, Line, Says, every, value_of};

/// What a metric usually is, as a file says it.
struct Normal {
    centre: Value,
    spread: f64,
    /// How much more at 14:00 than at 02:00.
    by_day: f64,
}

/// `14 ± 4`, `20 ± 6 by day 60`, `0`, `running`.
fn normal(written: &serde_json::Value) -> Normal {
    let text = match written {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let (text, by_day) = text
        .split_once(" by day ")
        .map_or((text.as_str(), 0.0), |(text, more)| {
            (text, more.trim().parse().expect("a number"))
        });
    let (centre, spread) = text.split_once('±').unwrap_or((text, "0"));
    Normal {
        centre: value_of(centre),
        spread: spread.trim().parse().expect("a number"),
        by_day,
    }
}

impl Normal {
    fn at(&self, at: Timestamp) -> Value {
        match self.centre {
            Value::Number(centre) => {
                let hours = f64::from(at.hour()) + f64::from(at.minute()) / 60.0;
                let wave = ((hours - 14.0) / 24.0 * std::f64::consts::TAU).cos();
                Value::Number(centre + self.by_day * (wave + 1.0) / 2.0)
            }
            ref other => other.clone(),
        }
    }

    fn usual(&self, at: Timestamp) -> Usual {
        match self.at(at) {
            Value::Number(centre) => Usual::Number {
                centre,
                spread: self.spread,
            },
            other => Usual::Word(other.to_string()),
        }
    }
}

/// How a variant differs from what is written. The default does not.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Variation {
    /// Another gives other noise, other moments of looks and other looks that are missing; 0: as it is written.
    pub(super) seed: u64,
}

impl Variation {
    /// A share from 0 to 1 that hangs on that text.
    fn share(self, text: &str) -> f64 {
        share(text, self.seed)
    }

    /// By how much later than written the looks at a target are.
    fn phase(self, name: &str, every: TimeDelta) -> TimeDelta {
        if self.seed == 0 {
            return TimeDelta::zero();
        }
        let whole = every.num_milliseconds();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "a few minutes"
        )]
        let part = (self.share(&format!("phase of {name}")) * whole as f64) as i64;
        TimeDelta::milliseconds(part)
    }

    /// One look in twelve is missing.
    fn is_missing(self, name: &str, at: Timestamp) -> bool {
        self.seed != 0 && self.share(&format!("look at {name} at {at}")) < 1.0 / 12.0
    }
}

/// Replays an incident up to the time at which it is asked.
pub(super) fn replay(incident: &Incident, variation: Variation) -> (Vec<Suspect>, Timestamp) {
    let now = incident.clock(&incident.asked_at);
    let lines = incident.lines();
    let suspects = incident.targets.iter().map(|(name, watched)| {
        let mut suspect = suspect(incident, name);
        let lines: Vec<&Line> = lines.iter().filter(|line| line.target == *name).collect();
        let none = BTreeMap::new();
        let usual = incident.usual.get(name).unwrap_or(&none);
        let normals: BTreeMap<&str, Normal> = (usual.iter())
            .map(|(sign, written)| (sign.as_str(), normal(written)))
            .collect();
        let mut at = incident.starts + variation.phase(name, every(watched));
        while at <= now {
            if !variation.is_missing(name, at) {
                let seen = Seen { at, variation };
                look(&mut suspect, &lines, &normals, &seen);
            }
            at += every(watched);
        }
        suspect
    });
    let mut suspects: Vec<Suspect> = suspects.collect();
    if variation.seed != 0 {
        // The order in which targets are written says nothing.
        let place = |suspect: &Suspect| variation.share(&suspect.name);
        suspects.sort_by(|one, other| place(one).total_cmp(&place(other)));
    }
    (suspects, now)
}

/// The moment of a look.
struct Seen {
    at: Timestamp,
    variation: Variation,
}

fn suspect(incident: &Incident, name: &str) -> Suspect {
    let watched = &incident.targets[name];
    let key = |name: &String| format!("{}/{name}", incident.targets[name].kind);
    let is_machine = matches!(
        watched.kind.as_str(),
        "vps_servers" | "local_hosts" | "ec2_instances"
    );
    let home = watched.host.clone();
    let mut parents: Vec<String> = watched.depends_on.iter().map(key).collect();
    // Known ones: what is at home on a machine needs the machine.
    for (other, machine) in &incident.targets {
        let is_its = !is_machine && home.is_some() && machine.host == home;
        if is_its
            && matches!(
                machine.kind.as_str(),
                "vps_servers" | "local_hosts" | "ec2_instances"
            )
        {
            parents.push(key(other));
        }
    }
    let labels = watched
        .labels
        .iter()
        .map(|(key, value)| format!("label {key}={value}"));
    let region = watched
        .region
        .iter()
        .map(|region| format!("region {region}"));
    Suspect {
        target: key(&name.to_owned()),
        name: name.to_owned(),
        kind: watched.kind.clone(),
        home,
        is_machine,
        groups: labels.chain(region).collect(),
        parents,
        symptoms: Symptoms::default(),
    }
}

/// What holds of a target at a time.
struct Held {
    failure: Option<(FailureKind, String)>,
    is_looked_at: bool,
    values: BTreeMap<String, Value>,
}

fn held(lines: &[&Line], at: Timestamp) -> Held {
    let mut held = Held {
        failure: None,
        is_looked_at: true,
        values: BTreeMap::new(),
    };
    let mut since: BTreeMap<String, Timestamp> = BTreeMap::new();
    for line in lines {
        let has_come = line.at <= at;
        if let Says::Becomes(sign, to) = &line.says
            && !has_come
        {
            // On its way, from the line before about this metric on: before that has come, it is as usual.
            if let Some(from_at) = since.get(sign).copied()
                && let (Some(Value::Number(from)), Value::Number(to)) =
                    (held.values.get(sign).cloned(), to)
                && at > from_at
                && !since.contains_key(&format!("later {sign}"))
            {
                let share = (at - from_at).as_seconds_f64() / (line.at - from_at).as_seconds_f64();
                held.values
                    .insert(sign.clone(), Value::Number(from + (to - from) * share));
                since.insert(format!("later {sign}"), at);
            }
            continue;
        }
        if !has_come {
            continue;
        }
        held.is_looked_at = line.says != Says::NoLook;
        match &line.says {
            Says::Is(sign, value) | Says::Becomes(sign, value) => {
                held.values.insert(sign.clone(), value.clone());
                since.insert(sign.clone(), line.at);
            }
            Says::Fails(kind, message) => held.failure = Some((*kind, message.clone())),
            Says::IsUsual => {
                held.failure = None;
                held.values.clear();
            }
            Says::NoLook => {}
        }
    }
    held
}

fn look(suspect: &mut Suspect, lines: &[&Line], normals: &BTreeMap<&str, Normal>, seen: &Seen) {
    let at = seen.at;
    let held = held(lines, at);
    if !held.is_looked_at {
        return;
    }
    if let Some((kind, message)) = &held.failure {
        let blame = match kind {
            FailureKind::Denied | FailureKind::Throttled | FailureKind::Ours => Blame::Ours,
            _ => Blame::Target,
        };
        suspect.see(&Glance {
            at,
            measured: &[],
            gaps: &[],
            failure: Some((*kind, blame, message)),
        });
        return;
    }
    let signs = normals
        .keys()
        .map(|sign| (*sign).to_owned())
        .chain(held.values.keys().cloned());
    let signs: std::collections::BTreeSet<String> = signs.collect();
    let values: Vec<(String, Value, Option<Usual>)> = (signs.into_iter())
        .filter_map(|sign| {
            let normal = normals.get(sign.as_str());
            let noise = || {
                let moment = u64::try_from(at.timestamp()).unwrap_or(0);
                share(
                    &format!("{}{sign}", suspect.name),
                    moment ^ seen.variation.seed,
                ) * 2.0
                    - 1.0
            };
            let value = held.values.get(&sign).cloned().or_else(|| {
                let normal = normal?;
                Some(match normal.at(at) {
                    Value::Number(centre) => Value::Number(centre + normal.spread * noise()),
                    other => other,
                })
            })?;
            Some((sign, value, normal.map(|normal| normal.usual(at))))
        })
        .collect();
    let measured: Vec<Measured<'_>> = (values.iter())
        .map(|(sign, value, usual)| {
            let (metric, subject) = sign
                .split_once(' ')
                .map_or((sign.as_str(), None), |(metric, subject)| {
                    (metric, Some(subject))
                });
            Measured {
                metric,
                subject,
                value,
                status: status(&suspect.kind, metric, value),
                usual: usual.clone(),
            }
        })
        .collect();
    let glance = Glance {
        at,
        measured: &measured,
        gaps: &[],
        failure: None,
    };
    suspect.see(&glance);
}

/// What a value means by the limits that a kind has by default.
fn status(kind: &str, metric: &str, value: &Value) -> Status {
    if metric == "http_status"
        && let Value::Number(code) = value
    {
        // An endpoint that answers otherwise than expected is RED: the collector says so.
        return if (200.0..400.0).contains(code) {
            Status::Green
        } else {
            Status::Red
        };
    }
    super::score::judged(kind, metric, value)
}
