use serde_json::{Value, json};

use super::Session;
use super::arguments::ListFormat;
use super::exit::Exit;
use super::run_once::runtime;
use crate::app;
use crate::clients::llm::{KeyAnswer, LlmClients, PROVIDERS};
use crate::collectors::llm_keys::Settings;
use crate::config::Plan;
use crate::model::{Failure, Status};

/// No provider is waited for longer.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// How a provider's key is.
struct Found {
    settings: Settings,
    /// `None`: there is no key.
    answer: Option<Result<KeyAnswer, Failure>>,
}

impl Found {
    fn is_usable(&self) -> bool {
        matches!(&self.answer, Some(Ok(answer)) if answer.is_valid)
    }

    fn words(&self) -> String {
        let variable = self.settings.variable().unwrap_or_default();
        match &self.answer {
            None => format!("no key: `{variable}` is not set"),
            Some(Ok(answer)) if answer.is_valid => format!("usable{}", quota(answer)),
            Some(Ok(answer)) => format!(
                "the key in `{variable}` is refused (HTTP {})",
                answer.status
            ),
            Some(Err(failure)) => failure.message.clone(),
        }
    }
}

/// Shows which providers of language models can be used, in order of preference: as the configuration lists their keys, or
/// all that are known. Ends with 2 where none can.
pub(super) fn run(session: &Session, format: ListFormat) -> Exit {
    let plan = match session.plan() {
        Ok(plan) => plan,
        Err(exit) => return exit,
    };
    let asked = listed(session, &plan);
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            session
                .terminal
                .complain(&format!("nobody can be asked: {error}"));
            return Exit::Software;
        }
    };
    let llm = app::clients(&plan).llm;
    let mut found = runtime.block_on(ask_all(&llm, asked));
    runtime.shutdown_background();
    // Stable: among those that can be used the order stays.
    found.sort_by_key(|one| !one.is_usable());
    let mut said = match format {
        ListFormat::Text => as_text(&found),
        ListFormat::Json => as_json(&found),
    };
    plan.secrets.redact(&mut said);
    let is_any = found.iter().any(Found::is_usable);
    let exit = if is_any {
        Exit::Well
    } else {
        Exit::Worst(Status::Red)
    };
    session.terminal.print(&said, exit)
}

/// The keys of the configuration, or those of all providers that are known.
fn listed(session: &Session, plan: &Plan) -> Vec<Settings> {
    let configured = plan
        .watched
        .iter()
        .filter_map(|one| one.target.settings.downcast_ref::<Settings>());
    let configured: Vec<Settings> = configured.cloned().collect();
    if !configured.is_empty() {
        return configured;
    }
    let variable = |name: &str| session.environment.get(name).map(str::to_owned);
    let known = PROVIDERS
        .iter()
        .filter(|provider| provider.test_url.is_some());
    known
        .map(|provider| Settings::of_provider(provider.name, &variable))
        .collect()
}

async fn ask_all(llm: &LlmClients, asked: Vec<Settings>) -> Vec<Found> {
    let all = asked.into_iter().map(|settings| async {
        let answer = match settings.key_check() {
            None => None,
            Some(check) => Some(llm.check_key(&check, PATIENCE).await),
        };
        Found { settings, answer }
    });
    futures_util::future::join_all(all).await
}

fn quota(answer: &KeyAnswer) -> String {
    let mut parts = Vec::new();
    if let Some(left) = answer.remaining_requests {
        parts.push(format!("{left} requests left"));
    }
    if let Some(left) = answer.remaining_tokens {
        parts.push(format!("{left} tokens left"));
    }
    if let Some(left) = answer.remaining_millidollars {
        parts.push(format!("${}.{:03} left", left / 1_000, left % 1_000));
    }
    if parts.is_empty() {
        String::new()
    } else {
        format!(", {}", parts.join(", "))
    }
}

fn as_text(found: &[Found]) -> String {
    let mut text = String::new();
    let mut rank = 0;
    for one in found {
        let place = if one.is_usable() {
            rank += 1;
            format!("{rank}.")
        } else {
            "-".to_owned()
        };
        text.push_str(&format!(
            "{place:<3} {}: {}\n",
            one.settings.provider,
            one.words()
        ));
    }
    text
}

fn as_json(found: &[Found]) -> String {
    let list: Vec<Value> = found
        .iter()
        .map(|one| {
            let answer = one.answer.as_ref().and_then(|answer| answer.as_ref().ok());
            json!({
                "provider": one.settings.provider,
                "usable": one.is_usable(),
                "key_present": one.answer.is_some(),
                "variable": one.settings.variable(),
                "status": answer.map(|answer| answer.status),
                "remaining_requests": answer.and_then(|answer| answer.remaining_requests),
                "remaining_tokens": answer.and_then(|answer| answer.remaining_tokens),
                "message": one.words(),
            })
        })
        .collect();
    format!("{:#}\n", Value::Array(list))
}
