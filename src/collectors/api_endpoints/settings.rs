//! What can be said about an endpoint, read into the shape in which it is used.

use std::fmt;

use bytes::Bytes;
use http::HeaderValue;
use schemars::JsonSchema;
use serde::de::{self, Deserialize, Deserializer};

use super::expect::Expect;
use crate::clients::http::{Headers, HttpUrl, basic, hidden};
use crate::clients::tls::TlsSettings;
use crate::secret::Secret;

/// Words in the name of a header or of a query parameter that holds a credential.
const CREDENTIAL_WORDS: [&str; 12] = [
    "authorization",
    "auth",
    "cookie",
    "token",
    "key",
    "apikey",
    "secret",
    "password",
    "passwd",
    "signature",
    "sig",
    "credential",
];

/// Words beside `key` that make it a name for something else.
const HARMLESS_KEYS: [&str; 4] = ["idempotency", "cache", "partition", "sort"];

/// Whether a header or a query parameter of this name holds a credential: `X-Api-Key`, but not `Idempotency-Key`.
fn names_a_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words = || name.split(|c: char| !c.is_ascii_alphanumeric());
    words().any(|word| CREDENTIAL_WORDS.contains(&word))
        && !words().any(|word| HARMLESS_KEYS.contains(&word))
}

/// An HTTP endpoint and what a good answer from it is.
#[derive(Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The address: `https://` or `http://`. A user and a password written into it are sent as basic
    /// authentication. They and the query are never shown.
    pub url: HttpUrl,
    /// The method of the request: `GET`, `HEAD`, `POST`, …
    #[serde(default)]
    pub method: Method,
    /// Further headers of the request. Their values are never shown, and never sent to another origin.
    #[serde(default)]
    pub headers: Headers,
    /// The body of the request. Never shown, and never sent to another origin.
    #[serde(default)]
    pub body: Option<Body>,
    /// How we say who we are. Never sent to another origin.
    #[serde(default)]
    pub auth: Option<Auth>,
    /// What a good answer is.
    #[serde(default)]
    pub expect: Expect,
    /// How the server proves who it is.
    #[serde(default)]
    pub tls: TlsSettings,
    /// How many bytes of the answer's body are read, before and after decompression.
    #[serde(default = "default_max_body_bytes")]
    pub max_body_bytes: usize,
    /// How many redirects are followed.
    #[serde(default = "default_max_redirects")]
    pub max_redirects: u32,
}

fn default_max_body_bytes() -> usize {
    1024 * 1024
}

fn default_max_redirects() -> u32 {
    10
}

impl Settings {
    /// The `Authorization` header to send, from `auth` or else from the address.
    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        if let Some(auth) = &self.auth {
            return Some(auth.header.clone());
        }
        self.url.basic_authorization()
    }

    /// Whether we say who we are, in whatever way.
    pub(super) fn has_credentials(&self) -> bool {
        self.auth.is_some()
            || self.url.credentials().is_some()
            || (self.headers.0.keys()).any(|name| names_a_credential(name.as_str()))
            || self.url.query_names().any(|name| names_a_credential(&name))
    }
}

/// The method of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Method(pub(super) http::Method);

impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?
            .trim()
            .to_ascii_uppercase();
        match http::Method::from_bytes(text.as_bytes()) {
            // A tunnel is no visit.
            Ok(method) if method != http::Method::CONNECT => Ok(Self(method)),
            _ => Err(de::Error::custom(
                "expected an HTTP method such as `GET`, `HEAD` or `POST`",
            )),
        }
    }
}

/// The body of a request; it is not shown.
#[derive(Clone)]
pub struct Body(pub(super) Bytes);

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes]", self.0.len())
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Bytes::from(text)))
    }
}

/// How we say who we are; it is not shown.
#[derive(Clone)]
pub struct Auth {
    header: HeaderValue,
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// As it is written: one of the two.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenAuth {
    /// A user and a password (RFC 7617).
    basic: Option<Basic>,
    /// A token (RFC 6750).
    bearer: Option<Secret>,
}

#[derive(serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Basic {
    /// The user.
    username: String,
    /// The password.
    password: Secret,
}

impl<'de> Deserialize<'de> for Auth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let WrittenAuth {
            basic: user,
            bearer,
        } = WrittenAuth::deserialize(deserializer)?;
        let header = match (user, bearer) {
            (Some(Basic { username, password }), None) => basic(&username, &password),
            (None, Some(token)) => hidden(&format!("Bearer {}", token.expose().trim())),
            (Some(_), Some(_)) => {
                let message = "`basic` and `bearer` exclude each other: one of them is enough";
                return Err(de::Error::custom(message));
            }
            (None, None) => {
                let message = "expected `basic: {username: …, password: …}`, or `bearer: …`";
                return Err(de::Error::custom(message));
            }
        };
        let header = header.map_err(de::Error::custom)?;
        Ok(Self { header })
    }
}

impl JsonSchema for Auth {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Auth".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        WrittenAuth::json_schema(generator)
    }
}

schema!(Method, { "type": "string", "default": "GET" });
schema!(Body, { "type": "string" });

#[cfg(test)]
mod tests {
    use super::names_a_credential;

    #[test]
    fn credentials_are_known_by_the_words_of_their_names() {
        for name in [
            "Authorization",
            "X-Api-Key",
            "api_key",
            "X-Auth-Token",
            "Cookie",
            "sig",
            "apikey",
        ] {
            assert!(names_a_credential(name), "{name}");
        }
        for name in ["Idempotency-Key", "X-Author", "Accept", "X-Monkey", "page"] {
            assert!(!names_a_credential(name), "{name}");
        }
    }
}
