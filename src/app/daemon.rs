//! The daemon: everything wired together, kept running, and stopped in the order in which values flow.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Channels, judged};
use crate::clients::Clients;
use crate::clock::{Clock, SystemClock};
use crate::config::{Loaded, Plan};
use crate::descriptors;
use crate::model::{Report, RoundEvent};
use crate::pipeline::{self, Pipeline, Policy};
use crate::problem::Severity;
use crate::reporters::{Means, terminal::Screen};
use crate::round::{Fleet, RoundOptions};
use crate::rounds::{self, Order, Rounds};
use crate::schedule::{Timetable, heartbeat};
use crate::shutdown::{Asked, Signals};
use crate::store::{self, Store};

/// Over how long rates are measured on a scheduled look.
const CPU_WINDOW: Duration = Duration::from_secs(1);

/// How long the first round waits for what was kept; what comes later is taken over then.
const PATIENCE_FOR_THE_STORE: Duration = Duration::from_millis(700);

/// How much may wait between two tasks. Whoever fills a queue waits, so that nothing is lost.
const EVENTS: usize = 4_096;
const ORDERS: usize = 65_536;

/// Which part of the grace period looks get; the rest is for what comes after them.
const LOOKS_GRACE: f64 = 0.6;

/// The notes of the store that this file writes.
const LAST_SEEN: &str = "daemon.seen_at";

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
    say_start(&plan, remembered.as_ref().map(|known| known.states.len()));

    let clients = Clients::within(&plan.surroundings);
    let kinds = plan.watched.iter().map(|one| one.kind);
    let fleet = Fleet::new(kinds, &clients);
    let limit = descriptors::permits(descriptors::raise_limit());
    let at_once = first_at_once(&plan, seen_at, &*clock);
    let watch = watch_of(&plan, fleet.clone(), limit, at_once, &clock);

    let stop = CancellationToken::new();
    let beat = Arc::new(Notify::new());
    let (events, events_taken) = mpsc::channel::<RoundEvent>(EVENTS);
    let (orders, orders_taken) = mpsc::channel::<Order>(ORDERS);
    let (wishes, mut wishes_taken) = mpsc::channel(ORDERS);
    let (watches, watches_taken) = mpsc::channel(1);
    let (reports, reports_taken) = mpsc::channel::<Arc<Report>>(1);
    let (channels, channels_taken) =
        watch::channel(Arc::new(Channels::of_daemon(&plan, given.at_a_terminal)));

    let grace = plan.monitoring.grace;
    let pipeline = Pipeline::new(
        pipeline::Watch {
            targets: plan.watched.iter().map(judged).collect(),
            policy: policy(&plan),
        },
        Some(Arc::clone(&store)),
        remembered,
        wishes,
        reports,
        Arc::clone(&clock),
    );
    let rounds = Rounds::new(watch, events);
    let means = Means {
        clients: clients.clone(),
        screen: given.screen.clone(),
    };

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
    tasks.spawn(
        "pipeline",
        pipeline.run(events_taken, watches_taken, stop.clone()),
    );
    tasks.spawn(
        "reporters",
        send_reports(reports_taken, channels_taken, means),
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
        channels,
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
    // All that held it have ended, unless one was given up.
    let Some(store) = Arc::into_inner(store) else {
        tracing::warn!(
            event = "store.not_closed",
            "the store is still in use: what waits may be missing"
        );
        return;
    };
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

/// What changes when the configuration is loaded anew.
struct Running {
    plan: Plan,
    given: Given,
    clients: Clients,
    fleet: Fleet,
    limit: usize,
    orders: mpsc::Sender<Order>,
    watches: mpsc::Sender<pipeline::Watch>,
    channels: watch::Sender<Arc<Channels>>,
    clock: Arc<dyn Clock>,
}

impl Running {
    async fn reload(&mut self) {
        let reload = Arc::clone(&self.given.reload);
        let Ok(loaded) = tokio::task::spawn_blocking(move || reload()).await else {
            tracing::error!(
                event = "config.refused",
                "loading the configuration panicked: the old one stays"
            );
            return;
        };
        for problem in &loaded.problems {
            match problem.severity {
                Severity::Error => tracing::error!(event = "config.problem", "{problem}"),
                Severity::Warning => tracing::warn!(event = "config.problem", "{problem}"),
            }
        }
        let Some(plan) = loaded.plan else {
            tracing::error!(
                event = "config.refused",
                "the new configuration has mistakes: the old one stays; hint: `roundsman check-config` shows them"
            );
            return;
        };
        if plan.store != self.plan.store {
            tracing::warn!(
                event = "config.needs_restart",
                "another `store` is used from the next start on"
            );
        }
        if plan.surroundings != self.plan.surroundings {
            tracing::warn!(
                event = "config.needs_restart",
                "another home, SSH agent or data folder is used from the next start on"
            );
        }
        let kinds = plan.watched.iter().map(|one| one.kind);
        self.fleet = self.fleet.clone().with(kinds, &self.clients);
        let watch = watch_of(&plan, self.fleet.clone(), self.limit, false, &self.clock);
        let known = pipeline::Watch {
            targets: plan.watched.iter().map(judged).collect(),
            policy: policy(&plan),
        };
        // First whoever takes what is seen, then whoever looks: nothing that is seen is unknown.
        let taken = self.watches.send(known).await.is_ok()
            && self
                .orders
                .send(Order::Watch(Box::new(watch)))
                .await
                .is_ok();
        self.channels.send_replace(Arc::new(Channels::of_daemon(
            &plan,
            self.given.at_a_terminal,
        )));
        if taken {
            tracing::info!(
                event = "config.loaded",
                targets = plan.watched.len(),
                "the new configuration is in use"
            );
        }
        self.plan = plan;
    }
}

/// The tasks that run as long as the daemon.
#[derive(Default)]
struct Tasks {
    set: JoinSet<&'static str>,
    running: Vec<&'static str>,
}

impl Tasks {
    fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.running.push(name);
        self.set.spawn(async move {
            let task = std::panic::AssertUnwindSafe(task);
            // The hook has logged where; the name is what the caller needs.
            let _panicked: bool = futures_util::FutureExt::catch_unwind(task).await.is_err();
            name
        });
    }

    /// The name of the next that ends.
    async fn next_ended(&mut self) -> &'static str {
        match self.set.join_next().await {
            Some(Ok(name)) => {
                self.running.retain(|running| *running != name);
                name
            }
            Some(Err(_)) | None => "unknown",
        }
    }

    async fn all_ended(&mut self, until: Instant) {
        let until = tokio::time::Instant::from_std(until);
        while !self.running.is_empty() {
            if tokio::time::timeout_at(until, self.next_ended())
                .await
                .is_err()
            {
                tracing::warn!(
                    event = "daemon.gave_up",
                    busy = self.names(),
                    "the grace period is over: these are given up"
                );
                self.set.shutdown().await;
                return;
            }
        }
    }

    fn names(&self) -> String {
        self.running.join(", ")
    }
}

