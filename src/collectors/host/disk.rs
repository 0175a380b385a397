//! How full a file system is, from the numbers of `statvfs`.

use super::metrics::{
    self, DISK_FREE_BYTES, DISK_FREE_PERCENT, DISK_TOTAL_BYTES, INODE_FREE_PERCENT,
};
use super::{float, percent};
use crate::model::Reading;

/// The numbers of statvfs(3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Space {
    /// The unit of the blocks (`f_frsize`).
    pub(crate) block_bytes: u64,
    /// All blocks (`f_blocks`).
    pub(crate) blocks: u64,
    /// Blocks that are free, those reserved for root included (`f_bfree`).
    pub(crate) free_blocks: u64,
    /// Blocks that are free for everyone (`f_bavail`).
    pub(crate) available_blocks: u64,
    /// All inodes (`f_files`); 0 on file systems that do not count them.
    pub(crate) inodes: u64,
    /// Inodes that are free (`f_ffree`).
    pub(crate) free_inodes: u64,
}

impl Space {
    /// What is available of what can be had, 0 to 100: 100 minus the `Use%` of `df`, which leaves the blocks that
    /// are reserved for root out of both and rounds up to a whole percent.
    pub(crate) fn free_percent(&self) -> f64 {
        let used = self.blocks.saturating_sub(self.free_blocks);
        percent(
            self.available_blocks,
            used.saturating_add(self.available_blocks),
        )
    }
}

/// Adds what is known about the file system at a mount point.
pub(crate) fn measure(reading: &mut Reading, mount_point: &str, space: &Space) {
    let subject = Some(mount_point);
    let bytes = |blocks: u64| float(blocks) * float(space.block_bytes);
    metrics::put(reading, &DISK_FREE_PERCENT, subject, space.free_percent());
    metrics::put(
        reading,
        &DISK_FREE_BYTES,
        subject,
        bytes(space.available_blocks),
    );
    metrics::put(reading, &DISK_TOTAL_BYTES, subject, bytes(space.blocks));
    if space.inodes > 0 {
        let free_inodes = space.free_inodes.min(space.inodes);
        let free_percent = percent(free_inodes, space.inodes);
        metrics::put(reading, &INODE_FREE_PERCENT, subject, free_percent);
    }
}

/// Adds that nothing is known about the file system at a mount point, or about any (`None`). All metrics are named,
/// so that no limit on any of them is taken as met.
pub(crate) fn unknown(reading: &mut Reading, mount_point: Option<&str>, why: &str) {
    let missing = [
        &DISK_FREE_PERCENT,
        &DISK_FREE_BYTES,
        &DISK_TOTAL_BYTES,
        &INODE_FREE_PERCENT,
    ];
    let hint = mount_point.map(|mount_point| {
        format!(
            "see whether `df {mount_point}` answers; a mount that need not be watched goes into `exclude_mounts`"
        )
    });
    metrics::gap_with_hint(reading, &missing, mount_point, why, hint.as_deref());
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXT4: Space = Space {
        block_bytes: 4096,
        blocks: 1000,
        free_blocks: 300,
        available_blocks: 250,
        inodes: 200,
        free_inodes: 50,
    };

    fn values(space: &Space) -> Vec<String> {
        let mut reading = Reading::default();
        measure(&mut reading, "/data", space);
        (reading.measurements.iter())
            .map(|measurement| format!("{}={}", measurement.metric, measurement.value))
            .collect()
    }

    #[test]
    fn the_reserve_of_root_counts_on_neither_side() {
        assert_eq!(
            values(&EXT4),
            [
                "disk_free_percent=26.3", // 250 of 700 used + 250 available
                "disk_free_bytes=1024000",
                "disk_total_bytes=4096000",
                "inode_free_percent=25",
            ]
        );
    }

    #[test]
    fn file_systems_without_inodes_have_no_share_of_them() {
        let btrfs = Space {
            inodes: 0,
            free_inodes: 0,
            ..EXT4
        };
        assert!(
            !values(&btrfs)
                .iter()
                .any(|value| value.starts_with("inode"))
        );
    }

    #[test]
    fn odd_numbers_stay_between_0_and_100() {
        let full = Space {
            free_blocks: 0,
            available_blocks: 0,
            ..EXT4
        };
        assert!((full.free_percent() - 0.0).abs() < f64::EPSILON);
        // Some network file systems say that more is free than there is.
        let generous = Space {
            free_blocks: 2000,
            available_blocks: 2000,
            free_inodes: 900,
            ..EXT4
        };
        assert!((generous.free_percent() - 100.0).abs() < f64::EPSILON);
        assert!(values(&generous).contains(&"inode_free_percent=100".to_owned()));
    }
}
