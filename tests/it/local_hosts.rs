//! `local_hosts`, held against what the system's own tools say about this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use roundsman::clients::Clients;
use roundsman::clock::SystemClock;
use roundsman::collectors::local_hosts::{HostFiles, LocalHosts, Settings};
use roundsman::collectors::{Collector, Kind, RunContext, kind};
use roundsman::document::{LIMITS, parse};
use roundsman::model::{Common, Reading, Target, TargetId, Urgency, Value};

fn spec() -> &'static Kind {
    kind("local_hosts").expect("the kind is built in")
}

/// A target from the text of one entry.
fn target(entry: &str) -> Target {
    let mut problems = Vec::new();
    let file = Arc::from("entry.yaml");
    let node = parse(&file, entry, LIMITS, &mut problems).expect("a document");
    assert!(problems.is_empty(), "{problems:?}");
    let settings = (spec().read)(&node).expect("settings of the kind");
    assert_eq!((spec().check)(&settings, &|_| None), []);
    Target {
        id: TargetId {
            kind: "local_hosts",
            name: (spec().default_name)(&settings).into(),
        },
        common: Common {
            critical: true,
            urgency: Urgency::Normal,
            timeout: spec().spec.default_timeout,
            labels: BTreeMap::new(),
            depends_on: Vec::new(),
            runbook: None,
        },
        settings,
    }
}

fn run(timeout: Duration, cpu_window: Duration) -> RunContext {
    RunContext {
        timeout,
        cpu_window,
        clock: Arc::new(SystemClock),
    }
}

fn at_a_prompt() -> RunContext {
    run(Duration::from_secs(5), Duration::from_millis(250))
}

async fn look(entry: &str, run: &RunContext) -> Reading {
    let collector = (spec().new)(&Clients::new());
    let reading = collector.look(&target(entry), run).await;
    reading.expect("this machine can be looked at")
}

async fn look_at_files(files: HostFiles, window: Duration) -> Reading {
    let collector = LocalHosts::with_files(files);
    let target = target("{}");
    let settings: &Settings = target.settings.downcast_ref().expect("our settings");
    let run = run(Duration::from_secs(5), window);
    let reading = Collector::look(&collector, &target, settings, &run).await;
    reading.expect("broken files are gaps, not failures")
}

/// The number of a metric, if it was measured.
fn number(reading: &Reading, metric: &str, subject: Option<&str>) -> Option<f64> {
    let found = reading.measurements.iter().find(|measurement| {
        measurement.metric == metric && measurement.subject.as_deref() == subject
    })?;
    match found.value {
        Value::Number(number) => Some(number),
        _ => panic!("`{metric}` is no number"),
    }
}

fn get(reading: &Reading, metric: &str) -> f64 {
    number(reading, metric, None).unwrap_or_else(|| panic!("no `{metric}` in {reading:#?}"))
}

fn fact<'a>(reading: &'a Reading, name: &str) -> Option<&'a str> {
    let found = reading.facts.iter().find(|fact| fact.name == name)?;
    Some(&found.value)
}

fn subjects(reading: &Reading, metric: &str) -> BTreeSet<String> {
    (reading.measurements.iter())
        .filter(|measurement| measurement.metric == metric)
        .filter_map(|measurement| measurement.subject.clone())
        .collect()
}

/// What a tool of the system prints.
fn tool(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .output()
        .unwrap_or_else(|error| panic!("`{program}` is needed for this test: {error}"));
    String::from_utf8(output.stdout).expect("text")
}

fn file(path: &str) -> String {
    std::fs::read_to_string(path).expect(path)
}

/// The lines of `df`, without the heading: mount point → numbers.
fn df(columns: &str) -> BTreeMap<String, Vec<f64>> {
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
    let text = tool("free", &["-b"]);
    let row = |name: &str| -> Vec<f64> {
        let line = text
            .lines()
            .find(|line| line.starts_with(name))
            .expect(name);
        line.split_whitespace()
            .skip(1)
            .filter_map(|word| word.parse().ok())
            .collect()
    };
    let memory = row("Mem:");
    let (total, available) = (memory[0], memory[5]);
    assert!((get(&reading, "ram_total_bytes") - total).abs() < 1.0);
    // Compilers and other tests run meanwhile.
    let drift_bytes = 1.5e9_f64.min(0.2 * total);
    assert!((get(&reading, "ram_available_bytes") - available).abs() < drift_bytes);
    let used_percent = 100.0 * (total - available) / total;
    let drift_percent = 100.0 * drift_bytes / total;
    assert!((get(&reading, "ram_percent") - used_percent).abs() < drift_percent);
    let swap = row("Swap:");
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

/// A FUSE file system that nobody serves holds whoever asks about it, as a dead NFS server does. It is mounted in a
/// mount namespace of its own, so that nothing else on this machine meets it.
#[test]
fn a_dead_mount_hangs_no_look() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = "exec 3<>/dev/fuse && \
                  mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 dead \"$1\" && \
                  DEAD_MOUNT=\"$1\" exec \"$2\" --exact --ignored local_hosts::looks_beside_a_dead_mount";
    let may_mount = Command::new("unshare")
        .args(["--mount", "sh", "-c", "exec 3<>/dev/fuse"])
        .status()
        .is_ok_and(|status| status.success());
    if !may_mount {
        println!("skipped: mounting needs root, `unshare` and /dev/fuse");
        return;
    }
    let began = Instant::now();
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(folder.path())
        .arg(std::env::current_exe().expect("this test"))
        .output()
        .expect("`unshare` runs");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("1 passed"), "{told}");
    // The threads that are still held do not hold the process.
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
#[ignore = "runs beside a dead mount only: `a_dead_mount_hangs_no_look` starts it"]
#[expect(
    clippy::disallowed_methods,
    reason = "the parent process says where the mount is"
)]
async fn looks_beside_a_dead_mount() {
    let mount = std::env::var("DEAD_MOUNT").expect("the mount point");
    let threads = || {
        std::fs::read_dir("/proc/self/task")
            .expect("our threads")
            .count()
    };
    let collector = (spec().new)(&Clients::new());
    let target = target("{}");
    let before = threads();
    for (number, bounds_ms) in [(1, 2000..4500), (2, 250..1500), (3, 250..1500)] {
        let began = Instant::now();
        let reading = collector
            .look(&target, &at_a_prompt())
            .await
            .expect("a reading");
        let took_ms = began.elapsed().as_millis();
        assert!(
            bounds_ms.contains(&took_ms),
            "look {number} took {took_ms} ms"
        );
        let gaps: BTreeSet<Option<&str>> = (reading.gaps.iter())
            .map(|gap| gap.subject.as_deref())
            .collect();
        assert_eq!(
            gaps,
            BTreeSet::from([Some(mount.as_str())]),
            "{:?}",
            reading.gaps
        );
        assert!(subjects(&reading, "disk_free_percent").contains("/"));
        // One thread is held, however many looks there were; those that answered end on their own.
        let began = Instant::now();
        while threads() != before + 1 {
            assert!(
                began.elapsed() < Duration::from_secs(5),
                "{} threads",
                threads()
            );
            tokio::task::yield_now().await;
        }
    }
}
