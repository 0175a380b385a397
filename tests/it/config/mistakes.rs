//! One file per mistake, with exactly what is said about it.

use super::Folder;

/// A file, and what is said about it.
const MISTAKES: [(&str, &str); 0] = [];

#[test]
fn every_mistake_says_where_and_what_to_do() {
    for (yaml, said) in MISTAKES {
        assert_eq!(Folder::with_config(yaml).problems(), said, "{yaml}");
    }
}
