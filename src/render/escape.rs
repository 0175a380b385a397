//! Collected text is untrusted: a container may be named so that it clears the screen, turns the line around, or
//! looks like another. Every renderer for people sends each text through here first.

use std::borrow::Cow;
use std::fmt::Write;

/// The text on one line, with nothing in it that a terminal, a browser or a reader would obey rather than see.
/// Line breaks and tabs become a blank; everything else of that sort is written out, such as `\u{1b}`.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 16);
    let mut after_break = false;
    for character in text.chars() {
        let breaks = is_break(character);
        if breaks {
            // A line break and the indentation behind it are one blank.
            if !after_break {
                plain.push(' ');
            }
        } else if is_obeyed(character) {
            write_out(&mut plain, character);
        } else {
            plain.push(character);
        }
        after_break = breaks;
    }
    Cow::Owned(plain)
}

/// The text, or its beginning and how much was left out.
#[must_use]
pub fn shortened(text: &str, most_characters: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most_characters) {
        None => Cow::Borrowed(text),
        Some((end, _)) => {
            let left_out = text[end..].chars().count();
            Cow::Owned(format!("{}… ({left_out} more characters)", &text[..end]))
        }
    }
}

/// JSON in which what a terminal would obey is written as its number. The serializer does that only below U+0020.
#[must_use]
pub fn escaped_in_json(json: String) -> String {
    // Outside strings JSON has line breaks, and nothing else of the sort.
    let must_go = |character: char| character != '\n' && is_obeyed(character);
    if !json.chars().any(must_go) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len() + 64);
    for character in json.chars() {
        if must_go(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a `String` cannot fail.
                if write!(escaped, "\\u{unit:04x}").is_err() {
                    escaped.push('?');
                }
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}')
}

fn write_out(plain: &mut String, character: char) {
    // Writing to a `String` cannot fail.
    if write!(plain, "\\u{{{:x}}}", u32::from(character)).is_err() {
        plain.push('\u{fffd}');
    }
}

/// Whether the character does something instead of being seen.
fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' // soft hyphen
            | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // fillers that show as nothing
            | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' // direction
            | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{feff}' // no width
            | '\u{2028}' | '\u{2029}' // line and paragraph
            | '\u{fff9}'..='\u{fffb}' // interlinear annotation
            | '\u{e0000}'..='\u{e0fff}') // tags and further selectors
        || u32::from(character) & 0xfffe == 0xfffe // no characters, and no XML
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_it_is_obeyed() {
        for (text, expected) in [
            ("web-1", "web-1"),
            ("größe 東京 🟢", "größe 東京 🟢"),
            ("\u{1b}[31mred\u{1b}[0m", "\\u{1b}[31mred\\u{1b}[0m"),
            ("one\r\n  two\tthree", "one   two three"),
            ("a\u{202e}b\u{200b}c", "a\\u{202e}b\\u{200b}c"),
            ("\u{9b}2J\u{7f}\0", "\\u{9b}2J\\u{7f}\\u{0}"),
            ("\u{ffff}\u{fffe}\u{1ffff}", "\\u{ffff}\\u{fffe}\\u{1ffff}"),
            ("\u{e0041}", "\\u{e0041}"),
        ] {
            assert_eq!(plain(text), expected);
        }
    }

    #[test]
    fn json_stays_the_same_to_its_reader() {
        let text = "a\u{9b}b\u{202e}c\u{7f}\u{e0041}größe🟢";
        let json = serde_json::to_string_pretty(&[text]).expect("JSON");
        let escaped = escaped_in_json(json);
        assert_eq!(
            escaped,
            "[\n  \"a\\u009bb\\u202ec\\u007f\\udb40\\udc41größe🟢\"\n]"
        );
        let read: Vec<String> = serde_json::from_str(&escaped).expect("JSON");
        assert_eq!(read, [text]);
    }

    #[test]
    fn what_is_left_out_is_said() {
        assert_eq!(shortened("größe", 5), "größe");
        assert_eq!(shortened("größe", 3), "grö… (2 more characters)");
    }
}
