//! The wait for the first byte of an HTTP/1 answer, with nearly no memory.
//!
//! Hyper keeps 16 KiB for each connection from the moment it sends, and thousands of endpoints that stay silent
//! wait there until their deadline. So the request is sent here, and hyper, whose reading of answers is worth
//! having, is set up when the first bytes have come: it is told that they answer what it believes to have sent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use http::{Method, Request, header};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::exchange::Transport;

/// How much of an answer is taken for its first bytes.
const FIRST_BYTES: usize = 256;

/// A connection on which a request was sent and the first bytes of its answer have come.
pub(super) struct Answered {
    transport: TokioIo<Box<dyn Transport>>,
    first: Bytes,
    /// Whether hyper believes to have sent its request: it takes an answer that comes before for a mistake.
    was_asked: bool,
    waiting: Option<Waker>,
}

/// Sends the request and waits for the first bytes of the answer; none: the other side closed.
pub(super) async fn send(
    mut transport: Box<dyn Transport>,
    request: &Request<()>,
    body: &Bytes,
) -> io::Result<Answered> {
    let mut bytes = head(request, body);
    bytes.extend_from_slice(body);
    let sent = async {
        transport.write_all(&bytes).await?;
        transport.flush().await
    }
    .await;
    drop(bytes);
    let mut first = [0; FIRST_BYTES];
    // A server may refuse a body that it has not read: its answer says more than that we could not go on sending.
    let read = match (transport.read(&mut first).await, sent) {
        (Ok(read @ 1..), _) | (Ok(read), Ok(())) => read,
        (_, Err(error)) | (Err(error), Ok(())) => return Err(error),
    };
    Ok(Answered {
        transport: TokioIo::new(transport),
        first: Bytes::copy_from_slice(&first[..read]),
        was_asked: false,
        waiting: None,
    })
}

/// The head of a request as it is sent (RFC 9112 §3).
fn head(request: &Request<()>, body: &Bytes) -> Vec<u8> {
    let (method, target) = (request.method(), request.uri());
    let mut bytes = format!("{method} {target} HTTP/1.1\r\n").into_bytes();
    for (name, value) in request.headers() {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    let has_body = [Method::POST, Method::PUT, Method::PATCH].contains(method) || !body.is_empty();
    if has_body {
        let length = format!("{}: {}\r\n", header::CONTENT_LENGTH, body.len());
        bytes.extend_from_slice(length.as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

impl Answered {
    /// Whether the other side closed instead of answering.
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_empty()
    }
}

impl Read for Answered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.was_asked {
            self.waiting = Some(context.waker().clone());
            return Poll::Pending;
        }
        if self.first.is_empty() {
            return Pin::new(&mut self.transport).poll_read(context, buffer);
        }
        let taken = self.first.len().min(buffer.remaining());
        buffer.put_slice(&self.first[..taken]);
        self.first.advance(taken);
        Poll::Ready(Ok(()))
    }
}

impl Write for Answered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.was_asked = true;
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_shutdown(context)
    }
}
