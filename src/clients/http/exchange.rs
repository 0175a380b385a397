//! One request and one answer over one open connection.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::Poll;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::{Request, Response, Version, header};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::first_byte::{self, Answered};
use super::problems::{closed, exchange_failed};
use super::trace::{Phase, Trace};
use crate::model::Failure;

/// How much of an answer's head is taken, and how much of its body is read ahead. A head that is larger is an
/// error of the server.
const BUFFER_BYTES: usize = 64 * 1024;

/// How many headers an answer may have. Hyper's own limit of 100 is passed by real services that set many cookies.
const MOST_HEADERS: usize = 1_000;

/// A connection, plain or not.
pub(super) trait Transport: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Transport for T {}

/// An answer as it came.
pub(super) struct Received {
    pub(super) head: http::response::Parts,
    /// As it was sent, at most as much as was asked for; empty where it was only counted.
    pub(super) body: Vec<u8>,
    /// Whether there was more.
    pub(super) cut: bool,
}

/// Tells whether a body has come to its end, by what came so far, of which so many bytes were known before.
pub type BodyEnd<'a> = &'a (dyn Fn(&[u8], usize) -> bool + Sync);

/// How much of a body is wanted.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// No more is read.
    pub(super) bytes: usize,
    /// Whether it is looked at; otherwise it is only counted.
    pub(super) keep: bool,
    /// What ends it, though the connection stays open.
    pub(super) end: Option<BodyEnd<'a>>,
}

/// Sends the request and reads the answer. The connection is driven here and ends with the future: nothing goes
/// on in the background.
pub(super) async fn exchange<'w>(
    transport: Box<dyn Transport>,
    request: Request<()>,
    body: Bytes,
    wanted: impl Fn(&http::response::Parts) -> Wanted<'w> + Send,
    trace: &mut Trace,
) -> Result<Received, Failure> {
    if request.version() == Version::HTTP_2 {
        let request = request.map(|()| Full::new(body));
        return Box::pin(exchange_http2(transport, request, wanted, trace)).await;
    }
    let answered = first_byte::send(transport, &request, &body).await;
    let answered = answered.map_err(|error| exchange_failed(&trace.url, &error, None))?;
    if answered.is_empty() {
        return Err(closed(&trace.url));
    }
    Box::pin(read_http1(answered, request, wanted, trace)).await
}

async fn read_http1<'w>(
    answered: Answered,
    request: Request<()>,
    wanted: impl Fn(&http::response::Parts) -> Wanted<'w> + Send,
    trace: &mut Trace,
) -> Result<Received, Failure> {
    let failed = |trace: &Trace, error: hyper::Error| exchange_failed(&trace.url, &error, None);
    let request = request.map(|()| Empty::<Bytes>::new());
    let (mut sender, connection) = (http1::Builder::new()
        .max_buf_size(BUFFER_BYTES)
        .max_headers(MOST_HEADERS))
    .handshake(answered)
    .await
    .map_err(|error| failed(trace, error))?;
    let connection = pin!(connection);
    let mut connection = Connection::new(connection);
    let response = connection.drive(sender.send_request(request)).await;
    let response = response.map_err(|error| failed(trace, error))?;
    receive(response, connection, wanted, trace).await
}

async fn exchange_http2<'w>(
    transport: Box<dyn Transport>,
    request: Request<Full<Bytes>>,
    wanted: impl Fn(&http::response::Parts) -> Wanted<'w> + Send,
    trace: &mut Trace,
) -> Result<Received, Failure> {
    let failed = |trace: &Trace, error: hyper::Error| exchange_failed(&trace.url, &error, None);
    let tasks = Arc::default();
    let window = u32::try_from(4 * BUFFER_BYTES).unwrap_or(u32::MAX);
    let (mut sender, connection) = http2::Builder::new(Spawner(Arc::downgrade(&tasks)))
        .initial_stream_window_size(window)
        .initial_connection_window_size(window)
        .max_header_list_size(u32::try_from(BUFFER_BYTES).unwrap_or(u32::MAX))
        .handshake(TokioIo::new(transport))
        .await
        .map_err(|error| failed(trace, error))?;
    let connection = pin!(with_tasks(connection, &tasks));
    let mut connection = Connection::new(connection);
    let response = connection.drive(sender.send_request(request)).await;
    let response = response.map_err(|error| failed(trace, error))?;
    receive(response, connection, wanted, trace).await
}

