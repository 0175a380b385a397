//! A round over many targets: permits, deadlines, descriptors, order.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt;

use crate::support::children::free_port;
use crate::support::program::{Ended, Workplace, target};
use crate::support::servers::{RawServer, answering_as, raw, request};

const JSON: [&str; 3] = ["--run-once", "--format", "json"];

/// Keeps each connection for a moment, so that many are open at once; notes the paths in the order they came.
async fn unhurried(arrivals: &Arc<Mutex<Vec<String>>>) -> RawServer {
    let arrivals = Arc::clone(arrivals);
    raw(move |mut stream| {
        let arrivals = Arc::clone(&arrivals);
        async move {
            let request = request(&mut stream).await;
            let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
            arrivals.lock().expect("the list").push(path);
            tokio::time::sleep(Duration::from_millis(30)).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
            stream.write_all(answer).await.ok();
            stream.shutdown().await.ok();
        }
    })
    .await
}

fn endpoints(lines: impl IntoIterator<Item = String>) -> Workplace {
    let lines: Vec<String> = lines.into_iter().collect();
    Workplace::with_configuration(&format!("targets:\n  api_endpoints:\n{}", lines.concat()))
}

/// Runs with a limit of open files: `-n` sets the soft and the hard one, `-Sn` the soft one alone.
async fn round_within(place: &Workplace, limit: &str) -> Ended {
    let script = format!("ulimit {limit} && exec \"$0\" \"$@\"");
    place.run_through(&script, &JSON).await
}

fn count(report: &Value, status: &str) -> u64 {
    report["counts"][status].as_u64().expect("a count")
}

#[tokio::test]
async fn running_out_of_descriptors_is_no_targets_fault() {
    let arrivals = Arc::default();
    let server = unhurried(&arrivals).await;
    let port = server.port;
    // There are descriptors for all permits.
    assert_eq!(lost_within(256, port, 300).await, 0);
    // How many the program needs before its first connection differs from machine to machine. The first limit that
    // is too low for eight looks at a time leaves room for seven: nothing but our own trouble may be said there, and
    // with less and less room nothing else either.
    let mut limits_that_lost = 0;
    for limit in (8..=24).rev() {
        limits_that_lost += usize::from(lost_within(limit, port, 40).await > 0);
        if limits_that_lost == 3 {
            return;
        }
    }
    panic!("no limit was low enough: the test tests nothing");
}

/// A round over targets that are well, with a limit of open files: how many it could not look at. Each of them must
/// say that this is our own trouble.
async fn lost_within(limit: u32, port: u16, targets: u64) -> u64 {
    let place = endpoints((0..targets).map(|number| {
        // A name takes descriptors of its own to be resolved.
        let host = if number % 2 == 0 {
            "127.0.0.1"
        } else {
            "localhost"
        };
        format!("    - {{name: t{number}, url: \"http://{host}:{port}/{number}\"}}\n")
    }));
    let ended = round_within(&place, &format!("-n {limit}")).await;
    let report = ended.json();
    for target in report["targets"].as_array().expect("targets") {
        let failure = &target["failure"];
        match target["status"].as_str() {
            Some("GREEN") => {}
            Some("UNKNOWN") => assert_eq!(failure["kind"], "ours", "{limit}: {failure}"),
            other => panic!("{limit}: {other:?} {failure}"),
        }
    }
    let lost = count(&report, "unknown");
    assert_eq!(count(&report, "green") + lost, targets, "{limit}");
    ended.assert_code(if lost > 0 { 3 } else { 0 });
    lost
}

#[tokio::test]
async fn a_low_soft_limit_is_raised() {
    let arrivals = Arc::default();
    let server = unhurried(&arrivals).await;
    let place = endpoints((0..300).map(|number| {
        format!(
            "    - {{name: t{number}, url: \"http://127.0.0.1:{}/\"}}\n",
            server.port
        )
    }));
    let hard = place.run_through("ulimit -Hn", &[]).await.stdout;
    let is_enough =
        hard.trim() == "unlimited" || hard.trim().parse::<u32>().is_ok_and(|n| n >= 1024);
    assert!(
        is_enough,
        "this test needs a hard limit of 1024 open files, and has {hard}"
    );
    let ended = round_within(&place, "-Sn 16").await;
    assert_eq!(count(&ended.assert_code(0).json(), "green"), 300);
}

