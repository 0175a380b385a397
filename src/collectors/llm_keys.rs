//! Keys of model providers: is each there, and does its provider accept it. Free calls only.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Collector, RunContext, SettingsProblem, Variables};
use crate::clients::Clients;
use crate::clients::http::HttpUrl;
use crate::clients::llm::{KeyAnswer, KeyCheck, LlmClients, PROVIDERS, provider};
use crate::clients::tls::TlsSettings;
use crate::model::{
    Blame, Failure, FailureKind, KindSpec, MetricSpec, Reading, Rule, Target, Unit,
};
use crate::problem::{Severity, nearest};
use crate::secret::Secret;

/// Looks at keys of model providers.
pub struct LlmKeys {
    llm: LlmClients,
}

/// A provider's key.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Whose key: `together`, `openai`, `anthropic`, `openrouter`, `google`, `moonshot`; or any other name with `env` and
    /// `test_url`.
    pub provider: String,
    /// The variable that holds it. Default: the provider's own, such as `OPENAI_API_KEY`.
    pub env: Option<String>,
    /// Whether it must be there. Default false.
    #[serde(default)]
    pub required: bool,
    /// An `https://` address that answers for free whether a key is good. It is sent as a bearer token.
    pub test_url: Option<String>,
    /// How the server proves who it is.
    #[serde(default)]
    pub tls: TlsSettings,
    /// The key, from the variable.
    #[serde(skip)]
    #[schemars(skip)]
    key: Option<Secret>,
}

const SAMPLE: &str = r"
- provider: openai                       # the key: OPENAI_API_KEY
  required: true                         # RED where it is not set
- provider: anthropic                    # ANTHROPIC_API_KEY
- provider: google                       # GOOGLE_API_KEY, sent in a header
- provider: in-house
  env: LLM_GATEWAY_KEY
  test_url: https://llm.example.com/v1/models   # https only, and free
";

const PRESENT: &str = "key_present";
const VALID: &str = "key_valid";
const REQUESTS: &str = "remaining_requests";
const TOKENS: &str = "remaining_tokens";
const DOLLARS: &str = "remaining_usd";

const METRICS: &[MetricSpec] = &[
    MetricSpec::plain(PRESENT, Unit::Flag, "whether the variable is set"),
    MetricSpec {
        headline: Some("key valid:"),
        ..MetricSpec::plain(
            VALID,
            Unit::Flag,
            "whether the provider accepts the key; absent where there is none",
        )
    },
    MetricSpec::plain(
        REQUESTS,
        Unit::Count,
        "requests that are left in the provider's window, where it says so",
    ),
    MetricSpec::plain(
        TOKENS,
        Unit::Count,
        "tokens that are left in the provider's window, where it says so",
    ),
    MetricSpec::plain(
        DOLLARS,
        Unit::UsDollars,
        "what is left of the key's own limit, where the provider says so",
    ),
];

impl Settings {
    /// That of a provider we know, with what the environment holds.
    #[must_use]
    pub fn of_provider(name: &str, variable: Variables<'_>) -> Self {
        let mut settings = Self {
            provider: name.to_owned(),
            env: None,
            required: false,
            test_url: None,
            tls: TlsSettings::default(),
            key: None,
        };
        LlmKeys::complete(&mut settings, variable);
        settings
    }

    /// The variable that holds the key.
    #[must_use]
    pub fn variable(&self) -> Option<&str> {
        let usual = || provider(&self.provider).and_then(|known| known.key_variable);
        self.env.as_deref().or_else(usual)
    }

    /// The question about the key; `None`: there is no key.
    #[must_use]
    pub fn key_check(&self) -> Option<KeyCheck> {
        let usual = || provider(&self.provider).and_then(|known| known.test_url);
        Some(KeyCheck {
            provider: self.provider.clone(),
            url: HttpUrl::parse(self.test_url.as_deref().or_else(usual)?).ok()?,
            key: self.key.clone()?,
            tls: self.tls.clone(),
        })
    }
}

impl Collector for LlmKeys {
    const KIND: KindSpec = KindSpec {
        key: "llm_keys",
        title: "keys of model providers",
        how: "a free call over https, such as the list of models; the key is sent in a header and never shown",
        sample: SAMPLE,
        metrics: METRICS,
        default_timeout: Duration::from_secs(10),
        built: true,
    };

