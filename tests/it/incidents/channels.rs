//! One incident in every channel, as people read it.

use super::{Endpoints, Hook, until};
use crate::reports::slack::{PATH, workspace};
use crate::support::certificates::authority;
use crate::support::daemon::Daemon;
use crate::support::program::Workplace;
use crate::support::smtp::{Manner, PASSWORD, USER, smtp};
use crate::support::telegram::{GROUP, TOKEN, Telegram};

#[tokio::test]
async fn an_incident_is_told_from_its_beginning_to_its_end_in_every_channel() {
    let shops = Endpoints::start().await;
    let (telegram, hook, slack) = (
        Telegram::start().await,
        Hook::start().await,
        workspace().await,
    );
    let yaml = format!(
        "monitoring: {{every: 1s, confirm_after: 1s, adaptive: false}}\n{}\
         report: {{when: changes, schedule: \"0 0 1 1 *\"}}\n\
         reporters:\n  - {{kind: telegram, bot_token: \"{TOKEN}\", chat_id: {GROUP}, api_url: \"{}\"}}\n  - {}\n  \
         - {{kind: slack, webhook_url: \"http://127.0.0.1:{}{PATH}\"}}\n  - {{kind: file, directory: reports}}\n",
        shops.targets(&["shop"], ", runbook: \"https://wiki.example/shop\""),
        telegram.url(),
        hook.reporter(),
        slack.port,
    );
    let place = Workplace::with_configuration(&yaml);
    let mut daemon = Daemon::start(&place);
    daemon.event("target.changed").await;
    shops.fail("shop");
    let opened = daemon.event("incident.opened").await;
    assert_eq!(opened["root"], "shop");
    hook.incidents(1).await;
    until("the message in Telegram", || {
        telegram.texts().iter().any(|text| text.contains("[RED]"))
    })
    .await;
    shops.recover("shop");
    daemon.event("incident.closed").await;
    let posts = hook.incidents(2).await;
    until("the answer in Telegram", || {
        telegram
            .messages()
            .iter()
            .any(|message| message.reply_to.is_some())
    })
    .await;
    until("Slack", || slack.requests().len() >= 3).await;
    let ended = daemon.stop().await;
    ended.assert_code(0);
    for secret in [TOKEN, "canary"] {
        assert!(!format!("{ended}").contains(secret), "{ended}");
    }

    assert_eq!(
        (
            &posts[0]["incident"]["state"],
            &posts[1]["incident"]["state"]
        ),
        (&"open".into(), &"resolved".into())
    );
    assert!(posts.iter().all(|post| post["rings"] == true), "{posts:#?}");
    let message = telegram
        .messages()
        .into_iter()
        .find(|message| message.text.contains("shop") && !message.earlier.is_empty())
        .expect("one that was edited");
    assert!(message.earlier[0].contains("[RED] shop: "), "{message:?}");
    assert!(
        message.earlier[0].contains("https://wiki.example/shop"),
        "{message:?}"
    );
    assert!(
        message.text.contains("[RESOLVED] shop after "),
        "{message:?}"
    );
    let answer = telegram
        .messages()
        .into_iter()
        .find(|message| message.reply_to.is_some())
        .expect("an answer");
    assert!(answer.text.contains("resolved after "), "{answer:?}");
    let kept: serde_json::Value =
        serde_json::from_str(&place.read("reports/incident_1.json")).expect("JSON");
    assert_eq!(kept["state"], "resolved");
    assert_eq!(kept["targets"][0]["name"], "shop");
}

#[tokio::test]
async fn mails_of_an_incident_are_one_thread() {
    let shops = Endpoints::start().await;
    let manner = Manner::default();
    let (server, trusted) = (smtp(&manner).await, authority().file());
    let yaml = format!(
        "monitoring: {{every: 1s, confirm_after: 1s, adaptive: false}}\n{}\
         report: {{when: problems, schedule: \"0 0 1 1 *\"}}\n\
         reporters:\n  - {{kind: email, host: localhost, port: {}, username: {USER}, password: {PASSWORD}, ca_file: \"{}\", \
         from: monitor@example.com, to: ops@example.com}}\n",
        shops.targets(&["shop"], ""),
        server.port,
        trusted.path().display(),
    );
    let place = Workplace::with_configuration(&yaml);
    let mut daemon = Daemon::start(&place);
    daemon.event("target.changed").await;
    shops.fail("shop");
    server.mails_when(1).await;
    shops.recover("shop");
    let mails = server.mails_when(2).await;
    daemon.stop().await.assert_code(0);
    assert_eq!(
        mails[1].header("In-Reply-To"),
        mails[0].header("Message-ID")
    );
    assert!(mails[0].text.contains("[RED] shop: "), "{}", mails[0].text);
    assert!(
        mails[1].text.contains("resolved after "),
        "{}",
        mails[1].text
    );
}
