//! What a daemon does with the instances that it finds: they come and go by themselves, and outlast a restart.

use serde_json::Value;

use super::{launch, terminate};
use crate::daemon::{changes, history, looks};
use crate::support::aws::{Aws, Fault};
use crate::support::daemon::Daemon;
use crate::support::program::Workplace;

const REGION: &str = "ap-southeast-1";

fn found<'a>(report: &'a Value, finder: &str) -> Vec<&'a Value> {
    let targets = report["targets"].as_array().expect("targets").iter();
    targets
        .filter(|target| target["found_by"] == finder)
        .collect()
}

#[tokio::test]
async fn what_is_found_is_watched_remembered_and_missed() {
    let aws = Aws::start().await;
    let ids = launch(REGION, 6, "m5.large", &[("role", "found"), ("Name", "app")]).await;
    let yaml = format!(
        "monitoring: {{every: 1s, for: 1}}\ntargets:\n  ec2_instances:\n    - {{name: apps, region: {REGION}, discover: {{tags: {{role: found}}}}}}\n\
         reporters: [{{kind: file, directory: reports}}]\n"
    );
    let mut place = Workplace::with_configuration(&yaml);
    for (name, value) in aws.variables() {
        place = place.variable(name, &value);
    }
    let mut daemon = Daemon::start(&place);
    daemon.reported().await;
    let report: Value =
        serde_json::from_str(&place.read("reports/latest_report.json")).expect("a report");
    let all = found(&report, "apps");
    assert_eq!(all.len(), 6, "{report:#}");
    assert!(
        all.iter()
            .all(|one| one["status"] == "GREEN" && one["critical"] == true),
        "{report:#}"
    );
    let name = format!("app:{}", ids[0]);
    assert!(
        all.iter().any(|one| one["name"] == name.as_str()),
        "{report:#}"
    );

    // One goes: it is said, and its history stays.
    terminate(REGION, &ids[0]).await;
    let gone = daemon.event("target.gone").await;
    assert_eq!(gone["target.name"], name.as_str());
    daemon.stop().await.assert_code(0);
    let known = history(&place, &name).await;
    assert_eq!(changes(&known), ["- GREEN", "GREEN -"]);
    assert!(looks(&known) > 0);

    // What was found before a restart is known after it, and unknown, not gone, while nobody can look.
    aws.fail("DescribeInstances", Fault::denied("ec2"));
    let mut daemon = Daemon::start(&place);
    let started = daemon.event("daemon.started").await;
    assert_eq!(
        started["remembered"], 6,
        "the finder and five that it found: {started}"
    );
    let changed = daemon
        .event_that("target.changed", |line| line["target.name"] != "apps")
        .await;
    assert_eq!(
        (changed["from"].as_str(), changed["to"].as_str()),
        (Some("GREEN"), Some("UNKNOWN"))
    );
    aws.mend("DescribeInstances");
    let changed = daemon
        .event_that("target.changed", |line| {
            line["target.name"] != "apps" && line["to"] == "GREEN"
        })
        .await;
    assert_eq!(changed["from"], "UNKNOWN");
    let ended = daemon.stop().await;
    ended.assert_code(0);
    assert!(!ended.stdout.contains("target.gone"), "{ended}");
}
