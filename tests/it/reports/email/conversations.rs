//! Servers that cannot be trusted, that speak otherwise, or that do not speak.

use std::time::Duration;

use roundsman::reporters::Retry;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{LATER, note, paragraph, reporter, send, settings};
use crate::support::certificates::{authority, self_signed};
use crate::support::children::free_port;
use crate::support::servers::{RawServer, raw};
use crate::support::smtp::{Manner, smtp};

/// Greets, then answers each line with what the test says; remembers nothing.
async fn scripted(
    greeting: &'static str,
    answers: &'static [(&'static str, &'static str)],
) -> RawServer {
    raw(move |stream: TcpStream| async move {
        let mut stream = BufReader::new(stream);
        stream.write_all(greeting.as_bytes()).await.ok();
        let mut line = String::new();
        while matches!(stream.read_line(&mut line).await, Ok(1..)) {
            let found = answers.iter().find(|(word, _)| line.starts_with(word));
            stream
                .write_all(
                    found
                        .map_or("500 what?\r\n", |(_, answer)| answer)
                        .as_bytes(),
                )
                .await
                .ok();
            line.clear();
        }
    })
    .await
}

#[tokio::test]
async fn nothing_is_sent_to_a_server_that_cannot_prove_who_it_is() {
    let sent = note("n-1", "hello", paragraph("hello"));
    for (certificate, words) in [
        (self_signed(&["localhost"]), "is self-signed"),
        (
            authority().sign(&["other.example"], -1.0, 90.0),
            "is for another name",
        ),
        (authority().sign(&["localhost"], -9.0, -1.0), "expired on"),
    ] {
        for tls in ["starttls", "implicit"] {
            let server = smtp(&Manner {
                tls,
                certificate: certificate.clone(),
                ..Manner::default()
            })
            .await;
            let error = send(&server, &format!("tls: {tls}\n"), &sent)
                .await
                .expect_err(words);
            assert_eq!(error.retry, Retry::Never, "{error:?}");
            assert!(error.message.contains(words), "{error:?}");
            assert_eq!(server.mails().len(), 0);
        }
    }
}

#[tokio::test]
async fn a_server_without_tls_gets_neither_login_nor_mail() {
    let server = smtp(&Manner {
        tls: "none",
        login_required: false,
        ..Manner::default()
    })
    .await;
    let sent = note("n-1", "hello", paragraph("hello"));
    let error = send(&server, "tls: starttls\n", &sent)
        .await
        .expect_err("no TLS");
    assert_eq!(error.retry, Retry::Never);
    assert!(
        error.message.contains("does not offer STARTTLS"),
        "{error:?}"
    );
    let error = send(&server, "tls: implicit\n", &sent)
        .await
        .expect_err("no TLS");
    assert_eq!(error.retry, Retry::Never);
    assert!(error.message.contains("does not speak TLS"), "{error:?}");
    assert_eq!(server.mails().len(), 0);
}

#[tokio::test]
async fn what_stands_in_the_way_of_a_conversation_is_told() {
    const EHLO: (&str, &str) = ("EHLO", "250-here\r\n250 STARTTLS\r\n");
    let sent = note("n-1", "hello", paragraph("hello"));
    for (server, retry, words) in [
        (
            scripted("421 busy\r\n", &[]).await,
            LATER,
            "refused to talk with us: 421 busy",
        ),
        (
            scripted("554 go away\r\n", &[]).await,
            Retry::Never,
            "refused to talk with us: 554",
        ),
        (
            scripted("HTTP/1.1 400 Bad Request\r\n\r\n", &[]).await,
            Retry::Never,
            "does not speak SMTP",
        ),
        (
            scripted("220 here\r\n", &[EHLO, ("STARTTLS", "454 no TLS now\r\n")]).await,
            LATER,
            "refused to go over to TLS: 454",
        ),
        (
            // What comes in the same breath as the agreement is not protected: it is nobody's answer.
            scripted(
                "220 here\r\n",
                &[EHLO, ("STARTTLS", "220 go\r\n250 injected\r\n")],
            )
            .await,
            LATER,
            "during the TLS handshake",
        ),
        (
            raw(|stream| async move { drop(stream) }).await,
            LATER,
            "closed the connection",
        ),
    ] {
        let reporter = reporter(&settings(server.port, ""));
        let error = reporter.send(&sent).await.expect_err(words);
        assert_eq!(error.retry, retry, "{error:?}");
        assert!(error.message.contains(words), "{words}: {error:?}");
    }
    let nobody = reporter(&settings(free_port(), ""))
        .send(&sent)
        .await
        .expect_err("nobody");
    assert_eq!(nobody.retry, LATER);
    assert!(nobody.message.contains("connection refused"), "{nobody:?}");
    let unknown = settings(587, "").replace("localhost", "no-such-host.invalid");
    let unknown = reporter(&unknown)
        .send(&sent)
        .await
        .expect_err("no such host");
    assert_eq!(unknown.retry, LATER);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left_in_time() {
    let mute = raw(|mut stream| async move {
        stream.read_to_end(&mut Vec::new()).await.ok();
    })
    .await;
    let hanging = smtp(&Manner::default()).await;
    let sent = note("n-1", "hello", paragraph("hello"));
    let silent = reporter(&settings(mute.port, ""));
    let slow = reporter(&settings(hanging.port, "to: hang@example.com\n"));
    let began = std::time::Instant::now();
    let (silent, slow) = tokio::join!(silent.send(&sent), slow.send(&sent));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(40), "{took:?}");
    let (silent, slow) = (silent.expect_err("mute"), slow.expect_err("slow"));
    for error in [&silent, &slow] {
        assert_eq!(error.retry, LATER);
        assert!(error.message.contains("within 28 s"), "{error:?}");
    }
    assert!(silent.message.contains("its greeting"), "{silent:?}");
    assert!(slow.message.contains("it to confirm the mail"), "{slow:?}");
}
