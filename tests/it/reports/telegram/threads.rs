//! Incidents: one message that is edited, and short answers to it that ring.

use roundsman::model::Status;
use roundsman::render::blocks::{Block, line};
use roundsman::reporters::{Message, Receipt, Retry};

use super::{Channel, about, note};
use crate::reports::incidents::news;
use crate::support::telegram::{Fault, GROUP, PERSON, SUPERGROUP, Telegram};

async fn opened(channel: &Channel) -> Receipt {
    let message = about("m-1", "db is down", None, Some("opened"));
    channel.send(&message).await.expect("it is taken")
}

#[tokio::test]
async fn an_incident_is_one_message_and_its_news_are_answers() {
    let server = Telegram::start().await;
    let channel = Channel::to(&server, SUPERGROUP);
    let first = opened(&channel).await;
    assert_eq!(first.external_id, Some(format!("{SUPERGROUP}:1")));
    let quiet = about("m-2", "db is down since 4 min", Some(&first), None);
    let second = channel.send(&quiet).await.expect("it is taken");
    assert_eq!(second, first, "later edits go to the first message");
    let loud = Message {
        tone: Status::Green,
        ..about(
            "m-3",
            "db is well",
            Some(&second),
            Some("resolved <after> 5 min"),
        )
    };
    assert_eq!(channel.send(&loud).await.expect("it is taken"), first);
    let messages = server.messages();
    let [incident, answer] = messages.as_slice() else {
        panic!("{messages:#?}");
    };
    assert_eq!(incident.text, "db is well");
    assert_eq!(incident.earlier, ["db is down", "db is down since 4 min"]);
    assert_eq!(answer.text, "🟢 resolved <after> 5 min");
    assert_eq!((answer.reply_to, answer.is_silent), (Some(1), false));
}

#[tokio::test]
async fn an_incident_is_told_from_its_beginning_to_its_end() {
    let server = Telegram::start().await;
    let channel = Channel::to(&server, SUPERGROUP);
    let mut receipt: Option<Receipt> = None;
    for number in 0..3 {
        let message = news(number, receipt.as_ref());
        receipt = Some(channel.send(&message).await.expect("it is taken"));
    }
    let messages = server.messages();
    let [incident, anna, end] = messages.as_slice() else {
        panic!("{messages:#?}");
    };
    assert!(
        incident.text.starts_with(
            "🟢 [RESOLVED] host-1 and 1 below it after 12 min: was RED, connection refused\n"
        ),
        "{incident:#?}"
    );
    assert!(
        incident.text.contains("#12, critical, from"),
        "{incident:#?}"
    );
    assert!(
        incident.earlier[0]
            .starts_with("🔴 [RED] host-1: connection refused (for 12 min), and 1 below it")
    );
    assert_eq!(anna.text, "🔴 anna: moving racks");
    assert_eq!(end.text, "🟢 resolved after 12 min");
    assert!([anna, end].iter().all(|answer| answer.reply_to == Some(1)));
}

#[tokio::test]
async fn an_edit_that_changes_nothing_is_done() {
    let server = Telegram::start().await;
    let channel = Channel::to(&server, PERSON);
    let first = opened(&channel).await;
    let same = about("m-2", "db is down", Some(&first), Some("still down"));
    assert_eq!(channel.send(&same).await.expect("it is taken"), first);
    assert_eq!(server.texts(), ["db is down", "🔴 still down"]);
}

