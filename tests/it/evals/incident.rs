//! An incident as it stands in a file of `evals/`, and the looks that it tells of.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{NaiveTime, TimeDelta};
use roundsman::document::{LIMITS, from_node, parse};
use roundsman::model::{FailureKind, Timestamp, Value};
use serde::Deserialize;

/// A file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Incident {
    pub(super) title: String,
    pub(super) family: String,
    #[serde(rename = "story")]
    _story: String,
    pub(super) targets: BTreeMap<String, Watched>,
    #[serde(default)]
    pub(super) usual: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
    pub(super) starts: Timestamp,
    #[serde(default)]
    looks: Vec<BTreeMap<String, String>>,
    pub(super) asked_at: String,
    pub(super) truth: Truth,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Watched {
    pub(super) kind: String,
    #[serde(default)]
    pub(super) host: Option<String>,
    #[serde(default)]
    pub(super) depends_on: Vec<String>,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) region: Option<String>,
    #[serde(default)]
    pub(super) every: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Truth {
    #[serde(default)]
    pub(super) cause: Option<String>,
    #[serde(default)]
    pub(super) causes: Vec<Cause>,
    #[serde(default)]
    pub(super) also: Vec<String>,
    #[serde(default, rename = "effects")]
    _effects: Vec<String>,
    #[serde(default)]
    pub(super) facts: Vec<String>,
    #[serde(default)]
    pub(super) herrings: Vec<String>,
}

/// One of several causes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cause {
    #[serde(rename = "cause")]
    pub(super) name: String,
    #[serde(default)]
    pub(super) also: Vec<String>,
    #[serde(default, rename = "effects")]
    _effects: Vec<String>,
}

impl Truth {
    /// All causes; none where there is none.
    pub(super) fn wanted(&self) -> Vec<Cause> {
        let one = self.cause.iter().filter(|cause| *cause != "none");
        let one = one.map(|cause| Cause::of(cause, &self.also));
        self.causes.iter().cloned().chain(one).collect()
    }
}

impl Cause {
    /// Whether it is called so.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name == name || self.also.iter().any(|also| also == name)
    }

    /// One alone.
    fn of(cause: &str, also: &[String]) -> Self {
        Self {
            name: cause.to_owned(),
            also: also.to_vec(),
            _effects: Vec::new(),
        }
    }
}

/// Reads a file.
pub(super) fn read(path: &Path) -> Incident {
    let text = std::fs::read_to_string(path).expect("a file");
    let mut problems = Vec::new();
    let node = parse(
        &path.display().to_string().into(),
        &text,
        LIMITS,
        &mut problems,
    );
    assert!(problems.is_empty(), "{}: {problems:?}", path.display());
    from_node(&node.expect("a document"))
        .unwrap_or_else(|error| panic!("{}: {error:?}", path.display()))
}

/// What a line says of a target, from its time on.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Says {
    Is(String, Value),
    Becomes(String, Value),
    Fails(FailureKind, String),
    IsUsual,
    NoLook,
}

/// A line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) at: Timestamp,
    pub(super) target: String,
    pub(super) says: Says,
}

impl Incident {
    /// The time of that clock at or after the beginning.
    pub(super) fn clock(&self, text: &str) -> Timestamp {
        let format = if text.matches(':').count() == 2 {
            "%H:%M:%S"
        } else {
            "%H:%M"
        };
        let time = NaiveTime::parse_from_str(text, format)
            .unwrap_or_else(|error| panic!("{}: `{text}`: {error}", self.title));
        let at = self.starts.date_naive().and_time(time).and_utc();
        if at < self.starts {
            at + TimeDelta::days(1)
        } else {
            at
        }
    }

    pub(super) fn lines(&self) -> Vec<Line> {
        // YAML takes what stands before the colon for a key.
        let pairs = self.looks.iter().flatten();
        pairs
            .map(|(key, says)| self.line(&format!("{key}: {says}")))
            .collect()
    }

    fn line(&self, text: &str) -> Line {
        let wrong = || -> ! {
            panic!(
                "{}: the line `{text}` says nothing that is known",
                self.title
            )
        };
        let Some((time, rest)) = text.split_once(' ') else {
            wrong()
        };
        let Some((target, says)) = rest.split_once(": ") else {
            wrong()
        };
        assert!(
            self.targets.contains_key(target),
            "{}: who is `{target}`?",
            self.title
        );
        let says = match says.trim() {
            "is usual" => Says::IsUsual,
            "no look" => Says::NoLook,
            fails if fails.starts_with("fails ") => {
                let rest = &fails["fails ".len()..];
                let (kind, message) = rest.split_once(' ').unwrap_or((rest, ""));
                let kind = serde_json::from_value(serde_json::Value::String(kind.to_owned()));
                Says::Fails(
                    kind.unwrap_or_else(|error| panic!("{}: {text}: {error}", self.title)),
                    message.trim_matches('"').to_owned(),
                )
            }
            metric => match (metric.split_once(" = "), metric.split_once(" ~ ")) {
                (Some((sign, value)), _) => Says::Is(sign.trim().to_owned(), value_of(value)),
                (None, Some((sign, value))) => {
                    Says::Becomes(sign.trim().to_owned(), value_of(value))
                }
                (None, None) => wrong(),
            },
        };
        Line {
            at: self.clock(time),
            target: target.to_owned(),
            says,
        }
    }
}

/// A value as it is written.
pub(super) fn value_of(text: &str) -> Value {
    let text = text.trim().trim_matches('"');
    match (text, text.parse::<f64>()) {
        ("yes" | "true", _) => Value::Flag(true),
        ("no" | "false", _) => Value::Flag(false),
        (_, Ok(number)) => Value::Number(number),
        (word, Err(_)) => Value::State(word.to_owned().into()),
    }
}

/// `5m`
pub(super) fn every(watched: &Watched) -> TimeDelta {
    let text = watched.every.as_deref().unwrap_or("1m");
    let length = humantime::parse_duration(text).expect("a time");
    TimeDelta::from_std(length).expect("a short one")
}
