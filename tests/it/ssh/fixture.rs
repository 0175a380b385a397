//! The fixture itself: the system's own `ssh` gets in.

use std::process::{Command, Stdio};

use crate::support::sshd::{Builder, Sshd, sshd};

/// Runs a command through the system's `ssh`.
async fn ssh(server: &Sshd, command: &str) -> String {
    let mut ssh = Command::new("ssh");
    ssh.args(["-F", "none", "-o", "BatchMode=yes", "-o"])
        .arg(format!(
            "UserKnownHostsFile={}",
            server.known_hosts.display()
        ))
        .args(["-p", &server.port.to_string(), "-i"])
        .arg(&server.key)
        .args(["-l", &server.username, "127.0.0.1", command])
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || ssh.output())
        .await
        .expect("a thread")
        .expect("`ssh` runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{}\n{}",
        text(&output.stderr),
        server.log()
    );
    text(&output.stdout)
}

#[tokio::test]
async fn the_systems_own_client_gets_in() {
    let server = sshd().await;
    assert_eq!(ssh(server, "echo well").await, "well\n");
}

#[tokio::test]
async fn servers_differ_as_told() {
    let server = Builder::default()
        .host_key("ed25519")
        .host_key("ecdsa")
        .host_key("rsa")
        .option("ForceCommand cat {folder}/answer {folder}/around")
        .around(&[
            "sh",
            "-c",
            "echo around >{folder}/around; exec \"$@\"",
            "sh",
        ])
        .start()
        .await;
    std::fs::write(server.folder.join("answer"), "forced\n").expect("a file");
    assert_eq!(ssh(&server, "echo well").await, "forced\naround\n");
    assert_eq!(server.logins(), 1, "{}", server.log());
    assert_eq!(server.connections(), 1, "{}", server.log());
    assert!(server.fingerprint("rsa").starts_with("SHA256:"));
    assert!(server.yaml().contains("port: "));
}
