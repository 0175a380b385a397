//! `/proc/meminfo`: main memory and swap.

use super::metrics::{self, RAM_AVAILABLE_BYTES, RAM_PERCENT, RAM_TOTAL_BYTES, SWAP_PERCENT};
use super::{Text, float, percent};
use crate::model::Reading;

/// What `/proc/meminfo` says, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    /// All of it.
    pub(crate) total_bytes: u64,
    /// What new programs can have without swapping; never more than the total.
    pub(crate) available_bytes: u64,
    /// Whether `available_bytes` is an estimate of ours, because the kernel gives none (before 3.14).
    pub(crate) estimated: bool,
    /// All swap; 0: there is none.
    pub(crate) swap_total_bytes: u64,
    /// The swap that is free.
    pub(crate) swap_free_bytes: u64,
}

/// Reads `/proc/meminfo`.
///
/// Without `MemAvailable` (kernels before 3.14, some containers) it is estimated as free + buffers + cached +
/// reclaimable slab − shared, the way `free` did: shared memory is counted in cached but cannot be given away.
///
/// # Errors
/// Says what is missing, to stand behind the name of the file.
pub(crate) fn parse(text: &str) -> Result<Memory, String> {
    let bytes = |key: &str| -> Option<u64> {
        text.lines().find_map(|line| {
            let (name, rest) = line.split_once(':')?;
            if name.trim() != key {
                return None;
            }
            let kibibytes: u64 = rest.split_ascii_whitespace().next()?.parse().ok()?;
            Some(kibibytes.saturating_mul(1024))
        })
    };
    let total_bytes = (bytes("MemTotal").filter(|total| *total > 0))
        .ok_or_else(|| "has no `MemTotal`".to_owned())?;
    let available = bytes("MemAvailable");
    let available_bytes = match (available, bytes("MemFree")) {
        (Some(available), _) => available,
        (None, Some(free)) => ["Buffers", "Cached", "SReclaimable"]
            .into_iter()
            .filter_map(bytes)
            .fold(free, u64::saturating_add)
            .saturating_sub(bytes("Shmem").unwrap_or(0)),
        (None, None) => return Err("has neither `MemAvailable` nor `MemFree`".to_owned()),
    };
    let (swap_total_bytes, swap_free_bytes) = match (bytes("SwapTotal"), bytes("SwapFree")) {
        (Some(total), Some(free)) => (total, free.min(total)),
        // Kernels without swap compiled in leave both lines out.
        _ => (0, 0),
    };
    Ok(Memory {
        total_bytes,
        available_bytes: available_bytes.min(total_bytes),
        estimated: available.is_none(),
        swap_total_bytes,
        swap_free_bytes,
    })
}

