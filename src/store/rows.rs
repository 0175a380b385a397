//! What the incident engine and the delivery keep: each row replaces the one before it.

use std::sync::Arc;

use rusqlite::{Connection, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::hours;
use crate::incidents::{Marks, Record, Silence};
use crate::model::{Incident, IncidentId, Parcel, Report, Timestamp};

/// The note that holds the number of the next incident.
const NEXT_INCIDENT: &str = "incidents.next";

/// One row to keep, or to forget.
#[derive(Debug, Clone)]
pub enum Row {
    /// What the incident engine wants to be kept.
    Record(Record),
    /// A message as it is now.
    Parcel(Box<Parcel>),
    /// A message that needs nothing more.
    ParcelGone(String),
    /// A round report that parcels are about.
    Report(String, Arc<Report>),
    /// A round report that no parcel is about any more.
    ReportGone(String),
    /// What a channel said of the newest message of a thread.
    Receipt {
        /// The reporter's name.
        reporter: String,
        /// The thread.
        thread: String,
        /// When.
        at: Timestamp,
        /// What it said.
        receipt: String,
    },
    /// A silence that somebody asked for.
    Silence(Silence),
    /// A silence that is over.
    SilenceGone(String),
    /// What came of an order.
    Answer {
        /// Which.
        order: i64,
        /// What is said of it (JSON).
        answer: String,
    },
}

/// What was kept of incidents and messages.
#[derive(Debug, Default)]
pub struct Kept {
    /// Those that are not over, and those that ended lately.
    pub incidents: Vec<Incident>,
    /// What is remembered of targets that are not at rest.
    pub marks: Vec<(String, Marks)>,
    /// The number of the next incident.
    pub next_incident: IncidentId,
    /// What no channel has taken yet.
    pub outbox: Vec<Parcel>,
    /// The round reports that some of that is about.
    pub reports: Vec<(String, Arc<Report>)>,
    /// What channels said of the newest messages of threads: reporter, thread, receipt.
    pub receipts: Vec<(String, String, String)>,
    /// Silences that people asked for.
    pub silences: Vec<Silence>,
}

fn json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// Writes a row within the transaction that is open.
pub(super) fn write(connection: &Connection, row: &Row) -> rusqlite::Result<()> {
    let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
        connection.prepare_cached(sql)?.execute(values).map(|_| ())
    };
    match row {
        Row::Record(Record::Incident(incident)) => run(
            "INSERT INTO incidents (id, opened_at, resolved_at, incident) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET opened_at = excluded.opened_at,
             resolved_at = excluded.resolved_at, incident = excluded.incident",
            params![
                i64::try_from(incident.id).unwrap_or(i64::MAX),
                incident.opened_at.timestamp_millis(),
                incident.resolved_at.map(|at| at.timestamp_millis()),
                json(&**incident)?
            ],
        ),
        Row::Record(Record::Marks {
            target,
            marks: Some(marks),
        }) => run(
            "INSERT INTO marks (target, marks) VALUES (?1, ?2)
             ON CONFLICT (target) DO UPDATE SET marks = excluded.marks",
            params![target, json(marks)?],
        ),
        Row::Record(Record::Marks {
            target,
            marks: None,
        }) => run("DELETE FROM marks WHERE target = ?1", params![target]),
        Row::Record(Record::NextId(id)) => {
            hours::set_note(connection, NEXT_INCIDENT, &id.to_string())
        }
        Row::Parcel(parcel) => run(
            "INSERT INTO outbox (id, parcel) VALUES (?1, ?2)
             ON CONFLICT (id) DO UPDATE SET parcel = excluded.parcel",
            params![parcel.id, json(&**parcel)?],
        ),
        Row::ParcelGone(id) => run("DELETE FROM outbox WHERE id = ?1", params![id]),
        Row::Report(id, report) => run(
            "INSERT INTO outbox_reports (id, report) VALUES (?1, ?2)
             ON CONFLICT (id) DO UPDATE SET report = excluded.report",
            params![id, json(&**report)?],
        ),
        Row::ReportGone(id) => run("DELETE FROM outbox_reports WHERE id = ?1", params![id]),
        Row::Receipt {
            reporter,
            thread,
            at,
            receipt,
        } => run(
            "INSERT INTO receipts (reporter, thread, at, receipt) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (reporter, thread) DO UPDATE SET at = excluded.at, receipt = excluded.receipt",
            params![reporter, thread, at.timestamp_millis(), receipt],
        ),
        Row::Silence(silence) => run(
            "INSERT INTO silences (id, silence) VALUES (?1, ?2)
             ON CONFLICT (id) DO UPDATE SET silence = excluded.silence",
            params![silence.id, json(silence)?],
        ),
        Row::SilenceGone(id) => run("DELETE FROM silences WHERE id = ?1", params![id]),
        Row::Answer { order, answer } => run(
            "UPDATE orders SET answer = ?2 WHERE id = ?1",
            params![order, answer],
        ),
    }
}

