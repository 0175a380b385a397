//! LangSmith, by the variables of its own libraries: `LANGSMITH_…`, and `LANGCHAIN_…` as they were called before.

use http::HeaderMap;

use super::variables::Variables;
use super::{Destination, Names, SYSTEM_CERTIFICATES, add_header};
use crate::clients::tls::TlsSettings;

const KEY: [&str; 2] = ["LANGSMITH_API_KEY", "LANGCHAIN_API_KEY"];
const ENDPOINT: [&str; 2] = ["LANGSMITH_ENDPOINT", "LANGCHAIN_ENDPOINT"];
const PROJECT: [&str; 2] = ["LANGSMITH_PROJECT", "LANGCHAIN_PROJECT"];
const TRACING: [&str; 4] = [
    "LANGSMITH_TRACING",
    "LANGSMITH_TRACING_V2",
    "LANGCHAIN_TRACING_V2",
    "LANGCHAIN_TRACING",
];

/// Which workspace is meant, for keys of a whole organisation.
const WORKSPACE: &str = "LANGSMITH_WORKSPACE_ID";

pub(super) const VARIABLES: [&str; 11] = [
    KEY[0],
    KEY[1],
    ENDPOINT[0],
    ENDPOINT[1],
    PROJECT[0],
    PROJECT[1],
    TRACING[0],
    TRACING[1],
    TRACING[2],
    TRACING[3],
    WORKSPACE,
];

const USUAL_ADDRESS: &str = "https://api.smith.langchain.com";
const BASE: &str = "/otel";
const PATH: &str = "/v1/traces";

pub(super) fn destination(variables: &mut Variables<'_>) -> Option<Destination> {
    let tracing = variables.switch(&TRACING);
    if tracing == Some(false) {
        return None;
    }
    let Some((key_name, key)) = variables.first(&KEY) else {
        if tracing == Some(true) {
            let hint = "make a key in the settings of LangSmith; no traces go there until then";
            variables.wrong(KEY[0], "is not set, though tracing is switched on", hint);
        }
        return None;
    };
    let (name, address) = (variables.first(&ENDPOINT)).unwrap_or((ENDPOINT[0], USUAL_ADDRESS));
    // Their page on OpenTelemetry writes the address with it, all others without.
    let address = address.trim_end_matches('/');
    let address = address.strip_suffix(BASE).unwrap_or(address);
    let url = variables.address(name, address, &format!("{BASE}{PATH}"))?;
    let mut headers = HeaderMap::new();
    add_header(&mut headers, "x-api-key", key, key_name, variables)?;
    if let Some((name, project)) = variables.first(&PROJECT) {
        add_header(&mut headers, "langsmith-project", project, name, variables)?;
    }
    if let Some(workspace) = variables.text(WORKSPACE) {
        add_header(&mut headers, "x-tenant-id", workspace, WORKSPACE, variables)?;
    }
    Some(Destination {
        service: "LangSmith",
        url,
        headers,
        tls: TlsSettings::default(),
        timeout: super::otlp::timeout(variables),
        names: Names {
            address: "`LANGSMITH_ENDPOINT`",
            base_address: "`LANGSMITH_ENDPOINT`",
            key: "`LANGSMITH_API_KEY`, and `LANGSMITH_WORKSPACE_ID` where it is one for several workspaces",
            certificate: SYSTEM_CERTIFICATES,
            whole_address: None,
        },
    })
}
