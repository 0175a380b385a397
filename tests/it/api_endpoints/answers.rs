use roundsman::model::Status;

use crate::support::certificates::authority;
use crate::support::nginx::nginx;
use crate::support::servers::answering;
use crate::support::{kind_of, look, target};

#[tokio::test]
async fn a_good_answer_is_green_and_measured() {
    let looked = look(&format!("url: http://localhost:{}/ok", nginx().await.http)).await;
    looked.assert_green();
    assert_eq!(looked.number("http_status"), Some(200.0));
    assert_eq!(looked.number("body_bytes"), Some(12.0));
    let whole = looked.number("response_time_ms").expect("a time");
    let phases = [
        "dns_time_ms",
        "connect_time_ms",
        "first_byte_time_ms",
        "body_time_ms",
    ];
    let sum: f64 = phases
        .iter()
        .map(|phase| looked.number(phase).expect(phase))
        .sum();
    assert!(sum <= whole && whole < 2_000.0, "{sum} of {whole}");
    assert_eq!(looked.number("tls_time_ms"), None);
    assert_eq!(looked.number("certificate_days_left"), None);
    assert_eq!(looked.fact("http version"), Some("HTTP/1.1"));
}

#[tokio::test]
async fn https_speaks_http_2_and_reads_the_certificate() {
    let (nginx, ca) = (nginx().await, authority().file());
    let ca = ca.path().display();
    let looked = look(&format!(
        "{{url: 'https://localhost:{}/ok', tls: {{ca_file: {ca}}}, expect: {{contains: well}}}}",
        nginx.https
    ))
    .await;
    looked.assert_green();
    assert_eq!(looked.fact("http version"), Some("HTTP/2.0"));
    assert_eq!(looked.fact("tls version"), Some("TLS 1.3"));
    assert_eq!(
        looked.fact("certificate issuer"),
        Some("CN=Roundsman test authority")
    );
    let days = looked.number("certificate_days_left").expect("days");
    assert!((89.9..90.1).contains(&days), "{days}");
    assert!(looked.number("tls_time_ms").expect("a time") > 0.0);

    let old = format!(
        "{{url: 'https://127.0.0.1:{}/json', tls: {{ca_file: {ca}}}}}",
        nginx.https_old
    );
    let looked = look(&old).await;
    looked.assert_green();
    assert_eq!(looked.fact("http version"), Some("HTTP/1.1"));
    assert_eq!(looked.fact("tls version"), Some("TLS 1.2"));
    assert_eq!(
        looked.number("dns_time_ms"),
        None,
        "an address needs no DNS"
    );
}

#[tokio::test]
async fn an_unexpected_status_is_red() {
    let port = nginx().await.http;
    for (path, words) in [
        ("missing", "404 Not Found, expected 200-299"),
        ("broken", "500 Internal Server Error, expected 200-299"),
    ] {
        let looked = look(&format!("url: http://127.0.0.1:{port}/{path}?token=canary")).await;
        let expected = format!("unexpected `http://127.0.0.1:{port}/{path}?…` answered {words} |");
        looked.assert_failed(Status::Red, &expected);
        assert!(
            looked.number("http_status").is_some(),
            "it is measured all the same"
        );
    }
    let wanted =
        format!("{{url: 'http://127.0.0.1:{port}/missing', expect: {{status: [200, 404]}}}}");
    look(&wanted).await.assert_green();
}

#[tokio::test]
async fn who_we_are_decides_what_a_refusal_means() {
    let url = format!("http://127.0.0.1:{}/private", nginx().await.http);
    let without = look(&format!("url: {url}")).await;
    without.assert_failed(
        Status::Red,
        &format!("unexpected `{url}` answered 401 Unauthorized, expected 200-299 | set `auth`"),
    );
    let wrong = look(&format!(
        "{{url: '{url}', auth: {{basic: {{username: watcher, password: wrong}}}}}}"
    ))
    .await;
    wrong.assert_failed(
        Status::Unknown,
        &format!("denied `{url}` answered 401 Unauthorized: our credentials were not accepted | check `auth`"),
    );
    let right = "auth: {basic: {username: watcher, password: canary}}";
    look(&format!("{{url: '{url}', {right}}}"))
        .await
        .assert_green();
    let in_url = url.replace("http://", "http://watcher:canary@");
    look(&format!("url: {in_url}")).await.assert_green();
}

