//! What is usual for 50,000 metrics: the memory it takes, how long it takes to be there after a start, and what a look
//! costs.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use chrono::TimeDelta;
use roundsman::analysis::baseline::Baselines;
use roundsman::clock::{Clock as _, SystemClock};
use roundsman::model::{Reading, TargetId, Timestamp, Unit};
use roundsman::store::{Keep, Settings, Store};

use crate::figures::several;
use crate::measure::{Line, median, milliseconds};

const TARGETS: u32 = 1_000;
const METRICS: u32 = 50;
/// Looks that everything is learnt from, one an hour: so many that nothing of a baseline is empty.
const LOOKS: u32 = 72;
const CLOSING: Duration = Duration::from_mins(2);

fn id(target: u32) -> TargetId {
    TargetId {
        kind: "vps_servers",
        name: format!("server-{target:04}").into(),
    }
}

/// A look at a server with many disks.
fn reading(target: u32, look: u32) -> Reading {
    let mut reading = Reading::default();
    fill(&mut reading, target, look);
    reading
}

fn fill(reading: &mut Reading, target: u32, look: u32) {
    reading.measurements.clear();
    for disk in 0..METRICS {
        let number = f64::from((target + disk * 7 + look * 13) % 89);
        let mount = format!("/disk-{disk}");
        reading.number("disk_free_percent", Some(&mount), number, Unit::Percent);
    }
}

fn learnt(end: Timestamp) -> Baselines {
    let mut baselines = Baselines::default();
    // One for all: what the readings of 1,000 targets take is no part of the figure.
    let mut reading = Reading::default();
    for look in 0..LOOKS {
        let at = end - TimeDelta::hours(i64::from(LOOKS - look));
        for target in 0..TARGETS {
            fill(&mut reading, target, look);
            baselines.see(&id(target), &reading, at);
        }
    }
    baselines
}

/// The memory in a process of its own, the rest here.
pub(crate) fn figures(folder: &Path) -> Result<Vec<Line>> {
    let output = Command::new(std::env::current_exe()?)
        .arg("baselines")
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let resident: f64 = text.trim().parse().with_context(|| text.clone())?;

    let end = SystemClock.now();
    let mut baselines = learnt(end);
    let readings: Vec<(TargetId, Reading)> = (0..TARGETS)
        .map(|target| (id(target), reading(target, LOOKS)))
        .collect();
    let looks = several(|| {
        let mut copy = learnt(end);
        let began = Instant::now();
        for (id, reading) in &readings {
            copy.see(id, reading, end);
        }
        Ok(began.elapsed())
    })?;
    let look_us = median(looks.iter().map(|round| milliseconds(*round)));

    let settings = Settings {
        folder: folder.join("baselines"),
        keep: Keep::USUAL,
    };
    let store = Store::start(settings.clone(), Arc::new(SystemClock))?;
    let mut bytes = 0_u32;
    let began = Instant::now();
    for (id, kept) in baselines.dirty() {
        bytes += u32::try_from(kept.len())?;
        anyhow::ensure!(store.keep_baselines(id, kept), "the store took no more");
    }
    anyhow::ensure!(store.close(CLOSING), "the store did not close");
    let written = milliseconds(began.elapsed());
    let loads = several(|| {
        let began = Instant::now();
        let store = Store::start(settings.clone(), Arc::new(SystemClock))?;
        let remembered = store.remembered(CLOSING).context("what was kept")?;
        let mut loaded = Baselines::default();
        for one in remembered.baselines {
            let id = TargetId {
                kind: "vps_servers",
                name: one.name.into(),
            };
            loaded.restore(&id, &one.bytes);
        }
        let took = milliseconds(began.elapsed());
        let known = (0..TARGETS).map(|target| loaded.of(&id(target)).len());
        anyhow::ensure!(
            known.sum::<usize>() == usize::try_from(TARGETS * METRICS)?,
            "something was not loaded"
        );
        anyhow::ensure!(store.close(CLOSING), "the store did not close");
        Ok(took)
    })?;
    Ok(vec![
        Line::at_most("resident", resident, "MB", 15.0),
        Line::at_most("loaded after a start", median(loads), "ms", 1_000.0),
        Line::note("a look at one target", format!("{look_us:.1} µs")),
        Line::note("all of it written", format!("{written:.0} ms")),
        Line::note(
            "on disk",
            format!("{} bytes per metric", bytes / (TARGETS * METRICS)),
        ),
    ])
}

/// Learns, and prints by how many megabytes the process grew.
pub(crate) fn inside() -> Result<ExitCode> {
    let before = resident_mebibytes()?;
    let baselines = learnt(SystemClock.now());
    let after = resident_mebibytes()?;
    anyhow::ensure!(!baselines.of(&id(0)).is_empty(), "nothing was learnt");
    println!("{:.2}", after - before);
    Ok(ExitCode::SUCCESS)
}

/// Without what of the program itself came to be read meanwhile.
fn resident_mebibytes() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kibibytes: f64 = kibibytes.context("RssAnon")?.trim().parse()?;
    Ok(kibibytes / 1_024.0)
}