#[tokio::test]
async fn many_that_hang_hold_up_nobody() {
    let arrivals = Arc::default();
    let server = unhurried(&arrivals).await;
    let silent = raw(|stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let hanging = (0..300).map(|number| {
        let port = silent.port;
        format!(
            "    - {{name: hangs{number}, url: \"http://127.0.0.1:{port}/\", timeout_ms: 500}}\n"
        )
    });
    let good = (0..50).map(|number| {
        let port = server.port;
        format!("    - {{name: good{number}, url: \"http://127.0.0.1:{port}/\"}}\n")
    });
    let place = endpoints(hanging.chain(good));
    // One wave of time-outs lasts 500 ms; the rest is for a machine that is busy. With 328 descriptors there are 100
    // permits, hence four waves. One after the other they would take 150 s.
    for (limit, longest_ms) in [("-n 1024", 2_500), ("-n 328", 5_000)] {
        let ended = round_within(&place, limit).await;
        let report = ended.assert_code(2).json();
        assert_eq!((count(&report, "green"), count(&report, "red")), (50, 300));
        let took_ms = report["round"]["duration_ms"].as_u64().expect("a duration");
        assert!(
            (500..longest_ms).contains(&took_ms),
            "{limit}: {took_ms} ms"
        );
        for number in 0..300 {
            let failure = &target(&report, &format!("hangs{number}"))["failure"];
            assert_eq!(failure["kind"], "timed_out");
        }
    }
}

#[tokio::test]
async fn critical_targets_come_first() {
    const CRITICAL: usize = 40;
    /// As many as there are with this limit of open files.
    const PERMITS: usize = 8;
    let arrivals: Arc<Mutex<Vec<String>>> = Arc::default();
    let server = unhurried(&arrivals).await;
    let place = endpoints((0..200 + CRITICAL).map(|number| {
        let (critical, port) = (number >= 200, server.port);
        let url = format!("http://127.0.0.1:{port}/{critical}");
        format!("    - {{name: t{number}, critical: {critical}, url: \"{url}\"}}\n")
    }));
    let ended = round_within(&place, "-n 144").await;
    assert_eq!(count(&ended.assert_code(0).json(), "green"), 240);
    let arrivals = arrivals.lock().expect("the list").clone();
    let last = arrivals.iter().rposition(|path| path == "/true");
    let last = last.expect("critical ones");
    // Those that are under way together may overtake each other.
    assert!(
        last < CRITICAL + PERMITS,
        "the last critical one came at {last}"
    );
}

#[tokio::test]
async fn each_result_belongs_to_its_target() {
    let server = answering_as(|request| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let (line, length) = match path.rsplit_once('/') {
            Some(("/good", number)) => ("200 OK", number.parse().expect("a number")),
            _ => ("503 Service Unavailable", 0),
        };
        let body = "x".repeat(length);
        format!("HTTP/1.1 {line}\r\ncontent-length: {length}\r\n\r\n{body}").into()
    })
    .await;
    let (port, closed) = (server.port, free_port());
    let place = endpoints((1..=100).flat_map(|number| {
        [
            format!(
                "    - {{name: good{number}, url: \"http://127.0.0.1:{port}/good/{number}\"}}\n"
            ),
            format!("    - {{name: dead{number}, url: \"http://127.0.0.{number}:{closed}/\"}}\n"),
            format!(
                "    - {{name: wrong{number}, url: \"http://127.0.0.1:{port}/wrong/{number}\"}}\n"
            ),
        ]
    }));
    let ended = place.run(&JSON).await;
    let report = ended.assert_code(2).json();
    assert_eq!((count(&report, "green"), count(&report, "red")), (100, 200));
    for number in 1..=100 {
        let good = target(&report, &format!("good{number}"));
        let measured = good["measurements"].as_array().expect("measurements");
        let bytes = measured.iter().find(|one| one["metric"] == "body_bytes");
        assert_eq!(
            bytes.expect("a body")["value"].as_f64(),
            Some(f64::from(number))
        );
        for (name, address) in [
            ("dead", format!("`127.0.0.{number}:{closed}`")),
            ("wrong", format!("/wrong/{number}`")),
        ] {
            let bad = target(&report, &format!("{name}{number}"));
            assert_eq!(bad["status"], "RED");
            let summary = bad["summary"].as_str().expect("a text");
            assert!(summary.contains(&address), "{name}{number}: {summary}");
        }
    }
}
