//! What the error of a provider says, and what it means.

use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use super::{Endpoint, Wire};
use crate::clients::http::{Answer, HttpUrl};
use crate::clients::words::shortened;
use crate::model::{Failure, FailureKind};

/// How many mistakes of a question are named.
const MOST_DETAILS: usize = 5;

/// An error, with what is to be known of it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// As in HTTP, also where it stands in the answer.
    pub(super) status: u16,
    /// Whether it came with a good status: then the status stands in the answer.
    pub(super) in_answer: bool,
    /// Its message, wherever the provider puts it. May repeat the key.
    pub(super) said: String,
    /// Whether it is a page for people: who wrote it is hardly the service.
    pub(super) is_page: bool,
    /// Whether that is no message in a place where providers put theirs: it may be anything, such as our own request with all
    /// that is secret in it, and is understood but not shown.
    pub(super) is_foreign: bool,
    /// For how long we are to wait, in seconds.
    pub(super) retry_after_seconds: Option<u32>,
}

impl Refusal {
    pub(super) fn of(answer: &Answer) -> Self {
        let (said, form) = said(&answer.body);
        Self {
            status: answer.status.as_u16(),
            in_answer: false,
            said,
            is_page: form == SaidIn::Page,
            is_foreign: form != SaidIn::Message,
            retry_after_seconds: retry_after_seconds(&answer.headers),
        }
    }

    /// Whether the model cannot be told not to think.
    pub(super) fn is_about_thinking(&self) -> bool {
        matches!(self.status, 400 | 422) && self.said.to_lowercase().contains("thinking")
    }

    /// Whether the account has nothing left. Anthropic says it with 400.
    pub(super) fn is_about_credit(&self) -> bool {
        self.status == 402
            || self.status == 400
                && self
                    .said
                    .to_lowercase()
                    .contains("credit balance is too low")
    }

    /// Whether a key was refused. Google says it with 400; and a page comes from who stands before the service, and says
    /// nothing about a key.
    pub(super) fn is_about_key(&self) -> bool {
        let words = self.said.to_lowercase();
        self.status == 401
            || self.status == 403 && !self.is_page
            || self.status == 400 && words.contains("api key")
    }

    /// Whether the model is not there.
    fn is_about_model(&self, endpoint: &Endpoint) -> bool {
        let words = self.said.to_lowercase();
        let is_gone = words.contains("model")
            && [
                "not found",
                "does not exist",
                "not_found",
                "not exist",
                "no such",
                "unknown model",
                "invalid model",
                "decommissioned",
                "deprecated",
                "retired",
                "is not a valid",
            ]
            .iter()
            .any(|word| words.contains(word));
        // As Anthropic says it.
        let is_named = words.starts_with("model: ")
            || words.contains(&endpoint.model.to_lowercase())
            || endpoint.wire == Wire::Azure && words.contains("deployment");
        match self.status {
            404 => is_gone || is_named,
            400 => is_gone,
            _ => false,
        }
    }

