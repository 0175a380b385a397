//! Rounds for as long as the daemon runs: waits for what is due, starts looks, hands on what they gave.
//!
//! A target is never looked at twice at once: a look that is due while the one before is under way is left out, and
//! counted. A round is over when its last look has ended, or when the next round of its timetable begins; so rounds never
//! overlap, and one slow look holds up nothing.

mod visit;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use crate::clock::milliseconds;
use crate::collectors;
use crate::model::{Observation, RoundEnd, RoundEvent, Target, TargetId, Timestamp, Wish};
use crate::round::{self, Fleet, OfRound, RoundOptions};
use crate::schedule::{Agenda, Appointment, Due, Jump, Timetable};
use crate::traces;

use visit::{RoundOf, Visit};

/// The wall clock is looked at no less often than this, whatever is due.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// How often it is said who is still busy while the rounds stop.
const SAID_EVERY: Duration = Duration::from_secs(5);

/// What is looked at, and when.
pub struct Watch {
    /// The targets, each with the index of its timetable.
    pub targets: Vec<(Arc<Target>, usize)>,
    /// The timetables; the first is that of the rounds of all.
    pub timetables: Vec<Timetable>,
    /// By up to how much each look is put off.
    pub jitter: Duration,
    /// Whether the first round begins at once.
    pub at_once: bool,
    /// Who looks.
    pub fleet: Fleet,
    /// How.
    pub options: RoundOptions,
}

/// What the rounds are told.
pub enum Order {
    /// The configuration was loaded anew.
    Watch(Box<Watch>),
    /// A look in between.
    Look(Wish),
}

/// The rounds of a daemon.
pub struct Rounds {
    agenda: Agenda,
    targets: HashMap<TargetId, Arc<Target>>,
    fleet: Fleet,
    options: RoundOptions,
    permits: Arc<Semaphore>,
    /// The looks that are under way, with the round they belong to.
    under_way: HashMap<TargetId, Option<(usize, u64)>>,
    looks: JoinSet<Vec<Looked>>,
    open: HashMap<usize, OpenRound>,
    begun: u64,
    asked_at: Instant,
    /// Takes what the looks give.
    events: mpsc::Sender<RoundEvent>,
}

struct Looked {
    target: TargetId,
    lag: Duration,
}

struct OpenRound {
    number: u64,
    id: String,
    started_at: Timestamp,
    began: Instant,
    looks: usize,
    ended: usize,
    skipped: usize,
    missed: u64,
    lags_ms: Vec<u32>,
    trace: Span,
}

impl Rounds {
    /// Begins. `events` gets what the looks give.
    #[must_use]
    pub fn new(watch: Watch, events: mpsc::Sender<RoundEvent>) -> Self {
        let agenda = agenda(&watch, None);
        Self {
            agenda,
            targets: by_id(watch.targets),
            permits: Arc::new(Semaphore::new(watch.options.permits.max(1))),
            fleet: watch.fleet,
            options: watch.options,
            under_way: HashMap::new(),
            looks: JoinSet::new(),
            open: HashMap::new(),
            begun: 0,
            asked_at: Instant::now(),
            events,
        }
    }

    /// Makes rounds until it is stopped; then waits for the looks that are under way, no longer than `grace`.
    pub async fn run(
        mut self,
        mut orders: mpsc::Receiver<Order>,
        beat: Arc<Notify>,
        stop: CancellationToken,
        grace: Duration,
    ) {
        loop {
            let wait = self.begin_what_is_due().await;
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(joined) = self.looks.join_next() => self.end_visit(joined).await,
                Some(order) = orders.recv() => self.obey(order),
                () = beat.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.drain(grace).await;
    }

    /// Begins rounds and looks, and says how long nothing more is due.
    async fn begin_what_is_due(&mut self) -> Duration {
        let now = self.options.clock.now();
        let elapsed = self.asked_at.elapsed();
        self.asked_at = Instant::now();
        match self.agenda.notice_jump(now, elapsed) {
            Some(Jump::Forward(by)) => tracing::warn!(
                event = "clock.jumped",
                direction = "forward",
                duration_ms = milliseconds(by),
                "the clock was set forward, or the machine slept: what was missed is made up for once"
            ),
            Some(Jump::Back(by)) => tracing::warn!(
                event = "clock.jumped",
                direction = "back",
                duration_ms = milliseconds(by),
                "the clock was set back: what is due is counted from the new time"
            ),
            None => {}
        }
        let mut visits: Vec<Visit> = Vec::new();
        for due in self.agenda.take_due(now) {
            match due {
                Due::Round {
                    group,
                    looks,
                    missed,
                    ..
                } => self.begin_round(group, looks, missed, now).await,
                Due::Look {
                    target,
                    at,
                    of_round,
                    together,
                } => {
                    if let Some((target, round)) = self.admit(&target, of_round).await {
                        visit::join(&mut visits, target, at, round, together);
                    }
                }
            }
        }
        for visit in visits {
            self.begin_visit(visit);
        }
        let next = self.agenda.next_at();
        let wait = next.map(|next| (next - now).to_std().unwrap_or_default());
        wait.unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT)
    }

