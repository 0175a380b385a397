//! Names that say that what stands behind them is secret: settings, variables, members, headers, flags.

use std::ops::Range;

use super::findings::{Findings, is_cut};
use super::headers;
use super::joints::{Joined, joined};
use super::marks;
use super::nouns::{Noun, ends, noun};
use super::values::{self, Joint};

/// Parts of names that make it worth looking at one.
pub(super) const PARTS: [&str; 17] = [
    "bindpw",
    "rootpw",
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
    pub(super) noun: Noun,
    /// One word in small letters: it may stand in a sentence.
    plain: bool,
    /// In a language whose other words we do not know.
    abroad: bool,
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
    let name = Name {
        place,
        noun,
        plain,
        abroad: false,
    };
    match noun {
        Noun::Authorization => headers::authorization(text, &name, findings),
        Noun::Cookie => headers::cookie(text, &name, findings),
        _ => pair(text, &name, findings),
    }
}

pub(super) fn before(text: &str, at: usize) -> Option<u8> {
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

/// What others call a password.
pub(super) const ABROAD: [&str; 14] = [
    "passwort",
    "kennwort",
    "mot de passe",
    "contraseña",
    "senha",
    "wachtwoord",
    "hasło",
    "пароль",
    "Пароль",
    "密码",
    "密碼",
    "パスワード",
    "비밀번호",
    "mật khẩu",
];

/// Looks at a password in another language.
pub(super) fn look_abroad(text: &str, place: Range<usize>, findings: &mut Findings) {
    let name = Name {
        place,
        noun: Noun::Password,
        plain: false,
        abroad: true,
    };
    pair(text, &name, findings);
}

/// A name with its value.
fn pair(text: &str, name: &Name, findings: &mut Findings) {
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
    if is_secret(text, name, &joined, &place) {
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
fn is_secret(text: &str, name: &Name, joined: &Joined, place: &Range<usize>) -> bool {
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
        return values::is_made_up(value);
    }
    if joined.joint == Joint::Said || name.abroad {
        let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
        let mixed = digits > 0 && letters > 0 && value.len() >= 6 && !value.contains('-');
        let token = digits + letters == value.len() && values::is_made_up(value);
        return mixed && (noun.is_chosen() || token);
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
pub(super) fn is_constant(value: &str) -> bool {
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
