//! What stands in the place of a secret: `[redacted: password]`.

use std::ops::Range;

use super::beginnings::SHAPES;
use super::tails::TAILS;
use crate::secret::HIDDEN;

/// How a mark begins.
pub(super) const BEGIN: &str = "[redacted: ";

/// What the values are that a configuration names.
pub(super) const CONFIGURED: &str = "";

pub(super) const AZURE_SECRET: &str = "Azure secret";
pub(super) const AWS_SECRET_KEY: &str = "AWS secret key";
pub(super) const COOKIE: &str = "cookie";
pub(super) const CREDENTIALS: &str = "credentials";
pub(super) const EMAIL: &str = "e-mail address";
pub(super) const JWT: &str = "JWT";
pub(super) const KEY: &str = "key";
pub(super) const PASSWORD: &str = "password";
pub(super) const PRIVATE_KEY: &str = "private key";
pub(super) const SECRET: &str = "secret";
pub(super) const SIGNATURE: &str = "signature";
pub(super) const TELEGRAM_TOKEN: &str = "Telegram token";
pub(super) const TOKEN: &str = "token";
pub(super) const WEBHOOK: &str = "webhook";

/// What can be found, but for what [`SHAPES`] names.
const OTHERS: [&str; 14] = [
    AZURE_SECRET,
    JWT,
    AWS_SECRET_KEY,
    COOKIE,
    CREDENTIALS,
    EMAIL,
    KEY,
    PASSWORD,
    PRIVATE_KEY,
    SECRET,
    SIGNATURE,
    TELEGRAM_TOKEN,
    TOKEN,
    WEBHOOK,
];

/// Writes the mark of what was there.
pub(super) fn write(what: &str, out: &mut String) {
    if what == CONFIGURED {
        out.push_str(HIDDEN);
        return;
    }
    out.push_str(BEGIN);
    out.push_str(what);
    out.push(']');
}

/// Where the mark that begins here ends. Only marks of ours count: a password may look like one.
pub(super) fn end(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    if rest.starts_with(HIDDEN) {
        return Some(at + HIDDEN.len());
    }
    let inside = rest.strip_prefix(BEGIN)?;
    let known = OTHERS
        .iter()
        .copied()
        .chain(SHAPES.iter().map(|shape| shape.what))
        .chain(TAILS.iter().map(|tail| tail.what));
    let mut ends = known.filter(|what| {
        inside
            .strip_prefix(what)
            .is_some_and(|rest| rest.starts_with(']'))
    });
    ends.next().map(|what| at + BEGIN.len() + what.len() + 1)
}

/// The first place of an ASCII character that is not inside of a mark.
pub(super) fn first_outside(text: &str, place: Range<usize>, wanted: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = place.start;
    while at < place.end {
        match bytes[at] {
            byte if byte == wanted => return Some(at),
            b'[' => at = end(text, at).unwrap_or(at + 1),
            _ => at += 1,
        }
    }
    None
}

/// Where marks of ours are in a text, in order.
pub(super) fn all_in(text: &str) -> Vec<Range<usize>> {
    let begins = text.match_indices('[');
    let marks = begins.filter_map(|(at, _)| end(text, at).map(|end| at..end));
    marks.collect()
}
