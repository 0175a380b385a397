//! What was seen at the last look, so that this one can tell what changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::clients::docker::Place;
use crate::model::{TargetId, Timestamp};

/// More containers than this on one host are not remembered.
const MOST_CONTAINERS: usize = 20_000;
/// What was not looked at for so long is forgotten, so that targets that left the configuration do not stay.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(7 * 24);

/// What was seen of a container.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Then {
    /// Whether its main process ran.
    pub(super) ran: bool,
    /// How often the engine had restarted it, as far as that was asked.
    pub(super) restart_count: Option<u64>,
}

/// What was seen of a host.
#[derive(Debug, Clone)]
pub(super) struct Before {
    place: Place,
    /// When that was, by the engine's clock. Events were asked for up to then; if they could not be had, that look said
    /// so, and they are not asked for again.
    pub(super) until: Timestamp,
    /// By the container's id.
    pub(super) containers: HashMap<String, Then>,
    /// When that was, by our own clock: those of engines cannot be compared with each other.
    at: Instant,
}

impl Before {
    pub(super) fn new(place: Place, until: Timestamp, containers: HashMap<String, Then>) -> Self {
        Self {
            place,
            until,
            containers,
            at: Instant::now(),
        }
    }
}

/// The last looks of all targets.
#[derive(Default)]
pub(super) struct LastLooks(Mutex<HashMap<TargetId, Arc<Before>>>);

impl LastLooks {
    /// The last look at a target. None where its engine is another one now.
    pub(super) fn get(&self, target: &TargetId, place: &Place) -> Option<Arc<Before>> {
        let looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        looks
            .get(target)
            .filter(|before| before.place == *place)
            .cloned()
    }

    pub(super) fn keep(&self, target: &TargetId, mut look: Before) {
        if look.containers.len() > MOST_CONTAINERS {
            look.containers = HashMap::new();
        }
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        looks.retain(|_, other| other.at.elapsed() < FORGOTTEN_AFTER);
        looks.insert(target.clone(), Arc::new(look));
    }
}
