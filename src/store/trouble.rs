//! What can be wrong with the store, in words. None of it is ever a target's fault.

use std::fmt;
use std::path::Path;

use rusqlite::ErrorCode;

use super::folder;

/// What sort of trouble the store is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TroubleKind {
    /// Another process holds it.
    Locked,
    /// There is no room left.
    Full,
    /// It may not be written.
    ReadOnly,
    /// It lies on a file system of another machine, where its locks do not hold.
    NetworkFileSystem,
    /// What is in it cannot be made sense of.
    Damaged,
    /// A newer version of this program made it.
    Newer,
    /// It is a database of another program.
    Foreign,
    /// Its folder or its file was taken away.
    Gone,
    /// Anything else.
    Broken,
}

impl TroubleKind {
    /// The word for logs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Full => "full",
            Self::ReadOnly => "read_only",
            Self::NetworkFileSystem => "network_file_system",
            Self::Damaged => "damaged",
            Self::Newer => "newer",
            Self::Foreign => "foreign",
            Self::Gone => "gone",
            Self::Broken => "broken",
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::Locked => "see who holds it: `fuser -v FILE`; it is tried again until it is free",
            Self::Full => "make room, or set `store.max_bytes` lower; it is tried again",
            Self::ReadOnly => {
                "let our user write there, or set `store.path` to a folder where it may"
            }
            Self::NetworkFileSystem => "set `store.path` to a folder on a local disk",
            Self::Damaged => {
                "`roundsman verify` says how bad it is; a copy by `roundsman backup` can take its place"
            }
            Self::Newer => {
                "run the version that made it, or set `store.path` to an empty folder; nothing was changed in it"
            }
            Self::Foreign => "set `store.path` to a folder of our own; nothing was changed in it",
            Self::Gone => "it is made anew as soon as that can be done",
            Self::Broken => "look at the disk and its rights; it is tried again",
        }
    }
}

/// The store cannot do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What sort.
    pub kind: TroubleKind,
    /// What we tried, with which file, and why it failed.
    pub message: String,
    /// What to do next.
    pub hint: String,
}

impl Trouble {
    /// With the usual hint.
    #[must_use]
    pub fn new(kind: TroubleKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: kind.hint().to_owned(),
        }
    }

    /// What an error of SQLite means (<https://sqlite.org/rescode.html>).
    pub(super) fn of_sqlite(error: &rusqlite::Error, file: &Path) -> Self {
        let kind = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => TroubleKind::Locked,
            Some(ErrorCode::DiskFull) => TroubleKind::Full,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => TroubleKind::ReadOnly,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => TroubleKind::Damaged,
            // SQLite keeps the system's reason to itself; another write there meets the same one.
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => {
                match folder::try_to_write(file) {
                    Err(error) => return Self::of_io("write the store", file, &error),
                    Ok(()) => TroubleKind::Broken,
                }
            }
            _ => TroubleKind::Broken,
        };
        let file = file.display();
        Self::new(
            kind,
            match kind {
                TroubleKind::Locked => {
                    format!("the store `{file}` is held by another process")
                }
                TroubleKind::Full => format!("there is no room left for the store `{file}`"),
                TroubleKind::ReadOnly => format!("the store `{file}` may not be written: {error}"),
                TroubleKind::Damaged => format!("the store `{file}` is damaged: {error}"),
                _ => format!("the store `{file}` cannot be used: {error}"),
            },
        )
    }

    pub(super) fn of_io(doing: &str, path: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let kind = match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => TroubleKind::ReadOnly,
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => TroubleKind::Full,
            ErrorKind::NotFound => TroubleKind::Gone,
            _ => TroubleKind::Broken,
        };
        Self::new(
            kind,
            format!("could not {doing} `{}`: {error}", path.display()),
        )
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Trouble {}
