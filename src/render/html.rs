//! Blocks as the HTML of a mail: one page that needs nothing else, for programs that know little of HTML.
//!
//! Styles are written at their elements, because many programs drop the others, and no colour is set that a dark screen
//! would hide: text has the reader's own colours, and only the bar at the side shows how bad it is.

use std::fmt::Write;

use super::blocks::{Block, Column, Fit, Line, Span};
use super::escape::plain;
use crate::model::Status;

const FONT: &str = "font:15px/1.45 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";

const RULE: &str = "1px solid rgba(128,128,128,.35)";

/// The page. `tone`: the worst status, in whose colour the bar is.
#[must_use]
pub fn html(blocks: &[Block], tone: Status, title: &str) -> String {
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"supported-color-schemes\" content=\"light dark\">\n\
         <title>{}</title>\n</head>\n<body style=\"margin:0;padding:12px;{FONT}\">\n\
         <div style=\"border-left:6px solid {};padding:0 0 0 14px;max-width:60em;word-break:break-word\">\n",
        escaped(title),
        color(tone)
    );
    for block in blocks {
        add_block(&mut html, block);
    }
    html.push_str("</div>\n</body>\n</html>\n");
    html
}

fn add_block(html: &mut String, block: &Block) {
    match block {
        Block::Title(line) => add_line(html, "h1", "margin:0 0 8px;font-size:19px", line),
        Block::Heading(text) => {
            let line = vec![Span::Text(text.clone())];
            add_line(html, "h2", "margin:20px 0 6px;font-size:16px", &line);
        }
        Block::Paragraph(line) => add_line(html, "p", "margin:8px 0", line),
        Block::List(lines) => {
            html.push_str("<ul style=\"margin:6px 0;padding-left:20px\">\n");
            for line in lines {
                add_line(html, "li", "margin:3px 0", line);
            }
            html.push_str("</ul>\n");
        }
        Block::Table { columns, rows } => add_table(html, columns, rows),
    }
}

fn add_line(html: &mut String, element: &str, style: &str, line: &Line) {
    html.push_str(&format!("<{element} style=\"{style}\">"));
    add_spans(html, line);
    html.push_str(&format!("</{element}>\n"));
}

