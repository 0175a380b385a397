//! What `check-config` says of who is to explain incidents.

use super::trouble::{all_fail, reply};
use crate::support::aimock::EXPLANATION;
use crate::support::program::Workplace;
use crate::support::servers::answering_as;

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

#[tokio::test]
async fn the_address_and_the_model_may_stand_in_variables() {
    let answer = reply(EXPLANATION, "stop");
    let server = answering_as(move |_| answer.clone()).await;
    let host = format!("127.0.0.1:{}/v1", server.port);
    for (llm, asked, by) in [
        ("{}", 1, "words: by own/of-the-variable, within 20 s"),
        (
            "{model: of-the-section}",
            1,
            "words: by own/of-the-section, within 20 s",
        ),
        (
            "{provider: openai, model: gpt-4o-mini}",
            1,
            "words: by openai/gpt-4o-mini, within 20 s",
        ),
        (
            "{base_url: \"http://127.0.0.1:9/v1\"}",
            0,
            "words: by own/of-the-variable, within 20 s",
        ),
    ] {
        let (_shops, yaml) = all_fail(llm).await;
        let place = Workplace::with_configuration(&yaml)
            .variable("LLM_URL", &host)
            .variable("LLM_MODEL", "of-the-variable");
        place.run(&["check-config"]).await.assert_prints(by);
        let before = server.requests().len();
        place.run(&["--run-once"]).await.assert_code(2);
        assert_eq!(server.requests().len() - before, asked, "{llm}");
    }
    let (_shops, yaml) = all_fail("{}").await;
    let place = Workplace::with_configuration(&yaml).variable("LLM_URL", &host);
    let said = place.run(&["check-config"]).await;
    assert!(
        format!("{said}").contains("`model` is missing: nobody is asked"),
        "{said}"
    );
}

#[tokio::test]
async fn nobody_is_asked_who_would_want_a_key_that_there_is_not() {
    let (_shops, yaml) = all_fail("{provider: openai, model: gpt-4o-mini}").await;
    let place = Workplace::with_configuration(&yaml);
    let report = place.run(&["--run-once", "--format", "json"]).await;
    report.assert_code(2).assert_says(
        "the language model was not asked: there is no key for `openai`: set `OPENAI_API_KEY`, or `llm.api_key`",
    );
}
