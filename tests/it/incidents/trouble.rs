//! What happens around an incident that must not keep anybody from hearing of it.

use std::time::Duration;

use rusqlite::Connection;

use super::{Endpoints, Hook, until};
use crate::support::daemon::Daemon;
use crate::support::program::Workplace;

fn configuration(shops: &Endpoints, hook: &Hook, more: &str) -> String {
    format!(
        "monitoring: {{every: 1s, confirm_after: 1s, adaptive: false}}\n{}\
         report: {{when: problems, schedule: \"0 0 1 1 *\"}}\nreporters:\n  - {}\n{more}",
        shops.targets(&["shop"], ""),
        hook.reporter()
    )
}

#[tokio::test]
async fn a_locked_store_holds_up_no_message_and_knows_the_incident_later() {
    let (shops, hook) = (Endpoints::start().await, Hook::start().await);
    let place = Workplace::with_configuration(&configuration(&shops, &hook, ""));
    let mut daemon = Daemon::start(&place);
    daemon.event("target.changed").await;
    let other =
        Connection::open(place.path().join("config/data/roundsman.db")).expect("a database");
    other
        .busy_timeout(Duration::from_secs(5))
        .expect("a time-out");
    other.execute_batch("BEGIN EXCLUSIVE").expect("the lock");
    shops.fail("shop");
    daemon.event("store.trouble").await;
    hook.incidents(1).await;
    shops.recover("shop");
    let posts = hook.incidents(2).await;
    assert_eq!(posts[1]["incident"]["state"], "resolved");
    other.execute_batch("COMMIT").expect("the end of the lock");
    daemon.event("store.recovered").await;
    daemon.stop().await.assert_code(0);
    let known = place.run(&["incidents", "--all", "--format", "json"]).await;
    known.assert_code(0);
    let known = known.json();
    assert_eq!(known.as_array().map(Vec::len), Some(1), "{known:#}");
    assert!(known[0]["resolved_at"].is_string(), "{known:#}");
    // Nothing is told again by the next.
    let mut daemon = Daemon::start(&place);
    daemon.event("round.ended").await;
    daemon.stop().await.assert_code(0);
    assert_eq!(hook.incidents(2).await.len(), 2);
}

#[tokio::test]
async fn a_channel_that_was_dead_hears_what_is_still_so() {
    let (shops, hook) = (Endpoints::start().await, Hook::start().await);
    let place = Workplace::with_configuration(&configuration(&shops, &hook, ""));
    let mut daemon = Daemon::start(&place);
    daemon.event("target.changed").await;
    hook.set_well(false);
    shops.fail("shop");
    daemon.event("message.not_sent").await;
    // It goes on after a restart, with what happened before.
    daemon.kill().await;
    hook.set_well(true);
    let daemon = Daemon::start(&place);
    let posts = hook.incidents(1).await;
    assert_eq!(posts[0]["incident"]["state"], "open");
    assert_eq!(posts[0]["incident"]["events"][0]["event"], "opened");
    daemon.stop().await.assert_code(0);
}

#[tokio::test]
async fn a_target_that_is_taken_out_closes_its_incident_quietly() {
    let (shops, hook) = (Endpoints::start().await, Hook::start().await);
    let with_both = configuration(&shops, &hook, "").replace(
        &shops.targets(&["shop"], ""),
        &shops.targets(&["shop", "blog"], ""),
    );
    let place = Workplace::with_configuration(&with_both);
    let mut daemon = Daemon::start(&place);
    daemon.event("target.changed").await;
    shops.fail("shop");
    hook.incidents(1).await;
    std::fs::write(
        place.path().join("config/config.yaml"),
        with_both.replace("{name: shop", "{name: new"),
    )
    .expect("a file");
    daemon.signal(rustix::process::Signal::HUP);
    daemon.event("incident.closed").await;
    // The log says it before the store has it.
    while place.run(&["incidents", "--format", "json"]).await.json() != serde_json::json!([]) {}
    assert_eq!(hook.incidents(1).await.len(), 1, "nobody is told");
    daemon.stop().await.assert_code(0);
}

#[tokio::test]
async fn what_is_wrong_with_a_channel_is_said_by_the_others() {
    let (shops, hook) = (Endpoints::start().await, Hook::start().await);
    let gone = "  - {kind: slack, name: gone, webhook_url: \"http://127.0.0.1:9/\"}\n";
    let refusing = crate::support::servers::answering(
        "HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\nno_service",
    )
    .await;
    let gone = gone.replace(":9/", &format!(":{}/services/canary", refusing.port));
    let place = Workplace::with_configuration(&configuration(&shops, &hook, &gone));
    let mut daemon = Daemon::start(&place);
    daemon.event("target.changed").await;
    shops.fail("shop");
    daemon.event("message.given_up").await;
    until("the note", || {
        hook.posts().iter().any(|post| post["event"] == "note")
    })
    .await;
    let note = hook
        .posts()
        .into_iter()
        .find(|post| post["event"] == "note")
        .expect("a note");
    assert_eq!(note["title"], "messages do not get out through `gone`");
    let listed = place.run(&["outbox"]).await;
    listed.assert_code(0).assert_prints("gone");
    let ended = daemon.stop().await;
    assert!(
        !format!("{ended}{}", listed.stdout).contains("canary"),
        "{ended}"
    );
}
