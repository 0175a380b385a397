use std::collections::BTreeMap;

use super::exit::Exit;
use super::graph::in_words;
use super::{Session, count, nothing_found};
use crate::config::{Found, Loaded, Plan};
use crate::problem::Severity;

/// The variables that we know, beside those that the file names itself.
const KNOWN_VARIABLES: [&str; 29] = [
    "ROUNDSMAN_CONFIG",
    "LOG_LEVEL",
    "AWS_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "TELEGRAM_BOT_TOKEN",
    "TELEGRAM_CHAT_ID",
    "VPS_SSH_KEY_PATH",
    "POSTGRES_USER",
    "POSTGRES_PASSWORD",
    "AZURE_OPENAI_KEY",
    "AZURE_OPENAI_ENDPOINT",
    "TOGETHER_API_KEY",
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "OPENROUTER_API_KEY",
    "GOOGLE_API_KEY",
    "MOONSHOT_API_KEY",
    "SMTP_HOST",
    "SMTP_PORT",
    "SMTP_USER",
    "SMTP_PASSWORD",
    "SLACK_WEBHOOK_URL",
    "LLM_URL",
    "LLM_MODEL",
    "PROM_URL",
    "NO_COLOR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// Checks the configuration: all problems at once, then what it says and where each value came from.
pub(super) fn run(session: &Session) -> Exit {
    let loaded = match session.load() {
        Found::File(loaded) => *loaded,
        Found::Nothing => {
            session.terminal.complain(&nothing_found());
            return Exit::Configuration;
        }
    };
    let Loaded { plan, problems } = loaded;
    let problems = [session.environment_problems.as_slice(), &problems].concat();
    let mut said = String::new();
    for problem in &problems {
        said.push_str(&format!(
            "{}\n",
            session.terminal.problem(problem, session.terminal.stdout)
        ));
    }
    let counts = format!(
        "{}, {}",
        count(&problems, Severity::Error),
        count(&problems, Severity::Warning)
    );
    let Some(plan) = plan else {
        said.push_str(&format!("{counts}: this configuration cannot be used\n"));
        return session.terminal.print(&said, Exit::Configuration);
    };
    said.push_str(&summary(&plan));
    said.push_str(&sources(session, &plan));
    said.push_str(&format!("\n{counts}: this configuration can be used\n"));
    session.terminal.print(&said, Exit::Well)
}

fn summary(plan: &Plan) -> String {
    let mut text = String::new();
    let files: Vec<String> = plan
        .files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    text.push_str(&format!("files: {}\n", files.join(", ")));
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for watched in &plan.watched {
        *kinds.entry(watched.kind.spec.key).or_default() += 1;
    }
    let kinds: Vec<String> = kinds
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    let disabled = match plan.disabled {
        0 => String::new(),
        count => format!("; {count} not enabled"),
    };
    text.push_str(&format!("targets: {}{disabled}\n", kinds.join(", ")));
    text.push_str(&format!(
        "rounds: {}\n",
        in_words(&plan.monitoring.timetable)
    ));
    text
}

fn sources(session: &Session, plan: &Plan) -> String {
    let mut text = String::from("\nwhere each value came from (values are not shown):\n");
    for source in &plan.sources {
        let from = match &source.expanded_from {
            Some(from) => format!(", from {from}"),
            None => String::new(),
        };
        text.push_str(&format!("  {}: {}{from}\n", source.path, source.location));
    }
    for watched in &plan.watched {
        let place = watched
            .location
            .as_ref()
            .map_or_else(String::new, ToString::to_string);
        text.push_str(&format!("  target {}: {place}\n", watched.target.id));
    }
    text.push_str("\nvariables that are set:\n");
    for name in KNOWN_VARIABLES {
        if let Some(origin) = session.environment.origin(name) {
            text.push_str(&format!("  {name}: {origin}\n"));
        }
    }
    text
}
