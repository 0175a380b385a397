//! Where reports go: one file per channel, and one list that names them all.
//!
//! A reporter takes a message and says what became of it. It knows neither collectors nor the store, and it does not
//! try again: whether a failure is worth another try is part of its answer. To add one: write its file, and
//! replace its line in [`KINDS`].

use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::clients::Clients;
use crate::clock::Clock;
use crate::document::{Node, ReadError, from_node};
use crate::model::{IncidentReport, Report, Status, Timestamp};
use crate::problem::{SettingsProblem, Variables};
use crate::render::blocks::Block;
use crate::render::digest::{digest, digest_title};
use crate::render::incident::{
    incident_blocks, incident_news, incident_title, incidents_blocks, incidents_title,
    incidents_tone,
};

pub mod email;
pub mod file;
mod not_built;
pub mod slack;
pub mod telegram;
pub mod terminal;
pub mod webhook;

use not_built::NotBuilt;

/// All channels, in the order of the documentation.
pub static KINDS: &[ReporterKind] = &[
    ReporterKind::of::<telegram::Telegram>(),
    ReporterKind::of::<slack::Slack>(),
    ReporterKind::of::<email::Email>(),
    ReporterKind::not_built("discord", "Discord", "through a webhook"),
    ReporterKind::of::<webhook::Webhook>(),
    ReporterKind::not_built("alertmanager", "Alertmanager", "posts alerts to its API"),
    ReporterKind::not_built("github", "GitHub issues", "opens and closes issues"),
    ReporterKind::of::<file::File>(),
    ReporterKind::of::<terminal::Terminal>(),
];

/// What a sort of channel is. Feeds the generated pages and the JSON Schema.
#[derive(Debug)]
pub struct ReporterSpec {
    /// The word after `kind:` under `reporters:`.
    pub key: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// How it sends, in a few words.
    pub how: &'static str,
    /// A commented entry list as it stands under `reporters:`; empty where it is not built.
    pub sample: &'static str,
    /// Whether this build can send through it. One that is known but not built takes any settings.
    pub built: bool,
    /// Whether a newer message about an incident takes the place of the one before, where people or a program read it: then
    /// it is also told of what nobody must hear.
    pub edits: bool,
}

/// What a reporter may use besides its settings.
#[derive(Clone)]
pub struct Means {
    /// Sessions and connections.
    pub clients: Clients,
    /// The terminal, or whatever stands in for it.
    pub screen: terminal::Screen,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// What is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Unique among all messages, and the same at each try: whoever gets it twice can tell.
    pub id: String,
    /// What it says in one line without markup: the subject of a mail, the text of a notification.
    pub title: String,
    /// The worst status it tells of.
    pub tone: Status,
    /// For people.
    pub blocks: Vec<Block>,
    /// For programs.
    pub content: Content,
    /// What it belongs to; `None`: it stands alone.
    pub thread: Option<Thread>,
}

/// What a message tells programs.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A round report.
    Report(Arc<Report>),
    /// News of an incident.
    Incident(Arc<IncidentReport>),
    /// Many incidents at once.
    Incidents(Vec<IncidentReport>),
    /// Nothing but what its blocks say, such as that the monitor itself is in trouble.
    Note {
        /// Whether somebody must hear of it now.
        rings: bool,
    },
}

impl Content {
    /// Whether somebody must hear of it now.
    #[must_use]
    pub fn rings(&self) -> bool {
        let of = |report: &IncidentReport| report.events.iter().any(|event| event.rings);
        match self {
            Self::Report(report) => report.status != Status::Green,
            Self::Incident(report) => of(report),
            Self::Incidents(reports) => reports.iter().any(of),
            Self::Note { rings } => *rings,
        }
    }
}

/// All messages about one incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// The same for all of them: `incident-12`.
    pub key: String,
    /// The title of the first of them.
    pub title: String,
    /// What the channel's receipt for the message before said: where it can, this one takes the place of that.
    pub before: Option<String>,
    /// What is new, in one line: where a message is edited, a short reply says it, so that the phone rings. `None`: nothing
    /// that anybody must hear of.
    pub news: Option<String>,
}

impl Message {
    /// The round report.
    #[must_use]
    pub fn digest(report: Arc<Report>) -> Self {
        Self {
            id: report.round.id.clone(),
            title: digest_title(&report),
            tone: report.status,
            blocks: digest(&report),
            content: Content::Report(report),
            thread: None,
        }
    }

    /// News of an incident. `before`: what the receipt for the message before said.
    #[must_use]
    pub fn incident(
        id: String,
        report: Arc<IncidentReport>,
        before: Option<String>,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            title: incident_title(&report, now),
            tone: report.status,
            blocks: incident_blocks(&report, now),
            thread: Some(Thread {
                key: format!("incident-{}", report.id),
                title: report.title.clone(),
                // The first message is itself what is new.
                news: before.as_ref().and_then(|_| incident_news(&report)),
                before,
            }),
            content: Content::Incident(report),
        }
    }

    /// Many incidents at once.
    #[must_use]
    pub fn incidents(id: String, reports: Vec<IncidentReport>, now: Timestamp) -> Self {
        Self {
            id,
            title: incidents_title(&reports, now),
            tone: incidents_tone(&reports),
            blocks: incidents_blocks(&reports, now),
            content: Content::Incidents(reports),
            thread: None,
        }
    }

    /// What is for people alone.
    #[must_use]
    pub fn note(id: String, title: String, tone: Status, blocks: Vec<Block>) -> Self {
        Self {
            id,
            title,
            tone,
            blocks,
            content: Content::Note { rings: true },
            thread: None,
        }
    }

    /// The same without a ring.
    #[must_use]
    pub fn quietly(self) -> Self {
        Self {
            content: Content::Note { rings: false },
            ..self
        }
    }
}

