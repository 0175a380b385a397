//! Blocks as messages of Telegram, in its HTML (<https://core.telegram.org/bots/api#html-style>), cut to what a message may
//! hold.
//!
//! Text is cut before it is marked up, so that a tag or an entity can neither be cut nor stay open. What is counted is what
//! Telegram counts: UTF-16 code units of the text that is seen.

use unicode_segmentation::UnicodeSegmentation;

use super::blocks::{Block, Line, Span};
use super::escape::{plain, shortened};
use super::links::stretches;
use super::words;
use crate::model::Status;

/// The longest message.
pub const LONGEST_PART: usize = 4096;

/// The longest text beside a file.
pub const LONGEST_CAPTION: usize = 1024;

/// How many messages are worth reading; what is left goes into a file.
pub const MOST_PARTS: usize = 5;

/// What `\n\n5/5` takes.
const NUMBERING: usize = 5;

/// What the line takes that counts what was left out.
const LEFT_OUT: usize = 48;

/// How much of one stretch of text stays where all must fit into one message, in characters.
const LONGEST_SPAN: usize = 600;

/// A message in both forms in which it may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// With markup.
    pub html: String,
    /// What is seen of it, for where the markup is refused.
    pub plain: String,
}

/// What did not fit into messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// What stands beside the file.
    pub caption: String,
    /// The file.
    pub text: String,
}

/// All messages that tell of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// At least one, in their order.
    pub parts: Vec<Part>,
    /// What goes into a file behind them.
    pub rest: Option<Rest>,
}

/// Text with one look, made harmless already.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    text: String,
    look: Look,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Normal,
    Bold,
    /// Telegram makes links of addresses by itself: this one may be.
    Link,
}

type Row = Vec<Run>;

/// The blocks as as many messages as it takes, numbered where there are several. `title` stands for blocks without a word:
/// an empty message is refused.
#[must_use]
pub fn letter(blocks: &[Block], title: &str) -> Letter {
    let rows = rows(blocks, title);
    if length_of(&rows) <= LONGEST_PART {
        return Letter {
            parts: vec![part(&rows)],
            rest: None,
        };
    }
    let mut rest = rows;
    rest.reverse();
    let mut parts = Vec::new();
    while parts.len() < MOST_PARTS {
        match take_part(&mut rest, LONGEST_PART - NUMBERING) {
            Some(rows) => parts.push(rows),
            None => break,
        }
    }
    let total = parts.len();
    let parts = parts.into_iter().enumerate().map(|(index, mut rows)| {
        let number = format!("{}/{total}", index + 1);
        rows.extend([Row::new(), vec![normal(number)]]);
        part(&rows)
    });
    let parts = parts.collect();
    rest.reverse();
    trim(&mut rest);
    let rest = (!rest.is_empty()).then(|| Rest {
        caption: format!("… and {} more, in this file", lines(&rest)),
        text: seen(&rest) + "\n",
    });
    Letter { parts, rest }
}

/// The blocks as one message: what does not fit is left out from the bottom, and counted.
#[must_use]
pub fn one_part(blocks: &[Block], title: &str) -> Part {
    let mut rows = rows(blocks, title);
    if length_of(&rows) <= LONGEST_PART {
        return part(&rows);
    }
    for run in rows.iter_mut().flatten() {
        run.text = shortened(&run.text, LONGEST_SPAN).into_owned();
    }
    if length_of(&rows) <= LONGEST_PART {
        return part(&rows);
    }
    rows.reverse();
    let room = LONGEST_PART - LEFT_OUT;
    let mut kept = take_part(&mut rows, room).unwrap_or_default();
    trim(&mut rows);
    kept.push(vec![normal(format!("… and {} more", lines(&rows)))]);
    part(&kept)
}

/// One line with the dot of a status.
#[must_use]
pub fn one_line(text: &str, tone: Status) -> Part {
    let text = plain(text);
    let text = shortened(text.trim(), LONGEST_SPAN);
    part(&[vec![normal(format!("{} {text}", tone.dot()))]])
}

