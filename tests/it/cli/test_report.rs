//! `test-report`: a message that says that it is a test, through each channel.

use serde_json::Value;

use crate::reports::slack;
use crate::support::certificates::authority;
use crate::support::children::free_port;
use crate::support::program::{Ended, Workplace};
use crate::support::servers::answering;
use crate::support::smtp::{Manner, PASSWORD, USER, smtp};
use crate::support::telegram::{PERSON, TOKEN, Telegram};

const SAMPLE: &str = "[RED] sample-db-1: connections_used_percent 96 > 90 (for 4 min)";

fn place(reporters: &str) -> Workplace {
    Workplace::with_configuration(&format!("targets: {{local_hosts: [{{}}]}}\n{reporters}"))
}

#[track_caller]
fn assert_no_secret(ended: &Ended) {
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(!said.contains("canary"), "{ended}");
}

/// Each status once, two rows, and that it is a test.
#[track_caller]
fn assert_is_test(text: &str) {
    assert!(text.contains("This is a test: nothing is wrong"), "{text}");
    assert!(text.contains(SAMPLE), "{text}");
    let text = text.replace(SAMPLE, "");
    for (word, name) in [
        ("RED", "sample-db-1"),
        ("YELLOW", "sample-web-1"),
        ("UNKNOWN", "sample-api-1"),
        ("GREEN", "sample-web-2"),
    ] {
        assert!(text.matches(word).count() <= 1, "{word} in {text}");
        assert!(text.contains(name), "{name} in {text}");
    }
}

#[tokio::test]
async fn telegram_takes_it_and_says_how_it_calls_it() {
    let server = Telegram::start().await;
    let yaml = |token: &str| {
        let url = server.url();
        format!("telegram: {{bot_token: \"{token}\", chat_id: \"{PERSON}\", api_url: \"{url}\"}}\n")
    };
    let place_of_it = place(&yaml("${TELEGRAM_BOT_TOKEN}")).variable("TELEGRAM_BOT_TOKEN", TOKEN);
    let ended = place_of_it.run(&["test-report", "telegram"]).await;
    ended.assert_code(0);
    assert_eq!(ended.stderr, "");
    assert_eq!(
        ended.stdout,
        format!("`telegram` took the test message; there it is `{PERSON}:1`\n")
    );
    let [message] = server.messages().try_into().expect("one message");
    assert_is_test(&message.text);
    assert!(!message.is_silent, "a test must ring");
    assert!(
        !place_of_it.path().join("config/data").exists(),
        "no store is made"
    );

    let wrong = place(&yaml("${TELEGRAM_BOT_TOKEN}")).variable(
        "TELEGRAM_BOT_TOKEN",
        "123456789:canary-of-another-bot-AAF7g0g",
    );
    let ended = wrong.run(&["test-report", "telegram"]).await;
    ended
        .assert_code(1)
        .assert_says("`telegram` did not take the test message: ")
        .assert_says("\n  hint: ");
    assert_eq!(ended.stdout, "");
    assert_no_secret(&ended);
}

#[tokio::test]
async fn slack_takes_it() {
    let server = slack::workspace().await;
    let yaml = "reporters: [{kind: slack, name: chat}]\n";
    let at = |path: &str| {
        let url = format!("http://127.0.0.1:{}{path}", server.port);
        place(yaml).variable("SLACK_WEBHOOK_URL", &url)
    };
    let ended = at(slack::PATH).run(&["test-report", "chat"]).await;
    ended.assert_code(0);
    assert_eq!(ended.stdout, "`chat` took the test message\n");
    let request = server.requests().remove(0);
    let (_, body) = request.split_once("\r\n\r\n").expect("a body");
    let posted: Value = serde_json::from_str(body).expect("JSON");
    assert!(posted.to_string().contains("This is a test"), "{posted:#}");

    let ended = at("/services/canary-other")
        .run(&["test-report", "chat"])
        .await;
    ended.assert_code(1);
    assert_eq!(
        ended.stderr,
        format!(
            "`chat` did not take the test message: `127.0.0.1:{}` answered 404: no_service\n  hint: the webhook was revoked: \
             make a new one\n",
            server.port
        )
    );
}

