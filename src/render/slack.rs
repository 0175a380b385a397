//! Blocks as a Slack message: Block Kit within an attachment, whose bar has the colour of the worst status
//! (<https://docs.slack.dev/reference/block-kit/blocks>).
//!
//! What was collected is shown as text: `&`, `<` and `>` are written as Slack wants them
//! (<https://docs.slack.dev/messaging/formatting-message-text>), so that no name can mention a channel or become a link.

use serde_json::{Value, json};

use super::blocks::{Block, Line, Span};
use super::escape::{plain, shortened};
use crate::model::Status;

/// A section takes so many characters.
const LONGEST_SECTION: usize = 3_000;

/// A header takes so many.
const LONGEST_HEADER: usize = 150;

/// All blocks together: Slack refuses somewhat more than 13,000 (`msg_blocks_too_long`), which no page of its documents says.
const LONGEST_MESSAGE: usize = 12_000;

/// A message takes 50 blocks; one is kept for what is left out.
const MOST_BLOCKS: usize = 49;

/// How long one stretch of text may be. A character may become five (`&amp;`), and four cells must fit into a section: what
/// does not fit at the first length does at the second.
const LONGEST_SPANS: [usize; 2] = [550, 140];

/// The message, as an incoming webhook takes it. `title`: what it is where the blocks have no title. `tone`: the worst status.
#[must_use]
pub fn slack(blocks: &[Block], title: &str, tone: Status) -> Value {
    let mut message = Message::default();
    let mut title = plain(title).into_owned();
    for block in blocks {
        match block {
            Block::Title(line) => {
                title = words(line);
                message.header(&title);
            }
            Block::Heading(heading) => {
                message.line(&joined("", &[vec![Span::Strong(heading.clone())]]));
            }
            Block::Paragraph(line) => message.line(&joined("", std::slice::from_ref(line))),
            Block::List(lines) => {
                for line in lines {
                    message.line(&joined("• ", std::slice::from_ref(line)));
                }
            }
            Block::Table { rows, .. } => {
                for row in rows {
                    message.line(&joined("", row));
                }
            }
        }
        // What follows a heading stands with it.
        if !matches!(block, Block::Heading(_)) {
            message.end_section();
        }
    }
    let color = match tone {
        Status::Red => "#d7263d",
        Status::Yellow => "#f2b632",
        Status::Unknown => "#9aa0a6",
        Status::Green => "#2eb67d",
    };
    json!({
        // What a notification shows. Webhooks have no `verbatim` for it and pay no heed to `parse`.
        "text": unlinked(&escaped(&title, LONGEST_SECTION / 6)),
        "mrkdwn": false,
        // Slack would fetch what it takes for a link, whoever wrote it
        // (<https://docs.slack.dev/messaging/unfurling-links-in-messages>).
        "unfurl_links": false,
        "unfurl_media": false,
        "attachments": [{"color": color, "blocks": message.finish()}],
    })
}

#[derive(Default)]
struct Message {
    blocks: Vec<Value>,
    section: String,
    characters: usize,
    left_out: usize,
}

impl Message {
    fn header(&mut self, title: &str) {
        // Room for the words that something is missing.
        let text = shortened(title, LONGEST_HEADER - 30);
        self.characters += text.chars().count();
        self.blocks.push(
            json!({"type": "header", "text": {"type": "plain_text", "text": text, "emoji": true}}),
        );
    }

    fn line(&mut self, line: &str) {
        let length = line.chars().count() + 1;
        let full = self.blocks.len() >= MOST_BLOCKS || self.characters + length > LONGEST_MESSAGE;
        if full || self.left_out > 0 {
            self.left_out += 1;
            return;
        }
        if self.section.chars().count() + length > LONGEST_SECTION {
            self.end_section();
        }
        if !self.section.is_empty() {
            self.section.push('\n');
        }
        self.section.push_str(line);
        self.characters += length;
    }

