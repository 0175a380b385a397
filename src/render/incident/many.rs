//! Many incidents in one message: when everything fails at once, or a channel was away.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::phrases::{and_more, by_status, count_of, lasted, name, only_silenced, short};
use super::title::title;
use crate::model::{Analysis, AnalysisGroup, Counts, IncidentReport, Status, Timestamp};
use crate::render::blocks::{Block, Line, Span, line};
use crate::render::causes::cause_in_short;
use crate::render::words;

/// How many of those that are open stand on a line of their own, and how many of those that are over are named.
const ROWS: usize = 10;
const OVER: usize = 5;

/// How many causes are named.
const CAUSES: usize = 3;

/// How many kinds are counted apart.
const KINDS: usize = 8;

/// How long a line of many may be, in characters.
const LONGEST_ROW: usize = 200;

/// The worst of them that is not over and not silenced; GREEN when all are.
#[must_use]
pub fn incidents_tone(reports: &[IncidentReport]) -> Status {
    let open = reports.iter().filter(|report| report.state.is_open());
    let open = open.filter(|report| !only_silenced(report));
    open.map(|report| report.status)
        .max()
        .unwrap_or(Status::Green)
}

/// `[RED] 10,000 incidents are open: 9,990 RED, 10 UNKNOWN; 12 are over`
#[must_use]
pub fn incidents_title(reports: &[IncidentReport], _now: Timestamp) -> String {
    heading(reports).iter().map(Span::text).collect()
}

fn heading(reports: &[IncidentReport]) -> Line {
    let open: Vec<&IncidentReport> = open(reports);
    let over = reports.len() - open.len();
    let verb = |count: usize| if count == 1 { "is" } else { "are" };
    let tone = incidents_tone(reports);
    let (word, text) = match (open.len(), over) {
        (0, over) => {
            let incidents = words::counted(over, "incident");
            ("RESOLVED", format!("{incidents} {} over", verb(over)))
        }
        (count, over) => {
            let incidents = words::counted(count, "incident");
            let (counts, silenced) = counts(&open);
            let counts = with_silenced(by_status(counts), silenced);
            let over = match over {
                0 => String::new(),
                over => format!("; {} {} over", words::count(over), verb(over)),
            };
            let text = format!("{incidents} {} open: {counts}{over}", verb(count));
            let word = if silenced == count {
                "SILENCED"
            } else {
                tone.word()
            };
            (word, text)
        }
    };
    vec![
        Span::Toned(format!("[{word}]"), tone),
        Span::Text(format!(" {text}")),
    ]
}

/// Those that are not over, worst first, then the one that began first.
fn open(reports: &[IncidentReport]) -> Vec<&IncidentReport> {
    let mut open: Vec<&IncidentReport> = reports
        .iter()
        .filter(|report| report.state.is_open())
        .collect();
    open.sort_by_key(|report| {
        (
            only_silenced(report),
            Reverse(report.status),
            Reverse(report.severity),
            report.since,
        )
    });
    open
}

/// How many have which status, and of how many only what is silenced is left.
fn counts(reports: &[&IncidentReport]) -> (Counts, usize) {
    let mut counts = Counts::default();
    let mut silenced = 0;
    for report in reports {
        if only_silenced(report) {
            silenced += 1;
        } else {
            *count_of(&mut counts, report.status) += 1;
        }
    }
    (counts, silenced)
}

fn with_silenced(counts: String, silenced: usize) -> String {
    match (counts.as_str(), silenced) {
        (_, 0) => counts,
        ("", silenced) => format!("{} silenced", words::count(silenced)),
        (_, silenced) => format!("{counts}, {} silenced", words::count(silenced)),
    }
}

