use roundsman::model::Status;

use crate::support::look;
use crate::support::nginx::nginx;
use crate::support::servers::{answering, answering_as};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

fn to(status: u16, location: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
        .into_bytes()
}

#[tokio::test]
async fn redirects_are_followed_and_told() {
    let port = nginx().await.http;
    let looked = look(&format!("url: http://127.0.0.1:{port}/redirect")).await;
    looked.assert_green();
    assert_eq!(
        looked.fact("final url"),
        Some(format!("http://127.0.0.1:{port}/ok").as_str())
    );
    let wanted = format!("{{url: 'http://127.0.0.1:{port}/redirect', expect: {{status: 302}}}}");
    let looked = look(&wanted).await;
    looked.assert_green();
    assert_eq!(looked.number("http_status"), Some(302.0));
    assert_eq!(looked.fact("final url"), None);
}

#[tokio::test]
async fn circles_and_endless_chains_are_cut() {
    let base = format!("http://127.0.0.1:{}", nginx().await.http);
    look(&format!("url: {base}/circle")).await.assert_failed(
        Status::Red,
        &format!("unexpected `{base}/circle2` redirects in a circle: to `{base}/circle` |"),
    );
    look(&format!("url: {base}/endless/")).await.assert_failed(
        Status::Red,
        &format!("unexpected `{base}/endless/xxxxxxxxxx` redirects further after 10 redirects: to `{base}/endless/xxxxxxxxxxx` |"),
    );
    look(&format!("{{url: '{base}/redirect', max_redirects: 0}}"))
        .await
        .assert_failed(Status::Red, "unexpected ");
    let other = answering(to(302, "ftp://example.com/")).await;
    let url = format!("http://127.0.0.1:{}/", other.port);
    look(&format!("url: {url}")).await.assert_failed(
        Status::Red,
        &format!(
            "unexpected `{url}` answered 302 Found and redirects to something that is not HTTP |"
        ),
    );
}

#[tokio::test]
async fn credentials_do_not_follow_to_another_origin() {
    let other = answering(OK).await;
    let there = format!("http://127.0.0.1:{}/there?token=canary", other.port);
    let first = answering(to(302, &there)).await;
    let looked = look(&format!(
        "{{url: 'http://u:canary@127.0.0.1:{}/', auth: {{bearer: canary}},
          headers: {{X-Api-Key: canary, Cookie: a=canary, Accept-Language: de}}}}",
        first.port
    ))
    .await;
    looked.assert_green();
    let sent = first.requests().remove(0).to_lowercase();
    assert_eq!(sent.matches("canary").count(), 3, "{sent}");
    let followed = other.requests().remove(0).to_lowercase();
    assert_eq!(
        followed.matches("canary").count(),
        1,
        "only what the redirect itself says: {followed}"
    );
    assert!(followed.contains("accept-language: de\r\n") && !followed.contains("authorization"));
    let told = looked.fact("final url").expect("a fact");
    assert_eq!(told, format!("http://127.0.0.1:{}/there?…", other.port));
}

#[tokio::test]
async fn a_refusal_after_credentials_were_left_behind_is_not_theirs() {
    let other = answering("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").await;
    let first = answering(to(302, &format!("http://127.0.0.1:{}/", other.port))).await;
    let looked = look(&format!(
        "{{url: 'http://127.0.0.1:{}/', auth: {{bearer: canary}}}}",
        first.port
    ))
    .await;
    looked.assert_failed(Status::Red, "unexpected ");
    assert!(
        looked.failure().contains("where credentials are not sent"),
        "{}",
        looked.failure()
    );
}

#[tokio::test]
async fn bodies_are_sent_again_only_where_they_may() {
    let server = answering_as(|request| match request.split(' ').nth(1) {
        Some("/keep") => to(307, "/end"),
        Some("/turn") => to(303, "/end"),
        _ => OK.into(),
    })
    .await;
    for (path, method, body) in [
        ("keep", "POST /end", "\r\n\r\nx=1"),
        ("turn", "GET /end", "\r\n\r\n"),
    ] {
        let url = format!("http://127.0.0.1:{}/{path}", server.port);
        look(&format!("{{url: '{url}', method: POST, body: x=1}}"))
            .await
            .assert_green();
        let last = server.requests().pop().expect("a request");
        assert!(last.starts_with(method) && last.ends_with(body), "{last}");
    }
    let other = answering(OK).await;
    let away = answering(to(308, &format!("http://127.0.0.1:{}/", other.port))).await;
    let looked = look(&format!(
        "{{url: 'http://127.0.0.1:{}/', method: POST, body: canary}}",
        away.port
    ))
    .await;
    looked.assert_failed(Status::Red, "unexpected ");
    assert!(
        looked
            .failure()
            .contains("redirects a POST with its body to another origin")
    );
    assert_eq!(other.requests(), [""; 0]);
}
