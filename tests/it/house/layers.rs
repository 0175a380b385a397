//! Imports point downwards only (`docs/architecture.md`): what is below can be read, tested and changed without
//! what is above.

use super::source::{code_only, without_tests};
use super::{assert_none, read, rust_files};

/// Every module with its layer. A part that lies in another layer than its folder stands before it.
const LAYERS: &[(&str, u8)] = &[
    ("model", 0),
    ("clock", 0),
    ("problem", 0),
    ("secret", 0),
    ("document", 0),
    ("descriptors", 0),
    ("traces", 0),
    ("rules", 1),
    ("incidents", 1),
    ("schedule::heartbeat", 4),
    ("schedule", 1),
    ("purse", 1),
    ("redaction", 1),
    ("render", 1),
    ("analysis::baseline", 1),
    ("analysis::correlate", 1),
    ("analysis::prompt", 1),
    ("analysis::answer", 1),
    ("analysis::score", 1),
    ("analysis::untrusted", 1),
    ("clients", 2),
    ("store", 2),
    ("collectors", 3),
    ("reporters", 3),
    ("analysis", 3),
    ("round", 4),
    ("rounds", 4),
    ("guard", 4),
    ("pipeline", 4),
    ("announce", 4),
    ("delivery", 4),
    ("desk", 4),
    ("server", 4),
    ("config", 5),
    ("app", 6),
    ("shutdown", 6),
    ("telemetry", 6),
    ("cli", 7),
    ("main", 7),
];

/// The only imports within a layer, from and to.
const WITHIN_A_LAYER: &[(&str, &str)] = &[
    ("clock", "model"),      // what it tells is a `Timestamp`
    ("document", "problem"), // a mistake in a document is a problem with a place
    ("app", "shutdown"),     // `app` wires everything
    ("app", "telemetry"),
    ("main", "cli"),
    ("rounds", "round"),       // rounds are made of looks
    ("incidents", "schedule"), // a window opens by a cron entry
    ("pipeline", "delivery"),  // what people must hear is kept with what caused it
    ("pipeline", "desk"),      // orders are obeyed where what they concern is owned
];

/// Imports that would point downwards but are not wanted.
const NOT_WANTED: &[(&str, &str, &str)] = &[
    (
        "collectors",
        "store",
        "a collector says what it saw, and keeps nothing",
    ),
    (
        "collectors",
        "rules",
        "a collector measures, it does not judge",
    ),
    ("reporters", "store", "a reporter sends what it is given"),
    (
        "clients",
        "store",
        "a session knows nothing of what it is used for",
    ),
];

/// The pure layer may not contain these.
const PURE_LAYER: u8 = 1;
const IMPURE: &[&str] = &[
    "tokio::",
    "async fn",
    ".await",
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::thread",
    "Utc::now",
    "Local::now",
    "Instant::now",
    "SystemTime",
    "tracing::",
];

/// The entry of a path such as `analysis::correlate::Cause`.
fn entry_of(path: &[String]) -> Option<(&'static str, u8)> {
    (LAYERS.iter().copied()).find(|(name, _)| {
        let mut parts = path.iter();
        name.split("::")
            .all(|part| parts.next().is_some_and(|own| own == part))
    })
}

/// `src/collectors/host/mod.rs` → `collectors`, `host`.
fn module_of(path: &str) -> Vec<String> {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    inner
        .trim_end_matches("/mod")
        .split('/')
        .map(str::to_owned)
        .collect()
}

/// The paths that follow a root such as `crate::`: one, or several in braces.
fn paths_after(rest: &mut &str, before: &[String], found: &mut Vec<Vec<String>>) {
    *rest = rest.trim_start();
    if let Some(inside) = rest.strip_prefix('{') {
        *rest = inside;
        loop {
            *rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            if rest.is_empty() || rest.starts_with('}') {
                *rest = rest.strip_prefix('}').unwrap_or(rest);
                return;
            }
            let length = rest.len();
            paths_after(rest, before, found);
            // A name after `as`, or anything else that is no path.
            if !rest.starts_with([',', '}']) {
                let end = rest.find([',', '}']).unwrap_or(rest.len());
                *rest = &rest[end..];
            }
            if rest.len() == length {
                return;
            }
        }
    }
    let end = rest
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len());
    let mut path = before.to_vec();
    if end > 0 {
        path.push(rest[..end].to_owned());
    }
    *rest = &rest[end..];
    match rest.strip_prefix("::") {
        Some(more) if end > 0 => {
            *rest = more;
            paths_after(rest, &path, found);
        }
        _ => found.push(path),
    }
}

/// All paths in the code that begin with the root, which ends in `::`.
fn paths_of(code: &str, root: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices(root) {
        let inside_a_word = (code[..at].chars().next_back())
            .is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':');
        if !inside_a_word {
            let mut rest = &code[at + root.len()..];
            paths_after(&mut rest, &[], &mut found);
        }
    }
    found
}