fn normal(text: String) -> Run {
    let look = Look::Normal;
    Run { text, look }
}

fn bold(text: String) -> Run {
    let look = Look::Bold;
    Run { text, look }
}

/// The lines, an empty one where two blocks meet.
fn rows(blocks: &[Block], title: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for block in blocks {
        match block {
            Block::Heading(heading) => rows.push(vec![bold(plain(heading).into_owned())]),
            Block::Title(line) | Block::Paragraph(line) => rows.push(row("", line)),
            Block::List(lines) => rows.extend(lines.iter().map(|line| row("• ", line))),
            Block::Table { rows: all, .. } => rows.extend(all.iter().map(|cells| joined(cells))),
        }
        // What follows a heading stands with it.
        if !matches!(block, Block::Heading(_)) {
            rows.push(Row::new());
        }
    }
    trim(&mut rows);
    if rows.is_empty() {
        let title = plain(title);
        let title = if title.trim().is_empty() {
            "(no text)"
        } else {
            &title
        };
        rows.push(vec![normal(title.to_owned())]);
    }
    rows
}

fn row(lead: &str, line: &Line) -> Row {
    let mut row = Row::new();
    if !lead.is_empty() {
        row.push(normal(lead.to_owned()));
    }
    for span in line {
        let text = plain(span.text());
        match span {
            Span::Text(_) | Span::Faint(_) => row.push(normal(text.into_owned())),
            Span::Strong(_) => row.push(bold(text.into_owned())),
            Span::Link(_) => row.push(Run {
                text: text.into_owned(),
                look: Look::Link,
            }),
            Span::Status(status) => row.push(normal(format!("{} {text}", status.dot()))),
            Span::Toned(_, status) => {
                row.extend([
                    normal(format!("{} ", status.dot())),
                    bold(text.into_owned()),
                ]);
            }
        }
    }
    row.retain(|run| !run.text.is_empty());
    row
}

/// The cells of a table on one line: a telephone is too narrow for columns.
fn joined(cells: &[Line]) -> Row {
    let mut joined = Row::new();
    let mut between = "";
    for cell in cells {
        let written = row("", cell);
        if is_blank(&written) {
            continue;
        }
        if !between.is_empty() {
            joined.push(normal(between.to_owned()));
        }
        joined.extend(written);
        between = match cell.as_slice() {
            [Span::Status(_)] => " ",
            _ => " · ",
        };
    }
    joined
}

/// Takes as many lines as fit, from the end of `rest`, whose order is reversed; of a line that is longer than a whole message
/// as much as fits. `None`: nothing is left.
fn take_part(rest: &mut Vec<Row>, room: usize) -> Option<Vec<Row>> {
    while rest.last().is_some_and(is_blank) {
        rest.pop();
    }
    let mut taken: Vec<Row> = Vec::new();
    let mut used = 0;
    while let Some(row) = rest.pop() {
        // The line break before it counts too.
        let length = length(&row) + usize::from(!taken.is_empty());
        if used + length <= room {
            used += length;
            taken.push(row);
            continue;
        }
        if taken.is_empty() {
            let (head, tail) = cut(row, room);
            taken.push(head);
            rest.push(tail);
        } else {
            rest.push(row);
        }
        break;
    }
    while taken.last().is_some_and(is_blank) {
        taken.pop();
    }
    (!taken.is_empty()).then_some(taken)
}

/// The beginning of a line that is longer than `room`, and the rest of it. Cuts between what is seen as one character, unless
/// that alone is longer.
fn cut(row: Row, mut room: usize) -> (Row, Row) {
    let (mut head, mut tail) = (Row::new(), Row::new());
    for run in row {
        if !tail.is_empty() {
            tail.push(run);
            continue;
        }
        let whole = units(&run.text);
        if whole <= room {
            room -= whole;
            head.push(run);
            continue;
        }
        let mut end = end_of(run.text.graphemes(true), room);
        if end == 0 && head.is_empty() {
            end = end_of(run.text.split_inclusive(|_: char| true), room);
        }
        let (first, second) = run.text.split_at(end);
        for (text, side) in [(first, &mut head), (second, &mut tail)] {
            if !text.is_empty() {
                side.push(Run {
                    text: text.to_owned(),
                    look: run.look,
                });
            }
        }
    }
    (head, tail)
}

