//! PostgreSQL: a connection of one's own for each look, its protection as libpq has it, and batches of statements.
//!
//! A session is driven by whoever uses it: dropped at any point, it leaves no connection and no task behind. What may
//! still run in the server then ends by its `statement_timeout`, or earlier by [`PostgresClients::cancel`].

mod negotiate;
mod problems;
mod session;
mod stream;

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::Deserialize;
use tokio::net::UnixStream;
use tokio_postgres::CancelToken;
use tokio_postgres::config::{Config, SslMode as Negotiated, SslNegotiation};

pub use problems::timed_out;
pub use session::{Batch, Refused, Row, Session};

use super::net::{Network, mute};
use super::tls::{Certificate, Check, ClientIdentity, Keys, TlsConfigs};
use super::words::shortened;
use crate::model::Failure;
use crate::secret::Secret;
use stream::{Settled, Transport, Watched};

/// What our sessions are called in the server's lists.
const APPLICATION_NAME: &str = "roundsman";

/// How the settings of a database are called.
const KEYS: Keys = Keys {
    host: "host",
    ca_file: "ca_file",
    client: Some("`client_cert` and `client_key`"),
    without: "set `ssl_mode: disable`",
};

/// How the connection to PostgreSQL is protected, as libpq has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SslMode {
    /// Never.
    Disable,
    /// Where the server offers it; the certificate is not checked.
    #[default]
    Prefer,
    /// Always; the certificate is checked only where there is a `ca_file`, as `verify-ca` does.
    Require,
    /// The certificate must come from a known authority.
    VerifyCa,
    /// And it must be for this host.
    VerifyFull,
}

impl SslMode {
    /// As it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

/// Where to log in, and as whom.
#[derive(Debug, Clone)]
pub struct Login<'a> {
    /// A name, an address, or the folder of a local socket, which begins with `/`.
    pub host: &'a str,
    /// The port; part of the name of a local socket.
    pub port: u16,
    /// The database.
    pub database: &'a str,
    /// Who we are.
    pub username: &'a str,
    /// How we prove it, where that is wanted.
    pub password: Option<&'a Secret>,
    /// How the connection is protected.
    pub ssl_mode: SslMode,
    /// The authorities that are trusted; otherwise the system's.
    pub ca_file: Option<&'a Path>,
    /// Our certificate.
    pub client: Option<ClientIdentity>,
}

impl Login<'_> {
    /// The host and port, or the socket, for people.
    #[must_use]
    pub fn place(&self) -> String {
        match self.host {
            host if host.starts_with('/') => self.socket(),
            host if host.contains(':') && !host.starts_with('[') => {
                format!("[{host}]:{}", self.port)
            }
            host => format!("{host}:{}", self.port),
        }
    }

    /// Whether it is a socket on this machine, which is never protected.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.host.starts_with('/')
    }

    /// What is checked of the server's certificate.
    #[must_use]
    pub fn check(&self) -> Check {
        match self.ssl_mode {
            SslMode::Require if self.ca_file.is_some() => Check::Chain,
            SslMode::Disable | SslMode::Prefer | SslMode::Require => Check::Nothing,
            SslMode::VerifyCa => Check::Chain,
            SslMode::VerifyFull => Check::Full,
        }
    }

    fn socket(&self) -> String {
        format!("{}/.s.PGSQL.{}", self.host.trim_end_matches('/'), self.port)
    }
}

/// A step on the way to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// From the name to addresses.
    Dns,
    /// To an open connection.
    Connect,
    /// The request for TLS, which a server answers before it does anything else.
    Greeting,
    /// The handshake.
    Tls,
    /// From the first message to the server's being ready.
    Login,
    /// Asking.
    Queries,
}

/// How far a look came; it outlives one that was dropped at its deadline.
pub struct Trace {
    began: Instant,
    /// The step it is in.
    pub phase: Phase,
    /// The address that the connection goes to.
    pub address: Option<SocketAddr>,
    /// `None`: the connection is not protected.
    pub tls_version: Option<rustls::ProtocolVersion>,
    /// The server's certificate.
    pub certificate: Option<Certificate>,
    /// Why the connection is not protected although the server offers it.
    pub fallback: Option<String>,
    /// From the beginning to the server's being ready.
    pub logged_in_after: Option<Duration>,
    /// What the server says its version is.
    pub server_version: Option<String>,
    /// With what its running statement can be stopped.
    cancel: Option<CancelToken>,
}

impl Trace {
    /// The trace of a look that begins now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
            phase: Phase::Dns,
            address: None,
            tls_version: None,
            certificate: None,
            fallback: None,
            logged_in_after: None,
            server_version: None,
            cancel: None,
        }
    }

    /// `15` of `15.4 (Debian …)`.
    #[must_use]
    pub fn major_version(&self) -> Option<u32> {
        let version = self.server_version.as_ref()?;
        let end = version.find(|c: char| !c.is_ascii_digit());
        version[..end.unwrap_or(version.len())].parse().ok()
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
    }
}

impl Default for Trace {
    fn default() -> Self {
        Self::new()
    }
}

