//! S3 buckets against an AWS-compatible server, with the faults of the service.

use std::collections::BTreeSet;
use std::time::Duration;

use roundsman::clock::{Clock, SystemClock};
use roundsman::model::Status;

use crate::support::aws::{Aws, CANARY, Fault, clients_with};
use crate::support::children::free_port;
use crate::support::{Looked, look_at};

const LONG: Duration = Duration::from_secs(20);

/// Makes a bucket.
pub(crate) async fn bucket(region: &str, name: &str) {
    use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
    let config = aws_sdk_s3::config::Builder::from(&Aws::session(region).await)
        .force_path_style(true)
        .build();
    let client = aws_sdk_s3::Client::from_conf(config);
    let mut request = client.create_bucket().bucket(name);
    if region != "us-east-1" {
        let constraint = BucketLocationConstraint::from(region);
        request = request.create_bucket_configuration(
            CreateBucketConfiguration::builder()
                .location_constraint(constraint)
                .build(),
        );
    }
    request.send().await.expect("a bucket");
}

async fn look(aws: &Aws, yaml: &str) -> Looked {
    let looked = look_at("s3_buckets", &aws.clients(), yaml, LONG).await;
    assert!(!format!("{looked:?}").contains(CANARY), "{looked:?}");
    looked
}

#[tokio::test]
async fn a_bucket_that_is_well_and_what_is_told_of_it() {
    let aws = Aws::start().await;
    bucket("eu-west-1", "well").await;
    let looked = look(&aws, "bucket: well\nregion: eu-west-1").await;
    looked.assert_green();
    assert_eq!(looked.state("listable").as_deref(), Some("yes"));
    assert_eq!(looked.state("region").as_deref(), Some("eu-west-1"));
    assert_eq!(looked.state("region_as_configured").as_deref(), Some("yes"));
    assert_eq!(looked.state("versioning").as_deref(), Some("off"));
    assert!(
        looked
            .number("latency_ms")
            .is_some_and(|latency| latency > 0.0)
    );
    // What the policy under `deployment/` allows. HeadBucket and ListObjectsV2 both need `s3:ListBucket`.
    let policy = include_str!("../../../deployment/aws-iam-policy.json");
    for call in aws.calls().into_iter().collect::<BTreeSet<_>>() {
        let permission = match call.as_str() {
            "HeadBucket" | "ListObjectsV2" => "s3:ListBucket".to_owned(),
            other => format!("s3:{other}"),
        };
        assert!(policy.contains(&permission), "{permission}");
    }
}

#[tokio::test]
async fn an_own_endpoint_is_asked_by_path() {
    let aws = Aws::start().await;
    bucket("us-east-1", "own").await;
    let looked = look(&aws, &format!("bucket: own\nendpoint_url: {}", aws.url())).await;
    looked.assert_green();
    assert_eq!(
        looked.state("region_as_configured"),
        None,
        "nobody wrote a region down"
    );
}

#[tokio::test]
async fn missing_forbidden_and_elsewhere_are_told_apart() {
    let aws = Aws::start().await;
    let looked = look(&aws, "bucket: nowhere\nregion: eu-west-1").await;
    looked.assert_failed(
        Status::Red,
        "missing the bucket `nowhere` in eu-west-1 is not there",
    );

    bucket("eu-west-1", "shut").await;
    aws.fail("HeadBucket", Fault::denied("s3"));
    aws.fail("ListObjectsV2", Fault::denied("s3"));
    let looked = look(&aws, "bucket: shut\nregion: eu-west-1").await;
    looked.assert_failed(
        Status::Red,
        "denied the bucket `shut` in eu-west-1 does not let us: the permission `s3:ListBucket` is missing",
    );
    for (code, words) in [
        (
            "ExpiredToken",
            "denied the bucket `shut` in eu-west-1 does not accept our credentials: they have expired",
        ),
        (
            "InvalidAccessKeyId",
            "denied the bucket `shut` in eu-west-1 does not accept our credentials (InvalidAccessKeyId)",
        ),
    ] {
        aws.fail("ListObjectsV2", Fault::Error(403, code, ""));
        look(&aws, "bucket: shut\nregion: eu-west-1")
            .await
            .assert_failed(Status::Red, words);
    }
    aws.mend("ListObjectsV2");

    bucket("eu-central-1", "moved").await;
    aws.fail("HeadBucket", Fault::OtherRegion("eu-central-1"));
    let looked = look(&aws, "bucket: moved\nregion: us-west-2").await;
    assert_eq!(looked.status(), Status::Yellow, "{looked:?}");
    assert_eq!(
        looked.findings(),
        ["YELLOW region_as_configured: no (it lies in eu-central-1, and us-west-2 is configured)"]
    );
}

