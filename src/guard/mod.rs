//! Between the rounds and the pipeline: tells hosts that are down from a network of our own that is.
//!
//! When at least three hosts outside fall silent together, the gateway and the hosts that reports go to are asked. If they
//! are gone too, the looks are UNKNOWN, with one self-alert, not RED. What cannot be told stays as it was seen.

mod once;
mod silences;
mod state;
#[cfg(test)]
mod timelines;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use state::State;

use crate::clients::net::Network;
use crate::clients::net::outside::is_private;
use crate::clients::net::own_network::{Standing, standing};
use crate::clock::{Clock, milliseconds};
use crate::model::{Outage, RoundEvent, TargetId};

pub use once::turn_round;

/// While our network is down, how often it is asked though nothing comes in.
const ASKED_EVERY: Duration = Duration::from_secs(30);

/// How long it is waited for at the end: a daemon that is to stop has little time.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// How long a name may take that tells where its host is.
const PLACED_WITHIN: Duration = Duration::from_secs(1);

/// How many such names are looked up at once.
const PLACED_AT_ONCE: usize = 8;

/// What the guard must know of a configuration.
#[derive(Default)]
pub struct Watched {
    hosts: HashMap<TargetId, Arc<str>>,
    distinct: HashSet<Arc<str>>,
    /// Where reports go.
    endpoints: Vec<(String, u16)>,
    is_on: bool,
}

impl Watched {
    /// The targets with the hosts outside that they are at, and where reports go.
    pub fn new(
        targets: impl IntoIterator<Item = (TargetId, String)>,
        endpoints: Vec<(String, u16)>,
        is_on: bool,
    ) -> Self {
        // One text for each host: thousands of targets may be at one.
        let mut distinct: HashSet<Arc<str>> = HashSet::new();
        let mut hosts = HashMap::new();
        for (target, host) in targets {
            let known = distinct.get(&*host).map(Arc::clone);
            let host = known.unwrap_or_else(|| host.into());
            distinct.insert(Arc::clone(&host));
            hosts.insert(target, host);
        }
        let mut endpoints = endpoints;
        endpoints.sort();
        endpoints.dedup();
        Self {
            hosts,
            distinct,
            endpoints,
            is_on,
        }
    }

    fn host(&self, target: &TargetId) -> Option<&Arc<str>> {
        self.hosts.get(target)
    }

    fn has_host(&self, host: &str) -> bool {
        self.distinct.contains(host)
    }
}

/// Stands between the rounds and the pipeline of a daemon.
pub struct Guard {
    watched: watch::Receiver<Arc<Watched>>,
    network: Network,
    clock: Arc<dyn Clock>,
    told: watch::Sender<Option<Outage>>,
    state: State,
    asking: Option<BoxFuture<'static, Standing>>,
    asked_at: Instant,
    placing: FuturesUnordered<BoxFuture<'static, (Arc<str>, bool)>>,
    to_place: Vec<Arc<str>>,
}

impl Guard {
    /// Begins. `told` gets the newest outage. Does no I/O.
    #[must_use]
    pub fn new(
        watched: watch::Receiver<Arc<Watched>>,
        network: Network,
        clock: Arc<dyn Clock>,
        told: watch::Sender<Option<Outage>>,
    ) -> Self {
        let state = State::new(Arc::clone(&watched.borrow()));
        Self {
            watched,
            network,
            clock,
            told,
            state,
            asking: None,
            asked_at: Instant::now(),
            placing: FuturesUnordered::new(),
            to_place: Vec::new(),
        }
    }

