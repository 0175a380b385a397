//! Answers of a form, by what each wire format has for it: against the server that others wrote, with a recorder before it,
//! and against recorders for what it does not do.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use roundsman::clients::llm::{Endpoint, Finish, Question, Reply, Wire};
use roundsman::purse::Price;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::bedrock::{error, event, stream};
use super::{CANARY, LONG, Wallet, body_of, completion, endpoint, endpoint_at, formed, http};
use crate::support::aimock::{FORMED_ANSWER, FORMED_QUESTION, aimock};
use crate::support::aws::clients_with;
use crate::support::servers::{RawServer, answering_as, raw, request};

/// The server that others wrote, and what it is asked.
struct Heard {
    server: RawServer,
    requests: Arc<Mutex<Vec<String>>>,
}

async fn heard() -> Heard {
    let upstream = aimock().await;
    let requests = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&requests);
    let server = raw(move |mut stream| {
        let record = Arc::clone(&record);
        async move {
            let asked = request(&mut stream).await;
            record.lock().expect("requests").push(asked.clone());
            let mut to = TcpStream::connect((Ipv4Addr::LOCALHOST, upstream))
                .await
                .expect("the server");
            // So that the answer ends where the connection does.
            let asked = asked.replacen("\r\n", "\r\nConnection: close\r\n", 1);
            to.write_all(asked.as_bytes()).await.expect("a request");
            tokio::io::copy(&mut to, &mut stream).await.ok();
        }
    })
    .await;
    Heard { server, requests }
}

impl Heard {
    /// The only request: its first line and its body.
    fn only(&self) -> (String, Value) {
        let requests = self.requests.lock().expect("requests");
        let [request] = requests.as_slice() else {
            panic!("{} requests: {requests:#?}", requests.len());
        };
        let first = request.lines().next().unwrap_or_default();
        (first.to_owned(), body_of(request))
    }
}

/// What that server noted of the last request to a model.
async fn journal_of(model: &str) -> Value {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, aimock().await))
        .await
        .expect("the server");
    // Without parts, whose lengths we would have to read.
    let request = b"GET /__aimock/journal HTTP/1.0\r\nHost: localhost\r\n\r\n";
    stream.write_all(request).await.expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let entries = body_of(&answer);
    let entries = entries.as_array().expect("a list").iter();
    let mut of_model = entries.filter(|entry| entry["body"]["model"] == model);
    of_model.next_back().expect("an entry")["body"].clone()
}

pub(super) async fn asked(wallet: &Wallet, endpoint: &Endpoint, question: &Question) -> Reply {
    let endpoints = std::slice::from_ref(endpoint);
    let answered = wallet.ask_in_turn(endpoints, question, LONG).await;
    let (reply, index) = answered.unwrap_or_else(|failed| panic!("{failed:#?}"));
    assert_eq!(index, 0);
    reply
}

fn assert_answer(reply: &Reply, who: &str) {
    let text: Value = serde_json::from_str(&reply.text).unwrap_or_else(|error| {
        panic!("{who}: {error}: {}", reply.text);
    });
    let expected: Value = serde_json::from_str(FORMED_ANSWER).expect("JSON");
    assert_eq!(text, expected, "{who}");
    assert_eq!(reply.finish, Finish::Stop, "{who}");
}

fn schema() -> Value {
    formed("").form.expect("a form").schema
}

fn with_schema() -> Value {
    json!({
        "type": "json_schema",
        "json_schema": {"name": "capital", "schema": schema(), "strict": true}
    })
}

