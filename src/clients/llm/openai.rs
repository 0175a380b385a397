//! `OpenAI`'s chat completions, which most providers speak
//! (<https://platform.openai.com/docs/api-reference/chat>), Azure's variant included
//! (<https://learn.microsoft.com/azure/ai-services/openai/reference>).

use serde_json::{Value, json};

use super::refusal::{said_in, status_in};
use super::{Endpoint, Family, Finish, FirstToken, Parsed, Question, Trouble, sse};

/// What servers call the form of an answer when they refuse it.
const FORM_WORDS: [&str; 6] = [
    "response_format",
    "response format",
    "schema",
    "json_object",
    "json mode",
    "structured output",
];

/// What servers that speak it refuse, each on its own: found out by asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quirks {
    completion_tokens: bool,
    streaming: Streaming,
    effort: bool,
    form: FormAsked,
}

/// How much of a form is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FormAsked {
    Schema,
    /// As servers know it that had a grammar before `OpenAI` had `json_schema`: llama.cpp, Together, Fireworks
    /// (<https://docs.together.ai/docs/json-mode>). Others take it for any object.
    ObjectOfSchema,
    AnyObject,
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Streaming {
    WithUsage,
    WithoutUsage,
    Off,
}

impl Quirks {
    pub(super) fn of(family: Family, question: &Question) -> Self {
        Self {
            completion_tokens: family.completion_tokens,
            streaming: Streaming::WithUsage,
            effort: true,
            form: match question.form {
                Some(_) => FormAsked::Schema,
                None => FormAsked::Nothing,
            },
        }
    }

    /// What to leave out, or to say otherwise, after a refusal with this status and these words. `None`: they are about
    /// something else.
    pub(super) fn after(self, status: u16, refusal: &str) -> Option<Self> {
        let words = refusal.to_lowercase();
        let about = |word: &str| words.contains(word);
        let is_about_form = FORM_WORDS.iter().any(|word| about(word));
        // Some servers fail where they do not know a form: llama-cpp-python answers 500.
        if !(matches!(status, 400 | 422) || matches!(status, 500 | 501) && is_about_form) {
            return None;
        }
        let next = if self.form != FormAsked::Nothing && is_about_form {
            Self {
                form: match self.form {
                    FormAsked::Schema => FormAsked::ObjectOfSchema,
                    FormAsked::ObjectOfSchema => FormAsked::AnyObject,
                    FormAsked::AnyObject | FormAsked::Nothing => FormAsked::Nothing,
                },
                ..self
            }
        } else if about("stream_options") {
            Self {
                streaming: Streaming::WithoutUsage,
                ..self
            }
        } else if about("max_completion_tokens") && !self.completion_tokens {
            Self {
                completion_tokens: true,
                ..self
            }
        } else if about("max_completion_tokens") || about("max_tokens") && self.completion_tokens {
            Self {
                completion_tokens: false,
                ..self
            }
        } else if about("reasoning_effort") || about("reasoning.effort") {
            Self {
                effort: false,
                ..self
            }
        } else if about("stream") {
            Self {
                streaming: Streaming::Off,
                ..self
            }
        } else {
            return None;
        };
        (next != self).then_some(next)
    }
}

pub(super) fn body(endpoint: &Endpoint, question: &Question, quirks: Quirks) -> Value {
    let family = Family::of(&endpoint.model);
    let mut messages = Vec::new();
    if let Some(system) = &question.system {
        messages.push(json!({"role": "system", "content": system}));
    }
    messages.push(json!({"role": "user", "content": question.text}));
    let mut body = json!({"messages": messages});
    if endpoint.names_model() {
        body["model"] = json!(endpoint.model);
    }
    let limit = if quirks.completion_tokens {
        "max_completion_tokens"
    } else {
        "max_tokens"
    };
    body[limit] = json!(question.max_tokens);
    if quirks.streaming != Streaming::Off {
        body["stream"] = json!(true);
    }
    if quirks.streaming == Streaming::WithUsage {
        body["stream_options"] = json!({"include_usage": true});
    }
    if let Some(effort) = family.least_effort.filter(|_| quirks.effort) {
        body["reasoning_effort"] = json!(effort);
    }
    match (&question.form, quirks.form) {
        (Some(form), FormAsked::Schema) => body["response_format"] = form.as_response_format(),
        (Some(form), FormAsked::ObjectOfSchema) => {
            body["response_format"] = json!({"type": "json_object", "schema": form.schema});
        }
        (Some(_), FormAsked::AnyObject) => body["response_format"] = json!({"type": "json_object"}),
        _ => {}
    }
    body
}

