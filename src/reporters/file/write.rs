//! Writes a report so that a reader sees the old file or the new one and never half of one, and deletes old ones.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::TimeDelta;

use super::{LATEST, SendError, Settings, name};
use crate::model::{IncidentReport, Report, Timestamp};
use crate::render::json::{incident_json, json};

/// How many reports may begin in the same second.
const MOST_IN_A_SECOND: u32 = 1000;

/// Returns the path of the dated file.
pub(super) fn write(settings: &Settings, report: &Report) -> Result<PathBuf, SendError> {
    let directory = settings.directory.as_path();
    let json = json(report).map_err(|error| SendError::permanent(error.to_string()))?;
    fs::create_dir_all(directory)
        .map_err(|error| refused("could not make the folder", directory, &error))?;
    let dated = write_dated(directory, report.round.started_at, json.as_bytes())
        .map_err(|error| refused("could not write the report to", directory, &error))?;
    // The dated name belongs to us alone, so a temporary name made from it does too.
    let own = format!("{LATEST}.{dated}");
    replace(directory, LATEST, &own, json.as_bytes()).map_err(|error| {
        refused(
            "could not write the report to",
            &directory.join(LATEST),
            &error,
        )
    })?;
    let oldest_kept = TimeDelta::try_days(i64::from(settings.keep_days))
        .and_then(|kept| report.round.started_at.checked_sub_signed(kept));
    if let Some(oldest_kept) = oldest_kept
        && let Err(error) = delete_older(directory, oldest_kept)
    {
        // The report is written; that an old one stays is no reason to write it again.
        let reason = reason(&error);
        tracing::warn!(directory = %directory.display(), reason, "could not delete old reports");
    }
    Ok(directory.join(dated))
}

/// Writes the file of an incident anew, and returns its path. Only one of us writes it at a time.
pub(super) fn write_incident(
    settings: &Settings,
    report: &IncidentReport,
) -> Result<PathBuf, SendError> {
    let directory = settings.directory.as_path();
    let json = incident_json(report).map_err(|error| SendError::permanent(error.to_string()))?;
    fs::create_dir_all(directory)
        .map_err(|error| refused("could not make the folder", directory, &error))?;
    let name = name::of_incident(report.id);
    let path = directory.join(&name);
    replace(directory, &name, &name, json.as_bytes())
        .map_err(|error| refused("could not write the incident to", &path, &error))?;
    Ok(path)
}

/// Writes under the first free name of that second. The temporary file, which only one can create, keeps the name
/// free until it is taken.
fn write_dated(directory: &Path, started_at: Timestamp, json: &[u8]) -> io::Result<String> {
    for number in 1..=MOST_IN_A_SECOND {
        let name = name::of(started_at, number);
        let path = directory.join(&name);
        let temporary = temporary(directory, &name);
        if path.try_exists()? {
            continue;
        }
        let file = match OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)
        {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(error),
        };
        // Somebody may have finished between the two looks.
        let written = match path.try_exists() {
            Ok(true) => Ok(false),
            Ok(false) => fill(file, json)
                .and_then(|()| fs::rename(&temporary, &path))
                .map(|()| true),
            Err(error) => Err(error),
        };
        match written {
            Ok(true) => {
                settle(directory);
                return Ok(name);
            }
            Ok(false) => fs::remove_file(&temporary)?,
            Err(error) => return Err(given_up(&temporary, error)),
        }
    }
    Err(io::Error::other(format!(
        "there are {MOST_IN_A_SECOND} reports of that second already"
    )))
}

/// `own`: a name that nobody else writes under at the same time.
fn replace(directory: &Path, name: &str, own: &str, json: &[u8]) -> io::Result<()> {
    let temporary = temporary(directory, own);
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&temporary)
        .and_then(|file| fill(file, json))
        .and_then(|()| fs::rename(&temporary, directory.join(name)))
        .map_err(|error| given_up(&temporary, error))?;
    settle(directory);
    Ok(())
}