    /// What it means, with the provider's own words where they hold no key.
    pub(super) fn failure(&self, endpoint: &Endpoint, url: &HttpUrl) -> Failure {
        let model = &endpoint.model;
        if self.is_about_model(endpoint) {
            let message = format!("`{url}` does not offer the model `{model}`");
            return Failure::new(FailureKind::Missing, message).hint("check the name");
        }
        let words = self.said.to_lowercase();
        let (kind, what, hint) = match self.status {
            _ if self.is_about_credit() => (
                FailureKind::Denied,
                self.with_words("the account has no credit left"),
                "top up the account",
            ),
            401 | 403 if self.is_page => (
                FailureKind::Denied,
                "that is a page, and no word of the service".to_owned(),
                "look at what stands between, such as a firewall or a proxy, and at `base_url`",
            ),
            // Their messages repeat a part of the key.
            _ if self.is_about_key() => (
                FailureKind::Denied,
                "our key was not accepted".to_owned(),
                "check the key, and that the account may use this model",
            ),
            429 => {
                let wait = self.retry_after_seconds;
                let wait = wait.map(|seconds| format!(", retry after {seconds} s"));
                let what = format!(
                    "we ask too often, or the quota is used up{}",
                    wait.unwrap_or_default()
                );
                (
                    FailureKind::Throttled,
                    self.with_words(&what),
                    "look less often (`every`), or ask for a higher limit",
                )
            }
            300..=399 => (
                FailureKind::Unexpected,
                "it leads elsewhere, and we follow nobody with a key".to_owned(),
                "set `base_url` to where it leads",
            ),
            404 if endpoint.wire == Wire::Azure => (
                FailureKind::Missing,
                "there is nothing at that address".to_owned(),
                "check `base_url`, which is `https://NAME.openai.azure.com`, and `api_version`",
            ),
            404 => (
                FailureKind::Missing,
                "there is nothing at that address".to_owned(),
                "check `base_url`",
            ),
            500.. => (
                FailureKind::Unexpected,
                self.with_words("it failed"),
                "look at the provider's status page; it is asked again in the next round",
            ),
            // Azure's way.
            _ if words.contains("content_filter")
                || words.contains("content management policy") =>
            {
                (
                    FailureKind::Unexpected,
                    self.with_words("a filter refused the question"),
                    "look at the filters of the provider, or ask another `question`",
                )
            }
            _ => (
                FailureKind::Unexpected,
                self.with_words("it refused the question"),
                "check `model_id` and `max_tokens`: not every model takes every question",
            ),
        };
        let answered = self.answered();
        Failure::new(kind, format!("`{url}` {answered}: {what}")).hint(hint)
    }

    /// `answered 429`
    pub(super) fn answered(&self) -> String {
        let status = self.status;
        if self.in_answer {
            format!("answered with an error {status}")
        } else {
            format!("answered {status}")
        }
    }

    fn with_words(&self, what: &str) -> String {
        if self.said.is_empty() || self.is_foreign {
            what.to_owned()
        } else {
            format!("{what}: {}", shortened(&self.said))
        }
    }
}

/// Whether who answered so may answer otherwise soon.
pub(super) fn may_pass(status: u16) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status >= 500
}

fn retry_after_seconds(headers: &HeaderMap) -> Option<u32> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok()
}

/// In what a refusal is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SaidIn {
    /// In a place where providers put their messages.
    Message,
    /// In a page for people.
    Page,
    /// Somewhere in the answer.
    Other,
}

/// What an error says, and in what.
fn said(body: &[u8]) -> (String, SaidIn) {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        let text = String::from_utf8_lossy(body);
        let text = text.trim_start_matches('\u{feff}').trim();
        return if text.starts_with('<') {
            (String::new(), SaidIn::Page)
        } else {
            (text.to_owned(), SaidIn::Other)
        };
    };
    // Google puts errors into a list.
    let value = value.get(0).unwrap_or(&value);
    match message_in(value) {
        Some(message) => (message, SaidIn::Message),
        None => (said_in(value), SaidIn::Other),
    }
}

/// The message of an error in JSON. Where it has no place that we know, all of it.
pub(super) fn said_in(value: &Value) -> String {
    message_in(value).unwrap_or_else(|| match value.as_object() {
        Some(object) if !object.is_empty() => value.to_string(),
        _ => String::new(),
    })
}

fn message_in(value: &Value) -> Option<String> {
    let error = &value["error"];
    let places = [
        &error["message"],
        error,
        &value["message"],
        &value["detail"],
    ];
    let text = places.iter().find_map(|place| place.as_str());
    let mut said = text.map(str::to_owned).unwrap_or_default();
    if said.is_empty() {
        // FastAPI, and whoever is built on it: a list of what is wrong, each with where it stands.
        let lists = [
            &value["detail"],
            &value["message"]["detail"],
            &error["detail"],
            &error["message"]["detail"],
        ];
        let list = lists.iter().find_map(|place| place.as_array());
        let details = list.into_iter().flatten().take(MOST_DETAILS).map(detail);
        said = details.collect::<Vec<_>>().join("; ");
    }
    // OpenRouter only says that who is behind it failed, and repeats that one's error.
    if let Some(raw) = error["metadata"]["raw"].as_str() {
        said = format!("{said}: {raw}");
    }
    // Some repeat the status here.
    let code = (error["code"].as_str()).filter(|code| code.parse::<u16>().is_err());
    match (said.is_empty(), code) {
        (true, Some(code)) => Some(code.to_owned()),
        (false, Some(code)) => Some(format!("{said} ({code})")),
        (false, None) => Some(said),
        (true, None) => None,
    }
}

