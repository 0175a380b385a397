//! The round report for people, as blocks: what somebody who was woken at three in the morning needs comes first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Change, DeliverySummary, Report, ReportTarget, SelfAlert, Status};

use super::blocks::{Block, Column, Fit, Line, Span, line};
use super::causes::add_causes;
use super::escape::shortened;
use super::explanation::{WORDS_HEADING, words_blocks};
use super::issues::problems;
use super::links::with_link;
use super::names::Names;
use super::words;

/// How much a digest tells. What it leaves out it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How many problems it lists.
    pub problem_rows: usize,
    /// How many likely causes.
    pub causes: usize,
    /// How many pieces of advice.
    pub recommendations: usize,
    /// How many changes.
    pub changes: usize,
    /// Up to how many targets those that are well are listed; beyond it they are counted.
    pub listed_targets: usize,
}

impl Default for Bounds {
    /// As much as a person reads.
    fn default() -> Self {
        Self {
            problem_rows: 100,
            causes: 10,
            recommendations: 20,
            changes: 30,
            listed_targets: LISTED_TARGETS,
        }
    }
}

impl Bounds {
    /// For a file or a pipe: everything that is not well.
    pub const ALL_PROBLEMS: Self = Self {
        problem_rows: usize::MAX,
        causes: usize::MAX,
        recommendations: usize::MAX,
        changes: usize::MAX,
        listed_targets: LISTED_TARGETS,
    };

    /// For a telephone: what is wrong, and the rest in numbers.
    pub const COMPACT: Self = Self {
        problem_rows: 25,
        causes: 3,
        recommendations: 5,
        changes: 10,
        listed_targets: 0,
    };
}

/// Up to how many targets those that are well are usually listed.
pub const LISTED_TARGETS: usize = 50;

/// The longest name or text, in characters. Names are collected, and some are made to be long.
pub const LONGEST_TEXT: usize = 500;

/// Where everything is that a digest leaves out.
const ELSEWHERE: &str = "(see `--format json`)";

const PROBLEM_COLUMNS: &[Column] = &[
    Column::new("STATUS", Fit::Whole),
    Column::new("TARGET", Fit::Wrap),
    Column::new("PROBLEM", Fit::Wrap),
    Column::new("SINCE", Fit::Wrap),
];

const WELL_COLUMNS: &[Column] = &[
    Column::new("STATUS", Fit::Whole),
    Column::new("TARGET", Fit::Wrap),
    Column::new("KIND", Fit::Cut),
    Column::new("SUMMARY", Fit::Cut),
];

/// The digest within the default bounds.
#[must_use]
pub fn digest(report: &Report) -> Vec<Block> {
    digest_within(report, Bounds::default())
}

/// Overall and counts; problems; what to do; changes; what is well; when the next round is.
#[must_use]
pub fn digest_within(report: &Report, bounds: Bounds) -> Vec<Block> {
    let names = Names::among(
        (report.targets.iter()).map(|target| (target.kind.as_str(), target.name.as_str())),
    );
    let mut blocks = head(report);
    // Messages that wait come first: they are one line, which must not be among those that are left out.
    let ourselves: Vec<Line> = (waiting_messages(report).into_iter())
        .chain(report.self_alerts.iter().map(self_alert))
        .collect();
    add_list(
        &mut blocks,
        "The monitor itself",
        ourselves.into_iter(),
        bounds.recommendations,
    );
    add_problems(&mut blocks, report, &names, bounds.problem_rows);
    add_causes(&mut blocks, report.analysis.as_ref(), bounds.causes);
    add_words(&mut blocks, report);
    let runbooks: BTreeSet<&str> = (report.targets.iter())
        .filter_map(|target| target.runbook.as_deref())
        .collect();
    let advice = report.recommendations.iter();
    add_list(
        &mut blocks,
        "What to do",
        advice.map(|text| with_link(&short(text), runbooks.iter().copied())),
        bounds.recommendations,
    );
    add_list(
        &mut blocks,
        "Changes since the last report",
        report.changes.iter().map(change),
        bounds.changes,
    );
    add_well(&mut blocks, report, bounds.listed_targets);
    blocks.push(Block::Paragraph(vec![Span::Faint(next_round(report))]));
    blocks
}

