//! What went wrong, in words, and whose trouble it is.

use std::io;
use std::time::Duration;

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

use super::stream::{NotPostgres, OldError, TooMuch};
use super::{Login, Phase, SslMode, Trace};
use crate::clients::net::blame::{broken_off, chain, find, ours_by_errno};
use crate::clients::words::shortened;
use crate::model::{Failure, FailureKind};
use crate::secret::Redactor;

fn failed(kind: FailureKind, message: String, hint: &str) -> Failure {
    Failure::new(kind, message).hint(hint)
}

fn unexpected(message: String, hint: &str) -> Failure {
    failed(FailureKind::Unexpected, message, hint)
}

fn denied(message: String, hint: &str) -> Failure {
    failed(FailureKind::Denied, message, hint)
}

/// The other side closed instead of answering. `when`: `during the login`.
pub(super) fn closed(place: &str, when: &str) -> Failure {
    unexpected(
        format!("`{place}` closed the connection {when}"),
        "check that the port is PostgreSQL's, and look at the server's log: it may have crashed, or a proxy before \
         it has no server",
    )
}

/// Something else answered. `came`: its first bytes.
pub(super) fn not_postgres(place: &str, came: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(came);
    let text = text.trim();
    let is_mysql = came.len() > 5 && came[1..5] == [0, 0, 0, 10];
    let what = match text {
        _ if is_mysql => "it speaks MySQL's protocol".to_owned(),
        text if text.starts_with("SSH-") => format!("it speaks SSH: `{}`", shortened(text)),
        text if text.starts_with("HTTP/") => format!("it speaks HTTP: `{}`", first_line(text)),
        text if text
            .chars()
            .take(4)
            .all(|c| c.is_ascii_graphic() || c == ' ') =>
        {
            format!("it says `{}`", first_line(text))
        }
        _ => "it says something that is no PostgreSQL".to_owned(),
    };
    let hint = if is_mysql {
        "watch it under `mysql_servers`, or check `host` and `port`"
    } else {
        "check `host` and `port`: another service listens there"
    };
    unexpected(format!("`{place}` is no PostgreSQL server: {what}"), hint)
}

fn first_line(text: &str) -> String {
    shortened(text.lines().next().unwrap_or_default())
}

/// The server could not even start a process for us.
pub(super) fn no_process(place: &str, text: &str) -> Failure {
    unexpected(
        format!("`{place}` cannot serve us: {}", shortened(text)),
        "the server has run out of memory or processes: look at its machine",
    )
}

/// There is no local socket, or nobody behind it.
pub(super) fn no_socket(socket: &str, error: &io::Error) -> Failure {
    let what = format!("cannot connect to `{socket}`");
    match error.kind() {
        io::ErrorKind::NotFound => failed(
            FailureKind::Unreachable,
            format!("{what}: there is no such socket"),
            "check that the server runs on this machine, and its `unix_socket_directories`",
        ),
        io::ErrorKind::ConnectionRefused => failed(
            FailureKind::Unreachable,
            format!("{what}: connection refused"),
            "nobody listens there any more: check that the server runs",
        ),
        io::ErrorKind::PermissionDenied => Failure::ours(format!("{what}: permission denied"))
            .hint("give our user the right to the socket and its folders, or set `host` to `localhost`"),
        _ => ours_by_errno(error, &what).unwrap_or_else(|| {
            failed(
                FailureKind::Unreachable,
                format!("{what}: {error}"),
                "check that the server runs on this machine",
            )
        }),
    }
}

/// Whether no rule of the server is for us: one for another sort of connection may be.
pub(super) fn is_turned_away(error: &Error) -> bool {
    error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
}

/// Why a login failed.
pub(super) fn login_failed(login: &Login<'_>, is_protected: bool, error: &Error) -> Failure {
    let place = login.place();
    let mut failure = match error.as_db_error() {
        Some(said) => refused(login, is_protected, said),
        None => broken(&place, error, "during the login")
            .unwrap_or_else(|| authentication(&place, login, error)),
    };
    if let Some(password) = login.password {
        // Some ways of logging in tell it to the server, and a server may say anything.
        let mut redactor = Redactor::default();
        redactor.add(password.expose());
        redactor.redact(&mut failure.message);
    }
    failure
}

