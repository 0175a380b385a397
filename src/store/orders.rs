//! What people ask the daemon to do, from another process: written into the store, and answered there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::trouble::Trouble;
use super::{database, folder, rows};
use crate::model::{Incident, Timestamp};

/// The version of the database that has what this file reads and writes.
const TABLES_SINCE: i64 = 2;

/// An order that waits for its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its number.
    pub id: i64,
    /// What is wanted (JSON).
    pub wanted: String,
}

/// Places an order, and gives its number.
///
/// # Errors
/// The store cannot be written.
pub fn place(in_folder: &Path, wanted: &str, now: Timestamp) -> Result<i64, Trouble> {
    let file = folder::database(in_folder);
    let failed = |error: rusqlite::Error| Trouble::of_sqlite(&error, &file);
    let mut connection = database::open(in_folder)?;
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    transaction
        .execute(
            "INSERT INTO orders (at, wanted) VALUES (?1, ?2)",
            params![now.timestamp_millis(), wanted],
        )
        .map_err(failed)?;
    let id = transaction.last_insert_rowid();
    transaction.commit().map_err(failed)?;
    Ok(id)
}

/// What the daemon said of an order (JSON); `None`: nothing yet.
///
/// # Errors
/// The store cannot be read.
pub fn answer(in_folder: &Path, order: i64) -> Result<Option<String>, Trouble> {
    let connection = database::open_to_read(in_folder)?;
    let found = connection
        .query_row(
            "SELECT answer FROM orders WHERE id = ?1",
            params![order],
            |row| row.get::<_, Option<String>>(0),
        )
        .optional();
    let found = found.map_err(|error| Trouble::of_sqlite(&error, &folder::database(in_folder)))?;
    Ok(found.flatten())
}

/// The incidents that are not over, and those that ended within that time, oldest first.
///
/// # Errors
/// The store cannot be read.
pub fn incidents(
    in_folder: &Path,
    ended_within: Duration,
    now: Timestamp,
) -> Result<Vec<Incident>, Trouble> {
    let connection = database::open_to_read(in_folder)?;
    let within = i64::try_from(ended_within.as_millis()).unwrap_or(i64::MAX);
    let after = now.timestamp_millis().saturating_sub(within);
    let found = has_tables(&connection).and_then(|has_tables| {
        if has_tables {
            rows::incidents(&connection, after)
        } else {
            Ok(Vec::new())
        }
    });
    found.map_err(|error| Trouble::of_sqlite(&error, &folder::database(in_folder)))
}

/// Whether the tables of incidents and messages are there: a store that an older version made has none until a daemon of
/// this one opens it.
fn has_tables(connection: &Connection) -> rusqlite::Result<bool> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(version >= TABLES_SINCE)
}

/// Everything that is kept of incidents and messages, for whoever only reads.
///
/// # Errors
/// The store cannot be read.
pub fn kept(in_folder: &Path, now: Timestamp) -> Result<rows::Kept, Trouble> {
    let connection = database::open_to_read(in_folder)?;
    let found = has_tables(&connection).and_then(|has_tables| {
        if has_tables {
            rows::read(&connection, now.timestamp_millis())
        } else {
            Ok(rows::Kept::default())
        }
    });
    found.map_err(|error| Trouble::of_sqlite(&error, &folder::database(in_folder)))
}

/// Sees which orders wait. It asks cheaply whether anything was written at all.
pub struct Orders {
    folder: PathBuf,
    open: Option<Open>,
}

struct Open {
    connection: Connection,
    identity: Option<(u64, u64)>,
    version: Option<i64>,
}

impl Orders {
    /// Those of a folder's store. Nothing is opened yet.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, open: None }
    }

    /// Keeps no file open: whoever mends the disk may have to unmount it.
    pub fn close(&mut self) {
        self.open = None;
    }

    /// Those that wait. While the store is in trouble there are none: whoever places one is told.
    pub fn waiting(&mut self) -> Vec<Placed> {
        let file = folder::database(&self.folder);
        let identity = folder::identity(&file);
        if self
            .open
            .as_ref()
            .is_none_or(|open| open.identity != identity)
        {
            self.open = database::open_to_read(&self.folder)
                .ok()
                .map(|connection| Open {
                    connection,
                    identity,
                    version: None,
                });
        }
        let Some(open) = &mut self.open else {
            return Vec::new();
        };
        read(open).unwrap_or_else(|_| {
            self.open = None;
            Vec::new()
        })
    }
}

fn read(open: &mut Open) -> rusqlite::Result<Vec<Placed>> {
    let version = (open.connection).pragma_query_value(None, "data_version", |row| row.get(0))?;
    if open.version == Some(version) {
        return Ok(Vec::new());
    }
    let mut statement = (open.connection)
        .prepare_cached("SELECT id, wanted FROM orders WHERE answer IS NULL ORDER BY id")?;
    let rows = statement.query_map([], |row| {
        Ok(Placed {
            id: row.get(0)?,
            wanted: row.get(1)?,
        })
    })?;
    let orders = rows.collect::<rusqlite::Result<_>>()?;
    open.version = Some(version);
    Ok(orders)
}
