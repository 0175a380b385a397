//! The report of a single round at a prompt.

use std::collections::HashMap;

use super::{Judged, found, memory};
use crate::model::{Observation, Report, ReportTarget, RoundSummary, TargetId, Timestamp, Verdict};
use crate::render::{Seen, Told, compose};
use crate::rules::judge;

/// Judges the observations of a round, one for each of `targets` in their order, and composes the report. `before`: what
/// is known of earlier rounds. `complete`: the round covers all targets of the configuration.
#[must_use]
pub fn conclude(
    round: RoundSummary,
    targets: &[Judged],
    observations: &[Observation],
    before: &[ReportTarget],
    told: Option<&Told>,
    complete: bool,
) -> Report {
    let before: HashMap<(&str, &str), &ReportTarget> = (before.iter())
        .map(|target| ((target.kind.as_str(), target.name.as_str()), target))
        .collect();
    let found_before = |finder: &TargetId| {
        let found = (before.values()).filter(|known| {
            known.kind == finder.kind && known.found_by.as_deref() == Some(&*finder.name)
        });
        let ids = found.map(|known| TargetId {
            kind: finder.kind,
            name: known.name.as_str().into(),
        });
        ids.collect()
    };
    let all = found::with_found(targets, observations, &found_before);
    let verdicts: Vec<(Verdict, Timestamp)> = all
        .iter()
        .map(|(one, observation)| {
            let known = before.get(&(one.target.id.kind, &*one.target.id.name));
            let remembered = known.map(|known| memory::verdict(known, one.spec));
            let verdict = judge(&one.rules, remembered.as_ref(), observation);
            let same = known.filter(|known| known.status == verdict.status);
            let since = same.map_or(observation.at, |known| known.since);
            (verdict, since)
        })
        .collect();
    let seen: Vec<Seen<'_>> = all
        .iter()
        .zip(&verdicts)
        .map(|((one, observation), (verdict, since))| Seen {
            target: &one.target,
            spec: one.spec,
            observation,
            verdict,
            since: *since,
        })
        .collect();
    compose(round, &seen, told, complete)
}
