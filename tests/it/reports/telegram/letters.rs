//! Messages that stand alone: what is seen of them, and how they are cut.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use roundsman::model::{Counts, Report, Status};
use roundsman::render::blocks::{Block, Span, line};
use roundsman::reporters::{Message, Retry};
use serde_json::{Value, json};

use super::super::{sample, target};
use super::{Channel, about, lines, note, saying};
use crate::support::children::{Server, free_port, listening};
use crate::support::packages::installed;
use crate::support::telegram::{CHANNEL, Fault, GROUP, PERSON, SUPERGROUP, TOKEN, Telegram};

/// A round with so many containers that are down, and so many that are well.
fn round(id: &str, down: usize, well: usize) -> Message {
    let mut report: Report = sample();
    report.round.id = String::from(id);
    let named = |number: usize, status| {
        let mut target = target(&format!("container-{number:04}"), "docker_hosts", status);
        target.findings.clear();
        if status == Status::Green {
            target.failure = None;
        }
        target
    };
    let bad = (0..down).map(|number| named(number, Status::Red));
    let good = (down..down + well).map(|number| named(number, Status::Green));
    report.targets = bad.chain(good).collect();
    report.counts = Counts {
        red: down,
        green: well,
        ..Counts::default()
    };
    report.status = if down > 0 { Status::Red } else { Status::Green };
    report.recommendations.clear();
    report.changes.clear();
    Message::digest(Arc::new(report))
}

#[tokio::test]
async fn a_digest_is_compact_and_rings_only_for_problems() {
    let server = Telegram::start().await;
    let channel = Channel::to(&server, SUPERGROUP);
    let receipt = channel
        .send(&round("r-1", 1, 3))
        .await
        .expect("it is taken");
    assert_eq!(receipt.external_id, Some(format!("{SUPERGROUP}:1")));
    channel
        .send(&round("r-2", 0, 4))
        .await
        .expect("it is taken");
    let messages = server.messages();
    assert_eq!(messages.len(), 2);
    assert!(
        messages[0].text.contains("🔴 RED container-0000 · "),
        "{messages:#?}"
    );
    assert!(
        messages[0].text.contains("• docker_hosts: 3"),
        "{messages:#?}"
    );
    assert!(messages[0].bold.contains(&"container-0000".to_owned()));
    assert!(messages.iter().all(|message| message.has_markup));
    let silent: Vec<bool> = messages.iter().map(|message| message.is_silent).collect();
    assert_eq!(silent, [false, true]);
}

#[tokio::test]
async fn two_thousand_containers_and_forty_problems_stay_one_message() {
    let server = Telegram::start().await;
    let channel = Channel::to(&server, PERSON);
    channel
        .send(&round("r-1", 40, 1_960))
        .await
        .expect("it is taken");
    let texts = server.texts();
    let listed = texts
        .iter()
        .map(|text| text.matches("🔴 RED container-").count());
    let listed: usize = listed.sum();
    let rest = listed_rest(&texts);
    assert_eq!((listed, rest, texts.len()), (25, 15, 1), "{texts:#?}");
    assert!(
        texts.concat().contains("• docker_hosts: 1,960"),
        "{texts:#?}"
    );
}

/// What `… and 15 more 🔴 RED` counts.
fn listed_rest(texts: &[String]) -> usize {
    let all = texts.concat();
    let (_, rest) = all.split_once("… and ").expect("a count");
    rest.split(' ')
        .next()
        .expect("a number")
        .parse()
        .expect("a number")
}

