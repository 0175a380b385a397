//! Databases that are in trouble, and looks that are.

use std::sync::atomic::Ordering;
use std::time::Duration;

use roundsman::clients::Clients;
use roundsman::model::Status;

use super::{fronts, look, look_as, of, settings, until};
use crate::support::postgres::{postgres, primary};
use crate::support::{Looked, look_at};

/// Looks again until a look says what is waited for.
async fn look_until(again: impl AsyncFn() -> Looked, wanted: impl Fn(&Looked) -> bool) -> Looked {
    let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
    loop {
        let looked = again().await;
        if wanted(&looked) {
            return looked;
        }
        assert!(tokio::time::Instant::now() < deadline, "never: {looked:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_oldest_transaction_is_told_with_who_and_never_with_what() {
    let server = postgres().await;
    let owner = server.database("long").await;
    let sql = "BEGIN; SELECT 'canary in a statement'";
    owner.batch_execute(sql).await.expect("a transaction");
    let looked = look_until(
        || look_as("monitor", server, "long", ""),
        |looked| looked.fact("longest_transaction").is_some(),
    )
    .await;
    let seconds = looked.number("longest_transaction_seconds");
    let seconds = seconds.expect("how long");
    assert!(seconds >= 1.0, "{seconds}");
    let told = looked.fact("longest_transaction").expect("who");
    assert!(
        told.starts_with("process ")
            && told.contains(&format!(" of postgres, open for {seconds:.0} s")),
        "{told}: {seconds}"
    );
    assert!(told.contains(", idle in transaction"), "{told}");

    // A role that sees only its own claims nothing, and says what would help.
    let looked = look_as("watcher", server, "long", "").await;
    assert_eq!(looked.status(), Status::Green, "{looked:#?}");
    assert_eq!(looked.number("longest_transaction_seconds"), None);
    assert_eq!(looked.number("connections_max"), Some(100.0));
    let told = looked.fact("limited_view").expect("what is hidden");
    assert_eq!(
        told,
        "hidden from us: the age of 1 open transaction of other roles (`longest_transaction_seconds`); \
         `GRANT pg_monitor TO \"watcher\"` shows it"
    );
    owner.batch_execute("COMMIT").await.expect("its end");
    let looked = look_as("watcher", server, "long", "").await;
    assert_eq!(looked.number("longest_transaction_seconds"), Some(0.0));
    assert_eq!(looked.fact("limited_view"), None);
}

#[tokio::test]
async fn a_prepared_transaction_that_was_forgotten_is_found() {
    let server = postgres().await;
    let owner = server.database("prepared").await;
    let sql = "CREATE TABLE t (n int)";
    owner.batch_execute(sql).await.expect("a table");
    for sql in [
        "BEGIN",
        "INSERT INTO t VALUES (1)",
        "PREPARE TRANSACTION 'forgotten'",
    ] {
        owner.batch_execute(sql).await.expect("prepared");
    }
    let looked = look_until(
        || look_as("watcher", server, "prepared", ""),
        |looked| looked.fact("longest_transaction").is_some(),
    )
    .await;
    let told = looked.fact("longest_transaction").expect("who");
    assert!(told.starts_with("prepared by postgres "), "{told}");
    owner
        .batch_execute("ROLLBACK PREPARED 'forgotten'")
        .await
        .expect("its end");
}

#[tokio::test]
async fn who_waits_for_whom_is_told() {
    let server = postgres().await;
    let owner = server.database("waits").await;
    for sql in [
        "CREATE TABLE t AS SELECT 1 AS n",
        "BEGIN",
        "UPDATE t SET n = 2",
    ] {
        owner.batch_execute(sql).await.expect("a lock");
    }
    let blocked = server.owner("waits").await;
    let pid = async |client: &tokio_postgres::Client| {
        let row = client
            .query_one("SELECT pg_backend_pid()", &[])
            .await
            .expect("a row");
        row.get::<_, i32>(0)
    };
    let (holder, waiter) = (pid(&owner).await, pid(&blocked).await);
    let waiting = tokio::spawn(async move { blocked.batch_execute("UPDATE t SET n = 3").await });
    until(&owner, "SELECT count(*) FROM pg_locks WHERE NOT granted").await;
    let looked = look_until(
        || look_as("monitor", server, "waits", ""),
        |looked| looked.number("locks_waiting") == Some(1.0),
    )
    .await;
    let told = looked.fact("lock_waits").expect("who");
    assert!(
        told.starts_with(&format!("process {waiter} of postgres waits for ")),
        "{told}"
    );
    assert!(
        told.ends_with(&format!(", held up by process {holder}")),
        "{told}"
    );
    // That somebody waits is no secret; who it is may be.
    let looked = look_as("watcher", server, "waits", "").await;
    assert_eq!(looked.number("locks_waiting"), Some(1.0));
    owner.batch_execute("ROLLBACK").await.expect("its end");
    waiting.await.expect("no panic").expect("updated");
}

#[tokio::test]
async fn a_table_that_is_held_costs_its_size_and_no_alarm() {
    let server = postgres().await;
    let owner = server.database("held").await;
    for sql in [
        "CREATE TABLE free AS SELECT 1 AS n",
        "CREATE TABLE held AS SELECT 1 AS n",
        "BEGIN",
        "LOCK TABLE held IN ACCESS EXCLUSIVE MODE",
    ] {
        owner.batch_execute(sql).await.expect("a lock");
    }
    let looked = look_as("watcher", server, "held", "").await;
    assert_eq!(looked.status(), Status::Green, "{looked:#?}");
    assert_eq!(of(&looked, "table_size_bytes", "public.held"), None);
    let told = looked.fact("tables_held").expect("which");
    assert!(told.starts_with("public.held: "), "{told}");
    assert!(of(&looked, "table_size_bytes", "public.free").is_some());
    assert!(looked.number("database_size_bytes").is_some());
    assert_eq!(
        looked.number("locks_waiting"),
        Some(0.0),
        "nobody waits, not even we"
    );

    // `REINDEX` holds the index alone, and that is a part of the size.
    for sql in [
        "ROLLBACK",
        "CREATE INDEX index_of_held ON held (n)",
        "BEGIN",
        "REINDEX INDEX index_of_held",
    ] {
        owner.batch_execute(sql).await.expect("a lock");
    }
    let looked = look_as("watcher", server, "held", "").await;
    assert_eq!(looked.status(), Status::Green, "{looked:#?}");
    assert!(looked.fact("tables_held").is_some(), "{looked:#?}");
    owner.batch_execute("ROLLBACK").await.expect("its end");
}

#[tokio::test]
async fn a_standby_says_how_far_it_is_behind() {
    let server = primary().await;
    let owner = server.database("replicated").await;
    let sql = "CREATE TABLE t AS SELECT generate_series(1, 1000) AS n; ANALYZE";
    owner.batch_execute(sql).await.expect("a table");
    let standby = server.standby("east", "").await;
    let looked = look_until(
        || look_as("monitor", server, "replicated", ""),
        |looked| of(looked, "replication_lag_seconds", "east").is_some(),
    )
    .await;
    assert_eq!(looked.fact("role"), Some("primary"));

    let looked = look_until(
        || look_as("monitor", &standby, "replicated", ""),
        |looked| looked.number("replication_lag_seconds") == Some(0.0),
    )
    .await;
    assert_eq!(looked.status(), Status::Green, "{looked:#?}");
    assert_eq!(looked.fact("role"), Some("standby"));
    assert_eq!(
        of(&looked, "table_rows", "public.t").as_deref(),
        Some("1000")
    );
    assert_eq!(
        of(&looked, "table_dead_rows", "public.t"),
        None,
        "a standby does not know"
    );

    let sql = "SELECT pg_create_physical_replication_slot('forgotten', true)";
    owner.batch_execute(sql).await.expect("a slot");
    let looked = look_as("watcher", server, "replicated", "").await;
    let told = looked.fact("inactive_slots").expect("which");
    assert!(told.contains("`forgotten` retains "), "{told}");
    let sql = "SELECT pg_drop_replication_slot('forgotten')";
    owner.batch_execute(sql).await.expect("dropped");

    // A plain role sees that there is a standby, and not how far behind it is.
    let looked = look_as("watcher", server, "replicated", "").await;
    assert_eq!(of(&looked, "replication_lag_seconds", "east"), None);
    let told = looked.fact("limited_view").expect("what is hidden");
    assert!(told.contains("(`replication_lag_seconds`)"), "{told}");

    // How old it is, is known once a transaction has been replayed.
    let on_standby = standby.owner("replicated").await;
    let sql = "INSERT INTO t VALUES (0)";
    owner.batch_execute(sql).await.expect("a row");
    let replayed =
        "SELECT count(*) FROM t WHERE n = 0 AND pg_last_xact_replay_timestamp() IS NOT NULL";
    until(&on_standby, replayed).await;
    on_standby
        .batch_execute("SELECT pg_wal_replay_pause()")
        .await
        .expect("paused");
    owner
        .batch_execute("INSERT INTO t VALUES (0)")
        .await
        .expect("a row");
    let looked = look_until(
        || look_as("watcher", &standby, "replicated", ""),
        |looked| {
            looked
                .number("replication_lag_seconds")
                .is_some_and(|lag| lag > 0.0)
        },
    )
    .await;
    assert!(looked.reading().gaps.is_empty(), "{looked:#?}");
    let told = looked.fact("replay").expect("that it is paused");
    assert!(
        told.starts_with("paused: `SELECT pg_wal_replay_resume()`"),
        "{told}"
    );
    let note = looked.reading().note_on("replication_lag_seconds", None);
    assert_eq!(note, Some(&*format!("replay is {told}")));
    on_standby
        .batch_execute("SELECT pg_wal_replay_resume()")
        .await
        .expect("resumed");
}

#[tokio::test]
async fn a_server_that_stops_answering_is_timed_out_and_its_statement_stopped() {
    let server = postgres().await;
    let (front, cancelled) = fronts::holding_back(server.port).await;
    let yaml = settings("watcher", front.port, "postgres", "ssl_mode: disable");
    let timeout = Duration::from_secs(3);
    let looked = look_at("databases", &Clients::new(), &yaml, timeout).await;
    let expected = format!(
        "timed_out `127.0.0.1:{}` let us in, but did not answer all questions within 3000 ms; logged in after ",
        front.port
    );
    looked.assert_failed(Status::Red, &expected);
    assert!(
        looked.number("connect_time_ms").is_some(),
        "what was measured is kept"
    );
    assert!(looked.fact("version").is_some());
    while cancelled.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_session_that_an_administrator_ends_is_told_as_that() {
    let server = postgres().await;
    let owner = server.database("ended").await;
    let (front, _) = fronts::holding_back(server.port).await;
    let yaml = settings("watcher", front.port, "ended", "ssl_mode: disable");
    let end = async {
        let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE datname = 'ended' AND usename = 'watcher'";
        until(&owner, sql).await;
    };
    let (looked, ()) = tokio::join!(look(&yaml), end);
    let expected = format!(
        "unexpected `127.0.0.1:{}` ended the session: terminating connection due to administrator command",
        front.port
    );
    looked.assert_failed(Status::Red, &expected);
}
