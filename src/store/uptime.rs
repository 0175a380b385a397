//! How much of a time each target was up: of all targets in one go, read while others write.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{TimeDelta, TimeZone};
use rusqlite::{Connection, Row, params};
use serde::Deserialize;

use super::commit::status_of;
use super::hours::{self, HOUR_MS, Hour, Looks};
use super::trouble::Trouble;
use super::{database, folder};
use crate::model::{Status, Timestamp, Uptime};

/// Up to this length of time every look is read; beyond it, hours, and an hour that began before the time is part of it.
const EVERY_LOOK_MS: i64 = 6 * HOUR_MS;

/// The uptimes of all targets that are watched, or were at some point of that time: `from` is part of it, `to` is not.
///
/// # Errors
/// The store cannot be read.
pub fn uptimes(in_folder: &Path, from: Timestamp, to: Timestamp) -> Result<Vec<Uptime>, Trouble> {
    let connection = database::open_to_read(in_folder)?;
    let time = Time {
        from: from.timestamp_millis(),
        to: to.timestamp_millis(),
    };
    read(&connection, time)
        .map_err(|error| Trouble::of_sqlite(&error, &folder::database(in_folder)))
}

/// A time in milliseconds; the end is not part of it.
#[derive(Debug, Clone, Copy)]
struct Time {
    from: i64,
    to: i64,
}

/// What is known of a target, by its number.
type Tallies = BTreeMap<i64, Tally>;

#[derive(Debug, Default)]
struct Tally {
    kind: String,
    name: String,
    /// How it is and since when; `None`: it is no longer watched.
    state: Option<Known>,
    looks: Looks,
    first_look: Option<i64>,
    /// The changes from the beginning of the time on, also those after its end: when, from what, to what.
    changes: Vec<(i64, Option<Status>, Option<Status>)>,
}

/// What matters here of a state.
#[derive(Debug, Deserialize)]
struct Known {
    status: Status,
    since: Timestamp,
}

fn read(connection: &Connection, time: Time) -> rusqlite::Result<Vec<Uptime>> {
    // One moment for all that is read: an hour may be made meanwhile.
    let transaction = connection.unchecked_transaction()?;
    let mut tallies = targets(&transaction)?;
    read_changes(&transaction, time, &mut tallies)?;
    if time.to - time.from > EVERY_LOOK_MS {
        read_hours(&transaction, time, &mut tallies)?;
        let reached = hours::reached_by(&transaction)?;
        read_looks(&transaction, time, reached + 1, &mut tallies)?;
    } else if let Some(first) = first_row(&transaction, "observations", "at", time.from, time.to)? {
        read_looks(&transaction, time, first, &mut tallies)?;
    }
    Ok(tallies
        .into_values()
        .filter_map(|tally| tally.uptime(time))
        .collect())
}

fn targets(connection: &Connection) -> rusqlite::Result<Tallies> {
    let mut statement = connection
        .prepare("SELECT id, kind, name, state FROM targets LEFT JOIN states ON target = id")?;
    let rows = statement.query_map([], |row| {
        let state: Option<String> = row.get(3)?;
        let tally = Tally {
            kind: row.get(1)?,
            name: row.get(2)?,
            state: state.and_then(|json| serde_json::from_str(&json).ok()),
            ..Tally::default()
        };
        Ok((row.get(0)?, tally))
    })?;
    rows.collect()
}

fn read_changes(
    connection: &Connection,
    time: Time,
    tallies: &mut Tallies,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "SELECT c.target, c.at, c.before, c.after FROM targets t CROSS JOIN changes c ON c.target = t.id
         WHERE c.at >= ?1 ORDER BY c.target, c.at, c.id",
    )?;
    let mut rows = statement.query([time.from])?;
    while let Some(row) = rows.next()? {
        let status = |column: usize| -> rusqlite::Result<Option<Status>> {
            Ok(row.get::<_, Option<i64>>(column)?.and_then(status_of))
        };
        let change = (row.get(1)?, status(2)?, status(3)?);
        if let Some(tally) = tallies.get_mut(&row.get(0)?) {
            tally.changes.push(change);
        }
    }
    Ok(())
}

