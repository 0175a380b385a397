//! Questions over HTTP, and what their failures mean.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::Value;

use super::openai::Quirks;
use super::{
    CONNECT_TIMEOUT, Endpoint, Family, FirstToken, Parsed, Question, Wire, anthropic, form, ollama,
    openai, sse,
};
use crate::clients::http::{Answer, HttpClients, HttpUrl, Trace, Visit};
use crate::clients::tls::TlsSettings;
use crate::clients::words::shortened;
use crate::model::{Failure, FailureKind};

/// No answer that we ask for is as large.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// How often a question is asked anew in other words, after a server refused one of its parameters.
const REWORDINGS: usize = 3;

/// The same for the form of its answer: a schema in two ways, any object, nothing.
const REWORDINGS_OF_FORM: usize = 3;

/// A call that failed.
#[derive(Debug)]
pub(super) struct SendFailed {
    pub(super) failure: Failure,
    /// Whether it surely cost nothing.
    pub(super) is_free: bool,
    /// Whether the answer came in parts that cannot be read: in one piece it may be.
    pub(super) in_unreadable_parts: bool,
    /// Whether the form of the answer was refused: without it the question may not be.
    pub(super) refuses_form: bool,
    /// Whether the same server may answer the same question a little later.
    pub(super) again: Again,
}

/// Whether to ask the same server again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// It will say the same.
    No,
    /// It may have recovered soon.
    Soon,
    /// It has said when.
    After(Duration),
}

impl SendFailed {
    pub(super) fn free(failure: Failure) -> Self {
        Self {
            is_free: true,
            ..Self::paid(failure)
        }
    }

    pub(super) fn paid(failure: Failure) -> Self {
        Self {
            failure,
            is_free: false,
            in_unreadable_parts: false,
            refuses_form: false,
            again: Again::No,
        }
    }

    pub(super) fn again(self, again: Again) -> Self {
        Self { again, ..self }
    }
}

type Asked = (Parsed, Duration, Option<Duration>);

pub(super) async fn ask(
    http: &HttpClients,
    endpoint: &Endpoint,
    question: &Question,
    timeout: Duration,
) -> Result<Asked, SendFailed> {
    let Some(url) = endpoint.chat_url() else {
        return Err(SendFailed::free(no_address(endpoint)));
    };
    let began = std::time::Instant::now();
    let mut quirks = Quirks::of(Family::of(&endpoint.model), question);
    let mut form = question.form.as_ref();
    let mut rewordings_left = REWORDINGS;
    if form.is_some() {
        rewordings_left += REWORDINGS_OF_FORM;
    }
    loop {
        let body = match endpoint.wire {
            Wire::OpenAi | Wire::Azure => openai::body(endpoint, question, quirks),
            Wire::Anthropic => anthropic::body(endpoint, question, form),
            Wire::Ollama | Wire::Bedrock => ollama::body(endpoint, question, form),
        };
        let left = timeout.saturating_sub(began.elapsed());
        let mut trace = Trace::new(url.clone());
        let asked = post(http, endpoint, &url, &body, left, &mut trace).await;
        let answer = asked.map_err(|failure| {
            // A question that was sent may be answered though nobody hears it.
            if trace.status.is_none() && !was_sent(&trace) {
                SendFailed::free(failure)
            } else {
                let again = after_broken(&trace, &failure);
                SendFailed::paid(failure).again(again)
            }
        })?;
        if !answer.status.is_success() {
            let said = said(&answer);
            let status = answer.status.as_u16();
            if rewordings_left > 0 {
                rewordings_left -= 1;
                let body = String::from_utf8_lossy(&answer.body);
                let words = match form {
                    // Some say it in a list of their own, where only the names are of interest.
                    Some(_) if said.is_empty() => &body,
                    _ => said.as_str(),
                };
                if matches!(endpoint.wire, Wire::OpenAi | Wire::Azure) {
                    if let Some(next) = quirks.after(status, words) {
                        quirks = next;
                        continue;
                    }
                } else if form.is_some() && form::is_refused(endpoint.wire, status, words) {
                    form = None;
                    continue;
                }
            }
            let failure = refused(endpoint, &url, &answer, &said);
            return Err(SendFailed::free(failure).again(after_status(&answer)));
        }
        return read(endpoint, &url, &answer, &trace);
    }
}

/// What a status says about asking again.
fn after_status(answer: &Answer) -> Again {
    if !may_pass(answer.status) {
        return Again::No;
    }
    wait_of(&answer.headers).map_or(Again::Soon, Again::After)
}

/// A connection that broke before an answer may hold the next time. One that is silent is not waited for twice.
fn after_broken(trace: &Trace, failure: &Failure) -> Again {
    let broke = matches!(
        failure.kind,
        FailureKind::Unreachable | FailureKind::Unexpected
    );
    match trace.status {
        None if broke => Again::Soon,
        Some(status) if broke && may_pass(status) => Again::Soon,
        _ => Again::No,
    }
}

