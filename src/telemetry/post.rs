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

/// How OTLP is called where its messages are protobuf.
const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");

/// An answer that is of any use is shorter.
const MOST_BYTES: usize = 64 * 1024;

/// Why a receiver did not take spans: for people, without anything that it or a variable said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotTaken {
    /// What we tried, against what, and why it failed.
    pub(super) message: String,
    /// What to do next.
    pub(super) hint: String,
}

/// HTTP clients of one's own, over connections that no target is looked at by.
pub(super) fn http_clients() -> HttpClients {
    HttpClients::new(Network::new(), TlsConfigs::new())
}

/// Sends a batch, and says how many of its spans the receiver threw away.
pub(super) async fn post(
    http: &HttpClients,
    to: &Destination,
    body: Vec<u8>,
    timeout: Duration,
) -> Result<u64, NotTaken> {
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
        Ok(answer) if answer.status.is_success() => Ok(thrown_away(&answer)),
        Ok(answer) => Err(refused(to, answer.status)),
        Err(failure) => Err(NotTaken {
            message: failure.message,
            hint: (failure.hint).unwrap_or_else(|| format!("check {}", to.names.address)),
        }),
    }
}

/// A receiver that takes a part says so in its answer; one that says nothing has taken all.
fn thrown_away(answer: &Answer) -> u64 {
    let response = ExportTraceServiceResponse::decode(answer.body.as_slice());
    let partial = response.ok().and_then(|response| response.partial_success);
    partial.map_or(0, |partial| {
        u64::try_from(partial.rejected_spans).unwrap_or(0)
    })
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
            format!(
                "check {}: OTLP over HTTP usually ends in `/v1/traces`",
                names.address
            ),
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
    }
}
