//! Questions over HTTP, and what their failures mean.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::Value;

use super::openai::Quirks;
use super::refusal::{Refusal, may_pass};
use super::{
    CONNECT_TIMEOUT, Endpoint, Family, FirstToken, Manner, Parsed, Question, Trouble, Wire,
    anthropic, form, ollama, openai, sse,
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
    /// How the same question may be answered yet.
    pub(super) otherwise: Otherwise,
    /// Whether the same server may answer the same question a little later.
    pub(super) again: Again,
}

/// How a question may be put to the same server so that it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Otherwise {
    /// In no way that we know.
    Not,
    /// For an answer in one piece: its parts cannot be read. It was made, and is paid for.
    InOnePiece,
    /// Without the form of the answer.
    WithoutForm,
    /// For a model that thinks as it likes.
    Thinking,
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
            otherwise: Otherwise::Not,
            again: Again::No,
        }
    }

    /// How to put the question once more, where that may help: reserved for anew.
    pub(super) fn after(&self, manner: Manner) -> Option<Manner> {
        match self.otherwise {
            Otherwise::Thinking if !manner.may_think => Some(Manner {
                may_think: true,
                ..manner
            }),
            Otherwise::InOnePiece if manner.in_parts => Some(Manner {
                in_parts: false,
                ..manner
            }),
            _ => None,
        }
    }

    pub(super) fn again(self, again: Again) -> Self {
        Self { again, ..self }
    }
}

type Asked = (Parsed, Duration, Option<Duration>);

/// Why there is no answer.
enum NoAnswer {
    /// It was refused, and whether that is all that was made of it.
    Refused(Refusal, bool),
    Failed(SendFailed),
}

pub(super) async fn ask(
    http: &HttpClients,
    endpoint: &Endpoint,
    question: &Question,
    manner: Manner,
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
            Wire::Anthropic => anthropic::body(endpoint, question, form, manner),
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
        let (refusal, is_free) = match read(endpoint, &url, &answer, &trace) {
            Ok(asked) => return Ok(asked),
            Err(NoAnswer::Failed(failed)) => return Err(failed),
            Err(NoAnswer::Refused(refusal, is_free)) => (refusal, is_free),
        };
        let failed = SendFailed {
            is_free,
            ..SendFailed::free(refusal.failure(endpoint, &url))
        };
        // It needs more room then, which is to be paid for.
        if body["thinking"].is_object() && refusal.is_about_thinking() {
            return Err(SendFailed {
                otherwise: Otherwise::Thinking,
                ..failed
            });
        }
        if is_free && rewordings_left > 0 {
            rewordings_left -= 1;
            let (status, words) = (refusal.status, &refusal.said);
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
        return Err(failed.again(after_refusal(&refusal, &answer)));
    }
}

/// What a refusal says about asking again.
fn after_refusal(refusal: &Refusal, answer: &Answer) -> Again {
    if !may_pass(refusal.status) {
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
        Some(status) if broke && may_pass(status.as_u16()) => Again::Soon,
        _ => Again::No,
    }
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
) -> Result<Asked, NoAnswer> {
    if !answer.status.is_success() {
        return Err(NoAnswer::Refused(Refusal::of(answer), true));
    }
    let unexpected = |message: String, hint: &str| {
        let failure = Failure::new(FailureKind::Unexpected, message).hint(hint);
        Err(NoAnswer::Failed(SendFailed::paid(failure)))
    };
    if answer.is_cut {
        return unexpected(
            format!("`{url}` answered with more than {MOST_BYTES} bytes"),
            "look at what answers there",
        );
    }
    let body = String::from_utf8_lossy(&answer.body);
    let parsed = match endpoint.wire {
        Wire::OpenAi | Wire::Azure => openai::parse(&body),
        Wire::Anthropic => anthropic::parse(&body),
        Wire::Ollama | Wire::Bedrock => ollama::parse(&body),
    };
    let Some(parsed) = parsed else {
        return unexpected(
            format!("`{url}` answered what is no answer of a model"),
            "check `provider` and `base_url`: another service may answer there",
        );
    };
    if let Some(Trouble {
        said,
        status: Some(status),
    }) = &parsed.error
    {
        let refusal = Refusal {
            status: *status,
            in_answer: true,
            said: said.clone(),
            ..Refusal::default()
        };
        return Err(NoAnswer::Refused(refusal, parsed.is_nothing()));
    }
    finished(&parsed, &format!("`{url}`")).map_err(NoAnswer::Failed)?;
    let first_token = match parsed.first_token {
        FirstToken::AtByte(byte) => trace.arrival_of(byte),
        FirstToken::After(time) => Some(time),
        FirstToken::Unknown => None,
    };
    Ok((parsed, trace.elapsed(), first_token))
}

/// An answer that broke off, or that the provider itself gave up, is none.
pub(super) fn finished(parsed: &Parsed, whom: &str) -> Result<(), SendFailed> {
    let (kind, why, hint) = match &parsed.error {
        Some(trouble) => {
            let message = format!(
                "{whom} failed in the middle of its answer: {}",
                shortened(&trouble.said)
            );
            if trouble.status == Some(429) {
                let hint = "look less often (`every`), or ask for a higher limit";
                (FailureKind::Throttled, message, hint)
            } else {
                let hint =
                    "look at the provider's status page; it is asked again in the next round";
                (FailureKind::Unexpected, message, hint)
            }
        }
        None if !parsed.complete => (
            FailureKind::Unexpected,
            format!("the answer of {whom} broke off"),
            "look at what stands between: a proxy may end streams early",
        ),
        None => return Ok(()),
    };
    let status = parsed.error.as_ref().and_then(|trouble| trouble.status);
    let again = match status {
        Some(status) if may_pass(status) => Again::Soon,
        _ => Again::No,
    };
    Err(SendFailed::paid(Failure::new(kind, why).hint(hint)).again(again))
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
