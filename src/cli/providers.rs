use serde_json::{Value, json};

use super::Session;
use super::arguments::ListFormat;
use super::exit::Exit;
use super::run_once::runtime;
use crate::app;
use crate::clients::llm::{Endpoint, KeyAnswer, LlmClients, PROVIDERS, provider};
use crate::collectors::llm_keys::Settings;
use crate::config::Plan;
use crate::model::{Failure, Status};

/// No provider is waited for longer.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// How a provider's key is.
struct Found {
    provider: String,
    /// The variable that holds the key.
    variable: Option<String>,
    answer: Answered,
}

enum Answered {
    /// There is no key, and nobody was asked.
    NoKey,
    /// What is said of the key.
    Key(Result<KeyAnswer, Failure>),
    /// One that we do not know by its name: whether there is a key, what model is to be asked, and what it offers.
    Models(bool, String, Result<Vec<String>, Failure>),
}

impl Found {
    fn is_usable(&self) -> bool {
        match &self.answer {
            Answered::NoKey => false,
            Answered::Key(answer) => answer.as_ref().is_ok_and(|answer| answer.is_valid),
            Answered::Models(_, _, offered) => offered.is_ok(),
        }
    }

    fn words(&self) -> String {
        let variable = self.variable.as_deref().unwrap_or_default();
        match &self.answer {
            Answered::NoKey => format!("no key: `{variable}` is not set"),
            Answered::Key(Ok(answer)) if answer.is_valid => format!("usable{}", quota(answer)),
            Answered::Key(Ok(answer)) => format!(
                "the key in `{variable}` is refused (HTTP {})",
                answer.status
            ),
            Answered::Models(_, model, Ok(offered)) if offered.contains(model) => {
                format!("usable, offers `{model}`")
            }
            Answered::Models(_, model, Ok(_)) => {
                format!("usable, but `{model}` is not in its list of models")
            }
            Answered::Key(Err(failure)) | Answered::Models(_, _, Err(failure)) => {
                failure.message.clone()
            }
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
    let unknown = unknown(&plan);
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
    let mut found = runtime.block_on(ask_all(&llm, asked, unknown));
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

/// What `llm:` asks and nobody knows by its name: a gateway, or a server in the house. They have lists of their models.
fn unknown(plan: &Plan) -> Vec<Endpoint> {
    let endpoints = plan.analyst.iter().flat_map(|analyst| &analyst.endpoints);
    let mut unknown: Vec<Endpoint> = Vec::new();
    for endpoint in endpoints {
        let is_known = provider(&endpoint.provider).is_some();
        let is_there =
            |one: &Endpoint| (&one.provider, &one.model) == (&endpoint.provider, &endpoint.model);
        if !is_known && !unknown.iter().any(is_there) {
            unknown.push(endpoint.clone());
        }
    }
    unknown
}

async fn ask_all(llm: &LlmClients, asked: Vec<Settings>, unknown: Vec<Endpoint>) -> Vec<Found> {
    let unknown = unknown.into_iter().map(|endpoint| async move {
        let offered = llm.offered(&endpoint, PATIENCE).await;
        Found {
            answer: Answered::Models(endpoint.key.is_some(), endpoint.model, offered),
            provider: endpoint.provider,
            variable: None,
        }
    });
    let keys = asked.into_iter().map(|settings| async move {
        let answer = match settings.key_check() {
            None => Answered::NoKey,
            Some(check) => Answered::Key(llm.check_key(&check, PATIENCE).await),
        };
        Found {
            variable: settings.variable().map(str::to_owned),
            provider: settings.provider,
            answer,
        }
    });
    let (mut found, of_keys) = tokio::join!(
        futures_util::future::join_all(unknown),
        futures_util::future::join_all(keys)
    );
    found.extend(of_keys);
    found
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
        text.push_str(&format!("{place:<3} {}: {}\n", one.provider, one.words()));
    }
    text
}

fn as_json(found: &[Found]) -> String {
    let list: Vec<Value> = found
        .iter()
        .map(|one| {
            let (key_present, answer) = match &one.answer {
                Answered::NoKey => (false, None),
                Answered::Key(answer) => (true, answer.as_ref().ok()),
                Answered::Models(has_key, ..) => (*has_key, None),
            };
            json!({
                "provider": one.provider,
                "usable": one.is_usable(),
                "key_present": key_present,
                "variable": one.variable,
                "status": answer.map(|answer| answer.status),
                "remaining_requests": answer.and_then(|answer| answer.remaining_requests),
                "remaining_tokens": answer.and_then(|answer| answer.remaining_tokens),
                "message": one.words(),
            })
        })
        .collect();
    format!("{:#}\n", Value::Array(list))
}
