//! What sessions share: one connection for each server, kept between rounds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::timeout_at;

use super::connect::{Attempt, Connection};
use super::host_keys::Files;
use super::identity::Keys;
use super::settings::SshSettings;
use crate::clients::Surroundings;
use crate::clients::net::Network;
use crate::clock::Clock;
use crate::model::{Failure, FailureKind};

/// See [`super::SshClients`].
pub(super) struct Shared {
    pub(super) network: Network,
    pub(super) around: Surroundings,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) keys: Keys,
    pub(super) files: Arc<Files>,
    servers: Mutex<HashMap<SshSettings, Arc<tokio::sync::Mutex<Server>>>>,
}

/// What there is for one server. Who holds it is making an attempt; the others wait for its outcome.
#[derive(Default)]
struct Server {
    connection: Option<Arc<Connection>>,
    /// When it was last asked for.
    asked: Option<Instant>,
    last: Option<LastAttempt>,
}

struct LastAttempt {
    began: Instant,
    outcome: Outcome,
}

/// What a connection is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// To go on to other hosts: that needs none of the server's sessions.
    Way,
    /// To run commands, or to reach sockets.
    Commands,
}

enum Outcome {
    /// It is not over, or was dropped before it was.
    Open,
    Connected,
    Failed(Failure),
}

/// After this a server is forgotten that nobody asks for any more: its target may be gone.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(24);

/// Whether somebody uses a server, or has done so not long ago.
fn is_wanted(server: &Arc<tokio::sync::Mutex<Server>>) -> bool {
    if Arc::strong_count(server) > 1 {
        return true;
    }
    let Ok(server) = server.try_lock() else {
        return true;
    };
    let is_recent = server
        .asked
        .is_none_or(|asked| asked.elapsed() < FORGOTTEN_AFTER);
    // Others may go on over it.
    is_recent || (server.connection.as_ref()).is_some_and(|one| Arc::strong_count(one) > 1)
}

impl Shared {
    pub(super) fn new(network: Network, around: Surroundings, clock: Arc<dyn Clock>) -> Self {
        Self {
            network,
            around,
            clock,
            keys: Keys::default(),
            files: Arc::default(),
            servers: Mutex::default(),
        }
    }

    /// The connection to a server: the one that is alive, or a new one, for which at most one attempt is made in each
    /// round. `timeout` is what `deadline` was made of, for messages.
    pub(super) async fn connection(
        self: &Arc<Self>,
        settings: &SshSettings,
        wanted: Use,
        round_began: Instant,
        deadline: tokio::time::Instant,
        timeout: Duration,
    ) -> Result<Arc<Connection>, Failure> {
        let server = {
            let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
            servers.retain(|_, server| is_wanted(server));
            Arc::clone(servers.entry(settings.written_out()).or_default())
        };
        let place = || settings.place().with_port();
        let Ok(mut server) = timeout_at(deadline, server.lock()).await else {
            let message = format!(
                "another look's login at `{}` did not end within {} ms",
                place(),
                timeout.as_millis()
            );
            return Err(
                Failure::new(FailureKind::TimedOut, message).hint("that look says how far it came")
            );
        };
        server.asked = Some(Instant::now());
        let has_tried = (server.last.as_ref()).is_some_and(|last| last.began >= round_began);
        server.connection.take_if(|one| !one.is_alive());
        if let Some(connection) = &server.connection
            && (wanted == Use::Way || has_tried || !connection.sessions.are_used_up())
        {
            return Ok(Arc::clone(connection));
        }
        if has_tried && let Some(last) = &server.last {
            let given = |kind, why: &str, hint: &str| {
                Failure::new(kind, format!("{why} `{}`", place())).hint(hint)
            };
            return Err(match &last.outcome {
                Outcome::Failed(failure) => failure.clone(),
                Outcome::Connected => given(
                    FailureKind::Unreachable,
                    "the connection was lost right after the login at",
                    "look at the log of its sshd, and whether the machine was restarted",
                ),
                Outcome::Open => given(
                    FailureKind::TimedOut,
                    "time was up in the middle of the login at",
                    "the machine may be overloaded: log in and look at it",
                ),
            });
        }
        server.last = Some(LastAttempt {
            began: Instant::now(),
            outcome: Outcome::Open,
        });
        let attempt = Attempt {
            shared: self,
            settings,
            round_began,
            deadline,
            timeout,
        };
        let outcome = Box::pin(attempt.run()).await.map(Arc::new);
        if let Some(last) = &mut server.last {
            last.outcome = match &outcome {
                Ok(_) => Outcome::Connected,
                Err(failure) => Outcome::Failed(failure.clone()),
            };
        }
        // One that is only short of sessions stays as it is until there is a better one.
        if let Ok(connection) = &outcome {
            server.connection = Some(Arc::clone(connection));
        }
        outcome
    }
}
