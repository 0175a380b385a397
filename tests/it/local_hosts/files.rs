//! Other systems and broken ones, told by laid files.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use super::*;
use roundsman::collectors::local_hosts::HostFiles;

/// Files laid in the place of the kernel's.
struct Laid {
    folder: tempfile::TempDir,
}

impl Laid {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, bytes) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, bytes).expect("a file");
        }
        Self { folder }
    }

    fn files(&self) -> HostFiles {
        let below = |name: &str| -> PathBuf { self.folder.path().join(name) };
        HostFiles {
            proc: below("proc"),
            cgroup: below("cgroup"),
            etc: below("etc"),
        }
    }
}

/// All metrics that a look at this machine has at least.
const EXPECTED_GAPS: [&str; 17] = [
    "cpu_percent",
    "cpu_iowait_percent",
    "cpu_steal_percent",
    "cpu_cores",
    "ram_percent",
    "ram_total_bytes",
    "ram_available_bytes",
    "swap_percent",
    "load_1m",
    "load_5m",
    "load_15m",
    "load_per_core",
    "uptime_seconds",
    "disk_free_percent",
    "disk_free_bytes",
    "disk_total_bytes",
    "inode_free_percent",
];

#[tokio::test]
async fn files_that_are_missing_or_broken_are_gaps() {
    let garbage: &[u8] = b"\xff\xfe garbage ) ( : - cpu MemTotal:\0\n\n";
    let broken = |bytes: &'static [u8]| {
        Laid::new(&[
            ("proc/stat", bytes),
            ("proc/meminfo", bytes),
            ("proc/loadavg", bytes),
            ("proc/uptime", bytes),
            ("proc/self/mountinfo", bytes),
            ("proc/self/cgroup", bytes),
            ("proc/1/stat", bytes),
            ("proc/2/stat/is-a-folder", bytes),
            ("cgroup/memory.max", bytes),
            ("cgroup/cpu.max", bytes),
            ("etc/os-release", bytes),
        ])
    };
    for laid in [Laid::new(&[]), broken(b""), broken(b"\n"), broken(garbage)] {
        let reading = look_at_files(laid.files(), Duration::from_millis(10)).await;
        assert!(
            reading.measurements.is_empty(),
            "{:?}",
            reading.measurements
        );
        let gaps: Vec<&str> = reading.gaps.iter().map(|gap| gap.metric).collect();
        assert_eq!(gaps, EXPECTED_GAPS);
        for gap in &reading.gaps {
            assert!(
                gap.message.contains('`') || gap.metric == "load_per_core",
                "{gap:?}"
            );
        }
    }
}

#[tokio::test]
async fn other_systems_are_told_from_their_files() {
    let laid = Laid::new(&[
        (
            "proc/stat",
            b"cpu  1 0 1 10 0 0 0 0 0 0\ncpu0 1 0 1 10 0 0 0 0 0 0\n",
        ),
        (
            "proc/meminfo",
            b"MemTotal: 4000 kB\nMemFree: 500 kB\nBuffers: 100 kB\nCached: 500 kB\nShmem: 100 kB\n",
        ),
        ("proc/loadavg", b"0.10 0.20 0.30 1/100 999\n"),
        ("proc/uptime", b"99.5 10.0\n"),
        (
            "proc/self/mountinfo",
            b"20 1 8:1 / / rw - ext4 /dev/a rw\n21 20 8:2 / /not/here rw - nfs4 nas:/ rw\nbroken\n",
        ),
        ("proc/self/cgroup", b"0::/\n"),
        ("cgroup/memory.max", b"1048576\n"),
        ("cgroup/memory.current", b"524288\n"),
        ("etc/os-release", b"PRETTY_NAME=\"Old Linux 1\"\n"),
    ]);
    let reading = look_at_files(laid.files(), Duration::from_millis(10)).await;
    // The counters stand still, one mount is not there, one line is garbled; all the rest is told.
    let gaps: BTreeSet<(&str, Option<&str>)> = (reading.gaps.iter())
        .map(|gap| (gap.metric, gap.subject.as_deref()))
        .collect();
    assert!(gaps.contains(&("cpu_percent", None)));
    assert!(gaps.contains(&("disk_free_percent", None)));
    assert!(gaps.contains(&("disk_free_percent", Some("/not/here"))));
    assert!(number(&reading, "disk_free_percent", Some("/")).is_some());
    assert!((get(&reading, "ram_percent") - 75.0).abs() < 1e-9);
    assert!((get(&reading, "cgroup_ram_percent") - 50.0).abs() < 1e-9);
    assert_eq!(fact(&reading, "container_limits"), Some("1 MiB of memory"));
    assert_eq!(fact(&reading, "operating_system"), Some("Old Linux 1"));
    assert!(fact(&reading, "ram_available").is_some_and(|said| said.starts_with("estimated")));
}
