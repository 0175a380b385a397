//! Servers of other sorts: files and programs laid over those of this machine, in a mount namespace.

use std::collections::BTreeSet;

use roundsman::model::{Status, Value};

use super::*;
use crate::local_hosts::{fact, get, number};
use crate::support::children::require;
use crate::support::sshd::{Builder, Sshd};

/// A server on which this was done before it started.
async fn laid(script: &str) -> Sshd {
    let around = in_a_namespace(script);
    let around: Vec<&str> = around.iter().map(String::as_str).collect();
    Builder::default().around(&around).start().await
}

/// Puts a program first in the path of the look: the name, and its script for a shell.
fn program(name: &str, script: &str) -> String {
    format!(
        "mountpoint -q /usr/local/sbin || mount -t tmpfs none /usr/local/sbin; \
         printf '%s\\n' '#!/bin/sh' '{script}' >/usr/local/sbin/{name}; chmod 755 /usr/local/sbin/{name}"
    )
}

/// A `/run` with what sshd needs.
const OWN_RUN: &str = "mount -t tmpfs none /run; mkdir -p /run/sshd";

#[tokio::test]
async fn another_machine_shows_its_own_numbers() {
    if !may_mount() {
        return;
    }
    let server = laid(
        "printf 'MemTotal: 1000 kB\\nMemAvailable: 50 kB\\nSwapTotal: 200 kB\\nSwapFree: 50 kB\\n' >{folder}/meminfo; \
         printf '9.00 8.00 7.00 1/2 3\\n' >{folder}/loadavg; \
         printf 'PRETTY_NAME=\"Old Linux 1\"\\n' >{folder}/os-release; \
         mount --bind {folder}/meminfo /proc/meminfo; mount --bind {folder}/loadavg /proc/loadavg; \
         mount --bind {folder}/os-release /etc/os-release",
    )
    .await;
    let looked = look_once(&server, "").await;
    let reading = reading(&looked);
    assert!((get(reading, "ram_percent") - 95.0).abs() < 1e-9);
    assert!((get(reading, "swap_percent") - 75.0).abs() < 1e-9);
    assert!((get(reading, "load_15m") - 7.0).abs() < 1e-9);
    assert_eq!(fact(reading, "operating_system"), Some("Old Linux 1"));
    assert_eq!(looked.status(), Status::Red);
}

#[tokio::test]
async fn a_full_disk_is_red() {
    if !may_mount() {
        return;
    }
    // 3 of 100 blocks are left on every disk.
    let full = "for last; do printf \"fs 4096 100 5 3 100 50 %s\\n\" \"$last\"; done";
    let server = laid(&program("stat", full)).await;
    let looked = look_once(&server, "").await;
    let free = number(reading(&looked), "disk_free_percent", Some("/"));
    assert!(free.is_some_and(|percent| percent < 4.0), "{free:?}");
    assert_eq!(looked.status(), Status::Red);
}

#[tokio::test]
async fn a_small_system_without_stat_and_timeout_still_tells_what_is_free() {
    if !may_mount() {
        return;
    }
    require("busybox");
    let missing = "echo \"sh: $0: not found\" >&2; exit 127";
    let server = laid(&format!(
        "{}; {}; {}",
        program("stat", missing),
        program("timeout", missing),
        program("df", "exec busybox df \"$@\""),
    ))
    .await;
    let looked = look_once(&server, "").await;
    let reading = reading(&looked);
    let free = number(reading, "disk_free_percent", Some("/"));
    assert!(free.is_some_and(|percent| percent > 0.0), "{reading:?}");
    let gaps: BTreeSet<_> = reading.gaps.iter().map(|gap| gap.metric).collect();
    assert_eq!(gaps, ["inode_free_percent"].into(), "{:?}", reading.gaps);
    assert!(reading.gaps[0].hint.is_some());
}

#[tokio::test]
async fn failed_units_are_yellow_and_named() {
    if !may_mount() {
        return;
    }
    let systemctl = program(
        "systemctl",
        "echo \"backup.service loaded failed failed Back up\"; echo \"x.mount loaded failed failed X\"",
    );
    let server = laid(&format!("{OWN_RUN} /run/systemd/system; {systemctl}")).await;
    let looked = look_once(&server, "").await;
    let reading = reading(&looked);
    assert!((get(reading, "failed_units") - 2.0).abs() < f64::EPSILON);
    assert_eq!(
        fact(reading, "failed_units"),
        Some("backup.service, x.mount")
    );
    assert!(looked.status() >= Status::Yellow);
}

#[tokio::test]
async fn systemd_that_fails_or_hangs_is_a_gap() {
    if !may_mount() {
        return;
    }
    for (script, words) in [
        (
            "echo \"Failed to connect to bus: No such file or directory\" >&2; exit 1",
            "could not say: Failed to connect to bus",
        ),
        (
            "exec sleep 60",
            "`systemctl --failed` did not answer within 3000 ms",
        ),
    ] {
        let systemctl = program("systemctl", script);
        let server = laid(&format!("{OWN_RUN} /run/systemd/system; {systemctl}")).await;
        let looked = look_once(&server, "").await;
        let reading = reading(&looked);
        assert_eq!(reading.gaps.len(), 1, "{:?}", reading.gaps);
        let gap = &reading.gaps[0];
        assert_eq!(gap.metric, "failed_units");
        assert!(gap.message.contains(words), "{gap:?}");
        assert!(gap.hint.is_some());
    }
}

#[tokio::test]
async fn a_due_reboot_is_listed_and_turns_nothing() {
    if !may_mount() {
        return;
    }
    let server = laid(&format!(
        "{OWN_RUN}; touch /run/reboot-required; \
         printf 'linux-image-6.1\\nlibc6\\nlibc6\\n' >/run/reboot-required.pkgs"
    ))
    .await;
    let looked = look_once(&server, "").await;
    let reading = reading(&looked);
    let flag = reading
        .measurements
        .iter()
        .find(|one| one.metric == "reboot_required");
    assert_eq!(flag.map(|one| &one.value), Some(&Value::Flag(true)));
    assert_eq!(
        fact(reading, "reboot_required"),
        Some("libc6, linux-image-6.1")
    );
}

#[tokio::test]
async fn files_that_cannot_be_read_are_gaps_and_the_rest_is_judged() {
    if !may_mount() {
        return;
    }
    let server = laid(
        "printf 'nothing of use\\n' >{folder}/garbage; \
         mount --bind {folder}/garbage /proc/meminfo; mount --bind {folder} /proc/loadavg 2>/dev/null || \
         mount --bind {folder}/garbage /proc/loadavg",
    )
    .await;
    let looked = look_once(&server, "").await;
    let reading = reading(&looked);
    let gaps: Vec<_> = reading.gaps.iter().map(|gap| gap.metric).collect();
    assert_eq!(
        gaps,
        [
            "ram_percent",
            "ram_total_bytes",
            "ram_available_bytes",
            "swap_percent",
            "load_1m",
            "load_5m",
            "load_15m",
            "load_per_core",
        ]
    );
    get(reading, "cpu_percent");
    assert!(number(reading, "disk_free_percent", Some("/")).is_some());
}
