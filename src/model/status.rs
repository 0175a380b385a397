use std::fmt;

use serde::{Deserialize, Serialize};

/// How a target is, worst last: GREEN < UNKNOWN < YELLOW < RED (product specification §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Within all limits.
    Green,
    /// Could not be measured: it says nothing about the target.
    Unknown,
    /// A warning.
    Yellow,
    /// Critical or failed.
    Red,
}

impl Status {
    /// All of them, best first.
    pub const ALL: [Self; 4] = [Self::Green, Self::Unknown, Self::Yellow, Self::Red];

    /// The word, in capitals, as it stands in every report.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Green => "GREEN",
            Self::Unknown => "UNKNOWN",
            Self::Yellow => "YELLOW",
            Self::Red => "RED",
        }
    }

    /// The coloured dot that goes with the word, where a reader has colours.
    #[must_use]
    pub fn dot(self) -> &'static str {
        match self {
            Self::Green => "🟢",
            Self::Unknown => "⚪",
            Self::Yellow => "🟡",
            Self::Red => "🔴",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
