//! Secrets as they are sent: what stands behind the words of a protocol, without a name.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::findings::{Findings, is_cut};
use super::marks;
use super::values;

/// `IDENTIFIED BY 'value'` of SQL, from what stands behind it.
pub(super) fn look_at_identified(text: &str, behind: usize, findings: &mut Findings) {
    // `IDENTIFIED WITH plugin BY 'value'`, `IDENTIFIED VIA plugin USING 'value'`
    let behind = if text[..behind].ends_with(' ') {
        let plugin = text.as_bytes()[behind..].iter().take(48);
        let plugin = plugin
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
            .count();
        let rest = &text[behind + plugin..];
        let joint = [" BY", " USING", " AS", " by", " using", " as"]
            .into_iter()
            .find(|joint| rest.starts_with(joint));
        let Some(joint) = joint else {
            return;
        };
        behind + plugin + joint.len()
    } else {
        behind
    };
    let start = behind
        + text[behind..]
            .bytes()
            .take_while(|byte| *byte == b' ')
            .count();
    if start == behind || start == text.len() {
        return;
    }
    let place = values::value(text, start, values::Joint::Space, None);
    let value = &text[place.clone()];
    // Without quotes, Oracle has it, and other things are identified too.
    let bare = is_mixed(value) && text[..behind].ends_with("IDENTIFIED BY");
    let is_value = place.start > start || bare;
    if is_value && !values::stands_in(value) && marks::end(text, place.start).is_none() {
        findings.add(place, marks::PASSWORD);
    }
}

/// Whether this is made of letters and digits, as no word is.
fn is_mixed(value: &str) -> bool {
    let digit = value.bytes().any(|byte| byte.is_ascii_digit());
    let letter = value.bytes().any(|byte| byte.is_ascii_lowercase());
    digit && letter && value.len() >= 6
}

/// `AUTH SECRET` of Redis, `AUTH default SECRET`, `AUTH PLAIN SECRET` of SMTP: from what stands behind the word.
pub(super) fn look_at_auth(text: &str, word: Range<usize>, findings: &mut Findings) {
    let bytes = text.as_bytes();
    if text[word.clone()].ends_with('"') {
        quoted_auth(text, word.end - 1, findings);
        return;
    }
    let starts = word.start == 0 || b" \t\r\n\"'`>:(".contains(&bytes[word.start - 1]);
    if !starts || !text[word.clone()].starts_with("AUTH ") {
        return;
    }
    let first = values::value(text, word.end, values::Joint::Space, None);
    let methods = ["PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"];
    let by_method = methods.contains(&&text[first.clone()]);
    let is_user = values::is_word(&text[first.clone()]);
    let place = match text[first.end..].strip_prefix(' ') {
        Some(_) if by_method || is_user => {
            values::value(text, first.end + 1, values::Joint::Space, None)
        }
        _ => first,
    };
    let value = &text[place.clone()];
    if is_mixed(value) && !value.contains('-') && marks::end(text, place.start).is_none() {
        findings.add(place, marks::PASSWORD);
    }
}

/// `"AUTH" "SECRET"`, `"AUTH" "default" "SECRET"`, as Redis shows what it was sent.
fn quoted_auth(text: &str, mut at: usize, findings: &mut Findings) {
    let mut last = None;
    for _ in 0..2 {
        let Some(quote) = values::quote(text, at).filter(|quote| *quote == "\"") else {
            break;
        };
        let place = at + 1..values::quoted_end(text, at + 1, quote);
        at = text.len().min(place.end + 1);
        at += usize::from(text[at..].starts_with(' '));
        last = Some(place);
    }
    if let Some(place) = last.filter(|place| !place.is_empty())
        && !values::stands_in(&text[place.clone()])
        && marks::end(text, place.start).is_none()
    {
        findings.add(place, marks::PASSWORD);
    }
}

