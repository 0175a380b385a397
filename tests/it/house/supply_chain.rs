//! The dependencies keep to `deny.toml`, also where cargo-deny is not installed.

use std::process::Command;

use serde::Deserialize;

use super::licence::is_satisfied;
use super::{assert_none, read, root};

/// What we check of `deny.toml`; cargo-deny knows more keys.
#[derive(Deserialize)]
struct Policy {
    licenses: Licences,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
    #[serde(default)]
    clarify: Vec<Clarified>,
}

#[derive(Deserialize)]
struct Clarified {
    #[serde(rename = "crate")]
    name: String,
    expression: String,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    source: Option<String>,
}

fn policy() -> Policy {
    toml::from_str(&read("deny.toml")).expect("deny.toml is as cargo-deny reads it")
}

/// What a program prints.
fn output_of(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap_or_else(|error| panic!("could not run `{program}`: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "`{program} {}`: {complaint}",
        arguments.join(" ")
    );
    String::from_utf8(output.stdout).expect("text")
}

fn host() -> String {
    let version = output_of("rustc", &["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc names its host").to_owned()
}

/// Packages whose licence is not allowed, or unknown.
fn wrong_licences(packages: &[Package], licences: &Licences) -> Vec<String> {
    let mut wrong = Vec::new();
    for package in packages {
        let clarified = (licences.clarify.iter()).find(|entry| entry.name == package.name);
        let expression = package
            .license
            .as_ref()
            .or(clarified.map(|entry| &entry.expression));
        let named = format!("{} {}", package.name, package.version);
        match expression.map(|text| (text, is_satisfied(text, &licences.allow))) {
            None => wrong.push(format!(
                "{named} names no licence: add a `clarify` entry to deny.toml"
            )),
            Some((_, Ok(true))) => {}
            Some((text, Ok(false))) => wrong.push(format!("{named}: `{text}` is not allowed")),
            Some((text, Err(error))) => wrong.push(format!("{named}: `{text}`: {error}")),
        }
    }
    wrong
}

/// Packages that come from elsewhere than the public registry. Ours has no source.
fn wrong_sources<'a>(sources: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Vec<String> {
    let is_public =
        |source: &str| source.starts_with("registry+") && source.ends_with("/crates.io-index");
    sources
        .filter(|(name, source)| !source.map_or(*name == env!("CARGO_PKG_NAME"), is_public))
        .map(|(name, source)| format!("{name} comes from `{}`", source.unwrap_or("a folder")))
        .collect()
}

#[test]
fn licences_are_allowed_and_packages_come_from_the_registry() {
    let text = output_of(
        env!("CARGO"),
        &[
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--filter-platform",
            &host(),
        ],
    );
    let metadata: Metadata = serde_json::from_str(&text).expect("metadata");
    assert!(
        metadata.packages.len() > 50,
        "the list of packages is not complete"
    );
    assert_none(
        "licences",
        &wrong_licences(&metadata.packages, &policy().licenses),
    );
    let sources = metadata
        .packages
        .iter()
        .map(|it| (it.name.as_str(), it.source.as_deref()));
    assert_none("sources", &wrong_sources(sources));
}

#[test]
fn the_lock_file_names_only_the_registry() {
    let lock: Lock = toml::from_str(&read("Cargo.lock")).expect("a lock file");
    let sources = lock
        .package
        .iter()
        .map(|it| (it.name.as_str(), it.source.as_deref()));
    assert_none("sources", &wrong_sources(sources));
}

/// Asks `cargo tree` and not `cargo metadata`: the latter also lists what only a feature that is off would bring.
#[test]
fn no_banned_crate_is_built() {
    let tree = output_of(
        env!("CARGO"),
        &[
            "tree",
            "--locked",
            "--edges",
            "normal,build,dev",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ],
    );
    let built: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(
        built.contains(&"rustls"),
        "the list of packages is not complete"
    );
    let bans = policy().bans.deny;
    let found = bans.iter().filter(|ban| built.contains(&ban.name.as_str()));
    let wrong: Vec<String> = found
        .map(|ban| {
            format!(
                "{}: {}; see `cargo tree --invert {}`",
                ban.name, ban.reason, ban.name
            )
        })
        .collect();
    assert_none("banned crates", &wrong);
}

#[test]
fn every_ban_says_why() {
    let bans = policy().bans.deny;
    for name in ["ring", "openssl", "openssl-sys", "native-tls"] {
        assert!(
            bans.iter().any(|ban| ban.name == name),
            "`{name}` is not banned"
        );
    }
    assert!(bans.iter().all(|ban| !ban.reason.is_empty()));
}

#[test]
fn what_breaks_the_policy_is_found() {
    let package = |license: Option<&str>| Package {
        name: "some".to_owned(),
        version: "1.0.0".to_owned(),
        license: license.map(str::to_owned),
        source: None,
    };
    let mut licences = Licences {
        allow: vec!["MIT".to_owned()],
        clarify: Vec::new(),
    };
    for license in [None, Some("GPL-3.0-only"), Some("MIT AND")] {
        assert_eq!(
            wrong_licences(&[package(license)], &licences).len(),
            1,
            "{license:?}"
        );
    }
    licences.clarify.push(Clarified {
        name: "some".to_owned(),
        expression: "MIT".to_owned(),
    });
    assert!(wrong_licences(&[package(None)], &licences).is_empty());

    let git = [("some", Some("git+https://example.com/some"))];
    let other = [("some", Some("registry+https://example.com/index"))];
    let folder = [("some", None)];
    for sources in [git, other, folder] {
        assert_eq!(wrong_sources(sources.into_iter()).len(), 1, "{sources:?}");
    }
}
