//! How many commands run over one connection at once: as many as the server takes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// sshd's `MaxSessions` is 10 by default, and it refuses the next; one that was left may not be closed there yet.
const MOST: usize = 8;

/// The sessions over one connection.
pub(super) struct Sessions {
    free: Arc<Semaphore>,
    counts: Arc<Counts>,
    /// Whether it refuses further ones although none of ours is open: commands that hang there, and that were left,
    /// keep their places for as long as their connection lasts.
    is_used_up: AtomicBool,
}

#[derive(Default)]
struct Counts {
    now: RwLock<Now>,
}

/// What is known of the sessions at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Now {
    /// How many are open.
    open: usize,
    /// How many have been open.
    ended: usize,
    /// By how much fewer the server takes than we had thought.
    fewer: usize,
}

/// The right to one session.
pub(super) struct Right {
    permit: Option<OwnedSemaphorePermit>,
    counts: Arc<Counts>,
    is_open: bool,
    /// What was known when it was given.
    before: Now,
}

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It takes no more than are open: another must end first.
    Full,
    /// None is open, but some were: they may not be closed there yet.
    Left,
    /// There was never one.
    Never,
}

impl Sessions {
    pub(super) fn new() -> Self {
        Self {
            free: Arc::new(Semaphore::new(MOST)),
            counts: Arc::default(),
            is_used_up: AtomicBool::new(false),
        }
    }

    /// Waits for the right to a session.
    pub(super) async fn right(&self, deadline: Instant) -> Option<Right> {
        let waiting = Arc::clone(&self.free).acquire_owned();
        let permit = timeout_at(deadline, waiting).await.ok()?.ok()?;
        Some(Right {
            permit: Some(permit),
            counts: Arc::clone(&self.counts),
            is_open: false,
            before: self.counts.get(),
        })
    }

    /// How many may be open at once, as far as we know.
    pub(super) fn most(&self) -> usize {
        MOST - self.counts.get().fewer
    }

    /// Whether the server was found to take fewer than servers usually do.
    pub(super) fn are_fewer(&self) -> bool {
        self.counts.get().fewer > 0
    }

    pub(super) fn are_used_up(&self) -> bool {
        self.is_used_up.load(Ordering::Relaxed)
    }

    pub(super) fn use_up(&self) {
        self.is_used_up.store(true, Ordering::Relaxed);
    }
}

impl Right {
    /// The session is open.
    pub(super) fn opened(&mut self) {
        self.is_open = true;
        self.counts.change(|now| now.open += 1);
    }

    /// The server refused the session. Where that shows that it takes fewer, we ask for fewer from now on.
    pub(super) fn refused(mut self) -> Refusal {
        let now = self.counts.get();
        if now.open > 0 {
            // Those that are open keep theirs, so that there is always one to wait for.
            if let Some(permit) = self.permit.take() {
                permit.forget();
                self.counts.change(|now| now.fewer += 1);
            }
            Refusal::Full
        } else if now.ended > self.before.ended {
            // It was open when the server was asked.
            Refusal::Full
        } else if now.ended > 0 {
            Refusal::Left
        } else {
            Refusal::Never
        }
    }
}

impl Drop for Right {
    fn drop(&mut self) {
        if self.is_open {
            self.counts.change(|now| {
                now.open -= 1;
                now.ended += 1;
            });
        }
    }
}

impl Counts {
    fn get(&self) -> Now {
        *self.now.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Now)) {
        change(&mut self.now.write().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refusal_lowers_the_number_as_long_as_one_is_open() {
        let sessions = Sessions::new();
        let far = Instant::now() + std::time::Duration::from_mins(1);
        assert_eq!(
            sessions.right(far).await.map(Right::refused),
            Some(Refusal::Never)
        );
        let mut first = sessions.right(far).await.expect("a right");
        first.opened();
        let others = futures_util::future::join_all((1..MOST).map(|_| sessions.right(far))).await;
        for other in others {
            assert_eq!(other.map(Right::refused), Some(Refusal::Full));
        }
        assert_eq!((sessions.most(), sessions.are_fewer()), (1, true));
        assert!(sessions.right(Instant::now()).await.is_none());
        drop(first);
        let second = sessions.right(far).await.expect("its place");
        assert_eq!(second.refused(), Refusal::Left);
        assert_eq!(sessions.most(), 1);
    }
}
