//! Why a mail was not sent, in words, and whether another try is worth it. By codes (RFC 5321 §4.2, RFC 4954 §6), never by
//! what servers write behind them.

use std::io;
use std::time::Duration;

use lettre::transport::smtp::Error as SmtpError;
use rustls::Error as TlsError;

use super::session::{Outcome, Place};
use super::{Retry, SendError};
use crate::clients::net::blame::{broken_off, find};
use crate::clients::tls::Keys;
use crate::clients::tls::problems::handshake_failed;
use crate::clients::words::shortened;
use crate::model::Failure;

/// Where in the conversation we are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Step {
    #[default]
    Connect,
    Greeting,
    Starttls,
    Handshake,
    Login,
    Sender,
    Recipient,
    Data,
    Content,
}

impl Step {
    /// What the server refuses there.
    fn refused(self) -> &'static str {
        match self {
            Self::Connect | Self::Greeting => "to talk with us",
            Self::Starttls | Self::Handshake => "to go over to TLS",
            Self::Login => "the login",
            Self::Sender => "the sender, which is `from`",
            Self::Recipient => "a recipient",
            Self::Data | Self::Content => "the mail",
        }
    }

    /// What we wait for there.
    fn waiting(self) -> &'static str {
        match self {
            Self::Connect => "the connection",
            Self::Greeting => "its greeting",
            Self::Starttls => "its answer to STARTTLS",
            Self::Handshake => "the TLS handshake",
            Self::Login => "its answer to the login",
            Self::Sender => "its answer to the sender",
            Self::Recipient => "its answer to a recipient",
            Self::Data => "it to take the mail",
            Self::Content => "it to confirm the mail",
        }
    }
}

const LOGIN_HINT: &str = "check `username` and `password`: many providers want a password made for programs, and let only some \
                          accounts log in (docs/email.md)";

const LATER_HINT: &str =
    "it is tried again later; if it stays so, ask whoever runs the mail server";

/// What an error of the conversation means.
pub(super) fn failed(place: &Place<'_>, step: Step, error: &SmtpError) -> SendError {
    if let Some((code, words)) = answer(error) {
        let message = format!("`{place}` refused {}: {code} {words}", step.refused());
        return by_code(place, step, code, message);
    }
    if let Some(error) = find::<io::Error>(error) {
        let what = format!("waiting for {} of `{place}`", step.waiting());
        return retryable(broken_off(error, &what.replace(" of `", " from `")));
    }
    if error.is_response() {
        return not_understood(place, step, error);
    }
    let message = format!(
        "cannot send through `{place}`: {}",
        shortened(&error.to_string())
    );
    SendError::permanent(message).hint("look at the server's log at that time")
}

fn by_code(place: &Place<'_>, step: Step, code: u16, message: String) -> SendError {
    let permanent = |hint: &str| SendError::permanent(message.clone()).hint(hint);
    match (code, step) {
        (421, _) => SendError::retryable(message)
            .hint("it is too busy, closing down, or has had too many connections from here: it is tried again later"),
        (454, Step::Starttls) => SendError::retryable(message)
            .hint("its TLS does not work at the moment; we send nothing without it: look at its log"),
        (400..=499, Step::Login) => SendError::retryable(message)
            .hint("it cannot check logins at the moment: it is tried again later"),
        (400..=499, _) => SendError::retryable(message).hint(LATER_HINT),
        (530, _) if place.login.is_none() => {
            permanent("it takes mail only from those who log in: set `username` and `password`")
        }
        (530 | 534 | 535 | 538, _) | (_, Step::Login) => permanent(LOGIN_HINT),
        (_, Step::Greeting) => {
            permanent("it does not take mail from this machine: ask whoever runs it, or use another server")
        }
        (_, Step::Sender) => {
            permanent("set `from` to an address that this login may send from, of a domain that the server knows")
        }
        (552, _) => permanent("the mailbox is full, or the mail larger than the server takes"),
        (550 | 551 | 553, Step::Recipient) => permanent(RECIPIENT_HINT),
        (550 | 554, Step::Data | Step::Content) => {
            permanent("the server takes it for unwanted mail: have it trust this sender, and look at SPF and DKIM of the domain of `from`")
        }
        _ => permanent("look at the server's log at that time"),
    }
}

const RECIPIENT_HINT: &str = "check the addresses in `to`, and whether the server may send to them: many forward mail to other \
                              domains only after a login";

/// The code and the words of an answer, if it is one.
fn answer(error: &SmtpError) -> Option<(u16, String)> {
    let code = error.status()?;
    let words = std::error::Error::source(error).map_or_else(String::new, ToString::to_string);
    Some((code.into(), shortened(&words)))
}

/// Whether the server has only refused one recipient, and the conversation goes on.
pub(super) fn is_about_one(error: &SmtpError) -> bool {
    answer(error).is_some_and(|(code, _)| code != 421)
}