fn read_hours(connection: &Connection, time: Time, tallies: &mut Tallies) -> rusqlite::Result<()> {
    let (first, end) = (
        time.from.div_euclid(HOUR_MS),
        time.to.div_euclid(HOUR_MS) + 1,
    );
    let Some(row) = first_row(connection, "hours", "hour", first, end)? else {
        return Ok(());
    };
    let mut statement = connection.prepare(
        "SELECT target, hour, looks FROM hours WHERE id >= ?1 AND hour >= ?2 AND hour < ?3",
    )?;
    let mut rows = statement.query(params![row, first, end])?;
    while let Some(row) = rows.next()? {
        let at = row.get::<_, i64>(1)?.saturating_mul(HOUR_MS);
        let made = Hour::read(row.get_ref(2)?.as_blob().unwrap_or_default(), &[]);
        if let Some(tally) = tally_of(row, tallies)? {
            tally.add(at.max(time.from), made.looks);
        }
    }
    Ok(())
}

/// Reads the looks from a row on.
fn read_looks(
    connection: &Connection,
    time: Time,
    first: i64,
    tallies: &mut Tallies,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "SELECT target, at, status FROM observations WHERE id >= ?1 AND at >= ?2 AND at < ?3",
    )?;
    let mut rows = statement.query(params![first, time.from, time.to])?;
    while let Some(row) = rows.next()? {
        let mut looks = Looks::default();
        let status = usize::try_from(row.get::<_, i64>(2)?).unwrap_or(usize::MAX);
        if let Some(count) = looks.get_mut(status) {
            *count = 1;
        }
        let at = row.get(1)?;
        if let Some(tally) = tally_of(row, tallies)? {
            tally.add(at, looks);
        }
    }
    Ok(())
}

fn tally_of<'a>(row: &Row, tallies: &'a mut Tallies) -> rusqlite::Result<Option<&'a mut Tally>> {
    Ok(tallies.get_mut(&row.get(0)?))
}

/// The first row of a table of that time, by the index of its targets. Rows are read from there in their own order:
/// target after target takes four times as long.
fn first_row(
    connection: &Connection,
    table: &'static str,
    column: &'static str,
    from: i64,
    to: i64,
) -> rusqlite::Result<Option<i64>> {
    let sql = format!(
        "SELECT min(r.id) FROM targets t CROSS JOIN {table} r ON r.target = t.id
         WHERE r.{column} >= ?1 AND r.{column} < ?2"
    );
    connection.query_row(&sql, [from, to], |row| row.get(0))
}

impl Tally {
    fn add(&mut self, at: i64, looks: Looks) {
        for (sum, count) in self.looks.iter_mut().zip(looks) {
            *sum += count;
        }
        self.first_look = Some(self.first_look.map_or(at, |first| first.min(at)));
    }

    /// `None`: it was not watched at any point of the time.
    fn uptime(self, time: Time) -> Option<Uptime> {
        let looks: u64 = self.looks.iter().sum();
        let changed = self.changes.iter().any(|(at, ..)| *at < time.to);
        if self.state.is_none() && looks == 0 && !changed {
            return None;
        }
        let mut red = Red::default();
        match (self.changes.first(), &self.state) {
            (Some((_, before, _)), _) => red.turns(time.from, *before),
            (None, Some(state)) => {
                red.turns(
                    state.since.timestamp_millis().max(time.from),
                    Some(state.status),
                );
            }
            (None, None) => {}
        }
        for (at, _, after) in self.changes.iter().take_while(|(at, ..)| *at < time.to) {
            red.turns(*at, *after);
        }
        red.end(time.to);
        Some(Uptime {
            kind: self.kind,
            name: self.name,
            watched: self.state.is_some(),
            looks: self.looks,
            first_look_at: (self.first_look)
                .and_then(|at| chrono::Utc.timestamp_millis_opt(at).single()),
            outages: red.outages,
            red_for: TimeDelta::milliseconds(red.length_ms),
        })
    }
}

/// How often and how long a target was RED, told change by change.
#[derive(Debug, Default)]
struct Red {
    outages: u64,
    length_ms: i64,
    since: Option<i64>,
    /// Whether it was RED when something was last known of it.
    under_way: bool,
}

impl Red {
    fn turns(&mut self, at: i64, status: Option<Status>) {
        if status == Some(Status::Red) {
            self.outages += u64::from(!self.under_way);
            self.under_way = true;
            self.since.get_or_insert(at);
            return;
        }
        self.end(at);
        self.under_way &= status == Some(Status::Unknown);
    }