/// Adds what the text of `/proc/meminfo` says. Gives all memory in bytes, where it is known.
pub(crate) fn measure(reading: &mut Reading, text: &Text) -> Option<u64> {
    let parsed = match text {
        Ok(text) => parse(text).map_err(|error| format!("`/proc/meminfo` {error}")),
        Err(error) => Err(error.clone()),
    };
    let memory = match parsed {
        Ok(memory) => memory,
        Err(error) => {
            let missing = [
                &RAM_PERCENT,
                &RAM_TOTAL_BYTES,
                &RAM_AVAILABLE_BYTES,
                &SWAP_PERCENT,
            ];
            metrics::gap(reading, &missing, None, &error);
            return None;
        }
    };
    let used_bytes = memory.total_bytes - memory.available_bytes;
    metrics::put(
        reading,
        &RAM_PERCENT,
        None,
        percent(used_bytes, memory.total_bytes),
    );
    metrics::put(reading, &RAM_TOTAL_BYTES, None, float(memory.total_bytes));
    metrics::put(
        reading,
        &RAM_AVAILABLE_BYTES,
        None,
        float(memory.available_bytes),
    );
    if memory.estimated {
        reading.fact(
            "ram_available",
            "estimated as free + buffers + cached + reclaimable - shared: the kernel gives no `MemAvailable`",
        );
    }
    if memory.swap_total_bytes > 0 {
        let used_bytes = memory.swap_total_bytes - memory.swap_free_bytes;
        metrics::put(
            reading,
            &SWAP_PERCENT,
            None,
            percent(used_bytes, memory.swap_total_bytes),
        );
    }
    Some(memory.total_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Linux 6.18, no swap.
    const RECENT: &str = "\
MemTotal:       24684092 kB
MemFree:        23972968 kB
MemAvailable:   24289072 kB
Buffers:            1340 kB
Cached:           498136 kB
SwapCached:            0 kB
Shmem:              8856 kB
SReclaimable:      91148 kB
SwapTotal:             0 kB
SwapFree:              0 kB
HugePages_Total:       0
";
    /// Linux 2.6.32 (RHEL 6): no `MemAvailable`.
    const OLD: &str = "\
MemTotal:        1000000 kB
MemFree:          100000 kB
Buffers:           50000 kB
Cached:           300000 kB
SwapCached:         1200 kB
SwapTotal:       2000000 kB
SwapFree:        1500000 kB
Shmem:             40000 kB
Slab:              60000 kB
SReclaimable:      30000 kB
";
    /// A container with lxcfs: few lines, and the limits of the container.
    const CONTAINER: &str = "\
MemTotal:         524288 kB
MemFree:          400000 kB
MemAvailable:     530000 kB
SwapTotal:        524288 kB
SwapFree:         600000 kB
";

    fn values(text: &str) -> Vec<String> {
        let mut reading = Reading::default();
        measure(&mut reading, &Ok(text.to_owned()));
        (reading.measurements.iter())
            .map(|measurement| format!("{}={}", measurement.metric, measurement.value))
            .chain(reading.facts.iter().map(|fact| fact.name.to_owned()))
            .chain(
                reading
                    .gaps
                    .iter()
                    .map(|gap| format!("{}: {}", gap.metric, gap.message)),
            )
            .collect()
    }

    #[test]
    fn the_kernel_knows_what_is_available() {
        assert_eq!(
            values(RECENT),
            [
                "ram_percent=1.6",
                "ram_total_bytes=25276510208",
                "ram_available_bytes=24872009728"
            ]
        );
    }

    #[test]
    fn old_kernels_do_not_and_the_estimate_says_so() {
        // 100000 + 50000 + 300000 + 30000 - 40000 = 440000 of 1000000.
        assert_eq!(
            values(OLD),
            [
                "ram_percent=56",
                "ram_total_bytes=1024000000",
                "ram_available_bytes=450560000",
                "swap_percent=25",
                "ram_available"
            ]
        );
    }

    #[test]
    fn more_available_than_there_is_is_all_of_it() {
        assert_eq!(
            values(CONTAINER),
            [
                "ram_percent=0",
                "ram_total_bytes=536870912",
                "ram_available_bytes=536870912",
                "swap_percent=0"
            ]
        );
    }

    #[test]
    fn what_is_garbled_is_a_gap_and_never_zero() {
        for (text, why) in [
            ("", "`/proc/meminfo` has no `MemTotal`"),
            (
                "MemTotal: 0 kB\nMemFree: 0 kB\n",
                "`/proc/meminfo` has no `MemTotal`",
            ),
            ("MemTotal: lots kB\n", "`/proc/meminfo` has no `MemTotal`"),
            (
                "MemTotal: 1000 kB\n",
                "`/proc/meminfo` has neither `MemAvailable` nor `MemFree`",
            ),
            (
                "MemTotal: 1000 kB\nMemFree: -5 kB\n",
                "`/proc/meminfo` has neither `MemAvailable` nor `MemFree`",
            ),
        ] {
            let expected = [
                "ram_percent",
                "ram_total_bytes",
                "ram_available_bytes",
                "swap_percent",
            ]
            .map(|metric| format!("{metric}: {why}"));
            assert_eq!(values(text), expected, "`{text}`");
        }
    }

    #[test]
    fn huge_numbers_do_not_overflow() {
        let text = format!(
            "MemTotal: {0} kB\nMemFree: {0} kB\nCached: {0} kB\n",
            u64::MAX
        );
        assert_eq!(values(&text)[0], "ram_percent=0");
    }
}
