//! From the sections of an answer to a reading. The parsers are those of `local_hosts`: both say the same about the
//! same text.

use std::time::Duration;

use super::sections::Sections;
use super::settings::Settings;
use super::{disks, script, units};
use crate::collectors::host::process::{self, Process};
use crate::collectors::host::{Text, choice, cpu, memory, one_line, system};
use crate::model::{Failure, Reading};

/// Ticks of `/proc/PID/stat` in a second: `USER_HZ`, which is 100 on every architecture that Linux still runs on but
/// Alpha.
const TICKS_PER_SECOND: u64 = 100;
/// The usual size of a page, for systems that do not say.
const USUAL_PAGE_BYTES: u64 = 4096;
/// Names of hosts and systems are shorter.
const MOST_FACT_CHARACTERS: usize = 200;

/// One pass over the counters or the processes: when it was, by the server's own clock, and what it gave.
struct Pass<'a> {
    uptime: Option<Duration>,
    first_line: &'a [u8],
    text: &'a [u8],
}

impl<'a> Pass<'a> {
    /// The first line is that of `/proc/uptime`.
    fn of(section: &'a [u8]) -> Self {
        let end = section.iter().position(|byte| *byte == b'\n');
        let (line, rest) = section.split_at(end.map_or(section.len(), |end| end + 1));
        let words = std::str::from_utf8(line).unwrap_or_default();
        let seconds = words.split_ascii_whitespace().next();
        let seconds: Option<f64> = seconds.and_then(|word| word.parse().ok());
        let uptime = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Self {
            uptime,
            first_line: line,
            text: if uptime.is_some() { rest } else { section },
        }
    }

    /// How long after `before` it was.
    fn since(&self, before: &Self) -> Option<Duration> {
        let interval = self.uptime?.checked_sub(before.uptime?)?;
        (!interval.is_zero()).then_some(interval)
    }
}

/// Puts the parts together, in the order of the documentation.
///
/// # Errors
/// The settings are wrong.
pub(super) fn measure(
    reading: &mut Reading,
    sections: &Sections<'_>,
    settings: &Settings,
) -> Result<(), Failure> {
    let about = sections.first("system").unwrap_or_default();
    let two = |name: &str| {
        let mut passes = sections.all(name).map(Pass::of);
        (passes.next(), passes.next())
    };
    let (before, after) = two("counters");
    let stat =
        |pass: &Option<Pass<'_>>| text(pass.as_ref().map_or(&[], |pass| pass.text), "/proc/stat");
    let interval = (before.as_ref().zip(after.as_ref()))
        .and_then(|(before, after)| after.since(before))
        .unwrap_or(script::WINDOW);
    let cores = cpu::measure(reading, &stat(&before), &stat(&after), interval);
    let of_memory = sections.first("memory").unwrap_or_default();
    memory::measure(reading, &text(of_memory, "/proc/meminfo"));
    // Its line comes first.
    system::measure_load(reading, &text(of_memory, "/proc/loadavg"), cores);
    let last = after.as_ref().map_or(&[][..], |pass| pass.first_line);
    system::measure_uptime(reading, &text(last, "/proc/uptime"));

    let mounts = sections.first("mounts").unwrap_or_default();
    let mountinfo = match refused(mounts, "/proc/self/mountinfo") {
        Some(why) => Err(why),
        None => Ok(mounts.to_vec()),
    };
    let file_systems = choice::file_systems(reading, &mountinfo, &settings.exclude_mounts)?;
    let answers = sections.first("answers").unwrap_or_default();
    disks::measure(reading, &file_systems, answers);

    facts_about(reading, about);
    top_processes(reading, two("processes"), settings, page_bytes(about));
    let has_systemd = value(about, "systemd").is_some();
    units::measure_failed_units(reading, answers, has_systemd);
    units::measure_reboot(reading, sections.first("reboot").unwrap_or_default());
    Ok(())
}

/// The text of a file in a section, or why it could not be had.
fn text(section: &[u8], path: &str) -> Text {
    match refused(section, path) {
        Some(why) => Err(why),
        None => Ok(String::from_utf8_lossy(section).into_owned()),
    }
}

