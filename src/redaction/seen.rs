//! A text as somebody reads it: without what cannot be seen, and with letters that only look wide as what they are. Whatever
//! is found in it is taken out of the text itself.

use std::borrow::Cow;
use std::ops::Range;

use super::marks;

/// A text as it is read.
pub(super) struct Seen<'text> {
    written: &'text str,
    /// As it is read; `None` where that is as it was written.
    read: Option<Read>,
}

struct Read {
    text: String,
    /// From where in it which place of the written one follows.
    places: Vec<(usize, usize)>,
}

impl<'text> Seen<'text> {
    pub(super) fn new(written: &'text str) -> Self {
        Self {
            written,
            read: read(written),
        }
    }

    /// As it is read.
    pub(super) fn text(&self) -> &str {
        self.read.as_ref().map_or(self.written, |read| &read.text)
    }

    /// The written text with marks in these places of the one that is read, which are in order.
    pub(super) fn without(self, places: Vec<(Range<usize>, &'static str)>) -> Cow<'text, str> {
        if places.is_empty() {
            return Cow::Borrowed(self.written);
        }
        let mut out = String::with_capacity(self.written.len() + 32);
        let mut copied = 0;
        for (place, what) in places {
            let place = self.written_at(place);
            out.push_str(&self.written[copied..place.start]);
            marks::write(what, &mut out);
            copied = place.end;
        }
        out.push_str(&self.written[copied..]);
        Cow::Owned(out)
    }

    fn written_at(&self, place: Range<usize>) -> Range<usize> {
        let Some(read) = &self.read else {
            return place;
        };
        let start = read.origin(place.start);
        let mut end = read.origin(place.end - 1) + 1;
        while !self.written.is_char_boundary(end) {
            end += 1;
        }
        start..end
    }
}

impl Read {
    fn origin(&self, at: usize) -> usize {
        let behind = self.places.partition_point(|(read, _)| *read <= at);
        let (read, written) = self.places[..behind].last().copied().unwrap_or_default();
        written + (at - read)
    }
}

/// Whether something may begin with this byte that is read as something else.
fn is_suspicious(byte: u8) -> bool {
    byte == b'[' || byte >= 0x7f || is_invisible(char::from(byte))
}

/// Whether a character leaves no trace. What programs put between words (NUL in an environment) does.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\x01'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1b' | '\x7f'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// What a character is read as, where that is another one.
fn read_as(c: char) -> Option<char> {
    const TO_ASCII: u32 = 0xfee0;
    match c {
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Some(' '),
        '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' | '＝' | '＠' | '＿' | '－' | '．' => {
            char::from_u32(u32::from(c) - TO_ASCII)
        }
        _ => None,
    }
}

/// What is read; `None` where that is what was written.
fn read(written: &str) -> Option<Read> {
    let bytes = written.as_bytes();
    let mut text = String::new();
    let mut places = vec![(0, 0)];
    let (mut at, mut copied) = (0, 0);
    while let Some(length) = bytes[at..].iter().position(|byte| is_suspicious(*byte)) {
        at += length;
        let Some(c) = written[at..].chars().next() else {
            break;
        };
        let sequence = sequence(bytes, at);
        let unseen = sequence.or_else(|| is_invisible(c).then(|| at..at + c.len_utf8()));
        let other = read_as(c);
        if unseen.is_none() && other.is_none() {
            at += c.len_utf8();
            continue;
        }
        let unseen = unseen.unwrap_or(at..at + c.len_utf8());
        text.push_str(&written[copied..unseen.start]);
        text.extend(other);
        (at, copied) = (unseen.end, unseen.end);
        follow(&mut places, text.len(), at);
    }
    if places.len() == 1 {
        return None;
    }
    text.push_str(&written[copied..]);
    Some(Read { text, places })
}

/// From this place of what is read on, that of what was written follows.
fn follow(places: &mut Vec<(usize, usize)>, read: usize, written: usize) {
    if places.len() > 1 {
        places.pop_if(|(last, _)| *last == read);
    }
    places.push((read, written));
}

/// The sequence that colours a terminal, or what is left of one whose first character somebody took out or put a blank for:
/// `\x1b[31m`, `[31m`, ` [31m`. From its first character, or from the bracket.
fn sequence(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    const LONGEST: usize = 16;
    let escape = bytes[at] == 0x1b;
    let open = at + usize::from(escape);
    if bytes.get(open) != Some(&b'[') {
        return None;
    }
    let arguments = bytes[open + 1..].iter().take(LONGEST);
    let arguments = arguments
        .take_while(|byte| byte.is_ascii_digit() || **byte == b';')
        .count();
    let last = open + 1 + arguments;
    let end = last + 1;
    if escape {
        let whole = bytes.get(last).is_some_and(u8::is_ascii_alphabetic);
        return whole.then_some(at..end);
    }
    // `rate(x[5m])`
    let is_colour = bytes.get(last) == Some(&b'm') && arguments > 0;
    if !is_colour || bytes.get(end) == Some(&b']') {
        return None;
    }
    let in_a_word = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte))
    };
    let blank = bytes[..at].ends_with(b" ")
        && in_a_word(bytes[..at - 1].last())
        && in_a_word(bytes.get(end));
    Some(at - usize::from(blank)..end)
}

