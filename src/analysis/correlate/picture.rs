//! A target, and what it may have to do with others.

use super::symptoms::{Glance, Symptoms};

/// A target, and what it may have to do with others.
#[derive(Debug, Clone, PartialEq)]
pub struct Suspect {
    /// `kind/name`.
    pub target: String,
    /// Its name as people see it.
    pub name: String,
    /// The YAML key of its kind.
    pub kind: String,
    /// The machine that it is or runs on, where that is known.
    pub home: Option<String>,
    /// Whether it is that machine.
    pub is_machine: bool,
    /// What it shares with others that may fail as one: `region eu-central-1`, `label rack=7`, `account prod`.
    pub groups: Vec<String>,
    /// The targets without which it cannot be well: `kind/name`.
    pub parents: Vec<String>,
    /// What is or was lately out of the ordinary, in the order in which it was seen.
    pub symptoms: Symptoms,
}

impl Suspect {
    /// Takes a look into account.
    pub fn see(&mut self, glance: &Glance<'_>) {
        self.symptoms.see(&self.kind, glance);
    }
}
