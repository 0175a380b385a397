//! Messages to an address of one's own, and what its answers mean.

use std::sync::Arc;
use std::time::Duration;

use roundsman::document::{LIMITS, from_node, parse};
use roundsman::model::Status;
use roundsman::render::blocks::{Block, Span};
use roundsman::reporters::{self, Message, Retry, SendError, webhook};

use super::{made, message};
use crate::support::children::free_port;
use crate::support::servers::{RawServer, answering, raw};

const CANARY: &str = "canary-webhook";

async fn send_to(url: &str) -> Result<Option<String>, SendError> {
    send(url, &message("2026-11-21T09:00:00Z")).await
}

async fn send(url: &str, message: &Message) -> Result<Option<String>, SendError> {
    let yaml =
        format!("url: \"{url}\"\nsecret: {CANARY}-secret\nheaders: {{x-team: {CANARY}-header}}\n");
    let node = parse(&"reporters.yaml".into(), &yaml, LIMITS, &mut Vec::new());
    let settings: webhook::Settings = from_node(&node.expect("a document")).expect("settings");
    let settings: reporters::Settings = Arc::new(settings);
    let reporter = made("webhook", &settings);
    let sent = reporter.send(message).await;
    if let Err(error) = &sent {
        assert!(!format!("{error:?}").contains(CANARY), "{error:?}");
        assert!(error.hint.is_some(), "{error:?}");
    }
    sent.map(|receipt| receipt.external_id)
}

fn place(server: &RawServer) -> String {
    format!(
        "http://me:{CANARY}-password@127.0.0.1:{}/hook?key={CANARY}-query",
        server.port
    )
}

#[tokio::test]
async fn a_message_is_json_and_signed() {
    let server = answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let id = send_to(&place(&server)).await.expect("it is taken");
    let request = server.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").expect("a body");
    assert!(
        head.starts_with(&format!("POST /hook?key={CANARY}-query HTTP/1.1")),
        "{head}"
    );
    let header = |name: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.to_owned())
    };
    assert_eq!(header("content-type").as_deref(), Some("application/json"));
    assert_eq!(header("x-team"), Some(format!("{CANARY}-header")));
    assert!(header("authorization").is_some_and(|value| value.starts_with("Basic ")));
    assert_eq!(header("x-roundsman-delivery"), id);
    let signature = header("x-roundsman-signature").expect("a signature");
    assert!(
        signature.starts_with("sha256=") && signature.len() == 7 + 64,
        "{signature}"
    );
    assert!(header("x-roundsman-timestamp").is_some_and(|text| text.parse::<i64>().is_ok()));
    let posted: serde_json::Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(
        (posted["schema"].as_u64(), posted["event"].as_str()),
        (Some(1), Some("report"))
    );
    assert_eq!(posted["id"].as_str(), id.as_deref());
    assert!(posted["report"]["targets"].is_array(), "{posted:#}");
}

#[tokio::test]
async fn what_a_note_says_is_plain_text() {
    let server = answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let words = "`db_1` is *slow*, and asking costs $0.00 of $3.00";
    let blocks = vec![Block::Paragraph(vec![Span::Text(words.to_owned())])];
    let note = Message::note(
        "n-1".to_owned(),
        "words".to_owned(),
        Status::Unknown,
        blocks,
    );
    send(&place(&server), &note).await.expect("it is taken");
    let request = server.requests().remove(0);
    let (_, body) = request.split_once("\r\n\r\n").expect("a body");
    let posted: serde_json::Value = serde_json::from_str(body).expect("JSON");
    let text = posted["text"].as_str().map(str::trim_end);
    assert_eq!(text, Some(words));
}

#[tokio::test]
async fn what_is_worth_another_try_and_what_is_not() {
    let later = Retry::Later { not_before: None };
    for (line, retry) in [
        ("500 Oops", later),
        (
            "503 Unavailable\r\nRetry-After: 7",
            Retry::Later {
                not_before: Some(Duration::from_secs(7)),
            },
        ),
        ("429 Too Many", later),
        ("400 Bad Request", Retry::Never),
        ("401 Unauthorized", Retry::Never),
        ("404 Not Found", Retry::Never),
        ("302 Found\r\nLocation: http://127.0.0.1:1/", Retry::Never),
    ] {
        let server = answering(format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n")).await;
        let error = send_to(&place(&server)).await.expect_err(line);
        assert_eq!(error.retry, retry, "{line}");
        assert_eq!(server.requests().len(), 1, "nobody else gets it");
    }
    let nobody = send_to(&format!("http://127.0.0.1:{}/", free_port()))
        .await
        .expect_err("nobody");
    assert_eq!(nobody.retry, later);
    let rude = raw(|stream| async move { drop(stream) }).await;
    let error = send_to(&place(&rude)).await.expect_err("it hangs up");
    assert_eq!(error.retry, later);
}