/// What sessions share: the DNS cache and the TLS set-up. Cheap to clone.
#[derive(Clone)]
pub struct PostgresClients {
    network: Network,
    tls: TlsConfigs,
}

/// Why there is no session, and whether it may be tried without protection, as `prefer` has it.
struct NotOpened {
    failure: Failure,
    without_tls: bool,
}

impl From<Failure> for NotOpened {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            without_tls: false,
        }
    }
}

impl PostgresClients {
    /// Makes them. Does no I/O.
    #[must_use]
    pub fn new(network: Network, tls: TlsConfigs) -> Self {
        Self { network, tls }
    }

    /// Connects and logs in. Takes as long as the server does: the deadline is the caller's.
    ///
    /// # Errors
    /// The server cannot be reached, does not speak PostgreSQL, or does not let us in.
    pub async fn open(&self, login: &Login<'_>, trace: &mut Trace) -> Result<Session, Failure> {
        let first = match self.try_open(login, trace).await {
            Ok(session) => return Ok(session),
            Err(first) => first,
        };
        if login.ssl_mode != SslMode::Prefer || !first.without_tls {
            return Err(first.failure);
        }
        // As libpq: `prefer` is no protection, and an old server whose TLS is broken can still be watched.
        let plain = Login {
            ssl_mode: SslMode::Disable,
            ..login.clone()
        };
        (trace.tls_version, trace.certificate) = (None, None);
        match self.try_open(&plain, trace).await {
            Ok(session) => {
                trace.fallback = Some(first.failure.message);
                Ok(session)
            }
            // It was turned away in both ways: the first says more.
            Err(second) if second.failure.kind == first.failure.kind => Err(first.failure),
            Err(second) => Err(second.failure),
        }
    }

    async fn try_open(&self, login: &Login<'_>, trace: &mut Trace) -> Result<Session, NotOpened> {
        let transport = self.connect(login, trace).await?;
        let is_protected = matches!(transport, Transport::Tls(_));
        trace.enter(Phase::Login);
        let mut config = Config::new();
        config
            .user(login.username)
            .dbname(login.database)
            .application_name(APPLICATION_NAME)
            // The protection is settled: the library is told that it need not ask for any.
            .ssl_mode(Negotiated::Require)
            .ssl_negotiation(SslNegotiation::Direct);
        if let Some(password) = login.password {
            config.password(password.expose());
        }
        let logging_in = config.connect_raw(Watched::new(transport), Settled);
        let (client, connection) = Box::pin(logging_in).await.map_err(|error| NotOpened {
            // Only where a rule for unprotected connections may let us in: not with a password that is wrong.
            without_tls: is_protected && problems::is_turned_away(&error),
            failure: problems::login_failed(login, is_protected, &error),
        })?;
        trace.cancel = Some(client.cancel_token());
        trace.logged_in_after = Some(trace.began.elapsed());
        trace.server_version = (connection.parameter("server_version")).map(shortened);
        trace.enter(Phase::Queries);
        Ok(Session::new(login.place(), client, connection))
    }

    async fn connect(&self, login: &Login<'_>, trace: &mut Trace) -> Result<Transport, NotOpened> {
        if login.is_local() {
            trace.enter(Phase::Connect);
            let socket = login.socket();
            let stream = UnixStream::connect(&socket).await;
            let stream = stream.map_err(|error| problems::no_socket(&socket, &error))?;
            return Ok(Transport::Local(stream));
        }
        let addresses = if let Some(address) = trace.address {
            vec![address.ip()]
        } else {
            trace.enter(Phase::Dns);
            self.network.resolve(login.host).await?
        };
        trace.enter(Phase::Connect);
        let (stream, address) = self.network.connect_to(&addresses, login.port).await?;
        trace.address = Some(address);
        if login.ssl_mode == SslMode::Disable {
            return Ok(Transport::Tcp(stream));
        }
        let protected = negotiate::protect(login, &self.tls, stream, trace).await;
        protected.map_err(|refused| NotOpened {
            without_tls: refused.in_handshake,
            failure: refused.failure,
        })
    }

    /// Stops the statement that a look has left running, if any; over a connection like the first, as far as there is
    /// time.
    pub async fn cancel(&self, login: &Login<'_>, trace: &mut Trace, within: Duration) {
        let Some(token) = trace.cancel.take() else {
            return;
        };
        let login = Login {
            ssl_mode: match trace.tls_version {
                Some(_) => login.ssl_mode,
                None => SslMode::Disable,
            },
            ..login.clone()
        };
        let mut again = Trace::new();
        again.address = trace.address;
        let cancelling = async {
            if let Ok(transport) = self.connect(&login, &mut again).await {
                // Nobody answers to it; what cannot be cancelled ends by its time-out.
                let stream = Watched::new(transport);
                token.cancel_query_raw(stream, Settled).await.ok();
            }
        };
        tokio::time::timeout(within, Box::pin(cancelling))
            .await
            .ok();
    }

    /// Which DNS servers did not answer in time.
    #[must_use]
    pub fn mute(&self, host: &str, within: Duration) -> Failure {
        mute(host, &self.network.dns_servers(), within)
    }
}
