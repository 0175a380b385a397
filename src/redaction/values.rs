//! Where the value that stands behind a name begins and ends, and which values are none.

use std::ops::Range;

use super::escapes;
use super::findings::is_cut;
use super::marks;
use super::outcomes;

/// How a name is joined with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    /// `name: value`
    Colon,
    /// `name=value`, `name=>value`
    Equals,
    /// `name%3Dvalue`, inside of an address in an address
    Escaped,
    /// `<name>value</name>`
    Tag,
    /// `--name value`
    Space,
    /// `the password is value`
    Said,
}

/// What begins a text in quotes, also where it was escaped for another text.
#[rustfmt::skip]
const QUOTES: [&str; 18] = [
    "\"", "'", "`", "\\\"", "\\'", "\\\\\\\"",
    "&quot;", "%22", "\\u0022", "\\u0027", "\\x22", "\\x27", "&#34;", "&#39;", "&#x27;", "&apos;", "%27", "\\\\u0022",
];

/// How a value begins that is in quotes: `"`, or `\"` inside of another text.
pub(super) fn quote(text: &str, at: usize) -> Option<&str> {
    let rest = &text[at..];
    let found = QUOTES.iter().find(|quote| rest.starts_with(**quote))?;
    Some(&rest[..found.len()])
}

/// The value that begins here. `around` is the quote that the name stands in together with its value, as in
/// `"PASSWORD=two words"`.
pub(super) fn value(text: &str, at: usize, joint: Joint, around: Option<&str>) -> Range<usize> {
    let bytes = text.as_bytes();
    let at = inside_a_call(text, at);
    for quote in ["\"\"\"", "'''"] {
        let start = at + quote.len();
        if text[at..].starts_with(quote) && text[start..].trim_start().len() > 1 {
            return start..quoted_end(text, start, quote);
        }
    }
    if let Some(quote) = quote(text, at) {
        let start = at + quote.len();
        return start..quoted_end(text, start, quote);
    }
    if bytes.get(at) == Some(&b'[') && marks::end(text, at).is_none() {
        let end = match quote(text, at + 1) {
            Some(_) => quoted_end(text, at + 1, "]"),
            None => bare_end(text, at + 1, joint),
        };
        return at + 1..end;
    }
    let end = bare_end(text, at, joint);
    if let Some(quote) = around.filter(|_| joint == Joint::Equals) {
        // Blanks belong to it, unless another pair follows.
        let whole = quoted_end(text, at, quote);
        if whole > end && text[whole..].starts_with(quote) && !text[end..whole].contains(['=', ':'])
        {
            return at..whole;
        }
    }
    at..end
}

/// `Some("value")`: a type around a text in quotes, as programs print it, or in front of it.
fn inside_a_call(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    if let Some(at) = behind_a_type(text, at) {
        return at;
    }
    let name = bytes[at..]
        .iter()
        .take(24)
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_');
    let end = at + name.count();
    let is_type = bytes.get(at).is_some_and(u8::is_ascii_uppercase);
    let is_call = is_type && bytes.get(end) == Some(&b'(') && quote(text, end + 1).is_some();
    if is_call { end + 1 } else { at }
}

/// `b'value'` of Python, `@"value"` of C#, `string(5) "value"` of PHP.
fn behind_a_type(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let prefix = bytes[at..].iter().take(2);
    let prefix = prefix.take_while(|byte| b"bBfFnNrRuU@$".contains(byte));
    let behind = at + prefix.count();
    let is_quote = |at: usize| matches!(bytes.get(at), Some(b'"' | b'\''));
    if behind > at && is_quote(behind) {
        return Some(behind);
    }
    let digits = text[at..].strip_prefix("string(")?;
    let digits = digits.bytes().take(8).take_while(u8::is_ascii_digit);
    let behind = at + "string(".len() + digits.count();
    let start = behind + ") ".len();
    (text[behind..].starts_with(") ") && is_quote(start)).then_some(start)
}

