//! What was seen of a target: read while others write.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use chrono::TimeZone;
use rusqlite::{Connection, OptionalExtension, params};

use super::commit::status_of;
use super::hours::{self, HOUR_MS, Hour, Looks, Range, Series};
use super::samples::{self, SampleValue};
use super::trouble::Trouble;
use super::words::{all_words, target_number};
use super::{Remembered, baselines, database, folder};
use crate::model::{ReportTarget, Status, TargetId, Timestamp};

/// Up to this length of time every look is read; beyond it, hours.
const EVERY_LOOK_MS: i64 = 48 * HOUR_MS;

/// Which time, and in how many equal parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The beginning, part of it.
    pub from: Timestamp,
    /// The end, not part of it.
    pub to: Timestamp,
    /// How many parts a series is given in.
    pub buckets: usize,
}

/// What was seen of a target.
#[derive(Debug, Default)]
pub struct History {
    /// Its newest state.
    pub state: Option<ReportTarget>,
    /// How many looks gave GREEN, UNKNOWN, YELLOW and RED.
    pub looks: [u64; 4],
    /// Its changes of status, oldest first.
    pub changes: Vec<HistoryChange>,
    /// What was measured in numbers, by metric and subject.
    pub series: Vec<HistorySeries>,
    /// What is usual for its metrics, as it was kept last.
    pub baselines: Option<Vec<u8>>,
}

/// A change of status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryChange {
    /// When.
    pub at: Timestamp,
    /// `None`: it was not watched before.
    pub from: Option<Status>,
    /// `None`: it was no longer watched.
    pub to: Option<Status>,
    /// How it was then.
    pub summary: String,
}

/// The numbers of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct HistorySeries {
    /// The metric.
    pub metric: String,
    /// Which part of the target.
    pub subject: Option<String>,
    /// How many numbers there are.
    pub count: u64,
    /// The smallest.
    pub least: f64,
    /// The largest.
    pub most: f64,
    /// Their mean.
    pub mean: f64,
    /// By equal parts of the time; `None`: nothing was measured then.
    pub buckets: Vec<Option<Bucket>>,
}

/// The numbers of one part of the time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// The smallest.
    pub least: f64,
    /// Their mean.
    pub mean: f64,
    /// The largest.
    pub most: f64,
}

/// Reads the history of a target. `metric`: of this one only. `Ok(None)`: nothing is known of the target.
///
/// # Errors
/// The store cannot be read.
pub fn history(
    in_folder: &Path,
    target: &TargetId,
    metric: Option<&str>,
    span: Span,
) -> Result<Option<History>, Trouble> {
    let connection = database::open_to_read(in_folder)?;
    read(&connection, target, metric, span)
        .map_err(|error| Trouble::of_sqlite(&error, &folder::database(in_folder)))
}

/// The kinds and names of all targets that the store knows.
///
/// # Errors
/// The store cannot be read.
pub fn targets(in_folder: &Path) -> Result<Vec<(String, String)>, Trouble> {
    let connection = database::open_to_read(in_folder)?;
    let read = || {
        let mut statement = connection.prepare("SELECT kind, name FROM targets ORDER BY 1, 2")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(|error| Trouble::of_sqlite(&error, &folder::database(in_folder)))
}

fn read(
    connection: &Connection,
    target: &TargetId,
    metric: Option<&str>,
    span: Span,
) -> rusqlite::Result<Option<History>> {
    // One moment for all that is read.
    let transaction = connection.unchecked_transaction()?;
    let Some(number) = target_number(&transaction, target)? else {
        return Ok(None);
    };
    let state: Option<String> = transaction
        .query_row(
            "SELECT state FROM states WHERE target = ?1",
            [number],
            |row| row.get(0),
        )
        .optional()?;
    let mut collected = Collected::new(span);
    let (from, to) = (span.from.timestamp_millis(), span.to.timestamp_millis());
    if to - from > EVERY_LOOK_MS {
        let reached = hours::reached_by(&transaction)?;
        collect_hours(&transaction, number, from, to, &mut collected)?;
        let at: Option<i64> = transaction
            .query_row(
                "SELECT at FROM observations WHERE id <= ?1 ORDER BY id DESC LIMIT 1",
                [reached],
                |row| row.get(0),
            )
            .optional()?;
        // Looks that no hour has yet; an hour is searched before the place that was reached, for those written late.
        let begin = at.map_or(from, |at| from.max(at - HOUR_MS));
        collect_looks(&transaction, number, (begin, to), reached, &mut collected)?;
    } else {
        collect_looks(&transaction, number, (from, to), 0, &mut collected)?;
    }
    let words = all_words(&transaction)?;
    Ok(Some(History {
        state: state.and_then(|json| serde_json::from_str(&json).ok()),
        looks: collected.looks,
        changes: changes(&transaction, number, from, to)?,
        series: collected.series(&words, metric),
        baselines: baselines::of(&transaction, number)?,
    }))
}

fn collect_hours(
    connection: &Connection,
    target: i64,
    from: i64,
    to: i64,
    collected: &mut Collected,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT hour, looks, samples FROM hours WHERE target = ?1 AND hour >= ?2 AND hour < ?3",
    )?;
    // An hour that began before the time is left out, unless that leaves nothing of it: the hour in which it ends is in.
    let first = from.div_euclid(HOUR_MS);
    let end = to.div_euclid(HOUR_MS) + 1;
    let mut rows = statement.query(params![target, first, end])?;
    while let Some(row) = rows.next()? {
        let at = row.get::<_, i64>(0)?.saturating_mul(HOUR_MS);
        let looks = row.get_ref(1)?.as_blob().unwrap_or_default();
        let series = row.get_ref(2)?.as_blob().unwrap_or_default();
        collected.add(at.max(from), &Hour::read(looks, series));
    }
    Ok(())
}

