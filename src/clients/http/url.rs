//! An HTTP address that never shows what may be secret in it.

use std::fmt;

use serde::{Deserialize, Deserializer};
use url::{Host, Url};

use crate::clients::net::outside_host;
use crate::secret::Secret;

/// The address of something that is reached by HTTP or HTTPS. Its user information and its query hold passwords
/// and tokens often enough that neither is ever shown.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpUrl(Url);

/// Why a text is no HTTP address. Does not hold the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is no URL at all.
    #[error("expected a URL such as `https://example.com/health`: {0}")]
    Malformed(url::ParseError),
    /// It is one of something else.
    #[error("expected a URL that begins with `https://` or `http://`")]
    OtherScheme,
    /// It holds characters that cannot stand in a request.
    #[error("expected a URL whose special characters are written as `%XX`")]
    Unsendable,
}

impl HttpUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// It is no URL, or its scheme is neither `http` nor `https`.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        Self::checked(Url::parse(text.trim()).map_err(UrlError::Malformed)?)
    }

    /// Reads an address as it stands in a `Location` header: it may be relative to this one, and what it says
    /// about users is dropped.
    ///
    /// # Errors
    /// As for [`HttpUrl::parse`].
    pub fn join(&self, location: &str) -> Result<Self, UrlError> {
        let mut url = self.0.join(location).map_err(UrlError::Malformed)?;
        if url.has_authority() {
            // Fails only for URLs without a host, which have no users either.
            url.set_username("")
                .and_then(|()| url.set_password(None))
                .ok();
        }
        url.set_fragment(None);
        Self::checked(url)
    }

    fn checked(url: Url) -> Result<Self, UrlError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlError::OtherScheme);
        }
        let url = Self(url);
        match url.path_and_query().parse::<http::uri::PathAndQuery>() {
            Ok(_) if url.0.has_host() => Ok(url),
            _ => Err(UrlError::Unsendable),
        }
    }

    /// Whether it is reached through TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The host: a name or an address. `None` does not occur, every HTTP address has one.
    #[must_use]
    pub fn host(&self) -> Option<Host<&str>> {
        self.0.host()
    }

    /// The host, unless it is this machine: see [`outside_host`].
    #[must_use]
    pub fn outside_host(&self) -> Option<String> {
        outside_host(self.0.host_str()?)
    }

    /// That host with the port.
    #[must_use]
    pub fn outside_endpoint(&self) -> Option<(String, u16)> {
        Some((self.outside_host()?, self.port()))
    }

    /// The port, also where it is the usual one of the scheme.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(80)
    }

    /// The host, and the port unless it is the usual one, as they stand in a `Host` header.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        match self.0.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// The path and the query, as they are sent. May hold a secret.
    #[must_use]
    pub fn path_and_query(&self) -> String {
        match self.0.query() {
            Some(query) => format!("{}?{query}", self.0.path()),
            None => self.0.path().to_owned(),
        }
    }

    /// The scheme, host and port, path and query, as they are sent by HTTP/2. May hold a secret.
    #[must_use]
    pub fn without_user(&self) -> String {
        let (scheme, authority) = (self.0.scheme(), self.authority());
        format!("{scheme}://{authority}{}", self.path_and_query())
    }

    /// Whether both are the same scheme, host and port, so that what one may know the other may know.
    #[must_use]
    pub fn is_same_origin(&self, other: &Self) -> bool {
        self.0.origin() == other.0.origin()
    }

    /// The user and the password written into it.
    #[must_use]
    pub fn credentials(&self) -> Option<(String, Secret)> {
        if self.0.username().is_empty() && self.0.password().is_none() {
            return None;
        }
        let plain = |text: &str| percent_decoded(text);
        let password = plain(self.0.password().unwrap_or_default());
        Some((plain(self.0.username()), Secret::new(password)))
    }

    /// The user and the password that are written into it, as the `Authorization` header.
    #[must_use]
    pub fn basic_authorization(&self) -> Option<http::HeaderValue> {
        let (username, password) = self.credentials()?;
        super::basic(&username, &password).ok()
    }

    /// The names of the query's parameters.
    pub fn query_names(&self) -> impl Iterator<Item = String> {
        self.0.query_pairs().map(|(name, _)| name.into_owned())
    }

    /// A short name for it: without `https://`, user, query, fragment and a lone `/`.
    #[must_use]
    pub fn short_name(&self) -> String {
        let scheme = if self.is_https() { "" } else { "http://" };
        let path = match self.0.path() {
            "/" => "",
            path => path,
        };
        format!("{scheme}{}{path}", self.authority())
    }
}

/// The text of a URL's user information; what is no UTF-8 becomes the replacement character.
pub(crate) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        if let (b'%', Some(byte)) = (first, byte) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl fmt::Display for HttpUrl {
    /// `https://host/path?…`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, path) = (self.0.scheme(), self.0.path());
        write!(f, "{scheme}://{}{path}", self.authority())?;
        f.write_str(if self.0.query().is_some() { "?…" } else { "" })
    }
}

impl fmt::Debug for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl<'de> Deserialize<'de> for HttpUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for HttpUrl {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HttpUrl".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://|\\$\\{" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> HttpUrl {
        HttpUrl::parse(text).expect(text)
    }

    #[test]
    fn nothing_secret_is_shown() {
        let shown = url("https://user:canary@example.com:8443/a/b?token=canary#canary");
        assert_eq!(shown.to_string(), "https://example.com:8443/a/b?…");
        assert!(!format!("{shown:?} {}", shown.short_name()).contains("canary"));
        for text in [
            "canary",
            "https://canary:canary@",
            "ftp://canary@example.com",
        ] {
            let error = HttpUrl::parse(text).expect_err(text);
            assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
        }
    }

    #[test]
    fn names_are_short() {
        for (text, name) in [
            ("https://api.example.com/health", "api.example.com/health"),
            ("https://api.example.com:443/", "api.example.com"),
            (
                "https://u:p@api.example.com:8443/?q=1#f",
                "api.example.com:8443",
            ),
            ("http://example.com:80/x/", "http://example.com/x/"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(url(text).short_name(), name);
        }
    }

    #[test]
    fn credentials_are_read() {
        let (user, password) = url("https://us%65r:p%40ss%2@example.com")
            .credentials()
            .expect("credentials");
        assert_eq!((user.as_str(), password.expose()), ("user", "p@ss%2"));
        assert!(url("https://example.com").credentials().is_none());
    }

    #[test]
    fn a_location_may_be_relative() {
        let base = url("https://u:p@example.com/a/b?c");
        assert_eq!(
            base.join("../d#e").expect("d").to_string(),
            "https://example.com/d"
        );
        assert!(
            base.join("//u:p@other/x")
                .expect("x")
                .credentials()
                .is_none()
        );
        assert_eq!(
            base.join("mailto:x@example.com"),
            Err(UrlError::OtherScheme)
        );
        assert!(base.is_same_origin(&base.join("/z").expect("z")));
        assert!(!base.is_same_origin(&url("https://example.com:444/")));
    }
}
