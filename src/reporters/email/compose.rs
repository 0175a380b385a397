//! A message as a mail (RFC 5322): headers that no text can break out of, and the same facts as text and as HTML.

use std::time::SystemTime;

use aws_lc_rs::digest;
use email_encoding::headers::rfc2047;
use email_encoding::headers::writer::EmailWriter;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};

use super::settings::Settings;
use crate::document::Written;
use crate::model::{Status, Timestamp};
use crate::render::blocks::{Block, Line, Span, line};
use crate::render::escape::{plain, shortened};
use crate::render::html::html;
use crate::render::room::within;
use crate::render::text::{TextStyle, text};
use crate::reporters::{Message, SendError};

/// How much a report may take as HTML, in bytes, and what its text takes where it is no longer laid out as a table. Both
/// together and their encoding stay under 1 MB, which every server takes.
const MOST_BYTES: usize = 300_000;
const MOST_TABLE_BYTES: usize = 150_000;

/// How long one stretch of text may be, in characters.
const LONGEST_TEXT: usize = 2_000;

/// A subject is read in a list: no program shows more.
const LONGEST_SUBJECT: usize = 200;

/// A name longer than this is told by its digest: identifiers are never folded, and a line has 998 characters.
const LONGEST_NAME: usize = 120;

/// A mail, ready to be handed over.
pub(super) struct Mail {
    /// Its own name: `<id@domain>`.
    pub(super) id: String,
    /// The name that its thread goes by: that of its first mail.
    pub(super) root: String,
    pub(super) bytes: Vec<u8>,
}

/// Makes the mail. The same message gives the same names each time.
pub(super) fn mail(
    message: &Message,
    settings: &Settings,
    now: Timestamp,
) -> Result<Mail, SendError> {
    let Some(Written(from)) = &settings.from else {
        return Err(SendError::permanent("nobody has said who writes").hint("set `from`"));
    };
    let from = &from.0;
    let id = name(&message.id, from);
    let before = message.thread.as_ref();
    let before = before.and_then(|thread| thread.before.as_deref());
    // Before it may have been another channel of the same name, whose receipt means nothing here.
    let before = before.filter(|text| is_name(text));
    let builder = lettre::Message::builder()
        .from(from.clone())
        .date(SystemTime::from(now))
        .message_id(Some(id.clone()))
        .raw_header(header("Subject", &subject(message)))
        .raw_header(header("X-Roundsman-Delivery", &shown(&message.id)))
        // RFC 3834 §5, and its like at Microsoft: nobody's absence is to be told to us.
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("X-Auto-Response-Suppress", "All"));
    let builder = recipients(settings).fold(builder, |builder, one| builder.to(one.clone()));
    let builder = match &settings.reply_to {
        Some(Written(address)) => builder.reply_to(address.0.clone()),
        None => builder,
    };
    let builder = match message.tone {
        Status::Red => {
            (builder.raw_header(header("Importance", "high"))).raw_header(header("X-Priority", "1"))
        }
        _ => builder,
    };
    let builder = match &message.thread {
        Some(thread) => {
            // The first name is nobody's mail, but the same in all: what was received out of order, or after a receipt
            // was lost, still comes together. It is never the name of a mail itself, because a store that begins anew
            // counts its incidents anew, and a mail with the name of an old one is thrown away as its copy.
            let common = name(&format!("thread-{}", thread.key), from);
            let references =
                before.map_or_else(|| common.clone(), |root| format!("{common} {root}"));
            let builder = builder.references(references);
            match before {
                Some(root) => builder.in_reply_to(root.to_owned()),
                None => builder,
            }
        }
        None => builder,
    };
    let (plain_text, html) = bodies(message);
    let made = builder.multipart(
        MultiPart::alternative()
            .singlepart(
                SinglePart::builder()
                    .header(ContentType::TEXT_PLAIN)
                    .body(plain_text),
            )
            .singlepart(
                SinglePart::builder()
                    .header(ContentType::TEXT_HTML)
                    .body(html),
            ),
    );
    let made = made.map_err(|error| {
        let message = format!("the message cannot be made a mail: {error}");
        SendError::permanent(message).hint("check `from` and `to`")
    })?;
    Ok(Mail {
        root: before.map_or_else(|| id.clone(), ToOwned::to_owned),
        id,
        bytes: made.formatted(),
    })
}

