//! The entries under `targets:`, each read by its kind.

use std::collections::HashMap;
use std::sync::Arc;

use super::plan::Watched;
use super::sections::{CommonKeys, UrgencyWord};
use super::{limits, names};
use crate::collectors::{self, KINDS, Kind};
use crate::document::{
    Entry, Node, NodeValue, Path, from_node, missing_hint, read_all, shown_name,
};
use crate::model::{Common, Origin, Rule, Target, TargetId, Urgency};
use crate::problem::{Location, Problem, nearest};
use crate::redaction::Redactor;
use crate::rules::{Rules, Thresholds};
use crate::schedule::Timetable;

/// The global thresholds with the place they came from.
pub(super) struct GlobalThresholds<'a> {
    pub values: Thresholds,
    pub node: Option<&'a Node>,
}

/// What reading the targets gave.
#[derive(Default)]
pub(super) struct Read {
    pub watched: Vec<Watched>,
    /// Those with `enabled: false`.
    pub disabled: Vec<TargetId>,
}

/// Reads all entries of all kinds.
pub(super) fn read(
    targets: &Node,
    thresholds: &GlobalThresholds<'_>,
    variable: &dyn Fn(&str) -> Option<String>,
    redactor: &Redactor,
    zone: chrono_tz::Tz,
    problems: &mut Vec<Problem>,
) -> Read {
    let path = Path::default().key("targets");
    let mut read = Read::default();
    match &targets.value {
        NodeValue::Null => {}
        NodeValue::Mapping(entries) => {
            let common = names_of_common_keys();
            for entry in entries {
                let Some(kind) = collectors::kind(&entry.key) else {
                    problems.push(unknown_kind(entry, &path));
                    continue;
                };
                let mut reader = KindReader {
                    kind,
                    required: &required_keys(kind),
                    common: &common,
                    thresholds,
                    variable,
                    redactor,
                    zone,
                    shared: Arc::from([]),
                    problems,
                };
                reader.list(&entry.value, &path.key(&entry.key), &mut read);
            }
        }
        _ => {
            let message = format!("expected a map of kinds, found {}", targets.describe());
            let problem = Problem::error(message).at(&targets.location, path.to_string());
            problems.push(
                problem.hint("write `targets:`, then a kind such as `vps_servers:`, then a list"),
            );
        }
    }
    names::make_unique(&mut read.watched, problems);
    names::check_dependencies(&read.watched, &read.disabled, problems);
    read
}

/// The names of the keys that every target takes.
pub(super) fn names_of_common_keys() -> Vec<String> {
    let schema = schemars::schema_for!(CommonKeys);
    let properties = schema.get("properties").and_then(|value| value.as_object());
    properties.map_or_else(Vec::new, |keys| keys.keys().cloned().collect())
}

fn required_keys(kind: &Kind) -> Vec<String> {
    let schema = (kind.settings_schema)(&mut schemars::SchemaGenerator::default());
    let required = schema.get("required").and_then(|value| value.as_array());
    required.map_or_else(Vec::new, |keys| {
        keys.iter()
            .filter_map(|key| key.as_str().map(str::to_owned))
            .collect()
    })
}

fn unknown_kind(entry: &Entry, path: &Path) -> Problem {
    let problem = Problem::error(format!("unknown kind {}", shown_name(&entry.key)))
        .at(&entry.key_location, path.key(&entry.key).to_string());
    if entry.key.contains("docker") {
        return problem.hint(DOCKER_HINT);
    }
    let keys = KINDS.iter().map(|kind| kind.spec.key);
    problem.hint(match nearest(&entry.key, keys.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known kinds: {}", keys.collect::<Vec<_>>().join(", ")),
    })
}

const DOCKER_HINT: &str = "containers are watched through their host; write\n\
    docker_hosts:\n\
    \x20 - name: docker\n\
    \x20   socket: /var/run/docker.sock\n\
    \x20   required: [\"web*\", \"db\"]  # containers that must be there";