/// What a language model made of it.
fn add_words(blocks: &mut Vec<Block>, report: &Report) {
    let Some(analysis) = &report.analysis else {
        return;
    };
    if let Some(explanation) = &analysis.explanation {
        blocks.extend(words_blocks(explanation, WORDS_HEADING));
    } else if let Some(why) = &analysis.unexplained {
        blocks.push(Block::Paragraph(vec![Span::Faint(short(why))]));
    }
}

/// The digest in one line without markup: `unhealthy: 4 targets, 1 RED · 3 GREEN`.
#[must_use]
pub fn digest_title(report: &Report) -> String {
    title(report).iter().map(Span::text).collect()
}

fn title(report: &Report) -> Line {
    let counts = report.counts;
    let by_status = [
        (counts.red, Status::Red),
        (counts.yellow, Status::Yellow),
        (counts.unknown, Status::Unknown),
        (counts.green, Status::Green),
    ];
    let mut title = vec![
        // Not the word of the status: what begins with that is a target, so that lines can be counted.
        Span::Toned(report.overall.to_string(), report.status),
        Span::Text(format!(": {}", words::counted(counts.total(), "target"))),
    ];
    let present = by_status.iter().filter(|(count, _)| *count > 0);
    for (index, (count, status)) in present.enumerate() {
        let lead = if index == 0 { ", " } else { " · " };
        title.push(Span::Text(format!("{lead}{} ", words::count(*count))));
        title.push(Span::Status(*status));
    }
    title
}

fn head(report: &Report) -> Vec<Block> {
    let round = &report.round;
    let filtered = if report.complete {
        ""
    } else {
        ", not all targets"
    };
    // A report that is due by itself tells what is known, and looks at nothing.
    let took = match round.duration_ms {
        0 => String::new(),
        length => format!(", took {}", words::milliseconds(length)),
    };
    let mut when = format!(
        "round of {}{took}{filtered}",
        words::second(round.started_at)
    );
    if round.skipped_looks > 0 {
        when.push_str(&format!(
            "; {} left out: the one before was still under way",
            words::number_of(round.skipped_looks, "look")
        ));
    }
    if round.missed_rounds > 0 {
        when.push_str(&format!(
            "; {} missed before it",
            words::number_of(round.missed_rounds, "round")
        ));
    }
    vec![
        Block::Title(title(report)),
        Block::Paragraph(vec![Span::Faint(when)]),
    ]
}

fn self_alert(alert: &SelfAlert) -> Line {
    let hint = alert.hint.as_ref();
    let hint = hint.map_or_else(String::new, |hint| format!(" – {hint}"));
    line(short(&format!("{}{hint}", alert.message)))
}

/// `3 messages wait, the oldest since 02:10 UTC; 1 was given up: …`, where there is something to tell.
fn waiting_messages(report: &Report) -> Option<Line> {
    let DeliverySummary {
        waiting,
        dead,
        oldest_waiting_at,
    } = report.delivery?;
    let since = oldest_waiting_at.map_or_else(String::new, |at| {
        let of_today = at.date_naive() == report.round.started_at.date_naive();
        let at = if of_today {
            words::time_of_day(at)
        } else {
            words::minute(at)
        };
        let whose = if waiting == 1 { "" } else { ", the oldest" };
        format!("{whose} since {at}")
    });
    let verb = if waiting == 1 { "waits" } else { "wait" };
    let waits = format!("{} {verb}{since}", words::counted(waiting, "message"));
    let were = if dead == 1 { "was" } else { "were" };
    let text = match (waiting, dead) {
        (0, 0) => return None,
        (_, 0) => waits,
        (0, _) => format!("{} {were} given up", words::counted(dead, "message")),
        _ => format!("{waits}; {} {were} given up", words::count(dead)),
    };
    Some(line(format!("{text}: `roundsman outbox list`")))
}

