use schemars::JsonSchema;
use serde::Deserialize;

use super::super::{SettingsProblem, Variables};
use crate::clients::aws::{Account, AssumeRole};
use crate::clients::http::HttpUrl;
use crate::clients::llm::{Endpoint, Family, PROVIDERS, Wire, address, provider};
use crate::clients::tls::TlsSettings;
use crate::problem::Severity;
use crate::purse::Price;
use crate::secret::Secret;

/// A language model.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Who runs it: `bedrock`, `openai`, `azure`, `anthropic`, `openrouter`, `together`, `moonshot`, `google`, `ollama`; or
    /// any other name together with `base_url`, for whoever speaks `OpenAI`'s language.
    pub provider: String,
    /// The model, as the provider names it; on Azure the deployment.
    pub model_id: String,
    /// The region of Bedrock. Default: the variable `AWS_REGION`, then the profile's.
    pub region: Option<String>,
    /// The provider's address, where it is not the usual one.
    pub base_url: Option<String>,
    /// The key. Default: the provider's own variable, such as `OPENAI_API_KEY`.
    pub api_key: Option<Secret>,
    /// The version of Azure's interface.
    pub api_version: Option<String>,
    /// The longest answer that is paid for, thinking included. Default: what the model's family needs for a short answer.
    pub max_tokens: Option<u32>,
    /// What it costs, in US dollars for 1,000 tokens, where our price table does not know it or knows it wrongly.
    pub price: Option<PriceSettings>,
    /// `generate` (default): ask a question and check the answer. `list`: only ask, for free, whether it is offered.
    #[serde(default)]
    pub method: Method,
    /// Another question than ours, with one right answer.
    pub question: Option<String>,
    /// Its answer: it must be in what the model says.
    pub answer: Option<String>,
    /// How much of a conversation Ollama keeps, in tokens. Default: enough for the question.
    pub num_ctx: Option<u32>,
    /// A profile of the AWS configuration files, for Bedrock.
    pub profile: Option<String>,
    /// A role to take on, for Bedrock.
    pub assume_role: Option<AssumeRole>,
    /// How the server proves who it is.
    #[serde(default)]
    pub tls: TlsSettings,
}

/// How a model is looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// It is asked a question.
    #[default]
    Generate,
    /// Its provider is asked whether it offers it.
    List,
}

/// What a model costs, in US dollars for 1,000 tokens; 0 is free.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceSettings {
    /// Of the question.
    pub input_per_1k: f64,
    /// Of the answer.
    pub output_per_1k: f64,
}

impl From<PriceSettings> for Price {
    fn from(written: PriceSettings) -> Self {
        Self {
            input_per_1k: written.input_per_1k,
            output_per_1k: written.output_per_1k,
        }
    }
}

impl PriceSettings {
    /// What is wrong with it.
    #[must_use]
    pub fn problem(&self) -> Option<&'static str> {
        let is_price = |number: f64| number.is_finite() && (0.0..=1_000.0).contains(&number);
        let good = is_price(self.input_per_1k) && is_price(self.output_per_1k);
        (!good).then_some("expected prices from 0 to 1000 US dollars for 1,000 tokens")
    }
}

impl Settings {
    /// A model with nothing said but who it is.
    #[must_use]
    pub fn of_model(provider: &str, model_id: &str) -> Self {
        Self {
            provider: provider.to_owned(),
            model_id: model_id.to_owned(),
            region: None,
            base_url: None,
            api_key: None,
            api_version: None,
            max_tokens: None,
            price: None,
            method: Method::Generate,
            question: None,
            answer: None,
            num_ctx: None,
            profile: None,
            assume_role: None,
            tls: TlsSettings::default(),
        }
    }

    /// Fills in what the provider's variables say.
    pub fn complete(&mut self, variable: Variables<'_>) {
        let Some(provider) = provider(&self.provider) else {
            return;
        };
        if self.base_url.is_none() {
            self.base_url = provider
                .url_variable
                .and_then(variable)
                .filter(|url| !url.is_empty())
                .map(|url| match provider.wire {
                    Wire::Ollama => address::ollama_host(&url),
                    _ => with_scheme(url),
                });
        }
        if self.api_key.is_none() {
            let key = provider.key_variable.and_then(variable);
            self.api_key = key.filter(|key| !key.is_empty()).map(Secret::new);
        }
    }

