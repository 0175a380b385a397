//! Secrets in addresses: in front of the host, or in the path of a webhook. Those in the query have names.

use std::ops::Range;

use super::findings::{Findings, has_ellipsis, is_cut};
use super::marks;
use super::random;
use super::values;

/// So far behind `://` is searched for the `@`.
const LONGEST_AUTHORITY: usize = 512;

fn is_outside(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b"\"'`<>|".contains(&byte)
}

/// `scheme://user:password@host`, from what stands behind `://`.
pub(super) fn look_at_authority(text: &str, start: usize, findings: &mut Findings) {
    let bytes = text.as_bytes();
    if bytes.get(start) == Some(&b'[') && marks::end(text, start).is_none() {
        return;
    }
    let window = &bytes[start..bytes.len().min(start + LONGEST_AUTHORITY)];
    // A mark holds blanks.
    let (mut length, mut marked) = (0, false);
    while length < window.len() && !is_outside(window[length]) {
        length = match marks::end(text, start + length) {
            Some(end) if window[length] == b'[' => {
                marked = true;
                end - start
            }
            _ => length + 1,
        };
    }
    let word = &bytes[start..(start + length).min(bytes.len())];
    let host_end = word
        .iter()
        .position(|byte| b"/?#\\".contains(byte))
        .unwrap_or(word.len());
    let authority = &word[..host_end];
    let colon = marks::first_outside(text, start..start + host_end, b':').map(|at| at - start);
    if let Some(at) = authority.iter().rposition(|byte| *byte == b'@') {
        user_info(text, start, start + at, findings);
        return;
    }
    // What looks like the port of a host, and is none: a password with a slash in it, or one that was cut.
    let Some(colon) = colon else { return };
    let port = &authority[colon + 1..];
    let digits = port.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if port.is_empty()
        || digits == port.len()
        || !port[digits].is_ascii_graphic()
        || b",;)]}.".contains(&port[digits])
    {
        return;
    }
    if let Some(at) = word.iter().rposition(|byte| *byte == b'@') {
        user_info(text, start, start + at, findings);
    } else if !marked && host_end == word.len() && is_cut(text, start + word.len()) {
        findings.add(start + colon + 1..start + word.len(), marks::PASSWORD);
    }
}

fn user_info(text: &str, start: usize, end: usize, findings: &mut Findings) {
    let user_end = marks::first_outside(text, start..end, b':').unwrap_or(end);
    let password_start = end.min(user_end + 1);
    let (user, password) = (&text[start..user_end], &text[password_start..end]);
    if !values::stands_in(password) && marks::end(text, password_start).is_none() {
        findings.add(password_start..end, marks::PASSWORD);
    }
    // A token in the place of the user, as Git and Sentry have it.
    let is_token = values::is_made_up(user) || (random::is_uuid(user) && password.is_empty());
    if is_token && !user.contains('@') && marks::end(text, start).is_none() {
        findings.add(start..user_end, marks::TOKEN);
    }
}

/// `user:password@tcp(host:3306)`, which Go writes: from the `@` backwards.
pub(super) fn look_at_go(text: &str, at: usize, findings: &mut Findings) {
    const REACH: usize = 160;
    let bytes = text.as_bytes();
    let word = bytes[..at]
        .iter()
        .rev()
        .take(REACH)
        .take_while(|byte| !is_outside(**byte));
    let start = at - word.count();
    if let Some(colon) = bytes[start..at].iter().position(|byte| *byte == b':') {
        let password = start + colon + 1;
        if !bytes[password..at].starts_with(b"//") && !values::stands_in(&text[password..at]) {
            findings.add(password..at, marks::PASSWORD);
        }
    }
}

/// `sip:user:password@host`: an address without slashes, from its scheme on.
pub(super) fn look_at_account(text: &str, scheme: Range<usize>, findings: &mut Findings) {
    const LONGEST: usize = 256;
    let bytes = text.as_bytes();
    let start = scheme.end;
    let word = bytes[start..].iter().take(LONGEST);
    let end = start
        + word
            .take_while(|byte| !is_outside(**byte) && **byte != b'/')
            .count();
    let part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let inside = scheme.start > 0 && part(bytes[scheme.start - 1]);
    if inside || text[start..].starts_with('[') {
        return;
    }
    if let Some(at) = bytes[start..end].iter().rposition(|byte| *byte == b'@') {
        user_info(text, start, start + at, findings);
    }
}

/// `https%3A%2F%2Fuser%3Apassword%40host`, from what stands behind the slashes.
pub(super) fn look_at_escaped(text: &str, start: usize, findings: &mut Findings) {
    const LONGEST: usize = 256;
    let word = text.as_bytes()[start..].iter().take(LONGEST);
    let word = word.take_while(|byte| !is_outside(**byte) && !b"&/?".contains(byte));
    let mut end = start + word.count();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let word = &text[start..end];
    let Some(at) = word.find("%40") else { return };
    let colon = word[..at].find("%3A").or_else(|| word[..at].find("%3a"));
    let Some(colon) = colon else { return };
    let place = start + colon + 3..start + at;
    if !values::stands_in(&text[place.clone()]) && marks::end(text, place.start).is_none() {
        findings.add(place, marks::PASSWORD);
    }
}

/// `user/password@//host:1521/service`, from the `@` backwards.
pub(super) fn look_at_oracle_from_behind(text: &str, at: usize, findings: &mut Findings) {
    const REACH: usize = 96;
    let bytes = text.as_bytes();
    let word = bytes[..at].iter().rev().take(REACH);
    let start = at - word.take_while(|byte| !is_outside(**byte)).count();
    let slash = bytes[start..at].iter().position(|byte| *byte == b'/');
    let Some(slash) = slash.filter(|slash| *slash > 0) else {
        return;
    };
    let place = start + slash + 1..at;
    let is_address = bytes[place.clone()].starts_with(b"/") || bytes[place.clone()].contains(&b']');
    if !is_address && text.is_char_boundary(place.start) && !values::stands_in(&text[place.clone()])
    {
        findings.add(place, marks::PASSWORD);
    }
}

/// Where an ellipsis stands in the place of the rest.
fn cut_before(text: &str, start: usize, end: usize) -> Option<usize> {
    let ellipsis = text.get(start..end)?.find(['…', '/'])?;
    has_ellipsis(text, start + ellipsis).then_some(start + ellipsis)
}

/// `jdbc:oracle:thin:user/password@…`, `sqlplus user/password@…`, from where the user stands.
pub(super) fn look_at_oracle(text: &str, start: usize, findings: &mut Findings) {
    const LONGEST: usize = 160;
    let word = text.as_bytes()[start..].iter().take(LONGEST);
    let word = word.take_while(|byte| !is_outside(**byte)).count();
    let end = start + word;
    let slash = marks::first_outside(text, start..end, b'/');
    let Some(slash) = slash.filter(|at| *at > start) else {
        return;
    };
    let at = marks::first_outside(text, slash + 1..end, b'@');
    let Some(at) = at.or_else(|| cut_before(text, slash + 1, end)) else {
        return;
    };
    if !values::stands_in(&text[slash + 1..at]) {
        findings.add(slash + 1..at, marks::PASSWORD);
    }
}