fn add_problems(blocks: &mut Vec<Block>, report: &Report, names: &Names<'_>, most_rows: usize) {
    let mut rows = Vec::new();
    let mut left_out: BTreeMap<Reverse<Status>, usize> = BTreeMap::new();
    let mut targets: Vec<&ReportTarget> = report.targets.iter().collect();
    // Stable: otherwise the order of the report stays.
    targets.sort_by_key(|target| (Reverse(target.status), target.silenced));
    for target in targets {
        for (status, text) in problems(target) {
            if rows.len() < most_rows {
                let mut problem = line(short(&text));
                problem.extend(known_already(target).map(Span::Faint));
                rows.push(vec![
                    vec![Span::Status(status)],
                    vec![Span::Strong(short(&names.of(&target.kind, &target.name)))],
                    problem,
                    vec![Span::Faint(since(report, target))],
                ]);
            } else {
                *left_out.entry(Reverse(status)).or_default() += 1;
            }
        }
    }
    if rows.is_empty() {
        return;
    }
    blocks.push(Block::Heading("Problems".to_owned()));
    blocks.push(Block::Table {
        columns: PROBLEM_COLUMNS,
        rows,
    });
    if left_out.is_empty() {
        return;
    }
    let mut rest = vec![Span::Text("… and ".to_owned())];
    for (index, (status, count)) in left_out.into_iter().enumerate() {
        let lead = if index == 0 { "" } else { ", " };
        rest.push(Span::Text(format!("{lead}{} more ", words::count(count))));
        rest.push(Span::Status(status.0));
    }
    rest.push(Span::Text(format!(" {ELSEWHERE}")));
    blocks.push(Block::Paragraph(rest));
}

/// That nobody is disturbed for it: somebody knows.
fn known_already(target: &ReportTarget) -> Option<String> {
    let words: Vec<&str> = [
        (target.silenced, "silenced"),
        (target.acknowledged, "acknowledged"),
    ]
    .into_iter()
    .filter_map(|(is_so, word)| is_so.then_some(word))
    .collect();
    (!words.is_empty()).then(|| format!(" ({})", words.join(", ")))
}

fn since(report: &Report, target: &ReportTarget) -> String {
    let length = report.round.started_at - target.since;
    if length.num_seconds() <= 0 {
        "this round".to_owned()
    } else {
        format!("{} ({})", words::minute(target.since), words::span(length))
    }
}

fn add_list(
    blocks: &mut Vec<Block>,
    heading: &str,
    items: impl ExactSizeIterator<Item = Line>,
    most: usize,
) {
    let left_out = items.len().saturating_sub(most);
    let mut lines: Vec<Line> = items.take(most).collect();
    if lines.is_empty() {
        return;
    }
    if left_out > 0 {
        lines.push(line(format!(
            "… and {} more {ELSEWHERE}",
            words::count(left_out)
        )));
    }
    blocks.push(Block::Heading(heading.to_owned()));
    blocks.push(Block::List(lines));
}

fn change(change: &Change) -> Line {
    let mut spans = vec![
        Span::Strong(short(&change.target)),
        Span::Text(": ".to_owned()),
    ];
    match (change.from, change.to) {
        (Some(from), Some(to)) => spans.extend([
            Span::Status(from),
            Span::Text(" → ".to_owned()),
            Span::Status(to),
        ]),
        (None, Some(to)) => spans.extend([Span::Text("new, ".to_owned()), Span::Status(to)]),
        (Some(from), None) => spans.extend([
            Span::Text("no longer watched, was ".to_owned()),
            Span::Status(from),
        ]),
        (None, None) => spans.push(Span::Text("came and went".to_owned())),
    }
    spans
}

fn add_well(blocks: &mut Vec<Block>, report: &Report, listed_targets: usize) {
    let well = || (report.targets.iter()).filter(|target| target.status == Status::Green);
    if report.counts.green == 0 {
        return;
    }
    blocks.push(Block::Heading("Well".to_owned()));
    if report.counts.total() <= listed_targets {
        let row = |target: &ReportTarget| {
            vec![
                vec![Span::Status(target.status)],
                line(short(&target.name)),
                vec![Span::Faint(short(&target.kind))],
                line(short(&target.summary)),
            ]
        };
        blocks.push(Block::Table {
            columns: WELL_COLUMNS,
            rows: well().map(row).collect(),
        });
        return;
    }
    let mut by_kind: BTreeMap<&str, usize> = BTreeMap::new();
    for target in well() {
        *by_kind.entry(&target.kind).or_default() += 1;
    }
    let counted = by_kind
        .into_iter()
        .map(|(kind, count)| line(format!("{}: {}", short(kind), words::count(count))));
    blocks.push(Block::List(counted.collect()));
    if listed_targets > 0 {
        blocks.push(Block::Paragraph(vec![Span::Faint(format!(
            "More than {listed_targets} targets: those that are well are only counted {ELSEWHERE}."
        ))]));
    }
}