/// Why `cat` or `sed` could not read a file: `cat: /proc/meminfo: Permission denied`, in the words of [`Text`].
fn refused(section: &[u8], path: &str) -> Option<String> {
    let complaints = section
        .split(|byte| *byte == b'\n')
        .filter(|line| line.starts_with(b"cat: ") || line.starts_with(b"sed: "));
    complaints.into_iter().find_map(|line| {
        let line = String::from_utf8_lossy(line);
        let (_, why) = line.split_once(path)?;
        let why = one_line(why.trim_start_matches(['\'', ':', ' ']));
        let why = units::cut(&why, MOST_FACT_CHARACTERS);
        Some(format!("`{path}` could not be read: {why}"))
    })
}

/// What stands behind a key in the section `system`.
fn value(about: &[u8], key: &str) -> Option<String> {
    let line = about.split(|byte| *byte == b'\n').find_map(|line| {
        let rest = line.strip_prefix(key.as_bytes())?;
        (rest.is_empty() || rest.starts_with(b" ")).then_some(rest)
    })?;
    Some(one_line(&String::from_utf8_lossy(line)))
}

/// Which system it is: the kernel's word for itself, `Linux`.
pub(super) fn system_of(sections: &Sections<'_>) -> String {
    value(sections.first("system").unwrap_or_default(), "system").unwrap_or_default()
}

fn facts_about(reading: &mut Reading, about: &[u8]) {
    let facts = [
        ("host_name", value(about, "hostname")),
        (
            "operating_system",
            system::pretty_name(&String::from_utf8_lossy(about)),
        ),
        ("kernel", value(about, "osrelease")),
    ];
    for (name, value) in facts {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            reading.fact(name, units::cut(&value, MOST_FACT_CHARACTERS));
        }
    }
}

fn top_processes(
    reading: &mut Reading,
    (before, after): (Option<Pass<'_>>, Option<Pass<'_>>),
    settings: &Settings,
    page_bytes: u64,
) {
    let top = usize::from(settings.top_processes.min(choice::MOST_TOP_PROCESSES));
    let (Some(before), Some(after)) = (before, after) else {
        return;
    };
    if top == 0 {
        return;
    }
    let interval = after.since(&before).unwrap_or(script::WINDOW);
    let (before, after) = (processes(before.text), processes(after.text));
    let busiest = process::busiest(&before, &after, TICKS_PER_SECOND, interval, top);
    let facts = [
        ("top_cpu", busiest),
        ("top_memory", process::largest(&after, page_bytes, top)),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            reading.fact(name, value);
        }
    }
}

/// The processes of one pass, in short lines or, where the script could not shorten one, as the kernel wrote it.
fn processes(text: &[u8]) -> Vec<Process> {
    let lines = text.split(|byte| *byte == b'\n');
    lines
        .filter_map(|line| process::parse_short(line).or_else(|| process::parse(line)))
        .collect()
}

