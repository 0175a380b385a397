//! A copy while the daemon runs, and the check of a store.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::trouble::{Trouble, TroubleKind};
use super::{database, folder};

/// Copies the store of a folder to a file that is not there yet, as it is at one moment, while others read and write.
/// Gives the size of the copy in bytes.
///
/// # Errors
/// The store cannot be read, the file is there, or it cannot be written.
pub fn backup(in_folder: &Path, to: &Path) -> Result<u64, Trouble> {
    let from = database::open_to_read(in_folder)?;
    if to.symlink_metadata().is_ok() {
        let message = format!("`{}` is there already", to.display());
        let mut trouble = Trouble::new(TroubleKind::Broken, message);
        "name a file that is not there: a backup never replaces one".clone_into(&mut trouble.hint);
        return Err(trouble);
    }
    // Under another name until it is complete: what has the name is a whole copy.
    let mut unfinished = to.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = Path::new(&unfinished);
    let copied = copy(&from, in_folder, unfinished).and_then(|()| {
        let failed = |error: &std::io::Error| Trouble::of_io("keep the copy", to, error);
        let file = std::fs::File::open(unfinished).map_err(|error| failed(&error))?;
        file.sync_all().map_err(|error| failed(&error))?;
        std::fs::rename(unfinished, to).map_err(|error| failed(&error))?;
        to.metadata()
            .map(|metadata| metadata.len())
            .map_err(|error| failed(&error))
    });
    if copied.is_err() {
        // What is left of it is of no use; where it cannot be removed the message above is what matters.
        std::fs::remove_file(unfinished).ok();
    }
    copied
}

fn copy(from: &Connection, in_folder: &Path, to: &Path) -> Result<(), Trouble> {
    use std::os::unix::fs::OpenOptionsExt;
    let source = folder::database(in_folder);
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(to)
        .map_err(|error| Trouble::of_io("write the copy", to, &error))?;
    let failed = |error: rusqlite::Error| Trouble::of_sqlite(&error, to);
    let mut target = Connection::open(to).map_err(failed)?;
    {
        // All pages in one step: it reads one moment, and a write-ahead log lets others write meanwhile.
        let copying = Backup::new(from, &mut target).map_err(failed)?;
        let mut tries = 0;
        while copying.step(-1).map_err(failed)? != StepResult::Done {
            tries += 1;
            if tries > 10 {
                return Err(Trouble::new(
                    TroubleKind::Locked,
                    format!(
                        "the store `{}` is held by another process",
                        source.display()
                    ),
                ));
            }
        }
    }
    // One file, without a log beside it.
    target
        .execute_batch("PRAGMA journal_mode = DELETE")
        .map_err(failed)?;
    let found = problems(&target).map_err(failed)?;
    match found.first() {
        None => Ok(()),
        Some(problem) => Err(Trouble::new(
            TroubleKind::Damaged,
            format!("the store `{}` is damaged: {problem}", source.display()),
        )),
    }
}

/// What `verify` found out about a sound store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Its size in bytes.
    pub bytes: u64,
    /// How many looks it holds.
    pub observations: u64,
    /// How many targets it knows.
    pub targets: u64,
}

/// Reads all of a store and checks that it can be made sense of. Slow for a large one; the daemon may go on meanwhile.
///
/// # Errors
/// It cannot be read, or it is damaged.
pub fn verify(in_folder: &Path) -> Result<Verified, Trouble> {
    let connection = database::open_to_read(in_folder)?;
    let file = folder::database(in_folder);
    let failed = |error: rusqlite::Error| Trouble::of_sqlite(&error, &file);
    connection
        .busy_timeout(Duration::from_secs(10))
        .map_err(failed)?;
    let found = problems(&connection).map_err(failed)?;
    if let Some(first) = found.first() {
        let more = match found.len() - 1 {
            0 => String::new(),
            more => format!(" (+{more} more)"),
        };
        let message = format!("the store `{}` is damaged: {first}{more}", file.display());
        let mut trouble = Trouble::new(TroubleKind::Damaged, message);
        "a running daemon moves it aside when it meets the damage; a copy by `roundsman backup` can take its place"
            .clone_into(&mut trouble.hint);
        return Err(trouble);
    }
    let count = |sql: &str| {
        let counted: rusqlite::Result<i64> = connection.query_row(sql, [], |row| row.get(0));
        counted.map(|count| u64::try_from(count).unwrap_or(0))
    };
    let bytes = file.metadata().map_or(0, |metadata| metadata.len());
    Ok(Verified {
        bytes,
        observations: count("SELECT count(*) FROM observations").map_err(failed)?,
        targets: count("SELECT count(*) FROM targets").map_err(failed)?,
    })
}

/// What SQLite finds wrong (<https://sqlite.org/pragma.html#pragma_integrity_check>).
fn problems(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    let found: rusqlite::Result<Vec<String>> = rows.collect();
    Ok(found?.into_iter().filter(|line| line != "ok").collect())
}
