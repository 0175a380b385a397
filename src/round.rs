//! One run over all targets that are due: permits, deadlines, panics.
//!
//! Concurrency, deadlines and panics are dealt with here and nowhere else, so that a collector is only about its
//! kind.

mod redacted;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet};
use tracing::{Instrument, Span};

use crate::clients::Clients;
use crate::clock::{Clock, milliseconds};
use crate::collectors::{self, AnyCollector, Kind, RunContext};
use crate::model::{Failure, FailureKind, Observation, Reading, Target, TargetId};
use crate::redaction::Redactor;
use crate::traces;

use redacted::redacted;

/// The collectors of the kinds that are in use, made once and kept between rounds.
#[derive(Clone)]
pub struct Fleet {
    collectors: HashMap<&'static str, Arc<dyn AnyCollector>>,
}

impl Fleet {
    /// Makes the collectors of these kinds; a kind that is not used costs nothing.
    pub fn new(kinds: impl IntoIterator<Item = &'static Kind>, clients: &Clients) -> Self {
        let none = Self {
            collectors: HashMap::new(),
        };
        none.with(kinds, clients)
    }

    /// The same with the collectors of further kinds. Those that are there stay, with what they remember.
    #[must_use]
    pub fn with(
        mut self,
        kinds: impl IntoIterator<Item = &'static Kind>,
        clients: &Clients,
    ) -> Self {
        for kind in kinds {
            let entry = self.collectors.entry(kind.spec.key);
            entry.or_insert_with(|| Arc::from((kind.new)(clients)));
        }
        self
    }

    /// The collector of a kind.
    pub(crate) fn collector(&self, kind: &str) -> Option<Arc<dyn AnyCollector>> {
        self.collectors.get(kind).map(Arc::clone)
    }
}

/// How a round is run.
#[derive(Clone)]
pub struct RoundOptions {
    /// How many looks may be under way at once; each needs descriptors.
    pub permits: usize,
    /// Over how long the beginnings of the looks are spread; zero: all at once.
    pub spread: Duration,
    /// Over how long a rate such as `cpu_percent` is measured.
    pub cpu_window: Duration,
    /// Takes secrets out of everything that a look says.
    pub redactor: Arc<Redactor>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// The round that looks belong to.
#[derive(Debug, Clone)]
pub struct OfRound {
    /// When it began.
    pub began: Instant,
    /// Its ID; `None`: the look stands alone, and is a round of its own for what collectors share.
    pub id: Option<Arc<str>>,
}

/// How much longer than its time-out a look may take before it is dropped. A collector keeps its time-out itself, so
/// that it can say how far it came; this is for one that does not.
const GRACE: Duration = Duration::from_millis(500);

/// Visits all targets, critical ones first, and gives one observation for each, in their order. `id`: that of the round.
/// `done` is told of each look that ends.
pub async fn run(
    targets: &[Arc<Target>],
    fleet: &Fleet,
    options: &RoundOptions,
    id: Option<Arc<str>>,
    done: &dyn Fn(&TargetId),
) -> Vec<Observation> {
    let permits = Arc::new(Semaphore::new(options.permits.max(1)));
    let mut observations: Vec<Option<Observation>> = vec![None; targets.len()];
    let mut note = |joined: Result<Vec<(usize, Observation)>, JoinError>| {
        for (index, observation) in joined.into_iter().flatten() {
            done(&observation.target);
            observations[index] = Some(observation);
        }
    };
    let began = tokio::time::Instant::now();
    let round = OfRound {
        began: began.into_std(),
        id,
    };
    let visits = visits(targets);
    let count = visits.len();
    let mut looks = JoinSet::new();
    for (position, indices) in visits.into_iter().enumerate() {
        let begins_at = began + share(options.spread, position, count);
        // Permits are taken here, one after the other: looks that compete for them come in any order.
        let mut permit = if options.spread.is_zero() {
            Arc::clone(&permits).try_acquire_owned().ok()
        } else {
            None
        };
        if permit.is_none() {
            let mut turn = pin!(turn(begins_at, &permits));
            permit = loop {
                tokio::select! {
                    biased;
                    permit = &mut turn => break permit,
                    Some(joined) = looks.join_next() => note(joined),
                }
            };
        }
        let batch: Vec<_> = indices
            .iter()
            .map(|index| Arc::clone(&targets[*index]))
            .collect();
        let collector = batch
            .first()
            .and_then(|first| fleet.collector(first.id.kind));
        let (options, round) = (options.clone(), round.clone());
        let looking = async move {
            let observations = look(collector, &batch, round, &options).await;
            drop(permit);
            indices.into_iter().zip(observations).collect()
        };
        looks.spawn(looking.instrument(Span::current()));
    }
    while let Some(joined) = looks.join_next().await {
        note(joined);
    }
    let lost = |target: &Target| Observation {
        target: target.id.clone(),
        at: options.clock.now(),
        took: Duration::ZERO,
        outcome: Err(our_bug("the look was lost")),
        trace: tracing::Span::none(),
    };
    observations
        .into_iter()
        .zip(targets)
        .map(|(observation, target)| observation.unwrap_or_else(|| lost(target)))
        .collect()
}

/// Who is visited together, critical ones first.
fn visits(targets: &[Arc<Target>]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..targets.len()).collect();
    order.sort_by_key(|index| !targets[*index].common.critical);
    let mut visits: Vec<Vec<usize>> = Vec::with_capacity(targets.len());
    let mut places: HashMap<Arc<str>, usize> = HashMap::new();
    for index in order {
        let place = collectors::together(&targets[index])
            .map(|together| *places.entry(together).or_insert(visits.len()));
        match place.and_then(|place| visits.get_mut(place)) {
            Some(visit) => visit.push(index),
            None => visits.push(vec![index]),
        }
    }
    visits
}

