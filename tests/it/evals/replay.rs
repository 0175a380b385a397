//! From the lines of a file to the looks that a daemon would have made, and what the correlation knows by then.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{TimeDelta, Timelike};
use roundsman::analysis::correlate::{Glance, Group, Measured, Suspect, Symptoms, Usual, groups};
use roundsman::model::{Blame, FailureKind, Status, Timestamp, Value};
use roundsman::schedule::share;

use super::incident::{Incident, Line, Says, every, value_of};
use super::rules::judged;

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

/// What is known of an incident when it is asked.
pub(super) struct Seen {
    pub(super) suspects: Vec<Suspect>,
    pub(super) now: Timestamp,
    pub(super) groups: Vec<Group>,
}

/// Replays an incident, whose lines these are, up to the time at which it is asked.
pub(super) fn replay(incident: &Incident, lines: &[Line], variation: Variation) -> Seen {
    let now = incident.clock(&incident.asked_at);
    let suspects = incident.targets.iter().map(|(name, watched)| {
        let mut suspect = suspect(incident, name);
        let lines: Vec<&Line> = lines.iter().filter(|line| line.target == *name).collect();
        let none = BTreeMap::new();
        let usual = incident.usual.get(name).unwrap_or(&none);
        let metrics = metrics(&suspect, &lines, usual);
        let every = every(watched);
        let mut at = incident.starts + variation.phase(name, every);
        while at <= now {
            if !variation.is_missing(name, at) {
                let moment = Moment { at, variation };
                look(&mut suspect, &lines, &metrics, &moment);
            }
            at += every;
        }
        suspect
    });
    let mut suspects: Vec<Suspect> = suspects.collect();
    if variation.seed != 0 {
        // The order in which targets are written says nothing.
        let place = |suspect: &Suspect| variation.share(&suspect.name);
        suspects.sort_by(|one, other| place(one).total_cmp(&place(other)));
    }
    Seen {
        groups: groups(&suspects, now),
        suspects,
        now,
    }
}

/// The moment of a look.
struct Moment {
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

/// A metric of a target that a file tells of.
struct Metric<'a> {
    /// With its subject, as a file writes it.
    sign: &'a str,
    name: &'a str,
    subject: Option<&'a str>,
    normal: Option<Normal>,
    /// What noise hangs on.
    noise_of: String,
}

/// All that a file tells of, in the order of their names.
fn metrics<'a>(
    suspect: &Suspect,
    lines: &[&'a Line],
    usual: &'a BTreeMap<String, serde_json::Value>,
) -> Vec<Metric<'a>> {
    let told = lines.iter().filter_map(|line| match &line.says {
        Says::Is(sign, _) | Says::Becomes(sign, _) => Some(sign.as_str()),
        _ => None,
    });
    let signs: BTreeSet<&str> = usual.keys().map(String::as_str).chain(told).collect();
    let metric = |sign: &'a str| {
        let (name, subject) = match sign.split_once(' ') {
            Some((name, subject)) => (name, Some(subject)),
            None => (sign, None),
        };
        Metric {
            sign,
            name,
            subject,
            normal: usual.get(sign).map(normal),
            noise_of: format!("{}{sign}", suspect.name),
        }
    };
    signs.into_iter().map(metric).collect()
}

/// What holds of a target at a time.
struct Held<'a> {
    failure: Option<(FailureKind, &'a str)>,
    is_looked_at: bool,
    values: BTreeMap<&'a str, Value>,
}

fn held<'a>(lines: &[&'a Line], at: Timestamp) -> Held<'a> {
    let mut held = Held {
        failure: None,
        is_looked_at: true,
        values: BTreeMap::new(),
    };
    let mut since: BTreeMap<&str, Timestamp> = BTreeMap::new();
    let mut on_its_way: BTreeSet<&str> = BTreeSet::new();
    for line in lines {
        let has_come = line.at <= at;
        if let Says::Becomes(sign, to) = &line.says
            && !has_come
        {
            // On its way, from the line before about this metric on: before that has come, it is as usual.
            if let Some(from_at) = since.get(sign.as_str()).copied()
                && let (Some(&Value::Number(from)), Value::Number(to)) =
                    (held.values.get(sign.as_str()), to)
                && at > from_at
                && on_its_way.insert(sign)
            {
                let share = (at - from_at).as_seconds_f64() / (line.at - from_at).as_seconds_f64();
                held.values
                    .insert(sign, Value::Number(from + (to - from) * share));
            }
            continue;
        }
        if !has_come {
            continue;
        }
        held.is_looked_at = line.says != Says::NoLook;
        match &line.says {
            Says::Is(sign, value) | Says::Becomes(sign, value) => {
                held.values.insert(sign, value.clone());
                since.insert(sign, line.at);
            }
            Says::Fails(kind, message) => held.failure = Some((*kind, message)),
            Says::IsUsual => {
                held.failure = None;
                held.values.clear();
            }
            Says::NoLook => {}
        }
    }
    held
}

fn look(suspect: &mut Suspect, lines: &[&Line], metrics: &[Metric<'_>], moment: &Moment) {
    let at = moment.at;
    let mut held = held(lines, at);
    if !held.is_looked_at {
        return;
    }
    if let Some((kind, message)) = held.failure {
        let blame = match kind {
            FailureKind::Denied | FailureKind::Throttled | FailureKind::Ours => Blame::Ours,
            _ => Blame::Target,
        };
        suspect.see(&Glance {
            at,
            measured: &[],
            gaps: &[],
            failure: Some((kind, blame, message)),
        });
        return;
    }
    let seed = u64::try_from(at.timestamp()).unwrap_or(0) ^ moment.variation.seed;
    let values: Vec<(&Metric<'_>, Value)> = (metrics.iter())
        .filter_map(|metric| {
            let value = held.values.remove(metric.sign).or_else(|| {
                Some(match metric.normal.as_ref()?.at(at) {
                    Value::Number(centre) => {
                        let spread = metric.normal.as_ref()?.spread;
                        let noise = share(&metric.noise_of, seed) * 2.0 - 1.0;
                        Value::Number(centre + spread * noise)
                    }
                    other => other,
                })
            })?;
            Some((metric, value))
        })
        .collect();
    let shown = values
        .iter()
        .map(|(metric, value)| (metric.name, metric.subject, value));
    let statuses = judged(&suspect.kind, shown);
    let measured: Vec<Measured<'_>> = (values.iter().zip(statuses))
        .map(|((metric, value), status)| Measured {
            metric: metric.name,
            subject: metric.subject,
            value,
            status: answered(metric.name, value).unwrap_or(status),
            usual: metric.normal.as_ref().map(|normal| normal.usual(at)),
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

/// An endpoint that answers otherwise than expected is RED: the collector says so.
fn answered(metric: &str, value: &Value) -> Option<Status> {
    match value {
        Value::Number(code) if metric == "http_status" => {
            let is_expected = (200.0..400.0).contains(code);
            Some(if is_expected {
                Status::Green
            } else {
                Status::Red
            })
        }
        _ => None,
    }
}
