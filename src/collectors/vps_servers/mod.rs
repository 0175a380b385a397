//! Servers over SSH: what `local_hosts` says about this machine, and failed units and due reboots besides.
//!
//! One command for a look, through the session that all looks at a host share. The server measures over its own
//! second and by its own clock, so that neither the network nor our load is part of the numbers.
//!
//! How you could get this wrong, and what catches it: the text that is run must stay fixed (it is a constant, and
//! `deployment/ssh-monitor` is that same file); half an answer must never be taken for a whole one (it ends in a line
//! of its own); and nothing that hangs on the server may hold the look (`tests/it/vps_servers` mounts a dead file
//! system).

mod answer;
mod disks;
mod failures;
mod script;
mod sections;
mod settings;
mod units;

use std::time::{Duration, Instant};

use self::sections::Found;
pub use self::settings::Settings;
use self::units::{FAILED_UNITS, REBOOT_REQUIRED};
use crate::clients::Clients;
use crate::clients::net::outside_host;
use crate::clients::ssh::{Limits, Output, SshClients, SshSettings};
use crate::collectors::host::metrics::{
    self, CPU_CORES, CPU_IOWAIT_PERCENT, CPU_PERCENT, CPU_STEAL_PERCENT, DISK_FREE_BYTES,
    DISK_FREE_PERCENT, DISK_TOTAL_BYTES, INODE_FREE_PERCENT, LOAD_1M, LOAD_5M, LOAD_15M,
    LOAD_PER_CORE, RAM_AVAILABLE_BYTES, RAM_PERCENT, RAM_TOTAL_BYTES, SWAP_PERCENT, UPTIME_SECONDS,
};
use crate::collectors::{Collector, Home, RunContext, SettingsProblem, THIS_MACHINE, Variables};
use crate::model::{Failure, KindSpec, Limit, MetricSpec, Reading, Rule, Target};

/// Kept back from the time of a look, so that it can still say how far it came.
const MOST_RESERVE: Duration = Duration::from_millis(250);
/// More than this is cut: some 50,000 processes.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// All that a server measures, in the order of the documentation.
const METRICS: &[MetricSpec] = &[
    CPU_PERCENT,
    CPU_IOWAIT_PERCENT,
    CPU_STEAL_PERCENT,
    CPU_CORES,
    RAM_PERCENT,
    RAM_TOTAL_BYTES,
    RAM_AVAILABLE_BYTES,
    SWAP_PERCENT,
    LOAD_1M,
    LOAD_5M,
    LOAD_15M,
    LOAD_PER_CORE,
    UPTIME_SECONDS,
    DISK_FREE_PERCENT,
    DISK_FREE_BYTES,
    DISK_TOTAL_BYTES,
    INODE_FREE_PERCENT,
    FAILED_UNITS,
    REBOOT_REQUIRED,
];

/// Looks at servers over SSH.
pub struct VpsServers {
    ssh: SshClients,
}

