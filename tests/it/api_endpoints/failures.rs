use std::sync::Arc;
use std::time::{Duration, Instant};

use roundsman::clients::Clients;
use roundsman::model::Status;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::support::certificates::authority;
use crate::support::children::free_port;
use crate::support::nginx::nginx;
use crate::support::servers::{RawServer, answering, blurting, raw, request};
use crate::support::{Looked, look, look_with};

const SHORT: Duration = Duration::from_millis(300);

async fn look_briefly(url: &str) -> Looked {
    look_with(&Clients::new(), &format!("url: {url}"), SHORT).await
}

/// Closes so that the other side sees a reset.
fn reset(stream: &TcpStream) {
    stream.set_zero_linger().expect("a reset");
}

#[tokio::test]
async fn refused_is_unreachable() {
    let port = free_port();
    look(&format!("url: http://127.0.0.1:{port}")).await.assert_failed(
        Status::Red,
        &format!("unreachable cannot connect to `127.0.0.1:{port}`: connection refused | nothing listens"),
    );
    // `localhost` has two addresses, and both are tried.
    look(&format!("url: http://localhost:{port}"))
        .await
        .assert_failed(Status::Red, "unreachable cannot connect to `");
}

#[tokio::test]
async fn silence_is_timed_out_in_the_phase_where_it_happens() {
    let silent = raw(|stream| async move {
        tokio::time::sleep(Duration::from_secs(30)).await;
        drop(stream);
    })
    .await;
    let port = silent.port;
    let looked = look_briefly(&format!("http://127.0.0.1:{port}/x")).await;
    let words = format!(
        "timed_out no first byte from `http://127.0.0.1:{port}/x` within 300 ms; connected in "
    );
    looked.assert_failed(Status::Red, &words);
    assert!(looked.number("connect_time_ms").is_some());
    assert_eq!(looked.number("response_time_ms"), None);

    let looked = look_briefly(&format!("https://127.0.0.1:{port}/x")).await;
    let words =
        format!("timed_out no TLS handshake with `127.0.0.1:{port}` within 300 ms; connected in ");
    looked.assert_failed(Status::Red, &words);

    let stalled = raw(|mut stream| async move {
        request(&mut stream).await;
        let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";
        stream.write_all(half).await.ok();
        tokio::time::sleep(Duration::from_secs(30)).await;
    })
    .await;
    let url = format!("http://127.0.0.1:{}/", stalled.port);
    let looked = look_briefly(&url).await;
    let words = format!(
        "timed_out the body from `{url}` was not complete within 300 ms; 4 bytes had come; connected in "
    );
    looked.assert_failed(Status::Red, &words);
    assert_eq!(looked.number("http_status"), Some(200.0));
}

#[tokio::test]
async fn nobody_accepts_is_timed_out_while_connecting() {
    // A full backlog drops further attempts, as a firewall does.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("bound");
    let listener = socket.listen(1).expect("listening");
    let port = listener.local_addr().expect("an address").port();
    let mut waiting = Vec::new();
    for _ in 0..64 {
        let connect = TcpStream::connect(("127.0.0.1", port));
        match tokio::time::timeout(Duration::from_millis(100), connect).await {
            Ok(stream) => waiting.push(stream),
            Err(_) => break,
        }
    }
    let looked = look_briefly(&format!("http://127.0.0.1:{port}/")).await;
    if waiting.len() == 64 {
        // Some kernels in sandboxes never fill the backlog; then the connection opens and stays silent.
        eprintln!("this kernel has no full backlog");
        looked.assert_failed(Status::Red, "timed_out no first byte");
    } else {
        let words =
            format!("timed_out no connection to `127.0.0.1:{port}` within 300 ms | check that");
        looked.assert_failed(Status::Red, &words);
    }
}

#[tokio::test]
async fn answers_that_break_off_or_make_no_sense_are_unexpected() {
    for (answer, words) in [
        ("", "` closed the connection without a complete answer |"),
        (
            "HTTP/1.1 200 OK\r\nContent-Le",
            "` closed the connection without a complete answer |",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
            "` cut its answer off after 4 of 100 bytes of the body |",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            "` cut its answer off after 4 bytes of the body |",
        ),
        (
            "SSH-2.0-OpenSSH_9.2\r\n",
            "` answered with something that is not HTTP | check that the port",
        ),
        (
            "\u{15}\u{3}\u{1}\u{0}\u{2}\u{2}F",
            "` answered with something that is not HTTP |",
        ),
    ] {
        let server = answering(answer).await;
        let url = format!("http://127.0.0.1:{}/", server.port);
        let looked = look(&format!("url: {url}")).await;
        looked.assert_failed(Status::Red, &format!("unexpected `{url}{words}"));
    }
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let server = raw(|mut stream| async move {
        request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n").await.ok();
        let line = format!("X-Endless: {}\r\n", "x".repeat(1_000));
        while stream.write_all(line.as_bytes()).await.is_ok() {}
    })
    .await;
    let url = format!("http://127.0.0.1:{}/", server.port);
    let looked = look(&format!("url: {url}")).await;
    looked.assert_failed(
        Status::Red,
        &format!("unexpected `{url}` answered with headers that are too large |"),
    );
}

