use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Analysis, FailureKind, Status, Timestamp, Unit, Value};

/// The round report as JSON is a contract (product specification §6): fields are only ever added, and their
/// order here is their order there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The version of this contract: 1.
    pub schema: u32,
    /// The round it tells of.
    pub round: RoundSummary,
    /// How the whole is.
    pub overall: Overall,
    /// The worst status of any target; GREEN where there are none.
    pub status: Status,
    /// How many targets have which status.
    pub counts: Counts,
    /// All targets with their last known state, worst first.
    pub targets: Vec<ReportTarget>,
    /// What changed since the last report.
    pub changes: Vec<Change>,
    /// One line for each thing that is not well, worst first.
    pub issues_found: Vec<String>,
    /// What to do about them.
    pub recommendations: Vec<String>,
    /// What the analysis said, where there is one.
    pub analysis: Option<Analysis>,
    /// Whether the report covers all targets. One that was filtered, or made before all had been looked at, says nothing
    /// about the others, so that a later report must not take them for new.
    #[serde(default = "covers_all")]
    pub complete: bool,
    /// What is wrong with the monitor itself, such as a memory that cannot be written.
    #[serde(default)]
    pub self_alerts: Vec<SelfAlert>,
    /// How messages get out; `None`: nobody counts them, as in a single round.
    #[serde(default)]
    pub delivery: Option<DeliverySummary>,
}

/// Messages that did not get out yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverySummary {
    /// How many wait, or are tried again.
    pub waiting: usize,
    /// How many were given up.
    pub dead: usize,
    /// Since when the oldest of those that wait does.
    #[serde(serialize_with = "to_seconds_if_any")]
    pub oldest_waiting_at: Option<Timestamp>,
}

/// Something that is wrong with the monitor itself; never a target's fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfAlert {
    /// What is wrong, and what that means for this report.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

fn covers_all() -> bool {
    true
}

/// Which round a report tells of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundSummary {
    /// Unique among the rounds of one installation.
    pub id: String,
    /// When it began.
    #[serde(serialize_with = "to_seconds")]
    pub started_at: Timestamp,
    /// How long it took.
    pub duration_ms: u64,
    /// When the next begins; `None`: nothing is scheduled.
    #[serde(serialize_with = "to_seconds_if_any")]
    pub next_at: Option<Timestamp>,
    /// How many looks were left out because the one before was still under way.
    #[serde(default)]
    pub skipped_looks: u64,
    /// How many rounds before this one were missed: the machine slept, or the clock was set.
    #[serde(default)]
    pub missed_rounds: u64,
}

/// How the whole is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Overall {
    /// Everything is GREEN.
    Healthy,
    /// Something is not GREEN, but no critical target is RED.
    Degraded,
    /// A critical target is RED.
    Unhealthy,
}

impl fmt::Display for Overall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        })
    }
}

/// How many targets have which status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is the count of the status it names")]
pub struct Counts {
    pub green: usize,
    pub yellow: usize,
    pub red: usize,
    pub unknown: usize,
}

impl Counts {
    /// How many targets there are.
    #[must_use]
    pub fn total(self) -> usize {
        self.green + self.yellow + self.red + self.unknown
    }
}

/// A target in a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportTarget {
    /// Its name.
    pub name: String,
    /// The YAML key of its kind.
    pub kind: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Whether it makes the whole unhealthy when it is RED.
    pub critical: bool,
    /// How it is.
    pub status: Status,
    /// Since when it has had this status, as far as is known.
    #[serde(serialize_with = "to_seconds")]
    pub since: Timestamp,
    /// When it was looked at.
    #[serde(serialize_with = "to_seconds")]
    pub looked_at: Timestamp,
    /// How long the look took.
    pub took_ms: u64,
    /// How it is, in one line.
    pub summary: String,
    /// Whether a silence covers it.
    pub silenced: bool,
    /// Whether somebody has taken note of its problem.
    pub acknowledged: bool,
    /// The limits that were crossed, worst first.
    pub findings: Vec<ReportFinding>,
    /// All that was measured.
    pub measurements: Vec<ReportMeasurement>,
    /// Why the look failed, if it did.
    pub failure: Option<ReportFailure>,
    /// What else was seen, by name.
    #[serde(default)]
    pub facts: BTreeMap<String, String>,
    /// The link of those who must act on it.
    #[serde(default)]
    pub runbook: Option<String>,
    /// The name of the target that found it; `None`: it is configured.
    #[serde(default)]
    pub found_by: Option<String>,
}

/// A limit that was crossed, in a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportFinding {
    /// The metric.
    pub metric: String,
    /// Which part of the target.
    pub subject: Option<String>,
    /// The value seen; `None`: it could not be had.
    pub value: Option<Value>,
    /// The metric's unit.
    pub unit: Unit,
    /// The limit that was crossed, such as `< 20`.
    pub limit: Option<String>,
    /// YELLOW, RED, or UNKNOWN.
    pub status: Status,
    /// What explains the value, why it is missing, or that the finding stands until it is clear.
    #[serde(default)]
    pub message: Option<String>,
}

/// A measured value, in a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportMeasurement {
    /// The metric.
    pub metric: String,
    /// Which part of the target.
    pub subject: Option<String>,
    /// What was measured.
    pub value: Value,
    /// The metric's unit.
    pub unit: Unit,
}

/// Why a look failed, in a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportFailure {
    /// What sort of failure.
    pub kind: FailureKind,
    /// What we tried, against what, and why it failed.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// Whether we chose not to look, such as when the budget is spent. It does not count in how the whole is.
    #[serde(default)]
    pub by_choice: bool,
}

/// A target whose status changed since the last report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its name, or `kind/name` where the name alone is ambiguous.
    pub target: String,
    /// How it was; `None`: it is new.
    pub from: Option<Status>,
    /// How it is; `None`: it is gone.
    pub to: Option<Status>,
    /// The YAML key of its kind; `None`: the report was written before kinds and names were.
    #[serde(default)]
    pub kind: Option<String>,
    /// Its name alone, which `target` does not always tell: a name may begin with that of a kind.
    #[serde(default)]
    pub name: Option<String>,
}

pub(super) fn to_seconds<S: serde::Serializer>(
    at: &Timestamp,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
}

#[expect(clippy::ref_option, reason = "the shape that serde asks for")]
pub(super) fn to_seconds_if_any<S: serde::Serializer>(
    at: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => to_seconds(at, serializer),
        None => serializer.serialize_none(),
    }
}
