use serde::{Deserialize, Serialize};

use super::{Event, IncidentId, Status, Timestamp};

/// A message for one channel, from the commit that caused it until the channel has taken it. What it says is rendered when
/// it is sent, so that one that waited tells the truth of now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// Unique among all parcels.
    pub id: String,
    /// The reporter's name.
    pub reporter: String,
    /// What it tells of.
    pub content: ParcelContent,
    /// How often it took something more along while it waited.
    #[serde(default)]
    pub revision: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is to be sent, or tried again.
    pub due_at: Timestamp,
    /// How often it was tried.
    #[serde(default)]
    pub tries: u32,
    /// Why the last try failed.
    #[serde(default)]
    pub last_error: Option<String>,
    /// A channel may have taken it under its name, before a kill of which nobody knows what came of it: it stays as it is.
    #[serde(default)]
    pub in_doubt: bool,
    /// When it was given up; `None`: it was not.
    #[serde(default)]
    pub dead_at: Option<Timestamp>,
}

impl Parcel {
    /// Gives it its whole time again, from now on.
    pub fn try_anew(&mut self, now: Timestamp) {
        self.dead_at = None;
        self.created_at = now;
        self.due_at = now;
        self.tries = 0;
    }

    /// What the message is called: the same at each try of the same content.
    #[must_use]
    pub fn message_id(&self) -> String {
        match self.revision {
            0 => self.id.clone(),
            revision => format!("{}.{revision}", self.id),
        }
    }
}

/// What a parcel tells of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParcelContent {
    /// A round report, kept apart under this id, because several channels get the same.
    Report {
        /// Which.
        id: String,
    },
    /// News of an incident.
    Incident {
        /// Which.
        id: IncidentId,
        /// What is new, oldest first.
        events: Vec<Event>,
    },
    /// News of many incidents, told together because there are too many to tell each.
    Incidents {
        /// Which, and what is new of each, oldest first.
        of: Vec<(IncidentId, Vec<Event>)>,
    },
    /// What happened inside silences that are over.
    Quiet {
        /// What they were called.
        quiets: Vec<String>,
        /// What was not said, by incident.
        unsaid: Vec<(IncidentId, Vec<Event>)>,
    },
    /// How much of that time each target was up.
    Uptime {
        /// From when on.
        from: Timestamp,
        /// Until when.
        to: Timestamp,
    },
    /// What the monitor has to say of itself.
    Note {
        /// What it is about: a newer one about the same takes its place.
        about: String,
        /// In one line.
        title: String,
        /// How bad it is.
        tone: Status,
        /// More of it, a line each.
        lines: Vec<String>,
        /// Whether somebody must hear of it now.
        #[serde(default = "rings")]
        rings: bool,
    },
}

fn rings() -> bool {
    true
}
