//! Bedrock's faults: a recorder that speaks Converse with its event stream.

use std::time::Duration;

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use roundsman::model::Status;
use tokio::io::AsyncWriteExt;

use super::{CANARY, Wallet, sum_in};
use crate::support::Looked;
use crate::support::aws::clients_with;
use crate::support::servers::{RawServer, answering_as};

pub(super) fn wallet(server: &RawServer) -> Wallet {
    Wallet::around(clients_with(&[
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", CANARY.to_owned()),
        (
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
            format!("http://127.0.0.1:{}", server.port),
        ),
    ]))
}

const MODEL: &str =
    "provider: bedrock\nmodel_id: global.anthropic.claude-haiku-5-5\nregion: eu-west-1";

/// One message of an event stream
/// (<https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html>).
pub(super) fn event(kind: &str, name: &str, payload: &str) -> Vec<u8> {
    let text = |text: &str| HeaderValue::String(text.to_owned().into());
    let type_name = if kind == "exception" {
        ":exception-type"
    } else {
        ":event-type"
    };
    let message = Message::new(payload.to_owned())
        .add_header(Header::new(":message-type", text(kind)))
        .add_header(Header::new(type_name, text(name)))
        .add_header(Header::new(":content-type", text("application/json")));
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).expect("a frame");
    bytes
}

pub(super) fn stream(events: &[Vec<u8>]) -> Vec<u8> {
    let body = events.concat();
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend(body);
    answer
}

