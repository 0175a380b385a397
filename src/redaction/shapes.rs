//! Keys and tokens that can be told by their own shape, wherever they stand.

use super::escapes;
use super::findings::{Findings, is_cut};
use super::marks;

/// What a token is made of behind its beginning.
#[derive(Clone, Copy)]
pub(super) enum Made {
    /// `A-Z 0-9`
    Upper,
    /// `0-9 a-f`
    Hex,
    /// `A-Z a-z 0-9`
    Letters,
    /// Those, and `_ -`
    Words,
    /// Those, and `.`
    Dotted,
    /// Those, and `% :`
    Escaped,
    /// `A-Z a-z 0-9 + / = _ - .`
    Base64,
    /// What hashes of passwords are written with: those, and `$ ,`
    Crypt,
}

impl Made {
    fn of(self, byte: u8) -> bool {
        match self {
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Letters => byte.is_ascii_alphanumeric(),
            Self::Words => byte.is_ascii_alphanumeric() || b"_-".contains(&byte),
            Self::Dotted => byte.is_ascii_alphanumeric() || b"_-.".contains(&byte),
            Self::Escaped => byte.is_ascii_alphanumeric() || b"_-.%:".contains(&byte),
            Self::Base64 => byte.is_ascii_alphanumeric() || b"_-.+/=".contains(&byte),
            Self::Crypt => byte.is_ascii_alphanumeric() || b"_-.+/=$,:".contains(&byte),
        }
    }
}

/// A token that is known by how it begins.
pub(super) struct Shape {
    /// How it begins, in this case.
    pub(super) prefix: &'static str,
    /// What it is.
    pub(super) what: &'static str,
    pub(super) made: Made,
    /// The fewest characters behind the beginning. The real length, or less where there are several: a token that was
    /// cut is worth something too.
    pub(super) shortest: usize,
    /// The most of them. What is longer is something else.
    pub(super) longest: usize,
    /// Whether ordinary words and names begin like it: then it holds a digit, and one that was cut is longer.
    pub(super) wordy: bool,
}

/// A token that was cut is told by no fewer characters behind its beginning.
const SHORTEST_CUT: usize = 4;
const SHORTEST_WORDY_CUT: usize = 16;

/// So many characters are searched for a digit.
const DIGIT_WITHIN: usize = 64;

/// Looks at what begins with the beginning of a token.
pub(super) fn look(shape: &Shape, text: &str, start: usize, findings: &mut Findings) {
    let bytes = text.as_bytes();
    if !escapes::word_begins(bytes, start) || !text[start..].starts_with(shape.prefix) {
        return;
    }
    let body = start + shape.prefix.len();
    let run = |longest: usize| {
        let run = bytes[body..].iter().take(longest);
        body + run.take_while(|byte| shape.made.of(**byte)).count()
    };
    let searched = &bytes[body..run(DIGIT_WITHIN)];
    let digit = searched.iter().any(u8::is_ascii_digit);
    if !digit && (shape.wordy || !mixed(searched)) {
        return;
    }
    let mut end = run(usize::MAX);
    // What ends a sentence, or a pair.
    let trail = |byte: u8| b".,:-".contains(&byte);
    while end > body && trail(bytes[end - 1]) && !is_cut(text, end) {
        end -= 1;
    }
    let length = end - body;
    let shortest_cut = if shape.wordy {
        SHORTEST_WORDY_CUT
    } else {
        SHORTEST_CUT
    };
    let cut = is_cut(text, end) && length >= shortest_cut && shape.prefix.len() >= 4;
    if (length < shape.shortest && !cut) || length > shape.longest {
        return;
    }
    findings.add(start..end, shape.what);
    if shape.what == "AWS access key" {
        secret_key(text, end, findings);
    }
}

/// Whether small letters and capitals are mixed, which words have only at their beginnings.
pub(super) fn mixed(bytes: &[u8]) -> bool {
    let changes = bytes
        .windows(2)
        .filter(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
    changes.count() >= 2
}

/// The secret key that stands behind its id: `AKIA…:wJal…`, or as the next column.
fn secret_key(text: &str, end: usize, findings: &mut Findings) {
    const LENGTH: usize = 40;
    let bytes = text.as_bytes();
    let between = bytes[end..].iter().take(4);
    let between = between.take_while(|byte| b" \t,;:|/\"'\r\n".contains(byte));
    let start = end + between.count();
    let made = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    let length = bytes[start..]
        .iter()
        .take(LENGTH + 1)
        .take_while(made)
        .count();
    let whole = length == LENGTH || (length >= 16 && is_cut(text, start + length));
    if start > end && whole {
        findings.add(start..start + length, marks::AWS_SECRET_KEY);
    }
}

/// JSON web tokens: three parts, the first two of which begin with `{"`.
pub(super) fn look_at_jwt(text: &str, start: usize, findings: &mut Findings) {
    let bytes = text.as_bytes();
    if !escapes::word_begins(bytes, start) || !text[start..].starts_with("eyJ") {
        return;
    }
    let part = |from: usize| {
        from + bytes[from..]
            .iter()
            .take_while(|byte| Made::Words.of(**byte))
            .count()
    };
    let head = part(start);
    if head - start < 12 {
        return;
    }
    // Base64 of JSON alone is no secret, such as what a list goes on with.
    let rest = &text[head..];
    let second = rest.starts_with(".eyJ") || (rest.starts_with("..") && !rest.starts_with("..."));
    if !second {
        if is_cut(text, head) && head - start >= 16 {
            findings.add(start..head, marks::JWT);
        }
        return;
    }
    let mut end = head;
    while end < bytes.len() && bytes[end] == b'.' {
        let next = part(end + 1);
        if next == end + 1 && bytes.get(next) != Some(&b'.') {
            break;
        }
        end = next;
    }
    findings.add(start..end, marks::JWT);
}
