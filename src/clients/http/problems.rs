//! What went wrong, in words, and whose trouble it is.

use std::error::Error;
use std::io;
use std::time::Duration;

use rustls::Error as TlsError;

use super::KEYS;
use super::trace::{Phase, Trace};
use super::url::HttpUrl;
use crate::clients::net::blame::{broken_off, chain, find};
use crate::clients::net::mute;
use crate::clients::tls::problems::tls_failed;
use crate::model::{Failure, FailureKind};

/// Why an exchange over an open connection failed. `body`: how much of it had come, and its length if it was told.
pub(super) fn exchange_failed(
    url: &HttpUrl,
    error: &(dyn Error + 'static),
    body: Option<(usize, Option<u64>)>,
) -> Failure {
    let unexpected =
        |message: String, hint: &str| Failure::new(FailureKind::Unexpected, message).hint(hint);
    if let Some(error) = find::<TlsError>(error) {
        return tls_failed(&url.authority(), &KEYS, error);
    }
    let system = find::<io::Error>(error);
    if let Some(error) = system
        && !is_plain_end(error)
    {
        return broken_off(error, &format!("the connection to `{url}` ended too early"));
    }
    if let Some((so_far, length)) = body {
        let of = length.map_or(String::new(), |length| format!(" of {length}"));
        return unexpected(
            format!("`{url}` cut its answer off after {so_far}{of} bytes of the body"),
            "look at the server's log, and at proxies between",
        );
    }
    let http = error.downcast_ref::<hyper::Error>();
    if http.is_some_and(hyper::Error::is_incomplete_message) || system.is_some() {
        return closed(url);
    }
    if http.is_some_and(hyper::Error::is_parse) {
        let (why, hint) = match error.to_string() {
            text if text.contains("too large") => (
                "with headers that are too large",
                "look at the headers and cookies that the server sets",
            ),
            _ => (
                "with something that is not HTTP",
                "check that the port is right, and write `https://` if it speaks TLS",
            ),
        };
        return unexpected(format!("`{url}` answered {why}"), hint);
    }
    unexpected(
        format!("`{url}` broke the HTTP protocol: {}", chain(error)),
        "look at the server's log, and at proxies between",
    )
}

/// The other side closed instead of answering.
pub(super) fn closed(url: &HttpUrl) -> Failure {
    let message = format!("`{url}` closed the connection without a complete answer");
    Failure::new(FailureKind::Unexpected, message)
        .hint("look at the server's log: it may have crashed on the request")
}

/// Whether the other side just closed: the HTTP/2 library calls that a broken pipe of its own making.
fn is_plain_end(error: &io::Error) -> bool {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => true,
        io::ErrorKind::BrokenPipe => error.raw_os_error().is_none(),
        _ => false,
    }
}

/// The deadline struck.
pub(super) fn timed_out(trace: &Trace, timeout: Duration, servers: &str) -> Failure {
    let within = format!("within {} ms", timeout.as_millis());
    let url = &trace.url;
    let (message, hint) = match trace.phase() {
        Some(Phase::Dns) => {
            let host = url.host().map(|host| host.to_string());
            return mute(&host.unwrap_or_default(), servers, timeout);
        }
        Some(Phase::Connect) => (
            format!("no connection to `{}` {within}", url.authority()),
            "check that the machine is up, and that no firewall drops our packets",
        ),
        Some(Phase::Tls) => (
            format!("no TLS handshake with `{}` {within}", url.authority()),
            "check that the port speaks TLS, and how loaded the server is",
        ),
        Some(Phase::Body) => (
            format!(
                "the body from `{url}` was not complete {within}; {} bytes had come",
                trace.body_bytes.unwrap_or_default()
            ),
            "raise `timeout_ms`, or watch an address with a shorter answer",
        ),
        Some(Phase::FirstByte) | None => (
            format!("no first byte from `{url}` {within}"),
            "look at how loaded the server is and at what it waits for, or raise `timeout_ms`",
        ),
    };
    Failure::new(FailureKind::TimedOut, message + &so_far(trace)).hint(hint)
}

/// `; connected in 2 ms, TLS in 5 ms, after 1 redirect`
fn so_far(trace: &Trace) -> String {
    let mut parts = Vec::new();
    for (phase, word) in [
        (Phase::Connect, "connected in"),
        (Phase::Tls, "TLS in"),
        (Phase::FirstByte, "first byte after"),
    ] {
        if trace.phase() != Some(phase)
            && let Some(spent) = trace.spent(phase)
        {
            parts.push(format!("{word} {} ms", spent.as_millis()));
        }
    }
    match trace.redirects {
        0 => {}
        1 => parts.push("after 1 redirect".to_owned()),
        more => parts.push(format!("after {more} redirects")),
    }
    if parts.is_empty() {
        String::new()
    } else {
        format!("; {}", parts.join(", "))
    }
}
