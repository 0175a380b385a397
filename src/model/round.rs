use std::time::Duration;

use super::{Observation, TargetId, Timestamp};

/// What comes out of the rounds of a daemon, in order: the looks of a round before its end.
#[derive(Debug)]
pub enum RoundEvent {
    /// A look has ended.
    Seen(Box<Observation>),
    /// A round is over.
    Ended(RoundEnd),
}

/// How a round went.
#[derive(Debug, Clone, PartialEq)]
pub struct RoundEnd {
    /// Which timetable it belongs to; 0: that of all targets that have none of their own.
    pub group: usize,
    /// Unique among the rounds of one installation.
    pub id: String,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// How many looks belonged to it.
    pub looks: usize,
    /// How many of them were left out because the one before was still under way.
    pub skipped: usize,
    /// How many had not ended when the next round began.
    pub unfinished: usize,
    /// How many rounds were missed before it.
    pub missed: u64,
    /// When the next round of the first timetable begins.
    pub next_at: Option<Timestamp>,
}

/// A look that is asked for between two rounds: to confirm what was seen, or because something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// At whom.
    pub target: TargetId,
    /// When, unless one is due before.
    pub at: Timestamp,
}
