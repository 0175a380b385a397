//! Looks at one target through the public way: YAML, settings, collector.

use std::sync::Arc;
use std::time::{Duration, Instant};

use roundsman::clients::Clients;
use roundsman::clock::{Clock, SystemClock};
use roundsman::collectors::{AnyCollector, Kind, RunContext, kind};
use roundsman::document::{LIMITS, parse};
use roundsman::model::{
    Common, Failure, Observation, Reading, Rule, Status, Target, TargetId, Threshold, Urgency,
    Value,
};
use roundsman::rules::{Rules, judge};

/// What a look gave.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(crate) outcome: Result<Reading, Failure>,
    rules: Vec<Rule>,
}

/// The kind of that key.
pub(crate) fn kind_of(key: &str) -> &'static Kind {
    kind(key).unwrap_or_else(|| panic!("no kind `{key}`"))
}

/// A target of a kind with settings as YAML.
pub(crate) fn target(key: &str, yaml: &str, timeout: Duration) -> Target {
    target_with(key, yaml, timeout, &|_| None)
}

/// A target of a kind with settings as YAML, and these variables.
pub(crate) fn target_with(
    key: &str,
    yaml: &str,
    timeout: Duration,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Target {
    let mut problems = Vec::new();
    let node = parse(&"test.yaml".into(), yaml, LIMITS, &mut problems);
    assert!(problems.is_empty(), "{problems:?}");
    let kind = kind_of(key);
    let settings = (kind.read)(&node.expect("a document"), variable).unwrap_or_else(|error| {
        panic!("{yaml}\n{error}");
    });
    Target {
        id: TargetId {
            kind: kind.spec.key,
            name: (kind.default_name)(&settings).into(),
        },
        common: Common {
            critical: true,
            urgency: Urgency::Normal,
            timeout,
            labels: std::collections::BTreeMap::new(),
            depends_on: Vec::new(),
            runbook: None,
        },
        settings,
        found_by: None,
    }
}

/// Looks at an API endpoint.
pub(crate) async fn look(yaml: &str) -> Looked {
    look_with(&Clients::new(), yaml, Duration::from_secs(5)).await
}

/// Looks at an API endpoint with clients and a deadline of one's own.
pub(crate) async fn look_with(clients: &Clients, yaml: &str, timeout: Duration) -> Looked {
    look_at("api_endpoints", clients, yaml, timeout).await
}

/// Looks at a target of a kind, in a round of its own.
pub(crate) async fn look_at(key: &str, clients: &Clients, yaml: &str, timeout: Duration) -> Looked {
    let collector = (kind_of(key).new)(clients);
    look_again(collector.as_ref(), &target(key, yaml, timeout)).await
}

/// Looks at a target with a collector that may have looked before, in a round of its own.
pub(crate) async fn look_again(collector: &dyn AnyCollector, target: &Target) -> Looked {
    let kind = kind_of(target.id.kind);
    let run = RunContext {
        timeout: target.common.timeout,
        round_began: Instant::now(),
        round: None,
        cpu_window: Duration::from_secs(1),
        clock: Arc::new(SystemClock),
    };
    let outcome = collector.look(target, &run).await;
    let rules = (kind.rules)(&target.settings);
    Looked::checked(outcome, rules, kind)
}

/// Looks at targets of one kind that are visited together, at that time.
pub(crate) async fn look_together(
    collector: &dyn AnyCollector,
    targets: &[Arc<Target>],
    clock: Arc<dyn Clock>,
) -> Vec<Looked> {
    let kind = kind_of(targets.first().expect("a target").id.kind);
    let run = RunContext {
        timeout: targets[0].common.timeout,
        round_began: Instant::now(),
        round: None,
        cpu_window: Duration::from_secs(1),
        clock,
    };
    let outcomes = collector.look_at_batch(targets, &run).await;
    assert_eq!(outcomes.len(), targets.len());
    let looked = outcomes.into_iter().zip(targets).map(|(outcome, target)| {
        let rules = (kind.rules)(&target.settings);
        Looked::checked(outcome, rules, kind)
    });
    looked.collect()
}

impl Looked {
    fn checked(outcome: Result<Reading, Failure>, rules: Vec<Rule>, kind: &Kind) -> Self {
        let looked = Self { outcome, rules };
        for measurement in &looked.reading().measurements {
            let declared = kind.spec.metric(measurement.metric);
            let declared =
                declared.unwrap_or_else(|| panic!("`{}` is not declared", measurement.metric));
            assert_eq!(declared.unit, measurement.unit, "{}", measurement.metric);
        }
        looked
    }

    /// What was seen of each target that it found, by name, each under the same limits.
    pub(crate) fn found(&self) -> std::collections::BTreeMap<String, Self> {
        let found = self.reading().found.iter().flatten();
        let looked = found.map(|one| {
            let looked = Self {
                outcome: one.outcome.clone(),
                rules: self.rules.clone(),
            };
            (one.name.clone(), looked)
        });
        looked.collect()
    }

    /// A word that was measured.
    pub(crate) fn state(&self, metric: &str) -> Option<String> {
        let all = &self.reading().measurements;
        let found = all.iter().find(|one| one.metric == metric)?;
        Some(found.value.to_string())
    }

    /// What was measured, also by a look that failed.
    pub(crate) fn reading(&self) -> &Reading {
        match &self.outcome {
            Ok(reading) => reading,
            Err(failure) => &failure.seen,
        }
    }

    /// A number that was measured.
    pub(crate) fn number(&self, metric: &str) -> Option<f64> {
        let all = &self.reading().measurements;
        let found = all.iter().find(|one| one.metric == metric)?;
        match found.value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// What a fact says.
    pub(crate) fn fact(&self, name: &str) -> Option<&str> {
        let all = &self.reading().facts;
        (all.iter().find(|fact| fact.name == name)).map(|fact| fact.value.as_str())
    }

    /// The status by the failure and by the limits that the kind ships.
    pub(crate) fn status(&self) -> Status {
        let failed = self.outcome.as_ref().err().map(Failure::status);
        let crossed = |threshold: &Option<Threshold>, value: &Value| matches!(threshold, Some(Threshold::At(limit)) if limit.is_crossed_by(value));
        let found = self.reading().measurements.iter().flat_map(|measurement| {
            let rules = self
                .rules
                .iter()
                .filter(|rule| rule.metric == measurement.metric);
            rules.map(|rule| match &measurement.value {
                value if crossed(&rule.red, value) => Status::Red,
                value if crossed(&rule.yellow, value) => Status::Yellow,
                _ => Status::Green,
            })
        });
        found.chain(failed).max().unwrap_or(Status::Green)
    }

    /// What the limits that the kind ships make of it: `RED exit_code of web: 3 (killed by signal 9)`, worst first.
    pub(crate) fn findings(&self) -> Vec<String> {
        let observation = Observation {
            target: TargetId {
                kind: "",
                name: "".into(),
            },
            at: SystemClock.now(),
            took: Duration::ZERO,
            outcome: self.outcome.clone(),
            trace: tracing::Span::none(),
        };
        let rules = Rules::new(self.rules.as_slice().into(), Vec::new());
        let verdict = judge(&rules, None, &observation);
        let words = verdict.findings.iter().map(|finding| {
            let subject = finding.subject.as_ref();
            let subject = subject.map_or_else(String::new, |subject| format!(" of {subject}"));
            let value = finding.value.as_ref();
            let value = value.map_or_else(|| "unknown".to_owned(), ToString::to_string);
            let message = finding.message.as_ref();
            let message = message.map_or_else(String::new, |message| format!(" ({message})"));
            format!(
                "{} {}{subject}: {value}{message}",
                finding.status, finding.metric
            )
        });
        words.collect()
    }

    /// The failure as `KIND message | hint`.
    pub(crate) fn failure(&self) -> String {
        match &self.outcome {
            Ok(reading) => format!("no failure: {reading:?}"),
            Err(failure) => {
                let hint = failure.hint.as_deref().unwrap_or("no hint");
                format!("{} {} | {hint}", failure.kind, failure.message)
            }
        }
    }

    /// Asserts the status and that the failure begins with these words.
    #[track_caller]
    pub(crate) fn assert_failed(&self, status: Status, words: &str) {
        let failure = self.failure();
        assert!(
            failure.starts_with(words),
            "expected `{words}`, found `{failure}`"
        );
        assert_eq!(self.status(), status, "{failure}");
    }

    /// Asserts that all is well.
    #[track_caller]
    pub(crate) fn assert_green(&self) {
        assert!(self.outcome.is_ok(), "{}", self.failure());
        assert_eq!(self.status(), Status::Green, "{:?}", self.reading());
    }
}
