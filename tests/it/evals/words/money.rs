//! How long questions are, and what they cost.

use std::fmt;

use chrono::NaiveDate;
use roundsman::analysis::prompt::Prompt;
use roundsman::model::UsDollars;
use roundsman::purse::{PriceTable, retired};

/// The model of the predecessor's configuration, which is retired: its successor is asked.
const OF_THE_PREDECESSOR: &str = "us.anthropic.claude-3-5-haiku-20241022-v1:0";

/// What else people use.
const OTHERS: [(&str, &str); 4] = [
    ("anthropic", "claude-haiku-4-5"),
    ("openai", "gpt-4o-mini"),
    ("openai", "gpt-5"),
    ("anthropic", "claude-sonnet-4-5"),
];

/// The most that a question may have, and that a usual one may cost.
const MOST_TOKENS: u64 = 4_000;
const MOST_CENTS: u64 = 1;

/// Some are asked in a language of their own; three characters to a token is what most models take at least.
const CHARACTERS_PER_TOKEN: usize = 3;

/// The questions, by their length in tokens, and the answers to them.
#[derive(Debug, Default)]
pub(super) struct Prompts {
    questions: Vec<u64>,
    answers: Vec<u64>,
}

pub(in super::super) fn median<T: Copy + Ord>(all: &[T]) -> Option<T> {
    let mut sorted = all.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

fn tokens(characters: usize) -> u64 {
    u64::try_from(characters.div_ceil(CHARACTERS_PER_TOKEN)).expect("a short text")
}

/// The day of the prices: a page that changed with the calendar would be nobody's change.
fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 29).expect("a day")
}

/// The model that is asked by default.
fn default_model() -> (&'static str, String) {
    let found = retired("bedrock", OF_THE_PREDECESSOR, today());
    let model = found.map_or_else(|| OF_THE_PREDECESSOR.to_owned(), |(_, successor)| successor);
    ("bedrock", model)
}

impl Prompts {
    pub(super) fn add(&mut self, prompt: &Prompt, characters_of_answer: usize) {
        let question = prompt.system.chars().count() + prompt.text.chars().count();
        self.questions.push(tokens(question));
        self.answers.push(tokens(characters_of_answer));
    }

    /// What a question and a good answer cost.
    fn cost(&self, provider: &str, model: &str, of: fn(&[u64]) -> Option<u64>) -> UsDollars {
        let pricing = PriceTable::default().pricing(provider, model, today());
        assert!(pricing.is_known, "{provider} {model}");
        let length = |all: &[u64]| of(all).unwrap_or_default();
        pricing.of(length(&self.questions), length(&self.answers))
    }

    pub(super) fn assert_cheap(&self) {
        let most = self.questions.iter().max().copied().unwrap_or_default();
        assert!(most <= MOST_TOKENS, "a question has {most} tokens");
        let (provider, model) = default_model();
        let cost = self.cost(provider, &model, median);
        let most = UsDollars::from_nanos(MOST_CENTS * 10_000_000);
        assert!(cost <= most, "a usual incident costs {cost} at {model}");
    }
}

impl fmt::Display for Prompts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = |all: &[u64]| all.iter().max().copied();
        let (question, answer) = (median(&self.questions), median(&self.answers));
        writeln!(
            f,
            "A question has {} tokens (median; three characters are taken for one), what the model is told in general included, and {} at \
             most; a good answer {}. What a model thinks before it answers is not in it.\n",
            question.unwrap_or_default(),
            most(&self.questions).unwrap_or_default(),
            answer.unwrap_or_default(),
        )?;
        writeln!(
            f,
            "| model | a usual incident costs | the longest |\n|---|---|---|"
        )?;
        let (provider, model) = default_model();
        let note = format!("{provider}/{model}` (what the predecessor asked is retired)");
        let line = |f: &mut fmt::Formatter<'_>, name: &str, provider: &str, model: &str| {
            let usual = self.cost(provider, model, median);
            let longest = self.cost(provider, model, most);
            writeln!(f, "| `{name} | {usual} | {longest} |")
        };
        line(f, &note, provider, &model)?;
        for (provider, model) in OTHERS {
            line(f, &format!("{provider}/{model}`"), provider, model)?;
        }
        Ok(())
    }
}
