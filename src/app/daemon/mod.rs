//! The daemon: everything wired together, kept running, and stopped in the order in which values flow.

mod running;
mod tasks;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

use running::{Running, first_at_once, known_of, watch_of};
use tasks::Tasks;

use super::{Channels, clients, guarded};
use crate::analysis::analyst::Analyst;
use crate::clock::{Clock, SystemClock, milliseconds};
use crate::config::{Loaded, Plan};
use crate::delivery::{Courier, Mailroom, Terms};
use crate::descriptors;
use crate::desk;
use crate::guard::Guard;
use crate::model::RoundEvent;
use crate::pipeline::{Inlets, Outlets, Pipeline};
use crate::reporters::{Means, terminal::Screen};
use crate::round::Fleet;
use crate::rounds::{Order, Rounds};
use crate::schedule::heartbeat;
use crate::shutdown::{Asked, Signals};
use crate::store::{self, Remembered, Store};
use crate::telemetry::Traces;

/// Over how long rates are measured on a scheduled look.
const CPU_WINDOW: Duration = Duration::from_secs(1);

/// How long the first round waits for what was kept; what comes later is taken over then.
const PATIENCE_FOR_THE_STORE: Duration = Duration::from_millis(700);

/// How much may wait between two tasks. Whoever fills a queue waits, so that nothing is lost.
const EVENTS: usize = 4_096;
const ORDERS: usize = 65_536;
const PLACED: usize = 16;
/// More questions to a language model than this are given up: the next report asks again.
const QUESTIONS: usize = 4;

/// Which part of the grace period looks get; the rest is for what comes after them.
const LOOKS_GRACE: f64 = 0.6;

/// How long the last traces may take to get out, where there is as much time.
const FLUSHING: Duration = Duration::from_secs(2);

/// The notes of the store that this file writes.
const LAST_SEEN: &str = "daemon.seen_at";

/// The store remembers when it was first used: by that it is told from those of other installations.
const BEGAN: &str = "store.began_at";

/// How often it is noted that the daemon runs, so that it can be told what was missed while it did not.
const NOTED_EVERY: Duration = Duration::from_mins(1);

