//! A dependency enters with the first commit that uses it, and leaves with the last.

use super::source::{code_only, without_tests};
use super::{assert_none, read, rust_files};

/// The dependencies of a table of `Cargo.toml` that none of the texts names.
fn unused(manifest: &str, table: &str, code: &[String]) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().expect("a manifest");
    let Some(dependencies) = manifest[table].as_table() else {
        return vec![format!("`{table}` is no table")];
    };
    let is_used = |name: &str| {
        let path = format!("{}::", name.replace('-', "_"));
        code.iter().any(|text| {
            text.match_indices(&path).any(|(at, _)| {
                let before = text[..at].chars().next_back();
                !before.is_some_and(|before| before.is_alphanumeric() || before == '_')
            })
        })
    };
    (dependencies.keys())
        .filter(|name| !is_used(name))
        .map(|name| format!("`{name}` under `{table}` is used nowhere"))
        .collect()
}

fn code_of(folders: &[&str], with_tests: bool) -> Vec<String> {
    let files = folders.iter().flat_map(|folder| rust_files(folder));
    files
        .map(|path| {
            let code = code_only(&read(&path));
            if with_tests {
                code
            } else {
                without_tests(&code)
            }
        })
        .collect()
}

#[test]
fn every_dependency_is_used() {
    let manifest = read("Cargo.toml");
    let mut wrong = unused(&manifest, "dependencies", &code_of(&["src"], false));
    let everywhere = code_of(&["src", "tests", "benches"], true);
    wrong.extend(unused(&manifest, "dev-dependencies", &everywhere));
    assert_none("dependencies", &wrong);
}

#[test]
fn an_unused_one_is_found() {
    let manifest = "[dependencies]\nserde-json = \"1\"\nhttp = \"1\"\n";
    let code = ["use serde_json::Value; use our_http::Get;".to_owned()];
    let found = unused(manifest, "dependencies", &code);
    assert_eq!(found, ["`http` under `dependencies` is used nowhere"]);
}
