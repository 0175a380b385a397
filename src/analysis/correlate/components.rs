//! What belongs together: targets of which one may explain the other.

use std::collections::BTreeMap;

use super::class::Class;
use super::relations::{Member, Place, Relations};

/// In a set of more than these not all pairs are tried: a thousand in one region are half a million.
const ALL_PAIRS: usize = 64;

/// In such a set each symptom is held against so many of each class that were seen just before it, and as many after: what
/// begins together is seen together.
const NEAREST: usize = 4;

/// Sets that are joined step by step.
struct Forest {
    parents: Vec<usize>,
}

impl Forest {
    fn root(&mut self, of: usize) -> usize {
        let mut one = of;
        while self.parents[one] != one {
            self.parents[one] = self.parents[self.parents[one]];
            one = self.parents[one];
        }
        one
    }

    fn are_joined(&mut self, one: usize, other: usize) -> bool {
        self.root(one) == self.root(other)
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        // The lower is the root, so that it does not hang on who was joined first.
        self.parents[one.max(other)] = one.min(other);
    }
}

impl Relations<'_> {
    /// The components, each sorted.
    pub(super) fn components(&self) -> Vec<Vec<Member>> {
        let count = self.affected.len();
        let mut forest = Forest {
            parents: (0..count).collect(),
        };
        for (cause, one) in self.affected.iter().enumerate() {
            for effect in one.needed_by.iter().chain(&one.names) {
                self.join_if_linked(&mut forest, cause, *effect);
            }
        }
        for set in &self.sets {
            if set.members.len() > ALL_PAIRS {
                self.join_nearest(&mut forest, &set.members);
                continue;
            }
            for cause in &set.members {
                for effect in &set.members {
                    self.join_if_linked(&mut forest, *cause, *effect);
                }
            }
        }
        let mut found: BTreeMap<usize, Vec<Member>> = BTreeMap::new();
        for member in 0..count {
            found.entry(forest.root(member)).or_default().push(member);
        }
        found.into_values().collect()
    }

    fn join_if_linked(&self, forest: &mut Forest, cause: Member, effect: Member) {
        if forest.are_joined(cause, effect) {
            return;
        }
        let kin = self.kin(cause, effect);
        let count = |member: Member| self.affected[member].moments.len();
        let is_linked = (0..count(cause)).any(|one| {
            (0..count(effect)).any(|other| self.link((cause, one), (effect, other), &kin).is_some())
        });
        if is_linked {
            forest.join(cause, effect);
        }
    }

    fn join_nearest(&self, forest: &mut Forest, members: &[Member]) {
        let mut by_class: BTreeMap<Class, Vec<Place>> = BTreeMap::new();
        for &member in members {
            for (index, (_, moment)) in self.affected[member].moments.iter().enumerate() {
                let of_class = by_class.entry(moment.symptom.class).or_default();
                of_class.push((member, index));
            }
        }
        let seen_at = |place: &Place| self.moment(*place).map(|moment| moment.symptom.seen_at);
        for places in by_class.values_mut() {
            places.sort_by_key(|place| (seen_at(place), *place));
        }
        for causes in by_class.values() {
            for effects in by_class.values() {
                for cause in causes {
                    let at = (seen_at(cause), *cause);
                    let middle = effects.partition_point(|place| (seen_at(place), *place) < at);
                    let near =
                        middle.saturating_sub(NEAREST)..(middle + NEAREST).min(effects.len());
                    for effect in effects.get(near).into_iter().flatten() {
                        self.join_symptoms_if_linked(forest, *cause, *effect);
                    }
                }
            }
        }
    }

    fn join_symptoms_if_linked(&self, forest: &mut Forest, cause: Place, effect: Place) {
        if forest.are_joined(cause.0, effect.0) {
            return;
        }
        let kin = self.kin(cause.0, effect.0);
        if self.link(cause, effect, &kin).is_some() {
            forest.join(cause.0, effect.0);
        }
    }
}
