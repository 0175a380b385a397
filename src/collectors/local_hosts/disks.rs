//! Asks the mounted file systems how full they are, and survives those that do not answer.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::StreamExt;

use super::patience::Patience;
use crate::collectors::host::choice::subject;
use crate::collectors::host::disk::{self, Space};
use crate::collectors::host::mounts::FileSystem;
use crate::model::Reading;

/// How many file systems are asked at once: enough that a few dead ones do not hold up the others.
const AT_ONCE: usize = 32;

/// Asks one mount point; `None`: it is no directory.
type Ask = fn(&Path) -> io::Result<Option<Space>>;

/// What a file system answered.
enum Answer {
    Space(PathBuf, Space),
    /// It is nothing that people store in, or nothing that we may see.
    LeftOut,
    Failed(io::Error),
}

/// Adds what all file systems answer within `limit`. Takes no longer than that.
pub(super) async fn measure(
    reading: &mut Reading,
    patience: &Patience,
    file_systems: &[FileSystem],
    limit: Duration,
) {
    measure_with(ask, reading, patience, file_systems, limit).await;
}

async fn measure_with(
    ask: Ask,
    reading: &mut Reading,
    patience: &Patience,
    file_systems: &[FileSystem],
    limit: Duration,
) {
    let deadline = tokio::time::Instant::now() + limit;
    let calls = file_systems.iter().enumerate().map(|(place, file_system)| {
        let file_system = file_system.clone();
        async move {
            let Some(first) = file_system.mount_points.first() else {
                return (place, String::new(), Ok(Answer::LeftOut));
            };
            let name = subject(first);
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            let answer = if left.is_zero() {
                Err("was not asked: the others took all the time".to_owned())
            } else {
                let work = move || ask_each(ask, &file_system);
                patience.call(&name, left, work).await
            };
            (place, name, answer)
        }
    });
    let calls: Vec<_> = calls.collect();
    let mut answers: Vec<_> = futures_util::stream::iter(calls)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    answers.sort_by_key(|(place, ..)| *place);
    for (_, name, answer) in answers {
        match answer {
            Ok(Answer::Space(mount_point, space)) => {
                disk::measure(reading, &subject(&mount_point), &space);
            }
            Ok(Answer::LeftOut) => {}
            Ok(Answer::Failed(error)) => {
                let why = format!("the file system at `{name}` could not be asked: {error}");
                disk::unknown(reading, Some(&name), &why);
            }
            Err(why) => {
                let why = format!("the file system at `{name}` {why}");
                disk::unknown(reading, Some(&name), &why);
            }
        }
    }
}

/// Asks at the first of its mount points that is a directory and may be reached.
fn ask_each(ask: Ask, file_system: &FileSystem) -> Answer {
    let mut failed = None;
    for mount_point in &file_system.mount_points {
        match ask(mount_point) {
            // Without blocks there is nothing to be full: pseudo file systems that no list names.
            Ok(Some(space)) if space.blocks == 0 => return Answer::LeftOut,
            Ok(Some(space)) => return Answer::Space(mount_point.clone(), space),
            Ok(None) => {}
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    match failed {
        // Other people's FUSE mounts are closed even to root, and no trouble of this machine.
        Some(error)
            if error.kind() == io::ErrorKind::PermissionDenied
                && file_system.fs_type.starts_with("fuse") =>
        {
            Answer::LeftOut
        }
        Some(error) => Answer::Failed(error),
        None => Answer::LeftOut,
    }
}

fn ask(mount_point: &Path) -> io::Result<Option<Space>> {
    if !std::fs::symlink_metadata(mount_point)?.is_dir() {
        return Ok(None);
    }
    let answer = rustix::fs::statvfs(mount_point)?;
    Ok(Some(Space {
        block_bytes: answer.f_frsize,
        blocks: answer.f_blocks,
        free_blocks: answer.f_bfree,
        available_blocks: answer.f_bavail,
        inodes: answer.f_files,
        free_inodes: answer.f_ffree,
    }))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(100);

    fn fake(mount_point: &Path) -> io::Result<Option<Space>> {
        let space = Space {
            block_bytes: 1,
            blocks: 100,
            free_blocks: 50,
            available_blocks: 50,
            inodes: 0,
            free_inodes: 0,
        };
        match mount_point.to_str() {
            Some("/hangs") => loop {
                std::thread::park();
            },
            Some("/file") => Ok(None),
            Some("/empty") => Ok(Some(Space { blocks: 0, ..space })),
            Some("/denied") => Err(io::ErrorKind::PermissionDenied.into()),
            Some("/stale") => Err(io::Error::from_raw_os_error(116)),
            _ => Ok(Some(space)),
        }
    }

    fn file_system(fs_type: &str, mount_points: &[&str]) -> FileSystem {
        FileSystem {
            mount_points: mount_points.iter().map(PathBuf::from).collect(),
            fs_type: fs_type.to_owned(),
        }
    }

    async fn seen(patience: &Patience, file_systems: &[FileSystem]) -> (Vec<String>, Vec<String>) {
        let mut reading = Reading::default();
        measure_with(fake, &mut reading, patience, file_systems, LIMIT).await;
        let of = |metric: &str, subject: &Option<String>| {
            (metric == "disk_free_percent").then(|| subject.clone().unwrap_or_default())
        };
        let measured = reading.measurements.iter();
        let gaps = reading.gaps.iter();
        (
            measured
                .filter_map(|one| of(one.metric, &one.subject))
                .collect(),
            gaps.filter_map(|one| of(one.metric, &one.subject))
                .collect(),
        )
    }

    #[tokio::test]
    async fn a_dead_mount_is_a_gap_and_holds_up_nothing() {
        let patience = Patience::default();
        let all: Vec<FileSystem> = ["/a", "/hangs", "/b", "/stale"]
            .iter()
            .map(|path| file_system("nfs4", &[path]))
            .collect();
        let expected = (
            vec!["/a".to_owned(), "/b".to_owned()],
            vec!["/hangs".to_owned(), "/stale".to_owned()],
        );
        assert_eq!(seen(&patience, &all).await, expected);
        // The second look does not wait for it again.
        let began = Instant::now();
        assert_eq!(seen(&patience, &all).await, expected);
        assert!(began.elapsed() < LIMIT, "took {:?}", began.elapsed());
    }

    #[tokio::test]
    async fn what_cannot_be_asked_is_left_out_or_asked_elsewhere() {
        let patience = Patience::default();
        let all = [
            file_system("ext4", &["/file", "/srv"]),
            file_system("ext4", &["/file"]),
            file_system("fuse.portal", &["/denied"]),
            file_system("fuse.gvfsd-fuse", &["/empty"]),
            file_system("xfs", &["/denied"]),
        ];
        let (measured, gaps) = seen(&patience, &all).await;
        assert_eq!(measured, ["/srv"]);
        assert_eq!(gaps, ["/denied"]);
    }

    #[tokio::test]
    async fn more_file_systems_than_are_asked_at_once_keep_their_order() {
        let names: Vec<String> = (100..100 + 3 * AT_ONCE).map(|n| format!("/{n}")).collect();
        let all: Vec<FileSystem> = names.iter().map(|n| file_system("zfs", &[n])).collect();
        let (measured, gaps) = seen(&Patience::default(), &all).await;
        assert_eq!(measured, names);
        assert!(gaps.is_empty());
    }
}
