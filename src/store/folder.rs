//! The folder that the store lies in: made for us alone, on a disk of this machine, used by one daemon at a time.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{FlockOperation, flock, statfs};

use super::trouble::{Trouble, TroubleKind};
use crate::model::Timestamp;

/// The name of the database.
pub const DATABASE: &str = "roundsman.db";

/// The name of the file that a running daemon holds locked; it contains its process number. Its time of change says when the
/// daemon could write last, or that it cannot ([`CANNOT_WRITE`]): that needs no room on a disk that is full.
const LOCK: &str = "roundsman.lock";

/// The time of change of a lock whose daemon cannot write its store.
const CANNOT_WRITE: SystemTime = SystemTime::UNIX_EPOCH;

/// A daemon that is well changes that time each minute; one that has not for so long hangs, or cannot even do that.
const SILENT_FOR: Duration = Duration::from_mins(5);

/// File systems whose files live on other machines, by the number in `statfs(2)`. SQLite's write-ahead log needs memory
/// that all users of a database share (<https://sqlite.org/wal.html>), and many of these do not keep its locks.
const NETWORK_FILE_SYSTEMS: [(i64, &str); 10] = [
    (0x6969, "NFS"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB"),
    (0x517B, "SMB"),
    (0x5346_414F, "AFS"),
    (0x6B41_4653, "AFS"),
    (0x7375_7245, "Coda"),
    (0x0102_1997, "9P"),
    (0x00C3_6400, "Ceph"),
    (0x0BD0_0BD0, "Lustre"),
];

/// Makes the folder where it is missing, for our user alone, and refuses one on another machine.
pub(super) fn prepare(folder: &Path) -> Result<(), Trouble> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| Trouble::of_io("make the folder of the store", folder, &error))?;
    match network_file_system(folder) {
        Some(name) => Err(Trouble::new(
            TroubleKind::NetworkFileSystem,
            format!(
                "the store's folder `{}` lies on a network file system ({name})",
                folder.display()
            ),
        )),
        None => Ok(()),
    }
}

/// The name of the network file system that a path lies on. FUSE may lead anywhere: its type in `/proc/mounts` tells.
#[must_use]
pub fn network_file_system(path: &Path) -> Option<String> {
    const FUSE: i64 = 0x6573_5546;
    #[expect(
        clippy::useless_conversion,
        reason = "the width of the number differs between platforms"
    )]
    let number = i64::from(statfs(path).ok()?.f_type) & 0xFFFF_FFFF;
    if number == FUSE {
        let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
        let kind = fuse_type(&mounts, &path.canonicalize().ok()?)?;
        let remote = [
            "sshfs",
            "s3fs",
            "gluster",
            "rclone",
            "curlftpfs",
            "davfs",
            "nfs",
            "smb",
        ];
        return remote
            .iter()
            .any(|word| kind.contains(word))
            .then_some(kind);
    }
    let known = NETWORK_FILE_SYSTEMS
        .iter()
        .find(|(known, _)| *known == number);
    known.map(|(_, name)| (*name).to_owned())
}

/// The type of the innermost mount that holds the path, as `/proc/self/mounts` has it.
fn fuse_type(mounts: &str, path: &Path) -> Option<String> {
    mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            let (_, place, kind) = (words.next()?, words.next()?, words.next()?);
            path.starts_with(place)
                .then_some((place.len(), kind.to_owned()))
        })
        // Of two at one place the later one covers the other.
        .max_by_key(|(length, _)| *length)
        .map(|(_, kind)| kind)
}

/// Held by a daemon for as long as it uses a store.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Leaves a sign that the store was written, or could have been, at that time.
    pub(super) fn is_well(&self, now: Timestamp) {
        self.change_time(now.into());
    }

    /// Leaves a sign that the store cannot be written.
    pub(super) fn is_ill(&self) {
        self.change_time(CANNOT_WRITE);
    }

    fn change_time(&self, at: SystemTime) {
        // On a disk that takes nothing the time stays, and grows old.
        if let Err(error) = self.file.set_modified(at) {
            tracing::debug!(%error, "the lock of the store cannot be given another time");
        }
    }
}

