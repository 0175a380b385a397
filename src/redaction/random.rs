//! What nobody says and nobody names a thing: letters and digits as machines throw them. Stricter than [`super::values::is_made_up`],
//! for places where nothing but words stands between a name and its value.

use super::values;

const SHORTEST: usize = 12;
const SHORTEST_IN_ONE_CASE: usize = 16;
const LONGEST: usize = 512;

/// How often letters and digits, or small letters and capitals, follow each other: once in so many characters, or more often.
const CHANGES_IN: usize = 4;

/// Whether this is random, in capitals, small letters and digits.
pub(super) fn is_random(value: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| value.bytes().any(|byte| kind(&byte));
    is_made(value, SHORTEST)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && (runs_of_digits(value) > 1 || value.len() >= 20)
        && changes(value) * CHANGES_IN >= value.len()
        && letters_of_words(value) * 5 <= value.len() * 2
}

/// Whether this is random, in capitals or small letters only. What is hexadecimal may be a digest, and dashes stand in names of
/// things.
pub(super) fn is_random_in_one_case(value: &str) -> bool {
    is_made(value, SHORTEST_IN_ONE_CASE)
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && !value.bytes().all(|byte| byte.is_ascii_hexdigit())
        && runs_of_digits(value) > 1
        && changes(value) * CHANGES_IN >= value.len()
}

/// Whether this is a UUID.
pub(super) fn is_uuid(value: &str) -> bool {
    const PARTS: [usize; 5] = [8, 4, 4, 4, 12];
    let hexadecimal = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    value.len() == 36
        && value.split('-').map(str::len).eq(PARTS)
        && value.split('-').all(hexadecimal)
}

/// Whether this is what somebody bought: groups of capitals and digits, `3QH4M-E437J-BQD7K`.
pub(super) fn is_serial(value: &str) -> bool {
    let mut groups = value.split('-');
    let first = groups.next().map_or(0, str::len);
    let made = |group: &str| {
        group
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    (4..=8).contains(&first)
        && groups.clone().count() >= 2
        && groups.all(|group| group.len() == first)
        && value.split('-').all(made)
        && runs_of_digits(value) > 1
}

fn is_made(value: &str, shortest: usize) -> bool {
    let made = |byte: u8| byte.is_ascii_alphanumeric() || b"_-+/!#%*^~$".contains(&byte);
    let value = value.trim_end_matches('=');
    (shortest..=LONGEST).contains(&value.len())
        && value.bytes().all(made)
        && !value.starts_with('/')
        && !is_uuid(value)
        && !values::stands_in(value)
}

fn changes(value: &str) -> usize {
    let is_change = |pair: &&[u8]| {
        let (one, next) = (pair[0], pair[1]);
        let digit = one.is_ascii_digit() && next.is_ascii_alphabetic();
        let letter = one.is_ascii_alphabetic() && next.is_ascii_digit();
        digit || letter || (one.is_ascii_lowercase() && next.is_ascii_uppercase())
    };
    value.as_bytes().windows(2).filter(is_change).count()
}

/// How many letters follow each other as those of a word do: `rotateSecretV2` is no secret.
fn letters_of_words(value: &str) -> usize {
    const SHORTEST_WORD: usize = 4;
    let runs = value.split(|c: char| !c.is_ascii_lowercase());
    runs.map(str::len)
        .filter(|length| *length >= SHORTEST_WORD)
        .sum()
}

fn runs_of_digits(value: &str) -> usize {
    let runs = value.split(|c: char| !c.is_ascii_digit());
    runs.filter(|run| !run.is_empty()).count()
}
