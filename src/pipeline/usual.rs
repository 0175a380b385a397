//! What is usual for each metric: learnt from every look, kept now and then.

use super::{Pipeline, target_id};
use crate::analysis::baseline::Baselines;
use crate::model::{Status, Timestamp};
use crate::render::Seen;
use crate::store::KeptBaselines;

/// So many targets are handed over in one go: after a start all are due at the same time.
const MOST_AT_ONCE: usize = 256;

/// Learns from a look that was judged. One that failed, or that we could not make sense of, teaches nothing. One that is
/// RED does: `docs/decisions/0021-baselines.md`.
pub(super) fn learn(baselines: &mut Baselines, seen: &Seen<'_>) {
    if let Ok(reading) = &seen.observation.outcome
        && seen.verdict.status != Status::Unknown
    {
        baselines.see(&seen.target.id, reading, seen.observation.at);
    }
}

impl Pipeline {
    /// Takes up what was kept, of those that are watched.
    pub(super) fn remember_baselines(&mut self, kept: Vec<KeptBaselines>) {
        for one in kept {
            let Some(id) = target_id(&one.kind, &one.name) else {
                continue;
            };
            if self.states.contains_key(&id) {
                self.baselines.restore(&id, &one.bytes);
            }
        }
    }

    /// Hands over what has been gathered for long enough.
    pub(super) fn keep_baselines(&mut self, now: Timestamp) {
        for (id, bytes) in self.baselines.due(now, MOST_AT_ONCE) {
            if !self.store.keep_baselines(id.clone(), bytes) {
                self.baselines.keep_anew(&id, now);
            }
        }
    }

    /// Hands over everything: the daemon stops.
    pub(super) fn keep_all_baselines(&mut self) {
        for (id, bytes) in self.baselines.dirty() {
            // After a refusal there is what was kept before.
            let _kept: bool = self.store.keep_baselines(id, bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::model::{
        Common, Failure, FailureKind, Observation, Reading, Target, TargetId, Unit, Urgency,
        Verdict,
    };

    fn count(outcome: Result<Reading, Failure>, status: Status) -> Option<u32> {
        let spec = &crate::collectors::kind("api_endpoints")
            .expect("built")
            .spec;
        let id = TargetId {
            kind: spec.key,
            name: "shop".into(),
        };
        let target = Target {
            id: id.clone(),
            common: Common {
                critical: true,
                urgency: Urgency::Normal,
                timeout: Duration::from_secs(1),
                labels: BTreeMap::new(),
                depends_on: Vec::new(),
                runbook: None,
            },
            settings: Arc::new(()),
            found_by: None,
        };
        let observation = Observation {
            target: id.clone(),
            at: Timestamp::UNIX_EPOCH,
            took: Duration::ZERO,
            outcome,
            trace: tracing::Span::none(),
        };
        let verdict = Verdict {
            status,
            findings: Vec::new(),
        };
        let mut baselines = Baselines::default();
        let seen = Seen {
            target: &target,
            spec,
            observation: &observation,
            verdict: &verdict,
            since: Timestamp::UNIX_EPOCH,
        };
        learn(&mut baselines, &seen);
        let known = baselines.one(&id, "response_time_ms", None);
        known.map(|known| known.baseline.count())
    }

    #[test]
    fn every_look_teaches_that_succeeded_and_is_not_unknown() {
        let mut reading = Reading::default();
        reading.number("response_time_ms", None, 12.0, Unit::Milliseconds);
        for (status, taught) in [
            (Status::Green, Some(1)),
            (Status::Yellow, Some(1)),
            (Status::Red, Some(1)),
            (Status::Unknown, None),
        ] {
            assert_eq!(count(Ok(reading.clone()), status), taught, "{status:?}");
            let failure = Failure {
                seen: Box::new(reading.clone()),
                ..Failure::new(FailureKind::TimedOut, "no answer")
            };
            assert_eq!(count(Err(failure), status), None, "{status:?}");
        }
    }
}
