//! Who explains incidents: the section `llm` as endpoints to ask.

use std::time::Duration;

use super::sections::{AskWhen, Fallback, Llm};
use crate::analysis::analyst::{Settings, When};
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
    let first = Fallback {
        provider: llm.provider.clone()?,
        model: llm.model.clone()?,
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
        endpoints.push(settings.endpoint());
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
