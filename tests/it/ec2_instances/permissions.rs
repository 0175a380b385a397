//! What happens where a permission is missing, and that the policy we ship has what we ask for and no more.

use std::collections::BTreeSet;

use roundsman::model::Status;

use super::{Watch, later, launch, lay_cpu};
use crate::support::aws::Fault;

#[tokio::test]
async fn the_predecessors_policy_is_enough_for_green() {
    let watch = Watch::new().await;
    let ids = launch("ap-south-1", 3, "m5.large", &[]).await;
    let now = later();
    for id in &ids {
        lay_cpu(&watch.aws, id, now, 7.0);
    }
    watch
        .aws
        .fail("DescribeInstanceStatus", Fault::denied("ec2"));
    watch.aws.fail("GetMetricData", Fault::denied("cloudwatch"));
    let yaml: Vec<String> = ids
        .iter()
        .map(|id| format!("instance_id: {id}\nregion: ap-south-1"))
        .collect();
    let yaml: Vec<&str> = yaml.iter().map(String::as_str).collect();
    let looked = watch.look_at(&yaml, now).await;
    for one in &looked {
        one.assert_green();
        assert_eq!(one.number("cpu_percent"), Some(7.0));
        assert_eq!(one.state("system_check"), None);
        assert!(one.reading().gaps.is_empty());
    }
    assert_eq!(watch.aws.count("GetMetricStatistics"), 3);
    // Each missing permission is named once.
    let named: Vec<&str> = (looked.iter())
        .flat_map(|one| &one.reading().facts)
        .filter(|fact| fact.name == "missing permission")
        .map(|fact| fact.value.as_str())
        .collect();
    assert_eq!(named.len(), 2, "{named:?}");
    assert!(
        named[0].starts_with("ec2:DescribeInstanceStatus"),
        "{named:?}"
    );
    assert!(
        named[1].starts_with("cloudwatch:GetMetricData"),
        "{named:?}"
    );
    // It is not tried again in each round.
    watch
        .look_at(&yaml, now + chrono::TimeDelta::minutes(5))
        .await;
    assert_eq!(watch.aws.count("GetMetricData"), 1);
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let watch = Watch::new().await;
    let id = &launch("ap-south-1", 1, "m5.large", &[]).await[0];
    let yaml = format!("instance_id: {id}\nregion: ap-south-1");
    watch.aws.fail("GetMetricData", Fault::denied("cloudwatch"));
    watch
        .aws
        .fail("GetMetricStatistics", Fault::denied("cloudwatch"));
    let looked = watch.look(&yaml, later()).await;
    let findings = looked.findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(
        findings[0].starts_with("UNKNOWN cpu_percent: unknown (CloudWatch in ap-south-1 does not let us: the permission `cloudwatch:GetMetricData` is missing"),
        "{findings:?}"
    );
    watch.aws.fail("DescribeInstances", Fault::denied("ec2"));
    let looked = watch.look(&yaml, later()).await;
    looked.assert_failed(
        Status::Unknown,
        "denied EC2 in ap-south-1 does not let us: the permission `ec2:DescribeInstances` is missing",
    );
}

/// The policy under `deployment/` allows what a look at everything asks for, and nothing else.
#[tokio::test]
async fn the_policy_we_ship_is_what_is_called() {
    let policy = include_str!("../../../deployment/aws-iam-policy.json");
    let policy: serde_json::Value = serde_json::from_str(policy).expect("JSON");
    let actions = |sid: &str| -> BTreeSet<String> {
        let statements = policy["Statement"].as_array().expect("statements");
        let statement = statements.iter().find(|one| one["Sid"] == sid);
        let actions =
            statement.unwrap_or_else(|| panic!("no statement `{sid}`"))["Action"].as_array();
        actions
            .expect("actions")
            .iter()
            .filter_map(|one| one.as_str().map(str::to_owned))
            .collect()
    };
    let watch = Watch::new().await;
    let id = &launch("ap-south-1", 1, "t3.micro", &[]).await[0];
    let now = later();
    lay_cpu(&watch.aws, id, now, 7.0);
    watch
        .look(&format!("instance_id: {id}\nregion: ap-south-1"), now)
        .await
        .assert_green();
    let called: BTreeSet<String> = watch.aws.calls().into_iter().collect();
    let named = |service: &str| -> BTreeSet<String> {
        let operations = called
            .iter()
            .filter(|call| call.starts_with("Describe") == (service == "ec2"));
        operations.map(|call| format!("{service}:{call}")).collect()
    };
    assert_eq!(actions("Instances"), named("ec2"));
    assert_eq!(actions("Metrics"), named("cloudwatch"));
}
