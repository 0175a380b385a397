//! The tasks that send: one for each channel.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::lease::{Job, Lease};
use super::mailroom::Mailroom;
use super::message::message;
use crate::clock::{Clock, milliseconds};
use crate::reporters::{AnyReporter, Message, Receipt, Retry, SendError};
use crate::traces;

/// How long a channel may take for a message.
const SENDING: Duration = Duration::from_secs(30);

/// A wait that is longer than this is looked at again: clocks are set.
const LOOKED_AT_AGAIN: Duration = Duration::from_secs(5);

/// How long it is waited for a commit before it is asked whether the store is in trouble.
const COMMITTING: Duration = Duration::from_millis(100);

/// The reporters by name, each made once: what it knows of its channel stays over tries.
pub type Reporters = HashMap<String, Arc<dyn AnyReporter>>;

/// Sends what the mailroom has.
pub struct Courier {
    /// Where messages are.
    pub mailroom: Arc<Mailroom>,
    /// Who sends.
    pub reporters: watch::Receiver<Arc<Reporters>>,
    /// The newest commit of the store.
    pub committed: watch::Receiver<u64>,
    /// The folder of the store, for what is read when it is sent.
    pub store: PathBuf,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl Courier {
    /// Sends until it is to stop, and then what is due, each once. Ends early only where a channel's task panicked.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut tasks: JoinSet<()> = JoinSet::new();
        loop {
            let these = stop.child_token();
            let reporters = Arc::clone(&self.reporters.borrow_and_update());
            for (name, reporter) in reporters.iter() {
                let channel = Channel {
                    name: name.clone(),
                    reporter: Arc::clone(reporter),
                    mailroom: Arc::clone(&self.mailroom),
                    committed: self.committed.clone(),
                    store: self.store.clone(),
                    clock: Arc::clone(&self.clock),
                };
                tasks.spawn(channel.run(these.clone()));
            }
            let goes_on = self.is_replaced(&stop, &mut tasks).await;
            // Where the configuration is another one, those before end what they send.
            these.cancel();
            if !goes_on {
                break;
            }
        }
        while tasks.join_next().await.is_some() {}
    }

    /// Waits for other reporters. `false`: there will be none.
    async fn is_replaced(&mut self, stop: &CancellationToken, tasks: &mut JoinSet<()>) -> bool {
        loop {
            tokio::select! {
                () = stop.cancelled() => return false,
                Ok(()) = self.reporters.changed() => return true,
                // Those of the configuration before end one after the other.
                Some(ended) = tasks.join_next() => if ended.is_err() {
                    return false;
                },
                else => {
                    stop.cancelled().await;
                    return false;
                }
            }
        }
    }
}

struct Channel {
    name: String,
    reporter: Arc<dyn AnyReporter>,
    mailroom: Arc<Mailroom>,
    committed: watch::Receiver<u64>,
    store: PathBuf,
    clock: Arc<dyn Clock>,
}

impl Channel {
    /// At its end it sends what is due, each once: what fails then waits for the next start.
    async fn run(self, stop: CancellationToken) {
        let mut handed_in = self.mailroom.handed_in();
        let mut committed = self.committed.clone();
        let mut sending = FuturesUnordered::new();
        loop {
            handed_in.borrow_and_update();
            committed.borrow_and_update();
            let stopping = stop.is_cancelled();
            let mut committing = false;
            let wait = loop {
                match self.mailroom.lease(&self.name) {
                    Lease::Send(job) => sending.push(self.send(*job)),
                    Lease::Commit => {
                        committing = true;
                        break COMMITTING;
                    }
                    Lease::Wait(_) if stopping && sending.is_empty() => return,
                    Lease::Wait(until) => {
                        let left = until.map(|at| (at - self.clock.now()).to_std());
                        let left = left.map_or(LOOKED_AT_AGAIN, Result::unwrap_or_default);
                        break left.min(LOOKED_AT_AGAIN);
                    }
                }
            };
            tokio::select! {
                Some(()) = sending.next() => {}
                () = stop.cancelled(), if !stopping => {}
                Ok(()) = handed_in.changed() => {}
                Ok(()) = committed.changed(), if committing => {}
                () = sleep_until(Instant::now() + wait) => {}
            }
        }
    }

