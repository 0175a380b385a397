//! Why an answer of a form ended, in the words of each language.

use roundsman::clients::llm::{Finish, Wire};
use serde_json::{Value, json};

use super::bedrock::{event, stream};
use super::forms::{asked, bedrock_at};
use super::{Wallet, endpoint, endpoint_at, formed, http};
use crate::support::servers::answering_as;

/// Events of a stream, as each of them but Bedrock writes them.
fn events(events: &[Value]) -> Vec<u8> {
    let lines = events.iter().map(|event| format!("data: {event}\n\n"));
    http("200 OK", &lines.collect::<String>())
}

/// A tool that was begun, after some words, and the reason why it ended there.
fn anthropic_ended(reason: &str) -> Vec<u8> {
    events(&[
        json!({"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 5}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Well: "}}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "input": {}}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": ""}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "{\"city\":"}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": " 1}"}}),
        json!({"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "input": {"city": 2}}}),
        json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 7}}),
        json!({"type": "message_stop"}),
    ])
}

fn openai_ended(delta: &Value, reason: &str) -> Vec<u8> {
    events(&[
        json!({"choices": [{"delta": {"role": "assistant", "content": "", "refusal": null}}]}),
        json!({"choices": [{"delta": delta}]}),
        json!({"choices": [{"delta": {}, "finish_reason": reason}]}),
    ])
}

fn ollama_ended(reason: &str) -> Vec<u8> {
    let parts = [
        json!({"message": {"content": "{\"city\": 1}"}, "done": false}),
        json!({"message": {"content": ""}, "done": true, "done_reason": reason}),
    ];
    http("200 OK", &format!("{}\n{}\n", parts[0], parts[1]))
}

fn bedrock_ended(reason: &str) -> Vec<u8> {
    let part = |name: &str, payload: Value| event("event", name, &payload.to_string());
    stream(&[
        part(
            "contentBlockDelta",
            json!({"contentBlockIndex": 0, "delta": {"text": "Well: "}}),
        ),
        part(
            "contentBlockStart",
            json!({"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "t", "name": "capital"}}}),
        ),
        part(
            "contentBlockDelta",
            json!({"contentBlockIndex": 1, "delta": {"toolUse": {"input": "{\"city\":"}}}),
        ),
        part(
            "contentBlockDelta",
            json!({"contentBlockIndex": 1, "delta": {"toolUse": {"input": " 1}"}}}),
        ),
        part("messageStop", json!({"stopReason": reason})),
    ])
}

#[tokio::test]
async fn why_a_form_ended_is_told_apart_in_every_language() {
    let part = json!({"content": "{\"city\": 1}"});
    for (wire, answer, finish) in [
        (Wire::OpenAi, openai_ended(&part, "stop"), Finish::Stop),
        (Wire::OpenAi, openai_ended(&part, "length"), Finish::Length),
        (
            Wire::OpenAi,
            openai_ended(&part, "content_filter"),
            Finish::Refusal,
        ),
        (
            Wire::Azure,
            openai_ended(&part, "content_filter"),
            Finish::Refusal,
        ),
        (Wire::Anthropic, anthropic_ended("tool_use"), Finish::Stop),
        (
            Wire::Anthropic,
            anthropic_ended("max_tokens"),
            Finish::Length,
        ),
        (Wire::Anthropic, anthropic_ended("refusal"), Finish::Refusal),
        (Wire::Ollama, ollama_ended("stop"), Finish::Stop),
        (Wire::Ollama, ollama_ended("length"), Finish::Length),
        (Wire::Bedrock, bedrock_ended("tool_use"), Finish::Stop),
        (Wire::Bedrock, bedrock_ended("max_tokens"), Finish::Length),
        (
            Wire::Bedrock,
            bedrock_ended("guardrail_intervened"),
            Finish::Refusal,
        ),
        (
            Wire::Bedrock,
            bedrock_ended("content_filtered"),
            Finish::Refusal,
        ),
        (
            Wire::Bedrock,
            bedrock_ended("malformed_tool_use"),
            Finish::Other("malformed_tool_use".to_owned()),
        ),
    ] {
        let server = answering_as(move |_| answer.clone()).await;
        let (wallet, endpoint) = if wire == Wire::Bedrock {
            bedrock_at(server.port)
        } else {
            let base = format!("http://127.0.0.1:{}", server.port);
            (Wallet::new(), endpoint(wire, "in-house", "any", &base))
        };
        let reply = asked(&wallet, &endpoint, &formed("?")).await;
        assert_eq!(reply.finish, finish, "{wire:?}");
        assert_eq!(reply.text, "{\"city\": 1}", "{wire:?}");
        assert_eq!(server.requests().len(), 1, "{wire:?}");
    }
    // A model that refuses says so in a place of its own, and ends well.
    let words = json!({"refusal": "I cannot help with that."});
    let answer = openai_ended(&words, "stop");
    let server = answering_as(move |_| answer.clone()).await;
    let reply = asked(&Wallet::new(), &endpoint_at(server.port), &formed("?")).await;
    assert_eq!((reply.finish, reply.text.as_str()), (Finish::Refusal, ""));
    let message = json!({"choices": [{"message": {"content": null, "refusal": "No."}, "finish_reason": "stop"}]});
    let server = answering_as(move |_| http("200 OK", &message.to_string())).await;
    let reply = asked(&Wallet::new(), &endpoint_at(server.port), &formed("?")).await;
    assert_eq!((reply.finish, reply.text.as_str()), (Finish::Refusal, ""));
}
