//! The same numbers as `df`, `free`, `nproc` and the kernel give: the server is this machine.

use super::*;
use crate::local_hosts::tools::{df, free};
use crate::local_hosts::{fact, file, get, number, subjects, tool};
use crate::support::sshd::sshd;

#[tokio::test]
async fn disks_and_inodes_are_as_df_says() {
    let looked = look_once(sshd().await, "").await;
    let reading = reading(&looked);
    let (said, inodes) = (df("size,avail,pcent"), df("itotal,iavail"));
    let shown = subjects(reading, "disk_free_percent");
    assert!(shown.contains("/"), "{shown:?}");
    for mount in &shown {
        let Some([size, available, used_percent]) = said.get(mount).map(Vec::as_slice) else {
            continue; // `df` shows one mount of a device, which may be another one than ours
        };
        let ours = |metric| number(reading, metric, Some(mount)).expect("measured together");
        assert!((ours("disk_total_bytes") - size).abs() < 1.0, "{mount}");
        // Other tests write to the same disks between the look and `df`.
        let drift_bytes = 2e9;
        assert!(
            (ours("disk_free_bytes") - available).abs() < drift_bytes,
            "{mount}"
        );
        // `df` rounds up to a whole percent; what is written meanwhile adds its share.
        let drift_percent = 1.0 + 100.0 * drift_bytes / size;
        let used = 100.0 - ours("disk_free_percent");
        assert!(
            (used_percent - used).abs() <= drift_percent,
            "{mount}: df says {used_percent} % used, we say {used} %"
        );
        if let Some(ours) = number(reading, "inode_free_percent", Some(mount)) {
            let [total, available] = inodes[mount][..] else {
                panic!("{inodes:?}");
            };
            // A build that runs meanwhile makes some thousand files.
            let drift_percent = 100.0 * 20_000.0 / total;
            assert!(
                (ours - 100.0 * available / total).abs() <= drift_percent,
                "{mount}"
            );
        }
    }
    assert!(shown.iter().any(|mount| said.contains_key(mount)));
}

#[tokio::test]
async fn memory_is_as_free_says() {
    let looked = look_once(sshd().await, "").await;
    let reading = reading(&looked);
    let memory = free("Mem:");
    let (total, available) = (memory[0], memory[5]);
    assert!((get(reading, "ram_total_bytes") - total).abs() < 1.0);
    // Compilers and other tests run meanwhile.
    let drift_bytes = 1.5e9_f64.min(0.2 * total);
    assert!((get(reading, "ram_available_bytes") - available).abs() < drift_bytes);
    let has_swap = free("Swap:")[0] > 0.0;
    assert_eq!(number(reading, "swap_percent", None).is_some(), has_swap);
}

#[tokio::test]
async fn load_cores_and_uptime_are_as_the_kernel_says() {
    let uptime_seconds = || -> f64 {
        let text = file("/proc/uptime");
        let first = text.split(' ').next();
        first.and_then(|word| word.parse().ok()).expect("a number")
    };
    let before_seconds = uptime_seconds();
    let looked = look_once(sshd().await, "").await;
    let after_seconds = uptime_seconds();
    let reading = reading(&looked);
    let uptime = get(reading, "uptime_seconds");
    assert!((before_seconds..=after_seconds).contains(&uptime));
    let online = tool("getconf", &["_NPROCESSORS_ONLN"]);
    let online: f64 = online.trim().parse().expect("a number");
    assert!((get(reading, "cpu_cores") - online).abs() < f64::EPSILON);
    let interval_ms = fact(reading, "cpu_interval_ms").expect("a fact");
    let interval_ms: f64 = interval_ms.parse().expect("a number");
    // The kernel's clock ticks every 10 ms.
    assert!(interval_ms >= 990.0, "{interval_ms}");
    let busy = get(reading, "cpu_percent");
    assert!((0.0..=100.0).contains(&busy), "{busy}");
}
