//! What the file systems of a server answered: the section `answers` of `deployment/ssh-monitor`.

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;

use super::script::ANSWER_LIMIT;
use crate::collectors::host::choice::subject;
use crate::collectors::host::disk::{self, Space};
use crate::collectors::host::metrics::{self, INODE_FREE_PERCENT};
use crate::collectors::host::mounts::FileSystem;
use crate::collectors::host::one_line;
use crate::model::Reading;

/// What came back for one mount point.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    /// From `stat`.
    Space(Space),
    /// From `df`, which says nothing about inodes.
    SpaceOnly(Space),
    /// Why there are no numbers.
    Failed(String),
    /// It is a single file, which is no place to ask at.
    File,
    /// It was not asked, because too many of earlier looks are still held.
    Held,
}

/// The answers by their mount points, as bytes.
type Answers = HashMap<Vec<u8>, Answer>;

/// Adds what the file systems answered.
pub(super) fn measure(reading: &mut Reading, file_systems: &[FileSystem], text: &[u8]) {
    let answers = parse(text);
    for file_system in file_systems {
        measure_one(reading, file_system, &answers);
    }
}

/// Takes the first of its mount points that is a directory and gave numbers.
fn measure_one(reading: &mut Reading, file_system: &FileSystem, answers: &Answers) {
    let mut failed: Option<String> = None;
    let mut is_silent = false;
    for mount_point in &file_system.mount_points {
        let name = subject(mount_point);
        // The script leaves them out: an answer is one line.
        if mount_point.as_os_str().as_bytes().contains(&b'\n') {
            let why = "cannot be asked, because its name has a line break in it";
            failed.get_or_insert_with(|| why.to_owned());
            continue;
        }
        match answers.get(mount_point.as_os_str().as_bytes()) {
            // Without blocks there is nothing to be full: pseudo file systems that no list names.
            Some(Answer::Space(space) | Answer::SpaceOnly(space)) if space.blocks == 0 => return,
            Some(Answer::Space(space)) => return disk::measure(reading, &name, space),
            Some(Answer::SpaceOnly(space)) => {
                disk::measure(reading, &name, space);
                return metrics::gap_with_hint(
                    reading,
                    &[&INODE_FREE_PERCENT],
                    Some(&name),
                    "the server has no `stat -f`, and its `df` says nothing about inodes",
                    Some("install the `stat` of coreutils or of a larger busybox"),
                );
            }
            // Single files of a container, mounted from its host.
            Some(Answer::File) => {}
            // Other people's FUSE mounts are closed even to root, and no trouble of the server.
            Some(Answer::Failed(why))
                if why == "Permission denied" && file_system.fs_type.starts_with("fuse") => {}
            Some(Answer::Failed(why)) => {
                failed.get_or_insert_with(|| format!("could not be asked: {why}"));
            }
            Some(Answer::Held) => {
                let why = "was not asked: what earlier looks asked about mounts is still held";
                failed.get_or_insert_with(|| why.to_owned());
            }
            None => is_silent = true,
        }
    }
    let silent = || format!("did not answer within {} ms", ANSWER_LIMIT.as_millis());
    let why = failed.or_else(|| is_silent.then(silent));
    if let (Some(why), Some(first)) = (why, file_system.mount_points.first()) {
        let name = subject(first);
        let why = format!("the file system at `{name}` {why}");
        disk::unknown(reading, Some(&name), &why);
    }
}

fn parse(text: &[u8]) -> Answers {
    let mut answers = Answers::new();
    let mut lines = text.split(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        if let Some(rest) = line.strip_prefix(b"fs ") {
            let found = numbers_and_name(rest);
            answers.extend(found.map(|(space, name)| (name, Answer::Space(space))));
        } else if let Some(name) = line.strip_prefix(b"held ") {
            answers.insert(name.to_vec(), Answer::Held);
        } else if let Some(name) = line.strip_prefix(b"file ") {
            answers.insert(name.to_vec(), Answer::File);
        } else if let Some(name) = line.strip_prefix(b"df ") {
            // Its lines up to the next question; the first is a heading.
            while let Some(answer) = lines.next_if(|next| !is_of_the_script(next)) {
                let answer = String::from_utf8_lossy(answer);
                let failed = || refused(answer.as_bytes()).map(|(_, why)| Answer::Failed(why));
                if let Some(answer) = of_df(&answer).map(Answer::SpaceOnly).or_else(failed) {
                    answers.insert(name.to_vec(), answer);
                    break;
                }
            }
        } else if !is_of_the_script(line) {
            let found = refused(line);
            answers.extend(found.map(|(name, why)| (name, Answer::Failed(why))));
        }
    }
    answers
}

/// Whether a line was written by the script, not by a program that it ran.
fn is_of_the_script(line: &[u8]) -> bool {
    [&b"fs "[..], b"held ", b"file ", b"df ", b"unit ", b"units "]
        .iter()
        .any(|prefix| line.starts_with(prefix))
}

/// `BLOCK_BYTES BLOCKS FREE AVAILABLE INODES FREE_INODES NAME`, as the script asks `stat` for it.
fn numbers_and_name(line: &[u8]) -> Option<(Space, Vec<u8>)> {
    let mut parts = line.splitn(7, |byte| *byte == b' ');
    let mut number = || -> Option<u64> { std::str::from_utf8(parts.next()?).ok()?.parse().ok() };
    let space = Space {
        block_bytes: number()?,
        blocks: number()?,
        free_blocks: number()?,
        available_blocks: number()?,
        inodes: number()?,
        free_inodes: number()?,
    };
    Some((space, parts.next()?.to_vec()))
}

