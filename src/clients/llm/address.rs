//! Addresses as people have them at hand: from a variable, or copied from the page of a provider.

use std::net::Ipv6Addr;

use super::Wire;
use crate::clients::http::HttpUrl;

/// Where a question, or another call, goes below a base. Copied together with one of these, an address is no base.
const ENDS: [&str; 8] = [
    "/chat/completions",
    "/completions",
    "/responses",
    "/embeddings",
    "/messages",
    "/models",
    "/api/chat",
    "/api/generate",
];

/// What stands before the name of a deployment of Azure.
const DEPLOYMENTS: &str = "/openai/deployments/";

/// The port of Ollama.
const OLLAMA_PORT: u16 = 11_434;

/// What is wrong with an address that others are put together from, and what to write instead.
#[must_use]
pub fn problem(wire: Wire, url: &HttpUrl) -> Option<(&'static str, String)> {
    let all = url.path_and_query();
    let (path, query) = match all.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (all.as_str(), None),
    };
    let path = path.trim_end_matches('/');
    let scheme = if url.is_https() { "https" } else { "http" };
    let base = |path: &str| format!("`base_url: {scheme}://{}{path}`", url.authority());
    // Others would be secrets.
    let version = query
        .and_then(|query| {
            query
                .split('&')
                .find_map(|one| one.strip_prefix("api-version="))
        })
        .filter(|version| {
            version
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-')
        })
        .map_or_else(String::new, |version| {
            format!(", and `api_version: {version}`")
        });
    if let Some((before, deployment)) = path.split_once(DEPLOYMENTS) {
        let name = deployment.split('/').next().unwrap_or_default();
        let base = base(before);
        let provider = match wire {
            Wire::Azure => "",
            _ => "`provider: azure`, ",
        };
        return Some((
            "that is the address of one deployment, not of the resource",
            format!("write {provider}{base}, `{name}` as the model{version}"),
        ));
    }
    if wire != Wire::Bedrock
        && let Some(base_path) = ENDS.iter().find_map(|end| path.strip_suffix(end))
    {
        let base = base(base_path);
        return Some((
            "that is the address of a call, and we put its end there ourselves",
            format!("write {base}{version}"),
        ));
    }
    query?;
    Some((
        "what stands behind `?` would be lost, since we put more behind the address",
        format!("write {}{version}", base(path)),
    ))
}

/// Whether it is the newer interface of Azure, which takes the model as others do
/// (<https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle>).
pub(super) fn is_azure_v1(base: &HttpUrl) -> bool {
    let path = base.path_and_query();
    path.trim_end_matches('/').ends_with("/openai/v1")
}

/// The address that Ollama itself takes `OLLAMA_HOST` for
/// (<https://github.com/ollama/ollama/blob/main/envconfig/config.go>): without a scheme its own port is meant. A server that
/// listens everywhere is asked on this machine.
#[must_use]
pub fn ollama_host(value: &str) -> String {
    let value = value
        .trim()
        .trim_matches(['"', '\''])
        .trim()
        .trim_end_matches('/');
    let (scheme, rest) = match value.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, value),
    };
    let (place, path) = match rest.split_once('/') {
        Some((place, path)) => (place, format!("/{path}")),
        None => (rest, String::new()),
    };
    let bare_ipv6 = place.parse::<Ipv6Addr>().is_ok();
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !bare_ipv6 && !port.ends_with(']') => (host, Some(port)),
        _ => (place, None),
    };
    let host = match host.trim_matches(['[', ']']) {
        "" | "0.0.0.0" => "127.0.0.1".to_owned(),
        "::" => "[::1]".to_owned(),
        bare if bare.contains(':') => format!("[{bare}]"),
        _ => host.to_owned(),
    };
    let port = match (port, scheme) {
        (Some(port), _) => format!(":{port}"),
        (None, Some(_)) => String::new(),
        (None, None) => format!(":{OLLAMA_PORT}"),
    };
    format!("{}://{host}{port}{path}", scheme.unwrap_or("http"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ollama_s_variable_means_what_it_means_to_ollama() {
        for (value, address) in [
            ("", "http://127.0.0.1:11434"),
            ("gpu-1", "http://gpu-1:11434"),
            ("gpu-1:8080", "http://gpu-1:8080"),
            (":8080", "http://127.0.0.1:8080"),
            ("0.0.0.0", "http://127.0.0.1:11434"),
            ("0.0.0.0:8080", "http://127.0.0.1:8080"),
            ("[::]:8080", "http://[::1]:8080"),
            ("::", "http://[::1]:11434"),
            ("::1", "http://[::1]:11434"),
            ("[::1]", "http://[::1]:11434"),
            ("[fd00::5]:8080", "http://[fd00::5]:8080"),
            ("http://gpu-1", "http://gpu-1"),
            ("https://gpu-1/", "https://gpu-1"),
            ("https://gpu-1:8443/ollama", "https://gpu-1:8443/ollama"),
            ("http://0.0.0.0:11434", "http://127.0.0.1:11434"),
            ("gpu-1/ollama/", "http://gpu-1:11434/ollama"),
            (" \"gpu-1\" ", "http://gpu-1:11434"),
        ] {
            assert_eq!(ollama_host(value), address, "{value}");
        }
        let port = |value: &str| HttpUrl::parse(&ollama_host(value)).map(|url| url.port());
        assert_eq!(
            (port("http://gpu-1"), port("https://gpu-1")),
            (Ok(80), Ok(443))
        );
    }

    #[test]
    fn what_is_no_base_is_told_with_what_to_write() {
        for (wire, address, hint) in [
            (
                Wire::Azure,
                "https://me.openai.azure.com/openai/deployments/chat-1/chat/completions?api-version=2025-01-01-preview",
                "write `base_url: https://me.openai.azure.com`, `chat-1` as the model, and `api_version: 2025-01-01-preview`",
            ),
            (
                Wire::OpenAi,
                "https://me.openai.azure.com/openai/deployments/chat-1",
                "write `provider: azure`, `base_url: https://me.openai.azure.com`, `chat-1` as the model",
            ),
            (
                Wire::Azure,
                "https://me.openai.azure.com/openai/v1/?api-version=canary%20",
                "write `base_url: https://me.openai.azure.com/openai/v1`",
            ),
            (
                Wire::OpenAi,
                "http://host:8000/v1/chat/completions/",
                "write `base_url: http://host:8000/v1`",
            ),
            (
                Wire::Anthropic,
                "https://user:canary@host/v1/messages",
                "write `base_url: https://host/v1`",
            ),
            (
                Wire::Ollama,
                "http://gpu-1:11434/api/chat",
                "write `base_url: http://gpu-1:11434`",
            ),
            (
                Wire::OpenAi,
                "https://host/v1?key=canary",
                "write `base_url: https://host/v1`",
            ),
        ] {
            let url = HttpUrl::parse(address).expect(address);
            let (message, said) = problem(wire, &url).expect(address);
            assert_eq!(said, hint, "{address}");
            assert!(!format!("{message}{said}").contains("canary"), "{said}");
        }
        for (wire, address) in [
            (Wire::OpenAi, "https://host/v1/"),
            (Wire::OpenAi, "https://host/messages-gateway"),
            (Wire::Azure, "https://me.openai.azure.com/openai/v1/"),
            (Wire::Bedrock, "https://proxy/models"),
        ] {
            let url = HttpUrl::parse(address).expect(address);
            assert_eq!(problem(wire, &url), None, "{address}");
        }
    }
}
