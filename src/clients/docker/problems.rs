//! What went wrong with an engine, in words, and whose trouble it is.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use http::StatusCode;
use rustls::{AlertDescription, Error as TlsError};
use serde::Deserialize;

use super::{Answer, Deadline};
use crate::clients::net::blame::{broken_off, chain, find, ours_by_errno};
use crate::clients::tls::problems::tls_failed;
use crate::clients::tls::{Keys, Trust};
use crate::clients::words::shortened;
use crate::model::{Failure, FailureKind};

/// Where group names are.
const GROUPS: &str = "/etc/group";

/// Whether a connection is protected by TLS.
#[derive(Debug, Clone, Copy)]
pub enum Secured {
    /// It is not.
    No,
    /// It is.
    Yes {
        /// Whether we show a certificate of ours.
        known: bool,
        /// How the keys are called.
        keys: Keys,
    },
}

impl Secured {
    pub(super) fn of(trust: &Trust) -> Self {
        Self::Yes {
            known: trust.client.is_some(),
            keys: trust.keys,
        }
    }
}

fn failed(kind: FailureKind, message: String, hint: impl Into<String>) -> Failure {
    Failure::new(kind, message).hint(hint)
}

pub(super) fn no_connection(place: &str, deadline: Deadline) -> Failure {
    failed(
        FailureKind::TimedOut,
        format!(
            "no connection to `{place}` within {} ms",
            deadline.whole.as_millis()
        ),
        "check that the machine is up, and that no firewall drops our packets",
    )
}

pub(super) fn no_handshake(place: &str, deadline: Deadline) -> Failure {
    failed(
        FailureKind::TimedOut,
        format!(
            "no TLS handshake with `{place}` within {} ms",
            deadline.whole.as_millis()
        ),
        "check that the port speaks TLS, and how loaded the machine is",
    )
}

pub(super) fn no_answer(place: &str, path: &str, deadline: Deadline) -> Failure {
    failed(
        FailureKind::TimedOut,
        format!(
            "the engine at `{place}` accepted the connection, but did not answer `GET {}` within {} ms",
            without_query(path),
            deadline.whole.as_millis()
        ),
        "an engine that hangs looks like this: try `docker ps` there, look at its log (`journalctl -u docker`) and at \
         its disk, or raise `timeout_ms`",
    )
}

pub(super) fn bad_request(place: &str, path: &str) -> Failure {
    Failure::ours(format!("`{path}` cannot be asked of `{place}`"))
        .hint("this is a bug of ours: please report it")
}

/// Why a socket of this machine could not be connected to.
pub(super) fn socket_failed(path: &Path, error: &io::Error) -> Failure {
    let shown = path.display();
    let metadata = std::fs::metadata(path).ok();
    if let Some(other) = metadata
        .as_ref()
        .filter(|seen| !seen.file_type().is_socket())
    {
        let what = if other.is_dir() { "a folder" } else { "a file" };
        return Failure::ours(format!("`{shown}` is {what}, not a socket")).hint(
            "a container engine makes a folder where the file to mount is not there: start Docker first, then our \
             container anew; or correct `socket`",
        );
    }
    match error.kind() {
        io::ErrorKind::NotFound => failed(
            FailureKind::Unreachable,
            format!("there is no socket `{shown}`"),
            "is Docker installed and running (`systemctl status docker`)? In a container it must be mounted: `-v \
             /var/run/docker.sock:/var/run/docker.sock`. Podman's is `/run/podman/podman.sock`: set `socket`",
        ),
        io::ErrorKind::PermissionDenied => {
            let us = rustix::process::geteuid().as_raw();
            let groups = std::fs::read_to_string(GROUPS).unwrap_or_default();
            match metadata {
                Some(seen) => no_permission(&shown.to_string(), &Owner::of(&seen, &groups), us),
                None => failed(
                    FailureKind::Denied,
                    format!("`{shown}` lies in a folder that we (uid {us}) may not enter"),
                    "let our user into it, or run us as root",
                ),
            }
        }
        io::ErrorKind::ConnectionRefused => failed(
            FailureKind::Unreachable,
            format!("nothing listens on the socket `{shown}`"),
            "it was left behind by an engine that ended: `systemctl status docker`, `journalctl -u docker`",
        ),
        io::ErrorKind::WouldBlock => failed(
            FailureKind::Unreachable,
            format!("the socket `{shown}` takes no more connections: too many wait already"),
            "an engine that hangs looks like this: look at its log (`journalctl -u docker`)",
        ),
        _ => {
            let what = format!("cannot connect to `{shown}`");
            ours_by_errno(error, &what).unwrap_or_else(|| broken_off(error, &what))
        }
    }
}

/// Who may use a socket.
struct Owner {
    user: u32,
    group: u32,
    /// The group's name, where this machine knows it.
    group_name: Option<String>,
    mode: u32,
}

impl Owner {
    fn of(seen: &std::fs::Metadata, groups: &str) -> Self {
        let named = groups.lines().find_map(|line| {
            let mut fields = line.split(':');
            let (name, _, number) = (fields.next()?, fields.next()?, fields.next()?);
            (number.parse() == Ok(seen.gid())).then(|| name.to_owned())
        });
        Self {
            user: seen.uid(),
            group: seen.gid(),
            group_name: named,
            mode: seen.mode() & 0o777,
        }
    }
}

