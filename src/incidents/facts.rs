//! Who is watched, and who depends on whom.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use crate::model::{Home, TargetId};

/// A target as the engine knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// `kind/name`.
    pub target: String,
    /// Its name as people see it.
    pub name: String,
    /// The YAML key of its kind.
    pub kind: String,
    /// Its own name.
    pub own_name: String,
    /// Whether it makes the whole unhealthy when it is RED.
    pub critical: bool,
    /// Whether its problem is believed at the first look.
    pub instant: bool,
    /// Whether a look at it costs money: then none is wished for.
    pub costs_money: bool,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The link of those who must act on it.
    pub runbook: Option<String>,
    /// The targets without which it cannot be well: `kind/name`.
    pub parents: Vec<String>,
    /// What it shares with others whose problems are likely to be one: `host db-1`, `label rack=7`.
    pub groups: Vec<String>,
    /// The machine that it is or runs on, where that is known.
    pub home: Option<Home>,
    /// The region of its provider, where it has one.
    pub region: Option<String>,
}

impl Facts {
    /// Those of a target that this one found: it shares what this one depends on.
    #[must_use]
    pub fn of_found(&self, id: &TargetId) -> Self {
        Self {
            target: id.to_string(),
            name: id.name.to_string(),
            own_name: id.name.to_string(),
            ..self.clone()
        }
    }
}

/// All targets that are watched, by `kind/name`.
#[derive(Debug, Default)]
pub struct Family {
    all: HashMap<String, Facts>,
    children: HashMap<String, Vec<String>>,
}

impl Family {
    /// Those targets. A parent that is not among them explains nothing.
    pub fn new(targets: impl IntoIterator<Item = Facts>) -> Self {
        let mut family = Self::default();
        for facts in targets {
            family.add(facts);
        }
        family
    }

    /// Adds one, or gives it other facts.
    pub fn add(&mut self, facts: Facts) {
        self.remove(&facts.target);
        for parent in &facts.parents {
            let children = self.children.entry(parent.clone()).or_default();
            children.push(facts.target.clone());
        }
        self.all.insert(facts.target.clone(), facts);
    }

    /// Takes one out.
    pub fn remove(&mut self, target: &str) {
        let Some(facts) = self.all.remove(target) else {
            return;
        };
        for parent in &facts.parents {
            if let Some(children) = self.children.get_mut(parent) {
                children.retain(|child| child != target);
            }
        }
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, target: &str) -> Option<&Facts> {
        self.all.get(target)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Facts> {
        self.all.values()
    }

    /// Whom it depends on, nearest first, each once and never itself, whatever circles there are.
    pub(super) fn ancestors(&self, target: &str) -> Vec<String> {
        let of = |one: &str| self.all.get(one).map(|facts| facts.parents.as_slice());
        walk(target, of)
    }

    /// Who depends on it, nearest first.
    pub(super) fn descendants(&self, target: &str) -> Vec<String> {
        walk(target, |one| self.children.get(one).map(Vec::as_slice))
    }
}

fn walk<'a>(from: &str, next: impl Fn(&str) -> Option<&'a [String]>) -> Vec<String> {
    let mut seen = HashSet::from([from.to_owned()]);
    let mut waiting = VecDeque::from([from.to_owned()]);
    let mut found = Vec::new();
    while let Some(one) = waiting.pop_front() {
        for other in next(&one).unwrap_or_default() {
            if seen.insert(other.clone()) {
                found.push(other.clone());
                waiting.push_back(other.clone());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_are_walked_once() {
        let facts = |name: &str, parents: &[&str]| Facts {
            target: name.to_owned(),
            parents: parents.iter().map(|&parent| parent.to_owned()).collect(),
            ..Facts::default()
        };
        let mut family = Family::new([
            facts("app", &["db", "host"]),
            facts("db", &["host", "app"]),
            facts("host", &[]),
        ]);
        assert_eq!(family.ancestors("app"), ["db", "host"]);
        assert_eq!(family.ancestors("host"), [] as [&str; 0]);
        assert_eq!(family.descendants("host"), ["app", "db"]);
        family.add(facts("db", &[]));
        family.remove("app");
        assert_eq!(family.descendants("host"), [] as [&str; 0]);
    }
}
