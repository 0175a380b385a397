//! Sorts of trouble, and which can cause which. This is what an operator knows before looking at any system: a full disk can
//! break a database, a slow API cannot fill a disk.

use Class::{
    Access, Answer, Certificate, Change, Cloud, Connections, Cpu, Disk, DiskWait, Gone, Limits,
    Load, Locks, Memory, Monitor, Name, Other, Reach, Replication, Service, Slow, Steal,
};

use serde::{Deserialize, Serialize};

use crate::model::{Blame, FailureKind};

/// A sort of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Little room on a disk.
    Disk,
    /// Little memory, swapping, kills for want of it.
    Memory,
    /// Busy processors.
    Cpu,
    /// A neighbour takes our processor.
    Steal,
    /// Disks that are waited for.
    DiskWait,
    /// Much waits for a processor or a disk.
    Load,
    /// A unit or container that failed, was restarted, or is not well.
    Service,
    /// Something is new: a container, a start of the machine.
    Change,
    /// A certificate that expires, or does not fit.
    Certificate,
    /// A name that cannot be looked up.
    Name,
    /// It cannot be reached.
    Gone,
    /// It answers something wrong.
    Answer,
    /// It is slow.
    Slow,
    /// It takes long to reach it.
    Reach,
    /// Connections run out.
    Connections,
    /// Transactions wait for each other.
    Locks,
    /// A copy lags behind.
    Replication,
    /// The provider says that something is wrong with the machine, or it is switched off.
    Cloud,
    /// Our key or login is not accepted.
    Access,
    /// We ask too often, or what we may spend is spent.
    Limits,
    /// The monitor's own trouble.
    Monitor,
    /// What says little by itself.
    Other,
}

impl Class {
    /// The word for programs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Steal => "steal",
            Self::DiskWait => "disk_wait",
            Self::Load => "load",
            Self::Service => "service",
            Self::Change => "change",
            Self::Certificate => "certificate",
            Self::Name => "name",
            Self::Gone => "gone",
            Self::Answer => "answer",
            Self::Slow => "slow",
            Self::Reach => "reach",
            Self::Connections => "connections",
            Self::Locks => "locks",
            Self::Replication => "replication",
            Self::Cloud => "cloud",
            Self::Access => "access",
            Self::Limits => "limits",
            Self::Monitor => "monitor",
            Self::Other => "other",
        }
    }

    /// Whether being so far off in that direction is bad.
    #[must_use]
    pub fn is_bad(self, distance: f64) -> bool {
        match self {
            // What is left, or hit: less is worse.
            Self::Disk | Self::Certificate => distance < 0.0,
            // What is left is less, or we are refused more often.
            Self::Change | Self::Other | Self::Service | Self::Cloud | Self::Limits => true,
            _ => distance > 0.0,
        }
    }
}

/// The sort of trouble that a metric tells of.
#[must_use]
pub(super) fn class_of(kind: &str, metric: &str) -> Class {
    match metric {
        "disk_free_percent" | "inode_free_percent" => Class::Disk,
        "ram_percent" | "swap_percent" | "cgroup_ram_percent" | "oom_killed" => Class::Memory,
        "cpu_percent" | "cgroup_cpu_percent" => Class::Cpu,
        "cpu_steal_percent" => Class::Steal,
        "cpu_iowait_percent" => Class::DiskWait,
        "load_per_core" | "load_1m" | "load_5m" | "load_15m" => Class::Load,
        "failed_units"
        | "container_state"
        | "exit_code"
        | "restarts_since_last_look"
        | "restart_count" => Class::Service,
        "container_age_days" | "uptime_seconds" => Class::Change,
        "certificate_days_left" => Class::Certificate,
        "dns_time_ms" => Class::Name,
        // What its own check says, which asks as everybody else does.
        "container_health" | "http_status" | "available" | "listable" | "region_as_configured" => {
            Class::Answer
        }
        "connections_used_percent" => Class::Connections,
        "locks_waiting" | "longest_transaction_seconds" => Class::Locks,
        "replication_lag_seconds" => Class::Replication,
        "state" | "system_check" | "instance_check" | "gone_percent" | "instances_found" => {
            Class::Cloud
        }
        "key_valid" | "key_present" => Class::Access,
        "throttled" | "remaining_requests" | "remaining_tokens" | "remaining_usd"
        | "cpu_credit_balance" => Class::Limits,
        "connect_time_ms" | "tls_time_ms" => Class::Reach,
        _ if metric.ends_with("_ms") => Class::Slow,
        _ if kind == "llm_models" => Class::Answer,
        _ => Class::Other,
    }
}

/// What a look says that failed because our own network is down.
pub(super) const OUR_NETWORK: &str = "our own network";