#[tokio::test]
async fn a_webhook_takes_it_as_a_note() {
    let server = answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let yaml = |port: u16| {
        format!(
            "reporters: [{{kind: webhook, name: hook, url: \"http://me:${{SECRET}}@127.0.0.1:{port}/hook?key=${{SECRET}}\", \
             secret: \"${{SECRET}}\"}}]\n"
        )
    };
    let at = |port: u16| place(&yaml(port)).variable("SECRET", "canary-webhook");
    let ended = at(server.port).run(&["test-report", "hook"]).await;
    ended
        .assert_code(0)
        .assert_prints("`hook` took the test message; there it is `test-");
    assert_no_secret(&ended);
    let request = server.requests().remove(0);
    let (_, body) = request.split_once("\r\n\r\n").expect("a body");
    let posted: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(posted["event"], "note");
    assert_eq!(posted["title"], format!("This is a test: {SAMPLE}"));
    assert!(posted.get("report").is_none(), "{posted:#}");

    let ended = at(free_port()).run(&["test-report", "hook"]).await;
    ended
        .assert_code(1)
        .assert_says("`hook` did not take the test message: ")
        .assert_says("\n  hint: ");
    assert_no_secret(&ended);
}

#[tokio::test]
async fn a_mail_server_takes_it() {
    let server = smtp(&Manner::default()).await;
    let yaml = "reporters: [{kind: email, from: me@example.com, to: ops@example.com, ca_file: authority.pem}]\n";
    let with = |password: &str| {
        place(yaml)
            .file("authority.pem", authority().pem())
            .variable("SMTP_HOST", "localhost")
            .variable("SMTP_PORT", &server.port.to_string())
            .variable("SMTP_USER", USER)
            .variable("SMTP_PASSWORD", password)
    };
    let ended = with(PASSWORD).run(&["test-report", "email"]).await;
    ended
        .assert_code(0)
        .assert_prints("`email` took the test message; there it is `");
    let [mail] = server.mails().try_into().expect("one mail");
    let subject = mail.header("subject").expect("a subject");
    assert!(subject.contains("This is a test"), "{subject}");
    assert_is_test(&mail.text.replace("\r\n", "\n"));

    let ended = with("canary-wrong").run(&["test-report", "email"]).await;
    ended
        .assert_code(1)
        .assert_says("refused the login: 535")
        .assert_says("\n  hint: check `username`");
    assert_no_secret(&ended);
}

#[tokio::test]
async fn a_terminal_prints_it_and_files_keep_reports_only() {
    let place = place(
        "reporters: [{kind: terminal}, {kind: file, directory: kept}, {kind: discord, name: gamers}]\n",
    );
    let ended = place.run(&["test-report", "terminal"]).await;
    ended
        .assert_code(0)
        .assert_prints("RED     sample-db-1   connections_used_percent is 96 > 90\n")
        .assert_prints("- GREEN sample-web-2 is within its limits\n");
    let (text, said) = ended
        .stdout
        .split_once("within its limits\n")
        .expect("a test");
    assert_is_test(&format!("{text}within its limits"));
    assert_eq!(said, "`terminal` took the test message\n");

    let ended = place.run(&["test-report", "file"]).await;
    ended
        .assert_code(1)
        .assert_says("`file` keeps round reports and nothing else, so nothing was sent\n  hint: `roundsman --run-once` ");
    assert!(!place.path().join("kept").exists());

    let ended = place.run(&["test-report", "gamers"]).await;
    ended
        .assert_code(1)
        .assert_says("`gamers` did not take the test message: this version cannot send through `discord` yet\n  hint: use");
}

#[tokio::test]
async fn the_names_are_listed_and_the_nearest_is_offered() {
    let place_of_two =
        place("reporters: [{kind: terminal, name: screen}, {kind: discord, name: gamers}]\n");
    let ended = place_of_two.run(&["test-report"]).await;
    ended.assert_code(0);
    assert_eq!(
        ended.stdout,
        "screen: Terminal, prints the round report\ngamers: Discord, through a webhook, not in this build\n"
    );
    for (name, hint) in [
        ("scren", "did you mean `screen`?"),
        ("zzz", "there are screen, gamers"),
    ] {
        let ended = place_of_two.run(&["test-report", name]).await;
        ended.assert_code(64);
        let said = format!("there is no reporter `{name}`\n  hint: {hint}\n");
        assert!(ended.stderr.ends_with(&said), "{ended}");
    }
    let none = place("");
    let ended = none.run(&["test-report"]).await;
    ended
        .assert_code(0)
        .assert_prints("there are no reporters\n  hint: add one under `reporters:`");
    let ended = none.run(&["test-report", "x"]).await;
    ended
        .assert_code(64)
        .assert_says("there is no reporter `x`\n  hint: add one under `reporters:`");
    let nowhere = Workplace::without_configuration();
    let ended = nowhere.run(&["test-report", "x"]).await;
    ended.assert_code(78).assert_says("no configuration file: ");
}
