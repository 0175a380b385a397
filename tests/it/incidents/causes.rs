//! The likely cause, from real looks to what people read.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Endpoints, Hook, until};
use crate::support::daemon::Daemon;
use crate::support::program::Workplace;
use crate::support::telegram::{GROUP, TOKEN, Telegram};

/// A shop that needs a partner, and a blog that needs nobody.
fn configuration(web: &Endpoints, others: &Endpoints, reporters: &str) -> String {
    let (port, other) = (web.server.port, others.server.port);
    format!(
        "monitoring: {{every: 1s, confirm_after: 1s, adaptive: false}}\ntargets:\n  api_endpoints:\n    \
         - {{name: partner, url: \"http://127.0.0.1:{other}/partner\"}}\n    \
         - {{name: blog, url: \"http://127.0.0.1:{port}/blog\"}}\n    \
         - {{name: shop, url: \"http://127.0.0.1:{port}/shop\", depends_on: [partner]}}\n    \
         - {{name: checkout, url: \"http://127.0.0.1:{port}/checkout\", depends_on: [shop]}}\n\
         report: {{when: always, schedule: \"0 0 1 1 *\"}}\nreporters:\n{reporters}",
    )
}

fn first_cause(analysis: &Value) -> &Value {
    let group = &analysis["groups"][0];
    assert_eq!(group["has_common_cause"], true, "{analysis:#}");
    &group["candidates"][0]
}

#[tokio::test]
async fn the_cause_is_named_in_messages_and_reports_and_explained_at_a_prompt() {
    let (web, others) = (Endpoints::start().await, Endpoints::start().await);
    let (telegram, hook) = (Telegram::start().await, Hook::start().await);
    let reporters = format!(
        "  - {{kind: telegram, bot_token: \"{TOKEN}\", chat_id: {GROUP}, api_url: \"{}\"}}\n  - {}\n",
        telegram.url(),
        hook.reporter()
    );
    let place = Workplace::with_configuration(&configuration(&web, &others, &reporters));
    let none = place.run(&["explain"]).await;
    none.assert_code(0)
        .assert_prints("no incident is open: there is nothing to explain\n");
    let mut daemon = Daemon::start(&place);
    for _ in 0..4 {
        daemon.event("target.changed").await;
    }
    others.fail("partner");
    hook.incidents(1).await;
    web.fail("shop");
    web.fail("checkout");
    until("the incident with all three", || {
        let mut posts = hook.posts().into_iter();
        posts.any(|post| post["incident"]["counts"]["red"] == 3)
    })
    .await;
    until("the cause in Telegram", || {
        let mut messages = telegram.texts().into_iter();
        messages.any(|text| text.contains("Likely cause") && text.contains("it explains"))
    })
    .await;
    let post = hook.incidents(2).await.into_iter().last();
    let incident = post.expect("a message")["incident"].clone();
    let cause = first_cause(&incident["analysis"]);
    assert_eq!(cause["target"], "partner", "{cause:#}");
    let explained: Vec<&Value> = (cause["explains"].as_array().expect("a list").iter())
        .map(|one| &one["target"])
        .collect();
    assert!(explained.contains(&&Value::from("shop")), "{cause:#}");
    assert!(!explained.contains(&&Value::from("blog")), "{cause:#}");

    let said = place.run(&["explain"]).await;
    said.assert_code(0)
        .assert_prints("likely cause: partner fails since ")
        .assert_prints("it depends on partner")
        .assert_prints("E1")
        .assert_prints("score = ");
    let json = place.run(&["explain", "shop", "--format", "json"]).await;
    assert_eq!(first_cause(&json.json())["target"], "partner");
    let unknown = place.run(&["explain", "blog"]).await;
    unknown
        .assert_code(64)
        .assert_says("there is no incident `blog`");

    // A round at a prompt knows what the daemon has seen.
    let once = place
        .run(&["--run-once", "--format", "json", "--no-notify"])
        .await;
    let report = once.json();
    assert_eq!(first_cause(&report["analysis"])["target"], "partner");
    let first = report["recommendations"][0].as_str().expect("advice");
    assert!(first.starts_with("partner: "), "{first}");
    assert!(first.contains("it explains "), "{first}");
    // What was seen is still known after a kill.
    daemon.kill().await;
    let daemon = Daemon::start(&place);
    let again = place.run(&["explain", "1"]).await;
    again.assert_code(0).assert_prints("partner fails since ");
    daemon.stop().await.assert_code(0);
}

#[tokio::test]
async fn who_joins_an_incident_is_explained_within_two_seconds() {
    let (web, others) = (Endpoints::start().await, Endpoints::start().await);
    let reporters = "  - {kind: file, directory: reports}\n";
    let place = Workplace::with_configuration(&configuration(&web, &others, reporters));
    let mut daemon = Daemon::start(&place);
    for _ in 0..4 {
        daemon.event("target.changed").await;
    }
    let open = async || {
        let said = place.run(&["incidents", "--format", "json"]).await;
        said.json()[0].clone()
    };
    others.fail("partner");
    while open().await["members"].as_array().is_none() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    web.fail("shop");
    while open().await["members"].as_array().map(Vec::len) != Some(2) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let joined = Instant::now();
    loop {
        let said = place.run(&["explain", "partner", "--format", "json"]).await;
        let cause = said.json()["groups"][0]["candidates"][0].clone();
        let explains = cause["explains"].as_array().cloned().unwrap_or_default();
        if explains.iter().any(|one| one["target"] == "shop") {
            break;
        }
        assert!(joined.elapsed() < Duration::from_secs(4), "{cause:#}");
    }
    daemon.stop().await.assert_code(0);
}

#[tokio::test]
async fn two_faults_that_have_nothing_to_do_with_each_other_stay_apart() {
    let (web, others) = (Endpoints::start().await, Endpoints::start().await);
    let reporters = "  - {kind: file, directory: reports}\n";
    let keys = "targets:\n  llm_keys: [{provider: openai, required: true}]\n";
    let yaml = configuration(&web, &others, reporters).replacen("targets:\n", keys, 1);
    let place = Workplace::with_configuration(&yaml);
    web.fail("blog");
    let once = place.run(&["--run-once", "--format", "json"]).await;
    let report = once.json();
    let analysis = &report["analysis"];
    assert_eq!(analysis["targets_apart"], 2, "{analysis:#}");
    let text = place.run(&["--run-once", "--no-notify"]).await;
    text.assert_prints("no common cause is known");
}
