//! Names that say that what stands behind them is secret: settings, variables, members, headers, flags.

use std::ops::Range;

use super::findings::{Findings, is_cut};
use super::headers;
use super::marks;
use super::nouns::{Noun, ends, is, noun};
use super::values::{self, Joint};

/// Parts of names that make it worth looking at one.
pub(super) const PARTS: [&str; 15] = [
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "auth",
    "cookie",
    "cred",
    "signature",
    "sig=",
    "code=",
    "sess",
    "jwt",
    "otp",
    "sid=",
];

/// A name is no longer, to both sides of what was found of it.
const LONGEST_HALF: usize = 48;

/// A name and where it stands.
pub(super) struct Name {
    pub(super) place: Range<usize>,
    noun: Noun,
    /// One word in small letters: it may stand in a sentence.
    plain: bool,
}

/// Looks at the name of which a part was found here.
pub(super) fn look(text: &str, hit: Range<usize>, findings: &mut Findings) {
    if hit.start < findings.named_until {
        return;
    }
    let place = around(text, &hit);
    findings.named_until = place.end.max(hit.end);
    let written = text[place.clone()].trim_start_matches('-');
    let in_query = matches!(before(text, place.start), Some(b'?' | b'&' | b';'));
    let Some(noun) = noun(written, in_query) else {
        return;
    };
    let plain = written.bytes().all(|byte| byte.is_ascii_lowercase());
    let name = Name { place, noun, plain };
    match noun {
        Noun::Authorization => headers::authorization(text, &name, findings),
        Noun::Cookie => headers::cookie(text, &name, findings),
        _ => pair(text, &name, in_query, findings),
    }
}

fn before(text: &str, at: usize) -> Option<u8> {
    at.checked_sub(1).map(|at| text.as_bytes()[at])
}

/// The whole name around a part of it.
fn around(text: &str, hit: &Range<usize>) -> Range<usize> {
    let bytes = text.as_bytes();
    let part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
    let left = bytes[..hit.start]
        .iter()
        .rev()
        .take(LONGEST_HALF)
        .take_while(part)
        .count();
    let begun = hit.start - left;
    let right = bytes[hit.start..]
        .iter()
        .take(LONGEST_HALF)
        .take_while(part)
        .count();
    begun..hit.start + right
}

/// Where the value begins that belongs to a name, and how it is joined.
pub(super) struct Joined<'text> {
    pub(super) at: usize,
    pub(super) joint: Joint,
    /// The quote in which the name stands alone.
    pub(super) quote: Option<&'text str>,
}

/// Finds the value of a name.
pub(super) fn joined<'text>(text: &'text str, name: &Name) -> Option<Joined<'text>> {
    let bytes = text.as_bytes();
    let mut at = name.place.end;
    let mut own = None;
    if let Some(quote) = values::quote(text, at) {
        at += quote.len();
        own = Some(quote);
    }
    // `config["password"] = …`
    if own.is_some() && bytes.get(at) == Some(&b']') {
        at += 1;
    }
    let blanks = |at: usize| {
        at + bytes[at..]
            .iter()
            .take(16)
            .take_while(|byte| b" \t".contains(byte))
            .count()
    };
    let behind = blanks(at);
    let rest = &text[behind..];
    let written = &text[name.place.clone()];
    let is_flag = written.starts_with('-');
    // A path of names: `Secret::new`.
    if rest.starts_with("::") {
        return None;
    }
    let joints = [
        (":-", Joint::Equals),
        ("=>", Joint::Equals),
        ("==", Joint::Equals),
        (":=", Joint::Equals),
        ("=", Joint::Equals),
        (":", Joint::Colon),
        ("%3D", Joint::Escaped),
        ("%3d", Joint::Escaped),
        ("%3A", Joint::Escaped),
    ];
    if let Some((sign, joint)) = joints.iter().find(|(sign, _)| rest.starts_with(sign)) {
        let mut start = blanks(behind + sign.len());
        // A block of YAML: `password: |`, and the value below.
        for block in ["|\n", "|-\n", ">\n", ">-\n"] {
            if text[start..].starts_with(block) {
                start += block.len();
                start += text[start..].len() - text[start..].trim_start_matches([' ', '\t']).len();
                break;
            }
        }
        return Some(Joined {
            at: start,
            joint: *joint,
            quote: own,
        });
    }
    if rest.starts_with('>') && before(text, name.place.start) == Some(b'<') {
        return Some(Joined {
            at: behind + 1,
            joint: Joint::Tag,
            quote: None,
        });
    }
    if is_flag && own.is_some() && rest.starts_with(',') {
        let start = blanks(behind + 1);
        values::quote(text, start)?;
        return Some(Joined {
            at: start,
            joint: Joint::Space,
            quote: own,
        });
    }
    if is_flag && own.is_none() && behind > at {
        return Some(Joined {
            at: behind,
            joint: Joint::Space,
            quote: None,
        });
    }
    let spoken = name.noun.is_chosen() && own.is_none() && behind > at;
    // SQL: `PASSWORD 'value'`; netrc: `login user password value`; Redis: `requirepass value`.
    let sql = spoken && matches!(rest.as_bytes().first(), Some(b'\'' | b'"'));
    let configured = is(written, &["requirepass", "masterpass"]);
    if sql || (spoken && (configured || behind_a_login(text, name.place.start))) {
        return Some(Joined {
            at: behind,
            joint: Joint::Space,
            quote: None,
        });
    }
    let at = paired(text, at)?;
    Some(Joined {
        at,
        joint: Joint::Equals,
        quote: own.or(Some("\"")),
    })
}

