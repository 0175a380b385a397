//! What models and their servers answer, and what that means.

use std::time::{Duration, Instant};

use roundsman::model::Status;

use super::{CANARY, Wallet, completion, http, in_house, sum_in};
use crate::support::Looked;
use crate::support::children::free_port;
use crate::support::servers::{answering, answering_as, raw, request};

async fn answered(status: &str, body: &str) -> (Looked, f64) {
    let server = answering(http(status, body)).await;
    let wallet = Wallet::new();
    let looked = wallet.look(&in_house(server.port, "")).await;
    (looked, wallet.spent().0)
}

#[tokio::test]
async fn our_own_question_has_one_right_answer() {
    let server = answering_as(|request| {
        http(
            "200 OK",
            &completion(&format!("It is {}.", sum_in(request)), "stop"),
        )
    })
    .await;
    let wallet = Wallet::new();
    let looked = wallet.look(&in_house(server.port, "")).await;
    looked.assert_green();
    // It was not streamed.
    assert_eq!(looked.number("first_token_ms"), None);
    assert!(
        looked
            .fact("price")
            .is_some_and(|fact| fact.starts_with("not known"))
    );
    let request = &server.requests()[0];
    assert!(
        request.contains(&format!("authorization: Bearer {CANARY}"))
            || request.contains(&format!("Authorization: Bearer {CANARY}")),
        "{request}"
    );
    assert!(request.contains("\"max_tokens\":64"), "{request}");
}

#[tokio::test]
async fn wrong_empty_refused_and_cut_short_are_told_apart() {
    for (text, finish, status, words) in [
        (
            "41",
            "stop",
            Status::Red,
            "unexpected `any` answered `41` where `",
        ),
        (
            "I think that it is a lot",
            "stop",
            Status::Red,
            "unexpected `any` answered `I think",
        ),
        (
            "",
            "stop",
            Status::Red,
            "unexpected `any` gave an empty answer",
        ),
        (
            "",
            "content_filter",
            Status::Red,
            "unexpected `any` refused the question",
        ),
        (
            "Let me think",
            "length",
            Status::Unknown,
            "ours `any` used all of its 64 tokens",
        ),
    ] {
        let (looked, spent) = answered("200 OK", &completion(text, finish)).await;
        looked.assert_failed(status, words);
        assert!(spent > 0.0, "an answer is paid for, right or wrong");
        assert!(looked.number("total_time_ms").is_some());
    }
}

