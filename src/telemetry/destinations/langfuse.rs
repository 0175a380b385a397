//! Langfuse, by the variables of its own libraries.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::variables::Variables;
use super::{Destination, Names, SYSTEM_CERTIFICATES, add_header};
use crate::clients::http::basic;
use crate::clients::tls::TlsSettings;
use crate::secret::Secret;

const PUBLIC_KEY: &str = "LANGFUSE_PUBLIC_KEY";
const SECRET_KEY: &str = "LANGFUSE_SECRET_KEY";
const BASE_URL: &str = "LANGFUSE_BASE_URL";
/// The older name of the same.
const HOST: &str = "LANGFUSE_HOST";
const ENABLED: &str = "LANGFUSE_TRACING_ENABLED";

pub(super) const VARIABLES: [&str; 5] = [PUBLIC_KEY, SECRET_KEY, BASE_URL, HOST, ENABLED];

const USUAL_ADDRESS: &str = "https://cloud.langfuse.com";
const PATH: &str = "/api/public/otel/v1/traces";

/// How Langfuse is to read the spans: without it, what it shows lags behind.
const INGESTION_VERSION: (&str, &str) = ("x-langfuse-ingestion-version", "4");

pub(super) fn destination(variables: &mut Variables<'_>) -> Option<Destination> {
    let (public, secret) = match (variables.text(PUBLIC_KEY), variables.text(SECRET_KEY)) {
        (None, None) => return None,
        (Some(public), Some(secret)) => (public, secret),
        (given, _) => {
            let missing = if given.is_some() {
                SECRET_KEY
            } else {
                PUBLIC_KEY
            };
            let hint = "a project of Langfuse has two keys: set both, or none; no traces go there until then";
            variables.wrong(missing, "is not set, though its other half is", hint);
            return None;
        }
    };
    if variables.switch(&[ENABLED]) == Some(false) {
        return None;
    }
    let (name, address) = (variables.first(&[BASE_URL, HOST])).unwrap_or((BASE_URL, USUAL_ADDRESS));
    let url = variables.address(name, address, PATH)?;
    let mut headers = HeaderMap::new();
    match basic(public, &Secret::new(secret)) {
        Ok(value) => {
            headers.insert(AUTHORIZATION, value);
        }
        Err(expected) => {
            let hint = "copy it from Langfuse anew; no traces go there until then";
            variables.wrong(SECRET_KEY, expected, hint);
            return None;
        }
    }
    let (header, version) = INGESTION_VERSION;
    add_header(&mut headers, header, version, PUBLIC_KEY, variables)?;
    Some(Destination {
        service: "Langfuse",
        url,
        headers,
        tls: TlsSettings::default(),
        timeout: super::otlp::timeout(variables),
        names: Names {
            address: "`LANGFUSE_BASE_URL` or `LANGFUSE_HOST`",
            base_address: "`LANGFUSE_BASE_URL` or `LANGFUSE_HOST`",
            key: "`LANGFUSE_PUBLIC_KEY` and `LANGFUSE_SECRET_KEY`",
            certificate: SYSTEM_CERTIFICATES,
            whole_address: None,
        },
    })
}