#[tokio::test]
async fn a_request_is_sent_as_written() {
    let server = answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let looked = look(&format!(
        "{{url: 'http://127.0.0.1:{}/a?b=c', method: post, body: 'x=1', auth: {{bearer: canary}},
          headers: {{X-Team: shop, Content-Type: text/plain, User-Agent: other/1}}}}",
        server.port
    ))
    .await;
    looked.assert_green();
    let request = server.requests().remove(0).to_lowercase();
    for line in [
        "post /a?b=c http/1.1\r\n",
        "host: 127.0.0.1:",
        "authorization: bearer canary\r\n",
        "x-team: shop\r\n",
        "content-type: text/plain\r\n",
        "user-agent: other/1\r\n",
        "accept: */*\r\n",
        "content-length: 3\r\n",
        "\r\n\r\nx=1",
    ] {
        assert!(request.contains(line), "{line} in {request}");
    }
    let plain = answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    look(&format!("url: http://127.0.0.1:{}", plain.port))
        .await
        .assert_green();
    let version = concat!("user-agent: roundsman/", env!("CARGO_PKG_VERSION"));
    assert!(plain.requests()[0].to_lowercase().contains(version));
}

#[tokio::test]
async fn asked_too_often_is_unknown() {
    let server = answering(
        "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    let url = format!("http://127.0.0.1:{}/", server.port);
    look(&format!("url: {url}")).await.assert_failed(
        Status::Unknown,
        &format!(
            "throttled `{url}` answered 429 Too Many Requests, retry after 120 s | look less often"
        ),
    );
    look(&format!("{{url: '{url}', expect: {{status: 429}}}}"))
        .await
        .assert_green();
}

#[tokio::test]
async fn a_slow_answer_is_yellow() {
    let server = crate::support::servers::raw(|mut stream| async move {
        crate::support::servers::request(&mut stream).await;
        tokio::time::sleep(std::time::Duration::from_millis(2_050)).await;
        tokio::io::AsyncWriteExt::write_all(
            &mut stream,
            b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        )
        .await
        .ok();
    })
    .await;
    let looked = look(&format!("url: http://127.0.0.1:{}/", server.port)).await;
    assert_eq!(looked.status(), Status::Yellow, "{:?}", looked.reading());
    assert!(looked.number("first_byte_time_ms").expect("a time") > 2_000.0);
}

#[test]
fn the_sample_reads_and_names_are_short() {
    let kind = kind_of("api_endpoints");
    let mut problems = Vec::new();
    let limits = roundsman::document::LIMITS;
    let sample =
        roundsman::document::parse(&"sample".into(), kind.spec.sample, limits, &mut problems);
    let entries = sample.expect("a document");
    assert_eq!(entries.items().len(), 2, "{problems:?}");
    for mut entry in entries.items().iter().cloned() {
        for common in ["name", "timeout_ms"] {
            entry.remove(&[roundsman::document::Segment::Key(common.to_owned())]);
        }
        (kind.read)(&entry, &|_| None).expect("settings");
    }
    let named = |url: &str| {
        let yaml = format!("url: {url}");
        target("api_endpoints", &yaml, kind.spec.default_timeout)
            .id
            .to_string()
    };
    assert_eq!(
        named("https://u:p@api.example.com/health?q#f"),
        "api_endpoints/api.example.com/health"
    );
    assert_eq!(
        named("http://example.com:80/"),
        "api_endpoints/http://example.com"
    );
}
