use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Analysis, Severity, Status, Timestamp};

/// Which incident: people write it `#12`. Never used twice by one installation.
pub type IncidentId = u64;

/// How a target is, as far as an incident tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Its instant verdict.
    pub status: Status,
    /// When it was seen.
    pub at: Timestamp,
    /// How it is, in one line.
    pub summary: String,
    /// What is wrong, worst first; not all of it where there is much.
    #[serde(default)]
    pub problems: Vec<String>,
    /// How much more is wrong.
    #[serde(default)]
    pub more_problems: usize,
    /// What to do.
    #[serde(default)]
    pub advice: Vec<String>,
    /// Why it could not be measured, without what tells targets apart: those that have the same are one incident.
    #[serde(default)]
    pub cause: Option<String>,
}

/// What sort of problem a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// The target is YELLOW or RED.
    Problem,
    /// It cannot be measured.
    Unmeasured,
}

/// A target's problem, as part of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The target: `kind/name`.
    pub target: String,
    /// Its name as people see it.
    pub name: String,
    /// What sort of problem it is.
    pub sort: Sort,
    /// The status on which enough looks agreed.
    pub status: Status,
    /// The worst that this was.
    pub worst: Status,
    /// How it was then, in one line, as far as a look said it.
    #[serde(default)]
    pub worst_summary: Option<String>,
    /// When the first of the looks was made that agreed.
    pub since: Timestamp,
    /// When the first of the looks was made that agreed on the status that it has; `None`: it has had no other.
    #[serde(default)]
    pub status_since: Option<Timestamp>,
    /// When it was over; `None`: it is not.
    pub resolved_at: Option<Timestamp>,
    /// The member that explains this one: it is listed below that and does not speak for itself.
    #[serde(default)]
    pub under: Option<String>,
    /// The member that explained it last, also when that is over.
    #[serde(default)]
    pub explained_by: Option<String>,
    /// What explained it is over; until then we wait for its next look before we speak of it.
    #[serde(default)]
    pub released_until: Option<Timestamp>,
    /// Whether it changes to and fro; of one that is over, whether it did so to the end.
    #[serde(default)]
    pub flapping: bool,
    /// What happened while it was silenced, and was not said.
    #[serde(default)]
    pub unsaid: Vec<Event>,
    /// The silence or window that kept that from being said.
    #[serde(default)]
    pub silenced_by: Option<String>,
    /// How it is now.
    pub condition: Condition,
    /// Whether it makes the whole unhealthy when it is RED.
    pub critical: bool,
    /// The YAML key of its kind.
    pub kind: String,
    /// Its labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The link of those who must act on it.
    #[serde(default)]
    pub runbook: Option<String>,
}

impl Member {
    /// Whether it is not over.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.resolved_at.is_none()
    }

    /// Since when it has the status that it has.
    #[must_use]
    pub fn status_since(&self) -> Timestamp {
        self.status_since.unwrap_or(self.since)
    }
}

/// What happened to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A target's problem began.
    Opened,
    /// It became worse.
    Worsened,
    /// It became better, but is not over.
    Improved,
    /// What explained it is over, and it is still there.
    Remained,
    /// It began to change to and fro.
    FlappingStarted,
    /// It stopped changing to and fro.
    FlappingEnded,
    /// The problem of one target is over.
    Resolved,
    /// The target is not watched any more.
    Removed,
    /// It belongs to another incident.
    Merged,
    /// Somebody took note.
    Acknowledged,
    /// It is still there.
    Reminded,
    /// Others are told.
    Escalated,
    /// A likely cause was found, or another one.
    Explained,
    /// A language model put it into words. What it said stands in the analysis and nowhere else.
    Worded,
}

/// One thing that happened to an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// The target's name as people see it; empty: it concerns the whole.
    pub name: String,
    /// The status after it, where one changed.
    #[serde(default)]
    pub status: Option<Status>,
    /// More of it in a few words, such as who took note and why.
    #[serde(default)]
    pub text: Option<String>,
    /// Whether people must hear of it. Otherwise it is seen by those who look.
    #[serde(default)]
    pub rings: bool,
}

