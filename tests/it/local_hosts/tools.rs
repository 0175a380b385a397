//! The same numbers as `df`, `free`, `nproc` and the kernel give.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::*;

/// The lines of `df`, without the heading: mount point → numbers.
pub(crate) fn df(columns: &str) -> BTreeMap<String, Vec<f64>> {
    let text = tool("df", &["-B1", &format!("--output={columns},target")]);
    text.lines()
        .skip(1)
        .map(|line| {
            let count = columns.split(',').count();
            let mut words = line.split_whitespace();
            let numbers = words.by_ref().take(count);
            let numbers: Vec<f64> = numbers
                .map(|word| word.trim_end_matches('%').parse().unwrap_or(f64::NAN))
                .collect();
            (words.collect::<Vec<_>>().join(" "), numbers)
        })
        .collect()
}

/// The numbers in a line of `free`, in bytes.
pub(crate) fn free(name: &str) -> Vec<f64> {
    let text = tool("free", &["-b"]);
    let line = (text.lines())
        .find(|line| line.starts_with(name))
        .expect(name);
    (line.split_whitespace().skip(1))
        .filter_map(|word| word.parse().ok())
        .collect()
}

#[tokio::test]
async fn disks_are_as_df_says() {
    let reading = look("{}", &at_a_prompt()).await;
    let said = df("size,avail,pcent");
    let shown = subjects(&reading, "disk_free_percent");
    assert!(shown.contains("/"), "{shown:?}");
    for mount in &shown {
        let Some([size, available, used_percent]) = said.get(mount).map(Vec::as_slice) else {
            // `df` shows one mount of a device, which may be another one than ours.
            continue;
        };
        let ours = |metric| number(&reading, metric, Some(mount)).expect("measured together");
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
    }
    assert!(shown.iter().any(|mount| said.contains_key(mount)));
}

#[tokio::test]
async fn inodes_are_as_df_says() {
    let reading = look("{}", &at_a_prompt()).await;
    let said = df("itotal,iavail");
    for mount in subjects(&reading, "inode_free_percent") {
        let Some([total, available]) = said.get(&mount).map(Vec::as_slice) else {
            continue;
        };
        let ours = number(&reading, "inode_free_percent", Some(&mount)).expect("listed");
        let theirs = 100.0 * available / total;
        // A build that runs meanwhile makes some thousand files.
        let drift_percent = 100.0 * 20_000.0 / total;
        assert!(
            (ours - theirs).abs() <= drift_percent,
            "{mount}: {ours} or {theirs}"
        );
    }
}

#[tokio::test]
async fn every_mount_that_df_shows_is_shown_or_has_a_reason() {
    let reading = look("{}", &at_a_prompt()).await;
    let shown = subjects(&reading, "disk_free_percent");
    let mut devices = BTreeMap::new();
    let mounts = file("/proc/self/mountinfo");
    // The last line of a mount point is the one that is seen.
    for line in mounts.lines() {
        let (front, behind) = line.split_once(" - ").expect("a separator");
        let front: Vec<&str> = front.split(' ').collect();
        let fs_type = behind.split(' ').next().expect("a type");
        devices.insert(
            front[4].to_owned(),
            (front[2].to_owned(), fs_type.to_owned()),
        );
    }
    let shown_devices: BTreeSet<&str> = (shown.iter())
        .filter_map(|mount| devices.get(mount))
        .map(|(device, _)| device.as_str())
        .collect();
    assert_eq!(
        shown_devices.len(),
        shown.len(),
        "a device is shown twice: {shown:?}"
    );
    let in_memory = ["tmpfs", "devtmpfs", "ramfs"];
    let always_full = ["squashfs", "iso9660", "erofs", "cramfs"];
    for mount in df("size").keys() {
        let Some((device, fs_type)) = devices.get(mount) else {
            continue;
        };
        let reason = shown.contains(mount)
            || shown_devices.contains(device.as_str())
            || in_memory.contains(&fs_type.as_str())
            || always_full.contains(&fs_type.as_str())
            || (fs_type == "overlay" && mount != "/")
            || fs_type == "efivarfs"
            || Path::new(mount).is_file();
        assert!(
            reason,
            "`{mount}` ({fs_type}, {device}) is left out: {shown:?}"
        );
    }
}