/// How many bytes of the pieces fit.
fn end_of<'a>(pieces: impl Iterator<Item = &'a str>, mut room: usize) -> usize {
    let mut end = 0;
    for piece in pieces {
        match room.checked_sub(units(piece)) {
            Some(left) => room = left,
            None => break,
        }
        end += piece.len();
    }
    end
}

/// Takes empty lines away at both ends. Telegram would.
fn trim(rows: &mut Vec<Row>) {
    while rows.last().is_some_and(is_blank) {
        rows.pop();
    }
    let first = rows.iter().position(|row| !is_blank(row));
    rows.drain(..first.unwrap_or(0));
}

fn is_blank(row: &Row) -> bool {
    row.iter().all(|run| run.text.trim().is_empty())
}

fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

fn length(row: &Row) -> usize {
    row.iter().map(|run| units(&run.text)).sum()
}

fn length_of(rows: &[Row]) -> usize {
    rows.iter().map(length).sum::<usize>() + rows.len().saturating_sub(1)
}

fn lines(rows: &[Row]) -> String {
    words::counted(rows.iter().filter(|row| !is_blank(row)).count(), "line")
}

fn seen(rows: &[Row]) -> String {
    let lines = rows.iter().map(|row| {
        let texts = row.iter().map(|run| run.text.as_str());
        texts.collect::<String>()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn part(rows: &[Row]) -> Part {
    let mut html = String::new();
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            html.push('\n');
        }
        for run in row {
            add_run(&mut html, run);
        }
    }
    Part {
        html,
        plain: seen(rows),
    }
}

/// Commands and names stand as code: a tap copies them, and Telegram makes no link, mention or command of them. Nothing
/// else may stand around code.
fn add_run(html: &mut String, run: &Run) {
    if run.look == Look::Link {
        add_escaped(html, &run.text);
        return;
    }
    for stretch in stretches(&run.text) {
        let tag = match run.look {
            _ if stretch.is_code => "code",
            Look::Bold => "b",
            Look::Normal | Look::Link => "",
        };
        if tag.is_empty() {
            add_escaped(html, stretch.text);
        } else {
            html.push_str(&format!("<{tag}>"));
            add_escaped(html, stretch.text);
            html.push_str(&format!("</{tag}>"));
        }
    }
}

fn add_escaped(html: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            other => html.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::render::digest::{Bounds, digest_within};
    use crate::render::samples::mixed;

    /// What a reader sees, or why it is no HTML of Telegram: our tags alone, and every sign written as an entity.
    fn shown(html: &str) -> Result<String, String> {
        let mut shown = String::new();
        let mut open = None;
        let mut rest = html;
        while let Some(at) = rest.find(['<', '>', '&']) {
            shown.push_str(&rest[..at]);
            rest = &rest[at..];
            let known = [("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")];
            if let Some((entity, sign)) = known.iter().find(|(entity, _)| rest.starts_with(entity))
            {
                shown.push_str(sign);
                rest = &rest[entity.len()..];
            } else if let Some(tag) = ["b", "code"]
                .into_iter()
                .find(|tag| rest.starts_with(&format!("<{tag}>")))
                && open.is_none()
            {
                open = Some(tag);
                rest = &rest[tag.len() + 2..];
            } else if let Some(tag) = open.filter(|tag| rest.starts_with(&format!("</{tag}>"))) {
                open = None;
                rest = &rest[tag.len() + 3..];
            } else {
                return Err(format!("`{}`", rest.chars().take(10).collect::<String>()));
            }
        }
        if open.is_some() {
            return Err("a tag stays open".to_owned());
        }
        Ok(shown + rest)
    }

    fn check(part: &Part) -> String {
        let shown = shown(&part.html).unwrap_or_else(|why| panic!("{why} in {}", part.html));
        // Back-ticks are what code is made of.
        assert_eq!(shown.replace('`', ""), part.plain.replace('`', ""));
        assert!(units(&shown) <= LONGEST_PART, "{} units", units(&shown));
        assert!(!shown.trim().is_empty());
        shown
    }

    fn paragraph(text: &str) -> Block {
        Block::Paragraph(vec![Span::Strong(text.to_owned())])
    }

    #[test]
    fn a_compact_digest() {
        let letter = letter(&digest_within(&mixed(), Bounds::COMPACT), "");
        assert_eq!((letter.parts.len(), letter.rest), (1, None));
        insta::assert_snapshot!(letter.parts[0].html, @r"
        🔴 <b>unhealthy</b>: 4 targets, 1 🔴 RED · 1 🟡 YELLOW · 1 ⚪ UNKNOWN · 1 🟢 GREEN

        round of 2026-11-21 09:00:00 UTC, took 812 ms

        <b>Problems</b>
        🔴 RED <b>db</b> · could not connect to 192.0.2.7:22: connection refused · 2026-11-21 03:00 UTC (5 h 59 min)
        🟡 YELLOW <b>vps_servers/web</b> · disk_free_percent of / is 17.2 &lt; 20 · this round
        ⚪ UNKNOWN <b>vps_servers/web</b> · cpu_percent could not be measured: permission denied · this round
        ⚪ UNKNOWN <b>api_endpoints/web</b> · cpu_percent could not be measured: permission denied · this round

        <b>What to do</b>
        • db: start sshd
        • vps_servers/web: find what grows with <code>du -x</code>
        • vps_servers/web: let <code>monitor</code> read <code>/proc</code>
        • vps_servers/web: follow the runbook https://wiki.example/disk

        <b>Changes since the last report</b>
        • <b>vps_servers/web</b>: 🟢 GREEN → 🟡 YELLOW
        • <b>api_endpoints/web</b>: new, ⚪ UNKNOWN
        • <b>cache</b>: new, 🟢 GREEN
        • <b>old</b>: no longer watched, was 🟢 GREEN

        <b>Well</b>
        • vps_servers: 1

        next round at 2026-11-21 15:00:00 UTC
        ");
    }

    #[test]
    fn a_name_that_is_all_markup_is_text() {
        let letter = letter(&[paragraph("<b>&lt;</a>\u{202e}\n&")], "");
        assert_eq!(
            letter.parts[0].html,
            "<b>&lt;b&gt;&amp;lt;&lt;/a&gt;\\u{202e} &amp;</b>"
        );
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_between_characters() {
        let letter = letter(&[paragraph(&"ab👩🏽🇩🇪".repeat(900))], "");
        let parts: Vec<String> = letter.parts.iter().map(check).collect();
        assert_eq!(parts.len(), 3);
        for (index, part) in parts.iter().enumerate() {
            let (text, number) = part.rsplit_once("\n\n").expect("a number");
            assert_eq!(number, format!("{}/3", index + 1));
            // Neither a skin colour nor half of a flag may begin a message.
            assert!(
                ["a", "b", "👩🏽", "🇩🇪"]
                    .iter()
                    .any(|whole| text.starts_with(whole)),
                "{}",
                &text[..20]
            );
        }
        let tower = format!("a{}", "\u{301}".repeat(9_000));
        let one = super::letter(&[paragraph(&tower)], "");
        let seen: String = one.parts.iter().map(check).collect();
        assert_eq!(seen.matches('\u{301}').count(), 9_000);
    }

    #[test]
    fn what_five_messages_do_not_hold_goes_into_a_file() {
        let lines =
            (0..1_000).map(|number| vec![Span::Text(format!("line {number} {}", "x".repeat(50)))]);
        let letter = letter(&[Block::List(lines.collect())], "");
        assert_eq!(letter.parts.len(), MOST_PARTS);
        let rest = letter.rest.expect("a file");
        let in_messages: usize = letter
            .parts
            .iter()
            .map(|part| check(part).matches("line ").count())
            .sum();
        let in_file = rest.text.matches("line ").count();
        assert_eq!(in_messages + in_file, 1_000);
        assert_eq!(
            rest.caption,
            format!("… and {in_file} lines more, in this file")
        );
    }

    #[test]
    fn what_one_message_does_not_hold_is_counted() {
        let lines = (0..1_000).map(|number| vec![Span::Text(format!("line {number}"))]);
        let part = one_part(&[paragraph("[RED] db"), Block::List(lines.collect())], "");
        let shown = check(&part);
        let kept = shown.matches("line ").count();
        assert!(
            shown.ends_with(&format!("\n… and {} lines more", 1_000 - kept)),
            "{shown}"
        );
        assert!(kept > 300, "{kept}");
        let long = one_part(&[paragraph(&"x".repeat(10_000)), paragraph("the end")], "");
        assert_eq!(
            check(&long),
            format!("{}… (9400 more characters)\n\nthe end", "x".repeat(600))
        );
    }

    #[test]
    fn nothing_at_all_is_still_a_message() {
        for (title, expected) in [("a title", "a title"), (" \n", "(no text)")] {
            let blank = [paragraph(" \n "), Block::List(Vec::new())];
            assert_eq!(letter(&blank, title).parts[0].html, expected);
            assert_eq!(one_part(&blank, title).plain, expected);
        }
    }

    #[test]
    fn what_is_new_is_one_line() {
        let news = one_line("db\nis <well>", Status::Green);
        assert_eq!(news.html, "🟢 db is &lt;well&gt;");
    }

    fn span() -> impl Strategy<Value = Span> {
        let text = prop_oneof![
            8 => "[ -~]{0,40}",
            4 => "\\PC{0,60}",
            2 => "(👩🏽|🇩🇪|<b>|&lt;|\n|é){0,200}",
            1 => "[a-z<&]{3000,9000}",
        ];
        (text, 0..5).prop_map(|(text, look)| match look {
            0 => Span::Text(text),
            1 => Span::Strong(text),
            2 => Span::Faint(text),
            3 => Span::Link(text),
            _ => Span::Toned(text, Status::Red),
        })
    }

    fn block() -> impl Strategy<Value = Block> {
        let line = || prop::collection::vec(span(), 0..4);
        prop_oneof![
            line().prop_map(Block::Title),
            "\\PC{0,30}".prop_map(Block::Heading),
            line().prop_map(Block::Paragraph),
            prop::collection::vec(line(), 0..60).prop_map(Block::List),
            prop::collection::vec(prop::collection::vec(line(), 3), 0..30)
                .prop_map(|rows| Block::Table { columns: &[], rows }),
        ]
    }

    /// Without back-ticks too: what they enclose is code.
    fn without_blanks(text: &str) -> String {
        let is_kept = |one: &char| !one.is_whitespace() && *one != '`';
        text.chars().filter(is_kept).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_blocks_fit_and_nothing_is_lost(blocks in prop::collection::vec(block(), 0..6)) {
            let all = without_blanks(&seen(&rows(&blocks, "title")));
            let letter = letter(&blocks, "title");
            prop_assert!(letter.parts.len() <= MOST_PARTS);
            let total = letter.parts.len();
            let mut told = String::new();
            for (index, part) in letter.parts.iter().enumerate() {
                let shown = check(part);
                let number = format!("\n\n{}/{total}", index + 1);
                let text = if total > 1 { shown.strip_suffix(&number).expect("a number") } else { &shown };
                told.push_str(text);
            }
            if let Some(rest) = &letter.rest {
                prop_assert!(units(&rest.caption) <= LONGEST_CAPTION);
                told.push_str(&rest.text);
            }
            prop_assert_eq!(without_blanks(&told), all);
            check(&one_part(&blocks, "title"));
        }
    }
}