#[tokio::test]
async fn a_message_that_is_gone_is_sent_anew() {
    let server = Telegram::start().await;
    let channel = Channel::to(&server, PERSON);
    let first = opened(&channel).await;
    channel
        .send(&about("m-2", "other", None, None))
        .await
        .expect("it is taken");
    server.delete(1);
    let worse = about("m-3", "db is worse", Some(&first), Some("worsened"));
    let anew = channel.send(&worse).await.expect("it is taken");
    assert_eq!(anew.external_id, Some(format!("{PERSON}:3")));
    server.fail_next(Fault::refused(400, "Bad Request: message can't be edited"));
    let silent = about("m-4", "db is better", Some(&anew), None);
    let last = channel.send(&silent).await.expect("it is taken");
    assert_eq!(last.external_id, Some(format!("{PERSON}:4")));
    let messages = server.messages();
    let told: Vec<(&str, bool)> = (messages.iter())
        .map(|message| (message.text.as_str(), message.is_silent))
        .collect();
    assert_eq!(
        told,
        [
            ("other", false),
            ("db is worse", false),
            ("db is better", true)
        ]
    );
}

#[tokio::test]
async fn a_long_incident_stays_one_message_and_counts_what_it_leaves_out() {
    let server = Telegram::start().await;
    let channel = Channel::to(&server, PERSON);
    let items = (0..1_000).map(|number| line(format!("evidence {number}")));
    let long = Message {
        thread: about("", "", None, None).thread,
        ..note(
            "m-1",
            vec![Block::Title(line("[RED] db")), Block::List(items.collect())],
        )
    };
    let first = channel.send(&long).await.expect("it is taken");
    let texts = server.texts();
    assert_eq!(texts.len(), 1);
    let kept = texts[0].matches("evidence").count();
    assert!(texts[0].starts_with("[RED] db\n"), "{texts:?}");
    assert!(
        texts[0].ends_with(&format!("… and {} lines more", 1_000 - kept)),
        "{texts:?}"
    );
    let mut edited = long.clone();
    let thread = edited.thread.as_mut().expect("a thread");
    thread.before = first.external_id.clone();
    edited.blocks.insert(1, Block::Paragraph(line("worse")));
    assert_eq!(channel.send(&edited).await.expect("it is taken"), first);
    assert_eq!(server.messages().len(), 1);
}

#[tokio::test]
async fn what_failed_is_not_said_twice() {
    let server = Telegram::start().await;
    let channel = Channel::to(&server, PERSON);
    let first = opened(&channel).await;
    let news = about("m-2", "db is well", Some(&first), Some("resolved"));
    server.script([None, Some(Fault::retry_after(1))]);
    let error = channel
        .send(&news)
        .await
        .expect_err("the answer is not taken");
    assert!(
        matches!(
            error.retry,
            Retry::Later {
                not_before: Some(_)
            }
        ),
        "{error:?}"
    );
    assert_eq!(channel.send(&news).await.expect("it is taken"), first);
    // Whoever did not hear that it was taken asks again.
    assert_eq!(channel.send(&news).await.expect("it was taken"), first);
    assert_eq!(server.texts(), ["db is well", "🔴 resolved"]);
}

#[tokio::test]
async fn a_group_that_became_a_supergroup_is_followed_and_remembered() {
    let server = Telegram::start().await;
    let channel = Channel::to(&server, GROUP);
    let first = opened(&channel).await;
    assert_eq!(first.external_id, Some(format!("{GROUP}:1")));
    server.upgrade_group();
    // Its messages stay behind.
    let worse = about("m-2", "db is worse", Some(&first), Some("worsened"));
    let second = channel.send(&worse).await.expect("it is taken");
    assert_eq!(second.external_id, Some(format!("{SUPERGROUP}:2")));
    let calls = server.calls().len();
    let third = about("m-3", "db is well", Some(&second), None);
    assert_eq!(channel.send(&third).await.expect("it is taken"), second);
    assert_eq!(
        server.calls().len(),
        calls + 1,
        "the old group is not asked again"
    );
    let fresh = about("m-4", "web is down", None, None);
    let other = channel.send(&fresh).await.expect("it is taken");
    assert_eq!(other.external_id, Some(format!("{SUPERGROUP}:3")));
    assert_eq!(server.texts(), ["db is down", "db is well", "web is down"]);
}
