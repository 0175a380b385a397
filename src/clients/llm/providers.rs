//! Who runs language models: what their languages are, where they are asked, and in which variable their key is.

use http::{HeaderName, HeaderValue, header};

use super::address;
use crate::clients::aws::Account;
use crate::clients::http::HttpUrl;
use crate::clients::tls::TlsSettings;
use crate::purse::Price;
use crate::secret::Secret;

/// The language that a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// `OpenAI`'s chat completions.
    OpenAi,
    /// The same with a deployment in the address and the key in `api-key`.
    Azure,
    /// Anthropic's messages.
    Anthropic,
    /// Ollama's own.
    Ollama,
    /// Bedrock's Converse.
    Bedrock,
}

/// A provider that is known by its name.
#[derive(Debug)]
pub struct Provider {
    /// Its name in a configuration.
    pub name: &'static str,
    /// What it speaks.
    pub wire: Wire,
    /// Where it is asked; `None`: the settings say where.
    pub base_url: Option<&'static str>,
    /// The variable that its address may stand in.
    pub url_variable: Option<&'static str>,
    /// The variable that its key stands in; `None`: it needs none.
    pub key_variable: Option<&'static str>,
    /// An address that answers for free whether a key is good.
    pub test_url: Option<&'static str>,
}

/// All of them. Those that have a `test_url` come in the order in which their keys are preferred.
pub static PROVIDERS: &[Provider] = &[
    Provider {
        name: "together",
        wire: Wire::OpenAi,
        base_url: Some("https://api.together.xyz/v1"),
        url_variable: None,
        key_variable: Some("TOGETHER_API_KEY"),
        test_url: Some("https://api.together.xyz/v1/models"),
    },
    Provider {
        name: "openai",
        wire: Wire::OpenAi,
        base_url: Some("https://api.openai.com/v1"),
        url_variable: None,
        key_variable: Some("OPENAI_API_KEY"),
        test_url: Some("https://api.openai.com/v1/models"),
    },
    Provider {
        name: "anthropic",
        wire: Wire::Anthropic,
        base_url: Some("https://api.anthropic.com"),
        url_variable: None,
        key_variable: Some("ANTHROPIC_API_KEY"),
        test_url: Some("https://api.anthropic.com/v1/models?limit=1"),
    },
    Provider {
        name: "openrouter",
        wire: Wire::OpenAi,
        base_url: Some("https://openrouter.ai/api/v1"),
        url_variable: None,
        key_variable: Some("OPENROUTER_API_KEY"),
        // Its list of models is public, and says nothing about a key.
        test_url: Some("https://openrouter.ai/api/v1/key"),
    },
    Provider {
        name: "google",
        wire: Wire::OpenAi,
        base_url: Some("https://generativelanguage.googleapis.com/v1beta/openai"),
        url_variable: None,
        key_variable: Some("GOOGLE_API_KEY"),
        test_url: Some("https://generativelanguage.googleapis.com/v1beta/models?pageSize=1"),
    },
    Provider {
        name: "moonshot",
        wire: Wire::OpenAi,
        base_url: Some("https://api.moonshot.ai/v1"),
        url_variable: None,
        key_variable: Some("MOONSHOT_API_KEY"),
        test_url: Some("https://api.moonshot.ai/v1/models"),
    },
    Provider {
        name: "azure",
        wire: Wire::Azure,
        base_url: None,
        url_variable: Some("AZURE_OPENAI_ENDPOINT"),
        key_variable: Some("AZURE_OPENAI_KEY"),
        test_url: None,
    },
    Provider {
        name: "ollama",
        wire: Wire::Ollama,
        base_url: Some("http://localhost:11434"),
        url_variable: Some("OLLAMA_HOST"),
        key_variable: None,
        test_url: None,
    },
    Provider {
        name: "bedrock",
        wire: Wire::Bedrock,
        base_url: None,
        url_variable: None,
        key_variable: None,
        test_url: None,
    },
];

