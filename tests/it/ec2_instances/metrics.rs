use chrono::TimeDelta;
use roundsman::model::{Status, Timestamp};

use super::{Watch, later, launch, launch_one_by_one, lay_cpu};
use crate::support::Looked;

fn gap(looked: &Looked, metric: &str) -> String {
    let gaps = &looked.reading().gaps;
    let gap = gaps.iter().find(|gap| gap.metric == metric);
    let gap = gap.unwrap_or_else(|| panic!("no gap of {metric}: {looked:?}"));
    format!(
        "{} | {}",
        gap.message,
        gap.hint.as_deref().unwrap_or("no hint")
    )
}

#[tokio::test]
async fn the_newest_complete_datapoint_of_the_last_quarter_of_an_hour_counts() {
    let watch = Watch::new().await;
    let ids = launch("eu-north-1", 2, "m5.large", &[]).await;
    let now: Timestamp = later();
    let period = now.timestamp().div_euclid(300) * 300;
    watch.aws.cloudwatch.lay(
        &ids[0],
        "CPUUtilization",
        vec![
            (period - 900, 1.0),
            (period - 600, 2.0),
            (period - 300, 3.0),
            (period, 99.0),
        ],
    );
    watch
        .aws
        .cloudwatch
        .lay(&ids[1], "CPUUtilization", vec![(period - 1_200, 50.0)]);
    let yaml: Vec<String> = ids
        .iter()
        .map(|id| format!("instance_id: {id}\nregion: eu-north-1"))
        .collect();
    let yaml: Vec<&str> = yaml.iter().map(String::as_str).collect();
    let looked = watch.look_at(&yaml, now).await;
    assert_eq!(
        looked[0].number("cpu_percent"),
        Some(3.0),
        "the running period does not count"
    );
    assert_eq!(
        looked[1].number("cpu_percent"),
        None,
        "20 minutes are too old"
    );
    assert!(gap(&looked[1], "cpu_percent").contains("no datapoint of the last 15 minutes"));
    assert!(gap(&looked[1], "cpu_percent").contains("cloudwatch:GetMetricData"));
    // As old as the target allows.
    let patient = format!("{}\ndatapoint_within: 25m", yaml[1]);
    let other = Watch::new().await;
    other
        .aws
        .cloudwatch
        .lay(&ids[1], "CPUUtilization", vec![(period - 1_200, 50.0)]);
    let looked = other.look(&patient, now).await;
    assert_eq!(looked.number("cpu_percent"), Some(50.0));
}

#[tokio::test]
async fn a_young_instance_need_not_have_datapoints() {
    let watch = Watch::new().await;
    let id = &launch("eu-north-1", 1, "m5.large", &[]).await[0];
    let yaml = format!("instance_id: {id}\nregion: eu-north-1");
    let now = later() - TimeDelta::minutes(55);
    watch.look(&yaml, now).await.assert_green();
    let looked = watch.look(&yaml, later()).await;
    assert_eq!(looked.findings().len(), 1, "{:?}", looked.findings());
    assert!(looked.findings()[0].starts_with("UNKNOWN cpu_percent"));
}

#[tokio::test]
async fn the_same_window_is_not_paid_for_twice() {
    let watch = Watch::new().await;
    let id = &launch("us-west-1", 1, "t3.micro", &[]).await[0];
    let start = later();
    let now =
        start - TimeDelta::seconds(start.timestamp().rem_euclid(300)) + TimeDelta::seconds(10);
    lay_cpu(&watch.aws, id, now, 5.0);
    watch.aws.cloudwatch.lay(
        id,
        "CPUCreditBalance",
        vec![(now.timestamp().div_euclid(300) * 300 - 300, 144.0)],
    );
    let yaml = format!("instance_id: {id}\nregion: us-west-1");
    let first = watch.look(&yaml, now).await;
    assert_eq!(first.number("cpu_percent"), Some(5.0));
    assert_eq!(first.number("cpu_credit_balance"), Some(144.0));
    assert_eq!(first.number("billed_metric_requests"), Some(2.0));
    let again = watch.look(&yaml, now + TimeDelta::seconds(30)).await;
    assert_eq!(again.number("cpu_percent"), Some(5.0));
    assert_eq!(again.number("billed_metric_requests"), Some(0.0));
    assert_eq!(watch.aws.count("GetMetricData"), 1);
    // The next window is another.
    let later = now + TimeDelta::minutes(5);
    lay_cpu(&watch.aws, id, later, 6.0);
    let next = watch.look(&yaml, later).await;
    assert_eq!(next.number("cpu_percent"), Some(6.0));
    assert_eq!(watch.aws.cloudwatch.asked().len(), 4);
    // Without credits it is half as much.
    let frugal = watch
        .look(
            &format!("{yaml}\ncredit_balance: false"),
            later + TimeDelta::minutes(5),
        )
        .await;
    assert_eq!(frugal.number("billed_metric_requests"), Some(1.0));
}

#[tokio::test]
async fn pages_are_followed_to_the_last() {
    let watch = Watch::new().await;
    let ids = launch_one_by_one("us-west-2", 12).await;
    let now = later();
    for (index, id) in ids.iter().enumerate() {
        lay_cpu(
            &watch.aws,
            id,
            now,
            f64::from(u32::try_from(index).expect("few")),
        );
    }
    watch.aws.pages_of(5);
    watch.aws.cloudwatch.pages_of(4);
    let yaml: Vec<String> = ids
        .iter()
        .map(|id| format!("instance_id: {id}\nregion: us-west-2"))
        .collect();
    let yaml: Vec<&str> = yaml.iter().map(String::as_str).collect();
    let looked = watch.look_at(&yaml, now).await;
    let values: Vec<Option<f64>> = looked.iter().map(|one| one.number("cpu_percent")).collect();
    let expected: Vec<Option<f64>> = (0..12).map(|index| Some(f64::from(index))).collect();
    assert_eq!(values, expected);
    assert_eq!(watch.aws.count("DescribeInstances"), 3);
    assert_eq!(watch.aws.count("GetMetricData"), 3);
}

#[tokio::test]
async fn part_of_the_data_is_no_data() {
    let watch = Watch::new().await;
    let id = &launch("us-west-2", 1, "m5.large", &[]).await[0];
    watch.aws.cloudwatch.only_partial_data();
    let looked = watch
        .look(&format!("instance_id: {id}\nregion: us-west-2"), later())
        .await;
    assert_eq!(looked.status(), Status::Green, "{looked:?}");
    assert!(
        gap(&looked, "cpu_percent")
            .starts_with("CloudWatch in us-west-2 gave a part of the values only")
    );
}