impl Collector for VpsServers {
    const KIND: KindSpec = KindSpec {
        key: "vps_servers",
        title: "Servers over SSH",
        how: "One connection for each server, kept between rounds, and one fixed command for each look, which reads \
`/proc` twice and asks the file systems and systemd meanwhile. Needs a POSIX shell there, busybox included, and no \
rights beyond a login; the key can be tied to it (docs/ssh-monitor.md).",
        sample: "\
# The server's own key must be known: from `known_hosts`, by `host_key`, or by `roundsman trust HOST`.
- host: web-1.example.com
  name: web-1
  # port: 22
  username: monitor                 # default: root
  # A relative path is taken from the folder in VPS_SSH_KEY_PATH.
  ssh_key_path: keys/web-1
  # host_key: \"SHA256:…\"           # pinned
  # jump: \"me@bastion.example.com:22\"
  # Mount points to leave out, as globs. Pseudo file systems, memory file systems and images that are always
  # full (snap, ISO) are left out anyway.
  exclude_mounts: [\"/mnt/backup*\"]
  # How many of the busiest and the largest processes are named, 0 to 50. Names only, never arguments.
  top_processes: 5
",
        metrics: METRICS,
        default_timeout: Duration::from_secs(15),
        built: true,
    };
    type Settings = Settings;

    fn new(clients: &Clients) -> Self {
        Self {
            ssh: clients.ssh.clone(),
        }
    }

    fn complete(settings: &mut Settings, variable: Variables<'_>) {
        settings.ssh.complete(variable);
    }

    fn host(settings: &Settings) -> Option<String> {
        outside_host(&settings.ssh.host)
    }

    fn home(settings: &Settings) -> Option<Home> {
        let host = Self::host(settings);
        Some(Home::Is(host.unwrap_or_else(|| THIS_MACHINE.to_owned())))
    }

    /// `host`, or `host:port` where the port is not 22.
    fn default_name(settings: &Settings) -> String {
        settings.ssh.default_name()
    }

    fn rules(_: &Settings) -> Vec<Rule> {
        let mut rules = metrics::rules();
        let failed_units = Limit::above(0.0);
        rules.push(Rule::default_of_kind(
            FAILED_UNITS.name,
            Some(failed_units),
            None,
        ));
        rules
    }

    fn ssh(settings: &Settings) -> Option<&SshSettings> {
        Some(&settings.ssh)
    }

    fn check(settings: &Settings, _: Variables<'_>) -> Vec<SettingsProblem> {
        settings.check()
    }

    async fn look(
        &self,
        _: &Target,
        settings: &Settings,
        run: &RunContext,
    ) -> Result<Reading, Failure> {
        let began = Instant::now();
        let reserve = (run.timeout / 10).min(MOST_RESERVE);
        let whole = run.timeout.saturating_sub(reserve);
        let session = (self.ssh)
            .session(&settings.ssh, run.round_began, whole)
            .await?;
        let limits = Limits {
            timeout: whole.saturating_sub(began.elapsed()),
            most_bytes: MOST_BYTES,
        };
        let command = script::COMMAND;
        let input = script::SCRIPT.as_bytes();
        let (output, failure) = session.run_as_far(command, input, &limits).await;
        read(settings, &output, failure)
    }
}

/// What a look gave, from what the command printed and, where it did not come to its end, why.
fn read(
    settings: &Settings,
    output: &Output,
    failure: Option<Failure>,
) -> Result<Reading, Failure> {
    let place = settings.ssh.default_name();
    let mut reading = Reading::default();
    let sections = match sections::find(&output.stdout) {
        Found::Sections(sections) => sections,
        Found::OtherVersion(version) => return Err(failures::other_version(&place, &version)),
        Found::Nothing => {
            let username = settings.username();
            let other = || failures::not_the_script(&place, username, output);
            return Err(failure.unwrap_or_else(other));
        }
    };
    // A program that a login shell left behind may hold the channel beyond this; the answer is there all the same.
    if sections.whole {
        let system = answer::system_of(&sections);
        if system != "Linux" {
            return Err(failures::other_system(&place, &system));
        }
        answer::measure(&mut reading, &sections, settings)?;
        return Ok(reading);
    }
    answer::measure(&mut reading, &sections, settings)?;
    // What had not come yet is part of the failure.
    reading.gaps.clear();
    let failure = failure.unwrap_or_else(|| failures::ended_early(&place, output, MOST_BYTES));
    Err(failure.seen(reading))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Threshold;

    #[test]
    fn a_server_measures_what_every_host_does_and_more() {
        let names = |all: &[MetricSpec]| -> Vec<&'static str> {
            let own = ["failed_units", "reboot_required"];
            let names = all.iter().map(|metric| metric.name);
            // Limits of a container are known from inside only.
            (names.filter(|name| !name.starts_with("cgroup_") && !own.contains(name))).collect()
        };
        assert_eq!(names(METRICS), names(metrics::ALL));
        assert_eq!(METRICS.len(), names(METRICS).len() + 2);
    }

    #[test]
    fn a_failed_unit_is_yellow_and_a_due_reboot_is_listed() {
        let settings: Settings =
            serde_json::from_value(serde_json::json!({ "host": "a" })).expect("settings");
        let rules = VpsServers::rules(&settings);
        let rule = rules
            .iter()
            .find(|rule| rule.metric == "failed_units")
            .expect("a rule");
        assert_eq!(rule.yellow, Some(Threshold::At(Limit::above(0.0))));
        assert_eq!(rule.red, None);
        assert!(!rules.iter().any(|rule| rule.metric == "reboot_required"));
    }
}
