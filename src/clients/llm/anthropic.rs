//! Anthropic's messages (<https://docs.anthropic.com/en/api/messages>,
//! <https://docs.anthropic.com/en/docs/build-with-claude/streaming>).

use serde_json::{Value, json};

use super::{
    Endpoint, Family, Finish, FirstToken, Form, Manner, Parsed, Question, Trouble, form, sse,
};

/// The version of the format that we speak.
pub(super) const VERSION: &str = "2023-06-01";

/// A form is asked for as a tool that must be used.
pub(super) fn body(
    endpoint: &Endpoint,
    question: &Question,
    form: Option<&Form>,
    manner: Manner,
) -> Value {
    let mut body = json!({
        "model": endpoint.model,
        "max_tokens": question.max_tokens,
        "messages": [{"role": "user", "content": question.text}],
        "stream": true,
    });
    if let Some(system) = &question.system {
        body["system"] = json!(system);
    }
    if Family::of(&endpoint.model).can_stop_thinking && !manner.may_think {
        body["thinking"] = json!({"type": "disabled"});
    }
    if let Some(form) = form {
        body["tools"] = json!([{
            "name": form.name,
            "description": form::TOOL,
            "input_schema": form.schema,
        }]);
        body["tool_choice"] = json!({"type": "tool", "name": form.name});
    }
    body
}

/// Whether a line ends the stream.
pub(super) fn is_last(line: &str) -> bool {
    let Some(data) = line.strip_prefix("data:") else {
        return false;
    };
    // Most lines are parts of the text, and need not be read twice.
    data.contains("message_stop")
        && serde_json::from_str::<Value>(data).is_ok_and(|event| event["type"] == "message_stop")
}

pub(super) fn parse(body: &str) -> Option<Parsed> {
    if sse::is_stream(body) {
        return Some(parse_stream(body));
    }
    let whole: Value = serde_json::from_str(body).ok()?;
    let parts = whole["content"].as_array()?;
    let tool = parts.iter().find(|part| part["type"] == "tool_use");
    let text = parts.iter().filter_map(|part| part["text"].as_str());
    let mut parsed = Parsed {
        text: tool.map_or_else(|| text.collect(), |tool| tool["input"].to_string()),
        finish: whole["stop_reason"].as_str().map(finish),
        complete: true,
        ..Parsed::default()
    };
    note(&whole, &mut parsed);
    Some(parsed)
}

fn parse_stream(body: &str) -> Parsed {
    let (events, _) = sse::events(body);
    let mut parsed = Parsed::default();
    for (at, event) in events {
        match event["type"].as_str() {
            Some("message_start") => note(&event["message"], &mut parsed),
            Some("content_block_start") if event["content_block"]["type"] == "tool_use" => {
                let block = event["index"].as_u64().unwrap_or_default();
                parsed.begin_tool(block);
                // The service begins with an empty one; some that play it send all of it here.
                let input = &event["content_block"]["input"];
                if input.as_object().is_some_and(|input| !input.is_empty()) {
                    parsed.add_input(block, &input.to_string(), FirstToken::AtByte(at));
                }
            }
            Some("content_block_delta") => {
                let (delta, first) = (&event["delta"], FirstToken::AtByte(at));
                if let Some(part) = delta["partial_json"].as_str() {
                    let block = event["index"].as_u64().unwrap_or_default();
                    parsed.add_input(block, part, first);
                }
                parsed.add_text(delta["text"].as_str().unwrap_or_default(), first);
            }
            Some("message_delta") => {
                note(&event, &mut parsed);
                let reason = event["delta"]["stop_reason"].as_str();
                parsed.finish = reason.map(finish).or(parsed.finish);
            }
            Some("message_stop") => parsed.complete = true,
            Some("error") => {
                let message = event["error"]["message"].as_str();
                parsed.error = Some(Trouble {
                    said: message.unwrap_or("it gave no reason").to_owned(),
                    status: None,
                });
            }
            _ => {}
        }
    }
    parsed
}

/// What was read from a cache or written into one is part of the question.
fn note(whole: &Value, parsed: &mut Parsed) {
    let usage = &whole["usage"];
    if let Some(input) = usage["input_tokens"].as_u64() {
        let cached = |name: &str| usage[name].as_u64().unwrap_or(0);
        parsed.input_tokens =
            Some(input + cached("cache_read_input_tokens") + cached("cache_creation_input_tokens"));
    }
    parsed.output_tokens = usage["output_tokens"].as_u64().or(parsed.output_tokens);
    if let Some(model) = whole["model"].as_str() {
        parsed.model = Some(model.to_owned());
    }
}

fn finish(reason: &str) -> Finish {
    match reason {
        "end_turn" | "stop_sequence" | "tool_use" => Finish::Stop,
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "refusal" => Finish::Refusal,
        other => Finish::Other(other.to_owned()),
    }
}
