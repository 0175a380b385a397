//! How the connection is protected, in every mode.

use roundsman::model::Status;

use super::{fronts, look, look_as, settings};
use crate::support::certificates::{authority, self_signed};
use crate::support::postgres::{postgres, small};

#[tokio::test]
async fn every_mode_is_kept() {
    let server = postgres().await;
    let authority = authority().file();
    let ca_file = authority.path().display();
    for (mode, tls) in [
        ("disable".to_owned(), "no"),
        ("prefer".to_owned(), "TLS 1.3"),
        ("require".to_owned(), "TLS 1.3"),
        (format!("require\nca_file: {ca_file}"), "TLS 1.3"),
        (format!("verify-ca\nca_file: {ca_file}"), "TLS 1.3"),
        (format!("verify-full\nca_file: {ca_file}"), "TLS 1.3"),
    ] {
        let looked = look_as("watcher", server, "postgres", &format!("ssl_mode: {mode}")).await;
        assert_eq!(
            looked.status(),
            Status::Green,
            "{mode}: {}",
            looked.failure()
        );
        assert_eq!(looked.fact("tls"), Some(tls), "{mode}");
        let days = looked.number("certificate_days_left");
        assert_eq!(days.is_some(), mode.contains("ca_file"), "{mode}: {days:?}");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_used_only_where_that_may_be() {
    // All its connections may be taken: it answers about TLS before that.
    let server = small().await;
    let at = format!("`127.0.0.1:{}`", server.port);
    for mode in ["require", "verify-ca", "verify-full"] {
        let authority = authority().file();
        let more = format!("ssl_mode: {mode}\nca_file: {}", authority.path().display());
        let looked = look_as("watcher", server, "postgres", &more).await;
        let expected = format!("unexpected {at} offers no TLS, and `ssl_mode: {mode}` wants it");
        looked.assert_failed(Status::Red, &expected);
    }
}

#[tokio::test]
async fn certificates_are_checked_as_far_as_the_mode_says() {
    let server = postgres().await;
    let file = authority().file();
    let ca_file = file.path().display();
    let good = "the certificate is good";
    for (pair, prefer, require_with_file, verify_full) in [
        (
            authority().sign(&["db.example.com"], -1.0, 90.0),
            good,
            good,
            "is for another name: it is for `db.example.com`",
        ),
        (
            authority().sign(&["127.0.0.1"], -30.0, -1.0),
            good,
            "expired on ",
            "expired on ",
        ),
        (
            self_signed(&["127.0.0.1"]),
            good,
            "is self-signed",
            "is self-signed",
        ),
    ] {
        let front = fronts::with_certificate(pair.server_config(), server.port).await;
        for (mode, words) in [
            ("prefer".to_owned(), prefer),
            ("require".to_owned(), prefer),
            (format!("require\nca_file: {ca_file}"), require_with_file),
            (format!("verify-ca\nca_file: {ca_file}"), require_with_file),
            (format!("verify-full\nca_file: {ca_file}"), verify_full),
        ] {
            let more = format!("ssl_mode: {mode}");
            let looked = look(&settings("watcher", front.port, "postgres", &more)).await;
            if words == good {
                assert_eq!(
                    looked.status(),
                    Status::Green,
                    "{mode}: {}",
                    looked.failure()
                );
                assert_eq!(looked.fact("tls_fallback"), None, "{mode}");
            } else {
                let at = format!(
                    "unexpected the certificate of `127.0.0.1:{}` {words}",
                    front.port
                );
                looked.assert_failed(Status::Red, &at);
            }
        }
    }
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_told_before_it_does() {
    let server = postgres().await;
    let file = authority().file();
    let more = format!("ssl_mode: verify-full\nca_file: {}", file.path().display());
    for (days, status) in [(20.0, Status::Yellow), (5.0, Status::Red)] {
        let pair = authority().sign(&["127.0.0.1"], -1.0, days);
        let front = fronts::with_certificate(pair.server_config(), server.port).await;
        let looked = look(&settings("watcher", front.port, "postgres", &more)).await;
        assert_eq!(looked.status(), status, "{}", looked.failure());
    }
}

#[tokio::test]
async fn prefer_does_without_tls_where_tls_leads_nowhere_and_says_so() {
    let server = postgres().await;
    let front = fronts::with_broken_tls(server.port).await;
    let looked = look(&settings("watcher", front.port, "postgres", "")).await;
    assert_eq!(looked.status(), Status::Green, "{}", looked.failure());
    assert_eq!(looked.fact("tls"), Some("no"));
    let why = looked.fact("tls_fallback").expect("why");
    assert!(why.starts_with("not protected, because "), "{why}");

    let looked = look(&settings(
        "watcher",
        front.port,
        "postgres",
        "ssl_mode: require",
    ))
    .await;
    assert_eq!(looked.status(), Status::Red, "{}", looked.failure());

    // The server has a rule for us, but none for protected connections.
    let looked = look_as("plain_only", server, "postgres", "").await;
    assert_eq!(looked.status(), Status::Green, "{}", looked.failure());
    assert_eq!(looked.fact("tls"), Some("no"));
    let looked = look_as("plain_only", server, "postgres", "ssl_mode: require").await;
    looked.assert_failed(Status::Unknown, "denied ");
}

#[tokio::test]
async fn an_authority_that_cannot_be_read_is_ours() {
    let server = postgres().await;
    let more = "ssl_mode: verify-full\nca_file: /nowhere/ca.pem";
    let looked = look_as("watcher", server, "postgres", more).await;
    looked.assert_failed(
        Status::Unknown,
        "ours cannot use the certificates of `/nowhere/ca.pem`",
    );
    assert!(
        looked.failure().contains("`ca_file` must be"),
        "{}",
        looked.failure()
    );
}
