//! Refusals as the services write them, against recorders that are as strict.

use roundsman::clients::llm::Wire;
use roundsman::model::{FailureKind, Status};
use serde_json::{Value, json};

use super::bedrock;
use super::{CANARY, LONG, Wallet, body_of, completion, endpoint, formed, http, in_house, sum_in};
use crate::support::servers::{RawServer, answering, answering_as};

fn page(status: &str) -> Vec<u8> {
    let body = "<!DOCTYPE html><html><head><title>No</title></head><body>model any</body></html>";
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .into()
}

#[tokio::test]
async fn a_parameter_that_is_refused_with_422_is_left_out() {
    let mistral = json!({"object": "error", "message": {"detail": [{
        "type": "extra_forbidden", "loc": ["body", "stream_options", "include_usage"],
        "msg": "Extra inputs are not permitted", "input": true,
    }]}, "type": "invalid_request_error", "param": null, "code": null});
    let fastapi = json!({"detail": [{
        "type": "extra_forbidden", "loc": ["body", "stream_options"],
        "msg": "Extra inputs are not permitted", "input": {"include_usage": true},
    }]});
    let axum = "Failed to deserialize the JSON body into the target type: unknown field `stream_options`, expected `model` at line 1 column 90";
    for refusal in [mistral.to_string(), fastapi.to_string(), axum.to_owned()] {
        let answer = http("422 Unprocessable Entity", &refusal);
        let server = answering_as(move |request| {
            if body_of(request)["stream_options"].is_object() {
                return answer.clone();
            }
            http("200 OK", &completion(&sum_in(request), "stop"))
        })
        .await;
        let wallet = Wallet::new();
        wallet.look(&in_house(server.port, "")).await.assert_green();
        let requests = server.requests();
        assert_eq!(requests.len(), 2, "{refusal}");
        assert_eq!(
            body_of(&requests[1])["stream"],
            true,
            "only that is left out"
        );
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_question_is_said_in_the_words_of_whoever_refuses() {
    for (body, words) in [
        (
            json!({"detail": [{"loc": ["body", "messages", 0, "content"], "msg": format!("too rude for {CANARY}")}]}),
            "answered 422: it refused the question: messages.0.content: too rude for",
        ),
        // In a place where nobody puts messages there may be anything, such as all that we have sent.
        (
            json!({"reason": format!("the moon is full, {CANARY}")}),
            "answered 422: it refused the question | check",
        ),
    ] {
        let server = answering(http("422 Unprocessable Entity", &body.to_string())).await;
        let wallet = Wallet::new();
        let looked = wallet.look(&in_house(server.port, "")).await;
        looked.assert_failed(Status::Red, "unexpected ");
        assert!(looked.failure().contains(words), "{}", looked.failure());
        assert!(wallet.spent().0.abs() < 1e-12);
    }
}

const CANNOT_STOP: &str = "\\\"thinking.type.disabled\\\" is not supported for this model. Use \\\"thinking.type.adaptive\\\" and \\\"output_config.effort\\\" to control thinking behavior.";

/// As the newest models of Anthropic: they think, and then little room is not enough.
async fn thinking_model() -> RawServer {
    answering_as(|request| {
        let body = body_of(request);
        if body["thinking"]["type"] == "disabled" {
            let message = format!(
                r#"{{"type": "error", "error": {{"type": "invalid_request_error", "message": "{CANNOT_STOP}"}}}}"#
            );
            return http("400 Bad Request", &message);
        }
        let is_long = body["max_tokens"].as_u64() >= Some(1_024);
        let text = if request.contains("What is ") { sum_in(request) } else { "{}".to_owned() };
        let answer = json!({
            "model": body["model"],
            "content": if is_long {
                json!([{"type": "thinking", "thinking": "hm 99"}, {"type": "text", "text": text}])
            } else {
                json!([{"type": "thinking", "thinking": "hm 99"}])
            },
            "stop_reason": if is_long { "end_turn" } else { "max_tokens" },
            "usage": {"input_tokens": 20, "output_tokens": if is_long { json!(400) } else { body["max_tokens"].clone() }},
        });
        http("200 OK", &answer.to_string())
    })
    .await
}

/// A tenth of a dollar for 1,000 tokens of an answer: 64 tokens are $0.0064, 2,048 are $0.2048.
fn opus(port: u16, more: &str) -> String {
    format!(
        "provider: anthropic\nmodel_id: claude-opus-5-5\nbase_url: http://127.0.0.1:{port}\napi_key: {CANARY}\nprice: {{input_per_1k: 0, output_per_1k: 0.1}}\n{more}"
    )
}

#[tokio::test]
async fn a_model_that_cannot_stop_thinking_is_given_room_and_paid_for_it() {
    let server = thinking_model().await;
    let wallet = Wallet::new();
    let looked = wallet.look(&opus(server.port, "")).await;
    looked.assert_green();
    let bodies: Vec<Value> = server.requests().iter().map(|one| body_of(one)).collect();
    let asked = |index: usize| {
        let body: &Value = &bodies[index];
        (body["thinking"].clone(), body["max_tokens"].as_u64())
    };
    assert_eq!(asked(0), (json!({"type": "disabled"}), Some(64)));
    assert_eq!(asked(1), (Value::Null, Some(2_048)));
    assert_eq!(bodies.len(), 2);
    // The refusal costs nothing, the answer what was reported.
    let (spent, unsettled) = wallet.spent();
    assert!((spent - 0.04).abs() < 1e-9 && unsettled == 0, "{spent}");
}

#[tokio::test]
async fn room_for_thinking_that_the_purse_does_not_pay_is_not_taken() {
    let server = thinking_model().await;
    let wallet = Wallet::new();
    // A quarter of it is for probes: enough for 64 tokens, not for 2,048.
    wallet.may_spend(0.4);
    let looked = wallet.look(&opus(server.port, "")).await;
    looked.assert_failed(Status::Unknown, "ours not asked: the budget of today");
    assert_eq!(server.requests().len(), 1);
    let (spent, unsettled) = wallet.spent();
    assert!(spent.abs() < 1e-12 && unsettled == 0, "{spent}");
    // Who says how long an answer may be is not asked to pay for more.
    let looked = wallet.look(&opus(server.port, "max_tokens: 500")).await;
    looked.assert_failed(
        Status::Unknown,
        "ours `claude-opus-5-5` used all of its 500 tokens",
    );
    let last = server.requests().last().map(|one| body_of(one));
    assert_eq!(
        last.map(|body| body["max_tokens"].clone()),
        Some(json!(500))
    );
}

#[tokio::test]
async fn who_asks_for_words_leaves_room_for_thinking_by_himself() {
    let server = thinking_model().await;
    let base = format!("http://127.0.0.1:{}", server.port);
    let endpoints = [endpoint(
        Wire::Anthropic,
        "anthropic",
        "claude-opus-5-5",
        &base,
    )];
    let mut question = formed("?");
    question.max_tokens = 4_096;
    let wallet = Wallet::new();
    let (reply, _) = wallet
        .ask_in_turn(&endpoints, &question, LONG)
        .await
        .expect("an answer");
    assert_eq!(reply.text, "{}");
    let last = body_of(server.requests().last().expect("a request"));
    assert_eq!(
        (&last["max_tokens"], &last["thinking"]),
        (&json!(4_096), &Value::Null)
    );
    assert!(last["tools"].is_array(), "the form stays");
}

#[tokio::test]
async fn bedrock_says_it_in_its_own_way() {
    let server = answering_as(|request| {
        let body = body_of(request);
        if body["additionalModelRequestFields"]["thinking"].is_object() {
            let message = format!("The model returned the following errors: {CANNOT_STOP}");
            return bedrock::error("400 Bad Request", "ValidationException", &message);
        }
        assert_eq!(body["inferenceConfig"]["maxTokens"], 2_048);
        bedrock::answer_in_parts(&sum_in(request))
    })
    .await;
    let wallet = bedrock::wallet(&server);
    let looked = wallet
        .look("provider: bedrock\nmodel_id: us.anthropic.claude-opus-5-5\nregion: eu-west-1")
        .await;
    looked.assert_green();
    assert_eq!((server.requests().len(), wallet.spent().1), (2, 0));
}

#[tokio::test]
async fn an_error_in_a_good_answer_is_what_its_code_says() {
    let whole = |code: Value, message: &str| {
        json!({"error": {"message": message, "code": code}, "user_id": "u"}).to_string()
    };
    let part = |text: &str, code: u16, message: &str| {
        let event = json!({
            "id": "c", "object": "chat.completion.chunk", "model": "any", "provider": "x",
            "error": {"code": code, "message": message},
            "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}],
        });
        let begun = json!({"choices": [{"delta": {"content": text}}]});
        format!(": OPENROUTER PROCESSING\n\ndata: {begun}\n\ndata: {event}\n\n")
    };
    for (body, kind, words, is_free) in [
        (
            whole(json!(429), "Rate limit exceeded: free-models-per-day"),
            FailureKind::Throttled,
            "Rate limit exceeded: free-models-per-day",
            true,
        ),
        (
            whole(json!("429"), "Slow down"),
            FailureKind::Throttled,
            "Slow down",
            true,
        ),
        (
            whole(json!(401), CANARY),
            FailureKind::Denied,
            "our key was not accepted",
            true,
        ),
        (
            whole(json!(403), "flagged"),
            FailureKind::Denied,
            "our key was not accepted",
            true,
        ),
        (
            whole(json!(402), "Insufficient credits"),
            FailureKind::Denied,
            "no credit left: Insufficient credits",
            true,
        ),
        (
            whole(json!(502), "Upstream error"),
            FailureKind::Unexpected,
            "it failed: Upstream error",
            true,
        ),
        (
            whole(Value::Null, "Something"),
            FailureKind::Unexpected,
            "failed in the middle of its answer: Something",
            false,
        ),
        (
            part("", 429, "Rate limit exceeded"),
            FailureKind::Throttled,
            "Rate limit exceeded",
            true,
        ),
        (
            part("", 502, "Provider disconnected"),
            FailureKind::Unexpected,
            "it failed: Provider disconnected",
            true,
        ),
        // What was begun is paid for.
        (
            part("6", 502, "Provider disconnected"),
            FailureKind::Unexpected,
            "it failed: Provider disconnected",
            false,
        ),
    ] {
        let server = answering(http("200 OK", &body)).await;
        let base = format!("http://127.0.0.1:{}/v1", server.port);
        let endpoints = [endpoint(Wire::OpenAi, "openrouter", "any", &base)];
        let wallet = Wallet::new();
        let mut question = formed("?");
        question.form = None;
        let asked = wallet.ask_in_turn(&endpoints, &question, LONG).await;
        let failure = super::failure(asked);
        assert_eq!(failure.kind, kind, "{body}: {failure}");
        assert!(failure.message.contains(words), "{body}: {failure}");
        // What may pass is tried again.
        let may_pass = body.contains("429") || body.contains("502");
        assert_eq!(
            server.requests().len(),
            if may_pass { 3 } else { 1 },
            "{body}"
        );
        let (spent, _) = wallet.spent();
        assert_eq!(spent.abs() < 1e-12, is_free, "{body}: {spent}");
    }
    let busy = answering(http("200 OK", &whole(json!(429), "Slow down"))).await;
    let looked = Wallet::new().look(&in_house(busy.port, "")).await;
    assert_eq!(looked.status(), Status::Yellow, "{looked:?}");
}

#[tokio::test]
async fn an_account_without_credit_is_not_the_model_s_trouble() {
    let credit = json!({"type": "error", "error": {"type": "invalid_request_error", "message": "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."}});
    let server = answering(http("400 Bad Request", &credit.to_string())).await;
    let looked = Wallet::new().look(&opus(server.port, "")).await;
    looked.assert_failed(Status::Unknown, "denied ");
    assert!(
        looked.failure().contains("the account has no credit left"),
        "{}",
        looked.failure()
    );
    assert!(
        looked.failure().contains("top up the account"),
        "{}",
        looked.failure()
    );
}

#[tokio::test]
async fn anthropic_names_the_model_that_is_not_there() {
    let gone = json!({"type": "error", "error": {"type": "not_found_error", "message": "model: claude-opus-5.5"}});
    let server = answering(http("404 Not Found", &gone.to_string())).await;
    let looked = Wallet::new().look(&opus(server.port, "")).await;
    looked.assert_failed(Status::Red, "missing ");
    assert!(
        looked
            .failure()
            .contains("does not offer the model `claude-opus-5-5`"),
        "{}",
        looked.failure()
    );
}

#[tokio::test]
async fn a_page_is_no_word_of_the_service() {
    let not_found = json!({"error": {"code": "404", "message": "Resource not found"}}).to_string();
    let no_deployment = json!({"error": {"code": "DeploymentNotFound", "message": "The API deployment for this resource does not exist."}}).to_string();
    for (provider, answer, status, words) in [
        (
            "in-house",
            page("404 Not Found"),
            Status::Red,
            "missing `http://127.0.0.1:",
        ),
        (
            "in-house",
            page("403 Forbidden"),
            Status::Unknown,
            "denied `http://127.0.0.1:",
        ),
        (
            "azure",
            page("404 Not Found"),
            Status::Red,
            "missing `http://127.0.0.1:",
        ),
        (
            "azure",
            http("404 Not Found", &not_found),
            Status::Red,
            "missing `http://127.0.0.1:",
        ),
    ] {
        let server = answering(answer).await;
        let yaml = format!(
            "provider: {provider}\nmodel_id: any\nbase_url: http://127.0.0.1:{}\napi_key: {CANARY}",
            server.port
        );
        let looked = Wallet::new().look(&yaml).await;
        looked.assert_failed(status, words);
        let failure = looked.failure();
        assert!(!failure.contains("does not offer"), "{failure}");
        assert!(!failure.contains("our key"), "{failure}");
    }
    let server = answering(http("404 Not Found", &no_deployment)).await;
    let yaml = format!(
        "provider: azure\nmodel_id: any\nbase_url: http://127.0.0.1:{}",
        server.port
    );
    let looked = Wallet::new().look(&yaml).await;
    assert!(
        looked.failure().contains("does not offer the model `any`"),
        "{}",
        looked.failure()
    );
}

#[tokio::test]
async fn a_filter_before_the_model_is_named() {
    let azure = json!({"error": {
        "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
        "type": null, "param": "prompt", "code": "content_filter", "status": 400,
        "innererror": {"code": "ResponsibleAIPolicyViolation"},
    }});
    let server = answering(http("400 Bad Request", &azure.to_string())).await;
    let yaml = format!(
        "provider: azure\nmodel_id: any\nbase_url: http://127.0.0.1:{}",
        server.port
    );
    let looked = Wallet::new().look(&yaml).await;
    looked.assert_failed(Status::Red, "unexpected ");
    assert!(
        looked
            .failure()
            .contains("look at the filters of the provider"),
        "{}",
        looked.failure()
    );
}

#[tokio::test]
async fn an_empty_error_is_none() {
    let server = answering_as(|request| {
        let mut answer: Value =
            serde_json::from_str(&completion(&sum_in(request), "stop")).expect("JSON");
        answer["error"] = json!({});
        http("200 OK", &answer.to_string())
    })
    .await;
    Wallet::new()
        .look(&in_house(server.port, ""))
        .await
        .assert_green();
}
