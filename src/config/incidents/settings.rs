//! How incidents are grouped and repeated, and how long messages are tried.

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::plan::Delivery;
use super::super::section;
use super::lists;
use crate::document::{DurationText, Node, OneOrMany, Path, Written};
use crate::incidents::{Grouping, Settings};
use crate::problem::Problem;

/// Reminders that come faster are a flood.
const SHORTEST_REMINDER: TimeDelta = TimeDelta::minutes(1);

/// How incidents are grouped and repeated.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in super::super) struct IncidentKeys {
    /// What puts incidents into one group, beside the host and dependencies: `region`, or the key of a label such as
    /// `label:rack`. Default: nothing more.
    group_by: OneOrMany<Grouping>,
    /// How long after its first member a group takes more into the same message. Default `30s`.
    group_window: Option<Written<DurationText>>,
    /// How long nothing is said before each reminder of an incident that nobody acknowledged; the last repeats, `[]`
    /// switches them off. Default `[1h, 2h, 4h, 8h, 16h, 24h]`.
    reminders: Option<Vec<Written<DurationText>>>,
}

/// How messages are delivered.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in super::super) struct DeliveryKeys {
    /// How long a message is tried that a channel does not take. Default `24h`.
    retry: Option<Written<DurationText>>,
}

pub(super) fn incidents(root: &Node, problems: &mut Vec<Problem>) -> Settings {
    let keys: IncidentKeys = section(root, "incidents", problems);
    let mut settings = Settings {
        group_by: keys.group_by.0,
        ..Settings::default()
    };
    let path = Path::default().key("incidents");
    let node = root.get("incidents").unwrap_or(root);
    if let Some(written) = keys.group_window {
        settings.group_window = length(&written, "group_window", node, &path, problems);
    }
    if let Some(written) = keys.reminders {
        let path = path.key("reminders");
        let list = node.get("reminders").unwrap_or(node);
        let lengths = written.iter().enumerate().map(|(index, written)| {
            let (place, path) = lists::item(list, &path, index);
            let length = lists::length(written.0.0, place, &path, problems);
            if length < SHORTEST_REMINDER {
                let message = format!(
                    "expected a time of at least 1 min, found {}",
                    place.describe()
                );
                let problem = Problem::error(message).at(&place.location, path.to_string());
                problems.push(problem.hint("`m` is a minute, `h` an hour"));
            }
            length
        });
        settings.reminders = lengths.collect();
    }
    settings
}

pub(super) fn delivery(root: &Node, problems: &mut Vec<Problem>) -> Delivery {
    let keys: DeliveryKeys = section(root, "delivery", problems);
    let path = Path::default().key("delivery");
    let node = root.get("delivery").unwrap_or(root);
    match keys.retry {
        Some(written) => Delivery {
            retry: length(&written, "retry", node, &path, problems),
        },
        None => Delivery::default(),
    }
}

fn length(
    written: &Written<DurationText>,
    key: &str,
    node: &Node,
    path: &Path,
    problems: &mut Vec<Problem>,
) -> TimeDelta {
    let value = node.get(key).unwrap_or(node);
    lists::length(written.0.0, value, &path.key(key), problems)
}
