//! What the service and the network refuse, and what a person is told of it.

use std::time::{Duration, Instant};

use roundsman::reporters::Retry;
use serde_json::Value;

use super::{Channel, about, saying};
use crate::support::certificates::authority;
use crate::support::children::free_port;
use crate::support::daemon::Daemon;
use crate::support::program::Workplace;
use crate::support::servers::{answering, answering_tls, ipv4};
use crate::support::telegram::{Fault, GROUP, PERSON, SUPERGROUP, TOKEN, Telegram};

const LATER: Retry = Retry::Later { not_before: None };

#[tokio::test]
async fn refusals_say_what_to_do() {
    for (status, description, hint) in [
        (403, "Forbidden: bot was blocked by the user", "unblock"),
        (
            403,
            "Forbidden: bot was kicked from the group chat",
            "add the bot",
        ),
        (
            403,
            "Forbidden: bot was kicked from the supergroup chat",
            "add the bot",
        ),
        (
            403,
            "Forbidden: bot is not a member of the channel chat",
            "administrator",
        ),
        (
            403,
            "Forbidden: bot can't initiate conversation with a user",
            "press Start",
        ),
        (403, "Forbidden: user is deactivated", "another chat"),
        (403, "Forbidden: the group chat was deleted", "another chat"),
        (400, "Bad Request: chat not found", "press Start"),
        (
            400,
            "Bad Request: not enough rights to send text messages to the chat",
            "administrator",
        ),
        (
            400,
            "Bad Request: need administrator rights in the channel chat",
            "administrator",
        ),
        (400, "Bad Request: something new", "docs/telegram.md"),
        (401, "Unauthorized", "bot_token"),
        (404, "Not Found", "bot_token"),
    ] {
        let server = Telegram::start().await;
        server.fail_next(Fault::refused(status, description));
        let channel = Channel::to(&server, PERSON);
        let error = channel
            .send(&saying("n-1", "text"))
            .await
            .expect_err(description);
        assert_eq!(error.retry, Retry::Never, "{error:?}");
        let told = error.hint.expect("a hint");
        assert!(told.contains(hint), "{description}: {told}");
        assert_eq!(
            server.calls().len(),
            1,
            "nobody tries again at once: {description}"
        );
    }
}

#[tokio::test]
async fn a_server_that_repeats_the_token_is_not_quoted_with_it() {
    let server = Telegram::start().await;
    let channel = Channel::to(&server, PERSON);
    for status in [400, 429] {
        let description = format!("Bad Request: nothing at /bot{TOKEN}/sendMessage");
        server.fail_next(Fault::refused(status, &description));
        let error = channel
            .send(&saying("n-1", "text"))
            .await
            .expect_err("refused");
        assert!(error.message.contains("/bot[hidden]/"), "{error:?}");
    }
}

#[tokio::test]
async fn the_recorder_itself_knows_tokens_and_chats() {
    let server = Telegram::start().await;
    let stranger = Channel::at(&server.url(), "1:canary-other", PERSON);
    let error = stranger
        .send(&saying("n-1", "text"))
        .await
        .expect_err("another's token");
    assert!(error.message.contains("token"), "{error:?}");
    let nowhere = Channel::to(&server, "77");
    let error = nowhere
        .send(&saying("n-1", "text"))
        .await
        .expect_err("no chat");
    assert!(error.message.contains("chat_id"), "{error:?}");
    // A path of one's own in front, with a slash behind it or without.
    for path in ["/telegram", "/telegram/", "/"] {
        let channel = Channel::at(&format!("{}{path}", server.url()), TOKEN, PERSON);
        channel.send(&saying("n-1", "text")).await.expect(path);
    }
}

