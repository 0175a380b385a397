//! What a person at a terminal sees: a real pseudo-terminal of `script`.

use unicode_width::UnicodeWidthStr;

use super::{all_four, service};
use crate::support::children::require;
use crate::support::program::{Ended, Workplace};
use crate::support::servers::{RawServer, raw};

/// Runs the program on a terminal of that many columns; `redirected` is shell. Both streams of it are in `stdout`.
async fn on_a_terminal(
    place: &Workplace,
    columns: u32,
    arguments: &str,
    redirected: &str,
) -> Ended {
    require("script");
    require("stty");
    let command = format!(
        "exec script -qec \"stty cols {columns} rows 30; exec '$0' {arguments} {redirected}\" /dev/null"
    );
    place.run_through(&command, &[]).await
}

/// The text without its escape sequences.
fn without_escapes(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part
            .find(|c: char| c.is_ascii_alphabetic())
            .map_or(part.len(), |end| end + 1);
        plain.push_str(&part[end..]);
    }
    plain
}

/// Accepts and never answers.
async fn silent() -> RawServer {
    raw(|stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await
}

fn with_a_slow_one(port: u16, silent: u16) -> String {
    format!(
        "targets:
  api_endpoints:
    - {{name: quick, url: \"http://127.0.0.1:{port}/green\"}}
    - {{name: slowpoke, url: \"http://127.0.0.1:{silent}/\", timeout_ms: 1200}}
"
    )
}

#[tokio::test]
async fn colours_appear_and_lines_fit() {
    let server = service().await;
    let long = format!(
        "name: a-name-that-is-much-longer-than-any-table-cell-{}",
        "x".repeat(60)
    );
    let place = Workplace::with_configuration(&all_four(server.port).replace("name: red", &long));
    // Below this a column would have no room to be read in, and the terminal breaks the lines.
    for columns in [50, 60, 100] {
        let ended = on_a_terminal(&place, columns, "--run-once", "2>errors").await;
        ended.assert_code(2).assert_prints("\u{1b}[");
        let text = without_escapes(&ended.stdout);
        assert!(text.contains("unhealthy"), "{ended}");
        for line in text.lines() {
            let width = line.trim_end().width();
            assert!(
                width <= columns as usize,
                "{width} > {columns}: `{line}`; {ended}"
            );
        }
        assert_eq!(place.read("errors"), "");
    }
}

#[tokio::test]
async fn colours_can_be_refused() {
    let server = service().await;
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let place = Workplace::with_configuration(&all_four(server.port)).variable(name, value);
        let ended = on_a_terminal(&place, 80, "--run-once", "2>errors").await;
        ended.assert_code(2);
        assert!(!ended.stdout.contains('\u{1b}'), "{name}: {ended}");
        let place = place
            .variable("LOG_LEVEL", "loud")
            .file("config/config.yaml", "target: {}\n");
        let ended = on_a_terminal(&place, 80, "check-config", "").await;
        ended
            .assert_code(78)
            .assert_prints("`LOG_LEVEL` is none of")
            .assert_prints("error: ");
        assert!(!ended.stdout.contains('\u{1b}'), "{name}: {ended}");
    }
    let place = Workplace::with_configuration("target: {}\n").variable("NO_COLOR", "");
    let ended = on_a_terminal(&place, 80, "check-config", "").await;
    ended.assert_code(78).assert_prints("\u{1b}[");
}

#[tokio::test]
async fn progress_is_shown_while_a_target_is_awaited_and_then_taken_away() {
    let (server, silent) = (service().await, silent().await);
    let place = Workplace::with_configuration(&with_a_slow_one(server.port, silent.port));
    let ended = on_a_terminal(&place, 80, "--run-once", "").await;
    ended.assert_code(2);
    let line = "looked at 1 of 2; awaiting slowpoke";
    let (_, after) = ended
        .stdout
        .rsplit_once(line)
        .unwrap_or_else(|| panic!("no progress; {ended}"));
    assert!(after.starts_with("\r\u{1b}[2K"), "it stays; {ended}");
    assert!(after.contains("unhealthy"), "{ended}");
}

#[tokio::test]
async fn progress_goes_to_stderr_alone_and_fits_its_terminal() {
    let (server, silent) = (service().await, silent().await);
    let yaml = with_a_slow_one(server.port, silent.port)
        .replace("slowpoke", &format!("slowpoke-{}", "x".repeat(80)));
    let place = Workplace::with_configuration(&yaml);
    for columns in [30, 50] {
        let ended = on_a_terminal(&place, columns, "--run-once", ">report").await;
        ended.assert_code(2).assert_prints("looked at 1 of 2");
        for line in without_escapes(&ended.stdout).split(['\r', '\n']) {
            assert!(
                line.width() < columns as usize,
                "{columns}: `{line}`; {ended}"
            );
        }
        let report = place.read("report");
        assert!(report.starts_with("unhealthy"), "{report}");
        assert!(
            !report.contains('\u{1b}') && !report.contains("awaiting"),
            "{report}"
        );
    }
}

#[tokio::test]
async fn nothing_of_it_is_seen_where_stderr_is_piped() {
    let (server, silent) = (service().await, silent().await);
    let place = Workplace::with_configuration(&with_a_slow_one(server.port, silent.port));
    let ended = place.run(&["--run-once"]).await;
    ended.assert_code(2).assert_prints("slowpoke");
    assert_eq!(ended.stderr, "");
    assert!(!ended.stdout.contains("awaiting"), "{ended}");
    let ended = on_a_terminal(&place, 80, "--run-once", "2>errors").await;
    ended.assert_code(2);
    assert!(!ended.stdout.contains("awaiting"), "{ended}");
    assert_eq!(place.read("errors"), "");
}

#[tokio::test]
async fn a_round_that_is_soon_over_shows_no_progress() {
    let server = service().await;
    let place = Workplace::with_configuration(&all_four(server.port));
    let ended = on_a_terminal(&place, 80, "--run-once --only green", "").await;
    ended.assert_code(0);
    assert!(!ended.stdout.contains("[2K"), "{ended}");
}
