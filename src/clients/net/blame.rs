//! What went wrong with a connection, in words, and whose trouble it is.

use std::error::Error;
use std::io;
use std::net::SocketAddr;

use rustix::io::Errno;

use crate::model::{Failure, FailureKind};

/// Our own inability, if that is what an error of the system tells. `what` begins the message.
pub(crate) fn ours_by_errno(error: &io::Error, what: &str) -> Option<Failure> {
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

pub(crate) fn connect_failed(address: SocketAddr, error: &io::Error) -> Failure {
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

/// A connection that broke while it was in use.
pub(crate) fn broken_off(error: &io::Error, what: &str) -> Failure {
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

/// The first error of a type among an error and its causes, also inside `io::Error`s, which hide theirs.
pub(crate) fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
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

pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
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
