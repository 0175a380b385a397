//! What a name says of the value that stands behind it.

use super::marks;

/// What a name says of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noun {
    Password,
    /// May hold blanks.
    Passphrase,
    Token,
    Key,
    Secret,
    Signature,
    /// What is sent to somebody's telephone.
    Code,
    /// Secret only where it looks so.
    Perhaps(&'static str),
    /// Secret only where it can be nothing else.
    Random(&'static str),
    /// What goes with the id of a role, a UUID.
    SecretId,
    Authorization,
    Cookie,
}

impl Noun {
    /// What the value is called.
    pub(super) fn mark(self) -> &'static str {
        match self {
            Self::Password | Self::Passphrase | Self::Code => marks::PASSWORD,
            Self::Token => marks::TOKEN,
            Self::Key => marks::KEY,
            Self::Secret | Self::SecretId => marks::SECRET,
            Self::Signature => marks::SIGNATURE,
            Self::Perhaps(what) | Self::Random(what) => what,
            Self::Authorization => marks::CREDENTIALS,
            Self::Cookie => marks::COOKIE,
        }
    }

    /// Whether it may hold blanks. People choose passwords, and short ones; machines make up the others.
    pub(super) fn is_chosen(self) -> bool {
        matches!(self, Self::Password | Self::Passphrase)
    }

    /// The shortest value that is one.
    pub(super) fn shortest(self) -> usize {
        match self {
            Self::Password | Self::Passphrase | Self::Authorization | Self::Cookie => 1,
            Self::Token | Self::Key | Self::Secret | Self::Code => 6,
            Self::Signature => 10,
            Self::Perhaps(_) | Self::SecretId => 8,
            Self::Random(_) => 12,
        }
    }
}

