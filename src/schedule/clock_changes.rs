//! Every change of the clocks of six zones from 2024 to 2030, against a walk over the minutes.

use std::sync::OnceLock;

use chrono::{Datelike, LocalResult, NaiveDateTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;

use super::Cron;
use crate::model::Timestamp;

const ZONES: [Tz; 6] = [
    chrono_tz::Europe::Berlin,
    chrono_tz::America::New_York,
    chrono_tz::Australia::Lord_Howe,
    chrono_tz::Africa::Cairo,
    chrono_tz::America::Santiago,
    chrono_tz::Atlantic::Azores,
];

/// The changes of all zones, looked for once.
fn changes(zone: Tz) -> &'static [Timestamp] {
    static ALL: OnceLock<Vec<Vec<Timestamp>>> = OnceLock::new();
    let all = ALL.get_or_init(|| ZONES.iter().map(|zone| look_for_changes(*zone)).collect());
    let index = ZONES.iter().position(|known| *known == zone);
    &all[index.expect("one of them")]
}

/// The minutes in which the offset of a zone changes.
fn look_for_changes(zone: Tz) -> Vec<Timestamp> {
    let offset = |at: Timestamp| at.with_timezone(&zone).naive_local() - at.naive_utc();
    let begin = Utc.with_ymd_and_hms(2024, 1, 1, 0, 0, 0).unwrap();
    let end = Utc.with_ymd_and_hms(2031, 1, 1, 0, 0, 0).unwrap();
    let mut found = Vec::new();
    let mut day = begin;
    while day < end {
        let next = day + TimeDelta::days(1);
        if offset(day) != offset(next) {
            let mut at = day;
            while offset(at) == offset(at + TimeDelta::minutes(1)) {
                at += TimeDelta::minutes(1);
            }
            found.push(at + TimeDelta::minutes(1));
        }
        day = next;
    }
    found
}

/// The numbers of a field: `*`, `*/n`, `a`, `a-b`, lists of them.
fn field(text: &str, most: u32) -> Vec<u32> {
    text.split(',')
        .flat_map(|part| {
            let (range, step) = part.split_once('/').unwrap_or((part, "1"));
            let (from, to) = match range.split_once('-') {
                Some((from, to)) => (from.parse().unwrap(), to.parse().unwrap()),
                None if range == "*" => (0, most),
                None => (range.parse().unwrap(), range.parse().unwrap()),
            };
            (from..=to).step_by(step.parse().unwrap())
        })
        .collect()
}

fn matches(minutes: &[u32], hours: &[u32], local: NaiveDateTime) -> bool {
    minutes.contains(&local.minute()) && hours.contains(&local.hour())
}

/// All times in a window by walking its minutes: independent of how they are looked up.
fn walked(minute: &str, hour: &str, zone: Tz, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let (minutes, hours) = (field(minute, 59), field(hour, 23));
    let mut found = Vec::new();
    if hour.contains(['*', '/']) {
        let mut at = from;
        while at < to {
            if matches(&minutes, &hours, at.with_timezone(&zone).naive_local()) {
                found.push(at);
            }
            at += TimeDelta::minutes(1);
        }
        return found;
    }
    let mut local = from.naive_utc() - TimeDelta::hours(30);
    while local < to.naive_utc() + TimeDelta::hours(30) {
        if matches(&minutes, &hours, local) {
            found.push(match zone.from_local_datetime(&local) {
                LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.with_timezone(&Utc),
                LocalResult::None => {
                    let mut later = local;
                    while zone.from_local_datetime(&later).earliest().is_none() {
                        later += TimeDelta::minutes(1);
                    }
                    let end = zone.from_local_datetime(&later).earliest();
                    end.unwrap().with_timezone(&Utc)
                }
            });
        }
        local += TimeDelta::minutes(1);
    }
    found.retain(|at| from <= *at && *at < to);
    found.dedup();
    found
}

fn asked(cron: &Cron, zone: Tz, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let mut found = Vec::new();
    let mut after = from - TimeDelta::seconds(1);
    while let Some(next) = cron.next_after(after, zone).filter(|next| *next < to) {
        assert!(next > after, "{cron:?} in {zone} after {after}");
        found.push(next);
        after = next;
    }
    found
}

#[test]
fn all_changes_are_known() {
    let counts: Vec<usize> = ZONES.iter().map(|zone| changes(*zone).len()).collect();
    assert_eq!(counts, [14; 6]);
}

#[test]
fn around_every_change_entries_fire_as_a_walk_over_the_minutes_says() {
    for zone in ZONES {
        for &change in changes(zone) {
            let (from, to) = (change - TimeDelta::hours(5), change + TimeDelta::hours(20));
            for (minute, hour) in [
                ("0", "*/6"),
                ("*/30", "*"),
                ("15", "0,1,2,3"),
                ("*/20", "0-3"),
                ("30", "2,14"),
                ("0", "0"),
                ("0", "1-3/2"),
            ] {
                let cron: Cron = format!("{minute} {hour} * * *").parse().unwrap();
                assert_eq!(
                    asked(&cron, zone, from, to),
                    walked(minute, hour, zone, from, to),
                    "{cron:?} in {zone} around {change} ({})",
                    change.year()
                );
            }
        }
    }
}

fn entry() -> impl Strategy<Value = (String, String)> {
    let minute = prop_oneof![
        (0_u32..60).prop_map(|minute| minute.to_string()),
        prop_oneof![Just(5_u32), Just(10), Just(15), Just(25)].prop_map(|step| format!("*/{step}")),
    ];
    let hour = prop_oneof![
        (0_u32..24).prop_map(|hour| hour.to_string()),
        (0_u32..4, 4_u32..24).prop_map(|(one, other)| format!("{one},{other}")),
        (0_u32..3, 3_u32..6).prop_map(|(from, to)| format!("{from}-{to}")),
        (2_u32..8).prop_map(|step| format!("*/{step}")),
        Just("*".to_owned()),
    ];
    (minute, hour)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn any_entry_at_any_change(
        (minute, hour) in entry(),
        zone in 0_usize..6,
        change in 0_usize..14,
        offset_minutes in -1_400_i64..1_400,
    ) {
        let zone = ZONES[zone];
        let from = changes(zone)[change] + TimeDelta::minutes(offset_minutes);
        let to = from + TimeDelta::hours(20);
        let cron: Cron = format!("{minute} {hour} * * *").parse().unwrap();
        prop_assert_eq!(asked(&cron, zone, from, to), walked(&minute, &hour, zone, from, to));
    }
}