/// Where the text in quotes ends: at the same quote, where it is neither escaped nor doubled. Without one it was cut.
pub(super) fn quoted_end(text: &str, start: usize, quote: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = start;
    while at < bytes.len() {
        if text.is_char_boundary(at) && text[at..].starts_with(quote) {
            let next = at + quote.len();
            let doubled = quote == "'" && at > start && bytes.get(next) == Some(&b'\'');
            if !doubled {
                return at;
            }
            at = next + 1;
            continue;
        }
        match bytes[at] {
            b'\\' if quote.len() == 1 && at + 1 < bytes.len() => at += 2,
            b'\n' => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// What ends a value in other scripts, and what ends one that was cut.
const WIDE_ENDS: [char; 10] = ['…', '，', '。', '；', '、', '）', '”', '’', '」', '\u{a0}'];

/// Where a value ends that is in no quotes. What may be part of a password ends it only where something else begins.
fn bare_end(text: &str, start: usize, joint: Joint) -> usize {
    let bytes = text.as_bytes();
    let mut at = stand_in_end(text, start).unwrap_or(start);
    while at < bytes.len() {
        let rest = &bytes[at + 1..];
        let next = rest.first().copied();
        let in_a_word = next.is_some_and(|next| next.is_ascii_alphanumeric());
        let ends = match bytes[at] {
            byte if byte.is_ascii_whitespace() || byte.is_ascii_control() => true,
            b'"' | b'\'' | b'`' => !(in_a_word && at > start && joint == Joint::Equals),
            b'\\' => {
                next == Some(b'"') || (escapes::end(bytes, at).is_some() && next != Some(b'0'))
            }
            b',' | b';' | b'&' => {
                next.is_none_or(|next| b" \t\r\n\"'`\\)]}".contains(&next)) || pair_begins(rest)
            }
            b')' | b'}' | b']' | b'>' | b'|' => !in_a_word,
            b'<' => joint == Joint::Tag || next == Some(b'/'),
            b'%' if joint == Joint::Escaped => rest.starts_with(b"26") || rest.starts_with(b"3B"),
            b'[' => {
                if let Some(end) = marks::end(text, at) {
                    at = end;
                    continue;
                }
                false
            }
            byte if !byte.is_ascii() => {
                text.is_char_boundary(at) && text[at..].starts_with(WIDE_ENDS)
            }
            _ => false,
        };
        if ends {
            break;
        }
        at += 1;
    }
    if text[start..at].ends_with("...") {
        at -= 3;
    }
    while at > start && b".,;:".contains(&bytes[at - 1]) && !is_cut(text, at) {
        at -= 1;
    }
    at
}

/// Where `${NAME}`, `{{ name }}` or `<your password>` ends, if one begins here.
fn stand_in_end(text: &str, start: usize) -> Option<usize> {
    let pairs = [
        ("${", "}"),
        ("$(", ")"),
        ("{{", "}}"),
        ("<", ">"),
        ("(", ")"),
    ];
    let (open, close) = (pairs.iter()).find(|(open, _)| text[start..].starts_with(open))?;
    let inside = start + open.len();
    let reach = text[inside..].bytes().take(LONGEST_STAND_IN);
    let reach = reach
        .take_while(|byte| *byte != b'\n' && byte.is_ascii())
        .count();
    let length = text[inside..inside + reach].find(close)?;
    let end = inside + length + close.len();
    (*open != "(" || outcomes::is_remark(&text[start..end])).then_some(end)
}

/// Whether `name=` or `"name":` stands here.
fn pair_begins(rest: &[u8]) -> bool {
    const LONGEST_NAME: usize = 40;
    let rest = &rest[..rest.len().min(LONGEST_NAME)];
    let rest = rest.strip_prefix(b"amp;").unwrap_or(rest);
    let name = rest
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_-. $".contains(byte));
    let length = name.count();
    length > 0 && matches!(rest.get(length), Some(b'=' | b':'))
}

/// The end of the line, or what stands for one in a text that was escaped.
pub(super) fn end_of_line(text: &str, at: usize) -> usize {
    text[at..]
        .find(['\n', '\r'])
        .map_or(text.len(), |length| at + length)
}

/// What people write behind `password:` when they speak of it.
#[rustfmt::skip]
pub(super) const WORDS: &[&str] = &[
    "a", "absent", "accepted", "all", "an", "and", "any", "are", "as", "at", "be", "been", "bool", "boolean", "but",
    "by", "can", "cannot", "changed", "char", "could", "default", "denied", "did", "do", "does", "empty", "error",
    "exists", "expected", "expired", "expires", "failed", "failure", "false", "for", "found", "from", "has", "have",
    "how", "if", "in", "incorrect", "int", "integer", "invalid", "is", "it", "its", "keep", "leave", "length", "like",
    "malformed", "masked", "may", "mismatch", "missing", "must", "n/a", "needs", "never", "nil", "no", "none", "not",
    "null", "object", "of", "off", "ok", "on", "one", "only", "option", "optional", "or", "present", "redacted",
    "rejected", "required", "revoked", "rotated", "secret", "see", "self", "set", "should", "some", "str", "string",
    "such", "text", "that", "the", "their", "they", "this", "to", "token", "too", "true", "undefined", "unknown",
    "unset", "until", "use", "used", "valid", "via", "value", "varchar", "was", "we", "were", "what", "where", "which", "who",
    "with", "without", "wrong", "yes", "you", "your",
];

/// A longer value is one, whatever it looks like: it is not read again for what may be inside of it.
pub(super) const LONGEST_DOUBTED: usize = 512;

/// The longest text that stands for a value, such as `${POSTGRES_PASSWORD:-default}`.
const LONGEST_STAND_IN: usize = 64;

/// Whether this is a text that stands where a secret could: a word, a variable, asterisks.
pub(super) fn stands_in(value: &str) -> bool {
    let value = value.trim();
    if value.is_empty() {
        return true;
    }
    if value.len() > LONGEST_STAND_IN {
        return false;
    }
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-:./?".contains(&byte))
    };
    let within = |open: &str, close: &str| {
        value
            .strip_prefix(open)
            .and_then(|rest| rest.strip_suffix(close))
    };
    let masked = |byte: u8| b"*.#-_?".contains(&byte);
    value.bytes().all(masked)
        || (value.len() >= 3 && value.bytes().all(|byte| byte == b'x' || byte == b'X'))
        || value.chars().all(|c| "•●…".contains(c))
        || WORDS.iter().any(|word| word.eq_ignore_ascii_case(value))
        || within("${", "}").is_some_and(|name| is_name(name) || name.contains(marks::BEGIN))
        || within("$(", ")").is_some()
        || within("{{", "}}").is_some()
        || within("<", ">").is_some_and(|name| is_name(&name.replace(' ', "_")))
        || outcomes::is_remark(value)
        || YAML_TAGS.contains(&value)
        || within("[", "]").is_some_and(is_masked)
        || is_masked(value)
        || within("%", "%").is_some_and(is_name)
        || value.strip_prefix('$').is_some_and(|name| {
            let is_variable =
                |byte: u8| byte.is_ascii_uppercase() || byte == b'_' || byte.is_ascii_digit();
            let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
            (name.len() > 2 && name.bytes().all(is_variable)) || (name.len() <= 2 && is_number)
        })
        || value.strip_prefix('%').is_some_and(|rest| rest.len() == 1)
}

/// Tags of YAML behind which the name of a secret stands, not the secret.
const YAML_TAGS: [&str; 9] = [
    "!ENV",
    "!GetAtt",
    "!ImportValue",
    "!Ref",
    "!Sub",
    "!env_var",
    "!include",
    "!reference",
    "!secret",
];

/// Whether a program wrote this in the place of a secret: `FILTERED`.
fn is_masked(value: &str) -> bool {
    let value = value.trim_matches(['[', ']']);
    [
        "FILTERED",
        "HIDDEN",
        "MASKED",
        "REDACTED",
        "REMOVED",
        "SECRET",
        "PROTECTED",
    ]
    .contains(&value)
}

/// Whether this is made of letters as a word is.
pub(super) fn is_word(value: &str) -> bool {
    let value = value.trim_end_matches(['.', ',', ';', ':', '!', '?']);
    let mut bytes = value.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

/// Whether this is as long and as mixed as what machines make up, and no UUID.
pub(super) fn is_made_up(value: &str) -> bool {
    /// Where capitals, small letters and digits are mixed, and else.
    const SHORTEST: (usize, usize) = (12, 16);
    let dashes = value.bytes().filter(|byte| *byte == b'-').count();
    let hexadecimal = value
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let uuid = value.len() == 36 && dashes == 4 && hexadecimal;
    let digit = value.bytes().any(|byte| byte.is_ascii_digit());
    let letter = value.bytes().any(|byte| byte.is_ascii_alphabetic());
    let mixed = value.bytes().any(|byte| byte.is_ascii_uppercase())
        && value.bytes().any(|byte| byte.is_ascii_lowercase());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    let mixed = mixed && value.bytes().all(plain);
    let shortest = if mixed { SHORTEST.0 } else { SHORTEST.1 };
    value.len() >= shortest && digit && letter && !uuid && !value.contains(' ')
}