/// Those whom mails are for.
pub(super) fn recipients(settings: &Settings) -> impl Iterator<Item = &Mailbox> {
    let all = settings.to.iter().flat_map(|to| &to.0);
    all.map(|address| &address.0)
}

/// As text and as HTML. The news comes first: programs show the beginning of a mail in their lists.
fn bodies(message: &Message) -> (String, String) {
    let news = message.thread.as_ref();
    let news = news.and_then(|thread| thread.news.as_ref());
    let news = news.map(|news| Block::Paragraph(vec![Span::Strong(news.clone())]));
    let blocks: Vec<Block> = news.into_iter().chain(message.blocks.clone()).collect();
    let blocks = within(&blocks, MOST_BYTES, LONGEST_TEXT);
    let html = html(&blocks, message.tone, &shown(&message.title));
    let style = TextStyle {
        dots: true,
        ..TextStyle::default()
    };
    let mut plain_text = text(&blocks, style);
    if plain_text.len() > MOST_TABLE_BYTES {
        // One long cell makes every row of its table as wide.
        let blocks: Vec<Block> = blocks.into_iter().map(without_table).collect();
        plain_text = text(&blocks, style);
    }
    (plain_text, html)
}

/// A table as a list, with its titles as the first line.
fn without_table(block: Block) -> Block {
    let Block::Table { columns, rows } = block else {
        return block;
    };
    let titles = columns.iter().map(|column| line(column.title)).collect();
    let rows = std::iter::once(titles).chain(rows);
    let gap = Span::Text("  ".to_owned());
    Block::List(rows.map(|row: Vec<Line>| row.join(&gap)).collect())
}

/// What stands in the list of mails: how it is now, and then within a thread always the same. Who is woken must see in the list
/// whether it is over; what begins with `[…]` is the same subject by RFC 5256 §2.1, and threads go by `References`.
fn subject(message: &Message) -> String {
    let Some(thread) = &message.thread else {
        return shown(&message.title);
    };
    let word = message
        .title
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'));
    match word {
        Some((word, _)) => shown(&format!("[{word}] {}", thread.title)),
        None => shown(&thread.title),
    }
}

fn shown(title: &str) -> String {
    let title = plain(title);
    shortened(title.trim(), LONGEST_SUBJECT).into_owned()
}

/// A header whose text, on one line, is shown as it is: with other letters than ASCII, or what looks like encoded words, all of it is
/// encoded.
fn header(name: &'static str, value: &str) -> HeaderValue {
    let header_name = HeaderName::new_from_ascii_str(name);
    let is_plain = |character: char| character == ' ' || character.is_ascii_graphic();
    if value.chars().all(is_plain) && !value.contains("=?") {
        return HeaderValue::new(header_name, value.to_owned());
    }
    let mut encoded = String::with_capacity(2 * value.len());
    {
        let mut writer = EmailWriter::new(&mut encoded, name.len() + 2, 0, false);
        // Into a `String`: it cannot fail.
        rfc2047::encode(value, &mut writer).ok();
    }
    HeaderValue::dangerous_new_pre_encoded(header_name, value.to_owned(), encoded)
}

/// `<id@domain>` (RFC 5322 §3.6.4), different for different identifiers, with nothing in it that ends or folds it.
fn name(id: &str, from: &Mailbox) -> String {
    let mut left = String::with_capacity(id.len() + 8);
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            left.push(char::from(byte));
        } else {
            left.push_str(&format!("%{byte:02x}"));
        }
    }
    if left.is_empty() || left.len() > LONGEST_NAME {
        let digest = digest::digest(&digest::SHA256, id.as_bytes());
        let hexadecimal = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
        left = hexadecimal.collect();
    }
    format!("<{left}@{}>", from.email.domain())
}

