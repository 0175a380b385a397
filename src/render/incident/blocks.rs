//! An incident as somebody reads it who was woken: what, how bad, since when, why we think so, what to do, where to look,
//! and what is new.

use std::collections::BTreeSet;

use super::news::pieces;
use super::phrases::{
    and_more, by_status, clock, count_of, for_so_long_so, has_changed, lasted, name, names_up_to,
    not_well, open, open_count, short,
};
use super::title::title;
use crate::model::{
    EventKind, IncidentEvent, IncidentReport, IncidentState, IncidentTarget, Sort, Timestamp,
};
use crate::render::blocks::{Block, Line, Span, line};
use crate::render::causes::{cause_in_full, refer_to};
use crate::render::escape::plain;
use crate::render::explanation::{WORDS_HEADING, words_blocks};
use crate::render::links::with_link;
use crate::render::words;

/// How many problems are shown of one that stands alone, and of one among others.
const PROBLEMS: (usize, usize) = (5, 2);

/// How much advice.
const ADVICE: (usize, usize) = (5, 3);

/// How many other targets stand on lines of their own, and how many names stand on one line.
const ROWS: usize = 5;
const NAMES_ON_A_LINE: usize = 8;

/// How much of what is new, the latest.
const NEWS: (usize, usize) = (5, 2);

/// How many lines the likely causes take.
const MOST_CAUSE_LINES: usize = 5;

/// How long a line may be, in characters, and how long where it is one of many.
const LONGEST_LINE: usize = 300;
const LONGEST_ROW: usize = 140;

/// A command with a name that is longer is no help.
const LONGEST_ARGUMENT: usize = 60;

/// The incident, in about ten lines, or twenty-five where it has many targets.
#[must_use]
pub fn incident_blocks(report: &IncidentReport, now: Timestamp) -> Vec<Block> {
    let mut blocks = vec![
        Block::Title(title(report, now)),
        Block::Paragraph(vec![Span::Faint(when(report, now))]),
    ];
    let acknowledged = report.acknowledged.as_ref();
    if let Some(known) = acknowledged.filter(|_| report.state.is_open()) {
        let why = known.why.as_ref();
        let why = why.map_or_else(String::new, |why| format!(": {}", short(why, LONGEST_LINE)));
        let (by, at) = (name(&known.by), clock(known.at, report.since));
        let text = format!("{by} has taken note at {at}{why}");
        blocks.push(Block::Paragraph(line(text)));
    }
    match report.state {
        _ if open_count(report) == 0 && report.state.is_open() => add_end(&mut blocks, report),
        IncidentState::Open | IncidentState::Acknowledged | IncidentState::Flapping => {
            add_evidence(&mut blocks, report);
            add_cause(&mut blocks, report);
            add_words(&mut blocks, report);
            add_others(&mut blocks, report, now);
            add_advice(&mut blocks, report);
        }
        IncidentState::Resolved => add_end(&mut blocks, report),
        IncidentState::Removed | IncidentState::Merged => {}
    }
    add_news(&mut blocks, report);
    blocks.push(Block::Paragraph(vec![Span::Faint(commands(report))]));
    blocks
}

/// `#12, critical, since 2026-11-21 10:00 UTC (4 min); 13 targets: 10 RED, 3 UNKNOWN`
fn when(report: &IncidentReport, now: Timestamp) -> String {
    let since = words::minute(report.since);
    let lasted = lasted(report, now);
    let when = match report.resolved_at {
        Some(end) => {
            let end = clock(end, report.since);
            format!("from {since} to {end} ({lasted})")
        }
        None => format!("since {since} ({lasted})"),
    };
    let mut text = format!("#{}, {}, {when}", report.id, report.severity);
    let open = open_count(report);
    if open > 1 {
        let targets = words::counted(open, "target");
        text.push_str(&match not_well(report.counts).collect::<Vec<_>>()[..] {
            [(2, status)] => format!("; {targets}, both {status}"),
            [(_, status)] => format!("; {targets}, all {status}"),
            _ => format!("; {targets}: {}", by_status(report.counts)),
        });
    }
    let over = report.counts.green;
    if over > 0 && open > 0 {
        text.push_str(&format!("; {} back", words::count(over)));
    }
    if report.targets_silenced > 0 {
        let silenced = words::count(report.targets_silenced);
        text.push_str(&format!("; {silenced} silenced"));
    }
    text
}

