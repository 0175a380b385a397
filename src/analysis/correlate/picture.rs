//! What is out of the ordinary, as the correlation sees it.

use chrono::TimeDelta;

use super::class::{Class, class_of};
use crate::model::{Blame, FailureKind, Status, Timestamp, Value};

/// A target, and what it may have to do with others.
#[derive(Debug, Clone, PartialEq)]
pub struct Suspect {
    /// `kind/name`.
    pub target: String,
    /// Its name as people see it.
    pub name: String,
    /// The YAML key of its kind.
    pub kind: String,
    /// The machine that it is or runs on, where that is known.
    pub home: Option<String>,
    /// Whether it is that machine.
    pub is_machine: bool,
    /// What it shares with others that may fail as one: `region eu-central-1`, `label rack=7`, `account prod`.
    pub groups: Vec<String>,
    /// The targets without which it cannot be well: `kind/name`.
    pub parents: Vec<String>,
    /// What is or was lately out of the ordinary, in the order in which it was seen.
    pub symptoms: Vec<Symptom>,
    /// When it was looked at last.
    pub looked_at: Option<Timestamp>,
}

/// What is out of the ordinary.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sign {
    /// A look failed.
    Failure,
    /// A measurement.
    Metric {
        /// The metric's name.
        name: String,
        /// What of the target it is about, such as a mount point.
        subject: Option<String>,
    },
}

/// One thing that is out of the ordinary, from when to when.
#[derive(Debug, Clone, PartialEq)]
pub struct Symptom {
    /// What.
    pub sign: Sign,
    /// What sort of trouble that is.
    pub class: Class,
    /// The worst that it meant.
    pub status: Status,
    /// The last look at which all was well; `None`: it was never seen well.
    pub well_at: Option<Timestamp>,
    /// The first at which it was not.
    pub seen_at: Timestamp,
    /// The newest at which it was not.
    pub last_at: Timestamp,
    /// The first at which it was well again.
    pub over_at: Option<Timestamp>,
    /// What it was before, where that is known.
    pub before: Option<Value>,
    /// The value that was farthest off, or what the failure said.
    pub now: Value,
    /// How far off that is from what is usual, in spreads; `None`: nothing is known of what is usual.
    pub distance: Option<f64>,
}

/// A look, as far as the correlation needs it.
#[derive(Debug, Clone, Copy)]
pub struct Glance<'a> {
    /// When.
    pub at: Timestamp,
    /// What was measured, and what each meant.
    pub measured: &'a [Measured<'a>],
    /// Why it failed; `None`: it did not.
    pub failure: Option<(FailureKind, Blame, &'a str)>,
}

/// One value of a look.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    /// The metric's name.
    pub metric: &'a str,
    /// What of the target it is about.
    pub subject: Option<&'a str>,
    /// The value.
    pub value: &'a Value,
    /// What it means by the rules.
    pub status: Status,
    /// What is usual.
    pub usual: Option<&'a Usual>,
}

/// What a metric of a target usually is.
#[derive(Debug, Clone, PartialEq)]
pub enum Usual {
    /// Centre and spread.
    Number {
        /// The middle.
        centre: f64,
        /// How far values usually are from it.
        spread: f64,
    },
    /// The usual word.
    Word(String),
}

/// A number counts as out of the ordinary from so many spreads on, and if it is far enough off in itself.
const FAR: f64 = 6.0;
const FAR_IN_ITSELF: f64 = 0.25;

/// What a word that was never usual counts as, in spreads.
const ANOTHER_WORD: f64 = 12.0;

/// What was over before that is not remembered.
const REMEMBERED_FOR: TimeDelta = TimeDelta::minutes(90);

/// Says nothing of how a target is.
const SAYS_NOTHING: [&str; 12] = [
    "body_bytes",
    "cpu_cores",
    "ram_total_bytes",
    "disk_total_bytes",
    "disk_free_bytes",
    "cost_usd",
    "input_tokens",
    "output_tokens",
    "billed_metric_requests",
    "connections_max",
    "connections_used",
    "ram_available_bytes",
];