fn temporary(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!(".{name}.partial"))
}

fn fill(mut file: fs::File, json: &[u8]) -> io::Result<()> {
    file.write_all(json)?;
    file.sync_all()
}

/// Removes what is left of a try; its own failure would only hide the first one.
fn given_up(temporary: &Path, error: io::Error) -> io::Error {
    drop(fs::remove_file(temporary));
    error
}

/// Makes the rename last over a power cut, where the file system can. The file is there in any case.
fn settle(directory: &Path) {
    drop(fs::File::open(directory).and_then(|folder| folder.sync_all()));
}

/// Deletes our own reports, told by their names, and what crashes have left of them.
fn delete_older(directory: &Path, oldest_kept: Timestamp) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let file_name = entry.file_name();
        let Some(own) = file_name.to_str().map(without_temporary) else {
            continue;
        };
        let is_old = name::read(own).is_some_and(|(at, _)| at < oldest_kept)
            || name::read_incident(own).is_some() && was_over(&entry, oldest_kept);
        if is_old && entry.file_type()?.is_file() {
            match fs::remove_file(entry.path()) {
                // Another one of us was faster.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Whether the incident of a file was over by then. One that cannot be read is as old as its file.
fn was_over(entry: &fs::DirEntry, oldest_kept: Timestamp) -> bool {
    let written = entry.metadata().and_then(|metadata| metadata.modified());
    if written.map_or(true, |at| Timestamp::from(at) >= oldest_kept) {
        return false;
    }
    let report = fs::read(entry.path()).ok();
    let report = report.and_then(|json| serde_json::from_slice::<IncidentReport>(&json).ok());
    report.is_none_or(|report| report.resolved_at.is_some())
}

/// The name that a temporary file was meant for; any other name as it is.
fn without_temporary(file_name: &str) -> &str {
    let Some(inner) = (file_name.strip_prefix('.')).and_then(|name| name.strip_suffix(".partial"))
    else {
        return file_name;
    };
    (inner.strip_prefix(LATEST))
        .and_then(|name| name.strip_prefix('.'))
        .unwrap_or(inner)
}

fn refused(what: &str, path: &Path, error: &io::Error) -> SendError {
    let message = format!("{what} `{}`: {}", path.display(), reason(error));
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            SendError::retryable(message).hint("make room there, or keep reports for fewer days")
        }
        io::ErrorKind::PermissionDenied => SendError::permanent(message)
            .hint("let the user that runs us write there, or choose another `directory`"),
        io::ErrorKind::ReadOnlyFilesystem => {
            SendError::permanent(message).hint("choose a `directory` that can be written to")
        }
        io::ErrorKind::NotADirectory
        | io::ErrorKind::AlreadyExists
        | io::ErrorKind::NotFound
        | io::ErrorKind::IsADirectory => {
            SendError::permanent(message).hint("choose another `directory`")
        }
        _ => SendError::retryable(message).hint("look at the disk and the file system"),
    }
}

/// Why, in our words; what we have no words for stays in the system's.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull => "disk full".to_owned(),
        io::ErrorKind::QuotaExceeded => "the disk quota is used up".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "a file stands where a folder should be".to_owned()
        }
        io::ErrorKind::IsADirectory => "a folder stands where a file should be".to_owned(),
        io::ErrorKind::NotFound => "there is no such folder".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::path::Path;

    use super::{SendError, fill, refused};
    use crate::reporters::Retry;

    #[test]
    fn a_full_disk_is_worth_another_try() {
        let full = OpenOptions::new().write(true).open("/dev/full");
        let error = fill(full.expect("Linux has it"), b"{}").expect_err("no room");
        let SendError { message, retry, .. } =
            refused("could not write to", Path::new("r"), &error);
        assert_eq!(message, "could not write to `r`: disk full");
        assert_eq!(retry, Retry::Later { not_before: None });
    }
}
