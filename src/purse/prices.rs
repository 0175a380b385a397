//! What models cost, and which of them are retired.

use chrono::NaiveDate;
use globset::{Glob, GlobBuilder, GlobMatcher};

use crate::model::UsDollars;

/// What a model costs, in US dollars for 1,000 tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// Of the question.
    pub input_per_1k: f64,
    /// Of the answer; what a model thinks is part of it.
    pub output_per_1k: f64,
}

impl Price {
    /// What so many tokens cost, rounded up to a billionth.
    #[must_use]
    pub fn of(&self, input_tokens: u64, output_tokens: u64) -> UsDollars {
        #[expect(clippy::cast_precision_loss, reason = "token counts are small")]
        let dollars = input_tokens as f64 / 1_000.0 * self.input_per_1k
            + output_tokens as f64 / 1_000.0 * self.output_per_1k;
        // A price beyond all reason costs more than any budget.
        UsDollars::from_dollars(dollars).unwrap_or(UsDollars::from_nanos(u64::MAX))
    }
}

/// A price that is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PriceEntry {
    /// Which models, as a pattern over their lower-case names without the provider's prefixes.
    pub model: &'static str,
    /// What they cost.
    pub price: Price,
    /// With more tokens in the question than that, all costs so many times as much.
    pub above: Option<(u64, f64)>,
    /// Since when.
    pub since: &'static str,
}

const fn known(
    model: &'static str,
    input_per_1k: f64,
    output_per_1k: f64,
    since: &'static str,
) -> PriceEntry {
    PriceEntry {
        model,
        price: Price {
            input_per_1k,
            output_per_1k,
        },
        above: None,
        since,
    }
}

/// With longer questions than that these cost twice as much.
const LONG: Option<(u64, f64)> = Some((272_000, 2.0));

