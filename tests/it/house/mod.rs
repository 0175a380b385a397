//! Checks of the house itself: what people would forget, written down as tests.
//!
//! Each check is a function over plain values, so that a test beside it can prove that it fails when it should.

mod events;
mod files_small;
mod generated;
mod kinds_complete;
mod layers;
mod licence;
mod readme;
mod source;
mod supply_chain;
mod unused;

use std::path::{Path, PathBuf};

/// The folder of `Cargo.toml`.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of ours, as text.
fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path))
        .unwrap_or_else(|error| panic!("could not read `{path}`: {error}"))
}

/// The names of what lies in a folder of ours, sorted.
fn names_in(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(folder))
        .unwrap_or_else(|error| panic!("could not list `{folder}`: {error}"));
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

/// All files below a folder of ours that end in `.rs`, as paths from the root, sorted.
fn rust_files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        let shown = folder.to_string_lossy().into_owned();
        for name in names_in(&shown) {
            let path = folder.join(&name);
            if root().join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

/// Fails with all that is wrong, one line each.
#[track_caller]
fn assert_none(what: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{what}:\n  {}", wrong.join("\n  "));
}
