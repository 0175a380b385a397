//! One attempt to get a session: over the hosts in between, through the key exchange and the check of the host key,
//! to the login.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use russh::client::{Config, Handle};
use russh::keys::ssh_key::{Algorithm, PublicKey};
use russh::{AlgorithmKind, ChannelOpenFailure, Error, Preferred, SshId, cipher, compression};
use tokio::io::BufReader;
use tokio::net::TcpStream;
use tokio::time::timeout_at;

use super::handler::{Guard, Notes};
use super::host_keys::{Judgement, Lookup, Store, is_of_type};
use super::login::Login;
use super::place::Place;
use super::problems::{self, Step};
use super::sessions::Sessions;
use super::settings::SshSettings;
use super::shared::{Shared, Use};
use super::wire::{Carrier, Leash, Record, Wire};
use crate::clients::net;
use crate::model::Failure;

/// What we call ourselves (RFC 4253 §4.2).
const CLIENT_ID: &str = concat!("SSH-2.0-roundsman_", env!("CARGO_PKG_VERSION"));

/// How often a server that says nothing is asked whether it is still there, and how often it may fail to answer.
const KEEPALIVE: Duration = Duration::from_secs(15);
const MOST_MISSED_KEEPALIVES: usize = 3;

/// How much is read at once: most answers come as many small packets.
const READ_AT_ONCE: usize = 16 * 1024;

/// By speed; all are safe. The first two are done by our crypto library with the processor's help.
const CIPHERS: &[cipher::Name] = &[
    cipher::AES_256_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];

/// An open connection that we are logged in over. It ends when the last one drops it.
pub(super) struct Connection {
    /// Before the leash, so that the session ends in form where it can.
    handle: Handle<Guard>,
    pub(super) place: String,
    pub(super) record: Record,
    /// Whether it did not answer, so that a new one is better.
    is_given_up: AtomicBool,
    /// How many commands may run at once.
    pub(super) sessions: Sessions,
    _leash: Leash,
    _through: Option<Arc<Connection>>,
}

/// Why a channel was not opened.
pub(super) enum NotOpened {
    /// The connection is gone.
    Gone,
    /// No answer in time.
    NoAnswer,
    /// The server does not want to.
    Refused(ChannelOpenFailure),
}

impl Connection {
    pub(super) fn is_alive(&self) -> bool {
        !self.handle.is_closed()
            && !self.record.has_ended()
            && !self.is_given_up.load(Ordering::Relaxed)
    }

    /// It does not answer: the next look is to make a new one.
    pub(super) fn give_up(&self) {
        self.is_given_up.store(true, Ordering::Relaxed);
    }

    pub(super) fn handle(&self) -> &Handle<Guard> {
        &self.handle
    }
}

/// One attempt.
pub(super) struct Attempt<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) settings: &'a SshSettings,
    pub(super) round_began: Instant,
    pub(super) deadline: tokio::time::Instant,
    /// For messages.
    pub(super) timeout: Duration,
}

/// What carries the session, and the connection that carries that.
type Way = (Box<dyn Carrier>, Option<Arc<Connection>>);

/// A key exchange that is done.
struct Met {
    handle: Handle<Guard>,
    record: Record,
    notes: Notes,
    leash: Leash,
    through: Option<Arc<Connection>>,
}

