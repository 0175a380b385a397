//! What `check-config` says of who is to explain incidents.

use crate::support::program::Workplace;

async fn checked(llm: &str) -> (String, Option<i32>) {
    let place = Workplace::with_configuration(&format!(
        "targets:\n  local_hosts: [{{name: here}}]\nllm: {llm}\n"
    ));
    let said = place.run(&["check-config"]).await;
    (format!("{said}"), said.code)
}

#[tokio::test]
async fn what_keeps_a_model_from_being_asked_is_said_before_it_is_needed() {
    let key = "api_key: sk-0123";
    for (llm, code, expected) in [
        (
            format!("{{provider: openai, model: gpt-4o-mini, {key}}}"),
            0,
            "words: by openai/gpt-4o-mini, within 20 s, at most 3 calls for an incident, $3.00 a day for all calls",
        ),
        (
            "{provider: openai, model: gpt-4o-mini}".to_owned(),
            0,
            "hint: set `OPENAI_API_KEY`, or `api_key` here",
        ),
        (
            format!("{{provider: anthropic, {key}}}"),
            0,
            "`model` is missing: nobody is asked to explain incidents",
        ),
        (
            format!("{{provider: openai, model: \"\", {key}}}"),
            78,
            "expected the name of a model",
        ),
        (
            format!("{{provider: openai, model: gpt-4o-mini, max_tokens: 0, {key}}}"),
            78,
            "no answer fits into 0 tokens",
        ),
        (
            format!("{{provider: openai, model: gpt-4o-mini, max_tokens: 10, {key}}}"),
            0,
            "most answers are cut off at 10 tokens",
        ),
        (
            format!("{{provider: openai, model: gpt-4o-mini, daily_budget_usd: 0.0001, {key}}}"),
            0,
            "`gpt-4o-mini` is never asked: one answer may cost",
        ),
        (
            format!("{{provider: openai, model: of-our-own, {key}}}"),
            0,
            "what `of-our-own` costs is not known",
        ),
        (
            "{provider: bedrock, model: \"us.anthropic.claude-3-5-haiku-20241022-v1:0\", region: us-east-1}".to_owned(),
            0,
            "was retired on 2026-06-19",
        ),
    ] {
        let (said, ended) = checked(&llm).await;
        assert!(said.contains(expected), "{llm}\n{said}");
        assert_eq!(ended, Some(code), "{llm}\n{said}");
    }
    // A section about money alone asks nobody, and need not.
    let (said, _) = checked("{daily_budget_usd: 1.0}").await;
    assert!(
        said.contains("0 warnings") && !said.contains("words:"),
        "{said}"
    );
}
