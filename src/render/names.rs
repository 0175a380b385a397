//! How a target is called where its kind is not shown.

use std::collections::{HashMap, HashSet};

/// Knows which names need their kind in front.
pub struct Names<'a> {
    ambiguous: HashSet<&'a str>,
}

impl<'a> Names<'a> {
    /// Takes all targets as kind and name; the same one may come more than once.
    #[must_use]
    pub fn among(targets: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut kinds: HashMap<&str, &str> = HashMap::new();
        let mut ambiguous = HashSet::new();
        for (kind, name) in targets {
            if *kinds.entry(name).or_insert(kind) != kind {
                ambiguous.insert(name);
            }
        }
        Self { ambiguous }
    }

    /// `name`, or `kind/name` where two kinds have that name.
    #[must_use]
    pub fn of(&self, kind: &str, name: &str) -> String {
        if self.ambiguous.contains(name) {
            format!("{kind}/{name}")
        } else {
            name.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_stands_only_where_it_is_needed() {
        let names = Names::among([("a", "web"), ("b", "web"), ("a", "db"), ("a", "db")]);
        assert_eq!(names.of("b", "web"), "b/web");
        assert_eq!(names.of("a", "db"), "db");
    }
}
