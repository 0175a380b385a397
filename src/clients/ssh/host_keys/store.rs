//! Our own file of known hosts: what `trust` and `accept_new` have confirmed. In OpenSSH's format, so that `ssh` and
//! `ssh-keygen` can read it as well.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use russh::keys::ssh_key::PublicKey;
use rustix::fs::{FlockOperation, flock};

use super::super::place::Place;
use crate::clients::Surroundings;

/// The file, and the one that keeps two writers apart.
const FILE: &str = "known_hosts";
const LOCK: &str = ".known_hosts.lock";
const NEW: &str = ".known_hosts.new";

/// Where our own file is.
#[derive(Debug, Clone)]
pub(in super::super) struct Store {
    folder: PathBuf,
}

/// Why it could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`: {error}", path.display())]
pub(in super::super) struct StoreError {
    /// The file or folder.
    pub(in super::super) path: PathBuf,
    /// What the system said.
    pub(in super::super) error: io::Error,
}

impl Store {
    pub(in super::super) fn of(around: &Surroundings) -> Self {
        Self {
            folder: around.data_directory.clone(),
        }
    }

    pub(in super::super) fn path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// Records keys of a host. With `replace`, those that were recorded before go. Blocks until other writers are done.
    ///
    /// # Errors
    /// The folder or the file cannot be written.
    pub(in super::super) fn record(
        &self,
        place: &Place,
        keys: &[PublicKey],
        replace: bool,
    ) -> Result<(), StoreError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |error| StoreError { path, error }
        };
        (DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder))
        .map_err(at(&self.folder))?;
        let lock_path = self.folder.join(LOCK);
        let lock = private(OpenOptions::new().create(true).truncate(false), &lock_path)
            .map_err(at(&lock_path))?;
        flock(&lock, FlockOperation::LockExclusive)
            .map_err(|error| at(&lock_path)(error.into()))?;

        let path = self.path();
        let before = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.map_err(at(&path))?,
        };
        let after = with(&before, &place.known_as(), keys, replace);
        let new = self.folder.join(NEW);
        let written =
            private(OpenOptions::new().create(true).truncate(true), &new).and_then(|mut file| {
                file.write_all(after.as_bytes())?;
                file.sync_all()
            });
        written.map_err(at(&new))?;
        std::fs::rename(&new, &path).map_err(at(&path))
    }
}

fn private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.write(true).mode(0o600).open(path)
}

/// The file's text with further keys of a host, each once.
fn with(before: &str, name: &str, keys: &[PublicKey], replace: bool) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in before.lines() {
        match line.split_once(char::is_whitespace) {
            Some((names, key)) if replace && names.split(',').any(|one| one == name) => {
                // The line may be somebody's who wrote several names into it.
                let others: Vec<&str> = names.split(',').filter(|one| *one != name).collect();
                if !others.is_empty() {
                    lines.push(format!("{} {key}", others.join(",")));
                }
            }
            _ => lines.push(line.to_owned()),
        }
    }
    for key in keys {
        let mut key = key.clone();
        key.set_comment("");
        if let Ok(text) = key.to_openssh() {
            let line = format!("{name} {}", text.trim());
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio";
    const OTHER: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE9zHlYnsdbYqW5szfn38jcEo14UgWUbfy0K4lFoizWS";

    fn key(text: &str) -> PublicKey {
        PublicKey::from_openssh(text).expect("a key")
    }

    #[test]
    fn keys_are_added_once_and_replaced_when_asked() {
        let once = with("", "web", &[key(&format!("{ONE} comment"))], false);
        assert_eq!(once, format!("web {ONE}\n"));
        assert_eq!(with(&once, "web", &[key(ONE)], false), once);
        let both = with(&once, "web", &[key(OTHER)], false);
        assert_eq!(both, format!("web {ONE}\nweb {OTHER}\n"));
        let mixed = format!("# mine\nweb,db {ONE}\nweb {ONE}\nwebs {ONE}\n");
        assert_eq!(
            with(&mixed, "web", &[key(OTHER)], true),
            format!("# mine\ndb {ONE}\nwebs {ONE}\nweb {OTHER}\n")
        );
    }

    #[test]
    fn the_file_is_ours_alone_and_several_may_write() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().expect("a folder");
        let store = Store {
            folder: folder.path().join("deep/data"),
        };
        std::thread::scope(|scope| {
            for number in 0..8 {
                let store = &store;
                scope.spawn(move || {
                    let place = Place::new(&format!("web-{number}"), 22);
                    store.record(&place, &[key(ONE)], false).expect("written");
                });
            }
        });
        let text = std::fs::read_to_string(store.path()).expect("the file");
        assert_eq!(text.lines().count(), 8, "{text}");
        let mode = |path: &Path| {
            let metadata = std::fs::metadata(path).expect("metadata");
            metadata.permissions().mode() & 0o777
        };
        assert_eq!(mode(&store.path()), 0o600);
        assert_eq!(mode(&store.folder), 0o700);
    }
}
