//! Values that are told by the words of one program around them, or by a call that takes a secret, not by a name of their own.

use std::ops::Range;

use super::findings::Findings;
use super::marks;
use super::nouns::is;
use super::random::{is_random, is_random_in_one_case, is_uuid};
use super::values::{self, Joint};

/// Behind these a secret stands.
pub(super) const INTRODUCED: [&str; 15] = [
    "plaintext=",
    "snyk auth ",
    "sasl plain ",
    "websocket-protocol: bearer, ",
    "sonar.login=",
    "tlspskvalue ",
    "tlspskvalue=",
    "psksecrets=",
    "post_server_item=",
    "pushover_user=",
    "samlresponse=",
    "kubeconfig_b64=",
    "apple_p8=",
    "nkey seed ",
    "operator unseal ",
];

/// Calls that take a secret, and as which argument.
pub(super) const CALLS: [(&str, usize); 7] = [
    ("pdo->__construct(", 3),
    ("new pdo(", 3),
    ("mysqli_connect(", 3),
    ("new mysqli(", 3),
    ("mysqli->__construct(", 3),
    ("mysqli->real_connect(", 3),
    (" login('", 2),
];

/// How what somebody entered is said back: whose it is stands before.
pub(super) const ENTERED: [&str; 7] = [
    "input_value=",
    "\"input\":",
    "\"input\": ",
    "rejectedvalue\":",
    "rejected value [",
    "matched data: ",
    "securestring",
];

/// So far the call and what was entered are looked at.
const REACH: usize = 160;

fn until(text: &str, start: usize, most: usize) -> usize {
    let mut end = text.len().min(start + most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    end
}

/// What stands behind such words, where it looks like a secret.
pub(super) fn look(text: &str, behind: usize, findings: &mut Findings) {
    if behind == text.len() {
        return;
    }
    let place = values::value(text, behind, Joint::Equals, None);
    let value = &text[place.clone()];
    let is_one = is_random(value)
        || is_random_in_one_case(value)
        || is_uuid(value)
        || values::is_made_up(value)
        || value.len() > values::LONGEST_DOUBTED;
    if is_one && marks::end(text, place.start).is_none() {
        findings.add(place, marks::SECRET);
    }
}

/// The argument of a call, from what stands behind its parenthesis.
pub(super) fn look_at_call(
    text: &str,
    place: Range<usize>,
    wanted: usize,
    findings: &mut Findings,
) {
    let open = if text[place.clone()].ends_with('\'') {
        place.end - 1
    } else {
        place.end
    };
    let (mut at, end) = (open, until(text, open, REACH));
    for number in 1..=wanted {
        at += text[at..end].len() - text[at..end].trim_start_matches([' ', ',']).len();
        let Some(quote) = values::quote(text, at).filter(|quote| at + quote.len() < end) else {
            return;
        };
        let value = at + quote.len()..values::quoted_end(&text[..end], at + quote.len(), quote);
        if number == wanted {
            if !values::stands_in(&text[value.clone()]) && marks::end(text, value.start).is_none() {
                findings.add(value, marks::PASSWORD);
            }
            return;
        }
        at = end.min(value.end + quote.len());
    }
}

/// What somebody entered, where the name of a secret stands before it, or behind it in the same words.
pub(super) fn look_at_entered(text: &str, place: Range<usize>, findings: &mut Findings) {
    const NAMES: [&str; 12] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "api_key",
        "apikey",
        "private_key",
        "secret_key",
        "pwd",
        "passcode",
        "credential",
    ];
    let named = |words: &str| {
        let words = words.to_ascii_lowercase();
        NAMES.iter().any(|name| words.contains(name))
    };
    let entered = &text[place.clone()];
    let mut from = place.start.saturating_sub(REACH);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = &text[from..place.start];
    let mut at = place.end;
    if is(entered, &["matched data: "]) {
        // ModSecurity says behind it what it is.
        let words = &text[at..until(text, at, REACH)];
        let Some(length) = words.find(" found within ") else {
            return;
        };
        if named(&words[length..]) && marks::end(text, at).is_none() && length > 0 {
            findings.add(at..at + length, marks::PASSWORD);
        }
        return;
    }
    if is(entered, &["securestring"]) {
        let words = &text[at..until(text, at, 24)];
        let Some(value) = words.to_ascii_lowercase().find("value\":") else {
            return;
        };
        at += value + "value\":".len();
    } else if !named(before.rsplit('\n').next().unwrap_or_default()) {
        return;
    }
    at += text[at..].len() - text[at..].trim_start_matches(' ').len();
    if at == text.len() {
        return;
    }
    let value = values::value(text, at, Joint::Colon, None);
    let written = &text[value.clone()];
    let is_value = value.start > at
        || entered.ends_with('[')
        || written.bytes().any(|byte| byte.is_ascii_digit());
    if is_value && !values::stands_in(written) && marks::end(text, value.start).is_none() {
        findings.add(value, marks::PASSWORD);
    }
}

/// `host:5432:database:user:SECRET` of PostgreSQL's file of passwords, from what stands behind the port.
pub(super) fn look_at_pgpass(text: &str, start: usize, findings: &mut Findings) {
    let bytes = text.as_bytes();
    let line = bytes[start..].iter().take(REACH);
    let end = start
        + line
            .take_while(|byte| !byte.is_ascii_whitespace() && !b"\"'`".contains(byte))
            .count();
    let part = |from: usize| marks::first_outside(text, from..end, b':').filter(|at| *at > from);
    let Some(secret) = part(start).and_then(|at| part(at + 1)).map(|at| at + 1) else {
        return;
    };
    if secret < end && !values::stands_in(&text[secret..end]) && marks::end(text, secret).is_none()
    {
        findings.add(secret..end, marks::PASSWORD);
    }
}

/// `--user name:SECRET` of whatever program: what is neither the id nor the name of a group.
pub(super) fn look_at_user(text: &str, behind: usize, findings: &mut Findings) {
    let at = behind
        + text[behind..]
            .bytes()
            .take(2)
            .take_while(|byte| b" =".contains(byte))
            .count();
    if at == text.len() {
        return;
    }
    let place = values::value(text, at, Joint::Space, None);
    let Some(colon) = marks::first_outside(text, place.clone(), b':') else {
        return;
    };
    let value = &text[colon + 1..place.end];
    let has = |kind: fn(&u8) -> bool| value.bytes().any(|byte| kind(&byte));
    if value.len() >= 8
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
        && !is_uuid(value)
        && !value.contains(['/', ':', '.'])
    {
        findings.add(colon + 1..place.end, marks::PASSWORD);
    }
}