#[tokio::test]
async fn refused_markup_goes_as_plain_text() {
    let server = Telegram::start().await;
    let channel = Channel::to(&server, PERSON);
    let refused = "Bad Request: can't parse entities: Unsupported start tag \"x\" at byte offset 3";
    server.fail_next(Fault::refused(400, refused));
    let first = about("m-1", "a <b> & c", None, None);
    let first = channel.send(&first).await.expect("it is taken");
    server.fail_next(Fault::refused(400, refused));
    let second = about("m-2", "d <e> & f", Some(&first), None);
    channel.send(&second).await.expect("it is taken");
    let messages = server.messages();
    assert_eq!((messages.len(), messages[0].has_markup), (1, false));
    assert_eq!(messages[0].text, "d <e> & f");
    assert_eq!(messages[0].earlier, ["a <b> & c"]);
    server.script([0, 1].map(|_| Some(Fault::refused(400, refused))));
    let error = channel
        .send(&saying("n-1", "text"))
        .await
        .expect_err("twice");
    assert_eq!(error.retry, Retry::Never);
}

#[tokio::test]
async fn patience_is_kept_when_asked_for() {
    let server = Telegram::start().await;
    let channel = Channel::to(&server, PERSON);
    server.fail_next(Fault::retry_after(31));
    let error = channel
        .send(&saying("n-1", "text"))
        .await
        .expect_err("too many");
    let wait = Duration::from_secs(31);
    assert_eq!(
        error.retry,
        Retry::Later {
            not_before: Some(wait)
        }
    );
    let error = channel
        .send(&saying("n-2", "text"))
        .await
        .expect_err("too early");
    assert!(
        matches!(error.retry, Retry::Later { not_before: Some(left) } if left <= wait && left > Duration::from_secs(20)),
        "{error:?}"
    );
    assert_eq!(server.calls().len(), 1, "the service is left alone");
}

#[tokio::test]
async fn trouble_elsewhere_is_worth_another_try() {
    for fault in [
        Fault::refused(500, "Internal Server Error"),
        Fault::refused(502, "Bad Gateway"),
        Fault::Garbage("HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n<html>canary<>"),
        Fault::Garbage(
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/canary\r\ncontent-length: 0\r\n\r\n",
        ),
        Fault::Garbage("no HTTP at all\r\n\r\n"),
        Fault::CutAfter,
    ] {
        let server = Telegram::start().await;
        let channel = Channel::to(&server, PERSON);
        let what = format!("{fault:?}");
        server.fail_next(fault);
        let error = channel.send(&saying("n-1", "text")).await.expect_err(&what);
        assert_eq!(error.retry, LATER, "{what}: {error:?}");
        assert!(error.message.contains("127.0.0.1"), "{what}: {error:?}");
        assert_eq!(server.calls().len(), 1, "{what}");
    }
    let nobody = Channel::at(&format!("http://127.0.0.1:{}", free_port()), TOKEN, PERSON);
    let error = nobody
        .send(&saying("n-1", "text"))
        .await
        .expect_err("nobody listens");
    assert_eq!(error.retry, LATER);
    assert!(
        error.message.to_lowercase().contains("refused"),
        "{error:?}"
    );
    let unknown = Channel::at("http://no-such-name.invalid", TOKEN, PERSON);
    let error = unknown
        .send(&saying("n-1", "text"))
        .await
        .expect_err("no such name");
    assert_eq!(error.retry, LATER);
    assert!(error.message.contains("no-such-name.invalid"), "{error:?}");
    let plain = answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let tls = Channel::at(&format!("https://127.0.0.1:{}", plain.port), TOKEN, PERSON);
    let error = tls
        .send(&saying("n-1", "text"))
        .await
        .expect_err("no TLS there");
    assert_eq!(error.retry, LATER);
}

#[tokio::test]
async fn silence_is_given_up_in_time() {
    let server = Telegram::start().await;
    let channel = Channel::to(&server, PERSON);
    server.fail_next(Fault::Silence);
    let began = Instant::now();
    let error = channel
        .send(&saying("n-1", "text"))
        .await
        .expect_err("silence");
    assert_eq!(error.retry, LATER);
    let took = began.elapsed();
    assert!(
        took >= Duration::from_secs(14) && took < Duration::from_secs(18),
        "{took:?}"
    );
}

