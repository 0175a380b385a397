//! One request to a receiver of spans, and what its answer means.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;

use super::Destination;
use crate::clients::http::{Answer, HttpClients, Trace, Visit};
use crate::clients::net::Network;
use crate::clients::tls::TlsConfigs;
use crate::clients::words::shortened;
use crate::model::{Failure, FailureKind};

/// How OTLP is called where its messages are protobuf.
const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");

/// An answer that is of any use is shorter.
const MOST_BYTES: usize = 64 * 1024;

/// By convention gRPC is spoken there.
const GRPC_PORT: u16 = 4317;

/// Nothing shorter is taken for a key.
const SHORTEST_KEY: usize = 6;

/// Why a receiver did not take spans: for people, without anything that it or a variable said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotTaken {
    /// What we tried, against what, and why it failed.
    pub(super) message: String,
    /// What to do next.
    pub(super) hint: String,
    /// Whether it may have taken them, and only had no time to say so.
    pub(super) is_late: bool,
}

/// What a receiver did with a batch that it took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// So many of the spans it threw away.
    pub(super) rejected: u64,
    /// Why, in its own words.
    pub(super) why: String,
}

impl Taken {
    /// What it threw away, as trouble; `None`: nothing.
    pub(super) fn trouble(&self, to: &Destination) -> Option<NotTaken> {
        let (url, service) = (&to.url, to.service);
        let why = if self.why.is_empty() {
            String::new()
        } else {
            format!(": {}", self.why)
        };
        (self.rejected > 0).then(|| NotTaken {
            message: format!("`{url}` threw away {} spans of a batch{why}", self.rejected),
            hint: format!("look at the log of the {service} there, and at what it limits"),
            is_late: false,
        })
    }
}

/// HTTP clients of one's own, over connections that no target is looked at by.
pub(super) fn http_clients() -> HttpClients {
    HttpClients::new(Network::new(), TlsConfigs::new())
}

/// Sends a batch, and says what the receiver did with it.
pub(super) async fn post(
    http: &HttpClients,
    to: &Destination,
    body: Vec<u8>,
    timeout: Duration,
) -> Result<Taken, NotTaken> {
    let mut headers = to.headers.clone();
    let authorization = headers.remove(header::AUTHORIZATION);
    headers.insert(header::CONTENT_TYPE, PROTOBUF);
    let body = Bytes::from(body);
    let visit = Visit {
        method: &Method::POST,
        url: &to.url,
        headers: &headers,
        authorization: authorization.as_ref(),
        body: Some(&body),
        tls: &to.tls,
        max_body_bytes: MOST_BYTES,
        keep_body: true,
        // Nobody else gets a key, or what we see.
        max_redirects: 0,
        connect_timeout: None,
        is_wanted: &|_: StatusCode| true,
    };
    let mut trace = Trace::new(to.url.clone());
    match http.visit(&visit, timeout, &mut trace).await {
        Ok(answer) if answer.status.is_success() => taken(to, &answer),
        Ok(answer) => Err(refused(to, answer.status)),
        Err(failure) => Err(not_heard(to, failure)),
    }
}

/// The standard wants protobuf for protobuf. There are those who answer in JSON, with nothing, or without saying what it is,
/// and have taken all the same; but a page for people is that of somebody else.
fn taken(to: &Destination, answer: &Answer) -> Result<Taken, NotTaken> {
    let kind = answer.headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let is = |word: &str| kind.eq_ignore_ascii_case(word);
    if answer.body.is_empty() {
        return Ok(Taken::default());
    }
    if is("text/html") || is("application/xhtml+xml") {
        let (url, status) = (&to.url, answer.status.as_u16());
        return Err(NotTaken {
            message: format!(
                "`{url}` answered {status} with a web page, which no receiver of traces does"
            ),
            hint: format!(
                "check {}: it may be that of a web interface, or a proxy with a login may stand before it",
                to.names.address
            ),
            is_late: false,
        });
    }
    let (rejected, why) = if is("application/json") {
        rejected_in_json(&answer.body)
    } else {
        rejected(&answer.body)
    };
    Ok(Taken {
        rejected,
        why: in_its_words(to, why),
    })
}

