//! Who explains incidents: the section `llm` as endpoints to ask.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::sections::{AskWhen, Fallback, Llm};
use crate::analysis::analyst::{Settings, When};
use crate::clients::llm::Endpoint;
use crate::collectors::llm_models::{self, PriceSettings};
use crate::document::{LinkText, Node, Path, Written, shown_name};
use crate::problem::{Problem, SettingsProblem, Severity, Variables};
use crate::purse::PriceTable;
use crate::secret::Redactor;

/// What an answer needs at most: a long one has 800 tokens; models that think need more.
const MAX_TOKENS: u32 = 4_096;
/// How long an answer is waited for, unless the configuration says otherwise.
const DEADLINE: Duration = Duration::from_secs(20);
/// Longer nobody waits at night.
const LONGEST_DEADLINE: Duration = Duration::from_mins(5);
/// How often a model is asked about one incident.
const CALLS_PER_INCIDENT: u32 = 3;

/// An answer has 300 to 800 tokens, and more where the model thinks.
const FEW_TOKENS: u32 = 300;
const USUAL_MAX_TOKENS: &str =
    "an answer has 300 to 800 tokens, and a model that thinks needs more: 4096 is usual";

/// The variables that stand for `base_url` and `model` where the section has none, as the predecessor's users have them.
const URL: &str = "LLM_URL";
const MODEL: &str = "LLM_MODEL";

/// What a server is called that is named by its address alone. It speaks as `OpenAI` does.
const UNNAMED: &str = "own";

/// Who is asked; `None`: nobody, because no model is named, or `when` is `never`.
pub(super) fn read(
    llm: &Llm,
    root: &Node,
    variable: Variables<'_>,
    secrets: &Redactor,
    prices: &PriceTable,
    problems: &mut Vec<Problem>,
) -> Option<Settings> {
    let mut reader = Reader {
        section: root.get("llm")?,
        path: Path::default().key("llm"),
        variable,
        problems,
    };
    let when = match llm.when {
        None | Some(AskWhen::Problems) => When::Problems,
        Some(AskWhen::Changes) => When::Changes,
        Some(AskWhen::Always) => When::Always,
        Some(AskWhen::Never) => return None,
    };
    let first = reader.first(llm)?;
    reader.check_length(llm.max_tokens);
    let mut endpoints = vec![reader.endpoint(&first, reader.section, &reader.path.clone())];
    let fallback = reader.section.get("fallback").unwrap_or(reader.section);
    for (index, model) in llm.fallback.iter().enumerate() {
        let path = reader.path.key("fallback").index(index);
        endpoints.push(reader.endpoint(model, fallback, &path));
    }
    let deadline = llm.deadline.as_ref().map(|written| written.0.0);
    if deadline.is_some_and(|deadline| deadline.is_zero() || deadline > LONGEST_DEADLINE) {
        let problem = Problem::error("expected a time from 1 s to 5 min");
        let hint = "messages do not wait for it: 20 s is usual";
        reader.say("deadline", problem, hint);
    }
    Some(Settings {
        when,
        endpoints,
        max_tokens: llm.max_tokens.unwrap_or(MAX_TOKENS),
        deadline: deadline.unwrap_or(DEADLINE),
        calls_per_incident: llm.calls_per_incident.unwrap_or(CALLS_PER_INCIDENT),
        secrets: secrets.clone(),
        prices: prices.clone(),
    })
}

/// A host alone: a server of this machine or network has seldom a certificate, and nobody else is asked without one.
fn with_scheme(url: String) -> String {
    if url.contains("://") {
        return url;
    }
    let end = url.find([':', '/']).unwrap_or(url.len());
    let is_near = url[..end].parse::<Ipv4Addr>().is_ok() || !url[..end].contains('.');
    let scheme = if is_near { "http" } else { "https" };
    format!("{scheme}://{url}")
}

