//! Values that stand some words behind the name of a secret: `password for root: …`, `API-Schlüssel ungültig: …`, `token … has
//! expired`. Whatever the words are, in whatever language, only what is random is taken for one.

use super::findings::Findings;
use super::marks;
use super::names::Name;
use super::nouns::{Noun, ends, is};
use super::random::{is_random, is_random_in_one_case, is_serial, is_uuid};

/// So far behind a name is looked.
const REACH: usize = 96;
const MOST_WORDS: usize = 12;

/// What stands around a word and is none of it.
const AROUND: [char; 24] = [
    '"', '\'', '`', '«', '»', '“', '”', '„', '‘', '’', '(', ')', '[', ']', '{', '}', '<', '>', ',',
    ';', ':', '.', '!', '?',
];

/// Words behind which something else stands that may be random: names of things and of people, and ids.
#[rustfmt::skip]
const LABELS: &[&str] = &[
    "account", "build", "bucket", "by", "client", "commit", "container", "correlation", "device", "digest", "etag", "event",
    "file", "fingerprint", "host", "image", "instance", "job", "kid", "message", "name", "namespace", "node", "object", "pod", "project",
    "queue", "ref", "reference", "request", "revision", "role", "run", "serial", "session", "sha", "span", "subject", "task",
    "tenant", "thread", "trace", "transaction", "user", "username", "version", "volume",
];

/// Looks at the words behind a name.
pub(super) fn look(text: &str, name: &Name, findings: &mut Findings) {
    let noun = name.noun;
    let can_be = noun.is_chosen()
        || matches!(noun, Noun::Token | Noun::Key | Noun::Secret)
        || noun == Noun::Perhaps(marks::SECRET);
    if !can_be {
        return;
    }
    let start = name.place.end;
    let mut end = text.len().min(start + REACH);
    let is_whole = end == text.len();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let behind = &text[start..end];
    let behind = behind.split(['\n', '\r']).next().unwrap_or_default();
    let mut label = "";
    for word in behind.split([' ', '\t', '\u{a0}']).take(MOST_WORDS) {
        if word.starts_with(marks::BEGIN) || word.starts_with(crate::secret::HIDDEN) {
            return;
        }
        let begun = word.trim_start_matches(AROUND);
        let core = begun.trim_end_matches(AROUND);
        let at = word.as_ptr() as usize - text.as_ptr() as usize + (word.len() - begun.len());
        // What was cut off by our own reach is looked at as far as it goes.
        let one_case = noun.is_chosen() && is_random_in_one_case(core);
        let uuid = noun == Noun::Token && is_uuid(core) && label.is_empty();
        let serial = noun == Noun::Key && is_serial(core);
        if (is_random(core) || one_case || uuid || serial) && !is_label(label) {
            let place = at..at + core.len();
            let rest = text.as_bytes()[place.end..].iter();
            let made = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-+/=".contains(byte);
            let more = if is_whole {
                0
            } else {
                rest.take_while(made).count()
            };
            findings.add(place.start..place.end + more, noun.mark());
            return;
        }
        // Another sentence, or another pair.
        if word.ends_with('.') || word.contains("://") || (core.contains('=') && core.len() > 1) {
            return;
        }
        if !core.is_empty() {
            label = core;
        }
    }
}

fn is_label(word: &str) -> bool {
    is(word, LABELS) || ends(word, "id")
}
