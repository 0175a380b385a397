//! Every wire format, streamed, with the tokens that are reported and what they cost. Bedrock's stream has a recorder of
//! ours (`bedrock.rs`): the server here begins each text with an empty block, which the SDK refuses and the service never
//! sends, so that the answer is asked for in one piece.

use roundsman::model::Status;

use super::{CANARY, Wallet};
use crate::support::aimock::{ANSWER, BETWEEN_PARTS_MS, QUESTION, aimock};
use crate::support::aws::clients_with;

#[tokio::test]
async fn every_language_is_spoken() {
    let port = aimock().await;
    let host = format!("http://127.0.0.1:{port}");
    for (provider, model, base, input, output, usd) in [
        (
            "openai",
            "gpt-4o-mini",
            format!("{host}/v1"),
            14.0,
            12.0,
            0.000_009_3,
        ),
        (
            "openrouter",
            "openai/gpt-4o-mini",
            format!("{host}/api/v1"),
            14.0,
            12.0,
            0.000_009_3,
        ),
        ("azure", "chat", host.clone(), 14.0, 12.0, 0.002_838),
        (
            "anthropic",
            "claude-haiku-4-5",
            host.clone(),
            14.0,
            12.0,
            0.000_074,
        ),
        (
            "in-house",
            "mine",
            format!("{host}/v1"),
            14.0,
            12.0,
            0.002_838,
        ),
        ("ollama", "llama3.2", host.clone(), 0.0, 0.0, 0.0),
    ] {
        let wallet = Wallet::new();
        let looked = wallet
            .look(&format!(
                "provider: {provider}\nmodel_id: {model}\nbase_url: {base}\napi_key: {CANARY}\nquestion: {QUESTION}\nanswer: {ANSWER}"
            ))
            .await;
        looked.assert_green();
        assert_eq!(
            looked.state("available").as_deref(),
            Some("yes"),
            "{provider}"
        );
        if input > 0.0 {
            assert_eq!(looked.number("input_tokens"), Some(input), "{provider}");
            assert_eq!(looked.number("output_tokens"), Some(output), "{provider}");
        } else {
            // The server behind does not count for this format.
            assert!(
                looked
                    .fact("tokens")
                    .is_some_and(|fact| fact.starts_with("estimated"))
            );
        }
        let cost = looked.number("cost_usd").expect("a cost");
        assert!((cost - usd).abs() < 1e-9, "{provider}: {cost}");
        let (spent, unsettled) = wallet.spent();
        assert!(
            (spent - cost).abs() < 1e-9 && unsettled == 0,
            "{provider}: {spent}"
        );
        // The first part comes before the last.
        let first = looked.number("first_token_ms").expect("it is streamed");
        let total = looked.number("total_time_ms").expect("a time");
        assert!(
            total - first >= f64::from(BETWEEN_PARTS_MS),
            "{provider}: {first} of {total}"
        );
    }
}

#[tokio::test]
async fn bedrock_is_spoken_through_the_sdk() {
    let port = aimock().await;
    let clients = clients_with(&[
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", CANARY.to_owned()),
        (
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
            format!("http://127.0.0.1:{port}"),
        ),
    ]);
    let wallet = Wallet::around(clients);
    let looked = wallet
        .look(&format!(
            "provider: bedrock\nmodel_id: us.anthropic.claude-haiku-5-5\nregion: us-east-1\nquestion: {QUESTION}\nanswer: {ANSWER}"
        ))
        .await;
    looked.assert_green();
    assert_eq!(looked.number("input_tokens"), Some(14.0));
    assert_eq!(looked.number("first_token_ms"), None);
    // What could not be read may have been billed as well.
    assert_eq!(wallet.spent().1, 1);
}

#[tokio::test]
async fn a_limit_is_yellow_and_free() {
    let port = aimock().await;
    let wallet = Wallet::new();
    let looked = wallet
        .look(&format!(
            "provider: openai\nmodel_id: gpt-4o-mini\nbase_url: http://127.0.0.1:{port}/v1\nquestion: You are asked too often\nanswer: nothing"
        ))
        .await;
    assert_eq!(looked.status(), Status::Yellow, "{looked:?}");
    assert!(
        looked.findings()[0].starts_with("YELLOW throttled: yes"),
        "{:?}",
        looked.findings()
    );
    assert!(wallet.spent().0.abs() < 1e-12);
}

#[tokio::test]
async fn a_list_costs_nothing_and_names_what_is_near() {
    let port = aimock().await;
    let wallet = Wallet::new();
    for (provider, base) in [("openai", "/v1"), ("ollama", "")] {
        let yaml = |model: &str| {
            format!(
                "provider: {provider}\nmodel_id: {model}\nbase_url: http://127.0.0.1:{port}{base}\nmethod: list"
            )
        };
        wallet.look(&yaml("gpt-4o")).await.assert_green();
        let looked = wallet.look(&yaml("gpt-4p")).await;
        looked.assert_failed(
            Status::Red,
            &format!("missing `{provider}` does not offer the model `gpt-4p`"),
        );
        assert!(
            looked.failure().contains("the nearest names: `gpt-4"),
            "{}",
            looked.failure()
        );
    }
    assert!(
        !wallet.folder.path().join("purse.db").exists(),
        "nothing was paid for"
    );
}
