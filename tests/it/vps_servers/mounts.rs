//! File systems that answer nobody, and names that a shell could stumble over.

use std::io::BufRead;

use super::*;
use crate::local_hosts::number;
use crate::support::children::require;
use crate::support::sshd::Builder;

/// Held by tests that one machine cannot do at once: what one leaves hanging, the other would count.
static HANGING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A FUSE file system that nobody serves holds whoever asks about it, as a dead NFS server does.
#[tokio::test]
async fn a_dead_mount_costs_its_own_numbers_and_no_time() {
    if !may_mount() {
        return;
    }
    let _alone = HANGING.lock().await;
    let around = in_a_namespace(
        // sshd closes what it inherits, so somebody else holds the file system as long as sshd is there.
        "mkdir '{folder}/my nas'; exec 3<>/dev/fuse; \
         mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 dead '{folder}/my nas'; \
         while kill -0 $$ 2>/dev/null; do sleep 1; done &",
    );
    let around: Vec<&str> = around.iter().map(String::as_str).collect();
    let server = Builder::default().around(&around).start().await;
    let looked = look_once(&server, "").await;
    let reading = reading(&looked);
    let name = format!("{}/my nas", server.folder.display());
    let lost: Vec<_> = reading
        .gaps
        .iter()
        .map(|gap| gap.subject.as_deref())
        .collect();
    assert_eq!(lost, [Some(name.as_str()); 4], "{:?}", reading.gaps);
    let message = &reading.gaps[0].message;
    let expected = format!("the file system at `{name}` did not answer within 3000 ms");
    assert_eq!(message, &expected);
    assert!(number(reading, "disk_free_percent", Some("/")).is_some());
    let looked = look_once(&server, "exclude_mounts: [\"*/my nas\"]\n").await;
    assert!(super::reading(&looked).gaps.is_empty());
}

#[test]
fn names_of_mounts_may_hold_anything() {
    if !may_mount() {
        return;
    }
    let names = [
        "a b",
        "it's",
        "100%s",
        "back\\slash",
        "$(exit 1)",
        "tab\tbed",
        "-n",
        "*",
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let script = "shift; for name; do mkdir \"$folder/$name\" && mount --bind /tmp \"$folder/$name\" || exit 1; done; \
                  exec sh \"$script\"";
    let output = std::process::Command::new("unshare")
        .args(["--mount", "sh", "-c", script, "sh", "names"])
        // Those could end the answers or stand for others; they are left out, and hinder none.
        .args(["1\nlate", "2\n=", "3\nasked 0", "4\nfs 1 1 1 1 1 1 /"])
        .args(names)
        .env("folder", folder.path())
        .env("script", SCRIPT)
        .output()
        .expect("`unshare` runs");
    let output = String::from_utf8_lossy(&output.stdout);
    for name in names {
        let answer = format!("{}/{name}", folder.path().display());
        let is_answered = |line: &str| line.starts_with("fs ") && line.ends_with(&answer);
        assert!(output.lines().any(is_answered), "{name}: {output}");
    }
    assert!(!output.contains("\nfs 1 1 1 1 1 1 /\n"), "{output}");
}

/// The boot partition is closed to all but root, and yet everyone may know how full it is.
#[test]
fn a_mount_that_is_closed_to_us_is_measured_all_the_same() {
    if !may_mount() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), mode).expect("its mode");
    let script = "mkdir \"$1/disk\" \"$1/closed\" && touch \"$1/file\" \"$1/on\" && chmod 700 \"$1/disk\" && \
                  mount --bind \"$1/disk\" \"$1/closed\" && mount --bind \"$1/file\" \"$1/on\" && \
                  exec setpriv --reuid=65534 --regid=65534 --clear-groups sh -s <\"$2\"";
    let output = std::process::Command::new("unshare")
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(folder.path())
        .arg(SCRIPT)
        .output()
        .expect("`unshare` runs");
    let output = String::from_utf8_lossy(&output.stdout);
    for (begins, name) in [("fs ", "closed"), ("file ", "on")] {
        let place = format!("{}/{name}", folder.path().display());
        let is_answered = |line: &str| line.starts_with(begins) && line.ends_with(&place);
        assert!(output.lines().any(is_answered), "{name}: {output}");
    }
}

/// What vfork(2) leaves behind until its child ends cannot be killed, as those that ask a broken kernel driver.
const UNKILLABLE: &str = "\
import ctypes, os
libc = ctypes.CDLL(None)
libc.prctl(15, b'stat', 0, 0, 0)
if libc.vfork() == 0:
    os.read(0, 1)
    os._exit(0)
";

#[test]
fn a_mount_is_not_asked_while_many_are_held_by_earlier_questions() {
    if !may_mount() {
        return;
    }
    require("python3");
    let _alone = HANGING.blocking_lock();
    let folder = tempfile::tempdir().expect("a folder");
    // Whoever waits for the pipe on standard input is released when it closes.
    let script = "exec 3<>/dev/fuse && \
         mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 dead \"$1\" && exec 4<&0 && \
         for each in 1 2 3 4 5 6 7 8 9; do python3 -c \"$3\" <&4 & done; \
         until [ \"$(cat /proc/[0-9]*/stat 2>/dev/null | grep -c '^[0-9]* (stat) D ')\" -ge 9 ]; do sleep 0.1; done; \
         sh \"$2\"; exec 3<&- 4<&-";
    let mut child = std::process::Command::new("unshare")
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(folder.path())
        .args([SCRIPT, UNKILLABLE])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("`unshare` runs");
    let pipe = child.stdin.take();
    let mut printed = String::new();
    let mut output = std::io::BufReader::new(child.stdout.take().expect("a pipe"));
    while !printed.ends_with(" end\n") {
        let length = output.read_line(&mut printed).expect("text");
        assert!(length > 0, "{printed}");
    }
    drop(pipe);
    child.wait().expect("it ends");
    let held = format!("held {}", folder.path().display());
    assert!(printed.lines().any(|line| line == held), "{printed}");
}
