use std::fmt;

use serde::{Deserialize, Serialize};

use super::Status;

/// How bad a problem is for those who are told of it: what messages are routed by (product specification §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// YELLOW or UNKNOWN.
    Warning,
    /// RED on a target that is not critical.
    High,
    /// RED on a critical target.
    Critical,
}

impl Severity {
    /// All of them, least bad first.
    pub const ALL: [Self; 3] = [Self::Warning, Self::High, Self::Critical];

    /// How bad that status is; `None`: it is GREEN.
    #[must_use]
    pub fn of(status: Status, critical: bool) -> Option<Self> {
        match (status, critical) {
            (Status::Green, _) => None,
            (Status::Yellow | Status::Unknown, _) => Some(Self::Warning),
            (Status::Red, false) => Some(Self::High),
            (Status::Red, true) => Some(Self::Critical),
        }
    }

    /// The word used in the configuration and everywhere else.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