/// Another daemon uses the store.
#[derive(Debug)]
pub(super) enum NotLocked {
    /// This one.
    Held { by: Option<u32> },
    /// The file cannot be made or locked.
    Failed(Trouble),
}

/// Takes the lock of the folder, and leaves our process number in it.
pub(super) fn lock(folder: &Path) -> Result<Lock, NotLocked> {
    let path = folder.join(LOCK);
    let failed = |error: &std::io::Error| {
        NotLocked::Failed(Trouble::of_io("lock the store with", &path, error))
    };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|error| failed(&error))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut text = String::new();
            // Only for the message.
            file.read_to_string(&mut text).ok();
            return Err(NotLocked::Held {
                by: text.trim().parse().ok(),
            });
        }
        Err(error) => return Err(failed(&error.into())),
    }
    let write = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    // A full disk must not keep a daemon from starting: the lock itself holds without the number.
    if let Err(error) = write(&mut file) {
        tracing::debug!(%error, "our process number could not be written into the lock of the store");
    }
    Ok(Lock { file })
}

/// Whether a daemon holds the store and cannot write it, so that what it has learnt lately is missing there.
#[must_use]
pub fn is_behind(folder: &Path, now: Timestamp) -> bool {
    let changed = folder.join(LOCK).metadata().and_then(|it| it.modified());
    let is_silent = |changed: SystemTime| {
        let silent_for = SystemTime::from(now).duration_since(changed);
        silent_for.is_ok_and(|silent_for| silent_for > SILENT_FOR)
    };
    is_held(folder) && changed.is_ok_and(is_silent)
}

/// Whether a daemon holds the lock, asked without taking it for longer than that.
#[must_use]
pub fn is_held(folder: &Path) -> bool {
    File::open(folder.join(LOCK)).is_ok_and(|file| {
        flock(&file, FlockOperation::NonBlockingLockShared) == Err(rustix::io::Errno::WOULDBLOCK)
    })
}

/// Which file a path leads to, for telling whether it is still the same.
pub(super) fn identity(path: &Path) -> Option<(u64, u64)> {
    let metadata = path.metadata().ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// Whether a file can be made and written beside this one; it is removed again.
pub(super) fn try_to_write(beside: &Path) -> std::io::Result<()> {
    let trial = beside.with_extension("trial");
    let written = std::fs::write(&trial, "may we write here?");
    let removed = std::fs::remove_file(&trial);
    written.and(removed)
}

/// Lets nobody but our user read or write a file.
pub(super) fn for_us_alone(file: &Path) -> Result<(), Trouble> {
    let permissions = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(file, permissions)
        .map_err(|error| Trouble::of_io("set the rights of", file, &error))
}

/// The database in a folder.
#[must_use]
pub(super) fn database(folder: &Path) -> PathBuf {
    folder.join(DATABASE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_mount_counts() {
        let mounts =
            "/dev/vda / ext4 rw 0 0\nme@host: /srv fuse.sshfs rw 0 0\ntmpfs /srv/x tmpfs rw 0 0\n";
        for (path, expected) in [
            ("/srv/store", "fuse.sshfs"),
            ("/srv/x/store", "tmpfs"),
            ("/var", "ext4"),
        ] {
            assert_eq!(
                fuse_type(mounts, Path::new(path)).as_deref(),
                Some(expected)
            );
        }
    }

    #[test]
    fn one_daemon_holds_it_and_others_learn_who() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(!is_held(folder.path()));
        let held = lock(folder.path()).expect("nobody holds it");
        assert!(is_held(folder.path()));
        match lock(folder.path()) {
            Err(NotLocked::Held { by }) => assert_eq!(by, Some(std::process::id())),
            other => panic!("{other:?}"),
        }
        drop(held);
        assert!(!is_held(folder.path()));
    }
}
