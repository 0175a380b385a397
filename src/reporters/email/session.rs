//! A conversation with a mail server (RFC 5321): protected before anything is said that matters, then one mail.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Starttls};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::SendError;
use super::problems::{self, Step};
use super::settings::Protection;
use crate::clients::net::Network;
use crate::clients::tls::{Check, Keys, TlsConfigs, Trust};
use crate::secret::Secret;

/// The ways to log in that we know, the best first. Both send the password itself, which is why there is no login without TLS.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

const KEYS: Keys = Keys {
    host: "host",
    ca_file: "ca_file",
    client: None,
    without: "set `tls: starttls`",
};

/// Where the server is, and how it is spoken to.
pub(super) struct Place<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) protection: Protection,
    pub(super) ca_file: Option<&'a std::path::Path>,
    pub(super) login: Option<(&'a str, &'a Secret)>,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// How far we have come, so that a deadline can say it.
#[derive(Default)]
pub(super) struct Progress(Mutex<Step>);

impl Progress {
    fn to(&self, step: Step) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = step;
    }

    pub(super) fn step(&self) -> Step {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who did not get the mail, and what the server said.
pub(super) struct Refusal {
    pub(super) address: Address,
    pub(super) error: SmtpError,
}

/// Who got the mail, and who did not.
pub(super) struct Outcome {
    pub(super) taken: Vec<Address>,
    pub(super) refused: Vec<Refusal>,
}

/// An open conversation in which we have logged in, where we have a login.
pub(super) struct Session<'a> {
    place: &'a Place<'a>,
    progress: &'a Progress,
    connection: AsyncSmtpConnection,
}

impl<'a> Session<'a> {
    /// Connects, protects the connection as the settings say, and logs in.
    pub(super) async fn open(
        place: &'a Place<'a>,
        network: &Network,
        tls: &TlsConfigs,
        progress: &'a Progress,
    ) -> Result<Self, SendError> {
        progress.to(Step::Connect);
        let connected = network.connect(place.host, place.port).await;
        let (stream, _) = connected.map_err(problems::unreachable)?;
        let wire = Wire(Arc::new(Mutex::new(stream)));
        let stream: Box<dyn AsyncTokioStream> = match place.protection {
            Protection::Implicit => {
                let stream = handshake(place, tls, progress, wire).await?;
                Box::new(Protected {
                    stream,
                    greeting: b"",
                })
            }
            Protection::Starttls => {
                ask_for_tls(place, progress, &wire).await?;
                let stream = handshake(place, tls, progress, wire).await?;
                Box::new(Protected {
                    stream,
                    greeting: b"220 .\r\n",
                })
            }
            Protection::None => Box::new(wire),
        };
        let mut session = Self {
            place,
            progress,
            connection: greet(place, progress, stream).await?,
        };
        if let Some((user, password)) = place.login {
            session.log_in(user, password).await?;
        }
        Ok(session)
    }

    async fn log_in(&mut self, user: &str, password: &Secret) -> Result<(), SendError> {
        self.progress.to(Step::Login);
        let offered = self.connection.server_info();
        if offered.get_auth_mechanism(&MECHANISMS).is_none() {
            return Err(problems::no_login_offered(self.place));
        }
        let credentials = Credentials::new(user.to_owned(), password.expose().to_owned());
        match self.connection.auth(&MECHANISMS, &credentials).await {
            Ok(_) => Ok(()),
            Err(error) => Err(problems::failed(self.place, Step::Login, &error)),
        }
    }

