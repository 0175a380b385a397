//! One transaction: everything that was gathered, in its order.

use rusqlite::{Connection, TransactionBehavior, params};

use super::samples::{self, Sample, SampleValue};
use super::words::Numbers;
use super::{Command, Entry, baselines, hours, rows};
use crate::model::Status;

/// Writes all commands in one transaction.
pub(super) fn commit(
    connection: &mut Connection,
    numbers: &mut Numbers,
    batch: &[Command],
) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for command in batch {
        match command {
            Command::Look(entry) => write_look(&transaction, numbers, entry)?,
            Command::Left { target, at, from } => {
                let number = numbers.target(&transaction, target)?;
                let at_ms = at.timestamp_millis();
                write_change(
                    &transaction,
                    number,
                    at_ms,
                    Some(*from),
                    None,
                    "no longer watched",
                )?;
                let sql = "DELETE FROM states WHERE target = ?1";
                transaction.prepare_cached(sql)?.execute([number])?;
                baselines::forget(&transaction, number)?;
            }
            Command::Note { name, value } => hours::set_note(&transaction, name, value)?,
            Command::Baselines { target, bytes } => {
                let number = numbers.target(&transaction, target)?;
                baselines::write(&transaction, number, bytes)?;
            }
            Command::Keep { rows, .. } => {
                for row in rows {
                    rows::write(&transaction, row)?;
                }
            }
            Command::Stop(_) => {}
        }
    }
    transaction.commit()
}

fn write_look(
    connection: &Connection,
    numbers: &mut Numbers,
    entry: &Entry,
) -> rusqlite::Result<()> {
    let target = numbers.target(connection, &entry.target)?;
    let at_ms = entry.at.timestamp_millis();
    let mut bytes = Vec::with_capacity(entry.measurements.len() * 8);
    for measurement in &entry.measurements {
        let metric = numbers.word(connection, measurement.metric)?;
        let subject = match &measurement.subject {
            Some(subject) => numbers.word(connection, subject)?,
            None => 0,
        };
        let value = SampleValue::of(&measurement.value, |word| numbers.word(connection, word))?;
        let sample = Sample {
            metric,
            subject,
            value,
        };
        samples::write(&sample, &mut bytes);
    }
    let took_ms = i64::try_from(entry.took.as_millis()).unwrap_or(i64::MAX);
    let status = number_of(entry.status);
    connection
        .prepare_cached(
            "INSERT INTO observations (target, at, took_ms, status, samples) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![target, at_ms, took_ms, status, bytes])?;
    if let Some(change) = &entry.change {
        write_change(
            connection,
            target,
            at_ms,
            change.from,
            change.to,
            &change.summary,
        )?;
    }
    if let Some(state) = &entry.state {
        let json = serde_json::to_string(&**state)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        connection
            .prepare_cached(
                "INSERT INTO states (target, state) VALUES (?1, ?2)
                 ON CONFLICT (target) DO UPDATE SET state = excluded.state",
            )?
            .execute(params![target, json])?;
    }
    Ok(())
}

fn write_change(
    connection: &Connection,
    target: i64,
    at_ms: i64,
    from: Option<Status>,
    to: Option<Status>,
    summary: &str,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO changes (target, at, before, after, summary) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            target,
            at_ms,
            from.map(number_of),
            to.map(number_of),
            summary
        ])?;
    Ok(())
}

/// The number of a status in the database: never change one.
pub(super) fn number_of(status: Status) -> i64 {
    match status {
        Status::Green => 0,
        Status::Unknown => 1,
        Status::Yellow => 2,
        Status::Red => 3,
    }
}

/// The status of a number.
pub(super) fn status_of(number: i64) -> Option<Status> {
    [Status::Green, Status::Unknown, Status::Yellow, Status::Red]
        .into_iter()
        .find(|status| number_of(*status) == number)
}
