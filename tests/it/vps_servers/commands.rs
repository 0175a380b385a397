//! Keys that are tied to a command, and shells that say more than they are asked.

use std::process::{Command, Stdio};

use super::*;
use crate::local_hosts::{file, get};
use crate::support::sshd::{Builder, Sshd};

/// The options of the line that docs/ssh-monitor.md shows, with the script where it lies here.
fn documented_options() -> String {
    let page = file(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ssh-monitor.md"));
    let line = page
        .lines()
        .find(|line| line.starts_with("restrict,command="));
    let line = line.expect("the page shows a line of authorized_keys");
    let (options, _) = line.split_once(" ssh-ed25519 ").expect("a key");
    let installed = "/usr/local/bin/roundsman-ssh-monitor";
    assert!(options.contains(installed), "{options}");
    assert!(page.contains(&format!("install -m 755 ssh-monitor {installed}")));
    options.replace(installed, SCRIPT)
}

/// What the system's own client gets for a command.
async fn ssh(server: &Sshd, arguments: &[&str]) -> String {
    let known_hosts = format!("UserKnownHostsFile={}", server.known_hosts.display());
    let mut ssh = Command::new("ssh");
    ssh.args(["-F", "none", "-o", "BatchMode=yes", "-o", &known_hosts])
        .args(["-p", &server.port.to_string(), "-l", &server.username])
        .arg("-i")
        .arg(&server.key)
        .arg("127.0.0.1")
        .args(arguments)
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || ssh.output());
    let output = output.await.expect("a thread").expect("`ssh` runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn a_key_that_is_tied_to_the_look_is_as_good_and_can_do_nothing_else() {
    let server = Builder::default()
        .key_options(&documented_options())
        .start()
        .await;
    let looked = look_once(&server, NO_OTHER_TESTS).await;
    let tied = reading(&looked);
    assert!(tied.gaps.is_empty(), "{:?}", tied.gaps);
    get(tied, "cpu_percent");
    let printed = ssh(&server, &["echo", "a shell"]).await;
    assert!(!printed.contains("a shell"), "{printed}");
    assert!(
        printed.starts_with("--- roundsman-ssh-monitor "),
        "{printed}"
    );
}

#[tokio::test]
async fn no_rights_are_needed() {
    if !may_mount() {
        return; // only root can become somebody else
    }
    let nobody =
        format!("command=\"setpriv --reuid=65534 --regid=65534 --clear-groups sh {SCRIPT}\"");
    // Where the script lies, nobody may read.
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("ssh-monitor");
    std::fs::copy(SCRIPT, &copy).expect("a copy");
    for path in [folder.path(), &copy] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(path, mode).expect("its mode");
    }
    let nobody = nobody.replace(SCRIPT, &copy.display().to_string());
    let server = Builder::default().key_options(&nobody).start().await;
    let looked = look_once(&server, NO_OTHER_TESTS).await;
    let reading = reading(&looked);
    assert!(reading.gaps.is_empty(), "{:?}", reading.gaps);
    get(reading, "cpu_percent");
}

#[tokio::test]
async fn greetings_of_the_login_shell_are_no_part_of_the_answer() {
    let server = Builder::default()
        .option(
            "ForceCommand printf 'Welcome!\\n\\033[1mno line end'; eval \"$SSH_ORIGINAL_COMMAND\"",
        )
        .start()
        .await;
    let looked = look_once(&server, NO_OTHER_TESTS).await;
    let reading = reading(&looked);
    assert!(reading.gaps.is_empty(), "{:?}", reading.gaps);
}

#[tokio::test]
async fn what_a_login_shell_leaves_running_costs_no_numbers() {
    // An agent that a profile starts, say: sshd waits for it, and the look has its deadline.
    let server = Builder::default()
        .option("ForceCommand sleep 20 & eval \"$SSH_ORIGINAL_COMMAND\"")
        .start()
        .await;
    let timeout = Duration::from_secs(8);
    let looked = look_at("vps_servers", &Clients::new(), &server.yaml(), timeout).await;
    assert!(reading(&looked).gaps.is_empty());
}

#[tokio::test]
async fn the_same_script_runs_in_other_shells() {
    for shell in ["dash", "bash", "bash --posix", "busybox sh"] {
        let server = Builder::default()
            .option(format!("ForceCommand exec {shell} -s"))
            .start()
            .await;
        let looked = look_once(&server, NO_OTHER_TESTS).await;
        let reading = reading(&looked);
        assert!(reading.gaps.is_empty(), "{shell}: {:?}", reading.gaps);
    }
}
