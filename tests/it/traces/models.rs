//! Calls to models: what is told of them, and what only to whoever asks for it.

use super::Workplace;
use crate::support::otlp::Recorder;
use crate::support::servers::{RawServer, answering_as};

const KEY: &str = "sk-canary-model";

fn http(status: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .into()
}

async fn model() -> RawServer {
    answering_as(|request| {
        if request.contains("refused") {
            return http("401 Unauthorized", r#"{"error": {"message": "canary words of a provider"}}"#);
        }
        let body = serde_json::json!({
            "model": "any-2026", "choices": [{
                "message": {"role": "assistant", "content": "canary answer"}, "finish_reason": "stop"
            }],
            "usage": {"prompt_tokens": 20, "completion_tokens": 3}
        });
        http("200 OK", &body.to_string())
    })
    .await
}

fn place(model: &RawServer, recorder: &Recorder, more: &str) -> Workplace {
    let yaml = format!(
        "{more}targets:\n  llm_models:\n    - {{name: wise, provider: in-house, model_id: any, \
         base_url: \"http://127.0.0.1:{}/v1\", api_key: {KEY}, price: {{input_per_1k: 0.1, output_per_1k: 1}}, \
         question: canary question, answer: answer}}\n",
        model.port
    );
    Workplace::with_configuration(&yaml).variable("OTEL_EXPORTER_OTLP_ENDPOINT", &recorder.url())
}

#[tokio::test]
async fn a_call_is_told_by_the_conventions_without_a_word_of_it() {
    let (model, recorder) = (model().await, Recorder::start().await);
    let ended = place(&model, &recorder, "").run(&["--run-once"]).await;
    let (look, call) = (recorder.span("look llm_models"), recorder.span("chat"));
    assert_eq!(call.name, "chat any", "{ended}");
    assert_eq!((&call.parent, &call.trace), (&look.id, &look.trace));
    for (name, expected) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "in-house"),
        ("gen_ai.system", "in-house"),
        ("gen_ai.request.model", "any"),
        ("gen_ai.response.model", "any-2026"),
        ("gen_ai.usage.input_tokens", "int 20"),
        ("gen_ai.usage.output_tokens", "int 3"),
        ("gen_ai.usage.cost", "double 0.005"),
        ("gen_ai.response.finish_reasons", "[stop]"),
        ("roundsman.purpose", "probe"),
        ("roundsman.price_known", "bool true"),
        ("roundsman.tokens_estimated", "bool false"),
        ("server.address", "127.0.0.1"),
    ] {
        assert_eq!(call.attribute(name), expected, "{name} of {call:#?}");
    }
    assert!(call.attribute("roundsman.duration_ms").starts_with("int "));
    assert!(!call.failed);
    let round = recorder.span("round");
    for name in [
        "session.id",
        "langfuse.session.id",
        "gen_ai.conversation.id",
    ] {
        assert_eq!(call.attribute(name), round.attribute("round.id"), "{name}");
    }
    for batch in recorder.batches() {
        let text = String::from_utf8_lossy(&batch.bytes).into_owned();
        assert!(!text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn questions_and_answers_come_along_where_that_is_asked_for_and_keys_never() {
    let (model, recorder) = (model().await, Recorder::start().await);
    let place = place(&model, &recorder, "llm: {trace_prompts: true}\n");
    place.run(&["check-config"]).await.assert_prints(
        "which takes them; with questions to models and their answers, as `llm.trace_prompts` has it\n",
    );
    let ended = place.run(&["--run-once"]).await;
    let call = recorder.span("chat");
    assert_eq!(
        call.attribute("gen_ai.input.messages"),
        r#"[{"role":"user","parts":[{"type":"text","content":"canary question"}]}]"#,
        "{ended}"
    );
    assert_eq!(
        call.attribute("gen_ai.output.messages"),
        r#"[{"role":"assistant","parts":[{"type":"text","content":"canary answer"}],"finish_reason":"stop"}]"#
    );
    for batch in recorder.batches() {
        assert!(!String::from_utf8_lossy(&batch.bytes).contains(KEY));
    }
}

#[tokio::test]
async fn a_call_that_failed_says_how_and_nothing_that_the_provider_said() {
    let (model, recorder) = (model().await, Recorder::start().await);
    let place = place(&model, &recorder, "");
    let yaml = place
        .read("config/config.yaml")
        .replace("model_id: any", "model_id: refused");
    let place = place.file("config/config.yaml", &yaml);
    place.run(&["--run-once"]).await;
    let call = recorder.span("chat refused");
    assert!(call.failed);
    assert_eq!(call.attribute("error.type"), "denied");
    assert!(!call.attributes.contains_key("gen_ai.usage.input_tokens"));
    for batch in recorder.batches() {
        let text = String::from_utf8_lossy(&batch.bytes).into_owned();
        assert!(!text.contains("canary"), "{text}");
    }
}
