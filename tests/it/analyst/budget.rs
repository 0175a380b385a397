//! What the analyst spends, with kills in between: never more than a day may cost, and exact to the last digit.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use tokio::io::AsyncWriteExt;

use super::configuration;
use super::trouble::reply;
use crate::incidents::{Endpoints, until};
use crate::support::aimock::EXPLANATION;
use crate::support::program::Workplace;
use crate::support::servers::{raw, request};

/// How many rounds are made; `ROUNDSMAN_BUDGET_CALLS=1000` makes more.
#[expect(
    clippy::disallowed_methods,
    reason = "tests have no configuration to be told by"
)]
fn rounds() -> usize {
    let asked = std::env::var("ROUNDSMAN_BUDGET_CALLS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(60)
}

/// One in so many is killed while it waits for its answer.
const KILLED: usize = 5;

#[tokio::test]
async fn what_is_spent_is_exact_whatever_is_killed() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let length = Arc::new(AtomicUsize::new(0));
    let measured = Arc::clone(&length);
    let server = raw(move |mut stream| {
        let (counted, measured) = (Arc::clone(&counted), Arc::clone(&measured));
        async move {
            let asked = request(&mut stream).await;
            measured.store(length_of(&asked), Ordering::SeqCst);
            if counted
                .fetch_add(1, Ordering::SeqCst)
                .is_multiple_of(KILLED)
            {
                std::future::pending::<()>().await;
            }
            stream.write_all(&reply(EXPLANATION, "stop")).await.ok();
        }
    })
    .await;
    let shops = Endpoints::start().await;
    shops.fail("*");
    // Enough for about three quarters of them.
    let daily = f64::from(u32::try_from(rounds()).expect("a few")) * 0.004;
    let llm = format!(
        "{{provider: recorder, model: m, base_url: \"http://127.0.0.1:{}/v1\", daily_budget_usd: {daily}, price: {{input_per_1k: 0.001, output_per_1k: 0.005}}}}",
        server.port
    );
    let yaml = configuration(&shops, &llm, "{kind: file, directory: reports}");
    let place = Workplace::with_configuration(&yaml);
    let arguments = ["--run-once", "--format", "json", "--no-notify"];
    let mut refused = 0;
    let mut spent_before = 0.0;
    let mut beside_the_question = None;
    for round in 0..rounds() {
        // Of the same picture what was said before would do.
        let other = yaml.replace("name: checkout", &format!("name: checkout-{round}"));
        std::fs::write(place.path().join("config/config.yaml"), other).expect("a configuration");
        let before = asked.load(Ordering::SeqCst);
        let mut command = place.command(&arguments);
        let mut child = (command.stdout(Stdio::null()).stderr(Stdio::null()))
            .spawn()
            .expect("a process");
        let is_asked = || asked.load(Ordering::SeqCst) > before;
        until("a question or the end", || {
            is_asked() || child.try_wait().expect("a process").is_some()
        })
        .await;
        refused += usize::from(!is_asked());
        if is_asked() && before.is_multiple_of(KILLED) {
            child.kill().expect("a kill");
        }
        until("the end", || child.try_wait().expect("a process").is_some()).await;
        let spent = spent(&place).await;
        let cost = spent - spent_before;
        spent_before = spent;
        if !is_asked() {
            assert!(cost.abs() < 1e-9, "{cost} for nothing");
        } else if before.is_multiple_of(KILLED) {
            // The most that it may cost: each byte of the question a token, and what is the same for all questions, of which
            // 4,096 tokens of an answer are the most.
            let question = u32::try_from(length.load(Ordering::SeqCst)).expect("a few thousand");
            let rest = cost - f64::from(question) * 0.000_001;
            assert!((0.02..0.025).contains(&rest), "{cost} is not reserved");
            let same = *beside_the_question.get_or_insert(rest);
            assert!((rest - same).abs() < 1e-9, "{rest} is not {same}");
        } else {
            assert!((cost - 0.001_2).abs() < 1e-9, "{cost} is not 0.0012");
        }
        assert!(spent <= daily, "{spent} of {daily}");
    }
    let all = asked.load(Ordering::SeqCst);
    assert_eq!(all + refused, rounds());
    assert!(
        all > 10 && refused > 0,
        "{all} were paid for, and {refused} were not"
    );
}

/// How many bytes the words of a question have.
fn length_of(request: &str) -> usize {
    let body = request.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let body: Value = serde_json::from_str(body).expect("a question");
    let messages = body["messages"].as_array().expect("messages").iter();
    let texts = messages.map(|message| message["content"].as_str().expect("a text"));
    texts.map(str::len).sum()
}

/// What was spent, in dollars.
async fn spent(place: &Workplace) -> f64 {
    let json: Value = place.run(&["budget", "--format", "json"]).await.json();
    json["today"]["cost_usd"].as_f64().expect("a number")
}
