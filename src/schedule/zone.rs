//! Local time and instants: how the clocks of a zone run, and where they are changed.

use chrono::{DateTime, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;

use crate::model::Timestamp;

/// No change of the clocks is undone within this time.
const HOP: TimeDelta = TimeDelta::hours(12);

/// Further than any local time has ever been from UTC.
const FARTHEST_OFFSET: TimeDelta = TimeDelta::hours(24);

/// What is added to UTC at `instant` to get the local time.
pub(super) fn offset(zone: Tz, instant: Timestamp) -> TimeDelta {
    let offset = zone.offset_from_utc_datetime(&instant.naive_utc()).fix();
    TimeDelta::seconds(i64::from(offset.local_minus_utc()))
}

/// What the clocks show at `instant`; nothing when no date can say it.
pub(super) fn local(zone: Tz, instant: Timestamp) -> Option<NaiveDateTime> {
    instant
        .naive_utc()
        .checked_add_signed(offset(zone, instant))
}

/// When the clocks first show `local`; the end of the gap when they skip it.
#[must_use]
pub fn first_instant(zone: Tz, local: NaiveDateTime) -> Option<Timestamp> {
    match zone.from_local_datetime(&local).earliest() {
        Some(instant) => Some(instant.to_utc()),
        None => gap_end(zone, local),
    }
}

/// The end of the gap in which `skipped` lies: the first instant at which the clocks are past it.
fn gap_end(zone: Tz, skipped: NaiveDateTime) -> Option<Timestamp> {
    let before = skipped.and_utc().checked_sub_signed(FARTHEST_OFFSET)?;
    let behind = skipped.and_utc().checked_add_signed(FARTHEST_OFFSET)?;
    first_second(before, behind, |instant| {
        local(zone, instant).is_some_and(|shown| shown > skipped)
    })
}

/// The first change of the clocks after `from`, up to and including `until`.
pub(super) fn first_change(zone: Tz, from: Timestamp, until: Timestamp) -> Option<Timestamp> {
    let start = offset(zone, from);
    let changed = |instant| offset(zone, instant) != start;
    let mut low = from;
    while low < until {
        let high = low.checked_add_signed(HOP).unwrap_or(until).min(until);
        if changed(high) {
            return first_second(low, high, changed);
        }
        low = high;
    }
    None
}

/// The first whole second after `low` for which `holds`, given that it does for `high` and not for `low`.
fn first_second(
    low: Timestamp,
    high: Timestamp,
    holds: impl Fn(Timestamp) -> bool,
) -> Option<Timestamp> {
    let (mut low, mut high) = (low.timestamp(), high.timestamp());
    while high - low > 1 {
        let middle = low.midpoint(high);
        if holds(DateTime::from_timestamp(middle, 0)?) {
            high = middle;
        } else {
            low = middle;
        }
    }
    DateTime::from_timestamp(high, 0)
}

#[cfg(test)]
mod tests {
    use chrono_tz::{Africa, America, Australia, Europe, Pacific};

    use super::*;

    fn instant(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_skipped_local_time_is_due_at_the_end_of_the_gap() {
        for (zone, skipped, expected) in [
            (
                Europe::Berlin,
                "2026-03-29T02:00:00",
                "2026-03-29T01:00:00Z",
            ),
            (
                Europe::Berlin,
                "2026-03-29T02:59:00",
                "2026-03-29T01:00:00Z",
            ),
            (
                Australia::Lord_Howe,
                "2026-10-04T02:29:00",
                "2026-10-03T15:30:00Z",
            ),
            (Africa::Cairo, "2026-04-24T00:00:00", "2026-04-23T22:00:00Z"),
            (
                America::Santiago,
                "2026-09-06T00:30:00",
                "2026-09-06T04:00:00Z",
            ),
            // Samoa went over the date line, and has had no such day.
            (Pacific::Apia, "2011-12-30T12:00:00", "2011-12-30T10:00:00Z"),
        ] {
            let due = first_instant(zone, skipped.parse().unwrap());
            assert_eq!(due, Some(instant(expected)), "{zone} {skipped}");
        }
    }

    #[test]
    fn a_repeated_local_time_is_due_in_its_first_pass() {
        let repeated = "2026-10-25T02:30:00".parse().unwrap();
        assert_eq!(
            first_instant(Europe::Berlin, repeated),
            Some(instant("2026-10-25T00:30:00Z"))
        );
    }

    #[test]
    fn a_change_is_found_to_the_second_and_only_behind_the_start() {
        let change = instant("2026-03-29T01:00:00Z");
        let found = |from, until| first_change(Europe::Berlin, instant(from), instant(until));
        assert_eq!(
            found("2026-01-01T00:00:00.7Z", "2026-06-01T00:00:00Z"),
            Some(change)
        );
        assert_eq!(
            found("2026-03-29T00:59:59.9Z", "2026-03-29T01:00:00Z"),
            Some(change)
        );
        assert_eq!(found("2026-03-29T01:00:00Z", "2026-06-01T00:00:00Z"), None);
        assert_eq!(found("2026-03-28T00:00:00Z", "2026-03-29T00:59:59Z"), None);
    }
}
