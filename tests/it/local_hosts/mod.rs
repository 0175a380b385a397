//! `local_hosts`, held against what the system's own tools say about this machine.

mod dead_mount;
mod files;
mod look;
pub(crate) mod tools;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use roundsman::clients::Clients;
use roundsman::clock::SystemClock;
use roundsman::collectors::local_hosts::{HostFiles, LocalHosts, Settings};
use roundsman::collectors::{Collector, Kind, RunContext, kind};
use roundsman::document::{LIMITS, parse};
use roundsman::model::{Common, Reading, Target, TargetId, Urgency, Value};

pub(super) fn spec() -> &'static Kind {
    kind("local_hosts").expect("the kind is built in")
}

/// A target from the text of one entry.
pub(super) fn target(entry: &str) -> Target {
    let mut problems = Vec::new();
    let file = Arc::from("entry.yaml");
    let node = parse(&file, entry, LIMITS, &mut problems).expect("a document");
    assert!(problems.is_empty(), "{problems:?}");
    let settings = (spec().read)(&node, &|_| None).expect("settings of the kind");
    assert_eq!((spec().check)(&settings, &|_| None), []);
    Target {
        id: TargetId {
            kind: "local_hosts",
            name: (spec().default_name)(&settings).into(),
        },
        common: Common {
            critical: true,
            urgency: Urgency::Normal,
            timeout: spec().spec.default_timeout,
            labels: BTreeMap::new(),
            depends_on: Vec::new(),
            runbook: None,
        },
        settings,
        found_by: None,
    }
}

pub(super) fn run(timeout: Duration, cpu_window: Duration) -> RunContext {
    RunContext {
        round_began: std::time::Instant::now(),
        round: None,
        timeout,
        cpu_window,
        clock: Arc::new(SystemClock),
    }
}

pub(super) fn at_a_prompt() -> RunContext {
    run(Duration::from_secs(5), Duration::from_millis(250))
}

pub(super) async fn look(entry: &str, run: &RunContext) -> Reading {
    let collector = (spec().new)(&Clients::new());
    let reading = collector.look(&target(entry), run).await;
    reading.expect("this machine can be looked at")
}

pub(super) async fn look_at_files(files: HostFiles, window: Duration) -> Reading {
    let collector = LocalHosts::with_files(files);
    let target = target("{}");
    let settings: &Settings = target.settings.downcast_ref().expect("our settings");
    let run = run(Duration::from_secs(5), window);
    let reading = Collector::look(&collector, &target, settings, &run).await;
    reading.expect("broken files are gaps, not failures")
}

/// The number of a metric, if it was measured.
pub(super) fn number(reading: &Reading, metric: &str, subject: Option<&str>) -> Option<f64> {
    let found = reading.measurements.iter().find(|measurement| {
        measurement.metric == metric && measurement.subject.as_deref() == subject
    })?;
    match found.value {
        Value::Number(number) => Some(number),
        _ => panic!("`{metric}` is no number"),
    }
}

pub(super) fn get(reading: &Reading, metric: &str) -> f64 {
    number(reading, metric, None).unwrap_or_else(|| panic!("no `{metric}` in {reading:#?}"))
}

pub(super) fn fact<'a>(reading: &'a Reading, name: &str) -> Option<&'a str> {
    let found = reading.facts.iter().find(|fact| fact.name == name)?;
    Some(&found.value)
}

pub(super) fn subjects(reading: &Reading, metric: &str) -> BTreeSet<String> {
    (reading.measurements.iter())
        .filter(|measurement| measurement.metric == metric)
        .filter_map(|measurement| measurement.subject.clone())
        .collect()
}

/// What a tool of the system prints.
pub(super) fn tool(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .output()
        .unwrap_or_else(|error| panic!("`{program}` is needed for this test: {error}"));
    String::from_utf8(output.stdout).expect("text")
}

pub(super) fn file(path: &str) -> String {
    std::fs::read_to_string(path).expect(path)
}