    fn end(&mut self, at: i64) {
        if let Some(since) = self.since.take() {
            self.length_ms += (at - since).max(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::TargetId;
    use crate::store::{Changed, Entry, Keep, Settings, Store};

    const NOW: &str = "2026-11-21T08:30:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn status(letter: char) -> Option<Status> {
        Status::ALL
            .into_iter()
            .find(|status| status.word().starts_with(letter))
    }

    fn red(began: &str, changes: &[(i64, char)], end: i64) -> (u64, i64) {
        let mut red = Red::default();
        red.turns(0, began.chars().next().and_then(status));
        for (at, letter) in changes {
            red.turns(*at, status(*letter));
        }
        red.end(end);
        (red.outages, red.length_ms)
    }

    #[test]
    fn an_outage_lasts_until_something_else_is_seen_and_unknown_is_nothing() {
        for (began, changes, expected) in [
            ("G", &[][..], (0, 0)),
            ("R", &[], (1, 100)),
            ("", &[(10, 'R')], (1, 90)),
            ("R", &[(10, 'G'), (40, 'R'), (45, 'Y')], (2, 15)),
            ("G", &[(10, 'R'), (20, 'U'), (50, 'R'), (60, 'G')], (1, 20)),
            ("G", &[(10, 'R'), (20, 'U'), (50, 'G'), (60, 'R')], (2, 50)),
            // No longer watched, and new again.
            ("R", &[(20, '-'), (50, 'R')], (2, 70)),
            ("U", &[(20, 'R')], (1, 80)),
        ] {
            assert_eq!(red(began, changes, 100), expected, "{began} {changes:?}");
        }
    }

    struct Fixed(Timestamp);

    impl crate::clock::Clock for Fixed {
        fn now(&self) -> Timestamp {
            self.0
        }
    }

    struct Place {
        folder: tempfile::TempDir,
    }

    impl Place {
        /// A store that has kept these looks, and that has made its hours.
        fn with(looks: &[(&'static str, Timestamp, char)]) -> Self {
            let place = Self {
                folder: tempfile::tempdir().expect("a folder"),
            };
            place.keep(looks, at(NOW));
            place
        }

        fn keep(&self, looks: &[(&'static str, Timestamp, char)], now: Timestamp) {
            let keep = Keep {
                age: std::time::Duration::from_hours(24 * 800),
                bytes: 1 << 30,
            };
            let folder = self.folder.path().to_owned();
            let store =
                Store::start(Settings { folder, keep }, Arc::new(Fixed(now))).expect("a store");
            let mut before: BTreeMap<&str, Status> = BTreeMap::new();
            for (name, at, letter) in looks {
                let to = status(*letter);
                let target = TargetId {
                    kind: "api_endpoints",
                    name: (*name).into(),
                };
                let from = before.get(name).copied();
                let Some(to) = to else {
                    assert!(store.record_left(target, *at, from.expect("watched")));
                    before.remove(name);
                    continue;
                };
                let state = serde_json::json!({
                    "name": name, "kind": "api_endpoints", "labels": {}, "critical": true, "status": to.word(),
                    "since": at, "looked_at": at, "took_ms": 1, "summary": "", "silenced": false,
                    "acknowledged": false, "findings": [], "failure": null, "measurements": []
                });
                let entry = Entry {
                    target,
                    at: *at,
                    took: std::time::Duration::from_millis(1),
                    status: to,
                    measurements: Vec::new(),
                    state: (from != Some(to)).then(|| {
                        serde_json::from_value(state)
                            .map(Arc::new)
                            .expect("a state")
                    }),
                    change: (from != Some(to)).then(|| Changed {
                        from,
                        to: Some(to),
                        summary: String::new(),
                    }),
                };
                before.insert(name, to);
                assert!(store.record(entry));
            }
            let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
            while self.hours_are_missing(now) && std::time::Instant::now() < until {
                std::thread::yield_now();
            }
            assert!(store.close(std::time::Duration::from_secs(30)));
        }

        /// Whether there is a look of an hour that is over, of which no hour was made.
        fn hours_are_missing(&self, now: Timestamp) -> bool {
            let Ok(connection) = database::open_to_read(self.folder.path()) else {
                return true;
            };
            let over = (now.timestamp_millis() - 120_000).div_euclid(HOUR_MS) * HOUR_MS;
            let reached = hours::reached_by(&connection).unwrap_or(0);
            let sql = "SELECT count(*) = 0 OR max(id > ?1 AND at < ?2) FROM observations";
            connection
                .query_row(sql, [reached, over], |row| row.get(0))
                .unwrap_or(true)
        }

        fn uptimes(&self, hours: i64) -> Vec<Uptime> {
            let to = at(NOW);
            uptimes(self.folder.path(), to - TimeDelta::hours(hours), to).expect("uptimes")
        }
    }

    fn in_words(uptimes: &[Uptime]) -> String {
        let words = uptimes.iter().map(|one| {
            format!(
                "{} watched {} looks {:?} first {} outages {} red {} s, {:?}",
                one.name,
                one.watched,
                one.looks,
                one.first_look_at
                    .map_or("-".to_owned(), |at| at.format("%dT%H:%M").to_string()),
                one.outages,
                one.red_for.num_seconds(),
                one.basis_points(),
            )
        });
        words.collect::<Vec<_>>().join("\n")
    }

    /// A look every ten minutes over eight days, the last at the time of the test: `shop` is RED for the hour from 05:00
    /// of each day on, and UNKNOWN for twenty minutes after that.
    fn eight_days() -> Vec<(&'static str, Timestamp, char)> {
        let begin = at(NOW) - TimeDelta::days(8);
        let mut looks = Vec::new();
        for ten in 0..=(8 * 144) {
            let at = begin + TimeDelta::minutes(10 * ten) - TimeDelta::seconds(1);
            let letter = match at.format("%H:%M").to_string().as_str() {
                "05:09" | "05:19" | "05:29" | "05:39" | "05:49" | "05:59" => 'R',
                "06:09" | "06:19" => 'U',
                _ => 'G',
            };
            looks.push(("shop", at, letter));
            if ten % 36 == 0 {
                looks.push(("slow", at, 'Y'));
            }
            if ten == 8 * 144 - 2 {
                looks.push(("new", at, 'R'));
            }
        }
        let gone = begin + TimeDelta::hours(30);
        looks.push(("gone", gone, 'G'));
        looks.push(("gone", gone + TimeDelta::hours(1), 'R'));
        looks.push(("gone", gone + TimeDelta::hours(2), '-'));
        let long_gone = begin + TimeDelta::hours(1);
        looks.push(("long gone", long_gone, 'R'));
        looks.push(("long gone", long_gone + TimeDelta::hours(1), '-'));
        looks.sort_by_key(|(_, at, _)| *at);
        looks
    }

    #[test]
    fn a_week_is_read_from_hours_and_what_has_none_yet_and_nothing_counts_twice() {
        let place = Place::with(&eight_days());
        insta::assert_snapshot!(in_words(&place.uptimes(7 * 24)), @r#"
        shop watched true looks [955, 14, 0, 42] first 14T08:30 outages 7 red 25200 s, Some(9578)
        slow watched true looks [0, 0, 29, 0] first 14T08:30 outages 0 red 0 s, Some(10000)
        gone watched false looks [1, 0, 0, 1] first 14T14:00 outages 1 red 3600 s, Some(5000)
        new watched true looks [0, 0, 0, 1] first 21T08:09 outages 1 red 1201 s, Some(0)
        "#);
    }

    #[test]
    fn a_short_time_is_read_look_by_look() {
        let place = Place::with(&eight_days());
        insta::assert_snapshot!(in_words(&place.uptimes(3)), @r#"
        shop watched true looks [13, 2, 0, 3] first 21T05:39 outages 1 red 2399 s, Some(8125)
        slow watched true looks [0, 0, 1, 0] first 21T08:29 outages 0 red 0 s, Some(10000)
        new watched true looks [0, 0, 0, 1] first 21T08:09 outages 1 red 1201 s, Some(0)
        "#);
        insta::assert_snapshot!(in_words(&place.uptimes(1)), @r#"
        shop watched true looks [6, 0, 0, 0] first 21T07:39 outages 0 red 0 s, Some(10000)
        slow watched true looks [0, 0, 1, 0] first 21T08:29 outages 0 red 0 s, Some(10000)
        new watched true looks [0, 0, 0, 1] first 21T08:09 outages 1 red 1201 s, Some(0)
        "#);
    }

    #[test]
    fn any_time_counts_each_look_once_whether_its_hour_is_made_or_not() {
        let place = Place::with(&eight_days());
        let all: u64 = 8 * 144 + 1;
        let of_shop = |uptimes: &[Uptime]| {
            let shop = uptimes.iter().find(|one| one.name == "shop");
            shop.expect("shop").looks.iter().sum::<u64>()
        };
        assert_eq!(of_shop(&place.uptimes(300 * 24)), all);
        // One more hour is over, and made of what was counted by itself before.
        place.keep(&[], at("2026-11-21T09:30:00Z"));
        assert_eq!(of_shop(&place.uptimes(300 * 24)), all);
    }

    #[test]
    fn a_store_that_is_not_there_is_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = uptimes(folder.path(), at(NOW), at(NOW)).expect_err("no store");
        assert!(
            missing.to_string().contains("there is no store at"),
            "{missing}"
        );
    }
}
