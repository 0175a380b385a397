//! From the verdicts of a round to the report of it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::clock::milliseconds;
use crate::model::{
    Analysis, Change, Counts, Finding, KindSpec, Observation, Overall, Report, ReportFailure,
    ReportFinding, ReportMeasurement, ReportTarget, RoundSummary, Status, Target, Timestamp,
    Verdict,
};

use super::issues::{Issue, issues, summary};
use super::names::Names;
use super::recommend::recommendations;
use super::words;

/// The version of the report's contract.
pub const SCHEMA: u32 = 1;

/// A target that was looked at, and what came of it.
pub struct Seen<'a> {
    /// Who was looked at.
    pub target: &'a Target,
    /// What its kind is.
    pub spec: &'static KindSpec,
    /// What the look gave.
    pub observation: &'a Observation,
    /// What that means.
    pub verdict: &'a Verdict,
    /// Since when the target has its status.
    pub since: Timestamp,
}

/// The statuses that people were told last.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// By kind and name.
    pub statuses: HashMap<(String, String), Status>,
    /// Whether that was all targets. Otherwise one that is not among them need not be new.
    pub complete: bool,
}

impl Told {
    /// What a report tells.
    #[must_use]
    pub fn by(report: &Report) -> Self {
        let statuses = report.targets.iter().map(|target| {
            let key = (target.kind.clone(), target.name.clone());
            (key, target.status)
        });
        Self {
            statuses: statuses.collect(),
            complete: report.complete,
        }
    }
}

/// Makes the report of a round. `told` gives what changed, `analysis` what may have caused what is not well.
/// `complete`: the report covers all targets, so that one that is not among them is gone. Otherwise a filter left
/// some out, or they have not been looked at yet, and the report says nothing about those.
#[must_use]
pub fn compose(
    round: RoundSummary,
    seen: &[Seen<'_>],
    told: Option<&Told>,
    complete: bool,
    analysis: Option<Analysis>,
) -> Report {
    let mut ordered: Vec<&Seen<'_>> = seen.iter().collect();
    ordered.sort_by(|one, other| order(one).cmp(&order(other)));
    let known = told.into_iter().flat_map(|told| told.statuses.keys());
    let known = known.map(|(kind, name)| (kind.as_str(), name.as_str()));
    let names = Names::among((ordered.iter().map(|one| key(one))).chain(known));

    let mut counts = Counts::default();
    let mut all_issues: Vec<(Status, String)> = Vec::new();
    let mut targets = Vec::with_capacity(ordered.len());
    for one in &ordered {
        count(&mut counts, one.verdict.status);
        let found = issues(one.observation, one.verdict);
        let id = &one.target.id;
        let name = names.of(id.kind, &id.name);
        for Issue { status, text } in &found {
            all_issues.push((*status, format!("[{status}] {name}: {text}")));
        }
        targets.push(target(one, &found));
    }
    // Stable: within a status the order of the targets stays.
    all_issues.sort_by_key(|(status, _)| Reverse(*status));
    let counted: Vec<&Seen<'_>> = (ordered.iter().copied())
        .filter(|one| !one.observation.is_left_out())
        .collect();
    let status = (counted.first()).map_or(Status::Green, |worst| worst.verdict.status);
    Report {
        schema: SCHEMA,
        round,
        overall: overall(&counted),
        status,
        counts,
        changes: told.map_or_else(Vec::new, |told| changes(told, &ordered, &names, complete)),
        issues_found: all_issues.into_iter().map(|(_, line)| line).collect(),
        recommendations: recommendations(&ordered, &names, analysis.as_ref()),
        targets,
        analysis,
        complete,
        self_alerts: Vec::new(),
        delivery: None,
    }
}

/// A target as it stands in a report.
#[must_use]
pub fn state(seen: &Seen<'_>) -> ReportTarget {
    target(seen, &issues(seen.observation, seen.verdict))
}

fn key<'a>(seen: &Seen<'a>) -> (&'a str, &'a str) {
    (seen.target.id.kind, &seen.target.id.name)
}

