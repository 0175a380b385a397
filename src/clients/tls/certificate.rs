//! What a certificate says, in words.

use rustls::pki_types::{CertificateDer, UnixTime};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use crate::model::Timestamp;

/// How many of a certificate's names a message shows.
const SHOWN_NAMES: usize = 5;

/// What a server's own certificate says. Nothing in it is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Who it is for: `CN=example.com`.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// From when on it is valid.
    pub not_before: Timestamp,
    /// Until when it is valid.
    pub not_after: Timestamp,
    /// The names and addresses it is for.
    pub names: Vec<String>,
}

impl Certificate {
    /// Reads a certificate; `None` if it cannot be read.
    #[must_use]
    pub fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let (_, x509) = X509Certificate::from_der(der).ok()?;
        let time = |at: x509_parser::time::ASN1Time| Timestamp::from_timestamp(at.timestamp(), 0);
        let alternatives = x509.subject_alternative_name().ok().flatten();
        let names = alternatives
            .map(|found| found.value.general_names.iter())
            .unwrap_or_default()
            .filter_map(|name| match name {
                GeneralName::DNSName(name) => Some((*name).to_owned()),
                GeneralName::IPAddress(octets) => address(octets),
                _ => None,
            });
        Some(Self {
            subject: x509.subject().to_string(),
            issuer: x509.issuer().to_string(),
            not_before: time(x509.validity().not_before)?,
            not_after: time(x509.validity().not_after)?,
            names: names.collect(),
        })
    }

    /// Days from `now` until it ends, with the fraction; negative when it has ended.
    #[must_use]
    pub fn days_left(&self, now: Timestamp) -> f64 {
        (self.not_after - now).as_seconds_f64() / 86_400.0
    }

    /// Whether it says that it signed itself.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        self.subject == self.issuer
    }

    /// Its names for a message: `a.example.com, b.example.com and 7 more`.
    #[must_use]
    pub fn names_in_words(&self) -> String {
        let shown: Vec<_> = (self.names.iter().take(SHOWN_NAMES))
            .map(|name| format!("`{name}`"))
            .collect();
        match self.names.len().saturating_sub(SHOWN_NAMES) {
            _ if shown.is_empty() => "no name at all".to_owned(),
            0 => shown.join(", "),
            more => format!("{} and {more} more", shown.join(", ")),
        }
    }
}

/// Whether a certificate may be that of a server now: by its dates, and by what it says that it is for.
pub(super) fn is_for_servers(der: &CertificateDer<'_>, now: UnixTime) -> bool {
    let Ok((_, x509)) = X509Certificate::from_der(der) else {
        return false;
    };
    let Ok(purposes) = x509.extended_key_usage() else {
        return false;
    };
    let is_a_server = purposes.is_none_or(|found| found.value.server_auth);
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let validity = x509.validity();
    is_a_server && (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&now)
}

fn address(octets: &[u8]) -> Option<String> {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        return Some(std::net::Ipv4Addr::from(octets).to_string());
    }
    let octets = <[u8; 16]>::try_from(octets).ok()?;
    Some(std::net::Ipv6Addr::from(octets).to_string())
}
