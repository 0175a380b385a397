//! Our own file of known hosts: what `trust` and `accept_new` have confirmed. In OpenSSH's format, so that `ssh` and
//! `ssh-keygen` can read it as well.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use russh::keys::ssh_key::PublicKey;
use rustix::fs::{FlockOperation, flock};

use super::super::place::Place;
use super::known_hosts::without_name;
use crate::clients::Surroundings;

/// The file, and the one that keeps two writers apart.
const FILE: &str = "known_hosts";
const LOCK: &str = ".known_hosts.lock";
const NEW: &str = ".known_hosts.new";

/// How long other writers are waited for, and how often they are looked at.
const PATIENCE: Duration = Duration::from_secs(5);
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// Where our own file is.
#[derive(Debug, Clone)]
pub(in super::super) struct Store {
    folder: PathBuf,
}

/// Why it could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`: {}", path.display(), why(error))]
pub(in super::super) struct StoreError {
    /// The file or folder.
    path: PathBuf,
    /// What the system said.
    error: io::Error,
}

fn why(error: &io::Error) -> String {
    match error.kind() {
        // A folder was to be made there, or gone through.
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            "it is a file, or lies below one, and should be a folder".to_owned()
        }
        io::ErrorKind::WouldBlock => {
            format!("another process holds it for {} s", PATIENCE.as_secs())
        }
        _ => error.to_string(),
    }
}

impl StoreError {
    /// What to do.
    pub(in super::super) fn hint(&self) -> String {
        match self.error.kind() {
            io::ErrorKind::WouldBlock => {
                format!("`fuser -v {}` shows who holds it", self.path.display())
            }
            _ => "let this user write there, or set `store.path` to another folder".to_owned(),
        }
    }
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

    /// Records keys of a host. With `replace`, those that were recorded before go, except where a pattern means other
    /// hosts as well. Waits for other writers, but not for ever.
    ///
    /// # Errors
    /// The folder or the file cannot be written.
    pub(in super::super) async fn record(
        &self,
        place: &Place,
        keys: &[PublicKey],
        replace: bool,
        patience: Duration,
    ) -> Result<(), StoreError> {
        let deadline = Instant::now() + patience.min(PATIENCE);
        loop {
            let (store, place, keys) = (self.clone(), place.clone(), keys.to_vec());
            let writing = move || store.try_record(&place, &keys, replace);
            let written = tokio::task::spawn_blocking(writing).await;
            match written {
                Ok(Err(error))
                    if error.error.kind() == io::ErrorKind::WouldBlock
                        && Instant::now() < deadline =>
                {
                    tokio::time::sleep(ASK_AGAIN).await;
                }
                Ok(written) => return written,
                Err(_) => {
                    return Err(StoreError {
                        path: self.path(),
                        error: io::Error::other("writing it failed"),
                    });
                }
            }
        }
    }

    /// The same where nobody else writes; `WouldBlock` where somebody does. Blocks.
    fn try_record(
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
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|error| at(&lock_path)(error.into()))?;

        let path = behind_link(self.path());
        let before = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.map_err(at(&path))?,
        };
        let after = with(&before, &place.known_as(), keys, replace);
        let new = path.with_file_name(NEW);
        let written =
            private(OpenOptions::new().create(true).truncate(true), &new).and_then(|mut file| {
                file.write_all(after.as_bytes())?;
                file.sync_all()
            });
        written.map_err(at(&new))?;
        std::fs::rename(&new, &path).map_err(at(&path))
    }
}

/// The file that a link in its place means: the link is somebody's wish, and stays.
fn behind_link(path: PathBuf) -> PathBuf {
    match std::fs::read_link(&path) {
        Ok(to) => std::fs::canonicalize(&path).unwrap_or_else(|_| {
            // It is not there yet.
            path.parent().map_or(to.clone(), |folder| folder.join(&to))
        }),
        Err(_) => path,
    }
}

fn private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.write(true).mode(0o600).open(path)
}

/// The file's text with further keys of a host, each once.
fn with(before: &str, name: &str, keys: &[PublicKey], replace: bool) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in before.lines() {
        if replace {
            lines.extend(without_name(line, name));
        } else {
            lines.push(line.to_owned());
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
    fn whatever_means_the_host_alone_is_replaced() {
        // Made by `ssh-keygen -H` from the name `[web]:2222`.
        let hashed = format!("|1|Kd5/wOXiLl8jOmvCKdA4rK/ijl4=|zugoLu9FbJkYfBSG+B4yyz31H+w= {ONE}");
        let others = format!("*,!db {ONE}\n@cert-authority [web]:2222 {ONE}\n[db]:2222 {ONE}\n");
        let before = format!("{hashed}\n[WEB]:2222\t{ONE}\n[web]:2222,[db]:* {ONE} mine\n{others}");
        assert_eq!(
            with(&before, "[web]:2222", &[key(OTHER)], true),
            format!("[db]:* {ONE} mine\n{others}[web]:2222 {OTHER}\n")
        );
    }

    #[tokio::test]
    async fn a_lock_that_is_held_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store {
            folder: folder.path().to_owned(),
        };
        let lock = File::create(folder.path().join(LOCK)).expect("a file");
        flock(&lock, FlockOperation::LockExclusive).expect("the lock");
        let place = Place::new("web", 22);
        let keys = [key(ONE)];
        let recording = store.record(&place, &keys, false, Duration::ZERO);
        let error = recording.await.expect_err("locked");
        assert!(
            error.to_string().contains("another process holds it"),
            "{error}"
        );
        assert!(error.hint().contains("fuser"), "{}", error.hint());
    }

    #[tokio::test]
    async fn a_link_stays_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store {
            folder: folder.path().join("data"),
        };
        std::fs::create_dir(&store.folder).expect("a folder");
        std::os::unix::fs::symlink("../elsewhere", store.path()).expect("a link");
        for name in ["web", "db"] {
            let place = Place::new(name, 22);
            let keys = [key(ONE)];
            let recording = store.record(&place, &keys, false, PATIENCE);
            recording.await.expect("written");
        }
        let text = std::fs::read_to_string(folder.path().join("elsewhere")).expect("the file");
        assert_eq!(text, format!("web {ONE}\ndb {ONE}\n"));
        assert!(store.path().is_symlink());
    }

    #[tokio::test]
    async fn the_file_is_ours_alone_and_several_may_write() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().expect("a folder");
        let store = Store {
            folder: folder.path().join("deep/data"),
        };
        let all = (0..8).map(|number| {
            let store = &store;
            async move {
                let place = Place::new(&format!("web-{number}"), 22);
                store.record(&place, &[key(ONE)], false, PATIENCE).await
            }
        });
        for one in futures_util::future::join_all(all).await {
            one.expect("written");
        }
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
