//! Who did not answer, and whether that is many enough to doubt our own network. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::TimeDelta;

use crate::model::{Blame, FailureKind, Observation, Timestamp};

/// So many hosts fall silent together for another reason than that they are all down.
pub(super) const SUSPICIOUS: usize = 3;

/// For how long a look that got no answer counts. Rounds that take longer stretch it: what belongs to one round is seen
/// together, be rounds seconds or hours apart.
const COUNTS_FOR: TimeDelta = TimeDelta::minutes(2);

/// What a look at a host outside says of the way there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// It answered.
    Answered,
    /// It did not.
    Silent,
    /// Nothing: nobody may have been asked, or nobody was.
    Nothing,
}

impl Word {
    pub(super) fn of(observation: &Observation) -> Self {
        match &observation.outcome {
            Ok(_) => Self::Answered,
            Err(failure) => match (failure.kind, failure.blame) {
                (FailureKind::Unreachable | FailureKind::TimedOut, Blame::Target) => Self::Silent,
                (FailureKind::Missing | FailureKind::Unexpected, Blame::Target) => Self::Answered,
                // Keys and logins also fail before anybody is asked.
                _ => Self::Nothing,
            },
        }
    }
}

/// When a look ended.
pub(super) fn end_of(observation: &Observation) -> Timestamp {
    let took = TimeDelta::from_std(observation.took).unwrap_or_default();
    (observation.at)
        .checked_add_signed(took)
        .unwrap_or(observation.at)
}

#[derive(Debug, Clone, Copy)]
struct Silence {
    began: Timestamp,
    ended: Timestamp,
    is_private: bool,
}

/// The newest looks that got no answer, by host, and when somebody last answered.
///
/// A silence is disproved by an answer that came after its look had begun. One from a private network says nothing of
/// hosts on the Internet: where the line of a house is cut, what stands in the house still answers.
#[derive(Debug, Default)]
pub(super) struct Silences {
    by_host: HashMap<Arc<str>, Silence>,
    answered: Option<Timestamp>,
    answered_privately: Option<Timestamp>,
    rounds_took: HashMap<usize, TimeDelta>,
}

impl Silences {
    pub(super) fn note_answer(&mut self, host: &str, is_private: bool, at: Timestamp) {
        let newest = if is_private {
            &mut self.answered_privately
        } else {
            &mut self.answered
        };
        *newest = (*newest).max(Some(at));
        self.by_host.remove(host);
    }

    pub(super) fn note_silence(
        &mut self,
        host: &Arc<str>,
        is_private: bool,
        observation: &Observation,
    ) {
        let silence = Silence {
            began: observation.at,
            ended: end_of(observation),
            is_private,
        };
        self.by_host.insert(Arc::clone(host), silence);
    }

    /// How long the newest round of a group took.
    pub(super) fn note_round(&mut self, group: usize, took: std::time::Duration) {
        let took = TimeDelta::from_std(took).unwrap_or_default();
        self.rounds_took.insert(group, took);
    }

    /// Whether a look that began then and got no answer is disproved.
    pub(super) fn is_disproved(&self, began: Timestamp, is_private: bool) -> bool {
        let privately = self.answered_privately.filter(|_| is_private);
        self.answered.max(privately).is_some_and(|at| at >= began)
    }

    /// The hosts whose silence counts: how many, and when the first of their looks began.
    pub(super) fn counted(&self, now: Timestamp) -> (usize, Option<Timestamp>) {
        let longest_round = self.rounds_took.values().copied().max().unwrap_or_default();
        let counts_for = COUNTS_FOR.max(longest_round);
        let mut count = 0;
        let mut since = None;
        for silence in self.by_host.values() {
            let age = now.signed_duration_since(silence.ended);
            if age <= counts_for && !self.is_disproved(silence.began, silence.is_private) {
                count += 1;
                since =
                    Some(since.map_or(silence.began, |since: Timestamp| since.min(silence.began)));
            }
        }
        (count, since)
    }

    /// Begins anew: what was silent was so because of us.
    pub(super) fn forget(&mut self) {
        self.by_host.clear();
    }

    /// Forgets hosts that are not watched any more.
    pub(super) fn keep(&mut self, is_watched: impl Fn(&str) -> bool) {
        self.by_host.retain(|host, _| is_watched(host));
    }
}
