//! How a target is, as far as an incident tells of it, and why it could not be measured.

use crate::model::{Condition, Status};

use super::compose::Seen;
use super::digest::LONGEST_TEXT;
use super::escape::shortened;
use super::issues::{issues, summary};
use super::recommend::advice_for;

/// An incident keeps the condition of each of its targets: nobody reads more problems of one, nor more advice.
const MOST_PROBLEMS: usize = 5;
const MOST_ADVICE: usize = 4;

const NO_REASON: &str = "no reason was given";

/// How a target is now.
#[must_use]
pub fn condition(seen: &Seen<'_>) -> Condition {
    let status = seen.verdict.status;
    let issues = issues(seen.observation, seen.verdict);
    let mut advice: Vec<String> = Vec::new();
    if status != Status::Green {
        for what_to_do in advice_for(seen).map(short) {
            if advice.len() < MOST_ADVICE && !advice.contains(&what_to_do) {
                advice.push(what_to_do);
            }
        }
    }
    Condition {
        status,
        at: seen.observation.at,
        summary: short(&summary(seen.spec, seen.observation, &issues)),
        problems: (issues.iter().take(MOST_PROBLEMS))
            .map(|issue| short(&issue.text))
            .collect(),
        more_problems: issues.len().saturating_sub(MOST_PROBLEMS),
        advice,
        cause: (status == Status::Unknown).then(|| cause(seen)),
    }
}

fn short(text: &str) -> String {
    shortened(text, LONGEST_TEXT).into_owned()
}

/// `denied ec2_instances: EC2 in … does not accept our credentials: they have expired (ExpiredToken)`
fn cause(seen: &Seen<'_>) -> String {
    let failure = (seen.observation.outcome.as_ref().err())
        .filter(|failure| failure.status() == Status::Unknown);
    let (what, why) = match failure {
        Some(failure) => (failure.kind.word(), in_common(&failure.message)),
        None => {
            let mut findings = seen.verdict.findings.iter();
            let gap = findings.find(|finding| finding.status == Status::Unknown);
            let why = gap.map_or_else(
                || NO_REASON.to_owned(),
                |gap| {
                    let reason = in_common(gap.message.as_deref().unwrap_or(NO_REASON));
                    format!("{} could not be measured: {reason}", gap.metric)
                },
            );
            ("gap", why)
        }
    };
    short(&format!("{what} {}: {why}", seen.target.id.kind))
}

/// A message without what tells targets apart: what stands in back-ticks, numbers and addresses become `…`.
fn in_common(message: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in without_quoted(message).split_whitespace() {
        let is_part = |character: char| character.is_alphanumeric() || character == '…';
        let bare = word.trim_matches(|character| !is_part(character));
        let word = if is_own(bare) {
            word.replacen(bare, "…", 1)
        } else {
            word.to_owned()
        };
        // A list of names is as one name.
        let is_left_out = |word: &str| word.trim_end_matches(',') == "…";
        match words.last_mut() {
            Some(last) if is_left_out(last) && is_left_out(&word) => *last = word,
            _ => words.push(word),
        }
    }
    words.join(" ")
}

/// The text with `…` for everything that stands in back-ticks; one that is not closed stays.
fn without_quoted(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    let mut rest = message;
    while let Some((before, quoted)) = rest.split_once('`') {
        let Some((_, after)) = quoted.split_once('`') else {
            break;
        };
        text.push_str(before);
        text.push('…');
        rest = after;
    }
    text + rest
}

/// Whether a word is a number, an address, or a name with a number in it. `EC2` and `S3` are words.
fn is_own(word: &str) -> bool {
    let letters = word.trim_end_matches(|character: char| character.is_ascii_digit());
    let is_service = !letters.is_empty() && letters.chars().all(|c| c.is_ascii_uppercase());
    let has_digit = word.chars().any(|character| character.is_ascii_digit());
    (has_digit && !is_service) || word.contains(['/', '@']) || word.contains("::")
}
