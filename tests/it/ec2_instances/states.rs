use roundsman::model::Status;

use super::{Watch, later, launch, lay_cpu, stop, terminate};
use crate::support::aws::{Aws, Fault, clients_with};
use crate::support::{kind_of, look_together, target};

#[tokio::test]
async fn a_running_instance_is_green_and_all_of_it_is_told() {
    let watch = Watch::new().await;
    let id = &launch("eu-west-1", 1, "m5.large", &[("Name", "web-1")]).await[0];
    let now = later();
    lay_cpu(&watch.aws, id, now, 12.5);
    let looked = watch
        .look(&format!("instance_id: {id}\nregion: eu-west-1"), now)
        .await;
    looked.assert_green();
    assert_eq!(looked.state("state").as_deref(), Some("running"));
    assert_eq!(looked.state("system_check").as_deref(), Some("ok"));
    assert_eq!(looked.state("instance_check").as_deref(), Some("ok"));
    assert_eq!(looked.number("cpu_percent"), Some(12.5));
    assert_eq!(looked.fact("name tag"), Some("web-1"));
    assert_eq!(looked.fact("type"), Some("m5.large"));
    assert!(
        looked
            .fact("zone")
            .is_some_and(|zone| zone.starts_with("eu-west-1"))
    );
    // One call each, whatever is asked for.
    assert_eq!(
        watch.aws.calls().len(),
        3,
        "DescribeInstances, DescribeInstanceStatus, GetMetricData: {:?}",
        watch.aws.calls()
    );
}

#[tokio::test]
async fn other_states_turn_as_they_should() {
    let watch = Watch::new().await;
    let ids = launch("eu-west-2", 3, "m5.large", &[]).await;
    stop("eu-west-2", &ids[0]).await;
    terminate("eu-west-2", &ids[1]).await;
    let now = later();
    lay_cpu(&watch.aws, &ids[2], now, 95.0);
    let yaml = |id: &str, more: &str| format!("instance_id: {id}\nregion: eu-west-2\n{more}");
    let targets = [
        yaml(&ids[0], ""),
        yaml(&ids[0], "expected_state: stopped"),
        yaml(&ids[1], ""),
        yaml(&ids[2], ""),
        yaml(&ids[2], "expected_state: stopped"),
        yaml("i-00000000000000000", ""),
        yaml("web-1", ""),
    ];
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    let looked = watch.look_at(&targets, now).await;
    let found: Vec<_> = looked
        .iter()
        .map(|one| (one.status(), one.findings()))
        .collect();
    assert_eq!(found[0].0, Status::Red);
    assert!(found[0].1[0].starts_with("RED state: stopped"), "{found:?}");
    assert_eq!(found[1].0, Status::Green, "{found:?}");
    assert!(
        found[2].1[0].starts_with("RED state: terminated"),
        "{found:?}"
    );
    assert_eq!(found[3].1, ["RED cpu_percent: 95"]);
    assert_eq!(found[4].1[0], "RED state: running");
    // One bad ID blinds nobody.
    looked[5].assert_failed(
        Status::Red,
        "missing there is no instance `i-00000000000000000` in eu-west-2",
    );
    looked[6].assert_failed(
        Status::Red,
        "missing there is no instance `web-1` in eu-west-2",
    );
    assert_eq!(watch.aws.count("DescribeInstances"), 1);
}

#[tokio::test]
async fn several_regions_are_one_visit_each_and_one_that_fails_hides_no_other() {
    let watch = Watch::new().await;
    let here = &launch("eu-west-3", 1, "m5.large", &[]).await[0];
    let now = later();
    lay_cpu(&watch.aws, here, now, 1.0);
    let looked = watch
        .look_at(
            &[
                &format!("instance_id: {here}\nregion: eu-west-3"),
                &format!("instance_id: {here}\nregion: eu-central-1"),
                &format!("instance_id: {here}"),
            ],
            now,
        )
        .await;
    looked[0].assert_green();
    // The ID is another region's.
    looked[1].assert_failed(Status::Red, "missing there is no instance");
    looked[2].assert_failed(Status::Unknown, "ours no AWS region is set | set `region`");
    assert_eq!(watch.aws.count("DescribeInstances"), 2);
}

#[tokio::test]
async fn a_role_is_taken_on_and_one_that_is_refused_says_so() {
    let watch = Watch::new().await;
    let id = &launch("eu-west-1", 1, "m5.large", &[]).await[0];
    let now = later();
    lay_cpu(&watch.aws, id, now, 1.0);
    let yaml = |role: &str| {
        format!(
            "instance_id: {id}\nregion: eu-west-1\nassume_role: {{role_arn: \"arn:aws:iam::123456789012:role/{role}\", external_id: shop}}"
        )
    };
    watch.look(&yaml("monitor"), now).await.assert_green();
    assert_eq!(watch.aws.count("AssumeRole"), 1);
    // Another role is another account.
    watch.aws.fail(
        "AssumeRole",
        Fault::Error(
            403,
            "AccessDenied",
            "User is not authorized to perform: sts:AssumeRole",
        ),
    );
    let looked = watch.look(&yaml("forbidden"), now).await;
    looked.assert_failed(Status::Unknown, "denied cannot ask EC2 in eu-west-1: ");
    assert!(
        looked.failure().contains("sts:AssumeRole"),
        "{}",
        looked.failure()
    );
    // And plain text will do where there is no external ID.
    watch.aws.mend("AssumeRole");
    let plain = format!(
        "instance_id: {id}\nregion: eu-west-1\nassume_role: arn:aws:iam::123456789012:role/plain"
    );
    watch.look(&plain, now).await.assert_green();
}

#[tokio::test]
async fn several_accounts_are_asked_each_as_itself() {
    let aws = Aws::start().await;
    let id = &launch("eu-west-1", 1, "m5.large", &[]).await[0];
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("credentials");
    let profile = |name: &str, key: &str| {
        format!("[{name}]\naws_access_key_id = {key}\naws_secret_access_key = secret\n")
    };
    let profiles = profile("one", "AKIAPROFILEONE000000") + &profile("two", "AKIAPROFILETWO000000");
    std::fs::write(&file, profiles).expect("a file");
    let clients = clients_with(&[
        ("AWS_ENDPOINT_URL", aws.url()),
        ("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT00000".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
        ("AWS_SHARED_CREDENTIALS_FILE", file.display().to_string()),
    ]);
    let collector = (kind_of("ec2_instances").new)(&clients);
    let mut looked = Vec::new();
    for profile in ["", "profile: one", "profile: two", "profile: three"] {
        let yaml = format!("instance_id: {id}\nregion: eu-west-1\n{profile}");
        let target = [std::sync::Arc::new(target(
            "ec2_instances",
            &yaml,
            super::LONG,
        ))];
        let clock = std::sync::Arc::new(roundsman::clock::SystemClock);
        looked.extend(look_together(collector.as_ref(), &target, clock).await);
    }
    for one in &looked[..3] {
        one.assert_green();
    }
    looked[3].assert_failed(
        Status::Unknown,
        "denied cannot ask EC2 in eu-west-1: no credentials: tried the profile `three`",
    );
    let asked = aws.access_keys();
    let expected = [
        "AKIAENVIRONMENT00000",
        "AKIAPROFILEONE000000",
        "AKIAPROFILETWO000000",
    ];
    assert_eq!(asked.into_iter().collect::<Vec<_>>(), expected);
}
