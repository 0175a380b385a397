//! What happened inside silences and windows that are over.

use std::cmp::Reverse;

use super::phrases::{clock, for_so_long_so, name, names_up_to, short};
use crate::model::{Event, EventKind, IncidentReport, IncidentTarget, Sort, Status, Timestamp};
use crate::render::blocks::{Block, Line, Span, line};
use crate::render::words;

/// How many targets stand on a line of their own, of those that are still there and of those that came and went.
const ROWS: usize = 10;

/// How many silences are named.
const QUIETS: usize = 3;

const LONGEST_QUIET: usize = 100;

const LONGEST_ROW: usize = 200;

/// What was not said, ordered for people.
struct Unsaid<'a> {
    there: Vec<(&'a IncidentReport, &'a IncidentTarget)>,
    over: Vec<Spell>,
}

/// A problem that came and went.
struct Spell {
    name: String,
    worst: Status,
    from: Timestamp,
    until: Timestamp,
    flapped: bool,
    /// How it ended, where that was otherwise than by itself.
    end: &'static str,
}

impl<'a> Unsaid<'a> {
    fn of(unsaid: &'a [(IncidentReport, Vec<Event>)]) -> Self {
        let mut all = Self {
            there: Vec::new(),
            over: Vec::new(),
        };
        for (report, events) in unsaid {
            let mut names: Vec<&str> = Vec::new();
            for event in events {
                if !event.name.is_empty() && !names.contains(&&*event.name) {
                    names.push(&event.name);
                }
            }
            for name in names {
                let its: Vec<&Event> = events.iter().filter(|event| event.name == name).collect();
                let mut targets = report.targets.iter().filter(|one| one.name == name);
                let newest = targets.clone().max_by_key(|target| target.since);
                if let Some(target) = targets.find(|target| target.is_open()) {
                    all.there.push((report, target));
                }
                all.over.extend(spells(name, newest, &its));
            }
        }
        all.there
            .sort_by_key(|(_, target)| (Reverse(target.status), target.explained_by.is_some()));
        all.over.sort_by_key(|spell| spell.from);
        all
    }
}

/// The times at which it was not well, and is over again. The first may have begun before the silence.
fn spells(name: &str, newest: Option<&IncidentTarget>, events: &[&Event]) -> Vec<Spell> {
    let mut spells: Vec<Spell> = Vec::new();
    let mut begun: Option<(Timestamp, Status)> = None;
    // When it stopped to change to and fro, if it was well then.
    let mut steady_at = None;
    for event in events {
        let status = event.status.unwrap_or(Status::Green);
        if event.kind == EventKind::FlappingEnded && status == Status::Green {
            steady_at = Some(event.at);
        }
        match event.kind {
            EventKind::Resolved | EventKind::Removed => {
                let (from, worst) = begun.take().unwrap_or_else(|| {
                    let known = newest.map(|target| (target.since, target.worst));
                    known.unwrap_or((event.at, status))
                });
                spells.push(Spell {
                    name: name.to_owned(),
                    worst,
                    from,
                    until: event.at,
                    flapped: steady_at == Some(event.at),
                    end: match event.kind {
                        EventKind::Removed => ", and is not watched any more",
                        _ => "",
                    },
                });
            }
            _ => {
                let (from, worst) = begun.unwrap_or((event.at, status));
                begun = Some((from, worst.max(status)));
            }
        }
    }
    // The looks that agreed began before it was said.
    if let (Some(last), Some(newest)) = (spells.last_mut(), newest)
        && newest.resolved_at == Some(last.until)
    {
        last.from = newest.since;
        last.worst = newest.worst;
    }
    spells
}

/// The worst of what is still there; GREEN when nothing is.
#[must_use]
pub fn quiet_tone(unsaid: &[(IncidentReport, Vec<Event>)]) -> Status {
    let there = Unsaid::of(unsaid).there;
    let statuses = there.iter().map(|(_, target)| target.status);
    statuses.max().unwrap_or(Status::Green)
}

/// `After the window backups: app-1 is still RED, and 2 problems came and went`
#[must_use]
pub fn quiet_title(
    quiets: &[String],
    unsaid: &[(IncidentReport, Vec<Event>)],
    _now: Timestamp,
) -> String {
    title(quiets, &Unsaid::of(unsaid))
}

