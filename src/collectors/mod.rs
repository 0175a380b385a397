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
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::clients::Clients;
use crate::clients::ssh::SshSettings;
use crate::clock::Clock;
use crate::document::{Node, ReadError, from_node};
use crate::model::{Failure, KindSpec, MonthlyPrice, Reading, Rule, Target};
pub use crate::model::{Home, THIS_MACHINE};
pub use crate::problem::{SettingsProblem, Variables};

pub mod api_endpoints;
pub mod databases;
pub mod docker_hosts;
pub mod ec2_instances;
mod host;
pub mod llm_keys;
pub mod llm_models;
pub mod local_hosts;
mod not_built;
pub mod reference;
pub mod s3_buckets;
pub mod vps_servers;

/// All kinds, in the order of the documentation.
pub static KINDS: &[Kind] = &[
    Kind::of::<local_hosts::LocalHosts>(),
    Kind::of::<ec2_instances::Ec2Instances>(),
    Kind::of::<vps_servers::VpsServers>(),
    Kind::of::<docker_hosts::DockerHosts>(),
    Kind::of::<api_endpoints::ApiEndpoints>(),
    Kind::of::<databases::Databases>(),
    Kind::of::<s3_buckets::S3Buckets>(),
    Kind::of::<llm_models::LlmModels>(),
    Kind::of::<llm_keys::LlmKeys>(),
    Kind::not_built::<not_built::AnyKeys>("redis_servers", "Redis servers"),
    Kind::not_built::<not_built::AnyKeys>("mysql_servers", "MySQL servers"),
    Kind::not_built::<not_built::AnyKeys>("mongodb_servers", "MongoDB servers"),
    Kind::not_built::<not_built::AnyKeys>("haproxy_servers", "HAProxy servers"),
    Kind::not_built::<not_built::AnyKeys>("tcp_ports", "TCP ports"),
    Kind::not_built::<not_built::AnyKeys>("tls_endpoints", "TLS endpoints"),
    Kind::not_built::<not_built::AnyKeys>("dns_records", "DNS records"),
    Kind::not_built::<not_built::AnyKeys>("ping_hosts", "hosts that answer a ping"),
    Kind::not_built::<not_built::AnyKeys>("heartbeats", "jobs that report in"),
    Kind::not_built::<not_built::AnyKeys>("commands", "Nagios plugins and other commands"),
    Kind::not_built::<not_built::AnyKeys>("kubernetes_clusters", "Kubernetes clusters"),
    Kind::not_built::<not_built::AnyKeys>("prometheus_servers", "Prometheus servers"),
];

/// What a look may use besides its clients.
pub struct RunContext {
    /// How long the look may take. The collector keeps to it, so that it can say how far it came; a look that
    /// overruns is dropped.
    pub timeout: Duration,
    /// When the round began that this look belongs to: the same for all looks of one round.
    pub round_began: Instant,
    /// The ID of that round; `None`: the look stands alone.
    pub round: Option<Arc<str>>,
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

    /// Fills in what the environment gives where the settings say nothing. Done once, before all else.
    fn complete(_settings: &mut Self::Settings, _variable: Variables<'_>) {}

    /// The name of a target that was given none. The history of a target hangs on it: never change it. No secret.
    fn default_name(settings: &Self::Settings) -> String;

    /// The limits that the kind ships.
    fn rules(settings: &Self::Settings) -> Vec<Rule>;

    /// Whether a look costs money: then it is made on its schedule only, and never repeated in between.
    fn costs_money(_settings: &Self::Settings) -> bool {
        false
    }

    /// What so many looks cost in a month, at most, where looks cost anything.
    fn monthly_price(_settings: &Self::Settings, _looks_per_month: f64) -> Option<MonthlyPrice> {
        None
    }

    /// How the target is reached over SSH, where it is: `roundsman trust` asks for its host key.
    fn ssh(_settings: &Self::Settings) -> Option<&SshSettings> {
        None
    }

    /// The host that a look goes to: a name or an address as [`crate::clients::net::outside_host`] gives it. `None`: there
    /// is none, or it is this machine. Targets of one host fail together.
    fn host(_settings: &Self::Settings) -> Option<String> {
        None
    }

    /// The machine that the target is, or runs on, where that can be told from its settings: whose failure explains its own.
    fn home(settings: &Self::Settings) -> Option<Home> {
        Self::host(settings).map(Home::On)
    }

    /// The region of the provider that the target lies in, where it is written in its settings.
    fn region(_settings: &Self::Settings) -> Option<String> {
        None
    }

    /// Mistakes in the settings that their types cannot catch. `variable` gives the value of an environment variable.
    fn check(_settings: &Self::Settings, _variable: Variables<'_>) -> Vec<SettingsProblem> {
        Vec::new()
    }

    /// Which targets are visited together: those with the same key. `None`: each for itself.
    fn batch_key(_settings: &Self::Settings) -> Option<String> {
        None
    }

    /// Visits the target. Keeps to `run.timeout`; may be dropped at any point.
    fn look(
        &self,
        target: &Target,
        settings: &Self::Settings,
        run: &RunContext,
    ) -> impl Future<Output = Result<Reading, Failure>> + Send;

    /// Visits several targets with the same [`Self::batch_key`] in one go; gives what each look gave, in their order.
    fn look_at_batch(
        &self,
        batch: &[(&Target, &Self::Settings)],
        run: &RunContext,
    ) -> impl Future<Output = Vec<Result<Reading, Failure>>> + Send {
        let looks = batch
            .iter()
            .map(|(target, settings)| Collector::look(self, target, settings, run));
        futures_util::future::join_all(looks)
    }
}

type Settings = Arc<dyn Any + Send + Sync>;

/// A collector whose type is forgotten.
pub trait AnyCollector: Send + Sync {
    /// See [`Collector::look`].
    fn look<'a>(
        &'a self,
        target: &'a Target,
        run: &'a RunContext,
    ) -> BoxFuture<'a, Result<Reading, Failure>>;

