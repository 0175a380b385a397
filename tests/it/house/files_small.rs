//! A file is small enough to be read in one go, and says nothing that was meant to be gone by now.

use super::source::{code_only, without_tests};
use super::{assert_none, read, rust_files};

const MOST_LINES: usize = 400;

/// Written apart, so that this file does not find itself.
const LEFT_OVERS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("to", "do!("),
    concat!("db", "g!("),
    concat!("#[", "ignore"),
];

fn lines_of_code(text: &str) -> usize {
    let code = without_tests(&code_only(text));
    code.lines().filter(|line| !line.trim().is_empty()).count()
}

/// Whether the word stands there by itself: a template for names such as `mktemp` wants is none.
fn has_word(line: &str, word: &str) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !is_letter(before) && (!is_letter(after) || !word.ends_with(char::is_alphanumeric))
    })
}

/// What is wrong with a file.
fn wrong_with(path: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let lines = lines_of_code(text);
    if lines > MOST_LINES {
        wrong.push(format!(
            "{path} has {lines} lines of code without its tests, more than {MOST_LINES}: make it a folder"
        ));
    }
    for (index, line) in text.lines().enumerate() {
        for word in LEFT_OVERS.iter().filter(|word| has_word(line, word)) {
            wrong.push(format!("{path}:{}: `{word}` was left over", index + 1));
        }
    }
    let code = code_only(text);
    for (at, _) in code.match_indices("[allow(") {
        let attribute = &code[at..at + code[at..].find(']').unwrap_or(0)];
        if !attribute.contains("reason") {
            let line = code[..at].matches('\n').count() + 1;
            wrong.push(format!("{path}:{line}: an `allow` says no reason"));
        }
    }
    wrong
}

#[test]
fn every_file_is_small_and_tidy() {
    let files = ["src", "tests", "benches"].into_iter().flat_map(rust_files);
    let wrong: Vec<String> = files
        .flat_map(|path| wrong_with(&path, &read(&path)))
        .collect();
    assert_none("files to tidy", &wrong);
}

#[test]
fn only_code_outside_tests_counts() {
    let text =
        "//! Doc.\n\nfn a() {}\n// why\nfn b() {}\n#[cfg(test)]\nmod tests {\n fn c() {}\n}\n";
    assert_eq!(lines_of_code(text), 2);
    assert_eq!(wrong_with("x.rs", text), Vec::<String>::new());
}

#[test]
fn what_is_wrong_is_found() {
    let long = "let a = 1;\n".repeat(MOST_LINES + 1);
    assert!(wrong_with("x.rs", &long)[0].contains("401 lines"));
    for word in LEFT_OVERS {
        assert!(
            !wrong_with("x.rs", &format!("fn a() {{}} // {word}\n")).is_empty(),
            "{word}"
        );
    }
    assert_eq!(
        wrong_with("x.rs", "#[allow(dead_code)]\nfn a() {}\n").len(),
        1
    );
    assert!(wrong_with("x.rs", "#[allow(dead_code, reason = \"why\")]\nfn a() {}\n").is_empty());
}
