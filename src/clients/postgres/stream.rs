//! The bytes to and from a server: over TCP, TLS or a local socket, watched so that a server of another sort is told
//! apart at its first words, and one that never ends does not fill our memory.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use aws_lc_rs::digest::{Algorithm, SHA256, SHA384, SHA512, digest};
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_rustls::client::TlsStream as Rustls;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

/// How much a server may send over one connection. What we ask for has a few kilobytes.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// How long the first message may be that a server sends: libpq's own bound.
const MOST_FIRST_BYTES: u32 = 30_000;

/// How much of what is no PostgreSQL is kept, to tell what it is.
const KEPT_BYTES: usize = 256;

/// What carries the bytes.
pub(super) enum Transport {
    Tcp(TcpStream),
    Local(UnixStream),
    Tls(Box<Rustls<TcpStream>>),
}

/// A transport whose first bytes are looked at, and whose bytes are counted.
pub(super) struct Watched {
    transport: Transport,
    /// Until it is clear that this is PostgreSQL.
    first: Option<Vec<u8>>,
    read_bytes: usize,
}

/// What came instead of PostgreSQL's first message.
#[derive(Debug, thiserror::Error)]
#[error("this is not PostgreSQL's protocol")]
pub(super) struct NotPostgres(pub(super) Vec<u8>);

/// A server that could not even start a process for us says so in this form, which is older than the protocol.
#[derive(Debug, thiserror::Error)]
#[error("the server could not serve us")]
pub(super) struct OldError(pub(super) String);

/// The server sent more than anything we could have asked for.
#[derive(Debug, thiserror::Error)]
#[error("more than {MOST_BYTES} bytes came")]
pub(super) struct TooMuch;

impl Watched {
    pub(super) fn new(transport: Transport) -> Self {
        Self {
            transport,
            first: Some(Vec::new()),
            read_bytes: 0,
        }
    }

    /// Looks at what has just come.
    fn check(&mut self, came: &[u8]) -> io::Result<()> {
        self.read_bytes += came.len();
        if self.read_bytes > MOST_BYTES {
            return Err(io::Error::other(TooMuch));
        }
        let Some(first) = &mut self.first else {
            return Ok(());
        };
        let room = KEPT_BYTES.saturating_sub(first.len());
        first.extend(came.iter().take(room));
        let is_all = came.is_empty() || first.len() == KEPT_BYTES;
        match first_message(first) {
            First::Good => self.first = None,
            First::Old(text) => return Err(io::Error::other(OldError(text))),
            First::Short if !is_all || first.is_empty() => {}
            First::Short | First::Bad => {
                return Err(io::Error::other(NotPostgres(std::mem::take(first))));
            }
        }
        Ok(())
    }
}

/// What the first bytes of a server's answer to a login are.
#[derive(Debug, PartialEq, Eq)]
enum First {
    Good,
    /// Too few to tell.
    Short,
    Old(String),
    Bad,
}

/// The checks that libpq makes before it believes a length.
fn first_message(bytes: &[u8]) -> First {
    let Some((&tag, rest)) = bytes.split_first() else {
        return First::Short;
    };
    // An authentication request, an error, a negotiation of the version, a notice.
    if !matches!(tag, b'R' | b'E' | b'v' | b'N') {
        return First::Bad;
    }
    let Some(length) = rest.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)) else {
        return First::Short;
    };
    if (8..=MOST_FIRST_BYTES).contains(&length) {
        First::Good
    } else if tag != b'E' || rest.contains(&b'\r') {
        First::Bad
    } else {
        old_error(bytes).map_or(First::Short, First::Old)
    }
}

