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
/// How much of a line tells whether it is a greeting.
const MOST_OF_LINE: usize = 16;

/// What carries a session: a TCP connection, or a channel of the host before it.
pub(super) trait Carrier: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Carrier for T {}

/// What was seen on the wire.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// The first bytes that came.
    pub(super) first: Vec<u8>,
    /// Whether a line came that begins an SSH connection. Others may come before it (RFC 4253 §4.2).
    pub(super) is_ssh: bool,
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
    _held: [oneshot::Sender<()>; 2],
}

/// One end of a leash. Reading and writing have one each: each wakes one task only.
struct Held {
    held: oneshot::Receiver<()>,
    is_free: bool,
}

/// A carrier that is watched.
pub(super) struct Wire {
    carrier: Box<dyn Carrier>,
    record: Record,
    is_greeted: bool,
    /// How the line begins that is coming.
    line: Vec<u8>,
    reading: Held,
    writing: Held,
}

impl Held {
    fn new() -> (oneshot::Sender<()>, Self) {
        let (sender, held) = oneshot::channel();
        let is_free = false;
        (sender, Self { held, is_free })
    }

    /// Fails once nobody holds the connection any more.
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        // What is over must not be asked again.
        self.is_free = self.is_free || Pin::new(&mut self.held).poll(context).is_ready();
        if self.is_free {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }
}

impl Wire {
    pub(super) fn new(carrier: Box<dyn Carrier>) -> (Self, Record, Leash) {
        let record = Record::default();
        let ((first, reading), (second, writing)) = (Held::new(), Held::new());
        let wire = Self {
            carrier,
            record: record.clone(),
            is_greeted: false,
            line: Vec::new(),
            reading,
            writing,
        };
        let held = [first, second];
        (wire, record, Leash { _held: held })
    }

    /// Keeps the beginning of what comes, and looks for the line that begins an SSH connection (RFC 4253 §4.2).
    fn note(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' {
                self.is_greeted = self.is_greeted || self.line.starts_with(b"SSH-");
                self.line.clear();
            } else if self.line.len() < MOST_OF_LINE {
                self.line.push(*byte);
            }
            if [&b"SSH-2.0-"[..], b"SSH-1.99-"].contains(&self.line.as_slice()) {
                self.record.change(|seen| seen.is_ssh = true);
            }
        }
        self.record.change(|seen| {
            let room = MOST_KEPT - seen.first.len();
            seen.first.extend(bytes.iter().take(room));
        });
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.reading.check(context)?;
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
        self.writing.check(context)?;
        Pin::new(&mut self.carrier).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writing.check(context)?;
        Pin::new(&mut self.carrier).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writing.check(context)?;
        Pin::new(&mut self.carrier).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn a_leash_that_is_let_go_ends_writing_as_well() {
        // Nobody reads at the other end.
        let (ours, _theirs) = tokio::io::duplex(16);
        let (mut wire, _record, leash) = Wire::new(Box::new(ours));
        let writing = tokio::spawn(async move {
            let error = wire.write_all(&[0; 1000]).await.expect_err("let go");
            (
                error.kind(),
                wire.flush().await.is_err(),
                wire.read_u8().await.is_err(),
            )
        });
        drop(leash);
        let aborted = io::ErrorKind::ConnectionAborted;
        assert_eq!(writing.await.expect("the end"), (aborted, true, true));
    }

    #[tokio::test]
    async fn a_greeting_is_found_after_many_other_lines() {
        let (ours, mut theirs) = tokio::io::duplex(4096);
        let (mut wire, record, _leash) = Wire::new(Box::new(ours));
        let text = format!("{}SSH-2.0-x\r\n", "a line before it\r\n".repeat(100));
        theirs.write_all(text.as_bytes()).await.expect("written");
        let mut bytes = vec![0; text.len()];
        wire.read_exact(&mut bytes).await.expect("read");
        let seen = record.seen();
        assert_eq!((seen.is_ssh, seen.first.len()), (true, MOST_KEPT));
    }
}
