use serde_json::Value;

use super::{Endpoint, changes, history, looks};
use crate::support::daemon::Daemon;
use crate::support::program::{Workplace, target};

const RARELY: &str = "schedule: \"0 0 1 1 *\", for: 1";

fn reports(yaml: &str) -> String {
    format!("{yaml}reporters: [{{kind: file, directory: reports}}]\n")
}

fn latest(place: &Workplace) -> Value {
    serde_json::from_str(&place.read("reports/latest_report.json")).expect("a report")
}

async fn one_round(place: &Workplace) {
    let mut daemon = Daemon::start(place);
    daemon.event("round.ended").await;
    daemon.stop().await.assert_code(0);
}

#[tokio::test]
async fn since_and_changes_outlast_a_restart() {
    let shop = Endpoint::start().await;
    let place = Workplace::with_configuration(&reports(&shop.watched(RARELY)));
    one_round(&place).await;
    let first = latest(&place);
    let since = target(&first, "shop")["since"].clone();

    shop.set_well(false);
    one_round(&place).await;
    let second = latest(&place);
    assert_eq!(
        second["changes"],
        serde_json::json!([{"target": "shop", "from": "GREEN", "to": "RED", "kind": "api_endpoints", "name": "shop"}])
    );

    shop.set_well(true);
    one_round(&place).await;
    let third = latest(&place);
    assert_eq!(third["changes"][0]["from"], "RED");
    assert_ne!(third["round"]["id"], second["round"]["id"]);
    assert!(target(&third, "shop")["since"].as_str() >= since.as_str());

    // Nothing changed, and the last report is not an hour old: a restart loop is quiet.
    one_round(&place).await;
    assert_eq!(latest(&place)["round"]["id"], third["round"]["id"]);
    let history = history(&place, "shop").await;
    assert_eq!(changes(&history), ["- GREEN", "GREEN RED", "RED GREEN"]);
    assert_eq!(looks(&history), 4);
}

#[tokio::test]
async fn two_daemons_do_not_share_a_store_and_run_once_does() {
    let shop = Endpoint::start().await;
    let place = Workplace::with_configuration(&shop.watched(RARELY));
    let mut daemon = Daemon::start(&place);
    daemon.event("round.ended").await;
    let pid = daemon.pid().as_raw_nonzero().to_string();
    let second = Daemon::start(&place).ended().await;
    second
        .assert_code(69)
        .assert_says(&format!("(process {pid})"))
        .assert_says("hint: stop it first");
    place.run(&["--run-once"]).await.assert_code(0);
    daemon.stop().await.assert_code(0);
    assert_eq!(looks(&history(&place, "shop").await), 1, "the daemon's own");
}

#[tokio::test]
async fn run_once_knows_since_when_from_the_memory() {
    let shop = Endpoint::start().await;
    let place = Workplace::with_configuration(&reports(&shop.watched(RARELY)));
    shop.set_well(false);
    one_round(&place).await;
    let since = target(&latest(&place), "shop")["since"].clone();
    let ended = place
        .run(&["--run-once", "--format", "json", "--no-notify"])
        .await;
    ended.assert_code(2);
    assert_eq!(target(&ended.json(), "shop")["since"], since);
    shop.set_well(true);
    let ended = place.run(&["--run-once", "--format", "json"]).await;
    assert_eq!(ended.assert_code(0).json()["changes"][0]["from"], "RED");
}

#[tokio::test]
async fn what_was_seen_is_shown_copied_and_checked() {
    let shop = Endpoint::start().await;
    let place = Workplace::with_configuration(&shop.watched("every: 1s"));
    let mut daemon = Daemon::start(&place);
    for _ in 0..3 {
        daemon.event("round.ended").await;
    }
    let copied = place.run(&["backup", "copy.db"]).await;
    copied.assert_code(0).assert_prints("checked");
    let again = place.run(&["backup", "copy.db"]).await;
    again.assert_code(64).assert_says("is there already");
    let verified = place.run(&["verify"]).await;
    verified.assert_code(0).assert_prints("is sound");
    daemon.stop().await.assert_code(0);

    let shown = place
        .run(&["history", "shop", "--metric", "response_time_ms"])
        .await;
    shown
        .assert_code(0)
        .assert_prints("api_endpoints/shop: GREEN since")
        .assert_prints("response_time_ms");
    assert!(!shown.stdout.contains("http_status"), "{shown}");
    let uptime = place.run(&["uptime", "--since", "1h"]).await;
    uptime
        .assert_code(0)
        .assert_prints("uptime of the last 1 h: 1 target, 1 at 100 %")
        .assert_prints("100 %   shop");
    let uptime = place.run(&["uptime", "--format", "json"]).await;
    let looks_made = &uptime.assert_code(0).json()["targets"][0]["looks"];
    assert_eq!(looks_made["green"], looks(&history(&place, "shop").await));
    place
        .run(&["uptime", "--since", "week"])
        .await
        .assert_code(64);
    for (arguments, hint) in [
        (&["history", "shob"][..], "did you mean `shop`?"),
        (
            &["history", "shop", "--metric", "response_time"],
            "did you mean `response_time_ms`?",
        ),
    ] {
        place.run(arguments).await.assert_code(64).assert_says(hint);
    }
    // The copy takes the place of the store.
    std::fs::rename(
        place.path().join("copy.db"),
        place.path().join("config/data/roundsman.db"),
    )
    .expect("the same disk");
    assert!(looks(&history(&place, "shop").await) >= 2);
}
