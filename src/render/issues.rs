//! What is not well with a target, in one line each, and how a target is in one line.

use std::cmp::Reverse;

use crate::model::{
    Failure, KindSpec, Limit, Measurement, MetricSpec, Observation, ReportFailure, ReportTarget,
    Status, Value, Verdict,
};

use super::words;

/// The summary of a target that is well and has no headline metric.
const WELL: &str = "within limits";

/// One thing that is not well.
pub(super) struct Issue {
    pub(super) status: Status,
    pub(super) text: String,
}

/// All that is not well with a target, worst first; the failure comes before findings that are as bad.
pub(super) fn issues(observation: &Observation, verdict: &Verdict) -> Vec<Issue> {
    let failure = observation.outcome.as_ref().err().map(|failure| Issue {
        status: failure.status(),
        text: failure.message.clone(),
    });
    let findings = verdict.findings.iter().map(|finding| Issue {
        status: finding.status,
        text: finding_in_words(
            &words::part(finding.metric, finding.subject.as_deref()),
            finding.value.as_ref(),
            finding.limit.as_ref(),
            finding.message.as_deref(),
        ),
    });
    let mut issues: Vec<Issue> = failure
        .into_iter()
        .chain(findings)
        .filter(|issue| issue.status != Status::Green)
        .collect();
    if issues.is_empty() && verdict.status != Status::Green {
        issues.push(Issue {
            status: verdict.status,
            text: "no reason was given".to_owned(),
        });
    }
    issues.sort_by_key(|issue| Reverse(issue.status));
    issues
}

/// The worst issue and how many more there are, or the headline metrics of a target that is well.
pub(super) fn summary(spec: &KindSpec, observation: &Observation, issues: &[Issue]) -> String {
    match issues {
        [] => headlines(spec, &observation.reading().measurements),
        [worst] => worst.text.clone(),
        [worst, more @ ..] => format!("{} (+{} more)", worst.text, more.len()),
    }
}

/// The same from a report, which may have been read from a file.
pub(super) fn problems(target: &ReportTarget) -> Vec<(Status, String)> {
    let failure = (target.failure.as_ref())
        .map(|failure| (failure_status(target, failure), failure.message.clone()));
    let findings = (target.findings.iter())
        .filter(|finding| finding.status != Status::Green)
        .map(|finding| {
            let limit: Option<Limit> = finding.limit.as_ref().and_then(|text| text.parse().ok());
            let text = finding_in_words(
                &words::part(&finding.metric, finding.subject.as_deref()),
                finding.value.as_ref(),
                limit.as_ref(),
                finding.message.as_deref(),
            );
            (finding.status, text)
        });
    let mut problems: Vec<(Status, String)> = failure.into_iter().chain(findings).collect();
    if problems.is_empty() && target.status != Status::Green {
        problems.push((target.status, target.summary.clone()));
    }
    problems.sort_by_key(|(status, _)| Reverse(*status));
    problems
}

/// A report does not say who is to blame. Where no finding explains the target's status, the failure does; else
/// its kind tells.
fn failure_status(target: &ReportTarget, failure: &ReportFailure) -> Status {
    let worst_finding = target.findings.iter().map(|finding| finding.status).max();
    if worst_finding.is_none_or(|worst| worst < target.status) {
        target.status
    } else {
        let usual = Failure::new(failure.kind, String::new()).status();
        usual.min(target.status)
    }
}

fn finding_in_words(
    part: &str,
    value: Option<&Value>,
    limit: Option<&Limit>,
    message: Option<&str>,
) -> String {
    let Some(value) = value else {
        let reason = message.unwrap_or("no reason was given");
        return format!("{part} could not be measured: {reason}");
    };
    match (limit, message) {
        (Some(limit), _) if limit.is_crossed_by(value) => {
            let note = message.map_or_else(String::new, |message| format!(" ({message})"));
            format!("{part} {}{note}", words::against(value, limit))
        }
        (_, Some(message)) => format!("{part} is {value}: {message}"),
        // Below its limit again, but not yet where its rule lets it go.
        (Some(limit), None) => format!("{part} is {value}, and stands until it is {limit}"),
        (None, None) => format!("{part} is {value}"),
    }
}

/// `cpu 3.1 % · ram 41 % · disk free 58 % (/)`
fn headlines(spec: &KindSpec, measurements: &[Measurement]) -> String {
    let parts: Vec<String> = (spec.metrics.iter())
        .filter_map(|metric| headline(metric, measurements))
        .collect();
    if parts.is_empty() {
        WELL.to_owned()
    } else {
        parts.join(" · ")
    }
}

fn headline(metric: &MetricSpec, measurements: &[Measurement]) -> Option<String> {
    let title = metric.headline?;
    let same_metric = || {
        measurements
            .iter()
            .filter(|measurement| measurement.metric == metric.name)
    };
    let worst_number = same_metric()
        .filter_map(|measurement| match measurement.value {
            Value::Number(number) => Some((number, measurement)),
            _ => None,
        })
        .reduce(|worst, next| {
            let is_worse = if lower_is_worse(metric.name) {
                next.0 < worst.0
            } else {
                next.0 > worst.0
            };
            if is_worse { next } else { worst }
        });
    if let Some((_, worst)) = worst_number {
        let subject = worst.subject.as_ref();
        let subject = subject.map_or_else(String::new, |subject| format!(" ({subject})"));
        let suffix = metric.unit.suffix();
        return Some(format!("{title} {}{suffix}{subject}", worst.value));
    }
    let words: Vec<String> = same_metric().map(|one| one.value.to_string()).collect();
    worded_headline(title, &words)
}

/// `state running`, or of several subjects `state running 10, exited 2`.
fn worded_headline(title: &str, words: &[String]) -> Option<String> {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for word in words {
        match counts.iter_mut().find(|(known, _)| known == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    if let ([(word, _)], [_]) = (counts.as_slice(), words) {
        return Some(format!("{title} {word}"));
    }
    let parts: Vec<String> = (counts.iter())
        .map(|(word, count)| format!("{word} {count}"))
        .collect();
    (!parts.is_empty()).then(|| format!("{title} {}", parts.join(", ")))
}

/// Decided by the name, which people also write into rules: it ends in what it counts.
fn lower_is_worse(metric: &str) -> bool {
    ["_free_percent", "_hit_percent", "_left"]
        .iter()
        .any(|ending| metric.ends_with(ending))
}
