//! What went wrong with a session, in words, and whose trouble it is.

use std::time::Duration;

use russh::{AlgorithmKind, ChannelOpenFailure, Error};

use super::handler::Noted;
use super::host_keys::{Judgement, describe};
use super::place::Place;
use super::wire::{End, Seen};
use crate::clients::net::blame;
use crate::clients::words::shortened_to;
use crate::model::{Failure, FailureKind};

/// How much of what a server says is shown.
const MOST_SHOWN: usize = 120;

/// The steps to a session, for messages about a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Connect,
    Greeting,
    KeyExchange,
    Login,
    Channel,
    Command,
}

/// A step had no answer in time.
pub(super) fn no_answer(step: Step, place: &str, timeout: Duration) -> Failure {
    let within = format!("within {} ms", timeout.as_millis());
    let (message, hint) = match step {
        Step::Connect => (
            format!("`{place}` did not accept a connection {within}"),
            "check that the machine is up, and that no firewall drops our packets",
        ),
        Step::Greeting => (
            format!("no SSH greeting from `{place}` {within}, although it accepted the connection"),
            "sshd may be overloaded, or something else listens on that port: `ssh -v` shows the same",
        ),
        Step::KeyExchange => (
            format!("`{place}` did not finish the key exchange {within}"),
            "the machine may be overloaded, or its network loses large packets: compare with `ssh -v`",
        ),
        Step::Login => (
            format!("`{place}` did not answer our login {within}"),
            "sshd may wait for a directory service or for reverse DNS (`UseDNS`): look at its log",
        ),
        Step::Channel => (
            format!("`{place}` did not open a channel {within}, although we are logged in"),
            "the machine may be overloaded or its disk stuck: log in and look at it",
        ),
        Step::Command => (
            format!(
                "the command on `{place}` did not end within the {} ms that were left for it",
                timeout.as_millis()
            ),
            "the machine may be overloaded or one of its disks stuck: log in and look at it",
        ),
    };
    Failure::new(FailureKind::TimedOut, message).hint(hint)
}

/// No session came of a connection.
pub(super) fn handshake_failed(place: &str, error: &Error, seen: &Seen) -> Failure {
    if let Some(failure) = greeting_failed(place, seen) {
        return failure;
    }
    let unexpected = |why: String, hint: &str| {
        Failure::new(FailureKind::Unexpected, format!("`{place}` {why}")).hint(hint)
    };
    match error {
        Error::NoCommonAlgo { kind, theirs, .. } => {
            let (kind, option) = match kind {
                AlgorithmKind::Kex => ("key exchange", "KexAlgorithms"),
                AlgorithmKind::Key => ("host key", "HostKeyAlgorithms"),
                AlgorithmKind::Cipher => ("cipher", "Ciphers"),
                AlgorithmKind::Compression => ("compression", "Compression"),
                AlgorithmKind::Mac => ("MAC", "MACs"),
            };
            unexpected(
                format!(
                    "and we have no {kind} algorithm in common: it offers only `{}`",
                    shown(&theirs.join(", "))
                ),
                &format!(
                    "update its sshd, or allow a modern algorithm there (`{option}` in `sshd_config`): what it offers \
                     is no longer safe"
                ),
            )
        }
        Error::WrongServerSig => unexpected(
            "showed a host key that it does not have".to_owned(),
            "somebody may stand between us and the server: find out who answers there before you log in",
        ),
        _ => match &seen.end {
            Some(end) => lost(
                end,
                &format!("the connection to `{place}` ended in the key exchange"),
            ),
            None => unexpected(
                format!("breaks the SSH protocol: {}", shown(&error.to_string())),
                "look at the log of its sshd, and compare with `ssh -v`",
            ),
        },
    }
}

/// The time was over before the key exchange was done.
pub(super) fn no_handshake(place: &str, seen: &Seen, timeout: Duration) -> Failure {
    // Half a line says nothing yet.
    if !seen.is_ssh && !seen.first.contains(&b'\n') && !seen.first.is_empty() {
        let mut failure = no_answer(Step::Greeting, place, timeout);
        let came = shown(&String::from_utf8_lossy(&seen.first));
        failure
            .message
            .push_str(&format!("; only `{came}` had come"));
        return failure;
    }
    match greeting_failed(place, seen) {
        Some(failure) => failure,
        None if seen.first.is_empty() => no_answer(Step::Greeting, place, timeout),
        None => no_answer(Step::KeyExchange, place, timeout),
    }
}

/// The server did not open a session.
pub(super) fn no_session(place: &str, why: &ChannelOpenFailure) -> Failure {
    let denied = |why: &str, hint: &str| {
        Failure::new(
            FailureKind::Denied,
            format!("`{place}` does not run commands for us: {why}"),
        )
        .hint(hint)
    };
    match why {
        ChannelOpenFailure::AdministrativelyProhibited => denied(
            "it is not allowed",
            "allow sessions for this user there (`MaxSessions`, `ForceCommand` in its `sshd_config`)",
        ),
        _ => denied(
            "it opens no session, or no further one, over this connection",
            "set `MaxSessions` in its `sshd_config` to 10, which is the default: 0 allows no commands at all, and \
             commands that hang there keep their places",
        ),
    }
}

