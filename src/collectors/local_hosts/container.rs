//! What the container that we may live in is allowed, and how much of it is used.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::files::{HostFiles, text};
use crate::collectors::host::metrics::{
    self, CGROUP_CPU_LIMIT_CORES, CGROUP_CPU_PERCENT, CGROUP_RAM_LIMIT_BYTES, CGROUP_RAM_PERCENT,
};
use crate::collectors::host::{cgroup, float, percent, size};
use crate::model::Reading;

/// The two versions of control groups name their files differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// A limit, and the group that has it.
#[derive(Debug, Clone, PartialEq)]
struct Limit<T> {
    amount: T,
    group: PathBuf,
    version: Version,
}

/// The smallest limits on the way from our own group to the root; they may belong to different groups.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Limits {
    memory_bytes: Option<Limit<u64>>,
    cpu_cores: Option<Limit<f64>>,
    /// Version 1 may count processor time in another place than it limits it.
    cpu_account: Option<PathBuf>,
}

/// How much memory the group with the smallest limit uses, in bytes; `None`: there is no limit.
pub(super) type Usage = Option<Result<u64, String>>;

/// Finds the limits. A machine without control groups has none.
pub(super) fn limits(files: &HostFiles) -> Limits {
    let Ok(own) = text(&files.proc.join("self/cgroup")) else {
        return Limits::default();
    };
    let groups = cgroup::parse(&own);
    let mut limits = Limits::default();
    if let Some(path) = &groups.memory {
        let mount = files.cgroup.join("memory");
        limits.take_memory(&mount, path, Version::One, "memory.limit_in_bytes");
    }
    if let Some(path) = &groups.cpu {
        // The usual links; a mount that lacks them has the name of both controllers.
        let mount = either(files.cgroup.join("cpu"), files.cgroup.join("cpu,cpuacct"));
        limits.take_cpu(&mount, path, Version::One);
        if let (Some(limit), Some(account_path)) = (&limits.cpu_cores, &groups.cpuacct) {
            let accounts = either(
                files.cgroup.join("cpuacct"),
                files.cgroup.join("cpu,cpuacct"),
            );
            // The limit may sit above us, and is counted for the group of the same name.
            let above = limit.group.strip_prefix(&mount).unwrap_or(Path::new(""));
            limits.cpu_account = (account_path == path).then(|| accounts.join(above));
        }
    }
    if let Some(path) = &groups.unified {
        limits.take_memory(&files.cgroup, path, Version::Two, "memory.max");
        limits.take_cpu(&files.cgroup, path, Version::Two);
    }
    limits
}

fn either(first: PathBuf, second: PathBuf) -> PathBuf {
    if first.is_dir() { first } else { second }
}

impl Limits {
    fn take_memory(&mut self, mount: &Path, path: &str, version: Version, file: &str) {
        for group in cgroup::way_up(path) {
            let group = mount.join(group);
            let found = text(&group.join(file)).ok();
            let Some(amount) = found.and_then(|found| cgroup::limit_bytes(&found)) else {
                continue;
            };
            let smallest = self.memory_bytes.as_ref().map(|limit| limit.amount);
            if smallest.is_none_or(|smallest| amount < smallest) {
                self.memory_bytes = Some(Limit {
                    amount,
                    group,
                    version,
                });
            }
        }
    }

    fn take_cpu(&mut self, mount: &Path, path: &str, version: Version) {
        for group in cgroup::way_up(path) {
            let group = mount.join(group);
            let file = |name: &str| text(&group.join(name)).ok();
            let found = match version {
                Version::Two => file("cpu.max").and_then(|max| cgroup::limit_cores(&max)),
                Version::One => file("cpu.cfs_quota_us")
                    .zip(file("cpu.cfs_period_us"))
                    .and_then(|(quota, period)| cgroup::cores(&quota, &period)),
            };
            let Some(amount) = found else {
                continue;
            };
            let smallest = self.cpu_cores.as_ref().map(|limit| limit.amount);
            if smallest.is_none_or(|smallest| amount < smallest) {
                self.cpu_cores = Some(Limit {
                    amount,
                    group,
                    version,
                });
            }
        }
    }

