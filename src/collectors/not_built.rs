//! Kinds that are known but that this build cannot look at: their settings are read and checked by their documented
//! keys, and a look says UNKNOWN. A predecessor's file thus works as it is, and no target is silently left out.
//!
//! When a kind is built, its settings move from here into its own file; its key and its names stay as they are.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{AnyCollector, RunContext};
use crate::model::{Failure, Reading, Target};

/// The collector of every kind that is not built.
pub(super) struct NotBuilt;

impl AnyCollector for NotBuilt {
    fn look<'a>(
        &'a self,
        target: &'a Target,
        _: &'a RunContext,
    ) -> BoxFuture<'a, Result<Reading, Failure>> {
        let message = format!("{} are not in this build", target.id.kind);
        let hint = "its settings were read and are in order; a later version looks at it";
        Box::pin(async move { Err(Failure::ours(message).hint(hint)) })
    }
}

/// The settings of a kind that is not built.
pub(super) trait KnownSettings:
    DeserializeOwned + JsonSchema + Send + Sync + 'static
{
    /// See [`super::Collector::default_name`].
    fn default_name(&self) -> String;
}

/// Settings of a kind whose keys are not settled yet: any are taken. Some of them may be secrets, so there is no `Debug`.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct AnyKeys(BTreeMap<String, Value>);

impl KnownSettings for AnyKeys {
    fn default_name(&self) -> String {
        let text = |key: &str| self.0.get(key).and_then(Value::as_str);
        let host = text("host")
            .or_else(|| text("url"))
            .or_else(|| text("address"));
        // What may hold a password is not a name.
        let host = host.filter(|host| !host.contains('@') && !host.contains('?'));
        host.unwrap_or("unnamed").to_owned()
    }
}
