//! The other channels, built or only known by name.

use std::sync::Arc;

use roundsman::document::{LIMITS, parse};
use roundsman::reporters::{self, KINDS, Retry};

use super::{Paper, means, message};
use crate::support::program::Workplace;

#[tokio::test]
async fn the_terminal_prints_the_digest() {
    let paper = Paper::default();
    let kind = reporters::kind("terminal").unwrap();
    let settings: reporters::Settings = Arc::new(reporters::terminal::Settings::default());
    let reporter = kind.make(&settings, &means(&paper)).unwrap();
    reporter
        .send(&message("2026-11-21T09:00:00Z"))
        .await
        .unwrap();
    let printed = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    assert!(printed.starts_with("degraded: "), "{printed}");
}

#[tokio::test]
async fn every_channel_of_the_specification_is_a_known_word() {
    let keys: Vec<&str> = KINDS.iter().map(|kind| kind.spec.key).collect();
    assert_eq!(
        keys,
        [
            "telegram",
            "slack",
            "email",
            "discord",
            "webhook",
            "alertmanager",
            "github",
            "file",
            "terminal"
        ]
    );
    let yaml = "url: https://example.org/canary\nmany: [1, {a: b}]\n";
    let node = parse(&"reporters.yaml".into(), yaml, LIMITS, &mut Vec::new()).unwrap();
    for kind in KINDS.iter().filter(|kind| !kind.spec.built) {
        let settings = (kind.read)(&node, &|_| None).unwrap();
        let reporter = kind.make(&settings, &means(&Paper::default())).unwrap();
        let error = reporter
            .send(&message("2026-11-21T09:00:00Z"))
            .await
            .unwrap_err();
        assert_eq!(error.retry, Retry::Never);
        assert!(error.message.contains(kind.spec.key), "{error}");
    }
    for kind in KINDS.iter().filter(|kind| kind.spec.built) {
        assert!(
            (kind.read)(&node, &|_| None).is_err(),
            "`{}` takes anything",
            kind.spec.key
        );
        assert!(!kind.spec.sample.is_empty());
    }
}

#[test]
fn the_sample_of_every_channel_loads() {
    for kind in KINDS.iter().filter(|kind| kind.spec.built) {
        let yaml = format!(
            "targets: {{local_hosts: [{{}}]}}\nreporters:\n{}",
            kind.spec.sample
        );
        let place = Workplace::with_configuration(&yaml);
        assert_eq!(place.problems(), "", "{yaml}");
    }
}
