//! What claims may rest on: facts that there are, figures and names that stand in the question.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::super::prompt::{Prompt, SYSTEM};
use super::super::untrusted::{CLOSE, OPEN, said};
use super::LONGEST_TEXT;
use super::all_clear::is_all_clear;
use super::figures::Figures;
use super::form::RawClaim;
use super::looking::without_arguments;
use super::orders::Told;
use crate::model::Claim;

/// What a question has to rest on.
pub(super) struct Grounds<'a> {
    prompt: &'a Prompt,
    figures: Figures,
    question: String,
    /// What the model was told that a part is: some that are small write it down as that part.
    rules: String,
}

impl<'a> Grounds<'a> {
    pub(super) fn of(prompt: &'a Prompt) -> Self {
        Self {
            prompt,
            figures: Figures::of(&without_ids(&prompt.text)),
            question: prompt.text.to_lowercase(),
            rules: format!("{SYSTEM}\n{}", outside_of_marks(&prompt.text)).to_lowercase(),
        }
    }

    /// The claim, where it rests on facts that there are.
    pub(super) fn claim(&self, raw: &RawClaim, told: Told) -> Option<Claim> {
        let ids = raw.evidence.iter().map(|id| two_digits(id));
        let mut known = BTreeSet::new();
        let mut evidence = Vec::new();
        let mut all_known = true;
        for id in ids {
            all_known &= self.prompt.facts.contains_key(&id);
            // Named a thousand times it is one fact, and one word in a message.
            if all_known && known.insert(id.clone()) {
                evidence.push(id);
            }
        }
        let text = said(&raw.text, LONGEST_TEXT, &self.prompt.names);
        let figures = match told {
            // As it is shown: the text of a model may be of any length.
            Told::Step => Cow::Owned(without_arguments(&text)),
            Told::Finding => Cow::Borrowed(raw.text.as_str()),
        };
        let is_grounded = !evidence.is_empty()
            && all_known
            && !text.is_empty()
            && !self.is_all_clear(&text)
            && self.carry_figures(&raw.text, &figures);
        is_grounded.then_some(Claim { text, evidence })
    }

    /// Whether the question has every figure of a text and every fact that it speaks of, and the text is not our own.
    pub(super) fn carry(&self, text: &str) -> bool {
        self.carry_figures(text, text)
    }

    /// The same, where only some of its figures count.
    fn carry_figures(&self, text: &str, figures: &str) -> bool {
        let mut ids = words(text).filter(|word| is_id(word));
        // A target may be called `e2`.
        let is_name = |id: &str| self.prompt.names.iter().any(|name| name == id);
        ids.all(|id| self.prompt.facts.contains_key(&two_digits(id)) || is_name(id))
            && self.figures.know_those_of(&without_ids(figures))
            && !self.is_ours(text)
    }

    /// Whether a text, as it is shown, says that all is well: nobody is asked about what is.
    pub(super) fn is_all_clear(&self, shown: &str) -> bool {
        is_all_clear(shown, &self.prompt.names)
    }

    /// Whether every name of a text stands in the question: `web-07`, `/srv/data` and `disk_free_percent` can only be names.
    pub(super) fn know_names_of(&self, text: &str) -> bool {
        let names = text.split_whitespace().map(|word| {
            word.trim_matches(|one: char| !(one.is_alphanumeric() || one == '/'))
                .trim_end_matches('/')
                .to_lowercase()
        });
        let mut names = names.filter(|word| can_only_be_a_name(word));
        names.all(|name| self.question.contains(&name))
    }

    /// Whether a claim speaks of what it rests on: it names a target, or has a word of one of its facts. Models that are
    /// small, or led astray, put the right numbers behind sentences about something else.
    pub(super) fn are_spoken_of(&self, raw: &RawClaim) -> bool {
        // Named a thousand times it is one fact, here too.
        let ids: BTreeSet<String> = raw.evidence.iter().map(|id| two_digits(id)).collect();
        let facts = ids.iter().filter_map(|id| self.prompt.facts.get(id));
        self.speaks_of(&raw.text, facts)
    }

    /// The same of a text that names no facts: it may speak of any.
    pub(super) fn is_spoken_of_in(&self, text: &str) -> bool {
        self.speaks_of(text, self.prompt.facts.values())
    }

    fn speaks_of<'f>(&self, text: &str, facts: impl Iterator<Item = &'f String>) -> bool {
        let text = text.to_lowercase();
        let names = self.prompt.names.iter().map(|name| name.to_lowercase());
        let mut names = names.filter(|name| name.chars().count() > 1);
        let known: BTreeSet<String> = facts.flat_map(|fact| stems(fact)).collect();
        names.any(|name| text.contains(&name)) || stems(&text).any(|stem| known.contains(&stem))
    }

    fn is_ours(&self, text: &str) -> bool {
        let text = without_ids(&text.to_lowercase());
        let text = text.trim_matches(|one: char| !one.is_alphanumeric());
        text.split_whitespace().count() > 2 && self.rules.contains(text)
    }
}

/// What is ours in a question.
fn outside_of_marks(question: &str) -> String {
    let pieces = question.split(CLOSE);
    let pieces = pieces.filter_map(|piece| piece.split(OPEN).next());
    pieces.collect::<Vec<_>>().join("\n")
}

/// Words that stand in most facts, whatever they are about.
const OF_ALL_FACTS: [&str; 8] = [
    "since", "between", "from", "over", "went", "rose", "fell", "with",
];

/// The beginnings of the words that say something: `fails` and `failed` are one.
fn stems(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|one: char| !one.is_alphanumeric());
    let words = words.filter(|word| word.chars().count() > 3 && !OF_ALL_FACTS.contains(word));
    words.map(|word| word.chars().take(4).flat_map(char::to_lowercase).collect())
}

fn can_only_be_a_name(word: &str) -> bool {
    let has_letter = word.contains(char::is_alphabetic);
    let is_numbered = word.starts_with(char::is_alphabetic)
        && word.contains(['-', '_'])
        && word.contains(|one: char| one.is_ascii_digit());
    let is_path = word.starts_with('/') && word.len() > 1;
    has_letter && (is_numbered || is_path || word.contains('_'))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|one: char| !(one.is_alphanumeric() || one == '_' || one == '-'))
}

/// Whether a word is the number of a fact.
fn is_id(word: &str) -> bool {
    let digits = word.strip_prefix(['E', 'e']).unwrap_or_default();
    (1..=3).contains(&digits.len()) && digits.bytes().all(|one| one.is_ascii_digit())
}

/// The numbers of facts count nothing.
fn without_ids(text: &str) -> String {
    let mut rest = String::with_capacity(text.len());
    let is_part = |one: char| one.is_alphanumeric() || one == '_' || one == '-';
    for piece in text.split_inclusive(|one: char| !is_part(one)) {
        let word = piece.trim_end_matches(|one: char| !is_part(one));
        rest.push_str(if is_id(word) {
            &piece[word.len()..]
        } else {
            piece
        });
    }
    rest
}

/// `E1`, `e01` and `[E01]` are one.
fn two_digits(id: &str) -> String {
    let digits: String = id.chars().filter(char::is_ascii_digit).collect();
    let is_id = id.trim_matches(|one: char| !one.is_ascii_alphanumeric());
    let named = is_id
        .strip_prefix(['E', 'e'])
        .is_some_and(|rest| rest == digits);
    match (named, digits.parse::<u16>()) {
        (true, Ok(number)) => format!("E{number:02}"),
        _ => id.to_owned(),
    }
}
