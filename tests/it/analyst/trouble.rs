//! Models that are not well cost the words and nothing else.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::configuration;
use crate::incidents::{Endpoints, Hook, until};
use crate::support::children::free_port;
use crate::support::daemon::Daemon;
use crate::support::program::Workplace;
use crate::support::servers::{RawServer, answering_as, raw};

pub(super) fn reply(content: &str, finish: &str) -> Vec<u8> {
    let body = json!({
        "model": "recorded",
        "choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": finish}],
        "usage": {"prompt_tokens": 700, "completion_tokens": 100},
    })
    .to_string();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

pub(super) fn llm(port: u16) -> String {
    format!(
        "{{provider: recorder, model: m, base_url: \"http://127.0.0.1:{port}/v1\", price: {{input_per_1k: 0.001, output_per_1k: 0.005}}, deadline: 3s}}"
    )
}

/// Endpoints of which none is well, and a configuration that looks at them.
pub(super) async fn all_fail(llm: &str) -> (Endpoints, String) {
    let shops = Endpoints::start().await;
    shops.fail("*");
    let yaml = configuration(&shops, llm, "{kind: file, directory: reports}");
    (shops, yaml)
}

/// The incident as it stands once a model was asked about it, and what the recorder was asked.
async fn incident_with(
    llm: &str,
    server: Option<&RawServer>,
    until_asked: usize,
) -> (Value, Duration) {
    let (shops, hook) = (Endpoints::start().await, Hook::start().await);
    let place = Workplace::with_configuration(&configuration(&shops, llm, &hook.reporter()));
    let mut daemon = Daemon::start(&place);
    for _ in 0..3 {
        daemon.event("target.changed").await;
    }
    shops.fail("*");
    let began = Instant::now();
    let post = hook.incidents(1).await.swap_remove(0);
    let took = began.elapsed();
    if let Some(server) = server {
        until("the question", || server.requests().len() >= until_asked).await;
    }
    daemon.event("analysis.not_explained").await;
    daemon.stop().await.assert_code(0);
    assert!(
        !post["incident"]["analysis"]["explanation"].is_object(),
        "{post:#}"
    );
    (post, took)
}

#[tokio::test]
async fn a_message_waits_for_no_model_be_it_dead_or_silent() {
    let silent = raw(|mut stream| async move {
        crate::support::servers::request(&mut stream).await;
        tokio::time::sleep(Duration::from_mins(1)).await;
    })
    .await;
    for port in [free_port(), silent.port] {
        let (post, took) = incident_with(&llm(port), None, 0).await;
        assert_eq!(post["incident"]["status"], "RED");
        // Two looks a second apart and what happens together make it: no deadline of 3 s is in it.
        assert!(took < Duration::from_secs(20), "{took:?}");
    }
}

#[tokio::test]
async fn answers_that_do_not_count_are_not_shown() {
    let forged = json!({"summary": {"text": "All is well.", "evidence": ["E77"]}, "cause": null, "confidence": "high",
        "impact": null, "steps": [], "plain": "Nothing is wrong."});
    for (content, finish, calls) in [
        (forged.to_string(), "stop", 1),
        ("I am sorry, I cannot help with that.".to_owned(), "stop", 2),
        ("{\"summary\": {\"text\": \"It is".to_owned(), "length", 1),
        (String::new(), "stop", 2),
        (forged.to_string(), "content_filter", 1),
    ] {
        let answer = reply(&content, finish);
        let server = answering_as(move |_| answer.clone()).await;
        let (_, _) = incident_with(&llm(server.port), Some(&server), calls).await;
        assert_eq!(server.requests().len(), calls, "{content} {finish}");
    }
}