    async fn begin_round(&mut self, group: usize, looks: usize, missed: u64, now: Timestamp) {
        self.end_round(group).await;
        self.begun += 1;
        let mut id = now.format("%Y%m%dT%H%M%S%3fZ").to_string();
        if group > 0 {
            id.push_str(&format!("-{group}"));
        }
        if missed > 0 {
            tracing::warn!(
                event = "round.missed",
                round.id = id,
                missed,
                "rounds were missed: this one stands for them"
            );
        }
        self.open.insert(
            group,
            OpenRound {
                number: self.begun,
                trace: traces::round(&id, looks),
                id,
                started_at: now,
                began: Instant::now(),
                looks,
                ended: 0,
                skipped: 0,
                missed,
                lags_ms: Vec::with_capacity(looks),
            },
        );
        if looks == 0 {
            self.end_round(group).await;
        }
    }

    /// Lets a look begin, unless the one before is under way; gives the target, and the round that the look belongs to.
    async fn admit(
        &mut self,
        id: &TargetId,
        of_round: bool,
    ) -> Option<(Arc<Target>, Option<RoundOf>)> {
        let target = self.targets.get(id).map(Arc::clone)?;
        let group = self.agenda.group_of(id).unwrap_or(0);
        let open = self.open.get_mut(&group).filter(|_| of_round);
        if self.under_way.contains_key(id) {
            if let Some(open) = open {
                open.skipped += 1;
                tracing::info!(
                    event = "look.skipped",
                    target.name = %id.name,
                    target.kind = id.kind,
                    round.id = open.id,
                    "the look before is still under way: this one is left out"
                );
                self.end_round_if_complete(group).await;
            }
            return None;
        }
        let round = open.map(|open| RoundOf {
            group,
            number: open.number,
            began: open.began,
        });
        let number = round.map(|round| (round.group, round.number));
        self.under_way.insert(id.clone(), number);
        Some((target, round))
    }

    fn begin_visit(&mut self, visit: Visit) {
        let kind = visit.targets.first().map(|first| first.id.kind);
        let collector = kind.and_then(|kind| self.fleet.collector(kind));
        let (options, permits) = (self.options.clone(), Arc::clone(&self.permits));
        let events = self.events.clone();
        let of_round = visit.round.and_then(|round| self.open.get(&round.group));
        let trace = of_round.map_or_else(Span::none, |open| open.trace.clone());
        let round = OfRound {
            began: visit.round.map_or_else(Instant::now, |round| round.began),
            id: of_round.map(|open| open.id.as_str().into()),
        };
        let looking = async move {
            // Nobody closes the semaphore; without it a look is better made than not.
            let permit = permits.acquire_owned().await.ok();
            let lag = options.clock.now() - visit.at;
            let observations = round::look(collector, &visit.targets, round, &options).await;
            drop(permit);
            let mut looked = Vec::with_capacity(observations.len());
            for observation in observations {
                looked.push(Looked {
                    target: observation.target.clone(),
                    lag: lag.to_std().unwrap_or_default(),
                });
                hand_on(&events, observation).await;
            }
            looked
        };
        self.looks.spawn(looking.instrument(trace));
    }

    async fn end_visit(&mut self, joined: Result<Vec<Looked>, tokio::task::JoinError>) {
        let all = match joined {
            Ok(all) => all,
            Err(error) => {
                // A panic of a collector is caught before: this is one of ours, and has been logged with its place.
                tracing::error!(event = "look.lost", %error, "a look was lost, which is a bug of ours");
                return;
            }
        };
        for looked in all {
            self.end_look(&looked).await;
        }
    }

    async fn end_look(&mut self, looked: &Looked) {
        let Some(Some((group, number))) = self.under_way.remove(&looked.target) else {
            return;
        };
        if let Some(open) = self
            .open
            .get_mut(&group)
            .filter(|open| open.number == number)
        {
            open.ended += 1;
            open.lags_ms
                .push(u32::try_from(looked.lag.as_millis()).unwrap_or(u32::MAX));
            self.end_round_if_complete(group).await;
        }
    }

    async fn end_round_if_complete(&mut self, group: usize) {
        let complete = |open: &OpenRound| open.ended + open.skipped >= open.looks;
        if self.open.get(&group).is_some_and(complete) {
            self.end_round(group).await;
        }
    }

