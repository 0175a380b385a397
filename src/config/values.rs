//! The words that configuration values are made of, each checked as it is read.

use std::str::FromStr;

use crate::document::Word;
use crate::model::{Limit, LimitError, SubjectPattern, Threshold};
use crate::schedule::Cron;

impl Word for Cron {
    const EXPECTED: &'static str = "five cron fields such as `0 */6 * * *`";
}

impl Word for Limit {
    const EXPECTED: &'static str = "a comparison such as `< 65`";
}

/// A limit, or `never`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ThresholdText(pub Threshold);

impl FromStr for ThresholdText {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        match text.trim() {
            "never" => Ok(Self(Threshold::Never)),
            text => text.parse().map(|limit| Self(Threshold::At(limit))),
        }
    }
}

impl Word for ThresholdText {
    const EXPECTED: &'static str = "a comparison such as `> 90`, or `never`";
}

/// A time zone of the IANA database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ZoneText(pub chrono_tz::Tz);

impl FromStr for ZoneText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
        text.parse().map(Self).map_err(|_| {
            let near = crate::problem::nearest(text, names());
            let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            format!("expected {}, found `{text}`{near}", Self::EXPECTED)
        })
    }
}

impl Word for ZoneText {
    const EXPECTED: &'static str = "a time zone such as `Europe/Berlin`";
}

/// Subjects that a rule is for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SubjectText(pub SubjectPattern);

impl FromStr for SubjectText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        SubjectPattern::new(text)
            .map(Self)
            .map_err(|error| format!("expected {}: {}", Self::EXPECTED, error.kind()))
    }
}

impl Word for SubjectText {
    const EXPECTED: &'static str = "a name, or a pattern such as `/var/*`";
}