impl Suspect {
    /// Takes a look into account.
    pub fn see(&mut self, glance: &Glance<'_>) {
        let at = glance.at;
        self.symptoms.retain(|symptom| {
            symptom
                .over_at
                .is_none_or(|over| at - over < REMEMBERED_FOR)
        });
        match glance.failure {
            Some((kind, blame, message)) => {
                let status = match blame {
                    Blame::Target => Status::Red,
                    Blame::Ours => Status::Unknown,
                };
                let class = super::class::class_of_failure(kind, blame, message);
                let now = Value::State(message.to_owned().into());
                self.note(Sign::Failure, class, status, now, None, None, at);
            }
            None => self.end(&Sign::Failure, at),
        }
        for one in glance.measured {
            if SAYS_NOTHING.contains(&one.metric) {
                continue;
            }
            let sign = Sign::Metric {
                name: one.metric.to_owned(),
                subject: one.subject.map(str::to_owned),
            };
            let distance = one.usual.and_then(|usual| distance(one.value, usual));
            let class = class_of(&self.kind, one.metric);
            let is_far = distance.is_some_and(|distance| {
                is_far(one.value, one.usual, distance) && class.is_bad(distance)
            });
            if one.status == Status::Green && !is_far {
                self.end(&sign, at);
                continue;
            }
            let before = one.usual.map(|usual| match usual {
                Usual::Number { centre, .. } => Value::Number(*centre),
                Usual::Word(word) => Value::State(word.clone().into()),
            });
            self.note(
                sign,
                class,
                one.status,
                one.value.clone(),
                before,
                distance,
                at,
            );
        }
        self.looked_at = Some(at);
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a symptom")]
    fn note(
        &mut self,
        sign: Sign,
        class: Class,
        status: Status,
        now: Value,
        before: Option<Value>,
        distance: Option<f64>,
        at: Timestamp,
    ) {
        let open = self
            .symptoms
            .iter_mut()
            .find(|known| known.sign == sign && known.over_at.is_none());
        if let Some(known) = open {
            known.last_at = at;
            known.status = known.status.max(status);
            let is_farther = match (distance, known.distance) {
                (Some(new), Some(old)) => new.abs() > old.abs(),
                _ => true,
            };
            if is_farther {
                (known.now, known.distance) = (now, distance);
            }
            return;
        }
        let well_at = self.looked_at;
        self.symptoms.push(Symptom {
            sign,
            class,
            status,
            well_at,
            seen_at: at,
            last_at: at,
            over_at: None,
            before,
            now,
            distance,
        });
    }

    fn end(&mut self, sign: &Sign, at: Timestamp) {
        for known in self
            .symptoms
            .iter_mut()
            .filter(|known| known.sign == *sign && known.over_at.is_none())
        {
            known.over_at = Some(at);
        }
    }
}

/// In spreads, signed.
fn distance(value: &Value, usual: &Usual) -> Option<f64> {
    match (value, usual) {
        (Value::Number(value), Usual::Number { centre, spread }) => {
            let floor = (centre.abs() * 0.02).max(1e-6);
            Some((value - centre) / spread.max(floor))
        }
        (Value::State(word), Usual::Word(usual)) => {
            Some(if **word == **usual { 0.0 } else { ANOTHER_WORD })
        }
        (Value::Flag(flag), Usual::Word(usual)) => {
            let word = if *flag { "yes" } else { "no" };
            Some(if word == usual { 0.0 } else { ANOTHER_WORD })
        }
        _ => None,
    }
}

fn is_far(value: &Value, usual: Option<&Usual>, distance: f64) -> bool {
    let in_itself = match (value, usual) {
        (Value::Number(value), Some(Usual::Number { centre, .. })) => {
            (value - centre).abs() >= FAR_IN_ITSELF * centre.abs().max(1.0)
        }
        _ => true,
    };
    distance.abs() >= FAR && in_itself
}