/// The prices that we know, as the providers' price pages had them in November 2026; the first that fits counts. A
/// configuration's own come before them (`llm.prices`). Sources: <https://platform.claude.com/docs/en/about-claude/pricing>,
/// <https://developers.openai.com/api/docs/pricing>, <https://ai.google.dev/pricing>, <https://platform.moonshot.ai>,
/// <https://www.together.ai/pricing>.
///
/// A pattern takes in dated names of a model and nothing newer: successors have been dearer, and one that nobody knows counts
/// as the dearest.
pub const KNOWN_PRICES: &[PriceEntry] = &[
    PriceEntry {
        above: Some((100_000, 5.0)),
        ..known("claude-haiku-5-5*", 0.000_1, 0.000_5, "2026-10-07")
    },
    known("claude-haiku-4-5*", 0.001, 0.005, "2025-10-15"),
    known("claude-3-5-haiku*", 0.000_8, 0.004, "2024-12-03"),
    known("claude-3-haiku*", 0.000_25, 0.001_25, "2024-03-13"),
    known("claude-fable-5{,[-@]*}", 0.01, 0.05, "2026-06-09"),
    known("claude-mythos-5{,[-@]*}", 0.01, 0.05, "2026-06-09"),
    known("claude-opus-5-5*", 0.004, 0.02, "2026-10-07"),
    known("claude-opus-5{,-v*,-20*,@*}", 0.005, 0.025, "2026-07-24"),
    known("claude-opus-4-[5-8]*", 0.005, 0.025, "2025-11-24"),
    known(
        "claude-opus-4{,-[01],-[01]-*,-20*,@*}",
        0.015,
        0.075,
        "2025-05-22",
    ),
    known("claude-3-opus*", 0.015, 0.075, "2024-03-04"),
    known(
        "claude-sonnet-5{,-5*,-v*,-20*,@*}",
        0.002,
        0.01,
        "2026-06-30",
    ),
    known("claude-sonnet-4*", 0.003, 0.015, "2025-05-22"),
    known("claude-3-{5-,7-,}sonnet*", 0.003, 0.015, "2024-06-20"),
    known("gpt-5.5-pro*", 0.03, 0.18, "2026-04-23"),
    PriceEntry {
        above: LONG,
        ..known("gpt-5.5{,-20*}", 0.005, 0.03, "2026-04-23")
    },
    known("gpt-5.4-pro*", 0.03, 0.18, "2026-03-05"),
    known("gpt-5.4-mini{,-20*}", 0.000_75, 0.004_5, "2026-03-17"),
    known("gpt-5.4-nano{,-20*}", 0.000_2, 0.001_25, "2026-03-17"),
    PriceEntry {
        above: LONG,
        ..known("gpt-5.4{,-20*}", 0.002_5, 0.015, "2026-03-05")
    },
    known("gpt-5.3{,-*}", 0.001_75, 0.014, "2026-02-05"),
    known("gpt-5.2-pro*", 0.021, 0.168, "2025-12-11"),
    known("gpt-5.2{,-*}", 0.001_75, 0.014, "2025-12-11"),
    known("gpt-5.1-codex-mini*", 0.000_25, 0.002, "2025-11-13"),
    known("gpt-5.1{,-*}", 0.001_25, 0.01, "2025-11-13"),
    known("gpt-5-pro*", 0.015, 0.12, "2025-10-06"),
    known("gpt-5-nano*", 0.000_05, 0.000_4, "2025-08-07"),
    known("gpt-5-mini*", 0.000_25, 0.002, "2025-08-07"),
    known("gpt-5{,-20*,-chat*,-codex*}", 0.001_25, 0.01, "2025-08-07"),
    known("gpt-4.1-nano*", 0.000_1, 0.000_4, "2025-04-14"),
    known("gpt-4.1-mini*", 0.000_4, 0.001_6, "2025-04-14"),
    known("gpt-4.1{,-20*}", 0.002, 0.008, "2025-04-14"),
    known("gpt-4o-mini{,-20*}", 0.000_15, 0.000_6, "2024-07-18"),
    known("gpt-4o-2024-05-13", 0.005, 0.015, "2024-05-13"),
    known("gpt-4o{,-20*}", 0.002_5, 0.01, "2024-10-01"),
    known("o4-mini{,-20*}", 0.001_1, 0.004_4, "2025-04-16"),
    known("o3-mini*", 0.001_1, 0.004_4, "2025-01-31"),
    known("o3-pro*", 0.02, 0.08, "2025-06-10"),
    known("o3{,-20*}", 0.002, 0.008, "2025-06-10"),
    known("gemini-3-flash*", 0.000_5, 0.003, "2025-12-17"),
    known("gemini-2.5-flash-lite*", 0.000_1, 0.000_4, "2025-07-22"),
    known(
        "gemini-2.5-flash{,-0*,-preview-0*}",
        0.000_3,
        0.002_5,
        "2025-06-17",
    ),
    known(
        "gemini-2.5-pro{,-0*,-preview-0*}",
        0.002_5,
        0.015,
        "2025-06-17",
    ),
    known(
        "gemini-2.0-flash{,-0*,-lite*}",
        0.000_1,
        0.000_4,
        "2025-02-05",
    ),
    known("kimi-k2*turbo*", 0.002_4, 0.01, "2025-11-06"),
    known("kimi-k2.5*", 0.000_6, 0.003, "2026-01-27"),
    known("kimi-k2{,-*}", 0.000_6, 0.002_5, "2025-11-06"),
    known("moonshot-v1*", 0.002, 0.005, "2025-04-07"),
    known("llama-3.3-70b*", 0.000_88, 0.000_88, "2024-12-11"),
    known("nova-micro*", 0.000_035, 0.000_14, "2024-12-03"),
    known("nova-lite*", 0.000_06, 0.000_24, "2024-12-03"),
    known("nova-pro*", 0.000_8, 0.003_2, "2024-12-03"),
];

/// A model through a profile of some regions costs so many times as much on Bedrock (<https://aws.amazon.com/bedrock/pricing/>).
const REGIONAL: f64 = 1.1;

