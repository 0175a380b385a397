//! What a call can cost, and what it did.

use super::{Endpoint, Form, Parsed, Question, Terms};
use crate::model::{Timestamp, UsDollars};
use crate::purse::{Pricing, Settled};

/// What providers put around a question; no question is longer in tokens than in bytes and this.
const OVERHEAD_TOKENS: u64 = 64;

/// Languages differ; three characters to a token is what most take at least. Used where nothing is reported.
const CHARACTERS_PER_TOKEN: u64 = 3;

pub(super) fn pricing(terms: &Terms, endpoint: &Endpoint, now: Timestamp) -> Pricing {
    let today = now.with_timezone(&terms.budget.zone).date_naive();
    let prices = &terms.prices;
    endpoint.price.map_or_else(
        || prices.pricing(&endpoint.provider, &endpoint.model, today),
        Pricing::own,
    )
}

/// Some count thinking beyond what the longest answer may be; nobody counts so many times as much.
const FAR_MORE: u64 = 4;

/// The most that an answer can cost.
pub(super) fn worst(pricing: &Pricing, question: &Question) -> UsDollars {
    pricing.of(most_input(question), u64::from(question.max_tokens))
}

/// The most tokens that a question can be.
fn most_input(question: &Question) -> u64 {
    let form = question.form.as_ref().map_or(0, Form::longest);
    longest_text(question).saturating_add(form)
}

/// The most tokens that the words of a question can be.
pub(super) fn longest_text(question: &Question) -> u64 {
    let bytes = question.text.len() + question.system.as_ref().map_or(0, String::len);
    u64::try_from(bytes)
        .unwrap_or(u64::MAX)
        .saturating_add(OVERHEAD_TOKENS)
}

fn estimated(text: &str) -> u64 {
    let characters = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    characters.div_ceil(CHARACTERS_PER_TOKEN)
}

pub(super) fn paid(parsed: &Parsed, question: &Question, pricing: &Pricing) -> Settled {
    let schema = question.form.as_ref().map(|form| form.schema.to_string());
    let asked = format!(
        "{}{}{}",
        question.system.as_deref().unwrap_or_default(),
        question.text,
        schema.unwrap_or_default(),
    );
    let input = Reported::of(parsed.input_tokens, most_input(question));
    let output = Reported::of(parsed.output_tokens, u64::from(question.max_tokens));
    let input_tokens = input.tokens.unwrap_or_else(|| estimated(&asked));
    let output_tokens = output.tokens.unwrap_or_else(|| estimated(&parsed.text));
    let cost = pricing.of(input_tokens, output_tokens);
    let is_absurd = input.is_absurd || output.is_absurd;
    Settled {
        // Whoever miscounts one may miscount the other: never less than was reserved.
        cost: if is_absurd {
            cost.max(worst(pricing, question))
        } else {
            cost
        },
        input_tokens,
        output_tokens,
        estimated: is_absurd
            || input.tokens.is_none()
            || output.tokens.is_none() && !parsed.text.is_empty(),
    }
}

/// What a provider says that it took.
struct Reported {
    tokens: Option<u64>,
    /// It said more than can be.
    is_absurd: bool,
}

impl Reported {
    /// Some report zeros where they do not count; nobody answers for nothing. What is far more than was asked for is no bill
    /// either, and would stop all other calls of the day: the most that is believed is counted.
    fn of(reported: Option<u64>, most: u64) -> Self {
        let most = most.saturating_mul(FAR_MORE);
        let is_absurd = reported.is_some_and(|tokens| tokens > most);
        if let Some(tokens) = reported.filter(|_| is_absurd) {
            tracing::warn!(
                event = "purse.absurd_usage",
                tokens,
                most,
                "a provider reports more tokens than there can be: the most that is believed is counted"
            );
        }
        Self {
            tokens: reported
                .filter(|tokens| *tokens > 0)
                .map(|tokens| tokens.min(most)),
            is_absurd,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::purse::Price;

    /// `0.01` and `0.1` US dollars for 1,000 tokens of a question of 100 at most, and of an answer of 64.
    fn settled(input_tokens: Option<u64>, output_tokens: Option<u64>) -> (f64, Settled) {
        let question = Question {
            system: None,
            text: "?".repeat(36),
            max_tokens: 64,
            session: None,
            form: None,
        };
        let pricing = Pricing::own(Price {
            input_per_1k: 0.01,
            output_per_1k: 0.1,
        });
        let parsed = Parsed {
            text: "42".to_owned(),
            input_tokens,
            output_tokens,
            ..Parsed::default()
        };
        let reserved = worst(&pricing, &question).dollars();
        (reserved, paid(&parsed, &question, &pricing))
    }

    #[test]
    fn what_is_reported_counts_and_never_less_than_was_reserved_where_it_is_absurd() {
        for (input, output, tokens, usd, estimated) in [
            (Some(20), Some(2), (20, 2), 0.000_4, false),
            // Thinking that the provider counts beyond the bound.
            (Some(20), Some(256), (20, 256), 0.025_8, false),
            (Some(20), Some(257), (20, 256), 0.025_8, true),
            (Some(20), Some(u64::MAX), (20, 256), 0.025_8, true),
            // What was reserved: 100 and 64.
            (Some(1_000_000), Some(1), (400, 1), 0.007_4, true),
            (Some(401), None, (400, 1), 0.007_4, true),
            (Some(0), Some(0), (12, 1), 0.000_22, true),
            (None, None, (12, 1), 0.000_22, true),
        ] {
            let (reserved, settled) = settled(input, output);
            assert!((reserved - 0.007_4).abs() < 1e-9, "{reserved}");
            let case = format!("{input:?} {output:?}: {settled:?}");
            assert_eq!(
                (settled.input_tokens, settled.output_tokens),
                tokens,
                "{case}"
            );
            assert!((settled.cost.dollars() - usd).abs() < 1e-9, "{case}");
            assert_eq!(settled.estimated, estimated, "{case}");
        }
    }
}
