//! How far messages of several parts got, so that one that failed goes on where it stopped.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Sent;
use crate::render::telegram::Letter;

/// So many are remembered; more are not under way at once.
const MOST: usize = 32;

/// A message, and how much of it was taken.
#[derive(Debug, Clone)]
pub(crate) struct Underway {
    /// What it says, as it was when its first part went: what follows must fit to that. `None`: all of it was taken.
    pub(crate) letter: Option<Arc<Letter>>,
    /// How many parts were taken.
    pub(crate) taken: usize,
    /// The first of them.
    pub(crate) first: Option<Sent>,
}

/// Messages under way, those that moved last at the end.
#[derive(Debug, Default)]
pub(super) struct Letters(VecDeque<(String, Underway)>);

impl Letters {
    pub(super) fn get(&self, key: &str) -> Option<Underway> {
        let found = self.0.iter().find(|(known, _)| known == key);
        found.map(|(_, underway)| underway.clone())
    }

    pub(super) fn set(&mut self, key: &str, underway: Underway) {
        self.0.retain(|(known, _)| known != key);
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back((key.to_owned(), underway));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut letters = Letters::default();
        let underway = |taken| Underway {
            letter: None,
            taken,
            first: None,
        };
        letters.set("one", underway(1));
        for number in 0..MOST - 1 {
            letters.set(&number.to_string(), underway(0));
        }
        letters.set("one", underway(2));
        letters.set("last", underway(0));
        assert_eq!(letters.get("one").map(|one| one.taken), Some(2));
        assert!(letters.get("0").is_none());
        assert!(letters.get("1").is_some());
        assert_eq!(letters.0.len(), MOST);
    }
}