fn may_pass(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

/// How long to wait, by the words of the server: in seconds or until a time, or in the milliseconds of some providers.
fn wait_of(headers: &HeaderMap) -> Option<Duration> {
    let value = |name: &str| Some(headers.get(name)?.to_str().ok()?.trim());
    let number = |text: &str| text.parse::<f64>().ok();
    if let Some(milliseconds) = value("retry-after-ms").and_then(number) {
        return Duration::try_from_secs_f64(milliseconds / 1_000.0).ok();
    }
    let text = value(header::RETRY_AFTER.as_str())?;
    if let Some(seconds) = number(text) {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    // By the clock of the server: ours may be wrong.
    let time = |text: &str| chrono::DateTime::parse_from_rfc2822(text).ok();
    let wait = time(text)? - time(value(header::DATE.as_str())?)?;
    wait.to_std().ok()
}

fn was_sent(trace: &Trace) -> bool {
    use crate::clients::http::Phase;
    matches!(trace.phase(), Some(Phase::FirstByte | Phase::Body))
}

fn no_address(endpoint: &Endpoint) -> Failure {
    Failure::ours(format!(
        "there is no address to ask `{}` at",
        endpoint.provider
    ))
    .hint("set `base_url`")
}

fn read(
    endpoint: &Endpoint,
    url: &HttpUrl,
    answer: &Answer,
    trace: &Trace,
) -> Result<Asked, SendFailed> {
    let unexpected = |message: String, hint: &str| {
        SendFailed::paid(Failure::new(FailureKind::Unexpected, message).hint(hint))
    };
    if answer.is_cut {
        return Err(unexpected(
            format!("`{url}` answered with more than {MOST_BYTES} bytes"),
            "look at what answers there",
        ));
    }
    let body = String::from_utf8_lossy(&answer.body);
    let parsed = match endpoint.wire {
        Wire::OpenAi | Wire::Azure => openai::parse(&body),
        Wire::Anthropic => anthropic::parse(&body),
        Wire::Ollama | Wire::Bedrock => ollama::parse(&body),
    };
    let Some(parsed) = parsed else {
        return Err(unexpected(
            format!("`{url}` answered what is no answer of a model"),
            "check `provider` and `base_url`: another service may answer there",
        ));
    };
    finished(&parsed, &format!("`{url}`"))?;
    let first_token = match parsed.first_token {
        FirstToken::AtByte(byte) => trace.arrival_of(byte),
        FirstToken::After(time) => Some(time),
        FirstToken::Unknown => None,
    };
    Ok((parsed, trace.elapsed(), first_token))
}

/// An answer that broke off, or that the provider itself gave up, is none.
pub(super) fn finished(parsed: &Parsed, whom: &str) -> Result<(), SendFailed> {
    let (why, hint) = match &parsed.error {
        Some(error) => (
            format!(
                "{whom} failed in the middle of its answer: {}",
                shortened(error)
            ),
            "look at the provider's status page; it is asked again in the next round",
        ),
        None if !parsed.complete => (
            format!("the answer of {whom} broke off"),
            "look at what stands between: a proxy may end streams early",
        ),
        None => return Ok(()),
    };
    Err(SendFailed::paid(
        Failure::new(FailureKind::Unexpected, why).hint(hint),
    ))
}

/// What a status means, with the provider's own words where they hold no key.
pub(super) fn refused(endpoint: &Endpoint, url: &HttpUrl, answer: &Answer, said: &str) -> Failure {
    let status = answer.status.as_u16();
    let words = said.to_lowercase();
    let no_model = words.contains("model")
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
    let model = &endpoint.model;
    if status == 404
        && (no_model || endpoint.wire == Wire::Azure || words.contains(&model.to_lowercase()))
        || status == 400 && no_model
    {
        return Failure::new(
            FailureKind::Missing,
            format!("`{url}` does not offer the model `{model}`"),
        )
        .hint("check the name");
    }
    let (kind, what, hint) = match status {
        // Their messages repeat a part of the key.
        401 | 403 => (
            FailureKind::Denied,
            "our key was not accepted".to_owned(),
            "check the key, and that the account may use this model",
        ),
        402 => (
            FailureKind::Denied,
            "the account has no credit left".to_owned(),
            "top up the account",
        ),
        429 => (
            FailureKind::Throttled,
            format!(
                "we ask too often, or the quota is used up{}",
                retry_after(answer)
            ),
            "look less often (`every`), or ask for a higher limit",
        ),
        300..=399 => (
            FailureKind::Unexpected,
            "it leads elsewhere, and we follow nobody with a key".to_owned(),
            "set `base_url` to where it leads",
        ),
        404 => (
            FailureKind::Missing,
            "there is nothing at that address".to_owned(),
            "check `base_url`",
        ),
        500.. => (
            FailureKind::Unexpected,
            with_words("it failed", said),
            "look at the provider's status page; it is asked again in the next round",
        ),
        _ => (
            FailureKind::Unexpected,
            with_words("it refused the question", said),
            "check `model_id` and `max_tokens`: not every model takes every question",
        ),
    };
    Failure::new(kind, format!("`{url}` answered {status}: {what}")).hint(hint)
}

fn with_words(what: &str, said: &str) -> String {
    if said.is_empty() {
        what.to_owned()
    } else {
        format!("{what}: {}", shortened(said))
    }
}

fn retry_after(answer: &Answer) -> String {
    let seconds = answer
        .headers
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse::<u32>().ok());
    seconds.map_or_else(String::new, |seconds| format!(", retry after {seconds} s"))
}

/// The message of an error, wherever the provider puts it.
pub(super) fn said(answer: &Answer) -> String {
    let Ok(value) = serde_json::from_slice::<Value>(&answer.body) else {
        return String::new();
    };
    // Google puts errors into a list.
    let value = value.get(0).unwrap_or(&value);
    let places = [
        &value["error"]["message"],
        &value["error"],
        &value["message"],
        &value["detail"],
    ];
    let text = places.iter().find_map(|place| place.as_str());
    // Some repeat the status here.
    let code = (value["error"]["code"].as_str()).filter(|code| code.parse::<u16>().is_err());
    let code = code.unwrap_or_default();
    match (text, code) {
        (Some(text), "") => text.to_owned(),
        (Some(text), code) => format!("{text} ({code})"),
        (None, code) => code.to_owned(),
    }
}

async fn post(
    http: &HttpClients,
    endpoint: &Endpoint,
    url: &HttpUrl,
    body: &Value,
    timeout: Duration,
    trace: &mut Trace,
) -> Result<Answer, Failure> {
    let mut headers: HeaderMap = endpoint.headers().into_iter().collect();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    let body = Bytes::from(body.to_string());
    let is_last = match endpoint.wire {
        Wire::OpenAi | Wire::Azure => openai::is_last,
        Wire::Anthropic => anthropic::is_last,
        Wire::Ollama | Wire::Bedrock => ollama::is_last,
    };
    let visit = Visit {
        method: &Method::POST,
        body: Some(&body),
        ..visit(url, &headers, &endpoint.tls)
    };
    // What has come to its end is an answer, also where the server keeps the connection open.
    let end = |body: &[u8], known: usize| sse::has_ended(body, known, is_last);
    http.visit_until(&visit, Some(&end), timeout, trace).await
}

pub(super) async fn get(
    http: &HttpClients,
    url: &HttpUrl,
    headers: Vec<(HeaderName, HeaderValue)>,
    tls: &TlsSettings,
    timeout: Duration,
) -> Result<Answer, Failure> {
    let headers: HeaderMap = headers.into_iter().collect();
    let mut trace = Trace::new(url.clone());
    http.visit(&visit(url, &headers, tls), timeout, &mut trace)
        .await
}

/// What all visits have in common.
fn visit<'a>(url: &'a HttpUrl, headers: &'a HeaderMap, tls: &'a TlsSettings) -> Visit<'a> {
    Visit {
        method: &Method::GET,
        url,
        headers,
        authorization: None,
        body: None,
        tls,
        max_body_bytes: MOST_BYTES,
        keep_body: true,
        // Nobody else gets a key, or a question.
        max_redirects: 0,
        connect_timeout: Some(CONNECT_TIMEOUT),
        is_wanted: &|_: StatusCode| true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_say_in_several_ways_how_long_to_wait() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        for (headers, expected_ms) in [
            (vec![], None),
            (vec![("retry-after", "7")], Some(7_000)),
            (vec![("retry-after", " 0.5 ")], Some(500)),
            (
                vec![("retry-after-ms", "250"), ("retry-after", "1")],
                Some(250),
            ),
            (
                vec![("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"), date],
                Some(30_000),
            ),
            (
                vec![("retry-after", "Sun, 06 Nov 1994 08:49:07 GMT"), date],
                None,
            ),
            (vec![("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")], None),
            (vec![("retry-after", "-1")], None),
            (vec![("retry-after", "NaN")], None),
            (vec![("retry-after", "1e999")], None),
            (vec![("retry-after", "soon")], None),
        ] {
            let all = headers.iter().map(|(name, value)| {
                let value = HeaderValue::from_static(value);
                (HeaderName::from_static(name), value)
            });
            let wait = wait_of(&all.collect());
            assert_eq!(wait, expected_ms.map(Duration::from_millis), "{headers:?}");
        }
    }
}
