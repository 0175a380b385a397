//! What is printed in each format where nobody is at a terminal.

use super::{all_four, service};
use crate::support::program::{Workplace, target};

#[tokio::test]
async fn json_has_the_keys_of_the_contract() {
    let server = service().await;
    let place = Workplace::with_configuration(&all_four(server.port));
    let ended = place.run(&["--run-once", "--format", "json"]).await;
    let report = ended.assert_code(2).json();
    let keys = |value: &serde_json::Value| -> Vec<String> {
        value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    };
    let top = [
        "schema",
        "round",
        "overall",
        "status",
        "counts",
        "targets",
        "changes",
        "issues_found",
        "recommendations",
        "analysis",
    ];
    assert_eq!(keys(&report)[..top.len()], top);
    assert_eq!(
        keys(&report["round"])[..4],
        ["id", "started_at", "duration_ms", "next_at"]
    );
    assert_eq!(
        keys(&report["counts"]),
        ["green", "yellow", "red", "unknown"]
    );
    let one = [
        "name",
        "kind",
        "labels",
        "critical",
        "status",
        "since",
        "looked_at",
        "took_ms",
        "summary",
        "silenced",
        "acknowledged",
        "findings",
        "measurements",
        "failure",
    ];
    for target in report["targets"].as_array().expect("targets") {
        assert_eq!(keys(target)[..one.len()], one);
    }
    assert_eq!(report["schema"], 1);
    assert_eq!(report["status"], "RED");
    assert_eq!(report["overall"], "unhealthy");
    for (name, status) in [
        ("green", "GREEN"),
        ("yellow", "YELLOW"),
        ("red", "RED"),
        ("unknown", "UNKNOWN"),
    ] {
        assert_eq!(target(&report, name)["status"], status, "{ended}");
        assert_eq!(report["counts"][name], 1);
    }
    let yellow = &target(&report, "yellow")["findings"][0];
    assert_eq!(yellow["metric"], "response_time_ms");
    assert_eq!(yellow["limit"], "> 0");
    let failure = &target(&report, "red")["failure"];
    assert_eq!(failure["kind"], "unexpected");
    assert_eq!(keys(failure), ["kind", "message", "hint", "by_choice"]);
    assert_eq!(target(&report, "unknown")["failure"]["kind"], "throttled");
}

#[tokio::test]
async fn every_format_is_plain_where_it_is_piped() {
    let server = service().await;
    let place = Workplace::with_configuration(&all_four(server.port));
    for (format, beginning) in [
        ("text", "unhealthy: 4 targets"),
        ("markdown", "#"),
        ("junit", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"),
        ("json", "{\n  \"schema\": 1,"),
    ] {
        let ended = place.run(&["--run-once", "--format", format]).await;
        ended.assert_code(2);
        assert!(ended.stdout.starts_with(beginning), "{format}: {ended}");
        assert!(!ended.stdout.contains('\u{1b}'), "{format}: {ended}");
        assert!(ended.stdout.ends_with('\n'), "{format}: {ended}");
        assert_eq!(ended.stderr, "", "{format}");
        for name in ["yellow", "red", "unknown"] {
            ended.assert_prints(name);
        }
    }
}

#[tokio::test]
async fn piped_text_is_the_same_at_every_width() {
    let server = service().await;
    let place = Workplace::with_configuration(&all_four(server.port));
    let place = place.variable("COLUMNS", "20");
    let ended = place.run(&["--run-once", "--only", "red"]).await;
    let url = format!("http://127.0.0.1:{}/red", server.port);
    let line = format!("`{url}` answered 500 Internal Server Error, expected 200-299");
    ended.assert_code(2).assert_prints(&line);
}

#[tokio::test]
async fn a_reader_that_has_gone_changes_nothing() {
    let server = service().await;
    let place = Workplace::with_configuration(&all_four(server.port));
    let commands: [(&[&str], i32); 11] = [
        (&["--run-once"], 2),
        (&["--run-once", "--format", "json"], 2),
        (&["--run-once", "--format", "junit"], 2),
        (&["--run-once", "--format", "markdown"], 2),
        (&["check-config"], 0),
        (&["schema"], 0),
        (&["kinds"], 0),
        (&["graph"], 0),
        (&["probe", "red"], 2),
        (&["--help"], 0),
        (&["init", "new.yaml"], 0),
    ];
    for (arguments, code) in commands {
        let ended = place.run_unheard(arguments).await;
        assert_eq!(ended.code, Some(code), "{arguments:?}: {ended}");
        assert_eq!(ended.stderr, "", "{arguments:?}");
    }
    let head = "\"$0\" \"$@\" | head -1";
    let ended = place
        .run_through(head, &["kinds", "--format", "json"])
        .await;
    assert_eq!((&*ended.stdout, &*ended.stderr), ("[\n", ""));
}

#[tokio::test]
async fn output_that_cannot_be_written_is_a_failure_of_ours() {
    let place = Workplace::without_configuration();
    let full = "exec \"$0\" \"$@\" >/dev/full";
    for arguments in [&["kinds"][..], &["--help"]] {
        let ended = place.run_through(full, arguments).await;
        ended.assert_code(70).assert_says("cannot be written");
    }
}
