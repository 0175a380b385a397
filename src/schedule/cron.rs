//! Cron entries: read, put into words, and asked for their next time.
//!
//! croner knows which local times match; which instants those are is decided here, because it gets the hours around a
//! change of the clocks wrong for lists of hours (`docs/decisions/0014-schedule.md`).

use chrono::{Datelike, LocalResult, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::model::Timestamp;

use std::fmt;
use std::str::FromStr;

use croner::parser::{CronParser, Seconds, Year};

/// The years in which times are looked for. A clock outside of them shows no time, and croner would search for a minute.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=4900;

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
    /// The first time strictly after `after` in that zone. `None`: it never comes, or not in a time that can be told.
    ///
    /// An entry with fixed hours, lists and ranges included, fires once for each of its local times: the first time
    /// where the clocks are set back over it, right after the gap where they are set forward over it. One with `*` or
    /// `/` in its hours follows real time: it fires whenever the local clock shows such a time.
    #[must_use]
    pub fn next_after(&self, after: Timestamp, zone: Tz) -> Option<Timestamp> {
        if !YEARS.contains(&after.year()) {
            return None;
        }
        if self.has_fixed_hours() {
            self.next_fixed(after, zone)
        } else {
            self.next_real(after, zone)
        }
    }

    /// Whether it comes at all: `0 0 30 2 *` does not.
    #[must_use]
    pub fn ever_fires(&self) -> bool {
        self.next_local(Timestamp::UNIX_EPOCH.naive_utc(), true)
            .is_some()
    }

    fn has_fixed_hours(&self) -> bool {
        let hours = self.text.split_whitespace().nth(1).unwrap_or_default();
        !hours.contains(['*', '/', '?'])
    }

    /// The first local time that matches, from `from` on.
    fn next_local(&self, from: NaiveDateTime, inclusive: bool) -> Option<NaiveDateTime> {
        let next = self.entry.find_next_occurrence(&from.and_utc(), inclusive);
        next.ok().map(|next| next.naive_utc())
    }

    fn next_fixed(&self, after: Timestamp, zone: Tz) -> Option<Timestamp> {
        let mut local = local_at(after, zone)?;
        let mut inclusive = true;
        // What lies behind us maps to times that are over: those of a repeated hour, or of a gap. Neither is longer
        // than a day of minutes.
        for _ in 0..3_000 {
            let next = self.next_local(local, inclusive)?;
            let at = instant_of(next, zone)?;
            if at > after {
                return Some(at);
            }
            (local, inclusive) = (next, false);
        }
        None
    }

    fn next_real(&self, after: Timestamp, zone: Tz) -> Option<Timestamp> {
        let mut from = after;
        let mut inclusive = false;
        // A segment of one offset at a time; an entry that comes once in eight years passes sixteen of them.
        for _ in 0..64 {
            let offset = offset_at(from, zone);
            let local = from.naive_utc().checked_add_signed(offset)?;
            let next = self.next_local(local, inclusive)?;
            let at = next.checked_sub_signed(offset)?.and_utc();
            match transition(from, at, zone) {
                None => return Some(at),
                Some(changed) => (from, inclusive) = (changed, true),
            }
        }
        None
    }

    /// The entry in words.
    #[must_use]
    pub fn in_words(&self) -> String {
        self.entry.describe()
    }
}

fn offset_at(at: Timestamp, zone: Tz) -> TimeDelta {
    let offset = zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    TimeDelta::seconds(offset.local_minus_utc().into())
}

fn local_at(at: Timestamp, zone: Tz) -> Option<NaiveDateTime> {
    at.naive_utc().checked_add_signed(offset_at(at, zone))
}

/// When a local time is: the first time where it comes twice; the end of the gap where it does not come.
fn instant_of(local: NaiveDateTime, zone: Tz) -> Option<Timestamp> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at.with_timezone(&Utc)),
        LocalResult::None => {
            // No zone is further from UTC than this, so the change lies between.
            let day = TimeDelta::hours(26);
            let before = local.checked_sub_signed(day)?.and_utc();
            let after = local.checked_add_signed(day)?.and_utc();
            // Of several changes in these days it is the one that skips this time.
            let mut from = before;
            while let Some(changed) = transition(from, after, zone) {
                let starts = local_at(changed - TimeDelta::seconds(1), zone)?;
                let ends = local_at(changed, zone)?;
                if starts < local && local <= ends {
                    return Some(changed);
                }
                from = changed;
            }
            None
        }
    }
}

/// The first change of the offset after `from`, up to `to`, to the second.
fn transition(from: Timestamp, to: Timestamp, zone: Tz) -> Option<Timestamp> {
    let hop = TimeDelta::hours(12);
    let offset = offset_at(from, zone);
    let mut same = from;
    while same < to {
        let next = same.checked_add_signed(hop)?.min(to);
        if offset_at(next, zone) != offset {
            return Some(bisect(same, next, zone));
        }
        same = next;
    }
    None
}

