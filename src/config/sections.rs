//! The sections of a configuration file as typed structs. Doc comments become the JSON Schema that editors show.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::incidents::RouteKeys;
use super::values::{LimitText, SubjectText, ThresholdText, ZoneText};
use crate::document::{DurationText, LinkText, Milliseconds, OneOrMany, Written};
use crate::rules::Thresholds;
use crate::schedule::Cron;
use crate::secret::Secret;

/// When the rounds are made.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Monitoring {
    /// When rounds begin: five cron fields (minute hour day month weekday). Default `0 */6 * * *`.
    pub schedule: Option<Written<Cron>>,
    /// Instead of `schedule`: the time between the beginnings of two rounds, such as `30s`.
    pub every: Option<Written<DurationText>>,
    /// The zone in which `schedule` is meant, such as `Europe/Berlin`. Default: the system's.
    pub timezone: Option<Written<ZoneText>>,
    /// Whether the first round begins at once on start. Default true.
    pub run_on_start: Option<bool>,
    /// Each look is put off by a random time up to this.
    pub jitter: Option<Written<DurationText>>,
    /// What happens to rounds that were missed while the daemon was down: one on start, or none.
    pub missed: Option<Missed>,
    /// Look more often while something is wrong: every 15 s, every 5 s while a critical target is RED. Default false.
    pub adaptive: Option<bool>,
    /// After how long a look that turns a target worse is repeated. Default `30s`.
    pub confirm_after: Option<Written<DurationText>>,
    /// How many looks must agree before a target counts as worse. Default 2.
    #[serde(rename = "for")]
    pub agreeing_looks: Option<u32>,
    /// Whether it is found out, when several hosts do not answer, that our own network is down: then they are UNKNOWN.
    /// Default true.
    pub own_network: Option<bool>,
    /// Whether e-mail addresses are taken out of what is collected, as secrets always are. Default false.
    pub redact_emails: Option<bool>,
    /// How long the daemon may take to end: what is under way is waited for so long. Default `8s`.
    pub grace: Option<Written<DurationText>>,
}

/// What happens to rounds that were missed while the daemon was down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Missed {
    /// One round on start.
    RunOnce,
    /// None.
    Skip,
}

/// The language model that explains what was found.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Llm {
    /// Who runs the model: `bedrock`, `openai`, `azure`, `anthropic`, `ollama`, or another provider's name.
    pub provider: Option<String>,
    /// The model, as the provider names it.
    pub model: Option<String>,
    /// The provider's region.
    pub region: Option<String>,
    /// The provider's address, where it is not the usual one.
    pub base_url: Option<Written<LinkText>>,
    /// The provider's key. Write `${NAME}`.
    pub api_key: Option<Secret>,
    /// The longest answer that is paid for.
    pub max_tokens: Option<u32>,
    /// What all calls of a day may cost together, in US dollars.
    pub daily_budget_usd: Option<f64>,
    /// When the model is asked. Default `problems`.
    pub when: Option<AskWhen>,
    /// Whose midnight ends the day of the budget. Default: `monitoring.timezone`.
    pub budget_timezone: Option<Written<ZoneText>>,
    /// What models cost, before the prices that we know.
    pub prices: Vec<PriceOfModel>,
    /// What the model costs, where it is not in the price table.
    pub price: Option<Price>,
    /// Providers that are asked when the first does not answer.
    pub fallback: Vec<Fallback>,
    /// How long an answer is waited for, such as `20s`, the default. Messages do not wait for it.
    pub deadline: Option<Written<DurationText>>,
    /// How often the model is asked about one incident. Default 3.
    pub calls_per_incident: Option<u32>,
    /// The version of Azure's interface.
    pub api_version: Option<String>,
    /// Whether questions and answers go where traces go. Default: no, only names and numbers do.
    pub trace_prompts: bool,
}

/// A model that is asked when those before it do not answer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Fallback {
    /// Who runs it.
    pub provider: String,
    /// The model, as the provider names it.
    pub model: String,
    /// The provider's region.
    pub region: Option<String>,
    /// The provider's address, where it is not the usual one.
    pub base_url: Option<Written<LinkText>>,
    /// The provider's key. Write `${NAME}`.
    pub api_key: Option<Secret>,
    /// The version of Azure's interface.
    pub api_version: Option<String>,
    /// What it costs, where it is not in the price table.
    pub price: Option<Price>,
}

