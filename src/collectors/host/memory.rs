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