#[tokio::test]
async fn every_sign_in_a_name_is_shown_as_it_is() {
    let server = Telegram::start().await;
    let channel = Channel::to(&server, PERSON);
    let printable: String = (' '..='~').collect();
    let all: String = (0..128_u8).map(char::from).collect();
    let names = [
        printable.as_str(),
        all.as_str(),
        "<b>&lt;</a>",
        "\u{202e}evil\u{202c} שלום עולם",
        "a\u{0}\u{1b}[31m\u{200b}b",
        "</b><a href=\"https://evil.example\">click</a>",
    ];
    let rows = names.map(|name| vec![Span::Strong(name.to_owned()), Span::Text(name.to_owned())]);
    channel
        .send(&note("n-1", vec![Block::List(rows.to_vec())]))
        .await
        .expect("it is taken");
    let messages = server.messages();
    let [message] = messages.as_slice() else {
        panic!("{messages:#?}");
    };
    assert!(message.has_markup, "the markup was refused: {message:#?}");
    let shown: Vec<&str> = message.text.lines().collect();
    assert_eq!(shown.len(), names.len(), "{message:#?}");
    assert_eq!(shown[0], format!("• {printable}{printable}"));
    // What a client would act upon is code, which is not bold.
    assert!(printable.starts_with(&message.bold[0]));
    for sign in printable.chars() {
        assert!(shown[1].contains(sign), "`{sign}` is lost");
    }
    assert_eq!(shown[2], "• <b>&lt;</a><b>&lt;</a>");
    assert_eq!(
        shown[3].matches("\\u{202e}evil\\u{202c} שלום עולם").count(),
        2,
        "{}",
        shown[3]
    );
    assert_eq!(
        shown[4],
        "• a\\u{0}\\u{1b}[31m\\u{200b}b".to_owned() + "a\\u{0}\\u{1b}[31m\\u{200b}b"
    );
    assert!(message.text.chars().all(|c| c == '\n' || !c.is_control()));
}

#[tokio::test]
async fn ten_thousand_characters_are_three_numbered_messages_of_which_one_rings() {
    let server = Telegram::start().await;
    let channel = Channel::to(&server, PERSON);
    let words = "0123456789".repeat(999) + "🧯end";
    let receipt = channel
        .send(&saying("n-1", &words))
        .await
        .expect("it is taken");
    assert_eq!(receipt.external_id, Some(format!("{PERSON}:1")));
    let messages = server.messages();
    assert_eq!(lines(&server).concat(), words);
    for (index, message) in messages.iter().enumerate() {
        assert!(
            message.text.ends_with(&format!("\n\n{}/3", index + 1)),
            "{message:#?}"
        );
        assert_eq!(message.is_silent, index > 0);
    }
    let calls = server.calls();
    for pair in calls.windows(2) {
        let between = pair[1].1 - pair[0].1;
        assert!(
            between >= Duration::from_millis(990),
            "{between:?} between two messages"
        );
    }
}

#[tokio::test]
async fn what_is_more_than_five_messages_is_a_file() {
    let server = Telegram::start().await;
    let channel = Channel::to(&server, PERSON);
    let items = (0..2_000).map(|number| line(format!("container-{number:04} <is> & größe 🟢")));
    channel
        .send(&note("n-1", vec![Block::List(items.collect())]))
        .await
        .expect("it is taken");
    let messages = server.messages();
    assert_eq!(messages.len(), 6);
    let file = messages[5].file.clone().expect("a file");
    assert_eq!(file.name, "report.txt");
    let in_file = file.content.lines().count();
    assert_eq!(
        messages[5].text.replace(',', ""),
        format!("… and {in_file} lines more in this file")
    );
    let told = lines(&server)
        .iter()
        .filter(|line| line.contains("container-"))
        .count();
    assert_eq!(told + in_file, 2_000);
    assert!(
        file.content.ends_with("• container-1999 <is> & größe 🟢\n"),
        "{}",
        file.content
    );
}

