use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use roundsman::model::Status;
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;

use crate::support::certificates::authority;
use crate::support::look;
use crate::support::nginx::nginx;
use crate::support::servers::{answering, raw, request};

fn with_head(head: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{head}\r\n");
    [head.as_bytes(), body].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("written");
    encoder.finish().expect("finished")
}

#[tokio::test]
async fn what_is_not_in_the_body_is_told_and_what_is_in_it_is_not() {
    let url = format!("http://127.0.0.1:{}/json", nginx().await.http);
    for (expect, words) in [
        ("contains: '\"ok\"'", None),
        (
            "contains: [status, nowhere]",
            Some("200 without `nowhere` in the body |"),
        ),
        ("regex: '\"load\": 0\\.\\d'", None),
        (
            "regex: '^ok$'",
            Some("200 with a body that `^ok$` does not match |"),
        ),
        ("json: {$.status: ok, $.load: 0.5}", None),
        (
            "json: {$.status: well}",
            Some("200 with JSON whose `$.status` is not `\"well\"` |"),
        ),
        (
            "json: {$.nothing: 1}",
            Some("200 with JSON that has nothing at `$.nothing` |"),
        ),
    ] {
        let looked = look(&format!("{{url: '{url}', expect: {{{expect}}}}}")).await;
        match words {
            None => looked.assert_green(),
            Some(words) => {
                looked.assert_failed(Status::Red, &format!("unexpected `{url}` answered {words}"));
            }
        }
    }
    let text = format!("http://127.0.0.1:{}/ok", nginx().await.http);
    let looked = look(&format!(
        "{{url: '{text}', expect: {{json: {{$.status: ok}}}}}}"
    ))
    .await;
    let words = format!("unexpected `{text}` answered 200 with a body that is not JSON |");
    looked.assert_failed(Status::Red, &words);
}

#[tokio::test]
async fn a_huge_body_costs_neither_time_nor_a_verdict() {
    let url = format!("http://127.0.0.1:{}/large", nginx().await.http);
    let started = Instant::now();
    let looked = look(&format!("url: {url}")).await;
    looked.assert_green();
    assert_eq!(looked.number("body_bytes"), Some(1_048_576.0));
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
    let looked = look(&format!(
        "{{url: '{url}', max_body_bytes: 1000, expect: {{contains: end}}}}"
    ))
    .await;
    let words = format!(
        "ours cannot check the body of `{url}`: what is expected is not in its first 1000 bytes | raise `max_body_bytes`"
    );
    looked.assert_failed(Status::Unknown, &words);
}

#[tokio::test]
async fn compressed_bodies_are_opened_with_a_limit() {
    let head = "Content-Encoding: gzip\r\n";
    let good = answering(with_head(head, &gzip(b"all is well"))).await;
    let expect = "expect: {contains: all is well}";
    look(&format!(
        "{{url: 'http://127.0.0.1:{}', {expect}}}",
        good.port
    ))
    .await
    .assert_green();

    let bomb = answering(with_head(head, &gzip(&vec![b'x'; 200_000_000]))).await;
    let started = Instant::now();
    look(&format!(
        "{{url: 'http://127.0.0.1:{}', {expect}}}",
        bomb.port
    ))
    .await
    .assert_failed(Status::Unknown, "ours cannot check the body");
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );

    for (head, why) in [
        (
            "Content-Encoding: br\r\n",
            "is compressed as `br`, which we cannot open |",
        ),
        (
            "Content-Encoding: gzip\r\n",
            "is not compressed as its header says |",
        ),
    ] {
        let server = answering(with_head(head, b"canary")).await;
        let url = format!("http://127.0.0.1:{}/", server.port);
        let words = format!("unexpected `{url}` answered with a body that {why}");
        look(&format!("{{url: '{url}', {expect}}}"))
            .await
            .assert_failed(Status::Red, &words);
        look(&format!("url: {url}")).await.assert_green();
    }
}

#[tokio::test]
async fn a_body_of_just_the_limit_is_whole() {
    let server = answering(with_head("", b"0123456789")).await;
    let url = format!("http://127.0.0.1:{}/", server.port);
    let looked = look(&format!(
        "{{url: '{url}', max_body_bytes: 10, expect: {{contains: x}}}}"
    ))
    .await;
    looked.assert_failed(
        Status::Red,
        &format!("unexpected `{url}` answered 200 without `x`"),
    );
}

#[tokio::test]
async fn a_body_that_ends_with_its_connection_is_whole_even_if_tls_is_not_ended_in_form() {
    let acceptor = TlsAcceptor::from(authority().good().server_config());
    let ca = authority().file();
    for (head, words) in [
        ("", None),
        (
            "Content-Length: 100\r\n",
            Some("cut its answer off after 11 of 100 bytes of the body |"),
        ),
    ] {
        let acceptor = acceptor.clone();
        let server = raw(move |stream| {
            let acceptor = acceptor.clone();
            async move {
                let mut stream = acceptor.accept(stream).await.expect("a handshake");
                request(&mut stream).await;
                let answer = format!("HTTP/1.1 200 OK\r\n{head}\r\nall is well");
                stream.write_all(answer.as_bytes()).await.ok();
                stream.flush().await.ok();
                stream.get_mut().0.shutdown().await.ok();
            }
        })
        .await;
        let url = format!("https://127.0.0.1:{}/", server.port);
        let path = ca.path().display();
        let expect = "expect: {contains: all is well}";
        let looked = look(&format!(
            "{{url: '{url}', tls: {{ca_file: {path}}}, {expect}}}"
        ))
        .await;
        match words {
            None => looked.assert_green(),
            Some(words) => {
                looked.assert_failed(Status::Red, &format!("unexpected `{url}` {words}"));
            }
        }
    }
}
