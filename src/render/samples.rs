//! Rounds and reports for the tests beside the renderers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::compose::{Seen, Told, compose};
use crate::model::{
    Common, Failure, FailureKind, Finding, KindSpec, Limit, LookTrace, MetricSpec, Observation,
    Reading, Report, RoundSummary, Status, Target, TargetId, Timestamp, Unit, Urgency, Value,
    Verdict,
};

const fn metric(
    name: &'static str,
    headline: Option<&'static str>,
    advice: Option<&'static str>,
) -> MetricSpec {
    MetricSpec {
        name,
        unit: Unit::Percent,
        subject: None,
        meaning: "",
        headline,
        advice,
    }
}

const METRICS: &[MetricSpec] = &[
    metric("cpu_percent", Some("cpu"), None),
    metric(
        "disk_free_percent",
        Some("disk free"),
        Some("find what grows with `du -x`"),
    ),
    metric("container_state", Some("containers"), None),
];

const fn kind(key: &'static str) -> KindSpec {
    KindSpec {
        key,
        title: "Servers",
        how: "",
        sample: "",
        metrics: METRICS,
        default_timeout: Duration::from_secs(5),
        built: true,
    }
}

pub(super) static SERVERS: KindSpec = kind("vps_servers");
pub(super) static ENDPOINTS: KindSpec = kind("api_endpoints");

pub(super) fn at(time: &str) -> Timestamp {
    format!("2026-11-21T{time}Z").parse().expect("a time")
}

pub(crate) fn round(id: &str, time: &str) -> RoundSummary {
    RoundSummary {
        id: id.to_owned(),
        started_at: at(time),
        duration_ms: 812,
        next_at: Some(at("15:00:00")),
        skipped_looks: 0,
        missed_rounds: 0,
    }
}

/// A target that was looked at, and what came of it.
pub(crate) struct Visit {
    pub(super) target: Target,
    pub(super) spec: &'static KindSpec,
    pub(super) observation: Observation,
    pub(super) verdict: Verdict,
}

impl Visit {
    pub(super) fn new(
        spec: &'static KindSpec,
        name: &str,
        time: &str,
        outcome: Result<Reading, Failure>,
    ) -> Self {
        let id = TargetId {
            kind: spec.key,
            name: name.into(),
        };
        let status = outcome
            .as_ref()
            .err()
            .map_or(Status::Green, Failure::status);
        Self {
            target: Target {
                id: id.clone(),
                common: Common {
                    critical: true,
                    urgency: Urgency::Normal,
                    timeout: Duration::from_secs(5),
                    labels: BTreeMap::new(),
                    depends_on: Vec::new(),
                    runbook: None,
                },
                settings: Arc::new(()),
                found_by: None,
            },
            spec,
            observation: Observation {
                target: id,
                at: at(time),
                took: Duration::from_millis(41),
                outcome,
                trace: LookTrace::none(),
            },
            verdict: Verdict {
                status,
                findings: Vec::new(),
            },
        }
    }

    pub(super) fn green(spec: &'static KindSpec, name: &str, time: &str) -> Self {
        let mut reading = Reading::default();
        reading.number("cpu_percent", None, 3.1, Unit::Percent);
        reading.number("disk_free_percent", Some("/var"), 71.0, Unit::Percent);
        reading.number("disk_free_percent", Some("/"), 58.0, Unit::Percent);
        Self::new(spec, name, time, Ok(reading))
    }

    pub(super) fn down(spec: &'static KindSpec, name: &str, time: &str) -> Self {
        let failure = Failure::new(
            FailureKind::Unreachable,
            "could not connect to 192.0.2.7:22: connection refused",
        );
        Self::new(spec, name, time, Err(failure.hint("start sshd")))
    }

    pub(super) fn finding(mut self, status: Status, percent: f64, limit: Limit) -> Self {
        self.verdict.findings.push(Finding {
            metric: "disk_free_percent",
            subject: Some("/".to_owned()),
            value: Some(Value::Number(percent)),
            unit: Unit::Percent,
            limit: Some(limit),
            origin: None,
            status,
            message: None,
        });
        self.verdict
            .findings
            .sort_by_key(|finding| std::cmp::Reverse(finding.status));
        self.verdict.status = self.verdict.status.max(status);
        self
    }

    pub(super) fn gap(mut self, hint: Option<&str>) -> Self {
        let message = "permission denied";
        if let Ok(reading) = &mut self.observation.outcome {
            reading.gap("cpu_percent", None, Unit::Percent, message);
            reading.gaps[0].hint = hint.map(str::to_owned);
        }
        self.verdict.findings.push(Finding {
            metric: "cpu_percent",
            subject: None,
            value: None,
            unit: Unit::Percent,
            limit: None,
            origin: None,
            status: Status::Unknown,
            message: Some(message.to_owned()),
        });
        self.verdict.status = self.verdict.status.max(Status::Unknown);
        self
    }

    pub(super) fn not_critical(mut self) -> Self {
        self.target.common.critical = false;
        self
    }
}

pub(crate) fn report(
    round: RoundSummary,
    visits: &[Visit],
    previous: Option<&Report>,
    complete: bool,
) -> Report {
    let since = |visit: &Visit| {
        let id = &visit.target.id;
        let mut told = previous.into_iter().flat_map(|report| &report.targets);
        let then = told.find(|then| then.kind == id.kind && *then.name == *id.name);
        then.filter(|then| then.status == visit.verdict.status)
            .map_or(visit.observation.at, |then| then.since)
    };
    let seen: Vec<Seen<'_>> = visits
        .iter()
        .map(|visit| Seen {
            target: &visit.target,
            spec: visit.spec,
            observation: &visit.observation,
            verdict: &visit.verdict,
            since: since(visit),
        })
        .collect();
    compose(
        round,
        &seen,
        previous.map(Told::by).as_ref(),
        complete,
        None,
    )
}

/// A round with a bit of everything, and one before it.
pub(super) fn mixed() -> Report {
    let before = report(
        round("r1", "03:00:00"),
        &[
            Visit::green(&SERVERS, "web", "03:00:01"),
            Visit::down(&SERVERS, "db", "03:00:01"),
            Visit::green(&SERVERS, "old", "03:00:01"),
        ],
        None,
        true,
    );
    let mut disk = Visit::green(&SERVERS, "web", "09:00:01")
        .finding(Status::Yellow, 17.25, Limit::below(20.0))
        .gap(Some("let `monitor` read /proc"));
    disk.target.common.runbook = Some("https://wiki.example/disk".to_owned());
    report(
        round("r2", "09:00:00"),
        &[
            Visit::green(&SERVERS, "cache", "09:00:01"),
            disk,
            Visit::down(&SERVERS, "db", "09:00:01"),
            Visit::green(&ENDPOINTS, "web", "09:00:01").gap(None),
        ],
        Some(&before),
        true,
    )
}