/// What a configuration says of prices, before those that are known.
#[derive(Debug, Clone, Default)]
pub struct PriceTable {
    own: Vec<(GlobMatcher, Price, Option<NaiveDate>)>,
}

/// What a model is taken to cost, and whether that is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pricing {
    /// What it costs.
    pub price: Price,
    /// With more tokens in the question than that, all costs so many times as much.
    pub above: Option<(u64, f64)>,
    /// Whether the price is known; otherwise it is that of the dearest model we know.
    pub is_known: bool,
}

impl Pricing {
    /// A price that somebody wrote down.
    #[must_use]
    pub const fn own(price: Price) -> Self {
        Self {
            price,
            above: None,
            is_known: true,
        }
    }

    /// What so many tokens cost.
    #[must_use]
    pub fn of(&self, input_tokens: u64, output_tokens: u64) -> UsDollars {
        let times = match self.above {
            Some((limit, times)) if input_tokens > limit => times,
            _ => 1.0,
        };
        let price = Price {
            input_per_1k: self.price.input_per_1k * times,
            output_per_1k: self.price.output_per_1k * times,
        };
        price.of(input_tokens, output_tokens)
    }
}

impl PriceTable {
    /// Adds a price of a configuration; it counts from that day on, where one is given.
    ///
    /// # Errors
    /// The pattern is none.
    pub fn add(
        &mut self,
        model: &str,
        price: Price,
        since: Option<NaiveDate>,
    ) -> Result<(), globset::Error> {
        let glob = Glob::new(&model.to_lowercase())?.compile_matcher();
        self.own.push((glob, price, since));
        Ok(())
    }

    /// What a model costs on that day. Models that run on one's own machines cost nothing.
    #[must_use]
    pub fn pricing(&self, provider: &str, model: &str, today: NaiveDate) -> Pricing {
        let whole = model.to_lowercase();
        let (plain, is_regional) = plain_name(&whole);
        // Of several that count already, the latest.
        let own = self.own.iter().filter(|(glob, _, since)| {
            let counts = since.is_none_or(|since| since <= today);
            counts && (glob.is_match(&whole) || glob.is_match(plain))
        });
        if let Some((_, price, _)) = own.max_by_key(|(_, _, since)| *since) {
            return Pricing::own(*price);
        }
        if provider == "ollama" {
            return Pricing::own(Price {
                input_per_1k: 0.0,
                output_per_1k: 0.0,
            });
        }
        // OpenRouter writes `claude-opus-4.5` where Anthropic writes `claude-opus-4-5`.
        let dashed = if plain.starts_with("claude-") {
            plain.replace('.', "-")
        } else {
            plain.to_owned()
        };
        let fits = |entry: &&PriceEntry| {
            let glob = GlobBuilder::new(entry.model).empty_alternates(true).build();
            glob.is_ok_and(|glob| glob.compile_matcher().is_match(&dashed))
        };
        if let Some(entry) = KNOWN_PRICES.iter().find(fits) {
            let times = if is_regional { REGIONAL } else { 1.0 };
            return Pricing {
                price: Price {
                    input_per_1k: entry.price.input_per_1k * times,
                    output_per_1k: entry.price.output_per_1k * times,
                },
                above: entry.above,
                is_known: true,
            };
        }
        self.dearest()
    }

    /// The dearest price that is known, of each kind of token.
    fn dearest(&self) -> Pricing {
        let own = self.own.iter().map(|(_, price, _)| *price);
        let all = own.chain(KNOWN_PRICES.iter().map(|entry| entry.price));
        let most = all.fold((0.0_f64, 0.0_f64), |most, price| {
            (
                most.0.max(price.input_per_1k),
                most.1.max(price.output_per_1k),
            )
        });
        Pricing {
            price: Price {
                input_per_1k: most.0 * REGIONAL,
                output_per_1k: most.1 * REGIONAL,
            },
            above: None,
            is_known: false,
        }
    }
}

