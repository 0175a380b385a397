//! Headers whose values have parts: `Authorization` and `Cookie`.

use super::code::is_code;
use super::findings::Findings;
use super::joints::{Joined, joined};
use super::marks;
use super::names::{Name, quote_before};
use super::nouns::is;
use super::values::{self, Joint};

/// `Authorization: Bearer …`, in a header, a member or a flag.
pub(super) fn authorization(text: &str, name: &Name, findings: &mut Findings) {
    let Some(Joined { at, joint, quote }) = joined(text, name) else {
        return;
    };
    if joint == Joint::Space {
        return;
    }
    let around = quote_around(text, name, quote);
    let mut start = at;
    let mut end = None;
    if let Some(quote) = values::quote(text, at) {
        start = at + quote.len();
        end = Some(values::value(text, at, joint, None).end);
    } else if text[at..].starts_with('[') && marks::end(text, at).is_none() {
        start = at + 1;
        let list = values::quoted_end(text, start, "]");
        end = Some(start + text[start..list].trim_end_matches(['"', '\'', '\\']).len());
        while let Some(quote) =
            values::quote(text, start).filter(|quote| start + quote.len() < text.len())
        {
            start += quote.len();
        }
    } else if let Some(quote) = around {
        end = Some(values::quoted_end(text, at, quote));
    }
    let scheme = text[start..]
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
        .count();
    let word = &text[start..start + scheme];
    let behind = start + scheme;
    let parts = [
        "digest",
        "aws4-hmac-sha256",
        "oauth",
        "hawk",
        "signature",
        "negotiate",
    ];
    let one = [
        "bearer",
        "basic",
        "token",
        "apikey",
        "key",
        "geniekey",
        "splunk",
        "sharedaccesssignature",
        "sso-key",
        "bot",
    ];
    let scheme_known = is(word, &parts) || is(word, &one) || is_scheme(word, &text[behind..]);
    if scheme_known && text[behind..].starts_with(' ') {
        start = behind + 1;
        if end.is_none() && is(word, &parts) {
            end = Some(values::end_of_line(text, start));
        }
    }
    let end = end
        .unwrap_or_else(|| values::value(text, start, Joint::Equals, None).end)
        .max(start);
    let value = &text[start..end];
    let code = at == start && is_code(text, &(start..end));
    let spoken = !scheme_known && (values::is_word(value) || value.contains(' ') || code);
    if value.len() > values::LONGEST_DOUBTED || (!values::stands_in(value) && !spoken) {
        findings.add(
            start..end,
            if is(word, &["bearer", "token"]) {
                marks::TOKEN
            } else {
                marks::CREDENTIALS
            },
        );
    }
}

/// Whether a word is one that nobody knows, in front of what machines make up.
fn is_scheme(word: &str, behind: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphabetic() || byte == b'-';
    let made = |byte: &u8| byte.is_ascii_alphanumeric() || b"._~+/=-".contains(byte);
    let Some(next) = behind.strip_prefix(' ') else {
        return false;
    };
    if next.starts_with(marks::BEGIN) {
        return true;
    }
    let next = &next[..next.bytes().take(64).take_while(made).count()];
    (2..=16).contains(&word.len())
        && word.bytes().all(letters)
        && next.len() >= 8
        && next.bytes().any(|byte| byte.is_ascii_digit())
}

/// `Cookie: a=b; c=d`, and `Set-Cookie: a=b; Path=/`.
pub(super) fn cookie(text: &str, name: &Name, findings: &mut Findings) {
    let Some(Joined { at, joint, quote }) = joined(text, name) else {
        return;
    };
    let around = quote_around(text, name, quote);
    let quoted = values::quote(text, at).is_some() || text[at..].starts_with('[');
    let mut place = if quoted && marks::end(text, at).is_none() {
        values::value(text, at, joint, None)
    } else if let Some(quote) = around {
        at..values::quoted_end(text, at, quote)
    } else {
        at..pairs_end(text, at)
    };
    if place.start >= place.end {
        return;
    }
    let value = &text[place.clone()];
    if value.contains('=') || value.len() > values::LONGEST_DOUBTED {
        place.end = place.start + value.trim_end().len();
        findings.add(place, marks::COOKIE);
    }
}

/// Where pairs that are separated by semicolons end.
fn pairs_end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = start;
    loop {
        let word = bytes[at..]
            .iter()
            .take_while(|byte| !byte.is_ascii_whitespace() && !b"\"`".contains(byte));
        let end = at + word.count();
        let goes_on = end > at && bytes[end - 1] == b';' && bytes.get(end) == Some(&b' ');
        if !goes_on {
            return end;
        }
        at = end + 1;
    }
}

/// The quote in which a name stands together with its value.
fn quote_around<'text>(text: &'text str, name: &Name, own: Option<&str>) -> Option<&'text str> {
    if own.is_some() {
        return None;
    }
    quote_before(text, name.place.start)
}
