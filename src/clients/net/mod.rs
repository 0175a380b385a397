//! Names and connections: from a host and a port to an open TCP connection, with who is to blame where there is none.

pub(crate) mod blame;
mod connect;
mod dns;
pub mod outside;
pub mod own_network;
mod port;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpStream;

pub use dns::ResolverSettings;
pub(crate) use dns::mute;
pub use outside::outside_host;
pub use port::{Port, host_and_port};

use crate::model::Failure;

/// What connections share: the DNS cache. Cheap to clone.
#[derive(Clone)]
pub struct Network {
    dns: Arc<dns::Dns>,
}

impl Network {
    /// Names are looked up as the system does. Does no I/O.
    #[must_use]
    pub fn new() -> Self {
        Self::with_resolver(ResolverSettings::default())
    }

    /// Names are looked up as told. Does no I/O.
    #[must_use]
    pub fn with_resolver(settings: ResolverSettings) -> Self {
        Self {
            dns: Arc::new(dns::Dns::new(settings)),
        }
    }

    /// The addresses of a host, which may be one already, in brackets too; in the order to try them.
    ///
    /// # Errors
    /// The name has none (`unreachable`), or nobody could tell (`ours`).
    pub async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        match without_brackets(host).parse() {
            Ok(address) => Ok(vec![address]),
            Err(_) => self.dns.resolve(host).await,
        }
    }

    /// Connects to a host, over whichever of its addresses answers first. Takes as long as the system does: the
    /// deadline is the caller's.
    ///
    /// # Errors
    /// See [`Self::resolve`]; or none of the addresses answers.
    pub async fn connect(&self, host: &str, port: u16) -> Result<(TcpStream, SocketAddr), Failure> {
        self.connect_to(&self.resolve(host).await?, port).await
    }

    /// Connects to whichever of these addresses answers first.
    ///
    /// # Errors
    /// None of them answers.
    pub async fn connect_to(
        &self,
        addresses: &[IpAddr],
        port: u16,
    ) -> Result<(TcpStream, SocketAddr), Failure> {
        connect::connect(addresses, port).await
    }

    /// Which DNS servers are asked, for messages.
    #[must_use]
    pub fn dns_servers(&self) -> String {
        self.dns.servers()
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

/// `[::1]` as it stands before a port, or any other host as it is.
fn without_brackets(host: &str) -> &str {
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    inner.unwrap_or(host)
}
