//! One round of the release binary over many targets.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::measure::{Run, run};

/// The binary under test, with nothing of our environment, in the folder.
pub(crate) fn roundsman(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_roundsman"));
    command.env_clear().current_dir(folder).arg("--run-once");
    command
}

/// A configuration of many targets, and what is to be seen of them.
pub(crate) struct Targets {
    /// The configuration file.
    pub(crate) config: PathBuf,
    /// The same for the bare client.
    pub(crate) requests: PathBuf,
    /// How many there are.
    pub(crate) count: usize,
    /// How many of them never answer.
    pub(crate) silent: usize,
}

/// What differs between the configurations.
pub(crate) struct Shape<'a> {
    /// How many targets.
    pub(crate) count: usize,
    /// The ports that answer, taken in turn.
    pub(crate) answering: &'a [u16],
    /// The ports that do not; every second target is on one of them if there are any.
    pub(crate) silent: &'a [u16],
    /// The certificate that signed the server's, for HTTPS.
    pub(crate) authority: Option<&'a Path>,
    /// How long a look may take.
    pub(crate) timeout_ms: u64,
}

impl Targets {
    /// Writes the files.
    pub(crate) fn write(folder: &Path, shape: &Shape<'_>) -> Result<Self> {
        let scheme = if shape.authority.is_some() {
            "https"
        } else {
            "http"
        };
        let tls = shape.authority.map_or_else(String::new, |file| {
            format!(", tls: {{ca_file: \"{}\"}}", file.display())
        });
        let mut config = String::from("targets:\n  api_endpoints:\n");
        let mut requests = String::new();
        let mut silent = 0;
        for index in 0..shape.count {
            let is_silent = !shape.silent.is_empty() && index % 2 == 1;
            let ports = if is_silent {
                shape.silent
            } else {
                shape.answering
            };
            let port = ports[index / 2 % ports.len()];
            silent += usize::from(is_silent);
            writeln!(
                config,
                "    - {{name: target-{index:05}, url: \"{scheme}://127.0.0.1:{port}/{index}\", \
                 timeout_ms: {}{tls}}}",
                shape.timeout_ms
            )?;
            writeln!(requests, "{port} /{index}")?;
        }
        let targets = Self {
            config: folder.join("config.yaml"),
            requests: folder.join("requests.txt"),
            count: shape.count,
            silent,
        };
        fs::write(&targets.config, config)?;
        fs::write(&targets.requests, requests)?;
        Ok(targets)
    }
}

/// One round and what its report says.
pub(crate) struct Round {
    /// What the process took.
    pub(crate) run: Run,
    /// What the report says that the round took.
    pub(crate) duration_ms: f64,
}

/// A round over the targets.
fn over(targets: &Targets) -> Result<Command> {
    let folder = targets.config.parent().context("a folder")?;
    let mut command = roundsman(folder);
    command
        .arg("--config")
        .arg(&targets.config)
        .args(["--no-notify", "--format", "json"]);
    Ok(command)
}

/// Does one round and refuses one that did not see what is there.
pub(crate) fn round(targets: &Targets) -> Result<Round> {
    let run = run(&mut over(targets)?)?;
    let report: Value = serde_json::from_str(&run.output).with_context(|| {
        let complaints: String = run.complaints.chars().take(600).collect();
        format!("no report (exit code {:?}): {complaints}", run.exit_code)
    })?;
    let counts = &report["counts"];
    let expected = [targets.count - targets.silent, targets.silent];
    let seen = ["green", "red"].map(|status| counts[status].as_u64().unwrap_or(0));
    if seen.map(usize::try_from) != expected.map(Ok) {
        let first = &report["issues_found"][0];
        bail!(
            "expected {expected:?} GREEN and RED targets, the report says {counts}; first issue: {first}"
        );
    }
    let duration_ms = report["round"]["duration_ms"]
        .as_f64()
        .context("a duration")?;
    Ok(Round { run, duration_ms })
}

/// The processor time of everything but the looks: the start, the same configuration, a report of one target.
pub(crate) fn without_looks(targets: &Targets) -> Result<Run> {
    run(over(targets)?.args(["--only", "target-00000"]))
}
