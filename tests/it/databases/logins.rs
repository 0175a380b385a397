//! Logins that the server accepts or refuses, and who is to blame.

use std::io::Write;

use roundsman::model::Status;
use tempfile::NamedTempFile;

use super::{look, look_as, until};
use crate::support::certificates::authority;
use crate::support::postgres::{postgres, primary, small};

#[tokio::test]
async fn passwords_are_told_in_every_way() {
    let server = postgres().await;
    for role in ["watcher", "md5", "cleartext", "tls_only"] {
        let looked = look_as(role, server, "postgres", "").await;
        assert_eq!(
            looked.status(),
            Status::Green,
            "{role}: {}",
            looked.failure()
        );
    }
}

#[tokio::test]
async fn a_login_that_is_not_accepted_is_ours() {
    let server = postgres().await;
    let port = server.port;
    let at = format!("`127.0.0.1:{port}`");
    let base = format!("host: 127.0.0.1\nport: {port}\ndatabase: postgres\n");
    for (more, message, hint) in [
        (
            "username: watcher\npassword: wrong-canary",
            "refuses the login: password authentication failed for user \"watcher\"",
            "check `username` and `password` (`POSTGRES_USER`, `POSTGRES_PASSWORD`)",
        ),
        (
            "username: watcher",
            "wants a password for `watcher`, and none is set",
            "set `password`, or the variable `POSTGRES_PASSWORD`",
        ),
        (
            "username: ghost",
            "refuses the login: role \"ghost\" does not exist",
            "check `username` (`POSTGRES_USER`), or make the role: `CREATE ROLE \"ghost\" LOGIN`",
        ),
        (
            "username: nobody\nssl_mode: require",
            "refuses the login: no pg_hba.conf entry for host",
            "add a line to the server's `pg_hba.conf` and reload it: `hostssl postgres nobody ADDRESS scram-sha-256`",
        ),
        (
            "username: tls_only\nssl_mode: disable",
            "refuses the login: no pg_hba.conf entry for host",
            "the server may only let us in with TLS: set `ssl_mode: require`",
        ),
        (
            "username: certified\nssl_mode: require",
            "refuses the login: connection requires a valid client certificate",
            "set `client_cert` and `client_key`",
        ),
    ] {
        let looked = look(&format!("{base}{more}")).await;
        looked.assert_failed(Status::Unknown, &format!("denied {at} {message}"));
        assert!(looked.failure().contains(hint), "{}", looked.failure());
    }
}

#[tokio::test]
async fn a_certificate_of_ours_logs_in() {
    let server = postgres().await;
    let file = |text: &str| {
        let mut file = NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("written");
        file
    };
    let path = |file: &NamedTempFile| file.path().display().to_string();
    let pair = authority().for_client("certified");
    let (certificate, key) = (file(&pair.certificate), file(&pair.key));
    let yaml = |certificate: &str, key: &str| {
        format!(
            "host: 127.0.0.1\nport: {}\ndatabase: postgres\nusername: certified\nssl_mode: require\n\
             client_cert: {certificate}\nclient_key: {key}",
            server.port
        )
    };
    let looked = look(&yaml(&path(&certificate), &path(&key))).await;
    assert_eq!(looked.status(), Status::Green, "{}", looked.failure());

    let looked = look(&yaml(&path(&certificate), "/nowhere/key.pem")).await;
    looked.assert_failed(Status::Unknown, "ours cannot use `/nowhere/key.pem`");

    let other = authority().for_client("somebody");
    let (certificate, key) = (file(&other.certificate), file(&other.key));
    let looked = look(&yaml(&path(&certificate), &path(&key))).await;
    looked.assert_failed(Status::Unknown, "denied ");
    assert!(
        looked
            .failure()
            .contains("certificate authentication failed"),
        "{}",
        looked.failure()
    );
}

#[tokio::test]
async fn a_database_that_is_not_there_is_missing_and_one_that_is_closed_is_not() {
    let server = postgres().await;
    let looked = look_as("watcher", server, "nowhere", "").await;
    let expected = format!(
        "missing there is no database `nowhere` on `127.0.0.1:{}`",
        server.port
    );
    looked.assert_failed(Status::Red, &expected);

    let owner = server.database("closed").await;
    let sql = "REVOKE CONNECT ON DATABASE closed FROM PUBLIC";
    owner.batch_execute(sql).await.expect("revoked");
    let looked = look_as("barred", server, "closed", "").await;
    looked.assert_failed(Status::Unknown, "denied ");
    let hint = "`GRANT CONNECT ON DATABASE \"closed\" TO \"barred\"`";
    assert!(looked.failure().contains(hint), "{}", looked.failure());
}

#[tokio::test]
async fn a_server_without_a_free_connection_is_in_trouble() {
    let server = small().await;
    let owner = server.owner("postgres").await;
    let held = "SELECT (count(*) >= 2)::int::bigint FROM pg_stat_activity WHERE backend_type = 'client backend'";
    let _second = server.owner("postgres").await;
    until(&owner, held).await;
    let looked = look_as("watcher", server, "postgres", "").await;
    let expected = format!(
        "unexpected `127.0.0.1:{}` has no connection left: ",
        server.port
    );
    looked.assert_failed(Status::Red, &expected);
    assert!(
        looked.failure().contains("pg_stat_activity"),
        "{}",
        looked.failure()
    );
}

#[tokio::test]
async fn a_server_that_lets_nobody_in_yet_is_in_trouble() {
    let server = primary().await;
    let cold = server.cold_standby("cold", "hot_standby = off\n").await;
    // It has come so far that it would let us in, if it did at all.
    let looked = look_as("watcher", &cold, "postgres", "").await;
    let expected = format!(
        "unexpected `127.0.0.1:{}` takes no connections now: the database system is",
        cold.port
    );
    looked.assert_failed(Status::Red, &expected);
}
