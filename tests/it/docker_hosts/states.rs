//! The states of real containers.

use super::{assert_findings, look_through_socket, measured};
use crate::support::dockerd::{container, dockerd, quiet_dockerd};

#[tokio::test]
async fn what_runs_and_what_ended_well_is_green() {
    let dockerd = dockerd().await;
    dockerd.run(container("well-runs", "sleep 1000")).await;
    dockerd.run(container("well-ended", "exit 0")).await;
    dockerd
        .create(container("well-created", "sleep 1000"))
        .await;
    dockerd
        .run(container("well-healthy", "sleep 1000").checked_by("true"))
        .await;
    dockerd.wait_for_state("well-ended", "exited").await;
    dockerd.wait_for_health("well-healthy", "healthy").await;

    let looked = look_through_socket(dockerd, "include: 'well-*'").await;
    assert_findings(&looked, &[]);
    assert_eq!(
        measured(&looked, "container_state"),
        [
            "well-created created",
            "well-ended exited",
            "well-healthy running",
            "well-runs running"
        ]
    );
    assert_eq!(
        measured(&looked, "container_health"),
        ["well-healthy healthy"]
    );
    assert_eq!(measured(&looked, "exit_code"), ["well-ended 0"]);
    assert_eq!(measured(&looked, "container_age_days").len(), 4);
    let version = looked.fact("engine_version").expect("a version");
    assert!(version.starts_with("Docker "), "{version}");
}

#[tokio::test]
async fn what_failed_lately_is_red_and_what_failed_long_ago_is_listed() {
    let dockerd = dockerd().await;
    dockerd.run(container("failed-3", "exit 3")).await;
    dockerd.run(container("failed-9", "sleep 1000")).await;
    dockerd.tell("failed-9", "kill").await;
    dockerd.wait_for_state("failed-3", "exited").await;
    dockerd.wait_for_state("failed-9", "exited").await;

    let looked = look_through_socket(dockerd, "include: 'failed-*'").await;
    assert_findings(
        &looked,
        &[
            "RED exit_code of failed-3: 3 (",
            "RED exit_code of failed-9: 137 (killed by signal 9, ",
        ],
    );
    dockerd.next_second().await;
    dockerd.next_second().await;
    let looked = look_through_socket(dockerd, "include: 'failed-*'\nexited_within: 1s").await;
    assert_findings(&looked, &[]);
    let listed = looked.fact("failed_earlier").expect("those that failed");
    assert!(listed.starts_with("failed-3 (exit 3, "), "{listed}");
    assert!(listed.contains("failed-9 (exit 137, "), "{listed}");
}

#[tokio::test]
async fn what_was_killed_for_want_of_memory_says_so_once() {
    let dockerd = quiet_dockerd().await;
    let hungry = |name, command| container(name, command).memory_bytes(16 * 1024 * 1024);
    dockerd
        .run(hungry("hungry-dead", "exec tail /dev/zero"))
        .await;
    dockerd
        .run(hungry("hungry-lives", "tail /dev/zero; sleep 1000"))
        .await;
    dockerd.wait_for_state("hungry-dead", "exited").await;
    dockerd.wait_for_event("hungry-lives", "oom").await;

    let looked = look_through_socket(dockerd, "include: 'hungry-*'").await;
    assert_findings(
        &looked,
        &[
            "RED oom_killed of hungry-dead: yes (exited with 137, killed for want of memory, ",
            "RED oom_killed of hungry-lives: yes (a process in it was killed once in the last hour; the container runs)",
        ],
    );
}

#[tokio::test]
async fn the_last_words_of_a_failing_health_check_are_shown() {
    let dockerd = dockerd().await;
    let check = "echo 'no route to the \u{1b}[31mdatabase'; echo 'and more'; exit 7";
    dockerd
        .run(container("sick", "sleep 1000").checked_by(check))
        .await;
    dockerd.wait_for_health("sick", "unhealthy").await;
    let looked = look_through_socket(dockerd, "include: sick").await;
    assert_findings(
        &looked,
        &["RED container_health of sick: unhealthy (its check failed"],
    );
    let finding = looked.findings().remove(0);
    assert!(
        finding.ends_with("exit 7: no route to the database and more)"),
        "{finding}"
    );
}

#[tokio::test]
async fn a_check_that_has_not_answered_yet_is_starting() {
    let dockerd = dockerd().await;
    dockerd
        .run(container("starting", "sleep 1000").checked_by("sleep 1000"))
        .await;
    let looked = look_through_socket(dockerd, "include: starting").await;
    assert_findings(&looked, &[]);
    assert_eq!(measured(&looked, "container_health"), ["starting starting"]);
}

#[tokio::test]
async fn what_is_paused_or_keeps_restarting_is_yellow() {
    let dockerd = dockerd().await;
    dockerd.run(container("odd-paused", "sleep 1000")).await;
    dockerd.tell("odd-paused", "pause").await;
    dockerd
        .run(container("odd-restarting", "exit 4").always_restarted())
        .await;
    // The pauses between its starts double: by now one of them is long enough to be seen.
    dockerd
        .wait_until("odd-restarting", |seen| {
            seen["RestartCount"].as_u64() > Some(5) && seen["State"]["Status"] == "restarting"
        })
        .await;
    let looked = look_through_socket(dockerd, "include: 'odd-*'").await;
    assert_findings(
        &looked,
        &[
            "YELLOW container_state of odd-paused: paused",
            "YELLOW container_state of odd-restarting: restarting (exited with 4, ",
        ],
    );
    let counts = measured(&looked, "restart_count");
    let count = counts
        .first()
        .and_then(|count| count.strip_prefix("odd-restarting "));
    assert!(
        count.is_some_and(|count| count.parse::<u64>().is_ok_and(|count| count > 5)),
        "{counts:?}"
    );
}

#[tokio::test]
async fn a_required_name_must_have_a_container_and_that_should_run() {
    let dockerd = dockerd().await;
    dockerd.run(container("needed-runs-1", "sleep 1000")).await;
    dockerd.run(container("needed-runs-2", "exit 0")).await;
    dockerd.run(container("needed-ended", "exit 0")).await;
    dockerd
        .create(container("needed-created", "sleep 1000"))
        .await;
    for name in ["needed-runs-2", "needed-ended"] {
        dockerd.wait_for_state(name, "exited").await;
    }
    let required = "[needed-nobody, 'needed-db-*', 'needed-runs-*', needed-ended, needed-created]";
    let settings = format!("required: {required}\ninclude: nothing");
    let looked = look_through_socket(dockerd, &settings).await;
    assert_findings(
        &looked,
        &[
            "RED container_state of needed-nobody: missing (it is required, and no container has that name)",
            "RED container_state of needed-db-*: missing",
            "YELLOW container_state of needed-created: stopped (it is required, and was never started)",
            "YELLOW container_state of needed-ended: stopped (it is required, and exited with 0, ",
        ],
    );
}

#[tokio::test]
async fn names_choose_what_is_looked_at() {
    let dockerd = dockerd().await;
    for name in ["chosen-a", "chosen-b", "chosen-b-test", "other"] {
        dockerd.create(container(name, "true")).await;
    }
    let settings = "include: ['chosen-*']\nexclude: ['*-test']";
    let looked = look_through_socket(dockerd, settings).await;
    assert_eq!(
        measured(&looked, "container_state"),
        ["chosen-a created", "chosen-b created"]
    );
}
