use std::collections::BTreeMap;

use super::exit::Exit;
use super::graph::in_words;
use super::{Session, counted, how_many, nothing_found, traces_go, who_hears};
use crate::clock::{Clock, SystemClock};
use crate::config::{Found, Loaded, Plan};
use crate::model::{Timestamp, UsDollars};
use crate::problem::Severity;
use crate::render::history::in_bytes;
use crate::schedule::Timetable;
use crate::store;
use crate::telemetry::VARIABLES;

/// How many of the next times of a schedule are shown.
const NEXT_TIMES: usize = 5;

/// What a look and a sample take on disk, measured (`docs/benchmarks.md`); a target may have more samples than its kind
/// has metrics, or fewer.
const LOOK_BYTES: f64 = 50.0;
const SAMPLE_BYTES: f64 = 8.0;

const DAYS_A_MONTH: f64 = 30.4375;

/// The variables that we know, beside those that the file names itself.
const KNOWN_VARIABLES: [&str; 34] = [
    "ROUNDSMAN_CONFIG",
    "LOG_LEVEL",
    "AWS_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_ENDPOINT_URL",
    "AWS_EC2_METADATA_DISABLED",
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
    // Of some things it is known only when they were tried.
    let counts = |more_warnings: usize| {
        let (errors, warnings) = (
            how_many(&problems, Severity::Error),
            how_many(&problems, Severity::Warning) + more_warnings,
        );
        format!(
            "{}, {}",
            counted(errors, Severity::Error),
            counted(warnings, Severity::Warning)
        )
    };
    let Some(plan) = plan else {
        let counts = counts(0);
        said.push_str(&format!("{counts}: this configuration cannot be used\n"));
        return session.terminal.print(&said, Exit::Configuration);
    };
    said.push_str(&summary(&plan));
    let (traces, warnings) = traces_go::summary(session, &plan);
    said.push_str(&traces);
    said.push_str(&sources(session, &plan));
    let counts = counts(warnings);
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
    let now = SystemClock.now();
    schedules(plan, now, &mut text);
    text.push_str(&who_hears::summary(plan, now));
    memory(plan, now, &mut text);
    costs(plan, now, &mut text);
    words(plan, now, &mut text);
    text
}

/// Who puts incidents into words, and what may keep it from doing so.
fn words(plan: &Plan, now: Timestamp, text: &mut String) {
    let Some(analyst) = &plan.analyst else {
        return;
    };
    let models = analyst.endpoints.iter();
    let models: Vec<String> = models
        .map(|one| format!("{}/{}", one.provider, one.model))
        .collect();
    let daily = plan.purse.budget.daily;
    text.push_str(&format!(
        "words: by {}, within {} s, at most {} for an incident, {daily} a day for all calls\n",
        models.join(", else "),
        analyst.deadline.as_secs(),
        calls(analyst.calls_per_incident),
    ));
    let today = now.with_timezone(&plan.purse.budget.zone).date_naive();
    for doubt in analyst.doubts(daily, today) {
        text.push_str(&format!("  {}\n", doubt.message));
        if let Some(hint) = doubt.hint {
            text.push_str(&format!("    hint: {hint}\n"));
        }
    }
}

fn calls(count: u32) -> String {
    match count {
        1 => "1 call".to_owned(),
        count => format!("{count} calls"),
    }
}

