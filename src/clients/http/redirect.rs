//! Where a redirect leads, and what may be sent there.

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::url::{HttpUrl, UrlError};
use crate::model::{Failure, FailureKind};

/// One request of a visit.
#[derive(Debug, Clone)]
pub(super) struct Hop {
    pub(super) url: HttpUrl,
    pub(super) method: Method,
    /// Whether the body is sent.
    pub(super) with_body: bool,
    /// Whether credentials and headers of one's own are sent. Once a redirect has led to another origin they
    /// are not sent again, not even back home: who redirects would choose what they are sent to.
    pub(super) trusted: bool,
}

/// Whether the answer asks to go elsewhere.
pub(super) fn leads_elsewhere(status: StatusCode, headers: &HeaderMap) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) && headers.contains_key(header::LOCATION)
}

/// The request that follows from a redirect (RFC 9110 §15.4).
///
/// # Errors
/// It leads to no HTTP address, or would take a body to another origin.
pub(super) fn follow(hop: &Hop, status: StatusCode, headers: &HeaderMap) -> Result<Hop, Failure> {
    let from = &hop.url;
    let unexpected =
        |message: String, hint: &str| Failure::new(FailureKind::Unexpected, message).hint(hint);
    let location = headers.get(header::LOCATION).map(HeaderValue::as_bytes);
    let location = std::str::from_utf8(location.unwrap_or_default()).unwrap_or_default();
    let url = from.join(location).map_err(|error| {
        let why = match error {
            UrlError::OtherScheme => "something that is not HTTP",
            UrlError::Malformed(_) | UrlError::Unsendable => "something that is no URL",
        };
        let message = format!("`{from}` answered {status} and redirects to {why}");
        unexpected(
            message,
            "look at the `Location` header that the server sends",
        )
    })?;
    let becomes_get = match status.as_u16() {
        303 => hop.method != Method::HEAD,
        301 | 302 => hop.method == Method::POST,
        _ => false,
    };
    let with_body = hop.with_body && !becomes_get;
    let same_origin = url.is_same_origin(from);
    if with_body && !(same_origin && hop.trusted) {
        let message = format!(
            "`{from}` redirects a {} with its body to another origin: `{url}`",
            hop.method
        );
        return Err(unexpected(
            message,
            "a body is never sent to another origin: set `url` to where it is meant to go",
        ));
    }
    Ok(Hop {
        method: if becomes_get {
            Method::GET
        } else {
            hop.method.clone()
        },
        with_body,
        trusted: hop.trusted && same_origin,
        url,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(method: Method, with_body: bool) -> Hop {
        Hop {
            url: HttpUrl::parse("https://example.com/a?b").unwrap(),
            method,
            with_body,
            trusted: true,
        }
    }

    fn to(location: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::LOCATION, location.parse().unwrap())])
    }

    #[test]
    fn methods_change_as_the_standard_says() {
        for (method, status, then, with_body) in [
            (Method::POST, 301, Method::GET, false),
            (Method::POST, 302, Method::GET, false),
            (Method::POST, 303, Method::GET, false),
            (Method::PUT, 303, Method::GET, false),
            (Method::PUT, 302, Method::PUT, true),
            (Method::POST, 307, Method::POST, true),
            (Method::POST, 308, Method::POST, true),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let next = follow(&hop(method, true), status, &to("/c")).expect("a hop");
            assert_eq!((next.method, next.with_body), (then, with_body), "{status}");
            assert!(next.trusted);
        }
        let head = follow(&hop(Method::HEAD, false), StatusCode::SEE_OTHER, &to("/c"));
        assert_eq!(head.expect("a hop").method, Method::HEAD);
    }

    #[test]
    fn trust_ends_at_the_origin() {
        for location in [
            "http://example.com/",
            "https://example.com:8443/",
            "https://example.org/",
        ] {
            let away = follow(&hop(Method::GET, false), StatusCode::FOUND, &to(location));
            let away = away.expect("a hop");
            assert!(!away.trusted, "{location}");
            let back = follow(&away, StatusCode::FOUND, &to("https://example.com/"));
            assert!(!back.expect("a hop").trusted, "{location}");
            let body = hop(Method::POST, true);
            let refused = follow(&body, StatusCode::PERMANENT_REDIRECT, &to(location));
            let refused = refused.expect_err(location);
            assert!(refused.message.contains("to another origin"), "{refused}");
        }
    }

    #[test]
    fn what_is_no_http_address_is_not_followed() {
        for (location, why) in [
            ("ftp://example.com/canary", "something that is not HTTP"),
            ("https://:canary", "something that is no URL"),
        ] {
            let refused = follow(&hop(Method::GET, false), StatusCode::FOUND, &to(location));
            let refused = refused.expect_err(location);
            assert!(refused.message.contains(why), "{refused}");
            assert!(!refused.message.contains("canary"), "{refused}");
        }
    }
}
