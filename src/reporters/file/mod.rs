//! Keeps each report as a file, and the newest under a name that does not change.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::document::shown_path;
use crate::problem::{SettingsProblem, Severity, Variables};

use super::{Content, Means, Message, Receipt, Reporter, ReporterSpec, SendError};

mod name;
mod read;
mod write;

pub use read::read_latest;

/// The name of the newest report.
pub const LATEST: &str = "latest_report.json";

fn default_keep_days() -> u32 {
    90
}

/// Where the files go, and for how long.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The folder; made where it is missing. A relative one is relative to the working directory.
    pub directory: PathBuf,
    /// After how many days a report is deleted; 0: as soon as there is a newer one.
    #[serde(default = "default_keep_days")]
    pub keep_days: u32,
}

impl Settings {
    /// Files in that folder, kept as long as usual.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            keep_days: default_keep_days(),
        }
    }
}

/// Keeps each report as a file.
pub struct File {
    settings: Settings,
    /// One incident is written after another: a write whose sender has given up may still be under way.
    incidents: Arc<Mutex<()>>,
}

impl Reporter for File {
    const KIND: ReporterSpec = ReporterSpec {
        key: "file",
        title: "Files",
        how: "keeps each report and each incident as JSON, and the newest report as `latest_report.json`",
        sample: "\
- kind: file
  directory: reports      # made where it is missing
  keep_days: 90           # older reports are deleted
",
        built: true,
        edits: true,
    };
    type Settings = Settings;

    fn new(settings: Settings, _: &Means) -> Self {
        Self {
            settings,
            incidents: Arc::default(),
        }
    }

    fn check(settings: &Settings, _: Variables<'_>) -> Vec<SettingsProblem> {
        let directory = &settings.directory;
        if directory.as_os_str().to_string_lossy().trim().is_empty() {
            let hint = "name a folder: `directory: reports`";
            return vec![SettingsProblem::error(
                "directory",
                "`directory` is empty",
                hint,
            )];
        }
        if directory.exists() && !directory.is_dir() {
            return vec![SettingsProblem {
                severity: Severity::Warning,
                ..SettingsProblem::error(
                    "directory",
                    format!("{} is no folder", shown_path(directory)),
                    "name a folder: until then no report can be written",
                )
            }];
        }
        Vec::new()
    }

    /// The receipt names the file. When this is dropped, the files are written all the same.
    async fn send(&self, message: &Message) -> Result<Receipt, SendError> {
        let settings = self.settings.clone();
        let written = match &message.content {
            Content::Report(report) => {
                let report = Arc::clone(report);
                tokio::task::spawn_blocking(move || write::write(&settings, &report)).await
            }
            Content::Incident(report) => {
                let report = Arc::clone(report);
                let turn = Arc::clone(&self.incidents);
                let write = move || {
                    let turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
                    let written = write::write_incident(&settings, &report);
                    drop(turn);
                    written
                };
                tokio::task::spawn_blocking(write).await
            }
            // A note is in the next report, and each of many incidents has a file of its own.
            Content::Incidents(_) | Content::Note { .. } => return Ok(Receipt::default()),
        };
        match written {
            Ok(written) => written.map(|path| Receipt {
                external_id: Some(path.display().to_string()),
            }),
            Err(error) => Err(
                SendError::permanent(format!("could not write the file: {error}"))
                    .hint("this is a bug of ours: please report it"),
            ),
        }
    }
}