fn next_round(report: &Report) -> String {
    match report.round.next_at {
        Some(at) => format!("next round at {}", words::second(at)),
        None => "no further round is scheduled".to_owned(),
    }
}

fn short(text: &str) -> String {
    shortened(text, LONGEST_TEXT).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Limit;
    use crate::render::samples::{SERVERS, Visit, at, report, round};
    use crate::render::text::{TextStyle, text};

    #[test]
    fn what_took_no_time_was_no_round_and_says_nothing_of_it() {
        let mut summary = round("r", "09:00:00");
        summary.duration_ms = 0;
        let report = report(summary, &[], None, true);
        let said = text(&head(&report), TextStyle::default());
        assert!(
            said.contains("\nround of 2026-11-21 09:00:00 UTC\n"),
            "{said}"
        );
    }

    #[test]
    fn what_a_digest_leaves_out_it_counts() {
        let visits: Vec<Visit> = (0..10_000)
            .map(|number| {
                let name = format!("web-{number:05}");
                match number {
                    0..5000 => Visit::down(&SERVERS, &name, "08:00:00"),
                    5000..5003 => Visit::green(&SERVERS, &name, "08:00:00").gap(None),
                    _ => Visit::green(&SERVERS, &name, "08:00:00"),
                }
            })
            .collect();
        let report = report(round("r", "09:00:00"), &visits, None, true);
        let within = text(&digest(&report), TextStyle::default());
        let (head, tail) = within.split_at(within.find("web-00099").expect("the last one listed"));
        insta::assert_snapshot!(head.lines().take(6).collect::<Vec<_>>().join("\n"), @r#"
        unhealthy: 10,000 targets, 5,000 RED · 3 UNKNOWN · 4,997 GREEN
        round of 2026-11-21 09:00:00 UTC, took 812 ms

        Problems
        STATUS  TARGET     PROBLEM                                                SINCE
        RED     web-00000  could not connect to 192.0.2.7:22: connection refused  2026-11-21 08:00 UTC (1 h)
        "#);
        insta::assert_snapshot!(tail, @r#"
        web-00099  could not connect to 192.0.2.7:22: connection refused  2026-11-21 08:00 UTC (1 h)

        … and 4,900 more RED, 3 more UNKNOWN (see `--format json`)

        What to do
        - web-00000, web-00001, web-00002 and 4,997 more: start sshd

        Well
        - vps_servers: 4,997

        More than 50 targets: those that are well are only counted (see `--format json`).

        next round at 2026-11-21 15:00:00 UTC
        "#);
        let all = text(
            &digest_within(&report, Bounds::ALL_PROBLEMS),
            TextStyle::default(),
        );
        assert_eq!(all.matches("connection refused").count(), 5000);
    }

    #[test]
    fn a_compact_digest_counts_what_is_well_and_most_of_what_is_not() {
        let visits: Vec<Visit> = (0..43)
            .map(|number| {
                let name = format!("web-{number}");
                match number {
                    0..40 => Visit::down(&SERVERS, &name, "08:00:00"),
                    _ => Visit::green(&SERVERS, &name, "08:00:00"),
                }
            })
            .collect();
        let report = report(round("r", "09:00:00"), &visits, None, true);
        let compact = text(
            &digest_within(&report, Bounds::COMPACT),
            TextStyle::default(),
        );
        assert_eq!(compact.matches("connection refused").count(), 25);
        let tail = compact.find("… and").expect("what is left out");
        insta::assert_snapshot!(&compact[tail..], @r#"
        … and 15 more RED (see `--format json`)

        What to do
        - web-0, web-1, web-10 and 37 more: start sshd

        Well
        - vps_servers: 3

        next round at 2026-11-21 15:00:00 UTC
        "#);
    }

    #[test]
    fn what_somebody_knows_already_is_said_and_comes_after_the_rest_of_its_status() {
        let down = |name: &str| Visit::down(&SERVERS, name, "08:00:00");
        let full = |name: &str| {
            let visit = Visit::green(&SERVERS, name, "08:00:00");
            visit.finding(Status::Yellow, 17.0, Limit::below(20.0))
        };
        let visits = [down("a"), down("b"), down("c"), full("d"), full("e")];
        let plain = report(round("r", "09:00:00"), &visits, None, true);
        let mut report = plain.clone();
        for target in &mut report.targets {
            target.silenced = ["a", "b", "d"].contains(&target.name.as_str());
            target.acknowledged = ["b", "c"].contains(&target.name.as_str());
        }
        let said = text(&digest(&report), TextStyle::default());
        let problems = &said[..said.find("What to do").expect("advice")];
        insta::assert_snapshot!(problems, @r#"
        unhealthy: 5 targets, 3 RED · 2 YELLOW
        round of 2026-11-21 09:00:00 UTC, took 812 ms

        Problems
        STATUS  TARGET  PROBLEM                                                                         SINCE
        RED     c       could not connect to 192.0.2.7:22: connection refused (acknowledged)            2026-11-21 08:00 UTC (1 h)
        RED     a       could not connect to 192.0.2.7:22: connection refused (silenced)                2026-11-21 08:00 UTC (1 h)
        RED     b       could not connect to 192.0.2.7:22: connection refused (silenced, acknowledged)  2026-11-21 08:00 UTC (1 h)
        YELLOW  e       disk_free_percent of / is 17 < 20                                               2026-11-21 08:00 UTC (1 h)
        YELLOW  d       disk_free_percent of / is 17 < 20 (silenced)                                    2026-11-21 08:00 UTC (1 h)
        "#);
        assert_eq!(digest_title(&report), digest_title(&plain));

        let one = Bounds {
            problem_rows: 1,
            ..Bounds::default()
        };
        let said = text(&digest_within(&report, one), TextStyle::default());
        assert!(said.contains("(acknowledged)"), "{said}");
        assert!(!said.contains("silenced"), "{said}");
    }

    #[test]
    fn messages_that_wait_are_told_where_there_are_some() {
        let mut report = report(round("r", "09:00:00"), &[], None, true);
        let before_midnight = "2026-11-20T23:59:59Z".parse().expect("a time");
        let mut said = Vec::new();
        for (waiting, dead, oldest_waiting_at) in [
            (0, 0, None),
            (3, 1, Some(at("02:10:00"))),
            (1, 0, Some(before_midnight)),
            (1200, 2, None),
            (0, 1, None),
            (0, 1001, None),
        ] {
            report.delivery = Some(DeliverySummary {
                waiting,
                dead,
                oldest_waiting_at,
            });
            let text = text(&digest(&report), TextStyle::default());
            let told = text.split("The monitor itself\n").nth(1);
            said.push(
                told.and_then(|told| told.lines().next())
                    .unwrap_or("nothing")
                    .to_owned(),
            );
        }
        insta::assert_snapshot!(said.join("\n"), @r#"
        nothing
        - 3 messages wait, the oldest since 02:10 UTC; 1 was given up: `roundsman outbox list`
        - 1 message waits since 2026-11-20 23:59 UTC: `roundsman outbox list`
        - 1,200 messages wait; 2 were given up: `roundsman outbox list`
        - 1 message was given up: `roundsman outbox list`
        - 1,001 messages were given up: `roundsman outbox list`
        "#);
    }

    #[test]
    fn a_quiet_round_is_short() {
        let visits = [Visit::green(&SERVERS, "web", "09:00:01")];
        let mut summary = round("r", "09:00:00");
        summary.next_at = None;
        let report = report(summary, &visits, None, false);
        insta::assert_snapshot!(text(&digest(&report), TextStyle::default()), @r#"
        healthy: 1 target, 1 GREEN
        round of 2026-11-21 09:00:00 UTC, took 812 ms, not all targets

        Well
        STATUS  TARGET  KIND         SUMMARY
        GREEN   web     vps_servers  cpu 3.1 % · disk free 58 % (/)

        no further round is scheduled
        "#);
    }
}