/// `chpasswd:\n  list: |\n    user:SECRET` of cloud-init, from what stands behind the first colon.
pub(super) fn look_at_chpasswd_list(text: &str, behind: usize, findings: &mut Findings) {
    const REACH: usize = 64;
    const MOST_LINES: usize = 32;
    let mut reach = text.len().min(behind + REACH);
    while !text.is_char_boundary(reach) {
        reach -= 1;
    }
    let Some(list) = text[behind..reach].find("list:") else {
        return;
    };
    let mut at = behind + list + "list:".len();
    for _ in 0..MOST_LINES {
        at += text[at..].len()
            - text[at..]
                .trim_start_matches([' ', '|', '>', '-', '\r', '\n', '\t'])
                .len();
        let word = text.as_bytes()[at..].iter().take(LONGEST_ACCOUNT);
        let end = at + word.take_while(|byte| !byte.is_ascii_whitespace()).count();
        let colon = marks::first_outside(text, at..end, b':')
            .filter(|colon| *colon > at && colon + 1 < end);
        let Some(colon) = colon else {
            return;
        };
        // `R` and `RANDOM` let it make one up.
        let value = &text[colon + 1..end];
        if !values::stands_in(value)
            && !matches!(value, "R" | "RANDOM")
            && marks::end(text, colon + 1).is_none()
        {
            findings.add(colon + 1..end, marks::PASSWORD);
        }
        at = end;
    }
}

/// The longest user with a password in such a list.
const LONGEST_ACCOUNT: usize = 160;

/// `echo "user:SECRET" | chpasswd`, from the bar on.
pub(super) fn look_at_chpasswd(text: &str, bar: usize, findings: &mut Findings) {
    const REACH: usize = 128;
    let bytes = text.as_bytes();
    let end = text[..bar].trim_end_matches([' ', '"', '\'']).len();
    let word = bytes[..end].iter().rev().take(REACH);
    let word = word
        .take_while(|byte| !b" \t\r\n\"'".contains(byte))
        .count();
    let start = end - word;
    let Some(colon) = marks::first_outside(text, start..end, b':') else {
        return;
    };
    if colon > start && !values::stands_in(&text[colon + 1..end]) {
        findings.add(colon + 1..end, marks::PASSWORD);
    }
}

/// How many stand from there on; more than a few are columns of a table.
fn blanks(bytes: &[u8], from: usize) -> usize {
    let few = bytes[from..].iter().take(4);
    few.take_while(|byte| **byte == b' ').count()
}

/// `Bearer TOKEN` without a header's name, from what stands behind the word.
pub(super) fn look_at_bearer(text: &str, behind: usize, findings: &mut Findings) {
    let bytes = text.as_bytes();
    let blanks = blanks(bytes, behind);
    let start = behind + blanks;
    let made = |byte: &&u8| byte.is_ascii_alphanumeric() || b"._~+/=-".contains(byte);
    let end = start + bytes[start..].iter().take_while(made).count();
    let end = start + text[start..end].trim_end_matches('.').len();
    let value = &text[start..end];
    let digit = value.bytes().any(|byte| byte.is_ascii_digit());
    let whole = value.len() >= 8 && (digit || super::shapes::mixed(value.as_bytes()));
    let cut = value.len() >= 4 && digit && is_cut(text, end);
    // `Bearer realm="…"` asks for a token.
    if blanks > 0 && (whole || cut) && !value.ends_with("realm=") {
        findings.add(start..end, marks::TOKEN);
    }
}

/// `Basic dXNlcjpwYXNz` without a header's name: what is a user and a password in base64.
pub(super) fn look_at_basic(text: &str, behind: usize, findings: &mut Findings) {
    const LONGEST: usize = 512;
    let bytes = text.as_bytes();
    let blanks = blanks(bytes, behind);
    let start = behind + blanks;
    let made = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    let length = bytes[start..].iter().take(LONGEST).take_while(made).count();
    let padding = bytes[start + length..]
        .iter()
        .take(2)
        .take_while(|byte| **byte == b'=')
        .count();
    let whole = &bytes[start..start + length - length % 4];
    let decoded = STANDARD_NO_PAD.decode(whole).unwrap_or_default();
    let is_pair = decoded.contains(&b':')
        && decoded
            .iter()
            .all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    if blanks > 0 && length >= 6 && is_pair {
        findings.add(start..start + length + padding, marks::CREDENTIALS);
    }
}
