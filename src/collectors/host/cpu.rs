//! `/proc/stat`: what the processors did.

use std::time::Duration;

use super::metrics::{self, CPU_CORES, CPU_IOWAIT_PERCENT, CPU_PERCENT, CPU_STEAL_PERCENT};
use super::{Text, percent};
use crate::model::Reading;

/// What all processors together did since the start, in clock ticks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CpuTimes {
    /// User, nice, system, irq, softirq. Guest times are not read: the kernel counts them in user and nice already.
    work: [u64; 5],
    idle: u64,
    /// Since Linux 2.5.41.
    iowait: Option<u64>,
    /// Since Linux 2.6.11.
    steal: Option<u64>,
}

/// What `/proc/stat` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    /// All processors together.
    pub(crate) times: CpuTimes,
    /// How many processors are online.
    pub(crate) cores: u32,
}

/// What share of a stretch of time the processors spent on what, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(
    clippy::struct_field_names,
    reason = "names of numbers end with their unit"
)]
pub(crate) struct CpuShares {
    /// Neither idle nor waiting for disks.
    pub(crate) busy_percent: f64,
    /// Idle while a task waits for disks; `None` on kernels that do not count it.
    pub(crate) iowait_percent: Option<f64>,
    /// Taken away by the hypervisor; `None` on kernels that do not count it.
    pub(crate) steal_percent: Option<f64>,
}

/// Reads `/proc/stat`.
///
/// # Errors
/// Says what is missing, to stand behind the name of the file.
pub(crate) fn parse(text: &str) -> Result<Stat, String> {
    let mut times = None;
    let mut cores = 0;
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let Some(number) = words.next().and_then(|word| word.strip_prefix("cpu")) else {
            continue;
        };
        if number.is_empty() {
            let columns: Result<Vec<u64>, _> = words.map(str::parse).collect();
            times = columns.ok().and_then(|columns| from_columns(&columns));
        } else if number.bytes().all(|byte| byte.is_ascii_digit()) {
            cores += 1;
        }
    }
    match times {
        Some(times) => Ok(Stat { times, cores }),
        None => Err("has no line `cpu` with at least four numbers".to_owned()),
    }
}

/// `proc_stat(5)`: user nice system idle iowait irq softirq steal `guest` `guest_nice`.
fn from_columns(columns: &[u64]) -> Option<CpuTimes> {
    let [user, nice, system, idle, ..] = columns else {
        return None;
    };
    let at = |index: usize| columns.get(index).copied();
    Some(CpuTimes {
        work: [
            *user,
            *nice,
            *system,
            at(5).unwrap_or(0),
            at(6).unwrap_or(0),
        ],
        idle: *idle,
        iowait: at(4),
        steal: at(7),
    })
}

impl CpuTimes {
    /// What was spent on what since `before`; `None` when the counters did not move.
    ///
    /// The formula of `psutil.cpu_percent` and of `top`: busy = total − idle − iowait, steal included. Each counter
    /// is compared on its own and never gives less than nothing, because iowait and idle may run backwards
    /// (`proc_stat(5)`).
    pub(crate) fn shares_since(&self, before: &Self) -> Option<CpuShares> {
        let since = |after: Option<u64>, before: Option<u64>| {
            Some(after?.saturating_sub(before.unwrap_or_default()))
        };
        let work = (self.work.iter().zip(&before.work))
            .map(|(after, before)| after.saturating_sub(*before))
            .fold(0, u64::saturating_add);
        let idle = self.idle.saturating_sub(before.idle);
        let iowait = since(self.iowait, before.iowait);
        let steal = since(self.steal, before.steal);
        let busy = work.saturating_add(steal.unwrap_or(0));
        let total = busy
            .saturating_add(idle)
            .saturating_add(iowait.unwrap_or(0));
        (total > 0).then(|| CpuShares {
            busy_percent: percent(busy, total),
            iowait_percent: iowait.map(|ticks| percent(ticks, total)),
            steal_percent: steal.map(|ticks| percent(ticks, total)),
        })
    }
}

/// Adds what two texts of `/proc/stat` say, read `interval` apart. Gives the number of cores, where it is known.
pub(crate) fn measure(
    reading: &mut Reading,
    before: &Text,
    after: &Text,
    interval: Duration,
) -> Option<u32> {
    let parsed = |text: &Text| match text {
        Ok(text) => parse(text).map_err(|error| format!("`/proc/stat` {error}")),
        Err(error) => Err(error.clone()),
    };
    let (before, after) = (parsed(before), parsed(after));
    let cores = match &after {
        Ok(stat) if stat.cores > 0 => Ok(stat.cores),
        Ok(_) => Err("`/proc/stat` names no processor".to_owned()),
        Err(error) => Err(error.clone()),
    };
    let shares = before.and_then(|before| {
        after?.times.shares_since(&before.times).ok_or_else(|| {
            let interval_ms = interval.as_millis();
            format!("the counters of `/proc/stat` did not move within {interval_ms} ms")
        })
    });
    match shares {
        Ok(shares) => {
            metrics::put(reading, &CPU_PERCENT, None, shares.busy_percent);
            if let Some(iowait_percent) = shares.iowait_percent {
                metrics::put(reading, &CPU_IOWAIT_PERCENT, None, iowait_percent);
            }
            if let Some(steal_percent) = shares.steal_percent {
                metrics::put(reading, &CPU_STEAL_PERCENT, None, steal_percent);
            }
            reading.fact("cpu_interval_ms", interval.as_millis().to_string());
        }
        Err(error) => {
            let missing = [&CPU_PERCENT, &CPU_IOWAIT_PERCENT, &CPU_STEAL_PERCENT];
            metrics::gap(reading, &missing, None, &error);
        }
    }
    match cores {
        Ok(cores) => {
            metrics::put(reading, &CPU_CORES, None, f64::from(cores));
            reading.fact("cores", cores.to_string());
            Some(cores)
        }
        Err(error) => {
            metrics::gap(reading, &[&CPU_CORES], None, &error);
            None
        }
    }
}
