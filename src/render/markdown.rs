//! Blocks as GitHub-flavoured Markdown. What was collected is shown as text and never becomes markup: no table
//! cell, link, HTML, mention or reference can be injected by a name.

use std::fmt::Write;

use super::blocks::{Block, Column, Line, Span};
use super::escape::plain;

/// The blocks as Markdown, which ends with a line break.
#[must_use]
pub fn markdown(blocks: &[Block]) -> String {
    let mut markdown = String::new();
    for (index, block) in blocks.iter().enumerate() {
        if index > 0 {
            markdown.push('\n');
        }
        match block {
            Block::Title(line) => add_line(&mut markdown, "## ", line),
            Block::Heading(heading) => {
                add_line(&mut markdown, "### ", &vec![Span::Text(heading.clone())]);
            }
            Block::Paragraph(line) => add_line(&mut markdown, "", line),
            Block::List(lines) => {
                for line in lines {
                    add_line(&mut markdown, "- ", line);
                }
            }
            Block::Table { columns, rows } => add_table(&mut markdown, columns, rows),
        }
    }
    markdown
}

fn add_line(markdown: &mut String, lead: &str, line: &Line) {
    markdown.push_str(lead);
    add_spans(markdown, line);
    markdown.push('\n');
}

fn add_table(markdown: &mut String, columns: &[Column], rows: &[Vec<Line>]) {
    for column in columns {
        markdown.push_str("| ");
        markdown.push_str(&escaped(&capitalized(column.title)));
        markdown.push(' ');
    }
    markdown.push_str("|\n");
    for _ in columns {
        markdown.push_str("| --- ");
    }
    markdown.push_str("|\n");
    for row in rows {
        for cell in row {
            markdown.push_str("| ");
            add_spans(markdown, cell);
            markdown.push(' ');
        }
        markdown.push_str("|\n");
    }
}

fn add_spans(markdown: &mut String, line: &Line) {
    for span in line {
        let written = match span {
            Span::Text(text) | Span::Faint(text) => {
                markdown.push_str(&escaped(text));
                Ok(())
            }
            Span::Link(url) => write!(markdown, "<{}>", address(url)),
            Span::Strong(text) => {
                // Emphasis does not work with blanks just inside it.
                let start = text.len() - text.trim_start().len();
                markdown.push_str(&text[..start]);
                if text.trim().is_empty() {
                    continue;
                }
                write!(markdown, "<b>{}</b>", escaped(text.trim()))
            }
            Span::Status(status) => write!(markdown, "{} {status}", status.dot()),
            Span::Toned(text, status) => {
                write!(markdown, "{} <b>{}</b>", status.dot(), escaped(text))
            }
        };
        // Writing to a `String` cannot fail.
        debug_assert!(written.is_ok());
    }
}

/// An address between `<` and `>`: nothing in it ends it.
fn address(link: &str) -> String {
    let mut address = String::with_capacity(link.len());
    for character in plain(link).chars() {
        match character {
            ' ' => address.push_str("%20"),
            '<' => address.push_str("%3C"),
            '>' => address.push_str("%3E"),
            '|' => address.push_str("%7C"),
            other => address.push(other),
        }
    }
    address
}

fn capitalized(title: &str) -> String {
    let mut characters = title.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_string() + &characters.as_str().to_lowercase()
    })
}

/// The text so that it is shown as it is.
#[must_use]
pub fn escaped(text: &str) -> String {
    let text = plain(text);
    let mut escaped = String::with_capacity(text.len() + 8);
    let mut only_digits = true;
    let mut before = None;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let after = characters.peek().map(|(_, next)| *next);
        let within_word = |other: Option<char>| other.is_some_and(char::is_alphanumeric);
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // An underscore inside a word is no emphasis, and metric names stay readable.
            '_' if within_word(before) && within_word(after) => escaped.push('_'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => {
                escaped.push('\\');
                escaped.push(character);
            }
            // GitHub looks for mentions and references in the text that is shown, where a backslash is gone
            // already: only a character without width between the sign and the name helps.
            '@' | '#' => {
                escaped.push('\\');
                escaped.push(character);
                escaped.push_str("&#8203;");
            }
            // GitHub makes links of addresses by itself, with a scheme or `www.`.
            ':' if text[at..].starts_with("://") => escaped.push_str(":&#8203;"),
            '.' if ends_with_www(&text[..at]) => escaped.push_str("&#8203;."),
            // A list, a heading or a quote, where it begins a line.
            '-' | '+' | '=' if before.is_none() => {
                escaped.push('\\');
                escaped.push(character);
            }
            '.' | ')' if only_digits && before.is_some() => {
                escaped.push('\\');
                escaped.push(character);
            }
            other => escaped.push(other),
        }
        only_digits &= character.is_ascii_digit();
        before = Some(character);
    }
    escaped
}

