//! `vps_servers` against real OpenSSH servers.

mod busybox;
mod commands;
mod failures;
mod laid;
mod look;
mod mounts;
mod tools;

use std::time::Duration;

use roundsman::clients::Clients;
use roundsman::model::Reading;

use crate::support::sshd::Sshd;
use crate::support::{Looked, look_at};

/// More than a look takes on a machine that others keep busy.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The script, as it is installed on a server.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deployment/ssh-monitor");

/// Leaves out the disks of other tests, which come and go between the list of mounts and the question for their room.
const NO_OTHER_TESTS: &str = "exclude_mounts: [\"*/.tmp*/*\"]\n";

/// Looks at a server once, with further lines of settings.
async fn look_once(server: &Sshd, more: &str) -> Looked {
    let yaml = format!("{}{more}", server.yaml());
    look_at("vps_servers", &Clients::new(), &yaml, TIMEOUT).await
}

/// What a look gave that came to its end.
#[track_caller]
fn reading(looked: &Looked) -> &Reading {
    assert!(looked.outcome.is_ok(), "{}", looked.failure());
    looked.reading()
}

/// What begins a server in a mount namespace of its own, with this done before it starts. `{folder}` is its folder.
fn in_a_namespace(script: &str) -> [String; 6] {
    let script = format!("set -e; {script}\nexec \"$@\"");
    ["unshare", "--mount", "sh", "-c", &script, "sh"].map(str::to_owned)
}

/// Whether mount namespaces can be made; says so where not.
fn may_mount() -> bool {
    let may = std::process::Command::new("unshare")
        .args(["--mount", "mount", "-t", "tmpfs", "none", "/mnt"])
        .status()
        .is_ok_and(|status| status.success());
    if !may {
        crate::support::cannot_run("mounting needs root and `unshare`");
    }
    may
}