/// The server said no.
fn refused(login: &Login<'_>, is_protected: bool, said: &DbError) -> Failure {
    let place = login.place();
    let message = shortened(said.message());
    let (database, username) = (login.database, login.username);
    let code = said.code();
    // PgBouncer has one code for most of what it refuses.
    let from_pooler =
        |words: &str| *code == SqlState::PROTOCOL_VIOLATION && message.contains(words);
    let told = format!("`{place}` refuses the login: {message}");
    if *code == SqlState::INVALID_CATALOG_NAME || from_pooler("no such database") {
        return failed(
            FailureKind::Missing,
            format!("there is no database `{database}` on `{place}`"),
            "check `database`: `psql --list` shows what there is; it may have been dropped or renamed",
        );
    }
    if *code == SqlState::TOO_MANY_CONNECTIONS {
        // The words are the server's, in its language: they only add to ours.
        let locked_out = if message.contains("reserved") {
            "; ordinary roles are locked out now"
        } else {
            ""
        };
        return unexpected(
            format!("`{place}` has no connection left: {message}{locked_out}"),
            "find who holds them in `pg_stat_activity`, put a pool before the server, or raise `max_connections`",
        );
    }
    if *code == SqlState::CANNOT_CONNECT_NOW {
        return unexpected(
            format!("`{place}` takes no connections now: {message}"),
            "it starts, stops or recovers: wait, and look at its log for how far it is",
        );
    }
    if matches!(
        *code,
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN | SqlState::DATABASE_DROPPED
    ) {
        return ended(&place, &message);
    }
    if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        return denied(
            told,
            &format!("allow it: `GRANT CONNECT ON DATABASE \"{database}\" TO \"{username}\"`"),
        );
    }
    if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION || from_pooler("no such user") {
        return denied(told, &turned_away(login, is_protected, &message));
    }
    if code.code().starts_with("28") || from_pooler("authentication failed") {
        let hint = if login.password.is_some() {
            "check `username` and `password` (`POSTGRES_USER`, `POSTGRES_PASSWORD`): it may have been changed, or \
             have expired (`VALID UNTIL`)"
        } else {
            "set `password`, or the variable `POSTGRES_PASSWORD`"
        };
        return denied(told, hint);
    }
    unexpected(
        format!("{told} ({})", code.code()),
        "look at the server's log at that time",
    )
}

/// What to do where no rule of the server lets us in.
fn turned_away(login: &Login<'_>, is_protected: bool, message: &str) -> String {
    let Login {
        database, username, ..
    } = login;
    // The words are the server's, in its language: they only choose the hint.
    if message.contains("certificate") {
        return "set `client_cert` and `client_key` to a certificate that the server trusts, made for that user"
            .to_owned();
    }
    if message.contains("does not exist") || message.contains("no such user") {
        return format!(
            "check `username` (`POSTGRES_USER`), or make the role: `CREATE ROLE \"{username}\" LOGIN`"
        );
    }
    if message.contains("not permitted to log in") {
        return format!("allow it: `ALTER ROLE \"{username}\" LOGIN`");
    }
    let line = if is_protected { "hostssl" } else { "host" };
    let rule = format!(
        "add a line to the server's `pg_hba.conf` and reload it: `{line} {database} {username} ADDRESS \
         scram-sha-256`, with the address of this machine"
    );
    if is_protected || login.is_local() {
        rule
    } else if login.ssl_mode == SslMode::Disable {
        format!("the server may only let us in with TLS: set `ssl_mode: require`; or {rule}")
    } else {
        format!("the server may only let us in with TLS: set `ssl = on` there; or {rule}")
    }
}

/// The server ended the session.
fn ended(place: &str, message: &str) -> Failure {
    unexpected(
        format!("`{place}` ended the session: {message}"),
        "it was stopped, or an administrator ended our session: look at its log",
    )
}

/// A connection that broke, or a server that broke the protocol; `None` where it is something else.
fn broken(place: &str, error: &Error, when: &str) -> Option<Failure> {
    if let Some(NotPostgres(came)) = find(error) {
        return Some(not_postgres(place, came));
    }
    if let Some(OldError(text)) = find(error) {
        return Some(no_process(place, text));
    }
    if find::<TooMuch>(error).is_some() {
        return Some(unexpected(
            format!("`{place}` broke PostgreSQL's protocol {when}: {TooMuch}"),
            "check that the port is PostgreSQL's",
        ));
    }
    if error.is_closed() {
        return Some(closed(place, when));
    }
    let system = find::<io::Error>(error)?;
    Some(match system.kind() {
        io::ErrorKind::UnexpectedEof => closed(place, when),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => return None,
        _ => broken_off(system, &format!("the connection to `{place}` broke {when}")),
    })
}