#[tokio::test]
async fn no_error_of_a_provider_is_healthy_and_none_is_paid_for() {
    let model =
        r#"{"error": {"message": "The model `any` does not exist", "code": "model_not_found"}}"#;
    let key = format!(r#"{{"error": {{"message": "Incorrect API key provided: {CANARY}"}}}}"#);
    for (line, body, status, words) in [
        (
            "400 Bad Request",
            r#"{"error": {"message": "messages: field required"}}"#,
            Status::Red,
            "unexpected `http://127.0.0.1:",
        ),
        ("404 Not Found", model, Status::Red, "missing "),
        ("400 Bad Request", model, Status::Red, "missing "),
        (
            // As a gateway that many use says it.
            "400 Bad Request",
            r#"{"error": {"message": "Invalid model name passed in model=any", "code": "400"}}"#,
            Status::Red,
            "missing ",
        ),
        ("401 Unauthorized", key.as_str(), Status::Unknown, "denied "),
        ("403 Forbidden", key.as_str(), Status::Unknown, "denied "),
        ("402 Payment Required", "{}", Status::Unknown, "denied "),
        (
            "500 Oops",
            r#"{"error": "it broke"}"#,
            Status::Red,
            "unexpected ",
        ),
        ("529 Overloaded", "{}", Status::Red, "unexpected "),
        ("302 Found", "{}", Status::Red, "unexpected "),
    ] {
        let (looked, spent) = answered(line, body).await;
        looked.assert_failed(status, words);
        assert!(spent.abs() < 1e-12, "{line}");
    }
    let (looked, _) = answered(
        "400 Bad Request",
        r#"{"error": {"message": "messages: field required"}}"#,
    )
    .await;
    assert!(
        looked
            .failure()
            .contains("answered 400: it refused the question: messages: field required"),
        "{}",
        looked.failure()
    );
}

#[tokio::test]
async fn what_is_no_answer_is_unexpected() {
    for (body, words) in [
        (
            "<html>captive portal",
            "answered what is no answer of a model",
        ),
        (
            r#"{"choices": []}"#,
            "answered what is no answer of a model",
        ),
        (
            "data: {\"choices\":[{\"delta\":{\"content\":\"4\"}}]}\n\n",
            "broke off",
        ),
        (
            "data: {\"error\":{\"message\":\"upstream died\"}}\n\n",
            "failed in the middle of its answer: upstream died",
        ),
    ] {
        let (looked, spent) = answered("200 OK", body).await;
        assert_eq!(looked.status(), Status::Red);
        assert!(looked.failure().contains(words), "{}", looked.failure());
        assert!(spent > 0.0, "the answer may have been made: {body}");
    }
    let large = answering(http("200 OK", &"x".repeat(5 << 20))).await;
    let looked = Wallet::new().look(&in_house(large.port, "")).await;
    looked.assert_failed(Status::Red, "unexpected ");
    assert!(
        looked.failure().contains("more than 4194304 bytes"),
        "{}",
        looked.failure()
    );
}

#[tokio::test]
async fn silence_and_nobody() {
    let silent = raw(|mut stream| async move {
        request(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let wallet = Wallet::new();
    let began = Instant::now();
    let looked = wallet
        .look_for(&in_house(silent.port, ""), Duration::from_secs(1))
        .await;
    assert!(began.elapsed() < Duration::from_millis(1_500));
    looked.assert_failed(
        Status::Red,
        "timed_out no first byte from `http://127.0.0.1:",
    );
    let (spent, unsettled) = wallet.spent();
    assert!(spent > 0.0 && unsettled == 1, "it may have been answered");
    let wallet = Wallet::new();
    let looked = wallet.look(&in_house(free_port(), "")).await;
    looked.assert_failed(Status::Red, "unreachable ");
    assert!(wallet.spent().0.abs() < 1e-12, "nobody was asked");
}

#[tokio::test]
async fn a_server_that_refuses_a_parameter_is_asked_in_other_words() {
    let server = answering_as(|request| {
        let refuse = |message: &str| {
            http(
                "400 Bad Request",
                &format!(r#"{{"error": {{"message": "{message}"}}}}"#),
            )
        };
        if request.contains("stream_options") {
            refuse("Unknown field: stream_options")
        } else if request.contains("\"max_tokens\"") {
            refuse("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        } else {
            http("200 OK", &completion(&sum_in(request), "stop"))
        }
    })
    .await;
    let wallet = Wallet::new();
    wallet.look(&in_house(server.port, "")).await.assert_green();
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_model_that_is_not_there_leads_to_the_nearest_names() {
    let server = answering_as(|request| {
        if request.starts_with("GET ") {
            http(
                "200 OK",
                r#"{"data": [{"id": "qwen3-32b"}, {"id": "qwen3-8b"}, {"id": "llama-3"}]}"#,
            )
        } else {
            http(
                "404 Not Found",
                r#"{"error": {"message": "model 'qwen3' not found"}}"#,
            )
        }
    })
    .await;
    let yaml = format!(
        "provider: in-house\nmodel_id: qwen3\nbase_url: http://127.0.0.1:{}/v1",
        server.port
    );
    let looked = Wallet::new().look(&yaml).await;
    looked.assert_failed(Status::Red, "missing ");
    assert!(
        looked
            .failure()
            .contains("nearest names: `qwen3-32b`, `qwen3-8b`"),
        "{}",
        looked.failure()
    );
}

#[tokio::test]
async fn a_retired_model_is_named_with_its_successor_and_not_asked() {
    let wallet = Wallet::new();
    let looked = wallet.look("provider: bedrock\nmodel_id: us.anthropic.claude-3-5-haiku-20241022-v1:0\nregion: us-east-1").await;
    looked.assert_failed(Status::Red, "missing the model `us.anthropic.claude-3-5-haiku-20241022-v1:0` was retired on 2026-06-19 | use `us.anthropic.claude-haiku-5-5`");
    assert!(!wallet.folder.path().join("purse.db").exists());
}

#[tokio::test]
async fn ollama_is_given_room_for_the_question() {
    let server = answering_as(|request| {
        let text = sum_in(request);
        http("200 OK", &format!(r#"{{"model": "m", "message": {{"content": "{text}"}}, "done": true, "done_reason": "stop", "prompt_eval_count": 20, "eval_count": 2}}"#))
    })
    .await;
    let yaml = format!(
        "provider: ollama\nmodel_id: llama3.2\nbase_url: http://127.0.0.1:{}",
        server.port
    );
    let wallet = Wallet::new();
    let looked = wallet.look(&yaml).await;
    looked.assert_green();
    assert_eq!(looked.number("cost_usd"), Some(0.0));
    wallet
        .look(&format!("{yaml}\nnum_ctx: 16384"))
        .await
        .assert_green();
    let requests = server.requests();
    assert!(
        requests[0].contains("\"num_ctx\":4096") && requests[0].contains("\"think\":false"),
        "{}",
        requests[0]
    );
    assert!(requests[1].contains("\"num_ctx\":16384"), "{}", requests[1]);
}