/// The size of a page: that of the server's shell in bytes, divided by that in pages. Both are read one after the
/// other, and a shell may grow between; a page is a power of two.
fn page_bytes(about: &[u8]) -> u64 {
    let pages = value(about, "statm");
    let pages = pages.and_then(|line| line.split_ascii_whitespace().next()?.parse::<u64>().ok());
    let bytes = value(about, "stat").and_then(|line| {
        let (_, fields) = line.rsplit_once(')')?;
        // Field 23 of proc_pid_stat(5); behind the name comes field 3.
        fields
            .split_ascii_whitespace()
            .nth(23 - 3)?
            .parse::<u64>()
            .ok()
    });
    let Some((pages @ 1.., bytes)) = pages.zip(bytes) else {
        return USUAL_PAGE_BYTES;
    };
    // The nearest power of two: a quarter is added before rounding down.
    let about_bytes = bytes / pages;
    let exponent = about_bytes.saturating_add(about_bytes / 4).checked_ilog2();
    match exponent {
        Some(exponent @ 12..=18) => 1 << exponent,
        _ => USUAL_PAGE_BYTES,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::super::sections::{Found, find};
    use super::*;

    fn settings(yaml: serde_json::Value) -> Settings {
        serde_json::from_value(yaml).expect("settings")
    }

    fn usual() -> Settings {
        settings(serde_json::json!({ "host": "web-1" }))
    }

    fn measured(parts: &[(&str, &str)], settings: &Settings) -> Reading {
        let mut output = String::from("--- roundsman-ssh-monitor 1 w\n");
        for (name, text) in parts.iter().chain([&("end", "")]) {
            write!(output, "--- w {name}\n{text}").expect("a string");
        }
        let Found::Sections(sections) = find(output.as_bytes()) else {
            panic!("{output}");
        };
        assert!(sections.whole);
        let mut reading = Reading::default();
        measure(&mut reading, &sections, settings).expect("the settings are right");
        reading
    }

    fn values(reading: &Reading) -> Vec<String> {
        let name = |one: &crate::model::Measurement| match &one.subject {
            Some(subject) => format!("{} {subject}={}", one.metric, one.value),
            None => format!("{}={}", one.metric, one.value),
        };
        reading.measurements.iter().map(name).collect()
    }

    fn facts(reading: &Reading) -> Vec<String> {
        let facts = reading.facts.iter();
        facts
            .map(|fact| format!("{}: {}", fact.name, fact.value))
            .collect()
    }

    /// An ARM server with pages of 64 KiB.
    const PARTS: &[(&str, &str)] = &[
        (
            "system",
            "system Linux\nhostname web-1\nosrelease 6.1.0\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nsystemd\n\
             statm 100 45 37 27 0 13 0\n\
             stat 7 (s h) R 1 7 7 0 -1 4194304 102 0 0 0 0 0 0 0 20 0 1 0 353286 6619136 61 1844 0\n",
        ),
        (
            "mounts",
            "20 1 8:1 / / rw - ext4 - rw\n21 20 0:45 / /mnt/nas rw - nfs4 - rw\n22 20 0:22 / /run rw - tmpfs - rw\n",
        ),
        (
            "processes",
            "99.00 10.0\n1 10 10 1 100 init\n2 50 50 5 200 my (odd) job\n",
        ),
        (
            "counters",
            "99.10 10.0\ncpu  100 0 100 800 0 0 0 0 0 0\ncpu0 50 0 50 400 0 0 0 0 0 0\ncpu1 50 0 50 400 0 0 0 0 0 0\n",
        ),
        (
            "counters",
            "100.35 10.0\ncpu  150 0 100 850 0 0 0 0 0 0\ncpu0 75 0 50 425 0 0 0 0 0 0\ncpu1 75 0 50 425 0 0 0 0 0 0\n",
        ),
        (
            "processes",
            "101.00 10.0\n1 10 10 1 100 init\n2 150 50 5 200 my (odd) job\n",
        ),
        (
            "memory",
            "0.50 1.00 2.00 1/200 77\nMemTotal: 1000 kB\nMemAvailable: 250 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
        ),
        ("reboot", "known\nrequired\nlinux-base\n"),
        (
            "answers",
            "fs 4096 1000 300 250 200 50 /\nfs 4096 100 40 40 0 0 /mnt/nas\nunit a.service loaded failed\nunits 0\n",
        ),
    ];

    #[test]
    fn an_answer_becomes_a_reading() {
        let reading = measured(PARTS, &usual());
        assert!(reading.gaps.is_empty(), "{:?}", reading.gaps);
        assert_eq!(
            values(&reading),
            [
                "cpu_percent=50",
                "cpu_iowait_percent=0",
                "cpu_steal_percent=0",
                "cpu_cores=2",
                "ram_percent=75",
                "ram_total_bytes=1024000",
                "ram_available_bytes=256000",
                "load_1m=0.5",
                "load_5m=1",
                "load_15m=2",
                "load_per_core=0.5",
                "uptime_seconds=100",
                "disk_free_percent /=26.3",
                "disk_free_bytes /=1024000",
                "disk_total_bytes /=4096000",
                "inode_free_percent /=25",
                "disk_free_percent /mnt/nas=40",
                "disk_free_bytes /mnt/nas=163840",
                "disk_total_bytes /mnt/nas=409600",
                "failed_units=1",
                "reboot_required=yes",
            ]
        );
        assert_eq!(
            facts(&reading),
            [
                "cpu_interval_ms: 1250",
                "cores: 2",
                "host_name: web-1",
                "operating_system: Debian GNU/Linux 12 (bookworm)",
                "kernel: 6.1.0",
                "top_cpu: my (odd) job 50.0 %",
                "top_memory: my (odd) job 12 MiB, init 6 MiB",
                "failed_units: a.service",
                "reboot_required: linux-base",
            ]
        );
    }

    #[test]
    fn settings_leave_out_mounts_and_processes() {
        let chosen = settings(serde_json::json!(
            {"host": "web-1", "exclude_mounts": ["/mnt/*"], "top_processes": 0}
        ));
        let reading = measured(PARTS, &chosen);
        assert!(!format!("{reading:?}").contains("/mnt/nas"));
        assert!(!format!("{reading:?}").contains("odd"));
    }

    #[test]
    fn what_cannot_be_read_is_a_gap() {
        let parts = [
            ("system", "system Linux\n"),
            (
                "mounts",
                "sed: can't read /proc/self/mountinfo: Permission denied\n",
            ),
            ("processes", ""),
            (
                "counters",
                "sed: /proc/uptime: No such file\nsed: can't read /proc/stat: Permission denied\n",
            ),
            ("counters", ""),
            (
                "memory",
                "cat: can't open '/proc/loadavg': No such file or directory\nMemTotal: 1000 kB\nMemFree: 1 kB\n",
            ),
        ];
        let reading = measured(&parts, &usual());
        assert_eq!(
            values(&reading),
            [
                "ram_percent=99.9",
                "ram_total_bytes=1024000",
                "ram_available_bytes=1024"
            ]
        );
        let gaps: Vec<String> = (reading.gaps.iter())
            .filter(|gap| {
                [
                    "cpu_percent",
                    "load_1m",
                    "uptime_seconds",
                    "disk_free_percent",
                ]
                .contains(&gap.metric)
            })
            .map(|gap| gap.message.clone())
            .collect();
        assert_eq!(
            gaps,
            [
                "`/proc/stat` could not be read: Permission denied",
                "`/proc/loadavg` could not be read: No such file or directory",
                "`/proc/uptime` does not begin with a number",
                "`/proc/self/mountinfo` could not be read: Permission denied",
            ]
        );
    }

    #[test]
    fn a_page_is_found_without_getconf() {
        let about = |pages: &str, bytes: u64| {
            format!(
                "statm {pages} 1 1\nstat 7 (a) b) R 1 7 7 0 -1 4194304 102 0 0 0 0 0 0 0 20 0 1 0 353286 {bytes} 61\n"
            )
        };
        for (pages, bytes, page) in [
            ("648", 648 * 4096, 4096),
            ("648", 650 * 4096, 4096), // it has grown
            ("648", 646 * 4096, 4096), // it has shrunk
            ("100", 100 * 16384, 16384),
            ("100", 101 * 65536, 65536),
            ("0", 4096, 4096),
            ("1", 7, 4096),
            ("x", 4096, 4096),
        ] {
            assert_eq!(
                page_bytes(about(pages, bytes).as_bytes()),
                page,
                "{pages} {bytes}"
            );
        }
        assert_eq!(page_bytes(b""), 4096);
    }

    #[test]
    fn names_of_hosts_are_one_short_line() {
        let long = "x".repeat(1000);
        let about = format!("system Linux\nhostname a\u{1b}[31mb\nosrelease {long}\n");
        let reading = measured(&[("system", &about)], &usual());
        let facts = facts(&reading);
        assert_eq!(facts[0], "host_name: a[31mb");
        assert!(facts[1].len() < 220, "{}", facts[1]);
    }
}