pub(super) fn error(status: &str, code: &str, message: &str) -> Vec<u8> {
    let body = format!(r#"{{"message": "{message}"}}"#);
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nx-amzn-ErrorType: {code}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .into()
}

/// A whole answer, of 30 and 4 tokens.
pub(super) fn answer_in_parts(text: &str) -> Vec<u8> {
    let (first, rest) = text.split_at(1);
    let delta = |text: &str| {
        event(
            "event",
            "contentBlockDelta",
            &format!(r#"{{"contentBlockIndex": 0, "delta": {{"text": "{text}"}}}}"#),
        )
    };
    stream(&[
        event("event", "messageStart", r#"{"role": "assistant"}"#),
        delta(first),
        delta(rest),
        event("event", "messageStop", r#"{"stopReason": "end_turn"}"#),
        event(
            "event",
            "metadata",
            r#"{"usage": {"inputTokens": 30, "outputTokens": 4, "totalTokens": 34}, "metrics": {"latencyMs": 5}}"#,
        ),
    ])
}

async fn answered(answer: Vec<u8>) -> (Looked, f64, RawServer) {
    let server = answering_as(move |_| answer.clone()).await;
    let wallet = wallet(&server);
    let looked = wallet.look(MODEL).await;
    (looked, wallet.spent().0, server)
}

#[tokio::test]
async fn an_answer_in_parts_with_its_tokens() {
    let server = answering_as(|request| answer_in_parts(&sum_in(request))).await;
    let wallet = wallet(&server);
    let looked = wallet.look(MODEL).await;
    looked.assert_green();
    assert_eq!(looked.number("input_tokens"), Some(30.0));
    assert_eq!(looked.number("output_tokens"), Some(4.0));
    // 30 and 4 tokens of Haiku 5.5 through the global profile.
    assert!(
        looked
            .number("cost_usd")
            .is_some_and(|cost| (cost - 0.000_005).abs() < 1e-9),
        "{looked:?}"
    );
    let request = &server.requests()[0];
    assert!(
        request.contains("POST /model/global.anthropic.claude-haiku-5-5/converse-stream"),
        "{request}"
    );
    assert!(
        request.contains(r#""thinking":{"type":"disabled"}"#),
        "{request}"
    );
}

#[tokio::test]
async fn its_errors_are_told_apart() {
    for (answer, status, words) in [
        (
            error("403 Forbidden", "AccessDeniedException", "not authorized"),
            Status::Unknown,
            "denied Bedrock in eu-west-1 does not let us: the permission `bedrock:InvokeModelWithResponseStream` is missing",
        ),
        (
            error(
                "400 Bad Request",
                "ValidationException",
                "The provided model identifier is invalid.",
            ),
            Status::Red,
            "missing Bedrock in eu-west-1 does not offer the model `global.anthropic.claude-haiku-5-5`",
        ),
        (
            error(
                "404 Not Found",
                "ResourceNotFoundException",
                "This model version has reached the end of its life.",
            ),
            Status::Red,
            "missing Bedrock in eu-west-1 does not offer the model",
        ),
        (
            error(
                "400 Bad Request",
                "ValidationException",
                "max_tokens is too large",
            ),
            Status::Red,
            "unexpected Bedrock in eu-west-1 refused: `ValidationException`: max_tokens is too large",
        ),
        (
            error(
                "403 Forbidden",
                "ExpiredTokenException",
                "The security token included in the request is expired",
            ),
            Status::Unknown,
            "denied Bedrock in eu-west-1 does not accept our credentials: they have expired",
        ),
        (
            error(
                "400 Bad Request",
                "ServiceQuotaExceededException",
                "Your request exceeds the service quota for your account",
            ),
            Status::Unknown,
            "denied Bedrock in eu-west-1 does not let us: a quota of the account is used up",
        ),
        (
            error("503 Unavailable", "ServiceUnavailableException", "busy"),
            Status::Red,
            "unexpected Bedrock in eu-west-1 failed with",
        ),
    ] {
        let (looked, spent, _server) = answered(answer).await;
        looked.assert_failed(status, words);
        assert!(spent.abs() < 1e-12, "{words}");
    }
    let (looked, _, _server) = answered(error(
        "429 Too Many Requests",
        "ThrottlingException",
        "Too many requests",
    ))
    .await;
    assert_eq!(looked.status(), Status::Yellow, "{looked:?}");
}

#[tokio::test]
async fn a_stream_that_fails_or_ends_early_is_no_answer() {
    let begun = event(
        "event",
        "contentBlockDelta",
        r#"{"contentBlockIndex": 0, "delta": {"text": "4"}}"#,
    );
    for (answer, words) in [
        (
            stream(&[
                begun.clone(),
                event(
                    "exception",
                    "modelStreamErrorException",
                    r#"{"message": "the model died"}"#,
                ),
            ]),
            "failed in the middle of its answer",
        ),
        (stream(&[begun]), "broke off"),
    ] {
        let (looked, spent, _server) = answered(answer).await;
        looked.assert_failed(Status::Red, "unexpected ");
        assert!(looked.failure().contains(words), "{}", looked.failure());
        assert!(spent > 0.0);
    }
}

#[tokio::test]
async fn throttling_in_the_middle_of_an_answer_is_that_and_paid_for() {
    let begun = event(
        "event",
        "contentBlockDelta",
        r#"{"contentBlockIndex": 0, "delta": {"text": "4"}}"#,
    );
    let throttled = event(
        "exception",
        "throttlingException",
        r#"{"message": "Too many tokens"}"#,
    );
    for events in [vec![begun, throttled.clone()], vec![throttled]] {
        let (looked, spent, _server) = answered(stream(&events)).await;
        assert_eq!(looked.status(), Status::Yellow, "{looked:?}");
        assert!(
            format!("{looked:?}").contains("Too many tokens"),
            "{looked:?}"
        );
        assert!(spent > 0.0);
    }
}

#[tokio::test]
async fn without_an_answer_it_ends_at_its_deadline() {
    let silent = crate::support::servers::raw(|stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let looked = wallet(&silent)
        .look_for(MODEL, Duration::from_secs(1))
        .await;
    looked.assert_failed(
        Status::Red,
        "timed_out Bedrock in eu-west-1 did not answer within 1000 ms",
    );
}

#[tokio::test]
async fn a_slow_model_is_waited_for_as_long_as_was_set() {
    // Longer than one attempt at another service of AWS may take.
    let slow = Duration::from_millis(10_400);
    let server = crate::support::servers::raw(move |mut stream| async move {
        let request = crate::support::servers::request(&mut stream).await;
        tokio::time::sleep(slow).await;
        stream
            .write_all(&answer_in_parts(&sum_in(&request)))
            .await
            .ok();
        stream.shutdown().await.ok();
    })
    .await;
    let wallet = wallet(&server);
    let looked = wallet.look_for(MODEL, Duration::from_mins(1)).await;
    assert_eq!(looked.state("available").as_deref(), Some("yes"));
    assert!(
        looked.number("first_token_ms") > Some(10_400.0),
        "{looked:?}"
    );
    assert_eq!(wallet.spent().1, 0);
}

#[tokio::test]
async fn each_try_is_reserved_by_itself() {
    // Taken whole, and then the line breaks: it may have been answered, and is paid for.
    let broken = answering_as(|_| Vec::new()).await;
    let (wallet, endpoint) = super::forms::bedrock_at(broken.port);
    let endpoints = [endpoint];
    let question = super::formed("?");
    let asked = wallet.ask_in_turn(&endpoints, &question, Duration::from_secs(20));
    let failed = asked.await;
    assert!(failed.is_err(), "{failed:?}");
    let tries = broken.requests().len();
    assert_eq!((tries, wallet.spent().1), (3, 3));
    // And a look tries once.
    let (_, _, once) = answered(error(
        "500 Internal Server Error",
        "InternalServerException",
        "x",
    ))
    .await;
    assert_eq!(once.requests().len(), 1);
}
