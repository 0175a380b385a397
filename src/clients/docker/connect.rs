//! From a place to an open connection.

use std::net::IpAddr;
use std::time::Instant;

use rustls::pki_types::ServerName;
use tokio::net::UnixStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::exchange::{Engine, Stream};
use super::problems::{self, Secured};
use super::{Deadline, DockerClients, Place, ssh};
use crate::clients::net::mute;
use crate::clients::tls::Trust;
use crate::clients::tls::problems::handshake_failed;
use crate::model::{Failure, FailureKind};

impl DockerClients {
    /// Opens a connection to an engine.
    ///
    /// # Errors
    /// It cannot be reached in time, or one of us does not trust the other.
    pub async fn connect(
        &self,
        place: &Place,
        round_began: Instant,
        deadline: Deadline,
    ) -> Result<Engine, Failure> {
        let name = place.to_string();
        let (stream, secured): (Box<dyn Stream>, _) = match place {
            Place::Socket(path) => {
                let opened = timeout(deadline.left(), UnixStream::connect(path)).await;
                let opened = opened.map_err(|_| problems::no_connection(&name, deadline))?;
                let stream = opened.map_err(|error| problems::socket_failed(path, &error))?;
                (Box::new(stream), Secured::No)
            }
            Place::Tcp { host, port, tls } => {
                let stream = self.over_tcp(host, *port, &name, deadline).await?;
                match tls {
                    None => (stream, Secured::No),
                    Some(trust) => {
                        // The handshake's future is large and short-lived.
                        let secured = self.secure(stream, host, &name, trust, deadline);
                        (Box::pin(secured).await?, Secured::of(trust))
                    }
                }
            }
            Place::Ssh { settings, socket } => {
                let through = ssh::open(&self.ssh, settings, socket, round_began, deadline);
                let (stream, pipe) = Box::pin(through).await?;
                let engine = Engine::over(stream, name, Secured::No).await?;
                return Ok(engine.through(pipe));
            }
        };
        Engine::over(stream, name, secured).await
    }

    async fn over_tcp(
        &self,
        host: &str,
        port: u16,
        name: &str,
        deadline: Deadline,
    ) -> Result<Box<dyn Stream>, Failure> {
        let resolved = timeout(deadline.left(), self.network.resolve(host)).await;
        let addresses = resolved
            .map_err(|_| mute(host, &self.network.dns_servers(), deadline.whole))
            .flatten()?;
        let connected = timeout(deadline.left(), self.network.connect_to(&addresses, port));
        match connected.await {
            Ok(connected) => Ok(Box::new(connected?.0)),
            Err(_) => Err(problems::no_connection(name, deadline)),
        }
    }

    async fn secure(
        &self,
        stream: Box<dyn Stream>,
        host: &str,
        name: &str,
        trust: &Trust,
        deadline: Deadline,
    ) -> Result<Box<dyn Stream>, Failure> {
        let config = self.tls.config(trust)?;
        let server = match host.parse::<IpAddr>() {
            Ok(address) => ServerName::from(address),
            Err(_) => {
                ServerName::try_from(host.trim_end_matches('.').to_owned()).map_err(|_| {
                    let message = format!("no certificate can be for `{name}`");
                    Failure::new(FailureKind::Unexpected, message).hint("check the host in `url`")
                })?
            }
        };
        let connecting = TlsConnector::from(config).connect(server, stream);
        match timeout(deadline.left(), connecting).await {
            Ok(Ok(stream)) => Ok(Box::new(stream)),
            Ok(Err(error)) => Err(problems::refused_by_alert(name, Secured::of(trust), &error)
                .unwrap_or_else(|| handshake_failed(name, &trust.keys, &error).0)),
            Err(_) => Err(problems::no_handshake(name, deadline)),
        }
    }
}
