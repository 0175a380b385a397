//! A chat of Telegram that fails half of the time, and remembers what it accepted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use roundsman::schedule::share;

use super::axe::{Axe, Point};
use crate::support::telegram::{Fault, Moment, Telegram};

/// A call that was done.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) method: String,
    pub(super) text: String,
    pub(super) life: usize,
    pub(super) at: Instant,
    /// When all of the answer was written; `None`: the connection was cut before.
    pub(super) answered: Option<Instant>,
    pub(super) number: usize,
}

/// The chat.
pub(super) struct Chat {
    pub(super) service: Telegram,
    pub(super) is_failing: Arc<AtomicBool>,
    done: Arc<Mutex<Vec<Done>>>,
}

impl Chat {
    pub(super) async fn start(seed: u64, axe: &Arc<Axe>) -> Self {
        let service = Telegram::start().await;
        let is_failing = Arc::new(AtomicBool::new(true));
        let done: Arc<Mutex<Vec<Done>>> = Arc::default();
        let (axe, failing, record) = (Arc::clone(axe), Arc::clone(&is_failing), Arc::clone(&done));
        service.watched_by(Arc::new(move |number, moment| {
            let mut record = record.lock().expect("no panic");
            match moment {
                Moment::Read => {
                    axe.pass(Point::Read);
                    let is_failing = failing.load(Ordering::SeqCst);
                    return is_failing.then(|| fault(seed, number)).flatten();
                }
                Moment::Done(method, message) => {
                    record.push(Done {
                        method: method.to_owned(),
                        text: message["text"].as_str().unwrap_or_default().to_owned(),
                        life: axe.life(),
                        at: Instant::now(),
                        answered: None,
                        number,
                    });
                    axe.pass(Point::Accepted);
                }
                Moment::Answered => {
                    let mut calls = record.iter_mut().rev();
                    if let Some(done) = calls.find(|done| done.number == number) {
                        done.answered = Some(Instant::now());
                        axe.pass(Point::Answered);
                    }
                }
            }
            None
        }));
        Self {
            service,
            is_failing,
            done,
        }
    }

    /// Everything that was done, in order.
    pub(super) fn done(&self) -> Vec<Done> {
        self.done.lock().expect("no panic").clone()
    }
}

/// Half of the time, and each fault as often as the others.
fn fault(seed: u64, number: usize) -> Option<Fault> {
    let chance = share(&format!("{seed} chat"), u64::try_from(number).expect("few")) * 8.0;
    match chance {
        ..1.0 => Some(Fault::refused(500, "Internal Server Error")),
        ..2.0 => Some(Fault::retry_after(1)),
        ..3.0 => Some(Fault::CutBefore),
        ..4.0 => Some(Fault::CutAfter),
        _ => None,
    }
}
