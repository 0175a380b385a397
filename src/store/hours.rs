//! What the looks of an hour gave, in a few bytes: a year of minutes is half a million looks, but 8,760 hours.
//!
//! An hour is made from its observations once it is over, a few thousand rows at a time. Rows add up, so that a look
//! that is written late makes one more row, and the place that was reached moves in the same transaction.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::samples::{self, SampleValue, read_number, take, write_number};

/// An hour, in milliseconds.
pub(super) const HOUR_MS: i64 = 3_600_000;

/// How long after its end an hour is made: looks are written when they end.
const SETTLED_MS: i64 = 120_000;

/// How many observations are read in one step.
const STEP: i64 = 4_000;

/// The note that says up to which observation hours are made.
const REACHED: &str = "hours.reached";

/// Numbers of one metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub count: u64,
    pub least: f64,
    pub most: f64,
    pub sum: f64,
}

impl Range {
    pub(super) const fn one(number: f64) -> Self {
        Self {
            count: 1,
            least: number,
            most: number,
            sum: number,
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
        self.sum += other.sum;
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "nobody looks 2^53 times in an hour"
    )]
    pub(super) fn mean(&self) -> f64 {
        self.sum / self.count.max(1) as f64
    }
}

/// How many looks gave which status, by the number of the status.
pub(super) type Looks = [u64; 4];

/// A metric's and a subject's word.
pub(super) type Series = (u64, u64);

/// What a target's looks of an hour gave.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Hour {
    pub looks: Looks,
    pub series: BTreeMap<Series, Range>,
}

impl Hour {
    /// Adds a look.
    pub(super) fn add(&mut self, status: usize, bytes: &[u8]) {
        if let Some(count) = self.looks.get_mut(status) {
            *count += 1;
        }
        for sample in samples::read(bytes) {
            if let SampleValue::Number(number) = sample.value {
                let range = Range::one(number);
                self.series
                    .entry((sample.metric, sample.subject))
                    .and_modify(|known| known.add(&range))
                    .or_insert(range);
            }
        }
    }

    fn write(&self) -> (Vec<u8>, Vec<u8>) {
        let (mut looks, mut series) = (Vec::new(), Vec::new());
        for count in self.looks {
            write_number(count, &mut looks);
        }
        for ((metric, subject), range) in &self.series {
            write_number(*metric, &mut series);
            write_number(*subject, &mut series);
            write_number(range.count, &mut series);
            for number in [range.least, range.most, range.mean()] {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "seven digits are enough for a picture"
                )]
                series.extend((number as f32).to_le_bytes());
            }
        }
        (looks, series)
    }

    /// Reads an hour back. What cannot be read ends the list.
    pub(super) fn read(mut looks: &[u8], mut series: &[u8]) -> Self {
        let mut hour = Self::default();
        for count in &mut hour.looks {
            *count = read_number(&mut looks).unwrap_or(0);
        }
        while let Some((key, range)) = read_series(&mut series) {
            hour.series.insert(key, range);
        }
        hour
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "nobody looks 2^53 times in an hour"
)]
fn read_series(bytes: &mut &[u8]) -> Option<(Series, Range)> {
    let key = (read_number(bytes)?, read_number(bytes)?);
    let count = read_number(bytes)?;
    let mut float = || Some(f64::from(f32::from_le_bytes(take(bytes)?)));
    let (least, most, mean) = (float()?, float()?, float()?);
    let range = Range {
        count,
        least,
        most,
        sum: mean * count as f64,
    };
    Some((key, range))
}

/// Makes hours, step by step.
#[derive(Debug, Default)]
pub(super) struct HourMaker {
    /// The hour that is being made, and what was read of it.
    hour: Option<i64>,
    read: BTreeMap<i64, Hour>,
    /// The last observation that was read; `None`: ask the database.
    reached: Option<i64>,
}

impl HourMaker {
    /// Reads on, and writes an hour when all of it was read. Whether there is more to do at once.
    pub(super) fn step(
        &mut self,
        connection: &mut Connection,
        now_ms: i64,
    ) -> rusqlite::Result<bool> {
        let reached = match self.reached {
            Some(reached) => reached,
            None => reached_by(connection)?,
        };
        let over = (now_ms - SETTLED_MS).div_euclid(HOUR_MS);
        let mut last = reached;
        let mut count = 0;
        let mut complete = false;
        {
            let mut statement = connection.prepare_cached(
                "SELECT id, target, at, status, samples FROM observations WHERE id > ?1 ORDER BY id LIMIT ?2",
            )?;
            let mut rows = statement.query(params![reached, STEP])?;
            while let Some(row) = rows.next()? {
                let hour = row.get::<_, i64>(2)?.div_euclid(HOUR_MS);
                let current = *self.hour.get_or_insert(hour);
                // A look that was written late belongs to an hour that is over as well; it is counted where it stands.
                if hour > current || hour >= over {
                    complete = true;
                    break;
                }
                let status = usize::try_from(row.get::<_, i64>(3)?).unwrap_or(usize::MAX);
                let samples = row.get_ref(4)?.as_blob().unwrap_or_default();
                (self.read.entry(row.get(1)?).or_default()).add(status, samples);
                last = row.get(0)?;
                count += 1;
            }
        }
        self.reached = Some(last);
        if !complete && count == STEP {
            return Ok(true);
        }
        // No more rows: whatever was read is over, since a row of the running hour ends the reading.
        let Some(hour) = self.hour.take() else {
            return Ok(false);
        };
        if self.read.is_empty() {
            return Ok(false);
        }
        self.write(connection, hour, last)?;
        Ok(complete)
    }

    fn write(
        &mut self,
        connection: &mut Connection,
        hour: i64,
        reached: i64,
    ) -> rusqlite::Result<()> {
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO hours (target, hour, looks, samples) VALUES (?1, ?2, ?3, ?4)",
            )?;
            for (target, made) in &self.read {
                let (looks, samples) = made.write();
                insert.execute(params![target, hour, looks, samples])?;
            }
            set_note(&transaction, REACHED, &reached.to_string())?;
        }
        transaction.commit()?;
        self.read.clear();
        Ok(())
    }
}

/// The last observation that hours were made of.
pub(super) fn reached_by(connection: &Connection) -> rusqlite::Result<i64> {
    Ok(note(connection, REACHED)?
        .and_then(|text| text.parse().ok())
        .unwrap_or(0))
}

/// Reads a single value.
pub(super) fn note(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT value FROM notes WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// Writes a single value.
pub(super) fn set_note(connection: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO notes (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )?
        .execute([name, value])?;
    Ok(())
}
