//! Addresses as people have them at hand.

use super::{CANARY, Wallet, body_of, completion, http, sum_in};
use crate::support::program::Workplace;
use crate::support::servers::answering_as;

#[tokio::test]
async fn an_address_that_is_no_base_is_a_mistake_with_its_line_and_what_to_write() {
    let yaml = format!(
        "llm:
  provider: azure
  model: chat
  api_key: {CANARY}
  base_url: https://me.openai.azure.com/openai/deployments/chat-1/chat/completions?api-version=2025-01-01-preview
targets:
  llm_models:
    - provider: in-house
      model_id: any
      base_url: http://llm.example.com/v1/chat/completions
    - provider: anthropic
      model_id: claude-haiku-5-5
      base_url: https://gateway.example.com/v1/messages
    - provider: openrouter
      model_id: a/b
      base_url: https://openrouter.ai/api/v1?key={CANARY}
"
    );
    let place = Workplace::with_configuration(&yaml);
    let ended = place.run(&["check-config"]).await;
    ended.assert_code(78);
    let said = format!("{ended}");
    assert!(!said.contains(CANARY), "{said}");
    for (line, hint) in [
        (
            5,
            "write `base_url: https://me.openai.azure.com`, `chat-1` as the model, and `api_version: 2025-01-01-preview`",
        ),
        (10, "write `base_url: http://llm.example.com/v1`"),
        (13, "write `base_url: https://gateway.example.com/v1`"),
        (16, "write `base_url: https://openrouter.ai/api/v1`"),
    ] {
        assert!(said.contains(&format!(":{line}:")), "{line}: {said}");
        assert!(said.contains(hint), "{hint}: {said}");
    }
}

#[tokio::test]
async fn the_newer_interface_of_azure_is_spoken_where_the_address_is_its() {
    let server = answering_as(|request| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        if path == "/openai/v1/chat/completions" && body_of(request)["model"] == "chat" {
            return http("200 OK", &completion(&sum_in(request), "stop"));
        }
        http(
            "404 Not Found",
            r#"{"error": {"code": "404", "message": "Resource not found"}}"#,
        )
    })
    .await;
    let yaml = format!(
        "provider: azure\nmodel_id: chat\nbase_url: http://127.0.0.1:{}/openai/v1/\napi_key: {CANARY}",
        server.port
    );
    Wallet::new().look(&yaml).await.assert_green();
    let request = server.requests()[0].to_lowercase();
    assert!(request.contains(&format!("api-key: {CANARY}")), "{request}");
}

#[tokio::test]
async fn ollama_is_asked_where_its_variable_says_by_its_own_rules() {
    let server = answering_as(|request| {
        let answer = serde_json::json!({"message": {"content": sum_in(request)}, "done": true, "done_reason": "stop"});
        http("200 OK", &answer.to_string())
    })
    .await;
    let yaml = "targets: {llm_models: [{provider: ollama, model_id: llama3.2}]}\n";
    for host in [
        format!("0.0.0.0:{}", server.port),
        format!("http://0.0.0.0:{}/", server.port),
        format!(":{}", server.port),
    ] {
        let place = Workplace::with_configuration(yaml).variable("OLLAMA_HOST", &host);
        place.run(&["--run-once"]).await.assert_code(0);
    }
    assert_eq!(server.requests().len(), 3);
}
