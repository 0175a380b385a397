//! What is deleted when: by age, and by size. A few thousand rows at a time, so that whatever must be written meanwhile
//! waits for milliseconds. The newest state of a target is never deleted.

use std::time::Duration;

use rusqlite::{Connection, params};

/// How many rows go in one step.
const STEP: i64 = 2_000;

/// Pages that are given back to the disk in one step.
const PAGES: i64 = 256;

/// Unused pages are kept for what comes next, up to one in this many.
const UNUSED_SHARE: i64 = 8;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// For how long.
    pub age: Duration,
    /// How large the database may grow, in bytes.
    pub bytes: u64,
}

impl Keep {
    /// A week, and 2 GiB.
    pub const USUAL: Self = Self {
        age: Duration::from_hours(7 * 24),
        bytes: 2 << 30,
    };

    /// Deletes a few of the oldest rows that are not to be kept. Whether there is more to do at once.
    pub(super) fn step(&self, connection: &Connection, now_ms: i64) -> rusqlite::Result<bool> {
        let age_ms = i64::try_from(self.age.as_millis()).unwrap_or(i64::MAX);
        let before = now_ms.saturating_sub(age_ms);
        let old_hours = before.div_euclid(super::hours::HOUR_MS);
        super::rows::clean(connection, before)?;
        let deleted = delete(connection, "observations", "at", before)?
            | delete(connection, "changes", "at", before)?
            | delete(connection, "hours", "hour", old_hours)?;
        if deleted {
            return Ok(true);
        }
        let size = Size::of(connection)?;
        if size.used() > self.bytes / 100 * 95 {
            return make_room(connection);
        }
        if size.unused > size.pages / UNUSED_SHARE {
            connection.execute_batch(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
            return Ok(true);
        }
        Ok(false)
    }
}

/// Deletes some of the oldest rows of a table whose time lies before that. Whether there are more.
fn delete(
    connection: &Connection,
    table: &'static str,
    time: &'static str,
    before: i64,
) -> rusqlite::Result<bool> {
    let sql = format!(
        "DELETE FROM {table} WHERE id <= (SELECT max(id) FROM
           (SELECT id, {time} AS time FROM {table} ORDER BY id LIMIT {STEP}) WHERE time < ?1)"
    );
    let deleted = connection.prepare_cached(&sql)?.execute(params![before])?;
    Ok(i64::try_from(deleted).unwrap_or(i64::MAX) >= STEP)
}

/// Deletes the oldest looks; where there are none left, the oldest hours, then the oldest changes.
fn make_room(connection: &Connection) -> rusqlite::Result<bool> {
    for table in ["observations", "hours", "changes"] {
        let sql = format!(
            "DELETE FROM {table} WHERE id IN (SELECT id FROM {table} ORDER BY id LIMIT {STEP})"
        );
        if connection.prepare_cached(&sql)?.execute([])? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How large a database is, in pages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub pages: i64,
    pub unused: i64,
    pub page_bytes: i64,
}

impl Size {
    pub(super) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get(0));
        Ok(Self {
            pages: number("page_count")?,
            unused: number("freelist_count")?,
            page_bytes: number("page_size")?,
        })
    }

    /// Bytes that hold something.
    pub(super) fn used(&self) -> u64 {
        u64::try_from((self.pages - self.unused) * self.page_bytes).unwrap_or(0)
    }
}