/// `stream_options.include_usage: Extra inputs are not permitted`
fn detail(one: &Value) -> String {
    let message = one["msg"].as_str().or(one["message"].as_str());
    let message = message.map_or_else(|| one.to_string(), str::to_owned);
    let place = one["loc"].as_array().into_iter().flatten();
    let place = place.filter_map(|part| match part {
        Value::String(name) if name == "body" => None,
        Value::String(name) => Some(name.clone()),
        Value::Number(index) => Some(index.to_string()),
        _ => None,
    });
    let place = place.collect::<Vec<_>>().join(".");
    if place.is_empty() {
        message
    } else {
        format!("{place}: {message}")
    }
}

/// The status that an error in an answer names.
pub(super) fn status_in(error: &Value) -> Option<u16> {
    let code = &error["code"];
    let number = code.as_u64().or_else(|| code.as_str()?.parse().ok())?;
    u16::try_from(number)
        .ok()
        .filter(|status| (400..600).contains(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_read_wherever_they_stand() {
        for (body, words, page) in [
            (
                r#"{"error": {"message": "no", "code": "400"}}"#,
                "no",
                SaidIn::Message,
            ),
            (
                r#"[{"error": {"message": "no", "code": 400}}]"#,
                "no",
                SaidIn::Message,
            ),
            (
                r#"{"error": {"message": "no", "code": "gone"}}"#,
                "no (gone)",
                SaidIn::Message,
            ),
            (r#"{"error": "no"}"#, "no", SaidIn::Message),
            (r#"{"message": "no"}"#, "no", SaidIn::Message),
            (r#"{"detail": "Not Found"}"#, "Not Found", SaidIn::Message),
            (
                r#"{"object": "error", "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options", "include_usage"], "msg": "Extra inputs are not permitted", "input": true}]}}"#,
                "stream_options.include_usage: Extra inputs are not permitted",
                SaidIn::Message,
            ),
            (
                r#"{"detail": [{"loc": ["body", "messages", 0], "msg": "bad"}, {"msg": "worse"}, {"why": 1}]}"#,
                "messages.0: bad; worse; {\"why\":1}",
                SaidIn::Message,
            ),
            (
                r#"{"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": "no logprobs", "provider_name": "x"}}}"#,
                "Provider returned error: no logprobs",
                SaidIn::Message,
            ),
            (
                r#"{"reason": "too hot"}"#,
                r#"{"reason":"too hot"}"#,
                SaidIn::Other,
            ),
            (
                "Failed to read the body: unknown field `x`\n",
                "Failed to read the body: unknown field `x`",
                SaidIn::Other,
            ),
            ("\n<!DOCTYPE html><title>404</title>", "", SaidIn::Page),
            ("{}", "", SaidIn::Other),
            ("", "", SaidIn::Other),
        ] {
            assert_eq!(said(body.as_bytes()), (words.to_owned(), page), "{body}");
        }
    }

    #[test]
    fn a_status_in_an_answer_is_one_of_an_error() {
        for (code, status) in [
            (serde_json::json!(429), Some(429)),
            (serde_json::json!("502"), Some(502)),
            (serde_json::json!(200), None),
            (serde_json::json!(70_000), None),
            (serde_json::json!("rate_limit"), None),
            (Value::Null, None),
        ] {
            assert_eq!(
                status_in(&serde_json::json!({ "code": code })),
                status,
                "{code}"
            );
        }
    }
}
