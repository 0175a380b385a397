//! Questions to providers that cost nothing: what they offer, and whether a key is good.

use std::time::Duration;

use serde_json::Value;

use super::send::{get, refused, said};
use super::{Endpoint, KeyCheck};
use crate::clients::http::HttpClients;
use crate::model::{Failure, FailureKind};

/// What a provider says of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyAnswer {
    /// Whether it accepts the key.
    pub is_valid: bool,
    /// The HTTP status.
    pub status: u16,
    /// How many requests are left, where it says so.
    pub remaining_requests: Option<u64>,
    /// How many tokens are left, where it says so.
    pub remaining_tokens: Option<u64>,
    /// How many thousandths of a US dollar are left, where it says so.
    pub remaining_millidollars: Option<u64>,
}

pub(super) async fn offered(
    http: &HttpClients,
    endpoint: &Endpoint,
    timeout: Duration,
) -> Result<Vec<String>, Failure> {
    let Some(url) = endpoint.models_url() else {
        let message = format!(
            "`{}` has no list of its models that we may read",
            endpoint.provider
        );
        return Err(Failure::ours(message)
            .hint("leave `method: list` out: then the model is asked a question"));
    };
    let answer = get(http, &url, endpoint.headers(), &endpoint.tls, timeout).await?;
    if !answer.status.is_success() {
        return Err(refused(endpoint, &url, &answer, &said(&answer)));
    }
    let names = serde_json::from_slice::<Value>(&answer.body)
        .ok()
        .and_then(|value| names(&value));
    names.ok_or_else(|| {
        Failure::new(
            FailureKind::Unexpected,
            format!("`{url}` answered what is no list of models"),
        )
        .hint("check `provider` and `base_url`: another service may answer there")
    })
}

/// A list of models: `{"data": [{"id": …}]}`, `{"models": [{"name": …}]}`, or the bare list.
fn names(value: &Value) -> Option<Vec<String>> {
    let list = [&value["data"], &value["models"], value]
        .into_iter()
        .find_map(|place| place.as_array())?;
    let name = |one: &Value| {
        one["id"]
            .as_str()
            .or(one["name"].as_str())
            .or(one.as_str())
            .map(str::to_owned)
    };
    // Google puts `models/` before each.
    let names = list.iter().filter_map(name).map(|name| {
        name.strip_prefix("models/")
            .map_or(name.clone(), str::to_owned)
    });
    Some(names.collect())
}

pub(super) async fn check_key(
    http: &HttpClients,
    check: &KeyCheck,
    timeout: Duration,
) -> Result<KeyAnswer, Failure> {
    let url = &check.url;
    let answer = get(http, url, check.headers(), &check.tls, timeout).await?;
    let status = answer.status.as_u16();
    let said = said(&answer).to_lowercase();
    // Google says it with 400.
    let is_refused = matches!(status, 401 | 403) || status == 400 && said.contains("api key");
    if !is_refused && !answer.status.is_success() {
        let (kind, hint) = match status {
            429 => (FailureKind::Throttled, "look less often (`every`)"),
            500.. => (
                FailureKind::Unexpected,
                "look at the provider's status page",
            ),
            _ => (
                FailureKind::Unexpected,
                "check `test_url`: it must answer for free whether a key is good",
            ),
        };
        return Err(Failure::new(kind, format!("`{url}` answered {status}")).hint(hint));
    }
    let number = |names: &[&str]| {
        names.iter().find_map(|name| {
            answer
                .headers
                .get(*name)?
                .to_str()
                .ok()?
                .trim()
                .parse::<u64>()
                .ok()
        })
    };
    let body = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
    let dollars = body["data"]["limit_remaining"]
        .as_f64()
        .filter(|left| *left >= 0.0);
    Ok(KeyAnswer {
        is_valid: !is_refused,
        status,
        remaining_requests: number(&[
            "x-ratelimit-remaining-requests",
            "anthropic-ratelimit-requests-remaining",
            "x-ratelimit-remaining",
        ]),
        remaining_tokens: number(&[
            "x-ratelimit-remaining-tokens",
            "anthropic-ratelimit-tokens-remaining",
        ]),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an amount of money"
        )]
        remaining_millidollars: dollars.map(|dollars| (dollars * 1_000.0) as u64),
    })
}