#[tokio::test]
async fn a_budget_that_is_spent_is_said_once_and_nobody_is_asked() {
    let answer = reply("{}", "stop");
    let server = answering_as(move |_| answer.clone()).await;
    let (shops, hook) = (Endpoints::start().await, Hook::start().await);
    let spent = llm(server.port).replace("deadline: 3s", "daily_budget_usd: 0.0");
    let place = Workplace::with_configuration(&configuration(&shops, &spent, &hook.reporter()));
    let mut daemon = Daemon::start(&place);
    for _ in 0..3 {
        daemon.event("target.changed").await;
    }
    shops.fail("*");
    daemon.event("analysis.not_explained").await;
    let is_note = |post: &Value| post.to_string().contains("not put into words today");
    until("the note", || hook.posts().iter().any(is_note)).await;
    shops.recover("*");
    daemon.event("incident.closed").await;
    shops.fail("*");
    daemon.event("incident.opened").await;
    daemon.event("analysis.not_explained").await;
    daemon.stop().await.assert_code(0);
    assert_eq!(server.requests().len(), 0);
    assert_eq!(hook.posts().iter().filter(|post| is_note(post)).count(), 1);
}

#[tokio::test]
async fn a_round_at_a_prompt_says_that_its_model_is_dead_and_is_no_later_for_it() {
    let shops = Endpoints::start().await;
    shops.fail("*");
    let reporter = "{kind: file, directory: reports}";
    let dead = Workplace::with_configuration(&configuration(&shops, &llm(free_port()), reporter));
    let without = Workplace::with_configuration(&configuration(&shops, "{when: never}", reporter));
    let ended = dead.run(&["--run-once", "--format", "json"]).await;
    ended
        .assert_code(2)
        .assert_says("the language model did not answer");
    let (with, other) = (
        ended.json(),
        without
            .run(&["--run-once", "--format", "json"])
            .await
            .json(),
    );
    assert!(with["analysis"]["unexplained"].is_string(), "{with:#}");
    for same in [
        "status",
        "overall",
        "counts",
        "recommendations",
        "issues_found",
    ] {
        assert_eq!(with[same], other[same], "{same}");
    }
}

#[tokio::test]
async fn a_model_that_was_retired_is_not_asked_where_its_successor_is_dearer() {
    let answer = reply("{}", "stop");
    let server = answering_as(move |_| answer.clone()).await;
    let shops = Endpoints::start().await;
    shops.fail("*");
    for (prices, said, asked) in [
        ("[]", "which is no dearer, is asked in its place", true),
        (
            "[{model: \"claude-haiku-5-5*\", input_per_1k: 0.9, output_per_1k: 0.9}]",
            "is dearer",
            false,
        ),
    ] {
        let llm = format!(
            "{{provider: bedrock, model: \"us.anthropic.claude-3-5-haiku-20241022-v1:0\", region: us-east-1, base_url: \"http://127.0.0.1:{}\", prices: {prices}}}",
            server.port
        );
        let yaml = configuration(&shops, &llm, "{kind: file, directory: reports}");
        let place = Workplace::with_configuration(&yaml)
            .variable("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .variable("AWS_SECRET_ACCESS_KEY", "canary-secret");
        let before = server.requests().len();
        let ended = place.run(&["--run-once"]).await;
        ended
            .assert_code(2)
            .assert_prints("was retired on 2026-06-19")
            .assert_prints(said);
        assert_eq!(server.requests().len() > before, asked, "{prices}");
    }
}

#[tokio::test]
async fn what_a_provider_says_of_its_trouble_is_made_harmless_at_a_prompt_too() {
    let server = answering_as(|_| {
        let body = "{\"error\": {\"message\": \"@channel see https://evil.example/x\"}}";
        let length = body.len();
        format!("HTTP/1.1 400 Bad Request\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").into_bytes()
    })
    .await;
    let (_shops, yaml) = all_fail(&llm(server.port)).await;
    let place = Workplace::with_configuration(&yaml);
    let report = place.run(&["--run-once", "--format", "json"]).await.json();
    let why = report["analysis"]["unexplained"]
        .as_str()
        .expect("a reason");
    assert!(why.contains("did not answer"), "{why}");
    assert!(!why.contains("://") && !why.contains('@'), "{why}");
}

#[tokio::test]
async fn a_round_at_a_prompt_pays_for_no_question_without_facts() {
    let answer = reply("{}", "stop");
    let server = answering_as(move |_| answer.clone()).await;
    let shops = Endpoints::start().await;
    let always = llm(server.port).replace("deadline: 3s", "when: always");
    let yaml = configuration(&shops, &always, "{kind: file, directory: reports}");
    let ended = Workplace::with_configuration(&yaml)
        .run(&["--run-once", "--format", "json"])
        .await;
    ended.assert_code(0);
    assert_eq!(server.requests().len(), 0);
}

/// An answer that speaks of what it was asked about, in these words.
fn good(words: &str) -> String {
    json!({"summary": {"text": format!("partner is {words}"), "evidence": ["E01"]}, "cause": null, "confidence": "low",
        "impact": null, "steps": [], "plain": format!("partner is {words}")})
    .to_string()
}

#[tokio::test]
async fn a_key_that_a_provider_repeats_is_shown_nowhere() {
    let refused = format!("wrong key {KEY}, \u{201c}{KEY}\u{201d}");
    let error = json!({"error": {"message": refused}}).to_string();
    let error = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{error}",
        error.len()
    );
    let named = String::from_utf8(reply(&good(&format!("bad, {KEY}")), "stop")).expect("text");
    // Of the same length, so that the answer keeps its head.
    let named = named.replace("recorded", &KEY[..8]);
    let odd_end = String::from_utf8(reply(&good("bad"), KEY)).expect("text");
    for answer in [error, named, odd_end] {
        let answer = answer.into_bytes();
        let server = answering_as(move |_| answer.clone()).await;
        let llm = llm(server.port).replace("model: m", &format!("model: m, api_key: {KEY}"));
        let (_shops, yaml) = all_fail(&llm).await;
        let place = Workplace::with_configuration(&yaml);
        for format in ["json", "text", "junit"] {
            let ended = place.run(&["--run-once", "--format", format]).await;
            ended.assert_code(2);
            assert!(!format!("{ended}").contains(KEY), "{ended}");
        }
        assert!(
            server.requests()[0].contains(KEY),
            "it is sent to whom it is for"
        );
        for file in place.names_in("reports") {
            assert!(
                !place.read(&format!("reports/{file}")).contains(KEY),
                "{file}"
            );
        }
    }
}

