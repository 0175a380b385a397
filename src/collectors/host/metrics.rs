//! What a host measures: the metrics that `local_hosts` and `vps_servers` have in common.

use crate::model::{Gap, Limit, MetricSpec, Reading, Rule, Unit};

const fn metric(name: &'static str, unit: Unit, meaning: &'static str) -> MetricSpec {
    MetricSpec {
        name,
        unit,
        subject: None,
        meaning,
        headline: None,
        advice: None,
    }
}

pub(crate) const CPU_PERCENT: MetricSpec = MetricSpec {
    headline: Some("cpu"),
    advice: Some(
        "see what keeps the processors busy: `ps -eo pcpu,pid,user,comm --sort=-pcpu | head`",
    ),
    ..metric(
        "cpu_percent",
        Unit::Percent,
        "how busy all processors together were between two readings of `/proc/stat`: \
         (total - idle - iowait) / total, as psutil and top compute it; time stolen by the hypervisor counts as busy; \
         the fact `cpu_interval_ms` tells how long was measured",
    )
};
pub(crate) const CPU_IOWAIT_PERCENT: MetricSpec = MetricSpec {
    advice: Some("see which disk is slow: `iostat -x 1 5`"),
    ..metric(
        "cpu_iowait_percent",
        Unit::Percent,
        "how long the processors were idle while a task waited for a disk, over the same interval (`/proc/stat`)",
    )
};
pub(crate) const CPU_STEAL_PERCENT: MetricSpec = MetricSpec {
    advice: Some(
        "the hypervisor is overbooked or this instance is out of credits: compare `vmstat 1 5`, column `st`",
    ),
    ..metric(
        "cpu_steal_percent",
        Unit::Percent,
        "how long the hypervisor let other guests run while this one had work, over the same interval (`/proc/stat`)",
    )
};
pub(crate) const CPU_CORES: MetricSpec = metric(
    "cpu_cores",
    Unit::Count,
    "the processors that are online: the lines `cpuN` of `/proc/stat`",
);
pub(crate) const RAM_PERCENT: MetricSpec = MetricSpec {
    headline: Some("ram"),
    advice: Some("see what holds the memory: `ps -eo rss,pid,user,comm --sort=-rss | head`"),
    ..metric(
        "ram_percent",
        Unit::Percent,
        "memory that new programs cannot have: (MemTotal - MemAvailable) / MemTotal of `/proc/meminfo`; where the \
         kernel gives no MemAvailable it is estimated as MemFree + Buffers + Cached + SReclaimable - Shmem, and a fact \
         says so",
    )
};
pub(crate) const RAM_TOTAL_BYTES: MetricSpec = metric(
    "ram_total_bytes",
    Unit::Bytes,
    "all memory: MemTotal of `/proc/meminfo`",
);
pub(crate) const RAM_AVAILABLE_BYTES: MetricSpec = metric(
    "ram_available_bytes",
    Unit::Bytes,
    "memory that new programs can have without swapping: MemAvailable of `/proc/meminfo`, or its estimate",
);
pub(crate) const SWAP_PERCENT: MetricSpec = MetricSpec {
    advice: Some("see whether it swaps right now: `vmstat 1 5`, columns `si` and `so`"),
    ..metric(
        "swap_percent",
        Unit::Percent,
        "swap in use: (SwapTotal - SwapFree) / SwapTotal of `/proc/meminfo`; only where there is swap",
    )
};
pub(crate) const LOAD_1M: MetricSpec = metric(
    "load_1m",
    Unit::Number,
    "tasks that ran, wanted to run or waited for a disk, averaged over 1 minute (`/proc/loadavg`)",
);
pub(crate) const LOAD_5M: MetricSpec =
    metric("load_5m", Unit::Number, "the same, averaged over 5 minutes");