#[tokio::test]
async fn a_message_that_failed_half_way_goes_on_where_it_stopped() {
    let server = Telegram::start().await;
    let channel = Channel::to(&server, PERSON);
    let words = "0123456789".repeat(1_000);
    server.script([None, None, Some(Fault::refused(502, "Bad Gateway"))]);
    let error = channel
        .send(&saying("n-1", &words))
        .await
        .expect_err("no third part");
    assert_eq!(error.retry, Retry::Later { not_before: None });
    assert_eq!(server.messages().len(), 2);
    // Its text is made anew for each try, and may be another by then.
    let receipt = channel
        .send(&saying("n-1", "something else"))
        .await
        .expect("it is taken");
    assert_eq!(receipt.external_id, Some(format!("{PERSON}:1")));
    assert_eq!(lines(&server).concat(), words);
    // Whoever did not hear that it was taken asks again.
    let again = channel
        .send(&saying("n-1", &words))
        .await
        .expect("it was taken");
    assert_eq!(again, receipt);
    assert_eq!(server.messages().len(), 3);
}

#[tokio::test]
async fn a_channel_is_written_to_by_its_name() {
    let server = Telegram::start().await;
    let channel = Channel::to(&server, CHANNEL);
    let receipt = channel
        .send(&about("m-1", "db is down", None, None))
        .await
        .expect("it is taken");
    assert_eq!(receipt.external_id, Some(format!("{CHANNEL}:1")));
    channel
        .send(&about("m-2", "db is well", Some(&receipt), None))
        .await
        .expect("it is taken");
    assert_eq!(server.texts(), ["db is well"]);
}

#[tokio::test]
async fn whoever_would_wait_long_for_a_turn_is_sent_back() {
    let server = Telegram::start().await;
    let channel = Channel::to(&server, GROUP);
    let sends = (0..9).map(|number| {
        let (channel, message) = (&channel, saying(&format!("n-{number}"), "text"));
        async move { channel.send(&message).await }
    });
    let sent = futures_util::future::join_all(sends).await;
    let waits = sent
        .into_iter()
        .filter_map(Result::err)
        .map(|error| error.retry);
    let waits: Vec<Retry> = waits.collect();
    // Seven fit into the time that anybody waits for a turn.
    assert_eq!(waits.len(), 2, "{waits:?}");
    for wait in waits {
        let Retry::Later {
            not_before: Some(wait),
        } = wait
        else {
            panic!("{wait:?}");
        };
        assert!(
            wait > Duration::from_secs(6) && wait <= Duration::from_secs(7),
            "{wait:?}"
        );
    }
    assert_eq!(server.messages().len(), 7);
}

/// A server that others wrote; it checks nothing.
#[tokio::test]
async fn a_server_that_others_wrote_takes_a_message_too() {
    let port = free_port();
    let folder = tempfile::tempdir().expect("a folder").keep();
    let package = installed("node/node_modules/telegram-test-api");
    let script = format!(
        "const TelegramServer = require({:?}); new TelegramServer({{port: {port}, host: '127.0.0.1'}}).start()",
        package.display().to_string()
    );
    let _server = Server::start(&folder, "node", &["-e", &script]);
    listening(port, "telegram-test-api").await;
    let url = format!("http://127.0.0.1:{port}");
    let channel = Channel::at(&url, TOKEN, PERSON);
    let receipt = channel
        .send(&round("r-1", 1, 3))
        .await
        .expect("it is taken");
    let id = receipt.external_id.expect("an id");
    assert!(id.starts_with(&format!("{PERSON}:")), "{id}");
    let history = Command::new("node")
        .args(["-e", &format!(
            "fetch('{url}/getUpdatesHistory', {{method: 'POST', headers: {{'content-type': 'application/json'}}, \
             body: JSON.stringify({{token: '{TOKEN}'}})}}).then(r => r.text()).then(t => console.log(t))"
        )])
        .output()
        .expect("node runs");
    let history: Value = serde_json::from_slice(&history.stdout).expect("JSON");
    let taken = &history["result"][0]["message"];
    assert_eq!(taken["parse_mode"], json!("HTML"), "{history:#}");
    assert!(
        taken["text"]
            .as_str()
            .is_some_and(|text| text.contains("<b>container-0000</b>")),
        "{history:#}"
    );
}
