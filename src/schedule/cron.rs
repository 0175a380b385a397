//! A cron entry, and when it fires in a time zone.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime};
use chrono_tz::Tz;
use croner::parser::{CronParser, Seconds, Year};

use super::{words, zone};
use crate::document::shown;
use crate::model::Timestamp;

/// The parser's search gives up in the year 5000.
const LAST_YEAR: i32 = 4999;

/// No zone has ever repeated more than a day, which is what crossing the date line costs.
const MOST_REPEATED_MINUTES: usize = 24 * 60 + 1;

/// More changes of the clocks than any zone has had: a bound for a search, never met.
const MOST_CHANGES: usize = 10_000;

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
    "expected five cron fields (minute hour day month weekday) such as `0 */6 * * *`, found {found}: {reason}"
)]
pub struct CronError {
    /// As it may be shown.
    found: String,
    reason: String,
}

/// The fields and what may stand in them.
const FIELDS: [&str; 5] = [
    "minute (0 to 59)",
    "hour (0 to 23)",
    "day of the month (1 to 31)",
    "month (1 to 12)",
    "weekday (0 to 7)",
];

/// Why a text is no entry. The library's own words speak of its options.
fn reason(parser: CronParser, text: &str) -> String {
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        let plural = if fields.len() == 1 { "" } else { "s" };
        return format!("that is {} field{plural}", fields.len());
    }
    let is_wrong = |index: &usize| {
        let mut alone = ["*"; FIELDS.len()];
        alone[*index] = fields[*index];
        parser.parse(&alone.join(" ")).is_err()
    };
    (0..FIELDS.len()).find(is_wrong).map_or_else(
        || "the fields do not go together".to_owned(),
        |wrong| format!("{} is no {}", shown(fields[wrong]), FIELDS[wrong]),
    )
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
            Err(_) => Err(CronError {
                found: shown(text.trim()),
                reason: reason(parser, text),
            }),
        }
    }
}

impl Cron {
    /// The first time strictly after `after` at which this entry fires in `zone`; nothing when that never comes.
    ///
    /// An entry with fixed hours (lists and ranges included) fires once for each local time it names: the first
    /// time the clocks show it, or right after the gap that swallows it. Wildcard and step patterns in the hour
    /// field follow real time: they fire in both passes of a repeated hour, and not for a missing one.
    ///
    /// Looks at the years 1 to 4999.
    #[must_use]
    pub fn next_after(&self, after: Timestamp, zone: Tz) -> Option<Timestamp> {
        let after = after.max(start_of_year(1)?);
        if self.has_fixed_hours() {
            self.next_on_the_clock(after, zone)
        } else {
            self.next_in_real_time(after, zone)
        }
    }

    /// Whether there is any day on which this entry fires: `0 0 30 2 *` has none.
    #[must_use]
    pub fn ever_fires(&self) -> bool {
        // The calendar repeats itself after 400 years, so the last 400 that the search looks at stand for all.
        start_of_year(LAST_YEAR - 399)
            .and_then(|start| self.next_local(start.naive_utc(), Inclusion::From))
            .is_some()
    }

    /// The entry in words, to stand in the middle of a sentence.
    #[must_use]
    pub fn in_words(&self) -> String {
        words::of(&self.entry)
    }

    fn has_fixed_hours(&self) -> bool {
        // The parsed pattern, because it has names such as `@hourly` written out.
        let hours = self.entry.pattern.as_str().split_whitespace().nth(1);
        !hours.is_some_and(|hours| hours.contains(['*', '/']))
    }

    fn next_on_the_clock(&self, after: Timestamp, zone: Tz) -> Option<Timestamp> {
        let mut local = zone::local(zone, after)?;
        for _ in 0..MOST_REPEATED_MINUTES {
            // What is named no later than the local time of `after` is due no later than `after`.
            local = self.next_local(local, Inclusion::After)?;
            let due = zone::first_instant(zone, local)?;
            // In the second pass of a repeated hour, what is named there was due in the first.
            if due > after {
                return Some(due);
            }
        }
        None
    }

