//! `/proc/PID/stat`: the processes that need most.
//!
//! Names only: arguments hold passwords, so nothing here ever sees `/proc/PID/cmdline`.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

use super::{float, one_line, size};

/// What `/proc/PID/stat` says about one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    /// Its number, which is used again after its end.
    pub(crate) pid: u32,
    /// Its short name, without control characters.
    pub(crate) name: String,
    /// The processor time it has used, in clock ticks.
    pub(crate) cpu_ticks: u64,
    /// When it started, in clock ticks since the system's start: tells it from others of the same number.
    pub(crate) started_ticks: u64,
    /// The memory it holds, shared parts included, in pages.
    pub(crate) resident_pages: u64,
}

/// Reads `/proc/PID/stat`; `None` if it is garbled. The fields are those of `proc_pid_stat(5)`.
pub(crate) fn parse(text: &[u8]) -> Option<Process> {
    // The name may hold spaces, parentheses and line ends, so it reaches from the first `(` to the last `)`.
    let open = text.iter().position(|byte| *byte == b'(')?;
    let close = text.iter().rposition(|byte| *byte == b')')?;
    let name = text.get(open + 1..close)?;
    let pid = std::str::from_utf8(&text[..open]).ok()?.trim();
    let rest = std::str::from_utf8(&text[close + 1..]).ok()?;
    // Behind the name comes field 3.
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let field = |number: usize| -> Option<u64> { fields.get(number - 3)?.parse().ok() };
    Some(Process {
        pid: pid.parse().ok()?,
        name: one_line(&String::from_utf8_lossy(name)),
        cpu_ticks: field(14)?.saturating_add(field(15)?),
        started_ticks: field(22)?,
        resident_pages: field(24)?,
    })
}

/// The `top` processes that used most processor time between two passes, in percent of one core as `top` says it;
/// `None` if none used any. Processes that are not in both passes are left out.
pub(crate) fn busiest(
    before: &[Process],
    after: &[Process],
    ticks_per_second: u64,
    interval: Duration,
    top: usize,
) -> Option<String> {
    let interval_ticks = float(ticks_per_second) * interval.as_secs_f64();
    if interval_ticks <= 0.0 {
        return None;
    }
    let known: HashMap<(u32, u64), u64> = (before.iter())
        .map(|process| ((process.pid, process.started_ticks), process.cpu_ticks))
        .collect();
    let mut used: Vec<(u64, &Process)> = (after.iter())
        .filter_map(|process| {
            let before = known.get(&(process.pid, process.started_ticks))?;
            Some((process.cpu_ticks.saturating_sub(*before), process))
        })
        .filter(|(ticks, _)| *ticks > 0)
        .collect();
    used.sort_by_key(|(ticks, process)| (Reverse(*ticks), process.pid));
    listed(used.into_iter().take(top).map(|(ticks, process)| {
        let percent = 100.0 * float(ticks) / interval_ticks;
        format!("{} {percent:.1} %", process.name)
    }))
}

/// The `top` processes that hold most memory, shared parts included; `None` if none holds any.
pub(crate) fn largest(processes: &[Process], page_bytes: u64, top: usize) -> Option<String> {
    let mut holding: Vec<&Process> = (processes.iter())
        .filter(|process| process.resident_pages > 0)
        .collect();
    holding.sort_by_key(|process| (Reverse(process.resident_pages), process.pid));
    listed(holding.into_iter().take(top).map(|process| {
        let bytes = process.resident_pages.saturating_mul(page_bytes);
        format!("{} {}", process.name, size(bytes))
    }))
}

fn listed(entries: impl Iterator<Item = String>) -> Option<String> {
    let entries: Vec<String> = entries.collect();
    (!entries.is_empty()).then(|| entries.join(", "))
}