/// `machine host login user password value`
fn behind_a_login(text: &str, at: usize) -> bool {
    const REACH: usize = 80;
    let mut from = at.saturating_sub(REACH);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let mut words = text[from..at].split_ascii_whitespace().rev();
    words.next().is_some() && words.next() == Some("login")
}

/// `{"name": "DB_PASSWORD", "value": "…"}`, in all the ways in which that is written: the beginning of the value.
fn paired(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let blank = |from: usize| {
        let blanks = bytes[from..].iter().take(32);
        from + blanks
            .take_while(|byte| b" \t\r\n,\"'\\".contains(byte))
            .count()
    };
    let start = blank(at);
    if start == at || !text.get(start..start + 5)?.eq_ignore_ascii_case("value") {
        return None;
    }
    let mut behind = start + 5;
    if let Some(quote) = values::quote(text, behind) {
        behind += quote.len();
    }
    let rest = text[behind..].trim_start_matches([' ', '\t']);
    let rest = rest.strip_prefix([':', '='])?;
    Some(text.len() - rest.trim_start_matches([' ', '\t']).len())
}

/// A name with its value.
fn pair(text: &str, name: &Name, in_query: bool, findings: &mut Findings) {
    let Some(joined) = joined(text, name) else {
        return;
    };
    let Joined { at, joint, quote } = joined;
    let first = name.place.start;
    // The user in an address: `https://x-access-token:…@github.com`.
    let is_user = text[..first].ends_with("//");
    if is_user || marks::end(text, at).is_some() {
        return;
    }
    let around = if quote.is_none() {
        quote_before(text, first)
    } else {
        None
    };
    // `"PASSWORD="`: none was given.
    if around.is_some_and(|quote| text[at..].starts_with(quote)) {
        return;
    }
    let mut place = values::value(text, at, joint, around);
    if place.start == at && around.is_none() {
        if name.noun == Noun::Passphrase && joint == Joint::Colon {
            let line = values::end_of_line(text, at);
            place.end = at + text[at..line].trim_end_matches([' ', '\t', ',', ';']).len();
        } else {
            place.end = place.end.max(ado_end(text, first, at));
        }
    }
    if is_secret(text, name, &joined, &place, in_query) {
        findings.add(place, name.noun.mark());
    }
}

/// The quote that a name stands directly behind.
pub(super) fn quote_before(text: &str, at: usize) -> Option<&str> {
    let bytes = text.as_bytes();
    let last = *bytes.get(at.checked_sub(1)?)?;
    if !b"\"'`".contains(&last) {
        return None;
    }
    let escaped = at >= 2 && bytes[at - 2] == b'\\';
    text.get(at - 1 - usize::from(escaped)..at)
}

/// `Server=db;Password=two words;Encrypt=true`: such a value goes to the next semicolon.
fn ado_end(text: &str, name_start: usize, start: usize) -> usize {
    const LONGEST: usize = 128;
    let bytes = text.as_bytes();
    let ahead = bytes[..name_start].iter().rev().find(|byte| **byte != b' ');
    if ahead != Some(&b';') || text[..name_start].ends_with("&amp;") {
        return start;
    }
    let stop = |byte: &&u8| !b";=\n\r\"'".contains(byte);
    let length = bytes[start..].iter().take(LONGEST).take_while(stop).count();
    let is_value =
        bytes.get(start + length) == Some(&b';') && !text[start..start + length].contains(": ");
    if is_value { start + length } else { start }
}