    fn next_in_real_time(&self, after: Timestamp, zone: Tz) -> Option<Timestamp> {
        let (mut from, mut inclusion) = (after, Inclusion::After);
        for _ in 0..MOST_CHANGES {
            let offset = zone::offset(zone, from);
            let local = from.naive_utc().checked_add_signed(offset)?;
            let due = self
                .next_local(local, inclusion)?
                .checked_sub_signed(offset)?
                .and_utc();
            match zone::first_change(zone, from, due) {
                None => return Some(due),
                Some(change) => (from, inclusion) = (change, Inclusion::From),
            }
        }
        None
    }

    /// The first local time that the entry names. No zone goes into the search: the parser's own handling of
    /// clock changes skips a gap for a list of hours, and fires a fixed hour twice when it is repeated.
    fn next_local(&self, start: NaiveDateTime, inclusion: Inclusion) -> Option<NaiveDateTime> {
        let inclusive = matches!(inclusion, Inclusion::From);
        let found = self.entry.find_next_occurrence(&start, inclusive).ok()?;
        (found.year() <= LAST_YEAR).then_some(found)
    }
}

/// Whether a search may find the time at which it starts.
#[derive(Clone, Copy)]
enum Inclusion {
    From,
    After,
}

fn start_of_year(year: i32) -> Option<Timestamp> {
    let day = NaiveDate::from_ymd_opt(year, 1, 1)?;
    Some(day.and_time(NaiveTime::MIN).and_utc())
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
    use std::sync::LazyLock;

    use chrono::{TimeDelta, Timelike};
    use chrono_tz::{Africa, America, Atlantic, Australia, Europe, Pacific};
    use proptest::prelude::*;

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

    fn cron(entry: &str) -> Cron {
        entry.parse().unwrap()
    }

    fn instant(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn firings(entry: &str, zone: Tz, after: &str, count: usize) -> Vec<String> {
        let cron = cron(entry);
        std::iter::successors(Some(instant(after)), |after| cron.next_after(*after, zone))
            .skip(1)
            .take(count)
            .map(|due| due.format("%FT%RZ").to_string())
            .collect()
    }

    #[test]
    fn clock_changes_neither_lose_nor_double_a_fixed_hour() {
        const SPRING: &str = "2026-03-28T23:00:00Z";
        const AUTUMN: &str = "2026-10-24T22:00:00Z";
        for (entry, after, expected) in [
            (
                "0 2,14 * * *",
                SPRING,
                ["2026-03-29T01:00Z", "2026-03-29T12:00Z"],
            ),
            (
                "*/10 2 * * *",
                SPRING,
                ["2026-03-29T01:00Z", "2026-03-30T00:00Z"],
            ),
            (
                "0 2-3 * * *",
                SPRING,
                ["2026-03-29T01:00Z", "2026-03-30T00:00Z"],
            ),
            (
                "30 1-2 * * *",
                SPRING,
                ["2026-03-29T00:30Z", "2026-03-29T01:00Z"],
            ),
            (
                "0 2,14 * * *",
                AUTUMN,
                ["2026-10-25T00:00Z", "2026-10-25T13:00Z"],
            ),
            (
                "30 2 * * *",
                AUTUMN,
                ["2026-10-25T00:30Z", "2026-10-26T01:30Z"],
            ),
            (
                "30 2 * * *",
                "2026-10-25T01:10:00Z",
                ["2026-10-26T01:30Z", "2026-10-27T01:30Z"],
            ),
        ] {
            let found = firings(entry, Europe::Berlin, after, 2);
            assert_eq!(found, expected, "{entry} after {after}");
        }
    }

    #[test]
    fn wildcard_and_step_hours_follow_real_time() {
        let autumn = [
            "2026-10-24T23:30Z",
            "2026-10-25T00:30Z",
            "2026-10-25T01:30Z",
        ];
        assert_eq!(
            firings("30 * * * *", Europe::Berlin, "2026-10-24T23:00:00Z", 3),
            autumn
        );
        let spring = ["2026-03-28T23:30Z", "2026-03-29T02:30Z"];
        assert_eq!(
            firings("30 */2 * * *", Europe::Berlin, "2026-03-28T23:00:00Z", 2),
            spring
        );
    }

    #[test]
    fn days_of_month_and_week_are_joined_by_or() {
        let expected = [
            "2026-02-06T00:00Z",
            "2026-02-13T00:00Z",
            "2026-02-15T00:00Z",
        ];
        assert_eq!(
            firings("0 0 15 * 5", Tz::UTC, "2026-02-01T00:00:00Z", 3),
            expected
        );
        for sunday in ["0 0 * * 0", "0 0 * * 7"] {
            assert_eq!(
                firings(sunday, Tz::UTC, "2026-02-01T00:00:00Z", 1),
                ["2026-02-08T00:00Z"]
            );
        }
        assert_eq!(
            firings("0 */12 29 2 *", Europe::Berlin, "2026-02-01T00:00:00Z", 2),
            ["2028-02-28T23:00Z", "2028-02-29T11:00Z"]
        );
    }

    #[test]
    fn what_never_fires_says_so() {
        for never in ["0 0 30 2 *", "*/5 * 31 4,6,9,11 *", "0 0 31 2 +1"] {
            assert!(!cron(never).ever_fires(), "{never}");
            assert_eq!(
                cron(never).next_after(instant("2026-01-01T00:00:00Z"), Tz::UTC),
                None
            );
        }
        for ever in ["0 0 29 2 *", "0 0 30 2 1", "0 0 29 2 +1", "* * * * *"] {
            assert!(cron(ever).ever_fires(), "{ever}");
        }
    }

    #[test]
    fn no_time_is_too_early_or_too_late() {
        for zone in [
            Tz::UTC,
            Europe::Berlin,
            Pacific::Kiritimati,
            Pacific::Pago_Pago,
        ] {
            for entry in ["0 2 * * *", "*/5 * * * *", "0 0 29 2 *", "0 * 29 2 +1"] {
                let cron = cron(entry);
                for year in [
                    i32::MIN,
                    -1,
                    0,
                    1,
                    2,
                    1_582,
                    1_900,
                    1_969,
                    2_037,
                    2_100,
                    4_990,
                ] {
                    let after = start_of_year(year).unwrap_or(Timestamp::MIN_UTC);
                    let due = cron.next_after(after, zone);
                    assert!(due.is_some_and(|due| due > after), "{entry} {zone} {after}");
                }
                for year in [5_001, i32::MAX] {
                    let after = start_of_year(year).unwrap_or(Timestamp::MAX_UTC);
                    assert_eq!(cron.next_after(after, zone), None, "{entry} {zone} {after}");
                }
            }
        }
    }

    /// Zones that change their clocks in these years: in the morning, by half an hour, at midnight, and at UTC.
    const ZONES: [Tz; 6] = [
        Europe::Berlin,
        America::New_York,
        Australia::Lord_Howe,
        Africa::Cairo,
        America::Santiago,
        Atlantic::Azores,
    ];

    /// Days around a change of the clocks, walked minute by minute: each minute with its local time.
    struct Walk {
        zone: Tz,
        minutes: Vec<(Timestamp, NaiveDateTime)>,
    }

    /// One walk for each change of the clocks of `ZONES` in the years 2024 to 2030.
    static WALKS: LazyLock<Vec<Walk>> = LazyLock::new(|| {
        let hours_2024_to_2030 = 7 * 366 * 24;
        let start = instant("2024-01-01T00:00:00Z");
        let mut walks = Vec::new();
        for zone in ZONES {
            let local_ahead =
                |time: Timestamp| time.with_timezone(&zone).naive_local() - time.naive_utc();
            // In steps of two hours, which is exact enough for the middle of a walk.
            for hour in (0..hours_2024_to_2030).step_by(2) {
                let time = start + TimeDelta::hours(hour);
                if local_ahead(time) != local_ahead(time + TimeDelta::hours(2)) {
                    let minutes = (-24 * 60..26 * 60).map(|minute| {
                        let minute = time + TimeDelta::minutes(minute);
                        (minute, minute.with_timezone(&zone).naive_local())
                    });
                    let minutes = minutes.collect();
                    walks.push(Walk { zone, minutes });
                }
            }
        }
        walks
    });

    /// Minutes and hours of an entry as sets, read without the parser.
    fn times(entry: &str) -> [Vec<bool>; 2] {
        let mut fields = entry.split(' ');
        [60, 24].map(|count| {
            let mut set = vec![false; count];
            for part in fields.next().unwrap().split(',') {
                let (range, step) = part.split_once('/').unwrap_or((part, "1"));
                let (first, last) = match range.split_once('-') {
                    _ if range == "*" => (0, count - 1),
                    Some((first, last)) => (first.parse().unwrap(), last.parse().unwrap()),
                    None => (range.parse().unwrap(), range.parse().unwrap()),
                };
                for value in (first..=last).step_by(step.parse().unwrap()) {
                    set[value] = true;
                }
            }
            set
        })
    }

    impl Walk {
        /// What the rule says, told from the walk alone.
        fn firings(&self, entry: &str) -> Vec<Timestamp> {
            let [minutes, hours] = times(entry);
            let is_named = |local: NaiveDateTime| {
                minutes[usize::try_from(local.minute()).unwrap()]
                    && hours[usize::try_from(local.hour()).unwrap()]
            };
            if entry.split(' ').nth(1).unwrap().contains(['*', '/']) {
                let shown = self.minutes.iter().filter(|(_, local)| is_named(*local));
                return shown.map(|(time, _)| *time).collect();
            }
            let mut firings = Vec::new();
            let mut next = self.minutes[0].1;
            for (time, local) in &self.minutes {
                // Every local minute is reached once, whether the clocks show it never, once or twice.
                while next <= *local {
                    if is_named(next) && firings.last() != Some(time) {
                        firings.push(*time);
                    }
                    next += TimeDelta::minutes(1);
                }
            }
            firings
        }

        fn assert_next(&self, entry: &str, expected: &[Timestamp], after: Timestamp) {
            // What lies beyond the walk is not known to it.
            if let Some(due) = expected.iter().find(|due| **due > after) {
                let next = cron(entry).next_after(after, self.zone);
                assert_eq!(next, Some(*due), "{entry} {} after {after}", self.zone);
            }
        }
    }

    #[test]
    fn every_clock_change_of_seven_years_is_walked() {
        let per_zone = ZONES.map(|zone| WALKS.iter().filter(|walk| walk.zone == zone).count());
        assert_eq!(per_zone, [14; 6]);
    }

    #[test]
    fn firings_are_those_of_a_walk_over_every_clock_change() {
        for entry in [
            "0 2 * * *",
            "0 2,14 * * *",
            "30 0-3 * * *",
            "*/10 0,2 * * *",
            "15,45 1-2,23 * * *",
            "59 23 * * *",
            "0 0 * * *",
            "*/20 0-23 * * *",
            "30 * * * *",
            "*/15 */2 * * *",
            "0 */6 * * *",
            "10,50 1-23/2 * * *",
            "5 0,*/3 * * *",
        ] {
            let cron = cron(entry);
            for walk in WALKS.iter() {
                let expected = walk.firings(entry);
                assert!(expected.is_sorted_by(|one, next| one < next), "{entry}");
                let mut after = walk.minutes[0].0 - TimeDelta::nanoseconds(1);
                for due in expected {
                    let next = cron.next_after(after, walk.zone);
                    assert_eq!(next, Some(due), "{entry} {} after {after}", walk.zone);
                    after = due;
                }
            }
        }
    }

    fn field(count: u32) -> impl Strategy<Value = String> {
        let part = prop_oneof![
            4 => (0..count).prop_map(|value| value.to_string()),
            2 => (0..count, 0..count)
                .prop_map(|(one, other)| format!("{}-{}", one.min(other), one.max(other))),
            1 => (1..count).prop_map(|step| format!("*/{step}")),
            1 => (0..count, 1..count)
                .prop_map(move |(first, step)| format!("{first}-{}/{step}", count - 1)),
        ];
        prop::collection::vec(part, 1..4).prop_map(|parts| parts.join(","))
    }

    proptest! {
        #[test]
        fn the_next_firing_after_any_instant_is_that_of_the_walk(
            minutes in field(60),
            // The clocks change in the first hours of a day, or around midnight.
            hours in prop_oneof![field(24), field(4), Just("*".to_owned())],
            walk in 0..84_usize,
            milliseconds in prop::collection::vec(0..50 * 3_600_000_i64, 8),
        ) {
            let (entry, walk) = (format!("{minutes} {hours} * * *"), &WALKS[walk]);
            let expected = walk.firings(&entry);
            for milliseconds in milliseconds {
                let after = walk.minutes[0].0 + TimeDelta::milliseconds(milliseconds);
                walk.assert_next(&entry, &expected, after);
            }
        }
    }
}
