//! Text that must not be seen: it cannot be displayed, printed by `{:?}`, or serialized.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};

/// A password, token, key or passphrase.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself. Only for what is sent to the one that the secret is for.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for Secret {
    /// Only for telling settings apart; not a check of what somebody presents.
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

impl std::hash::Hash for Secret {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.expose().hash(state);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl schemars::JsonSchema for Secret {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A secret: write `${NAME}` for a variable or `${file:path}` for a file."
        })
    }
}

/// Takes secrets out of text that was made from what holds them, such as an address with a token in its path.
#[derive(Debug, Default, Clone)]
pub struct Redactor(Vec<Secret>);

impl Redactor {
    /// Shorter values are no secrets, and would be found inside of ordinary words.
    const SHORTEST: usize = 6;

    /// Adds a secret to take out.
    pub fn add(&mut self, secret: &str) {
        if secret.len() >= Self::SHORTEST && !self.0.iter().any(|known| known.expose() == secret) {
            self.0.push(Secret::new(secret));
        }
    }

    /// Adds all that another one takes out.
    pub fn join(&mut self, other: &Self) {
        for secret in &other.0 {
            self.add(secret.expose());
        }
    }

    /// Whether one of them is in a text.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        self.0.iter().any(|secret| text.contains(secret.expose()))
    }

    /// Puts `[hidden]` in the place of every secret.
    pub fn redact(&self, text: &mut String) {
        for secret in &self.0 {
            if text.contains(secret.expose()) {
                *text = text.replace(secret.expose(), "[hidden]");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_as_nothing() {
        let secret = Secret::new("canary-7f3a");
        assert!(!format!("{secret:?} {:#?}", Some(&secret)).contains("canary"));
        assert_eq!(secret.expose(), "canary-7f3a");
    }

    #[test]
    fn secrets_are_taken_out_and_short_ones_are_none() {
        let mut redactor = Redactor::default();
        redactor.add("canary-7f3a");
        redactor.add("abc");
        let mut text = "https://host/canary-7f3a/abc".to_owned();
        redactor.redact(&mut text);
        assert_eq!(text, "https://host/[hidden]/abc");
        assert!(!format!("{redactor:?}").contains("canary"));
    }
}
