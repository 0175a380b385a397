//! Slack, and what takes the same messages, through an incoming webhook
//! (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>).

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use schemars::JsonSchema;
use serde::de::{self, Deserialize, Deserializer};

use super::{Means, Message, Receipt, Reporter, ReporterSpec, Retry, SendError};
use crate::clients::http::{Answer, HttpClients, HttpUrl, Trace, Visit};
use crate::clients::tls::TlsSettings;
use crate::clients::words::shortened_to;
use crate::model::FailureKind;
use crate::problem::{SettingsProblem, Variables};
use crate::render::slack::slack;
use crate::secret::Secret;

/// Where the webhook is, where the settings do not say it.
const VARIABLE: &str = "SLACK_WEBHOOK_URL";

const WEBHOOK: &str = "the address of a webhook: `https://hooks.slack.com/services/…`";

const TIMEOUT: Duration = Duration::from_secs(15);

const MOST_BYTES: usize = 16 * 1024;

/// Where messages go.
#[derive(Debug, Clone, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The address of the webhook. Whoever has it can write there. Default: the variable `SLACK_WEBHOOK_URL`.
    pub webhook_url: Option<WebhookUrl>,
    /// How the server proves who it is.
    #[serde(default)]
    pub tls: TlsSettings,
}

/// An address whose path is a secret.
#[derive(Clone)]
pub struct WebhookUrl(HttpUrl);

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl<'de> Deserialize<'de> for WebhookUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Secret::deserialize(deserializer)?;
        Self::parse(text.expose()).ok_or_else(|| de::Error::custom(format!("expected {WEBHOOK}")))
    }
}

impl WebhookUrl {
    fn parse(text: &str) -> Option<Self> {
        HttpUrl::parse(text).ok().map(Self)
    }
}

impl JsonSchema for WebhookUrl {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "WebhookUrl".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Secret::json_schema(generator)
    }
}

/// Posts to a channel.
pub struct Slack {
    settings: Settings,
    http: HttpClients,
}

impl Reporter for Slack {
    const KIND: ReporterSpec = ReporterSpec {
        key: "slack",
        title: "Slack",
        how: "through an incoming webhook",
        sample: r#"
- kind: slack
  webhook_url: "${SLACK_WEBHOOK_URL:-https://hooks.slack.com/services/T000/B000/XXXX}"
"#,
        built: true,
        edits: false,
    };

    type Settings = Settings;

    fn complete(settings: &mut Settings, variable: Variables<'_>) {
        if settings.webhook_url.is_none() {
            settings.webhook_url = variable(VARIABLE).and_then(|text| WebhookUrl::parse(&text));
        }
    }

    fn check(settings: &Settings, variable: Variables<'_>) -> Vec<SettingsProblem> {
        if settings.webhook_url.is_some() {
            return Vec::new();
        }
        let is_set = variable(VARIABLE).is_some_and(|text| !text.is_empty());
        let message = if is_set {
            format!("the variable `{VARIABLE}` is not {WEBHOOK}")
        } else {
            "`webhook_url` is missing".to_owned()
        };
        let hint = format!("set `{VARIABLE}`, or add `webhook_url: …` to this entry");
        vec![SettingsProblem::error("webhook_url", message, hint)]
    }

    fn new(settings: Settings, means: &Means) -> Self {
        Self {
            settings,
            http: means.clients.http.clone(),
        }
    }

    fn endpoint(settings: &Settings) -> Option<(String, u16)> {
        settings.webhook_url.as_ref()?.0.outside_endpoint()
    }

    async fn send(&self, message: &Message) -> Result<Receipt, SendError> {
        let body = slack(&message.blocks, &message.title, message.tone).to_string();
        let body = Bytes::from(body);
        let json = HeaderValue::from_static("application/json");
        let headers: HeaderMap = [(header::CONTENT_TYPE, json)].into_iter().collect();
        let Some(WebhookUrl(url)) = &self.settings.webhook_url else {
            let error = SendError::permanent("nobody has said where the webhook is");
            return Err(error.hint(format!("set `{VARIABLE}`")));
        };
        let host = url.authority();
        let visit = Visit {
            method: &Method::POST,
            url,
            headers: &headers,
            authorization: None,
            body: Some(&body),
            tls: &self.settings.tls,
            max_body_bytes: MOST_BYTES,
            keep_body: true,
            max_redirects: 0,
            connect_timeout: None,
            is_wanted: &|_: StatusCode| true,
        };
        let mut trace = Trace::new(url.clone());
        match self.http.visit(&visit, TIMEOUT, &mut trace).await {
            Ok(answer) => judge(&host, &answer),
            Err(failure) => {
                // The path is the secret.
                let told = failure.message.replace(&url.to_string(), &host);
                let error = match failure.kind {
                    FailureKind::Denied => SendError::permanent(told),
                    _ => SendError::retryable(told),
                };
                Err(SendError {
                    hint: failure.hint,
                    ..error
                })
            }
        }
    }
}

/// What an answer means. Slack says why in a word
/// (<https://docs.slack.dev/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks>).
fn judge(host: &str, answer: &Answer) -> Result<Receipt, SendError> {
    let status = answer.status.as_u16();
    let word = shortened_to(&String::from_utf8_lossy(&answer.body), 60);
    if answer.status.is_success() {
        return Ok(Receipt::default());
    }
    let message = format!("`{host}` answered {status}: {word}");
    let hint = match word.as_str() {
        "channel_is_archived" | "channel_not_found" => {
            "the channel is gone: make a webhook for another"
        }
        "no_service" | "no_team" | "invalid_token" => "the webhook was revoked: make a new one",
        "action_prohibited" => "an administrator does not allow messages there",
        _ => "check `webhook_url`",
    };
    match status {
        408 | 429 | 500.. => {
            let not_before = answer.headers.get(header::RETRY_AFTER);
            let not_before = not_before.and_then(|value| value.to_str().ok()?.trim().parse().ok());
            Err(SendError {
                retry: Retry::Later {
                    not_before: not_before.map(Duration::from_secs),
                },
                ..SendError::permanent(message).hint("it is tried again later")
            })
        }
        _ => Err(SendError::permanent(message).hint(hint)),
    }
}