    /// Hands over one mail to all whom the server takes it for. That some are refused is no error as long as one is not.
    pub(super) async fn send(
        &mut self,
        from: &Address,
        to: &[Address],
        mail: &[u8],
    ) -> Result<Outcome, SendError> {
        let mut outcome = Outcome {
            taken: Vec::new(),
            refused: Vec::new(),
        };
        let mut parameters = Vec::new();
        let mut addresses = to.iter().chain([from]);
        if !addresses.all(|address| <Address as AsRef<str>>::as_ref(address).is_ascii()) {
            let offered = self.connection.server_info();
            if !offered.supports_feature(Extension::SmtpUtfEight) {
                return Err(problems::ascii_only(self.place));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let sender = Mail::new(Some(from.clone()), parameters);
        self.command(Step::Sender, sender).await?;
        self.progress.to(Step::Recipient);
        for address in to {
            let asked = Rcpt::new(address.clone(), Vec::new());
            match self.connection.command(asked).await {
                Ok(_) => outcome.taken.push(address.clone()),
                Err(error) if problems::is_about_one(&error) => outcome.refused.push(Refusal {
                    address: address.clone(),
                    error,
                }),
                Err(error) => return Err(problems::failed(self.place, Step::Recipient, &error)),
            }
        }
        if outcome.taken.is_empty() {
            return Ok(outcome);
        }
        self.command(Step::Data, Data).await?;
        self.progress.to(Step::Content);
        let taken = self.connection.message(mail).await;
        taken.map_err(|error| problems::failed(self.place, Step::Content, &error))?;
        Ok(outcome)
    }

    /// Takes leave, as far as the server listens: what it took it keeps either way.
    pub(super) async fn close(mut self) {
        self.connection.quit().await.ok();
    }

    async fn command(&mut self, step: Step, command: impl fmt::Display) -> Result<(), SendError> {
        self.progress.to(step);
        match self.connection.command(command).await {
            Ok(_) => Ok(()),
            Err(error) => Err(problems::failed(self.place, step, &error)),
        }
    }
}

/// The server's greeting and ours.
async fn greet(
    place: &Place<'_>,
    progress: &Progress,
    stream: Box<dyn AsyncTokioStream>,
) -> Result<AsyncSmtpConnection, SendError> {
    progress.to(Step::Greeting);
    let greeted = AsyncSmtpConnection::connect_with_transport(stream, &ClientId::default()).await;
    greeted.map_err(|error| problems::failed(place, Step::Greeting, &error))
}

/// Has the server agree to TLS (RFC 3207). What it said before that is forgotten, and so is whatever came behind its
/// agreement: it was not protected.
async fn ask_for_tls(place: &Place<'_>, progress: &Progress, wire: &Wire) -> Result<(), SendError> {
    let mut plain = greet(place, progress, Box::new(wire.clone())).await?;
    if !plain.can_starttls() {
        plain.quit().await.ok();
        return Err(problems::no_tls_offered(place));
    }
    progress.to(Step::Starttls);
    let agreed = plain.command(Starttls).await;
    agreed.map_err(|error| problems::failed(place, Step::Starttls, &error))?;
    Ok(())
}

async fn handshake(
    place: &Place<'_>,
    tls: &TlsConfigs,
    progress: &Progress,
    wire: Wire,
) -> Result<TlsStream<Wire>, SendError> {
    progress.to(Step::Handshake);
    let trust = Trust {
        check: Check::Full,
        ca_file: place.ca_file.map(Into::into),
        only_ca_file: false,
        client: None,
        protocols: &[],
        keys: KEYS,
    };
    let config = tls.config(&trust).map_err(problems::no_trust)?;
    let name = ServerName::try_from(place.host.trim_end_matches('.').to_owned());
    let name = name.map_err(|_| problems::no_name(place))?;
    let connected = Box::pin(TlsConnector::from(config).connect(name, wire)).await;
    connected.map_err(|error| problems::handshake(place, &KEYS, &error))
}

/// A TCP connection that the plain part of a conversation and TLS after it use in turn, never both at once.
#[derive(Debug, Clone)]
struct Wire(Arc<Mutex<TcpStream>>);

impl Wire {
    fn with<T>(&self, work: impl FnOnce(Pin<&mut TcpStream>) -> T) -> T {
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(Pin::new(&mut *stream))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_read(context, buffer))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.with(|stream| stream.poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_shutdown(context))
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.with(|stream| stream.peer_addr())
    }
}

/// A protected connection. After STARTTLS the server does not greet again, but the library waits for a greeting before it
/// speaks: then it reads this one.
#[derive(Debug)]
struct Protected {
    stream: TlsStream<Wire>,
    greeting: &'static [u8],
}

impl AsyncRead for Protected {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.greeting.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let length = self.greeting.len().min(buffer.remaining());
        let (now, later) = self.greeting.split_at(length);
        buffer.put_slice(now);
        self.greeting = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Protected {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl AsyncTokioStream for Protected {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.get_ref().0.peer_addr()
    }
}
