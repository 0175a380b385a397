//! Telegram, against a recorder that is as strict as the service, and once against a server that others wrote.

mod errors;
mod letters;
mod threads;

use std::sync::Arc;

use roundsman::clients::Clients;
use roundsman::document::{LIMITS, from_node, parse};
use roundsman::model::Status;
use roundsman::render::TextStyle;
use roundsman::render::blocks::{Block, line};
use roundsman::reporters::terminal::Screen;
use roundsman::reporters::{
    self, AnyReporter, Content, Means, Message, Receipt, SendError, Thread, telegram,
};

use super::Paper;
use crate::support::telegram::{TOKEN, Telegram};

/// A reporter as the configuration makes one, and the sessions that outlive it.
struct Channel {
    settings: reporters::Settings,
    means: Means,
}

impl Channel {
    fn to(server: &Telegram, chat: &str) -> Self {
        Self::at(&server.url(), TOKEN, chat)
    }

    fn at(url: &str, token: &str, chat: &str) -> Self {
        let yaml = format!("bot_token: \"{token}\"\nchat_id: \"{chat}\"\napi_url: {url}\n");
        let node = parse(&"telegram.yaml".into(), &yaml, LIMITS, &mut Vec::new());
        let settings: telegram::Settings = from_node(&node.expect("a document")).expect("settings");
        assert!(!format!("{settings:?}").contains("canary"), "{settings:?}");
        Self {
            settings: Arc::new(settings),
            means: Means {
                clients: Clients::new(),
                screen: Screen::new(Paper::default(), TextStyle::default()),
                clock: Arc::new(roundsman::clock::SystemClock),
            },
        }
    }

    /// Sends through a reporter of its own, as each report does.
    async fn send(&self, message: &Message) -> Result<Receipt, SendError> {
        let kind = reporters::kind("telegram").expect("a known word");
        let reporter: Box<dyn AnyReporter> = kind
            .make(&self.settings, &self.means)
            .expect("its own settings");
        let sent = reporter.send(message).await;
        if let Err(error) = &sent {
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
            assert!(error.hint.is_some(), "{error:?}");
        }
        sent
    }
}

fn note(id: &str, blocks: Vec<Block>) -> Message {
    Message {
        id: id.to_owned(),
        title: "a title".to_owned(),
        tone: Status::Red,
        blocks,
        content: Content::Note { rings: true },
        thread: None,
    }
}

fn saying(id: &str, text: &str) -> Message {
    note(id, vec![Block::Paragraph(line(text))])
}

/// A message about an incident.
fn about(id: &str, text: &str, before: Option<&Receipt>, news: Option<&str>) -> Message {
    let before = before.map(|receipt| receipt.external_id.clone().expect("an id"));
    Message {
        thread: Some(Thread {
            key: "incident-12".to_owned(),
            title: "[RED] db".to_owned(),
            before,
            news: news.map(str::to_owned),
        }),
        ..saying(id, text)
    }
}

/// What stands on the lines of all that was sent, without the numbers of the parts.
fn lines(server: &Telegram) -> Vec<String> {
    let texts = server.texts();
    let lines = texts.iter().flat_map(|text| text.lines());
    let is_number = |line: &str| line.len() == 3 && line.as_bytes()[1] == b'/';
    let lines = lines.filter(|line| !line.is_empty() && !is_number(line));
    lines.map(str::to_owned).collect()
}
