//! The Docker Engine API: one HTTP connection over a local socket, TCP, TLS, or a session over SSH, kept for the
//! requests of one look and closed with it.
//!
//! Only reads (`GET`). The connection moves while somebody waits for an answer and never else: a look that is dropped
//! leaves nothing behind. Engines and what speaks like them (Podman) are told apart by nobody here.

mod connect;
mod exchange;
mod problems;
mod ssh;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use http::{HeaderMap, StatusCode};

pub use exchange::Engine;
pub use problems::Secured;

use crate::clients::net::Network;
use crate::clients::ssh::{SshClients, SshSettings};
use crate::clients::tls::{TlsConfigs, Trust};

/// Where the engine listens on most machines.
pub const USUAL_SOCKET: &str = "/var/run/docker.sock";

/// How much earlier than its caller a [`Deadline`] gives up.
const MOST_RESERVE: Duration = Duration::from_millis(250);

/// Connects to engines. Cheap to clone.
#[derive(Clone)]
pub struct DockerClients {
    network: Network,
    tls: TlsConfigs,
    ssh: SshClients,
}

impl DockerClients {
    /// Over what all clients share. Does no I/O.
    #[must_use]
    pub fn new(network: Network, tls: TlsConfigs, ssh: SshClients) -> Self {
        Self { network, tls, ssh }
    }
}

/// Where an engine listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A socket on this machine.
    Socket(PathBuf),
    /// A port.
    Tcp {
        /// Name or address.
        host: String,
        /// The port.
        port: u16,
        /// How both ends prove who they are; `None`: without TLS.
        tls: Option<Box<Trust>>,
    },
    /// A socket of a machine that is reached over SSH.
    Ssh {
        /// The machine.
        settings: Box<SshSettings>,
        /// The socket there.
        socket: PathBuf,
    },
}

impl std::fmt::Display for Place {
    /// For messages: `/var/run/docker.sock`, `host:2376`, `/var/run/docker.sock of host`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "{}", path.display()),
            Self::Tcp { host, port, .. } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port, .. } => write!(f, "{host}:{port}"),
            Self::Ssh { settings, socket } => {
                write!(f, "{} of {}", socket.display(), settings.default_name())
            }
        }
    }
}

/// Until when something must be done, and how long that was in all, for messages.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    until: Instant,
    whole: Duration,
}

impl Deadline {
    /// From now, a little earlier than the caller's own, so that there is time left to say how far it came.
    #[must_use]
    pub fn within(whole: Duration) -> Self {
        let reserve = (whole / 10).min(MOST_RESERVE);
        Self {
            until: Instant::now() + whole.saturating_sub(reserve),
            whole,
        }
    }

    /// An earlier one, from now: such a part of the whole, and never later than this one.
    #[must_use]
    pub fn part(self, part: u32) -> Self {
        let limit = self.whole / part.max(1);
        if limit < self.left() {
            Self {
                until: Instant::now() + limit,
                whole: limit,
            }
        } else {
            self
        }
    }

    /// What is left.
    #[must_use]
    pub fn left(self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}

/// What an engine answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, at most as much as was asked for.
    pub body: Vec<u8>,
    /// Whether there was more of it.
    pub cut: bool,
}