    /// Passes on what comes until there is nothing more to come.
    pub async fn run(
        mut self,
        mut events: mpsc::Receiver<RoundEvent>,
        onward: mpsc::Sender<RoundEvent>,
    ) {
        let mut ready = Vec::new();
        loop {
            self.begin_what_is_wanted();
            tokio::select! {
                biased;
                standing = found_out(&mut self.asking) => self.take(standing, &mut ready),
                event = events.recv() => match event {
                    Some(event) => {
                        self.follow_configuration();
                        self.state.take(event, self.clock.now(), &mut ready);
                    }
                    None => break,
                },
                Some((host, is_private)) = self.placing.next() => {
                    self.state.place(host, is_private, self.clock.now(), &mut ready);
                }
                () = sleep_until(self.asked_at + ASKED_EVERY), if self.state.is_down() && self.asking.is_none() => {
                    self.state.ask();
                }
            }
            self.tell();
            hand_on(&onward, &mut ready).await;
        }
        if let Some(asking) = self.asking.take() {
            // A network that works answers sooner.
            let silent = || vec!["nobody had answered when the daemon ended".to_owned()];
            let standing = timeout(LAST_WAIT, asking).await;
            let standing = standing.unwrap_or_else(|_| Standing::Down(silent()));
            self.take(standing, &mut ready);
            self.tell();
        }
        hand_on(&onward, &mut ready).await;
    }

    fn follow_configuration(&mut self) {
        // Nobody changes it any more once the daemon ends.
        if self.watched.has_changed().unwrap_or(false) {
            let watched = Arc::clone(&self.watched.borrow_and_update());
            self.state.watch(watched, self.clock.now());
        }
    }

    fn begin_what_is_wanted(&mut self) {
        if self.state.is_asking() && self.asking.is_none() {
            let (network, watched) = (self.network.clone(), Arc::clone(&self.watched.borrow()));
            self.asked_at = Instant::now();
            let asking = async move { standing(&network, &watched.endpoints).await };
            self.asking = Some(asking.boxed());
        }
        self.to_place.append(&mut self.state.take_unplaced());
        while self.placing.len() < PLACED_AT_ONCE
            && let Some(host) = self.to_place.pop()
        {
            let network = self.network.clone();
            let placing = async move {
                let is_private = lies_in_private(&network, &host).await;
                (host, is_private)
            };
            self.placing.push(placing.boxed());
        }
    }

    fn take(&mut self, standing: Standing, ready: &mut Vec<RoundEvent>) {
        self.asking = None;
        self.state.found_out(standing, self.clock.now(), ready);
    }

    /// Tells of an outage that begins or ends, once.
    fn tell(&self) {
        let outage = self.state.outage();
        let changed = self.told.send_if_modified(|told| {
            let changed = told.as_ref() != outage;
            if changed {
                *told = outage.cloned();
            }
            changed
        });
        let Some(outage) = outage.filter(|_| changed) else {
            return;
        };
        match outage.until {
            None => tracing::error!(
                event = "network.down",
                since = outage.since.to_rfc3339(),
                proofs = outage.proof(),
                "our own network is down: what does not answer is UNKNOWN until it is back"
            ),
            Some(until) => {
                let took = until.signed_duration_since(outage.since);
                tracing::info!(
                    event = "network.up",
                    since = outage.since.to_rfc3339(),
                    duration_ms = milliseconds(took.to_std().unwrap_or_default()),
                    "our own network is back"
                );
            }
        }
    }
}

/// Waits for ever where nobody was asked.
async fn found_out(asking: &mut Option<BoxFuture<'static, Standing>>) -> Standing {
    match asking {
        Some(asking) => asking.await,
        None => std::future::pending().await,
    }
}

async fn hand_on(onward: &mpsc::Sender<RoundEvent>, ready: &mut Vec<RoundEvent>) {
    for event in ready.drain(..) {
        if onward.send(event).await.is_err() {
            tracing::error!(event = "look.lost", "nobody takes what a look gave");
        }
    }
}

/// Whether all addresses of a name are private. One that cannot be looked up is not.
async fn lies_in_private(network: &Network, host: &str) -> bool {
    let resolved = timeout(PLACED_WITHIN, network.resolve(host)).await;
    matches!(resolved, Ok(Ok(all)) if all.iter().all(|address| is_private(*address)))
}