/// The sort of trouble that a failed look tells of.
#[must_use]
pub(super) fn class_of_failure(kind: FailureKind, blame: Blame, message: &str) -> Class {
    let text = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if text.contains(OUR_NETWORK) {
        return Class::Monitor;
    }
    if says(&["certificate"]) {
        return Class::Certificate;
    }
    if says(&[
        "resolve",
        "looked up",
        "no such name",
        "name server",
        "nxdomain",
        "does not exist in the dns",
    ]) {
        return Class::Name;
    }
    match kind {
        FailureKind::Unreachable | FailureKind::TimedOut => Class::Gone,
        FailureKind::Missing | FailureKind::Unexpected => Class::Answer,
        FailureKind::Denied if says(&["too many", "connection slots", "max_connections"]) => {
            Class::Connections
        }
        FailureKind::Denied => Class::Access,
        FailureKind::Throttled => Class::Limits,
        FailureKind::Ours if blame == Blame::Target => Class::Answer,
        FailureKind::Ours => Class::Monitor,
    }
}

/// How two targets are related, from the cause's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// They are one.
    Same,
    /// The effect runs on the machine that the cause is.
    OnIt,
    /// The cause runs on the machine that the effect is.
    UnderIt,
    /// They run on one machine.
    Beside,
    /// The effect depends on the cause, over so many steps.
    Needs(u32),
    /// The cause is about something, such as a container, that has the effect's name.
    Named,
    /// They share something that may fail as one.
    Shares,
    /// Many hosts fell silent together: they share our own line to them.
    Line,
    /// One in trouble needs both, and both show the same: what was done to the one was done to the other.
    Alike,
    /// One in trouble needs both: without the one, or with a new one, more is asked of the other.
    Loads,
    /// The cause is the machine that looks at the effect.
    Watches,
    /// The cause explains what explains the effect.
    Through,
}

/// Which sorts cause which, and how likely, from 0 to 1. The first row that fits counts.
type Row = (&'static [Class], &'static [Class], f64);

/// In one target, or from a machine to what runs on it: what a machine lacks reaches everything.
const NEAR: &[Row] = &[
    (&[Gone, Cloud], &[Gone], 1.0),
    (
        &[Gone, Cloud],
        &[
            Answer,
            Slow,
            Service,
            Connections,
            Locks,
            Replication,
            Load,
            Cpu,
            Access,
            Other,
        ],
        0.7,
    ),
    (&[Disk], &[Answer, Service], 0.9),
    (&[Disk], &[Gone, Slow, Locks, Replication], 0.7),
    (&[Disk], &[DiskWait, Load, Connections], 0.5),
    (&[Memory], &[Memory, Service, Slow, Answer], 0.9),
    (&[Memory], &[Gone, DiskWait, Load, Cpu], 0.7),
    (&[Memory], &[Connections, Locks, Disk], 0.3),
    (&[Cpu], &[Slow, Load], 0.9),
    (
        &[Cpu],
        &[Answer, Gone, Connections, Locks, Service, Replication],
        0.5,
    ),
    (&[Steal], &[Slow, Load, Cpu], 0.9),
    (&[Steal], &[Gone, Answer, Connections, Locks, Service], 0.6),
    (&[DiskWait], &[Slow, Load, Locks], 0.9),
    (
        &[DiskWait],
        &[Gone, Answer, Service, Connections, Replication],
        0.7,
    ),
    (&[Load], &[Slow, Gone, Answer], 0.5),
    (&[Service], &[Answer, Gone, Service], 0.9),
    (&[Service], &[Slow, Connections, Cpu, Load, Memory], 0.5),
    (&[Change], &[Answer, Slow, Service], 0.9),
    (
        &[Change],
        &[Cpu, Memory, Connections, Locks, Gone, Load, Disk],
        0.7,
    ),
    (&[Locks], &[Slow, Connections, Answer, Locks], 0.9),
    (
        &[Connections],
        &[Slow, Answer, Access, Connections, Gone],
        0.9,
    ),
    (&[Replication], &[Answer, Slow], 0.3),
    (&[Certificate], &[Gone, Answer, Certificate], 0.9),
    (&[Name], &[Gone, Answer, Name, Slow], 0.8),
    (&[Limits], &[Cpu, Slow, Answer, Load, Limits], 0.7),
    (&[Access], &[Answer, Access], 0.7),
    (&[Slow], &[Answer, Gone, Connections], 0.5),
    (&[Answer], &[Answer], 0.3),
    (&[Monitor], &[Monitor, Gone], 0.9),
];

/// From a target to one that depends on it: that it is gone, wrong or slow, and with that whatever makes it so.
const NEEDS: &[Row] = &[
    (
        &[Gone, Cloud, Name, Certificate, Access, Limits],
        &[Answer, Gone, Slow],
        0.8,
    ),
    (
        &[Gone, Cloud],
        &[Service, Connections, Load, Cpu, Locks, Access],
        0.5,
    ),
    (&[Service], &[Answer, Gone, Slow], 0.9),
    (&[Service], &[Service, Connections, Cpu, Load], 0.6),
    (&[Answer], &[Answer, Gone, Slow], 0.8),
    (&[Answer], &[Service], 0.5),
    (&[Slow], &[Slow, Answer], 0.8),
    (&[Slow], &[Gone, Service, Connections, Load], 0.5),
    (&[Locks, Connections], &[Slow, Answer], 0.9),
    (&[Locks, Connections], &[Gone, Service], 0.5),
    (&[Disk, Memory, DiskWait], &[Answer, Slow, Gone], 0.8),
    (
        &[Disk, Memory, DiskWait],
        &[Service, Locks, Connections],
        0.5,
    ),
    // Who waits for a disk far away waits as if it were its own.
    (&[DiskWait], &[DiskWait, Load], 0.7),
    (&[Cpu, Steal, Load], &[Slow, Answer], 0.8),
    (&[Cpu, Steal, Load], &[Gone, Connections, Locks], 0.4),
    (&[Change], &[Answer, Slow], 0.8),
    (&[Change], &[Service, Connections, Cpu, Gone, Locks], 0.5),
    (&[Replication], &[Answer, Slow], 0.6),
    (&[Monitor], &[Monitor], 0.5),
];

