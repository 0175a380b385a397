use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::report::{to_seconds, to_seconds_if_any};
use super::{Analysis, Counts, EventKind, IncidentId, Severity, Sort, Status, Timestamp};

/// What programs read of an incident. Like [`super::Report`] it is a contract: fields are only ever added, and their
/// order here is their order there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IncidentReport {
    /// The version of this contract: 1.
    pub schema: u32,
    /// Its number: people write it `#12`.
    pub id: IncidentId,
    /// How it was called when it was first told; the same for its whole life from then on.
    pub title: String,
    /// Where it stands.
    pub state: IncidentState,
    /// The worst of what is listed or left out and not over; GREEN when all is.
    pub status: Status,
    /// The worst that any of them was.
    pub worst: Status,
    /// The worst that it was, for routing.
    pub severity: Severity,
    /// When enough looks agreed.
    #[serde(serialize_with = "to_seconds")]
    pub opened_at: Timestamp,
    /// When the first of those looks was made.
    #[serde(serialize_with = "to_seconds")]
    pub since: Timestamp,
    /// When it was over; `null`: it is not.
    #[serde(serialize_with = "to_seconds_if_any")]
    pub resolved_at: Option<Timestamp>,
    /// How long it lasted, from `since` on; `null`: it is not over.
    pub duration_ms: Option<u64>,
    /// The incident that it became part of.
    pub merged_into: Option<IncidentId>,
    /// Who took note.
    pub acknowledged: Option<IncidentAcknowledgement>,
    /// How many of its targets have which status; those whose problem is over are GREEN.
    pub counts: Counts,
    /// Its targets, worst first: the first is the root, where there is one. Never more than a hundred.
    pub targets: Vec<IncidentTarget>,
    /// How many more there are.
    pub targets_left_out: usize,
    /// How many of those that are not over another explains, the root left aside; where all are over, of how many it did.
    pub targets_explained: usize,
    /// How many more are silenced, and are neither listed nor counted above.
    pub targets_silenced: usize,
    /// What is new, oldest first.
    pub events: Vec<IncidentEvent>,
    /// What to do, each piece of advice once.
    pub recommendations: Vec<String>,
    /// What the analysis said, where there is one.
    pub analysis: Option<Analysis>,
}

/// Where an incident stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    /// It is there.
    Open,
    /// Somebody took note.
    Acknowledged,
    /// What speaks for itself of it changes to and fro.
    Flapping,
    /// It is over.
    Resolved,
    /// The last of its targets is not watched any more.
    Removed,
    /// It is part of another incident now.
    Merged,
}

impl IncidentState {
    /// Whether something of it is still to come.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Acknowledged | Self::Flapping)
    }
}

/// Who took note of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentAcknowledgement {
    /// Who.
    pub by: String,
    /// Why, or what is being done.
    pub why: Option<String>,
    /// When.
    #[serde(serialize_with = "to_seconds")]
    pub at: Timestamp,
}

/// What a target is to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentRole {
    /// The worst of those that no other explains: the title tells of it.
    Root,
    /// It shares a group or a cause with the root.
    Member,
    /// Another, on which it depends, explains its problem, or did until just now, and its next look is waited for; or did
    /// so last, where its problem is over.
    Explained,
}

/// A target's problem, as part of an incident.
#[expect(
    clippy::struct_excessive_bools,
    reason = "a contract: what programs read is flat"
)]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentTarget {
    /// Its name as people see it.
    pub name: String,
    /// The YAML key of its kind.
    pub kind: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Whether it makes the whole unhealthy when it is RED.
    pub critical: bool,
    /// What sort of problem it is.
    pub sort: Sort,
    /// What it is to the incident.
    pub role: IncidentRole,
    /// The name of the target that explains it, or did so last where it is over.
    pub explained_by: Option<String>,
    /// How it is; GREEN when its problem is over.
    pub status: Status,
    /// The worst that it was.
    pub worst: Status,
    /// When the first of the looks was made that agreed.
    #[serde(serialize_with = "to_seconds")]
    pub since: Timestamp,
    /// When the first of the looks was made that agreed on the status that it has, or had last.
    #[serde(default, serialize_with = "to_seconds")]
    pub status_since: Timestamp,
    /// When it was over; `null`: it is not.
    #[serde(serialize_with = "to_seconds_if_any")]
    pub resolved_at: Option<Timestamp>,
    /// Whether it changes to and fro.
    pub flapping: bool,
    /// Whether it changed to and fro until it was over.
    #[serde(default)]
    pub flapped: bool,
    /// Whether a silence or a window covers it. Such a target is listed only where nothing else can be.
    pub silenced: bool,
    /// When it was looked at last, as far as the incident knows.
    #[serde(serialize_with = "to_seconds")]
    pub looked_at: Timestamp,
    /// Its verdict then: for one that changes to and fro, or is about to become worse, not its status.
    pub seen: Status,
    /// How it was then, in one line.
    pub summary: String,
    /// How it was when it was at its worst, in one line, where it is over and that is known.
    pub was: Option<String>,
    /// What was wrong then, worst first; the first few of it.
    pub problems: Vec<String>,
    /// How much more was wrong.
    pub problems_left_out: usize,
    /// Why it could not be measured, without what tells targets apart.
    pub cause: Option<String>,
    /// What to do about it.
    pub recommendations: Vec<String>,
    /// The link of those who must act on it.
    pub runbook: Option<String>,
}

impl IncidentTarget {
    /// Whether its problem is not over.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.resolved_at.is_none()
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentEvent {
    /// When.
    #[serde(serialize_with = "to_seconds")]
    pub at: Timestamp,
    /// What.
    pub event: EventKind,
    /// The target's name as people see it; `null`: it concerns the whole.
    pub target: Option<String>,
    /// The status after it, where one changed.
    pub status: Option<Status>,
    /// More of it in a few words, such as who took note and why.
    pub text: Option<String>,
    /// Whether people must hear of it.
    pub rings: bool,
}