fn is_one(report: &IncidentReport) -> bool {
    open_count(report) <= 1
}

fn of((alone, among_others): (usize, usize), report: &IncidentReport) -> usize {
    if is_one(report) { alone } else { among_others }
}

fn add_evidence(blocks: &mut Vec<Block>, report: &IncidentReport) {
    let Some(root) = report.targets.first() else {
        return;
    };
    let who = if is_one(report) {
        String::new()
    } else {
        format!(" of {}", name(&root.name))
    };
    let at = clock(root.looked_at, report.since);
    let most = of(PROBLEMS, report);
    let mut lines: Vec<Line> = (root.problems.iter().take(most))
        .map(|problem| line(short(problem, LONGEST_LINE)))
        .collect();
    if lines.is_empty() {
        lines.push(line(short(&root.summary, LONGEST_LINE)));
    }
    add_rest(
        &mut lines,
        root.problems.len().saturating_sub(most) + root.problems_left_out,
    );
    if has_changed(root) && !root.flapping {
        let (since, begun) = (root.status_since, root.since);
        lines.push(line(format!(
            "{} since {}, not well since {}",
            root.status,
            clock(since, report.since),
            clock(begun, report.since)
        )));
    }
    if let Some(parent) = &root.explained_by {
        lines.push(line(format!(
            "explained by {}, on which it depends",
            name(parent)
        )));
    }
    blocks.push(Block::Heading(format!("Seen{who} at {at}")));
    blocks.push(Block::List(lines));
}

/// What a language model made of it, or why it made nothing.
fn add_words(blocks: &mut Vec<Block>, report: &IncidentReport) {
    let Some(analysis) = &report.analysis else {
        return;
    };
    if let Some(explanation) = &analysis.explanation {
        blocks.extend(words_blocks(explanation, WORDS_HEADING));
    } else if let Some(why) = &analysis.unexplained {
        blocks.push(Block::Paragraph(vec![Span::Faint(short(
            why,
            LONGEST_LINE,
        ))]));
    }
}

/// What may have caused it. A problem alone has no common cause, and needs no word about that.
fn add_cause(blocks: &mut Vec<Block>, report: &IncidentReport) {
    let groups = report.analysis.iter().flat_map(|analysis| &analysis.groups);
    let mut lines: Vec<Line> = groups.flat_map(cause_in_full).collect();
    if let (Some(root), Some(cause)) = (report.targets.first(), lines.first_mut()) {
        refer_to(root, cause);
    }
    let add = |heading: &str, blocks: &mut Vec<Block>, lines| {
        blocks.push(Block::Heading(heading.to_owned()));
        blocks.push(Block::List(lines));
    };
    if !lines.is_empty() {
        lines.truncate(MOST_CAUSE_LINES);
        add("Likely cause", blocks, lines);
        return;
    }
    let unexplained = open(report).filter(|target| target.explained_by.is_none());
    let is_known = report.analysis.is_some();
    if is_known
        && unexplained.count() > 1
        && report.targets.iter().any(|one| one.sort == Sort::Problem)
    {
        add(
            "Likely cause",
            blocks,
            vec![line("no common cause is known")],
        );
    }
}

fn add_rest(lines: &mut Vec<Line>, more: usize) {
    if more > 0 {
        lines.push(line(format!("… and {} more", words::count(more))));
    }
}