/// What the library says that no server said.
fn authentication(place: &str, login: &Login<'_>, error: &Error) -> Failure {
    let text = chain(error);
    if text.contains("password missing") {
        return denied(
            format!(
                "`{place}` wants a password for `{}`, and none is set",
                login.username
            ),
            "set `password`, or the variable `POSTGRES_PASSWORD`",
        );
    }
    if text.contains("unsupported") {
        return Failure::ours(format!(
            "`{place}` wants a way of logging in that we do not know"
        ))
        .hint("we know passwords (SCRAM, MD5) and certificates: add a line for us to the server's `pg_hba.conf`");
    }
    if text.contains("verification") || text.contains("nonce") {
        return unexpected(
            format!(
                "`{place}` cannot prove that it knows the password of `{}`",
                login.username
            ),
            "somebody may stand between us and the server: check `host`, and set `ssl_mode: verify-full`",
        );
    }
    unexpected(
        format!(
            "`{place}` broke PostgreSQL's protocol during the login: {}",
            shortened(&text)
        ),
        "check that the port is PostgreSQL's, and look at proxies between",
    )
}

/// Why an open session came to its end.
pub(super) fn session_failed(place: &str, error: &Error) -> Failure {
    if let Some(said) = error.as_db_error() {
        return ended(place, &shortened(said.message()));
    }
    broken(place, error, "while it was asked").unwrap_or_else(|| {
        unexpected(
            format!(
                "`{place}` broke PostgreSQL's protocol: {}",
                shortened(&chain(error))
            ),
            "look at the server's log, and at proxies between",
        )
    })
}

/// The deadline struck; not while a name was looked up.
#[must_use]
pub fn timed_out(login: &Login<'_>, trace: &Trace, within: Duration) -> Failure {
    let place = login.place();
    let within = format!("within {} ms", within.as_millis());
    let (message, hint) = match trace.phase {
        Phase::Dns | Phase::Connect => (
            format!("no connection to `{place}` {within}"),
            "check that the machine is up, and that no firewall drops our packets",
        ),
        Phase::Greeting => (
            format!("`{place}` took the connection, but answered nothing {within}"),
            "the server hangs or is overloaded: look at its machine; or the port is not PostgreSQL's",
        ),
        Phase::Tls => (
            format!("no TLS handshake with `{place}` {within}"),
            "check that the port is PostgreSQL's, and how loaded the server is",
        ),
        Phase::Login => (
            format!("`{place}` accepted the connection, but did not finish the login {within}"),
            "the server hangs or is overloaded: look at its machine; or the port is not PostgreSQL's",
        ),
        Phase::Queries => (
            format!("`{place}` let us in, but did not answer all questions {within}"),
            "look at how loaded the server is (`pg_stat_activity`), or raise `timeout_ms`",
        ),
    };
    let logged_in = trace.logged_in_after.map(|after| {
        let after = after.as_millis();
        format!("; logged in after {after} ms")
    });
    failed(
        FailureKind::TimedOut,
        message + &logged_in.unwrap_or_default(),
        hint,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_servers_are_told_by_their_first_words() {
        for (came, words) in [
            (
                &b"SSH-2.0-OpenSSH_9.2p1\r\n"[..],
                "it speaks SSH: `SSH-2.0-OpenSSH_9.2p1`",
            ),
            (
                b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n",
                "it speaks HTTP: `HTTP/1.1 400 Bad Request`",
            ),
            (b"J\0\0\0\x0a8.0.36\0", "it speaks MySQL's protocol"),
            (
                b"220 mail.example.com ESMTP\r\n",
                "it says `220 mail.example.com ESMTP`",
            ),
            (
                b"\x15\x03\x01\0\x02\x02\x0a",
                "it says something that is no PostgreSQL",
            ),
        ] {
            let failure = not_postgres("db:5432", came);
            assert!(failure.message.ends_with(words), "{failure}");
            assert!(failure.hint.is_some());
        }
    }
}