fn no_permission(shown: &str, owner: &Owner, us: u32) -> Failure {
    let Owner {
        user, group, mode, ..
    } = owner;
    let named = owner.group_name.as_ref();
    let group_in_words = named.map_or_else(
        || format!("gid {group}"),
        |name| format!("group `{name}`, gid {group}"),
    );
    let message = format!(
        "we (uid {us}) may not use `{shown}`: it belongs to uid {user} and {group_in_words}, mode {mode:o}"
    );
    let hint = if mode & 0o020 == 0 || *group == 0 {
        "run us as that user; or better, put a proxy before the socket that lets reading through only".to_owned()
    } else {
        let name = named.map_or_else(|| format!("of gid {group}"), |name| format!("`{name}`"));
        format!(
            "add our user to the group {name} and start us again; in a container: `--group-add {group}`. That is as \
             much as root: a proxy before the socket that lets reading through only is safer"
        )
    };
    failed(FailureKind::Denied, message, hint)
}

/// What the other end means that ends TLS because of our certificate, or because we have none.
pub(super) fn refused_by_alert(
    place: &str,
    secured: Secured,
    error: &(dyn std::error::Error + 'static),
) -> Option<Failure> {
    let Secured::Yes { known, keys } = secured else {
        return None;
    };
    let TlsError::AlertReceived(alert) = find::<TlsError>(error)? else {
        return None;
    };
    match alert {
        AlertDescription::CertificateRequired
        | AlertDescription::BadCertificate
        | AlertDescription::UnknownCA
        | AlertDescription::CertificateUnknown
        | AlertDescription::CertificateExpired
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::AccessDenied => {}
        _ => return None,
    }
    let client = keys.client.unwrap_or("our certificate");
    Some(if known {
        failed(
            FailureKind::Denied,
            format!("`{place}` does not accept our certificate (`{alert:?}`)"),
            format!(
                "check {client}: it must be signed by the authority in the engine's `--tlscacert`, and not be over"
            ),
        )
    } else {
        failed(
            FailureKind::Denied,
            format!("`{place}` wants a client certificate"),
            format!("set {client}, signed by the authority in the engine's `--tlscacert`"),
        )
    })
}

/// Why an exchange over an open connection failed.
pub(super) fn exchange_failed(
    place: &str,
    secured: Secured,
    path: &str,
    error: &hyper::Error,
) -> Failure {
    if let Some(failure) = refused_by_alert(place, secured, error) {
        return failure;
    }
    if let (Some(error), Secured::Yes { keys, .. }) = (find::<TlsError>(error), secured) {
        return tls_failed(place, &keys, error);
    }
    let unexpected = |message: String, hint: &str| failed(FailureKind::Unexpected, message, hint);
    let asked = without_query(path);
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return unexpected(
            format!("`{place}` closed the connection before it answered `GET {asked}`"),
            "look at the engine's log (`journalctl -u docker`), and at what stands before it",
        );
    }
    if error.is_parse() {
        return unexpected(
            format!("what listens at `{place}` does not answer in HTTP"),
            "that is no Docker engine, or the port speaks TLS: check the port, and `tls`",
        );
    }
    match find::<io::Error>(error) {
        Some(error) => broken_off(error, &format!("the connection to `{place}` broke")),
        None => unexpected(
            format!("the exchange with `{place}` failed: {}", chain(error)),
            "look at the engine's log (`journalctl -u docker`)",
        ),
    }
}

#[derive(Deserialize)]
struct Complaint {
    message: String,
}

impl Answer {
    /// The engine's own words for why it refused, on one line; none if it has none.
    fn complaint(&self) -> Option<String> {
        let said = match serde_json::from_slice::<Complaint>(&self.body) {
            Ok(complaint) => complaint.message,
            Err(_) => String::from_utf8_lossy(&self.body).into_owned(),
        };
        let said = shortened(&said);
        (!said.is_empty()).then_some(said)
    }

    /// This answer, if it is what was asked for.
    ///
    /// # Errors
    /// Any status but success. `variable` is what a proxy before the engine must be told to let it through.
    pub fn accepted(self, place: &str, path: &str, variable: &str) -> Result<Self, Failure> {
        let status = self.status;
        if status.is_success() {
            return Ok(self);
        }
        let reason = status
            .canonical_reason()
            .map_or_else(String::new, |reason| format!(" {reason}"));
        let complaint = self.complaint();
        let why = complaint
            .as_ref()
            .map_or_else(String::new, |said| format!(": {said}"));
        let asked = without_query(path);
        let message = format!(
            "the engine at `{place}` answered `GET {asked}` with {}{reason}{why}",
            status.as_u16()
        );
        if complaint.is_some_and(|said| said.contains("HTTP request to an HTTPS server")) {
            let message = format!("the port of `{place}` speaks TLS, and we asked without");
            let hint = "set `tls` with `ca_file`, `client_cert` and `client_key`";
            return Err(failed(FailureKind::Denied, message, hint));
        }
        Err(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => failed(
                FailureKind::Denied,
                message,
                format!(
                    "whoever stands before the engine does not let us: a socket proxy must allow it (`{variable}=1`)"
                ),
            ),
            StatusCode::TOO_MANY_REQUESTS => {
                failed(FailureKind::Throttled, message, "look less often (`every`)")
            }
            status if status.is_server_error() => failed(
                FailureKind::Unexpected,
                message,
                "look at the engine's log (`journalctl -u docker`), at its disk and at its memory",
            ),
            _ => failed(
                FailureKind::Unexpected,
                message,
                "that may be no Docker engine: check the address; a socket proxy may hide what it does not allow",
            ),
        })
    }
}

fn without_query(path: &str) -> &str {
    path.split_once('?').map_or(path, |(path, _)| path)
}
