//! Calls to models: what is told of them, and what only to whoever asks for it.

use super::Workplace;
use crate::analyst::configuration;
use crate::incidents::Endpoints;
use crate::support::aimock::aimock;
use crate::support::daemon::Daemon;
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
        if request.contains("cut") {
            return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{".into();
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
        ("langfuse.observation.cost_details", r#"{"total":0.005}"#),
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
    // Who is refused pays nothing.
    assert_eq!(call.attribute("gen_ai.usage.cost"), "double 0");
    for batch in recorder.batches() {
        let text = String::from_utf8_lossy(&batch.bytes).into_owned();
        assert!(!text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn a_call_whose_answer_was_lost_costs_what_the_purse_counts() {
    let (model, recorder) = (model().await, Recorder::start().await);
    let place = place(&model, &recorder, "");
    let yaml = place
        .read("config/config.yaml")
        .replace("model_id: any", "model_id: cut");
    let place = place.file("config/config.yaml", &yaml);
    place.run(&["--run-once"]).await;
    let call = recorder.span("chat cut");
    assert!(call.failed);
    let cost = call.attribute("gen_ai.usage.cost");
    let cost: f64 = (cost.strip_prefix("double "))
        .and_then(|cost| cost.parse().ok())
        .expect("a cost");
    assert!(cost > 0.0);
    let budget = place.run(&["budget"]).await;
    let spent = budget.stdout.split_once("): $").expect("what was spent").1;
    let spent: f64 = (spent.split(' ').next())
        .and_then(|spent| spent.parse().ok())
        .expect("dollars");
    assert!((spent - cost).abs() < 0.005, "{cost} in {budget}");
}

const WORDY: &str = "provider: openai, model: gpt-4o-mini, api_key: sk-canary-4711";

#[tokio::test]
async fn what_is_asked_about_a_round_belongs_to_it() {
    let (port, shops, recorder) = (
        aimock().await,
        Endpoints::start().await,
        Recorder::start().await,
    );
    let llm = format!("{{{WORDY}, base_url: \"http://127.0.0.1:{port}/v1\"}}");
    let yaml = configuration(&shops, &llm, "{kind: file, directory: reports}");
    shops.fail("*");
    for format in ["text", "json"] {
        let place = Workplace::with_configuration(&yaml)
            .variable("OTEL_EXPORTER_OTLP_ENDPOINT", &recorder.url());
        let before = recorder.spans().len();
        let ended = place.run(&["--run-once", "--format", format]).await;
        ended.assert_code(2);
        let spans = recorder.spans().split_off(before);
        let named = |name: &str| {
            let mut found = spans.iter().filter(|one| one.name.starts_with(name));
            (found.next()).unwrap_or_else(|| panic!("`{name}` among {spans:#?} {ended}"))
        };
        let (round, analysis, call) = (named("round"), named("analysis"), named("chat"));
        assert!(round.parent.is_empty());
        assert_eq!(
            (&analysis.parent, &analysis.trace),
            (&round.id, &round.trace)
        );
        assert_eq!((&call.parent, &call.trace), (&analysis.id, &round.trace));
        let id = round.attribute("round.id");
        assert!(id.starts_with("20") && id.ends_with('Z'), "{id}");
        assert_eq!(analysis.attribute("session.id"), id);
        for name in [
            "session.id",
            "langfuse.session.id",
            "gen_ai.conversation.id",
        ] {
            assert_eq!(call.attribute(name), id, "{name}");
        }
        assert_eq!(call.attribute("roundsman.purpose"), "analysis");
        // It is as long as its looks took, not as its words.
        if format == "json" {
            let took = ended.json()["round"]["duration_ms"].as_u64();
            let took = u128::from(took.expect("a duration"));
            assert!(round.took.as_millis() <= took + 50, "{round:?}");
        }
    }
}

#[tokio::test]
async fn an_incident_has_a_session_that_no_other_installation_has() {
    let (port, shops) = (aimock().await, Endpoints::start().await);
    let llm = format!("{{{WORDY}, base_url: \"http://127.0.0.1:{port}/v1\"}}");
    let yaml = configuration(&shops, &llm, "{kind: file, directory: reports}");
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let recorder = Recorder::start().await;
        let place = Workplace::with_configuration(&yaml)
            .variable("OTEL_EXPORTER_OTLP_ENDPOINT", &recorder.url())
            .variable("OTEL_BSP_SCHEDULE_DELAY", "50");
        let of_incident = || {
            let mut spans = recorder.spans().into_iter();
            spans.find(|one| {
                one.name.starts_with("chat")
                    && one.attribute("session.id").starts_with("incident-1@")
            })
        };
        let mut daemon = Daemon::start(&place);
        // Of the same trouble a report would have asked before.
        daemon.event("report.made").await;
        shops.fail("*");
        crate::incidents::until("a call about the incident", || of_incident().is_some()).await;
        daemon.stop().await.assert_code(0);
        let call = of_incident().expect("a call");
        let holds = |one: &crate::support::otlp::Arrived| one.id == call.parent;
        let analysis = recorder
            .spans()
            .into_iter()
            .find(holds)
            .expect("an analysis");
        assert_eq!(analysis.name, "analysis");
        let session = call.attribute("session.id").to_owned();
        assert_eq!(analysis.attribute("session.id"), session);
        assert_eq!(call.attribute("langfuse.session.id"), session);
        sessions.push(session);
        shops.recover("*");
    }
    assert_ne!(sessions[0], sessions[1]);
}
