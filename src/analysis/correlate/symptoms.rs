//! What is out of the ordinary with one target, from when to when.

use std::ops::Deref;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::class::{Class, OUR_NETWORK, class_of, class_of_failure};
use crate::model::{Blame, FailureKind, Status, Timestamp, Value};

/// What is out of the ordinary.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

impl Sign {
    fn is_of(&self, metric: &str, about: Option<&str>) -> bool {
        match self {
            Self::Failure => false,
            Self::Metric { name, subject } => name == metric && subject.as_deref() == about,
        }
    }
}

/// One thing that is out of the ordinary, from when to when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Symptom {
    /// What.
    pub sign: Sign,
    /// What sort of trouble that is.
    pub class: Class,
    /// The worst that it meant.
    pub status: Status,
    /// The last look at which it was well; `None`: it was never seen well.
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
    /// When that was seen.
    pub now_at: Timestamp,
    /// How far off that is from what is usual, in spreads; `None`: nothing is known of what is usual.
    pub distance: Option<f64>,
}

impl Symptom {
    /// Whether it is still so, as far as the last look saw.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.over_at.is_none()
    }

    /// Whether it says no more than that we could not look.
    pub(super) fn is_ours(&self) -> bool {
        self.sign == Sign::Failure && self.status == Status::Unknown
    }

    /// Whether that is because our own network is down.
    pub(super) fn is_our_network(&self) -> bool {
        let says_so = |text: &str| text.contains(OUR_NETWORK);
        self.class == Class::Monitor && matches!(&self.now, Value::State(text) if says_so(text))
    }
}

/// What a look changed of what is out of the ordinary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Nothing, or only figures.
    Nothing,
    /// Something is well again, and nothing began.
    Ended,
    /// Something began, became worse, or is wrong in another way.
    Began,
}

/// A look, as far as the correlation needs it.
#[derive(Debug, Clone, Copy)]
pub struct Glance<'a> {
    /// When.
    pub at: Timestamp,
    /// What was measured, and what each meant.
    pub measured: &'a [Measured<'a>],
    /// What could not be measured: metric and subject. Nothing is known of it.
    pub gaps: &'a [(&'a str, Option<&'a str>)],
    /// Why it failed; `None`: it did not.
    pub failure: Option<(FailureKind, Blame, &'a str)>,
}

/// One value of a look.
#[derive(Debug, Clone)]
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
    pub usual: Option<Usual>,
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

/// A target has at most so many symptoms: one with hundreds of containers needs no more to be the cause.
const MOST_SYMPTOMS: usize = 32;

/// A failure may say much.
const LONGEST_MESSAGE: usize = 300;

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

/// What is or was lately out of the ordinary with a target, in the order in which it was seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Symptoms {
    all: Vec<Symptom>,
    /// When it was looked at last.
    looked_at: Option<Timestamp>,
    /// When a look last succeeded: one that failed says nothing of what is measured.
    measured_at: Option<Timestamp>,
}

impl Deref for Symptoms {
    type Target = [Symptom];

    fn deref(&self) -> &[Symptom] {
        &self.all
    }
}

impl Symptoms {
    /// Nothing is wrong with a target that was looked at then.
    #[must_use]
    pub fn well_at(at: Option<Timestamp>) -> Self {
        Self {
            all: Vec::new(),
            looked_at: at,
            measured_at: at,
        }
    }

    /// All of them.
    #[must_use]
    pub fn as_slice(&self) -> &[Symptom] {
        &self.all
    }

    /// When the target was looked at last.
    #[must_use]
    pub fn looked_at(&self) -> Option<Timestamp> {
        self.looked_at
    }

    /// Takes a look at a target of that kind into account, and says what that changed.
    pub fn see(&mut self, kind: &str, glance: &Glance<'_>) -> Change {
        let at = glance.at;
        let before = self.all.len();
        self.all.retain(|symptom| {
            symptom
                .over_at
                .is_none_or(|over| at - over < REMEMBERED_FOR)
        });
        let mut change = if before == self.all.len() {
            Change::Nothing
        } else {
            Change::Ended
        };
        change = change.max(match glance.failure {
            Some(failure) => self.fail(failure, at),
            None => self.end(at, |sign| *sign == Sign::Failure),
        });
        for one in glance.measured {
            change = change.max(self.measure(kind, one, at));
        }
        if glance.failure.is_none() {
            // What is not there any more, such as a container, is not wrong any more.
            change = change.max(self.end(at, |sign| !is_told_of(sign, glance)));
            self.measured_at = Some(at);
        }
        self.looked_at = Some(at);
        change
    }

