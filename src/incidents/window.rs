//! Maintenance that comes again and again.

use chrono::TimeDelta;
use chrono_tz::Tz;

use super::Matcher;
use crate::model::Timestamp;
use crate::schedule::Cron;

/// No window is open for longer without a break: one that would be is a silence, and is refused as a window.
pub const LONGEST_OPEN: TimeDelta = TimeDelta::days(31);

const INSTANT: TimeDelta = TimeDelta::nanoseconds(1);

/// When maintenance is done, and on what: while it is open, nothing is said of those targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// How it is called.
    pub name: String,
    /// For which targets.
    pub matcher: Matcher,
    /// When it opens.
    pub cron: Cron,
    /// For how long, in real time: clocks that are changed meanwhile make it no longer and no shorter.
    pub duration: TimeDelta,
    /// The zone in which the entry is meant.
    pub zone: Tz,
    /// Why.
    pub comment: Option<String>,
}

/// One time that a window is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence {
    /// When it opens.
    pub from: Timestamp,
    /// When it closes, that instant excluded.
    pub until: Timestamp,
}

impl Window {
    /// The time in which it is open at `now`, if it is. What overlaps or touches is one.
    #[must_use]
    pub fn open_at(&self, now: Timestamp) -> Option<Occurrence> {
        let first = self.next_opening(now.checked_sub_signed(self.duration)?)?;
        (first <= now).then(|| {
            let from = self.start_of_run(first, now);
            let until = self.end_of_run(first);
            Occurrence { from, until }
        })
    }

    /// The first `count` times that begin after `now`.
    #[must_use]
    pub fn next(&self, now: Timestamp, count: usize) -> Vec<Occurrence> {
        let mut after = self.open_at(now).map_or(now, |open| open.until);
        let mut found = Vec::new();
        while found.len() < count {
            let Some(from) = self.next_opening(after) else {
                break;
            };
            let until = self.end_of_run(from);
            found.push(Occurrence { from, until });
            after = until;
        }
        found
    }

    /// Whether its next time ends within [`LONGEST_OPEN`]. One that is not open again is fine.
    #[must_use]
    pub fn closes(&self, now: Timestamp) -> bool {
        let next = self.next_opening(now);
        next.is_none_or(|from| self.end_of_run(from) - from <= LONGEST_OPEN)
    }

    fn next_opening(&self, after: Timestamp) -> Option<Timestamp> {
        self.cron.next_after(after, self.zone)
    }

    /// Goes back from an opening to the first that is linked to it without a break.
    fn start_of_run(&self, opening: Timestamp, now: Timestamp) -> Timestamp {
        let mut first = opening;
        while now - first <= LONGEST_OPEN {
            // The earliest that is still open when `first` opens, or closes at that instant.
            let earlier = (first.checked_sub_signed(self.duration + INSTANT))
                .and_then(|after| self.next_opening(after));
            match earlier {
                Some(earlier) if earlier < first => first = earlier,
                _ => break,
            }
        }
        first
    }

