//! When the daemon dies: by time, or at a point of the way from a look to a message.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::Notify;

/// A point that is seen from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Point {
    /// After some time.
    Time,
    /// A target has just answered.
    Looked,
    /// A channel has just read a message.
    Read,
    /// A channel has just accepted one, and has not said so.
    Accepted,
    /// A channel has just said that it accepted one.
    Answered,
}

/// Kills the daemon once it is where it is to die.
#[derive(Default)]
pub(super) struct Axe {
    state: Mutex<State>,
    fallen: Notify,
}

#[derive(Default)]
struct State {
    victim: Option<Pid>,
    /// The point, how often it is passed before, and how long after it.
    aim: Option<(Point, u32, Duration)>,
    /// When each life ended; the last one may go on.
    ends: Vec<Option<Instant>>,
    kills: BTreeMap<Point, u32>,
}

impl Axe {
    /// A new life begins.
    pub(super) fn begin(&self, victim: Pid, aim: Option<(Point, u32, Duration)>) {
        let mut state = self.state();
        state.victim = Some(victim);
        state.aim = aim;
        state.ends.push(None);
    }

    /// The number of this life.
    pub(super) fn life(&self) -> usize {
        self.state().ends.len().saturating_sub(1)
    }

    /// When each life was ended; `None`: it was not.
    pub(super) fn ends(&self) -> Vec<Option<Instant>> {
        self.state().ends.clone()
    }

    /// How often it fell where.
    pub(super) fn kills(&self) -> BTreeMap<Point, u32> {
        self.state().kills.clone()
    }

    /// The daemon has come to a point.
    pub(super) fn pass(self: &Arc<Self>, point: Point) {
        let delay = {
            let mut state = self.state();
            match &mut state.aim {
                Some((at, 0, delay)) if *at == point => *delay,
                Some((at, before, _)) if *at == point => {
                    *before -= 1;
                    return;
                }
                _ => return,
            }
        };
        if delay.is_zero() {
            self.fall(point);
            return;
        }
        let (axe, life) = (Arc::clone(self), self.life());
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            if axe.life() == life {
                axe.fall(point);
            }
        });
    }

    /// Kills the daemon, unless it is dead.
    pub(super) fn fall(&self, point: Point) {
        let mut state = self.state();
        state.aim = None;
        let Some(victim) = state.victim.take() else {
            return;
        };
        kill_process(victim, Signal::KILL).expect("nobody has waited for it");
        if let Some(end) = state.ends.last_mut() {
            *end = Some(Instant::now());
        }
        *state.kills.entry(point).or_default() += 1;
        self.fallen.notify_one();
    }

    /// Waits until it fell, and not longer than that: then it falls.
    pub(super) async fn fallen_within(&self, longest: Duration) {
        let fell = tokio::time::timeout(longest, self.fallen.notified()).await;
        if fell.is_err() {
            self.fall(Point::Time);
            self.fallen.notified().await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }
}
