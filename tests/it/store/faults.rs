use std::time::Duration;

use rusqlite::Connection;

use super::watching;
use crate::daemon::{history, looks};

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
