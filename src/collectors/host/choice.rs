//! What people choose of a host: which mounts are looked at, and how many processes are named.

use std::path::Path;

use super::disk;
use super::mounts::{self, FileSystem};
use super::one_line;
use crate::collectors::SettingsProblem;
use crate::document::shown_name;
use crate::model::{Failure, Reading, SubjectPattern};
use crate::problem::Severity;

/// More processes than this are no summary.
pub(crate) const MOST_TOP_PROCESSES: u8 = 50;

/// How many processes are named where nobody says.
pub(crate) fn usual_top_processes() -> u8 {
    5
}

/// How a mount point is called in a reading.
pub(crate) fn subject(mount_point: &Path) -> String {
    one_line(&mount_point.to_string_lossy())
}

/// What is wrong with `exclude_mounts` and `top_processes`.
pub(crate) fn check(exclude_mounts: &[String], top_processes: u8) -> Vec<SettingsProblem> {
    let mut problems = Vec::new();
    for glob in exclude_mounts {
        if let Err(error) = SubjectPattern::new(glob) {
            problems.push(SettingsProblem {
                key: "exclude_mounts",
                severity: Severity::Error,
                message: format!("{} is no glob: {}", shown_name(glob), error.kind()),
                hint: Some("write a mount point, with `*` for any part of it: `/mnt/*`".to_owned()),
            });
        }
    }
    if top_processes > MOST_TOP_PROCESSES {
        problems.push(SettingsProblem {
            key: "top_processes",
            severity: Severity::Error,
            message: format!(
                "expected a whole number from 0 to {MOST_TOP_PROCESSES}, found `{top_processes}`"
            ),
            hint: None,
        });
    }
    problems
}

/// The file systems to look at, from the bytes of `/proc/self/mountinfo`. What is wrong with the list becomes a gap.
pub(crate) fn file_systems(
    reading: &mut Reading,
    mountinfo: &Result<Vec<u8>, String>,
    exclude_mounts: &[String],
) -> Result<Vec<FileSystem>, Failure> {
    let patterns: Result<Vec<SubjectPattern>, _> = (exclude_mounts.iter())
        .map(|glob| SubjectPattern::new(glob))
        .collect();
    let patterns = patterns.map_err(|error| {
        Failure::ours(format!("reading `exclude_mounts`: {error}"))
            .hint("write it as a glob: `/mnt/*`")
    })?;
    let bytes = match mountinfo {
        Ok(bytes) => bytes,
        Err(why) => {
            disk::unknown(reading, None, why);
            return Ok(Vec::new());
        }
    };
    let (mounts, garbled) = mounts::parse(bytes);
    if garbled > 0 || mounts.is_empty() {
        let why = format!(
            "`/proc/self/mountinfo` names {} mounts, and {garbled} of its lines are garbled",
            mounts.len()
        );
        disk::unknown(reading, None, &why);
    }
    let excluded = |mount_point: &Path| {
        let subject = subject(mount_point);
        patterns.iter().any(|pattern| pattern.matches(&subject))
    };
    Ok(mounts::choose(&mounts, excluded))
}
