use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use super::{CONFIGURATION, done, file};
use crate::support::children::require;
use crate::support::daemon::Daemon;
use crate::support::program::{PROGRAM, Workplace};

const INSTALLED: &str = "/usr/local/bin/roundsman";

/// The unit, with the program that was just built in the place of the installed one.
fn unit() -> String {
    let text = std::fs::read_to_string(file("roundsman.service")).expect("the unit");
    assert!(text.contains(INSTALLED));
    text.replace(INSTALLED, PROGRAM)
}

/// The value of a key.
fn value(unit: &str, key: &str) -> String {
    let start = format!("{key}=");
    let line = unit.lines().find_map(|line| line.strip_prefix(&start));
    line.unwrap_or_else(|| panic!("no `{key}`")).to_owned()
}

#[test]
fn systemd_finds_nothing_wrong() {
    require("systemd-analyze");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("roundsman.service");
    std::fs::write(&path, unit()).expect("a file");
    let output = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(&path)
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    // Units of this machine are none of ours.
    let ours: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("roundsman"))
        .collect();
    assert!(output.status.success() && ours.is_empty(), "{said}");
}

#[tokio::test]
async fn its_lines_start_reload_and_stop_the_daemon() {
    let unit = unit();
    let state = tempfile::tempdir().expect("a folder");
    // In its working directory, which is /etc/roundsman, the configuration is named by nothing: the second place is searched.
    let place = Workplace::with_configuration(CONFIGURATION)
        .variable("STATE_DIRECTORY", state.path().to_str().expect("UTF-8"));
    assert_eq!(value(&unit, "WorkingDirectory"), "/etc/roundsman");
    assert_eq!(value(&unit, "StateDirectory"), "roundsman");
    let line = |key: &str| -> Vec<String> {
        let line = value(&unit, key);
        line.split_whitespace().map(str::to_owned).collect()
    };
    let command = |words: &[String]| {
        let arguments: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        assert_eq!(words[0], PROGRAM);
        place.command(&arguments)
    };
    done(&mut command(&line("ExecStartPre")));
    let mut daemon = Daemon::from(command(&line("ExecStart")));
    daemon.event("round.ended").await;
    assert_eq!(line("ExecReload")[1..], ["-HUP", "$MAINPID"]);
    daemon.signal(Signal::HUP);
    daemon.event("config.loaded").await;
    let asked = std::time::Instant::now();
    daemon.stop().await.assert_code(0);
    let longest: u64 = value(&unit, "TimeoutStopSec").parse().expect("seconds");
    assert!(asked.elapsed() < Duration::from_secs(longest));
    assert!(state.path().join("roundsman.db").exists());
}

#[test]
fn a_wrong_configuration_is_not_tried_for_ever() {
    let unit = unit();
    let number = |key: &str| -> u64 { value(&unit, key).parse().expect("a whole number") };
    // The check before the start fails outside of what `RestartPreventExitStatus` looks at: only the limit ends it. A try
    // takes at most as long as its pause: the check connects to nothing.
    let all_tries = 2 * number("RestartSec") * number("StartLimitBurst");
    assert!(number("StartLimitIntervalSec") > all_tries);
}
