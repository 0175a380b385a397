//! The bytes under a session: what the other side said first, how the connection ended, and a leash on the task that
//! serves it.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;

/// How much of the greeting is kept.
const MOST_KEPT: usize = 512;

/// What carries a session: a TCP connection, or a channel of the host before it.
pub(super) trait Carrier: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Carrier for T {}

/// What was seen on the wire.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// The first bytes that came.
    pub(super) first: Vec<u8>,
    /// How the connection ended, if it did.
    pub(super) end: Option<End>,
}

/// How a connection ended.
#[derive(Debug, Clone)]
pub(super) enum End {
    /// The other side closed it.
    Closed,
    /// It broke.
    Broken(Arc<io::Error>),
}

/// Shared with the one who made it.
#[derive(Debug, Clone, Default)]
pub(super) struct Record(Arc<Mutex<Seen>>);

impl Record {
    pub(super) fn seen(&self) -> Seen {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn has_ended(&self) -> bool {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.end.is_some()
    }

    fn change(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Ends the connection, and with it the task that serves it, when it is dropped. The library ends its task by itself
/// only between key exchanges: in the middle of one a mute server would hold it for ever.
pub(super) struct Leash {
    _held: oneshot::Sender<()>,
}

/// A carrier that is watched.
pub(super) struct Wire {
    carrier: Box<dyn Carrier>,
    record: Record,
    is_greeted: bool,
    leash: oneshot::Receiver<()>,
}

impl Wire {
    pub(super) fn new(carrier: Box<dyn Carrier>) -> (Self, Record, Leash) {
        let record = Record::default();
        let (held, leash) = oneshot::channel();
        let wire = Self {
            carrier,
            record: record.clone(),
            is_greeted: false,
            leash,
        };
        (wire, record, Leash { _held: held })
    }

    /// Keeps what comes until the line that begins an SSH connection (RFC 4253 §4.2) is complete.
    fn note(&mut self, bytes: &[u8]) {
        let mut is_greeted = false;
        self.record.change(|seen| {
            let room = MOST_KEPT - seen.first.len();
            seen.first.extend(bytes.iter().take(room));
            let mut lines = seen.first.split_inclusive(|byte| *byte == b'\n');
            is_greeted = seen.first.len() == MOST_KEPT
                || lines.any(|line| line.starts_with(b"SSH-") && line.ends_with(b"\n"));
        });
        self.is_greeted = is_greeted;
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if Pin::new(&mut this.leash).poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let before = buffer.filled().len();
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let outcome = Pin::new(&mut this.carrier).poll_read(context, buffer);
        match &outcome {
            Poll::Ready(Ok(())) if buffer.filled().len() == before => {
                this.record.change(|seen| seen.end = Some(End::Closed));
            }
            Poll::Ready(Ok(())) if !this.is_greeted => this.note(&buffer.filled()[before..]),
            Poll::Ready(Err(error)) => {
                let error = Arc::new(copy(error));
                this.record
                    .change(|seen| seen.end = Some(End::Broken(error)));
            }
            _ => {}
        }
        outcome
    }
}

/// Another of the same: the one at hand belongs to the reader.
fn copy(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.carrier).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.carrier).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.carrier).poll_shutdown(context)
    }
}
