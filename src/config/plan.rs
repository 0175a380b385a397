use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::analysis::analyst;
use crate::clients::Surroundings;
use crate::clients::llm::Terms;
use crate::collectors::Kind;
use crate::incidents::{self, Level, Route, Silence, Window};
use crate::model::{Origin, Target};
use crate::pipeline::ReportWhen;
use crate::problem::Location;
use crate::redaction;
use crate::reporters::{self, ReporterKind};
use crate::rules::Rules;
use crate::schedule::Timetable;
use crate::secret::Redactor;
use crate::store;

/// All that a configuration asks for, checked. Pure: nothing was opened or started for it.
pub struct Plan {
    /// The files it came from, the main one first; empty: it is the built-in one.
    pub files: Vec<PathBuf>,
    /// What is watched, in the order of the files.
    pub watched: Vec<Watched>,
    /// How many targets are switched off with `enabled: false`.
    pub disabled: usize,
    /// How the daemon makes its rounds.
    pub monitoring: Monitoring,
    /// Where the memory lies, and how much of it is kept.
    pub store: store::Settings,
    /// Where reports go, beside the terminal.
    pub reporters: Vec<PlannedReporter>,
    /// What is not spoken of, as the files have it.
    pub silences: Vec<Silence>,
    /// When maintenance is done.
    pub windows: Vec<Window>,
    /// Who is told when nobody answers, in the order in which the levels are reached.
    pub escalation: Vec<Level>,
    /// How incidents are grouped and repeated.
    pub incidents: incidents::Settings,
    /// How messages are delivered.
    pub delivery: Delivery,
    /// Where each value came from that is not written under `targets`, and each that came from a variable or a
    /// file.
    pub sources: Vec<ValueSource>,
    /// What is never to be said, though it stands in settings that are, such as a token in an address.
    pub secrets: Redactor,
    /// How much language models may cost, and what they cost.
    pub purse: Terms,
    /// Who explains incidents; `None`: nobody.
    pub analyst: Option<analyst::Settings>,
    /// Where we run: what clients find around them.
    pub surroundings: Surroundings,
}

impl Plan {
    /// What takes secrets out of all that is collected: those that are configured, and those that look like one.
    #[must_use]
    pub fn redactor(&self) -> redaction::Redactor {
        redaction::Redactor::new(&self.secrets, self.monitoring.redact_emails)
    }
}

/// A target with all that is needed to look at it and to judge it.
#[derive(Clone)]
pub struct Watched {
    /// The target.
    pub target: Arc<Target>,
    /// Its kind.
    pub kind: &'static Kind,
    /// Its rules.
    pub rules: Arc<Rules>,
    /// When it is looked at, where that differs from the rounds.
    pub timetable: Option<Timetable>,
    /// Where it stands.
    pub location: Option<Location>,
    /// Where its time-out came from.
    pub timeout_from: Origin,
    /// Whether its name was given, not derived.
    pub named: bool,
    /// Where some of its keys stand, with their paths.
    pub(super) places: HashMap<&'static str, (Location, String)>,
}

/// How the daemon makes its rounds.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own in the configuration"
)]
pub struct Monitoring {
    /// When rounds begin.
    pub timetable: Timetable,
    /// The zone of all schedules.
    pub zone: chrono_tz::Tz,
    /// Whether the first round begins at once on start.
    pub run_on_start: bool,
    /// Whether a round that was missed while the daemon was down is made up for on start.
    pub make_up: bool,
    /// By up to how much each look is put off.
    pub jitter: Duration,
    /// Whether there are more looks while something is wrong.
    pub adaptive: bool,
    /// After how long a look that turns a target worse is repeated.
    pub confirm_after: Duration,
    /// How many looks must agree before a target counts as worse.
    pub agreeing_looks: u32,
    /// Whether e-mail addresses are taken out of what is collected.
    pub redact_emails: bool,
    /// Whether hosts that do not answer are told from a network of our own that is down.
    pub own_network: bool,
    /// How long the daemon may take to end.
    pub grace: Duration,
    /// When reports are made; `None`: after each round.
    pub reports: Option<Timetable>,
    /// Which reports are sent.
    pub report_when: ReportWhen,
    /// When the uptime of the last 7 days is sent; `None`: never.
    pub weekly: Option<Timetable>,
}

/// A channel that reports go to.
#[derive(Clone)]
pub struct PlannedReporter {
    /// What sort of channel.
    pub kind: &'static ReporterKind,
    /// How it is called.
    pub name: String,
    /// What its sort takes.
    pub settings: reporters::Settings,
    /// Which messages it gets; `None`: all, unless a level of escalation names it.
    pub route: Option<Route>,
    /// Where it stands.
    pub location: Option<Location>,
}

/// How messages are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// How long a message is tried that a channel does not take.
    pub retry: chrono::TimeDelta,
}

impl Default for Delivery {
    fn default() -> Self {
        let retry = chrono::TimeDelta::hours(24);
        Self { retry }
    }
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueSource {
    /// Its path in the document.
    pub path: String,
    /// Where it stands.
    pub location: Location,
    /// The variables or files that its text came from; `None`: it is written there.
    pub expanded_from: Option<Arc<str>>,
}
