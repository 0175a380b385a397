//! Mail, through a server that others wrote: what it takes is what people read.

mod conversations;
mod hostile;
mod mails;
mod program;
mod refusals;

use std::sync::Arc;

use roundsman::clock::Clock;
use roundsman::document::{LIMITS, parse};
use roundsman::model::{Status, Timestamp};
use roundsman::render::blocks::{Block, Span};
use roundsman::reporters::{self, AnyReporter, Content, Means, Message, Receipt, Retry, SendError};
use tempfile::NamedTempFile;

use super::{Paper, at, means};
use crate::support::certificates::authority;
use crate::support::smtp::{Mail, PASSWORD, SmtpServer};

const LATER: Retry = Retry::Later { not_before: None };

/// A clock that stands.
struct Stopped(Timestamp);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// A reporter that trusts the tests' authority.
struct Sender {
    reporter: Box<dyn AnyReporter>,
    /// It is read when a mail is sent.
    _authority: NamedTempFile,
}

impl Sender {
    async fn send(&self, message: &Message) -> Result<Receipt, SendError> {
        self.reporter.send(message).await.inspect_err(check)
    }
}

fn reporter(yaml: &str) -> Sender {
    let authority = authority().file();
    let yaml = &format!("{yaml}ca_file: {}\n", authority.path().display());
    let kind = reporters::kind("email").expect("a known word");
    let node = parse(&"reporters.yaml".into(), yaml, LIMITS, &mut Vec::new());
    let unset = |_: &str| None;
    let settings = (kind.read)(&node.expect("a document"), &unset);
    let settings = settings.unwrap_or_else(|error| panic!("{error} in\n{yaml}"));
    let problems = (kind.check)(&settings, &unset);
    assert!(problems.is_empty(), "{problems:?} in\n{yaml}");
    let means = Means {
        clock: Arc::new(Stopped(at("2026-11-21T09:00:05Z"))),
        ..means(&Paper::default())
    };
    Sender {
        reporter: kind.make(&settings, &means).expect("its own settings"),
        _authority: authority,
    }
}

/// Settings for a server, with more of them or others in the place of the usual.
fn settings(port: u16, others: &str) -> String {
    let mut yaml = format!("host: localhost\nport: {port}\n");
    for usual in [
        "username: roundsman",
        &format!("password: {PASSWORD}"),
        "from: Roundsman <roundsman@example.com>",
        "to: ops@example.com",
    ] {
        let key = usual.split(':').next().expect("a key");
        let is_other = others
            .lines()
            .any(|line| line.starts_with(&format!("{key}:")));
        let is_login = others.contains("tls: none") && usual.contains("canary");
        if !(is_other || is_login) {
            yaml.push_str(&format!("{usual}\n"));
        }
    }
    yaml.push_str(others);
    yaml
}

async fn send(server: &SmtpServer, others: &str, message: &Message) -> Result<Receipt, SendError> {
    reporter(&settings(server.port, others)).send(message).await
}

/// What every error keeps to.
fn check(error: &SendError) {
    assert!(error.hint.is_some(), "{error:?}");
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
}

fn note(id: &str, title: &str, blocks: Vec<Block>) -> Message {
    Message {
        id: id.to_owned(),
        title: title.to_owned(),
        tone: Status::Red,
        blocks,
        content: Content::Note { rings: true },
        thread: None,
    }
}

fn paragraph(text: &str) -> Vec<Block> {
    vec![Block::Paragraph(vec![Span::Text(text.to_owned())])]
}

fn only(server: &SmtpServer) -> Mail {
    let [mail] = server.mails().try_into().expect("one mail");
    assert_eq!(mail.defects, [""; 0], "{mail:#?}");
    mail
}

/// The words of a text, and of the body of a page, without what either adds of its own.
fn words(text: &str) -> Vec<String> {
    let text = text.replace("- ", " ");
    text.split_whitespace().map(str::to_owned).collect()
}

fn words_of_page(html: &str) -> Vec<String> {
    let (_, body) = html.split_once("<body").expect("a body");
    let parts = body.split('<').skip(1);
    let mut text = String::new();
    for part in parts {
        let (tag, shown) = part.split_once('>').expect("a tag");
        if !matches!(tag.split(' ').next(), Some("b" | "/b" | "span" | "/span")) {
            text.push(' ');
        }
        text.push_str(shown);
    }
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"");
    words(&text.replace("&#39;", "'").replace("&amp;", "&"))
}
