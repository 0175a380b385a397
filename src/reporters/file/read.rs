//! Reads the last report back, so that the next one knows what changed.

use std::fs;
use std::io;
use std::path::Path;

use super::{LATEST, name};
use crate::model::Report;
use crate::render::compose::SCHEMA;

/// How many older files are looked at to find a report of all targets.
const LOOKED_BACK: usize = 50;

/// The last report of all targets; `None`: there is none yet.
///
/// Where the newest report was filtered, an older one that covers all targets is taken, if there is one: it knows
/// since when the others are as they are.
///
/// # Errors
/// There is a newest report, but it cannot be read. The text is a warning: a report can be made without it, and the
/// damaged file stays until the next report takes its place.
pub fn read_latest(directory: &Path) -> Result<Option<Report>, String> {
    let Some(latest) = read(&directory.join(LATEST))? else {
        return Ok(None);
    };
    if latest.complete {
        return Ok(Some(latest));
    }
    let complete = (dated(directory).iter().rev().take(LOOKED_BACK))
        // One that cannot be read is passed over: the newest can, and that is what was asked for.
        .filter_map(|name| read(&directory.join(name)).ok().flatten())
        .find(|report| report.complete);
    Ok(Some(complete.unwrap_or(latest)))
}

fn read(path: &Path) -> Result<Option<Report>, String> {
    let refuse = |reason: &dyn std::fmt::Display| {
        format!(
            "could not read the last report `{}`: {reason}; what changed since then is not known",
            path.display()
        )
    };
    let json = match fs::read(path) {
        Ok(json) => json,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refuse(&super::write::reason(&error))),
    };
    let report: Report = serde_json::from_slice(&json)
        .map_err(|error| refuse(&format!("it is damaged or not ours ({error})")))?;
    if report.schema == SCHEMA {
        Ok(Some(report))
    } else {
        let schema = report.schema;
        Err(refuse(&format!(
            "its schema is {schema}, expected {SCHEMA}"
        )))
    }
}

/// The names of our dated reports, oldest first. A folder that cannot be listed has none.
fn dated(directory: &Path) -> Vec<String> {
    let mut found: Vec<_> = (fs::read_dir(directory).into_iter().flatten().flatten())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter_map(|name| name::read(&name).map(|key| (key, name)))
        .collect();
    found.sort();
    found.into_iter().map(|(_, name)| name).collect()
}
