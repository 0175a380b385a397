//! The one line that is read on a locked phone.

use super::phrases::{for_so_long, lasted, name, only_silenced, open, open_count, reason, short};
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
        _ if open_count(report) == 0 => ("SILENCED", Status::Green, silenced(report, root)),
        _ if only_silenced(report) => ("SILENCED", report.status, there(report, root, now)),
        _ if root.flapping => ("FLAPPING", report.status, flapping(report, root, now)),
        _ => (
            report.status.word(),
            report.status,
            there(report, root, now),
        ),
    };
    let word = match (word, tone) {
        ("SILENCED", tone) if tone != Status::Green => format!("{word}, {tone}"),
        _ => word.to_owned(),
    };
    vec![
        Span::Toned(format!("[{word}]"), tone),
        Span::Text(format!(" {rest}")),
    ]
}

/// `host-1, 12 below it and 1 other`, of which all are over.
fn and_others(report: &IncidentReport, root: &IncidentTarget) -> String {
    let below = report.targets_explained;
    let beside = report.counts.total().saturating_sub(1 + below);
    let name = name(&root.name);
    match (below, beside) {
        (0, 0) => name,
        (0, _) => format!("{name} and {}", words::counted(beside, "other")),
        (_, 0) => format!("{name} and {} below it", words::count(below)),
        _ => format!(
            "{name}, {} below it and {}",
            words::count(below),
            words::counted(beside, "other")
        ),
    }
}

/// What people had to do with is over: they may sleep.
fn silenced(report: &IncidentReport, root: &IncidentTarget) -> String {
    let who = and_others(report, root);
    let ends = report
        .targets
        .iter()
        .filter_map(|target| target.resolved_at);
    let lasted = words::span(ends.max().unwrap_or(report.since) - report.since);
    let are_back = match (root.sort, report.counts.total()) {
        (Sort::Unmeasured, _) => "can be measured again",
        (Sort::Problem, ..=1) => "is back",
        (Sort::Problem, _) => "are back",
    };
    let left = words::counted(report.targets_silenced, "target");
    format!("{who} {are_back} after {lasted}; what is left ({left}) is silenced")
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
    let who = and_others(report, root);
    let worst = report.worst;
    if report.targets.iter().all(|target| target.flapped) {
        return format!("{who} after {lasted}: flapped, {worst} at worst");
    }
    // What explains others may have been better than they were.
    let was = was.filter(|_| root.worst == worst);
    let was = was.map_or_else(String::new, |was| format!(", {was}"));
    format!("{who} after {lasted}: was {worst}{was}")
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
    let how_long = for_so_long(root.status_since, now);
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
