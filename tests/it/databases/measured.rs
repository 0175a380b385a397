//! What is measured of a database that is well.

use std::sync::atomic::Ordering;

use roundsman::model::Status;

use super::{fronts, look, look_as, of, settings, until};
use crate::support::postgres::{PASSWORD, postgres};

#[tokio::test]
async fn a_database_is_measured_whole() {
    let server = postgres().await;
    let owner = server.database("whole").await;
    let sql = "
        CREATE TABLE orders AS SELECT n, repeat('x', 200) AS text FROM generate_series(1, 10000) AS n;
        CREATE TABLE notes AS SELECT n FROM generate_series(1, 100) AS n;
        CREATE MATERIALIZED VIEW summary AS SELECT count(*) FROM orders;
        DELETE FROM orders WHERE n <= 1000;
        ANALYZE";
    owner.batch_execute(sql).await.expect("tables");
    let dead = "SELECT pg_stat_get_dead_tuples('orders'::regclass)";
    until(&owner, dead).await;
    let looked = look_as("monitor", server, "whole", "").await;
    assert_eq!(looked.status(), Status::Green, "{looked:#?}");
    assert!(looked.reading().gaps.is_empty(), "{looked:#?}");
    assert_eq!(looked.number("connections_max"), Some(100.0));
    let used = looked.number("connections_used").expect("used");
    assert!((1.0..100.0).contains(&used), "{used}");
    assert_eq!(looked.number("connections_used_percent"), Some(used));
    assert_eq!(looked.number("locks_waiting"), Some(0.0));
    assert_eq!(looked.number("longest_transaction_seconds"), Some(0.0));
    assert!(looked.number("database_size_bytes").expect("a size") > 5_000_000.0);
    assert!(looked.number("cache_hit_percent").expect("hits") > 50.0);
    assert!(looked.number("uptime_seconds").expect("uptime") > 0.0);
    assert!(looked.number("connect_time_ms").expect("connect time") > 0.0);
    assert_eq!(
        of(&looked, "table_rows", "public.orders").as_deref(),
        Some("9000")
    );
    assert_eq!(
        of(&looked, "table_dead_rows", "public.orders").as_deref(),
        Some("1000")
    );
    let tables: Vec<_> = (looked.reading().measurements.iter())
        .filter(|one| one.metric == "table_size_bytes")
        .filter_map(|one| one.subject.as_deref())
        .collect();
    assert_eq!(tables, ["public.orders", "public.notes", "public.summary"]);
    assert_eq!(looked.fact("role"), Some("primary"));
    assert_eq!(looked.fact("tls"), Some("TLS 1.3"));
    assert_eq!(looked.fact("limited_view"), None);
    assert!(
        looked
            .fact("version")
            .is_some_and(|version| version.starts_with(char::is_numeric))
    );
    assert_eq!(
        looked.number("certificate_days_left"),
        None,
        "it is not checked"
    );
}

#[tokio::test]
async fn only_as_many_tables_are_measured_as_are_wanted() {
    let server = postgres().await;
    let owner = server.database("wanted").await;
    for (name, rows) in [("small", 10), ("large", 20_000), ("middle", 5_000)] {
        let sql = format!("CREATE TABLE {name} AS SELECT generate_series(1, {rows}) AS n");
        owner.batch_execute(&sql).await.expect("a table");
    }
    owner
        .batch_execute("VACUUM ANALYZE")
        .await
        .expect("statistics");
    let subjects = async |more: &str| {
        let looked = look_as("watcher", server, "wanted", more).await;
        assert_eq!(looked.status(), Status::Green, "{looked:#?}");
        let all = looked.reading().measurements.iter();
        let tables = all.filter(|one| one.metric == "table_size_bytes");
        let subjects: Vec<_> = tables.filter_map(|one| one.subject.clone()).collect();
        subjects
    };
    assert_eq!(
        subjects("tables: 2").await,
        ["public.large", "public.middle"]
    );
    assert_eq!(subjects("tables: 0").await, [""; 0]);
}

