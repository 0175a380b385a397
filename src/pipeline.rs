//! From observations to what is told: judge each, then compose the report. Until there is a store, what was told last
//! is the only memory.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{
    Finding, KindSpec, Observation, Report, ReportTarget, RoundSummary, Target, Verdict,
};
use crate::render::{Seen, compose};
use crate::rules::{Rules, judge};

/// A target with what it takes to judge it.
pub struct Judged {
    /// The target.
    pub target: Arc<Target>,
    /// Its kind.
    pub spec: &'static KindSpec,
    /// Its rules.
    pub rules: Arc<Rules>,
}

/// Judges the observations of a round, one for each of `targets` in their order, and composes the report.
/// `complete`: the round covers all targets of the configuration.
#[must_use]
pub fn conclude(
    round: RoundSummary,
    targets: &[Judged],
    observations: &[Observation],
    previous: Option<&Report>,
    complete: bool,
) -> Report {
    let told = previous.map_or(&[][..], |report| &report.targets);
    let before: HashMap<(&str, &str), &ReportTarget> = told
        .iter()
        .map(|target| ((target.kind.as_str(), target.name.as_str()), target))
        .collect();
    let verdicts: Vec<Verdict> = targets
        .iter()
        .zip(observations)
        .map(|(one, observation)| {
            let told = before.get(&(one.target.id.kind, &*one.target.id.name));
            let remembered = told.map(|told| remembered(told, one.spec));
            judge(&one.rules, remembered.as_ref(), observation)
        })
        .collect();
    let seen: Vec<Seen<'_>> = targets
        .iter()
        .zip(observations)
        .zip(&verdicts)
        .map(|((one, observation), verdict)| Seen {
            target: &one.target,
            spec: one.spec,
            observation,
            verdict,
        })
        .collect();
    compose(round, &seen, previous, complete)
}

/// The verdict that a report told of, as far as the next judgement asks for it.
fn remembered(told: &ReportTarget, spec: &'static KindSpec) -> Verdict {
    let findings = told.findings.iter().filter_map(|finding| {
        let metric = spec.metric(&finding.metric)?;
        Some(Finding {
            metric: metric.name,
            subject: finding.subject.clone(),
            value: finding.value.clone(),
            unit: metric.unit,
            limit: finding
                .limit
                .as_deref()
                .and_then(|limit| limit.parse().ok()),
            origin: None,
            status: finding.status,
            message: None,
        })
    });
    Verdict {
        status: told.status,
        findings: findings.collect(),
    }
}