    fn fail(
        &mut self,
        (kind, blame, message): (FailureKind, Blame, &str),
        at: Timestamp,
    ) -> Change {
        let message: String = message.chars().take(LONGEST_MESSAGE).collect();
        self.note(Symptom {
            sign: Sign::Failure,
            class: class_of_failure(kind, blame, &message),
            status: match blame {
                Blame::Target => Status::Red,
                Blame::Ours => Status::Unknown,
            },
            well_at: self.looked_at,
            seen_at: at,
            last_at: at,
            over_at: None,
            before: None,
            now: Value::State(message.into()),
            now_at: at,
            distance: None,
        })
    }

    fn measure(&mut self, kind: &str, one: &Measured<'_>, at: Timestamp) -> Change {
        if SAYS_NOTHING.contains(&one.metric) {
            return Change::Nothing;
        }
        let distance = (one.usual.as_ref()).and_then(|usual| distance(one.value, usual));
        let class = class_of(kind, one.metric);
        let is_far = distance.is_some_and(|distance| {
            is_far(one.value, one.usual.as_ref(), distance) && class.is_bad(distance)
        });
        if one.status == Status::Green && !is_far {
            return self.end(at, |sign| sign.is_of(one.metric, one.subject));
        }
        let before = one.usual.as_ref().map(|usual| match usual {
            Usual::Number { centre, .. } => Value::Number(*centre),
            Usual::Word(word) => Value::State(word.clone().into()),
        });
        self.note(Symptom {
            sign: Sign::Metric {
                name: one.metric.to_owned(),
                subject: one.subject.map(str::to_owned),
            },
            class,
            status: one.status,
            well_at: self.measured_at,
            seen_at: at,
            last_at: at,
            over_at: None,
            before,
            now: one.value.clone(),
            now_at: at,
            distance,
        })
    }

    fn note(&mut self, new: Symptom) -> Change {
        let open = (self.all.iter_mut()).find(|known| known.sign == new.sign && known.is_open());
        let Some(known) = open else {
            if self.all.len() < MOST_SYMPTOMS {
                // Most targets have one, and thousands may have one at once.
                self.all.reserve_exact(1);
                self.all.push(new);
                return Change::Began;
            }
            return Change::Nothing;
        };
        known.last_at = new.last_at;
        // One that is refused is another failure than one that is answered with an error, whatever figures they name.
        let is_another =
            new.sign == Sign::Failure && !is_the_same_but_for_figures(&new.now, &known.now);
        let is_worse = new.status > known.status;
        if is_another {
            known.class = new.class;
        }
        known.status = known.status.max(new.status);
        let is_farther = match (new.distance, known.distance) {
            (Some(new), Some(old)) => new.abs() > old.abs(),
            _ => new.now != known.now,
        };
        if is_farther {
            (known.now, known.distance) = (new.now, new.distance);
            known.now_at = new.now_at;
        }
        if is_worse || is_another {
            Change::Began
        } else {
            Change::Nothing
        }
    }

    fn end(&mut self, at: Timestamp, is_it: impl Fn(&Sign) -> bool) -> Change {
        let mut change = Change::Nothing;
        for known in (self.all.iter_mut()).filter(|known| known.is_open() && is_it(&known.sign)) {
            known.over_at = Some(at);
            change = Change::Ended;
        }
        change
    }
}

fn is_the_same_but_for_figures(one: &Value, other: &Value) -> bool {
    let (Value::State(one), Value::State(other)) = (one, other) else {
        return one == other;
    };
    let letters =
        |text: &str| -> String { text.chars().filter(|one| one.is_alphabetic()).collect() };
    letters(one) == letters(other)
}

