//! What was told or kept, read back into values that can be judged and told again.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{
    Blame, Failure, FailureKind, Finding, KindSpec, Measurement, Observation, Reading,
    ReportTarget, Status, TargetId, Timestamp, Verdict,
};
use crate::render::Told;

/// The verdict that a report told of, as far as the next judgement asks for it.
pub(super) fn verdict(told: &ReportTarget, spec: &'static KindSpec) -> Verdict {
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
            message: finding.message.clone(),
        })
    });
    Verdict {
        status: told.status,
        findings: findings.collect(),
    }
}

/// The observation that a report told of, so that it can be told again until there is a newer one.
pub(super) fn observation(told: &ReportTarget, id: &TargetId, spec: &KindSpec) -> Observation {
    let mut reading = Reading::default();
    for measurement in &told.measurements {
        if let Some(metric) = spec.metric(&measurement.metric) {
            reading.measurements.push(Measurement {
                metric: metric.name,
                subject: measurement.subject.clone(),
                value: measurement.value.clone(),
                unit: metric.unit,
            });
        }
    }
    let outcome = match &told.failure {
        None => Ok(reading),
        Some(failure) => Err(Failure {
            kind: failure.kind,
            blame: blame(told, failure.kind),
            message: failure.message.clone(),
            hint: failure.hint.clone(),
            seen: Box::new(reading),
            by_choice: failure.by_choice,
        }),
    };
    Observation {
        target: id.clone(),
        at: told.looked_at,
        took: Duration::from_millis(told.took_ms),
        outcome,
        trace: tracing::Span::none(),
    }
}

/// A report does not say who is to blame, but the status follows from it.
fn blame(told: &ReportTarget, kind: FailureKind) -> Blame {
    let red_finding = told
        .findings
        .iter()
        .any(|finding| finding.status == Status::Red);
    match told.status {
        Status::Red if !red_finding => Blame::Target,
        Status::Red => Failure::new(kind, "").blame,
        _ => Blame::Ours,
    }
}

#[derive(Serialize, Deserialize)]
struct ToldNote {
    at: Timestamp,
    complete: bool,
    /// By kind, then name.
    statuses: HashMap<String, HashMap<String, Status>>,
}

/// What was told last, as the store keeps it.
pub(super) fn write_told(at: Timestamp, told: &Told) -> Option<String> {
    let mut statuses: HashMap<String, HashMap<String, Status>> = HashMap::new();
    for ((kind, name), status) in &told.statuses {
        let of_kind = statuses.entry(kind.clone()).or_default();
        of_kind.insert(name.clone(), *status);
    }
    let note = ToldNote {
        at,
        complete: told.complete,
        statuses,
    };
    serde_json::to_string(&note).ok()
}

/// What was told last, from the store. What cannot be read was not told.
pub(super) fn read_told(json: &str) -> Option<(Timestamp, Told)> {
    let note: ToldNote = serde_json::from_str(json).ok()?;
    let statuses = note.statuses.into_iter().flat_map(|(kind, names)| {
        let key = move |(name, status)| ((kind.clone(), name), status);
        names.into_iter().map(key)
    });
    let told = Told {
        statuses: statuses.collect(),
        complete: note.complete,
    };
    Some((note.at, told))
}
