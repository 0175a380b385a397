//! Channels that are known words but cannot be sent through yet: their settings are accepted unread, so that a
//! configuration that names them loads, and every message through them fails aloud.

use std::borrow::Cow;
use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, IgnoredAny};

use super::{AnyReporter, Message, Receipt, ReporterSpec, SendError};

/// Any keys. Nothing of them is kept, because they hold secrets.
pub(super) struct AnySettings;

impl<'de> Deserialize<'de> for AnySettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::<String, IgnoredAny>::deserialize(deserializer).map(|_| Self)
    }
}

impl JsonSchema for AnySettings {
    fn schema_name() -> Cow<'static, str> {
        "AnySettings".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "additionalProperties": true})
    }
}

/// Stands for every channel that is not built.
pub(super) struct NotBuilt {
    pub(super) spec: &'static ReporterSpec,
}

impl AnyReporter for NotBuilt {
    fn send<'a>(&'a self, _: &'a Message) -> BoxFuture<'a, Result<Receipt, SendError>> {
        let key = self.spec.key;
        let error = SendError::permanent(format!("this version cannot send through `{key}` yet"))
            .hint("use `file` or `terminal`, or take the entry out of `reporters`");
        Box::pin(std::future::ready(Err(error)))
    }
}