/// How soon something is told, the most urgent last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Soon {
    /// With whatever else happens to an incident that people have heard of.
    WithOthers,
    /// Together with others that have the same cause.
    Gathered,
    /// When it is known whether another problem explains it.
    WhenExplained,
    /// As soon as what happens together has happened.
    #[default]
    Now,
    /// Before anything else happens.
    AtOnce,
}

/// What people must hear: committed together with the change that it tells of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// When it is to be told.
    pub due_at: Timestamp,
    /// How soon the most urgent of it is told.
    #[serde(default)]
    pub soon: Soon,
    /// What it tells, oldest first.
    pub events: Vec<Event>,
}

/// Who took note of an incident, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who.
    pub by: String,
    /// Why, or what is being done.
    pub why: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A problem with a beginning and an end: one target's, or that of several that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Its number.
    pub id: IncidentId,
    /// When it began.
    pub opened_at: Timestamp,
    /// When it was over; `None`: it is not.
    pub resolved_at: Option<Timestamp>,
    /// The incident that it became part of.
    #[serde(default)]
    pub merged_into: Option<IncidentId>,
    /// The worst that it was, for routing: whoever heard of the beginning hears of the end.
    pub severity: Severity,
    /// The targets, in the order in which they came.
    pub members: Vec<Member>,
    /// Who took note.
    #[serde(default)]
    pub acknowledged: Option<Acknowledgement>,
    /// How it was called when it was first told; `None`: it was not.
    #[serde(default)]
    pub title: Option<String>,
    /// When it was last told.
    #[serde(default)]
    pub told_at: Option<Timestamp>,
    /// What is to be told next.
    #[serde(default)]
    pub notice: Option<Notice>,
    /// When people are reminded next.
    #[serde(default)]
    pub remind_at: Option<Timestamp>,
    /// How often they have been.
    #[serde(default)]
    pub reminders: u32,
    /// From when on the delays of the escalation count.
    #[serde(default)]
    pub escalates_from: Option<Timestamp>,
    /// The levels of the escalation that have been told, from 0.
    #[serde(default)]
    pub escalated: Vec<usize>,
    /// What happened, oldest first; not more than the newest fifty.
    #[serde(default)]
    pub events: Vec<Event>,
    /// What may have caused it, when it was last told or when that last changed; `None`: not asked yet.
    #[serde(default)]
    pub analysis: Option<Analysis>,
}

impl Incident {
    /// Whether it is not over.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.resolved_at.is_none()
    }

    /// The worst status of what is not over; GREEN when all is.
    #[must_use]
    pub fn status(&self) -> Status {
        let open = self.members.iter().filter(|member| member.is_open());
        open.map(|member| member.status)
            .max()
            .unwrap_or(Status::Green)
    }

    /// The member of a target.
    #[must_use]
    pub fn member(&self, target: &str, sort: Sort) -> Option<&Member> {
        (self.members.iter()).find(|member| member.target == target && member.sort == sort)
    }

    /// The member that explains most: not below another, worst first, then the one that was there first.
    #[must_use]
    pub fn root(&self) -> Option<&Member> {
        let rank = |member: &&Member| {
            (
                !member.is_open(),
                // What explained it is no more than remembered where both are over.
                member.under.is_some() || !member.is_open() && member.explained_by.is_some(),
                std::cmp::Reverse(member.status),
            )
        };
        self.members.iter().min_by_key(rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_that_is_over_is_still_named_by_what_explained_the_rest() {
        let at = "2026-11-21T10:00:00Z";
        let member = |name: &str, explained_by: Option<&str>| {
            serde_json::json!({
                "target": name, "name": name, "sort": "problem", "status": "GREEN", "worst": "RED", "since": at,
                "resolved_at": at, "critical": true, "kind": "", "explained_by": explained_by,
                "condition": {"status": "GREEN", "at": at, "summary": ""},
            })
        };
        let members = [member("shop", Some("db-api")), member("db-api", None)];
        let incident: Incident = serde_json::from_value(serde_json::json!({
            "id": 1, "opened_at": at, "resolved_at": at, "severity": "critical", "members": members,
        }))
        .expect("an incident");
        assert_eq!(
            incident.root().map(|root| root.name.as_str()),
            Some("db-api")
        );
    }
}