/// How the daemon ended.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// Another daemon has the store.
    #[error("{0}")]
    InUse(#[from] store::InUse),
    /// The system refuses something that every process gets.
    #[error("the daemon cannot start: {0}")]
    Start(#[from] std::io::Error),
    /// A task that runs as long as the daemon ended by itself.
    #[error("`{0}` ended by itself, which is a bug of ours: please report it with the log")]
    TaskEnded(&'static str),
    /// A second signal asked to end at once.
    #[error("ended at once by signal {0}")]
    Interrupted(i32),
}

/// What the daemon is given beside its plan.
pub struct Given {
    /// Loads the configuration anew.
    pub reload: Arc<dyn Fn() -> Loaded + Send + Sync>,
    /// Where a report is printed.
    pub screen: Screen,
    /// Whether somebody sits at a terminal.
    pub at_a_terminal: bool,
    /// What is traced meanwhile.
    pub traces: Traces,
}

/// What the store is called. `None`: it cannot be read now, and may have a name.
fn began(store: &Store, remembered: Option<&Remembered>, clock: &dyn Clock) -> Option<String> {
    if let Some(began) = remembered?.notes.get(BEGAN) {
        return Some(began.clone());
    }
    let began = clock.now().format("%Y%m%dT%H%M%S%3fZ").to_string();
    // A refusal is counted by the store itself.
    let _kept: bool = store.note(BEGAN, began.clone());
    Some(began)
}

/// Runs until a signal asks to end, or something of ours ends that should not.
///
/// # Errors
/// See [`DaemonError`].
#[expect(
    clippy::too_many_lines,
    reason = "wiring is one straight list: in pieces, nobody could see what is connected with what"
)]
pub async fn run(plan: Plan, given: Given) -> Result<(), DaemonError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut signals = Signals::listen()?;
    let store = Arc::new(Store::start(plan.store.clone(), Arc::clone(&clock))?);
    let opening = Arc::clone(&store);
    let remembered =
        tokio::task::spawn_blocking(move || opening.remembered(PATIENCE_FOR_THE_STORE)).await;
    let remembered = remembered.ok().flatten();
    let seen_at = remembered
        .as_ref()
        .and_then(|remembered| remembered.notes.get(LAST_SEEN)?.parse().ok());
    let began = began(&store, remembered.as_ref(), &*clock);
    say_start(&plan, remembered.as_ref().map(|known| known.states.len()));

    let clients = clients(&plan);
    let kinds = plan.watched.iter().map(|one| one.kind);
    let fleet = Fleet::new(kinds, &clients);
    let limit = descriptors::permits(descriptors::raise_limit());
    let at_once = first_at_once(&plan, seen_at, &*clock);
    let watch = watch_of(&plan, fleet.clone(), limit, at_once, &clock);

    let stop = CancellationToken::new();
    let beat = Arc::new(Notify::new());
    let (events, events_taken) = mpsc::channel::<RoundEvent>(EVENTS);
    let (guarded_events, guarded_events_taken) = mpsc::channel::<RoundEvent>(EVENTS);
    let (guards, guards_taken) = watch::channel(Arc::new(guarded(&plan, &plan.watched)));
    let (outages, outages_taken) = watch::channel(None);
    let (orders, orders_taken) = mpsc::channel::<Order>(ORDERS);
    let (wishes, mut wishes_taken) = mpsc::channel(ORDERS);
    let (watches, watches_taken) = mpsc::channel(1);
    let (placed, placed_taken) = mpsc::channel(PLACED);
    let (asks, asks_taken) = mpsc::channel(QUESTIONS);
    let (words, words_taken) = mpsc::channel(QUESTIONS);
    let means = Means {
        clients: clients.clone(),
        screen: given.screen.clone(),
        clock: Arc::clone(&clock),
    };
    let channels = Channels::of_daemon(&plan, given.at_a_terminal);
    let (reporters, reporters_taken) = watch::channel(Arc::new(channels.reporters(&means)));
    let known = known_of(&plan, given.at_a_terminal);
    let mailroom = Arc::new(Mailroom::new(
        Terms::default(),
        Arc::clone(&store),
        Arc::clone(&clock),
    ));
    let courier = Courier {
        mailroom: Arc::clone(&mailroom),
        reporters: reporters_taken,
        committed: store.committed(),
        store: plan.store.folder.clone(),
        clock: Arc::clone(&clock),
    };

    let grace = plan.monitoring.grace;
    let pipeline = Pipeline::new(
        known,
        Arc::clone(&store),
        remembered,
        Outlets { wishes, asks },
        mailroom,
        outages_taken,
        Arc::clone(&clock),
    );
    let network = clients.network.clone();
    let guard = Guard::new(guards_taken, network, Arc::clone(&clock), outages);
    let rounds = Rounds::new(watch, events);

    let mut tasks = Tasks::default();
    let (beats, until) = (Arc::clone(&beat), stop.clone());
    tasks.spawn("heartbeat", async move {
        if let Err(error) = heartbeat::run(beats, until).await {
            tracing::error!(event = "task.failed", task = "heartbeat", %error, "the heartbeat failed");
        }
    });
    let looks_grace = grace.mul_f64(LOOKS_GRACE);
    tasks.spawn(
        "rounds",
        rounds.run(orders_taken, beat, stop.clone(), looks_grace),
    );
    tasks.spawn("guard", guard.run(events_taken, guarded_events));
    let inlets = Inlets {
        events: guarded_events_taken,
        watches: watches_taken,
        orders: placed_taken,
        words: words_taken,
    };
    // Whoever sends ends behind whoever says what.
    let nothing_more = CancellationToken::new();
    let said_all = nothing_more.clone().drop_guard();
    tasks.spawn("pipeline", async move {
        pipeline.run(inlets).await;
        drop(said_all);
    });
    let analyst = Analyst {
        llm: clients.llm.clone(),
        clock: Arc::clone(&clock),
        store: began,
    };
    tasks.spawn("analyst", analyst.run(asks_taken, words, stop.clone()));
    tasks.spawn("delivery", courier.run(nothing_more));
    let folder = plan.store.folder.clone();
    tasks.spawn(
        "desk",
        desk::clerk::run(folder, Arc::clone(&store), placed, stop.clone()),
    );
    let onward = orders.clone();
    // Ends with the pipeline, which holds the other end.
    tasks.spawn("wishes", async move {
        while let Some(wish) = wishes_taken.recv().await {
            if onward.send(Order::Look(wish)).await.is_err() {
                break;
            }
        }
    });

    let mut running = Running {
        plan,
        given,
        clients,
        fleet,
        limit,
        orders,
        watches,
        guards,
        reporters,
        means,
        clock,
    };
    let mut noting = tokio::time::interval(NOTED_EVERY);
    loop {
        tokio::select! {
            biased;
            asked = signals.next() => match asked {
                Asked::Reload => running.reload().await,
                Asked::End(signal) => {
                    tracing::info!(event = "daemon.stopping", signal, grace_ms = milliseconds(grace), "asked to end");
                    break;
                }
            },
            ended = tasks.next_ended() => {
                tracing::error!(event = "task.ended", task = ended, "a task ended that should not: the daemon ends too");
                stop.cancel();
                close(store, Instant::now() + grace).await;
                return Err(DaemonError::TaskEnded(ended));
            }
            _ = noting.tick() => {
                if store.has_ended() {
                    tracing::error!(event = "task.ended", task = "store", "a task ended that should not: the daemon ends too");
                    return Err(DaemonError::TaskEnded("store"));
                }
                // A refusal is counted by the store itself.
                let _kept: bool = store.note(LAST_SEEN, running.clock.now().to_rfc3339());
            }
        }
    }
    let _kept: bool = store.note(LAST_SEEN, running.clock.now().to_rfc3339());
    let traces = running.given.traces.clone();
    drop(running);
    stop.cancel();
    let until = Instant::now() + grace;
    tokio::select! {
        biased;
        signal = second(&mut signals) => {
            tracing::warn!(event = "daemon.interrupted", signal, busy = tasks.names(), "asked again: ended at once");
            return Err(DaemonError::Interrupted(signal));
        }
        () = tasks.all_ended(until) => {}
    }
    close(store, until).await;
    flush(traces, until).await;
    tracing::info!(event = "daemon.stopped", "ended");
    Ok(())
}

async fn second(signals: &mut Signals) -> i32 {
    loop {
        if let Asked::End(signal) = signals.next().await {
            return signal;
        }
    }
}

async fn close(store: Arc<Store>, until: Instant) {
    let left = until
        .saturating_duration_since(Instant::now())
        .max(Duration::from_millis(500));
    let closed = tokio::task::spawn_blocking(move || store.close(left)).await;
    if !closed.unwrap_or(false) {
        tracing::warn!(
            event = "store.not_closed",
            "not all that was seen could be written before the end"
        );
    }
}

/// A receiver of traces that is dead or hangs must not make us late.
async fn flush(traces: Traces, until: Instant) {
    let left = until.saturating_duration_since(Instant::now());
    let closing = tokio::task::spawn_blocking(move || traces.close(left.min(FLUSHING)));
    if closing.await.is_err() {
        tracing::debug!("sending the last traces panicked");
    }
}

fn say_start(plan: &Plan, remembered: Option<usize>) {
    tracing::info!(
        event = "daemon.started",
        version = env!("CARGO_PKG_VERSION"),
        pid = std::process::id(),
        targets = plan.watched.len(),
        remembered,
        store = %plan.store.folder.display(),
        "the rounds begin"
    );
}