    /// What the group with the smallest quota has used so far, in microseconds.
    pub(super) fn cpu_used_us(&self) -> Option<u64> {
        let limit = self.cpu_cores.as_ref()?;
        match limit.version {
            Version::Two => cgroup::keyed(&text(&limit.group.join("cpu.stat")).ok()?, "usage_usec"),
            Version::One => {
                let account = self.cpu_account.as_ref()?;
                let used_ns: u64 = (text(&account.join("cpuacct.usage")).ok()?)
                    .trim()
                    .parse()
                    .ok()?;
                Some(used_ns / 1000)
            }
        }
    }

    /// What the group with the smallest memory limit uses, without the file cache that it would give back first:
    /// usage − `inactive_file`, as `docker stats`.
    pub(super) fn memory_used(&self) -> Usage {
        let limit = self.memory_bytes.as_ref()?;
        let (usage, inactive) = match limit.version {
            Version::Two => ("memory.current", "inactive_file"),
            Version::One => ("memory.usage_in_bytes", "total_inactive_file"),
        };
        let path = limit.group.join(usage);
        let used = text(&path).and_then(|text| {
            let number: Result<u64, _> = text.trim().parse();
            number.map_err(|_| format!("`{}` holds no number", path.display()))
        });
        let statistics = text(&limit.group.join("memory.stat")).unwrap_or_default();
        let inactive = cgroup::keyed(&statistics, inactive).unwrap_or(0);
        Some(used.map(|used| used.saturating_sub(inactive)))
    }

