//! When something is due: pure arithmetic over cron entries.

use std::fmt;
use std::str::FromStr;

use croner::parser::{CronParser, Seconds, Year};

/// A 5-field cron entry as POSIX has it: day of month and day of week are OR-ed when both are set, 0 and 7 are
/// Sunday.
#[derive(Clone, PartialEq)]
pub struct Cron {
    text: String,
    entry: croner::Cron,
}

/// Why a text is no cron entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected five cron fields (minute hour day month weekday) such as `0 */6 * * *`, found `{text}`: {reason}"
)]
pub struct CronError {
    text: String,
    reason: String,
}

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        match parser.parse(text.trim()) {
            Ok(entry) => Ok(Self {
                text: text.trim().to_owned(),
                entry,
            }),
            Err(error) => Err(CronError {
                text: text.to_owned(),
                reason: error.to_string(),
            }),
        }
    }
}

impl Cron {
    /// The entry in words.
    #[must_use]
    pub fn in_words(&self) -> String {
        self.entry.describe()
    }
}

impl Default for Cron {
    /// Every six hours, as the predecessor had it.
    fn default() -> Self {
        let text = "0 */6 * * *";
        match text.parse() {
            Ok(cron) => cron,
            Err(error) => unreachable!("{error}"),
        }
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cron({})", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_fields_are_read_and_nothing_else() {
        for good in [
            "0 */6 * * *",
            "*/15 9-17 * * 1-5",
            "0 9 1,15 * 0",
            "0 0 * * 7",
        ] {
            assert!(good.parse::<Cron>().is_ok(), "{good}");
        }
        for bad in ["", "every hour", "60 * * * *", "0 0 0 * * *", "* * * *"] {
            let error = bad.parse::<Cron>().expect_err(bad).to_string();
            assert!(error.starts_with("expected five cron fields"), "{error}");
        }
    }
}
