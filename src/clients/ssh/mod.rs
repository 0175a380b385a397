//! Sessions over SSH, one for each host, kept between rounds.

mod settings;

use std::time::{Duration, Instant};

pub use settings::SshSettings;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::clients::Surroundings;
use crate::clients::net::Network;
use crate::model::Failure;

/// The sessions of all hosts. Cheap to clone.
#[derive(Clone)]
pub struct SshClients {
    _network: Network,
    _surroundings: Surroundings,
}

/// A session with one host, which those who look at it share.
#[derive(Clone)]
pub struct Session {}

/// How far a command may go.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long it may take, the opening of its channel included.
    pub timeout: Duration,
    /// How much of each of its outputs is read.
    pub most_bytes: usize,
}

/// What a command gave.
#[derive(Debug)]
pub struct Output {
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
    /// Its exit status, unless a signal ended it.
    pub exit: Option<u32>,
    /// The signal that ended it.
    pub signal: Option<String>,
    /// Whether there was more output than was read.
    pub cut: bool,
}

/// Two directions of bytes through a session.
pub trait SshStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> SshStream for T {}

impl SshClients {
    /// Makes them. Does no I/O.
    #[must_use]
    pub fn new(network: Network, surroundings: Surroundings) -> Self {
        Self {
            _network: network,
            _surroundings: surroundings,
        }
    }

    /// The session with a host: the one that is there, or a new one. At most one attempt is made for a host in each
    /// round: whoever asks after a failed one gets the same failure.
    ///
    /// # Errors
    /// The host cannot be reached, is not who it was, or does not let us in.
    pub async fn session(
        &self,
        settings: &SshSettings,
        _round_began: Instant,
        _timeout: Duration,
    ) -> Result<Session, Failure> {
        Err(Failure::ours(format!(
            "sessions over SSH are not in this build: `{}`",
            settings.host
        )))
    }
}

impl Session {
    /// Runs a command, feeds it `input`, and reads what it gives. The command is fixed text, never a setting: there is
    /// no quoting.
    ///
    /// # Errors
    /// No complete answer within the limits.
    pub async fn run(
        &self,
        _command: &str,
        _input: &[u8],
        _limits: &Limits,
    ) -> Result<Output, Failure> {
        Err(Failure::ours("not in this build"))
    }

    /// A connection to a socket on the host.
    ///
    /// # Errors
    /// The host does not allow it, or nothing answers there.
    pub async fn open_socket(
        &self,
        _path: &str,
        _timeout: Duration,
    ) -> Result<Box<dyn SshStream>, Failure> {
        Err(Failure::ours("not in this build"))
    }

    /// A command whose standard input and output are a connection.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn pipe(
        &self,
        _command: &str,
        _timeout: Duration,
    ) -> Result<Box<dyn SshStream>, Failure> {
        Err(Failure::ours("not in this build"))
    }
}
