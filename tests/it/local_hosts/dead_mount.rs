//! A file system that answers nobody, as a dead NFS server leaves behind.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::cannot_run;

/// A FUSE file system that nobody serves holds whoever asks about it. It is mounted in a mount namespace of its own,
/// so that nothing else on this machine meets it.
#[test]
fn a_dead_mount_costs_its_own_numbers_and_no_time() {
    let may_mount = Command::new("unshare")
        .args(["--mount", "sh", "-c", "exec 3<>/dev/fuse"])
        .status()
        .is_ok_and(|status| status.success());
    if !may_mount {
        return cannot_run("mounting needs root, `unshare` and /dev/fuse");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let script = "exec 3<>/dev/fuse && \
                  mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 dead \"$1\" && \
                  cd / && exec \"$2\" --run-once --format json";
    let began = Instant::now();
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(folder.path())
        .arg(env!("CARGO_BIN_EXE_roundsman"))
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .output()
        .expect("`unshare` runs");
    // The thread that is still held does not hold the process: 2 s are given to the mount, the rest is slack.
    let took = began.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let target = &report["targets"][0];
    let of_the_mount =
        |finding: &&serde_json::Value| finding["subject"].as_str() == folder.path().to_str();
    let findings = target["findings"].as_array().expect("findings");
    let lost: Vec<_> = findings.iter().filter(of_the_mount).collect();
    assert!(!lost.is_empty(), "{target:#}");
    assert!(
        lost.iter().all(|finding| finding["status"] == "UNKNOWN"),
        "{lost:#?}"
    );
    let root =
        |one: &&serde_json::Value| one["metric"] == "disk_free_percent" && one["subject"] == "/";
    assert!(
        target["measurements"]
            .as_array()
            .expect("measurements")
            .iter()
            .any(|one| root(&one))
    );
}
