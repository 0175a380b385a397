//! Disks that fill up, turn read-only, or lie on another machine: real mounts.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{configuration, watching};
use crate::daemon::{Endpoint, history, looks};
use crate::support::children::require;
use crate::support::daemon::Daemon;
use crate::support::program::Workplace;
use crate::support::sshd;

/// A small disk of our own.
struct Disk {
    path: PathBuf,
    folder: tempfile::TempDir,
}

impl Disk {
    fn unmounted() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("disk");
        std::fs::create_dir(&path).expect("a folder");
        Self { path, folder }
    }

    /// In memory, of that size.
    fn of(kibibytes: u32) -> Self {
        let disk = Self::unmounted();
        let size = format!("size={kibibytes}k");
        mount(&["-t", "tmpfs", "-o", &size, "none"], &disk.path);
        disk
    }

    /// An ext4 file system in a file, which turns read-only when something is wrong with it.
    fn ext4() -> Self {
        let disk = Self::unmounted();
        let image = std::fs::File::create(disk.image()).expect("a file");
        image.set_len(16 << 20).expect("its size");
        run("mkfs.ext4", &["-q".as_ref(), disk.image().as_ref()]);
        disk.mount_image();
        disk
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    fn mount_image(&self) {
        let image = self.image().display().to_string();
        mount(&["-o", "loop,errors=remount-ro", &image], &self.path);
    }

    /// What the kernel does when it finds an error in the file system.
    fn fail(&self) {
        let mounts = std::fs::read_to_string("/proc/self/mounts").expect("the mounts");
        let place = self.path.display().to_string();
        let device = mounts
            .lines()
            .find(|line| line.split(' ').nth(1) == Some(&*place));
        let device = device.and_then(|line| line.split(' ').next()?.strip_prefix("/dev/"));
        let device = device.expect("it is mounted");
        std::fs::write(format!("/sys/fs/ext4/{device}/trigger_fs_error"), "1")
            .expect("a kernel that can be asked for an error");
    }

    fn remount(&self, options: &str) {
        mount(&["-o", &format!("remount,{options}")], &self.path);
    }

    fn unmount(&self) {
        run("umount", &["-l".as_ref(), self.path.as_ref()]);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What cannot be unmounted shows as a temporary folder that stays.
        Command::new("umount")
            .arg("-l")
            .arg(&self.path)
            .status()
            .ok();
    }
}

#[track_caller]
fn mount(options: &[&str], place: &Path) {
    let mut arguments: Vec<&std::ffi::OsStr> = options.iter().map(AsRef::as_ref).collect();
    arguments.push(place.as_ref());
    run("mount", &arguments);
}

#[track_caller]
fn run(program: &str, arguments: &[&std::ffi::OsStr]) {
    let ended = Command::new(program).args(arguments).output();
    let ended = ended.unwrap_or_else(|error| panic!("`{program}` does not run: {error}"));
    assert!(
        ended.status.success(),
        "`{program} {arguments:?}` failed; the tests of disks need to be root: {}",
        String::from_utf8_lossy(&ended.stderr)
    );
}

#[tokio::test]
async fn full_and_emptied_again() {
    let disk = Disk::of(1_024);
    let mut watching = watching(&disk.path.join("store")).await;
    watching.daemon.event("round.ended").await;
    watching.looks(1).await;
    let filler = disk.path.join("filler");
    // To the last byte.
    std::fs::write(&filler, vec![0; 2 << 20]).expect_err("the disk is smaller");
    let trouble = watching.daemon.event("store.trouble").await;
    assert_eq!(trouble["trouble"], "full", "{trouble}");
    // Whoever reads it meanwhile is told that it may not be all.
    let missing = "the daemon runs, and cannot write its store";
    for arguments in [&["incidents"][..], &["history", "shop"], &["outbox"]] {
        let ended = watching.place.run(arguments).await;
        ended.assert_code(69).assert_says(missing);
    }
    watching.looks(2).await;
    std::fs::remove_file(&filler).expect("room");
    watching.daemon.event("store.recovered").await;
    let ended = watching.place.run(&["incidents"]).await;
    ended.assert_code(0);
    assert!(!format!("{ended}").contains(missing), "{ended}");
    watching.nothing_is_missing().await;
}

#[tokio::test]
async fn read_only_from_the_start() {
    let disk = Disk::of(1_024);
    disk.remount("ro");
    let shop = Endpoint::start().await;
    let yaml = configuration(&shop, &disk.path.join("store"))
        .replace("every: 1s", "schedule: \"0 0 1 1 *\"");
    let place = Workplace::with_configuration(&format!(
        "{yaml}reporters: [{{kind: file, directory: reports}}]\n"
    ));
    let mut daemon = Daemon::start(&place);
    let trouble = daemon.event("store.trouble").await;
    assert_eq!(trouble["trouble"], "read_only", "{trouble}");
    daemon.reported().await;
    let report: serde_json::Value =
        serde_json::from_str(&place.read("reports/latest_report.json")).expect("a report");
    assert_eq!(report["status"], "GREEN", "never the target's fault");
    let alert = report["self_alerts"][0]["message"]
        .as_str()
        .expect("an alert");
    assert!(alert.starts_with("the memory is gone: "), "{alert}");
    disk.remount("rw");
    daemon.event("store.recovered").await;
    daemon.stop().await.assert_code(0);
    assert_eq!(looks(&history(&place, "shop").await), 1);
}

#[tokio::test]
async fn turned_read_only_while_running() {
    let disk = Disk::ext4();
    let mut watching = watching(&disk.path.join("store")).await;
    watching.daemon.event("round.ended").await;
    watching.looks(1).await;
    run("sync", &["-f".as_ref(), disk.path.as_ref()]);
    disk.fail();
    let trouble = watching.daemon.event("store.trouble").await;
    assert_eq!(trouble["trouble"], "read_only", "{trouble}");
    watching.looks(2).await;
    // Somebody mends it, as one does: checked, and mounted again in its place.
    disk.unmount();
    disk.mount_image();
    watching.daemon.event("store.recovered").await;
    watching.daemon.stop().await.assert_code(0);
    // What the kernel had taken and not yet written went with the mount: the look of that moment, at most two.
    let known = looks(&history(&watching.place, "shop").await);
    let made = u64::try_from(watching.shop.asked()).expect("few");
    assert!(known <= made && known + 2 >= made, "{known} of {made}");
}

#[tokio::test]
async fn on_another_machine() {
    require("sshfs");
    let server = sshd::Builder::default().option("Subsystem sftp internal-sftp");
    let server = server.start().await;
    let disk = Disk::unmounted();
    let there = tempfile::tempdir().expect("a folder");
    let source = format!("{}@127.0.0.1:{}", server.username, there.path().display());
    let options = format!(
        "port={},IdentityFile={},UserKnownHostsFile={}",
        server.port,
        server.key.display(),
        server.known_hosts.display()
    );
    run(
        "sshfs",
        &[
            "-o".as_ref(),
            options.as_ref(),
            source.as_ref(),
            disk.path.as_ref(),
        ],
    );
    let mut watching = watching(&disk.path.join("store")).await;
    let trouble = watching.daemon.event("store.trouble").await;
    assert_eq!(trouble["trouble"], "network_file_system", "{trouble}");
    let words = trouble["message"].as_str().expect("words");
    assert!(words.contains("(fuse.sshfs)"), "{words}");
    watching.looks(2).await;
    watching.daemon.stop().await.assert_code(0);
    let database = there.path().join("store/roundsman.db");
    assert!(
        !database.exists(),
        "nothing is written where locks do not hold"
    );
}