/// What is wrong with a file's imports.
fn wrong_imports(path: &str, text: &str) -> Vec<String> {
    let module = module_of(path);
    if module == ["lib"] {
        return Vec::new();
    }
    let Some((own_name, own_layer)) = entry_of(&module) else {
        return vec![format!(
            "{path} is in no layer: add it to `LAYERS` in tests/it/house/layers.rs"
        )];
    };
    let code = code_only(text);
    let mut imported = paths_of(&code, "crate::");
    if module == ["main"] {
        imported.extend(paths_of(&code, "roundsman::"));
    }
    // The way out through the parent: as many `super::` as the module is deep lead to the root of the crate.
    let up = "super::".repeat(module.len());
    imported.extend(paths_of(&without_tests(&code), &up));

    let mut wrong = Vec::new();
    for import in imported {
        let shown = import.join("::");
        let Some((name, layer)) = entry_of(&import) else {
            wrong.push(format!("{path} imports `{shown}`, which is in no layer"));
            continue;
        };
        if name == own_name {
            continue;
        }
        let named = WITHIN_A_LAYER.contains(&(own_name, name));
        if layer > own_layer || (layer == own_layer && !named) {
            wrong.push(format!(
                "{path} (layer {own_layer}) imports `{shown}` (layer {layer}): imports point downwards only"
            ));
        }
        for (_, _, reason) in NOT_WANTED
            .iter()
            .filter(|(from, to, _)| *from == own_name && *to == name)
        {
            wrong.push(format!("{path} imports `{shown}`: {reason}"));
        }
    }
    wrong
}

/// What in a file of the pure layer is not pure.
fn impurities(path: &str, text: &str) -> Vec<String> {
    if entry_of(&module_of(path)).is_none_or(|(_, layer)| layer != PURE_LAYER) {
        return Vec::new();
    }
    let code = without_tests(&code_only(text));
    let mut wrong = Vec::new();
    for (index, line) in code.lines().enumerate() {
        for word in IMPURE.iter().filter(|word| line.contains(**word)) {
            wrong.push(format!(
                "{path}:{}: `{word}` in the pure layer: take values, return values",
                index + 1
            ));
        }
    }
    wrong
}

#[test]
fn imports_point_downwards() {
    let wrong: Vec<String> = rust_files("src")
        .iter()
        .flat_map(|path| wrong_imports(path, &read(path)))
        .collect();
    assert_none("imports that break the layers", &wrong);
}

#[test]
fn the_pure_layer_is_pure() {
    let wrong: Vec<String> = rust_files("src")
        .iter()
        .flat_map(|path| impurities(path, &read(path)))
        .collect();
    assert_none("what is not pure", &wrong);
}

#[test]
fn an_import_that_points_upwards_is_found() {
    for (path, text) in [
        ("src/rules/judge.rs", "use crate::store::Store;"),
        (
            "src/rules/judge.rs",
            "use crate::{\n    model::Status,\n    config::{Plan, load as read},\n};",
        ),
        ("src/rules/mod.rs", "fn a() -> crate::config::Plan { b() }"),
        ("src/rules/mod.rs", "use crate::render::text;"),
        ("src/rules/mod.rs", "use super::config::Plan;"),
        ("src/rules/judge.rs", "use super::super::config::Plan;"),
        ("src/model/status.rs", "use crate::clock::Clock;"),
        ("src/model/status.rs", "use crate::Everything;"),
        ("src/collectors/databases.rs", "use crate::store::Store;"),
        ("src/collectors/databases.rs", "use crate::rules::judge;"),
        (
            "src/collectors/databases.rs",
            "use crate::reporters::Reporter;",
        ),
        ("src/reporters/slack.rs", "use crate::collectors::KINDS;"),
        ("src/reporters/slack.rs", "use crate::store::{self, Store};"),
        ("src/analysis/correlate.rs", "use crate::analysis::prompt;"),
        ("src/schedule/cron.rs", "use crate::schedule::heartbeat;"),
        ("src/round.rs", "use crate::pipeline::Pipeline;"),
        ("src/nowhere.rs", "fn a() {}"),
    ] {
        assert!(!wrong_imports(path, text).is_empty(), "{path}: {text}");
    }
}

#[test]
fn an_import_that_points_downwards_is_fine() {
    for (path, text) in [
        (
            "src/rules/judge.rs",
            "use crate::model::{Status, Rule};\nuse super::Verdict;\nuse crate::rules::x;",
        ),
        (
            "src/rules/judge.rs",
            "// use crate::store::Store;\nlet a = \"crate::store\";",
        ),
        (
            "src/document/read.rs",
            "use crate::problem::{Location, Problem};",
        ),
        ("src/clock.rs", "use crate::model::Timestamp;"),
        (
            "src/collectors/mod.rs",
            "use crate::clients::Clients;\nuse crate::document::Node;",
        ),
        (
            "src/collectors/x.rs",
            "use super::host;\npub(in crate::collectors) fn a() {}",
        ),
        (
            "src/analysis/analyst.rs",
            "use crate::analysis::correlate::Cause;",
        ),
        (
            "src/schedule/heartbeat.rs",
            "use crate::schedule::next;\nuse tokio::time;",
        ),
        (
            "src/app.rs",
            "use crate::{telemetry, shutdown, config::Plan};",
        ),
        ("src/main.rs", "use roundsman::cli;"),
        ("src/lib.rs", "pub mod model;"),
        (
            "src/round.rs",
            "#[cfg(test)]\nmod tests {\n  use super::config;\n}\n",
        ),
    ] {
        assert_eq!(
            wrong_imports(path, text),
            Vec::<String>::new(),
            "{path}: {text}"
        );
    }
}

#[test]
fn an_impurity_is_found() {
    for text in [
        "use std::fs;",
        "let now = Utc::now();",
        "pub async fn judge() {}",
        "tokio::spawn(a)",
    ] {
        assert_eq!(impurities("src/rules/mod.rs", text).len(), 1, "{text}");
        assert!(impurities("src/round.rs", text).is_empty(), "{text}");
    }
    assert!(
        impurities(
            "src/render/mod.rs",
            "#[cfg(test)]\nmod tests {\n use std::fs;\n}\n"
        )
        .is_empty()
    );
}
