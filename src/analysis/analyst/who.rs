//! Who is asked: the models of a configuration, those that are still there, and what they cost.

use std::time::Duration;

use chrono::NaiveDate;

use super::NotExplained;
use crate::clients::llm::Endpoint;
use crate::model::{SelfAlert, UsDollars};
use crate::purse::{PriceTable, Pricing, retired};
use crate::secret::Redactor;

/// When a model is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum When {
    /// When something is not well.
    #[default]
    Problems,
    /// When something changed.
    Changes,
    /// With every report.
    Always,
    /// Never.
    Never,
}

/// Who is asked, and on which terms.
#[derive(Debug, Clone)]
pub struct Settings {
    /// When.
    pub when: When,
    /// The models, in the order in which they are asked: the next where one does not answer.
    pub endpoints: Vec<Endpoint>,
    /// The longest answer that is paid for, in tokens.
    pub max_tokens: u32,
    /// How long an answer is waited for.
    pub deadline: Duration,
    /// How often it is asked about one incident.
    pub calls_per_incident: u32,
    /// What is taken out of a question.
    pub secrets: Redactor,
    /// What models cost: the successor of a retired one is asked only where it is no dearer.
    pub prices: PriceTable,
}

impl Settings {
    /// What every report says of models that were retired.
    #[must_use]
    pub fn said_of_retired(&self, today: NaiveDate) -> Vec<SelfAlert> {
        let said = self.endpoints.iter().filter_map(|endpoint| {
            match in_place_of(endpoint, &self.prices, today) {
                InPlace::Itself => None,
                InPlace::Successor(_, message) | InPlace::Nothing(message) => Some(SelfAlert {
                    message,
                    hint: Some("set `llm.model`".to_owned()),
                }),
            }
        });
        said.collect()
    }
}

/// What a question has at most, in tokens.
const LONGEST_QUESTION: u64 = 5_000;

impl Settings {
    /// What may keep a model from being asked, or makes it dearer than somebody thinks: models that were retired, prices that
    /// nobody knows, a day's budget that no question fits into.
    #[must_use]
    pub fn doubts(&self, daily: UsDollars, today: NaiveDate) -> Vec<SelfAlert> {
        let alert = |message: String, hint: &str| SelfAlert {
            message,
            hint: Some(hint.to_owned()),
        };
        let mut doubts = self.said_of_retired(today);
        for endpoint in &self.endpoints {
            let price = no_price(endpoint, &self.prices, today);
            doubts.extend(price.map(|message| SelfAlert {
                message,
                hint: None,
            }));
            let known = || {
                self.prices
                    .pricing(&endpoint.provider, &endpoint.model, today)
            };
            let pricing = endpoint.price.map_or_else(known, Pricing::own);
            let worst = pricing.of(LONGEST_QUESTION, u64::from(self.max_tokens));
            if worst > daily {
                let model = &endpoint.model;
                doubts.push(alert(
                    format!(
                        "`{model}` is never asked: one answer may cost {worst}, and a whole day has {daily}"
                    ),
                    "raise `llm.daily_budget_usd`, or lower `llm.max_tokens`",
                ));
            }
        }
        doubts
    }
}

/// The models that are still there, or what takes their place where it is no dearer; and what is to be said of that.
pub(super) fn living(
    settings: &Settings,
    today: NaiveDate,
) -> Result<(Vec<Endpoint>, Option<String>), NotExplained> {
    let mut living = Vec::new();
    let mut said = Vec::new();
    let mut gone = None;
    for endpoint in &settings.endpoints {
        if let Some(variable) = endpoint.missing_key() {
            let provider = &endpoint.provider;
            gone = gone.or_else(|| {
                Some(format!(
                    "the language model was not asked: there is no key for `{provider}`: set `{variable}`, or `llm.api_key`"
                ))
            });
            continue;
        }
        match in_place_of(endpoint, &settings.prices, today) {
            InPlace::Itself => living.push(endpoint.clone()),
            InPlace::Successor(successor, note) => {
                said.push(note);
                living.push(*successor);
            }
            InPlace::Nothing(why) => gone = gone.or(Some(why)),
        }
    }
    match gone {
        Some(why) if living.is_empty() => Err(NotExplained::Nobody(why)),
        _ => Ok((living, (!said.is_empty()).then(|| said.join("; ")))),
    }
}

/// That a price is a guess.
pub(super) fn no_price(
    endpoint: &Endpoint,
    prices: &PriceTable,
    today: NaiveDate,
) -> Option<String> {
    let pricing = prices.pricing(&endpoint.provider, &endpoint.model, today);
    (endpoint.price.is_none() && !pricing.is_known).then(|| {
        format!(
            "what `{}` costs is not known, so that the dearest known price counts: set `llm.price`",
            endpoint.model
        )
    })
}

/// Who is asked in place of a model that may be retired.
#[derive(Debug)]
enum InPlace {
    Itself,
    /// Its listed successor, and what is to be said of that.
    Successor(Box<Endpoint>, String),
    /// Nobody, and why.
    Nothing(String),
}

fn in_place_of(endpoint: &Endpoint, prices: &PriceTable, today: NaiveDate) -> InPlace {
    let Some((gone, successor)) = retired(&endpoint.provider, &endpoint.model, today) else {
        return InPlace::Itself;
    };
    let price = |model: &str| {
        prices
            .pricing(&endpoint.provider, model, today)
            .of(1_000, 1_000)
    };
    let (before, after) = (price(&endpoint.model), price(&successor));
    let model = &endpoint.model;
    if after > before {
        return InPlace::Nothing(format!(
            "the language model `{model}` was retired on {}, and its successor `{successor}` is dearer ({after} in place of {before} \
             for 1,000 tokens in and out)",
            gone.on
        ));
    }
    let note = format!(
        "the language model `{model}` was retired on {}: `{successor}`, which is no dearer, is asked in its place",
        gone.on
    );
    let successor = Endpoint {
        model: successor,
        ..endpoint.clone()
    };
    InPlace::Successor(Box::new(successor), note)
}
