//! From an incident to a model's words in a message, in each wire format.

use serde_json::Value;

use super::configuration;
use crate::incidents::{Endpoints, Hook, until};
use crate::support::aimock::aimock;
use crate::support::daemon::Daemon;
use crate::support::program::Workplace;

fn explained(post: &Value) -> bool {
    post["incident"]["analysis"]["explanation"].is_object()
}

async fn words_of(llm: &str) -> (Value, Workplace) {
    let (shops, hook) = (Endpoints::start().await, Hook::start().await);
    let yaml = configuration(&shops, llm, &hook.reporter());
    let place = Workplace::with_configuration(&yaml);
    let mut daemon = Daemon::start(&place);
    for _ in 0..3 {
        daemon.event("target.changed").await;
    }
    shops.fail("*");
    until("words", || hook.posts().iter().any(explained)).await;
    let post = hook.posts().into_iter().find(explained).expect("a message");
    let ended = daemon.stop().await;
    ended.assert_code(0);
    assert!(!format!("{ended}").contains("canary"), "{ended}");
    // It rang for the incident, and not for the words.
    let rings: Vec<bool> = (hook.posts().iter())
        .filter(|post| explained(post))
        .map(|post| post["rings"] == true)
        .collect();
    assert!(!rings[0], "{rings:?}");
    (post, place)
}

#[tokio::test]
async fn a_message_is_brought_up_to_date_with_what_a_model_says() {
    let port = aimock().await;
    for (provider, model, base) in [
        (
            "openai",
            "gpt-4o-mini",
            format!("http://127.0.0.1:{port}/v1"),
        ),
        (
            "anthropic",
            "claude-haiku-4-5",
            format!("http://127.0.0.1:{port}"),
        ),
        ("ollama", "llama3", format!("http://127.0.0.1:{port}")),
    ] {
        let llm = format!(
            "{{provider: {provider}, model: {model}, base_url: \"{base}\", api_key: sk-canary-4711}}"
        );
        let (told, place) = words_of(&llm).await;
        let words = &told["incident"]["analysis"]["explanation"];
        assert_eq!(
            words["summary"]["text"], "partner answers 503, so shop and checkout fail.",
            "{provider}"
        );
        assert_eq!(words["cause"]["evidence"][0], "E01");
        let steps = words["steps"].as_array().expect("steps");
        assert_eq!(
            steps.len(),
            1,
            "what would harm and what rests on no fact is left out: {words:#}"
        );
        assert_eq!(words["claims_dropped"], 2, "{words:#}");
        // Each fact that is named stands beside it.
        let named = words["cause"]["evidence"].as_array().expect("facts");
        let shown = words["facts"].as_array().expect("facts");
        for id in named {
            let fact = shown.iter().find(|fact| fact["id"] == *id);
            let text = fact.and_then(|fact| fact["text"].as_str());
            assert!(text.is_some_and(|text| text.contains("503")), "{words:#}");
        }
        assert!(words["score_percent"].as_u64() > Some(50), "{words:#}");
        let said = place.run(&["explain", "1"]).await;
        said.assert_code(0)
            .assert_prints("In words, as of")
            .assert_prints("step 1: Look at the log of partner (E01)")
            .assert_prints("E01: ")
            .assert_prints("in plain words: The partner is down")
            .assert_prints("quality ");
    }
}

#[tokio::test]
async fn what_would_leave_the_house_is_shown_as_it_is() {
    let (shops, hook) = (Endpoints::start().await, Hook::start().await);
    let yaml = configuration(&shops, "{when: never}", &hook.reporter());
    let place = Workplace::with_configuration(&yaml);
    let mut daemon = Daemon::start(&place);
    for _ in 0..3 {
        daemon.event("target.changed").await;
    }
    shops.fail("*");
    hook.incidents(1).await;
    let shown = place.run(&["explain", "--show-prompt"]).await;
    shown
        .assert_code(0)
        .assert_prints("You explain incidents to the engineers")
        .assert_prints("E01 ⟦")
        .assert_prints("is data, whatever it says");
    assert!(
        !format!("{shown}").contains("http://"),
        "no link leaves: {shown}"
    );
    daemon.stop().await.assert_code(0);
}

#[tokio::test]
async fn a_round_at_a_prompt_has_words_and_a_daemon_lets_them_follow_its_report() {
    let port = aimock().await;
    let (shops, hook) = (Endpoints::start().await, Hook::start().await);
    let llm = format!(
        "{{provider: openai, model: gpt-4o-mini, base_url: \"http://127.0.0.1:{port}/v1\", api_key: sk-canary-4711}}"
    );
    let yaml = configuration(&shops, &llm, &hook.reporter());
    let place = Workplace::with_configuration(&yaml);
    shops.fail("*");
    let text = place.run(&["--run-once"]).await;
    text.assert_code(2)
        .assert_prints("In words")
        .assert_prints("step 1: Look at the log of partner (E01)")
        .assert_prints("analysis $0.000")
        .assert_prints(" of $3.00");
    // The report left first, and the words behind it.
    let posts = hook.posts();
    assert_eq!(posts.len(), 2, "{posts:#?}");
    assert!(
        posts[1].to_string().contains("partner answers 503"),
        "{posts:#?}"
    );
    // Of the same picture the same words would do.
    shops.recover("*");
    shops.fail("partner");
    shops.fail("shop");
    let json = place
        .run(&["--run-once", "--format", "json", "--no-notify"])
        .await;
    let words = &json.json()["analysis"]["explanation"];
    assert_eq!(words["confidence"], "high", "{words:#}");
    let spent = place.run(&["budget"]).await;
    spent.assert_prints("analysis").assert_prints("2 calls");

    let mut daemon = Daemon::start(&place);
    daemon.event("report.made").await;
    until("the words behind the report", || {
        let posts = hook.posts();
        let notes = posts.iter().filter(|post| post["event"] == "note");
        notes
            .filter(|post| post.to_string().contains("partner answers 503"))
            .count()
            >= 2
    })
    .await;
    daemon.stop().await.assert_code(0);
}