pub(crate) const LOAD_15M: MetricSpec = metric(
    "load_15m",
    Unit::Number,
    "the same, averaged over 15 minutes",
);
pub(crate) const LOAD_PER_CORE: MetricSpec = MetricSpec {
    advice: Some("see what runs or waits for disks: `ps -eo state,pid,comm | grep '^[RD]'`"),
    ..metric(
        "load_per_core",
        Unit::Number,
        "`load_5m` divided by `cpu_cores`: above 1 tasks wait",
    )
};
pub(crate) const UPTIME_SECONDS: MetricSpec = metric(
    "uptime_seconds",
    Unit::Seconds,
    "how long ago the system was started (`/proc/uptime`)",
);
pub(crate) const DISK_FREE_PERCENT: MetricSpec = MetricSpec {
    subject: Some("mount"),
    headline: Some("disk free"),
    advice: Some("see what fills it: `du -xh MOUNT | sort -h | tail`"),
    ..metric(
        "disk_free_percent",
        Unit::Percent,
        "what is available to everyone of what can be had: available / (used + available) of statvfs, which is 100 \
         minus the Use% of df",
    )
};
pub(crate) const DISK_FREE_BYTES: MetricSpec = MetricSpec {
    subject: Some("mount"),
    ..metric(
        "disk_free_bytes",
        Unit::Bytes,
        "what is available to everyone, as the column Available of df",
    )
};
pub(crate) const DISK_TOTAL_BYTES: MetricSpec = MetricSpec {
    subject: Some("mount"),
    ..metric(
        "disk_total_bytes",
        Unit::Bytes,
        "the size of the file system, the reserve of root included",
    )
};
pub(crate) const INODE_FREE_PERCENT: MetricSpec = MetricSpec {
    subject: Some("mount"),
    advice: Some("see where the many small files are: `du -x --inodes MOUNT | sort -n | tail`"),
    ..metric(
        "inode_free_percent",
        Unit::Percent,
        "inodes that are free of all inodes (statvfs), as `df -i`; only where the file system counts them",
    )
};
pub(crate) const CGROUP_RAM_PERCENT: MetricSpec = MetricSpec {
    advice: Some(
        "see what holds the memory of the container: `docker stats --no-stream`, or `systemd-cgtop -m`",
    ),
    ..metric(
        "cgroup_ram_percent",
        Unit::Percent,
        "how much of `cgroup_ram_limit_bytes` is used by the group that has this limit: (memory.current - \
         inactive_file) / limit, as docker stats; only where a limit is set",
    )
};
pub(crate) const CGROUP_RAM_LIMIT_BYTES: MetricSpec = metric(
    "cgroup_ram_limit_bytes",
    Unit::Bytes,
    "the smallest memory limit on the way from our own cgroup to the root, where it is below the memory of the host",
);
pub(crate) const CGROUP_CPU_LIMIT_CORES: MetricSpec = metric(
    "cgroup_cpu_limit_cores",
    Unit::Number,
    "the smallest processor quota on the way from our own cgroup to the root, in cores (quota / period), where it is \
     below the cores of the host",
);
pub(crate) const CGROUP_CPU_PERCENT: MetricSpec = MetricSpec {
    advice: Some(
        "see what keeps the container busy: `docker stats --no-stream`, or `systemd-cgtop`",
    ),
    ..metric(
        "cgroup_cpu_percent",
        Unit::Percent,
        "how much of `cgroup_cpu_limit_cores` was used by the group that has this limit, over the interval of \
         `cpu_percent`; short bursts may exceed 100",
    )
};

/// What every host measures, in the order of the documentation.
pub(crate) const ALL: &[MetricSpec] = &[
    CPU_PERCENT,
    CPU_IOWAIT_PERCENT,
    CPU_STEAL_PERCENT,
    CPU_CORES,
    RAM_PERCENT,
    RAM_TOTAL_BYTES,
    RAM_AVAILABLE_BYTES,
    SWAP_PERCENT,
    LOAD_1M,
    LOAD_5M,
    LOAD_15M,
    LOAD_PER_CORE,
    UPTIME_SECONDS,
    DISK_FREE_PERCENT,
    DISK_FREE_BYTES,
    DISK_TOTAL_BYTES,
    INODE_FREE_PERCENT,
    CGROUP_RAM_PERCENT,
    CGROUP_RAM_LIMIT_BYTES,
    CGROUP_CPU_LIMIT_CORES,
    CGROUP_CPU_PERCENT,
];

/// The limits that every host ships (product specification §2). Containers' limits have none: they are shown
/// beside the host's.
pub(crate) fn rules() -> Vec<Rule> {
    let above = |metric: &MetricSpec, yellow, red| {
        Rule::default_of_kind(
            metric.name,
            Some(Limit::above(yellow)),
            Some(Limit::above(red)),
        )
    };
    let below = |metric: &MetricSpec, yellow, red| {
        Rule::default_of_kind(
            metric.name,
            Some(Limit::below(yellow)),
            Some(Limit::below(red)),
        )
    };
    vec![
        above(&CPU_PERCENT, 70.0, 90.0),
        above(&RAM_PERCENT, 70.0, 90.0),
        below(&DISK_FREE_PERCENT, 20.0, 10.0),
        below(&INODE_FREE_PERCENT, 20.0, 10.0),
    ]
}

/// Adds a number under the name and the unit of its metric.
pub(crate) fn put(reading: &mut Reading, metric: &MetricSpec, subject: Option<&str>, number: f64) {
    reading.number(metric.name, subject, number, metric.unit);
}

/// Adds the same gap to several metrics that come from one source.
pub(crate) fn gap(
    reading: &mut Reading,
    metrics: &[&MetricSpec],
    subject: Option<&str>,
    why: &str,
) {
    gap_with_hint(reading, metrics, subject, why, None);
}

/// Adds the same gap to several metrics that come from one source, and what to do next.
pub(crate) fn gap_with_hint(
    reading: &mut Reading,
    metrics: &[&MetricSpec],
    subject: Option<&str>,
    why: &str,
    hint: Option<&str>,
) {
    reading.gaps.extend(metrics.iter().map(|metric| Gap {
        metric: metric.name,
        subject: subject.map(str::to_owned),
        unit: metric.unit,
        message: why.to_owned(),
        hint: hint.map(str::to_owned),
    }));
}
