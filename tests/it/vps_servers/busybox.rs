//! A server that has nothing but busybox.

use super::*;
use crate::local_hosts::{fact, get, number};
use crate::support::children::require;
use crate::support::sshd::{Builder, Sshd};

/// A root with one program, and a session in it.
async fn busybox() -> Sshd {
    require("busybox");
    let around = in_a_namespace(
        "root={folder}/root; mkdir -p $root/bin $root/proc $root/dev $root/data; \
         mount -t proc proc $root/proc; mount --rbind /dev $root/dev; mount --bind /tmp $root/data; \
         cp \"$(command -v busybox)\" $root/bin/busybox; \
         chroot $root /bin/busybox --install -s /bin",
    );
    let around: Vec<&str> = around.iter().map(String::as_str).collect();
    Builder::default()
        .around(&around)
        .option("ForceCommand chroot {folder}/root /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"")
        .start()
        .await
}

#[tokio::test]
async fn busybox_alone_is_enough() {
    if !may_mount() {
        return;
    }
    let server = busybox().await;
    let looked = look_once(&server, NO_OTHER_TESTS).await;
    let reading = reading(&looked);
    assert!(reading.gaps.is_empty(), "{:?}", reading.gaps);
    for metric in ["cpu_percent", "ram_percent", "load_1m", "uptime_seconds"] {
        get(reading, metric);
    }
    assert!(number(reading, "disk_free_percent", Some("/data")).is_some());
    assert!(number(reading, "failed_units", None).is_none());
    assert!(fact(reading, "top_memory").is_some());
    assert!(fact(reading, "kernel").is_some());
}
