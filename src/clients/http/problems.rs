//! What went wrong, in words, and whose trouble it is.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rustix::io::Errno;
use rustls::{AlertDescription, CertificateError, Error as TlsError};

use super::certificate::Certificate;
use super::dns;
use super::tls::Rejected;
use super::trace::{Phase, Trace};
use super::url::HttpUrl;
use crate::model::{Failure, FailureKind};

/// Our own inability, if that is what an error of the system tells. `what` begins the message.
pub(super) fn ours_by_errno(error: &io::Error, what: &str) -> Option<Failure> {
    let (why, hint) = match Errno::from_io_error(error)? {
        Errno::MFILE => (
            "this process has too many open files",
            "raise `LimitNOFILE` of the service (`ulimit -n`), or lower the number of looks at once",
        ),
        Errno::NFILE => (
            "this machine has too many open files",
            "raise `fs.file-max`, or find who holds so many",
        ),
        Errno::NOBUFS | Errno::NOMEM => (
            "this machine has no memory left for connections",
            "look at its memory and at `net.ipv4.tcp_mem`",
        ),
        Errno::ADDRNOTAVAIL | Errno::ADDRINUSE => (
            "this machine has no free local port or no address of that family",
            "look at `net.ipv4.ip_local_port_range`, and whether the address belongs to this machine",
        ),
        Errno::ACCESS | Errno::PERM => (
            "this machine does not let us",
            "look at its firewall, and at what the service is allowed (`RestrictAddressFamilies`)",
        ),
        Errno::AFNOSUPPORT => (
            "this machine does not speak that family of addresses",
            "turn IPv6 on, or watch the target by its IPv4 address",
        ),
        _ => return None,
    };
    Some(Failure::ours(format!("{what}: {why}")).hint(hint))
}

pub(super) fn connect_failed(address: SocketAddr, error: &io::Error) -> Failure {
    let what = format!("cannot connect to `{address}`");
    if let Some(failure) = ours_by_errno(error, &what) {
        return failure;
    }
    let failed =
        |kind, why: &str, hint: &str| Failure::new(kind, format!("{what}: {why}")).hint(hint);
    match error.kind() {
        io::ErrorKind::ConnectionRefused => failed(
            FailureKind::Unreachable,
            "connection refused",
            "nothing listens on that port: check that the service runs and the port is right",
        ),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => failed(
            FailureKind::Unreachable,
            "connection reset",
            "the service, or a firewall before it, ended the connection: look at its log",
        ),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => failed(
            FailureKind::Unreachable,
            "no route to it",
            "check that the machine is up and the route to it: `ip route get` with the address",
        ),
        io::ErrorKind::TimedOut => failed(
            FailureKind::TimedOut,
            "no answer to the connection attempt",
            "check that the machine is up, and that no firewall drops our packets",
        ),
        _ => failed(
            FailureKind::Unreachable,
            &error.to_string(),
            "check that the service runs and can be reached from this machine",
        ),
    }
}

/// Why a handshake failed. Also gives the certificate, if it was refused.
pub(super) fn handshake_failed(url: &HttpUrl, error: &io::Error) -> (Failure, Option<Certificate>) {
    let place = url.authority();
    match find::<TlsError>(error) {
        Some(TlsError::InvalidCertificate(reason)) => certificate_refused(url, reason),
        Some(error) => (tls_failed(&place, error), None),
        None => {
            let what = format!("the TLS handshake with `{place}` failed");
            let failure = match error.kind() {
                io::ErrorKind::UnexpectedEof => Failure::new(
                    FailureKind::Unexpected,
                    format!("`{place}` closed the connection during the TLS handshake"),
                )
                .hint("check that the port speaks TLS, and look at the server's log"),
                _ => broken_off(error, &what),
            };
            (failure, None)
        }
    }
}

/// A connection that broke while it was in use.
fn broken_off(error: &io::Error, what: &str) -> Failure {
    if let Some(failure) = ours_by_errno(error, what) {
        return failure;
    }
    let why = match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "connection reset".to_owned(),
        io::ErrorKind::TimedOut => "the connection broke".to_owned(),
        _ => error.to_string(),
    };
    Failure::new(FailureKind::Unreachable, format!("{what}: {why}"))
        .hint("the service, or a firewall before it, ended the connection: look at its log")
}

fn tls_failed(place: &str, error: &TlsError) -> Failure {
    let unexpected =
        |message: String, hint: &str| Failure::new(FailureKind::Unexpected, message).hint(hint);
    match error {
        TlsError::InvalidMessage(_) | TlsError::PeerSentOversizedRecord => unexpected(
            format!("`{place}` does not speak TLS on this port"),
            "write `http://` if that is meant, or check the port",
        ),
        TlsError::PeerIncompatible(_)
        | TlsError::NoApplicationProtocol
        | TlsError::AlertReceived(
            AlertDescription::HandshakeFailure
            | AlertDescription::ProtocolVersion
            | AlertDescription::InsufficientSecurity
            | AlertDescription::NoApplicationProtocol,
        ) => unexpected(
            format!("`{place}` and we have no TLS version or cipher in common"),
            "we speak TLS 1.2 and 1.3: look at the server's protocols and ciphers (`openssl s_client`)",
        ),
        TlsError::AlertReceived(AlertDescription::CertificateRequired) => Failure::new(
            FailureKind::Denied,
            format!("`{place}` wants a client certificate"),
        )
        .hint("watch an address that needs none: client certificates cannot be set here"),
        TlsError::AlertReceived(AlertDescription::UnrecognisedName) => unexpected(
            format!("`{place}` has no site of that name"),
            "check the host in `url` and the server's names",
        ),
        TlsError::AlertReceived(alert) => unexpected(
            format!("`{place}` ended the TLS handshake with `{alert:?}`"),
            "look at the server's log",
        ),
        error => unexpected(
            format!("the TLS handshake with `{place}` failed: {error}"),
            "look at the server's TLS set-up (`openssl s_client`)",
        ),
    }
}