#[tokio::test]
async fn a_reset_is_unreachable() {
    let before = raw(|mut stream| async move {
        request(&mut stream).await;
        reset(&stream);
    })
    .await;
    let url = format!("http://127.0.0.1:{}/", before.port);
    let words =
        format!("unreachable the connection to `{url}` ended too early: connection reset |");
    look(&format!("url: {url}"))
        .await
        .assert_failed(Status::Red, &words);

    let within = raw(|mut stream| async move {
        request(&mut stream).await;
        let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";
        stream.write_all(half).await.ok();
        tokio::time::sleep(Duration::from_millis(50)).await;
        reset(&stream);
    })
    .await;
    let url = format!("http://127.0.0.1:{}/", within.port);
    let words =
        format!("unreachable the connection to `{url}` ended too early: connection reset |");
    look(&format!("url: {url}"))
        .await
        .assert_failed(Status::Red, &words);

    let during_tls = raw(|stream| async move { reset(&stream) }).await;
    look(&format!("url: https://127.0.0.1:{}", during_tls.port))
        .await
        .assert_failed(
            Status::Red,
            "unreachable the TLS handshake with `127.0.0.1:",
        );
}

#[tokio::test]
async fn the_wrong_protocol_is_told() {
    let port = nginx().await.http;
    look(&format!("url: https://127.0.0.1:{port}/ok"))
        .await
        .assert_failed(
            Status::Red,
            &format!(
                "unexpected `127.0.0.1:{port}` does not speak TLS on this port | write `http://`"
            ),
        );
    let closing = blurting(b"").await;
    look(&format!("url: https://127.0.0.1:{}", closing.port))
        .await
        .assert_failed(
            Status::Red,
            &format!(
                "unexpected `127.0.0.1:{}` closed the connection during the TLS handshake |",
                closing.port
            ),
        );
}

#[tokio::test]
async fn many_silent_targets_wait_together() {
    let silent = raw(|stream| async move {
        tokio::time::sleep(Duration::from_secs(30)).await;
        drop(stream);
    })
    .await;
    let clients = Clients::new();
    let yaml = format!("url: http://127.0.0.1:{}/", silent.port);
    let started = Instant::now();
    let looks = (0..200).map(|_| look_with(&clients, &yaml, SHORT));
    for looked in futures_util::future::join_all(looks).await {
        looked.assert_failed(Status::Red, "timed_out ");
    }
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
}

/// The end of each connection to a server that says nothing, over TLS with HTTP/2 or in the clear.
async fn silent_until_left(over_tls: bool) -> (RawServer, tokio::sync::mpsc::Receiver<()>) {
    let (left, ends) = tokio::sync::mpsc::channel(8);
    let mut config = authority().good().server_config();
    Arc::make_mut(&mut config).alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(config);
    let server = raw(move |mut stream| {
        let (left, acceptor) = (left.clone(), acceptor.clone());
        async move {
            if over_tls {
                let mut stream = acceptor.accept(stream).await.expect("a handshake");
                until_end(&mut stream).await;
            } else {
                until_end(&mut stream).await;
            }
            left.send(()).await.ok();
        }
    })
    .await;
    (server, ends)
}

async fn until_end(stream: &mut (impl tokio::io::AsyncRead + Unpin)) {
    let mut part = [0; 4096];
    while matches!(stream.read(&mut part).await, Ok(1..)) {}
}

#[tokio::test]
async fn a_look_that_is_dropped_or_late_leaves_nothing_behind() {
    let ca = authority().file();
    for scheme in ["http", "https"] {
        let (server, mut ends) = silent_until_left(scheme == "https").await;
        let url = format!("{scheme}://127.0.0.1:{}/", server.port);
        let yaml = format!(
            "{{url: '{url}', tls: {{ca_file: {}}}}}",
            ca.path().display()
        );
        let clients = Clients::new();
        let long = Duration::from_mins(1);
        let look = look_with(&clients, &yaml, long);
        tokio::time::timeout(SHORT, look)
            .await
            .expect_err("it waits");
        let left = tokio::time::timeout(Duration::from_secs(5), ends.recv()).await;
        assert_eq!(left, Ok(Some(())), "{scheme}: the connection stays open");

        let looked = look_with(&clients, &yaml, SHORT).await;
        looked.assert_failed(
            Status::Red,
            &format!("timed_out no first byte from `{url}` within 300 ms; connected in"),
        );
        let left = tokio::time::timeout(Duration::from_secs(5), ends.recv()).await;
        assert_eq!(left, Ok(Some(())), "{scheme}: the connection stays open");
    }
}

#[tokio::test]
async fn http_2_that_breaks_off_is_told() {
    let mut config = authority().good().server_config();
    Arc::make_mut(&mut config).alpn_protocols = vec![b"h2".to_vec()];
    let ca = authority().file();
    // Nothing; an empty SETTINGS frame (RFC 9113 §6.5); no frame at all.
    for (answer, words) in [
        ("", "closed the connection without a complete answer |"),
        (
            "\0\0\0\x04\0\0\0\0\0",
            "closed the connection without a complete answer |",
        ),
        (
            "HTTP/1.1 400 Bad Request\r\n\r\n",
            "broke the HTTP protocol: ",
        ),
    ] {
        let acceptor = TlsAcceptor::from(Arc::clone(&config));
        let server = raw(move |stream| {
            let acceptor = acceptor.clone();
            async move {
                let mut stream = acceptor.accept(stream).await.expect("a handshake");
                request(&mut stream).await;
                stream.write_all(answer.as_bytes()).await.ok();
                stream.shutdown().await.ok();
                // What is left unread when a socket closes turns its end into a reset.
                until_end(&mut stream).await;
            }
        })
        .await;
        let url = format!("https://127.0.0.1:{}/", server.port);
        let yaml = format!(
            "{{url: '{url}', tls: {{ca_file: {}}}}}",
            ca.path().display()
        );
        look(&yaml)
            .await
            .assert_failed(Status::Red, &format!("unexpected `{url}` {words}"));
    }
}
