//! Where orders come in, whoever gives them: they are written into the store, and the daemon says there what came of them.
//! So an order that is given while no daemon runs is obeyed by the next.

pub mod clerk;

use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::incidents::Silence;
use crate::model::{Report, Timestamp};
use crate::store::{self, Trouble};

/// How often it is asked whether there is an answer.
const ASKING: Duration = Duration::from_millis(50);

/// What can be ordered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    /// To take note of an incident.
    Acknowledge {
        /// `12`, `#12`, or a target's name or `kind/name`.
        incident: String,
        /// Who.
        by: String,
        /// Why, or what is being done.
        why: Option<String>,
    },
    /// Not to speak of some targets for a while.
    Silence {
        /// Of which, and until when.
        silence: Box<Silence>,
    },
    /// To speak of them again.
    EndSilence {
        /// Which silence.
        id: String,
    },
    /// To try now what waits or was given up.
    Retry {
        /// Which message; `None`: all.
        message: Option<String>,
    },
    /// To forget a message.
    Drop {
        /// Which.
        message: String,
    },
    /// To deliver a round report that was made at a prompt.
    Deliver {
        /// To which reporter.
        reporter: String,
        /// The report.
        report: Box<Report>,
    },
}

/// What came of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Whether it was obeyed.
    pub done: bool,
    /// What was done, or why nothing was.
    pub text: String,
}

impl Answer {
    /// It was obeyed.
    pub fn done(text: impl Into<String>) -> Self {
        Self {
            done: true,
            text: text.into(),
        }
    }

    /// It was not.
    pub fn refused(text: impl Into<String>) -> Self {
        Self {
            done: false,
            text: text.into(),
        }
    }
}

/// How far an order came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The daemon said what came of it.
    Answered(Answer),
    /// No daemon runs: the next one obeys.
    NoDaemon,
    /// The daemon has said nothing yet.
    Waiting,
}

/// Places an order and waits for its answer, no longer than that. Blocks.
///
/// # Errors
/// The store cannot be written or read.
pub fn give(
    folder: &Path,
    order: &Order,
    patience: Duration,
    now: Timestamp,
) -> Result<Outcome, Trouble> {
    // Every order has a JSON form.
    let wanted = serde_json::to_string(order).unwrap_or_default();
    let id = store::place(folder, &wanted, now)?;
    if !store::is_held(folder) {
        return Ok(Outcome::NoDaemon);
    }
    let until = Instant::now() + patience;
    loop {
        if let Some(json) = store::answer(folder, id)? {
            let answer = serde_json::from_str(&json);
            return Ok(Outcome::Answered(
                answer.unwrap_or_else(|_| Answer::done(json)),
            ));
        }
        if Instant::now() >= until {
            return Ok(Outcome::Waiting);
        }
        std::thread::park_timeout(ASKING);
    }
}

/// Reads an order that was placed.
///
/// # Errors
/// Another version placed it, and this one does not know it.
pub fn read(wanted: &str) -> Result<Order, Answer> {
    serde_json::from_str(wanted)
        .map_err(|error| Answer::refused(format!("this version does not know the order: {error}")))
}