fn add_others(blocks: &mut Vec<Block>, report: &IncidentReport, now: Timestamp) {
    let Some(root) = report.targets.first() else {
        return;
    };
    let others: Vec<&IncidentTarget> = open(report).skip(1).collect();
    if others.is_empty() {
        return;
    }
    let is_same = |target: &&IncidentTarget| {
        target.sort == Sort::Unmeasured
            && target.explained_by.is_none()
            && target.cause == root.cause
    };
    if root.sort == Sort::Unmeasured && others.iter().all(is_same) {
        let all: Vec<&str> = open(report).map(|target| target.name.as_str()).collect();
        let text = names_up_to(NAMES_ON_A_LINE, &all, report.targets_left_out);
        blocks.push(Block::Heading("For the same reason".to_owned()));
        blocks.push(Block::List(vec![line(text)]));
        return;
    }
    let all_below = others.iter().all(|target| is_below(report, root, target));
    let heading = match (all_below, others.len() + report.targets_left_out) {
        (true, 1) => format!("Explained by {}, on which it depends", name(&root.name)),
        (true, _) => format!("Explained by {}, on which they depend", name(&root.name)),
        (false, _) => "Also".to_owned(),
    };
    let mut lines: Vec<Line> = (others.iter().take(ROWS))
        .map(|target| {
            let parent = target.explained_by.as_deref();
            let explained = match (all_below, parent) {
                (true, Some(parent)) if parent == root.name => None,
                (true, Some(parent)) => Some(format!(", through {}", name(parent))),
                (false, Some(parent)) => Some(format!(", explained by {}", name(parent))),
                (_, None) => None,
            };
            row(target, explained, now)
        })
        .collect();
    let mut rest = report.counts;
    for target in open(report).take(ROWS + 1) {
        let count = count_of(&mut rest, target.status);
        *count = count.saturating_sub(1);
    }
    if not_well(rest).next().is_some() {
        lines.push(line(and_more(rest)));
    }
    blocks.push(Block::Heading(heading));
    blocks.push(Block::List(lines));
}

/// Whether the root explains it, be it through others.
fn is_below(report: &IncidentReport, root: &IncidentTarget, target: &IncidentTarget) -> bool {
    let mut parent = target.explained_by.as_ref();
    // Circles are possible where people wrote them.
    for _ in 0..report.targets.len() {
        match parent {
            Some(name) if *name == root.name => return true,
            Some(name) => {
                let known = open(report).find(|known| known.name == *name);
                parent = known.and_then(|known| known.explained_by.as_ref());
            }
            None => return false,
        }
    }
    false
}

/// `RED db-1: connection refused (for 4 min), explained by host-1`
fn row(target: &IncidentTarget, explained: Option<String>, now: Timestamp) -> Line {
    let what = match target.sort {
        Sort::Problem => format!(": {}", short(&target.summary, LONGEST_ROW)),
        Sort::Unmeasured => {
            let summary = short(&target.summary, LONGEST_ROW);
            format!(" cannot be measured: {summary}")
        }
    };
    let flapping = if target.flapping { ", flapping" } else { "" };
    let mut spans = vec![
        Span::Status(target.status),
        Span::Text(" ".to_owned()),
        Span::Strong(name(&target.name)),
        Span::Text(format!("{what}{}{flapping}", for_so_long_so(target, now))),
    ];
    spans.extend(explained.map(Span::Faint));
    spans
}

fn add_advice(blocks: &mut Vec<Block>, report: &IncidentReport) {
    let alone = report.targets.first().filter(|_| is_one(report));
    let all: Vec<String> = match alone {
        // Nobody needs to be told of whom it is the advice.
        Some(root) => {
            let runbook = root.runbook.as_ref();
            let runbook = runbook.map(|link| format!("follow the runbook {link}"));
            root.recommendations
                .iter()
                .cloned()
                .chain(runbook)
                .collect()
        }
        None => report.recommendations.clone(),
    };
    if all.is_empty() {
        return;
    }
    let most = of(ADVICE, report);
    let runbooks: BTreeSet<&str> = (report.targets.iter())
        .filter_map(|target| target.runbook.as_deref())
        .collect();
    let mut lines: Vec<Line> = (all.iter().take(most))
        .map(|text| with_link(&short(text, LONGEST_LINE), runbooks.iter().copied()))
        .collect();
    add_rest(&mut lines, all.len().saturating_sub(most));
    blocks.push(Block::Heading("What to do".to_owned()));
    blocks.push(Block::List(lines));
}

