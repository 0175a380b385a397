//! What changed between two looks.

use super::{Watcher, assert_findings, measured, through_socket};
use crate::support::dockerd::{container, quiet_dockerd, start};

#[tokio::test]
async fn restarts_are_counted_from_one_look_to_the_next() {
    let dockerd = quiet_dockerd().await;
    // Ends whenever its file is there, which it takes away first.
    let script = "while ! rm /end; do sleep 0.05; done 2>/dev/null; exit 5";
    dockerd
        .run(container("crashing", script).always_restarted())
        .await;
    dockerd.run(container("steady", "sleep 1000")).await;
    let watcher = Watcher::new(&through_socket(dockerd, "include: [crashing, steady]"));
    let first = watcher.look().await;
    assert_eq!(measured(&first, "restarts_since_last_look"), [""; 0]);
    assert_findings(&first, &[]);

    let crash = async |times: u64| {
        dockerd.put_file("crashing", "end").await;
        dockerd
            .wait_until("crashing", |seen| {
                seen["RestartCount"].as_u64() == Some(times) && seen["State"]["Status"] == "running"
            })
            .await;
    };
    crash(1).await;
    dockerd.next_second().await;
    let second = watcher.look().await;
    assert_eq!(
        measured(&second, "restarts_since_last_look"),
        ["crashing 1", "steady 0"]
    );
    // `steady` may be asked about too: it began just before the first look, as far as words tell.
    assert_eq!(measured(&second, "restart_count")[0], "crashing 1");
    assert_findings(
        &second,
        &["YELLOW restarts_since_last_look of crashing: 1 (it runs again, for "],
    );

    for times in 2..=5 {
        crash(times).await;
    }
    dockerd.next_second().await;
    let third = watcher.look().await;
    assert_eq!(
        measured(&third, "restarts_since_last_look"),
        ["crashing 4", "steady 0"]
    );
    assert_findings(&third, &["RED restarts_since_last_look of crashing: 4"]);

    dockerd.next_second().await;
    let calm = watcher.look().await;
    assert_eq!(
        measured(&calm, "restarts_since_last_look"),
        ["crashing 0", "steady 0"]
    );
    assert_findings(&calm, &[]);
}

#[tokio::test]
async fn what_somebody_restarts_on_purpose_is_no_restart() {
    let dockerd = quiet_dockerd().await;
    dockerd.run(container("deployed", "sleep 1000")).await;
    let watcher = Watcher::new(&through_socket(dockerd, "include: deployed"));
    watcher.look().await;
    dockerd.tell("deployed", "restart?t=0").await;
    dockerd.wait_for_event("deployed", "die").await;
    dockerd.wait_for_event("deployed", "stop").await;
    let looked = watcher.look().await;
    assert_eq!(
        measured(&looked, "restarts_since_last_look"),
        ["deployed 0"]
    );
    assert_findings(&looked, &[]);
}

#[tokio::test]
async fn a_container_that_is_new_and_crashes_counts_all_its_restarts() {
    let dockerd = quiet_dockerd().await;
    let watcher = Watcher::new(&through_socket(dockerd, "include: 'newcomer*'"));
    watcher.look().await;
    dockerd
        .run(container("newcomer", "exit 1").always_restarted())
        .await;
    dockerd
        .wait_until("newcomer", |seen| seen["RestartCount"].as_u64() >= Some(5))
        .await;
    let looked = watcher.look().await;
    let findings = looked.findings();
    let red = "RED restarts_since_last_look of newcomer: ";
    assert!(
        findings.iter().any(|finding| finding.starts_with(red)),
        "{findings:?}"
    );
}

#[tokio::test]
async fn a_kill_for_want_of_memory_is_told_once() {
    let dockerd = quiet_dockerd().await;
    let script = "while ! rm /end; do sleep 0.05; done 2>/dev/null; tail /dev/zero; sleep 1000";
    dockerd
        .run(container("greedy", script).memory_bytes(16 * 1024 * 1024))
        .await;
    let watcher = Watcher::new(&through_socket(dockerd, "include: greedy"));
    assert_findings(&watcher.look().await, &[]);
    dockerd.put_file("greedy", "end").await;
    dockerd.wait_for_event("greedy", "oom").await;
    let looked = watcher.look().await;
    let expected = "RED oom_killed of greedy: yes (a process in it was killed once since the last look; the container runs)";
    assert_findings(&looked, &[expected]);
    assert_findings(&watcher.look().await, &[]);
}

#[tokio::test]
async fn what_an_engine_forgot_is_found_all_the_same() {
    let dockerd = &start().await;
    let script = "while ! rm /end; do sleep 0.05; done 2>/dev/null; exit 5";
    dockerd
        .run(container("forgotten", script).always_restarted())
        .await;
    let watcher = Watcher::new(&through_socket(dockerd, "include: forgotten"));
    watcher.look().await;
    dockerd.put_file("forgotten", "end").await;
    dockerd
        .wait_until("forgotten", |seen| {
            seen["RestartCount"].as_u64() == Some(1) && seen["State"]["Status"] == "running"
        })
        .await;
    // The engine keeps 256 events, and a new name makes one.
    dockerd.create(container("renamed-0", "true")).await;
    for number in 0..300 {
        let (name, next) = (number % 2, (number + 1) % 2);
        let rename = format!("rename?name=renamed-{next}");
        dockerd.tell(&format!("renamed-{name}"), &rename).await;
    }
    dockerd.next_second().await;
    let looked = watcher.look().await;
    assert_eq!(
        measured(&looked, "restarts_since_last_look"),
        ["forgotten 1"]
    );
    assert!(
        looked
            .fact("events")
            .is_some_and(|fact| fact.contains("remembers the last"))
    );
}
