use chrono::TimeDelta;
use roundsman::model::Status;

use super::{Watch, later, launch, lay_cpu, stop, terminate};
use crate::support::Looked;
use crate::support::aws::Fault;

const REGION: &str = "ca-central-1";

fn names(looked: &Looked) -> Vec<String> {
    looked.found().into_keys().collect()
}

#[tokio::test]
async fn instances_come_and_go_by_themselves() {
    let watch = Watch::new().await;
    let tags = [("role", "come-and-go"), ("Name", "web")];
    let mut ids = launch(REGION, 5, "m5.large", &tags).await;
    launch(REGION, 2, "m5.large", &[("role", "other")]).await;
    let now = later();
    for id in &ids {
        lay_cpu(&watch.aws, id, now, 5.0);
    }
    let yaml = format!("discover: {{regions: [{REGION}], tags: {{role: \"come-*\"}}}}");
    let first = watch.look(&yaml, now).await;
    first.assert_green();
    assert_eq!(first.number("instances_found"), Some(5.0));
    ids.sort();
    let expected: Vec<String> = ids.iter().map(|id| format!("web:{id}")).collect();
    assert_eq!(names(&first), expected);
    for one in first.found().values() {
        one.assert_green();
        assert_eq!(one.number("cpu_percent"), Some(5.0));
    }

    // One more, and one that somebody stopped: it must be seen, not forgotten.
    let new = &launch(REGION, 1, "m5.large", &tags).await[0];
    stop(REGION, &ids[0]).await;
    let second = watch.look(&yaml, now + TimeDelta::minutes(1)).await;
    assert_eq!(names(&second).len(), 6);
    assert!(second.found().contains_key(&format!("web:{new}")));
    assert_eq!(second.found()[&expected[0]].status(), Status::Red);

    // One of six that goes is no more than a change.
    terminate(REGION, &ids[1]).await;
    let third = watch.look(&yaml, now + TimeDelta::minutes(2)).await;
    assert_eq!(names(&third).len(), 5);
    assert!(third.findings().is_empty(), "{:?}", third.findings());
    // Two of them are more than 20 %.
    terminate(REGION, &ids[2]).await;
    let fourth = watch.look(&yaml, now + TimeDelta::minutes(3)).await;
    assert_eq!(fourth.status(), Status::Red);
    let findings = fourth.findings();
    assert!(
        findings[0].starts_with("RED gone_percent: 33.3 (gone: web:i-"),
        "{findings:?}"
    );
    // After an hour it is how things are.
    let fifth = watch.look(&yaml, now + TimeDelta::minutes(64)).await;
    assert!(fifth.findings().is_empty(), "{:?}", fifth.findings());
}

#[tokio::test]
async fn the_last_of_a_group_that_goes_is_an_incident() {
    let watch = Watch::new().await;
    let id = &launch("ap-northeast-1", 1, "m5.large", &[("role", "single")]).await[0];
    let now = later();
    lay_cpu(&watch.aws, id, now, 5.0);
    let yaml = "region: ap-northeast-1\ndiscover: {tags: {role: single}}";
    watch.look(yaml, now).await.assert_green();
    terminate("ap-northeast-1", id).await;
    let looked = watch.look(yaml, now + TimeDelta::minutes(1)).await;
    assert!(
        looked.findings()[0].starts_with("RED gone_percent: 100"),
        "{:?}",
        looked.findings()
    );
}

#[tokio::test]
async fn nothing_found_and_a_region_that_fails() {
    let watch = Watch::new().await;
    let now = later();
    let nothing = watch
        .look(
            "region: ap-northeast-2\ndiscover: {tags: {role: typo}}",
            now,
        )
        .await;
    assert_eq!(nothing.findings(), ["YELLOW instances_found: 0"]);

    let id = &launch("ap-northeast-3", 1, "m5.large", &[("role", "db")]).await[0];
    lay_cpu(&watch.aws, id, now, 5.0);
    let yaml = "region: ap-northeast-3\ndiscover: {tags: {role: db}}";
    watch.aws.fail(
        "DescribeInstances",
        Fault::Error(503, "Unavailable", "The server is overloaded"),
    );
    let first = watch.look(yaml, now).await;
    first.assert_failed(
        Status::Unknown,
        "unexpected EC2 in ap-northeast-3 failed with `Unavailable`",
    );
    watch.aws.mend("DescribeInstances");
    watch.look(yaml, now).await.assert_green();
    // Those that are known are unknown now, not gone.
    watch.aws.fail(
        "DescribeInstances",
        Fault::Error(503, "Unavailable", "The server is overloaded"),
    );
    let later = watch.look(yaml, now + TimeDelta::minutes(1)).await;
    assert_eq!(later.number("gone_percent"), Some(0.0));
    let found = later.found();
    assert_eq!(found.len(), 1);
    found[id].assert_failed(Status::Unknown, "unexpected EC2 in ap-northeast-3");
}
