//! Slack, against a recorder that checks a message against the documented limits.

use std::sync::Arc;
use std::time::Duration;

use roundsman::document::{LIMITS, from_node, parse};
use roundsman::reporters::{self, Message, Receipt, Retry, SendError, slack};
use serde_json::Value;

use super::incidents::news;
use super::{made, message};
use crate::support::children::free_port;
use crate::support::servers::{RawServer, answering_as};

/// The path is the secret.
pub(crate) const PATH: &str = "/services/T000/B000/canary-slack";

/// Says what the service says: `ok`, or why not.
pub(crate) async fn workspace() -> RawServer {
    answering_as(|request| {
        let (head, body) = request.split_once("\r\n\r\n").expect("a body");
        let known = head.starts_with(&format!("POST {PATH} "));
        let (line, word) = match serde_json::from_str::<Value>(body) {
            _ if !known => ("404 Not Found", "no_service"),
            Err(_) => ("400 Bad Request", "invalid_payload"),
            Ok(message) => match wrong(&message) {
                None => ("200 OK", "ok"),
                Some(word) => ("400 Bad Request", word),
            },
        };
        answer(line, word)
    })
    .await
}

fn answer(line: &str, word: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {line}\r\nContent-Length: {}\r\n\r\n{word}",
        word.len()
    )
    .into()
}

/// <https://docs.slack.dev/reference/block-kit/blocks>: what the service would refuse.
fn wrong(message: &Value) -> Option<&'static str> {
    let blocks = message["attachments"][0]["blocks"].as_array()?;
    if message["text"].as_str().is_none_or(str::is_empty) {
        return Some("no_text");
    }
    let mut characters = 0;
    for block in blocks {
        let (text, most) = match block["type"].as_str() {
            Some("header") => (&block["text"], 150),
            Some("section") => (&block["text"], 3_000),
            Some("context") => (&block["elements"][0], 3_000),
            _ => return Some("invalid_blocks"),
        };
        let kinds = ["plain_text", "mrkdwn"];
        let length = text["text"].as_str().map_or(0, |text| text.chars().count());
        if !kinds.contains(&text["type"].as_str()?) || length == 0 || length > most {
            return Some("invalid_blocks");
        }
        characters += length;
    }
    if blocks.len() > 50 || characters > 13_000 {
        return Some("msg_blocks_too_long");
    }
    None
}

async fn send_to(port: u16, path: &str) -> Result<Receipt, SendError> {
    send(port, path, &message("2026-11-21T09:00:00Z")).await
}

async fn send(port: u16, path: &str, message: &Message) -> Result<Receipt, SendError> {
    let yaml = format!("webhook_url: http://127.0.0.1:{port}{path}\n");
    let node = parse(&"reporters.yaml".into(), &yaml, LIMITS, &mut Vec::new());
    let settings: slack::Settings = from_node(&node.expect("a document")).expect("settings");
    assert!(!format!("{settings:?}").contains("canary"), "{settings:?}");
    let settings: reporters::Settings = Arc::new(settings);
    let sent = made("slack", &settings).send(message).await;
    if let Err(error) = &sent {
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        assert!(error.hint.is_some(), "{error:?}");
    }
    sent
}

#[tokio::test]
async fn a_report_is_taken() {
    let server = workspace().await;
    send_to(server.port, PATH).await.expect("it is taken");
    let request = server.requests().remove(0);
    let (_, body) = request.split_once("\r\n\r\n").expect("a body");
    let posted: Value = serde_json::from_str(body).expect("JSON");
    assert!(
        posted["text"]
            .as_str()
            .is_some_and(|text| text.contains("degraded")),
        "{posted:#}"
    );
}

#[tokio::test]
async fn each_news_of_an_incident_is_whole_and_has_its_colour() {
    let server = workspace().await;
    for number in [0, 2] {
        send(server.port, PATH, &news(number, None))
            .await
            .expect("it is taken");
    }
    let requests = server.requests();
    for (request, color, title) in [
        (
            &requests[0],
            "#d7263d",
            "🔴 [RED] host-1: connection refused",
        ),
        (
            &requests[1],
            "#2eb67d",
            "🟢 [RESOLVED] host-1 and 1 below it",
        ),
    ] {
        let (_, body) = request.split_once("\r\n\r\n").expect("a body");
        let posted: Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(posted["attachments"][0]["color"], color);
        let text = posted["text"].as_str().expect("a text");
        assert!(text.starts_with(title), "{text}");
        assert!(body.contains("#12, critical, "), "{posted:#}");
    }
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let server = workspace().await;
    let revoked = send_to(server.port, "/services/canary-other")
        .await
        .expect_err("revoked");
    assert_eq!(revoked.retry, Retry::Never);
    assert!(
        revoked
            .hint
            .as_deref()
            .is_some_and(|hint| hint.contains("revoked")),
        "{revoked:?}"
    );
    for (line, word, retry) in [
        ("410 Gone", "channel_is_archived", Retry::Never),
        ("403 Forbidden", "action_prohibited", Retry::Never),
        (
            "500 Oops",
            "rollup_error",
            Retry::Later { not_before: None },
        ),
        (
            "429 Too Many\r\nRetry-After: 30",
            "rate_limited",
            Retry::Later {
                not_before: Some(Duration::from_secs(30)),
            },
        ),
    ] {
        let server = answering_as(move |_| answer(line, word)).await;
        let error = send_to(server.port, PATH).await.expect_err(line);
        assert_eq!(error.retry, retry, "{line}");
        assert!(error.message.contains(word), "{error:?}");
    }
    let nobody = send_to(free_port(), PATH)
        .await
        .expect_err("nobody listens");
    assert_eq!(nobody.retry, Retry::Later { not_before: None });
}