fn title(quiets: &[String], unsaid: &Unsaid<'_>) -> String {
    let quiets: Vec<String> = (quiets.iter())
        .map(|quiet| short(quiet, LONGEST_QUIET))
        .collect();
    let quiets: Vec<&str> = quiets.iter().map(String::as_str).collect();
    let after = names_up_to(QUIETS, &quiets, 0);
    let there = match unsaid.there.as_slice() {
        [] => None,
        [(_, one)] if one.sort == Sort::Unmeasured => {
            Some(format!("{} still cannot be measured", name(&one.name)))
        }
        [(_, one)] => Some(format!("{} is still {}", name(&one.name), one.status)),
        [(_, worst), ..] => {
            let count = words::count(unsaid.there.len());
            Some(format!(
                "{count} targets are not well, {} at worst",
                worst.status
            ))
        }
    };
    let over = match unsaid.over.len() {
        0 => None,
        count => Some(format!(
            "{} came and went",
            words::counted(count, "problem")
        )),
    };
    let what: Vec<String> = [there, over].into_iter().flatten().collect();
    format!("After {after}: {}", what.join(", and "))
}

/// What is still there, then what came and went.
#[must_use]
pub fn quiet_blocks(
    quiets: &[String],
    unsaid: &[(IncidentReport, Vec<Event>)],
    now: Timestamp,
) -> Vec<Block> {
    let tone = quiet_tone(unsaid);
    let unsaid = Unsaid::of(unsaid);
    let mut blocks = vec![Block::Title(vec![Span::Toned(
        title(quiets, &unsaid),
        tone,
    )])];
    if !unsaid.there.is_empty() {
        let mut lines: Vec<Line> = (unsaid.there.iter().take(ROWS))
            .map(|(report, target)| there(report, target, now))
            .collect();
        add_rest(&mut lines, unsaid.there.len());
        blocks.push(Block::Heading("Still there".to_owned()));
        blocks.push(Block::List(lines));
    }
    if !unsaid.over.is_empty() {
        let mut lines: Vec<Line> = (unsaid.over.iter().take(ROWS))
            .map(|spell| over(spell, now))
            .collect();
        add_rest(&mut lines, unsaid.over.len());
        blocks.push(Block::Heading("Came and went".to_owned()));
        blocks.push(Block::List(lines));
    }
    let look = "roundsman incidents".to_owned();
    blocks.push(Block::Paragraph(vec![Span::Faint(look)]));
    blocks
}

fn add_rest(lines: &mut Vec<Line>, all: usize) {
    let more = all.saturating_sub(ROWS);
    if more > 0 {
        lines.push(line(format!("… and {} more", words::count(more))));
    }
}

/// `RED app-1: connection refused since 02:30 UTC (for 1 h 30 min), #3`
fn there(report: &IncidentReport, target: &IncidentTarget, now: Timestamp) -> Line {
    let summary = short(&target.summary, LONGEST_ROW);
    let since = clock(target.status_since, now);
    let how_long = for_so_long_so(target, now);
    let explained = target.explained_by.as_ref();
    let explained = explained.map_or_else(String::new, |parent| {
        format!(", explained by {}", name(parent))
    });
    vec![
        Span::Status(target.status),
        Span::Text(" ".to_owned()),
        Span::Strong(name(&target.name)),
        Span::Text(format!(
            ": {summary}, since {since}{how_long}{explained}, #{}",
            report.id
        )),
    ]
}

/// `db-1 was RED 02:10–02:20 UTC`
fn over(spell: &Spell, now: Timestamp) -> Line {
    let days = [spell.from, spell.until].map(|at| at.date_naive());
    let when = if days == [now.date_naive(); 2] {
        let from = spell.from.format("%H:%M");
        format!("{from}–{}", clock(spell.until, now))
    } else {
        let until = clock(spell.until, spell.from);
        format!("{} – {until}", spell.from.format("%Y-%m-%d %H:%M"))
    };
    let (before, after) = if spell.flapped {
        (format!(" flapped {when}, "), " at worst".to_owned())
    } else {
        (" was ".to_owned(), format!(" {when}"))
    };
    vec![
        Span::Strong(name(&spell.name)),
        Span::Text(before),
        Span::Status(spell.worst),
        Span::Text(format!("{after}{}", spell.end)),
    ]
}