/// The first second at which the offset is no longer that of `same`; at `other` it is not.
fn bisect(same: Timestamp, other: Timestamp, zone: Tz) -> Timestamp {
    let offset = offset_at(same, zone);
    // Offsets change at whole seconds.
    let (mut low, mut high) = (same.timestamp(), other.timestamp());
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        match Utc.timestamp_opt(middle, 0).single() {
            Some(at) if offset_at(at, zone) == offset => low = middle,
            _ => high = middle,
        }
    }
    Utc.timestamp_opt(high, 0).single().unwrap_or(other)
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

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn times(entry: &str, zone: Tz, from: &str, count: usize) -> Vec<String> {
        let cron: Cron = entry.parse().expect(entry);
        let mut after = at(from);
        (0..count)
            .map(|_| {
                after = cron.next_after(after, zone).expect("it comes");
                after.with_timezone(&zone).format("%d %H:%M%:z").to_string()
            })
            .collect()
    }

    #[test]
    fn fixed_hours_fire_once_on_the_days_on_which_the_clocks_are_set() {
        let zone = chrono_tz::Europe::Berlin;
        // In 2026 the hour from 02:00 is missing on 29 March and comes twice on 25 October.
        for (entry, from, expected) in [
            (
                "30 2 * * *",
                "2026-03-28T12:00:00Z",
                &["29 03:00+02:00", "30 02:30+02:00"][..],
            ),
            (
                "0 2,14 * * *",
                "2026-03-28T22:00:00Z",
                &["29 03:00+02:00", "29 14:00+02:00"],
            ),
            (
                "*/10 2 * * *",
                "2026-03-28T22:00:00Z",
                &["29 03:00+02:00", "30 02:00+02:00"],
            ),
            (
                "0 2,3 * * *",
                "2026-03-28T22:00:00Z",
                &["29 03:00+02:00", "30 02:00+02:00"],
            ),
            (
                "0 2,14 * * *",
                "2026-10-24T22:00:00Z",
                &["25 02:00+02:00", "25 14:00+01:00"],
            ),
            (
                "30 1-3 * * *",
                "2026-10-24T22:00:00Z",
                &["25 01:30+02:00", "25 02:30+02:00", "25 03:30+01:00"],
            ),
        ] {
            assert_eq!(
                times(entry, zone, from, expected.len()),
                expected,
                "{entry}"
            );
        }
    }

    #[test]
    fn wildcards_and_steps_follow_real_time() {
        let zone = chrono_tz::Europe::Berlin;
        for (entry, from, expected) in [
            (
                "*/30 * * * *",
                "2026-10-24T23:45:00Z",
                &[
                    "25 02:00+02:00",
                    "25 02:30+02:00",
                    "25 02:00+01:00",
                    "25 02:30+01:00",
                    "25 03:00+01:00",
                ][..],
            ),
            (
                "15 * * * *",
                "2026-03-29T00:00:00Z",
                &["29 01:15+01:00", "29 03:15+02:00", "29 04:15+02:00"],
            ),
            (
                "0 */2 * * *",
                "2026-03-28T22:30:00Z",
                &["29 00:00+01:00", "29 04:00+02:00"],
            ),
        ] {
            assert_eq!(
                times(entry, zone, from, expected.len()),
                expected,
                "{entry}"
            );
        }
    }

    #[test]
    fn days_are_counted_as_posix_does() {
        let zone = chrono_tz::UTC;
        // 2026-11-13 is a Friday: a day of the month or a day of the week.
        assert_eq!(
            times("0 9 13 * 1", zone, "2026-11-08T00:00:00Z", 3),
            ["09 09:00+00:00", "13 09:00+00:00", "16 09:00+00:00"]
        );
        for entry in ["0 0 * * 0", "0 0 * * 7"] {
            assert_eq!(
                times(entry, zone, "2026-11-24T00:00:00Z", 1),
                ["29 00:00+00:00"]
            );
        }
        let never: Cron = "0 0 30 2 *".parse().expect("it can be read");
        assert!(!never.ever_fires());
        assert_eq!(never.next_after(at("2026-01-01T00:00:00Z"), zone), None);
        assert!(
            "0 0 29 2 *"
                .parse::<Cron>()
                .expect("a leap day")
                .ever_fires()
        );
    }

    #[test]
    fn no_time_is_too_far() {
        let cron = Cron::default();
        for zone in [chrono_tz::UTC, chrono_tz::Europe::Berlin] {
            for far in [Timestamp::MAX_UTC, Timestamp::MIN_UTC] {
                assert_eq!(cron.next_after(far, zone), None);
            }
        }
    }

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
