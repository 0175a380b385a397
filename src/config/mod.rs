//! What people wrote, read into what we work with: found, parsed, merged, expanded, read into typed structs, and
//! checked as a whole. All problems are found in one go.
//!
//! This layer composes the structs of their owners: a kind's settings belong to its collector, thresholds to the
//! rules.

mod analysis;
mod channels;
mod dotenv;
mod environment;
mod expand;
mod hidden;
mod incidents;
mod limits;
mod load;
mod money;
mod names;
mod plan;
mod reachable;
mod schema;
mod sections;
mod surroundings;
mod targets;
mod timing;
mod values;
mod zone;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use environment::Environment;
pub use load::{FILE_VARIABLE, SEARCHED};
pub use plan::{Delivery, Monitoring, Plan, PlannedReporter, ValueSource, Watched};
pub use schema::json_schema;
pub use values::instant;

use crate::clients::aws::SECRET_VARIABLES;
use crate::clock::{Clock, SystemClock};
use crate::document::{self, LIMITS, Node, NodeValue, Source, from_node, read_all, unknown_key};
use crate::problem::{Problem, Severity, nearest};
use crate::redaction;
use crate::rules::{Rules, Thresholds};
use crate::secret::Redactor;
use crate::store::Keep;
use sections::{Llm, ReportSection, Store};

/// What is watched when nobody has configured anything.
pub const BUILT_IN: &str = "targets:\n  local_hosts:\n    - {}\n";

/// The sections. Beside them may stand `x-…`.
const ACTED_ON: [&str; 13] = [
    "monitoring",
    "targets",
    "thresholds",
    "telegram",
    "reporters",
    "store",
    "report",
    "silences",
    "windows",
    "escalation",
    "incidents",
    "delivery",
    "llm",
];

/// What loading gave.
pub struct Loaded {
    /// `None`: there are errors among the problems.
    pub plan: Option<Plan>,
    /// All problems, in the order of the files.
    pub problems: Vec<Problem>,
}

/// Whether a configuration file was found.
pub enum Found {
    /// What loading it gave.
    File(Box<Loaded>),
    /// None was named, and none is where we look.
    Nothing,
}

/// Finds and loads the configuration. `directory` is the working directory: relative paths are taken from it.
pub fn load(named: Option<&Path>, environment: &Environment, directory: &Path) -> Found {
    let main = match load::find(named, environment, directory) {
        Ok(Some(main)) => main,
        Ok(None) => return Found::Nothing,
        Err(problem) => return Found::File(Box::new(finish(None, vec![*problem]))),
    };
    let mut found = expand::Found::default();
    let document = load::read(&main, environment, directory, &mut found);
    let mut later = Vec::new();
    let redactor = redaction::Redactor::new(&found.hidden.secrets, false);
    let plan = document.and_then(|document| {
        found.hidden.add_written(&document.root);
        let main = document.files.first().map(PathBuf::as_path);
        let secrets = &found.hidden.secrets;
        let mut plan = plan(
            &document.root,
            main,
            environment,
            secrets,
            &redactor,
            &mut later,
        )?;
        plan.files = document.files;
        Some(plan)
    });
    later.retain(|problem| {
        let place = problem.location.as_ref();
        !place.is_some_and(|place| found.broken.contains(place))
    });
    let mut problems = found.problems;
    problems.append(&mut later);
    if !problems.is_empty() {
        found.hidden.scrub(&redactor, &mut problems);
    }
    Found::File(Box::new(finish(plan, problems)))
}

/// The file that [`load`] begins with, if there is one.
#[must_use]
pub fn file(named: Option<&Path>, environment: &Environment, directory: &Path) -> Option<PathBuf> {
    load::find(named, environment, directory).ok().flatten()
}

/// The plan of [`BUILT_IN`].
#[must_use]
pub fn built_in(environment: &Environment) -> Loaded {
    let mut problems = Vec::new();
    let root = document::parse(&"built-in".into(), BUILT_IN, LIMITS, &mut problems);
    let plan = root.and_then(|root| {
        plan(
            &root,
            None,
            environment,
            &Redactor::default(),
            &redaction::Redactor::default(),
            &mut problems,
        )
    });
    finish(plan, problems)
}

fn finish(plan: Option<Plan>, mut problems: Vec<Problem>) -> Loaded {
    // An alias repeats what stands at its anchor, mistakes included.
    let mut seen = std::collections::HashSet::new();
    problems.retain(|problem| {
        let place = problem.location.as_ref().map(ToString::to_string);
        seen.insert((place, problem.message.clone()))
    });
    sort_by_place(&mut problems);
    let broken = problems
        .iter()
        .any(|problem| problem.severity == Severity::Error);
    Loaded {
        plan: plan.filter(|_| !broken),
        problems,
    }
}

/// In the order of the files, then of the lines; what has no place comes first.
fn sort_by_place(problems: &mut [Problem]) {
    let mut files: Vec<Arc<str>> = Vec::new();
    for location in problems
        .iter()
        .filter_map(|problem| problem.location.as_ref())
    {
        if !files.contains(&location.file) {
            files.push(Arc::clone(&location.file));
        }
    }
    problems.sort_by_key(|problem| {
        problem.location.as_ref().map(|location| {
            let file = files.iter().position(|file| *file == location.file);
            (file, location.line, location.column)
        })
    });
}

