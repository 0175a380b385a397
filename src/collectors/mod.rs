//! What can be watched: one file per kind, and one list that names them all.
//!
//! A collector looks at targets of one kind and says what it saw. It knows neither limits nor reporters nor the
//! store. To add one: write its file, and add two lines here (`CONTRIBUTING.md` walks through it).
//!
//! How you could get this wrong, and what catches it: a file that is not in [`KINDS`] fails `house`; a metric
//! that is measured but not declared fails the kind's own tests; a sample that does not parse fails `house`; a
//! look that does not stop at its deadline is dropped by [`crate::round`].

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::clients::Clients;
use crate::clock::Clock;
use crate::document::{Node, ReadError, from_node};
use crate::model::{Failure, KindSpec, Reading, Rule, Target};

pub mod api_endpoints;
mod host;
pub mod local_hosts;
pub mod reference;

/// All kinds, in the order of the documentation.
pub static KINDS: &[Kind] = &[
    Kind::of::<local_hosts::LocalHosts>(),
    Kind::of::<api_endpoints::ApiEndpoints>(),
];

/// What a look may use besides its clients.
pub struct RunContext {
    /// How long the look may take. The collector keeps to it, so that it can say how far it came; a look that
    /// overruns is dropped.
    pub timeout: Duration,
    /// Over how long a rate such as `cpu_percent` is measured.
    pub cpu_window: Duration,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// Looks at targets of one kind.
pub trait Collector: Send + Sync + Sized + 'static {
    /// What the kind is.
    const KIND: KindSpec;
    /// What a target of this kind takes, beside what every target takes. Unknown keys are refused.
    type Settings: DeserializeOwned + JsonSchema + Send + Sync + 'static;

    /// Makes the collector. Does no I/O.
    fn new(clients: &Clients) -> Self;

    /// The name of a target that was given none. The history of a target hangs on it: never change it. No secret.
    fn default_name(settings: &Self::Settings) -> String;

    /// The limits that the kind ships.
    fn rules(settings: &Self::Settings) -> Vec<Rule>;

    /// Mistakes in the settings that their types cannot catch: the key, what is wrong, and what to do.
    fn check(_settings: &Self::Settings) -> Vec<SettingsProblem> {
        Vec::new()
    }

    /// Visits the target. Keeps to `run.timeout`; may be dropped at any point.
    fn look(
        &self,
        target: &Target,
        settings: &Self::Settings,
        run: &RunContext,
    ) -> impl Future<Output = Result<Reading, Failure>> + Send;
}

/// A mistake in a target's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsProblem {
    /// The key it is about.
    pub key: &'static str,
    /// Whether the target can be watched all the same.
    pub severity: crate::problem::Severity,
    /// What is wrong. No secret.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
type Settings = Arc<dyn Any + Send + Sync>;

/// A collector whose type is forgotten.
pub trait AnyCollector: Send + Sync {
    /// See [`Collector::look`].
    fn look<'a>(
        &'a self,
        target: &'a Target,
        run: &'a RunContext,
    ) -> BoxFuture<'a, Result<Reading, Failure>>;
}

impl<C: Collector> AnyCollector for C {
    fn look<'a>(
        &'a self,
        target: &'a Target,
        run: &'a RunContext,
    ) -> BoxFuture<'a, Result<Reading, Failure>> {
        Box::pin(async move {
            match target.settings.downcast_ref::<C::Settings>() {
                Some(settings) => Collector::look(self, target, settings, run).await,
                None => Err(Failure::ours(format!(
                    "the settings of `{}` are of another kind",
                    target.id
                ))
                .hint("this is a bug of ours: please report it")),
            }
        })
    }
}

/// A kind whose collector's type is forgotten, so that all stand in one list.
pub struct Kind {
    /// What the kind is.
    pub spec: KindSpec,
    /// The JSON Schema of its settings.
    pub settings_schema: fn() -> schemars::Schema,
    /// Reads the settings of one target.
    pub read: fn(&Node) -> Result<Settings, ReadError>,
    /// See [`Collector::default_name`].
    pub default_name: fn(&Settings) -> String,
    /// See [`Collector::rules`].
    pub rules: fn(&Settings) -> Vec<Rule>,
    /// See [`Collector::check`].
    pub check: fn(&Settings) -> Vec<SettingsProblem>,
    /// See [`Collector::new`].
    pub new: fn(&Clients) -> Box<dyn AnyCollector>,
}

impl Kind {
    const fn of<C: Collector>() -> Self {
        Self {
            spec: C::KIND,
            settings_schema: || schemars::schema_for!(C::Settings),
            read: |node| Ok(Arc::new(from_node::<C::Settings>(node)?)),
            default_name: |settings| {
                (settings.downcast_ref()).map_or_else(String::new, C::default_name)
            },
            rules: |settings| settings.downcast_ref().map_or_else(Vec::new, C::rules),
            check: |settings| settings.downcast_ref().map_or_else(Vec::new, C::check),
            new: |clients| Box::new(C::new(clients)),
        }
    }
}

/// The kind of that YAML key.
#[must_use]
pub fn kind(key: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.spec.key == key)
}