fn add_end(blocks: &mut Vec<Block>, report: &IncidentReport) {
    let mut lines: Vec<Line> = (report.targets.iter().take(ROWS).enumerate())
        .map(|(index, target)| {
            // What the first was stands in the title.
            let is_said = index == 0 || target.flapped || target.sort == Sort::Unmeasured;
            let was = target.was.as_ref().filter(|_| !is_said);
            let was = was.map_or_else(String::new, |was| format!(": {}", short(was, LONGEST_ROW)));
            let lasted = words::span(target.resolved_at.unwrap_or(target.since) - target.since);
            let now = match target.resolved_at {
                Some(_) => format!("; now {}", short(&target.summary, LONGEST_ROW)),
                None => String::new(),
            };
            let (before, after) = if target.flapped {
                (format!(" flapped for {lasted}, "), " at worst")
            } else if has_changed(target) {
                (format!(" was not well for {lasted}, "), " at worst")
            } else {
                (" was ".to_owned(), "")
            };
            let after = match after {
                "" => format!(" for {lasted}{was}{now}"),
                after => format!("{after}{was}{now}"),
            };
            vec![
                Span::Strong(name(&target.name)),
                Span::Text(before),
                Span::Status(target.worst),
                Span::Text(after),
            ]
        })
        .collect();
    let more = report.counts.total().saturating_sub(lines.len());
    add_rest(&mut lines, more);
    blocks.push(Block::List(lines));
}

/// What happened since the last message, unless the title and the lists say it all.
fn add_news(blocks: &mut Vec<Block>, report: &IncidentReport) {
    let is_end = |kind: EventKind| {
        matches!(
            kind,
            EventKind::Resolved | EventKind::Removed | EventKind::Merged
        )
    };
    let is_over = !report.state.is_open();
    let root = report.targets.first();
    let is_beginning = root.is_some_and(|root| {
        let is_its = |event: &IncidentEvent| event.target.as_ref() == Some(&root.name);
        report
            .events
            .iter()
            .any(|event| event.event == EventKind::Opened && is_its(event))
    });
    let is_new = |event: &&IncidentEvent| match event.event {
        EventKind::Opened => !is_beginning,
        EventKind::Acknowledged => report.acknowledged.is_none(),
        kind => !(is_over && is_end(kind)),
    };
    let events: Vec<&IncidentEvent> = report.events.iter().filter(is_new).collect();
    let pieces = pieces(report, &events);
    if pieces.is_empty() {
        return;
    }
    let older = pieces.len().saturating_sub(of(NEWS, report));
    let lines = pieces.iter().skip(older).map(|piece| {
        let at = clock(piece.at, report.since);
        line(format!("{at}: {}", short(&piece.text, LONGEST_LINE)))
    });
    blocks.push(Block::Heading("New".to_owned()));
    blocks.push(Block::List(lines.collect()));
}

/// `roundsman history db-1 · roundsman incidents · roundsman ack 12`
fn commands(report: &IncidentReport) -> String {
    let root = report.targets.first();
    let history = (root.and_then(|root| argument(&root.name)))
        .map(|target| format!("roundsman history {target}"));
    let list =
        (report.counts.total() > 1 || history.is_none()).then(|| "roundsman incidents".to_owned());
    let waits = matches!(report.state, IncidentState::Open | IncidentState::Flapping);
    let acknowledge = waits.then(|| format!("roundsman ack {}", report.id));
    let all: Vec<String> = [history, list, acknowledge].into_iter().flatten().collect();
    all.join(" · ")
}

/// A name as an argument: people copy it into a shell, which must not obey it. `None`: better not at all.
fn argument(name: &str) -> Option<String> {
    if name.is_empty()
        || name.starts_with('-')
        || name.chars().count() > LONGEST_ARGUMENT
        || plain(name) != name
    {
        return None;
    }
    let is_harmless = |character: char| {
        character.is_alphanumeric() || matches!(character, '-' | '_' | '.' | '/' | ':' | '@')
    };
    if name.chars().all(is_harmless) {
        Some(name.to_owned())
    } else {
        Some(format!("'{}'", name.replace('\'', r"'\''")))
    }
}