    fn end_section(&mut self) {
        if !self.section.is_empty() {
            let text = std::mem::take(&mut self.section);
            // Without `verbatim` it would make links, channels and mentions of words by itself.
            let text = json!({"type": "mrkdwn", "text": text, "verbatim": true});
            self.blocks.push(json!({"type": "section", "text": text}));
        }
    }

    fn finish(mut self) -> Vec<Value> {
        self.end_section();
        if self.left_out > 0 {
            let text = format!("… and {} lines more", self.left_out);
            self.blocks.push(
                json!({"type": "context", "elements": [{"type": "plain_text", "text": text}]}),
            );
        }
        self.blocks
    }
}

/// A line as plain words.
fn words(line: &Line) -> String {
    let spans = line.iter().map(|span| match span.status() {
        Some(status) => format!("{} {}", status.dot(), plain(span.text())),
        None => plain(span.text()).into_owned(),
    });
    spans.collect()
}

/// Cells on one line that fits into a section.
fn joined(lead: &str, cells: &[Line]) -> String {
    let mut text = String::new();
    for most in LONGEST_SPANS {
        let cells = cells.iter().map(|cell| formatted(cell, most));
        let cells: Vec<String> = cells.filter(|cell| !cell.is_empty()).collect();
        text = format!("{lead}{}", cells.join("  "));
        if text.chars().count() < LONGEST_SECTION {
            break;
        }
    }
    text
}

/// A line in Slack's own markup.
fn formatted(line: &Line, most: usize) -> String {
    let mut text = String::new();
    for span in line {
        match span {
            // Slack makes nothing bold that begins or ends with a blank.
            Span::Strong(words) if words.trim() == words && !words.is_empty() => {
                text.push_str(&format!("*{}*", escaped(words, most)));
            }
            Span::Text(words) | Span::Faint(words) | Span::Strong(words) => {
                text.push_str(&escaped(words, most));
            }
            Span::Link(url) => {
                text.push_str(&format!("<{}>", escaped(url, most).replace('|', "%7C")));
            }
            Span::Status(status) => text.push_str(status.dot()),
            Span::Toned(words, status) => {
                text.push_str(&format!("{} *{}*", status.dot(), escaped(words, most)));
            }
        }
    }
    text
}

