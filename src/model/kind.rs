use std::time::Duration;

use super::Unit;

/// What a kind of target is: its word, its sample, its metrics. Feeds the generated pages, the JSON Schema
/// and the checks of rules, so that none of them can forget a kind.
#[derive(Debug)]
pub struct KindSpec {
    /// The YAML key under `targets:`, in the plural.
    pub key: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// How it is looked at, in a sentence.
    pub how: &'static str,
    /// A commented entry list as it stands under the key, for `config/examples/<kind>.yaml`.
    pub sample: &'static str,
    /// All that it can measure.
    pub metrics: &'static [MetricSpec],
    /// How long a look may take unless the target says otherwise.
    pub default_timeout: Duration,
    /// Whether this build can look at it. A kind that is known but not built reads its settings and reports
    /// UNKNOWN.
    pub built: bool,
}

impl KindSpec {
    /// The metric of that name, if the kind has it.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<&'static MetricSpec> {
        self.metrics.iter().find(|metric| metric.name == name)
    }
}

/// What the looks at a target cost at most in a month.
#[derive(Debug, Clone, PartialEq)]
pub struct MonthlyPrice {
    /// In US dollars.
    pub usd: f64,
    /// What is paid for.
    pub what: &'static str,
    /// Whether it is the price of each target that is found.
    pub of_each_found: bool,
}

impl MetricSpec {
    /// One without parts, that is not in the summary and needs no advice.
    #[must_use]
    pub const fn plain(name: &'static str, unit: Unit, meaning: &'static str) -> Self {
        Self {
            name,
            unit,
            subject: None,
            meaning,
            headline: None,
            advice: None,
        }
    }
}

/// What a metric is.
#[derive(Debug)]
pub struct MetricSpec {
    /// Its name, as people write it into rules; the unit is part of it.
    pub name: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// What its subject is, where it has one: `mount`, `container`, `table`.
    pub subject: Option<&'static str>,
    /// What it means, with the source of its formula where that is not obvious.
    pub meaning: &'static str,
    /// The short words for it in the summary of a target that is well; `None`: not in the summary.
    pub headline: Option<&'static str>,
    /// What to look at first when it crosses a limit.
    pub advice: Option<&'static str>,
}
