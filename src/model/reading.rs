use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Failure, TargetId, Timestamp};

/// The unit of a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// 0 to 100.
    Percent,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Days.
    Days,
    /// Bytes.
    Bytes,
    /// How many.
    Count,
    /// US dollars.
    UsDollars,
    /// A bare number, such as a load average.
    Number,
    /// Yes or no.
    Flag,
    /// One of a few words, such as a container's state.
    State,
}

impl Unit {
    /// How the unit is written behind a number, with its leading space; empty where a bare number says it all.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Percent => " %",
            Self::Milliseconds => " ms",
            Self::Seconds => " s",
            Self::Days => " days",
            Self::Bytes => " bytes",
            Self::UsDollars => " USD",
            Self::Count | Self::Number | Self::Flag | Self::State => "",
        }
    }

    /// The word used in the JSON report and the generated pages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Percent => "percent",
            Self::Milliseconds => "milliseconds",
            Self::Seconds => "seconds",
            Self::Days => "days",
            Self::Bytes => "bytes",
            Self::Count => "count",
            Self::UsDollars => "us_dollars",
            Self::Number => "number",
            Self::Flag => "flag",
            Self::State => "state",
        }
    }
}

/// A measured value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A finite number, in the unit of its measurement.
    Number(f64),
    /// One of a few words.
    State(Cow<'static, str>),
}

impl fmt::Display for Value {
    /// Numbers as short as they can be told apart at a limit: at most one decimal, two below ten.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{}", if *flag { "yes" } else { "no" }),
            Self::Number(number) => f.write_str(&short_number(*number)),
            Self::State(state) => f.write_str(state),
        }
    }
}

/// A number for people: whole where it is large, with the decimals that matter where it is small.
fn short_number(number: f64) -> String {
    let decimals = match number.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{number:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// One measured value of a target.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// A metric that the kind declares in its [`super::KindSpec`].
    pub metric: &'static str,
    /// Which part of the target: a mount point, a container, a table.
    pub subject: Option<String>,
    /// What was measured.
    pub value: Value,
    /// Its unit, the one that the kind declares.
    pub unit: Unit,
}

/// Something worth knowing that is no measurement: a version, an address, the busiest processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is, in a word or two.
    pub name: &'static str,
    /// What it says. No secret.
    pub value: String,
}

/// What explains a measured value: the last output of a health check, when a container ended. It is shown with the
/// finding, if the value becomes one, and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The metric it explains.
    pub metric: &'static str,
    /// Which part of the target, where the metric has parts.
    pub subject: Option<String>,
    /// In a few words. No secret.
    pub text: String,
}

/// A part of a look that could not be had. The part is UNKNOWN, the rest is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The metric that is missing.
    pub metric: &'static str,
    /// Which part of the target, where the metric has parts.
    pub subject: Option<String>,
    /// The metric's unit.
    pub unit: Unit,
    /// Why it could not be had.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

/// What a look gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// What was measured.
    pub measurements: Vec<Measurement>,
    /// What explains some of it.
    pub notes: Vec<Note>,
    /// What else is worth knowing.
    pub facts: Vec<Fact>,
    /// What could not be had.
    pub gaps: Vec<Gap>,
    /// The targets that were found, by a target that is there to find others; `None`: it is not, or could not.
    pub found: Option<Vec<Found>>,
}

/// A target that a look found, and what the same look saw of it. It is judged as the one that found it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// How it is called: unique within its kind. Its history hangs on it.
    pub name: String,
    /// What was seen of it.
    pub outcome: Result<Reading, Failure>,
}

impl Reading {
    /// Adds a number. One that is not finite becomes a gap, so that no limit is ever compared with it.
    pub fn number(&mut self, metric: &'static str, subject: Option<&str>, number: f64, unit: Unit) {
        if number.is_finite() {
            self.measurements.push(Measurement {
                metric,
                subject: subject.map(str::to_owned),
                value: Value::Number(number),
                unit,
            });
        } else {
            self.gap(
                metric,
                subject,
                unit,
                format!("the value read was `{number}`, which is no number"),
            );
        }
    }

    /// Adds a word: a state.
    pub fn state(
        &mut self,
        metric: &'static str,
        subject: Option<&str>,
        state: impl Into<Cow<'static, str>>,
    ) {
        self.measurements.push(Measurement {
            metric,
            subject: subject.map(str::to_owned),
            value: Value::State(state.into()),
            unit: Unit::State,
        });
    }

    /// Adds a yes or no.
    pub fn flag(&mut self, metric: &'static str, subject: Option<&str>, flag: bool) {
        self.measurements.push(Measurement {
            metric,
            subject: subject.map(str::to_owned),
            value: Value::Flag(flag),
            unit: Unit::Flag,
        });
    }

    /// Adds what explains a value.
    pub fn note(&mut self, metric: &'static str, subject: Option<&str>, text: impl Into<String>) {
        self.notes.push(Note {
            metric,
            subject: subject.map(str::to_owned),
            text: text.into(),
        });
    }

    /// What explains a value.
    #[must_use]
    pub fn note_on(&self, metric: &str, subject: Option<&str>) -> Option<&str> {
        let mut notes = self.notes.iter();
        let found = notes.find(|note| note.metric == metric && note.subject.as_deref() == subject);
        found.map(|note| note.text.as_str())
    }

    /// Adds a fact.
    pub fn fact(&mut self, name: &'static str, value: impl Into<String>) {
        self.facts.push(Fact {
            name,
            value: value.into(),
        });
    }

    /// Adds a gap.
    pub fn gap(
        &mut self,
        metric: &'static str,
        subject: Option<&str>,
        unit: Unit,
        message: impl Into<String>,
    ) {
        self.gaps.push(Gap {
            metric,
            subject: subject.map(str::to_owned),
            unit,
            message: message.into(),
            hint: None,
        });
    }
}

/// The span of a look; where nothing is traced, none.
pub use tracing::Span as LookTrace;

/// One visit to one target, and what it gave.
#[derive(Debug, Clone)]
pub struct Observation {
    /// Who was visited.
    pub target: TargetId,
    /// When the look began.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What it gave.
    pub outcome: Result<Reading, Failure>,
    /// Its trace, until it is judged.
    pub trace: LookTrace,
}

impl Observation {
    /// Whether we chose not to look.
    #[must_use]
    pub fn is_left_out(&self) -> bool {
        self.outcome
            .as_ref()
            .is_err_and(|failure| failure.by_choice)
    }

    /// What was measured, also by a look that failed half-way.
    #[must_use]
    pub fn reading(&self) -> &Reading {
        match &self.outcome {
            Ok(reading) => reading,
            Err(failure) => &failure.seen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (number, text) in [
            (0.0, "0"),
            (3.128_59, "3.13"),
            (17.25, "17.2"),
            (96.0, "96"),
            (100.0, "100"),
            (8_123.7, "8124"),
            (-3.0, "-3"),
            (0.004, "0"),
        ] {
            assert_eq!(Value::Number(number).to_string(), text);
        }
    }

    #[test]
    fn a_number_that_is_none_is_a_gap() {
        let mut reading = Reading::default();
        reading.number("cpu_percent", None, f64::NAN, Unit::Percent);
        assert!(reading.measurements.is_empty());
        assert_eq!(reading.gaps.len(), 1);
    }
}