fn certificate_refused(url: &HttpUrl, error: &CertificateError) -> (Failure, Option<Certificate>) {
    let rejected = match error {
        CertificateError::Other(other) => other.0.downcast_ref::<Rejected>(),
        _ => None,
    };
    let reason = rejected.map_or(error, |rejected| &rejected.reason);
    let certificate = rejected.and_then(|rejected| Certificate::read(&rejected.certificate));
    let place = url.authority();
    let told = |why: String, hint: &str| {
        let message = format!("the certificate of `{place}` {why}");
        Failure::new(FailureKind::Unexpected, message).hint(hint)
    };
    let failure = match (reason, &certificate) {
        (CertificateError::Expired | CertificateError::ExpiredContext { .. }, Some(seen)) => told(
            format!("expired on {}", seen.not_after.format("%Y-%m-%d %H:%M UTC")),
            "renew it, and look why the renewal did not happen by itself",
        ),
        (
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
            Some(seen),
        ) => told(
            format!(
                "is not valid before {}",
                seen.not_before.format("%Y-%m-%d %H:%M UTC")
            ),
            "check the clock of this machine, and when the certificate was made",
        ),
        (
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            Some(seen),
        ) => told(
            format!("is for another name: it is for {}", seen.names_in_words()),
            "check the host in `url`, or have a certificate made for that name",
        ),
        (CertificateError::Revoked, _) => told("was revoked".to_owned(), "have a new one made"),
        (CertificateError::BadSignature, _) => told(
            "has a wrong signature".to_owned(),
            "somebody may stand between us and the server: compare the certificate with the one you made",
        ),
        (_, Some(seen)) if seen.is_self_signed() => told(
            "is self-signed".to_owned(),
            "set `tls.ca_file` to it if that is meant, or have it signed by an authority that is trusted",
        ),
        (CertificateError::UnknownIssuer, Some(seen)) => told(
            format!(
                "was signed by an authority that is not trusted: `{}`",
                seen.issuer
            ),
            "set `tls.ca_file` to the authority's certificate, or check that the server sends the whole chain",
        ),
        (reason, _) => told(
            format!("is not valid: {reason}"),
            "look at it: `openssl s_client -connect` with the host and port",
        ),
    };
    (failure, certificate)
}

/// Why an exchange over an open connection failed. `body`: how much of it had come, and its length if it was told.
pub(super) fn exchange_failed(
    url: &HttpUrl,
    error: &(dyn Error + 'static),
    body: Option<(usize, Option<u64>)>,
) -> Failure {
    let unexpected =
        |message: String, hint: &str| Failure::new(FailureKind::Unexpected, message).hint(hint);
    if let Some(error) = find::<TlsError>(error) {
        return tls_failed(&url.authority(), error);
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
            return dns::mute(&host.unwrap_or_default(), servers, timeout);
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

/// The first error of a type among an error and its causes, also inside `io::Error`s, which hide theirs.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            let hidden = error
                .downcast_ref::<io::Error>()
                .and_then(io::Error::get_ref);
            // An `io::Error` that only wraps another says nothing of its own.
            let deeper = hidden.and_then(|inner| find::<E>(inner));
            return deeper.or(Some(found));
        }
        next = match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Status;

    #[test]
    fn the_system_says_whose_trouble_it_is() {
        let address = SocketAddr::from(([192, 0, 2, 1], 443));
        for (errno, status, words) in [
            (Errno::MFILE, Status::Unknown, "too many open files"),
            (Errno::NFILE, Status::Unknown, "too many open files"),
            (Errno::NOBUFS, Status::Unknown, "no memory left"),
            (Errno::NOMEM, Status::Unknown, "no memory left"),
            (Errno::ADDRNOTAVAIL, Status::Unknown, "no free local port"),
            (Errno::ACCESS, Status::Unknown, "does not let us"),
            (Errno::PERM, Status::Unknown, "does not let us"),
            (Errno::CONNREFUSED, Status::Red, "connection refused"),
            (Errno::CONNRESET, Status::Red, "connection reset"),
            (Errno::HOSTUNREACH, Status::Red, "no route to it"),
            (Errno::NETUNREACH, Status::Red, "no route to it"),
            (
                Errno::TIMEDOUT,
                Status::Red,
                "no answer to the connection attempt",
            ),
        ] {
            let error = io::Error::from_raw_os_error(errno.raw_os_error());
            let failure = connect_failed(address, &error);
            assert_eq!(failure.status(), status, "{failure}");
            assert!(
                failure
                    .message
                    .starts_with("cannot connect to `192.0.2.1:443`: ")
            );
            assert!(
                failure.message.contains(words) && failure.hint.is_some(),
                "{failure}"
            );
        }
    }
}