/// When the look may begin, with the permit to do so.
async fn turn(
    begins_at: tokio::time::Instant,
    permits: &Arc<Semaphore>,
) -> Option<OwnedSemaphorePermit> {
    if begins_at > tokio::time::Instant::now() {
        tokio::time::sleep_until(begins_at).await;
    }
    // Nobody closes the semaphore; without it a look is better made than not.
    Arc::clone(permits).acquire_owned().await.ok()
}

fn share(spread: Duration, position: usize, count: usize) -> Duration {
    let (Ok(position), Ok(count)) = (u32::try_from(position), u32::try_from(count)) else {
        return Duration::ZERO;
    };
    spread.saturating_mul(position) / count.max(1)
}

/// One look at targets that are visited together, with its deadline; whatever happens, it gives an observation of each.
pub(crate) async fn look(
    collector: Option<Arc<dyn AnyCollector>>,
    batch: &[Arc<Target>],
    round: OfRound,
    options: &RoundOptions,
) -> Vec<Observation> {
    let timeouts = batch.iter().map(|target| target.common.timeout);
    let run = RunContext {
        timeout: timeouts.max().unwrap_or_default(),
        round_began: round.began,
        round: round.id,
        cpu_window: options.cpu_window,
        clock: Arc::clone(&options.clock),
    };
    let at = options.clock.now();
    let began = Instant::now();
    let spans: Vec<Span> = batch
        .iter()
        .map(|target| traces::look(target.id.kind, &target.id.name))
        .collect();
    // What is done for several at once is shown below the first.
    let first = spans.first().cloned().unwrap_or_else(Span::none);
    let looking = async {
        match collector {
            Some(collector) => guarded(collector.as_ref(), batch, &run).await,
            None => vec![Err(our_bug("its kind has no collector")); batch.len()],
        }
    };
    let outcomes = looking.instrument(first).await;
    let took = began.elapsed();
    let looked = batch.iter().zip(outcomes).zip(spans);
    let looked = looked.map(|((target, outcome), trace)| {
        let outcome = redacted(outcome, &options.redactor);
        traces::looked(
            &trace,
            outcome.as_ref().err().map(|failure| failure.kind.word()),
        );
        tracing::debug!(
            target.name = %target.id.name,
            target.kind = target.id.kind,
            duration_ms = milliseconds(took),
            failure = outcome.as_ref().err().map(|failure| failure.kind.word()),
            "looked"
        );
        Observation {
            target: target.id.clone(),
            at,
            took,
            outcome,
            trace,
        }
    });
    looked.collect()
}