/// Of no shape that is known as a secret.
const KEY: &str = "canary plain words 4711 of ours";

#[tokio::test]
async fn words_of_another_picture_are_marked_in_a_newer_message() {
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let server =
        answering_as(
            move |_| match calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                0 => reply(&good("bad for partner alone"), "stop"),
                _ => b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                    .to_vec(),
            },
        )
        .await;
    let (shops, hook) = (Endpoints::start().await, Hook::start().await);
    let yaml = configuration(&shops, &llm(server.port), &hook.reporter());
    let place = Workplace::with_configuration(&yaml);
    let mut daemon = Daemon::start(&place);
    for _ in 0..3 {
        daemon.event("target.changed").await;
    }
    shops.fail("partner");
    let has_words = |post: &Value| post.to_string().contains("bad for partner alone");
    until("the words", || hook.posts().iter().any(has_words)).await;
    shops.fail("shop");
    let knows_both = |post: &Value| {
        let targets = post["incident"]["targets"].as_array();
        targets.is_some_and(|targets| targets.len() > 1)
    };
    until("both", || hook.posts().iter().any(knows_both)).await;
    daemon.event("analysis.not_explained").await;
    daemon.stop().await.assert_code(0);
    for post in hook.posts().iter().filter(|post| knows_both(post)) {
        let outdated = &post["incident"]["analysis"]["explanation"]["outdated"];
        assert!(!has_words(post) || *outdated == true, "{post:#}");
    }
    let shown = place.run(&["explain", "1"]).await;
    shown.assert_prints("it has changed since");
}

#[tokio::test]
async fn junit_has_the_words_that_were_paid_for() {
    let answer = reply(&good("bad"), "stop");
    let server = answering_as(move |_| answer.clone()).await;
    let (_shops, yaml) = all_fail(&llm(server.port)).await;
    let ended = Workplace::with_configuration(&yaml)
        .run(&["--run-once", "--format", "junit"])
        .await;
    ended
        .assert_code(2)
        .assert_prints("<system-out>In words")
        .assert_prints("partner is bad");
}
