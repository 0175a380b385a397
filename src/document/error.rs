//! What is wrong with a node that was to be read.

use std::fmt;

use serde::de;

use super::advice::advice;
use super::shown::{is_name, shown_choice, shown_name};
use super::{Node, Path, Segment};
use crate::problem::{Location, Problem, nearest};

/// Why a node is not what was expected.
#[derive(Debug, Clone)]
pub struct ReadError {
    pub(super) message: String,
    pub(super) sort: Sort,
    /// From the innermost outwards.
    reversed_path: Vec<Segment>,
    pub(super) location: Option<Location>,
    /// The one value that the message is about: then an example of it is of use.
    pub(super) about: Option<Box<Found>>,
}

/// The text that stands there, if it may be shown. It is for hints: its `Debug` shows none.
#[derive(Clone)]
pub(super) struct Found(Option<String>);

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Found")
    }
}

impl Found {
    pub(super) fn at(node: &Node) -> Self {
        let may_be_shown = |text: &&str| shown_choice(text).contains('`');
        let text = node.open_text().filter(may_be_shown);
        Self(text.map(str::to_owned))
    }
}

/// What sort of mistake, as far as it matters for the hint and for going on.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sort {
    UnknownKey {
        key: String,
        known: &'static [&'static str],
    },
    UnknownWord {
        known: &'static [&'static str],
    },
    MissingKey(&'static str),
    WrongValue {
        expected: String,
    },
    Other,
}

impl ReadError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            sort: Sort::Other,
            reversed_path: Vec::new(),
            location: None,
            about: None,
        }
    }

    pub(super) fn expected(what: &str, found: &Node) -> Self {
        let mut error = Self::new(format!("expected {what}, found {}", found.describe()));
        error.location = Some(found.location.clone());
        error.about = Some(Box::new(Found::at(found)));
        error
    }

    /// Says where, unless something further in has said it.
    pub(super) fn within(mut self, location: &Location, segment: Segment) -> Self {
        if self.location.is_none() {
            self.location = Some(location.clone());
        }
        self.reversed_path.push(segment);
        self
    }

    /// Whether the node that was being read raised it, and nothing inside of it.
    pub(super) fn is_of_this_node(&self) -> bool {
        self.location.is_none() && self.reversed_path.is_empty()
    }

    /// The path from the node that was read.
    #[must_use]
    pub fn path(&self) -> Vec<Segment> {
        self.reversed_path.iter().rev().cloned().collect()
    }

    /// What to write instead.
    fn advice(&self) -> Option<String> {
        let about = self.about.as_ref()?;
        let expected = self.message.strip_prefix("expected ")?;
        let expected = expected.split(", found ").next()?;
        let key = self.reversed_path.iter().find_map(|segment| match segment {
            Segment::Key(key) if is_name(key) => Some(key.as_str()),
            _ => None,
        });
        // An item of a list stands for itself.
        let key = key.filter(|_| matches!(self.reversed_path.first(), Some(Segment::Key(_))));
        advice(key, expected, about.0.as_deref())
    }

    /// As a problem of the document.
    ///
    /// `base` and `start` are the path and the place of the node that was read; `also_known` are keys that the
    /// reader of the node accepts besides the struct's own.
    #[must_use]
    pub fn into_problem(self, base: &Path, start: &Location, also_known: &[&str]) -> Problem {
        let path = base.join(&self.path());
        let hint = match &self.sort {
            Sort::UnknownKey { key, known } => {
                let top = self.reversed_path.len() == 1;
                let all = known.iter().chain(also_known.iter().filter(|_| top));
                offer(key, all.copied())
            }
            Sort::MissingKey(key) => missing_hint(key),
            _ => self
                .advice()
                .unwrap_or_else(|| "`roundsman schema` describes what may stand here".to_owned()),
        };
        let location = self.location.as_ref().unwrap_or(start);
        let problem = Problem::error(self.message).at(location, path.to_string());
        problem.hint(hint)
    }
}

/// What is said of a key that nobody knows. A secret may stand where a key should.
#[must_use]
pub fn unknown_key(key: &str) -> String {
    format!("unknown key {}", shown_name(key))
}

/// What to do about a key that is missing.
#[must_use]
pub fn missing_hint(key: &str) -> String {
    format!("add `{key}: …` to this entry")
}

/// "did you mean", or all that would do.
fn offer<'a>(written: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    nearest(written, known.clone()).map_or_else(
        || format!("known keys here: {}", known.collect::<Vec<_>>().join(", ")),
        |near| format!("did you mean `{near}`?"),
    )
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ReadError {}

impl de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    /// What was found is not taken from serde, which would show it: the node says what may be shown.
    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let expected = expected.to_string();
        Self {
            message: format!("expected {expected}"),
            sort: Sort::WrongValue { expected },
            ..Self::new("")
        }
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Self {
            sort: Sort::UnknownKey {
                key: key.to_owned(),
                known,
            },
            ..Self::new(unknown_key(key))
        }
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self {
            sort: Sort::UnknownWord { known },
            ..Self::new("an unknown word")
        }
    }

    fn missing_field(key: &'static str) -> Self {
        Self {
            sort: Sort::MissingKey(key),
            ..Self::new(format!("`{key}` is missing"))
        }
    }
}