#[tokio::test]
async fn every_language_asks_for_the_form_and_its_parts_make_one_json() {
    for (wire, provider, model, base) in [
        (Wire::OpenAi, "openai", "gpt-4o-formed", "/v1"),
        (
            Wire::OpenAi,
            "openrouter",
            "openai/gpt-4o-formed",
            "/api/v1",
        ),
        (Wire::OpenAi, "in-house", "mine-formed", "/v1"),
        (Wire::Azure, "azure", "chat-formed", ""),
        (Wire::Anthropic, "anthropic", "claude-haiku-4-5-formed", ""),
        (Wire::Ollama, "ollama", "llama3.2", ""),
    ] {
        let heard = heard().await;
        let base = format!("http://127.0.0.1:{}{base}", heard.server.port);
        let wallet = Wallet::new();
        let endpoint = endpoint(wire, provider, model, &base);
        let reply = asked(&wallet, &endpoint, &formed(FORMED_QUESTION)).await;
        assert_answer(&reply, provider);
        assert!(reply.first_token.is_some(), "{provider}: it is streamed");
        assert!(reply.first_token < Some(reply.took), "{provider}");
        let (_, body) = heard.only();
        assert_eq!(body["stream"], true, "{provider}");
        match wire {
            Wire::OpenAi | Wire::Azure => {
                assert_eq!(body["response_format"], with_schema(), "{provider}");
                let noted = journal_of(model).await;
                assert_eq!(noted["response_format"], with_schema(), "{noted:#}");
            }
            Wire::Anthropic => {
                let tool = json!([{"name": "capital", "description": "Takes your answer.", "input_schema": schema()}]);
                assert_eq!(body["tools"], tool);
                let choice = json!({"type": "tool", "name": "capital"});
                assert_eq!(body["tool_choice"], choice);
                let noted = journal_of(model).await;
                let function = &noted["tools"][0]["function"];
                assert_eq!(function["parameters"], schema(), "{noted:#}");
            }
            _ => assert_eq!(body["format"], schema()),
        }
        assert_eq!(wallet.spent().1, 0, "{provider}");
    }
}

pub(super) fn bedrock_at(port: u16) -> (Wallet, Endpoint) {
    let clients = clients_with(&[
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", CANARY.to_owned()),
        (
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
            format!("http://127.0.0.1:{port}"),
        ),
    ]);
    let model = "eu.anthropic.claude-haiku-5-5";
    let mut endpoint = endpoint(Wire::Bedrock, "bedrock", model, "");
    endpoint.base_url = None;
    (Wallet::around(clients), endpoint)
}

fn assert_tool_of_bedrock(body: &Value) {
    let tool = json!({"toolSpec": {
        "name": "capital", "description": "Takes your answer.", "inputSchema": {"json": schema()}
    }});
    let expected = json!({"tools": [tool], "toolChoice": {"tool": {"name": "capital"}}});
    assert_eq!(body["toolConfig"], expected);
}

#[tokio::test]
async fn bedrock_is_given_a_tool_and_streams_what_is_put_into_it() {
    let heard = heard().await;
    let (wallet, endpoint) = bedrock_at(heard.server.port);
    let reply = asked(&wallet, &endpoint, &formed(FORMED_QUESTION)).await;
    assert_answer(&reply, "bedrock");
    assert!(reply.first_token.is_some(), "it is streamed");
    assert_eq!(reply.paid.input_tokens, 90);
    let (first, body) = heard.only();
    assert!(first.contains("/converse-stream"), "{first}");
    assert_tool_of_bedrock(&body);
    let noted = journal_of(&endpoint.model).await;
    let function = &noted["tools"][0]["function"];
    assert_eq!(function["parameters"], schema(), "{noted:#}");
}

/// An answer in one piece, as each speaks.
fn whole(wire: Wire, text: &str) -> Vec<u8> {
    let body = match wire {
        Wire::OpenAi | Wire::Azure => return http("200 OK", &completion(text, "stop")),
        Wire::Anthropic => {
            let input: Value = serde_json::from_str(text).expect("JSON");
            json!({"model": "m", "stop_reason": "tool_use", "usage": {"input_tokens": 9, "output_tokens": 9}, "content": [
                {"type": "text", "text": "Here it is:"},
                {"type": "tool_use", "id": "t", "name": "capital", "input": input},
                {"type": "tool_use", "id": "u", "name": "capital", "input": {"city": "another"}},
            ]})
        }
        Wire::Ollama => {
            json!({"model": "m", "message": {"content": text}, "done": true, "done_reason": "stop"})
        }
        Wire::Bedrock => {
            let input: Value = serde_json::from_str(text).expect("JSON");
            json!({
                "stopReason": "tool_use", "usage": {"inputTokens": 9, "outputTokens": 9, "totalTokens": 18},
                "metrics": {"latencyMs": 1},
                "output": {"message": {"role": "assistant", "content": [
                    {"text": "Here it is:"},
                    {"toolUse": {"toolUseId": "t", "name": "capital", "input": input}},
                ]}},
            })
        }
    };
    http("200 OK", &body.to_string())
}

