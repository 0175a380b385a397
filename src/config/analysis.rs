//! Who explains incidents: the section `llm` as endpoints to ask.

use std::time::Duration;

use super::sections::{AskWhen, Fallback, Llm};
use crate::analysis::analyst::{Settings, When};
use crate::clients::llm::{Endpoint, provider};
use crate::collectors::llm_models::{self, PriceSettings};
use crate::document::{Node, Path};
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

/// The variable of a key that is missing. Servers at an address of one's own may need none.
fn missing_key(endpoint: &Endpoint, has_own_address: bool) -> Option<&'static str> {
    let known = provider(&endpoint.provider)?;
    known
        .key_variable
        .filter(|_| endpoint.key.is_none() && !has_own_address)
}

/// Who is asked; `None`: nobody, because no model is named, or `when` is `never`.
pub(super) fn read(
    llm: &Llm,
    root: &Node,
    variable: Variables<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Settings> {
    let section = root.get("llm")?;
    let path = Path::default().key("llm");
    let when = match llm.when {
        None | Some(AskWhen::Problems) => When::Problems,
        Some(AskWhen::Changes) => When::Changes,
        Some(AskWhen::Always) => When::Always,
        Some(AskWhen::Never) => return None,
    };
    let mut say = |key: &str, problem: Problem, hint: &str| {
        let place = section.get(key).unwrap_or(section);
        let problem = problem.at(&place.location, path.key(key).to_string());
        problems.push(problem.hint(hint));
    };
    let (Some(provider), Some(model)) = (&llm.provider, &llm.model) else {
        // Neither: the section says what probes may cost.
        if let Some(missing) = match (&llm.provider, &llm.model) {
            (Some(_), None) => Some("model"),
            (None, Some(_)) => Some("provider"),
            _ => None,
        } {
            let message = format!("`{missing}` is missing: nobody is asked to explain incidents");
            let hint = "name both, or write `when: never`";
            say(missing, Problem::warning(message), hint);
        }
        return None;
    };
    if model.trim().is_empty() {
        let hint = "write the name that the provider has for it";
        say(
            "model",
            Problem::error("expected the name of a model"),
            hint,
        );
    }
    match llm.max_tokens {
        Some(0) => {
            let problem = Problem::error("no answer fits into 0 tokens");
            say("max_tokens", problem, USUAL_MAX_TOKENS);
        }
        Some(few) if few < FEW_TOKENS => {
            let message = format!("most answers are cut off at {few} tokens, and not shown");
            say("max_tokens", Problem::warning(message), USUAL_MAX_TOKENS);
        }
        _ => {}
    }
    let first = Fallback {
        provider: provider.clone(),
        model: model.clone(),
        region: llm.region.clone(),
        base_url: llm.base_url.clone(),
        api_key: llm.api_key.clone(),
        api_version: llm.api_version.clone(),
        price: llm.price,
    };
    let mut endpoints = Vec::new();
    let fallback = section.get("fallback");
    let all = std::iter::once((&first, section, path.clone())).chain(
        (llm.fallback.iter().enumerate()).map(|(index, model)| {
            (
                model,
                fallback.unwrap_or(section),
                path.key("fallback").index(index),
            )
        }),
    );
    for (model, node, path) in all {
        let mut settings = llm_models::Settings::of_model(&model.provider, &model.model);
        settings.region.clone_from(&model.region);
        settings.base_url = model.base_url.as_ref().map(|url| url.0.0.clone());
        settings.api_key.clone_from(&model.api_key);
        settings.api_version.clone_from(&model.api_version);
        settings.price = model.price.map(|price| PriceSettings {
            input_per_1k: price.input_per_1k,
            output_per_1k: price.output_per_1k,
        });
        settings.complete(variable);
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
            problems.push(match hint {
                Some(hint) => problem.hint(hint),
                None => problem,
            });
        }
        let endpoint = settings.endpoint();
        if let Some(variable) = missing_key(&endpoint, model.base_url.is_some()) {
            let message = format!(
                "there is no key for `{}`: it will not answer",
                model.provider
            );
            let problem = Problem::warning(message).at(&node.location, path.to_string());
            problems.push(problem.hint(format!("set `{variable}`, or `api_key` here")));
        }
        endpoints.push(endpoint);
    }
    let written = llm.deadline.as_ref().map(|written| written.0.0);
    if written.is_some_and(|deadline| deadline.is_zero() || deadline > LONGEST_DEADLINE) {
        let problem = Problem::error("expected a time from 1 s to 5 min");
        let place = section.get("deadline").unwrap_or(section);
        let problem = problem.at(&place.location, path.key("deadline").to_string());
        problems.push(problem.hint("messages do not wait for it: 20 s is usual"));
    }
    Some(Settings {
        when,
        endpoints,
        max_tokens: llm.max_tokens.unwrap_or(MAX_TOKENS),
        deadline: written.unwrap_or(DEADLINE),
        calls_per_incident: llm.calls_per_incident.unwrap_or(CALLS_PER_INCIDENT),
        secrets: Redactor::default(),
        prices: PriceTable::default(),
    })
}