/// Worst first, critical first, then kind and name.
fn order<'a>(seen: &Seen<'a>) -> impl Ord + use<'a> {
    (
        Reverse(seen.verdict.status),
        !seen.target.common.critical,
        key(seen),
    )
}

fn overall(seen: &[&Seen<'_>]) -> Overall {
    let is_red = |one: &&Seen<'_>| one.verdict.status == Status::Red && one.target.common.critical;
    if seen.iter().any(is_red) {
        Overall::Unhealthy
    } else if seen.iter().any(|one| one.verdict.status != Status::Green) {
        Overall::Degraded
    } else {
        Overall::Healthy
    }
}

fn count(counts: &mut Counts, status: Status) {
    *match status {
        Status::Green => &mut counts.green,
        Status::Unknown => &mut counts.unknown,
        Status::Yellow => &mut counts.yellow,
        Status::Red => &mut counts.red,
    } += 1;
}

fn target(seen: &Seen<'_>, issues: &[Issue]) -> ReportTarget {
    let Seen {
        target,
        spec,
        observation,
        verdict,
        since,
    } = seen;
    let reading = observation.reading();
    ReportTarget {
        name: target.id.name.to_string(),
        kind: target.id.kind.to_owned(),
        labels: target.common.labels.clone(),
        critical: target.common.critical,
        status: verdict.status,
        // A clock that was set back must not make a status begin after it was seen.
        since: (*since).min(observation.at),
        looked_at: observation.at,
        took_ms: milliseconds(observation.took),
        summary: summary(spec, observation, issues),
        silenced: false,
        acknowledged: false,
        findings: verdict.findings.iter().map(finding).collect(),
        measurements: (reading.measurements.iter())
            .map(|measurement| ReportMeasurement {
                metric: measurement.metric.to_owned(),
                subject: measurement.subject.clone(),
                value: words::rounded(&measurement.value),
                unit: measurement.unit,
            })
            .collect(),
        failure: (observation.outcome.as_ref().err()).map(|failure| ReportFailure {
            kind: failure.kind,
            message: failure.message.clone(),
            hint: failure.hint.clone(),
            by_choice: failure.by_choice,
        }),
        facts: facts(observation),
        runbook: target.common.runbook.clone(),
        found_by: target.found_by.as_deref().map(str::to_owned),
    }
}

fn finding(finding: &Finding) -> ReportFinding {
    let limit = finding.limit.as_ref();
    ReportFinding {
        metric: finding.metric.to_owned(),
        subject: finding.subject.clone(),
        value: (finding.value.as_ref()).map(|value| words::rounded_beyond(value, limit)),
        unit: finding.unit,
        limit: limit.map(ToString::to_string),
        status: finding.status,
        message: finding.message.clone(),
    }
}

/// Facts by name; what has the same name is joined.
fn facts(observation: &Observation) -> BTreeMap<String, String> {
    let mut facts: BTreeMap<String, String> = BTreeMap::new();
    for fact in &observation.reading().facts {
        facts
            .entry(fact.name.to_owned())
            .and_modify(|known| {
                known.push_str(", ");
                known.push_str(&fact.value);
            })
            .or_insert_with(|| fact.value.clone());
    }
    facts
}

/// Those that are not as they were, worst first, then those that are gone.
fn changes(told: &Told, now: &[&Seen<'_>], names: &Names<'_>, complete: bool) -> Vec<Change> {
    let then: HashMap<(&str, &str), Status> = (told.statuses.iter())
        .map(|((kind, name), status)| ((kind.as_str(), name.as_str()), *status))
        .collect();
    let mut changes: Vec<Change> = Vec::new();
    for one in now {
        let from = then.get(&key(one)).copied();
        let to = Some(one.verdict.status);
        // A report that left targets out does not know whether one is new.
        if from != to && (from.is_some() || told.complete) {
            let id = &one.target.id;
            changes.push(Change {
                target: names.of(id.kind, &id.name),
                from,
                to,
                kind: Some(id.kind.to_owned()),
                name: Some(id.name.to_string()),
            });
        }
    }
    if complete {
        let present: HashSet<(&str, &str)> = now.iter().map(|one| key(one)).collect();
        let mut gone: Vec<_> = (then.iter())
            .filter(|(key, _)| !present.contains(*key))
            .collect();
        gone.sort();
        changes.extend(gone.into_iter().map(|((kind, name), status)| Change {
            target: names.of(kind, name),
            from: Some(*status),
            to: None,
            kind: Some((*kind).to_owned()),
            name: Some((*name).to_owned()),
        }));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Failure, FailureKind, Limit, Reading, Unit, Value};
    use crate::render::samples::{ENDPOINTS, SERVERS, Visit, at, mixed, report, round};

    fn status_of(report: &Report) -> (Overall, Status) {
        (report.overall, report.status)
    }

    #[test]
    fn the_worst_comes_first_and_the_critical_before_the_others() {
        let report = report(
            round("r", "09:00:00"),
            &[
                Visit::green(&SERVERS, "z", "09:00:01"),
                Visit::down(&SERVERS, "b", "09:00:01"),
                Visit::down(&SERVERS, "a", "09:00:01").not_critical(),
                Visit::green(&ENDPOINTS, "u", "09:00:01").gap(None),
                Visit::green(&ENDPOINTS, "y", "09:00:01").finding(
                    Status::Yellow,
                    17.0,
                    Limit::below(20.0),
                ),
            ],
            None,
            true,
        );
        let names: Vec<&str> = report
            .targets
            .iter()
            .map(|target| target.name.as_str())
            .collect();
        assert_eq!(names, ["b", "a", "y", "u", "z"]);
        assert_eq!(
            report.counts,
            Counts {
                green: 1,
                yellow: 1,
                red: 2,
                unknown: 1
            }
        );
        assert!(
            report.changes.is_empty(),
            "there is nothing to compare with"
        );
    }

    #[test]
    fn overall_is_as_the_specification_says() {
        let time = "09:00:01";
        let red = || Visit::down(&SERVERS, "db", time);
        let unknown = || Visit::green(&SERVERS, "u", time).gap(None);
        for (visits, expected) in [
            (vec![], (Overall::Healthy, Status::Green)),
            (
                vec![Visit::green(&SERVERS, "g", time)],
                (Overall::Healthy, Status::Green),
            ),
            (vec![unknown()], (Overall::Degraded, Status::Unknown)),
            (vec![red().not_critical()], (Overall::Degraded, Status::Red)),
            (vec![red(), unknown()], (Overall::Unhealthy, Status::Red)),
        ] {
            let report = report(round("r", "09:00:00"), &visits, None, true);
            assert_eq!(status_of(&report), expected);
        }
    }

    #[test]
    fn a_report_of_a_mixed_round() {
        let report = mixed();
        let lines: Vec<String> = (report.targets.iter())
            .map(|target| {
                let since = target.since.format("%H:%M");
                format!(
                    "{} {since} {}: {}",
                    target.status, target.name, target.summary
                )
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        RED 03:00 db: could not connect to 192.0.2.7:22: connection refused
        YELLOW 09:00 web: disk_free_percent of / is 17.2 < 20 (+1 more)
        UNKNOWN 09:00 web: cpu_percent could not be measured: permission denied
        GREEN 09:00 cache: cpu 3.1 % · disk free 58 % (/)
        "#);
        insta::assert_snapshot!(report.issues_found.join("\n"), @r#"
        [RED] db: could not connect to 192.0.2.7:22: connection refused
        [YELLOW] vps_servers/web: disk_free_percent of / is 17.2 < 20
        [UNKNOWN] vps_servers/web: cpu_percent could not be measured: permission denied
        [UNKNOWN] api_endpoints/web: cpu_percent could not be measured: permission denied
        "#);
        insta::assert_snapshot!(report.recommendations.join("\n"), @r#"
        db: start sshd
        vps_servers/web: find what grows with `du -x`
        vps_servers/web: let `monitor` read /proc
        vps_servers/web: follow the runbook https://wiki.example/disk
        "#);
        insta::assert_snapshot!(changes(&report), @r#"
        vps_servers/web: GREEN -> YELLOW
        api_endpoints/web: null -> UNKNOWN
        cache: null -> GREEN
        old: GREEN -> null
        "#);
    }

    fn changes(report: &Report) -> String {
        let line = |change: &Change| {
            let word = |status: Option<Status>| status.map_or("null", Status::word);
            format!(
                "{}: {} -> {}",
                change.target,
                word(change.from),
                word(change.to)
            )
        };
        report
            .changes
            .iter()
            .map(line)
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn a_filter_makes_nothing_new_and_nothing_gone() {
        let both = |time: &str| {
            [
                Visit::green(&SERVERS, "web", time),
                Visit::green(&SERVERS, "db", time),
            ]
        };
        let first = report(round("r1", "03:00:00"), &both("03:00:01"), None, true);
        let only_web = [Visit::down(&SERVERS, "web", "04:00:01")];
        let filtered = report(round("r2", "04:00:00"), &only_web, Some(&first), false);
        assert_eq!(changes(&filtered), "web: GREEN -> RED");
        assert_eq!(filtered.targets.len(), 1);
        let third = report(
            round("r3", "05:00:00"),
            &both("05:00:01"),
            Some(&filtered),
            true,
        );
        assert_eq!(changes(&third), "web: RED -> GREEN");
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_future() {
        let first = report(
            round("r1", "09:00:00"),
            &[Visit::green(&SERVERS, "web", "09:00:01")],
            None,
            true,
        );
        let second = report(
            round("r2", "08:00:00"),
            &[Visit::green(&SERVERS, "web", "08:00:01")],
            Some(&first),
            true,
        );
        assert_eq!(second.targets[0].since, at("08:00:01"));
    }

    #[test]
    fn a_failed_look_keeps_what_it_saw() {
        let mut reading = Reading::default();
        reading.number("cpu_percent", None, 0.1 + 0.2, Unit::Percent);
        reading.fact("process", "nginx");
        reading.fact("process", "sshd");
        let failure = Failure::ours("no descriptors are left").seen(reading);
        let visit = Visit::new(&SERVERS, "web", "09:00:01", Err(failure)).finding(
            Status::Red,
            4.0,
            Limit::below(10.0),
        );
        let report = report(round("r", "09:00:00"), &[visit], None, true);
        let target = &report.targets[0];
        assert_eq!(target.summary, "disk_free_percent of / is 4 < 10 (+1 more)");
        assert_eq!(target.measurements[0].value, Value::Number(0.3));
        assert_eq!(target.facts["process"], "nginx, sshd");
        assert_eq!(
            target.failure.as_ref().map(|failure| failure.kind),
            Some(FailureKind::Ours)
        );
        assert_eq!(
            report.issues_found[1],
            "[UNKNOWN] web: no descriptors are left"
        );
    }

    #[test]
    fn states_of_many_subjects_are_counted() {
        let mut reading = Reading::default();
        for (subject, state) in [("a", "running"), ("b", "exited"), ("c", "running")] {
            reading.measurements.push(crate::model::Measurement {
                metric: "container_state",
                subject: Some(subject.to_owned()),
                value: Value::State(state.into()),
                unit: Unit::State,
            });
        }
        let visit = Visit::new(&SERVERS, "web", "09:00:01", Ok(reading));
        let report = report(round("r", "09:00:00"), &[visit], None, true);
        assert_eq!(report.targets[0].summary, "containers running 2, exited 1");
    }
}
