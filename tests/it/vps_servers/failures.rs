//! Answers that are none.

use roundsman::model::Status;

use super::*;
use crate::support::sshd::{Builder, sshd};

/// What a look gives whose command is this shell line instead.
async fn forced(line: &str) -> Looked {
    let server = Builder::default()
        .option(format!("ForceCommand {line}"))
        .start()
        .await;
    let looked = look_once(&server, "").await;
    let failure = looked.failure();
    assert!(
        failure.contains(&format!("`127.0.0.1:{}`", server.port)),
        "{failure}"
    );
    assert!(!failure.ends_with("no hint"), "{failure}");
    looked
}

/// Asserts what is behind the name of the server.
#[track_caller]
fn assert_says(looked: &Looked, status: Status, kind: &str, words: &str) {
    let failure = looked.failure();
    assert!(failure.starts_with(kind), "{failure}");
    assert!(
        failure.contains(words),
        "expected `{words}`, found `{failure}`"
    );
    assert_eq!(looked.status(), status, "{failure}");
}

#[tokio::test]
async fn another_forced_command_is_told_with_what_to_do() {
    let looked = forced("echo 'all\twell \u{1b}[31m'; echo more").await;
    assert_says(
        &looked,
        Status::Unknown,
        "denied",
        "ran something else than our look: it printed `allwell [31m`",
    );
    assert_says(&looked, Status::Unknown, "denied", "docs/ssh-monitor.md");
    let looked = forced("cat").await;
    assert_says(&looked, Status::Unknown, "denied", "it printed `#!/bin/sh`");
    let looked = forced("true").await;
    assert_says(
        &looked,
        Status::Unknown,
        "denied",
        "ended at once and printed nothing",
    );
    let looked = forced("internal-sftp").await;
    assert_says(&looked, Status::Unknown, "denied", "sftp connections only");
}

#[tokio::test]
async fn an_account_without_a_shell_is_ours_to_mend() {
    let looked = forced("/usr/sbin/nologin").await;
    assert_says(
        &looked,
        Status::Unknown,
        "denied",
        "may run nothing there: it said `This account is currently not available.`",
    );
    let looked = forced("/bin/false").await;
    assert_says(&looked, Status::Unknown, "denied", "it said nothing");
    assert_says(
        &looked,
        Status::Unknown,
        "denied",
        "usermod --shell /bin/sh ",
    );
}

#[tokio::test]
async fn a_user_that_may_not_log_in_is_told_as_such() {
    let server = sshd().await;
    if server.username != "root" {
        return crate::support::cannot_run("sshd lets others in only where root has started it");
    }
    let yaml = server.yaml().replace("username: root", "username: nobody");
    let looked = look_at("vps_servers", &Clients::new(), &yaml, TIMEOUT).await;
    assert_says(
        &looked,
        Status::Unknown,
        "denied",
        "may run nothing there: it said `This account is currently not available.`",
    );
    assert_says(
        &looked,
        Status::Unknown,
        "denied",
        "usermod --shell /bin/sh nobody",
    );
}

#[tokio::test]
async fn a_server_that_cannot_run_anything_is_red() {
    let looked = forced("/no/such/shell -s").await;
    assert_says(
        &looked,
        Status::Red,
        "unexpected",
        "could not run our look (exit status 127): it said `",
    );
    let looked = forced("sh -c 'echo cannot fork: out of memory >&2; exit 254'").await;
    assert_says(
        &looked,
        Status::Red,
        "unexpected",
        "(exit status 254): it said `cannot fork: out of memory`",
    );
    let looked = forced("kill -KILL $$").await;
    assert_says(
        &looked,
        Status::Red,
        "unexpected",
        "was ended by signal KILL before it printed anything",
    );
}

/// Says nothing. sshd leaves commands alone whose connection is gone, so that this one looks for itself.
const UNTIL_THE_CONNECTION_ENDS: &str = "while kill -0 $PPID 2>/dev/null; do sleep 1; done";

/// The first lines of the script's output, then the end that is told.
fn half(of: &str, end: &str) -> String {
    format!("sh {SCRIPT} | sed '/{of}/q'; {end}")
}

#[tokio::test]
async fn half_an_answer_is_red_and_shows_what_came() {
    for (end, words) in [
        (
            "exit 0",
            "ended too early: our look ended with exit status 0",
        ),
        (
            "kill -KILL $$",
            "ended too early: our look was ended by signal KILL",
        ),
        (
            "echo disk on fire >&2; exit 3",
            "with exit status 3, it said `disk on fire`",
        ),
    ] {
        let looked = forced(&half(" reboot$", end)).await;
        assert_says(&looked, Status::Red, "unexpected", words);
        assert!(looked.number("cpu_percent").is_some());
        assert!(looked.number("ram_percent").is_some());
        assert!(looked.reading().gaps.is_empty());
    }
    // Cut in the middle of a part: nothing is taken from it.
    let looked = forced(&half("^MemFree", "exit 0")).await;
    assert_says(&looked, Status::Red, "unexpected", "ended too early");
    assert!(looked.number("cpu_percent").is_some());
    assert_eq!(looked.number("ram_percent"), None);
}

#[tokio::test]
async fn an_answer_that_stops_shows_what_came_and_one_that_is_cut_off_is_red() {
    let server = Builder::default()
        .option(format!(
            "ForceCommand {}",
            half(" reboot$", UNTIL_THE_CONNECTION_ENDS)
        ))
        .start()
        .await;
    let clients = Clients::new();
    let looked = look_at(
        "vps_servers",
        &clients,
        &server.yaml(),
        Duration::from_secs(8),
    )
    .await;
    assert_says(&looked, Status::Red, "timed_out", "did not end within");
    assert!(looked.number("ram_percent").is_some(), "{looked:?}");
    assert!(looked.reading().gaps.is_empty());
    // The shell's parent is the server's process for this connection.
    let looked = forced(&half(" reboot$", "kill -KILL $PPID; sleep 1")).await;
    assert_says(&looked, Status::Red, "unreachable", " was lost");
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    let looked = forced(&half(" system$", "exec yes 'x y z'")).await;
    assert_says(&looked, Status::Red, "unexpected", "is longer than 4 MiB");
    let looked = forced("exec yes").await;
    assert_says(&looked, Status::Red, "unexpected", "without a line of ours");
}

#[tokio::test]
async fn another_version_and_another_system_are_unknown() {
    let looked = forced("echo '--- roundsman-ssh-monitor 2 abc'; echo '--- abc end'").await;
    assert_says(
        &looked,
        Status::Unknown,
        "ours",
        "answers with version 2 of `ssh-monitor`, and this build reads version 1",
    );
    let looked = forced(
        "printf -- '--- roundsman-ssh-monitor 1 a\\n--- a system\\nsystem FreeBSD\\n--- a end\\n'",
    )
    .await;
    assert_says(
        &looked,
        Status::Unknown,
        "ours",
        "runs `FreeBSD`, and only Linux is understood",
    );
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_in_time() {
    let server = Builder::default()
        .option(format!("ForceCommand {UNTIL_THE_CONNECTION_ENDS}"))
        .start()
        .await;
    let clients = Clients::new();
    let patience = Duration::from_secs(3);
    let looked = look_at("vps_servers", &clients, &server.yaml(), patience).await;
    assert_says(&looked, Status::Red, "timed_out", "127.0.0.1");
}
