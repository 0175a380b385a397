//! Sections that are lists, and what is checked in the same way in all of them.

use std::time::Duration;

use chrono::TimeDelta;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;

use crate::document::{DurationText, Node, NodeValue, Path, Written, from_node, read_all};
use crate::model::Severity;
use crate::problem::Problem;

/// Whoever waits longer has mixed up the units.
const LONGEST: TimeDelta = TimeDelta::days(366);

/// An entry of a list, with the place it came from.
pub(super) struct Entry<'a, T> {
    pub keys: T,
    pub node: &'a Node,
    pub path: Path,
}

impl<T> Entry<'_, T> {
    /// Notes what is wrong with the value of a key, at that value.
    pub(super) fn refuse(&self, key: &str, message: &str, hint: &str, problems: &mut Vec<Problem>) {
        problems.push(at_key(
            Problem::error(message),
            key,
            self.node,
            &self.path,
            hint,
        ));
    }

    /// Notes what somebody should look at.
    pub(super) fn warn(&self, key: &str, message: &str, hint: &str, problems: &mut Vec<Problem>) {
        problems.push(at_key(
            Problem::warning(message),
            key,
            self.node,
            &self.path,
            hint,
        ));
    }

    /// A length of time of one key.
    pub(super) fn length(
        &self,
        key: &str,
        written: &Written<DurationText>,
        problems: &mut Vec<Problem>,
    ) -> TimeDelta {
        let node = self.node.get(key).unwrap_or(self.node);
        length(written.0.0, node, &self.path.key(key), problems)
    }

    /// Severities that are named must be some.
    pub(super) fn check_severities(
        &self,
        severities: Option<&Vec<Severity>>,
        problems: &mut Vec<Problem>,
    ) {
        check_severities(severities, self.node, &self.path, problems);
    }
}

/// A problem at the value of a key, or at what should have it.
pub(super) fn at_key(problem: Problem, key: &str, node: &Node, path: &Path, hint: &str) -> Problem {
    let (place, path) = match node.get(key) {
        Some(value) => (value, path.key(key)),
        None => (node, path.clone()),
    };
    problem.at(&place.location, path.to_string()).hint(hint)
}

/// The place of one of several texts, which may stand alone without a list.
pub(super) fn item<'a>(texts: &'a Node, path: &Path, index: usize) -> (&'a Node, Path) {
    match texts.items().get(index) {
        Some(item) => (item, path.index(index)),
        None => (texts, path.clone()),
    }
}

/// The entries of a section. Those that cannot be read are left out.
pub(super) fn entries<'a, T: DeserializeOwned>(
    root: &'a Node,
    section: &str,
    begin: &str,
    problems: &mut Vec<Problem>,
) -> Vec<Entry<'a, T>> {
    let path = Path::default().key(section);
    let Some(list) = root.get(section) else {
        return Vec::new();
    };
    if !matches!(list.value, NodeValue::Sequence(_) | NodeValue::Null) {
        let message = format!("expected a list, found {}", list.describe());
        let problem = Problem::error(message).at(&list.location, path.to_string());
        problems.push(problem.hint(format!("begin each entry with `- {begin}`")));
    }
    let mut entries = Vec::new();
    for (index, node) in list.items().iter().enumerate() {
        let path = path.index(index);
        if let Some(keys) = read_all(node, &path, &[], problems, from_node) {
            entries.push(Entry { keys, node, path });
        }
    }
    entries
}

/// A length of time that is not longer than anybody could mean.
pub(super) fn length(
    written: Duration,
    node: &Node,
    path: &Path,
    problems: &mut Vec<Problem>,
) -> TimeDelta {
    let length = TimeDelta::from_std(written).unwrap_or(TimeDelta::MAX);
    if length > LONGEST {
        let message = format!(
            "expected a time of at most {} days, found {}",
            LONGEST.num_days(),
            node.describe()
        );
        let problem = Problem::error(message).at(&node.location, path.to_string());
        problems.push(problem.hint("`m` is a minute, `d` a day"));
    }
    length.min(LONGEST)
}

/// Severities that are named must be some.
pub(super) fn check_severities(
    severities: Option<&Vec<Severity>>,
    node: &Node,
    path: &Path,
    problems: &mut Vec<Problem>,
) {
    if severities.is_some_and(Vec::is_empty) {
        let problem = Problem::error("an empty list of severities stands for no incident at all");
        let hint = "name `critical`, `high` or `warning`, or leave `severities` out for all";
        problems.push(at_key(problem, "severities", node, path, hint));
    }
}

/// The JSON Schema of a section.
pub(super) fn schema<T: JsonSchema>(meaning: &str, generator: &mut SchemaGenerator) -> Schema {
    let items = T::json_schema(generator);
    json_schema!({"description": meaning, "type": ["array", "null"], "items": items})
}