#[tokio::test]
async fn memory_is_as_free_says() {
    let reading = look("{}", &at_a_prompt()).await;
    let memory = free("Mem:");
    let (total, available) = (memory[0], memory[5]);
    assert!((get(&reading, "ram_total_bytes") - total).abs() < 1.0);
    // Compilers and other tests run meanwhile.
    let drift_bytes = 1.5e9_f64.min(0.2 * total);
    assert!((get(&reading, "ram_available_bytes") - available).abs() < drift_bytes);
    let used_percent = 100.0 * (total - available) / total;
    let drift_percent = 100.0 * drift_bytes / total;
    assert!((get(&reading, "ram_percent") - used_percent).abs() < drift_percent);
    let swap = free("Swap:");
    let ours = number(&reading, "swap_percent", None);
    assert_eq!(
        ours.is_some(),
        swap[0] > 0.0,
        "swap is told where there is some"
    );
    if let Some(percent) = ours {
        assert!((percent - 100.0 * swap[1] / swap[0]).abs() < 10.0);
    }
}

#[tokio::test]
async fn load_cores_and_uptime_are_as_the_kernel_says() {
    let uptime_seconds = || -> f64 {
        let text = file("/proc/uptime");
        text.split(' ')
            .next()
            .and_then(|word| word.parse().ok())
            .expect("a number")
    };
    let before_seconds = uptime_seconds();
    let reading = look("{}", &at_a_prompt()).await;
    let after_seconds = uptime_seconds();
    let uptime = get(&reading, "uptime_seconds");
    assert!((before_seconds..=after_seconds).contains(&uptime));

    let text = file("/proc/loadavg");
    let loads: Vec<f64> = text
        .split(' ')
        .take(3)
        .map(|word| word.parse().expect("a number"))
        .collect();
    // The kernel computes the averages anew every 5 seconds; one step moves the first by 8 % of the running tasks.
    for (metric, load) in ["load_1m", "load_5m", "load_15m"].into_iter().zip(loads) {
        let ours = get(&reading, metric);
        assert!(
            (ours - load).abs() <= 1.0 + 0.2 * load,
            "{metric}: {ours} or {load}"
        );
    }
    let online = tool("getconf", &["_NPROCESSORS_ONLN"]);
    let online: f64 = online.trim().parse().expect("a number");
    assert!((get(&reading, "cpu_cores") - online).abs() < f64::EPSILON);
    let allowed: f64 = tool("nproc", &[]).trim().parse().expect("a number");
    assert!(
        allowed <= get(&reading, "cpu_cores"),
        "nproc knows fewer, never more"
    );
    let per_core = get(&reading, "load_5m") / online;
    assert!((get(&reading, "load_per_core") - per_core).abs() < 1e-9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_core_shows() {
    let stop = Arc::new(AtomicBool::new(false));
    let burner = std::thread::Builder::new()
        .name("burner".to_owned())
        .spawn({
            let stop = Arc::clone(&stop);
            move || {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            }
        });
    let burner = burner.expect("a thread");
    let second = run(Duration::from_secs(5), Duration::from_secs(1));
    let reading = look("{}", &second).await;
    stop.store(true, Ordering::Relaxed);
    burner.join().expect("the thread ends");

    let cores = get(&reading, "cpu_cores");
    let interval_ms: f64 = fact(&reading, "cpu_interval_ms")
        .and_then(|ms| ms.parse().ok())
        .expect("a number");
    assert!((1000.0..5000.0).contains(&interval_ms), "{interval_ms}");
    // One core of all is busy, or as much of it as a container may use, whoever else is; a tenth is left for ticks
    // that were not counted yet.
    let allowed_cores =
        number(&reading, "cgroup_cpu_limit_cores", None).map_or(1.0, |cores| cores.min(1.0));
    let least = 0.9 * 100.0 * allowed_cores / cores;
    let busy = get(&reading, "cpu_percent");
    assert!(
        (least..=100.0).contains(&busy),
        "{busy} % with {cores} cores"
    );
    assert!(fact(&reading, "top_cpu").is_some(), "somebody was busy");
}
