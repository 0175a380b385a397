use super::{Endpoint, changes, history, looks};
use crate::support::daemon::Daemon;
use crate::support::program::Workplace;
use crate::support::servers::raw;

#[tokio::test]
async fn the_first_round_is_at_once_and_a_report_follows() {
    let shop = Endpoint::start().await;
    let yaml = format!(
        "{}reporters: [{{kind: file, directory: reports}}]\n",
        shop.watched("schedule: \"0 0 1 1 *\"")
    );
    let place = Workplace::with_configuration(&yaml);
    let mut daemon = Daemon::start(&place);
    let round = daemon.event("round.ended").await;
    assert_eq!(round["looks"], 1);
    // Like every other time in the log.
    let next = round["next_at"].as_str().expect("a time");
    assert!(next.ends_with('Z') && next.len() == 24, "{next}");
    daemon.event("report.made").await;
    daemon.stop().await.assert_code(0);
    let report: serde_json::Value =
        serde_json::from_str(&place.read("reports/latest_report.json")).expect("a report");
    assert_eq!(report["overall"], "healthy");
    assert_eq!(report["round"]["id"], round["round.id"]);
    let next = report["round"]["next_at"].as_str().expect("a time");
    assert!(next.contains("-01-01T"), "{next}");
    assert_eq!(shop.asked(), 1);
}

#[tokio::test]
async fn a_look_that_turns_a_target_worse_is_repeated_until_enough_agree() {
    let shop = Endpoint::start().await;
    let yaml = shop.watched("schedule: \"0 0 1 1 *\", confirm_after: 200ms, for: 3");
    let place = Workplace::with_configuration(&yaml);
    shop.set_well(false);
    let mut daemon = Daemon::start(&place);
    daemon.event("round.ended").await;
    while shop.asked() < 3 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    // Nothing more comes: a fourth look would come within this.
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    daemon.stop().await.assert_code(0);
    assert_eq!(shop.asked(), 3);
    assert_eq!(looks(&history(&place, "shop").await), 3);
}

#[tokio::test]
async fn while_something_is_red_adaptive_looks_come_sooner() {
    let shop = Endpoint::start().await;
    let yaml = shop.watched("schedule: \"0 0 1 1 *\", adaptive: true, for: 1");
    let place = Workplace::with_configuration(&yaml);
    shop.set_well(false);
    let mut daemon = Daemon::start(&place);
    daemon
        .event_that("target.changed", |event| event["to"] == "RED")
        .await;
    shop.set_well(true);
    daemon
        .event_that("target.changed", |event| event["to"] == "GREEN")
        .await;
    let ended = daemon.stop().await;
    assert!(ended.took.as_secs() < 10, "{ended}");
    assert_eq!(shop.asked(), 2);
    assert_eq!(
        changes(&history(&place, "shop").await),
        ["- RED", "RED GREEN"]
    );
}

#[tokio::test]
async fn a_slow_look_is_left_out_of_the_next_rounds_and_stalls_nobody() {
    let shop = Endpoint::start().await;
    let mute = raw(|stream| async move {
        tokio::time::sleep(std::time::Duration::from_mins(1)).await;
        drop(stream);
    })
    .await;
    let yaml = format!(
        "{}    - {{name: mute, url: \"http://127.0.0.1:{}/\", timeout_ms: 3500}}\n",
        shop.watched("every: 1s"),
        mute.port
    );
    let place = Workplace::with_configuration(&yaml);
    let mut daemon = Daemon::start(&place);
    daemon
        .event_that("look.skipped", |event| event["target.name"] == "mute")
        .await;
    daemon
        .event_that("round.ended", |event| event["skipped"] == 1)
        .await;
    daemon
        .event_that("target.changed", |event| event["target.name"] == "mute")
        .await;
    assert!(shop.asked() >= 3, "{}", shop.asked());
    daemon.stop().await.assert_code(0);
}

#[tokio::test]
async fn the_first_report_waits_for_looks_that_take_longer_than_a_round() {
    let shop = Endpoint::start().await;
    let mute = raw(|stream| async move {
        tokio::time::sleep(std::time::Duration::from_mins(1)).await;
        drop(stream);
    })
    .await;
    let yaml = format!(
        "{}    - {{name: mute, url: \"http://127.0.0.1:{}/\", timeout_ms: 2500}}\n\
         reporters: [{{kind: file, directory: reports}}]\n",
        shop.watched("every: 1s"),
        mute.port
    );
    let place = Workplace::with_configuration(&yaml);
    let mut daemon = Daemon::start(&place);
    let made = daemon.event("report.made").await;
    assert_eq!((&made["green"], &made["red"]), (&1.into(), &1.into()));
    daemon.stop().await.assert_code(0);
    let report: serde_json::Value =
        serde_json::from_str(&place.read("reports/latest_report.json")).expect("a report");
    assert_eq!(report["complete"], true, "{report:#}");
}

#[tokio::test]
async fn a_target_has_a_schedule_of_its_own() {
    let often = Endpoint::start().await;
    let seldom = Endpoint::start().await;
    let yaml = format!(
        "{}    - {{name: often, every: 1s, url: \"http://127.0.0.1:{}/\"}}\n",
        seldom.watched("schedule: \"0 0 1 1 *\""),
        often.server.port
    );
    let place = Workplace::with_configuration(&yaml);
    let daemon = Daemon::start(&place);
    while often.asked() < 4 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    daemon.stop().await.assert_code(0);
    assert_eq!(seldom.asked(), 1);
}

#[tokio::test]
async fn without_a_configuration_it_does_not_start() {
    let place = Workplace::without_configuration();
    let ended = Daemon::start(&place).ended().await;
    ended.assert_code(78).assert_says("roundsman init");
}
