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

/// Whether our own network is down is asked of these hosts.
#[test]
fn a_channel_says_to_which_host_it_sends() {
    let endpoint_of = |key: &str, yaml: &str| {
        let node = parse(&"reporters.yaml".into(), yaml, LIMITS, &mut Vec::new()).unwrap();
        let kind = reporters::kind(key).unwrap();
        (kind.endpoint)(&(kind.read)(&node, &|_| None).unwrap())
    };
    for (key, yaml, expected) in [
        (
            "slack",
            "webhook_url: https://Hooks.slack.com/services/canary",
            Some(("hooks.slack.com", 443)),
        ),
        (
            "webhook",
            "url: http://user:canary@[2001:db8::1]:8080/canary",
            Some(("2001:db8::1", 8080)),
        ),
        ("webhook", "url: http://127.0.0.1:8080/", None),
        ("webhook", "url: http://localhost/", None),
        ("file", "directory: reports", None),
        ("terminal", "{}", None),
    ] {
        let expected = expected.map(|(host, port)| (host.to_owned(), port));
        assert_eq!(endpoint_of(key, yaml), expected, "{key}: {yaml}");
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
