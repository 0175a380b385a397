//! Names that say that what stands behind them is secret: settings, variables, members, headers, flags.

use std::ops::Range;

use super::code::{is_code, is_constant, is_file, is_identifier};
use super::escapes;
use super::far;
use super::findings::{Findings, has_ellipsis, is_cut};
use super::headers;
use super::joints::{Joined, joined};
use super::marks;
use super::nouns::{Noun, ends, is, noun};
use super::outcomes;
use super::random::{is_random, is_random_in_one_case, is_uuid};
use super::resources;
use super::rows;
use super::spoken;
use super::values::{self, Joint};

/// Parts of names that make it worth looking at one.
pub(super) const PARTS: [&str; 26] = [
    "pw",
    "salt",
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
    "sid:",
    "sid\"",
    "_pat",
    "psk",
    "honeycomb-team",
    "csrf",
    "xsrf",
    "_code",
    "tioncode",
];

/// A name is no longer, to both sides of what was found of it.
const LONGEST_HALF: usize = 48;

/// A name and where it stands.
pub(super) struct Name {
    pub(super) place: Range<usize>,
    pub(super) noun: Noun,
    /// One word in small letters: it may stand in a sentence.
    pub(super) plain: bool,
    /// In a language whose other words we do not know, or in a sentence.
    pub(super) spoken: bool,
}

impl Name {
    /// Whether it is one of several: `api_keys`.
    pub(super) fn is_many(&self, text: &str) -> bool {
        let written = &text[self.place.clone()];
        ["keys", "tokens", "secrets", "passwords"]
            .iter()
            .any(|many| ends(written, many))
    }
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
    let key = spoken::key_before(text, &place);
    let noun = key.map(|_| Noun::Key).or_else(|| noun(written, in_query));
    let Some(noun) = noun else {
        return;
    };
    let plain = written.bytes().all(|byte| byte.is_ascii_lowercase());
    let name = Name {
        place,
        noun,
        plain,
        spoken: key == Some(true),
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
    let begun = escapes::behind(bytes, hit.start - left, hit.start);
    let right = bytes[hit.start..]
        .iter()
        .take(LONGEST_HALF)
        .take_while(part)
        .count();
    begun..hit.start + right
}

/// A name with its value.
pub(super) fn pair(text: &str, name: &Name, findings: &mut Findings) {
    let Some(joined) = joined(text, name) else {
        far::look(text, name, findings);
        return;
    };
    let Joined { at, joint, quote } = joined;
    let first = name.place.start;
    // The user in an address: `https://x-access-token:…@github.com`.
    let is_user = text[..first].ends_with("//");
    // The file of users: `/etc/passwd: line 3`.
    let is_file = text[..first].ends_with("/etc/");
    if is_user || is_file || marks::end(text, at).is_some() {
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
            let whole = text[at..line].trim_end_matches([' ', '\t', ',', ';']);
            if outcomes::is_sentence(whole) || resources::is_resource(first_word(whole)) {
                return;
            }
            place.end = at + whole.len();
        } else {
            place.end = place.end.max(ado_end(text, first, at));
        }
    }
    if is_secret(text, name, &joined, &place) {
        let end = place.end;
        findings.add(place, name.noun.mark());
        if name.is_many(text) {
            others(text, name, end, joint, findings);
        }
    } else if name.spoken || joined.joint == Joint::Said {
        far::look(text, name, findings);
    }
}

/// The other values of a list, of which the first ends here.
fn others(text: &str, name: &Name, mut at: usize, joint: Joint, findings: &mut Findings) {
    const MOST: usize = 32;
    for _ in 0..MOST {
        let Some(next) = rows::next_member(text, at) else {
            return;
        };
        let place = values::value(text, next, joint, None);
        let value = &text[place.clone()];
        at = place.end;
        let is_value = name.noun.is_chosen() || values::is_made_up(value);
        if is_value && !values::stands_in(value) && marks::end(text, place.start).is_none() {
            findings.add(place, name.noun.mark());
        }
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
    let follows = ahead == Some(&b';') && !text[..name_start].ends_with("&amp;");
    let stop = |byte: &&u8| !b";=\n\r\"'".contains(byte);
    let length = bytes[start..].iter().take(LONGEST).take_while(stop).count();
    let end = start + length;
    // Where no semicolon stands, this may be inside of a character.
    let is_value = bytes.get(end) == Some(&b';')
        && (follows || is_setting(&text[end + 1..]))
        && !text[start..end].contains(": ");
    if is_value { end } else { start }
}

/// Whether another setting of such a string stands here: then semicolons end the values in it.
fn is_setting(rest: &str) -> bool {
    const SETTINGS: [&str; 14] = [
        "application name",
        "data source",
        "database",
        "encrypt",
        "host",
        "initial catalog",
        "persist security info",
        "pooling",
        "port",
        "server",
        "trustservercertificate",
        "uid",
        "user",
        "user id",
    ];
    let rest = rest.trim_start_matches(' ');
    let length = rest.bytes().take(24).take_while(|byte| *byte != b'=');
    let length = length.count();
    rest.as_bytes().get(length) == Some(&b'=')
        && rest.is_char_boundary(length)
        && is(rest[..length].trim_end(), &SETTINGS)
}

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
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
    if resources::is_resource(value) {
        return false;
    }
    if noun.is_chosen() && value.starts_with('/') && ends(&text[name.place.clone()], "pwd") {
        return false;
    }
    if outcomes::is_outcome(text, name, joined, place) {
        return false;
    }
    let begun = has_ellipsis(text, place.end) && spoken::is_mixed(value);
    let made_up = values::is_made_up(value) || begun;
    match noun {
        Noun::Random(_) => {
            let named = is_constant(&text[name.place.clone()]) && values::is_made_up(value);
            return is_random(value)
                || is_random_in_one_case(value)
                || (named && !value.contains('.'));
        }
        Noun::SecretId => return made_up || is_uuid(value),
        _ => {}
    }
    if let Noun::Perhaps(what) = noun {
        // `routing_key=orders.v2.created`
        let is_path = what == marks::KEY && value.contains('.');
        return made_up && !is_path;
    }
    if joined.joint == Joint::Said || name.spoken {
        let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
        let mixed = digits > 0 && letters > 0 && value.len() >= 6 && !value.contains('-');
        let token = digits + letters == value.len() && made_up;
        if noun == Noun::Code {
            return digits > 0 && value.len() >= noun.shortest();
        }
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
    let goes_on = behind.starts_with(|c: char| c.is_ascii_lowercase() || "(`'\"".contains(c));
    let plain = name.plain && !name.noun.is_chosen();
    (values::is_word(value) && goes_on)
        || (plain && is_identifier(value))
        || (joined.quote.is_some() && digits == 0)
}
