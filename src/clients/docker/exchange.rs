//! Requests and answers over one open connection, one after the other.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::problems::{self, Secured};
use super::ssh::Pipe;
use super::{Answer, Deadline};
use crate::model::Failure;

/// How much of an answer's head is taken, and how much of its body is read ahead.
const BUFFER_BYTES: usize = 64 * 1024;

/// A connection, whatever it goes through.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

type Connection = http1::Connection<TokioIo<Box<dyn Stream>>, Empty<Bytes>>;

/// An open connection to an engine.
pub struct Engine {
    place: String,
    secured: Secured,
    sender: SendRequest<Empty<Bytes>>,
    /// `None`: it has ended. It is dropped then, so that whoever still waits for something from it is told.
    connection: Option<Connection>,
    /// The command at the other end, until it has proved to be an engine.
    pipe: Option<Pipe>,
}

impl Engine {
    pub(super) async fn over(
        stream: Box<dyn Stream>,
        place: String,
        secured: Secured,
    ) -> Result<Self, Failure> {
        let opened = http1::Builder::new()
            .max_buf_size(BUFFER_BYTES)
            .handshake(TokioIo::new(stream))
            .await;
        let (sender, connection) = opened
            .map_err(|error| problems::exchange_failed(&place, secured, "connect", &error))?;
        Ok(Self {
            place,
            secured,
            sender,
            connection: Some(connection),
            pipe: None,
        })
    }

    pub(super) fn through(mut self, pipe: Option<Pipe>) -> Self {
        self.pipe = pipe;
        self
    }

    /// Whether it can be asked again.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.connection.is_some() && self.sender.is_ready()
    }

    /// Asks for a path with its query, which begins with `/`, and reads at most so much of the answer. An answer of
    /// any status is one. After a failure, and after an answer that was cut, the connection is of no more use.
    ///
    /// # Errors
    /// No answer in time, or none in HTTP.
    pub async fn get(
        &mut self,
        path: &str,
        most_bytes: usize,
        deadline: Deadline,
    ) -> Result<Answer, Failure> {
        let outcome = timeout(deadline.left(), self.exchange(path, most_bytes)).await;
        let pipe = self.pipe.take();
        match (outcome, pipe) {
            (Ok(Err(failure)), Some(pipe)) => Err(pipe.explain(failure, deadline).await),
            (Ok(outcome), _) => outcome,
            (Err(_), _) => Err(problems::no_answer(&self.place, path, deadline)),
        }
    }

    async fn exchange(&mut self, path: &str, most_bytes: usize) -> Result<Answer, Failure> {
        let Self {
            place,
            secured,
            sender,
            connection,
            ..
        } = self;
        let failed = |error: hyper::Error| problems::exchange_failed(place, *secured, path, &error);
        let request = Request::get(path)
            // The engine asks for one, and looks at none.
            .header(header::HOST, "docker")
            .header(
                header::USER_AGENT,
                concat!("roundsman/", env!("CARGO_PKG_VERSION")),
            )
            .body(Empty::new())
            .map_err(|_| problems::bad_request(place, path))?;
        let response = drive(connection, sender.send_request(request)).await;
        let (head, mut body) = response.map_err(failed)?.into_parts();
        let mut answer = Answer {
            status: head.status,
            headers: head.headers,
            body: Vec::new(),
            cut: false,
        };
        while let Some(frame) = drive(connection, body.frame()).await {
            let data = frame.map_err(failed)?.into_data().unwrap_or_default();
            let room = most_bytes - answer.body.len();
            answer.body.extend_from_slice(&data[..data.len().min(room)]);
            if data.len() > room {
                answer.cut = true;
                break;
            }
        }
        if !answer.cut {
            // Until the connection is ready for the next request: whether it stays open is known only now.
            drive(connection, sender.ready()).await.ok();
        }
        Ok(answer)
    }
}

/// Waits for `work` while the connection moves. An error of the connection reaches `work` through the library's
/// channels.
async fn drive<W: Future>(connection: &mut Option<Connection>, work: W) -> W::Output {
    let mut work = pin!(work);
    poll_fn(|context| {
        if let Poll::Ready(output) = work.as_mut().poll(context) {
            return Poll::Ready(output);
        }
        if let Some(open) = connection.as_mut()
            && Pin::new(open).poll(context).is_ready()
        {
            *connection = None;
        }
        // What the connection has just done may be what was waited for.
        work.as_mut().poll(context)
    })
    .await
}