fn ends_with_www(text: &str) -> bool {
    let last = text.len().checked_sub(3).and_then(|from| text.get(from..));
    last.is_some_and(|last| last.eq_ignore_ascii_case("www"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::digest::digest;
    use crate::render::samples::mixed;

    #[test]
    fn a_digest_as_markdown() {
        insta::assert_snapshot!(markdown(&digest(&mixed())), @r"
        ## 🔴 <b>unhealthy</b>: 4 targets, 1 🔴 RED · 1 🟡 YELLOW · 1 ⚪ UNKNOWN · 1 🟢 GREEN

        round of 2026-11-21 09:00:00 UTC, took 812 ms

        ### Problems

        | Status | Target | Problem | Since |
        | --- | --- | --- | --- |
        | 🔴 RED | <b>db</b> | could not connect to 192.0.2.7:22: connection refused | 2026-11-21 03:00 UTC (5 h 59 min) |
        | 🟡 YELLOW | <b>vps_servers/web</b> | disk_free_percent of / is 17.2 &lt; 20 | this round |
        | ⚪ UNKNOWN | <b>vps_servers/web</b> | cpu_percent could not be measured: permission denied | this round |
        | ⚪ UNKNOWN | <b>api_endpoints/web</b> | cpu_percent could not be measured: permission denied | this round |

        ### What to do

        - db: start sshd
        - vps_servers/web: find what grows with \`du -x\`
        - vps_servers/web: let \`monitor\` read /proc
        - vps_servers/web: follow the runbook <https://wiki.example/disk>

        ### Changes since the last report

        - <b>vps_servers/web</b>: 🟢 GREEN → 🟡 YELLOW
        - <b>api_endpoints/web</b>: new, ⚪ UNKNOWN
        - <b>cache</b>: new, 🟢 GREEN
        - <b>old</b>: no longer watched, was 🟢 GREEN

        ### Well

        | Status | Target | Kind | Summary |
        | --- | --- | --- | --- |
        | 🟢 GREEN | cache | vps_servers | cpu 3.1 % · disk free 58 % (/) |

        next round at 2026-11-21 15:00:00 UTC
        ");
    }

    #[test]
    fn nothing_collected_becomes_markup() {
        for (text, expected) in [
            ("web-1", "web-1"),
            (
                "disk_free_percent of / is 17 < 20",
                "disk_free_percent of / is 17 &lt; 20",
            ),
            ("| a | b", "\\| a \\| b"),
            ("<img src=x>", "&lt;img src=x&gt;"),
            (
                "**b** `c` _d_ ~~e~~",
                "\\*\\*b\\*\\* \\`c\\` \\_d\\_ \\~\\~e\\~\\~",
            ),
            ("[a](b)", "\\[a\\](b)"),
            ("@team fix #12", "\\@&#8203;team fix \\#&#8203;12"),
            ("- a", "\\- a"),
            ("1. a", "1\\. a"),
            ("10.0.0.1", "10\\.0.0.1"),
            ("a\n# b", "a \\#&#8203; b"),
            ("&amp;", "&amp;amp;"),
            ("\\|", "\\\\\\|"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_more_than_text(text in "[\\PC\n|<>&`*_@#\\\\.)1 -]{0,40}") {
            let escaped = escaped(&text);
            let bare = escaped.replace("\\\\", "");
            for sign in ['|', '`', '*', '[', ']', '~', '$', '@', '#'] {
                let without = bare.replace(&format!("\\{sign}"), "").replace("&#8203;", "");
                proptest::prop_assert!(!without.contains(sign), "{sign} in {escaped}");
            }
            proptest::prop_assert!(!escaped.contains(['<', '>', '\n']));
        }
    }
}