fn collect_looks(
    connection: &Connection,
    target: i64,
    (from, to): (i64, i64),
    after: i64,
    collected: &mut Collected,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT at, status, samples FROM observations WHERE target = ?1 AND at >= ?2 AND at < ?3 AND id > ?4",
    )?;
    let mut rows = statement.query(params![target, from, to, after])?;
    while let Some(row) = rows.next()? {
        let status = usize::try_from(row.get::<_, i64>(1)?).unwrap_or(usize::MAX);
        let bytes = row.get_ref(2)?.as_blob().unwrap_or_default();
        collected.add_look(row.get(0)?, status, bytes);
    }
    Ok(())
}

/// What is gathered while rows are read.
struct Collected {
    from: i64,
    length: i64,
    buckets: usize,
    looks: Looks,
    series: BTreeMap<Series, Vec<Option<Range>>>,
}

impl Collected {
    fn new(span: Span) -> Self {
        let from = span.from.timestamp_millis();
        Self {
            from,
            length: (span.to.timestamp_millis() - from).max(1),
            buckets: span.buckets.max(1),
            looks: Looks::default(),
            series: BTreeMap::new(),
        }
    }

    fn bucket(&self, at: i64) -> usize {
        let buckets = i128::try_from(self.buckets).unwrap_or(1);
        let bucket = i128::from(at - self.from) * buckets / i128::from(self.length);
        usize::try_from(bucket.clamp(0, buckets - 1)).unwrap_or(0)
    }

    fn add(&mut self, at: i64, hour: &Hour) {
        for (sum, count) in self.looks.iter_mut().zip(hour.looks) {
            *sum += count;
        }
        let bucket = self.bucket(at);
        for (series, range) in &hour.series {
            self.add_range(*series, bucket, range);
        }
    }

    fn add_look(&mut self, at: i64, status: usize, bytes: &[u8]) {
        if let Some(count) = self.looks.get_mut(status) {
            *count += 1;
        }
        let bucket = self.bucket(at);
        for sample in samples::read(bytes) {
            if let SampleValue::Number(number) = sample.value {
                let series = (sample.metric, sample.subject);
                self.add_range(series, bucket, &Range::one(number));
            }
        }
    }

    fn add_range(&mut self, series: Series, bucket: usize, range: &Range) {
        let buckets = self.buckets;
        let ranges = (self.series.entry(series)).or_insert_with(|| vec![None; buckets]);
        match &mut ranges[bucket] {
            Some(known) => known.add(range),
            empty => *empty = Some(*range),
        }
    }

    fn series(self, words: &HashMap<u64, String>, only: Option<&str>) -> Vec<HistorySeries> {
        let word = |number: u64| words.get(&number).cloned();
        let mut all: Vec<HistorySeries> = (self.series.into_iter())
            .filter_map(|((metric, subject), ranges)| {
                let metric = word(metric)?;
                if only.is_some_and(|only| only != metric) {
                    return None;
                }
                let total = ranges.iter().flatten().copied().reduce(|mut one, other| {
                    one.add(&other);
                    one
                })?;
                Some(HistorySeries {
                    metric,
                    subject: word(subject),
                    count: total.count,
                    least: total.least,
                    most: total.most,
                    mean: total.mean(),
                    buckets: (ranges.iter())
                        .map(|range| {
                            range.map(|range| Bucket {
                                least: range.least,
                                mean: range.mean(),
                                most: range.most,
                            })
                        })
                        .collect(),
                })
            })
            .collect();
        all.sort_by(|one, other| (&one.metric, &one.subject).cmp(&(&other.metric, &other.subject)));
        all
    }
}

fn changes(
    connection: &Connection,
    target: i64,
    from: i64,
    to: i64,
) -> rusqlite::Result<Vec<HistoryChange>> {
    let mut statement = connection.prepare_cached(
        "SELECT at, before, after, summary FROM changes
         WHERE target = ?1 AND at >= ?2 AND at < ?3 ORDER BY at, id",
    )?;
    let rows = statement.query_map(params![target, from, to], |row| {
        let status = |number: Option<i64>| number.and_then(status_of);
        Ok(HistoryChange {
            at: (chrono::Utc.timestamp_millis_opt(row.get(0)?))
                .single()
                .unwrap_or_default(),
            from: status(row.get(1)?),
            to: status(row.get(2)?),
            summary: row.get(3)?,
        })
    })?;
    rows.collect()
}

/// All states and single values. A state that cannot be made sense of is left out: the next look makes it anew.
pub(super) fn remembered(connection: &Connection) -> rusqlite::Result<Remembered> {
    let mut remembered = Remembered::default();
    let mut statement = connection.prepare("SELECT state FROM states")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let json = row.get_ref(0)?.as_str().unwrap_or_default();
        remembered
            .states
            .extend(serde_json::from_str::<ReportTarget>(json));
    }
    let mut statement = connection.prepare("SELECT name, value FROM notes")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    remembered.notes = rows.collect::<rusqlite::Result<HashMap<String, String>>>()?;
    Ok(remembered)
}
