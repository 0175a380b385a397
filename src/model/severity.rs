use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Status;

/// How much a problem matters, for deciding who hears of it; worst last (product specification §2).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// YELLOW, or UNKNOWN.
    Warning,
    /// RED, on a target that is not critical.
    High,
    /// RED, on a critical target.
    Critical,
}

impl Severity {
    /// All of them, worst last.
    pub const ALL: [Self; 3] = [Self::Warning, Self::High, Self::Critical];

    /// That of a status; `None`: there is no problem.
    #[must_use]
    pub fn of(status: Status, critical: bool) -> Option<Self> {
        match status {
            Status::Green => None,
            Status::Unknown | Status::Yellow => Some(Self::Warning),
            Status::Red if critical => Some(Self::Critical),
            Status::Red => Some(Self::High),
        }
    }

    /// The word, as it is written in a configuration.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_critical_target_decides_only_what_red_means() {
        for (status, critical, not_critical) in [
            (Status::Green, None, None),
            (
                Status::Unknown,
                Some(Severity::Warning),
                Some(Severity::Warning),
            ),
            (
                Status::Yellow,
                Some(Severity::Warning),
                Some(Severity::Warning),
            ),
            (Status::Red, Some(Severity::Critical), Some(Severity::High)),
        ] {
            assert_eq!(Severity::of(status, true), critical, "{status}");
            assert_eq!(Severity::of(status, false), not_critical, "{status}");
        }
        assert!(Severity::ALL.is_sorted());
    }

    #[test]
    fn its_word_is_what_is_stored() {
        for severity in Severity::ALL {
            let json = serde_json::to_string(&severity).unwrap();
            assert_eq!(json, format!("\"{severity}\""));
            assert_eq!(serde_json::from_str::<Severity>(&json).unwrap(), severity);
        }
    }
}
