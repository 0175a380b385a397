//! What a look shows, leaves out, and how long it takes.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::*;
use roundsman::clients::Clients;

#[tokio::test]
async fn arguments_of_processes_are_never_read() {
    let secret = "hunter2-canary-in-an-argument";
    let mut child = Command::new("sh")
        .args(["-c", "read -r line", "sh", &format!("--password={secret}")])
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell");
    let reading = look("top_processes: 50", &at_a_prompt()).await;
    let arguments = std::fs::read(format!("/proc/{}/cmdline", child.id())).expect("it runs");
    assert!(
        String::from_utf8_lossy(&arguments).contains(secret),
        "the canary sings"
    );
    drop(child.stdin.take());
    child.wait().expect("the shell ends");
    assert!(!format!("{reading:?}").contains(secret));
    assert!(!format!("{reading:?}").contains("--password"));
    assert!(fact(&reading, "top_memory").is_some_and(|processes| processes.contains("iB")));
}

#[tokio::test]
async fn a_look_measures_what_the_kind_declares_and_nothing_twice() {
    let reading = look("{}", &at_a_prompt()).await;
    assert!(reading.gaps.is_empty(), "{:?}", reading.gaps);
    let mut seen = BTreeSet::new();
    for one in &reading.measurements {
        let metric = spec()
            .spec
            .metric(one.metric)
            .unwrap_or_else(|| panic!("`{}` is not declared", one.metric));
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
    let always = [
        "cpu_percent",
        "cpu_cores",
        "ram_percent",
        "ram_total_bytes",
        "ram_available_bytes",
        "load_1m",
        "load_5m",
        "load_15m",
        "load_per_core",
        "uptime_seconds",
        "disk_free_percent",
        "disk_free_bytes",
        "disk_total_bytes",
    ];
    for metric in always {
        assert!(
            seen.iter().any(|(name, _)| *name == metric),
            "no `{metric}`"
        );
    }
    let kernel = file("/proc/sys/kernel/osrelease");
    assert_eq!(fact(&reading, "kernel"), Some(kernel.trim()));
    let host_name = tool("uname", &["-n"]);
    assert_eq!(fact(&reading, "host_name"), Some(host_name.trim()));
    assert_eq!(&*target("{}").id.name, host_name.trim());
    assert!(fact(&reading, "operating_system").is_some());
}

#[tokio::test]
async fn settings_leave_out_mounts_and_processes() {
    let reading = look(
        "{exclude_mounts: [\"*\"], top_processes: 0}",
        &at_a_prompt(),
    )
    .await;
    assert!(subjects(&reading, "disk_free_percent").is_empty());
    assert!(subjects(&reading, "inode_free_percent").is_empty());
    assert_eq!(fact(&reading, "top_cpu"), None);
    assert_eq!(fact(&reading, "top_memory"), None);
    assert!(reading.gaps.is_empty(), "{:?}", reading.gaps);
}

#[tokio::test]
async fn a_look_takes_its_window_and_little_more() {
    let collector = (spec().new)(&Clients::new());
    let target = target("{}");
    let mut quickest = Duration::MAX;
    // The best of some, because other tests keep the machine busy meanwhile.
    for _ in 0..8 {
        let began = Instant::now();
        let reading = collector.look(&target, &at_a_prompt()).await;
        assert!(reading.is_ok());
        quickest = quickest.min(began.elapsed());
    }
    let bounds = Duration::from_millis(250)..Duration::from_millis(300);
    assert!(bounds.contains(&quickest), "{quickest:?}");
}

#[tokio::test]
async fn a_short_deadline_shortens_the_window() {
    let run = run(Duration::from_millis(400), Duration::from_secs(10));
    let began = Instant::now();
    let reading = look("{top_processes: 0}", &run).await;
    assert!(
        began.elapsed() < Duration::from_millis(400),
        "{:?}",
        began.elapsed()
    );
    assert!(get(&reading, "cpu_percent") <= 100.0);
}
