//! What a message may show of what people wrote: a secret in the wrong place must not end up in a terminal or a log, so
//! only what can hardly be one is shown, and everything else is described.

/// The longest number, date or length of time that is shown.
const LONGEST_NUMBER: usize = 40;

/// The longest word where any value may stand. Passwords that are made for programs have 16 letters.
const LONGEST_WORD: usize = 12;

/// The longest word where one of a few known words was expected.
const LONGEST_CHOICE: usize = 20;

/// The longest name. Users choose names, and messages are of no use without them.
const LONGEST_NAME: usize = 60;

/// Words in a key whose value is a secret, or may hold one.
const SECRET_WORDS: [&str; 20] = [
    "auth",
    "authorization",
    "basic",
    "bearer",
    "body",
    "cookie",
    "credential",
    "credentials",
    "dsn",
    "header",
    "headers",
    "key",
    "pass",
    "passphrase",
    "passwd",
    "password",
    "pwd",
    "secret",
    "token",
    "webhook",
];

/// How a key ends that names a place, not the secret that lies there.
const PLACES: [&str; 3] = ["path", "file", "dir"];

/// A text in a sentence: itself if it can be no secret, else what it is.
#[must_use]
pub fn shown(text: &str) -> String {
    quoted_if(is_number_like(text) || is_word(text, LONGEST_WORD), text)
}

/// A text that stands where one of a few known words was expected.
#[must_use]
pub fn shown_choice(text: &str) -> String {
    quoted_if(is_number_like(text) || is_word(text, LONGEST_CHOICE), text)
}

/// A text that should be the name of something: of a target, a metric, a zone.
#[must_use]
pub fn shown_name(text: &str) -> String {
    quoted_if(is_name(text), text)
}

/// The path of a file that people named.
#[must_use]
pub fn shown_path(path: &std::path::Path) -> String {
    shown_name(&path.to_string_lossy())
}

/// Whether a text looks like a name that somebody chose, and not like one that was drawn by lot.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let mut parts = text.split(|c: char| !c.is_alphanumeric());
    // The ids that machines make have many.
    let changes: usize = parts.clone().map(changes_of_sort).sum();
    text.len() <= LONGEST_NAME
        && changes <= 4
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || "_-./*$[]'+ ".contains(c))
        && parts.all(is_part_of_name)
}

/// Whether the value of this key is a secret, or may hold one.
#[must_use]
pub fn may_hold_a_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let mut words = key.split(|c: char| !c.is_ascii_alphanumeric());
    let is_place = (words.clone().next_back()).is_some_and(|last| PLACES.contains(&last));
    !is_place && words.any(|word| SECRET_WORDS.contains(&word) || word == "apikey")
}

fn quoted_if(harmless: bool, text: &str) -> String {
    if harmless {
        format!("`{text}`")
    } else {
        described(text)
    }
}

/// What a text is, without a character of it.
pub(super) fn described(text: &str) -> String {
    if text.trim().is_empty() {
        return "an empty text".to_owned();
    }
    if text.contains("://") {
        return "an address".to_owned();
    }
    match text.chars().count() {
        1 => "a text of 1 character".to_owned(),
        count => format!("a text of {count} characters"),
    }
}

/// Numbers with and without units, comparisons, dates, times and cron fields.
fn is_number_like(text: &str) -> bool {
    const UNITS: [&str; 24] = [
        "ns", "us", "ms", "s", "sec", "secs", "second", "seconds", "m", "min", "mins", "minute",
        "minutes", "h", "hour", "hours", "d", "day", "days", "w", "week", "weeks", "month", "year",
    ];
    const SIGNS: &str = "*/-+,.:_<>=!% |?";
    let is_of_numbers = |run: &str| {
        let run = run.trim_end_matches(|c: char| !c.is_alphabetic());
        let run = run.to_ascii_lowercase();
        run.is_empty()
            || ["t", "z", "y", "months", "years"].contains(&&*run)
            || UNITS.contains(&&*run)
    };
    text.len() <= LONGEST_NUMBER
        && text.contains(|c: char| c.is_ascii_digit())
        && (text.chars()).all(|c| c.is_ascii_alphanumeric() || SIGNS.contains(c))
        && (text.split(|c: char| !c.is_ascii_alphabetic())).all(is_of_numbers)
}