/// Whether a line ends the stream.
pub(super) fn is_last(line: &str) -> bool {
    line.strip_prefix("data:")
        .is_some_and(|data| data.trim() == "[DONE]")
}

pub(super) fn parse(body: &str) -> Option<Parsed> {
    if sse::is_stream(body) {
        return Some(parse_stream(body));
    }
    let whole: Value = serde_json::from_str(body).ok()?;
    let mut parsed = Parsed::default();
    note(&whole, &mut parsed);
    let Some(choice) = whole["choices"].get(0) else {
        // OpenRouter answers so with 200 where others say it with a status.
        parsed.error = Some(trouble(&whole["error"])?);
        return Some(parsed);
    };
    let message = &choice["message"];
    parsed.complete = true;
    parsed.text = text_of(&message["content"]);
    parsed.thought = has_thoughts(message);
    end(&whole, choice, &mut parsed);
    if message["refusal"].is_string() {
        parsed.finish = Some(Finish::Refusal);
    }
    Some(parsed)
}

fn parse_stream(body: &str) -> Parsed {
    let (events, done) = sse::events(body);
    let mut parsed = Parsed {
        complete: done,
        ..Parsed::default()
    };
    let mut refused = false;
    for (at, event) in events {
        note(&event, &mut parsed);
        let choice = &event["choices"][0];
        let delta = &choice["delta"];
        let refusal = delta["refusal"].as_str();
        refused |= refusal.is_some_and(|part| !part.is_empty());
        let part = text_of(&delta["content"]);
        if !part.is_empty() && parsed.text.is_empty() {
            parsed.first_token = FirstToken::AtByte(at);
        }
        parsed.text.push_str(&part);
        parsed.thought |= has_thoughts(delta);
        end(&event, choice, &mut parsed);
    }
    if refused {
        parsed.finish = Some(Finish::Refusal);
    }
    parsed
}

/// Why an answer ended, or that it failed.
fn end(whole: &Value, choice: &Value, parsed: &mut Parsed) {
    if let Some(reason) = choice["finish_reason"].as_str() {
        // Some servers leave the last line of a stream out.
        parsed.complete = true;
        if GIVEN_UP.contains(&reason) {
            parsed.error.get_or_insert_with(|| Trouble {
                said: format!("it ended with `{reason}`"),
                status: None,
            });
        } else {
            parsed.finish = Some(finish(reason));
        }
    }
    let trouble = trouble(&whole["error"]).or_else(|| trouble(&choice["error"]));
    parsed.error = trouble.or_else(|| parsed.error.take());
}

/// What an error in an answer says. Some put an empty one into every answer.
pub(super) fn trouble(error: &Value) -> Option<Trouble> {
    let is_there = match error {
        Value::String(text) => !text.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => false,
    };
    is_there.then(|| Trouble {
        said: said_in(&json!({ "error": error })),
        status: status_in(error),
    })
}

/// Whether a model that thinks aloud did: that is paid for, though nothing of it is the answer.
fn has_thoughts(message: &Value) -> bool {
    ["reasoning", "reasoning_content"]
        .iter()
        .any(|name| message[*name].as_str().is_some_and(|part| !part.is_empty()))
}

/// Content is a text, or a list of parts.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part["text"].as_str())
            .collect(),
        _ => String::new(),
    }
}

fn note(whole: &Value, parsed: &mut Parsed) {
    let usage = &whole["usage"];
    parsed.input_tokens = usage["prompt_tokens"].as_u64().or(parsed.input_tokens);
    parsed.output_tokens = usage["completion_tokens"].as_u64().or(parsed.output_tokens);
    if let Some(model) = whole["model"].as_str().filter(|model| !model.is_empty()) {
        parsed.model = Some(model.to_owned());
    }
}

/// The words for an answer that the server gave up: of OpenRouter and Mistral, of vLLM, of `DeepSeek`.
const GIVEN_UP: [&str; 3] = ["error", "abort", "insufficient_system_resource"];

