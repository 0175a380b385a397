//! Secrets in addresses: in front of the host, or in the path of a webhook. Those in the query have names.

use super::findings::{Findings, is_cut};
use super::marks;
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
    if values::is_made_up(user) && !user.contains('@') && marks::end(text, start).is_none() {
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

/// Addresses that are secrets themselves, with what they are called by: whoever has one may write.
pub(super) const WEBHOOKS: [&str; 6] = [
    "hooks.slack.com/",
    "discord.com/api/webhooks/",
    "discordapp.com/api/webhooks/",
    "webhook.office.com/webhookb2/",
    "hooks.zapier.com/hooks/catch/",
    "chat.googleapis.com/v1/spaces/",
];

/// What stands behind the beginning of such an address.
pub(super) fn look_at_webhook(text: &str, start: usize, findings: &mut Findings) {
    let path = text[start..].bytes();
    let path = path.take_while(|byte| byte.is_ascii_alphanumeric() || b"/_-@.?=&%".contains(byte));
    let end = start + path.count();
    let end = start + text[start..end].trim_end_matches('.').len();
    if end - start >= 12 {
        findings.add(start..end, marks::WEBHOOK);
    }
}

/// `123456789:AA…`, from the colon on.
pub(super) fn look_at_telegram(text: &str, colon: usize, findings: &mut Findings) {
    const SHORTEST: usize = 30;
    let bytes = text.as_bytes();
    let digits = bytes[..colon]
        .iter()
        .rev()
        .take(16)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if !(6..=14).contains(&digits) || !text[colon..].starts_with(":AA") {
        return;
    }
    let made = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
    let length = bytes[colon + 1..].iter().take_while(made).count();
    let end = colon + 1 + length;
    if length >= SHORTEST || (length >= 6 && is_cut(text, end)) {
        findings.add(colon - digits..end, marks::TELEGRAM_TOKEN);
    }
}

/// `name@example.com`, from the `@`.
pub(super) fn look_at_email(text: &str, at: usize, findings: &mut Findings) {
    const LONGEST_LOCAL: usize = 64;
    const LONGEST_DOMAIN: usize = 253;
    // `getty@tty1.service` is a unit of systemd.
    const UNITS: [&str; 6] = [
        ".service", ".socket", ".timer", ".mount", ".slice", ".target",
    ];
    let bytes = text.as_bytes();
    let local = |byte: &&u8| byte.is_ascii_alphanumeric() || b"._%+-".contains(byte);
    let before = bytes[..at]
        .iter()
        .rev()
        .take(LONGEST_LOCAL)
        .take_while(local)
        .count();
    let host = |byte: &&u8| byte.is_ascii_alphanumeric() || b".-".contains(byte);
    let behind = bytes[at + 1..]
        .iter()
        .take(LONGEST_DOMAIN)
        .take_while(host)
        .count();
    let domain = text[at + 1..at + 1 + behind].trim_end_matches(['.', '-']);
    let top = domain.rsplit_once('.').map_or("", |(_, top)| top);
    let is_domain = top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic());
    if before > 0 && is_domain && !UNITS.iter().any(|unit| domain.ends_with(unit)) {
        findings.add(at - before..at + 1 + domain.len(), marks::EMAIL);
    }
}