/// What a channel says of a message that it took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// How the channel calls the message, so that it can be edited and is not sent twice.
    pub external_id: Option<String>,
}

/// Whether another try is worth it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It would fail in the same way until somebody changes something.
    Never,
    /// It may work later.
    Later {
        /// Not before, where the channel says so.
        not_before: Option<Duration>,
    },
}

/// A message that was not sent: what we tried, why it failed, and what to do next. No secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SendError {
    /// Whether another try is worth it.
    pub retry: Retry,
    /// What we tried, against what, and why it failed.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl SendError {
    /// It would fail again.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self {
            retry: Retry::Never,
            message: message.into(),
            hint: None,
        }
    }

    /// It may work later.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self {
            retry: Retry::Later { not_before: None },
            ..Self::permanent(message)
        }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Sends through one sort of channel.
pub trait Reporter: Send + Sync + Sized + 'static {
    /// What the channel is.
    const KIND: ReporterSpec;
    /// What it takes, beside what every reporter takes. Unknown keys are refused.
    type Settings: DeserializeOwned + JsonSchema + Clone + Send + Sync + 'static;

    /// Fills in what the environment gives where the settings say nothing. Done once, before all else.
    fn complete(_settings: &mut Self::Settings, _variable: Variables<'_>) {}

    /// Mistakes in the settings that their types cannot catch. `variable` gives the value of an environment variable.
    fn check(_settings: &Self::Settings, _variable: Variables<'_>) -> Vec<SettingsProblem> {
        Vec::new()
    }

    /// Makes the reporter. Does no I/O.
    fn new(settings: Self::Settings, means: &Means) -> Self;

    /// The host that messages go to, with its port. `None`: they go nowhere outside this machine.
    fn endpoint(_settings: &Self::Settings) -> Option<(String, u16)> {
        None
    }

    /// Sends one message, once. May be dropped at any point; then nobody knows whether it was sent.
    fn send(&self, message: &Message) -> impl Future<Output = Result<Receipt, SendError>> + Send;
}

/// The settings of a channel whose type is forgotten.
pub type Settings = Arc<dyn Any + Send + Sync>;

/// A reporter whose type is forgotten.
pub trait AnyReporter: Send + Sync {
    /// See [`Reporter::send`].
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<Receipt, SendError>>;
}

impl<R: Reporter> AnyReporter for R {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<Receipt, SendError>> {
        Box::pin(Reporter::send(self, message))
    }
}

/// A sort of channel whose reporter's type is forgotten, so that all stand in one list.
pub struct ReporterKind {
    /// What the channel is.
    pub spec: ReporterSpec,
    /// The JSON Schema of its settings.
    pub settings_schema: fn() -> schemars::Schema,
    /// Reads the settings of one reporter, and completes them: see [`Reporter::complete`].
    pub read: fn(&Node, Variables<'_>) -> Result<Settings, ReadError>,
    /// See [`Reporter::check`].
    pub check: fn(&Settings, Variables<'_>) -> Vec<SettingsProblem>,
    /// See [`Reporter::endpoint`].
    pub endpoint: fn(&Settings) -> Option<(String, u16)>,
    new: fn(&'static ReporterSpec, &Settings, &Means) -> Option<Box<dyn AnyReporter>>,
}

impl ReporterKind {
    const fn of<R: Reporter>() -> Self {
        Self {
            spec: R::KIND,
            settings_schema: || schemars::schema_for!(R::Settings),
            read: |node, variable| {
                let mut settings = from_node::<R::Settings>(node)?;
                R::complete(&mut settings, variable);
                Ok(Arc::new(settings))
            },
            check: |settings, variable| {
                (settings.downcast_ref()).map_or_else(Vec::new, |own| R::check(own, variable))
            },
            endpoint: |settings| settings.downcast_ref().and_then(R::endpoint),
            new: |_, settings, means| {
                let settings = settings.downcast_ref::<R::Settings>()?.clone();
                Some(Box::new(R::new(settings, means)))
            },
        }
    }

    const fn not_built(key: &'static str, title: &'static str, how: &'static str) -> Self {
        Self {
            spec: ReporterSpec {
                key,
                title,
                how,
                sample: "",
                built: false,
                edits: false,
            },
            settings_schema: || schemars::schema_for!(not_built::AnySettings),
            read: |node, _| Ok(Arc::new(from_node::<not_built::AnySettings>(node)?)),
            check: |_, _| Vec::new(),
            endpoint: |_| None,
            new: |spec, _, _| Some(Box::new(NotBuilt { spec })),
        }
    }

    /// Makes the reporter. Does no I/O. `None`: the settings are those of another channel, which is a bug of ours.
    #[must_use]
    pub fn make(&'static self, settings: &Settings, means: &Means) -> Option<Box<dyn AnyReporter>> {
        (self.new)(&self.spec, settings, means)
    }
}

/// The channel of that word.
#[must_use]
pub fn kind(key: &str) -> Option<&'static ReporterKind> {
    KINDS.iter().find(|kind| kind.spec.key == key)
}
