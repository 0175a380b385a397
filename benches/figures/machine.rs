//! What the figures were taken on.

use std::fs::read_to_string;

use roundsman::clock::{Clock as _, SystemClock};

/// The machine, one line each.
pub(crate) fn description() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let processors = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown", |(_, model)| model);
    let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "machine   {cores} cores, {model}\nkernel    {}\ndate      {}\nroundsman {}\n",
        kernel.trim(),
        SystemClock.now().format("%Y-%m-%d"),
        env!("CARGO_PKG_VERSION"),
    )
}
