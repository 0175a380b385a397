use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Reading, Status};

/// What went wrong with a look, for readers. Whether it turns the target RED or UNKNOWN is decided by
/// [`Blame`], not by this (product specification §2, "Who is to blame decides").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// No route, name does not resolve although others do, connection refused or reset.
    Unreachable,
    /// No answer within the deadline.
    TimedOut,
    /// It answers, but the thing we watch is not there.
    Missing,
    /// It answers something that breaks its protocol or its contract.
    Unexpected,
    /// Our login, key, token or permission was not accepted.
    Denied,
    /// We asked too often.
    Throttled,
    /// Our descriptors, resolver, disk, network, configuration, or a bug of ours.
    Ours,
}

impl FailureKind {
    /// The word used in the JSON report and everywhere else.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Missing => "missing",
            Self::Unexpected => "unexpected",
            Self::Denied => "denied",
            Self::Throttled => "throttled",
            Self::Ours => "ours",
        }
    }

    fn usual_blame(self) -> Blame {
        match self {
            Self::Unreachable | Self::TimedOut | Self::Missing | Self::Unexpected => Blame::Target,
            Self::Denied | Self::Throttled | Self::Ours => Blame::Ours,
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Whose trouble a failure is: the target's makes it RED, ours makes it UNKNOWN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The target is in trouble: a finding.
    Target,
    /// We could not look: it says nothing about the target.
    Ours,
}

/// A look that did not come to its end: what we tried, why it failed, and what to do next.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What sort of failure, for readers.
    pub kind: FailureKind,
    /// Whose trouble it is; decides the status.
    pub blame: Blame,
    /// What we tried, against what, and why it failed. No secret, no response body.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// What had been measured before it failed. It is judged and reported like any reading.
    pub seen: Box<Reading>,
    /// Whether we chose not to look, such as when the budget is spent. It does not count in how the whole is.
    pub by_choice: bool,
}

impl Failure {
    /// A failure with the blame that the specification gives to its kind.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            blame: kind.usual_blame(),
            message: message.into(),
            hint: None,
            seen: Box::default(),
            by_choice: false,
        }
    }

    /// Our own inability.
    pub fn ours(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Ours, message)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what had been measured before it failed.
    #[must_use]
    pub fn seen(mut self, reading: Reading) -> Self {
        *self.seen = reading;
        self
    }

    /// That it was our choice not to look.
    #[must_use]
    pub fn by_choice(mut self) -> Self {
        self.by_choice = true;
        self
    }

    /// RED when the target is to blame, UNKNOWN when we are.
    #[must_use]
    pub fn status(&self) -> Status {
        match self.blame {
            Blame::Target => Status::Red,
            Blame::Ours => Status::Unknown,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
