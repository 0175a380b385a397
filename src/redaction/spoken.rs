//! Secrets that are said in a sentence: `wrong password …`, `Incorrect API key provided: …`.

use std::ops::Range;

use super::code::is_constant;
use super::names::Name;
use super::nouns::{Noun, is};
use super::values;

/// What stands between the name and the value of a password or a token.
const VERBS: &[&str] = &[
    "is: ",
    "is ",
    "was ",
    "set to ",
    "is set to ",
    "was set to ",
    "changed to ",
    "was changed to ",
    "changed successfully to ",
    "reset to ",
    "was reset to ",
    "provided: ",
    "given: ",
    "- ",
    // As Jenkins and MySQL say it.
    "to proceed to installation: ",
    "is generated for root@localhost: ",
];

/// The longest name of somebody.
const LONGEST_NAME: usize = 64;

/// `password is value`, `token value`, `PASSWORD value`: where the value begins. `behind` is where the blanks behind the name
/// end.
pub(super) fn said(text: &str, name: &Name, behind: usize) -> Option<usize> {
    let noun = name.noun;
    let can_be_said = noun.is_chosen() || noun == Noun::Token || name.spoken;
    let start = of_somebody(text, behind);
    let after_a_verb = VERBS
        .iter()
        .filter_map(|verb| after(text, start, verb))
        .max();
    if let Some(at) = after_a_verb.filter(|_| can_be_said) {
        return Some(at);
    }
    // `set -x PGPASSWORD value`
    let variable = noun.is_chosen()
        && is_constant(&text[name.place.clone()])
        && !text[behind..].starts_with('(');
    let value = values::value(text, behind, values::Joint::Said, None);
    let value_is_plain = value.start == behind;
    let is_value = match noun {
        Noun::Token => true,
        _ if name.spoken || noun.is_chosen() => {
            variable || !value_is_plain || is_mixed(&text[value])
        }
        _ => false,
    };
    is_value.then_some(behind)
}

/// Behind `for ann`, or `for user ann`, if that stands here.
fn of_somebody(text: &str, at: usize) -> usize {
    let Some(rest) = text[at..].strip_prefix("for ") else {
        return at;
    };
    let rest = rest.strip_prefix("user ").unwrap_or(rest);
    let reach = rest.bytes().take(LONGEST_NAME);
    let length = reach.take_while(|byte| !byte.is_ascii_whitespace()).count();
    match rest.as_bytes().get(length) {
        Some(b' ') => text.len() - rest.len() + length + 1,
        _ => at,
    }
}

/// Behind a verb, and all blanks and ends of lines where it ends so.
fn after(text: &str, at: usize, verb: &str) -> Option<usize> {
    let rest = text[at..].strip_prefix(verb.trim_end())?;
    let blanks = rest.bytes().take(8);
    let blanks = blanks.take_while(u8::is_ascii_whitespace).count();
    (blanks > 0).then_some(text.len() - rest.len() + blanks)
}

/// Whether this has capitals, small letters and digits, as words of a sentence have not.
pub(super) fn is_mixed(value: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| value.bytes().any(|byte| kind(&byte));
    value.len() >= 8
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
}

/// Whether `key` is the end of a name of two words: `API key`, `api.key`; and whether that is said in a sentence.
pub(super) fn key_before(text: &str, key: &Range<usize>) -> Option<bool> {
    const BEFORE: [&str; 8] = [
        "access",
        "api",
        "auth",
        "encryption",
        "license",
        "private",
        "secret",
        "signing",
    ];
    if !is(&text[key.clone()], &["key"]) {
        return None;
    }
    let (rest, sign) = match text.as_bytes()[..key.start].split_last()? {
        (b' ', _) => (key.start - 1, true),
        (b'.', _) => (key.start - 1, false),
        _ => return None,
    };
    let word = text.as_bytes()[..rest].iter().rev().take(12);
    let length = word.take_while(|byte| byte.is_ascii_alphabetic()).count();
    is(&text[rest - length..rest], &BEFORE).then_some(sign)
}