/// Each has words of its own, and Google's are those of its own interface
/// (<https://ai.google.dev/api/generate-content#FinishReason>).
fn finish(reason: &str) -> Finish {
    match reason.to_lowercase().as_str() {
        "stop" | "eos" | "end_turn" => Finish::Stop,
        "length" | "max_tokens" | "model_length" => Finish::Length,
        "refusal" | "safety" | "recitation" | "prohibited_content" | "blocklist" | "spii" => {
            Finish::Refusal
        }
        filtered if filtered.starts_with("content_filter") => Finish::Refusal,
        _ => Finish::Other(reason.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::llm::Form;

    #[test]
    fn refusals_lead_to_another_try_and_not_to_the_same() {
        let mut question = Question {
            system: None,
            text: String::new(),
            max_tokens: 1,
            session: None,
            form: None,
        };
        let first = Quirks::of(Family::of("gpt-4o"), &question);
        let second = first.after(400, "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.");
        assert!(second.is_some_and(|quirks| quirks.completion_tokens));
        assert!(
            first
                .after(400, "Unknown parameter: stream_options")
                .is_some_and(|quirks| quirks.streaming == Streaming::WithoutUsage)
        );
        assert_eq!(first.after(400, "The model does not exist"), None);
        let no_form = "'response_format' of type 'json_schema' is not supported";
        assert_eq!(first.after(400, no_form), None, "none was asked for");
        question.form = Some(Form {
            name: "answer",
            schema: json!({}),
        });
        let mut asked = vec![Quirks::of(Family::of("gpt-4o"), &question)];
        while let Some(next) = asked.last().and_then(|last| last.after(400, no_form)) {
            asked.push(next);
        }
        let forms: Vec<FormAsked> = asked.iter().map(|quirks| quirks.form).collect();
        assert_eq!(
            forms,
            [
                FormAsked::Schema,
                FormAsked::ObjectOfSchema,
                FormAsked::AnyObject,
                FormAsked::Nothing
            ]
        );
    }

    #[test]
    fn a_stream_without_its_last_line_but_with_a_reason_is_complete() {
        let body = "data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"4\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"2\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2}}\n\n";
        let parsed = parse(body).expect("an answer");
        assert_eq!(
            (parsed.text.as_str(), parsed.complete, parsed.output_tokens),
            ("42", true, Some(2))
        );
        let cut = parse(&body[..70]).expect("a part");
        assert!(!cut.complete);
    }

    #[test]
    fn why_an_answer_ended_is_read_in_everybody_s_words() {
        for (reason, expected) in [
            ("stop", Finish::Stop),
            ("STOP", Finish::Stop),
            ("model_length", Finish::Length),
            ("MAX_TOKENS", Finish::Length),
            ("content_filter", Finish::Refusal),
            ("content_filter: SAFETY", Finish::Refusal),
            ("SAFETY", Finish::Refusal),
            ("RECITATION", Finish::Refusal),
            ("PROHIBITED_CONTENT", Finish::Refusal),
            ("tool_calls", Finish::Other("tool_calls".to_owned())),
        ] {
            let body = json!({"choices": [{"message": {"content": "4"}, "finish_reason": reason}]});
            let parsed = parse(&body.to_string()).expect("an answer");
            assert_eq!(parsed.finish, Some(expected), "{reason}");
            assert_eq!(parsed.error, None, "{reason}");
        }
        for reason in ["error", "abort", "insufficient_system_resource"] {
            let part = json!({"choices": [{"delta": {"content": "4"}, "finish_reason": reason}]});
            let parsed = parse(&format!("data: {part}\n\ndata: [DONE]\n\n")).expect("an answer");
            let said = parsed.error.map(|trouble| trouble.said);
            assert_eq!(said, Some(format!("it ended with `{reason}`")));
        }
    }

    #[test]
    fn an_error_of_a_choice_is_one_and_thinking_is_paid_for() {
        let choice = json!({"choices": [{
            "message": {"content": "4"}, "finish_reason": "error",
            "error": {"code": 502, "message": "gone"},
        }]});
        let parsed = parse(&choice.to_string()).expect("an answer");
        let trouble = parsed.error.clone().expect("an error");
        assert_eq!((trouble.said.as_str(), trouble.status), ("gone", Some(502)));
        assert!(!parsed.is_nothing());
        let thoughts = json!({"choices": [{"delta": {"reasoning": "hm"}}]});
        let error = json!({"error": {"code": 429, "message": "no"}, "choices": []});
        let parsed = parse(&format!("data: {thoughts}\n\ndata: {error}\n\n")).expect("an answer");
        assert!(!parsed.is_nothing());
        assert!(parse(&error.to_string()).is_some_and(|parsed| parsed.is_nothing()));
    }
}