/// A look that cannot outlast its deadline and cannot take the process with it.
async fn guarded(
    collector: &dyn AnyCollector,
    batch: &[Arc<Target>],
    run: &RunContext,
) -> Vec<Result<Reading, Failure>> {
    // A collector keeps no state that a panic could leave half-written but behind its own locks.
    let look = AssertUnwindSafe(async {
        match batch {
            [one] => vec![collector.look(one, run).await],
            several => collector.look_at_batch(several, run).await,
        }
    });
    let all = |failure: Failure| vec![Err(failure); batch.len()];
    match tokio::time::timeout(run.timeout + GRACE, look.catch_unwind()).await {
        Ok(Ok(outcomes)) if outcomes.len() == batch.len() => outcomes,
        Ok(Ok(_)) => all(our_bug("the collector forgot a target")),
        Ok(Err(_)) => all(our_bug("the collector panicked")),
        Err(_) => {
            let message = format!("no answer within {} ms", run.timeout.as_millis());
            all(Failure::new(FailureKind::TimedOut, message)
                .hint("see what keeps the target busy, or raise `timeout_ms`"))
        }
    }
}

fn our_bug(message: &str) -> Failure {
    Failure::ours(message).hint("this is a bug of ours: please report it with the log")
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::Mutex;

    use super::*;
    use crate::clock::SystemClock;
    use crate::model::{Common, Status, Urgency};

    struct Mixed {
        seen: Mutex<Vec<String>>,
    }

    impl AnyCollector for Mixed {
        fn look<'a>(
            &'a self,
            target: &'a Target,
            _: &'a RunContext,
        ) -> Pin<Box<dyn Future<Output = Result<Reading, Failure>> + Send + 'a>> {
            Box::pin(async move {
                self.seen
                    .lock()
                    .expect("the list")
                    .push(target.id.name.to_string());
                match &*target.id.name {
                    "panics" => panic!("canary-in-a-panic"),
                    "hangs" => std::future::pending().await,
                    _ => Ok(Reading::default()),
                }
            })
        }
    }

    fn target(name: &str, critical: bool) -> Arc<Target> {
        Arc::new(Target {
            id: TargetId {
                kind: "local_hosts",
                name: name.into(),
            },
            common: Common {
                critical,
                urgency: Urgency::Normal,
                timeout: Duration::from_millis(20),
                labels: std::collections::BTreeMap::new(),
                depends_on: Vec::new(),
                runbook: None,
            },
            settings: Arc::new(()),
            found_by: None,
        })
    }

    fn options(permits: usize) -> RoundOptions {
        RoundOptions {
            permits,
            spread: Duration::ZERO,
            cpu_window: Duration::ZERO,
            redactor: Arc::default(),
            clock: Arc::new(SystemClock),
        }
    }

    #[tokio::test]
    async fn a_panic_and_a_hang_cost_one_observation_each() {
        let mixed = Arc::new(Mixed {
            seen: Mutex::default(),
        });
        let fleet = Fleet {
            collectors: HashMap::from([(
                "local_hosts",
                Arc::clone(&mixed) as Arc<dyn AnyCollector>,
            )]),
        };
        let targets = [
            target("panics", false),
            target("hangs", false),
            target("well", false),
            target("vital", true),
        ];
        let told = Mutex::new(0);
        let count = |_: &TargetId| *told.lock().expect("the count") += 1;
        let observations = run(&targets, &fleet, &options(1), None, &count).await;
        let statuses: Vec<Status> = observations
            .iter()
            .map(|seen| {
                seen.outcome
                    .as_ref()
                    .map_or_else(Failure::status, |_| Status::Green)
            })
            .collect();
        assert_eq!(
            statuses,
            [Status::Unknown, Status::Red, Status::Green, Status::Green]
        );
        let hinted = |seen: &Observation| match &seen.outcome {
            Err(failure) => failure.hint.is_some(),
            Ok(_) => true,
        };
        assert!(observations.iter().all(hinted), "{observations:?}");
        assert!(!format!("{observations:?}").contains("canary"));
        assert_eq!(*told.lock().expect("the count"), 4);
        assert_eq!(mixed.seen.lock().expect("the list")[0], "vital");
    }

    #[test]
    fn starts_are_spread_evenly() {
        let minute = Duration::from_mins(1);
        assert_eq!(share(minute, 0, 4), Duration::ZERO);
        assert_eq!(share(minute, 3, 4), Duration::from_secs(45));
        assert_eq!(share(Duration::ZERO, 3, 4), Duration::ZERO);
    }
}