/// How much of it must not be lost for want of memory, in bytes, about.
pub(super) fn bytes(row: &Row) -> usize {
    match row {
        Row::Record(Record::Incident(incident)) => 400 + incident.members.len() * 700,
        Row::Report(_, report) => 500 + report.targets.len() * 1_000,
        Row::Parcel(_) => 600,
        _ => 150,
    }
}

/// Everything that is kept. What cannot be read is left out, and stays where it is.
pub(super) fn read(connection: &Connection, ended_after_ms: i64) -> rusqlite::Result<Kept> {
    let next = hours::note(connection, NEXT_INCIDENT)?;
    let reports = pairs::<Report>(connection, "SELECT id, report FROM outbox_reports")?;
    Ok(Kept {
        incidents: all(
            connection,
            "SELECT incident FROM incidents WHERE resolved_at IS NULL OR resolved_at > ?1 ORDER BY id",
            params![ended_after_ms],
        )?,
        marks: pairs(connection, "SELECT target, marks FROM marks")?,
        next_incident: next.and_then(|text| text.parse().ok()).unwrap_or(1),
        outbox: all(connection, "SELECT parcel FROM outbox", params![])?,
        reports: reports
            .into_iter()
            .map(|(id, report)| (id, Arc::new(report)))
            .collect(),
        receipts: receipts(connection)?,
        silences: all(connection, "SELECT silence FROM silences", params![])?,
    })
}

/// The incidents that are not over, and those that ended after that, oldest first.
pub(super) fn incidents(
    connection: &Connection,
    ended_after_ms: i64,
) -> rusqlite::Result<Vec<Incident>> {
    all(
        connection,
        "SELECT incident FROM incidents WHERE resolved_at IS NULL OR resolved_at > ?1 ORDER BY id",
        params![ended_after_ms],
    )
}

/// Forgets incidents that ended before that, and what belongs to them.
pub(super) fn clean(connection: &Connection, ended_before_ms: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM incidents WHERE resolved_at < ?1")?
        .execute(params![ended_before_ms])?;
    connection
        .prepare_cached("DELETE FROM receipts WHERE at < ?1")?
        .execute(params![ended_before_ms])?;
    connection
        .prepare_cached("DELETE FROM orders WHERE at < ?1")?
        .execute(params![ended_before_ms])?;
    Ok(())
}

fn all<T: DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    values: &[&dyn rusqlite::ToSql],
) -> rusqlite::Result<Vec<T>> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let json = row.get_ref(0)?.as_str().unwrap_or_default();
        found.extend(serde_json::from_str::<T>(json));
    }
    Ok(found)
}

fn pairs<T: DeserializeOwned>(
    connection: &Connection,
    sql: &str,
) -> rusqlite::Result<Vec<(String, T)>> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let json = row.get_ref(1)?.as_str().unwrap_or_default();
        if let Ok(value) = serde_json::from_str(json) {
            found.push((row.get(0)?, value));
        }
    }
    Ok(found)
}

fn receipts(connection: &Connection) -> rusqlite::Result<Vec<(String, String, String)>> {
    let mut statement = connection.prepare("SELECT reporter, thread, receipt FROM receipts")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}