/// The text of an error in the old form, once all of it is there.
pub(super) fn old_error(bytes: &[u8]) -> Option<String> {
    let text = bytes.strip_prefix(b"E")?;
    let end = text.iter().position(|byte| *byte == 0)?;
    Some(String::from_utf8_lossy(&text[..end]).into_owned())
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = match &mut self.transport {
            Transport::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Transport::Local(stream) => Pin::new(stream).poll_read(context, buffer),
            Transport::Tls(stream) => Pin::new(stream.as_mut()).poll_read(context, buffer),
        };
        match polled {
            Poll::Ready(Ok(())) => Poll::Ready(self.check(&buffer.filled()[before..])),
            other => other,
        }
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.transport {
            Transport::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Transport::Local(stream) => Pin::new(stream).poll_write(context, bytes),
            Transport::Tls(stream) => Pin::new(stream.as_mut()).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Transport::Local(stream) => Pin::new(stream).poll_flush(context),
            Transport::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Transport::Local(stream) => Pin::new(stream).poll_shutdown(context),
            Transport::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(context),
        }
    }
}

impl TlsStream for Watched {
    /// Ties the login to this TLS connection (RFC 5929 §4.1), so that nobody in between can use it for another.
    fn channel_binding(&self) -> ChannelBinding {
        let Transport::Tls(stream) = &self.transport else {
            return ChannelBinding::none();
        };
        let own = stream.get_ref().1.peer_certificates();
        let bound = own.and_then(<[_]>::first).and_then(end_point);
        bound.map_or_else(ChannelBinding::none, ChannelBinding::tls_server_end_point)
    }
}

/// The hash of a certificate by the algorithm of its signature; `None` where there is no such algorithm (Ed25519).
fn end_point(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let (_, read) = X509Certificate::from_der(certificate).ok()?;
    let algorithm = hash_of(&read.signature_algorithm.algorithm.to_id_string())?;
    Some(digest(algorithm, certificate).as_ref().to_vec())
}

/// The hash in a signature algorithm (RFC 5758 §3.2, RFC 8017 A.2.4). SHA-1 is replaced by SHA-256.
fn hash_of(signature: &str) -> Option<&'static Algorithm> {
    match signature {
        // RSA with SHA-1 and SHA-256, ECDSA with SHA-256.
        "1.2.840.113549.1.1.5" | "1.2.840.113549.1.1.11" | "1.2.840.10045.4.3.2" => Some(&SHA256),
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => Some(&SHA384),
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => Some(&SHA512),
        _ => None,
    }
}

/// For the library, which asks for TLS at a place where we have settled that already.
pub(super) struct Settled;

impl TlsConnect<Watched> for Settled {
    type Stream = Watched;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<Watched>>;

    fn connect(self, stream: Watched) -> Self::Future {
        std::future::ready(Ok(stream))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_message_tells_postgresql_from_others() {
        let old = b"Ecould not fork new process for connection: Cannot allocate memory\n\0";
        for (bytes, first) in [
            (&b"R\0\0\0\x08\0\0\0\0"[..], First::Good),
            (b"E\0\0\0\x60SFATAL\0", First::Good),
            (b"v\0\0\0\x0c", First::Good),
            (b"", First::Short),
            (b"R", First::Short),
            (b"R\0\0\0", First::Short),
            (b"R\0\0\0\x01", First::Bad),
            (b"HTTP/1.1 400 Bad Request", First::Bad),
            (b"RTSP/1.0 400 Bad Request", First::Bad),
            (b"SSH-2.0-OpenSSH_9.2", First::Bad),
            (b"220 mail.example.com", First::Bad),
            (b"ERROR\r\n", First::Bad),
            (&old[..20], First::Short),
            (
                old,
                First::Old(
                    "could not fork new process for connection: Cannot allocate memory\n"
                        .to_owned(),
                ),
            ),
        ] {
            assert_eq!(first_message(bytes), first, "{bytes:?}");
        }
    }

    #[test]
    fn a_signature_names_its_hash() {
        assert_eq!(hash_of("1.2.840.113549.1.1.5"), Some(&SHA256));
        assert_eq!(hash_of("1.2.840.10045.4.3.3"), Some(&SHA384));
        assert_eq!(hash_of("1.2.840.113549.1.1.13"), Some(&SHA512));
        assert_eq!(hash_of("1.3.101.112"), None, "Ed25519");
    }
}
