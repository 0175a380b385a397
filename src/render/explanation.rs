//! What a language model said, in lines. It is marked as its own: a reader must know who speaks.

use crate::model::{Claim, Confidence, Explanation};

use super::blocks::{Block, Span, line};
use super::incident::phrases::short;
use super::words;

/// How long a line may be, in characters.
const LONGEST_LINE: usize = 420;

/// The title of a message that has nothing but a model's words: neither its words nor a colour that it may have earned by
/// them, since in a title "all is well" would be ours.
pub const WORDS_TITLE: &str = "the last report, put into words by a language model";

/// What stands above a model's words.
pub const WORDS_HEADING: &str = "In words";

/// All that it said, as a part of what we say. `heading`: who speaks, and of what.
#[must_use]
pub fn words_blocks(explanation: &Explanation, heading: &str) -> Vec<Block> {
    let summary = explanation.summary.as_ref();
    let summary = summary.map(|claim| short(&claim.text, LONGEST_LINE));
    let (heading, look): (_, fn(String) -> Span) = if explanation.outdated {
        // Where nothing else says when.
        let of = match heading {
            WORDS_HEADING => explanation.at.format(", of %H:%M UTC").to_string(),
            _ => String::new(),
        };
        let heading = format!("{heading}{of}: it has changed since");
        (heading, Span::Text)
    } else {
        (heading.to_owned(), Span::Strong)
    };
    let lines = explanation_lines(explanation).into_iter().map(line);
    std::iter::once(Block::Heading(heading))
        .chain(summary.map(|text| Block::Paragraph(vec![look(text)])))
        .chain([Block::List(lines.collect())])
        .collect()
}

/// All that it said of the last report, marked as its own.
#[must_use]
pub fn words_of_the_last_report(explanation: &Explanation) -> Vec<String> {
    let summary = explanation.summary.as_ref();
    let summary = summary.map(|claim| format!("the last report in words: {}", claim.text));
    summary
        .into_iter()
        .chain(explanation_lines(explanation))
        .collect()
}

/// What it said, without its summary: cause, impact, steps, the same in plain words, the facts behind it, and what it cost.
fn explanation_lines(explanation: &Explanation) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(cause) = &explanation.cause {
        let sure = match explanation.confidence {
            Confidence::High => "likely",
            Confidence::Medium => "perhaps",
            Confidence::Low => "possibly",
        };
        lines.push(format!("cause, {sure}: {}", told(cause)));
    }
    if let Some(impact) = &explanation.impact {
        lines.push(format!("impact: {}", told(impact)));
    }
    for (index, step) in explanation.steps.iter().enumerate() {
        lines.push(format!("step {}: {}", index + 1, told(step)));
    }
    if let Some(plain) = &explanation.plain {
        lines.push(format!("in plain words: {plain}"));
    }
    // The numbers behind each sentence are for those who doubt it: they need not look elsewhere.
    let facts = explanation.facts.iter();
    lines.extend(facts.map(|fact| format!("{}: {}", fact.id, fact.text)));
    lines.push(paid(explanation));
    lines.extend(explanation.note.clone());
    lines.iter().map(|text| short(text, LONGEST_LINE)).collect()
}

fn told(claim: &Claim) -> String {
    format!("{} ({})", claim.text, claim.evidence.join(", "))
}

/// `words of claude-haiku, a language model: check before you act · quality 92 % · analysis $0.004 · today $0.31 of $3.00 · as of
/// 2026-11-29 02:10 UTC`
fn paid(explanation: &Explanation) -> String {
    let budget = explanation.budget.as_ref();
    let budget = budget.map_or_else(String::new, |budget| format!(" · {budget}"));
    let dropped = match explanation.claims_dropped {
        0 => String::new(),
        count => format!(" · {} left out", words::counted(count, "sentence")),
    };
    // Messages are read, and told again, on other days: what was spent by then is not what was spent today.
    let at = explanation.at.format("%Y-%m-%d %H:%M UTC");
    let reused = if explanation.reused {
        ", not asked again"
    } else {
        ""
    };
    format!(
        "words of {}, a language model: check before you act · quality {} %{dropped} · analysis {}{budget} · as of {at}{reused}",
        explanation.model, explanation.score_percent, explanation.cost
    )
}
