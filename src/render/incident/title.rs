//! The one line that is read on a locked phone.

use super::phrases::{for_so_long, lasted, name, open, open_count, reason, short};
use crate::model::{IncidentReport, IncidentState, IncidentTarget, Sort, Status, Timestamp};
use crate::render::blocks::{Line, Span};
use crate::render::words;

/// How much of what is wrong stands in a title, in characters.
const LONGEST_SUMMARY: usize = 200;

/// How much of who took note.
const LONGEST_PERSON: usize = 40;

/// `[RED] prod-db-1: connections_used_percent is 96 > 90 (for 4 min)`
#[must_use]
pub fn incident_title(report: &IncidentReport, now: Timestamp) -> String {
    title(report, now).iter().map(Span::text).collect()
}

/// The same as a line whose first word has the colour.
pub(super) fn title(report: &IncidentReport, now: Timestamp) -> Line {
    let Some(root) = report.targets.first() else {
        let text = short(&report.title, LONGEST_SUMMARY);
        return vec![Span::Strong(format!("#{} {text}", report.id))];
    };
    let (word, tone, rest) = match report.state {
        IncidentState::Resolved => ("RESOLVED", Status::Green, resolved(report, root, now)),
        IncidentState::Removed => {
            let (who, lasted) = (and_others(report, root), lasted(report, now));
            let is = if report.counts.total() > 1 {
                "are"
            } else {
                "is"
            };
            let rest = format!(
                "{who} {is} not watched any more, after {lasted}: was {}",
                report.worst
            );
            ("REMOVED", Status::Green, rest)
        }
        IncidentState::Merged => {
            let into = report.merged_into;
            let into = into.map_or_else(|| "another".to_owned(), |id| format!("#{id}"));
            let rest = format!("{} is part of {into} now", name(&root.name));
            ("MERGED", report.status, rest)
        }
        _ if open_count(report) == 0 => {
            let end = root.resolved_at.unwrap_or(now);
            let lasted = words::span(end - report.since);
            let silenced = words::counted(report.targets_silenced, "silenced target");
            let (who, worst) = (and_others(report, root), report.worst);
            let rest = format!("{who} after {lasted}: was {worst}; not yet over for {silenced}");
            (Status::Green.word(), Status::Green, rest)
        }
        _ if root.flapping => ("FLAPPING", report.status, flapping(report, root, now)),
        _ => (
            report.status.word(),
            report.status,
            there(report, root, now),
        ),
    };
    vec![
        Span::Toned(format!("[{word}]"), tone),
        Span::Text(format!(" {rest}")),
    ]
}

fn and_others(report: &IncidentReport, root: &IncidentTarget) -> String {
    match report.counts.total() {
        ..=1 => name(&root.name),
        all => format!(
            "{} and {}",
            name(&root.name),
            words::counted(all - 1, "other")
        ),
    }
}

fn resolved(report: &IncidentReport, root: &IncidentTarget, now: Timestamp) -> String {
    let lasted = lasted(report, now);
    let all = report.counts.total();
    let was = root.was.as_ref();
    let was = was.map(|was| short(was, LONGEST_SUMMARY));
    if root.sort == Sort::Unmeasured {
        let (who, was) = match all {
            ..=1 => (name(&root.name), was),
            _ => (words::counted(all, "target"), None),
        };
        let was = was.map_or_else(String::new, |was| format!(": {was}"));
        return format!("{who} can be measured again, after {lasted}{was}");
    }
    let was = was.map_or_else(String::new, |was| format!(", {was}"));
    let who = and_others(report, root);
    format!("{who} after {lasted}: was {}{was}", report.worst)
}

fn flapping(report: &IncidentReport, root: &IncidentTarget, now: Timestamp) -> String {
    format!(
        "{} changes to and fro, just now {}: {}{}{}{}",
        name(&root.name),
        root.seen,
        short(&root.summary, LONGEST_SUMMARY),
        for_so_long(root.since, now),
        others(report),
        acknowledged(report)
    )
}

fn there(report: &IncidentReport, root: &IncidentTarget, now: Timestamp) -> String {
    let how_long = for_so_long(root.since, now);
    let acknowledged = acknowledged(report);
    if open(report).all(|target| target.sort == Sort::Unmeasured) {
        let who = match open_count(report) {
            ..=1 => name(&root.name),
            all => words::counted(all, "target"),
        };
        let why = short(reason(report), LONGEST_SUMMARY);
        return format!("{who} cannot be measured: {why}{how_long}{acknowledged}");
    }
    let (name, others) = (name(&root.name), others(report));
    let summary = short(&root.summary, LONGEST_SUMMARY);
    format!("{name}: {summary}{how_long}{others}{acknowledged}")
}

/// `, and 12 below it, and 3 others`
pub(super) fn others(report: &IncidentReport) -> String {
    let below = report.targets_explained;
    let beside = open_count(report).saturating_sub(1 + below);
    let mut text = String::new();
    if below > 0 {
        text.push_str(&format!(", and {} below it", words::count(below)));
    }
    if beside > 0 {
        text.push_str(&format!(", and {}", words::counted(beside, "other")));
    }
    text
}

fn acknowledged(report: &IncidentReport) -> String {
    let by = report.acknowledged.as_ref();
    by.map_or_else(String::new, |known| {
        format!(", acknowledged by {}", short(&known.by, LONGEST_PERSON))
    })
}
