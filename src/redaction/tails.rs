//! Tokens that are told by what stands in their middle, or at their end.

use super::escapes;
use super::findings::{Findings, is_cut};
use super::marks;

/// What stands in the middle or at the end of a token, and what stands before and behind it.
pub(super) struct Tail {
    /// What stands there, in this case.
    pub(super) sign: &'static str,
    pub(super) what: &'static str,
    /// What the characters before it are.
    before: fn(u8) -> bool,
    /// The fewest and the most of them.
    least: usize,
    most: usize,
    /// What the characters behind it are, and the fewest of them.
    behind: fn(u8) -> bool,
    rest: usize,
}

const fn tail(
    what: &'static str,
    sign: &'static str,
    (before, least, most): (fn(u8) -> bool, usize, usize),
    (behind, rest): (fn(u8) -> bool, usize),
) -> Tail {
    Tail {
        sign,
        what,
        before,
        least,
        most,
        behind,
        rest,
    }
}

fn none(_: u8) -> bool {
    false
}

fn digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

fn hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

fn letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-".contains(&byte)
}

fn crypt(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)
}

/// All that are known.
#[rustfmt::skip]
pub(super) const TAILS: &[Tail] = &[
    tail("Mailchimp key", "-us", (hex, 32, 32), (digit, 1)),
    tail("Terraform token", ".atlasv1.", (letter, 14, 14), (word, 40)),
    tail("New Relic key", "NRAL", (letter, 36, 36), (none, 0)),
    tail("Firebase key", ":APA91b", (word, 8, 40), (word, 40)),
    tail("Azure DevOps token", "AZDO", (letter, 60, 90), (letter, 4)),
    tail("Azure key", "AzSe", (letter, 36, 46), (letter, 5)),
    tail("Azure key", "AzCa", (crypt, 40, 44), (crypt, 6)),
];

/// Looks at what stands around such a sign.
pub(super) fn look(tail: &Tail, text: &str, at: usize, findings: &mut Findings) {
    let bytes = text.as_bytes();
    let behind = at + tail.sign.len();
    if !text[at..].starts_with(tail.sign) {
        return;
    }
    let made = |byte: &&u8| (tail.before)(**byte);
    let before = bytes[..at].iter().rev().take(tail.most + 12);
    let begun = at - before.take_while(made).count();
    let before = at - escapes::behind(bytes, begun, at);
    if !(tail.least..=tail.most).contains(&before) {
        return;
    }
    let made = |byte: &&u8| (tail.behind)(**byte);
    let length = bytes[behind..].iter().take_while(made).count();
    let end = behind + length;
    let goes_on = bytes.get(end).is_some_and(|byte| letter(*byte));
    if !bytes[at - before..end].iter().any(u8::is_ascii_digit) {
        return;
    }
    if (length >= tail.rest && !goes_on) || (length < tail.rest && is_cut(text, end)) {
        findings.add(at - before..end, tail.what);
    }
}

/// The hashes of a line of Windows' store of passwords, from the colons behind them: `ann:500:…:…:::`.
pub(super) fn look_at_ntlm(text: &str, at: usize, findings: &mut Findings) {
    const HALF: usize = 32;
    let Some(start) = at.checked_sub(2 * HALF + 1) else {
        return;
    };
    let hashes = &text.as_bytes()[start..at];
    let hexadecimal = |half: &[u8]| half.iter().all(u8::is_ascii_hexdigit);
    if hexadecimal(&hashes[..HALF]) && hashes[HALF] == b':' && hexadecimal(&hashes[HALF + 1..]) {
        findings.add(start..at, "hash of a password");
    }
}