struct KindReader<'a> {
    kind: &'static Kind,
    /// The keys that no target of the kind can do without. Reading stops at the first that is missing, so they are
    /// looked for beforehand.
    required: &'a [String],
    common: &'a [String],
    thresholds: &'a GlobalThresholds<'a>,
    variable: &'a dyn Fn(&str) -> Option<String>,
    redactor: &'a Redactor,
    zone: chrono_tz::Tz,
    /// The kind's defaults and the global thresholds of the target before: most targets share them.
    shared: Arc<[Rule]>,
    problems: &'a mut Vec<Problem>,
}

impl KindReader<'_> {
    fn list(&mut self, list: &Node, path: &Path, read: &mut Read) {
        match &list.value {
            NodeValue::Null => {}
            NodeValue::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    match self.entry(item, &path.index(index)) {
                        Some((watched, true)) => read.watched.push(watched),
                        Some((watched, false)) => read.disabled.push(watched.target.id.clone()),
                        None => {}
                    }
                }
            }
            _ => {
                let message = format!("expected a list of targets, found {}", list.describe());
                let problem = Problem::error(message).at(&list.location, path.to_string());
                self.problems
                    .push(problem.hint("begin each target with `- `"));
            }
        }
    }

    /// The target of an entry, and whether it is enabled.
    fn entry(&mut self, entry: &Node, path: &Path) -> Option<(Watched, bool)> {
        let (common_node, own_node) = self.split(entry, path)?;
        for key in self.required {
            if own_node.entry(key).is_none() {
                let problem = Problem::error(format!("`{key}` is missing"));
                let problem = problem.at(&own_node.location, path.to_string());
                self.problems.push(problem.hint(missing_hint(key)));
            }
        }
        let common: Option<CommonKeys> =
            read_all(&common_node, path, &[], self.problems, from_node);
        let also_known: Vec<&str> = self.common.iter().map(String::as_str).collect();
        let (read, variable) = (self.kind.read, self.variable);
        let settings = read_all(&own_node, path, &also_known, self.problems, |node| {
            read(node, variable)
        });
        let (common, settings) = (common?, settings?);
        for found in (self.kind.check)(&settings, self.variable) {
            let value = own_node.get(found.key);
            let location = value.map_or(&entry.location, |value| &value.location);
            let path = path.key(found.key).to_string();
            self.problems.push(found.into_problem(location, path));
        }
        let name = self.name(
            &common,
            &common_node,
            path,
            &(self.kind.default_name)(&settings),
        );
        let rules = self.rules(&common, &common_node, path, (self.kind.rules)(&settings));
        let (timeout, timeout_from) = self.timeout(&common, &common_node, path);
        let timetable = self.timetable(&common, &common_node, path);
        let target = Target {
            id: TargetId {
                kind: self.kind.spec.key,
                name: name.into(),
            },
            common: Common {
                critical: common.critical,
                urgency: match common.urgency {
                    UrgencyWord::Normal => Urgency::Normal,
                    UrgencyWord::Instant => Urgency::Instant,
                },
                timeout,
                labels: common.labels,
                depends_on: common.depends_on.0,
                runbook: common.runbook.map(|link| link.0.0),
            },
            settings,
            found_by: None,
        };
        let watched = Watched {
            target: Arc::new(target),
            kind: self.kind,
            rules: Arc::new(rules),
            timetable,
            location: Some(entry.location.clone()),
            timeout_from,
            named: common.name.is_some(),
            places: places(&common_node, path),
        };
        Some((watched, common.enabled))
    }

    fn timetable(&mut self, common: &CommonKeys, node: &Node, path: &Path) -> Option<Timetable> {
        let monitoring = super::timing::Written {
            schedule: common.schedule.as_ref().map(|written| &written.0),
            every: common.every.as_ref().map(|written| written.0.0),
            node: Some(node),
            path,
        };
        monitoring.timetable(self.zone, self.problems)
    }

    /// Parts an entry into the keys that every target takes and the kind's own.
    fn split(&mut self, entry: &Node, path: &Path) -> Option<(Node, Node)> {
        let part = |entries| Node::new(entry.location.clone(), NodeValue::Mapping(entries));
        match &entry.value {
            NodeValue::Null => Some((part(Vec::new()), part(Vec::new()))),
            NodeValue::Mapping(entries) => {
                let (common, own) = entries
                    .iter()
                    .cloned()
                    .partition(|entry| self.common.contains(&entry.key));
                Some((part(common), part(own)))
            }
            _ => {
                let message = format!("expected a map of keys, found {}", entry.describe());
                let problem = Problem::error(message).at(&entry.location, path.to_string());
                let sample = self.kind.spec.sample.trim_end();
                self.problems.push(problem.hint(match sample {
                    "" => "write `- name: …`, then its keys below".to_owned(),
                    sample => format!("write a target of this kind like this:\n{sample}"),
                }));
                None
            }
        }
    }

    fn name(&mut self, common: &CommonKeys, node: &Node, path: &Path, default: &str) -> String {
        let Some(name) = &common.name else {
            // Of an address, whose path may be a key.
            return self.redactor.redact(default).into_owned();
        };
        let name = name.trim();
        let bad = name.is_empty() || name.chars().count() > 200 || name.contains(char::is_control);
        if let (true, Some(value)) = (bad, node.get("name")) {
            let message = "expected a name of 1 to 200 characters on one line";
            let problem = Problem::error(message).at(&value.location, path.key("name").to_string());
            let hint = "shorten it, or leave `name` out: then it is derived";
            self.problems.push(problem.hint(hint));
        }
        name.to_owned()
    }

    fn rules(
        &mut self,
        common: &CommonKeys,
        node: &Node,
        path: &Path,
        defaults: Vec<Rule>,
    ) -> Rules {
        let spec = &self.kind.spec;
        let defaults: Arc<[Rule]> = Arc::from(defaults);
        let mut shared = defaults.to_vec();
        let section = Path::default().key("thresholds");
        let global =
            (self.thresholds.values).rules(limits::origins(self.thresholds.node, &section));
        shared.extend(
            global
                .into_iter()
                .filter(|rule| spec.metric(&rule.metric).is_some()),
        );
        if *self.shared != *shared {
            self.shared = Arc::from(shared);
            self.check_global_order(&Rules::new(defaults, Vec::new()));
        }
        let inherited = Rules::new(Arc::clone(&self.shared), Vec::new());
        let own = limits::own_rules(common, node, path, spec, &inherited, self.problems);
        Rules::new(Arc::clone(&self.shared), own)
    }

    /// A global limit may lie on the wrong side of a default of the kind. Where both sides are written it has been
    /// said.
    fn check_global_order(&mut self, defaults: &Rules) {
        let section = Path::default().key("thresholds");
        let values = &self.thresholds.values;
        limits::check_order(
            values,
            self.thresholds.node,
            &section,
            defaults,
            self.problems,
        );
    }

    fn timeout(
        &self,
        common: &CommonKeys,
        node: &Node,
        path: &Path,
    ) -> (std::time::Duration, Origin) {
        let place = |node: Option<&Node>, keys: &[&str], path: Path| {
            let (mut node, mut path) = (node, path);
            for key in keys {
                (node, path) = (node.and_then(|node| node.get(key)), path.key(key));
            }
            let place = node.map_or_else(String::new, |node| format!("{} {path}", node.location));
            Origin::Configured(place.into())
        };
        if let Some(written) = &common.timeout_ms {
            let from = place(Some(node), &["timeout_ms"], path.clone());
            return (written.0.duration(), from);
        }
        // The predecessor's `api_timeout_ms` is for what answers requests.
        if self.kind.spec.metric("response_time_ms").is_some() {
            if let Some(written) = &common.thresholds.api_timeout_ms {
                let from = place(Some(node), &["thresholds", "api_timeout_ms"], path.clone());
                return (written.0.duration(), from);
            }
            if let Some(written) = &self.thresholds.values.api_timeout_ms {
                let section = Path::default().key("thresholds");
                let from = place(self.thresholds.node, &["api_timeout_ms"], section);
                return (written.0.duration(), from);
            }
        }
        (self.kind.spec.default_timeout, Origin::Default)
    }
}

/// Where the keys stand that are checked once all targets are known.
fn places(node: &Node, path: &Path) -> HashMap<&'static str, (Location, String)> {
    ["name", "depends_on"]
        .into_iter()
        .filter_map(|key| {
            let value = node.get(key)?;
            Some((key, (value.location.clone(), path.key(key).to_string())))
        })
        .collect()
}