#[tokio::test]
async fn an_answer_in_one_piece_is_the_same_json() {
    for (wire, provider) in [
        (Wire::OpenAi, "in-house"),
        (Wire::Azure, "azure"),
        (Wire::Anthropic, "anthropic"),
        (Wire::Ollama, "ollama"),
    ] {
        let server = answering_as(move |_| whole(wire, FORMED_ANSWER)).await;
        let base = format!("http://127.0.0.1:{}", server.port);
        let endpoint = endpoint(wire, provider, "any", &base);
        let reply = asked(&Wallet::new(), &endpoint, &formed("?")).await;
        assert_answer(&reply, provider);
        assert_eq!(reply.first_token, None, "{provider}");
        assert_eq!(server.requests().len(), 1, "{provider}");
    }
    // Servers that play Bedrock send parts that cannot be read.
    let server = answering_as(|request| {
        if request.contains("converse-stream") {
            let part = r#"{"contentBlockIndex": 0, "start": {}}"#;
            stream(&[event("event", "contentBlockStart", part)])
        } else {
            whole(Wire::Bedrock, FORMED_ANSWER)
        }
    })
    .await;
    let (wallet, endpoint) = bedrock_at(server.port);
    let reply = asked(&wallet, &endpoint, &formed("?")).await;
    assert_answer(&reply, "bedrock");
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_tool_of_bedrock(&body_of(&requests[1]));
}

/// What a server that refuses the form was asked for, in turn.
async fn refused(
    wire: Wire,
    status: &'static str,
    said: &'static str,
    is_refused: fn(&Value) -> bool,
) -> Vec<Value> {
    let server = answering_as(move |request| {
        if is_refused(&body_of(request)) {
            http(status, said)
        } else if wire == Wire::Anthropic {
            let body = json!({"content": [{"type": "text", "text": FORMED_ANSWER}], "stop_reason": "end_turn"});
            http("200 OK", &body.to_string())
        } else {
            whole(wire, FORMED_ANSWER)
        }
    })
    .await;
    let base = format!("http://127.0.0.1:{}", server.port);
    let endpoint = endpoint(wire, "in-house", "any", &base);
    let wallet = Wallet::new();
    let reply = asked(&wallet, &endpoint, &formed("?")).await;
    assert_answer(&reply, said);
    assert_eq!(wallet.spent().1, 0, "{said}");
    server.requests().iter().map(|one| body_of(one)).collect()
}

