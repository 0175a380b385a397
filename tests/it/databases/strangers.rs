//! Servers that are no PostgreSQL, or none that could be trusted.

use std::time::Duration;

use roundsman::clients::Clients;
use roundsman::model::Status;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{look, settings};
use crate::support::look_at;
use crate::support::nginx::nginx;
use crate::support::servers::{RawServer, raw};

/// Says this to everybody at once, and then waits for the other to go.
async fn saying(words: &'static [u8]) -> RawServer {
    raw(move |mut stream| async move {
        stream.write_all(words).await.ok();
        stream.read_to_end(&mut Vec::new()).await.ok();
    })
    .await
}

/// What the client says next, which is short.
async fn heard(stream: &mut TcpStream) -> String {
    let mut came = vec![0; 1024];
    let length = stream.read(&mut came).await.unwrap_or_default();
    String::from_utf8_lossy(&came[..length]).into_owned()
}

#[tokio::test]
async fn other_services_are_told_by_what_they_say() {
    let mysql = b"J\0\0\0\x0a8.0.36\0\x08\0\0\0abcdefgh\0\xff\xff";
    for (words, said) in [
        (
            &b"SSH-2.0-OpenSSH_9.2p1\r\n"[..],
            "it speaks SSH: `SSH-2.0-OpenSSH_9.2p1`",
        ),
        (mysql, "it speaks MySQL's protocol"),
        (
            b"220 mail.example.com ESMTP\r\n",
            "it says `220 mail.example.com ESMTP`",
        ),
        (
            b"\xff\xfe\x01\0\0\0\0\0",
            "it says something that is no PostgreSQL",
        ),
    ] {
        let server = saying(words).await;
        for mode in ["disable", "prefer", "require"] {
            let more = format!("ssl_mode: {mode}");
            let looked = look(&settings("watcher", server.port, "shop", &more)).await;
            let expected = format!(
                "unexpected `127.0.0.1:{}` is no PostgreSQL server: {said}",
                server.port
            );
            looked.assert_failed(Status::Red, &expected);
        }
    }
}

#[tokio::test]
async fn a_web_server_is_told_without_tls_too() {
    let port = nginx().await.http;
    for mode in ["disable", "prefer"] {
        let looked = look(&settings(
            "watcher",
            port,
            "shop",
            &format!("ssl_mode: {mode}"),
        ))
        .await;
        // Nginx may answer bytes that are no HTTP, or just close.
        looked.assert_failed(Status::Red, "unexpected ");
    }
}

#[tokio::test]
async fn a_server_that_cannot_start_a_process_says_so_in_the_old_form() {
    let words = b"Ecould not fork new process for connection: Cannot allocate memory\n\0";
    for mode in ["disable", "prefer"] {
        let server = raw(move |mut stream| async move {
            heard(&mut stream).await;
            stream.write_all(words).await.ok();
        })
        .await;
        let looked = look(&settings(
            "watcher",
            server.port,
            "shop",
            &format!("ssl_mode: {mode}"),
        ))
        .await;
        let expected = format!(
            "unexpected `127.0.0.1:{}` cannot serve us: could not fork new process",
            server.port
        );
        looked.assert_failed(Status::Red, &expected);
    }
}

#[tokio::test]
async fn a_server_that_repeats_our_password_is_not_quoted() {
    // Refuses TLS, wants the password in the clear, and says what it was told; `look` finds the canary.
    let server = raw(|mut stream| async move {
        heard(&mut stream).await;
        stream.write_all(b"N").await.ok();
        heard(&mut stream).await;
        stream.write_all(b"R\0\0\0\x08\0\0\0\x03").await.ok();
        let came = heard(&mut stream).await;
        let password = came[5..].trim_end_matches('\0');
        let fields = format!("SFATAL\0VFATAL\0C28P01\0Mno, \x1b[31m{password}\nis wrong\0\0");
        let length = u32::try_from(fields.len() + 4)
            .expect("short")
            .to_be_bytes();
        stream.write_all(b"E").await.ok();
        stream.write_all(&length).await.ok();
        stream.write_all(fields.as_bytes()).await.ok();
    })
    .await;
    let looked = look(&settings("watcher", server.port, "shop", "")).await;
    let expected = format!(
        "denied `127.0.0.1:{}` refuses the login: no, [hidden] is wrong | ",
        server.port
    );
    looked.assert_failed(Status::Unknown, &expected);
}

#[tokio::test]
async fn a_server_that_sends_on_after_agreeing_to_tls_is_not_believed() {
    let server = raw(|mut stream| async move {
        heard(&mut stream).await;
        stream.write_all(b"SR\0\0\0\x08\0\0\0\0").await.ok();
        stream.read_to_end(&mut Vec::new()).await.ok();
    })
    .await;
    let looked = look(&settings("watcher", server.port, "shop", "")).await;
    looked.assert_failed(Status::Red, "unexpected ");
}

#[tokio::test]
async fn a_server_that_hangs_takes_connections_and_answers_nothing() {
    let server = saying(b"").await;
    for (mode, words) in [
        (
            "prefer",
            "took the connection, but answered nothing within ",
        ),
        (
            "disable",
            "accepted the connection, but did not finish the login within ",
        ),
    ] {
        let more = format!("ssl_mode: {mode}");
        let yaml = settings("watcher", server.port, "shop", &more);
        let timeout = Duration::from_secs(1);
        let looked = look_at("databases", &Clients::new(), &yaml, timeout).await;
        let expected = format!("timed_out `127.0.0.1:{}` {words}", server.port);
        looked.assert_failed(Status::Red, &expected);
        let hint = "the server hangs or is overloaded";
        assert!(looked.failure().contains(hint), "{}", looked.failure());
    }
}