async fn receive<'w, C: Future>(
    response: Response<Incoming>,
    mut connection: Connection<'_, C>,
    wanted: impl Fn(&http::response::Parts) -> Wanted<'w>,
    trace: &mut Trace,
) -> Result<Received, Failure> {
    trace.enter(Phase::Body);
    trace.status = Some(response.status());
    trace.http_version = Some(response.version());
    trace.body_bytes = Some(0);
    trace.arrivals.clear();
    let (head, mut body) = response.into_parts();
    let wanted = wanted(&head);
    if wanted.bytes == 0 {
        trace.leave();
        let body = Vec::new();
        let cut = true;
        return Ok(Received { head, body, cut });
    }
    let length = body.size_hint().exact();
    let ends_with_connection = head.version != Version::HTTP_2
        && length.is_none()
        && !head.headers.contains_key(header::TRANSFER_ENCODING);
    let mut kept = Vec::new();
    let mut received = 0;
    let mut cut = false;
    while let Some(frame) = connection.drive(body.frame()).await {
        let data = match frame {
            Ok(frame) => frame.into_data().unwrap_or_default(),
            // Many servers end such a body without ending TLS in form; there is no way to tell a cut from the end.
            Err(error) if ends_with_connection && is_end(&error) => break,
            Err(error) => {
                return Err(exchange_failed(
                    &trace.url,
                    &error,
                    Some((received, length)),
                ));
            }
        };
        let room = wanted.bytes - received;
        let taken = &data[..data.len().min(room)];
        received += taken.len();
        trace.body_bytes = Some(received);
        if wanted.keep {
            let known = kept.len();
            kept.extend_from_slice(taken);
            trace.arrived(received);
            if wanted.end.is_some_and(|has_ended| has_ended(&kept, known)) {
                break;
            }
        }
        if data.len() > room {
            cut = true;
            break;
        }
    }
    trace.leave();
    Ok(Received {
        head,
        body: kept,
        cut,
    })
}

fn is_end(error: &hyper::Error) -> bool {
    let cause = std::error::Error::source(error);
    (cause.and_then(|cause| cause.downcast_ref::<std::io::Error>()))
        .is_some_and(|error| error.kind() == std::io::ErrorKind::UnexpectedEof)
}

/// A connection that only moves while somebody waits for something from it.
struct Connection<'a, C> {
    future: Pin<&'a mut C>,
    ended: bool,
}

impl<'a, C: Future> Connection<'a, C> {
    fn new(future: Pin<&'a mut C>) -> Self {
        Self {
            future,
            ended: false,
        }
    }

    /// Waits for `work`. An error of the connection reaches `work` through the library's channels.
    async fn drive<W: Future>(&mut self, work: W) -> W::Output {
        let mut work = pin!(work);
        poll_fn(|context| {
            if let Poll::Ready(output) = work.as_mut().poll(context) {
                return Poll::Ready(output);
            }
            if self.ended {
                return Poll::Pending;
            }
            self.ended = self.future.as_mut().poll(context).is_ready();
            // What the connection has just done may be what was waited for.
            work.as_mut().poll(context)
        })
        .await
    }
}

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Takes the tasks that hyper spawns for HTTP/2 to where they are polled with the connection. They hold this, so
/// it must not hold them.
#[derive(Clone)]
struct Spawner(Weak<Mutex<Vec<Task>>>);

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Spawner {
    fn execute(&self, future: F) {
        if let Some(tasks) = self.0.upgrade() {
            let mut tasks = tasks.lock().unwrap_or_else(PoisonError::into_inner);
            tasks.push(Box::pin(future));
        }
    }
}

/// A connection together with the tasks that it spawns; ends when all have ended.
async fn with_tasks<C: Future>(connection: C, spawned: &Mutex<Vec<Task>>) {
    let mut connection = pin!(connection);
    let mut has_ended = false;
    let mut running = FuturesUnordered::new();
    poll_fn(|context| {
        has_ended = has_ended || connection.as_mut().poll(context).is_ready();
        loop {
            let mut new = spawned.lock().unwrap_or_else(PoisonError::into_inner);
            let has_new = !new.is_empty();
            running.extend(new.drain(..));
            drop(new);
            match running.poll_next_unpin(context) {
                Poll::Ready(Some(())) => {}
                // A task may have spawned another while it was polled.
                _ if has_new => {}
                Poll::Ready(None) if has_ended => return Poll::Ready(()),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await;
}