/// A model's own name, without what providers put before it, and whether that names a region:
/// `us.anthropic.claude-haiku-4-5-20251001-v1:0` → `claude-haiku-4-5-20251001-v1:0`, true;
/// `anthropic/claude-haiku-4-5` → `claude-haiku-4-5`, false.
fn plain_name(model: &str) -> (&str, bool) {
    let model = model.rsplit('/').next().unwrap_or(model);
    let (region, rest) = match model.split_once('.') {
        Some((region, rest))
            if ["us", "eu", "apac", "au", "jp", "ca", "global", "us-gov"].contains(&region) =>
        {
            (Some(region), rest)
        }
        _ => (None, model),
    };
    let vendors = [
        "anthropic.",
        "amazon.",
        "meta.",
        "mistral.",
        "meta-",
        "moonshotai.",
    ];
    let plain = vendors
        .iter()
        .find_map(|vendor| rest.strip_prefix(vendor))
        .unwrap_or(rest);
    (plain, region.is_some_and(|region| region != "global"))
}

/// A model that is no longer offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retired {
    /// Which, as a pattern over its plain name.
    pub model: &'static str,
    /// Who retired it.
    pub provider: &'static str,
    /// Since when it is gone.
    pub on: &'static str,
    /// What takes its place, as its plain name with the vendor.
    pub successor: &'static str,
}

/// Models that are gone, with what takes their place.
const RETIRED: &[Retired] = &[
    Retired {
        model: "claude-3-5-haiku*",
        provider: "bedrock",
        on: "2026-06-19",
        successor: "anthropic.claude-haiku-5-5",
    },
    Retired {
        model: "claude-3-haiku*",
        provider: "bedrock",
        on: "2026-09-10",
        successor: "anthropic.claude-haiku-5-5",
    },
];