#[tokio::test]
async fn a_server_that_does_not_know_forms_is_asked_for_less() {
    let any_form = |body: &Value| body.get("response_format").is_some();
    for (status, said) in [
        (
            "400 Bad Request",
            r#"{"error": {"message": "Unrecognized request argument supplied: response_format"}}"#,
        ),
        (
            "422 Unprocessable Entity",
            r#"{"detail": [{"type": "extra_forbidden", "loc": ["body", "response_format"], "msg": "Extra inputs are not permitted"}]}"#,
        ),
        // What a server of llama-cpp-python says to a form that it does not know.
        (
            "500 Internal Server Error",
            r#"{"error": {"message": "[{'type': 'literal_error', 'loc': ('body', 'response_format', 'type')}]", "type": "internal_server_error", "code": null}}"#,
        ),
    ] {
        let bodies = refused(Wire::OpenAi, status, said, any_form).await;
        let forms: Vec<&Value> = bodies.iter().map(|body| &body["response_format"]).collect();
        let schema = &with_schema()["json_schema"]["schema"];
        let object_of_schema = json!({"type": "json_object", "schema": schema});
        let any_object = json!({"type": "json_object"});
        let in_turn = [&with_schema(), &object_of_schema, &any_object, &Value::Null];
        assert_eq!(forms, in_turn, "{said}");
    }
    let bodies = refused(
        Wire::OpenAi,
        "400 Bad Request",
        r#"{"error": {"message": "This model does not support response format `json_schema`"}}"#,
        |body| body["response_format"]["type"] == "json_schema",
    )
    .await;
    assert_eq!(bodies.len(), 2, "{bodies:#?}");
    let bodies = refused(
        Wire::Anthropic,
        "400 Bad Request",
        r#"{"error": {"message": "tool_choice: this model cannot be made to use a tool"}}"#,
        |body| body.get("tool_choice").is_some(),
    )
    .await;
    assert_eq!(bodies.len(), 2, "{bodies:#?}");
    assert_eq!(bodies[1].get("tools"), None);
    for (status, said) in [
        (
            "400 Bad Request",
            r#"{"error": "json: cannot unmarshal object into Go struct field ChatRequest.format of type string"}"#,
        ),
        (
            "500 Internal Server Error",
            r#"{"error": "failed to create grammar"}"#,
        ),
    ] {
        let bodies = refused(Wire::Ollama, status, said, |body| {
            body.get("format").is_some()
        })
        .await;
        assert_eq!(bodies.len(), 2, "{said}: {bodies:#?}");
    }
}

#[tokio::test]
async fn a_model_of_bedrock_that_takes_no_tool_is_asked_once_more_without() {
    let server = answering_as(|request| {
        if body_of(request).get("toolConfig").is_some() {
            return error(
                "400 Bad Request",
                "ValidationException",
                "This model doesn't support the toolConfig.toolChoice.tool field.",
            );
        }
        let delta = json!({"contentBlockIndex": 0, "delta": {"text": FORMED_ANSWER}});
        stream(&[
            event("event", "contentBlockDelta", &delta.to_string()),
            event("event", "messageStop", r#"{"stopReason": "end_turn"}"#),
        ])
    })
    .await;
    let (wallet, endpoint) = bedrock_at(server.port);
    let reply = asked(&wallet, &endpoint, &formed("?")).await;
    assert_answer(&reply, "bedrock");
    assert_eq!(server.requests().len(), 2);
    assert_eq!(wallet.spent().1, 0);
    // What is refused for another reason is not asked again.
    let server = answering_as(|_| {
        error(
            "400 Bad Request",
            "ValidationException",
            "max_tokens is too large",
        )
    })
    .await;
    let (wallet, endpoint) = bedrock_at(server.port);
    let asked = wallet.ask_in_turn(&[endpoint], &formed("?"), LONG).await;
    assert!(asked.is_err());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_schema_is_part_of_what_a_question_can_cost() {
    let server = answering_as(|_| whole(Wire::OpenAi, FORMED_ANSWER)).await;
    let mut endpoint = endpoint_at(server.port);
    // A dollar for each thousand bytes.
    endpoint.price = Some(Price {
        input_per_1k: 1.0,
        output_per_1k: 0.0,
    });
    let wallet = Wallet::new();
    wallet.may_spend(3.0);
    let mut large = formed("?");
    let properties = json!({"city": {"type": "string", "description": "x".repeat(3_000)}});
    large.form.as_mut().expect("a form").schema["properties"] = properties;
    let endpoints = [endpoint];
    let refused = wallet.ask_in_turn(&endpoints, &large, LONG).await;
    assert!(
        matches!(refused, Err(roundsman::clients::llm::AskFailed::NotPaid(_))),
        "{refused:?}"
    );
    assert!(server.requests().is_empty());
    let small = formed("?");
    let answered = wallet.ask_in_turn(&endpoints, &small, LONG).await;
    assert!(answered.is_ok(), "{answered:?}");
}