    /// The model at its provider.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        let known = provider(&self.provider);
        let base_url = self
            .base_url
            .as_deref()
            .or(known.and_then(|known| known.base_url));
        Endpoint {
            provider: self.provider.clone(),
            wire: known.map_or(Wire::OpenAi, |known| known.wire),
            model: self.model_id.clone(),
            base_url: base_url.and_then(|url| HttpUrl::parse(url).ok()),
            key: self.api_key.clone(),
            api_version: self.api_version.clone(),
            account: Account {
                profile: self.profile.clone(),
                assume_role: self.assume_role.clone(),
                endpoint_url: known
                    .filter(|known| known.wire == Wire::Bedrock)
                    .and(self.base_url.clone()),
            },
            region: self.region.clone(),
            num_ctx: self.num_ctx,
            price: self.price.map(Price::from),
            tls: self.tls.clone(),
        }
    }

    /// The longest answer that is paid for.
    #[must_use]
    pub fn max_tokens(&self) -> u32 {
        let usual = || Family::of(&self.model_id).tokens_for_a_short_answer();
        self.max_tokens.unwrap_or_else(usual)
    }

    /// The same where the model turns out to think first.
    #[must_use]
    pub fn max_tokens_with_thinking(&self) -> u32 {
        self.max_tokens.unwrap_or(Family::TOKENS_WITH_THINKING)
    }

    /// What is wrong with it.
    #[must_use]
    pub fn check(&self) -> Vec<SettingsProblem> {
        let mut problems = Vec::new();
        let mut error = |key, message: &str, hint: &str| {
            problems.push(SettingsProblem {
                key,
                severity: Severity::Error,
                message: message.to_owned(),
                hint: Some(hint.to_owned()),
            });
        };
        let known = provider(&self.provider);
        let needs_address =
            known.is_none_or(|known| known.base_url.is_none() && known.wire != Wire::Bedrock);
        if self.base_url.is_none() && needs_address {
            if let Some(variable) = known.and_then(|known| known.url_variable) {
                let hint = format!("set `base_url`, or the variable `{variable}`");
                error("base_url", "the address is missing", &hint);
            } else {
                let names: Vec<&str> = PROVIDERS.iter().map(|known| known.name).collect();
                let near = crate::problem::nearest(&self.provider, names.iter().copied());
                let hint = near.map_or_else(
                    || {
                        format!(
                            "known providers: {}; any other needs `base_url`",
                            names.join(", ")
                        )
                    },
                    |near| format!("did you mean `{near}`? Any other provider needs `base_url`"),
                );
                let message = "this provider is not known, and there is no `base_url`";
                error("provider", message, &hint);
            }
        }
        let wire = known.map_or(Wire::OpenAi, |known| known.wire);
        match self.base_url.as_deref().map(HttpUrl::parse) {
            Some(Err(_)) => error(
                "base_url",
                "expected an address such as `https://host/v1`",
                "check it",
            ),
            Some(Ok(url)) => {
                if let Some((message, hint)) = address::problem(wire, &url) {
                    error("base_url", message, &hint);
                }
            }
            None => {}
        }
        if let Some(problem) = self.price.and_then(|price| price.problem()) {
            error(
                "price",
                problem,
                "write `price: {input_per_1k: 0.001, output_per_1k: 0.005}`",
            );
        }
        if self.question.is_some() != self.answer.is_some() {
            error(
                "question",
                "`question` and `answer` go together",
                "write both, or neither: then it is a sum of two numbers",
            );
        }
        if self.max_tokens == Some(0) {
            error(
                "max_tokens",
                "an answer needs at least one token",
                "leave it out: then it fits the model",
            );
        }
        problems
    }
}

/// Some write a host alone.
fn with_scheme(url: String) -> String {
    if url.contains("://") {
        url
    } else {
        format!("https://{url}")
    }
}
