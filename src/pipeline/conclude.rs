//! The report of a single round at a prompt.

use std::collections::HashMap;

use super::picture::{PICTURE, Picture};
use super::{Judged, found, memory};
use crate::analysis::baseline::Baselines;
use crate::incidents::{Facts, Family};
use crate::model::{
    Analysis, Observation, Report, ReportTarget, RoundSummary, TargetId, Timestamp, Verdict,
};
use crate::render::{Seen, Told, compose};
use crate::rules::judge;
use crate::store::Remembered;
use crate::traces;

/// Judges the observations of a round, one for each of `targets` in their order, and composes the report. `earlier`:
/// what is known of the time before. `complete`: the round covers all targets of the configuration. `facts`: who depends on whom.
#[must_use]
pub fn conclude(
    round: RoundSummary,
    targets: &[Judged],
    observations: &[Observation],
    earlier: &Earlier<'_>,
    complete: bool,
    facts: &[Facts],
) -> Report {
    let (before, told, past) = (earlier.states, earlier.told, earlier.past);
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
            traces::judged(&observation.trace, verdict.status.word());
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
    let analysis = analysis(&seen, facts, past, &before, round.started_at);
    compose(round, &seen, told, complete, analysis)
}

/// What there is to be said of all that is not well.
fn analysis(
    seen: &[Seen<'_>],
    facts: &[Facts],
    past: &Past,
    before: &HashMap<(&str, &str), &ReportTarget>,
    now: Timestamp,
) -> Option<Analysis> {
    // Looks of a round are made within its deadlines, and the last of them is the newest that is known.
    let now = seen
        .iter()
        .map(|one| one.observation.at)
        .max()
        .unwrap_or(now);
    let mut picture = Picture::default();
    if let Some(json) = &past.picture {
        picture.restore(json, &|id| seen.iter().any(|one| one.target.id == *id));
    }
    for one in seen {
        let id = &one.target.id;
        let known = before.get(&(id.kind, &*id.name));
        if let Some(known) = known {
            picture.recall(id, known);
        }
        picture.see(one, known.map(|known| known.looked_at), &past.baselines);
    }
    let mut family = Family::new(facts.iter().cloned());
    for one in seen {
        let id = &one.target.id;
        if let Some(finder) = &one.target.found_by
            && let Some(facts) = family.get(&format!("{}/{finder}", id.kind))
        {
            family.add(facts.of_found(id));
        }
    }
    picture.draw(&family, now).of_all()
}

/// What is known of the time before a single round.
#[derive(Debug, Clone, Copy)]
pub struct Earlier<'a> {
    /// The last known state of each target.
    pub states: &'a [ReportTarget],
    /// What people were told last.
    pub told: Option<&'a Told>,
    /// What was usual, and what was out of the ordinary.
    pub past: &'a Past,
}

/// What was kept of the time before a single round.
#[derive(Debug, Default)]
pub struct Past {
    baselines: Baselines,
    /// What was out of the ordinary, as it was kept.
    picture: Option<String>,
}

impl Past {
    /// What the daemon's memory holds.
    #[must_use]
    pub fn of(remembered: &Remembered) -> Self {
        let mut baselines = Baselines::default();
        for one in &remembered.baselines {
            if let Some(kind) = crate::collectors::kind(&one.kind) {
                let id = TargetId {
                    kind: kind.spec.key,
                    name: one.name.as_str().into(),
                };
                baselines.restore(&id, &one.bytes);
            }
        }
        Self {
            baselines,
            picture: remembered.notes.get(PICTURE).cloned(),
        }
    }
}