/// From what runs on a machine to the machine, which it wears out.
const UNDER: &[Row] = &[
    (
        &[Connections, Locks, Change, Service],
        &[Cpu, Load, DiskWait, Memory],
        0.6,
    ),
    (&[Change, Memory], &[Disk, Memory], 0.4),
];

/// Between two that share something. Nothing of the one reaches the other: both show what they share.
const SHARED: &[Row] = &[
    (&[Gone], &[Gone], 0.7),
    (&[Certificate], &[Certificate], 0.7),
    (&[Name], &[Name], 0.7),
    (&[Monitor], &[Monitor], 0.7),
    (&[Access], &[Access], 0.7),
    (&[Limits], &[Limits], 0.7),
    (&[Cloud], &[Cloud, Gone], 0.7),
    (&[Steal], &[Steal, Slow], 0.7),
    (&[Gone], &[Answer], 0.4),
    (&[Answer], &[Answer], 0.4),
    (&[Slow], &[Slow], 0.4),
    (&[DiskWait], &[DiskWait, Slow], 0.4),
    // A primary and its copy show one lag.
    (&[Replication], &[Replication], 0.7),
];

/// Between many hosts that fell silent together. Nobody has told us so: less sure than anything that is declared.
const ON_ONE_LINE: &[Row] = &[
    (
        &[Gone, Name, Reach, Monitor],
        &[Gone, Name, Reach, Monitor],
        0.6,
    ),
    (&[Gone, Name, Reach], &[Slow], 0.4),
];

/// Between two of which one in trouble needs both: a release or a wrong line that went to all of them.
const ALIKE: &[Row] = &[(&[Service], &[Service], 0.7), (&[Change], &[Change], 0.7)];

/// From one to another that somebody in trouble needs as well: without the cache the database is asked each time, and what is
/// new may ask it worse.
const LOADS: &[Row] = &[
    (
        &[Gone, Cloud, Service],
        &[Connections, Cpu, Load, DiskWait, Limits],
        0.6,
    ),
    // Who waits for the one holds what it has of the other.
    (&[Gone, Slow], &[Connections, Locks], 0.6),
    (
        &[Change],
        &[Connections, Locks, Cpu, Load, DiskWait, Limits],
        0.6,
    ),
];

/// From the machine that looks to what it looks at: who gets his turn late measures everything long.
const WATCHED: &[Row] = &[(
    &[Memory, Cpu, DiskWait, Load, Steal],
    &[Slow, Reach, Name],
    0.8,
)];

/// How likely it is that one sort of trouble causes another, from 0 to 1.
#[must_use]
pub(super) fn causes(cause: Class, effect: Class, relation: Relation) -> f64 {
    let of = |table: &[Row], cause: Class, effect: Class| {
        let mut rows = table.iter();
        let found = rows.find(|(from, to, _)| from.contains(&cause) && to.contains(&effect));
        found.map_or(0.0, |(_, _, likely)| *likely)
    };
    // Only on the way to many hosts is it more than being slow.
    let plain = |class| if class == Reach { Slow } else { class };
    let (one, other) = (plain(cause), plain(effect));
    match relation {
        Relation::Same | Relation::OnIt => of(NEAR, one, other),
        // A neighbour reaches us through what both use.
        Relation::Beside => match one {
            Steal => of(NEAR, one, other),
            Disk | Memory | Cpu | DiskWait | Load => of(NEAR, one, other) * 0.8,
            Change | Service | Locks => of(NEAR, one, other) * 0.4,
            // What may be asked at a place is counted for all who ask there.
            Limits if other == Limits => of(NEAR, one, other),
            _ => 0.0,
        },
        Relation::UnderIt => of(UNDER, one, other),
        // What the container is called, the endpoint before it is often called too.
        Relation::Named => of(NEAR, one, other) * 0.9,
        Relation::Needs(steps) => {
            let more = i32::try_from(steps.saturating_sub(1)).unwrap_or(9);
            of(NEEDS, one, other) * 0.9_f64.powi(more)
        }
        Relation::Shares => of(SHARED, one, other),
        Relation::Line => of(ON_ONE_LINE, cause, effect),
        Relation::Alike => of(ALIKE, one, other),
        Relation::Loads => of(LOADS, one, other),
        Relation::Watches => of(WATCHED, cause, effect),
        // Nothing is so related in itself.
        Relation::Through => 0.0,
    }
}
