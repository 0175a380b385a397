use std::time::Duration;

use rustix::process::Signal;

use super::{Endpoint, changes, history};
use crate::support::daemon::Daemon;
use crate::support::program::Workplace;
use crate::support::servers::{RawServer, raw};

/// Accepts, and says nothing.
async fn mute() -> RawServer {
    raw(|stream| async move {
        tokio::time::sleep(Duration::from_mins(10)).await;
        drop(stream);
    })
    .await
}

fn watching_a_mute_server(port: u16, timeout_ms: u32, grace: &str) -> Workplace {
    Workplace::with_configuration(&format!(
        "monitoring: {{schedule: \"0 0 1 1 *\", grace: {grace}}}\ntargets:\n  api_endpoints:\n    \
         - {{name: mute, url: \"http://127.0.0.1:{port}/\", timeout_ms: {timeout_ms}}}\n"
    ))
    .variable("LOG_LEVEL", "DEBUG")
}

async fn while_it_looks(place: &Workplace) -> Daemon {
    let mut daemon = Daemon::start(place);
    daemon.event("daemon.started").await;
    // The look has begun once the server holds the connection; the log says nothing of it.
    tokio::time::sleep(Duration::from_millis(300)).await;
    daemon
}

#[tokio::test]
async fn a_look_that_is_under_way_is_waited_for_and_kept() {
    let server = mute().await;
    let place = watching_a_mute_server(server.port, 2_000, "20s");
    let daemon = while_it_looks(&place).await;
    let ended = daemon.stop().await;
    ended.assert_code(0).assert_prints("daemon.stopped");
    assert_eq!(changes(&history(&place, "mute").await), ["- RED"]);
}

#[tokio::test]
async fn a_look_that_outlasts_the_grace_period_is_named_and_given_up() {
    let server = mute().await;
    let place = watching_a_mute_server(server.port, 60_000, "9s");
    let daemon = while_it_looks(&place).await;
    let ended = daemon.stop().await;
    ended
        .assert_code(0)
        .assert_prints("daemon.busy")
        .assert_prints("look.dropped")
        .assert_prints("api_endpoints/mute");
    assert!(ended.took < Duration::from_secs(12), "{ended}");
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let server = mute().await;
    let place = watching_a_mute_server(server.port, 60_000, "60s");
    let mut daemon = while_it_looks(&place).await;
    daemon.signal(Signal::INT);
    daemon.event("daemon.stopping").await;
    daemon.signal(Signal::INT);
    let ended = daemon.ended().await;
    ended.assert_code(130).assert_prints("daemon.interrupted");
    assert!(ended.took < Duration::from_secs(10), "{ended}");
}

#[tokio::test]
async fn a_new_configuration_is_taken_and_one_with_mistakes_is_not() {
    let shop = Endpoint::start().await;
    let other = Endpoint::start().await;
    let first = shop.watched("schedule: \"0 0 1 1 *\"");
    let place = Workplace::with_configuration(&first);
    let mut daemon = Daemon::start(&place);
    daemon.event("round.ended").await;
    let write = |yaml: &str| {
        std::fs::write(place.path().join("config/config.yaml"), yaml).expect("a file");
    };

    write(&first.replace("url:", "uri:"));
    daemon.signal(Signal::HUP);
    let told = |event: &serde_json::Value| {
        let message = event["message"].as_str().expect("a message");
        message.contains("did you mean `url`?") && message.contains("config/config.yaml:")
    };
    daemon.event_that("config.problem", told).await;
    daemon.event("config.refused").await;

    write(&format!(
        "{first}    - {{name: other, url: \"http://127.0.0.1:{}/\"}}\n",
        other.server.port
    ));
    daemon.signal(Signal::HUP);
    let loaded = daemon.event("config.loaded").await;
    assert_eq!(loaded["targets"], 2);
    daemon
        .event_that("target.changed", |event| event["target.name"] == "other")
        .await;
    assert_eq!(shop.asked(), 1, "what did not change keeps its schedule");

    write(
        &shop
            .watched("schedule: \"0 0 1 1 *\"")
            .replace("shop", "renamed"),
    );
    daemon.signal(Signal::HUP);
    daemon.event("config.loaded").await;
    daemon
        .event_that("target.changed", |event| event["target.name"] == "renamed")
        .await;
    daemon.stop().await.assert_code(0);
    assert_eq!(
        changes(&history(&place, "shop").await),
        ["- GREEN", "GREEN -"]
    );
    assert_eq!(changes(&history(&place, "renamed").await), ["- GREEN"]);
}
