//! Runs a program and asks the operating system what it took.

use std::fmt;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};

/// How often the peak of memory is read. The kernel keeps the peak, so only growth within the last interval of a
/// process's life is missed.
const MEMORY_INTERVAL: Duration = Duration::from_millis(10);

/// What one run of a program took.
pub(crate) struct Run {
    /// From its start to its end.
    pub(crate) wall: Duration,
    /// User and system time, threads included.
    pub(crate) processor: Duration,
    /// The most memory that was resident.
    pub(crate) peak_bytes: u64,
    /// How it ended; `None`: by a signal.
    pub(crate) exit_code: Option<i32>,
    /// What it wrote to its standard output.
    pub(crate) output: String,
    /// What it complained about.
    pub(crate) complaints: String,
}

/// Runs it to its end. Output goes to files: a pipe that nobody reads would stop it.
pub(crate) fn run(command: &mut Command) -> Result<Run> {
    let (mut output, mut complaints) = (tempfile::tempfile()?, tempfile::tempfile()?);
    command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(complaints.try_clone()?);

    let before = processor_time_of_children()?;
    let began = Instant::now();
    let mut child = command
        .spawn()
        .with_context(|| format!("could not start {command:?}"))?;
    let process = child.id();
    let (ended, end) = sync_channel(1);
    let waiting = std::thread::spawn(move || {
        let status = child.wait();
        // The other side waits for nothing else: it cannot be gone.
        ended.send((status, Instant::now())).ok();
    });
    let mut peak_bytes = 0;
    let (status, at) = loop {
        peak_bytes = peak_bytes.max(peak_memory_of(process).unwrap_or(0));
        match end.recv_timeout(MEMORY_INTERVAL) {
            Ok(ended) => break ended,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => bail!("nobody waited for {command:?}"),
        }
    };
    let processor = processor_time_of_children()?.saturating_sub(before);
    if waiting.join().is_err() {
        bail!("waiting for {command:?} failed");
    }
    Ok(Run {
        wall: at - began,
        processor,
        peak_bytes,
        exit_code: status?.code(),
        output: whole(&mut output)?,
        complaints: whole(&mut complaints)?,
    })
}

fn whole(file: &mut File) -> Result<String> {
    file.rewind()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text)
}

/// Of all children that have ended and were waited for.
fn processor_time_of_children() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let total = usage.user_time() + usage.system_time();
    let microseconds = total.tv_sec() * 1_000_000 + total.tv_usec();
    Ok(Duration::from_micros(u64::try_from(microseconds)?))
}

fn peak_memory_of(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// Thousands of connections need as many descriptors, here and in the children that inherit the limit.
pub(crate) fn raise_descriptor_limit() -> Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    Ok(())
}

/// How many descriptors a process may have.
pub(crate) fn descriptor_limit() -> Result<u64> {
    Ok(getrlimit(Resource::RLIMIT_NOFILE)?.0)
}

/// The middle one.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// In milliseconds.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// One figure as it is printed.
pub(crate) struct Line {
    name: String,
    value: String,
    target: Option<(f64, &'static str)>,
    is_met: bool,
}

impl Line {
    /// A figure that must not be larger than its target.
    pub(crate) fn at_most(name: &str, value: f64, unit: &'static str, target: f64) -> Self {
        Self {
            target: Some((target, unit)),
            is_met: value <= target,
            ..Self::note(name, format!("{} {unit}", short(value)))
        }
    }

    /// Something to compare with.
    pub(crate) fn note(name: &str, value: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            value: value.into(),
            target: None,
            is_met: true,
        }
    }
}

/// With as many decimals as matter.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} … {}", self.name, self.value)?;
        if let Some((target, unit)) = self.target {
            let verdict = if self.is_met { "ok" } else { "MISSED" };
            write!(f, " … target ≤ {target} {unit} … {verdict}")?;
        }
        Ok(())
    }
}
