//! Why a TLS handshake failed, in words.

use std::io;

use rustls::{AlertDescription, CertificateError, Error as TlsError};

use super::certificate::Certificate;
use super::{Keys, Rejected};
use crate::clients::net::blame::{broken_off, find};
use crate::model::{Failure, FailureKind};

/// Why a handshake failed. Also gives the certificate, if it was refused.
/// `place`: the host and port, for people.
pub(crate) fn handshake_failed(
    place: &str,
    keys: &Keys,
    error: &io::Error,
) -> (Failure, Option<Certificate>) {
    match find::<TlsError>(error) {
        Some(TlsError::InvalidCertificate(reason)) => certificate_refused(place, keys, reason),
        Some(error) => (tls_failed(place, keys, error), None),
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

/// What the TLS library says of a connection that it gave up.
pub(crate) fn tls_failed(place: &str, keys: &Keys, error: &TlsError) -> Failure {
    let unexpected =
        |message: String, hint: &str| Failure::new(FailureKind::Unexpected, message).hint(hint);
    let Keys { host, without, .. } = keys;
    match error {
        TlsError::InvalidMessage(_) | TlsError::PeerSentOversizedRecord => unexpected(
            format!("`{place}` does not speak TLS on this port"),
            &format!("{without} if that is meant, or check the port"),
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
        .hint(keys.client.map_or_else(
            || {
                "watch an address that needs none: client certificates cannot be set here"
                    .to_owned()
            },
            |keys| format!("set {keys}, and check that the server trusts who signed it"),
        )),
        TlsError::AlertReceived(AlertDescription::UnrecognisedName) => unexpected(
            format!("`{place}` has no site of that name"),
            &format!("check the host in `{host}` and the server's names"),
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

fn certificate_refused(
    place: &str,
    keys: &Keys,
    error: &CertificateError,
) -> (Failure, Option<Certificate>) {
    let Keys { host, ca_file, .. } = keys;
    let rejected = match error {
        CertificateError::Other(other) => other.0.downcast_ref::<Rejected>(),
        _ => None,
    };
    let reason = rejected.map_or(error, |rejected| &rejected.reason);
    let certificate = rejected.and_then(|rejected| Certificate::read(&rejected.certificate));
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
            &format!("check the host in `{host}`, or have a certificate made for that name"),
        ),
        (CertificateError::Revoked, _) => told("was revoked".to_owned(), "have a new one made"),
        (CertificateError::BadSignature, _) => told(
            "has a wrong signature".to_owned(),
            "somebody may stand between us and the server: compare the certificate with the one you made",
        ),
        (_, Some(seen)) if seen.is_self_signed() => told(
            "is self-signed".to_owned(),
            &format!(
                "set `{ca_file}` to it if that is meant, or have it signed by an authority that is trusted"
            ),
        ),
        (CertificateError::UnknownIssuer, Some(seen)) => told(
            format!(
                "was signed by an authority that is not trusted: `{}`",
                seen.issuer
            ),
            &format!(
                "set `{ca_file}` to the authority's certificate, or check that the server sends the whole chain"
            ),
        ),
        (reason, _) => told(
            format!("is not valid: {reason}"),
            "look at it: `openssl s_client -connect` with the host and port",
        ),
    };
    (failure, certificate)
}
