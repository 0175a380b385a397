//! Headers as they are written in a configuration.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use crate::secret::Secret;

/// The headers of a request; their values are not shown.
#[derive(Clone, Default)]
pub struct Headers(pub(crate) HeaderMap);

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

struct HeadersVisitor;

impl<'de> Visitor<'de> for HeadersVisitor {
    type Value = Headers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from header names to values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Headers, A::Error> {
        let mut headers = HeaderMap::new();
        while let Some(Name(name)) = entries.next_key()? {
            let Text(value) = entries.next_value()?;
            headers.append(name, value);
        }
        Ok(Headers(headers))
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeadersVisitor)
    }
}

struct Name(HeaderName);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = HeaderName::try_from(String::deserialize(deserializer)?)
            .map_err(|_| de::Error::custom("expected the name of an HTTP header"))?;
        let ours = [
            http::header::CONTENT_LENGTH,
            http::header::TRANSFER_ENCODING,
            http::header::CONNECTION,
        ];
        if ours.contains(&name) {
            let message = format!("the header `{name}` follows from the request and cannot be set");
            return Err(de::Error::custom(message));
        }
        Ok(Self(name))
    }
}

struct Text(HeaderValue);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Secret::deserialize(deserializer)?;
        hidden(text.expose()).map(Self).map_err(de::Error::custom)
    }
}

impl schemars::JsonSchema for Headers {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Headers".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "additionalProperties": { "type": ["string", "number"] }
        })
    }
}

/// A user and a password as a header's value (RFC 7617).
pub(crate) fn basic(username: &str, password: &Secret) -> Result<HeaderValue, &'static str> {
    let pair = STANDARD.encode(format!("{username}:{}", password.expose()));
    hidden(&format!("Basic {pair}"))
}

/// A header's value that no library prints.
pub(crate) fn hidden(text: &str) -> Result<HeaderValue, &'static str> {
    let value = HeaderValue::from_str(text);
    let mut value = value.map_err(|_| "expected one line of text that a header can hold")?;
    value.set_sensitive(true);
    Ok(value)
}