/// The words of a name: `PGPASSWORD`, `api_key`, `AccountKey`.
fn words(name: &str) -> Vec<&str> {
    let bytes = name.as_bytes();
    let mut words = Vec::with_capacity(4);
    let mut start = 0;
    for at in 0..=bytes.len() {
        let separator = at < bytes.len() && b"_-".contains(&bytes[at]);
        let hump = at > start && at < bytes.len() && bytes[at].is_ascii_uppercase() && {
            let small_before = !bytes[at - 1].is_ascii_uppercase();
            let small_behind = bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
            small_before || (small_behind && bytes.len() > at + 2)
        };
        if at == bytes.len() || separator || hump {
            if at > start {
                words.push(name[start..at].trim_end_matches(|c: char| c.is_ascii_digit()));
            }
            start = if separator { at + 1 } else { at };
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What follows the word in a name that is about a secret and does not hold it.
#[rustfmt::skip]
const PROPERTIES: &[&str] = &[
    "age", "algorithm", "attempts", "authentication", "authority", "bits", "bytes", "change", "changed", "check", "class",
    "column", "command", "count", "created", "date", "days", "dir", "directory", "enabled", "encryption", "endpoint",
    "error", "errors", "exists", "expired", "expires", "expiration", "expiry", "field", "file", "fingerprint", "format",
    "header", "hint", "id", "ids", "index", "invalid", "kind", "label", "length", "lifetime", "limit", "manager", "max",
    "method", "min", "missing", "mode", "ms", "name", "names", "param", "parameter", "path", "per", "policy", "prefix",
    "prompt", "provider", "ref", "refresh", "required", "requirements", "reset", "retries", "rotation", "scheme",
    "schema", "scope", "scopes", "seconds", "server", "set", "size", "source", "state", "status", "stdin", "store",
    "suffix", "time", "timeout", "ttl", "type", "types", "uri", "url", "usage", "used", "valid", "validity", "version",
    "warning",
];

/// How a name begins that is about a secret and does not hold it.
#[rustfmt::skip]
const BEGINNINGS: &[&str] = &[
    "bad", "change", "continuation", "cursor", "empty", "expired", "first", "forgot", "has", "hide", "incorrect", "invalid", "is", "max", "min",
    "missing", "next", "no", "not", "num", "page", "require", "requires", "show", "total", "unexpected", "without", "wrong",
];

/// What stands before `key` where it is a secret one.
#[rustfmt::skip]
const KEYS: &[&str] = &[
    "access", "account", "activation", "admin", "aes", "api", "app", "application", "auth", "client", "connection", "consumer", "crypto",
    "deploy", "decryption", "encrypt", "encryption", "enc", "functions", "hmac", "ingestion", "instrumentation", "integration", "jwt",
    "license", "licence", "master", "preshared", "private", "priv", "rsa", "secret", "service", "session", "shared", "signing",
    "ssh", "ssl", "storage", "subscription", "tls", "webhook",
];

/// What stands before `key` where it is none.
#[rustfmt::skip]
const NO_SECRET_KEYS: &[&str] = &[
    "bucket", "cache", "composite", "dedup", "deduplication", "foreign", "group", "hash", "host", "idempotency", "index", "job", "json",
    "lock", "map", "message", "object", "partition", "primary", "pub", "public", "publishable", "queue", "range", "registry", "row",
    "s3", "site", "sort", "translation", "unique",
];

/// What stands before `code` where it opens something.
const CODES: &[&str] = &[
    "backup",
    "confirmation",
    "mfa",
    "otp",
    "recovery",
    "verification",
];

pub(super) fn is(word: &str, one_of: &[&str]) -> bool {
    one_of.iter().any(|other| word.eq_ignore_ascii_case(other))
}

pub(super) fn ends(word: &str, end: &str) -> bool {
    word.len() >= end.len()
        && word.is_char_boundary(word.len() - end.len())
        && word[word.len() - end.len()..].eq_ignore_ascii_case(end)
}

/// What a name says of its value, if that is secret.
pub(super) fn noun(name: &str, in_query: bool) -> Option<Noun> {
    let words = words(name);
    let mut found = None;
    for (index, word) in words.iter().enumerate() {
        let before = index.checked_sub(1).map_or("", |before| words[before]);
        let alone = words.len() == 1;
        if let Some(noun) = noun_of(word, before, alone, in_query) {
            found = Some((index, noun));
        }
    }
    let (index, noun) = found?;
    // `session_id` is what a session is stolen with.
    let is_session = is(words[index], &["session", "sess"])
        && matches!(words[index + 1..], [id] if is(id, &["id"]));
    if is(words[index], &["secret"]) && matches!(words[index + 1..], [id] if is(id, &["id"])) {
        return Some(Noun::SecretId);
    }
    let about = words[index + 1..].iter().any(|word| is(word, PROPERTIES));
    let tells_about = (about && !is_session) || (index > 0 && is(words[0], BEGINNINGS));
    (!tells_about).then_some(noun)
}

fn noun_of(word: &str, before: &str, alone: bool, in_query: bool) -> Option<Noun> {
    let passes = [
        "bypass",
        "compass",
        "encompass",
        "trespass",
        "surpass",
        "overpass",
        "underpass",
    ];
    Some(match word {
        _ if is(word, &["chpasswd"]) => return None,
        _ if ends(word, "password") || ends(word, "passwd") || ends(word, "passwords") => {
            Noun::Password
        }
        _ if is(word, &["bindpw", "rootpw", "masterauth", "pw"]) => Noun::Password,
        _ if ends(word, "pwd") => Noun::Password,
        _ if ends(word, "passphrase") => Noun::Passphrase,
        _ if ends(word, "passcode") => Noun::Password,
        _ if ends(word, "pass") && !is(word, &passes) => Noun::Password,
        _ if ends(word, "secret") => Noun::Secret,
        _ if ends(word, "psk") => Noun::Key,
        _ if ends(word, "token") => Noun::Token,
        // It holds the id of the key, which is told by its shape.
        _ if is(word, &["credential"]) && is(before, &["amz"]) => return None,
        _ if is(
            word,
            &[
                "tokens",
                "secrets",
                "credential",
                "credentials",
                "creds",
                "cred",
            ],
        ) =>
        {
            Noun::Perhaps(marks::SECRET)
        }
        _ if is(word, &["otp", "totp"]) => Noun::Password,
        _ if is(word, &["jwt"]) => Noun::Perhaps(marks::TOKEN),
        _ if is(word, &["key"]) && is(before, KEYS) => Noun::Key,
        _ if is(word, &["key"]) && is(before, &["routing"]) => Noun::Perhaps(marks::KEY),
        _ if is(word, &["pat"]) && !before.is_empty() => Noun::Perhaps(marks::TOKEN),
        _ if is(word, &["team"]) && is(before, &["honeycomb"]) => Noun::Key,
        _ if is(word, &["xsrf", "csrf"]) => Noun::Perhaps(marks::TOKEN),
        _ if is(word, &["code"]) && is(before, CODES) => Noun::Code,
        _ if is(word, &["key"]) && alone && in_query => Noun::Perhaps(marks::KEY),
        _ if is(
            word,
            &[
                "apikey",
                "accesskey",
                "secretkey",
                "privatekey",
                "accountkey",
                "authkey",
                "privkey",
                "appkey",
            ],
        ) =>
        {
            Noun::Key
        }
        _ if is(word, &["authorization"]) => Noun::Authorization,
        _ if is(word, &["auth"]) => Noun::Perhaps(marks::CREDENTIALS),
        _ if is(word, &["cookie"]) && is(before, &["erlang"]) => Noun::Secret,
        _ if is(word, &["cookie"]) => Noun::Cookie,
        _ if is(word, &["salt"]) => Noun::Random(marks::SECRET),
        _ if is(word, &["keys"]) && is(before, KEYS) => Noun::Perhaps(marks::KEY),
        _ if is(word, &["signature", "sig"]) && in_query => Noun::Signature,
        _ if is(word, &["signature"]) => Noun::Perhaps(marks::SIGNATURE),
        _ if is(
            word,
            &[
                "jsessionid",
                "phpsessid",
                "sessid",
                "sessionid",
                "session",
                "sid",
            ],
        ) =>
        {
            Noun::Perhaps(marks::COOKIE)
        }
        _ if is(word, &["code"]) && alone && in_query => Noun::Perhaps(marks::TOKEN),
        _ if is(word, &["key"]) && !is(before, NO_SECRET_KEYS) => Noun::Random(marks::KEY),
        _ => return None,
    })
}