/// A host in between did not connect us to the one behind it.
pub(super) fn no_way_on(jump: &str, place: &str, error: &Error) -> Failure {
    match error {
        Error::ChannelOpenFailure(ChannelOpenFailure::AdministrativelyProhibited) => Failure::new(
            FailureKind::Denied,
            format!("`{jump}` does not let us go on to `{place}`"),
        )
        .hint(
            "allow it there: `AllowTcpForwarding yes` and `PermitOpen` in its `sshd_config`, no `restrict` before our \
             key in `authorized_keys`",
        ),
        Error::ChannelOpenFailure(_) => Failure::new(
            FailureKind::Unreachable,
            format!("`{jump}` cannot connect to `{place}`"),
        )
        .hint("check that the server behind it is up: `nc -vz` with its name and port on the host in between"),
        _ => Failure::new(
            FailureKind::Unreachable,
            format!("the connection to `{jump}` was lost on the way to `{place}`"),
        )
        .hint("look at the log of its sshd, and whether the machine was restarted"),
    }
}

/// What came first was no SSH greeting (RFC 4253 §4.2).
fn greeting_failed(place: &str, seen: &Seen) -> Option<Failure> {
    let text = String::from_utf8_lossy(&seen.first);
    let lines: Vec<&str> = text.lines().collect();
    if seen.is_ssh {
        return None;
    }
    let unexpected =
        |message, hint: &str| Some(Failure::new(FailureKind::Unexpected, message).hint(hint));
    let first = lines.iter().find(|line| !line.trim().is_empty());
    let throttled = |why: &str, hint: &str| {
        let message = format!("`{place}` does not take us on: {why}");
        Some(Failure::new(FailureKind::Throttled, message).hint(hint))
    };
    match first {
        None => match &seen.end {
            Some(end) => {
                let what = format!("`{place}` closed the connection before it said anything");
                Some(match end {
                    End::Closed => Failure::new(FailureKind::Unreachable, what),
                    End::Broken(error) => blame::broken_off(error, &what),
                }
                .hint(
                    "sshd does so when too many log in at once (`MaxStartups`) or when it cannot start; a firewall or \
                     fail2ban may do it as well: look at its log",
                ))
            }
            None => None,
        },
        // What sshd says before it hangs up, in place of its greeting.
        Some(line) if line.contains("MaxStartups") => throttled(
            "too many logins are under way there (`MaxStartups`)",
            "raise `MaxStartups` in its `sshd_config`; if it is attacked, let it be reached from fewer places",
        ),
        Some(line) if line.contains("Not allowed at this time") => throttled(
            "our address is shut out for a while (`PerSourcePenalties`)",
            "look at its sshd's log for who failed to log in from here; `PerSourcePenaltyExemptList` spares an address",
        ),
        Some(line) if line.starts_with("SSH-1.") => unexpected(
            format!("`{place}` speaks only the old SSH 1: `{}`", shown(line)),
            "update its sshd",
        ),
        Some(line) => unexpected(
            format!(
                "`{place}` does not speak SSH: it greets with `{}`",
                shown(line)
            ),
            "check `port`: another service listens there",
        ),
    }
}

/// The host key was not accepted.
pub(super) fn host_key_refused(
    place: &Place,
    noted: &Noted,
    unread: &[String],
    accept_new: bool,
) -> Option<Failure> {
    let (key, judgement) = noted.host_key.as_ref()?;
    let shown_key = describe(key);
    let changed =
        |why: String, hint: String| Some(Failure::new(FailureKind::Unexpected, why).hint(hint));
    match judgement {
        Judgement::Known => None,
        Judgement::New if accept_new => None,
        Judgement::New => Some(never_seen(place, &shown_key, unread)),
        Judgement::Changed(recorded) => {
            let recorded: Vec<String> = (recorded.iter())
                .map(|(key, at)| format!("{key} at `{at}`"))
                .collect();
            changed(
                format!(
                    "the host key of `{place}` has changed: it shows {shown_key}, recorded is {}",
                    recorded.join(" and ")
                ),
                format!(
                    "somebody may stand between us and the server, so nothing was sent; if it was installed anew, \
                     compare the fingerprint there and run `roundsman trust --replace {place}`"
                ),
            )
        }
        Judgement::NotPinned(pinned) => changed(
            format!("the host key of `{place}` is not the pinned one: it shows {shown_key}, `host_key` is {pinned}"),
            "somebody may stand between us and the server, so nothing was sent; if it was installed anew, compare the \
             fingerprint there and change `host_key`"
                .to_owned(),
        ),
        Judgement::Revoked(at) => changed(
            format!("the host key of `{place}` is revoked: {shown_key}, by `{at}`"),
            "whoever has that key may pretend to be the server, so nothing was sent; give the server a new host key"
                .to_owned(),
        ),
        Judgement::BadCertificate(why) => changed(
            format!("the host certificate of `{place}` is not good: {why} ({shown_key})"),
            "have the server's host key signed anew, or confirm the key itself with `roundsman trust`".to_owned(),
        ),
    }
}

/// Nothing is recorded about the host. The hint is a command, so that reports can make one of many.
fn never_seen(place: &Place, shown_key: &str, unread: &[String]) -> Failure {
    let mut message = format!("the host key of `{place}` was never confirmed: {shown_key}");
    if !unread.is_empty() {
        message.push_str(&format!(" (cannot read {})", unread.join(", ")));
    }
    Failure::ours(message).hint(format!("roundsman trust {place}"))
}

/// A connection that was lost while it was in use.
pub(super) fn lost(end: &End, what: &str) -> Failure {
    match end {
        End::Broken(error) => blame::broken_off(error, what),
        End::Closed => Failure::new(
            FailureKind::Unreachable,
            format!("{what}: the server closed it"),
        )
        .hint("look at the log of its sshd, and whether the machine was restarted"),
    }
}

/// Text of a server, on one line and bounded.
pub(super) fn shown(text: &str) -> String {
    shortened_to(text, MOST_SHOWN)
}
