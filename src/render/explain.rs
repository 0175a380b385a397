//! The analysis of an incident in full: what may have caused it, and why each candidate got its score.

use crate::model::{Analysis, AnalysisCandidate, AnalysisGroup, Explained, Incident, Timestamp};

use super::blocks::{Block, Column, Fit, Line, Span, line};
use super::escape::plain;
use super::explanation::words_blocks;
use super::incident::phrases::names_up_to;
use super::words;

const CANDIDATE_COLUMNS: &[Column] = &[
    Column::new("SCORE", Fit::Whole),
    Column::new("CANDIDATE", Fit::Wrap),
    Column::new("FIRST SEEN", Fit::Wrap),
    Column::new("EXPLAINS", Fit::Wrap),
    Column::new("ITSELF", Fit::Whole),
    Column::new("LOWERED BY", Fit::Wrap),
];

const EXPLAINED_COLUMNS: &[Column] = &[
    Column::new("HOW WELL", Fit::Whole),
    Column::new("PROBLEM", Fit::Wrap),
    Column::new("BECAUSE", Fit::Wrap),
];

const EVIDENCE_COLUMNS: &[Column] = &[
    Column::new("FACT", Fit::Whole),
    Column::new("TARGET", Fit::Wrap),
    Column::new("WHAT WAS SEEN", Fit::Wrap),
];

/// How the score of a candidate comes about.
const FORMULA: &str = "score = explains × (½ + ½ itself) × what LOWERED BY leaves of it. EXPLAINS is the share of the group's \
                       problems that it explains, ITSELF how far out of the ordinary it is. Times of facts are UTC.";

/// How many targets of a group are named.
const NAMED: usize = 8;

/// What may have caused it. `clock`: how times are told.
#[must_use]
pub fn explain(incident: &Incident, clock: &dyn Fn(Timestamp) -> String) -> Vec<Block> {
    let root = incident.root();
    let name = root.map_or_else(String::new, |root| format!(" {}", plain(&root.name)));
    let status = incident.status();
    let mut blocks = vec![Block::Title(vec![
        Span::Strong(format!("#{}{name}: ", incident.id)),
        if incident.is_open() {
            Span::Status(status)
        } else {
            Span::Text("over".to_owned())
        },
    ])];
    let Some(analysis) = &incident.analysis else {
        let text = "nothing is known of its cause: it was over before it was told, or came with too many others";
        blocks.push(Block::Paragraph(line(text)));
        return blocks;
    };
    blocks.extend(explain_analysis(analysis, clock));
    blocks
}

/// The same of an analysis that is no incident's. `clock`: how times are told.
#[must_use]
pub fn explain_analysis(analysis: &Analysis, clock: &dyn Fn(Timestamp) -> String) -> Vec<Block> {
    let when = format!("as of {}", clock(analysis.at));
    let mut blocks = vec![Block::Paragraph(vec![Span::Faint(when)])];
    if let Some(explanation) = &analysis.explanation {
        let when = format!("In words, as of {}", clock(explanation.at));
        blocks.extend(words_blocks(explanation, &when));
        let said = format!(
            "quality {} %, counted by code; {} left out that no fact carries, or that would harm; took {} ms",
            explanation.score_percent,
            words::counted(explanation.claims_dropped, "claim"),
            explanation.took_ms
        );
        blocks.push(Block::Paragraph(vec![Span::Faint(said)]));
    }
    if let Some(why) = &analysis.unexplained {
        blocks.push(Block::Paragraph(vec![Span::Faint(why.clone())]));
    }
    for group in &analysis.groups {
        add_group(&mut blocks, group, clock);
    }
    if analysis.groups_left_out > 0 {
        let more = words::counted(analysis.groups_left_out, "group");
        blocks.push(Block::Paragraph(line(format!("… and {more} more"))));
    }
    if analysis
        .groups
        .iter()
        .any(|group| !group.candidates.is_empty())
    {
        blocks.push(Block::Paragraph(vec![Span::Faint(FORMULA.to_owned())]));
    }
    blocks
}

fn add_group(blocks: &mut Vec<Block>, group: &AnalysisGroup, clock: &dyn Fn(Timestamp) -> String) {
    let targets: Vec<&str> = group.targets.iter().map(String::as_str).collect();
    let named = names_up_to(NAMED, &targets, group.targets_left_out);
    let alone = group.targets.len() == 1;
    blocks.push(Block::Heading(if alone {
        format!("{named}, by itself")
    } else {
        format!("{named}, together")
    }));
    let verdict = match group.cause() {
        Some(cause) => vec![
            Span::Text("likely cause: ".to_owned()),
            Span::Strong(cause.text.clone()),
        ],
        None if alone => line("nothing else that is out of the ordinary has to do with it"),
        None => line("no common cause: no candidate explains enough of the others"),
    };
    blocks.push(Block::Paragraph(verdict));
    if !group.candidates.is_empty() {
        let rows = group.candidates.iter().map(|one| candidate_row(one, clock));
        blocks.push(Block::Table {
            columns: CANDIDATE_COLUMNS,
            rows: rows.collect(),
        });
    }
    if let Some(cause) = group.cause() {
        blocks.push(Block::Heading(format!(
            "What {} explains",
            plain(&cause.target)
        )));
        blocks.push(Block::Table {
            columns: EXPLAINED_COLUMNS,
            rows: cause.explains.iter().map(explained_row).collect(),
        });
        let others = cause
            .explains
            .iter()
            .filter(|one| one.target != cause.target);
        let more = cause.explains_count.saturating_sub(others.count());
        if more > 0 {
            let more = words::counted(more, "target");
            blocks.push(Block::Paragraph(line(format!("… and {more} more"))));
        }
    }
    if !group.evidence.is_empty() {
        blocks.push(Block::Heading("Evidence".to_owned()));
        let rows = group.evidence.iter().map(|fact| {
            vec![
                line(fact.id.clone()),
                vec![Span::Strong(fact.target.clone())],
                line(fact.text.clone()),
            ]
        });
        blocks.push(Block::Table {
            columns: EVIDENCE_COLUMNS,
            rows: rows.collect(),
        });
    }
}

fn candidate_row(one: &AnalysisCandidate, clock: &dyn Fn(Timestamp) -> String) -> Vec<Line> {
    let explains = match one.explains_count {
        0 => format!("{} %: itself", one.share_percent),
        count => format!(
            "{} %: itself and {}",
            one.share_percent,
            words::counted(count, "other")
        ),
    };
    let lowered = one.explained_by.as_ref().map_or_else(String::new, |by| {
        format!("{} % left: {}", by.leaves_percent, by.text)
    });
    vec![
        line(format!("{} %", one.score_percent)),
        vec![Span::Strong(one.text.clone())],
        line(clock(one.seen_at)),
        line(explains),
        line(format!("{} %", one.strength_percent)),
        line(lowered),
    ]
}

fn explained_row(one: &Explained) -> Vec<Line> {
    vec![
        line(format!("{} %", one.likely_percent)),
        line(one.text.clone()),
        line(one.because.clone()),
    ]
}