/// A token of Airtable: `pat`, 14 characters, a point, and 64 hexadecimal ones.
pub(super) fn look_at_airtable(text: &str, start: usize, findings: &mut Findings) {
    const ID: usize = 14;
    const SHORTEST: usize = 24;
    let bytes = text.as_bytes();
    let inside = !escapes::word_begins(bytes, start);
    let point = start + 3 + ID;
    let is_id = |id: &[u8]| id.iter().all(|byte| letter(*byte));
    if inside || bytes.get(point) != Some(&b'.') || !is_id(&bytes[start + 3..point]) {
        return;
    }
    let secret = bytes[point + 1..].iter().take_while(|byte| hex(**byte));
    let end = point + 1 + secret.count();
    if end > point + SHORTEST || (end > point + 4 && is_cut(text, end)) {
        findings.add(start..end, marks::TOKEN);
    }
}

/// A token of a bot of Discord: the id of the bot in base64, which is made of digits, a time, and a signature.
pub(super) fn look_at_discord(text: &str, start: usize, findings: &mut Findings) {
    let bytes = text.as_bytes();
    let inside = start > 0 && word(bytes[start - 1]);
    if (inside && !escapes::is_behind_one(bytes, start))
        || !DISCORD.contains(&&text[start..start + 3])
    {
        return;
    }
    let part = |from: usize| {
        let part = bytes.get(from..).unwrap_or_default().iter().take(80);
        from + part.take_while(|byte| word(**byte)).count()
    };
    let id = part(start);
    let time = part(id + 1);
    let end = part(time + 1);
    let points = bytes.get(id) == Some(&b'.') && bytes.get(time) == Some(&b'.');
    let whole = end > time + 25 || (end > time + 4 && is_cut(text, end));
    if points && (23..=28).contains(&(id - start)) && time - id == 7 && whole {
        findings.add(start..end, marks::TOKEN);
    }
}

/// What the id of a bot of Discord begins with: the first two digits, in base64.
#[rustfmt::skip]
pub(super) const DISCORD: [&str; 90] = [
    "MTA", "MTE", "MTI", "MTM", "MTQ", "MTU", "MTY", "MTc", "MTg", "MTk", "MjA", "MjE", "MjI", "MjM", "MjQ",
    "MjU", "MjY", "Mjc", "Mjg", "Mjk", "MzA", "MzE", "MzI", "MzM", "MzQ", "MzU", "MzY", "Mzc", "Mzg", "Mzk",
    "NDA", "NDE", "NDI", "NDM", "NDQ", "NDU", "NDY", "NDc", "NDg", "NDk", "NTA", "NTE", "NTI", "NTM", "NTQ",
    "NTU", "NTY", "NTc", "NTg", "NTk", "NjA", "NjE", "NjI", "NjM", "NjQ", "NjU", "NjY", "Njc", "Njg", "Njk",
    "NzA", "NzE", "NzI", "NzM", "NzQ", "NzU", "NzY", "Nzc", "Nzg", "Nzk", "ODA", "ODE", "ODI", "ODM", "ODQ",
    "ODU", "ODY", "ODc", "ODg", "ODk", "OTA", "OTE", "OTI", "OTM", "OTQ", "OTU", "OTY", "OTc", "OTg", "OTk",
];

/// The secret of an application of Azure, from `Q~` in it: three characters and a digit before, 31 to 34 behind.
pub(super) fn look_at_azure(text: &str, at: usize, findings: &mut Findings) {
    let bytes = text.as_bytes();
    let made = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_.~-".contains(byte);
    let before = bytes[..at].iter().rev().take(5).take_while(made).count();
    let behind = bytes[at + 2..].iter().take(40).take_while(made).count();
    let version = at.checked_sub(1).map(|digit| bytes[digit]);
    let whole = (30..=35).contains(&behind) || (behind >= 6 && is_cut(text, at + 2 + behind));
    let begins = before == 4 || (before == 5 && escapes::is_behind_one(bytes, at - 4));
    if begins && matches!(version, Some(b'7' | b'8')) && text[at..].starts_with("Q~") && whole {
        findings.add(at - 4..at + 2 + behind, marks::AZURE_SECRET);
    }
}