/// Reads the section, and says what is wrong with it.
struct Reader<'a> {
    section: &'a Node,
    path: Path,
    variable: Variables<'a>,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn say(&mut self, key: &str, problem: Problem, hint: &str) {
        let place = self.section.get(key).unwrap_or(self.section);
        let problem = problem.at(&place.location, self.path.key(key).to_string());
        self.problems.push(problem.hint(hint));
    }

    /// The model that the section names itself.
    fn first(&mut self, llm: &Llm) -> Option<Fallback> {
        let set = |name: &str| (self.variable)(name).filter(|value| !value.is_empty());
        // Bedrock is found by its region: an address there is one of a private network, and no model server's.
        let is_bedrock = llm.provider.as_deref() == Some("bedrock");
        let set_url = set(URL).filter(|_| llm.base_url.is_none() && !is_bedrock);
        let named = llm.provider.clone();
        let has_address = llm.base_url.is_some() || set_url.is_some();
        let named = named.or_else(|| has_address.then(|| UNNAMED.to_owned()));
        let model = llm.model.clone().or_else(|| set(MODEL));
        let (provider, model) = match (named, model) {
            (Some(provider), Some(model)) => (provider, model),
            // The section says what probes may cost.
            (None, None) => return None,
            (provider, _) => {
                let missing = if provider.is_some() {
                    "model"
                } else {
                    "provider"
                };
                let message =
                    format!("`{missing}` is missing: nobody is asked to explain incidents");
                let hint = "name both (the variables `LLM_URL` and `LLM_MODEL` do as well), or write `when: never`";
                self.say(missing, Problem::warning(message), hint);
                return None;
            }
        };
        if model.trim().is_empty() {
            let hint = "write the name that the provider has for it";
            self.say(
                "model",
                Problem::error("expected the name of a model"),
                hint,
            );
        }
        Some(Fallback {
            provider,
            model,
            region: llm.region.clone(),
            base_url: (llm.base_url.clone())
                .or_else(|| set_url.map(|url| Written(LinkText(with_scheme(url))))),
            api_key: llm.api_key.clone(),
            api_version: llm.api_version.clone(),
            price: llm.price,
        })
    }

    fn check_length(&mut self, max_tokens: Option<u32>) {
        let problem = match max_tokens {
            Some(0) => Problem::error("no answer fits into 0 tokens"),
            Some(few) if few < FEW_TOKENS => Problem::warning(format!(
                "most answers are cut off at {few} tokens, and not shown"
            )),
            _ => return,
        };
        self.say("max_tokens", problem, USUAL_MAX_TOKENS);
    }

    fn endpoint(&mut self, model: &Fallback, node: &Node, path: &Path) -> Endpoint {
        let mut settings = llm_models::Settings::of_model(&model.provider, &model.model);
        settings.region.clone_from(&model.region);
        settings.base_url = model.base_url.as_ref().map(|url| url.0.0.clone());
        settings.api_key.clone_from(&model.api_key);
        settings.api_version.clone_from(&model.api_version);
        settings.price = model.price.map(|price| PriceSettings {
            input_per_1k: price.input_per_1k,
            output_per_1k: price.output_per_1k,
        });
        settings.complete(self.variable);
        for SettingsProblem {
            key,
            severity,
            message,
            hint,
        } in settings.check()
        {
            let problem = match severity {
                Severity::Error => Problem::error(message),
                Severity::Warning => Problem::warning(message),
            };
            let place = node.get(key).unwrap_or(node);
            let problem = problem.at(&place.location, path.key(key).to_string());
            self.problems.push(match hint {
                Some(hint) => problem.hint(hint),
                None => problem,
            });
        }
        let endpoint = settings.endpoint();
        if let Some(variable) = endpoint.missing_key() {
            let provider = shown_name(&model.provider);
            let message = format!("there is no key for {provider}: it will not answer");
            let problem = Problem::warning(message).at(&node.location, path.to_string());
            self.problems
                .push(problem.hint(format!("set `{variable}`, or `api_key` here")));
        }
        endpoint
    }
}
