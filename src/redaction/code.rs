//! What stands behind a name and is no value: code, the name of something, a file.

use std::ops::Range;

use super::nouns::ends;

/// Whether this reads as the name of something.
pub(super) fn is_identifier(value: &str) -> bool {
    value
        .bytes()
        .all(|byte| byte.is_ascii_alphabetic() || b"_-.:<>&'/".contains(&byte))
}

/// Whether this is written as what stands for something else: `PASSWORD`.
pub(super) fn is_constant(value: &str) -> bool {
    value.len() > 2
        && value
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// Whether this is where a secret lies, not the secret.
pub(super) fn is_file(value: &str) -> bool {
    let ends = [
        ".pem", ".key", ".crt", ".cer", ".p12", ".pfx", ".jks", ".json", ".pub", ".txt", ".yaml",
        ".yml",
    ];
    value.starts_with('/')
        || value.starts_with("~/")
        || value.starts_with("./")
        || ends.iter().any(|end| value.ends_with(end))
}

/// Whether this is code: a call, a type with parameters, a path of names.
pub(super) fn is_code(text: &str, place: &Range<usize>) -> bool {
    let value = &text[place.clone()];
    let inner = value.trim_start_matches(['(', '&', '*']);
    let name = inner
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_.:".contains(byte))
        .count();
    let rest = &inner[name..];
    let followed = |open: char| {
        rest.starts_with(open) || (rest.is_empty() && text[place.end..].starts_with(open))
    };
    let is_member = |part: &str| {
        part.len() > 1
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    // A type, as in `token: BotToken`.
    let mut humps = inner.bytes();
    let ends_in = ["token", "secret", "key", "password", "string", "value"];
    let is_type = humps.next().is_some_and(|byte| byte.is_ascii_uppercase())
        && inner.bytes().all(|byte| byte.is_ascii_alphabetic())
        && ends_in.iter().any(|end| ends(inner, end));
    (name > 0 && (followed('(') || rest.starts_with('<') || rest.starts_with("[\"")))
        || (rest.is_empty() && inner.contains("::"))
        || (rest.is_empty() && inner.contains('.') && inner.split('.').all(is_member))
        || is_type
        || value.bytes().all(|byte| b"({[|&".contains(&byte))
}
