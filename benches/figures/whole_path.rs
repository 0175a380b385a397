//! From the looks of 10,000 targets to their report with its causes: judged, compared with what is usual, correlated, composed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use chrono::TimeDelta;
use roundsman::analysis::baseline::Baselines;
use roundsman::collectors;
use roundsman::incidents::Facts;
use roundsman::model::{
    Common, Failure, FailureKind, Observation, Reading, RoundSummary, Target, TargetId, Timestamp,
    Unit, Urgency,
};
use roundsman::pipeline::{Earlier, Judged, Past, conclude};
use roundsman::rules::Rules;
use roundsman::store::{KeptBaselines, Remembered};

use crate::figures::several;
use crate::measure::{Line, median, milliseconds};

const TARGETS: usize = 10_000;
/// One of so many hangs on the one before it of that number, and fails with it.
const ON_ONE: usize = 20;
const IN_TROUBLE: usize = 1_000;
/// What a look at an endpoint measures.
const METRICS: [&str; 5] = [
    "response_time_ms",
    "dns_time_ms",
    "connect_time_ms",
    "first_byte_time_ms",
    "body_time_ms",
];
/// So many looks are learnt from, one an hour.
const LOOKS: i64 = 48;

fn id(number: usize) -> TargetId {
    TargetId {
        kind: "api_endpoints",
        name: format!("endpoint-{number:05}").into(),
    }
}

fn reading(number: usize, look: i64) -> Reading {
    let mut reading = Reading::default();
    for (index, metric) in METRICS.into_iter().enumerate() {
        let noise = (number * 7 + index * 13 + usize::try_from(look).unwrap_or(0) * 31) % 17;
        let noise = u32::try_from(noise).unwrap_or(0);
        reading.number(metric, None, 80.0 + f64::from(noise), Unit::Milliseconds);
    }
    reading
}

fn past(now: Timestamp) -> Past {
    let mut baselines = Baselines::default();
    for look in 0..LOOKS {
        for number in 0..TARGETS {
            baselines.see(
                &id(number),
                &reading(number, look),
                now - TimeDelta::hours(LOOKS - look),
            );
        }
    }
    let kept = baselines
        .dirty()
        .into_iter()
        .map(|(id, bytes)| KeptBaselines {
            kind: id.kind.to_owned(),
            name: id.name.to_string(),
            bytes,
        });
    Past::of(&Remembered {
        baselines: kept.collect(),
        ..Remembered::default()
    })
}

fn judged(number: usize) -> Result<Judged> {
    let kind = collectors::kind("api_endpoints").context("the kind")?;
    Ok(Judged {
        target: Arc::new(Target {
            id: id(number),
            common: Common {
                critical: true,
                urgency: Urgency::Normal,
                timeout: Duration::from_secs(5),
                labels: std::collections::BTreeMap::new(),
                depends_on: Vec::new(),
                runbook: None,
            },
            settings: Arc::new(()),
            found_by: None,
        }),
        spec: &kind.spec,
        costs_money: false,
        rules: Arc::new(Rules::default()),
    })
}

fn facts(number: usize) -> Facts {
    let first = number - number % ON_ONE;
    Facts {
        target: id(number).to_string(),
        name: id(number).name.to_string(),
        kind: "api_endpoints".to_owned(),
        own_name: id(number).name.to_string(),
        parents: (number != first)
            .then(|| id(first).to_string())
            .into_iter()
            .collect(),
        ..Facts::default()
    }
}

/// The median of several rounds.
pub(crate) fn figures() -> Result<Vec<Line>> {
    let now: Timestamp = "2026-11-21T09:00:00Z".parse().context("a time")?;
    let past = past(now);
    let targets = (0..TARGETS).map(judged).collect::<Result<Vec<_>>>()?;
    let facts: Vec<Facts> = (0..TARGETS).map(facts).collect();
    let observations: Vec<Observation> = (0..TARGETS)
        .map(|number| Observation {
            target: id(number),
            at: now + TimeDelta::milliseconds(i64::try_from(number).unwrap_or(0)),
            took: Duration::from_millis(80),
            trace: roundsman::model::LookTrace::none(),
            outcome: if number < IN_TROUBLE {
                Err(Failure::new(
                    FailureKind::TimedOut,
                    "no answer within 5000 ms",
                ))
            } else {
                Ok(reading(number, LOOKS))
            },
        })
        .collect();
    let times = several(|| {
        let round = RoundSummary {
            id: "r".to_owned(),
            started_at: now,
            duration_ms: 80,
            next_at: None,
            skipped_looks: 0,
            missed_rounds: 0,
        };
        let earlier = Earlier {
            states: &[],
            told: None,
            past: &past,
        };
        let began = Instant::now();
        let report = conclude(round, &targets, &observations, &earlier, true, &facts);
        let took = milliseconds(began.elapsed());
        let analysis = report.analysis.context("an analysis")?;
        let groups = analysis.groups.len() + analysis.groups_left_out;
        anyhow::ensure!(
            report.counts.red == IN_TROUBLE && groups >= 1 && analysis.groups[0].has_common_cause,
            "{} are RED, in {groups} groups",
            report.counts.red
        );
        Ok(took)
    })?;
    Ok(vec![Line::at_most(
        "a round of 10,000 targets, 1,000 of them RED",
        median(times),
        "ms",
        500.0,
    )])
}
