//! The purse: what the real program spends, alone, together with others, and when it is killed.

use std::time::Duration;

use rustix::process::Signal;

use super::{Wallet, completion, http, in_house, sum_in};
use crate::support::daemon::Daemon;
use crate::support::program::Workplace;
use crate::support::servers::{RawServer, answering_as, raw, request};

/// A probe costs at most (bytes of the question + 64) × input + 64 × output; with these prices 0.00064 US dollars.
const PRICE: &str = "price: {input_per_1k: 0, output_per_1k: 0.01}";

async fn model() -> RawServer {
    answering_as(|request| http("200 OK", &completion(&sum_in(request), "stop"))).await
}

fn targets(port: u16, count: usize) -> String {
    let mut yaml = String::from("targets:\n  llm_models:\n");
    for index in 0..count {
        yaml.push_str(&format!(
            "    - {{name: model-{index}, provider: in-house, model_id: any, base_url: \"http://127.0.0.1:{port}/v1\", {PRICE}}}\n"
        ));
    }
    yaml
}

#[tokio::test]
async fn spent_is_not_asked_unknown_and_does_not_count() {
    let server = model().await;
    // A quarter of it pays for two answers of 0.00002 and one reservation of 0.00064.
    let yaml = format!(
        "llm: {{daily_budget_usd: 0.0026}}\n{}",
        targets(server.port, 40)
    );
    let place = Workplace::with_configuration(&yaml);
    let ended = place.run(&["--run-once", "--format", "json"]).await;
    let report = ended.json();
    assert_eq!(report["counts"]["red"], 0, "{ended}");
    assert!(report["counts"]["unknown"].as_u64() > Some(0), "{ended}");
    // What we chose not to ask is no trouble.
    assert_eq!(
        (report["status"].as_str(), report["overall"].as_str()),
        (Some("GREEN"), Some("healthy")),
        "{ended}"
    );
    ended.assert_code(0);
    let refused = report["targets"]
        .as_array()
        .expect("targets")
        .iter()
        .find(|one| one["status"] == "UNKNOWN");
    let failure = &refused.expect("one")["failure"];
    assert_eq!(failure["by_choice"], true);
    assert!(
        failure["message"].as_str().is_some_and(
            |text| text.starts_with("not asked: the budget of today does not allow it")
        ),
        "{failure}"
    );
    let budget = place.run(&["budget"]).await;
    budget
        .assert_code(0)
        .assert_prints("probes $0.0")
        .assert_prints(" of $0.00065\n")
        .assert_prints("in-house/any: ");
    let json = place.run(&["budget", "--format", "json"]).await.json();
    let spent = json["today"]["probes_usd"].as_f64().expect("a number");
    assert!(spent > 0.0 && spent <= 0.000_65, "{json:#}");
    assert_eq!(json["today"]["models"][0]["purpose"], "probe");
    assert_eq!(json["today"]["cost_usd"], json["month"]["cost_usd"]);
}

#[tokio::test]
async fn four_processes_on_one_purse_do_not_overspend_together() {
    // Each call is answered so slowly that all four have reserved what they can.
    let server = raw(|mut stream| async move {
        let asked = request(&mut stream).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let answer = http("200 OK", &completion(&sum_in(&asked), "stop"));
        tokio::io::AsyncWriteExt::write_all(&mut stream, &answer)
            .await
            .ok();
    })
    .await;
    let store = tempfile::tempdir().expect("a folder");
    let place = |_: usize| {
        let yaml = format!(
            "llm: {{daily_budget_usd: 0.1}}\nstore: {{path: \"{}\"}}\n{}",
            store.path().display(),
            targets(server.port, 60)
        );
        Workplace::with_configuration(&yaml)
    };
    let places: Vec<Workplace> = (0..4).map(place).collect();
    let runs = places
        .iter()
        .map(|place| place.run(&["--run-once", "--format", "json"]));
    let ended = futures_util::future::join_all(runs).await;
    let green: u64 = ended
        .iter()
        .filter_map(|one| one.json()["counts"]["green"].as_u64())
        .sum();
    assert!(green > 0);
    let json = places[0].run(&["budget", "--format", "json"]).await.json();
    let spent = json["today"]["probes_usd"].as_f64().expect("a number");
    assert!(spent <= 0.025, "{json:#}");
    assert_eq!(json["today"]["models"][0]["calls"], green, "{json:#}");
}

#[tokio::test]
async fn a_call_that_a_kill_cut_off_counts_in_full_and_the_next_start_knows() {
    let asked = std::sync::Arc::new(tokio::sync::Notify::new());
    let heard = std::sync::Arc::clone(&asked);
    let silent = raw(move |mut stream| {
        let heard = std::sync::Arc::clone(&heard);
        async move {
            request(&mut stream).await;
            heard.notify_one();
            std::future::pending::<()>().await;
        }
    })
    .await;
    let place = Workplace::with_configuration(&targets(silent.port, 1));
    let daemon = Daemon::start(&place);
    let waited = tokio::time::timeout(Duration::from_secs(30), asked.notified()).await;
    assert!(waited.is_ok(), "it never asks");
    daemon.signal(Signal::KILL);
    daemon.ended().await;
    let json = place.run(&["budget", "--format", "json"]).await.json();
    assert_eq!(json["today"]["models"][0]["unsettled_calls"], 1, "{json:#}");
    assert!(
        (json["today"]["cost_usd"].as_f64().expect("a number") - 0.000_64).abs() < 1e-9,
        "{json:#}"
    );
    let text = place.run(&["budget"]).await;
    text.assert_prints("1 never settled and counted in full");
}

#[tokio::test]
async fn without_a_ledger_nothing_is_paid_for_and_what_is_free_goes_on() {
    let server = model().await;
    let wallet = Wallet::new();
    std::fs::write(
        wallet.folder.path().join("purse.db"),
        "this is no database".repeat(100),
    )
    .expect("a file");
    let looked = wallet.look(&in_house(server.port, PRICE)).await;
    looked.assert_failed(
        roundsman::model::Status::Unknown,
        "ours not asked: the ledger of the purse cannot be used: ",
    );
    assert!(
        server.requests().is_empty(),
        "what cannot be noted is not spent"
    );
    let free = wallet
        .look(&in_house(
            server.port,
            "price: {input_per_1k: 0, output_per_1k: 0}",
        ))
        .await;
    free.assert_green();
}
