//! Calls into the kernel that may never come back.
//!
//! A network mount whose server is gone holds whoever asks about it, for minutes or for ever, and nothing can take
//! the thread back. So each call has a thread of its own, is left behind after its limit, and is not made again
//! while the thread of the last one is still held: however many looks there are, a dead mount costs one thread.
//!
//! The threads are plain ones, not those of the runtime, which would wait for them at its end and so could never
//! stop the daemon.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

/// Makes calls that may never come back, and remembers those that have not.
#[derive(Debug, Clone, Default)]
pub(super) struct Patience {
    /// By the name of the call, whether its thread has ended since.
    left_behind: Arc<Mutex<HashMap<String, Arc<AtomicBool>>>>,
}

/// Says that a thread has ended, also by a panic.
struct Ending(Arc<AtomicBool>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Remembers a call that nobody waits for any more, also when the look itself was dropped.
struct Waiting<'a> {
    patience: &'a Patience,
    name: &'a str,
    ended: Arc<AtomicBool>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.ended.load(Ordering::Acquire) {
            let ended = Arc::clone(&self.ended);
            self.patience.locked().insert(self.name.to_owned(), ended);
        }
    }
}

impl Patience {
    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<AtomicBool>>> {
        self.left_behind
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Does the work on a thread of its own and waits for it no longer than `limit`.
    ///
    /// # Errors
    /// Says why there is no answer, to stand behind what was asked.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        name: &str,
        limit: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, String> {
        {
            let mut left_behind = self.locked();
            left_behind.retain(|_, ended| !ended.load(Ordering::Acquire));
            if left_behind.contains_key(name) {
                return Err("still has not answered an earlier look".to_owned());
            }
        }
        let (sender, receiver) = oneshot::channel();
        let ended = Arc::new(AtomicBool::new(false));
        let ending = Ending(Arc::clone(&ended));
        let run = move || {
            let answer = work();
            // Before the answer is sent, so that whoever has it can ask again at once.
            drop(ending);
            // Nobody listens when the look has gone on without it.
            drop(sender.send(answer));
        };
        std::thread::Builder::new()
            .name("local-host".to_owned())
            .spawn(run)
            .map_err(|error| format!("could not be asked, no thread could be started: {error}"))?;
        let _waiting = Waiting {
            patience: self,
            name,
            ended,
        };
        match tokio::time::timeout(limit, receiver).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err("could not be asked: the call panicked".to_owned()),
            Err(_) => Err(format!("did not answer within {} ms", limit.as_millis())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Instant;

    use super::*;

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn an_answer_comes_back() {
        let patience = Patience::default();
        assert_eq!(patience.call("a", LONG, || 7).await, Ok(7));
        assert_eq!(patience.call("a", LONG, || 8).await, Ok(8));
    }

    #[tokio::test]
    async fn a_call_that_hangs_costs_one_thread_and_hinders_no_other() {
        let patience = Patience::default();
        let (release, held) = mpsc::channel::<()>();
        let hang = move || held.recv().is_ok();
        let began = Instant::now();
        let first = patience.call("nfs", SHORT, hang).await;
        assert_eq!(first, Err("did not answer within 20 ms".to_owned()));
        let second = patience.call("nfs", LONG, || ()).await;
        assert_eq!(
            second,
            Err("still has not answered an earlier look".to_owned())
        );
        assert_eq!(patience.call("ext4", LONG, || 1).await, Ok(1));
        assert!(began.elapsed() < LONG);

        release.send(()).expect("the thread is still held");
        while patience.call("nfs", LONG, || ()).await.is_err() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_look_that_was_dropped_is_remembered_too() {
        let patience = Patience::default();
        let (release, held) = mpsc::channel::<()>();
        let call = patience.call("nfs", LONG, move || held.recv().is_ok());
        assert!(tokio::time::timeout(SHORT, call).await.is_err());
        assert!(patience.call("nfs", LONG, || ()).await.is_err());
        drop(release);
    }

    #[tokio::test]
    async fn a_panic_is_no_hang() {
        let patience = Patience::default();
        let answer: Result<(), String> = patience.call("a", LONG, || panic!("on purpose")).await;
        assert_eq!(
            answer,
            Err("could not be asked: the call panicked".to_owned())
        );
        assert_eq!(patience.call("a", LONG, || 1).await, Ok(1));
    }
}