/// Each schedule in words, and when it comes next.
fn schedules(plan: &Plan, now: Timestamp, text: &mut String) {
    let monitoring = &plan.monitoring;
    let mut say = |what: &str, timetable: &Timetable| {
        text.push_str(&format!("{what}: {}\n", in_words(timetable)));
        if let Timetable::Cron(..) = timetable {
            let times = next_times(timetable, monitoring.zone, now);
            text.push_str(&format!("  next: {}\n", times.join(", ")));
        }
    };
    say("rounds", &monitoring.timetable);
    if let Some(reports) = &monitoring.reports {
        say("reports", reports);
    }
    if let Some(weekly) = &monitoring.weekly {
        say("weekly uptime", weekly);
    }
    let mut own: Vec<(&Timetable, Vec<String>)> = Vec::new();
    for watched in &plan.watched {
        if let Some(timetable) = &watched.timetable {
            let name = watched.target.id.to_string();
            match own.iter_mut().find(|(known, _)| *known == timetable) {
                Some((_, names)) => names.push(name),
                None => own.push((timetable, vec![name])),
            }
        }
    }
    for (timetable, names) in own {
        match names.as_slice() {
            [] => {}
            [name] => say(name, timetable),
            [name, more @ ..] => say(&format!("{name} and {} more", more.len()), timetable),
        }
    }
}

/// The next times, in their zone.
fn next_times(timetable: &Timetable, zone: chrono_tz::Tz, now: Timestamp) -> Vec<String> {
    let mut after = now;
    let mut times = Vec::new();
    while times.len() < NEXT_TIMES {
        let Some(next) = timetable.next_after(now, after) else {
            break;
        };
        let local = next.with_timezone(&zone);
        times.push(local.format("%a %Y-%m-%d %H:%M %Z").to_string());
        after = next;
    }
    times
}

/// Where the memory lies, what is kept, and how much room that needs.
fn memory(plan: &Plan, now: Timestamp, text: &mut String) {
    let keep = plan.store.keep;
    let bytes_a_day: f64 = (plan.watched.iter())
        .map(|watched| {
            let timetable = (watched.timetable.as_ref()).unwrap_or(&plan.monitoring.timetable);
            let samples = watched.kind.spec.metrics.len().max(1);
            let samples = f64::from(u32::try_from(samples).unwrap_or(u32::MAX));
            timetable.times_a_day(now) * (LOOK_BYTES + samples * SAMPLE_BYTES)
        })
        .sum();
    let days = keep.age.as_secs_f64() / 86_400.0;
    let needed = bytes_a_day * days;
    #[expect(clippy::cast_precision_loss, reason = "told in two digits")]
    let most = keep.bytes as f64;
    let full = if needed > most {
        format!(
            "; that is too much: about {:.1} days will fit",
            days * most / needed
        )
    } else {
        String::new()
    };
    text.push_str(&format!(
        "memory: {}, {} days, about {} (at most {}){full}\n",
        plan.store.folder.display(),
        days.round(),
        in_bytes(needed),
        in_bytes(most),
    ));
    if let Some(name) = store::network_file_system(&plan.store.folder) {
        text.push_str(&format!(
            "  warning: it lies on a network file system ({name}): it will not be used; set `store.path` to a local disk\n"
        ));
    }
}

/// What the looks cost in a month, by what is paid for; those that cost nothing are not spoken of.
fn costs(plan: &Plan, now: Timestamp, text: &mut String) {
    let amount = |usd: f64| UsDollars::from_dollars(usd).unwrap_or_default();
    let mut known: BTreeMap<&str, f64> = BTreeMap::new();
    for watched in &plan.watched {
        let timetable = (watched.timetable.as_ref()).unwrap_or(&plan.monitoring.timetable);
        let looks = timetable.times_a_day(now) * DAYS_A_MONTH;
        match (watched.kind.monthly_price)(&watched.target.settings, looks) {
            Some(price) if price.of_each_found => text.push_str(&format!(
                "costs: {} of {}: at most {} a month for each that is found\n",
                price.what,
                watched.target.id,
                amount(price.usd)
            )),
            Some(price) => *known.entry(price.what).or_default() += price.usd,
            None => {}
        }
    }
    for (what, usd) in known {
        text.push_str(&format!("costs: {what}: at most {} a month\n", amount(usd)));
    }
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
    let of_traces = VARIABLES.iter().flat_map(|names| names.iter().copied());
    for name in KNOWN_VARIABLES.into_iter().chain(of_traces) {
        if let Some(origin) = session.environment.origin(name) {
            text.push_str(&format!("  {name}: {origin}\n"));
        }
    }
    text
}
