//! `kinds` and `graph`.

use roundsman::collectors::KINDS;
use roundsman::collectors::reference::kinds_markdown;

use super::{all_four, service};
use crate::support::program::Workplace;

#[tokio::test]
async fn every_kind_and_metric_is_listed_in_every_format() {
    let place = Workplace::without_configuration();
    let text = place.run(&["kinds"]).await;
    let markdown = place.run(&["kinds", "--format", "markdown"]).await;
    let json = place.run(&["kinds", "--format", "json"]).await;
    for ended in [&text, &markdown, &json] {
        ended.assert_code(0);
        assert_eq!(ended.stderr, "");
    }
    assert_eq!(markdown.stdout, kinds_markdown());
    let listed = json.json();
    assert_eq!(listed.as_array().map(Vec::len), Some(KINDS.len()));
    for (kind, listed) in KINDS.iter().zip(listed.as_array().expect("kinds")) {
        assert_eq!(listed["kind"], kind.spec.key);
        assert_eq!(listed["built"], kind.spec.built);
        text.assert_prints(&format!("{}: {}; ", kind.spec.key, kind.spec.title));
        let metrics = listed["metrics"].as_array().expect("metrics");
        assert_eq!(metrics.len(), kind.spec.metrics.len());
        for (metric, listed) in kind.spec.metrics.iter().zip(metrics) {
            assert_eq!(listed["name"], metric.name);
            assert_eq!(listed["unit"], metric.unit.word());
            text.assert_prints(&format!("  {} ", metric.name));
        }
    }
}

#[tokio::test]
async fn they_are_listed_also_beside_a_broken_configuration() {
    let place = Workplace::with_configuration("}{");
    for arguments in [["kinds"], ["schema"]] {
        let ended = place.run(&arguments).await;
        ended.assert_code(0);
        assert_eq!(ended.stderr, "");
    }
}

#[tokio::test]
async fn the_graph_shows_targets_and_reporters() {
    let server = service().await;
    let yaml = format!(
        "{}reporters: [{{kind: file, name: archive, directory: kept}}]\nmonitoring: {{every: 90s}}\n",
        all_four(server.port)
    );
    let place = Workplace::with_configuration(&yaml);
    let ended = place.run(&["graph"]).await;
    ended.assert_code(0);
    assert!(ended.stdout.starts_with("flowchart "), "{ended}");
    for word in [
        "green",
        "yellow",
        "red",
        "unknown",
        "terminal",
        "archive",
        "every 1m 30s",
    ] {
        ended.assert_prints(word);
    }
    assert!(server.requests().is_empty(), "a drawing looks at nothing");
    assert!(!place.path().join("kept").exists());
}
