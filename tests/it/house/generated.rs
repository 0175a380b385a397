//! What is made from code and committed is current.

use std::path::Path;

use roundsman::collectors::KINDS;
use roundsman::collectors::reference::{example, kinds_markdown, kinds_table};

use super::{assert_none, names_in, root};

/// Whether `make docs` is asking.
#[expect(
    clippy::disallowed_methods,
    reason = "tests have no configuration to be told by"
)]
fn may_write() -> bool {
    std::env::var_os("ROUNDSMAN_BLESS").is_some()
}

/// Compares a committed file with what the code makes; writes it where `make docs` asks.
#[track_caller]
pub(super) fn generated(path: &str, expected: &str) {
    let full = root().join(path);
    if may_write() {
        std::fs::create_dir_all(full.parent().unwrap_or(Path::new("."))).expect("a folder");
        std::fs::write(&full, expected).expect("the page");
        return;
    }
    let committed = std::fs::read_to_string(&full).unwrap_or_default();
    if let Some(difference) = difference(&committed, expected) {
        panic!("`{path}` is not what the code makes: {difference}\n  hint: make docs");
    }
}

/// The first line that differs.
fn difference(committed: &str, expected: &str) -> Option<String> {
    if committed == expected {
        return None;
    }
    if committed.is_empty() {
        return Some("it is missing or empty".to_owned());
    }
    let end = "(the end)";
    let mut old = committed.lines();
    let mut new = expected.lines();
    for number in 1_usize.. {
        let (was, is) = (old.next(), new.next());
        if was.is_none() && is.is_none() {
            break;
        }
        if was != is {
            let (was, is) = (was.unwrap_or(end), is.unwrap_or(end));
            return Some(format!(
                "line {number}\n  committed: {was}\n  generated: {is}"
            ));
        }
    }
    Some("they differ in how their lines end".to_owned())
}

/// The text with what stands between two marks replaced. `None`: a mark is missing.
fn between_marks(text: &str, word: &str, middle: &str) -> Option<String> {
    let (begin, end) = (
        format!("<!-- {word}:begin -->\n"),
        format!("<!-- {word}:end -->"),
    );
    let (head, rest) = text.split_once(&begin)?;
    let (_, tail) = rest.split_once(&end)?;
    Some(format!("{head}{begin}{middle}{end}{tail}"))
}

#[test]
fn the_page_on_kinds() {
    let note = "<!-- Made from the code by `make docs`: change it there. -->\n\n";
    generated("docs/kinds.md", &format!("{note}{}", kinds_markdown()));
}

#[test]
fn the_schema_for_editors() {
    let schema = format!("{:#}\n", roundsman::config::json_schema());
    generated("config/config.schema.json", &schema);
}

#[test]
fn the_table_in_the_readme() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap_or_default();
    let current = between_marks(&readme, "kinds", &kinds_table());
    let current = current.expect(
        "README.md has `<!-- kinds:begin -->` and `<!-- kinds:end -->` on lines of their own",
    );
    generated("README.md", &current);
}

#[test]
fn an_example_for_each_kind_and_no_other() {
    for kind in KINDS.iter().filter(|kind| kind.spec.built) {
        generated(
            &format!("config/examples/{}.yaml", kind.spec.key),
            &example(kind),
        );
    }
    let stray: Vec<String> = (names_in("config/examples").into_iter())
        .filter(|name| {
            !KINDS
                .iter()
                .any(|kind| *name == format!("{}.yaml", kind.spec.key))
        })
        .collect();
    assert_none("files in config/examples that belong to no kind", &stray);
}

#[test]
fn a_difference_is_told() {
    assert_eq!(difference("a\nb\n", "a\nb\n"), None);
    assert!(difference("a\nb\n", "a\nc\n").is_some_and(|text| text.contains("line 2")));
    assert!(difference("a\n", "a\nb\n").is_some_and(|text| text.contains("(the end)")));
    assert!(difference("a", "a\n").is_some_and(|text| text.contains("lines end")));
    assert!(difference("", "a\n").is_some_and(|text| text.contains("missing")));
}

#[test]
fn only_what_stands_between_the_marks_is_replaced() {
    let text = "one\n<!-- kinds:begin -->\nold\n<!-- kinds:end -->\ntwo\n";
    let replaced = between_marks(text, "kinds", "new\n");
    assert_eq!(replaced, Some(text.replace("old", "new")));
    assert_eq!(between_marks(text, "reporters", "new\n"), None);
}