fn add_table(html: &mut String, columns: &[Column], rows: &[Vec<Line>]) {
    html.push_str(
        "<table style=\"border-collapse:collapse;width:100%;font-size:14px;line-height:1.4\">\n<tr>",
    );
    for column in columns {
        html.push_str(&format!(
            "<th align=\"left\" style=\"padding:4px 10px 4px 0;font-size:12px;opacity:.7;border-bottom:{RULE}\">{}</th>",
            escaped(column.title)
        ));
    }
    html.push_str("</tr>\n");
    for row in rows {
        html.push_str("<tr valign=\"top\">");
        for (index, cell) in row.iter().enumerate() {
            // A word such as `RED` is not broken where the screen is narrow; a name may be.
            let whole = columns.get(index).is_some_and(|one| one.fit == Fit::Whole);
            let wrap = if whole { ";white-space:nowrap" } else { "" };
            html.push_str(&format!(
                "<td style=\"padding:4px 10px 4px 0;border-bottom:{RULE}{wrap}\">"
            ));
            add_spans(html, cell);
            html.push_str("</td>");
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</table>\n");
}

fn add_spans(html: &mut String, line: &Line) {
    for span in line {
        let text = escaped(span.text());
        let written = match span {
            Span::Text(_) => write!(html, "{text}"),
            Span::Link(_) => write!(html, "<a href=\"{text}\">{text}</a>"),
            Span::Strong(_) => write!(html, "<b>{text}</b>"),
            Span::Faint(_) => write!(html, "<span style=\"opacity:.7\">{text}</span>"),
            Span::Status(status) | Span::Toned(_, status) => {
                write!(html, "{} <b>{text}</b>", status.dot())
            }
        };
        // Writing to a `String` cannot fail.
        debug_assert!(written.is_ok());
    }
}

fn color(tone: Status) -> &'static str {
    match tone {
        Status::Red => "#d7263d",
        Status::Yellow => "#f2b632",
        Status::Unknown => "#9aa0a6",
        Status::Green => "#2eb67d",
    }
}

/// The text so that it is shown as it is, in an element and in an attribute.
fn escaped(text: &str) -> String {
    let text = plain(text);
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::blocks::line;
    use crate::render::digest::digest;
    use crate::render::samples::mixed;

    /// What a reader sees, one element a line.
    fn seen(html: &str) -> String {
        let (_, body) = html.split_once("<body").expect("a body");
        let mut text = String::new();
        for part in body.split('<').skip(1) {
            let (tag, words) = part.split_once('>').expect("a tag");
            if tag.starts_with("th ") || tag.starts_with("td ") {
                text.push_str("| ");
            }
            if tag == "/th" || tag == "/td" {
                text.push(' ');
            }
            text.push_str(words);
        }
        let lines = text.lines().map(str::trim_end);
        let lines = lines.filter(|line| !line.is_empty());
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_mixed_round() {
        let report = mixed();
        let html = html(&digest(&report), report.status, "a round");
        assert!(html.contains("border-left:6px solid #d7263d"), "{html}");
        assert!(html.contains("<title>a round</title>"), "{html}");
        // Where the reader's screen is dark, colours of ours would make it unreadable.
        assert!(!html.contains("background") && !html.contains(";color:"));
        insta::assert_snapshot!(seen(&html), @r"
        🔴 unhealthy: 4 targets, 1 🔴 RED · 1 🟡 YELLOW · 1 ⚪ UNKNOWN · 1 🟢 GREEN
        round of 2026-11-21 09:00:00 UTC, took 812 ms
        Problems
        | STATUS | TARGET | PROBLEM | SINCE
        | 🔴 RED | db | could not connect to 192.0.2.7:22: connection refused | 2026-11-21 03:00 UTC (5 h 59 min)
        | 🟡 YELLOW | vps_servers/web | disk_free_percent of / is 17.2 &lt; 20 | this round
        | ⚪ UNKNOWN | vps_servers/web | cpu_percent could not be measured: permission denied | this round
        | ⚪ UNKNOWN | api_endpoints/web | cpu_percent could not be measured: permission denied | this round
        What to do
        db: start sshd
        vps_servers/web: find what grows with `du -x`
        vps_servers/web: let `monitor` read /proc
        vps_servers/web: follow the runbook https://wiki.example/disk
        Changes since the last report
        vps_servers/web: 🟢 GREEN → 🟡 YELLOW
        api_endpoints/web: new, ⚪ UNKNOWN
        cache: new, 🟢 GREEN
        old: no longer watched, was 🟢 GREEN
        Well
        | STATUS | TARGET | KIND | SUMMARY
        | 🟢 GREEN | cache | vps_servers | cpu 3.1 % · disk free 58 % (/)
        next round at 2026-11-21 15:00:00 UTC
        ");
    }

    #[test]
    fn nothing_collected_becomes_markup() {
        let hostile =
            "</td><script>alert(1)</script><img src=x onerror='a'> \" &amp; \u{202e}\n<b>";
        let blocks = [
            Block::Title(line(hostile)),
            Block::Heading(hostile.to_owned()),
            Block::List(vec![line(hostile)]),
            Block::Table {
                columns: &[],
                rows: vec![vec![vec![
                    Span::Toned(hostile.to_owned(), Status::Red),
                    Span::Strong(hostile.to_owned()),
                    Span::Faint(hostile.to_owned()),
                ]]],
            },
        ];
        let made = html(&blocks, Status::Red, hostile);
        let calm = html(
            &blocks.map(|block| match block {
                Block::Title(_) => Block::Title(line("calm")),
                Block::Heading(_) => Block::Heading("calm".to_owned()),
                Block::List(_) => Block::List(vec![line("calm")]),
                Block::Table { columns, .. } => Block::Table {
                    columns,
                    rows: vec![vec![vec![
                        Span::Toned("calm".to_owned(), Status::Red),
                        Span::Strong("calm".to_owned()),
                        Span::Faint("calm".to_owned()),
                    ]]],
                },
                Block::Paragraph(line) => Block::Paragraph(line),
            }),
            Status::Red,
            "calm",
        );
        let tags = |html: &str| -> Vec<String> {
            let parts = html
                .split('<')
                .skip(1)
                .filter_map(|part| part.split_once('>'));
            parts.map(|(tag, _)| tag.to_owned()).collect()
        };
        assert_eq!(tags(&made), tags(&calm), "no tag but ours");
        assert_eq!(made.lines().count(), calm.lines().count());
        assert!(!made.contains('\u{202e}') && made.contains("\\u{202e}"));
        assert!(made.contains("&quot; &amp;amp;"), "{made}");
    }
}