    type Settings = Settings;

    fn new(clients: &Clients) -> Self {
        Self {
            llm: clients.llm.clone(),
        }
    }

    fn complete(settings: &mut Settings, variable: Variables<'_>) {
        let value = settings.variable().and_then(variable);
        settings.key = value.filter(|key| !key.trim().is_empty()).map(Secret::new);
    }

    fn host(settings: &Settings) -> Option<String> {
        // Without a key nobody is asked.
        settings.key_check()?.url.outside_host()
    }

    fn default_name(settings: &Settings) -> String {
        settings.provider.clone()
    }

    fn rules(_: &Settings) -> Vec<Rule> {
        Vec::new()
    }

    fn check(settings: &Settings, _: Variables<'_>) -> Vec<SettingsProblem> {
        let error = |key, message: &str, hint: String| SettingsProblem {
            key,
            severity: Severity::Error,
            message: message.to_owned(),
            hint: Some(hint),
        };
        let mut problems = Vec::new();
        let known = provider(&settings.provider).filter(|known| known.test_url.is_some());
        if known.is_none() && (settings.env.is_none() || settings.test_url.is_none()) {
            let names = PROVIDERS
                .iter()
                .filter(|known| known.test_url.is_some())
                .map(|known| known.name);
            let near = nearest(&settings.provider, names.clone());
            let hint = near.map_or_else(
                || {
                    format!(
                        "known providers: {}; any other needs `env` and `test_url`",
                        names.collect::<Vec<_>>().join(", ")
                    )
                },
                |near| {
                    format!("did you mean `{near}`? Any other provider needs `env` and `test_url`")
                },
            );
            problems.push(error(
                "provider",
                "this provider is not known, and `env` or `test_url` is missing",
                hint,
            ));
        }
        if let Some(url) = &settings.test_url
            && !HttpUrl::parse(url).is_ok_and(|url| url.is_https())
        {
            problems.push(error(
                "test_url",
                "expected an address that begins with `https://`",
                "a key is never sent over a connection that anybody can read".to_owned(),
            ));
        }
        problems
    }

    async fn look(
        &self,
        _: &Target,
        settings: &Settings,
        run: &RunContext,
    ) -> Result<Reading, Failure> {
        let mut reading = Reading::default();
        let variable = settings.variable().unwrap_or_default();
        let Some(check) = settings.key_check() else {
            reading.flag(PRESENT, None, false);
            if settings.required {
                let message = format!(
                    "the variable `{variable}` is not set, and the key of `{}` is required",
                    settings.provider
                );
                return Err(Failure::new(FailureKind::Missing, message)
                    .hint("set it in `.env` or in the environment of the service")
                    .seen(reading));
            }
            reading.fact("key", format!("`{variable}` is not set"));
            return Ok(reading);
        };
        reading.flag(PRESENT, None, true);
        let answer = match self.llm.check_key(&check, run.timeout).await {
            Ok(answer) => answer,
            Err(failure) => return Err(failure.seen(reading)),
        };
        reading.flag(VALID, None, answer.is_valid);
        quotas(&mut reading, &answer);
        if !answer.is_valid {
            let message = format!(
                "`{}` refuses the key in `{variable}` (HTTP {})",
                settings.provider, answer.status
            );
            let mut failure = Failure::new(FailureKind::Denied, message)
                .hint("it may have expired or been revoked: make a new one with the provider");
            // It is the key that is watched.
            failure.blame = Blame::Target;
            return Err(failure.seen(reading));
        }
        Ok(reading)
    }
}

fn quotas(reading: &mut Reading, answer: &KeyAnswer) {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let number = |number: u64| number as f64;
    for (metric, left) in [
        (REQUESTS, answer.remaining_requests),
        (TOKENS, answer.remaining_tokens),
    ] {
        if let Some(left) = left {
            reading.number(metric, None, number(left), Unit::Count);
        }
    }
    if let Some(left) = answer.remaining_millidollars {
        reading.number(DOLLARS, None, number(left) / 1_000.0, Unit::UsDollars);
    }
}
