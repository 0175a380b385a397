//! The words of others, made fit for our messages: one line, nothing that steers a terminal, no secret, and no longer than
//! anybody reads.

use std::sync::LazyLock;

use crate::redaction::Redactor;

/// How many characters of a stranger's message are worth reading.
const MOST: usize = 200;

/// No more of it is looked at, in bytes.
const MOST_READ: usize = 64 * 1024;

/// Secrets of the configuration are taken out later, by whoever knows them: see [`cut`] for what that asks of us.
static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::default);

/// On one line, and no longer than anybody reads.
pub(crate) fn shortened(text: &str) -> String {
    shortened_to(text, MOST)
}

/// The same with a length of one's own, in characters.
pub(crate) fn shortened_to(text: &str, most: usize) -> String {
    // Before it is cut, and with its lines: that is how keys are told.
    cut(&on_one_line(&REDACTOR.redact(&visible(text))), most)
}

/// A name, as [`shortened`]. Secrets stay: where two names differ in nothing else, a history hangs on each, and whoever takes
/// them out must know both.
pub(crate) fn shortened_name(name: &str) -> String {
    cut(&on_one_line(&visible(name)), MOST)
}

fn visible(text: &str) -> String {
    let head = &text[..text.floor_char_boundary(MOST_READ)];
    let plain = without_sequences(head);
    (plain.chars())
        .filter(|one| one.is_whitespace() || !(one.is_control() || is_format(*one)))
        .collect()
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Cut between words where that can be, and never within what may be a secret: half of one is too much, and nobody knows it
/// again by its value.
fn cut(line: &str, most: usize) -> String {
    let Some((end, next)) = line.char_indices().nth(most) else {
        return line.to_owned();
    };
    let whole = &line[..end];
    if next.is_whitespace() {
        return format!("{whole}…");
    }
    let between_words = whole.rfind(char::is_whitespace).filter(|at| *at > end / 2);
    let kept = between_words.map_or_else(
        || {
            whole.trim_end_matches(|one: char| {
                one.is_ascii_alphanumeric() || "-_+=%~!$&*".contains(one)
            })
        },
        |at| &whole[..at],
    );
    format!("{}…", kept.trim_end())
}

/// The text without the control sequences of terminals (ECMA-48, 5.4): an introducer, parameters, and a last byte.
fn without_sequences(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let begins = match character {
            '\u{9b}' => true,
            '\u{1b}' => characters.next_if_eq(&'[').is_some(),
            _ => false,
        };
        if !begins {
            plain.push(character);
            continue;
        }
        while characters.next_if(|c| matches!(c, ' '..='?')).is_some() {}
        characters.next_if(|c| matches!(c, '@'..='~'));
    }
    plain
}

/// Characters without width, and those that change the direction of what follows.
fn is_format(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_kept_short_and_on_one_line() {
        assert_eq!(shortened(" two\nlines\u{1b}7 "), "two lines7");
        assert_eq!(shortened_to("abc def ghi", 8), "abc def…");
        assert_eq!(shortened_to("abc def ghi", 7), "abc def…");
        assert_eq!(shortened_to("abc", 3), "abc");
        assert_eq!(
            shortened("  no\x1b[1;31m such\nthing\0\u{9b}0m\x1b[ "),
            "no such thing"
        );
        assert_eq!(
            shortened("a\u{202e}b\u{200b}c\u{2066}d\u{feff}e\x1b7[1]"),
            "abcde7[1]"
        );
        let long = shortened(&"ä".repeat(1_000));
        assert_eq!(long.chars().count(), MOST + 1);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn no_half_of_a_secret_is_left_where_a_text_is_cut() {
        let password = "Zx9kLm2QpRs8TuVw3YzA5bC";
        for before in 0..240 {
            for secret in [
                format!("postgres://root:{password}@db.example.com/shop"),
                // Known by its value alone.
                format!("{password} "),
                format!("/{password}/"),
                format!("said={password}"),
            ] {
                for filler in ["x ", "x", "x/"] {
                    let text = format!(
                        "{}{secret} is what it said",
                        filler.repeat(before / filler.len())
                    );
                    let short = shortened(&text);
                    let is_whole = short.contains(password);
                    assert!(is_whole || !short.contains(&password[..4]), "{short}");
                }
            }
        }
    }
}