/// A receiver that takes a part says so in its answer; one that says nothing has taken all.
fn rejected(body: &[u8]) -> (u64, String) {
    let response = ExportTraceServiceResponse::decode(body);
    let partial = response.ok().and_then(|response| response.partial_success);
    partial.map_or((0, String::new()), |partial| {
        let count = u64::try_from(partial.rejected_spans).unwrap_or(0);
        (count, partial.error_message)
    })
}

/// The same in JSON, where whole numbers may be written as text.
fn rejected_in_json(body: &[u8]) -> (u64, String) {
    let whole: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let partial = &whole["partialSuccess"];
    let count = &partial["rejectedSpans"];
    let count = (count.as_u64()).or_else(|| count.as_str()?.parse().ok());
    let why = partial["errorMessage"].as_str().unwrap_or_default();
    (count.unwrap_or(0), why.to_owned())
}

/// It may repeat what it was sent, and that is a key.
fn in_its_words(to: &Destination, mut why: String) -> String {
    for value in to.headers.values().filter(|value| value.is_sensitive()) {
        let value = value.to_str().unwrap_or_default();
        for part in value.split_whitespace().chain([value]) {
            if part.len() >= SHORTEST_KEY {
                why = why.replace(part, "***");
            }
        }
    }
    shortened(&why)
}

/// Hints of the HTTP client are for targets, and name their keys.
fn not_heard(to: &Destination, failure: Failure) -> NotTaken {
    let Destination {
        url,
        names,
        service,
        ..
    } = to;
    let is_late = failure.kind == FailureKind::TimedOut;
    let hint = failure.hint.unwrap_or_default();
    let hint = if url.port() == GRPC_PORT {
        format!(
            "check {}: {GRPC_PORT} is the usual port for gRPC, which we do not speak; that for HTTP is usually 4318",
            names.address
        )
    } else if hint.is_empty() {
        format!("check {}", names.address)
    } else if hint.contains("`timeout_ms`") {
        format!(
            "look at what keeps the {service} there; `OTEL_EXPORTER_OTLP_TIMEOUT` says how long it may take for a batch"
        )
    } else {
        hint.replace("`tls.ca_file`", names.certificate)
            .replace("`url`", names.address)
    };
    NotTaken {
        message: failure.message,
        hint,
        is_late,
    }
}

/// Whether an address was given with what we put behind it ourselves.
fn is_completed_twice(to: &Destination) -> bool {
    let url = to.url.to_string();
    ["/v1/traces", "/api/public/otel", "/otel/v1"]
        .iter()
        .any(|part| url.matches(part).count() > 1)
}

fn refused(to: &Destination, status: StatusCode) -> NotTaken {
    let Destination {
        url,
        names,
        service,
        ..
    } = to;
    let (why, hint) = match status.as_u16() {
        401 => (
            "our key was not accepted",
            format!(
                "check {}, and that it is a key of the {service} at this address",
                names.key
            ),
        ),
        403 => (
            "our key is known there, but may not send traces",
            format!("check {}, and what that key may do", names.key),
        ),
        404 | 405 => (
            "there is no receiver of traces at that address",
            if is_completed_twice(to) {
                let whole = names.whole_address.map_or_else(String::new, |name| {
                    format!(", or put the whole of it into {name}")
                });
                format!(
                    "we have put the path behind the address, and it was there already: leave it out of {}{whole}",
                    names.base_address
                )
            } else {
                format!(
                    "check {}: OTLP over HTTP usually ends in `/v1/traces`",
                    names.address
                )
            },
        ),
        413 => (
            "a batch of spans was too large for it",
            "raise what it takes in one request".to_owned(),
        ),
        415 => (
            "it does not take protobuf",
            format!(
                "check {}: it must be a receiver of OTLP over HTTP",
                names.address
            ),
        ),
        429 => (
            "we send too much, or the quota is used up",
            "trace less (`OTEL_TRACES_SAMPLER`), or ask for a higher limit".to_owned(),
        ),
        300..=399 => (
            "it leads elsewhere, and we follow nobody with a key",
            format!("set {} to where it leads", names.address),
        ),
        500.. => (
            "it failed",
            format!("look at the log of the {service} there"),
        ),
        _ => ("it refused our spans", format!("check {}", names.address)),
    };
    NotTaken {
        message: format!("`{url}` answered {}: {why}", status.as_u16()),
        hint,
        is_late: false,
    }
}
