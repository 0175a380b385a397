//! What was said is paid for once: whoever asks again about the same picture is told the same.

use serde_json::Value;

use super::configuration;
use super::trouble::{all_fail, llm, reply};
use crate::incidents::{Endpoints, Hook, until};
use crate::support::aimock::EXPLANATION;
use crate::support::daemon::Daemon;
use crate::support::program::{Ended, Workplace};
use crate::support::servers::{RawServer, answering_as};

async fn recorder() -> RawServer {
    let answer = reply(EXPLANATION, "stop");
    answering_as(move |_| answer.clone()).await
}

fn words(ended: &Ended) -> Value {
    ended.json()["analysis"]["explanation"].clone()
}

#[tokio::test]
async fn a_round_at_a_prompt_is_told_what_an_earlier_one_was() {
    let server = recorder().await;
    let (shops, yaml) = all_fail(&llm(server.port)).await;
    let place = Workplace::with_configuration(&yaml);
    let json = ["--run-once", "--format", "json"];
    let first = words(&place.run(&json).await);
    assert_eq!(first["reused"], false, "{first:#}");
    let again = words(&place.run(&json).await);
    assert_eq!(again["reused"], true, "{again:#}");
    assert_eq!(
        (&again["summary"], &again["at"]),
        (&first["summary"], &first["at"])
    );
    let text = place.run(&["--run-once"]).await;
    text.assert_prints("partner answers 503, so shop and checkout fail.")
        .assert_prints(" UTC, not asked again");
    assert_eq!(server.requests().len(), 1);

    // Another model, or another picture, is another answer.
    let other = yaml.replace("model: m,", "model: n,");
    std::fs::write(place.path().join("config/config.yaml"), other).expect("a configuration");
    assert_eq!(words(&place.run(&json).await)["reused"], false);
    shops.recover("*");
    shops.fail("partner");
    assert_eq!(words(&place.run(&json).await)["reused"], false);
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn an_incident_has_no_more_calls_after_a_restart() {
    let server = recorder().await;
    let (shops, hook) = (Endpoints::start().await, Hook::start().await);
    let once = llm(server.port).replace("deadline: 3s", "calls_per_incident: 1");
    let yaml = configuration(&shops, &once, &hook.reporter());
    let yaml = yaml.replace("when: always", "when: changes");
    let place = Workplace::with_configuration(&yaml);
    let mut daemon = Daemon::start(&place);
    // Of the same trouble a report would have asked before, and the incident would have had its words for nothing.
    daemon.event("report.made").await;
    shops.fail("partner");
    let has_words = |post: &Value| {
        let is_incident = post["event"] == "incident";
        is_incident && post["incident"]["analysis"]["explanation"].is_object()
    };
    until("the words of the incident", || {
        hook.posts().iter().any(has_words)
    })
    .await;
    daemon.stop().await.assert_code(0);
    assert_eq!(server.requests().len(), 1);

    let mut daemon = Daemon::start(&place);
    // From here on no report asks.
    daemon.event("report.made").await;
    let targets = |post: &Value| post["incident"]["targets"].as_array().map_or(0, Vec::len);
    // Once people hear of the third, whoever was to be asked about the second has been.
    for (name, count) in [("shop", 2), ("checkout", 3)] {
        shops.fail(name);
        until("the incident has another target", || {
            hook.posts().iter().any(|post| targets(post) == count)
        })
        .await;
    }
    daemon.stop().await.assert_code(0);
    let is_about_both = |question: &&String| question.contains("2 targets are not well");
    let questions = server.requests();
    assert_eq!(questions.iter().filter(is_about_both).count(), 0);
}