/// The provider of that name.
#[must_use]
pub fn provider(name: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().find(|provider| provider.name == name)
}

/// The version of Azure's interface that we speak.
const AZURE_VERSION: &str = "2024-10-21";

/// A model at a provider.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Who runs it, as it is called in the configuration.
    pub provider: String,
    /// What it speaks.
    pub wire: Wire,
    /// The model, as the provider names it; on Azure the deployment.
    pub model: String,
    /// Where it is asked; none for Bedrock.
    pub base_url: Option<HttpUrl>,
    /// The key.
    pub key: Option<Secret>,
    /// The version of Azure's interface.
    pub api_version: Option<String>,
    /// As whom Bedrock is asked.
    pub account: Account,
    /// The region of Bedrock.
    pub region: Option<String>,
    /// How much of a conversation Ollama keeps.
    pub num_ctx: Option<u32>,
    /// What it costs, where somebody wrote that down.
    pub price: Option<Price>,
    /// How the server proves who it is.
    pub tls: TlsSettings,
}

/// A free question about a key.
#[derive(Debug, Clone)]
pub struct KeyCheck {
    /// Whose key.
    pub provider: String,
    /// Where it is asked.
    pub url: HttpUrl,
    /// The key.
    pub key: Secret,
    /// How the server proves who it is.
    pub tls: TlsSettings,
}

impl Endpoint {
    /// The variable of the key without which this provider never answers; `None`: there is one, or the address is one of its
    /// own, where none may be needed.
    #[must_use]
    pub fn missing_key(&self) -> Option<&'static str> {
        let known = provider(&self.provider)?;
        let usual = known.base_url.and_then(|url| HttpUrl::parse(url).ok());
        let has_own_address = usual.is_some() && self.base_url != usual;
        known
            .key_variable
            .filter(|_| self.key.is_none() && !has_own_address)
    }

    /// Where questions go.
    pub(super) fn chat_url(&self) -> Option<HttpUrl> {
        self.under(match self.wire {
            Wire::OpenAi => "chat/completions",
            Wire::Azure if self.names_model() => {
                let version = self.api_version.as_ref();
                let query = version.map(|version| format!("?api-version={version}"));
                return self.under(&format!("chat/completions{}", query.unwrap_or_default()));
            }
            Wire::Azure => {
                let version = self.api_version.as_deref().unwrap_or(AZURE_VERSION);
                return self.under(&format!(
                    "openai/deployments/{}/chat/completions?api-version={version}",
                    self.model
                ));
            }
            Wire::Anthropic => "v1/messages",
            Wire::Ollama => "api/chat",
            Wire::Bedrock => return None,
        })
    }

    /// Whether the model stands in the question: Azure's older interface has it in the address.
    pub(super) fn names_model(&self) -> bool {
        self.wire != Wire::Azure || self.base_url.as_ref().is_some_and(address::is_azure_v1)
    }

    /// Where the offered models are listed.
    pub(super) fn models_url(&self) -> Option<HttpUrl> {
        match self.wire {
            Wire::OpenAi => self.under("models"),
            Wire::Anthropic => self.under("v1/models?limit=1000"),
            Wire::Ollama => self.under("api/tags"),
            // Their lists need other rights than a question does.
            Wire::Azure | Wire::Bedrock => None,
        }
    }

    /// An address below the base, whose path may end in what this one begins with.
    fn under(&self, path: &str) -> Option<HttpUrl> {
        let url = self.base_url.as_ref()?;
        let (base, own_path) = (url.without_user(), url.path_and_query());
        let own_path = own_path.trim_end_matches('/');
        let path = match path.split_once('/') {
            Some((first, rest)) if own_path.ends_with(&format!("/{first}")) => rest,
            _ => path,
        };
        HttpUrl::parse(&format!("{}/{path}", base.trim_end_matches('/'))).ok()
    }

    /// The headers that carry the key, and what else the provider wants.
    pub(super) fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = match (&self.key, self.wire) {
            (None, _) => Vec::new(),
            (Some(key), Wire::Azure) => secret_header("api-key", key.expose()),
            (Some(key), Wire::Anthropic) => secret_header("x-api-key", key.expose()),
            (Some(key), _) => bearer(key),
        };
        if self.wire == Wire::Anthropic {
            let version = HeaderValue::from_static(super::anthropic::VERSION);
            headers.push((HeaderName::from_static("anthropic-version"), version));
        }
        headers
    }
}