#[tokio::test]
async fn all_is_asked_in_one_message_and_nothing_stays_behind() {
    let server = postgres().await;
    let owner = server.database("counted").await;
    let (front, turns) = fronts::counting(server.port).await;
    let looked = look(&settings(
        "monitor",
        front.port,
        "counted",
        "ssl_mode: disable",
    ))
    .await;
    assert_eq!(looked.status(), Status::Green, "{looked:#?}");
    // Three for the login, the questions, and a word of farewell, which nobody waits for.
    assert!(turns.load(Ordering::SeqCst) <= 5, "{turns:?}");
    let gone = "SELECT (count(*) = 0)::int::bigint FROM pg_stat_activity WHERE application_name = 'roundsman'
        AND datname = 'counted'";
    until(&owner, gone).await;
}

#[tokio::test]
async fn a_question_that_is_refused_costs_only_its_own_answer() {
    let server = postgres().await;
    let owner = server.database("refused").await;
    let sql = "
        REVOKE ALL ON pg_stat_replication, pg_stat_database FROM PUBLIC;
        REVOKE EXECUTE ON FUNCTION pg_database_size(oid), pg_database_size(name) FROM PUBLIC;
        CREATE TABLE there (n int)";
    owner.batch_execute(sql).await.expect("revoked");
    let looked = look_as("watcher", server, "refused", "").await;
    let gaps: Vec<_> = (looked.reading().gaps.iter())
        .map(|gap| (gap.metric, gap.message.as_str(), gap.hint.is_some()))
        .collect();
    assert_eq!(
        gaps,
        [
            (
                "replication_lag_seconds",
                "the server refused to tell: permission denied for view pg_stat_replication (42501)",
                true
            ),
            (
                "cache_hit_percent",
                "the server refused to tell: permission denied for view pg_stat_database (42501)",
                true
            ),
            (
                "database_size_bytes",
                "the server refused to tell: permission denied for function pg_database_size (42501)",
                true
            ),
        ]
    );
    assert_eq!(looked.number("locks_waiting"), Some(0.0));
    assert!(of(&looked, "table_size_bytes", "public.there").is_some());
}

#[tokio::test]
async fn what_others_have_put_before_the_catalogue_is_not_run() {
    let server = postgres().await;
    let owner = server.database("trapped").await;
    let sql = "
        CREATE SCHEMA trap;
        CREATE VIEW trap.pg_stat_activity AS SELECT 1 / 0 AS pid;
        CREATE FUNCTION trap.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT (1 / 0) = 1';
        GRANT USAGE ON SCHEMA trap TO PUBLIC;
        ALTER DATABASE trapped SET search_path = trap, pg_catalog";
    owner.batch_execute(sql).await.expect("a trap");
    let looked = look_as("monitor", server, "trapped", "").await;
    assert_eq!(looked.status(), Status::Green, "{looked:#?}");
    assert!(looked.reading().gaps.is_empty(), "{looked:#?}");
}

#[tokio::test]
async fn a_local_socket_and_names_lead_there_too() {
    let server = postgres().await;
    let (folder, port) = (server.socket.display(), server.port);
    for (host, tls) in [
        (folder.to_string(), "local socket"),
        ("localhost".to_owned(), "TLS 1.3"),
        ("'::ffff:127.0.0.1'".to_owned(), "TLS 1.3"),
    ] {
        let yaml = format!(
            "host: {host}\nport: {port}\ndatabase: postgres\nusername: watcher\npassword: {PASSWORD}"
        );
        let looked = look(&yaml).await;
        assert_eq!(looked.status(), Status::Green, "{}", looked.failure());
        assert_eq!(looked.fact("tls"), Some(tls));
    }
    let looked = look(&format!("host: /nowhere\nport: {port}\ndatabase: postgres")).await;
    let expected = format!(
        "unreachable cannot connect to `/nowhere/.s.PGSQL.{port}`: there is no such socket"
    );
    looked.assert_failed(Status::Red, &expected);
}