/// A word of an ordinary language.
fn is_word(text: &str, longest: usize) -> bool {
    !text.is_empty()
        && text.chars().count() <= longest
        && text
            .chars()
            .all(|c| c.is_alphabetic() || matches!(c, '_' | '-'))
        && text.split(['_', '-']).all(is_part_of_name)
}

/// Letters and digits that people put together: `web`, `k8s`, `x86`, `apiKey`, `2026`.
fn is_part_of_name(part: &str) -> bool {
    let changes = changes_of_sort(part);
    let humps = (part.chars().zip(part.chars().skip(1)))
        .filter(|(one, next)| one.is_lowercase() && next.is_uppercase())
        .count();
    let longest = if changes == 0 {
        LONGEST_CHOICE
    } else {
        LONGEST_WORD
    };
    changes <= 2 && humps <= 3 && part.chars().count() <= longest
}

/// How often a digit follows a letter, or a letter a digit.
fn changes_of_sort(part: &str) -> usize {
    (part.chars().zip(part.chars().skip(1)))
        .filter(|(one, next)| one.is_numeric() != next.is_numeric())
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_no_secret_is_shown() {
        for text in [
            "70000",
            "-1",
            "1.5",
            "90%",
            "5s",
            "1h 30m",
            "40days",
            "5M",
            "ssh",
            "maybe",
            "> 90",
            "!= 0 | 143",
            "61 * * * *",
            "*/5 * * * *",
            "2026-12-02T06:00:00Z",
            "2026-12-02 24:00",
            "-1001234567890",
        ] {
            assert_eq!(shown(text), format!("`{text}`"));
        }
        assert_eq!(shown_choice("verify-certificate"), "`verify-certificate`");
    }

    #[test]
    fn everything_else_is_described() {
        for (text, description) in [
            ("", "an empty text"),
            (" ", "an empty text"),
            ("é1é", "a text of 3 characters"),
            ("https://u:canary@h/", "an address"),
            ("u:canary@gw/v1", "a text of 14 characters"),
            ("Bearer canary", "a text of 13 characters"),
            ("abcdefghijklmnop", "a text of 16 characters"),
            ("x7Kq9ZpL2v", "a text of 10 characters"),
            ("hunter2", "a text of 7 characters"),
            ("two words", "a text of 9 characters"),
            ("123456789:AAHcanary", "a text of 19 characters"),
            ("deadbeef00", "a text of 10 characters"),
        ] {
            assert_eq!(shown(text), description, "{text}");
        }
    }

    #[test]
    fn names_are_told_from_what_was_drawn_by_lot() {
        for name in [
            "web-1",
            "k8s",
            "local_hosts/x86-64",
            "input_per_1k",
            "X-Api-Key",
            "$.status",
            "web-*",
            "Europe/Berlin",
            "eu_central_1",
        ] {
            assert!(is_name(name), "{name}");
        }
        for secret in [
            "x7Kq9ZpL2v",
            "AKIAIOSFODNN7EXAMPLE",
            "u:pw@h",
            "123456789:AAHcanary",
            "550e8400-e29b-41d4-a716-446655440000",
            "dGhpcyBpcyBhIHNlY3JldA",
        ] {
            assert!(!is_name(secret), "{secret}");
        }
    }

    #[test]
    fn keys_of_secrets_are_known_by_their_words() {
        for key in [
            "auth",
            "headers",
            "bot_token",
            "password",
            "webhook_url",
            "api_key",
            "X-Api-Key",
            "passphrase",
            "Authorization",
        ] {
            assert!(may_hold_a_secret(key), "{key}");
        }
        for key in [
            "max_tokens",
            "ssh_key_path",
            "ca_file",
            "host",
            "keep_days",
            "name",
        ] {
            assert!(!may_hold_a_secret(key), "{key}");
        }
    }
}
