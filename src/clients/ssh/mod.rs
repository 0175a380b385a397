//! Sessions over SSH: one connection for each server, shared by all who look at it and kept between rounds.
//!
//! A server's key is checked before any credential is sent; a login is tried at most once in each round; commands are
//! fixed text and only read. A look may be dropped at any point: its channel is closed, and a connection that nobody
//! holds ends with its task.

mod command;
mod connect;
mod handler;
mod host_keys;
mod identity;
mod login;
mod place;
mod problems;
mod sessions;
mod settings;
mod shared;
mod stream;
mod trust;
mod wire;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use command::{Limits, Output};
pub use place::Place;
pub use settings::{Mistake, SshSettings, is_fingerprint};
pub use stream::{SocketError, SshStream};
pub use trust::{Confirmed, HostKey, HostKeys, OtherKey, Standing};

use crate::clients::Surroundings;
use crate::clients::net::Network;
use crate::clock::SystemClock;
use crate::model::Failure;
use command::Unfinished;
use connect::{Connection, NotOpened};
use shared::{Shared, Use};
use stream::Stream;

/// The sessions of all servers. Cheap to clone.
#[derive(Clone)]
pub struct SshClients {
    shared: Arc<Shared>,
}

/// A session with one server, which those who look at it share. Cheap to clone.
#[derive(Clone)]
pub struct Session {
    shared: Arc<Shared>,
    settings: Arc<SshSettings>,
    round_began: Instant,
    /// The one that is used now: one that proves dead is replaced.
    connection: Arc<Mutex<Arc<Connection>>>,
}

impl SshClients {
    /// Makes them. Does no I/O.
    #[must_use]
    pub fn new(network: Network, surroundings: Surroundings) -> Self {
        Self {
            shared: Arc::new(Shared::new(network, surroundings, Arc::new(SystemClock))),
        }
    }

    /// The session with a server: the one that is there, or a new one. At most one attempt is made for a server in each
    /// round: whoever asks after a failed one gets the same failure.
    ///
    /// # Errors
    /// The server cannot be reached, is not who it was, or does not let us in.
    pub async fn session(
        &self,
        settings: &SshSettings,
        round_began: Instant,
        timeout: Duration,
    ) -> Result<Session, Failure> {
        let deadline = tokio::time::Instant::now() + timeout;
        let connection = self
            .shared
            .connection(settings, Use::Commands, round_began, deadline, timeout)
            .await?;
        Ok(Session {
            shared: Arc::clone(&self.shared),
            settings: Arc::new(settings.clone()),
            round_began,
            connection: Arc::new(Mutex::new(connection)),
        })
    }
}

impl Session {
    /// Runs a command, feeds it `input`, and reads what it gives. The command is fixed text, never a setting: there is
    /// no quoting. It must only read: over a connection that proves dead it is tried a second time.
    ///
    /// # Errors
    /// No complete answer within the limits.
    pub async fn run(
        &self,
        command: &str,
        input: &[u8],
        limits: &Limits,
    ) -> Result<Output, Failure> {
        match self.run_as_far(command, input, limits).await {
            (output, None) => Ok(output),
            (_, Some(failure)) => Err(failure),
        }
    }

    /// As [`Self::run`], with what had come before it failed.
    pub async fn run_as_far(
        &self,
        command: &str,
        input: &[u8],
        limits: &Limits,
    ) -> (Output, Option<Failure>) {
        let deadline = tokio::time::Instant::now() + limits.timeout;
        let mut output = Output::default();
        let mut connection = self.current();
        let mut is_second = false;
        loop {
            let running = connection.run(command, input, limits, deadline, &mut output);
            let unfinished = match running.await {
                Ok(()) => return (output, None),
                Err(unfinished) => unfinished,
            };
            match self
                .instead(&connection, unfinished, is_second, deadline, limits.timeout)
                .await
            {
                Ok(next) => (connection, is_second) = (next, true),
                Err(failure) => return (output, Some(failure)),
            }
        }
    }

    /// A connection to a socket on the server (`direct-streamlocal@openssh.com`).
    ///
    /// # Errors
    /// The server does not allow it, or nothing answers there.
    pub async fn open_socket(
        &self,
        path: &str,
        timeout: Duration,
    ) -> Result<Box<dyn SshStream>, SocketError> {
        let deadline = tokio::time::Instant::now() + timeout;
        let mut connection = self.current();
        let mut is_second = false;
        loop {
            let (through, to) = (Arc::clone(&connection), path.to_owned());
            let opening = async move { through.handle().channel_open_direct_streamlocal(to).await };
            match command::open(opening, deadline).await {
                Ok(channel) => return Ok(Box::new(Stream::to_socket(channel, &connection))),
                Err(NotOpened::Refused(why)) => {
                    return Err(stream::refused(&connection.place, path, &why));
                }
                Err(NotOpened::NoAnswer) => {
                    connection.give_up();
                    let step = problems::Step::Channel;
                    let failure = problems::no_answer(step, &connection.place, timeout);
                    return Err(SocketError::Failed(failure));
                }
                Err(NotOpened::Gone) if is_second => {
                    return Err(SocketError::Failed(connection.lost()));
                }
                Err(NotOpened::Gone) => {
                    connection =
                        (self.again(deadline, timeout).await).map_err(SocketError::Failed)?;
                    is_second = true;
                }
            }
        }
    }

    /// A command whose standard input and output are a connection. Its standard error is not read.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn pipe(
        &self,
        command: &str,
        timeout: Duration,
    ) -> Result<Box<dyn SshStream>, Failure> {
        let deadline = tokio::time::Instant::now() + timeout;
        let mut connection = self.current();
        let mut is_second = false;
        loop {
            let unfinished = match connection.pipe(command, deadline, timeout).await {
                Ok(allowed) => return Ok(Box::new(Stream::to_command(allowed, &connection))),
                Err(unfinished) => unfinished,
            };
            let next = self.instead(&connection, unfinished, is_second, deadline, timeout);
            (connection, is_second) = (next.await?, true);
        }
    }

    fn current(&self) -> Arc<Connection> {
        let held = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&held)
    }

    /// Another connection to try over what could not begin over this one; a failure where that is of no use.
    async fn instead(
        &self,
        connection: &Arc<Connection>,
        unfinished: Unfinished,
        is_second: bool,
        deadline: tokio::time::Instant,
        timeout: Duration,
    ) -> Result<Arc<Connection>, Failure> {
        match unfinished {
            Unfinished::Failed(failure) => Err(failure),
            Unfinished::Refused(failure) if is_second => Err(failure),
            Unfinished::Gone if is_second => Err(connection.lost()),
            Unfinished::Gone => self.again(deadline, timeout).await,
            // Where this round has made its attempt already, it stays the same, and the refusal says more.
            Unfinished::Refused(failure) => match self.again(deadline, timeout).await {
                Ok(next) if !Arc::ptr_eq(&next, connection) => Ok(next),
                _ => Err(failure),
            },
        }
    }

    /// Another connection in the place of one that proved dead, such as after the server was restarted.
    async fn again(
        &self,
        deadline: tokio::time::Instant,
        timeout: Duration,
    ) -> Result<Arc<Connection>, Failure> {
        let next = self.shared.connection(
            &self.settings,
            Use::Commands,
            self.round_began,
            deadline,
            timeout,
        );
        let next = next.await?;
        let mut held = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *held = Arc::clone(&next);
        Ok(next)
    }
}