fn plan(
    root: &Node,
    main_file: Option<&Path>,
    environment: &Environment,
    secrets: &Redactor,
    redactor: &redaction::Redactor,
    problems: &mut Vec<Problem>,
) -> Option<Plan> {
    if !matches!(root.value, NodeValue::Mapping(_) | NodeValue::Null) {
        let message = format!("expected a map of sections, found {}", root.describe());
        let problem = Problem::error(message).at(&root.location, "");
        problems.push(problem.hint("`roundsman init` writes a configuration to start from"));
        return None;
    }
    let path = document::Path::default();
    for entry in root.entries() {
        let known = sections().any(|known| known == entry.key) || entry.key.starts_with("x-");
        if !known {
            let problem = Problem::error(unknown_key(&entry.key))
                .at(&entry.key_location, path.key(&entry.key).to_string());
            problems.push(problem.hint(nearest(&entry.key, sections()).map_or_else(
                || {
                    format!(
                        "known keys here: {}; `x-…` is free for anchors",
                        sections().collect::<Vec<_>>().join(", ")
                    )
                },
                |near| format!("did you mean `{near}`?"),
            )));
        }
    }
    let monitoring: sections::Monitoring = section(root, "monitoring", problems);
    let report: ReportSection = section(root, "report", problems);
    let thresholds: Thresholds = section(root, "thresholds", problems);
    let llm: Llm = section(root, "llm", problems);
    let store: Store = section(root, "store", problems);

    let thresholds_path = path.key("thresholds");
    let thresholds_node = root.get("thresholds");
    let none = Rules::default();
    limits::check_order(
        &thresholds,
        thresholds_node,
        &thresholds_path,
        &none,
        problems,
    );
    reachable::check_thresholds(&thresholds, thresholds_node, &thresholds_path, problems);
    let global = targets::GlobalThresholds {
        values: thresholds,
        node: thresholds_node,
    };
    let empty = Node::new(root.location.clone(), NodeValue::Null);
    let asked = RefCell::new(hidden::Hidden::default());
    let variable = |name: &str| {
        let value = environment.get(name)?;
        asked.borrow_mut().add_variable(name, value);
        Some(value.to_owned())
    };
    // Whoever is in AWS uses them, though no setting names them.
    for name in SECRET_VARIABLES {
        variable(name);
    }
    let targets_node = root.get("targets").unwrap_or(&empty);
    let zone = monitoring.timezone.as_ref().map(|written| written.0.0);
    let zone = zone.unwrap_or_else(|| zone::of_the_system(environment, problems));
    let read = targets::read(targets_node, &global, &variable, redactor, zone, problems);
    let broken = problems
        .iter()
        .any(|problem| problem.severity == Severity::Error);
    if read.watched.is_empty() && !broken {
        let problem = Problem::error("nothing is watched: there is no target that is enabled");
        let hint = "add one under `targets:`, such as `local_hosts: [{}]`; `roundsman kinds` lists what there is";
        problems.push(problem.at(&targets_node.location, "targets").hint(hint));
    }
    let monitoring = timing::monitoring(&monitoring, &report, &store, zone, root, problems);
    let reporters = channels::read(root, &read, &variable, problems);
    let told = incidents::read(root, &read, zone, SystemClock.now(), problems);
    let mut sources = Vec::new();
    collect_sources(root, &path, &mut sources);
    let mut secrets = secrets.clone();
    secrets.join(&asked.borrow().secrets);
    let purse = money::terms(&llm, zone, root, problems);
    let analyst = analysis::read(&llm, root, &variable, &secrets, &purse.prices, problems);
    let surroundings = surroundings::find(environment, store.path.as_deref(), main_file);
    Some(Plan {
        secrets,
        purse,
        analyst,
        store: crate::store::Settings {
            folder: surroundings.data_directory.clone(),
            keep: keep(&store),
        },
        surroundings,
        files: Vec::new(),
        watched: read.watched,
        disabled: read.disabled.len(),
        monitoring,
        reporters,
        silences: told.silences,
        windows: told.windows,
        escalation: told.escalation,
        incidents: told.settings,
        delivery: told.delivery,
        sources,
    })
}

/// How much is kept.
fn keep(store: &Store) -> Keep {
    let days = store.keep_days.map(u64::from);
    Keep {
        age: days.map_or(Keep::USUAL.age, |days| Duration::from_hours(24 * days)),
        bytes: store.max_bytes.unwrap_or(Keep::USUAL.bytes),
    }
}

/// A section, or its defaults where it is missing or has mistakes, which are noted.
fn section<T: serde::de::DeserializeOwned + Default>(
    root: &Node,
    key: &str,
    problems: &mut Vec<Problem>,
) -> T {
    let path = document::Path::default().key(key);
    root.get(key)
        .and_then(|node| read_all(node, &path, &[], problems, from_node))
        .unwrap_or_default()
}

fn sections() -> impl Iterator<Item = &'static str> + Clone {
    ACTED_ON.into_iter()
}

/// Where the values came from: all that are not written under `targets`, and every one that was expanded.
fn collect_sources(node: &Node, path: &document::Path, sources: &mut Vec<ValueSource>) {
    match &node.value {
        NodeValue::Null => {}
        NodeValue::Mapping(entries) => {
            for entry in entries {
                let path = path.key(&entry.key);
                let free = path.0.len() == 1 && entry.key.starts_with("x-");
                if !free {
                    collect_sources(&entry.value, &path, sources);
                }
            }
        }
        NodeValue::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_sources(item, &path.index(index), sources);
            }
        }
        NodeValue::Scalar { .. } => {
            let expanded_from = match &node.source {
                Source::File => None,
                Source::Expanded(from) => Some(Arc::clone(from)),
            };
            let text = path.to_string();
            if expanded_from.is_some() || !text.starts_with("targets.") {
                sources.push(ValueSource {
                    path: text,
                    location: node.location.clone(),
                    expanded_from,
                });
            }
        }
    }
}