    /// See [`Collector::look_at_batch`].
    fn look_at_batch<'a>(
        &'a self,
        batch: &'a [Arc<Target>],
        run: &'a RunContext,
    ) -> BoxFuture<'a, Vec<Result<Reading, Failure>>> {
        let looks = batch.iter().map(|target| self.look(target, run));
        Box::pin(futures_util::future::join_all(looks))
    }
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
                None => Err(of_another_kind(target)),
            }
        })
    }

    fn look_at_batch<'a>(
        &'a self,
        batch: &'a [Arc<Target>],
        run: &'a RunContext,
    ) -> BoxFuture<'a, Vec<Result<Reading, Failure>>> {
        Box::pin(async move {
            let settings = |target: &'a Arc<Target>| {
                let settings = target.settings.downcast_ref::<C::Settings>()?;
                Some((target.as_ref(), settings))
            };
            let Some(typed) = batch.iter().map(settings).collect::<Option<Vec<_>>>() else {
                return batch.iter().map(|one| Err(of_another_kind(one))).collect();
            };
            Collector::look_at_batch(self, &typed, run).await
        })
    }
}

fn of_another_kind(target: &Target) -> Failure {
    Failure::ours(format!(
        "the settings of `{}` are of another kind",
        target.id
    ))
    .hint("this is a bug of ours: please report it")
}

/// A kind whose collector's type is forgotten, so that all stand in one list.
pub struct Kind {
    /// What the kind is.
    pub spec: KindSpec,
    /// See [`Collector::costs_money`].
    pub costs_money: fn(&Settings) -> bool,
    /// See [`Collector::batch_key`].
    pub batch_key: fn(&Settings) -> Option<String>,
    /// See [`Collector::monthly_price`].
    pub monthly_price: fn(&Settings, f64) -> Option<MonthlyPrice>,
    /// The JSON Schema of its settings.
    pub settings_schema: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
    /// Reads the settings of one target, and completes them: see [`Collector::complete`].
    pub read: fn(&Node, Variables<'_>) -> Result<Settings, ReadError>,
    /// See [`Collector::default_name`].
    pub default_name: fn(&Settings) -> String,
    /// See [`Collector::rules`].
    pub rules: fn(&Settings) -> Vec<Rule>,
    /// See [`Collector::ssh`].
    pub ssh: fn(&Settings) -> Option<&SshSettings>,
    /// See [`Collector::host`].
    pub host: fn(&Settings) -> Option<String>,
    /// See [`Collector::home`].
    pub home: fn(&Settings) -> Option<Home>,
    /// See [`Collector::region`].
    pub region: fn(&Settings) -> Option<String>,
    /// See [`Collector::check`].
    pub check: fn(&Settings, Variables<'_>) -> Vec<SettingsProblem>,
    /// See [`Collector::new`].
    pub new: fn(&Clients) -> Box<dyn AnyCollector>,
}

impl Kind {
    const fn of<C: Collector>() -> Self {
        Self {
            spec: C::KIND,
            costs_money: |settings| settings.downcast_ref().is_some_and(C::costs_money),
            batch_key: |settings| settings.downcast_ref().and_then(C::batch_key),
            monthly_price: |settings, looks| {
                (settings.downcast_ref()).and_then(|own| C::monthly_price(own, looks))
            },
            settings_schema: C::Settings::json_schema,
            read: |node, variable| {
                let mut settings = from_node::<C::Settings>(node)?;
                C::complete(&mut settings, variable);
                Ok(Arc::new(settings))
            },
            default_name: |settings| {
                (settings.downcast_ref()).map_or_else(String::new, C::default_name)
            },
            rules: |settings| settings.downcast_ref().map_or_else(Vec::new, C::rules),
            ssh: |settings| settings.downcast_ref().and_then(C::ssh),
            host: |settings| settings.downcast_ref().and_then(C::host),
            home: |settings| settings.downcast_ref().and_then(C::home),
            region: |settings| settings.downcast_ref().and_then(C::region),
            check: |settings, variable| {
                (settings.downcast_ref()).map_or_else(Vec::new, |own| C::check(own, variable))
            },
            new: |clients| Box::new(C::new(clients)),
        }
    }

    const fn not_built<S: not_built::KnownSettings>(
        key: &'static str,
        title: &'static str,
    ) -> Self {
        Self {
            spec: KindSpec {
                key,
                title,
                how: "not in this build: settings are read, looks say UNKNOWN",
                sample: "",
                metrics: &[],
                default_timeout: Duration::from_secs(10),
                built: false,
            },
            costs_money: |_| false,
            batch_key: |_| None,
            monthly_price: |_, _| None,
            settings_schema: S::json_schema,
            read: |node, _| Ok(Arc::new(from_node::<S>(node)?)),
            default_name: |settings| {
                (settings.downcast_ref()).map_or_else(String::new, S::default_name)
            },
            rules: |_| Vec::new(),
            ssh: |_| None,
            host: |_| None,
            home: |_| None,
            region: |_| None,
            check: |_, _| Vec::new(),
            new: |_| Box::new(not_built::NotBuilt),
        }
    }
}

/// A text that is the same for targets that are visited together, and different for all others; see
/// [`Collector::batch_key`].
#[must_use]
pub fn together(target: &Target) -> Option<Arc<str>> {
    let kind = kind(target.id.kind)?;
    let key = (kind.batch_key)(&target.settings)?;
    Some(format!("{} {key}", kind.spec.key).into())
}

/// The kind of that YAML key.
#[must_use]
pub fn kind(key: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.spec.key == key)
}
