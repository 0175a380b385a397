//! Connections through a session: to a socket on the server, and to a command there.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use russh::client::Msg;
use russh::{Channel, ChannelOpenFailure, ChannelStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::command::Allowed;
use super::connect::Connection;
use super::sessions::Right;
use crate::model::{Failure, FailureKind};

/// Two directions of bytes through a session.
pub trait SshStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> SshStream for T {}

/// Keeps its connection alive, and closes its channel when it is dropped.
pub(super) struct Stream {
    inner: ChannelStream<Msg>,
    _right: Option<Right>,
    _connection: Arc<Connection>,
}

impl Stream {
    pub(super) fn to_socket(channel: Channel<Msg>, connection: &Arc<Connection>) -> Self {
        Self {
            inner: channel.into_stream(),
            _right: None,
            _connection: Arc::clone(connection),
        }
    }

    pub(super) fn to_command(allowed: Allowed, connection: &Arc<Connection>) -> Self {
        Self {
            inner: allowed.channel.into_stream(),
            _right: Some(allowed.right),
            _connection: Arc::clone(connection),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // The library takes an empty write for an error.
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

/// Why a socket on the server was not opened.
#[derive(Debug, Clone, PartialEq)]
pub enum SocketError {
    /// The server refused. OpenSSH says the same whether it forwards no sockets, the socket is not there, nobody
    /// listens on it, or our user may not use it: another way, such as a command, may do or tell more.
    Refused(Failure),
    /// No answer, or the connection was lost.
    Failed(Failure),
}

impl SocketError {
    /// The failure in it.
    #[must_use]
    pub fn into_failure(self) -> Failure {
        match self {
            Self::Refused(failure) | Self::Failed(failure) => failure,
        }
    }
}

pub(super) fn refused(place: &str, path: &str, why: &ChannelOpenFailure) -> SocketError {
    let (why, hint) = match why {
        ChannelOpenFailure::ConnectFailed => (
            "it is not there, our user may not use it, or its sshd forwards no sockets",
            format!(
                "look at it there: `ls -l {path}`; `AllowStreamLocalForwarding yes` in its `sshd_config` allows it"
            ),
        ),
        _ => (
            "its sshd does not allow it",
            "allow it there: `AllowStreamLocalForwarding yes` in its `sshd_config`, no `restrict` before our key in \
             `authorized_keys`"
                .to_owned(),
        ),
    };
    let message = format!("`{place}` does not connect us to `{path}`: {why}");
    SocketError::Refused(Failure::new(FailureKind::Denied, message).hint(hint))
}
