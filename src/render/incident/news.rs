//! What is new, in a few words: the line that rings the phone.

use std::collections::HashMap;

use super::phrases::{names, open, reason, short};
use super::title::others;
use crate::model::{
    Analysis, EventKind, IncidentEvent, IncidentReport, IncidentRole, IncidentState, Sort, Status,
    Timestamp,
};
use crate::render::words;

/// A line that is read on a locked phone, in characters.
const LONGEST_NEWS: usize = 300;

/// How much of what somebody or something says is repeated.
const LONGEST_SAID: usize = 200;

/// One line of what rings; `None`: nothing does.
#[must_use]
pub fn incident_news(report: &IncidentReport) -> Option<String> {
    let ringing: Vec<&IncidentEvent> = report.events.iter().filter(|event| event.rings).collect();
    let pieces = pieces(report, &ringing);
    if pieces.is_empty() {
        return None;
    }
    let pieces: Vec<String> = pieces.into_iter().map(|piece| piece.text).collect();
    Some(short(&pieces.join("; "), LONGEST_NEWS))
}

/// What happened to one or several in the same way.
pub(super) struct Piece {
    /// When it last did.
    pub(super) at: Timestamp,
    pub(super) text: String,
}

/// What came of the events, in the order of their kinds' first appearance.
pub(super) fn pieces(report: &IncidentReport, events: &[&IncidentEvent]) -> Vec<Piece> {
    let events = what_counts(report, events);
    let mut kinds: Vec<EventKind> = Vec::new();
    for event in &events {
        if !kinds.contains(&event.event) {
            kinds.push(event.event);
        }
    }
    let pieces = kinds.into_iter().filter_map(|kind| {
        let same: Vec<&IncidentEvent> = (events.iter().copied())
            .filter(|event| event.event == kind)
            .collect();
        let last = same.last()?;
        Some(Piece {
            at: last.at,
            text: told(report, &same, last, &events),
        })
    });
    pieces.collect()
}

/// Which sort of thing a kind tells of: of each sort the last one is true.
fn track(kind: EventKind) -> u8 {
    match kind {
        EventKind::FlappingStarted | EventKind::FlappingEnded => 1,
        EventKind::Acknowledged => 2,
        EventKind::Reminded | EventKind::Escalated => 3,
        EventKind::Explained => 4,
        EventKind::Worded => 5,
        _ => 0,
    }
}

/// Without what was overtaken by what came later: messages gather more while they wait.
fn what_counts<'a>(
    report: &IncidentReport,
    events: &[&'a IncidentEvent],
) -> Vec<&'a IncidentEvent> {
    let mut last: HashMap<(Option<&str>, u8), usize> = HashMap::new();
    for (index, event) in events.iter().enumerate() {
        let key = (event.target.as_deref(), track(event.event));
        let known = last.get(&key).and_then(|index| events.get(*index));
        // What has just begun is not also worse or better.
        let is_part_of_beginning = known.is_some_and(|known| known.event == EventKind::Opened)
            && matches!(event.event, EventKind::Worsened | EventKind::Improved);
        if !is_part_of_beginning {
            last.insert(key, index);
        }
    }
    let is_over = matches!(
        report.state,
        IncidentState::Resolved | IncidentState::Removed | IncidentState::Merged
    );
    let mut kept: Vec<&IncidentEvent> = Vec::with_capacity(last.len());
    for (index, event) in events.iter().copied().enumerate() {
        let of_its_target = |track| last.get(&(event.target.as_deref(), track)).copied();
        let flaps = || of_its_target(1).and_then(|index| events.get(index));
        let counts = of_its_target(track(event.event)) == Some(index)
            && match event.event {
                EventKind::Resolved
                | EventKind::Removed
                | EventKind::Merged
                | EventKind::FlappingEnded => true,
                // That it changes to and fro says that it is not well.
                EventKind::Opened => {
                    !is_over && flaps().is_none_or(|one| one.event != EventKind::FlappingStarted)
                }
                _ => !is_over,
            };
        if counts {
            kept.push(event);
        }
    }
    kept
}

