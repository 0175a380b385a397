//! The entries under `reporters:`, each read by its channel, and the short form `telegram:`.

use super::plan::PlannedReporter;
use super::sections::ReporterKeys;
use super::targets;
use crate::document::{Node, NodeValue, Path, from_node, read_all, shown_choice, shown_name};
use crate::problem::{Problem, Variables, nearest};
use crate::reporters::{self, KINDS, ReporterKind};

/// The keys that every channel takes.
const COMMON: [&str; 3] = ["kind", "name", "route"];

/// The section that is a channel of its own, and its name.
const SHORT_FORM: &str = "telegram";

/// Reads all channels, that of the short form first. Names are unique, so that a message says which channel is meant.
pub(super) fn read(
    root: &Node,
    targets: &targets::Read,
    variable: Variables<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<PlannedReporter> {
    let mut planned: Vec<PlannedReporter> =
        short_form(root, variable, problems).into_iter().collect();
    if let Some(list) = root.get("reporters") {
        read_list(list, &mut planned, targets, variable, problems);
    }
    planned
}

/// The channel of the predecessor's files. A section that stands empty is none.
fn short_form(
    root: &Node,
    variable: Variables<'_>,
    problems: &mut Vec<Problem>,
) -> Option<PlannedReporter> {
    let section = root.entry(SHORT_FORM)?;
    if matches!(section.value.value, NodeValue::Null) {
        return None;
    }
    let kind = reporters::kind(SHORT_FORM)?;
    let path = Path::default().key(SHORT_FORM);
    let settings = read_all(&section.value, &path, &[], problems, |node| {
        (kind.read)(node, variable)
    })?;
    Some(PlannedReporter {
        kind,
        name: SHORT_FORM.to_owned(),
        settings,
        route: None,
        location: Some(section.key_location.clone()),
    })
}

fn read_list(
    list: &Node,
    planned: &mut Vec<PlannedReporter>,
    targets: &targets::Read,
    variable: Variables<'_>,
    problems: &mut Vec<Problem>,
) {
    let path = Path::default().key("reporters");
    if !matches!(list.value, NodeValue::Sequence(_) | NodeValue::Null) {
        let message = format!("expected a list of channels, found {}", list.describe());
        let problem = Problem::error(message).at(&list.location, path.to_string());
        problems.push(problem.hint("begin each channel with `- kind: `"));
    }
    let is_short = !planned.is_empty();
    for (index, entry) in list.items().iter().enumerate() {
        let path = path.index(index);
        let Some(one) = entry_of(entry, &path, targets, variable, problems) else {
            continue;
        };
        if planned.iter().any(|known| known.name == one.name) {
            let message = format!("the name {} is already taken", shown_name(&one.name));
            let problem = Problem::error(message).at(&entry.location, path.to_string());
            let hint = if is_short && one.name == SHORT_FORM {
                "the section `telegram` has it: give this one a `name`, or take the section out"
            } else {
                "give each channel a `name` of its own"
            };
            problems.push(problem.hint(hint));
        }
        if !one.kind.spec.built {
            let message = format!(
                "{} is not in this build: nothing is sent to it",
                one.kind.spec.key
            );
            let problem = Problem::warning(message).at(&entry.location, path.to_string());
            problems.push(problem.hint("leave it for a later version, or use `kind: file`"));
        }
        planned.push(one);
    }
}

fn entry_of(
    entry: &Node,
    path: &Path,
    targets: &targets::Read,
    variable: Variables<'_>,
    problems: &mut Vec<Problem>,
) -> Option<PlannedReporter> {
    if !matches!(entry.value, NodeValue::Mapping(_)) {
        let message = format!("expected a map of keys, found {}", entry.describe());
        let problem = Problem::error(message).at(&entry.location, path.to_string());
        problems.push(problem.hint("write `- kind: file`, then its keys below"));
        return None;
    }
    let (common, own) =
        (entry.entries().iter().cloned()).partition(|entry| COMMON.contains(&entry.key.as_str()));
    let part = |entries| Node::new(entry.location.clone(), NodeValue::Mapping(entries));
    let mut keys: ReporterKeys = read_all(&part(common), path, &[], problems, from_node)?;
    let route = keys.route.take().map(|route| {
        let node = entry.get("route").unwrap_or(entry);
        route.route(node, &path.key("route"), targets, problems)
    });
    let kind = kind(&keys, entry, path, problems)?;
    let before = problems.len();
    let settings = read_all(&part(own), path, &COMMON, problems, |node| {
        (kind.read)(node, variable)
    })?;
    let misread: Vec<String> = problems
        .iter()
        .skip(before)
        .map(|problem| problem.path.clone())
        .collect();
    for found in (kind.check)(&settings, variable) {
        // What is missing is told of at the entry.
        let value = entry.get(found.key);
        // What could not be read has had its say.
        let own_path = path.key(found.key).to_string();
        if value.is_some() && misread.iter().any(|path| path.starts_with(&own_path)) {
            continue;
        }
        let location = value.map_or(&entry.location, |value| &value.location);
        let path = value.map_or_else(|| path.clone(), |_| path.key(found.key));
        problems.push(found.into_problem(location, path.to_string()));
    }
    Some(PlannedReporter {
        kind,
        name: keys.name.unwrap_or(keys.kind),
        settings,
        route,
        location: Some(entry.location.clone()),
    })
}

fn kind(
    keys: &ReporterKeys,
    entry: &Node,
    path: &Path,
    problems: &mut Vec<Problem>,
) -> Option<&'static ReporterKind> {
    let found = reporters::kind(&keys.kind);
    if found.is_none() {
        let words = KINDS.iter().map(|kind| kind.spec.key);
        let hint = nearest(&keys.kind, words.clone()).map_or_else(
            || format!("known channels: {}", words.collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        let location = entry
            .get("kind")
            .map_or(&entry.location, |kind| &kind.location);
        let problem = Problem::error(format!("unknown channel {}", shown_choice(&keys.kind)));
        problems.push(
            problem
                .at(location, path.key("kind").to_string())
                .hint(hint),
        );
    }
    found
}