/// Whether a look says anything of what a sign is about, be it that it could not be measured.
fn is_told_of(sign: &Sign, glance: &Glance<'_>) -> bool {
    let mut measured = glance.measured.iter();
    let mut gaps = glance.gaps.iter();
    measured.any(|one| sign.is_of(one.metric, one.subject))
        // A gap without a subject is one of all of them.
        || gaps.any(|(metric, subject)| match sign {
            Sign::Metric { name, .. } if subject.is_none() => name == metric,
            sign => sign.is_of(metric, *subject),
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(clock: &str) -> Timestamp {
        format!("2026-11-21T{clock}:00Z").parse().expect("a time")
    }

    fn measured(value: &Value, status: Status) -> Measured<'_> {
        Measured {
            metric: "disk_free_percent",
            subject: Some("/"),
            value,
            status,
            usual: None,
        }
    }

    fn look<'a>(clock: &str, measured: &'a [Measured<'a>]) -> Glance<'a> {
        Glance {
            at: at(clock),
            measured,
            gaps: &[],
            failure: None,
        }
    }

    const FAILED: (FailureKind, Blame, &str) = (FailureKind::TimedOut, Blame::Target, "no answer");

    #[test]
    fn a_look_that_failed_does_not_say_that_a_disk_was_well() {
        let (well, full) = (Value::Number(40.0), Value::Number(2.0));
        let mut symptoms = Symptoms::default();
        symptoms.see(
            "vps_servers",
            &look("10:00", &[measured(&well, Status::Green)]),
        );
        for clock in ["10:01", "10:02"] {
            let failed = Glance {
                failure: Some(FAILED),
                ..look(clock, &[])
            };
            symptoms.see("vps_servers", &failed);
        }
        symptoms.see(
            "vps_servers",
            &look("10:03", &[measured(&full, Status::Red)]),
        );
        let [failure, disk] = symptoms.as_slice() else {
            panic!("{symptoms:#?}");
        };
        assert_eq!(
            (failure.well_at, failure.seen_at, failure.over_at),
            (Some(at("10:00")), at("10:01"), Some(at("10:03")))
        );
        assert_eq!(
            (disk.well_at, disk.seen_at),
            (Some(at("10:00")), at("10:03"))
        );
    }

    #[test]
    fn what_is_not_there_any_more_is_over_and_what_could_not_be_measured_is_not() {
        let full = Value::Number(2.0);
        let mut symptoms = Symptoms::default();
        let kind = "vps_servers";
        let red = [measured(&full, Status::Red)];
        assert_eq!(symptoms.see(kind, &look("10:00", &red)), Change::Began);
        assert_eq!(symptoms.see(kind, &look("10:01", &red)), Change::Nothing);
        for gap in [
            ("disk_free_percent", Some("/")),
            ("disk_free_percent", None),
        ] {
            let blind = Glance {
                gaps: &[gap],
                ..look("10:02", &[])
            };
            symptoms.see(kind, &blind);
            assert!(symptoms[0].is_open(), "{gap:?}");
        }
        let failed = Glance {
            failure: Some(FAILED),
            ..look("10:03", &[])
        };
        symptoms.see(kind, &failed);
        assert!(symptoms[0].is_open(), "a failed look says nothing of it");
        assert_eq!(symptoms.see(kind, &look("10:04", &[])), Change::Ended);
        assert_eq!(symptoms[0].over_at, Some(at("10:04")));
        symptoms.see(kind, &look("11:35", &[]));
        assert!(symptoms.is_empty(), "it is long over: {symptoms:#?}");
    }

    #[test]
    fn what_is_green_is_a_symptom_only_far_from_what_is_usual() {
        let usual = Usual::Number {
            centre: 20.0,
            spread: 2.0,
        };
        for (percent, counts) in [(24.0, false), (31.0, false), (33.0, true), (7.0, false)] {
            let value = Value::Number(percent);
            let busy = Measured {
                metric: "cpu_percent",
                subject: None,
                value: &value,
                status: Status::Green,
                usual: Some(usual.clone()),
            };
            let mut symptoms = Symptoms::default();
            symptoms.see("vps_servers", &look("10:00", &[busy]));
            assert_eq!(!symptoms.is_empty(), counts, "{percent}");
        }
    }
}
