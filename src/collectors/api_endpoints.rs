//! Placeholder.
use crate::clients::Clients;
use crate::collectors::{Collector, RunContext};
use crate::model::{Failure, KindSpec, Reading, Rule, Target};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;

/// Placeholder.
pub struct ApiEndpoints;

/// Placeholder.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {}

impl Collector for ApiEndpoints {
    const KIND: KindSpec = KindSpec {
        key: "api_endpoints",
        title: "",
        how: "",
        sample: "",
        metrics: &[],
        default_timeout: Duration::from_secs(5),
        built: true,
    };
    type Settings = Settings;
    fn new(_: &Clients) -> Self {
        Self
    }
    fn default_name(_: &Settings) -> String {
        String::new()
    }
    fn rules(_: &Settings) -> Vec<Rule> {
        Vec::new()
    }
    async fn look(&self, _: &Target, _: &Settings, _: &RunContext) -> Result<Reading, Failure> {
        Ok(Reading::default())
    }
}