    /// Goes on from an opening to the end of what is linked to it without a break.
    fn end_of_run(&self, opening: Timestamp) -> Timestamp {
        let end_of = |opening: Timestamp| {
            (opening.checked_add_signed(self.duration)).unwrap_or(Timestamp::MAX_UTC)
        };
        let (mut last, mut end) = (opening, end_of(opening));
        while end - opening <= LONGEST_OPEN {
            // Where openings are close together, most of them are passed over.
            let passed_over = end.checked_sub_signed(self.duration / 2);
            let late = passed_over.filter(|after| *after > last);
            let next = [late, Some(last)]
                .into_iter()
                .flatten()
                .find_map(|after| self.next_opening(after).filter(|next| *next <= end));
            match next {
                Some(next) => (last, end) = (next, end_of(next)),
                None => break,
            }
        }
        end
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use chrono_tz::{Africa, America, Atlantic, Australia, Europe};
    use proptest::prelude::*;

    use super::*;

    fn window(cron: &str, duration: TimeDelta, zone: Tz) -> Window {
        Window {
            name: "one".to_owned(),
            matcher: serde_json::from_str(r#"{"names": "*"}"#).unwrap(),
            cron: cron.parse().unwrap(),
            duration,
            zone,
            comment: None,
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn text(occurrence: Occurrence) -> String {
        let short = |time: Timestamp| time.format("%dT%R").to_string();
        format!("{}/{}", short(occurrence.from), short(occurrence.until))
    }

    fn next(window: &Window, now: &str, count: usize) -> Vec<String> {
        window.next(at(now), count).into_iter().map(text).collect()
    }

    #[test]
    fn it_opens_by_its_zone_and_stays_open_in_real_time() {
        let nightly = window("0 2 * * *", TimeDelta::hours(2), Europe::Berlin);
        assert_eq!(
            next(&nightly, "2026-03-28T00:00:00Z", 3),
            // 02:00 is skipped on the 29th: it opens right after the gap, at 03:00 summer time.
            [
                "28T01:00/28T03:00",
                "29T01:00/29T03:00",
                "30T00:00/30T02:00"
            ]
        );
        assert_eq!(
            next(&nightly, "2026-10-24T12:00:00Z", 2),
            // 02:00 comes twice on the 25th, and it opens once.
            ["25T00:00/25T02:00", "26T01:00/26T03:00"]
        );
    }

    #[test]
    fn it_is_open_from_its_first_instant_to_before_its_last() {
        let nightly = window("0 2 * * *", TimeDelta::hours(2), Tz::UTC);
        let open = |now| nightly.open_at(at(now)).map(text);
        let it = Some("01T02:00/01T04:00".to_owned());
        assert_eq!(open("2026-12-01T01:59:59.999999999Z"), None);
        assert_eq!(open("2026-12-01T02:00:00Z"), it);
        assert_eq!(open("2026-12-01T03:59:59.999999999Z"), it);
        assert_eq!(open("2026-12-01T04:00:00Z"), None);
        // One that is open is not among the next.
        assert_eq!(
            next(&nightly, "2026-12-01T02:00:00Z", 1),
            ["02T02:00/02T04:00"]
        );
    }

    #[test]
    fn what_overlaps_or_touches_is_one() {
        for (cron, minutes, expected) in [
            ("0,30 2 * * *", 60, "01T02:00/01T03:30"),
            ("0,30 2 * * *", 30, "01T02:00/01T03:00"),
            ("0,30 2 * * *", 29, "01T02:00/01T02:29"),
            ("*/10 2-4 * * *", 10, "01T02:00/01T05:00"),
            ("* 2-4 * * *", 90, "01T02:00/01T06:29"),
            ("0 2 * * *", 60, "01T02:00/01T03:00"),
        ] {
            let window = window(cron, TimeDelta::minutes(minutes), Tz::UTC);
            let [found] = &window.next(at("2026-12-01T00:00:00Z"), 1)[..] else {
                panic!("{cron} never opens");
            };
            assert_eq!(text(*found), expected, "{cron} for {minutes} min");
            for inside in [found.from, found.until - INSTANT] {
                assert_eq!(window.open_at(inside), Some(*found), "{cron} at {inside}");
            }
        }
    }

    #[test]
    fn one_that_would_never_close_is_told() {
        let now = at("2026-12-01T00:00:00Z");
        for (cron, duration, closes) in [
            ("0 2 * * *", TimeDelta::hours(2), true),
            ("0 2 * * *", TimeDelta::hours(24), false),
            ("0 2 * * 1-5", TimeDelta::hours(24), true),
            ("* * * * *", TimeDelta::minutes(1), false),
            ("0 0 1 * *", TimeDelta::days(28), true),
            ("0 0 20 12 *", TimeDelta::days(14), true),
            ("0 0 30 2 *", TimeDelta::days(14), true),
        ] {
            let window = window(cron, duration, Europe::Berlin);
            assert_eq!(window.closes(now), closes, "{cron} for {duration}");
            // It ends all the same, for whoever asks.
            let _ = (window.open_at(now), window.next(now, 3));
        }
    }

    #[test]
    fn no_time_is_too_early_or_too_late() {
        let nightly = window("0 2 * * *", TimeDelta::hours(2), Europe::Berlin);
        for now in [Timestamp::MIN_UTC, Timestamp::MAX_UTC] {
            assert_eq!(nightly.open_at(now), None);
            assert!(nightly.next(now, 2).len() <= 2);
        }
    }

    const ZONES: [Tz; 6] = [
        Europe::Berlin,
        America::New_York,
        Australia::Lord_Howe,
        Africa::Cairo,
        America::Santiago,
        Atlantic::Azores,
    ];

    /// The instants at which each zone changes its clocks from 2024 to 2030, to the hour.
    static CHANGES: LazyLock<Vec<(Tz, Timestamp)>> = LazyLock::new(|| {
        let start = at("2024-01-01T00:00:00Z");
        let hours = || (0..7 * 366 * 24).map(|hour| start + TimeDelta::hours(hour));
        let changes = ZONES.iter().flat_map(|zone| {
            let ahead = |time: Timestamp| time.with_timezone(zone).naive_local() - time.naive_utc();
            hours()
                .filter(move |time| ahead(*time) != ahead(*time + TimeDelta::hours(1)))
                .map(|time| (*zone, time))
        });
        changes.collect()
    });

    #[test]
    fn every_clock_change_of_seven_years_is_known() {
        let per_zone = ZONES.map(|zone| CHANGES.iter().filter(|(one, _)| *one == zone).count());
        assert_eq!(per_zone, [14; 6]);
    }

    /// What the window is over some days, from each of its openings alone: no merging of its own is believed.
    fn openings(window: &Window, from: Timestamp, until: Timestamp) -> Vec<Timestamp> {
        let next = |after: &Timestamp| window.cron.next_after(*after, window.zone);
        let all = std::iter::successors(next(&(from - INSTANT)), next);
        all.take_while(|opening| *opening < until).collect()
    }

    fn cron_text() -> impl Strategy<Value = String> {
        let minute = prop_oneof![Just("0"), Just("30"), Just("0,20,40"), Just("*/7")];
        let hour = prop_oneof![
            Just("2"),
            Just("0-3"),
            Just("1,2,23"),
            Just("*"),
            Just("*/2"),
            Just("0"),
        ];
        (minute, hour).prop_map(|(minute, hour)| format!("{minute} {hour} * * *"))
    }

    proptest! {
        // Each case is weeks of openings, compared with one another.
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_is_open_exactly_where_one_of_its_openings_reaches(
            cron in cron_text(),
            minutes in prop_oneof![1_i64..20, 20_i64..240, 240_i64..2_000],
            (zone, middle) in prop::sample::select(&CHANGES[..]),
            offsets in prop::collection::vec(-30 * 3_600_000_i64..30 * 3_600_000, 6),
        ) {
            let duration = TimeDelta::minutes(minutes);
            let window = window(&cron, duration, zone);
            let (begin, end) = (middle - TimeDelta::days(8), middle + TimeDelta::days(8));
            let openings = openings(&window, begin, end);
            let is_open = |now: Timestamp| {
                openings.iter().any(|opening| *opening <= now && now < *opening + duration)
            };
            for offset in offsets {
                let now = middle + TimeDelta::milliseconds(offset);
                let open = window.open_at(now);
                prop_assert_eq!(open.is_some(), is_open(now), "{} {} {}", cron, zone, now);
                // Runs that reach out of the days that are known are left to the others.
                let known = |time: &Occurrence| time.from > begin + duration && time.until < end;
                let mut before = open.map_or(now, |open| open.until);
                let next = window.next(now, 2);
                for occurrence in open.iter().chain(&next).filter(|time| known(time)) {
                    let Occurrence { from, until } = *occurrence;
                    prop_assert!(openings.contains(&from));
                    prop_assert!(openings.contains(&(until - duration)));
                    prop_assert!(!is_open(from - INSTANT) && !is_open(until));
                    for inside in openings.iter().filter(|time| from <= **time && **time < until) {
                        prop_assert_eq!(window.open_at(*inside), Some(*occurrence));
                        prop_assert!(is_open(*inside) && is_open(*inside - INSTANT) == (*inside != from));
                    }
                    prop_assert_eq!(window.open_at(until - INSTANT), Some(*occurrence));
                    prop_assert_eq!(window.open_at(until), None);
                }
                for occurrence in next.iter().filter(|time| known(time)) {
                    prop_assert!(occurrence.from > before);
                    // None is left out between two.
                    let left_out = openings.iter().any(|time| before < *time && *time < occurrence.from);
                    prop_assert!(!left_out);
                    before = occurrence.until;
                }
            }
        }
    }
}