/// What is left to say of a mail that not everybody got. `before`: how many had it from an earlier try.
pub(super) fn refused(place: &Place<'_>, outcome: &Outcome, before: usize) -> Option<SendError> {
    let mut later = false;
    let mut hint = None;
    let mut said = Vec::new();
    for refusal in &outcome.refused {
        let (code, words) = answer(&refusal.error).unwrap_or_default();
        said.push(format!("`{}`: {code} {words}", refusal.address));
        let error = by_code(place, Step::Recipient, code, String::new());
        let is_later = error.retry != Retry::Never;
        // What can be mended by waiting is waited for; then what cannot is told of again.
        if hint.is_none() || (is_later && !later) {
            hint = error.hint;
        }
        later |= is_later;
    }
    let hint = hint?;
    let taken = outcome.taken.len() + before;
    let said = said.join("; ");
    let (message, hint) = match taken {
        0 => (format!("`{place}` refused every recipient: {said}"), hint),
        1.. if later => (
            format!(
                "`{place}` took the mail for {taken} of {} recipients, and refused {said}",
                taken + outcome.refused.len()
            ),
            "it is tried again later, for those alone who have not got it".to_owned(),
        ),
        1.. => (
            format!(
                "`{place}` took the mail for {taken} of {} recipients, and refused {said}",
                taken + outcome.refused.len()
            ),
            format!("the others have it. {RECIPIENT_HINT}"),
        ),
    };
    let error = if later {
        SendError::retryable(message)
    } else {
        SendError::permanent(message)
    };
    Some(error.hint(hint))
}

/// The server did not answer in SMTP, or went away.
fn not_understood(place: &Place<'_>, step: Step, error: &SmtpError) -> SendError {
    let said = std::error::Error::source(error).map_or_else(String::new, ToString::to_string);
    if said.contains("incomplete") {
        let message = format!(
            "`{place}` closed the connection when we waited for {}",
            step.waiting()
        );
        return SendError::retryable(message).hint("look at the server's log at that time");
    }
    let message = format!(
        "`{place}` does not speak SMTP: when we waited for {} something else came",
        step.waiting()
    );
    let hint = "check `host` and `port`: 587 is usual for `tls: starttls`, 465 for `tls: implicit`";
    SendError::permanent(message).hint(hint)
}

/// There was no end within the time that a mail has.
pub(super) fn timed_out(place: &Place<'_>, step: Step, timeout: Duration) -> SendError {
    let message = format!(
        "`{place}` did not take the mail within {} s: we waited for {}",
        timeout.as_secs(),
        step.waiting()
    );
    SendError::retryable(message).hint(match step {
        Step::Connect => "check that the server is up, and that no firewall drops our packets: many networks close port 25",
        Step::Greeting => "a server that wants TLS from the start says nothing until then: on port 465 set `tls: implicit`",
        Step::Handshake => "check that the port speaks TLS: `openssl s_client -connect` with the host and port",
        Step::Content => "it may have been taken all the same; the next try has the same Message-ID, so that mail programs show one",
        _ => "look at the server's log at that time",
    })
}

/// There is no connection.
pub(super) fn unreachable(failure: Failure) -> SendError {
    retryable(failure)
}

fn retryable(failure: Failure) -> SendError {
    SendError {
        hint: failure.hint,
        ..SendError::retryable(failure.message)
    }
}

fn permanent(failure: Failure) -> SendError {
    SendError {
        hint: failure.hint,
        ..SendError::permanent(failure.message)
    }
}

/// There is nothing to check certificates with.
pub(super) fn no_trust(failure: Failure) -> SendError {
    permanent(failure)
}

/// No certificate can be for such a host.
pub(super) fn no_name(place: &Place<'_>) -> SendError {
    let message = format!("no certificate can be for `{}`", place.host);
    SendError::permanent(message).hint("check `host`")
}

/// A handshake that failed. What both ends were set up to do fails again; a connection that broke may not.
pub(super) fn handshake(place: &Place<'_>, keys: &Keys, error: &io::Error) -> SendError {
    let (failure, _) = handshake_failed(&place.to_string(), keys, error);
    match find::<TlsError>(error) {
        Some(
            TlsError::InvalidCertificate(_)
            | TlsError::InvalidMessage(_)
            | TlsError::PeerSentOversizedRecord
            | TlsError::PeerIncompatible(_),
        ) => permanent(failure),
        _ => retryable(failure),
    }
}

/// The server does not offer TLS, and we do not go on without.
pub(super) fn no_tls_offered(place: &Place<'_>) -> SendError {
    let message = format!("`{place}` does not offer STARTTLS, and without it nothing is sent");
    SendError::permanent(message).hint(
        "turn TLS on at the server, or use `tls: implicit` where it has that, usually on port 465; if it offered it before, somebody may \
         stand between us and it",
    )
}

/// The server offers no way to log in that we know.
pub(super) fn no_login_offered(place: &Place<'_>) -> SendError {
    let message = format!("`{place}` offers no login by a password (PLAIN or LOGIN)");
    SendError::permanent(message).hint(
        "take `username` out if it takes mail from this machine without, or use the port for those who send, usually 587 or 465",
    )
}

/// An address has letters that the server does not take.
pub(super) fn ascii_only(place: &Place<'_>) -> SendError {
    let message = format!(
        "`{place}` takes no addresses with other letters than those of ASCII (it offers no SMTPUTF8)"
    );
    SendError::permanent(message).hint("use another address in `from` and `to`")
}
