//! What titles, news and blocks of incidents are made of.

use crate::model::{Counts, IncidentReport, IncidentTarget, Status, Timestamp};
use crate::render::escape::{plain, shortened};
use crate::render::words;

/// The longest name, in characters. Some are made to be long.
const LONGEST_NAME: usize = 80;

/// How many names stand in a sentence before the rest is counted.
const NAMED: usize = 3;

/// On one line, and not longer than that: neutralised first, because that makes it longer.
pub(in crate::render) fn short(text: &str, most: usize) -> String {
    shortened(&plain(text), most).into_owned()
}

pub(in crate::render) fn name(text: &str) -> String {
    short(text, LONGEST_NAME)
}

/// `app-1, app-2, app-3 and 7 more`; two are `app-1 and app-2`.
pub(in crate::render) fn names(all: &[&str]) -> String {
    names_up_to(NAMED, all, 0)
}

/// The same with so many names at most, where there are more than are given.
pub(in crate::render) fn names_up_to(most: usize, all: &[&str], left_out: usize) -> String {
    let named: Vec<String> = all.iter().take(most).map(|text| name(text)).collect();
    let more = all.len().saturating_sub(most) + left_out;
    match (named.as_slice(), more) {
        ([first @ .., last], 0) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        (_, 0) => named.join(", "),
        _ => format!("{} and {} more", named.join(", "), words::count(more)),
    }
}

/// `5 RED, 2 UNKNOWN`
pub(super) fn by_status(counts: Counts) -> String {
    let parts: Vec<String> = not_well(counts)
        .map(|(count, status)| format!("{} {status}", words::count(count)))
        .collect();
    parts.join(", ")
}

/// `… and 7 more: 5 RED, 2 UNKNOWN`, or `… and 7 more RED`.
pub(super) fn and_more(rest: Counts) -> String {
    let all = words::count(rest.total() - rest.green);
    match not_well(rest).collect::<Vec<_>>().as_slice() {
        [(_, status)] => format!("… and {all} more {status}"),
        _ => format!("… and {all} more: {}", by_status(rest)),
    }
}

/// The statuses that there are, worst first, but GREEN.
pub(super) fn not_well(counts: Counts) -> impl Iterator<Item = (usize, Status)> {
    let counts = [
        (counts.red, Status::Red),
        (counts.yellow, Status::Yellow),
        (counts.unknown, Status::Unknown),
    ];
    counts.into_iter().filter(|(count, _)| *count > 0)
}

/// The count of a status.
pub(super) fn count_of(counts: &mut Counts, status: Status) -> &mut usize {
    match status {
        Status::Green => &mut counts.green,
        Status::Unknown => &mut counts.unknown,
        Status::Yellow => &mut counts.yellow,
        Status::Red => &mut counts.red,
    }
}

/// How many targets are not well.
pub(super) fn open_count(report: &IncidentReport) -> usize {
    report.counts.total() - report.counts.green
}

/// The targets that are listed and not well.
pub(super) fn open(report: &IncidentReport) -> impl Iterator<Item = &IncidentTarget> {
    report.targets.iter().filter(|target| target.is_open())
}

/// ` (for 4 min)`; nothing at its beginning.
pub(super) fn for_so_long(since: Timestamp, now: Timestamp) -> String {
    let length = now - since;
    if length.num_seconds() <= 0 {
        String::new()
    } else {
        format!(" (for {})", words::span(length))
    }
}

/// The same for a target's status; where its problem is older, both.
pub(super) fn for_so_long_so(target: &IncidentTarget, now: Timestamp) -> String {
    let status_lasts = for_so_long(target.status_since, now);
    if !has_changed(target) || target.flapping {
        return for_so_long(target.since, now);
    }
    let problem_lasts = words::span(now - target.since);
    match status_lasts.strip_suffix(')') {
        Some(text) => format!("{text}, not well for {problem_lasts})"),
        None => format!(" (not well for {problem_lasts})"),
    }
}

/// Whether it has, or had last, another status than at its beginning.
pub(super) fn has_changed(target: &IncidentTarget) -> bool {
    target.status_since > target.since
}

/// Whether nothing is left of it that is not silenced.
pub(super) fn only_silenced(report: &IncidentReport) -> bool {
    report.state.is_open() && open(report).all(|target| target.silenced)
}

/// `10:04 UTC`, or with its day where that is another than that of `beside`.
pub(super) fn clock(at: Timestamp, beside: Timestamp) -> String {
    if at.date_naive() == beside.date_naive() {
        at.format("%H:%M UTC").to_string()
    } else {
        words::minute(at)
    }
}

/// How long it lasted, or has lasted.
pub(super) fn lasted(report: &IncidentReport, now: Timestamp) -> String {
    words::span(report.resolved_at.unwrap_or(now) - report.since)
}

/// Why all those cannot be measured that cannot: without what tells them apart, unless they say the same.
pub(super) fn reason(report: &IncidentReport) -> &str {
    let Some(first) = open(report).next() else {
        return "";
    };
    let same = open(report).all(|target| target.summary == first.summary);
    if same && report.targets_left_out == 0 {
        return &first.summary;
    }
    let cause = first.cause.as_deref().unwrap_or(&first.summary);
    // Without the kinds of failure and target in front.
    cause.split_once(": ").map_or(cause, |(_, reason)| reason)
}
