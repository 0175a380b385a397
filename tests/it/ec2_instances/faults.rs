use std::sync::Arc;
use std::time::{Duration, Instant};

use roundsman::clock::{Clock, SystemClock};
use roundsman::model::Status;

use super::{At, LONG, Watch, later, launch, launch_one_by_one};
use crate::support::aws::{CANARY, Fault, clients_with};
use crate::support::children::free_port;
use crate::support::servers::raw;
use crate::support::{Looked, kind_of, look_together, target};

async fn with_fault(operation: &str, fault: Fault) -> Looked {
    let watch = Watch::new().await;
    let id = &launch("sa-east-1", 1, "m5.large", &[]).await[0];
    watch.aws.fail(operation, fault);
    let looked = watch
        .look(
            &format!("instance_id: {id}\nregion: sa-east-1"),
            SystemClock.now(),
        )
        .await;
    assert!(!format!("{looked:?}").contains(CANARY), "{looked:?}");
    looked
}

/// None of it says anything about the instance.
#[tokio::test]
async fn trouble_with_aws_is_unknown_and_told_apart() {
    let expired = Fault::Error(400, "RequestExpired", "Request has expired.");
    for (fault, words) in [
        (
            Fault::Error(503, "RequestLimitExceeded", "Request limit exceeded."),
            "throttled EC2 in sa-east-1 is asked too often (`RequestLimitExceeded`)",
        ),
        (
            Fault::Error(
                400,
                "ExpiredToken",
                "The security token included in the request is expired",
            ),
            "denied EC2 in sa-east-1 does not accept our credentials: they have expired (ExpiredToken)",
        ),
        (
            Fault::Error(
                401,
                "AuthFailure",
                "AWS was not able to validate the provided access credentials",
            ),
            "denied EC2 in sa-east-1 does not accept our credentials (AuthFailure)",
        ),
        (
            expired,
            "ours EC2 in sa-east-1 refused: the clock of this machine is wrong",
        ),
        (
            Fault::Clock(
                403,
                "SignatureDoesNotMatch",
                "Signature expired: 20261129T000000Z is now earlier than",
                (SystemClock.now() + chrono::TimeDelta::seconds(90 * 60 + 30)).to_rfc2822(),
            ),
            "ours EC2 in sa-east-1 refused: the clock of this machine is 90 min behind",
        ),
        (
            Fault::Error(500, "InternalError", "An internal error has occurred"),
            "unexpected EC2 in sa-east-1 failed with `InternalError`",
        ),
        (
            Fault::Garbage,
            "unexpected EC2 in sa-east-1 answered what is no answer of it",
        ),
        (Fault::Cut, "unexpected "),
    ] {
        let looked = with_fault("DescribeInstances", fault).await;
        looked.assert_failed(Status::Unknown, words);
        assert!(
            !looked.failure().contains("no hint"),
            "{}",
            looked.failure()
        );
    }
}

#[tokio::test]
async fn a_page_that_is_missing_is_no_shorter_list() {
    let watch = Watch::new().await;
    let ids = launch_one_by_one("sa-east-1", 7).await;
    watch.aws.pages_of(5);
    watch
        .aws
        .fail("DescribeInstances", Fault::LaterPage("InvalidNextToken"));
    let yaml: Vec<String> = ids
        .iter()
        .map(|id| format!("instance_id: {id}\nregion: sa-east-1"))
        .collect();
    let yaml: Vec<&str> = yaml.iter().map(String::as_str).collect();
    for looked in watch.look_at(&yaml, later()).await {
        looked.assert_failed(
            Status::Unknown,
            "unexpected EC2 in sa-east-1 refused: `InvalidNextToken`",
        );
    }
}

#[tokio::test]
async fn silence_ends_at_the_deadline_and_hides_no_more_than_it_must() {
    let watch = Watch::new().await;
    let id = &launch("sa-east-1", 1, "m5.large", &[]).await[0];
    let yaml = format!("instance_id: {id}\nregion: sa-east-1");
    let short = [Arc::new(target(
        "ec2_instances",
        &yaml,
        Duration::from_millis(1_500),
    ))];
    watch.aws.fail("GetMetricData", Fault::Silence);
    let looked = look_together(watch.collector.as_ref(), &short, Arc::new(At(later()))).await;
    assert_eq!(looked[0].state("state").as_deref(), Some("running"));
    assert!(
        looked[0].findings()[0].contains("CloudWatch in sa-east-1 did not answer within 1500 ms"),
        "{:?}",
        looked[0].findings()
    );
    watch.aws.fail("DescribeInstances", Fault::Silence);
    let began = Instant::now();
    let looked = look_together(watch.collector.as_ref(), &short, Arc::new(At(later()))).await;
    assert!(began.elapsed() < Duration::from_millis(1_900));
    looked[0].assert_failed(
        Status::Unknown,
        "timed_out EC2 in sa-east-1 did not answer within 1500 ms",
    );
}

#[tokio::test]
async fn without_credentials_it_says_within_two_seconds_what_was_tried() {
    // A metadata service that takes connections and says nothing: what a container without one often meets.
    let silent = raw(|stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let clients = clients_with(&[
        (
            "AWS_ENDPOINT_URL",
            format!("http://127.0.0.1:{}", free_port()),
        ),
        (
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
            format!("http://127.0.0.1:{}", silent.port),
        ),
        ("AWS_CONFIG_FILE", "/nonexistent/config".to_owned()),
        (
            "AWS_SHARED_CREDENTIALS_FILE",
            "/nonexistent/credentials".to_owned(),
        ),
    ]);
    let collector = (kind_of("ec2_instances").new)(&clients);
    let targets = [Arc::new(target(
        "ec2_instances",
        "instance_id: i-00000001\nregion: eu-west-1",
        LONG,
    ))];
    let began = Instant::now();
    let looked = look_together(collector.as_ref(), &targets, Arc::new(SystemClock)).await;
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    looked[0].assert_failed(Status::Unknown, "denied cannot ask EC2 in eu-west-1: no credentials: tried the variables `AWS_ACCESS_KEY_ID`");
    let said = looked[0].failure();
    for source in [
        "(not set)",
        "the profile `default`",
        "a web identity",
        "the container's credentials",
        "the metadata service of an instance (no answer in time)",
    ] {
        assert!(said.contains(source), "{source}: {said}");
    }
}

#[tokio::test]
async fn an_address_where_nobody_listens() {
    let port = free_port();
    let clients = clients_with(&[
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", CANARY.to_owned()),
        ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}")),
    ]);
    let collector = (kind_of("ec2_instances").new)(&clients);
    let targets = [Arc::new(target(
        "ec2_instances",
        "instance_id: i-00000001\nregion: eu-west-1",
        LONG,
    ))];
    let looked = look_together(collector.as_ref(), &targets, Arc::new(SystemClock)).await;
    looked[0].assert_failed(Status::Unknown, "unreachable cannot ask EC2 in eu-west-1");
}