#[cfg(test)]
mod tests {
    use super::super::Redactor;
    use super::*;
    use crate::secret;

    #[test]
    fn what_cannot_be_seen_hides_nothing() {
        let redactor = Redactor::default();
        let token = "gh\u{70}_16C7e42F292c6912E7710c838347Ae178B4a";
        for (unseen, name) in [
            ("\u{200b}", "zero width"),
            ("\u{ad}", "soft hyphen"),
            ("\x1b[31m", "colour"),
            ("\x1b[1;38;5;9m", "bright colour"),
            ("[31m", "what is left of a colour"),
            (" [0m", "what is left of one, with a blank"),
            ("\x08", "backspace"),
            ("\u{feff}", "mark of order"),
            ("\u{e0041}", "tag"),
        ] {
            for at in [2, 4, 9, token.len() - 1] {
                let text = format!("bad {}{unseen}{} sent", &token[..at], &token[at..]);
                assert_eq!(
                    redactor.redact(&text),
                    "bad [redacted: GitHub token] sent",
                    "{name} at {at}"
                );
            }
            let text = format!("pass{unseen}word=hun{unseen}ter2 user=ann");
            let expected = format!("pass{unseen}word=[redacted: password] user=ann");
            assert_eq!(redactor.redact(&text), expected, "{name}");
            assert_eq!(redactor.redact(&expected), expected, "{name}");
        }
        assert_eq!(
            redactor.redact("ｐａｓｓｗｏｒｄ＝hunter2"),
            "ｐａｓｓｗｏｒｄ＝[redacted: password]"
        );
        assert_eq!(
            redactor.redact("password:\u{a0}hunter2"),
            "password:\u{a0}[redacted: password]"
        );
    }

    #[test]
    fn what_is_no_secret_keeps_what_cannot_be_seen() {
        let redactor = Redactor::default();
        for text in [
            "\x1b[31merror\x1b[0m: disk full",
            "rate(tokens_total[5m]) > 3",
            "a [1mbold\u{200b} word",
            "DB_HOST=db\0TZ=UTC",
            "सुरक्षा\u{200d} ठीक",
        ] {
            assert_eq!(redactor.redact(text), text);
        }
        let variables = redactor.redact("DB_PASSWORD=hunter2\0TZ=UTC");
        assert_eq!(variables, "DB_PASSWORD=[redacted: password]\0TZ=UTC");
    }

    #[test]
    fn configured_secrets_are_seen_too() {
        let mut configured = secret::Redactor::default();
        configured.add("canary-7f3a");
        let redactor = Redactor::new(&configured, false);
        assert_eq!(
            redactor.redact("at can\u{200b}ary\x1b[1m-7f3a, no"),
            "at [hidden], no"
        );
    }

    #[test]
    fn each_place_is_found_again() {
        let text = "a\u{200b}ｂ\x1b[1mc é";
        let seen = Seen::new(text);
        assert_eq!(seen.text(), "abc é");
        let at = |place: Range<usize>| &text[seen.written_at(place)];
        assert_eq!(
            (at(0..1), at(1..2), at(2..3), at(4..6)),
            ("a", "ｂ", "c", "é")
        );
        assert_eq!(at(0..3), "a\u{200b}ｂ\x1b[1mc");
    }
}