fn told(
    report: &IncidentReport,
    same: &[&IncidentEvent],
    last: &IncidentEvent,
    all: &[&IncidentEvent],
) -> String {
    let who: Vec<&str> = same
        .iter()
        .filter_map(|event| event.target.as_deref())
        .collect();
    let is_one = who.len() <= 1;
    let are = if is_one { "is" } else { "are" };
    let worst = same.iter().filter_map(|event| event.status).max();
    let status = worst.unwrap_or(report.status);
    let said = last.text.as_deref().map(|text| short(text, LONGEST_SAID));
    let names = names(&who);
    match last.event {
        EventKind::Opened => opened(report, &who, status),
        EventKind::Worsened if is_one => format!("{names}: worse, {status} now"),
        EventKind::Worsened => format!("worse: {names}, {status} now"),
        EventKind::Improved if is_one => format!("{names}: better, {status} now"),
        EventKind::Improved => format!("better: {names}, {status} now"),
        EventKind::Remained => format!("{names} {are} still {status}"),
        EventKind::FlappingStarted if is_one => {
            let what = said.unwrap_or_else(|| "it changes to and fro".to_owned());
            if is_alone(report) {
                format!("flapping: {what}")
            } else {
                format!("{names} is flapping: {what}")
            }
        }
        EventKind::FlappingStarted => format!("flapping: {names}"),
        EventKind::FlappingEnded if is_one && is_alone(report) => format!("steady again: {status}"),
        EventKind::FlappingEnded => format!("{names} {are} steady again: {status}"),
        EventKind::Resolved => resolved(report, &who, all),
        EventKind::Removed => format!("{names} {are} not watched any more"),
        EventKind::Merged => said.unwrap_or_else(|| "part of another incident".to_owned()),
        EventKind::Acknowledged => {
            let by = said.unwrap_or_else(|| "somebody".to_owned());
            if by.contains(": ") {
                by
            } else {
                format!("{by}: looking at it")
            }
        }
        EventKind::Reminded => {
            let which = said.map_or_else(String::new, |said| format!(" ({said})"));
            format!("still {status} after {}{which}", since(report, last))
        }
        EventKind::Explained => {
            let cause = said.unwrap_or_else(|| "it is in the list".to_owned());
            format!("likely cause: {cause}")
        }
        EventKind::Worded => "put into words by a language model".to_owned(),
        EventKind::Escalated => {
            let which = said.map_or_else(String::new, |said| format!(" ({said})"));
            let since = since(report, last);
            format!("still {status} after {since}, and nobody has taken note{which}")
        }
    }
}

fn since(report: &IncidentReport, event: &IncidentEvent) -> String {
    words::span(event.at - report.since)
}

fn is_alone(report: &IncidentReport) -> bool {
    report.counts.total() <= 1
}

/// At its beginning how the root is, later who else.
fn opened(report: &IncidentReport, who: &[&str], status: Status) -> String {
    let root = report.targets.first();
    let Some(root) = root.filter(|root| who.contains(&root.name.as_str())) else {
        return format!("also: {}", names(who));
    };
    if open(report).all(|target| target.sort == Sort::Unmeasured) && !is_alone(report) {
        let count = words::counted(who.len(), "target");
        let why = short(reason(report), LONGEST_SAID);
        return format!("{count} cannot be measured: {why}");
    }
    let (name, summary) = (names(&[&root.name]), short(&root.summary, LONGEST_SAID));
    let status = status.max(root.status);
    let cause = cause_elsewhere(report, &root.name);
    format!("{name}: {status}, {summary}{}{cause}", others(report))
}

/// `; likely cause: …`, where it is not the target that is told of.
fn cause_elsewhere(report: &IncidentReport, root: &str) -> String {
    let mut causes = report.analysis.iter().flat_map(Analysis::with_cause);
    let cause = causes.find(|(_, cause)| cause.target != root || cause.stands_for.is_some());
    cause.map_or_else(String::new, |(_, cause)| {
        format!("; likely cause: {}", short(&cause.text, LONGEST_SAID))
    })
}

fn resolved(report: &IncidentReport, who: &[&str], all: &[&IncidentEvent]) -> String {
    if let Some(end) = report.resolved_at {
        let lasted = words::span(end - report.since);
        return format!("resolved after {lasted}");
    }
    let is_unmeasured = |name: &&str| {
        let mut targets = report.targets.iter();
        targets.any(|target| {
            target.name == **name && !target.is_open() && target.sort == Sort::Unmeasured
        })
    };
    let names_of_all = names(who);
    let back = if who.iter().all(is_unmeasured) {
        format!("{names_of_all} can be measured again")
    } else if who.len() == 1 {
        format!("{names_of_all} is back")
    } else {
        format!("{names_of_all} are back")
    };
    // Who remains is told in its own words where it has any.
    if all.iter().any(|event| event.event == EventKind::Remained) {
        return back;
    }
    let remaining: Vec<&str> = open(report)
        .filter(|target| target.role != IncidentRole::Explained)
        .map(|target| target.name.as_str())
        .collect();
    match remaining.as_slice() {
        [] => back,
        [one] => format!("{back}; {} is still {}", names(&[one]), report.status),
        several => format!("{back}; still {}: {}", report.status, names(several)),
    }
}
