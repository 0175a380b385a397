//! Questions to providers that cost nothing: what they offer, and whether a key is good.

use std::time::Duration;

use serde_json::Value;

use super::openai;
use super::refusal::Refusal;
use super::send::get;
use super::{Endpoint, KeyCheck, provider};
use crate::clients::http::{HttpClients, HttpUrl};
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
        return Err(Refusal::of(&answer).failure(endpoint, &url));
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
    let body = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
    let refusal = if answer.status.is_success() {
        match openai::trouble(&body["error"]) {
            None if proves(check, &body) => None,
            None => return Err(no_proof(url)),
            Some(trouble) => Some(Refusal {
                status: trouble.status.ok_or_else(|| no_proof(url))?,
                in_answer: true,
                said: trouble.said,
                ..Refusal::default()
            }),
        }
    } else {
        Some(Refusal::of(&answer))
    };
    if let Some(refusal) = refusal.as_ref().filter(|refusal| !refusal.is_about_key()) {
        return Err(says_nothing(refusal, url));
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
    let dollars = body["data"]["limit_remaining"]
        .as_f64()
        .filter(|left| *left >= 0.0);
    Ok(KeyAnswer {
        is_valid: refusal.is_none(),
        status: refusal.map_or(answer.status.as_u16(), |refusal| refusal.status),
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

/// Whether an answer is one that only a good key gets. Of providers that we know that is a list of models, or what OpenRouter
/// tells of the key; of others, whose address somebody wrote down for this, any object.
fn proves(check: &KeyCheck, body: &Value) -> bool {
    let is_list = names(body).is_some();
    if provider(&check.provider).is_some() {
        return is_list || body["data"].is_object();
    }
    is_list || body.as_object().is_some_and(|object| !object.is_empty())
}

/// It answers, and breaks its contract: that is its own trouble, and no word about the key.
fn no_proof(url: &HttpUrl) -> Failure {
    let message = format!("`{url}` answered what says nothing about a key");
    Failure::new(FailureKind::Unexpected, message)
        .hint("check `test_url`, which a list of models is expected from, and what stands between, such as a proxy")
}

/// A refusal that is not about the key: whether it is good is not known.
fn says_nothing(refusal: &Refusal, url: &HttpUrl) -> Failure {
    let answered = refusal.answered();
    let (kind, more, hint) = match refusal.status {
        _ if refusal.is_about_credit() => (
            FailureKind::Denied,
            ": the account has no credit left",
            "top up the account",
        ),
        403 => (
            FailureKind::Denied,
            " with a page, and no word of the service",
            "look at what stands between, such as a firewall or a proxy",
        ),
        429 => (FailureKind::Throttled, "", "look less often (`every`)"),
        500.. => (
            FailureKind::Unexpected,
            "",
            "look at the provider's status page",
        ),
        _ => (
            FailureKind::Unexpected,
            "",
            "check `test_url`: it must answer for free whether a key is good",
        ),
    };
    Failure::new(kind, format!("`{url}` {answered}{more}")).hint(hint)
}
