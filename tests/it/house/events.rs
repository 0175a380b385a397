//! Every event of the log stands in `docs/logging.md`, and nothing else does.

use std::collections::BTreeSet;

use super::{read, rust_files};

#[test]
fn the_page_of_the_log_lists_every_event() {
    let mut logged = BTreeSet::new();
    for file in rust_files("src") {
        let text = read(&file);
        for (at, mark) in text.match_indices("event = \"") {
            let rest = &text[at + mark.len()..];
            logged.insert(rest[..rest.find('"').expect("its end")].to_owned());
        }
    }
    let page = read("docs/logging.md");
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let listed: BTreeSet<String> = rows
        .flat_map(|row| {
            let cell = row.split('|').nth(1).expect("a cell");
            cell.split('`').skip(1).step_by(2).map(str::to_owned)
        })
        .collect();
    assert_eq!(logged, listed);
    assert!(logged.len() > 20);
}
