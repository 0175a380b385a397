//! What people order at a prompt while the daemon runs.

use super::{Endpoints, Hook, until};
use crate::support::daemon::Daemon;
use crate::support::program::Workplace;

fn configuration(shops: &Endpoints, hook: &Hook) -> String {
    format!(
        "monitoring: {{every: 1s, confirm_after: 1s, adaptive: false}}\n{}\
         report: {{when: problems, schedule: \"0 0 1 1 *\"}}\nreporters:\n  - {}\n",
        shops.targets(&["shop", "blog"], ""),
        hook.reporter()
    )
}

#[tokio::test]
async fn an_incident_is_seen_and_acknowledged() {
    let (shops, hook) = (Endpoints::start().await, Hook::start().await);
    let place = Workplace::with_configuration(&configuration(&shops, &hook));
    let mut daemon = Daemon::start(&place);
    daemon.event("target.changed").await;
    shops.fail("shop");
    hook.incidents(1).await;
    let listed = place.run(&["incidents"]).await;
    listed
        .assert_code(0)
        .assert_prints("shop")
        .assert_prints("RED");
    let ended = place
        .run(&["ack", "shop", "--by", "anna", "--why", "moving racks"])
        .await;
    ended.assert_code(0).assert_prints("#1 is acknowledged");
    let posts = hook.incidents(2).await;
    assert_eq!(posts[1]["incident"]["acknowledged"]["by"], "anna");
    let none = place.run(&["ack", "blog", "--by", "anna"]).await;
    none.assert_code(1).assert_says("no open incident `blog`");
    // It is known after a restart too.
    daemon.kill().await;
    let daemon = Daemon::start(&place);
    let one = place.run(&["incidents", "1"]).await;
    one.assert_code(0)
        .assert_prints("anna")
        .assert_prints("moving racks");
    shops.recover("shop");
    let posts = hook.incidents(3).await;
    assert_eq!(posts[2]["incident"]["state"], "resolved");
    daemon.stop().await.assert_code(0);
}

#[tokio::test]
async fn a_silence_keeps_quiet_and_tells_at_its_end_what_it_hid() {
    let (shops, hook) = (Endpoints::start().await, Hook::start().await);
    let place = Workplace::with_configuration(&configuration(&shops, &hook));
    let mut daemon = Daemon::start(&place);
    daemon.event("target.changed").await;
    let placed = place
        .run(&[
            "silence",
            "shop",
            "--for",
            "1h",
            "--comment",
            "moving",
            "--by",
            "anna",
        ])
        .await;
    placed.assert_code(0);
    shops.fail("shop");
    daemon.event("incident.opened").await;
    shops.fail("blog");
    // The other one is told; this one is not.
    let posts = hook.incidents(1).await;
    let names = |post: &serde_json::Value| -> Vec<String> {
        let targets = post["incident"]["targets"].as_array().expect("targets");
        targets
            .iter()
            .map(|target| target["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    assert_eq!(names(&posts[0]), ["blog"]);
    let listed = place.run(&["silences", "--format", "json"]).await;
    listed.assert_code(0);
    let id = listed
        .stdout
        .split('"')
        .find(|word| word.starts_with("silence-"))
        .expect("an id")
        .to_owned();
    place.run(&["silence", "--end", &id]).await.assert_code(0);
    until("the summary", || {
        hook.posts().iter().any(|post| {
            post["event"] == "note"
                && post["title"]
                    .as_str()
                    .is_some_and(|title| title.contains("shop") || title.contains("silence"))
        })
    })
    .await;
    daemon.stop().await.assert_code(0);
}

#[tokio::test]
async fn what_a_round_at_a_prompt_could_not_send_is_sent_by_the_daemon() {
    let (shops, hook) = (Endpoints::start().await, Hook::start().await);
    let place = Workplace::with_configuration(&configuration(&shops, &hook));
    hook.set_well(false);
    let alone = place.run(&["--run-once"]).await;
    alone
        .assert_code(0)
        .assert_says("the report was not sent to hook");
    assert!(!alone.stderr.contains("daemon"), "there is none: {alone}");
    let mut daemon = Daemon::start(&place);
    daemon.event("target.changed").await;
    let ended = place.run(&["--run-once"]).await;
    ended
        .assert_code(0)
        .assert_says("the daemon has it in its outbox");
    daemon.event("message.not_sent").await;
    let listed = place.run(&["outbox", "--format", "json"]).await;
    listed.assert_code(0).assert_prints("503");
    hook.set_well(true);
    let retried = place.run(&["outbox", "retry"]).await;
    retried
        .assert_code(0)
        .assert_prints("1 message is tried now");
    until("the report", || !hook.posts().is_empty()).await;
    assert_eq!(hook.posts()[0]["event"], "report");
    daemon.stop().await.assert_code(0);
}
