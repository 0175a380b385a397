use std::fmt;
use std::str::FromStr;

use chrono::TimeDelta;

use crate::document::shown;

/// How incidents are grouped and repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What puts incidents into one group, beside hosts and dependencies.
    pub group_by: Vec<Grouping>,
    /// How long after its first member a group takes more into the same message.
    pub group_window: TimeDelta,
    /// How long nothing is said before each reminder; the last repeats, and without any there are none.
    pub reminders: Vec<TimeDelta>,
}

/// What two targets may have in common that puts their incidents into one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grouping {
    /// The value of this label.
    Label(String),
    /// The region, where a kind has one.
    Region,
}

impl FromStr for Grouping {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "region" => Ok(Self::Region),
            Some(("label", key)) if !key.trim().is_empty() => {
                Ok(Self::Label(key.trim().to_owned()))
            }
            _ => Err(format!(
                "expected `region`, or `label:` and the key of a label such as `label:rack`, found {}",
                shown(text)
            )),
        }
    }
}

impl fmt::Display for Grouping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(key) => write!(f, "label:{key}"),
            Self::Region => f.write_str("region"),
        }
    }
}

impl Settings {
    /// How long nothing is said before the next reminder, when so many were sent; `None`: there are none.
    #[must_use]
    pub fn reminder_after(&self, sent: usize) -> Option<TimeDelta> {
        self.reminders
            .get(sent)
            .or_else(|| self.reminders.last())
            .copied()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            group_by: Vec::new(),
            group_window: TimeDelta::seconds(30),
            reminders: [1, 2, 4, 8, 16, 24].map(TimeDelta::hours).to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_groups_is_read_as_it_is_written() {
        for text in ["region", "label:rack", "label:a:b"] {
            let read: Grouping = text.parse().expect(text);
            assert_eq!(read.to_string(), text);
        }
        for text in ["", "rack", "label:", "label: ", "Region", "region:"] {
            let error = text.parse::<Grouping>().expect_err(text);
            assert!(
                error.ends_with(&format!("found {}", shown(text))),
                "{error}"
            );
        }
    }

    #[test]
    fn reminders_grow_and_the_last_repeats() {
        let usual = Settings::default();
        let hours = |sent| usual.reminder_after(sent).map(|wait| wait.num_hours());
        let found: Vec<_> = (0..8).map(hours).collect();
        assert_eq!(found, [1, 2, 4, 8, 16, 24, 24, 24].map(Some));
        let none = Settings {
            reminders: Vec::new(),
            ..usual
        };
        assert_eq!(none.reminder_after(0), None);
    }
}