#[tokio::test]
async fn an_answer_that_nobody_understands_is_still_an_answer() {
    let server = Telegram::start().await;
    let channel = Channel::to(&server, PERSON);
    server.script([Some(Fault::Strange), Some(Fault::Strange)]);
    let receipt = channel
        .send(&about("m-1", "text", None, None))
        .await
        .expect("it is taken");
    assert_eq!(receipt.external_id, Some(format!("{PERSON}:1")));
    let edit = about("m-2", "other", Some(&receipt), None);
    channel.send(&edit).await.expect("it is taken");
    assert_eq!(server.texts(), ["other"]);
}

fn daemon(server: &Telegram, chat: &str) -> Workplace {
    Workplace::with_configuration(&format!(
        "monitoring: {{every: 1h}}\ntargets: {{local_hosts: [{{}}]}}\n\
         telegram: {{bot_token: \"${{TELEGRAM_BOT_TOKEN}}\", chat_id: {chat}, api_url: \"{}\"}}\n",
        server.url()
    ))
    .variable("TELEGRAM_BOT_TOKEN", TOKEN)
    .variable("LOG_LEVEL", "DEBUG")
}

#[tokio::test]
async fn a_daemon_reports_and_says_once_where_the_group_is_now() {
    let server = Telegram::start().await;
    server.upgrade_group();
    let place = daemon(&server, GROUP);
    let mut daemon = Daemon::start(&place);
    let moved = daemon.event("telegram.chat_moved").await;
    assert_eq!(
        moved["chat_id"],
        Value::from(SUPERGROUP.parse::<i64>().expect("a number"))
    );
    daemon.reported().await;
    assert_eq!(server.messages()[0].chat, SUPERGROUP);
    let ended = daemon.stop().await;
    assert!(!format!("{ended}").contains("canary"), "{ended}");
    assert_eq!(
        format!("{ended}").matches("telegram.chat_moved").count(),
        1,
        "{ended}"
    );
}

#[tokio::test]
async fn a_round_at_a_prompt_says_what_was_not_sent_and_no_token() {
    let server = Telegram::start().await;
    server.fail_next(Fault::refused(
        403,
        "Forbidden: bot was blocked by the user",
    ));
    let place = daemon(&server, PERSON);
    let ended = place.run(&["--run-once"]).await;
    ended
        .assert_says("bot was blocked by the user")
        .assert_says("unblock it");
    assert!(!format!("{ended}").contains("canary"), "{ended}");
    let ended = place.run(&["--run-once"]).await;
    assert!(!ended.stderr.contains("not sent"), "{ended}");
    assert_eq!(server.messages().len(), 1);
}

#[tokio::test]
async fn the_service_proves_who_it_is() {
    const TAKEN: &str = r#"{"ok":true,"result":{"message_id":1,"date":1795000000,"chat":{"id":4242,"type":"private","first_name":"Ada"},"text":"x"}}"#;
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{TAKEN}",
        TAKEN.len()
    );
    let good = authority().good();
    let server = answering_tls(ipv4(), good.server_config(), answer.leak()).await;
    let place = Workplace::with_configuration(&format!(
        "targets: {{local_hosts: [{{}}]}}\n\
         telegram: {{bot_token: \"{TOKEN}\", chat_id: {PERSON}, api_url: \"https://localhost:{}\"}}\n",
        server.port
    ));
    let ended = place.run(&["--run-once"]).await;
    assert_eq!(server.requests().len(), 0, "{ended}");
    ended.assert_says("not sent").assert_says("certificate");
    let authorities = authority().file();
    let place = place.variable("SSL_CERT_FILE", &authorities.path().display().to_string());
    let ended = place.run(&["--run-once"]).await;
    assert!(!ended.stderr.contains("not sent"), "{ended}");
    let requests = server.requests();
    assert!(
        requests[0].starts_with(&format!("POST /bot{TOKEN}/SendMessage ")),
        "{requests:#?}"
    );
    assert!(!format!("{ended}").contains("canary"), "{ended}");
}
