use std::net::IpAddr;

use rcgen::ExtendedKeyUsagePurpose;
use roundsman::model::Status;
use rustls::version::{TLS12, TLS13};

use crate::support::certificates::{Pair, authority, self_signed, self_signed_authority};
use crate::support::servers::{RawServer, answering_tls, blurting, ipv4, ipv6};
use crate::support::{Looked, look};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

async fn serving(address: IpAddr, pair: &Pair) -> RawServer {
    answering_tls(address, pair.server_config(), OK).await
}

async fn look_trusting(server: &RawServer, host: &str, more: &str) -> Looked {
    let ca = authority().file();
    let path = ca.path().display();
    let port = server.port;
    let auth = "auth: {bearer: canary}";
    look(&format!(
        "{{url: 'https://{host}:{port}/', {auth}, tls: {{ca_file: {path}{more}}}}}"
    ))
    .await
}

#[tokio::test]
async fn a_certificate_that_is_not_valid_is_red_and_gets_no_request() {
    let authority = authority();
    let local = &["localhost", "127.0.0.1"][..];
    let stranger = {
        // Signed by an authority that nobody trusts, not by itself.
        let mut other = rcgen::CertificateParams::new(Vec::new()).unwrap();
        other.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = rcgen::Issuer::new(other, rcgen::KeyPair::generate().unwrap());
        let key = rcgen::KeyPair::generate().unwrap();
        let mut own = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        own.distinguished_name = rcgen::DistinguishedName::new();
        Pair {
            certificate: own.signed_by(&key, &issuer).unwrap().pem(),
            key: key.serialize_pem(),
        }
    };
    for (pair, words, days) in [
        (
            authority.sign(local, -60.0, -2.0),
            "expired on 20",
            -3.0..-1.0,
        ),
        (
            authority.sign(local, 2.0, 60.0),
            "is not valid before 20",
            59.0..61.0,
        ),
        (
            self_signed(local),
            "is self-signed | set `tls.ca_file`",
            89.0..91.0,
        ),
        (
            authority.sign(&["a.example.com", "b.example.com"], -1.0, 90.0),
            "is for another name: it is for `a.example.com`, `b.example.com` | check the host",
            89.0..91.0,
        ),
        (
            stranger,
            "was signed by an authority that is not trusted: `CN=rcgen",
            1_000.0..1e9,
        ),
    ] {
        let server = serving(ipv4(), &pair).await;
        let looked = look_trusting(&server, "127.0.0.1", "").await;
        let words = format!(
            "unexpected the certificate of `127.0.0.1:{}` {words}",
            server.port
        );
        looked.assert_failed(Status::Red, &words);
        let left = looked.number("certificate_days_left").expect("days");
        assert!(days.contains(&left), "{left} in {days:?}");
        assert_eq!(server.requests(), [""; 0], "no credential was sent");

        let unchecked = look_trusting(&server, "127.0.0.1", ", verify: false").await;
        assert!(unchecked.outcome.is_ok(), "{}", unchecked.failure());
        assert!(unchecked.number("certificate_days_left").is_some());
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_certificate_that_ends_soon_turns_by_its_days() {
    for (days, status) in [
        (31.0, Status::Green),
        (10.0, Status::Yellow),
        (3.0, Status::Red),
    ] {
        let pair = authority().sign(&["localhost"], -60.0, days);
        let server = serving(ipv4(), &pair).await;
        let looked = look_trusting(&server, "localhost", "").await;
        assert!(looked.outcome.is_ok(), "{}", looked.failure());
        assert_eq!(looked.status(), status, "{days}");
    }
}

#[tokio::test]
async fn ipv6_addresses_work() {
    let server = serving(ipv6(), &authority().good()).await;
    let looked = look_trusting(&server, "[::1]", "").await;
    looked.assert_green();
    assert_eq!(
        looked.fact("address"),
        Some(format!("[::1]:{}", server.port).as_str())
    );
    look_trusting(&server, "localhost", "").await.assert_green();
}

#[tokio::test]
async fn what_has_no_version_in_common_is_told() {
    // A server that answers every hello with the alert `protocol_version`.
    let server = blurting(b"\x15\x03\x03\x00\x02\x02\x46").await;
    look(&format!("url: https://127.0.0.1:{}", server.port))
        .await
        .assert_failed(
            Status::Red,
            &format!(
                "unexpected `127.0.0.1:{}` and we have no TLS version or cipher in common |",
                server.port
            ),
        );
}

#[tokio::test]
async fn a_wanted_client_certificate_is_denied() {
    for version in [&TLS12, &TLS13] {
        let config = authority().good().server_config_for_known_clients(version);
        let server = answering_tls(ipv4(), config, OK).await;
        let looked = look_trusting(&server, "127.0.0.1", "").await;
        looked.assert_failed(
            Status::Unknown,
            &format!(
                "denied `127.0.0.1:{}` wants a client certificate |",
                server.port
            ),
        );
    }
}

#[tokio::test]
async fn a_ca_file_that_is_no_good_is_ours() {
    let server = serving(ipv4(), &authority().good()).await;
    let port = server.port;
    let look_with_file = |path: String| async move {
        look(&format!(
            "{{url: 'https://127.0.0.1:{port}', tls: {{ca_file: {path}}}}}"
        ))
        .await
    };
    let missing = look_with_file("/nowhere/ca.pem".to_owned()).await;
    missing.assert_failed(
        Status::Unknown,
        "ours cannot use the certificates of `/nowhere/ca.pem`: No such file",
    );
    let empty = tempfile::NamedTempFile::new().unwrap();
    let empty = look_with_file(empty.path().display().to_string()).await;
    assert!(
        empty
            .failure()
            .contains(": there is no certificate in it | `tls.ca_file` must be"),
        "{empty:?}"
    );
    assert_eq!(empty.status(), Status::Unknown);
}

#[tokio::test]
async fn a_certificate_that_is_itself_the_file_is_trusted_whoever_signed_it() {
    let local = &["localhost", "127.0.0.1"][..];
    let seen = async |shown: &Pair, trusted: &Pair, host: &str| {
        let server = serving(ipv4(), shown).await;
        let file = trusted.file();
        look(&format!(
            "{{url: 'https://{host}:{}/', tls: {{ca_file: {}}}}}",
            server.port,
            file.path().display()
        ))
        .await
    };
    let made = |purposes: &[_]| self_signed_authority(local, 90.0, purposes);
    let usual = made(&[]);
    for good in [
        usual.clone(),
        made(&[ExtendedKeyUsagePurpose::ServerAuth]),
        self_signed(local),
        // One of an authority that nobody here knows.
        authority().good(),
    ] {
        seen(&good, &good, "127.0.0.1").await.assert_green();
    }
    let of_old = self_signed_authority(local, -2.0, &[]);
    let for_others = self_signed_authority(&["a.example.com"], 90.0, &[]);
    let for_clients = made(&[ExtendedKeyUsagePurpose::ClientAuth]);
    let foreign = authority().good();
    for (shown, trusted, words) in [
        (&of_old, &of_old, "expired on 20"),
        (
            &for_others,
            &for_others,
            "is for another name: it is for `a.example.com` |",
        ),
        (&for_clients, &for_clients, "is self-signed |"),
        // Of the same name, and not the same.
        (&made(&[]), &usual, "is self-signed |"),
        (
            &foreign,
            &usual,
            "was signed by an authority that is not trusted",
        ),
    ] {
        let looked = seen(shown, trusted, "127.0.0.1").await;
        assert!(looked.failure().contains(words), "{}", looked.failure());
        assert_eq!(looked.status(), Status::Red);
    }
}
