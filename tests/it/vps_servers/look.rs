//! What a look shows, leaves out, and how often it logs in.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::*;
use crate::local_hosts::{fact, file, subjects, tool};
use crate::support::sshd::{Builder, sshd};
use crate::support::{kind_of, look_again, target};

#[tokio::test]
async fn a_look_measures_what_the_kind_declares_and_nothing_twice() {
    let looked = look_once(sshd().await, "").await;
    let reading = reading(&looked);
    assert!(reading.gaps.is_empty(), "{:?}", reading.gaps);
    let kind = kind_of("vps_servers");
    let mut seen = BTreeSet::new();
    for one in &reading.measurements {
        let metric = kind.spec.metric(one.metric);
        let metric = metric.unwrap_or_else(|| panic!("`{}` is not declared", one.metric));
        assert_eq!(one.unit, metric.unit, "{}", one.metric);
        assert_eq!(
            one.subject.is_some(),
            metric.subject.is_some(),
            "{}",
            one.metric
        );
        assert!(
            seen.insert((one.metric, one.subject.clone())),
            "{one:?} comes twice"
        );
    }
    // Swap, systemd and the like are not everywhere; the rest is.
    let may_lack = [
        "swap_percent",
        "inode_free_percent",
        "failed_units",
        "reboot_required",
    ];
    for metric in kind.spec.metrics {
        let is_there = seen.iter().any(|(name, _)| *name == metric.name);
        assert!(
            is_there || may_lack.contains(&metric.name),
            "no `{}`",
            metric.name
        );
    }
    assert_eq!(
        fact(reading, "kernel"),
        Some(file("/proc/sys/kernel/osrelease").trim())
    );
    assert_eq!(
        fact(reading, "host_name"),
        Some(tool("uname", &["-n"]).trim())
    );
    assert!(fact(reading, "operating_system").is_some());
    assert!(fact(reading, "top_memory").is_some_and(|processes| processes.contains("iB")));
}

#[tokio::test]
async fn later_rounds_go_through_the_same_connection() {
    let server = Builder::default().start().await;
    let collector = (kind_of("vps_servers").new)(&Clients::new());
    let target = target("vps_servers", &server.yaml(), TIMEOUT);
    for _ in 0..3 {
        let looked = look_again(collector.as_ref(), &target).await;
        assert!(looked.outcome.is_ok(), "{}", looked.failure());
    }
    assert_eq!(server.connections(), 1, "{}", server.log());
    assert_eq!(server.logins(), 1, "{}", server.log());
}

#[tokio::test]
async fn nothing_holds_the_look_when_all_is_said() {
    // What watches over the mounts sleeps on behind the look, here for much longer than a look takes.
    let patient = format!("sed 's/^limit=3$/limit=30/' {SCRIPT} | sh -s");
    let server = Builder::default()
        .option(format!("ForceCommand {patient}"))
        .start()
        .await;
    let began = Instant::now();
    reading(&look_once(&server, "").await);
    assert!(began.elapsed() < Duration::from_secs(25));
}

#[tokio::test]
async fn arguments_of_processes_are_never_read() {
    let secret = "hunter2-canary-in-an-argument";
    let mut child = Command::new("sh")
        .args(["-c", "read -r line", "sh", &format!("--password={secret}")])
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell");
    let looked = look_once(sshd().await, "top_processes: 50\n").await;
    let arguments = std::fs::read(format!("/proc/{}/cmdline", child.id())).expect("it runs");
    assert!(
        String::from_utf8_lossy(&arguments).contains(secret),
        "the canary sings"
    );
    drop(child.stdin.take());
    child.wait().expect("the shell ends");
    let reading = reading(&looked);
    assert!(!format!("{reading:?}").contains(secret));
    assert!(!format!("{reading:?}").contains("--password"));
}

#[tokio::test]
async fn settings_leave_out_mounts_and_processes() {
    let looked = look_once(sshd().await, "exclude_mounts: [\"*\"]\ntop_processes: 0\n").await;
    let reading = reading(&looked);
    assert!(subjects(reading, "disk_free_percent").is_empty());
    assert_eq!(fact(reading, "top_cpu"), None);
    assert_eq!(fact(reading, "top_memory"), None);
    assert!(reading.gaps.is_empty(), "{:?}", reading.gaps);
}
