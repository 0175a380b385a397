//! The daemon: what it takes while nothing is due, under load, and at its start.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::measure::{Line, short};
use crate::rounds::{Shape, Targets};
use crate::server::{Server, Wanted};

/// How long an idle daemon is watched, and before that left to settle.
const WATCHED: Duration = Duration::from_mins(1);
const SETTLING: Duration = Duration::from_secs(20);

const KIBIBYTES_IN_MEBIBYTE: f64 = 1024.0;

/// A daemon whose log goes to a file.
pub(crate) struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts it with a configuration in a folder of its own.
    pub(crate) fn start(folder: &Path, config: &Path, debug: bool) -> Result<Self> {
        let log = folder.join("daemon.log");
        let child = Command::new(env!("CARGO_BIN_EXE_roundsman"))
            .env_clear()
            .env("LOG_LEVEL", if debug { "DEBUG" } else { "INFO" })
            .current_dir(folder)
            .arg("--config")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(fs::File::create(&log)?)
            .stderr(Stdio::null())
            .spawn()
            .context("no daemon")?;
        Ok(Self { child, log })
    }

    /// Resident memory in MiB.
    pub(crate) fn resident_mebibytes(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes: f64 = line
            .and_then(|line| line.split_whitespace().next())
            .context("a size")?
            .parse()?;
        Ok(kibibytes / KIBIBYTES_IN_MEBIBYTE)
    }

    /// User and system time so far.
    pub(crate) fn processor(&self) -> Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split(' ').collect();
        // Fields 14 and 15 of proc_pid_stat(5), in hundredths of a second; the state is field 3.
        let ticks = |index: usize| {
            fields
                .get(index)
                .and_then(|field| field.parse::<u64>().ok())
        };
        let ticks = ticks(12).zip(ticks(13)).context("processor time")?;
        Ok(Duration::from_millis(10 * (ticks.0 + ticks.1)))
    }

    pub(crate) fn events(&self, name: &str) -> Result<Vec<Value>> {
        let text = fs::read_to_string(&self.log)?;
        let lines = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        Ok(lines.filter(|line: &Value| line["event"] == name).collect())
    }

    pub(crate) fn wait_for(&self, name: &str, count: usize) -> Result<Vec<Value>> {
        loop {
            let events = self.events(name)?;
            if events.len() >= count {
                return Ok(events);
            }
            wait(Duration::from_millis(20));
        }
    }
}

impl Daemon {
    fn wait_for_first_look(&self) -> Result<()> {
        while !fs::read_to_string(&self.log)?.contains("\"message\":\"looked\"") {
            wait(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

pub(crate) fn wait(time: Duration) {
    let (_held, never) = std::sync::mpsc::channel::<()>();
    never.recv_timeout(time).ok();
}

/// HTTP targets in a folder of their own, with this before them.
fn configured(
    folder: &Path,
    name: &str,
    count: usize,
    head: &str,
) -> Result<(Server, PathBuf, Targets)> {
    let folder = folder.join(name);
    fs::create_dir_all(&folder)?;
    let server = Server::start(Wanted {
        answering: 8,
        delay: Duration::from_millis(50),
        ..Wanted::default()
    })?;
    let shape = Shape {
        count,
        answering: &server.ports,
        silent: &[],
        authority: None,
        timeout_ms: 5_000,
    };
    let targets = Targets::write(&folder, &shape)?;
    let yaml = fs::read_to_string(&targets.config)?;
    fs::write(&targets.config, format!("{head}\n{yaml}"))?;
    Ok((server, folder, targets))
}

/// What it takes while nothing is due.
pub(crate) fn idle(folder: &Path) -> Result<Vec<Line>> {
    let head = "monitoring: {schedule: \"0 */6 * * *\"}";
    let (_server, folder, targets) = configured(folder, "idle", 100, head)?;
    let daemon = Daemon::start(&folder, &targets.config, false)?;
    daemon.wait_for("round.ended", 1)?;
    wait(SETTLING);
    let (before, began) = (daemon.processor()?, Instant::now());
    wait(WATCHED);
    let share =
        daemon.processor()?.saturating_sub(before).as_secs_f64() / began.elapsed().as_secs_f64();
    Ok(vec![
        Line::at_most("processor", share * 100.0, "% of a core", 0.1),
        Line::at_most("resident", daemon.resident_mebibytes()?, "MB", 25.0),
    ])
}

/// Ten minutes of a look every 6 ms, kept on disk.
pub(crate) fn busy(folder: &Path) -> Result<Vec<Line>> {
    let head = "monitoring: {every: 60s}";
    let (_server, folder, targets) = configured(folder, "busy", 10_000, head)?;
    let daemon = Daemon::start(&folder, &targets.config, false)?;
    let minute = Duration::from_mins(1);
    let began = Instant::now();
    wait(minute * 5);
    let five = daemon.resident_mebibytes()?;
    wait((minute * 10).saturating_sub(began.elapsed()));
    let ten = daemon.resident_mebibytes()?;
    let processor = daemon.processor()?.as_secs_f64() / began.elapsed().as_secs_f64();
    let rounds = daemon.wait_for("round.ended", 9)?;
    let most = |field: &str| {
        let values = rounds.iter().filter_map(|round| round[field].as_f64());
        values.fold(0.0, f64::max)
    };
    let sum = |field: &str| -> f64 {
        rounds
            .iter()
            .filter_map(|round| round[field].as_f64())
            .sum()
    };
    Ok(vec![
        Line::at_most(
            "lag of a look, p99 of the worst round",
            most("lag_p99_ms"),
            "ms",
            250.0,
        ),
        Line::note(
            "the latest look of all",
            format!("{} {}", short(most("lag_most_ms")), "ms"),
        ),
        Line::at_most(
            "looks left out or not ended",
            sum("skipped") + sum("unfinished"),
            "",
            0.0,
        ),
        Line::at_most("resident after 10 minutes", ten, "MB", 150.0),
        Line::at_most(
            "growth from minute 5 to 10",
            (ten / five - 1.0) * 100.0,
            "%",
            2.0,
        ),
        Line::note(
            "processor",
            format!("{} {}", short(processor * 100.0), "% of a core"),
        ),
        Line::note(
            "rounds",
            format!("{} {}", short(f64::from(u32::try_from(rounds.len())?)), ""),
        ),
    ])
}

/// From the start of the process to its first look.
pub(crate) fn start(folder: &Path) -> Result<Vec<Line>> {
    let head = "monitoring: {every: 60s}";
    let (_server, folder, targets) = configured(folder, "start", 10_000, head)?;
    let bytes = crate::store::fill(&folder.join("data"), 10_000, 1 << 30)?;
    let began = Instant::now();
    // Nothing changes: the states that are remembered are the ones that are seen. Each look is a line of its own.
    let daemon = Daemon::start(&folder, &targets.config, true)?;
    daemon.wait_for_first_look()?;
    let first = began.elapsed();
    let started = daemon.events("daemon.started")?;
    Ok(vec![
        Line::at_most(
            "the first look has ended",
            first.as_secs_f64() * 1_000.0,
            "ms",
            1_000.0,
        ),
        Line::note(
            "the store",
            format!("{} {}", short(bytes / 1024.0 / 1024.0), "MiB"),
        ),
        Line::note(
            "states remembered",
            format!(
                "{} {}",
                short(started[0]["remembered"].as_f64().unwrap_or(0.0)),
                ""
            ),
        ),
    ])
}
