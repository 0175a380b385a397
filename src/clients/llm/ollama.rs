//! Ollama's own format (<https://github.com/ollama/ollama/blob/main/docs/api.md>). Its `OpenAI`-compatible one cannot set
//! `num_ctx`, and the small default cuts long questions off without a word.

use serde_json::{Value, json};

use super::{Endpoint, Finish, FirstToken, Form, Parsed, Question, Trouble, sse};

/// How much of a conversation a model keeps, unless the settings say otherwise: room for the question and the answer.
const LEAST_CONTEXT: u64 = 4_096;

pub(super) fn body(endpoint: &Endpoint, question: &Question, form: Option<&Form>) -> Value {
    let mut messages = Vec::new();
    if let Some(system) = &question.system {
        messages.push(json!({"role": "system", "content": system}));
    }
    messages.push(json!({"role": "user", "content": question.text}));
    let needed = super::paying::longest_text(question) + u64::from(question.max_tokens);
    let context = endpoint
        .num_ctx
        .map_or_else(|| needed.next_power_of_two().max(LEAST_CONTEXT), u64::from);
    let mut body = json!({
        "model": endpoint.model,
        "messages": messages,
        "stream": true,
        "think": false,
        "options": {"num_ctx": context, "num_predict": question.max_tokens},
    });
    if let Some(form) = form {
        body["format"] = form.schema.clone();
    }
    body
}

/// Whether a line ends the stream.
pub(super) fn is_last(line: &str) -> bool {
    // Most lines are parts of the text, and need not be read twice.
    line.contains("true")
        && serde_json::from_str::<Value>(line).is_ok_and(|part| part["done"] == true)
}

pub(super) fn parse(body: &str) -> Option<Parsed> {
    let lines = sse::json_lines(body);
    if lines.is_empty() {
        return None;
    }
    let is_stream = lines.len() > 1;
    let mut parsed = Parsed::default();
    for (at, line) in lines {
        if let Some(error) = line["error"].as_str() {
            parsed.error = Some(Trouble {
                said: error.to_owned(),
                status: None,
            });
        }
        let part = line["message"]["content"].as_str().unwrap_or_default();
        if !part.is_empty() && parsed.text.is_empty() && is_stream {
            parsed.first_token = FirstToken::AtByte(at);
        }
        parsed.text.push_str(part);
        if let Some(model) = line["model"].as_str() {
            parsed.model = Some(model.to_owned());
        }
        if line["done"].as_bool() == Some(true) {
            parsed.complete = true;
            parsed.input_tokens = line["prompt_eval_count"].as_u64();
            parsed.output_tokens = line["eval_count"].as_u64();
            parsed.finish = Some(match line["done_reason"].as_str() {
                Some("stop") | None => Finish::Stop,
                Some("length") => Finish::Length,
                Some(other) => Finish::Other(other.to_owned()),
            });
        }
    }
    Some(parsed)
}