/// Whether a receipt is the name of a mail.
fn is_name(text: &str) -> bool {
    let inner = text
        .strip_prefix('<')
        .and_then(|text| text.strip_suffix('>'));
    inner.is_some_and(|inner| {
        let is_allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'<' && byte != b'>';
        inner.contains('@') && inner.len() < 900 && inner.bytes().all(is_allowed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{LIMITS, from_node, parse};
    use crate::reporters::{Content, Thread};
    use proptest::prelude::*;

    fn settings() -> Settings {
        let yaml =
            "host: localhost\nfrom: Ops <ops@example.com>\nto: [a@example.com, b@example.com]\n";
        let node = parse(&"reporters.yaml".into(), yaml, LIMITS, &mut Vec::new());
        from_node(&node.expect("a document")).expect("settings")
    }

    proptest! {
        #[test]
        fn no_text_adds_a_header_or_ends_one(
            title in any::<String>(),
            lines in "([a-z:=?\r\n <>@]{0,12}|=\\?utf-8\\?q\\?=0a\\?=){0,30}",
            id in any::<String>(),
        ) {
            let message = Message {
                id: id + &lines,
                title: title.clone() + &lines,
                tone: Status::Red,
                blocks: vec![Block::Paragraph(line(lines.clone()))],
                content: Content::Note { rings: true },
                thread: Some(Thread {
                    key: lines.clone(),
                    title: lines + &title,
                    before: Some("<root@example.com>".to_owned()),
                    news: Some(title),
                }),
            };
            let now = "2026-11-21T09:00:00Z".parse().expect("a time");
            let made = mail(&message, &settings(), now).expect("a mail");
            let text = String::from_utf8(made.bytes).expect("ASCII");
            prop_assert!(text.is_ascii());
            prop_assert!(!text.replace("\r\n", "").contains(['\r', '\n']));
            let (head, _) = text.split_once("\r\n\r\n").expect("a head");
            let lines = head.split("\r\n");
            prop_assert!(lines.clone().all(|line| line.len() <= 998));
            let names: Vec<&str> = lines
                .filter(|line| !line.starts_with([' ', '\t']))
                .map(|line| line.split(':').next().unwrap_or_default())
                .collect();
            prop_assert_eq!(names, [
                "From", "Date", "Message-ID", "Subject", "X-Roundsman-Delivery", "Auto-Submitted",
                "X-Auto-Response-Suppress", "To", "Importance", "X-Priority", "References",
                "In-Reply-To", "MIME-Version", "Content-Type",
            ]);
        }
    }

    #[test]
    fn names_differ_where_identifiers_do_and_nothing_ends_them() {
        let from: Mailbox = "Ops <ops@example.com>".parse().expect("an address");
        for (id, expected) in [
            ("incident-12", "<incident-12@example.com>"),
            (
                "2026-11-21T09:00:00Z",
                "<2026-11-21T09%3a00%3a00Z@example.com>",
            ),
            ("a>\r\nBcc: x@y", "<a%3e%0d%0aBcc%3a%20x%40y@example.com>"),
            ("größe", "<gr%c3%b6%c3%9fe@example.com>"),
            ("a%3e", "<a%253e@example.com>"),
        ] {
            assert_eq!(name(id, &from), expected);
            assert!(is_name(expected));
        }
        let (one, other) = (
            name(&"x".repeat(5_000), &from),
            name(&"x".repeat(5_001), &from),
        );
        assert!(one != other && one.len() < 100, "{one} {other}");
        for receipt in [
            "1700000000.1234",
            "<a b@c>",
            "<a@b>\r\nBcc: <c@d>",
            "<>",
            "",
        ] {
            assert!(!is_name(receipt), "{receipt:?}");
        }
    }
}