/// A line of `df -P -k`: device, size, used, available, used percent, mount point. Names may hold spaces.
fn of_df(line: &str) -> Option<Space> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    words.windows(4).find_map(|four| {
        let number = |at: usize| four[at].parse::<u64>().ok();
        let is_share = four[3] == "-" || four[3].strip_suffix('%')?.parse::<u32>().is_ok();
        let (blocks, used, available_blocks) = (number(0)?, number(1)?, number(2)?);
        is_share.then(|| Space {
            block_bytes: 1024,
            blocks,
            free_blocks: blocks.saturating_sub(used),
            available_blocks,
            inodes: 0,
            free_inodes: 0,
        })
    })
}

/// The mount point and the reason in an error of `stat` or `df`: `stat: cannot read …'/mnt': Stale file handle`.
/// The mount point is empty where the error names none.
fn refused(line: &[u8]) -> Option<(Vec<u8>, String)> {
    // A quote behind a space begins the name; busybox has another in its `can't`.
    let begins_name = |two: &[u8]| matches!(two, b" '" | b" \"");
    let quote = line.windows(2).position(begins_name);
    let reason_at = line.windows(2).rposition(|two| two == b": ")?;
    let why = one_line(&String::from_utf8_lossy(&line[reason_at + 2..]));
    let name = quote
        .and_then(|quote| line.get(quote + 2..reason_at.checked_sub(1)?))
        .map_or_else(Vec::new, <[u8]>::to_vec);
    (!why.is_empty()).then_some((name, why))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;

    fn file_system(fs_type: &str, mount_points: &[&str]) -> FileSystem {
        FileSystem {
            mount_points: mount_points.iter().map(PathBuf::from).collect(),
            fs_type: fs_type.to_owned(),
        }
    }

    /// What is measured, and what is missing and why.
    fn told(file_systems: &[FileSystem], text: &str) -> (Vec<String>, Vec<String>) {
        let mut reading = Reading::default();
        measure(&mut reading, file_systems, text.as_bytes());
        let of = |metric: &str| metric.ends_with("_free_percent");
        let subject = |subject: &Option<String>| subject.clone().unwrap_or_default();
        let measured = reading.measurements.iter().filter(|one| of(one.metric));
        let gaps = reading.gaps.iter().filter(|gap| of(gap.metric));
        (
            measured
                .map(|one| format!("{} {}={}", subject(&one.subject), one.metric, one.value))
                .collect(),
            gaps.map(|gap| format!("{} {}", gap.metric, gap.message))
                .collect(),
        )
    }

    #[test]
    fn answers_of_stat_are_numbers() {
        let all = [
            file_system("ext4", &["/"]),
            file_system("xfs", &["/my data"]),
            file_system("btrfs", &["/btrfs"]),
            file_system("fuse.gvfsd-fuse", &["/empty"]),
        ];
        let text = "\
fs 4096 1000 300 250 200 50 /
fs 512 100 50 50 100 25 /my data
fs 4096 100 50 50 0 0 /btrfs
fs 4096 0 0 0 0 0 /empty
fs 4096 9 9 9 9 9 /not/chosen
";
        let (measured, gaps) = told(&all, text);
        assert_eq!(
            measured,
            [
                "/ disk_free_percent=26.3",
                "/ inode_free_percent=25",
                "/my data disk_free_percent=50",
                "/my data inode_free_percent=25",
                "/btrfs disk_free_percent=50",
            ]
        );
        assert!(gaps.is_empty(), "{gaps:?}");
    }

    #[test]
    fn what_gave_no_numbers_is_a_gap_or_left_out() {
        let all = [
            file_system("ext4", &["/etc/hosts", "/data"]),
            file_system("ext4", &["/etc/hostname"]),
            file_system("fuse.portal", &["/run/doc"]),
            file_system("nfs4", &["/it's"]),
            file_system("nfs4", &["/silent"]),
            file_system("nfs4", &["/held"]),
            file_system("ext4", &["/two\nlines"]),
        ];
        let text = "\
file /etc/hosts
file /etc/hostname
stat: can't read file system information for '/run/doc': Permission denied
stat: cannot read file system information for \"/it's\": Stale file handle
held /held
fs 4096 100 50 50 0 0 /data
Killed
";
        let (measured, gaps) = told(&all, text);
        assert_eq!(measured, ["/data disk_free_percent=50"]);
        let about = |name: &str, why: &str| {
            ["disk_free_percent", "inode_free_percent"]
                .map(|metric| format!("{metric} the file system at `{name}` {why}"))
        };
        let expected: Vec<String> = [
            about("/it's", "could not be asked: Stale file handle"),
            about("/silent", "did not answer within 3000 ms"),
            about(
                "/held",
                "was not asked: what earlier looks asked about mounts is still held",
            ),
            about(
                "/twolines",
                "cannot be asked, because its name has a line break in it",
            ),
        ]
        .concat();
        assert_eq!(gaps, expected);
    }

    #[test]
    fn answers_of_df_are_numbers_without_inodes() {
        let all = [
            file_system("ext4", &["/"]),
            file_system("nfs4", &["/nas"]),
            file_system("ext4", &["/file"]),
        ];
        let text = "\
df /
Filesystem           1024-blocks    Used Available Capacity Mounted on
/dev/my disk             1000       750       250  75% /
df /nas
df: /nas: Stale NFS file handle
file /file
unit x
";
        let (measured, gaps) = told(&all, text);
        assert_eq!(measured, ["/ disk_free_percent=25"]);
        assert_eq!(gaps.len(), 3, "{gaps:?}");
        assert!(gaps[0].starts_with("inode_free_percent the server has no `stat -f`"));
        assert!(gaps[1].ends_with("could not be asked: Stale NFS file handle"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            parse(&bytes);
            refused(&bytes);
        }
    }
}
