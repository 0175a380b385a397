//! This machine: processors, memory, disks, load, and the processes that need most.
//!
//! A look reads the counters twice, `cpu_window` apart, and asks the file systems meanwhile. Whatever cannot be
//! read or understood is a gap of its own metrics; nothing is taken as zero.
//!
//! How you could get this wrong, and what catches it: a path that may hang (`statvfs` on a network mount) must go
//! through [`patience`]; arguments of processes must never be read (a test hides a secret in some); and the numbers
//! must be those of the system's own tools (`tests/it/local_hosts/tools.rs` compares them).

mod container;
mod disks;
mod files;
mod patience;

use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::Deserialize;

use self::container::Limits;
use self::files::{First, Second};
use self::patience::Patience;
use crate::clients::Clients;
use crate::collectors::host::{choice, cpu, memory, metrics, process, system};
use crate::collectors::{Collector, Home, RunContext, SettingsProblem, THIS_MACHINE, Variables};
use crate::model::{Failure, KindSpec, Reading, Rule, Target};

pub use self::files::HostFiles;

/// How long a file system may take to answer.
const DISK_LIMIT: Duration = Duration::from_secs(2);
/// Kept back from the time of a look, so that it can still say how far it came.
const MOST_RESERVE: Duration = Duration::from_millis(250);

/// Looks at the machine that it runs on.
#[derive(Debug)]
pub struct LocalHosts {
    files: HostFiles,
    patience: Patience,
}

/// What an entry of `local_hosts` takes; `- {}` is enough.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Mount points that are not looked at, as globs in which `*` also matches `/`. A file system that is mounted in
    /// several places is shown under the shortest one that is not excluded.
    #[serde(default)]
    pub exclude_mounts: Vec<String>,
    /// How many of the processes that need most processor time and most memory are named, 0 to 50. Names only:
    /// arguments hold passwords.
    #[serde(default = "choice::usual_top_processes")]
    #[schemars(range(min = 0, max = 50))]
    pub top_processes: u8,
}

impl LocalHosts {
    /// A collector that finds the kernel's files elsewhere. Does no I/O.
    #[must_use]
    pub fn with_files(files: HostFiles) -> Self {
        Self {
            files,
            patience: Patience::default(),
        }
    }
}