    /// Adds the limits that are tighter than the machine itself, and how much of them is used.
    pub(super) fn measure(
        &self,
        reading: &mut Reading,
        host_memory_bytes: Option<u64>,
        host_cores: Option<u32>,
        memory_used: &Usage,
        cpu_used: Option<Duration>,
        interval: Duration,
    ) {
        let mut told = Vec::new();
        let memory = (self.memory_bytes.as_ref())
            .map(|limit| limit.amount)
            .filter(|limit| host_memory_bytes.is_some_and(|host| *limit < host));
        if let Some(limit_bytes) = memory {
            told.push(format!("{} of memory", size(limit_bytes)));
            metrics::put(reading, &CGROUP_RAM_LIMIT_BYTES, None, float(limit_bytes));
            match memory_used {
                Some(Ok(used)) => metrics::put(
                    reading,
                    &CGROUP_RAM_PERCENT,
                    None,
                    percent(*used, limit_bytes),
                ),
                Some(Err(why)) => metrics::gap(reading, &[&CGROUP_RAM_PERCENT], None, why),
                None => {}
            }
        }
        let cores = (self.cpu_cores.as_ref())
            .map(|limit| limit.amount)
            .filter(|limit| host_cores.is_some_and(|host| *limit < f64::from(host)));
        if let Some(limit_cores) = cores {
            told.push(format!("{limit_cores:.2} cores"));
            metrics::put(reading, &CGROUP_CPU_LIMIT_CORES, None, limit_cores);
            match cpu_used {
                Some(used) if !interval.is_zero() => {
                    let used_cores = used.as_secs_f64() / interval.as_secs_f64();
                    let used_percent = 100.0 * used_cores / limit_cores;
                    metrics::put(reading, &CGROUP_CPU_PERCENT, None, used_percent);
                }
                _ => metrics::gap(
                    reading,
                    &[&CGROUP_CPU_PERCENT],
                    None,
                    "the processor time of our control group could not be read",
                ),
            }
        }
        if !told.is_empty() {
            reading.fact("container_limits", told.join(", "));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIBIBYTE: u64 = 1 << 30;

    /// Files under a folder of their own.
    struct Laid {
        folder: tempfile::TempDir,
    }

    impl Laid {
        fn new(files: &[(&str, &str)]) -> Self {
            let laid = Self {
                folder: tempfile::tempdir().expect("a folder"),
            };
            for (path, text) in files {
                laid.write(path, text);
            }
            laid
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }

        fn limits(&self) -> Limits {
            limits(&HostFiles {
                proc: self.folder.path().join("proc"),
                cgroup: self.folder.path().join("cgroup"),
                etc: self.folder.path().join("etc"),
            })
        }
    }

    fn told(limits: &Limits, cpu_used: Option<Duration>) -> Vec<String> {
        let mut reading = Reading::default();
        let used = limits.memory_used();
        let second = Duration::from_secs(1);
        limits.measure(
            &mut reading,
            Some(8 * GIBIBYTE),
            Some(4),
            &used,
            cpu_used,
            second,
        );
        (reading.measurements.iter())
            .map(|one| format!("{}={}", one.metric, one.value))
            .chain(reading.gaps.iter().map(|gap| format!("no {}", gap.metric)))
            .chain(reading.facts.into_iter().map(|fact| fact.value))
            .collect()
    }

    #[test]
    fn version_2_takes_the_smallest_limit_on_the_way() {
        let laid = Laid::new(&[
            ("proc/self/cgroup", "0::/app.slice/unit.service\n"),
            ("cgroup/app.slice/memory.max", "1073741824\n"),
            ("cgroup/app.slice/memory.current", "629145600\n"),
            (
                "cgroup/app.slice/memory.stat",
                "anon 1\ninactive_file 92274688\n",
            ),
            ("cgroup/app.slice/unit.service/memory.max", "max\n"),
            ("cgroup/app.slice/unit.service/memory.current", "1\n"),
            ("cgroup/app.slice/cpu.max", "400000 100000\n"),
            ("cgroup/app.slice/unit.service/cpu.max", "50000 100000\n"),
            (
                "cgroup/app.slice/unit.service/cpu.stat",
                "usage_usec 7000\nuser_usec 1\n",
            ),
        ]);
        let limits = laid.limits();
        assert_eq!(limits.cpu_used_us(), Some(7000));
        assert_eq!(
            told(&limits, Some(Duration::from_millis(250))),
            [
                "cgroup_ram_limit_bytes=1073741824",
                "cgroup_ram_percent=50",
                "cgroup_cpu_limit_cores=0.5",
                "cgroup_cpu_percent=50",
                "1.0 GiB of memory, 0.50 cores",
            ]
        );
    }

    #[test]
    fn version_1_in_a_container_is_found_at_the_root_of_the_mount() {
        let laid = Laid::new(&[
            (
                "proc/self/cgroup",
                "5:cpu,cpuacct:/docker/f3\n4:memory:/docker/f3\n0::/\n",
            ),
            ("cgroup/memory/memory.limit_in_bytes", "2147483648\n"),
            ("cgroup/memory/memory.usage_in_bytes", "1073741824\n"),
            (
                "cgroup/memory/memory.stat",
                "inactive_file 5\ntotal_inactive_file 536870912\n",
            ),
            ("cgroup/cpu,cpuacct/cpu.cfs_quota_us", "150000\n"),
            ("cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
            ("cgroup/cpu,cpuacct/cpuacct.usage", "9000000\n"),
        ]);
        let limits = laid.limits();
        assert_eq!(limits.cpu_used_us(), Some(9000));
        assert_eq!(
            told(&limits, Some(Duration::from_millis(750))),
            [
                "cgroup_ram_limit_bytes=2147483648",
                "cgroup_ram_percent=25",
                "cgroup_cpu_limit_cores=1.5",
                "cgroup_cpu_percent=50",
                "2.0 GiB of memory, 1.50 cores",
            ]
        );
    }

    #[test]
    fn limits_as_large_as_the_machine_are_none() {
        let laid = Laid::new(&[
            ("proc/self/cgroup", "3:memory:/\n2:cpu:/\n0::/a\n"),
            (
                "cgroup/memory/memory.limit_in_bytes",
                "9223372036854771712\n",
            ),
            ("cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
            ("cgroup/cpu/cpu.cfs_period_us", "100000\n"),
            ("cgroup/a/cpu.max", "400000 100000\n"),
        ]);
        assert_eq!(told(&laid.limits(), None), [""; 0]);
        assert_eq!(Laid::new(&[]).limits(), Limits::default());
    }

    #[test]
    fn a_limit_whose_use_cannot_be_read_is_a_gap() {
        let laid = Laid::new(&[
            ("proc/self/cgroup", "0::/\n"),
            ("cgroup/memory.max", "1073741824\n"),
            ("cgroup/memory.current", "much\n"),
            ("cgroup/cpu.max", "100000 100000\n"),
        ]);
        assert_eq!(
            told(&laid.limits(), None),
            [
                "cgroup_ram_limit_bytes=1073741824",
                "cgroup_cpu_limit_cores=1",
                "no cgroup_ram_percent",
                "no cgroup_cpu_percent",
                "1.0 GiB of memory, 1.00 cores",
            ]
        );
    }
}
