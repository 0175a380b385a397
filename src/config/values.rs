//! The words that configuration values are made of, each checked as it is read.

use std::str::FromStr;

use chrono::{Datelike, NaiveDateTime};

use crate::document::{Word, shown, shown_name};
use crate::model::{Limit, LimitError, SubjectPattern, Threshold, Timestamp};
use crate::schedule::{Cron, first_instant};

impl Word for Cron {
    const EXPECTED: &'static str = "five cron fields such as `0 */6 * * *`";
}

/// A limit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LimitText(pub Limit);

impl FromStr for LimitText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = |error: LimitError| format!("{error}, found {}", shown(text));
        text.parse().map(Self).map_err(refused)
    }
}

impl Word for LimitText {
    const EXPECTED: &'static str = "a comparison such as `< 65`";
}

/// A limit, or `never`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ThresholdText(pub Threshold);

impl FromStr for ThresholdText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "never" => Ok(Self(Threshold::Never)),
            text => {
                let LimitText(limit) = text.parse()?;
                Ok(Self(Threshold::At(limit)))
            }
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
            format!(
                "expected {}, found {}{near}",
                Self::EXPECTED,
                shown_name(text)
            )
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

/// A point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MomentText {
    /// With its distance from UTC.
    Instant(Timestamp),
    /// What the clocks show.
    Local(NaiveDateTime),
}

impl MomentText {
    /// The instant at which the clocks of `zone` first show it; right after the gap where they skip it.
    pub(super) fn instant(self, zone: chrono_tz::Tz) -> Timestamp {
        match self {
            Self::Instant(instant) => instant,
            Self::Local(local) => first_instant(zone, local).unwrap_or(local.and_utc()),
        }
    }
}

/// The instant that somebody wrote: RFC 3339, or what the clocks of `zone` show.
///
/// # Errors
/// It is no time.
pub fn instant(text: &str, zone: chrono_tz::Tz) -> Result<Timestamp, String> {
    let moment: MomentText = text.parse()?;
    Ok(moment.instant(zone))
}

impl FromStr for MomentText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Ok(instant) = chrono::DateTime::parse_from_rfc3339(text) {
            return Ok(Self::Instant(instant.to_utc()));
        }
        ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
            .filter(|local| (1970..=9999).contains(&local.year()))
            .map(Self::Local)
            .ok_or_else(|| format!("expected {}, found {}", Self::EXPECTED, shown(text)))
    }
}

impl Word for MomentText {
    const EXPECTED: &'static str =
        "a time such as `2026-12-02T06:00:00Z`, or `2026-12-02 06:00` in `monitoring.timezone`";
}

#[cfg(test)]
mod tests {
    use chrono_tz::{Europe, Tz};

    use super::*;

    #[test]
    fn moments_are_read_in_their_zone() {
        for (text, zone, instant) in [
            (
                "2026-12-02T06:00:00Z",
                Europe::Berlin,
                "2026-12-02T06:00:00Z",
            ),
            ("2026-12-02T06:00:00+05:30", Tz::UTC, "2026-12-02T00:30:00Z"),
            (
                "2026-12-02 06:00:00Z",
                Europe::Berlin,
                "2026-12-02T06:00:00Z",
            ),
            ("2026-12-02 06:00", Europe::Berlin, "2026-12-02T05:00:00Z"),
            (
                "2026-07-02 06:00:30",
                Europe::Berlin,
                "2026-07-02T04:00:30Z",
            ),
            // Skipped, and shown twice.
            ("2026-03-29 02:30", Europe::Berlin, "2026-03-29T01:00:00Z"),
            ("2026-10-25 02:30", Europe::Berlin, "2026-10-25T00:30:00Z"),
        ] {
            let moment: MomentText = text.parse().unwrap();
            let expected: Timestamp = instant.parse().unwrap();
            assert_eq!(moment.instant(zone), expected, "{text}");
        }
        for text in [
            "",
            "tomorrow",
            "2026-12-02",
            "06:00",
            "2026-13-02 06:00",
            "2026-12-02 24:00",
            "0001-01-01 00:00",
        ] {
            let error = text.parse::<MomentText>().unwrap_err();
            assert!(
                error.ends_with(&format!("found {}", shown(text))),
                "{error}"
            );
        }
    }
}