/// Untrusted text, shortened before it is escaped: an entity that is cut would be shown as it is.
fn escaped(text: &str, most: usize) -> String {
    let plain = plain(text);
    let short = shortened(&plain, most);
    let mut escaped = String::with_capacity(short.len());
    for character in short.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Without what Slack makes a link of by itself: a character without width stands in each address, as it does in Markdown.
/// Figures stay as they are.
fn unlinked(text: &str) -> String {
    let mut unlinked = String::with_capacity(text.len() + 16);
    let mut before = None;
    for (at, character) in text.char_indices() {
        unlinked.push(character);
        let behind = &text[at + character.len_utf8()..];
        let in_a_name = character == '.'
            && before.is_some_and(char::is_alphanumeric)
            && behind.starts_with(char::is_alphabetic);
        if in_a_name || (character == ':' && behind.starts_with("//")) {
            unlinked.push('\u{200b}');
        }
        before = Some(character);
    }
    unlinked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::digest::digest;
    use crate::render::samples::mixed;

    fn texts(message: &Value) -> Vec<String> {
        let blocks = message["attachments"][0]["blocks"]
            .as_array()
            .expect("blocks");
        let texts = blocks.iter().map(|block| {
            let text = block["text"]["text"]
                .as_str()
                .or(block["elements"][0]["text"].as_str());
            text.expect("a text").to_owned()
        });
        texts.collect()
    }

    #[test]
    fn a_mixed_round() {
        let report = mixed();
        let message = slack(&digest(&report), "", report.status);
        assert_eq!(message["attachments"][0]["color"], "#d7263d");
        insta::assert_snapshot!(texts(&message).join("\n---\n"), @r"
        🔴 unhealthy: 4 targets, 1 🔴 RED · 1 🟡 YELLOW · 1 ⚪ UNKNOWN · 1 🟢 GREEN
        ---
        round of 2026-11-21 09:00:00 UTC, took 812 ms
        ---
        *Problems*
        🔴  *db*  could not connect to 192.0.2.7:22: connection refused  2026-11-21 03:00 UTC (5 h 59 min)
        🟡  *vps_servers/web*  disk_free_percent of / is 17.2 &lt; 20  this round
        ⚪  *vps_servers/web*  cpu_percent could not be measured: permission denied  this round
        ⚪  *api_endpoints/web*  cpu_percent could not be measured: permission denied  this round
        ---
        *What to do*
        • db: start sshd
        • vps_servers/web: find what grows with `du -x`
        • vps_servers/web: let `monitor` read /proc
        • vps_servers/web: follow the runbook <https://wiki.example/disk>
        ---
        *Changes since the last report*
        • *vps_servers/web*: 🟢 → 🟡
        • *api_endpoints/web*: new, ⚪
        • *cache*: new, 🟢
        • *old*: no longer watched, was 🟢
        ---
        *Well*
        🟢  cache  vps_servers  cpu 3.1 % · disk free 58 % (/)
        ---
        next round at 2026-11-21 15:00:00 UTC
        ");
    }

    #[test]
    fn a_notification_is_never_empty() {
        let blocks = [Block::Paragraph(vec![Span::Text("it is slow".to_owned())])];
        let message = slack(&blocks, "the last report in words", Status::Unknown);
        assert_eq!(message["text"], "the last report in words");
        let own = Block::Title(vec![Span::Text("its own".to_owned())]);
        let message = slack(&[own], "another", Status::Unknown);
        assert_eq!(message["text"], "its own");
    }

    #[test]
    fn no_address_in_a_notification_becomes_a_link() {
        let blocks = [Block::Title(vec![Span::Text(
            "see https://evil.example/x, *evil.zip* <!channel> 2.5 % of 10.0.0.5 v1.2".to_owned(),
        )])];
        let message = slack(&blocks, "", Status::Red);
        assert_eq!(
            message["text"],
            "see https:\u{200b}//evil.\u{200b}example/x, *evil.\u{200b}zip* &lt;!channel&gt; 2.5 % of 10.0.0.5 v1.2"
        );
        for unwanted in ["unfurl_links", "unfurl_media", "mrkdwn"] {
            assert_eq!(message[unwanted], false, "{unwanted}");
        }
    }

    #[test]
    fn nothing_that_was_collected_becomes_markup_and_no_limit_is_passed() {
        let hostile = "<!channel> <https://evil.example|click> & \u{202e}*bold*".repeat(40);
        let row = vec![
            vec![Span::Status(Status::Red)],
            vec![Span::Strong(hostile.clone())],
            vec![Span::Text(hostile.clone())],
        ];
        let blocks = [
            Block::Title(vec![Span::Text(hostile.clone())]),
            Block::Table {
                columns: &[],
                rows: vec![row; 500],
            },
        ];
        let message = slack(&blocks, "", Status::Red);
        let texts = texts(&message);
        assert!(texts.len() <= 50);
        assert!(
            texts
                .iter()
                .all(|text| text.chars().count() <= LONGEST_SECTION)
        );
        assert!(texts[0].chars().count() <= LONGEST_HEADER);
        assert!(
            texts.iter().map(|text| text.chars().count()).sum::<usize>() <= LONGEST_MESSAGE + 100
        );
        assert!(
            texts[1..]
                .iter()
                .all(|text| !text.contains('<') && !text.contains('\u{202e}'))
        );
        assert!(
            texts.last().expect("a text").contains("lines more"),
            "{texts:?}"
        );
    }
}
