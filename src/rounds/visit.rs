//! Looks that are made together.

use std::sync::Arc;
use std::time::Instant;

use crate::model::{Target, Timestamp};

/// Targets that are visited together.
pub(super) struct Visit {
    pub(super) targets: Vec<Arc<Target>>,
    pub(super) at: Timestamp,
    pub(super) round: Option<RoundOf>,
    together: Option<Arc<str>>,
}

/// The round that a look belongs to.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct RoundOf {
    pub(super) group: usize,
    pub(super) number: u64,
    pub(super) began: Instant,
}

/// Adds a target to the visit that it shares with others, or to one of its own.
pub(super) fn join(
    visits: &mut Vec<Visit>,
    target: Arc<Target>,
    at: Timestamp,
    round: Option<RoundOf>,
    together: Option<Arc<str>>,
) {
    let is_shared = |visit: &&mut Visit| visit.together == together && visit.round == round;
    let shared = together
        .as_ref()
        .and_then(|_| visits.iter_mut().find(is_shared));
    match shared {
        Some(visit) => visit.targets.push(target),
        None => visits.push(Visit {
            targets: vec![target],
            at,
            round,
            together,
        }),
    }
}
