//! Targets that others found: each is judged like the one that found it, and seen in the same look.

use std::sync::Arc;

use super::Judged;
use crate::model::{Failure, Observation, TargetId};

/// What a look says of the targets that it is there to find.
pub(super) enum Sight {
    /// These are there, and no others.
    All(Vec<Observation>),
    /// It could not look: what was found before is as unknown as the target itself.
    Failed(Failure),
}

/// Takes the found targets out of an observation.
pub(super) fn take(observation: &mut Observation) -> Sight {
    let (at, took, kind) = (observation.at, observation.took, observation.target.kind);
    let reading = match &mut observation.outcome {
        Ok(reading) => reading,
        Err(failure) => {
            return Sight::Failed(Failure {
                seen: Box::default(),
                ..failure.clone()
            });
        }
    };
    let found = reading.found.take().unwrap_or_default();
    let observations = found.into_iter().map(|one| Observation {
        target: TargetId {
            kind,
            name: one.name.into(),
        },
        at,
        took,
        outcome: one.outcome,
        trace: tracing::Span::none(),
    });
    Sight::All(observations.collect())
}

impl Judged {
    /// How a target is judged that this one found.
    pub(super) fn found(&self, id: &TargetId) -> Self {
        Self {
            target: Arc::new(self.target.found(&id.name)),
            ..self.clone()
        }
    }
}

/// Each observation with how it is judged; those of found targets follow that of the one that found them. `before` gives
/// the names that one has found before.
pub(super) fn with_found(
    targets: &[Judged],
    observations: &[Observation],
    before: &dyn Fn(&TargetId) -> Vec<TargetId>,
) -> Vec<(Judged, Observation)> {
    let mut all = Vec::with_capacity(targets.len());
    for (one, observation) in targets.iter().zip(observations) {
        let mut observation = observation.clone();
        let sight = take(&mut observation);
        let found = match sight {
            Sight::All(found) => found,
            Sight::Failed(failure) => {
                let ids = before(&observation.target).into_iter();
                let unknown = ids.map(|target| Observation {
                    target,
                    outcome: Err(failure.clone()),
                    trace: tracing::Span::none(),
                    ..observation.clone()
                });
                unknown.collect()
            }
        };
        all.push((one.clone(), observation));
        all.extend(
            found
                .into_iter()
                .map(|found| (one.found(&found.target), found)),
        );
    }
    all
}