#[tokio::test]
async fn what_may_not_be_asked_is_left_out_and_named() {
    let aws = Aws::start().await;
    bucket("eu-west-1", "partly").await;
    aws.fail("GetBucketVersioning", Fault::denied("s3"));
    let looked = look(&aws, "bucket: partly\nregion: eu-west-1").await;
    looked.assert_green();
    assert_eq!(looked.state("versioning"), None);
    assert!(
        looked
            .fact("missing permission")
            .is_some_and(|fact| fact.starts_with("s3:GetBucketVersioning"))
    );
}

#[tokio::test]
async fn our_own_trouble_is_unknown() {
    let aws = Aws::start().await;
    bucket("eu-west-1", "ours").await;
    let yaml = "bucket: ours\nregion: eu-west-1";
    aws.fail(
        "HeadBucket",
        Fault::Error(503, "SlowDown", "Please reduce your request rate."),
    );
    look(&aws, yaml).await.assert_failed(
        Status::Unknown,
        "throttled the bucket `ours` in eu-west-1 is asked too often",
    );
    let date = (SystemClock.now() - chrono::TimeDelta::hours(3)).to_rfc2822();
    aws.fail(
        "HeadBucket",
        Fault::Clock(403, "RequestTimeTooSkewed", "", date),
    );
    look(&aws, yaml).await.assert_failed(
        Status::Unknown,
        "ours the bucket `ours` in eu-west-1 refused: the clock of this machine is 180 min ahead",
    );
    let none = clients_with(&[
        ("AWS_ENDPOINT_URL", aws.url()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("AWS_CONFIG_FILE", "/nonexistent".to_owned()),
        ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent".to_owned()),
    ]);
    let looked = look_at("s3_buckets", &none, yaml, LONG).await;
    looked.assert_failed(
        Status::Unknown,
        "denied cannot ask the bucket `ours` in eu-west-1: no credentials: tried the variables",
    );
    assert!(
        looked
            .failure()
            .contains("switched off by `AWS_EC2_METADATA_DISABLED`"),
        "{}",
        looked.failure()
    );
}

#[tokio::test]
async fn a_service_in_trouble_is_the_targets() {
    let aws = Aws::start().await;
    bucket("eu-west-1", "sick").await;
    let yaml = "bucket: sick\nregion: eu-west-1";
    aws.fail("HeadBucket", Fault::Error(500, "InternalError", ""));
    look(&aws, yaml).await.assert_failed(
        Status::Red,
        "unexpected the bucket `sick` in eu-west-1 failed with",
    );
    aws.mend("HeadBucket");
    aws.fail("ListObjectsV2", Fault::Garbage);
    look(&aws, yaml).await.assert_failed(
        Status::Red,
        "unexpected the bucket `sick` in eu-west-1 answered what is no answer of it",
    );
    aws.fail("ListObjectsV2", Fault::Silence);
    let looked = look_at("s3_buckets", &aws.clients(), yaml, Duration::from_secs(1)).await;
    looked.assert_failed(
        Status::Red,
        "timed_out the bucket `sick` did not answer within 1000 ms",
    );
    let nobody = format!("{yaml}\nendpoint_url: http://127.0.0.1:{}", free_port());
    look(&aws, &nobody)
        .await
        .assert_failed(Status::Red, "unreachable cannot ask the bucket `sick`");
}

#[tokio::test]
async fn a_slow_bucket_is_yellow() {
    let aws = Aws::start().await;
    bucket("eu-west-1", "slow").await;
    aws.slow_by(Duration::from_millis(2_100));
    let looked = look(&aws, "bucket: slow\nregion: eu-west-1").await;
    assert_eq!(looked.status(), Status::Yellow, "{looked:?}");
    assert!(
        looked.findings()[0].starts_with("YELLOW latency_ms"),
        "{:?}",
        looked.findings()
    );
}
