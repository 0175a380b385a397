//! Ordinary text stays as it is: what people look for in a report must not be taken for a secret.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

use roundsman::redaction::Redactor;

/// No fewer lines are looked at.
const FEWEST_LINES: usize = 15_000;

/// All that is found in them: samples that stand where a secret would.
const FOUND: [&str; 4] = [
    "#     bot_token: \"${TELEGRAM_BOT_TOKEN:-[redacted: token]}\"",
    "#     password: \"${SMTP_PASSWORD:-[redacted: password]}\"",
    "#     secret: \"${WEBHOOK_SECRET:-[redacted: secret]}\"",
    "#     webhook_url: \"${SLACK_WEBHOOK_URL:-https://hooks.slack.com/[redacted: webhook]}\"",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of ours, as text.
fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("`{path}`: {error}"))
}

/// The files below a folder of ours whose names end so, sorted.
fn files_below(folder: &str, ends: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join(folder)).expect("a folder") {
        let entry = entry.expect("an entry");
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            found.extend(files_below(&path, ends));
        } else if ends.iter().any(|end| path.ends_with(end)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Lines of what programs write: `ordinary.txt` beside this file, the documentation, samples, incidents, and our own
/// comments and messages.
fn lines() -> Vec<String> {
    let mut lines = Vec::new();
    let mut take = |text: &str| lines.extend(text.lines().map(|line| line.trim().to_owned()));
    take(&read("tests/it/redaction/ordinary.txt"));
    for page in [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "deny.toml",
        "Makefile",
    ] {
        take(&read(page));
    }
    for (folder, ends) in [
        ("docs", &[".md"][..]),
        ("config", &[".yaml", ".json"]),
        ("evals", &[".yaml"]),
        (
            "deployment",
            &[".md", ".yaml", ".yml", ".service", "ssh-monitor"],
        ),
        ("scripts", &[""]),
    ] {
        for path in files_below(folder, ends) {
            take(&read(&path));
        }
    }
    // Its own comments show secrets.
    let sources = files_below("src", &[".rs"]).into_iter();
    for path in sources.filter(|path| !path.starts_with("src/redaction/")) {
        let text = read(&path);
        let comments = text
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("//"));
        take(&comments.collect::<Vec<_>>().join("\n"));
    }
    lines
}

#[test]
fn ordinary_text_is_left_alone() {
    let redactor = Redactor::default();
    let lines = lines();
    assert!(lines.len() >= FEWEST_LINES, "{} lines", lines.len());
    let changed = lines.iter().map(|line| redactor.redact(line));
    let found: BTreeSet<String> = changed
        .filter_map(|line| match line {
            Cow::Owned(line) => Some(line),
            Cow::Borrowed(_) => None,
        })
        .collect();
    let expected: BTreeSet<String> = FOUND.iter().map(|line| (*line).to_owned()).collect();
    assert_eq!(found, expected, "in {} lines", lines.len());
}

/// In one piece too, where what ends a line ends no secret.
#[test]
fn whole_pages_are_left_alone() {
    let redactor = Redactor::default();
    let mut pages = files_below("docs", &[".md"]);
    pages.extend(["README.md", "tests/it/redaction/ordinary.txt"].map(str::to_owned));
    for path in pages {
        let text = read(&path);
        assert_eq!(redactor.redact(&text), text, "{path}");
    }
}