impl KeyCheck {
    pub(super) fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        match self.provider.as_str() {
            "anthropic" => {
                let mut headers = secret_header("x-api-key", self.key.expose());
                let version = HeaderValue::from_static(super::anthropic::VERSION);
                headers.push((HeaderName::from_static("anthropic-version"), version));
                headers
            }
            // In a header, never in the address, which ends up in logs.
            "google" => secret_header("x-goog-api-key", self.key.expose()),
            _ => bearer(&self.key),
        }
    }
}

fn bearer(key: &Secret) -> Vec<(HeaderName, HeaderValue)> {
    secret_header(
        header::AUTHORIZATION.as_str(),
        &format!("Bearer {}", key.expose()),
    )
}

/// A key with characters that no header can hold is sent as none, and the provider says that it is missing.
fn secret_header(name: &'static str, value: &str) -> Vec<(HeaderName, HeaderValue)> {
    let value = HeaderValue::from_str(value.trim()).ok().map(|mut value| {
        value.set_sensitive(true);
        (HeaderName::from_static(name), value)
    });
    value.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(wire: Wire, base: &str) -> Endpoint {
        Endpoint {
            provider: "any".to_owned(),
            wire,
            model: "m".to_owned(),
            base_url: HttpUrl::parse(base).ok(),
            key: Some(Secret::new("canary")),
            api_version: None,
            account: Account::default(),
            region: None,
            num_ctx: None,
            price: None,
            tls: TlsSettings::default(),
        }
    }

    #[test]
    fn addresses_are_put_together() {
        for (wire, base, expected) in [
            (
                Wire::OpenAi,
                "https://api.openai.com/v1",
                "https://api.openai.com/v1/chat/completions",
            ),
            (
                Wire::OpenAi,
                "https://host/v1/",
                "https://host/v1/chat/completions",
            ),
            (
                Wire::Anthropic,
                "https://api.anthropic.com",
                "https://api.anthropic.com/v1/messages",
            ),
            (
                Wire::Anthropic,
                "https://proxy/v1",
                "https://proxy/v1/messages",
            ),
            (
                Wire::Ollama,
                "http://localhost:11434",
                "http://localhost:11434/api/chat",
            ),
            (
                Wire::Azure,
                "https://me.openai.azure.com/",
                "https://me.openai.azure.com/openai/deployments/m/chat/completions?api-version=2024-10-21",
            ),
            (
                Wire::Azure,
                "https://me.openai.azure.com/openai",
                "https://me.openai.azure.com/openai/deployments/m/chat/completions?api-version=2024-10-21",
            ),
            (
                Wire::Azure,
                "https://me.openai.azure.com/openai/v1/",
                "https://me.openai.azure.com/openai/v1/chat/completions",
            ),
            (
                Wire::Ollama,
                "http://localhost:11434/api/",
                "http://localhost:11434/api/chat",
            ),
            (Wire::Ollama, "http://api", "http://api/api/chat"),
        ] {
            let url = endpoint(wire, base).chat_url().expect("an address");
            assert_eq!(url.without_user(), expected);
        }
    }

    #[test]
    fn keys_go_where_each_provider_wants_them_and_are_not_printed() {
        for (wire, name) in [
            (Wire::OpenAi, "authorization"),
            (Wire::Azure, "api-key"),
            (Wire::Anthropic, "x-api-key"),
        ] {
            let headers = endpoint(wire, "https://host").headers();
            assert_eq!(headers[0].0.as_str(), name);
            assert!(!format!("{headers:?}").contains("canary"));
        }
    }
}
