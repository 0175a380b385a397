//! Receivers that refuse, hang or fail: they cost a counter and nothing else.

use std::time::{Duration, Instant};

use crate::daemon::Endpoint;
use crate::support::daemon::Daemon;
use crate::support::otlp::Recorder;
use crate::support::program::Workplace;
use crate::support::servers::{RawServer, raw};

use super::place;

/// Accepts, and says nothing.
async fn mute() -> RawServer {
    raw(|stream| async move {
        tokio::time::sleep(Duration::from_mins(10)).await;
        drop(stream);
    })
    .await
}

fn traced(place: Workplace, url: &str) -> Workplace {
    place
        .variable("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        .variable("OTEL_BSP_SCHEDULE_DELAY", "50")
}

#[tokio::test]
async fn a_single_round_waits_two_seconds_for_its_traces_and_no_longer() {
    let (shop, mute) = (Endpoint::start().await, mute().await);
    let place = place(&shop);
    let without = place.run(&["--run-once", "--format", "json"]).await;
    let place = traced(place, &format!("http://127.0.0.1:{}", mute.port));
    let with = place.run(&["--run-once", "--format", "json"]).await;
    with.assert_code(2);
    let told = "4 of them still waited for the receiver when there was no more time";
    assert!(with.stderr.contains(told), "{with}");
    // The receiver would have had 10 s.
    let longer = with.took.saturating_sub(without.took);
    assert!(
        with.took > Duration::from_secs(2),
        "it did not wait: {with}"
    );
    assert!(longer < Duration::from_secs(6), "{longer:?} longer; {with}");
    let round_ms = |ended: &crate::support::program::Ended| {
        ended.json()["round"]["duration_ms"]
            .as_u64()
            .expect("a duration")
    };
    assert!(round_ms(&with) < round_ms(&without) + 2_000, "{with}");
}

#[tokio::test]
async fn a_daemon_makes_its_rounds_and_ends_in_time_whatever_the_receiver_does() {
    let shop = Endpoint::start().await;
    let (hanging, failing) = (mute().await, Recorder::start().await);
    failing.answers(503);
    for (url, is_told) in [
        ("http://127.0.0.1:9".to_owned(), true),
        (failing.url(), true),
        // Its time-out is far away.
        (format!("http://127.0.0.1:{}", hanging.port), false),
    ] {
        let place = traced(place(&shop), &url);
        let mut daemon = Daemon::start(&place);
        for _ in 0..4 {
            let round = daemon.event("round.ended").await;
            assert!(round["duration_ms"].as_u64() < Some(5_000), "{round}");
        }
        let asked = Instant::now();
        let ended = daemon.stop().await;
        ended.assert_code(0).assert_prints("daemon.stopped");
        assert!(asked.elapsed() < Duration::from_secs(6), "{ended}");
        let told = ended
            .stdout
            .matches("\"event\":\"traces.not_taken\"")
            .count();
        assert_eq!(told, usize::from(is_told), "{ended}");
        ended.assert_prints("\"event\":\"traces.lost\"");
        assert!(!ended.stdout.contains("canary"), "{ended}");
    }
}

#[tokio::test]
async fn a_short_grace_period_is_kept_with_a_receiver_that_hangs() {
    let (shop, hanging) = (Endpoint::start().await, mute().await);
    let yaml = shop.watched("every: 1s, grace: 1s");
    let place = traced(
        Workplace::with_configuration(&yaml),
        &format!("http://127.0.0.1:{}", hanging.port),
    );
    let mut daemon = Daemon::start(&place);
    daemon.event("round.ended").await;
    let asked = Instant::now();
    let ended = daemon.stop().await;
    ended.assert_code(0).assert_prints("daemon.stopped");
    assert!(asked.elapsed() < Duration::from_millis(1_900), "{ended}");
}

#[tokio::test]
async fn it_is_said_once_that_they_do_not_get_out_and_once_that_they_do_again() {
    let (shop, recorder) = (Endpoint::start().await, Recorder::start().await);
    recorder.answers(401);
    let place = traced(place(&shop), &recorder.url());
    let mut daemon = Daemon::start(&place);
    let told = daemon.event("traces.not_taken").await;
    let message = told["message"].as_str().expect("a message");
    assert!(
        message.contains("answered 401: our key was not accepted"),
        "{told}"
    );
    assert_eq!(
        told["receiver"],
        format!("OpenTelemetry at {}/v1/traces", recorder.url())
    );
    assert!(
        told["hint"]
            .as_str()
            .expect("a hint")
            .contains("`OTEL_EXPORTER_OTLP_HEADERS`")
    );
    for _ in 0..2 {
        daemon.event("round.ended").await;
    }
    recorder.answers(200);
    let again = daemon.event("traces.taken").await;
    assert!(again["lost"].as_u64() > Some(0), "{again}");
    recorder.until("round").await;
    let ended = daemon.stop().await;
    for event in ["traces.not_taken", "traces.taken", "traces.lost"] {
        assert_eq!(
            ended
                .stdout
                .matches(&format!("\"event\":\"{event}\""))
                .count(),
            1,
            "{ended}"
        );
    }
}

#[tokio::test]
async fn the_queue_has_a_bound_and_what_is_beyond_it_is_counted() {
    let (shop, recorder, hanging) = (
        Endpoint::start().await,
        Recorder::start().await,
        mute().await,
    );
    let url = format!("http://127.0.0.1:{}/", shop.server.port);
    let mut yaml = "targets:\n  api_endpoints:\n".to_owned();
    for index in 0..60 {
        yaml.push_str(&format!("    - {{name: shop-{index}, url: \"{url}\"}}\n"));
    }
    let few = |receiver: &str| {
        Workplace::with_configuration(&yaml)
            .variable("OTEL_EXPORTER_OTLP_ENDPOINT", receiver)
            .variable("OTEL_BSP_MAX_QUEUE_SIZE", "10")
            .variable("OTEL_BSP_SCHEDULE_DELAY", "60000")
    };
    // All looks are judged in one go, while the first ten are under way.
    recorder.takes_ms(1_000);
    let ended = few(&recorder.url()).run(&["--run-once"]).await;
    ended.assert_code(0);
    let taken = recorder.spans().len();
    assert_eq!(taken, 10, "{ended}");
    // What holds them together ends last, and has its place.
    recorder.span("round");
    assert_eq!(ended.stderr.matches("traces.lost").count(), 1, "{ended}");
    let told = "there was no room for 51 of them among the 10 that may wait";
    assert!(ended.stderr.contains(told), "{ended}");
    let lost = |ended: &crate::support::program::Ended| {
        let (_, count) = ended.stderr.split_once("spans=").expect("what was lost");
        let digits: String = count.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<usize>().expect("a count")
    };
    assert_eq!(lost(&ended), 61 - taken, "{ended}");
    let ended = few(&format!("http://127.0.0.1:{}", hanging.port))
        .run(&["--run-once"])
        .await;
    assert_eq!(lost(&ended), 61, "{ended}");
}