async fn send_reports(
    mut reports: mpsc::Receiver<Arc<Report>>,
    channels: watch::Receiver<Arc<Channels>>,
    means: Means,
) {
    while let Some(report) = reports.recv().await {
        let to = Arc::clone(&channels.borrow());
        let failed = to.send(Arc::clone(&report), &means).await;
        tracing::info!(
            event = "report.made",
            round.id = report.round.id,
            overall = %report.overall,
            green = report.counts.green,
            yellow = report.counts.yellow,
            red = report.counts.red,
            unknown = report.counts.unknown,
            changes = report.changes.len(),
            "a report was made"
        );
        for undelivered in failed {
            tracing::error!(
                event = "report.not_sent",
                round.id = report.round.id,
                reporter = undelivered.reporter,
                hint = undelivered.hint,
                "{}",
                undelivered.message
            );
        }
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

/// Whether the first round begins at once: always, unless that is not wanted and nothing was missed.
fn first_at_once(
    plan: &Plan,
    seen_at: Option<chrono::DateTime<chrono::Utc>>,
    clock: &dyn Clock,
) -> bool {
    let monitoring = &plan.monitoring;
    if monitoring.run_on_start {
        return true;
    }
    let missed = || {
        let next = monitoring.timetable.next_after(seen_at?, seen_at?)?;
        Some(next <= clock.now())
    };
    monitoring.make_up && missed().unwrap_or(false)
}

fn watch_of(
    plan: &Plan,
    fleet: Fleet,
    permits: usize,
    at_once: bool,
    clock: &Arc<dyn Clock>,
) -> rounds::Watch {
    let mut timetables: Vec<Timetable> = vec![plan.monitoring.timetable.clone()];
    let mut group = |timetable: &Timetable| {
        let known = timetables.iter().position(|known| known == timetable);
        known.unwrap_or_else(|| {
            timetables.push(timetable.clone());
            timetables.len() - 1
        })
    };
    let targets = plan.watched.iter().map(|one| {
        let group = one.timetable.as_ref().map_or(0, &mut group);
        (Arc::clone(&one.target), group)
    });
    let targets = targets.collect();
    if let Some(reports) = &plan.monitoring.reports {
        timetables.push(reports.clone());
    }
    rounds::Watch {
        targets,
        timetables,
        jitter: plan.monitoring.jitter,
        at_once,
        fleet,
        options: RoundOptions {
            permits,
            spread: Duration::ZERO,
            cpu_window: CPU_WINDOW,
            secrets: Arc::new(plan.secrets.clone()),
            clock: Arc::clone(clock),
        },
    }
}

fn policy(plan: &Plan) -> Policy {
    let mut timetables: Vec<&Timetable> = vec![&plan.monitoring.timetable];
    for timetable in plan.watched.iter().filter_map(|one| one.timetable.as_ref()) {
        if !timetables.contains(&timetable) {
            timetables.push(timetable);
        }
    }
    Policy {
        agreeing_looks: plan.monitoring.agreeing_looks,
        confirm_after: TimeDelta::from_std(plan.monitoring.confirm_after).unwrap_or(TimeDelta::MAX),
        adaptive: plan.monitoring.adaptive,
        // Reports have a timetable of their own behind all others, or follow the rounds of all.
        report_group: plan
            .monitoring
            .reports
            .as_ref()
            .map_or(0, |_| timetables.len()),
        report_when: plan.monitoring.report_when,
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