/// Counts first, the worst on a line each, the rest by status and by kind, and what is over apart.
#[must_use]
pub fn incidents_blocks(reports: &[IncidentReport], now: Timestamp) -> Vec<Block> {
    let open = open(reports);
    let mut blocks = vec![Block::Title(heading(reports))];
    if !open.is_empty() {
        let mut lines: Vec<Line> = open.iter().take(ROWS).map(|one| row(one, now)).collect();
        let rest = open.get(ROWS..).unwrap_or_default();
        if !rest.is_empty() {
            let (counts, silenced) = counts(rest);
            lines.push(line(match silenced {
                0 => and_more(counts),
                silenced => {
                    let all = words::count(rest.len());
                    let counts = with_silenced(by_status(counts), silenced);
                    format!("… and {all} more: {counts}")
                }
            }));
        }
        blocks.push(Block::List(lines));
        let causes = causes(&open);
        if !causes.is_empty() {
            blocks.push(Block::Heading("Likely causes".to_owned()));
            blocks.push(Block::List(causes));
        }
        if open.len() > ROWS {
            blocks.push(Block::Heading("Targets by kind".to_owned()));
            blocks.push(Block::List(by_kind(&open)));
        }
    }
    let over: Vec<&IncidentReport> = reports
        .iter()
        .filter(|report| !report.state.is_open())
        .collect();
    if !over.is_empty() {
        let mut lines: Vec<Line> = (over.iter().take(OVER))
            .map(|one| line(ended(one, now)))
            .collect();
        let more = over.len() - lines.len();
        if more > 0 {
            lines.push(line(format!("… and {} more", words::count(more))));
        }
        blocks.push(Block::Heading("Over".to_owned()));
        blocks.push(Block::List(lines));
    }
    let look = "roundsman incidents".to_owned();
    blocks.push(Block::Paragraph(vec![Span::Faint(look)]));
    blocks
}

/// What may have caused them, each cause once, those first that explain most.
fn causes(open: &[&IncidentReport]) -> Vec<Line> {
    let analyses = open.iter().filter_map(|report| report.analysis.as_ref());
    let mut groups: Vec<&AnalysisGroup> = Vec::new();
    for (group, cause) in analyses.flat_map(Analysis::with_cause) {
        let is_it =
            |known: &&AnalysisGroup| known.cause().is_some_and(|known| known.text == cause.text);
        if !groups.iter().any(is_it) {
            groups.push(group);
        }
    }
    groups.sort_by_key(|group| Reverse(group.cause().map_or(0, |cause| cause.explains_count)));
    let lines = groups.into_iter().take(CAUSES).filter_map(cause_in_short);
    lines.map(|text| line(short(&text, LONGEST_ROW))).collect()
}

/// `#12 [RED] prod-db-1: connections_used_percent is 96 > 90 (for 4 min)`
fn row(report: &IncidentReport, now: Timestamp) -> Line {
    let mut spans = vec![Span::Text(format!("#{} ", report.id))];
    spans.extend(title(report, now).into_iter().map(|span| match span {
        Span::Text(text) => Span::Text(short(&text, LONGEST_ROW)),
        other => other,
    }));
    spans
}

/// `#12 prod-db-1 after 12 min`
fn ended(report: &IncidentReport, now: Timestamp) -> String {
    let root = report.targets.first();
    let root = root.map_or_else(String::new, |root| format!(" {}", name(&root.name)));
    format!("#{}{root} after {}", report.id, lasted(report, now))
}

/// How many targets of each kind are not well, most first. Those that a report does not list are counted with its root.
fn by_kind(open: &[&IncidentReport]) -> Vec<Line> {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for report in open {
        for target in super::phrases::open(report) {
            *kinds.entry(&target.kind).or_default() += 1;
        }
        if let Some(root) = report.targets.first() {
            *kinds.entry(&root.kind).or_default() += report.targets_left_out;
        }
    }
    let mut kinds: Vec<(&str, usize)> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, count)| Reverse(*count));
    let mut lines: Vec<Line> = (kinds.iter().take(KINDS))
        .map(|(kind, count)| line(format!("{}: {}", name(kind), words::count(*count))))
        .collect();
    let rest = kinds.get(KINDS..).unwrap_or_default();
    if !rest.is_empty() {
        let count = rest.iter().map(|(_, count)| count).sum();
        lines.push(line(format!("others: {}", words::count(count))));
    }
    lines
}