/// When a model was retired by that day, and what takes its place, under the same regional profile.
#[must_use]
pub fn retired(provider: &str, model: &str, today: NaiveDate) -> Option<(Retired, String)> {
    let model = model.to_lowercase();
    let (plain, _) = plain_name(&model);
    let found = RETIRED.iter().find(|retired| {
        let gone = retired.on.parse::<NaiveDate>().is_ok_and(|on| on <= today);
        let fits =
            Glob::new(retired.model).is_ok_and(|glob| glob.compile_matcher().is_match(plain));
        gone && retired.provider == provider && fits
    })?;
    let region = model
        .split_once('.')
        .map(|(region, _)| region)
        .filter(|region| *region != "anthropic");
    let successor = region.map_or_else(
        || found.successor.to_owned(),
        |region| format!("{region}.{}", found.successor),
    );
    Some((*found, successor))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn names_lead_to_prices() {
        let table = PriceTable::default();
        for (provider, model, input, output, is_known) in [
            (
                "bedrock",
                "us.anthropic.claude-haiku-4-5-20251001-v1:0",
                0.001_1,
                0.005_5,
                true,
            ),
            (
                "bedrock",
                "global.anthropic.claude-haiku-4-5-20251001-v1:0",
                0.001,
                0.005,
                true,
            ),
            (
                "openrouter",
                "anthropic/claude-haiku-4-5",
                0.001,
                0.005,
                true,
            ),
            ("openai", "gpt-4o-mini", 0.000_15, 0.000_6, true),
            ("openai", "GPT-4o", 0.002_5, 0.01, true),
            ("ollama", "llama3.2", 0.0, 0.0, true),
            ("openai", "nobody-knows", 0.033, 0.198, false),
            // What is newer than what we know is another model, and so is what has another name behind it.
            ("openai", "gpt-5.5", 0.005, 0.03, true),
            ("openai", "gpt-5.5-2026-04-23", 0.005, 0.03, true),
            ("openrouter", "openai/gpt-5.5-pro", 0.03, 0.18, true),
            ("openai", "gpt-5.4-mini", 0.000_75, 0.004_5, true),
            ("openai", "gpt-5.2-chat-latest", 0.001_75, 0.014, true),
            ("openai", "gpt-5-2025-08-07", 0.001_25, 0.01, true),
            ("openai", "gpt-5.6", 0.033, 0.198, false),
            ("openai", "gpt-6-mini", 0.033, 0.198, false),
            ("openai", "o3-2025-04-16", 0.002, 0.008, true),
            ("openai", "o3-pro", 0.02, 0.08, true),
            ("openai", "gpt-4o-audio-preview", 0.033, 0.198, false),
            ("anthropic", "claude-opus-5-5", 0.004, 0.02, true),
            ("anthropic", "claude-opus-5", 0.005, 0.025, true),
            ("anthropic", "claude-opus-5-6", 0.033, 0.198, false),
            ("anthropic", "claude-opus-4-8", 0.005, 0.025, true),
            (
                "openrouter",
                "anthropic/claude-opus-4.5",
                0.005,
                0.025,
                true,
            ),
            (
                "openrouter",
                "anthropic/claude-opus-4.1",
                0.015,
                0.075,
                true,
            ),
            ("anthropic", "claude-opus-4-1-20250805", 0.015, 0.075, true),
            ("anthropic", "claude-opus-4-20250514", 0.015, 0.075, true),
            ("anthropic", "claude-sonnet-5", 0.002, 0.01, true),
            ("anthropic", "claude-sonnet-4-6", 0.003, 0.015, true),
            (
                "anthropic",
                "claude-3-5-sonnet-20241022",
                0.003,
                0.015,
                true,
            ),
            ("anthropic", "claude-fable-5-1", 0.01, 0.05, true),
            ("anthropic", "claude-fable-6", 0.033, 0.198, false),
        ] {
            let pricing = table.pricing(provider, model, day("2026-11-29"));
            let near = |one: f64, other: f64| (one - other).abs() < 1e-9;
            assert!(
                near(pricing.price.input_per_1k, input)
                    && near(pricing.price.output_per_1k, output)
                    && pricing.is_known == is_known,
                "{provider} {model}: {pricing:?}"
            );
        }
    }

    #[test]
    fn own_prices_come_first_and_count_from_their_day_on() {
        let mut table = PriceTable::default();
        let price = |input_per_1k| Price {
            input_per_1k,
            output_per_1k: 1.0,
        };
        table.add("gpt-4o*", price(1.0), None).expect("a pattern");
        table
            .add("gpt-4o*", price(2.0), Some(day("2026-12-01")))
            .expect("a pattern");
        let input = |today: &str| {
            table
                .pricing("openai", "gpt-4o-mini", day(today))
                .price
                .input_per_1k
        };
        assert!((input("2026-11-30") - 1.0).abs() < 1e-9);
        assert!((input("2026-12-01") - 2.0).abs() < 1e-9);
    }

    #[test]
    fn a_long_question_is_dearer_where_the_provider_says_so() {
        let pricing =
            PriceTable::default().pricing("anthropic", "claude-haiku-5-5", day("2026-11-29"));
        assert_eq!(pricing.of(100_000, 0).to_string(), "$0.01");
        assert_eq!(pricing.of(200_000, 0).to_string(), "$0.10");
    }

    #[test]
    fn a_retired_model_has_a_successor_in_the_same_profile() {
        let found = retired(
            "bedrock",
            "us.anthropic.claude-3-5-haiku-20241022-v1:0",
            day("2026-11-29"),
        );
        let (retired_model, successor) = found.expect("it is retired");
        assert_eq!(
            (retired_model.on, successor.as_str()),
            ("2026-06-19", "us.anthropic.claude-haiku-5-5")
        );
        assert_eq!(
            retired(
                "bedrock",
                "us.anthropic.claude-3-5-haiku-20241022-v1:0",
                day("2026-06-18")
            ),
            None
        );
        assert_eq!(retired("openai", "gpt-4o", day("2026-11-29")), None);
    }
}