    async fn send(&self, job: Job) {
        let began = Instant::now();
        let (parcel, id, tries) = (job.parcel.clone(), job.message.clone(), job.tries);
        let now = self.clock.now();
        // Thousands of incidents in one message take a while.
        let store = self.store.clone();
        let made = tokio::task::spawn_blocking(move || message(&job, &store, now)).await;
        let outcome = match made {
            Ok(Ok(message)) => send_in_time(&self.name, self.reporter.as_ref(), &message).await,
            Ok(Err(error)) => Err(error),
            Err(_) => Err(panicked("making the message")),
        };
        let duration_ms = milliseconds(began.elapsed());
        match &outcome {
            Ok(_) => tracing::info!(
                event = "message.sent",
                reporter = self.name,
                message.id = id,
                tries,
                duration_ms,
                "a message was sent"
            ),
            Err(error) => tracing::warn!(
                event = "message.not_sent",
                reporter = self.name,
                message.id = id,
                tries,
                duration_ms,
                hint = error.hint,
                "{}",
                error.message
            ),
        }
        self.mailroom.settle(&parcel, &outcome);
    }
}

fn panicked(what: &str) -> SendError {
    SendError::permanent(format!("{what} panicked"))
        .hint("this is a bug of ours: please report it with the log")
}

/// Sends a message once, and takes no longer than half a minute.
///
/// # Errors
/// What the channel said, or that it said nothing in time.
pub async fn send_in_time(
    name: &str,
    reporter: &dyn AnyReporter,
    message: &Message,
) -> Result<Receipt, SendError> {
    // A reporter keeps no state that a panic could leave half-written.
    let send = AssertUnwindSafe(reporter.send(message)).catch_unwind();
    let trace = traces::send(name, &message.id);
    let sending = timeout(SENDING, send).instrument(trace.clone());
    let outcome = match sending.await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(panicked("the reporter")),
        Err(_) => Err(SendError::retryable(format!(
            "the message was not sent within {} s",
            SENDING.as_secs()
        ))),
    };
    match &outcome {
        Ok(_) => traces::sent(&trace),
        Err(error) => traces::not_sent(&trace, error.retry != Retry::Never),
    }
    outcome
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::clock::SystemClock;
    use crate::delivery::Terms;
    use crate::model::Timestamp;
    use crate::store::{Keep, Settings, Store};

    /// Counts how often somebody asks for the time: a channel does whenever it looks for something to send.
    #[derive(Default)]
    struct Counting(AtomicUsize);

    impl Clock for Counting {
        fn now(&self) -> Timestamp {
            self.0.fetch_add(1, Ordering::SeqCst);
            SystemClock.now()
        }
    }

    struct Idle;

    impl AnyReporter for Idle {
        fn send<'a>(
            &'a self,
            _message: &'a Message,
        ) -> futures_util::future::BoxFuture<'a, Result<Receipt, SendError>> {
            std::future::ready(Ok(Receipt::default())).boxed()
        }
    }

    #[tokio::test]
    async fn another_configuration_is_taken_up_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = Settings {
            folder: folder.path().to_owned(),
            keep: Keep::USUAL,
        };
        let clock = Arc::new(Counting::default());
        let store = Store::start(settings, Arc::new(SystemClock)).expect("a store");
        let store = Arc::new(store);
        let mailroom = Mailroom::new(
            Terms::default(),
            Arc::clone(&store),
            Arc::clone(&clock) as Arc<dyn Clock>,
        );
        let reporters = || -> Arc<Reporters> {
            Arc::new(HashMap::from([(
                "ops".to_owned(),
                Arc::new(Idle) as Arc<dyn AnyReporter>,
            )]))
        };
        let (replace, taken_up) = watch::channel(reporters());
        let courier = Courier {
            mailroom: Arc::new(mailroom),
            reporters: taken_up,
            committed: store.committed(),
            store: folder.path().to_owned(),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
        };
        let stop = CancellationToken::new();
        let running = tokio::spawn(courier.run(stop.clone()));
        for _ in 0..3 {
            replace.send_replace(reporters());
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
        }
        let asked = clock.0.load(Ordering::SeqCst);
        assert!((1..50).contains(&asked), "{asked} times");
        stop.cancel();
        running.await.expect("it ends");
    }
}
