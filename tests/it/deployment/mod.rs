//! What is installed really starts the daemon: as a unit of systemd, as a container, through compose.

mod container;
mod unit;

use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of the folder `deployment/`.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("deployment")
        .join(name)
}

/// Runs a command to its end and gives what it printed on stdout.
#[track_caller]
fn done(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}\n{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// Whatever the machine is busy with, it is well.
const CONFIGURATION: &str = "monitoring: {schedule: \"0 */6 * * *\"}\ntargets:\n  local_hosts: [{name: here}]\n\
    thresholds: {cpu_red: 100, cpu_yellow: 100, ram_red: 100, ram_yellow: 100, disk_free_red: 0, disk_free_yellow: 0}\n";