impl Collector for LocalHosts {
    const KIND: KindSpec = KindSpec {
        key: "local_hosts",
        title: "This machine",
        how: "Reads `/proc` twice, asks each mounted file system how full it is, and shows the limits of the container \
              it runs in beside those of the machine. Nothing is sent anywhere, and no rights are needed.",
        sample: "\
# This machine needs no settings: `- {}` is enough. Its name is the host name.
- name: this-machine
  # Mount points to leave out, as globs. Pseudo file systems, memory file systems and images that are always
  # full (snap, ISO) are left out anyway.
  exclude_mounts: [\"/mnt/backup*\"]
  # How many of the busiest and the largest processes are named, 0 to 50. Names only, never arguments.
  top_processes: 5
",
        metrics: metrics::ALL,
        default_timeout: Duration::from_secs(5),
        built: true,
    };
    type Settings = Settings;

    fn new(_clients: &Clients) -> Self {
        Self::with_files(HostFiles::default())
    }

    /// The host name.
    fn home(_settings: &Settings) -> Option<Home> {
        Some(Home::Is(THIS_MACHINE.to_owned()))
    }

    fn default_name(_settings: &Settings) -> String {
        let uname = rustix::system::uname();
        let name = uname.nodename().to_string_lossy();
        match name.trim() {
            "" | "(none)" => "localhost".to_owned(),
            name => name.to_owned(),
        }
    }

    fn rules(_settings: &Settings) -> Vec<Rule> {
        metrics::rules()
    }

    fn check(settings: &Settings, _: Variables<'_>) -> Vec<SettingsProblem> {
        choice::check(&settings.exclude_mounts, settings.top_processes)
    }

    async fn look(
        &self,
        _target: &Target,
        settings: &Settings,
        run: &RunContext,
    ) -> Result<Reading, Failure> {
        let began = Instant::now();
        let reserve = (run.timeout / 10).min(MOST_RESERVE);
        let whole = run.timeout.saturating_sub(reserve);
        let left = || whole.saturating_sub(began.elapsed());
        let window = run.cpu_window.min(whole / 2);
        let top = usize::from(settings.top_processes.min(choice::MOST_TOP_PROCESSES));

        let files = self.files.clone();
        let first = (self.patience)
            .call("first pass", left(), move || files.first_pass(top > 0))
            .await
            .map_err(|why| no_answer(&why))?;

        let mut reading = Reading::default();
        let mut of_disks = Reading::default();
        let file_systems =
            choice::file_systems(&mut of_disks, &first.mounts, &settings.exclude_mounts)?;
        let disk_limit = DISK_LIMIT.min(left());
        let asking = disks::measure(&mut of_disks, &self.patience, &file_systems, disk_limit);

        let files = self.files.clone();
        let limits = first.limits.clone();
        let until = tokio::time::Instant::from_std(first.counters.stat_at + window);
        let waiting = async {
            tokio::time::sleep_until(until).await;
            let pass = move || files.second_pass(top > 0, &limits);
            self.patience.call("second pass", left(), pass).await
        };
        let ((), second) = tokio::join!(asking, waiting);
        let second = match second {
            Ok(second) => second,
            Err(why) => return Err(no_answer(&why).seen(of_disks)),
        };
        measure(&mut reading, &first, &second, top, of_disks);
        Ok(reading)
    }
}

/// The kernel's own files answer at once, unless the machine is in deep trouble or we are.
fn no_answer(why: &str) -> Failure {
    Failure::ours(format!("reading the files of the kernel: it {why}"))
        .hint("see what holds the machine up: `dmesg | tail`, `cat /proc/pressure/*`")
}

/// Puts the parts together, in the order of the documentation.
fn measure(reading: &mut Reading, first: &First, second: &Second, top: usize, of_disks: Reading) {
    let (before, after) = (&first.counters, &second.counters);
    let interval = after.stat_at.saturating_duration_since(before.stat_at);
    let cores = cpu::measure(reading, &before.stat, &after.stat, interval);
    let memory_bytes = memory::measure(reading, &second.memory);
    system::measure_load(reading, &second.load, cores);
    system::measure_uptime(reading, &second.uptime);
    reading.measurements.extend(of_disks.measurements);
    reading.gaps.extend(of_disks.gaps);

    let cpu_used = (before.quota_used_us.zip(after.quota_used_us))
        .map(|(before, after)| Duration::from_micros(after.saturating_sub(before)));
    let limits: &Limits = &first.limits;
    let memory_used = &second.memory_used;
    limits.measure(
        reading,
        memory_bytes,
        cores,
        memory_used,
        cpu_used,
        interval,
    );

    let facts = [
        ("host_name", second.host_name.clone()),
        ("operating_system", second.operating_system.clone()),
        ("kernel", second.kernel.clone()),
        (
            "top_cpu",
            process::busiest(
                &before.processes,
                &after.processes,
                rustix::param::clock_ticks_per_second(),
                after
                    .processes_at
                    .saturating_duration_since(before.processes_at),
                top,
            ),
        ),
        (
            "top_memory",
            process::largest(&after.processes, page_bytes(), top),
        ),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            reading.fact(name, value);
        }
    }
}

fn page_bytes() -> u64 {
    u64::try_from(rustix::param::page_size()).unwrap_or(4096)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Limit, Threshold};

    #[test]
    fn mistakes_in_the_settings_are_found() {
        let settings = Settings {
            exclude_mounts: vec!["/mnt/*".to_owned(), "/mnt/[".to_owned()],
            top_processes: 51,
        };
        let messages: Vec<String> = (LocalHosts::check(&settings, &|_| None).into_iter())
            .map(|problem| format!("{}: {}", problem.key, problem.message))
            .collect();
        assert_eq!(
            messages,
            [
                "exclude_mounts: `/mnt/[` is no glob: unclosed character class; missing ']'",
                "top_processes: expected a whole number from 0 to 50, found `51`",
            ]
        );
    }

    #[test]
    fn the_limits_are_those_of_the_specification() {
        let settings = Settings {
            exclude_mounts: Vec::new(),
            top_processes: 5,
        };
        let at = |limit: Limit| Some(Threshold::At(limit));
        let expected = [
            ("cpu_percent", Limit::above(70.0), Limit::above(90.0)),
            ("ram_percent", Limit::above(70.0), Limit::above(90.0)),
            ("disk_free_percent", Limit::below(20.0), Limit::below(10.0)),
            ("inode_free_percent", Limit::below(20.0), Limit::below(10.0)),
        ];
        let rules = LocalHosts::rules(&settings);
        assert_eq!(rules.len(), expected.len());
        for (rule, (metric, yellow, red)) in rules.iter().zip(expected) {
            assert_eq!(rule.metric, metric);
            assert_eq!((&rule.yellow, &rule.red), (&at(yellow), &at(red)));
            assert!(LocalHosts::KIND.metric(metric).is_some());
        }
    }

    #[test]
    fn the_name_is_never_empty() {
        let settings = Settings {
            exclude_mounts: Vec::new(),
            top_processes: 0,
        };
        assert!(!LocalHosts::default_name(&settings).is_empty());
    }
}
