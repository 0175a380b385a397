use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Rules;
use crate::document::{Milliseconds, Written};
use crate::model::{Comparison, Limit, Origin, Rule, Threshold};

/// Limits by their short names. Under `thresholds:` they hold for every target that measures the metric; under a
/// target's own `thresholds:` for that one.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// `cpu_percent` above this is YELLOW. Default 70.
    pub cpu_yellow: Option<f64>,
    /// `cpu_percent` above this is RED. Default 90.
    pub cpu_red: Option<f64>,
    /// `ram_percent` above this is YELLOW. Default 70.
    pub ram_yellow: Option<f64>,
    /// `ram_percent` above this is RED. Default 90.
    pub ram_red: Option<f64>,
    /// `swap_percent` above this is YELLOW. No limit unless set.
    pub swap_yellow: Option<f64>,
    /// `swap_percent` above this is RED. No limit unless set.
    pub swap_red: Option<f64>,
    /// `load_per_core` above this is YELLOW. No limit unless set.
    pub load_per_core_yellow: Option<f64>,
    /// `load_per_core` above this is RED. No limit unless set.
    pub load_per_core_red: Option<f64>,
    /// `disk_free_percent` below this is YELLOW. Default 20.
    pub disk_free_yellow: Option<f64>,
    /// `disk_free_percent` below this is RED. Default 10.
    pub disk_free_red: Option<f64>,
    /// `inode_free_percent` below this is YELLOW. Default 20.
    pub inode_free_yellow: Option<f64>,
    /// `inode_free_percent` below this is RED. Default 10.
    pub inode_free_red: Option<f64>,
    /// `certificate_days_left` below this is YELLOW. Default 30.
    pub certificate_days_yellow: Option<f64>,
    /// `certificate_days_left` below this is RED. Default 7.
    pub certificate_days_red: Option<f64>,
    /// `response_time_ms` above this is YELLOW. Default 2000.
    pub api_slow_ms: Option<f64>,
    /// How long a look at an API endpoint may take, in milliseconds. Default 5000.
    pub api_timeout_ms: Option<Written<Milliseconds>>,
}

/// The two limits of one metric, with the keys that set them.
struct Pair {
    metric: &'static str,
    comparison: Comparison,
    yellow: (&'static str, Option<f64>),
    red: (&'static str, Option<f64>),
}

impl Thresholds {
    fn pairs(&self) -> [Pair; 8] {
        use Comparison::{Above, Below};
        let pair = |metric, comparison, yellow, red| Pair {
            metric,
            comparison,
            yellow,
            red,
        };
        [
            pair(
                "cpu_percent",
                Above,
                ("cpu_yellow", self.cpu_yellow),
                ("cpu_red", self.cpu_red),
            ),
            pair(
                "ram_percent",
                Above,
                ("ram_yellow", self.ram_yellow),
                ("ram_red", self.ram_red),
            ),
            pair(
                "swap_percent",
                Above,
                ("swap_yellow", self.swap_yellow),
                ("swap_red", self.swap_red),
            ),
            pair(
                "load_per_core",
                Above,
                ("load_per_core_yellow", self.load_per_core_yellow),
                ("load_per_core_red", self.load_per_core_red),
            ),
            pair(
                "disk_free_percent",
                Below,
                ("disk_free_yellow", self.disk_free_yellow),
                ("disk_free_red", self.disk_free_red),
            ),
            pair(
                "inode_free_percent",
                Below,
                ("inode_free_yellow", self.inode_free_yellow),
                ("inode_free_red", self.inode_free_red),
            ),
            pair(
                "certificate_days_left",
                Below,
                ("certificate_days_yellow", self.certificate_days_yellow),
                ("certificate_days_red", self.certificate_days_red),
            ),
            pair(
                "response_time_ms",
                Above,
                ("api_slow_ms", self.api_slow_ms),
                ("", None),
            ),
        ]
    }

    /// Each limit that is set, with its key and its metric.
    pub fn limits(&self) -> impl Iterator<Item = (&'static str, &'static str, Limit)> {
        self.pairs().into_iter().flat_map(|pair| {
            [pair.yellow, pair.red]
                .into_iter()
                .filter_map(move |(key, number)| {
                    let limit = Limit {
                        comparison: pair.comparison,
                        bound: crate::model::Bound::Number(number?),
                    };
                    Some((key, pair.metric, limit))
                })
        })
    }

    /// The rules that these thresholds stand for, one for each side that is set. `origin` is asked with the key.
    pub fn rules(&self, origin: impl Fn(&str) -> Origin) -> Vec<Rule> {
        let mut rules = Vec::new();
        for pair in self.pairs() {
            for (is_red, (key, number)) in [(false, pair.yellow), (true, pair.red)] {
                let Some(number) = number else { continue };
                let threshold = Some(Threshold::At(Limit {
                    comparison: pair.comparison,
                    bound: crate::model::Bound::Number(number),
                }));
                let (yellow, red) = if is_red {
                    (None, threshold)
                } else {
                    (threshold, None)
                };
                rules.push(Rule {
                    metric: Cow::Borrowed(pair.metric),
                    subject: None,
                    yellow,
                    red,
                    clear: None,
                    origin: origin(key),
                });
            }
        }
        rules
    }

    /// The pairs of which one side is written here and whose RED limit turns before the YELLOW one; `inherited`
    /// gives the sides that are not written here.
    #[must_use]
    pub fn out_of_order(&self, inherited: &Rules) -> Vec<OutOfOrder> {
        let mut found = Vec::new();
        for pair in self.pairs() {
            let effective = inherited.effective(pair.metric, None);
            let number = |side: Option<super::Side<'_>>| side.and_then(|side| side.limit.number());
            let ((yellow_key, yellow), (red_key, red)) = (pair.yellow, pair.red);
            let key = if red.is_some() { red_key } else { yellow_key };
            let both_written = yellow.is_some() && red.is_some();
            if yellow.is_none() && red.is_none() {
                continue;
            }
            let sides = (
                yellow.or_else(|| number(effective.yellow)),
                red.or_else(|| number(effective.red)),
            );
            let (Some(yellow), Some(red)) = sides else {
                continue;
            };
            let first = if pair.comparison.higher_is_worse() {
                red < yellow
            } else {
                red > yellow
            };
            if first {
                found.push(OutOfOrder {
                    key,
                    yellow,
                    red,
                    both_written,
                });
            }
        }
        found
    }
}

/// A pair whose RED limit turns before the YELLOW one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OutOfOrder {
    /// The key to correct: the RED side where it is written here.
    pub key: &'static str,
    /// The YELLOW limit that holds.
    pub yellow: f64,
    /// The RED limit that holds.
    pub red: f64,
    /// Whether both are written here.
    pub both_written: bool,
}
