use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rusqlite::Connection;

use crate::daemon::{Endpoint, history, looks};
use crate::support::daemon::Daemon;
use crate::support::program::Workplace;

/// A small disk of our own, which can be filled and made read-only.
struct Disk {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Disk {
    fn of(kibibytes: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("disk");
        std::fs::create_dir(&path).expect("a folder");
        let disk = Self {
            path,
            _folder: folder,
        };
        mount(
            &["-t", "tmpfs", "-o", &format!("size={kibibytes}k"), "none"],
            &disk.path,
        );
        disk
    }

    fn remount(&self, options: &str) {
        mount(&["-o", &format!("remount,{options}")], &self.path);
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
    let mounted = Command::new("mount").args(options).arg(place).status();
    assert!(
        mounted.is_ok_and(|status| status.success()),
        "`mount {options:?}` failed: the tests of a full disk need to be root"
    );
}

struct Watching {
    shop: Endpoint,
    place: Workplace,
    daemon: Daemon,
}

/// A daemon that looks every second and reports after every round.
async fn watching(store: &Path) -> Watching {
    let shop = Endpoint::start().await;
    let place = Workplace::with_configuration(&configuration(&shop, store));
    let daemon = Daemon::start(&place);
    Watching {
        shop,
        place,
        daemon,
    }
}

fn configuration(shop: &Endpoint, store: &Path) -> String {
    format!(
        "{}store: {{path: \"{}\"}}\n",
        shop.watched("every: 1s"),
        store.display()
    )
}

impl Watching {
    /// Waits until so many more looks were made.
    async fn looks(&self, more: usize) {
        let wanted = self.shop.asked() + more;
        let looking = async {
            while self.shop.asked() < wanted {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let made = tokio::time::timeout(Duration::from_secs(30), looking).await;
        assert!(made.is_ok(), "the looks stopped");
    }

    /// Ends the daemon; all looks that were made must be in the memory.
    async fn nothing_is_missing(self) {
        let ended = self.daemon.stop().await;
        ended.assert_code(0);
        let known = looks(&history(&self.place, "shop").await);
        let made = u64::try_from(self.shop.asked()).expect("few");
        assert_eq!(known, made, "{ended}");
    }
}

#[tokio::test]
async fn locked_by_another_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut watching = watching(folder.path()).await;
    watching.daemon.event("round.ended").await;
    watching.looks(1).await;
    let other = Connection::open(folder.path().join("roundsman.db")).expect("a database");
    other
        .busy_timeout(Duration::from_secs(5))
        .expect("a time-out");
    other.execute_batch("BEGIN EXCLUSIVE").expect("the lock");
    let trouble = watching.daemon.event("store.trouble").await;
    assert_eq!(trouble["trouble"], "locked", "{trouble}");
    watching.looks(3).await;
    other.execute_batch("COMMIT").expect("the end of the lock");
    watching.daemon.event("store.recovered").await;
    watching.nothing_is_missing().await;
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
    watching.looks(2).await;
    std::fs::remove_file(&filler).expect("room");
    watching.daemon.event("store.recovered").await;
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
    daemon.event("report.made").await;
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
async fn taken_away_while_running() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store");
    let mut watching = watching(&store).await;
    watching.daemon.event("round.ended").await;
    watching.looks(2).await;
    let taken = folder.path().join("taken");
    std::fs::rename(&store, &taken).expect("the same disk");
    let trouble = watching.daemon.event("store.trouble").await;
    assert_eq!(trouble["trouble"], "gone", "{trouble}");
    watching.daemon.event("store.recovered").await;
    watching.looks(2).await;
    let daemon = watching.daemon.stop().await;
    daemon.assert_code(0);
    // What was written before lies in what was taken away; all since is in the new one, with the state.
    let now = history(&watching.place, "shop").await;
    assert_eq!(now["state"]["status"], "GREEN");
    assert!(looks(&now) >= 2, "{now:#}");
    assert!(taken.join("roundsman.db").exists());
}

#[tokio::test]
async fn damaged_and_moved_aside() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("roundsman.db");
    std::fs::write(
        &database,
        "this is no database, it only has its name".repeat(200),
    )
    .expect("a file");
    let mut watching = watching(folder.path()).await;
    let moved = watching.daemon.event("store.moved_aside").await;
    let file = moved["file"].as_str().expect("a file");
    assert!(
        std::fs::read_to_string(file)
            .expect("it is kept")
            .starts_with("this is no database")
    );
    watching.daemon.event("round.ended").await;
    watching.looks(1).await;
    watching.nothing_is_missing().await;
}

#[tokio::test]
async fn damaged_while_running() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut watching = watching(folder.path()).await;
    watching.daemon.event("round.ended").await;
    watching.looks(1).await;
    let database = folder.path().join("roundsman.db");
    // Its pages are in memory: they are read anew once another process has written.
    let other = Connection::open(&database).expect("a database");
    other
        .busy_timeout(Duration::from_secs(5))
        .expect("a time-out");
    other
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE); CREATE TABLE stranger (x); DROP TABLE stranger; PRAGMA wal_checkpoint(TRUNCATE)")
        .expect("a write");
    {
        use std::io::{Seek, SeekFrom, Write};
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .open(&database)
            .expect("a file");
        let length = file.metadata().expect("its size").len();
        file.seek(SeekFrom::Start(100)).expect("a place");
        let garbage = vec![0xA5; usize::try_from(length - 100).expect("small")];
        file.write_all(&garbage).expect("written");
    }
    drop(other);
    watching.daemon.event("store.moved_aside").await;
    watching.looks(2).await;
    let ended = watching.daemon.stop().await;
    ended.assert_code(0);
    let now = history(&watching.place, "shop").await;
    assert_eq!(now["state"]["status"], "GREEN");
    assert!(looks(&now) >= 1, "{now:#}");
}

#[tokio::test]
async fn of_a_newer_version_or_of_another_program_it_is_not_touched() {
    for (pragma, kind) in [
        (
            "PRAGMA application_id = 1382966387; PRAGMA user_version = 99",
            "newer",
        ),
        ("PRAGMA application_id = 7", "foreign"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("roundsman.db");
        let other = Connection::open(&database).expect("a database");
        other
            .execute_batch(&format!("CREATE TABLE theirs (x); {pragma}"))
            .expect("their table");
        drop(other);
        let before = std::fs::read(&database).expect("its bytes");
        let mut watching = watching(folder.path()).await;
        let trouble = watching.daemon.event("store.trouble").await;
        assert_eq!(trouble["trouble"], kind, "{trouble}");
        watching.looks(2).await;
        let shown = watching.place.run(&["history", "shop"]).await;
        shown
            .assert_code(70)
            .assert_says("nothing was changed in it");
        watching.daemon.stop().await.assert_code(0);
        assert_eq!(std::fs::read(&database).expect("its bytes"), before);
    }
}