/// When the language model is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum AskWhen {
    /// When something is wrong.
    Problems,
    /// When something changed.
    Changes,
    /// For every report.
    Always,
    /// Never.
    Never,
}

/// What a model costs, in US dollars per 1,000 tokens.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Price {
    /// Of the question.
    pub input_per_1k: f64,
    /// Of the answer.
    pub output_per_1k: f64,
}

/// What some models cost, in US dollars per 1,000 tokens.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PriceOfModel {
    /// Which models: a name or a pattern such as `gpt-4o*`.
    pub model: String,
    /// Of the question.
    pub input_per_1k: f64,
    /// Of the answer.
    pub output_per_1k: f64,
    /// From that day on, such as `2026-12-01`.
    pub from: Option<String>,
}

/// What is kept, and where.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Store {
    /// The folder.
    pub path: Option<String>,
    /// How long looks and changes are kept, in days. Default 7.
    pub keep_days: Option<u32>,
    /// How large it may grow, in bytes; then the oldest go first. Default 2147483648, which is 2 GiB.
    pub max_bytes: Option<u64>,
}

/// The digest.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ReportSection {
    /// When it is sent: five cron fields. Default: after each round of `monitoring.schedule`.
    pub schedule: Option<Written<Cron>>,
    /// Whether it is sent at all when nothing is wrong, or nothing changed.
    pub when: Option<ReportWhen>,
    /// When the uptime of the last 7 days is sent: five cron fields, such as `0 8 * * 1`. Default: never.
    pub weekly: Option<Written<Cron>>,
}

/// Which digests are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReportWhen {
    /// All.
    Always,
    /// Those with something that is not GREEN.
    Problems,
    /// Those with a change since the last.
    Changes,
}

/// What every target takes, whatever its kind.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct CommonKeys {
    /// How it is called. Unique within its kind.
    pub name: Option<String>,
    /// Whether it makes the whole unhealthy when it is RED. Default true.
    pub critical: bool,
    /// `instant`: a problem is spoken of at the first look.
    pub urgency: UrgencyWord,
    /// The time between two looks, such as `30s`, where it differs from the rounds.
    pub every: Option<Written<DurationText>>,
    /// A schedule of its own: five cron fields.
    pub schedule: Option<Written<Cron>>,
    /// How long a look may take, in milliseconds.
    pub timeout_ms: Option<Written<Milliseconds>>,
    /// Limits that hold for this target alone.
    pub thresholds: Thresholds,
    /// Own limits on any metric of its kind.
    pub rules: Vec<RuleEntry>,
    /// Free words to route and to silence by.
    pub labels: BTreeMap<String, String>,
    /// The targets without which this one cannot be well: `name` or `kind/name`.
    pub depends_on: OneOrMany,
    /// A link that every message about it shows.
    pub runbook: Option<Written<LinkText>>,
    /// Whether it is watched. Default true.
    pub enabled: bool,
}

impl Default for CommonKeys {
    fn default() -> Self {
        Self {
            name: None,
            critical: true,
            urgency: UrgencyWord::Normal,
            every: None,
            schedule: None,
            timeout_ms: None,
            thresholds: Thresholds::default(),
            rules: Vec::new(),
            labels: BTreeMap::new(),
            depends_on: OneOrMany::default(),
            runbook: None,
            enabled: true,
        }
    }
}

/// How soon a problem is spoken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum UrgencyWord {
    /// After enough looks agree.
    Normal,
    /// At the first look.
    Instant,
}

/// An own limit. A side that is left out keeps the limit that held before.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleEntry {
    /// The metric, as `roundsman kinds` lists it.
    pub metric: String,
    /// Only for these parts, such as a mount point: a name or a pattern.
    pub subject: Option<Written<SubjectText>>,
    /// When it turns YELLOW: `> 70`, or `never`.
    pub yellow: Option<Written<ThresholdText>>,
    /// When it turns RED: `> 90`, or `never`.
    pub red: Option<Written<ThresholdText>>,
    /// What must be true before it is GREEN again: `< 65`.
    pub clear: Option<Written<LimitText>>,
}

/// A channel that reports go to; further keys belong to its kind.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReporterKeys {
    /// What sort of channel.
    pub kind: String,
    /// How it is called. Default: its kind.
    pub name: Option<String>,
    /// Which messages it gets. Default: all.
    pub route: Option<RouteKeys>,
}