/// Whether the value of such a name is one.
fn is_secret(
    text: &str,
    name: &Name,
    joined: &Joined,
    place: &Range<usize>,
    in_query: bool,
) -> bool {
    let (value, noun) = (&text[place.clone()], name.noun);
    if value.len() > values::LONGEST_DOUBTED {
        return true;
    }
    if marks::end(text, place.start).is_some() || values::stands_in(value) {
        return false;
    }
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let cut = is_cut(text, place.end) && value.len() >= 3 && digits < value.len();
    if value.len() < noun.shortest() && !cut {
        return false;
    }
    if !noun.is_chosen() && (value.contains(' ') || is_file(value)) {
        return false;
    }
    if noun.is_chosen() && value.starts_with('/') && ends(&text[name.place.clone()], "pwd") {
        return false;
    }
    // `pass: 12 fail: 0`
    let counted = digits == value.len() && text[name.place.clone()].eq_ignore_ascii_case("pass");
    if counted && joined.joint == Joint::Colon {
        return false;
    }
    if matches!(noun, Noun::Perhaps(_)) {
        return (in_query || joined.joint != Joint::Space) && values::is_made_up(value);
    }
    let quoted = joined.at < place.start;
    if quoted {
        // `check `token`: `name` …` is how we write ourselves.
        let in_backticks = joined.quote == Some("`") || text[joined.at..].starts_with('`');
        return !in_backticks || digits > 0;
    }
    if is_code(text, place) {
        return false;
    }
    match joined.joint {
        // `--password PASSWORD`, and a flag that is followed by another.
        Joint::Space => !value.starts_with('-') && !is_constant(value),
        Joint::Colon if joined.quote.is_none_or(|quote| quote == "`") => {
            !is_spoken(text, name, joined, place, digits)
        }
        _ => true,
    }
}

/// Whether this goes on as a sentence does: `password: it must be longer`, `unexpected token: name`.
fn is_spoken(
    text: &str,
    name: &Name,
    joined: &Joined,
    place: &Range<usize>,
    digits: usize,
) -> bool {
    let value = &text[place.clone()];
    let behind = text[place.end..].strip_prefix(' ').unwrap_or("");
    let goes_on = behind.starts_with(|c: char| c.is_ascii_lowercase() || c == '(' || c == '`');
    let plain = name.plain && !name.noun.is_chosen();
    (values::is_word(value) && goes_on)
        || (plain && is_identifier(value))
        || (joined.quote.is_some() && digits == 0)
}

/// Whether this reads as the name of something.
fn is_identifier(value: &str) -> bool {
    value
        .bytes()
        .all(|byte| byte.is_ascii_alphabetic() || b"_-.:<>&'/".contains(&byte))
}

/// Whether this is written as what stands for something else: `PASSWORD`.
fn is_constant(value: &str) -> bool {
    value.len() > 2
        && value
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// Whether this is where a secret lies, not the secret.
fn is_file(value: &str) -> bool {
    let ends = [
        ".pem", ".key", ".crt", ".cer", ".p12", ".pfx", ".jks", ".json", ".pub", ".txt", ".yaml",
        ".yml",
    ];
    value.starts_with('/')
        || value.starts_with("~/")
        || value.starts_with("./")
        || ends.iter().any(|end| value.ends_with(end))
}

/// Whether this is code: a call, a type with parameters, a path of names.
pub(super) fn is_code(text: &str, place: &Range<usize>) -> bool {
    let value = &text[place.clone()];
    let inner = value.trim_start_matches(['(', '&', '*']);
    let name = inner
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_.:".contains(byte))
        .count();
    let rest = &inner[name..];
    let followed = |open: char| {
        rest.starts_with(open) || (rest.is_empty() && text[place.end..].starts_with(open))
    };
    let is_member = |part: &str| {
        part.len() > 1
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    // A type, as in `token: BotToken`.
    let mut humps = inner.bytes();
    let ends_in = ["token", "secret", "key", "password", "string", "value"];
    let is_type = humps.next().is_some_and(|byte| byte.is_ascii_uppercase())
        && inner.bytes().all(|byte| byte.is_ascii_alphabetic())
        && ends_in.iter().any(|end| ends(inner, end));
    (name > 0 && (followed('(') || rest.starts_with('<') || rest.starts_with("[\"")))
        || (rest.is_empty() && inner.contains("::"))
        || (rest.is_empty() && inner.contains('.') && inner.split('.').all(is_member))
        || is_type
        || value.bytes().all(|byte| b"({[|&".contains(&byte))
}
