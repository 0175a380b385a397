//! Opening the database: its version, its settings, its tables; and what happens to one that is damaged.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::folder;
use super::trouble::{Trouble, TroubleKind};
use crate::model::Timestamp;

/// Each takes the tables from the version of its place to the next. Never change one that was released: add another.
const MIGRATIONS: [&str; 3] = [
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
    include_str!("migrations/0003.sql"),
];

/// The version of the tables, in `PRAGMA user_version`.
pub(super) const VERSION: usize = MIGRATIONS.len();

/// `Rnds`, in `PRAGMA application_id`: tells our databases from those of other programs.
const APPLICATION: u32 = 0x526E_6473;

/// How long a write waits for another process before it is told that the store is locked.
const PATIENCE: Duration = Duration::from_secs(2);

/// Room for pages in memory, in KiB.
const CACHE_KIB: i64 = 8_192;

/// A log that grew past this is cut when it is written anew, in bytes.
const LOG_BYTES: i64 = 64 * 1_048_576;

/// Opens the database of a folder for writing; makes it where it is missing.
pub(super) fn open(in_folder: &Path) -> Result<Connection, Trouble> {
    folder::prepare(in_folder)?;
    let file = folder::database(in_folder);
    // SQLite gives its other files the mode of this one.
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&file)
        .map_err(|error| Trouble::of_io("open the store", &file, &error))?;
    refuse_others(&file)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let failed = |error: rusqlite::Error| Trouble::of_sqlite(&error, &file);
    let mut connection = Connection::open_with_flags(&file, flags).map_err(failed)?;
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    // `auto_vacuum` must come before the first table. With a write-ahead log, `NORMAL` loses no commit when the process
    // is killed; when the machine loses power the last ones may be missing, and what is there is consistent
    // (https://sqlite.org/pragma.html#pragma_synchronous).
    connection
        .execute_batch(&format!(
            "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
             PRAGMA cache_size = -{CACHE_KIB}; PRAGMA journal_size_limit = {LOG_BYTES}; PRAGMA temp_store = MEMORY;"
        ))
        .map_err(failed)?;
    // The header may be behind the log.
    let version: i64 =
        (connection.pragma_query_value(None, "user_version", |row| row.get(0))).map_err(failed)?;
    refuse_newer(version, &file)?;
    if usize::try_from(version).is_ok_and(|version| version < VERSION) {
        migrate(&mut connection, version).map_err(failed)?;
    }
    Ok(connection)
}

/// Opens the database of a folder for reading.
pub(super) fn open_to_read(in_folder: &Path) -> Result<Connection, Trouble> {
    let file = folder::database(in_folder);
    let is_there = file.try_exists().map_err(|error| {
        let mut trouble = Trouble::of_io("look for the store", &file, &error);
        "run it as the user that the daemon runs as".clone_into(&mut trouble.hint);
        trouble
    })?;
    if !is_there {
        let message = format!("there is no store at `{}`", file.display());
        let mut trouble = Trouble::new(TroubleKind::Gone, message);
        "the daemon makes it; `store.path` in the configuration says where it lies"
            .clone_into(&mut trouble.hint);
        return Err(trouble);
    }
    refuse_others(&file)?;
    let failed = |error: rusqlite::Error| Trouble::of_sqlite(&error, &file);
    // A reader that may not write cannot use a log whose index is missing, so the rights of a writer are tried first.
    let writing = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let reading = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&file, writing)
        .or_else(|_| Connection::open_with_flags(&file, reading))
        .map_err(failed)?;
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    connection
        .execute_batch(&format!(
            "PRAGMA query_only = ON; PRAGMA cache_size = -{CACHE_KIB};"
        ))
        .map_err(failed)?;
    let version: i64 =
        (connection.pragma_query_value(None, "user_version", |row| row.get(0))).map_err(failed)?;
    refuse_newer(version, &file)?;
    // A daemon that found no room at its first start leaves that behind.
    if version == 0 {
        let message = format!("there is nothing in the store at `{}` yet", file.display());
        let mut trouble = Trouble::new(TroubleKind::Gone, message);
        "the daemon fills it as soon as it can write there: its log says what keeps it"
            .clone_into(&mut trouble.hint);
        return Err(trouble);
    }
    Ok(connection)
}

/// Looks into the file's header (<https://sqlite.org/fileformat.html>) before SQLite, which may write while it opens.
fn refuse_others(file: &Path) -> Result<(), Trouble> {
    let mut header = [0_u8; 100];
    let mut opened = std::fs::File::open(file)
        .map_err(|error| Trouble::of_io("read the store", file, &error))?;
    match opened.read_exact(&mut header) {
        Ok(()) => {}
        // It was just made, or it was cut: SQLite says which.
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
        Err(error) => return Err(Trouble::of_io("read the store", file, &error)),
    }
    if !header.starts_with(b"SQLite format 3\0") {
        return Ok(());
    }
    let number = |at: usize| {
        u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    let (version, application) = (number(60), number(68));
    // A database of ours has our number from its first table on.
    let pages_or_tables = number(40);
    if application != APPLICATION && (application != 0 || pages_or_tables > 0) {
        return Err(Trouble::new(
            TroubleKind::Foreign,
            format!(
                "`{}` is a database of another program (its application number is {application:#x})",
                file.display()
            ),
        ));
    }
    refuse_newer(i64::from(version), file)
}

fn refuse_newer(version: i64, file: &Path) -> Result<(), Trouble> {
    if usize::try_from(version).is_ok_and(|version| version > VERSION) {
        return Err(Trouble::new(
            TroubleKind::Newer,
            format!(
                "the store `{}` was made by a newer version (its tables are of version {version}, ours of {VERSION})",
                file.display()
            ),
        ));
    }
    Ok(())
}

fn migrate(connection: &mut Connection, from: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been first.
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let done = usize::try_from(version.max(from)).unwrap_or(VERSION);
    for migration in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", i64::try_from(VERSION).unwrap_or(0))?;
    transaction.commit()
}

/// Gives a damaged database another name, with all that belongs to it, and says which. Nothing is deleted.
pub(super) fn move_aside(in_folder: &Path, now: Timestamp) -> std::io::Result<PathBuf> {
    let suffix = now.format("damaged-%Y%m%dT%H%M%S%3fZ");
    let moved = |more: &str| in_folder.join(format!("{}.{suffix}{more}", folder::DATABASE));
    // The database comes last: ended in between, a new one must not find the log of the old, whose pages it would take.
    for more in ["-wal", "-shm", ""] {
        let from = in_folder.join(format!("{}{more}", folder::DATABASE));
        match std::fs::rename(from, moved(more)) {
            Err(error) if more.is_empty() || error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error);
            }
            _ => {}
        }
    }
    Ok(moved(""))
}
