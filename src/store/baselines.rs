//! What is usual for the metrics of targets: bytes whose meaning the store does not know.

use rusqlite::{Connection, OptionalExtension, params};

/// The version of the database from which on it has them.
const TABLE_SINCE: i64 = 3;

/// What is kept of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptBaselines {
    /// The key of its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What is usual for its metrics.
    pub bytes: Vec<u8>,
}

pub(super) fn write(connection: &Connection, target: i64, bytes: &[u8]) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO baselines (target, bytes) VALUES (?1, ?2)
             ON CONFLICT (target) DO UPDATE SET bytes = excluded.bytes",
        )?
        .execute(params![target, bytes])?;
    Ok(())
}

pub(super) fn forget(connection: &Connection, target: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM baselines WHERE target = ?1")?
        .execute([target])?;
    Ok(())
}

/// All of them.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Vec<KeptBaselines>> {
    let mut statement = connection.prepare(
        "SELECT kind, name, bytes FROM baselines JOIN targets ON targets.id = baselines.target",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(KeptBaselines {
            kind: row.get(0)?,
            name: row.get(1)?,
            bytes: row.get(2)?,
        })
    })?;
    rows.collect()
}

/// Those of one target. A store that an older version made has none until a daemon of this one opens it.
pub(super) fn of(connection: &Connection, target: i64) -> rusqlite::Result<Option<Vec<u8>>> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version < TABLE_SINCE {
        return Ok(None);
    }
    connection
        .query_row(
            "SELECT bytes FROM baselines WHERE target = ?1",
            [target],
            |row| row.get(0),
        )
        .optional()
}
