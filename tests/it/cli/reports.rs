//! What a round leaves behind, and what the next one makes of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::{all_four, service};
use crate::support::program::{Ended, Workplace, target};
use crate::support::servers::{RawServer, answering_as};

/// A server whose body is as long as is set, and nothing but 500 for a length of zero.
async fn growing(length: &Arc<AtomicUsize>) -> RawServer {
    let length = Arc::clone(length);
    answering_as(move |_| {
        let length = length.load(Ordering::SeqCst);
        let line = if length == 0 { "500 No" } else { "200 OK" };
        let body = "x".repeat(length);
        format!("HTTP/1.1 {line}\r\ncontent-length: {length}\r\n\r\n{body}").into()
    })
    .await
}

fn watched(port: u16) -> String {
    let rule = "rules: [{metric: body_bytes, yellow: \"> 100\", clear: \"< 50\"}]";
    format!(
        "targets: {{api_endpoints: [{{name: page, url: \"http://127.0.0.1:{port}/\", {rule}}}]}}\n"
    )
}

async fn round(place: &Workplace) -> Ended {
    let arguments = [
        "--run-once",
        "--format",
        "json",
        "--report-dir",
        "out/reports",
    ];
    let ended = place.run(&arguments).await;
    assert_eq!(ended.stderr, "");
    ended
}

#[tokio::test]
async fn report_dir_keeps_a_dated_report_and_the_latest() {
    let server = service().await;
    let place = Workplace::with_configuration(&all_four(server.port));
    let ended = round(&place).await;
    let report = ended.assert_code(2).json();
    assert_eq!(place.read("out/reports/latest_report.json"), ended.stdout);
    let mut names = place.names_in("out/reports");
    assert_eq!(names.len(), 2, "{names:?}");
    let dated = names.pop().expect("a name");
    let started_at = report["round"]["started_at"].as_str().expect("a time");
    let digits: String = started_at
        .chars()
        .filter(char::is_ascii_digit)
        .take(14)
        .collect();
    let (day, time) = digits.split_at(8);
    assert_eq!(dated, format!("monitoring_report_{day}_{time}.json"));
    assert_eq!(place.read(&format!("out/reports/{dated}")), ended.stdout);
}

#[tokio::test]
async fn since_and_changes_come_from_the_last_report() {
    let length = Arc::new(AtomicUsize::new(10));
    let server = growing(&length).await;
    let place = Workplace::with_configuration(&watched(server.port));

    let first = round(&place).await.assert_code(0).json();
    let since = target(&first, "page")["since"].clone();
    assert_eq!(since, target(&first, "page")["looked_at"]);
    assert_eq!(first["changes"], json!([]));

    // As if it had been a while ago.
    let latest = "out/reports/latest_report.json";
    let began = json!("2026-01-02T03:04:05Z");
    let mut earlier = first;
    earlier["targets"][0]["since"] = began.clone();
    let place = place.file(latest, &earlier.to_string());
    let second = round(&place).await.assert_code(0).json();
    assert_eq!(target(&second, "page")["since"], began);
    assert_ne!(target(&second, "page")["looked_at"], began);
    assert_eq!(second["changes"], json!([]));

    length.store(0, Ordering::SeqCst);
    let third = round(&place).await.assert_code(2).json();
    let broke = target(&third, "page")["since"].clone();
    assert_eq!(broke, target(&third, "page")["looked_at"]);
    assert_eq!(
        third["changes"],
        json!([{"target": "page", "from": "GREEN", "to": "RED", "kind": "api_endpoints", "name": "page"}])
    );

    let fourth = round(&place).await.assert_code(2).json();
    assert_eq!(target(&fourth, "page")["since"], broke);
    assert_eq!(fourth["changes"], json!([]));

    let yaml = watched(server.port).replace("name: page", "name: other");
    let place = place.file("config/config.yaml", &yaml);
    let fifth = round(&place).await.assert_code(2).json();
    assert_eq!(
        fifth["changes"],
        json!([
            {"target": "other", "from": null, "to": "RED", "kind": "api_endpoints", "name": "other"},
            {"target": "page", "from": "RED", "to": null, "kind": "api_endpoints", "name": "page"},
        ])
    );
}

#[tokio::test]
async fn a_limit_to_clear_holds_from_one_round_to_the_next() {
    let length = Arc::new(AtomicUsize::new(0));
    let server = growing(&length).await;
    let place = Workplace::with_configuration(&watched(server.port));
    for (bytes, code) in [(80, 0), (150, 1), (80, 1), (51, 1), (40, 0), (80, 0)] {
        length.store(bytes, Ordering::SeqCst);
        let ended = round(&place).await;
        assert_eq!(ended.code, Some(code), "{bytes} bytes: {ended}");
    }
    length.store(150, Ordering::SeqCst);
    round(&place).await.assert_code(1);
    length.store(80, Ordering::SeqCst);
    place.run(&["--run-once"]).await.assert_code(0);
}

#[tokio::test]
async fn a_report_that_is_damaged_is_said_and_replaced() {
    let server = service().await;
    let place = Workplace::with_configuration(&all_four(server.port))
        .file("out/reports/latest_report.json", "{\"schema\": 1");
    let arguments = ["--run-once", "--report-dir", "out/reports"];
    let ended = place.run(&arguments).await;
    ended.assert_code(2).assert_says("damaged");
    round(&place).await.assert_code(2);
}

#[tokio::test]
async fn the_configured_files_are_written_unless_nobody_is_to_be_notified() {
    let server = service().await;
    let yaml = format!(
        "{}reporters: [{{kind: file, directory: kept}}]\n",
        all_four(server.port)
    );
    let place = Workplace::with_configuration(&yaml);
    place
        .run(&["--run-once", "--no-notify"])
        .await
        .assert_code(2)
        .assert_prints("round of ");
    assert!(!place.path().join("kept").exists());
    // Asked for by name, it is no notification.
    let quiet = ["--run-once", "--no-notify", "--report-dir", "out"];
    place.run(&quiet).await.assert_code(2);
    assert_eq!(place.names_in("out").len(), 2);
    assert!(!place.path().join("kept").exists());

    place.run(&["--run-once"]).await.assert_code(2);
    assert_eq!(place.names_in("kept").len(), 2);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_said_and_the_status_stays() {
    let server = service().await;
    let place = Workplace::with_configuration(&all_four(server.port)).file("taken", "");
    let arguments = ["--run-once", "--only", "green", "--report-dir", "taken"];
    let ended = place.run(&arguments).await;
    ended.assert_code(0).assert_prints("round of ");
    ended.assert_says(
        "the report was not sent to --report-dir: could not make the folder `taken`: ",
    );
    ended.assert_says("\n  hint: ");
}