impl Attempt<'_> {
    /// Makes the connection and logs in.
    pub(super) async fn run(&self) -> Result<Connection, Failure> {
        let place = self.settings.place();
        let shown = place.with_port();
        // Before anything is sent: without a key there is nothing to do there.
        let reading = self
            .shared
            .keys
            .for_server(self.settings, &self.shared.around);
        let identities = timeout_at(self.deadline, reading).await.map_err(|_| {
            Failure::ours("reading the keys took too long").hint("look at the disk they lie on")
        })??;
        let mut met = self.meet(&place, &shown).await?;
        self.learn(&place, &met).await?;
        let login = Login {
            handle: &mut met.handle,
            place: &shown,
            username: self.settings.username(),
            notes: &met.notes,
            record: &met.record,
            offered: Vec::new(),
            left_out: 0,
            no_agent: None,
        };
        (timeout_at(self.deadline, login.run(&identities)).await)
            .map_err(|_| problems::no_answer(Step::Login, &shown, self.timeout))??;
        Ok(Connection {
            handle: met.handle,
            place: shown,
            record: met.record,
            is_given_up: AtomicBool::new(false),
            sessions: Sessions::new(),
            _leash: met.leash,
            _through: met.through,
        })
    }

    /// To a server whose key is accepted. Where a key is pinned by its fingerprint, its type is not known: a server
    /// with several is asked for one type after the other until it shows that one.
    async fn meet(&self, place: &Place, shown: &str) -> Result<Met, Failure> {
        let lookup = Arc::new(self.lookup(place).await?);
        let mut types = lookup.preferred();
        let mut not_pinned = None;
        loop {
            let unmet = match self.meet_with(place, shown, &lookup, &types).await {
                Ok(met) => return Ok(met),
                Err(unmet) => unmet,
            };
            let Some((other, Judgement::NotPinned(_))) = unmet.shown else {
                // Only a server that has no other key has shown all that it has: whatever else ends a later
                // connection says nothing about the key.
                return Err(match not_pinned {
                    Some(failure) if unmet.lacks_types => failure,
                    _ => unmet.failure,
                });
            };
            types.retain(|one| !is_of_type(&other.algorithm(), one));
            if types.is_empty() {
                return Err(unmet.failure);
            }
            not_pinned.get_or_insert(unmet.failure);
        }
    }

    /// What is recorded about a server.
    async fn lookup(&self, place: &Place) -> Result<Lookup, Failure> {
        let (files, around) = (&self.shared.files, &self.shared.around);
        let reading = files.lookup(self.settings, place, around, self.shared.clock.now());
        timeout_at(self.deadline, reading).await.map_err(|_| {
            Failure::ours("reading the files of known hosts took too long")
                .hint("look at the disk they lie on")
        })
    }

    /// The same, asking for these types of host keys.
    async fn meet_with(
        &self,
        place: &Place,
        shown: &str,
        lookup: &Arc<Lookup>,
        types: &[Algorithm],
    ) -> Result<Met, Unmet> {
        let (carrier, through) = self.way(place, shown).await?;
        let (wire, record, leash) = Wire::new(carrier);
        let accept_new = self.settings.accept_new == Some(true);
        let (guard, notes) = Guard::new(Arc::clone(lookup), accept_new);
        let config = config(types, lookup.wants_certificates());
        let meeting = russh::client::connect_stream(config, wire, guard);
        // The handshake's future is large and short-lived.
        let outcome = timeout_at(self.deadline, Box::pin(meeting)).await;
        let error = match outcome {
            Ok(Ok(handle)) => {
                return Ok(Met {
                    handle,
                    record,
                    notes,
                    leash,
                    through,
                });
            }
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        let learnt = notes.get();
        if let Some(failure) =
            problems::host_key_refused(place, &learnt, &lookup.unread, accept_new)
        {
            return Err(Unmet {
                failure,
                shown: learnt.host_key,
                lacks_types: false,
            });
        }
        let seen = record.seen();
        let lacks_types = matches!(
            error,
            Some(Error::NoCommonAlgo {
                kind: AlgorithmKind::Key,
                ..
            })
        );
        Err(Unmet {
            failure: match error {
                Some(error) => problems::handshake_failed(shown, &error, &seen),
                None => problems::no_handshake(shown, &seen, self.timeout),
            },
            shown: None,
            lacks_types,
        })
    }

    /// The host key that a server shows when it is asked for one of these types, and what it is to us; nothing where
    /// it has none. Nobody logs in.
    pub(super) async fn show(
        &self,
        place: &Place,
        types: &[Algorithm],
    ) -> Result<Option<(PublicKey, Judgement)>, Failure> {
        let lookup = self.lookup(place).await?;
        match self
            .meet_with(place, &place.with_port(), &Arc::new(lookup), types)
            .await
        {
            Ok(met) => Ok(met.notes.get().host_key),
            Err(unmet) if unmet.shown.is_some() || unmet.lacks_types => Ok(unmet.shown),
            Err(unmet) => Err(unmet.failure),
        }
    }

    /// To the server's port: directly, or through the host before it.
    async fn way(&self, place: &Place, shown: &str) -> Result<Way, Failure> {
        let hop = self.settings.last_hop().map_err(|part| {
            Failure::ours(format!("`{part}` is no host to go through"))
                .hint("write `jump` as `user@host:port`")
        })?;
        let Some(hop) = hop else {
            let stream = self.connect(place, shown).await?;
            // The library reads each packet in two parts, which would be two calls of the system.
            let buffered = BufReader::with_capacity(READ_AT_ONCE, stream);
            return Ok((Box::new(buffered), None));
        };
        let before = Box::pin(self.shared.connection(
            &hop,
            Use::Way,
            self.round_began,
            self.deadline,
            self.timeout,
        ));
        let before = before.await.map_err(|mut failure| {
            failure.message = format!("on the way to `{shown}`: {}", failure.message);
            failure
        })?;
        let (host, port) = (place.host.clone(), u32::from(place.port));
        // Who asks is of no interest to anybody, and a port of ours would be a lie.
        let opening = before
            .handle()
            .channel_open_direct_tcpip(host, port, "127.0.0.1", 0);
        match timeout_at(self.deadline, opening).await {
            Ok(Ok(channel)) => Ok((Box::new(channel.into_stream()), Some(before))),
            Ok(Err(error)) => Err(problems::no_way_on(&before.place, shown, &error)),
            Err(_) => {
                let what = format!("{shown}` through `{}", before.place);
                Err(problems::no_answer(Step::Connect, &what, self.timeout))
            }
        }
    }

    async fn connect(&self, place: &Place, shown: &str) -> Result<TcpStream, Failure> {
        let network = &self.shared.network;
        let addresses = timeout_at(self.deadline, network.resolve(&place.host)).await;
        let addresses = addresses
            .map_err(|_| net::mute(&place.host, &network.dns_servers(), self.timeout))??;
        let connecting = timeout_at(self.deadline, network.connect_to(&addresses, place.port));
        let (stream, _) = connecting
            .await
            .map_err(|_| problems::no_answer(Step::Connect, shown, self.timeout))??;
        Ok(stream)
    }

    /// Records a key that was never seen, where that was asked for.
    async fn learn(&self, place: &Place, met: &Met) -> Result<(), Failure> {
        let Some((key, Judgement::New)) = met.notes.get().host_key else {
            return Ok(());
        };
        let store = Store::of(&self.shared.around);
        // The other half is for the login, or for those who tell of it.
        let left = self.deadline - tokio::time::Instant::now();
        let keys = [key];
        let recording = store.record(place, &keys, false, left / 2);
        timeout_at(self.deadline, recording)
            .await
            .map_err(|_| {
                Failure::ours("recording a new host key took too long")
                    .hint("look at the disk that our data folder lies on")
            })?
            .map_err(|error| {
                Failure::ours(format!("cannot record a new host key: {error}")).hint(format!(
                    "{}; or confirm the key by hand: `accept_new` needs to write",
                    error.hint()
                ))
            })
    }
}

/// No key exchange came about.
struct Unmet {
    failure: Failure,
    /// The host key that was not accepted.
    shown: Option<(PublicKey, Judgement)>,
    /// Whether the server has no host key of the types that it was asked for.
    lacks_types: bool,
}

impl From<Failure> for Unmet {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            shown: None,
            lacks_types: false,
        }
    }
}

/// How we speak to a server.
pub(super) fn config(types: &[Algorithm], with_certificates: bool) -> Arc<Config> {
    let certificates = if with_certificates { types } else { &[] };
    Arc::new(Config {
        client_id: SshId::Standard(Cow::Borrowed(CLIENT_ID)),
        preferred: Preferred {
            key: types.to_vec().into(),
            host_key_certificates: certificates.to_vec().into(),
            cipher: Cow::Borrowed(CIPHERS),
            compression: Cow::Borrowed(&[compression::NONE]),
            ..Preferred::DEFAULT
        },
        keepalive_interval: Some(KEEPALIVE),
        keepalive_max: MOST_MISSED_KEEPALIVES,
        nodelay: true,
        ..Config::default()
    })
}
