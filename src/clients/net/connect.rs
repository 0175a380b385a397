//! To an open TCP connection, over whichever of a name's addresses answers first.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;

use super::blame;
use crate::model::Failure;

/// How long one address has before the next is tried beside it (RFC 8305 §5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Connects to the first address that answers; each next one is tried when the one before fails or is slow.
///
/// # Errors
/// None answers; told of the one that says most.
pub(super) async fn connect(
    addresses: &[IpAddr],
    port: u16,
) -> Result<(TcpStream, SocketAddr), Failure> {
    let mut waiting = addresses
        .iter()
        .map(|address| SocketAddr::new(*address, port));
    let mut running = FuturesUnordered::new();
    let mut failed: Option<(SocketAddr, io::Error)> = None;
    loop {
        if let Some(address) = waiting.next() {
            running.push(async move { (address, TcpStream::connect(address).await) });
        }
        let next = if waiting.len() == 0 {
            running.next().await
        } else {
            match tokio::time::timeout(ATTEMPT_DELAY, running.next()).await {
                Ok(next) => next,
                Err(_) => continue,
            }
        };
        match next {
            Some((address, Ok(stream))) => {
                // Without it a request in two parts waits for an acknowledgement; it is only a matter of speed.
                stream.set_nodelay(true).ok();
                return Ok((stream, address));
            }
            Some((address, Err(error)))
                if failed
                    .as_ref()
                    .is_none_or(|(_, before)| is_told_before(&error, before)) =>
            {
                failed = Some((address, error));
            }
            None if waiting.len() == 0 => break,
            Some((_, Err(_))) | None => {}
        }
    }
    Err(match failed {
        Some((address, error)) => blame::connect_failed(address, &error),
        None => Failure::ours("there was no address to connect to")
            .hint("this is a bug of ours: please report it"),
    })
}

/// Whether an error is told rather than the one that came before it.
fn is_told_before(error: &io::Error, before: &io::Error) -> bool {
    lacks_means(error) || !says_more(before)
}

/// Whether we had nothing left to try that address with. What the others said is no answer of the target then.
fn lacks_means(error: &io::Error) -> bool {
    use rustix::io::Errno;
    matches!(
        Errno::from_io_error(error),
        Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM)
    )
}

/// Whether an error is more than that this machine does not speak the family of the address, which is usual for
/// IPv6 and hides what the other addresses said.
fn says_more(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::AddrNotAvailable
    ) && error.raw_os_error() != Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustix::io::Errno;

    use super::is_told_before;

    #[test]
    fn our_own_want_is_told_before_what_another_address_said() {
        for (error, before, expected) in [
            (Errno::MFILE, Errno::CONNREFUSED, true),
            (Errno::CONNREFUSED, Errno::MFILE, false),
            (Errno::CONNREFUSED, Errno::NETUNREACH, true),
            (Errno::CONNREFUSED, Errno::AFNOSUPPORT, true),
            (Errno::NETUNREACH, Errno::CONNREFUSED, false),
            (Errno::HOSTUNREACH, Errno::CONNREFUSED, false),
        ] {
            let (second, first) = (io::Error::from(error), io::Error::from(before));
            assert_eq!(
                is_told_before(&second, &first),
                expected,
                "{error} after {before}"
            );
        }
    }
}
