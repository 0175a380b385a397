//! Reads the files of the kernel. All that one pass needs is read in one go, by one thread.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::container::{self, Limits, Usage};
use crate::collectors::host::process::{self, Process};
use crate::collectors::host::{Text, one_line, system};

/// No file that we read is larger on a real machine; a larger one is cut here and then found to be garbled.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// `/proc/PID/stat` is at most some 400 bytes of numbers and a short name.
const MOST_PROCESS_BYTES: usize = 4096;

/// Where the files of the kernel are. Tests lay others in their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostFiles {
    /// `/proc`.
    pub proc: PathBuf,
    /// Where the control groups are mounted: `/sys/fs/cgroup`.
    pub cgroup: PathBuf,
    /// `/etc`, for the name of the operating system.
    pub etc: PathBuf,
}

impl Default for HostFiles {
    fn default() -> Self {
        Self {
            proc: PathBuf::from("/proc"),
            cgroup: PathBuf::from("/sys/fs/cgroup"),
            etc: PathBuf::from("/etc"),
        }
    }
}

/// What is counted, and so is read twice.
pub(super) struct Counters {
    /// `/proc/stat`.
    pub(super) stat: Text,
    /// When it was read.
    pub(super) stat_at: Instant,
    /// All processes; empty when nobody wants to see any.
    pub(super) processes: Vec<Process>,
    /// When reading them began.
    pub(super) processes_at: Instant,
    /// What the group with the smallest processor quota has used.
    pub(super) quota_used_us: Option<u64>,
}

/// What is read at the beginning of a look.
pub(super) struct First {
    pub(super) counters: Counters,
    pub(super) limits: Limits,
    /// `/proc/self/mountinfo`.
    pub(super) mounts: Result<Vec<u8>, String>,
}

/// What is read at its end.
pub(super) struct Second {
    pub(super) counters: Counters,
    pub(super) memory: Text,
    pub(super) load: Text,
    pub(super) uptime: Text,
    pub(super) kernel: Option<String>,
    pub(super) host_name: Option<String>,
    pub(super) operating_system: Option<String>,
    pub(super) memory_used: Usage,
}

impl HostFiles {
    /// The first pass. `/proc/stat` comes last, so that our own reading is not measured.
    pub(super) fn first_pass(&self, with_processes: bool) -> First {
        let mounts = bytes(&self.proc.join("self/mountinfo"));
        let limits = container::limits(self);
        let processes_at = Instant::now();
        let processes = self.processes(with_processes);
        let quota_used_us = limits.cpu_used_us();
        let stat_at = Instant::now();
        let counters = Counters {
            stat: text(&self.proc.join("stat")),
            stat_at,
            processes,
            processes_at,
            quota_used_us,
        };
        First {
            counters,
            limits,
            mounts,
        }
    }

    /// The second pass. `/proc/stat` comes first.
    pub(super) fn second_pass(&self, with_processes: bool, limits: &Limits) -> Second {
        let stat_at = Instant::now();
        let stat = text(&self.proc.join("stat"));
        let quota_used_us = limits.cpu_used_us();
        let processes_at = Instant::now();
        let counters = Counters {
            stat,
            stat_at,
            processes: self.processes(with_processes),
            processes_at,
            quota_used_us,
        };
        let line = |path: &str| line_of(&self.proc.join(path));
        Second {
            counters,
            memory: text(&self.proc.join("meminfo")),
            load: text(&self.proc.join("loadavg")),
            uptime: text(&self.proc.join("uptime")),
            kernel: line("sys/kernel/osrelease"),
            host_name: line("sys/kernel/hostname"),
            operating_system: self.operating_system(),
            memory_used: limits.memory_used(),
        }
    }

    /// All processes that can be read. Those that end meanwhile and those that we may not see are left out.
    fn processes(&self, wanted: bool) -> Vec<Process> {
        if !wanted {
            return Vec::new();
        }
        let Ok(entries) = std::fs::read_dir(&self.proc) else {
            return Vec::new();
        };
        // One buffer for all, large enough that one read takes a whole file: there may be thousands.
        let mut buffer = vec![0; MOST_PROCESS_BYTES];
        entries
            .flatten()
            .filter(|entry| {
                let name = entry.file_name();
                name.as_encoded_bytes().iter().all(u8::is_ascii_digit)
            })
            .filter_map(|entry| {
                let mut file = File::open(entry.path().join("stat")).ok()?;
                let length = file.read(&mut buffer).ok()?;
                process::parse(buffer.get(..length)?)
            })
            .collect()
    }

    fn operating_system(&self) -> Option<String> {
        // os-release(5): the file in /etc comes before that in /usr/lib.
        let places = ["os-release", "../usr/lib/os-release"];
        let text = places
            .into_iter()
            .find_map(|place| text(&self.etc.join(place)).ok())?;
        system::pretty_name(&text)
    }
}

/// The bytes of a file, or why they could not be had, with the name of the file.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|error| format!("`{}` could not be read: {error}", path.display()))
}

/// The text of a file. Bytes that are no UTF-8 are replaced: a garbled part is found by whoever needs it.
pub(super) fn text(path: &Path) -> Text {
    bytes(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn line_of(path: &Path) -> Option<String> {
    let line = one_line(&text(path).ok()?);
    (!line.is_empty()).then_some(line)
}
