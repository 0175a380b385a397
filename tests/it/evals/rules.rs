//! What values mean by the rules that each kind has by default.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use roundsman::collectors;
use roundsman::model::{Measurement, Observation, Reading, Status, TargetId, Timestamp, Value};
use roundsman::rules::{Rules, judge};

use crate::support::program::Workplace;

/// The rules that each kind has by default.
static RULES: LazyLock<BTreeMap<&'static str, Arc<Rules>>> = LazyLock::new(|| {
    let yaml = "targets:\n  local_hosts: [{}]\n  vps_servers: [{host: h.example.com, username: u}]\n  \
        databases: [{host: h.example.com, database: d, username: u, password: canary}]\n  \
        api_endpoints: [{url: \"https://h.example.com/\"}]\n  docker_hosts: [{socket: /var/run/docker.sock}]\n  \
        ec2_instances: [{instance_id: i-0123456789abcdef0, region: eu-central-1}]\n  \
        s3_buckets: [{bucket: backups, region: eu-central-1}]\n  llm_models: [{provider: ollama, model_id: m}]\n  \
        llm_keys: [{provider: openai}]\n";
    let place = Workplace::with_configuration(yaml);
    let plan = place.load().expect("a file").plan;
    let plan = plan.unwrap_or_else(|| panic!("{}", place.problems()));
    let rules = plan
        .watched
        .iter()
        .map(|one| (one.kind.spec.key, Arc::clone(&one.rules)));
    rules.collect()
});

/// What the values of one look mean, in their order: metric, subject and value.
pub(super) fn judged<'a>(
    kind: &str,
    values: impl Iterator<Item = (&'a str, Option<&'a str>, &'a Value)>,
) -> Vec<Status> {
    let known = collectors::kind(kind).unwrap_or_else(|| panic!("there is no kind `{kind}`"));
    let measurement = |(metric, subject, value): (&str, Option<&str>, &Value)| {
        let spec = known.spec.metric(metric);
        let spec = spec.unwrap_or_else(|| panic!("`{kind}` has no metric `{metric}`"));
        Measurement {
            metric: spec.name,
            subject: subject.map(str::to_owned),
            value: value.clone(),
            unit: spec.unit,
        }
    };
    let reading = Reading {
        measurements: values.map(measurement).collect(),
        ..Reading::default()
    };
    let Some(rules) = RULES.get(known.spec.key) else {
        return vec![Status::Green; reading.measurements.len()];
    };
    let observation = Observation {
        target: TargetId {
            kind: known.spec.key,
            name: "one".into(),
        },
        at: Timestamp::UNIX_EPOCH,
        took: Duration::ZERO,
        outcome: Ok(reading),
        trace: tracing::Span::none(),
    };
    let verdict = judge(rules, None, &observation);
    let measured = observation.reading().measurements.iter();
    measured
        .map(|one| {
            let mut of_it = (verdict.findings.iter())
                .filter(|found| found.metric == one.metric && found.subject == one.subject);
            of_it.next().map_or(Status::Green, |found| found.status)
        })
        .collect()
}
