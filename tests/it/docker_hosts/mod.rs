//! Docker hosts against a real engine, and against servers that behave as no engine would on request.

mod changes;
mod failures;
mod secrets;
mod states;
mod transports;

use std::time::Duration;

use roundsman::clients::Clients;
use roundsman::collectors::AnyCollector;
use roundsman::model::Target;

use crate::support::dockerd::Dockerd;
use crate::support::{Looked, kind_of, look_again, look_at, target};

/// An engine on a busy machine takes its time.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A look at an engine with these settings.
async fn look(yaml: &str) -> Looked {
    look_at("docker_hosts", &Clients::new(), yaml, TIMEOUT).await
}

/// A look at the real engine through its socket, with further settings.
async fn look_through_socket(dockerd: &Dockerd, settings: &str) -> Looked {
    look(&through_socket(dockerd, settings)).await
}

fn through_socket(dockerd: &Dockerd, settings: &str) -> String {
    format!("socket: {}\n{settings}", dockerd.socket.display())
}

/// A collector that looks at the same target again and again.
struct Watcher {
    collector: Box<dyn AnyCollector>,
    target: Target,
}

impl Watcher {
    fn new(yaml: &str) -> Self {
        Self {
            collector: (kind_of("docker_hosts").new)(&Clients::new()),
            target: target("docker_hosts", yaml, TIMEOUT),
        }
    }

    async fn look(&self) -> Looked {
        look_again(self.collector.as_ref(), &self.target).await
    }
}

/// What was measured, as `metric of subject: value`.
fn measured(looked: &Looked, metric: &str) -> Vec<String> {
    assert!(looked.outcome.is_ok(), "{}", looked.failure());
    let all = looked.reading().measurements.iter();
    let words = all.filter(|one| one.metric == metric).map(|one| {
        let subject = one.subject.as_deref().unwrap_or_default();
        format!("{subject} {}", one.value)
    });
    words.collect()
}

/// Asserts that there are exactly these findings, each given by its beginning; worst first.
#[track_caller]
fn assert_findings(looked: &Looked, expected: &[&str]) {
    assert!(looked.outcome.is_ok(), "{}", looked.failure());
    let findings = looked.findings();
    let fits = findings.len() == expected.len()
        && (findings.iter().zip(expected)).all(|(finding, words)| finding.starts_with(words));
    assert!(fits, "expected {expected:#?}, found {findings:#?}");
}
