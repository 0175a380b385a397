//! Incidents: from what each target's looks say to what people must hear, and when.
//!
//! One pure state machine: values and `now` go in, and out comes what to keep, what to tell, whom to look at again, and
//! when to ask next. Nothing here waits, sends or stores. What it holds is what [`Record`]s said, so that a restart goes
//! on where the last commit was.
//!
//! How you could get this wrong, and what catches it: an event that does not go through [`speak`]'s gate is told inside a
//! silence, which a property test finds; so it finds an incident that opens twice or is forgotten by a restart.

mod causes;
mod clock;
mod engine;
mod escalation;
mod facts;
mod joining;
mod marks;
mod matcher;
mod orders;
mod quiet;
mod releasing;
mod route;
mod seeing;
mod settings;
mod silence;
mod speak;
mod window;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod timelines;

use std::sync::Arc;

use chrono::TimeDelta;

pub use engine::Engine;
pub use escalation::{Level, waits_for_a_level};
pub use facts::{Facts, Family};
pub use marks::Marks;
pub use matcher::{Matcher, MatcherError, Pattern};
pub use orders::{NotObeyed, Order};
pub use quiet::{Quiet, Until};
pub use route::Route;
pub use settings::{Grouping, Settings};
pub use silence::Silence;
pub use window::{LONGEST_OPEN, Occurrence, Window};

use crate::model::{Event, Incident, IncidentId, Timestamp};

/// How problems are confirmed, gathered and repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// How many looks must agree before a problem opens or becomes worse.
    pub agreeing_looks: u32,
    /// When a look that turns a target worse is repeated: for so long, what may explain a problem is waited for.
    pub confirm_after: TimeDelta,
    /// Members that follow within this of the last message come with the next.
    pub group_window: TimeDelta,
    /// After which times people are reminded; the last repeats. Empty: never.
    pub reminders: Vec<TimeDelta>,
    /// When others are told.
    pub escalation: Vec<Level>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            agreeing_looks: 2,
            confirm_after: TimeDelta::seconds(30),
            group_window: TimeDelta::seconds(30),
            reminders: [1, 2, 4, 8, 16, 24].map(TimeDelta::hours).to_vec(),
            escalation: Vec::new(),
        }
    }
}

/// What must be kept, together with what caused it.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// The incident as it is now.
    Incident(Arc<Incident>),
    /// What is remembered of a target's looks; `None`: nothing any more.
    Marks {
        /// Which target: `kind/name`.
        target: String,
        /// What is remembered.
        marks: Option<Marks>,
    },
    /// The number of the next incident.
    NextId(IncidentId),
}

/// Something that people must hear.
#[derive(Debug, Clone, PartialEq)]
pub enum Announcement {
    /// News of an incident.
    Incident {
        /// As it is now.
        incident: Arc<Incident>,
        /// What is new.
        events: Vec<Event>,
        /// For whom.
        audience: Audience,
    },
    /// What happened inside silences or windows that are over.
    QuietEnded {
        /// What the silences and windows were called.
        quiets: Vec<String>,
        /// The incidents, as they are now, with what was not said of them.
        unsaid: Vec<(Arc<Incident>, Vec<Event>)>,
    },
}

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// All who are told of such an incident, up to the level of escalation that it has reached.
    Everyone,
    /// Those of this level of escalation, from 0, who hear of it for the first time.
    Level(usize),
}

/// A look that would tell more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// At whom: `kind/name`.
    pub target: String,
    /// When.
    pub at: Timestamp,
}

/// What came of what went in. One step is one commit.
#[derive(Debug, Default, PartialEq)]
pub struct Step {
    /// What must be kept.
    pub records: Vec<Record>,
    /// What people must hear.
    pub announcements: Vec<Announcement>,
    /// Looks that would tell more.
    pub looks: Vec<Wanted>,
}