    async fn end_round(&mut self, group: usize) {
        let Some(mut open) = self.open.remove(&group) else {
            return;
        };
        open.lags_ms.sort_unstable();
        let lag = |share: usize| {
            let last = open.lags_ms.len().saturating_sub(1);
            open.lags_ms.get(last * share / 100).copied().unwrap_or(0)
        };
        let end = RoundEnd {
            group,
            started_at: open.started_at,
            took: open.began.elapsed(),
            looks: open.looks,
            skipped: open.skipped,
            unfinished: open.looks.saturating_sub(open.ended + open.skipped),
            missed: open.missed,
            next_at: self.agenda.next_round(0),
            id: open.id,
        };
        traces::ended(&open.trace, end.skipped, end.unfinished);
        tracing::info!(
            event = "round.ended",
            round.id = end.id,
            duration_ms = milliseconds(end.took),
            looks = end.looks,
            skipped = end.skipped,
            unfinished = end.unfinished,
            missed = end.missed,
            lag_p99_ms = lag(99),
            lag_most_ms = lag(100),
            next_at = end
                .next_at
                .map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)),
            "the round is over"
        );
        if self.events.send(RoundEvent::Ended(end)).await.is_err() {
            tracing::error!(event = "round.lost", "nobody takes what the rounds give");
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Look(wish) => self.agenda.ask(&wish.target, wish.at),
            Order::Watch(watch) => {
                let next = agenda(&watch, Some((&self.agenda, self.options.clock.now())));
                let goes_on = next.timetable(0) == self.agenda.timetable(0);
                self.agenda = next;
                self.targets = by_id(watch.targets);
                self.fleet = watch.fleet;
                self.options = watch.options;
                self.keep_rounds(goes_on);
            }
        }
    }

    /// The round of all goes on where its timetable did not change; groups beside it may have other numbers now. What is
    /// under way is handed on in any case.
    fn keep_rounds(&mut self, goes_on: bool) {
        self.open.retain(|group, _| goes_on && *group == 0);
        for round in self.under_way.values_mut() {
            *round = round.filter(|(group, _)| goes_on && *group == 0);
        }
        if let Some(open) = self.open.get_mut(&0) {
            let under_way = self.under_way.values().flatten().count();
            open.looks = open.ended + open.skipped + under_way + self.agenda.pending(0);
        }
    }

    async fn drain(mut self, grace: Duration) {
        let until = tokio::time::Instant::now() + grace;
        let mut say = tokio::time::interval(SAID_EVERY);
        say.tick().await;
        loop {
            tokio::select! {
                biased;
                joined = self.looks.join_next() => match joined {
                    Some(joined) => self.end_visit(joined).await,
                    None => return,
                },
                () = tokio::time::sleep_until(until) => break,
                _ = say.tick() => {
                    let left = until - tokio::time::Instant::now();
                    tracing::info!(
                        event = "daemon.busy",
                        busy = self.names_under_way(),
                        left_ms = milliseconds(left),
                        "looks are still under way"
                    );
                }
            }
        }
        tracing::warn!(
            event = "look.dropped",
            dropped = self.names_under_way(),
            "the grace period is over: these looks are given up"
        );
    }

    /// A few names, and how many more.
    fn names_under_way(&self) -> String {
        const LISTED: usize = 10;
        let mut names: Vec<String> = self.under_way.keys().map(ToString::to_string).collect();
        names.sort();
        let more = names.len().saturating_sub(LISTED);
        names.truncate(LISTED);
        let mut text = names.join(", ");
        if more > 0 {
            text.push_str(&format!(" and {more} more"));
        }
        text
    }
}

async fn hand_on(events: &mpsc::Sender<RoundEvent>, observation: Observation) {
    let event = RoundEvent::Seen(Box::new(observation));
    if events.send(event).await.is_err() {
        tracing::error!(event = "look.lost", "nobody takes what a look gave");
    }
}

fn agenda(watch: &Watch, before: Option<(&Agenda, Timestamp)>) -> Agenda {
    let appointments = watch.targets.iter().map(|(target, group)| Appointment {
        target: target.id.clone(),
        critical: target.common.critical,
        group: *group,
        together: collectors::together(target),
    });
    let now = before.map_or_else(|| watch.options.clock.now(), |(_, now)| now);
    Agenda::new(
        &watch.timetables,
        appointments.collect(),
        watch.jitter,
        now,
        watch.at_once,
        before.map(|(agenda, _)| agenda),
    )
}

fn by_id(targets: Vec<(Arc<Target>, usize)>) -> HashMap<TargetId, Arc<Target>> {
    let by_id = targets
        .into_iter()
        .map(|(target, _)| (target.id.clone(), target));
    by_id.collect()
}
