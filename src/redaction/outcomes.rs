//! What stands behind `pass` and `passphrase` and is no secret: names of tests, counts, sentences.

use std::ops::Range;

use super::joints::Joined;
use super::names::Name;
use super::values::{self, Joint, WORDS};

/// Whether a count or the name of a test stands behind `pass`.
pub(super) fn is_outcome(text: &str, name: &Name, joined: &Joined, place: &Range<usize>) -> bool {
    let written = &text[name.place.clone()];
    if !written.eq_ignore_ascii_case("pass") || joined.at < place.start {
        return false;
    }
    let value = &text[place.clone()];
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Four digits and more may be a number that somebody knows by heart.
        return joined.joint == Joint::Colon || value.len() < 4 || counts_others(text, place.end);
    }
    // `PASS: test_login (0.02s)`
    written == "PASS" && joined.joint == Joint::Colon && is_test(value)
}

/// `pass=1200 fail=3`
fn counts_others(text: &str, at: usize) -> bool {
    let rest = text[at..].trim_start_matches([' ', ',', ';']);
    let others = ["fail", "skip", "warn", "error", "total"];
    others.iter().any(|other| rest.starts_with(other))
}

/// Whether this is made of several words, each with a number at most, as names of tests are.
fn is_test(value: &str) -> bool {
    let value = value.trim_end_matches([':', '.', ',']);
    let is_word = |part: &str| {
        let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
        letters.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let parts = value.split(['_', '-', '.', '/', ':']);
    (parts.clone().count() > 1 || value.to_ascii_lowercase().starts_with("test"))
        && parts.into_iter().all(is_word)
}

/// Whether somebody speaks of a passphrase here: `required for /root/.ssh/id_ed25519`.
pub(super) fn is_sentence(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    let mut is_said = || {
        words.next().is_none_or(|word| {
            let word = word.trim_end_matches([',', '.', ';', ':']);
            WORDS.iter().any(|known| known.eq_ignore_ascii_case(word))
                || word.starts_with(['(', '/'])
        })
    };
    is_said() && is_said()
}

/// Whether this is in parentheses, and says what is there instead of a secret: `(none)`, `(sensitive value)`.
pub(super) fn is_remark(value: &str) -> bool {
    const REMARKS: [&str; 9] = [
        "blank",
        "elided",
        "encrypted",
        "hidden",
        "known",
        "omitted",
        "sensitive",
        "unchanged",
        "using",
    ];
    let inside = value
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    let mut known = WORDS.iter().chain(&REMARKS);
    inside.is_some_and(|inside| {
        if is_state(inside) {
            return true;
        }
        let first = inside.split([' ', ',', ':']).next().unwrap_or_default();
        values::is_word(&inside.replace(' ', "-").to_ascii_lowercase())
            && known.any(|word| word.eq_ignore_ascii_case(first))
    })
}

/// Whether this is a state of SQL, which a server says behind a message: `XX000`.
fn is_state(value: &str) -> bool {
    value.len() == 5
        && value
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}
