//! From an incident to its report.

use std::cmp::Reverse;

use super::phrases::count_of;
use crate::clock::milliseconds;
use crate::model::{
    Counts, Event, EventKind, Incident, IncidentAcknowledgement, IncidentEvent, IncidentReport,
    IncidentRole, IncidentState, IncidentTarget, Member, Status,
};
use crate::render::recommend::Advice;

/// The version of the contract.
const SCHEMA: u32 = 1;

/// How many targets a report lists.
const MOST_TARGETS: usize = 100;

/// The report of an incident; `events`: what is new.
#[must_use]
pub fn incident_report(incident: &Incident, events: &[Event]) -> IncidentReport {
    let (silenced, spoken_of): (Vec<&Member>, Vec<&Member>) =
        (incident.members.iter()).partition(|member| member.silenced_by.is_some());
    let (members, targets_silenced) = if spoken_of.is_empty() {
        (silenced, 0)
    } else {
        (spoken_of, silenced.len())
    };
    let members = root_first(incident, members);
    let title = incident.title.clone().unwrap_or_else(|| {
        members.first().map_or_else(
            || format!("#{}", incident.id),
            |root| format!("{}: {}", root.name, root.condition.summary),
        )
    });
    let first_seen = incident.members.iter().map(|member| member.since).min();
    let since = first_seen.map_or(incident.opened_at, |at| at.min(incident.opened_at));
    let lasted = (incident.resolved_at).map(|at| (at - since).to_std().unwrap_or_default());
    let acknowledged = incident.acknowledged.as_ref();
    let all_over = !members.iter().any(|member| member.is_open());
    IncidentReport {
        schema: SCHEMA,
        id: incident.id,
        title,
        state: state(incident, members.first().copied()),
        status: worst(members.iter().map(|member| status(member))),
        worst: worst(members.iter().map(|member| member.worst)),
        severity: incident.severity,
        opened_at: incident.opened_at,
        since,
        resolved_at: incident.resolved_at,
        duration_ms: lasted.map(milliseconds),
        merged_into: incident.merged_into,
        acknowledged: acknowledged.map(|known| IncidentAcknowledgement {
            by: known.by.clone(),
            why: known.why.clone(),
            at: known.at,
        }),
        counts: counts(&members),
        targets: (members.iter().take(MOST_TARGETS).enumerate())
            .map(|(index, member)| target(incident, member, index == 0))
            .collect(),
        targets_left_out: members.len().saturating_sub(MOST_TARGETS),
        targets_explained: (members.iter().skip(1))
            .filter(|member| (all_over || member.is_open()) && is_explained(member))
            .count(),
        targets_silenced,
        events: events.iter().map(told).collect(),
        recommendations: recommendations(&members),
        analysis: incident.analysis.clone(),
    }
}

fn worst(statuses: impl Iterator<Item = Status>) -> Status {
    statuses.max().unwrap_or(Status::Green)
}

fn counts(members: &[&Member]) -> Counts {
    let mut counts = Counts::default();
    for member in members {
        *count_of(&mut counts, status(member)) += 1;
    }
    counts
}

/// What is not over first, worst first, and before all the worst of those that no other explains.
fn root_first<'a>(incident: &Incident, mut members: Vec<&'a Member>) -> Vec<&'a Member> {
    let title = incident.title.as_deref().unwrap_or_default();
    members.sort_by_key(|member| {
        let named = title.strip_prefix(&*member.name);
        let is_in_title = named.is_some_and(|rest| rest.starts_with(": "));
        let was = match member.resolved_at {
            Some(_) => member.worst,
            None => Status::Green,
        };
        (
            !member.is_open(),
            Reverse(status(member)),
            Reverse(was),
            is_explained(member),
            member.flapping,
            // What people have heard of stays in front.
            !is_in_title,
        )
    });
    let some_open = members.first().is_some_and(|member| member.is_open());
    let root = (members.iter())
        .position(|member| member.is_open() == some_open && !is_explained(member))
        .unwrap_or(0);
    if let Some(front) = members.get_mut(..=root) {
        front.rotate_right(1);
    }
    members
}

fn status(member: &Member) -> Status {
    match member.resolved_at {
        Some(_) => Status::Green,
        None => member.status,
    }
}

/// Whether it does not speak for itself: another explains it, or did until just now. Once it is over, whatever explained
/// it is its cause, also where that was over before.
fn is_explained(member: &Member) -> bool {
    if member.is_open() {
        member.under.is_some() || member.released_until.is_some()
    } else {
        member.explained_by.is_some()
    }
}

fn state(incident: &Incident, root: Option<&Member>) -> IncidentState {
    let is_end = |event: &&Event| matches!(event.kind, EventKind::Resolved | EventKind::Removed);
    let end = incident.events.iter().rfind(is_end);
    if incident.merged_into.is_some() {
        IncidentState::Merged
    } else if !incident.is_open() {
        match end {
            Some(end) if end.kind == EventKind::Removed => IncidentState::Removed,
            _ => IncidentState::Resolved,
        }
    } else if incident.acknowledged.is_some() {
        IncidentState::Acknowledged
    } else if root.is_some_and(|root| root.flapping && root.is_open()) {
        IncidentState::Flapping
    } else {
        IncidentState::Open
    }
}

fn target(incident: &Incident, member: &Member, is_root: bool) -> IncidentTarget {
    let role = if member.released_until.is_some() || (!is_root && is_explained(member)) {
        IncidentRole::Explained
    } else if is_root {
        IncidentRole::Root
    } else {
        IncidentRole::Member
    };
    let parent = if member.is_open() {
        &member.under
    } else {
        &member.explained_by
    };
    let explained_by = parent.as_ref().map(|parent| {
        let mut members = incident.members.iter();
        let known = members.find(|known| known.target == *parent);
        known.map_or_else(|| parent.clone(), |known| known.name.clone())
    });
    let condition = &member.condition;
    IncidentTarget {
        name: member.name.clone(),
        kind: member.kind.clone(),
        labels: member.labels.clone(),
        critical: member.critical,
        sort: member.sort,
        role,
        explained_by,
        status: status(member),
        worst: member.worst,
        since: member.since,
        status_since: member.status_since(),
        resolved_at: member.resolved_at,
        flapping: member.flapping && member.is_open(),
        flapped: member.flapping && !member.is_open(),
        silenced: member.silenced_by.is_some(),
        looked_at: condition.at,
        seen: condition.status,
        summary: condition.summary.clone(),
        was: (member.worst_summary.clone()).filter(|_| !member.is_open()),
        problems: condition.problems.clone(),
        problems_left_out: condition.more_problems,
        cause: condition.cause.clone(),
        recommendations: condition.advice.clone(),
        runbook: member.runbook.clone(),
    }
}

fn told(event: &Event) -> IncidentEvent {
    IncidentEvent {
        at: event.at,
        event: event.kind,
        target: Some(event.name.clone()).filter(|name| !name.is_empty()),
        status: event.status,
        text: event.text.clone(),
        rings: event.rings,
    }
}

/// What to do about the root and those that speak for themselves: what they explain goes with them.
fn recommendations(members: &[&Member]) -> Vec<String> {
    let mut advice = Advice::default();
    for (index, member) in members.iter().enumerate() {
        if !member.is_open() || (index > 0 && is_explained(member)) {
            continue;
        }
        for what_to_do in &member.condition.advice {
            advice.add(&member.name, what_to_do);
        }
        if let Some(link) = &member.runbook {
            advice.add(&member.name, &format!("follow the runbook {link}"));
        }
    }
    advice.into_lines()
}
