//! Groups what belongs together, and ranks what may have caused it.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use super::class::{Relation, causes};
use super::picture::Suspect;
use super::symptoms::{Sign, Symptom};
use super::timing::{in_time, silent_together, strength, together};
use crate::model::Timestamp;

/// A cause that explains less than this counts as none.
const BELIEVABLE: f64 = 0.3;

/// A cause of a group must explain so much of it, or the group has none in common.
const ENOUGH: f64 = 0.35;

/// What belongs together, and what may have caused it.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The targets, as places in the picture.
    pub suspects: Vec<usize>,
    /// What may have caused it, most likely first: at most five. Empty: nothing explains it.
    pub candidates: Vec<Candidate>,
}

impl Group {
    /// The common cause, where one explains enough. What one target has alone, it has in common with none.
    #[must_use]
    pub fn cause(&self) -> Option<&Candidate> {
        let explains_others = |first: &&Candidate| {
            let mut explained = first.explains.iter();
            explained.any(|effect| effect.suspect != first.suspect)
        };
        let first = self.candidates.first().filter(explains_others);
        first.filter(|first| first.score >= ENOUGH)
    }
}

/// What may have caused a group's problems.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Whose, as a place in the picture.
    pub suspect: usize,
    /// Which of its symptoms.
    pub symptom: usize,
    /// From 0 to 1: `share × (0.5 + 0.5 × strength) × factor`, where the factor is that of `explained_by`, or 1.
    pub score: f64,
    /// From 0 to 1: how much of the group's weight it explains, itself included.
    pub share: f64,
    /// From 0 to 1: how far out of the ordinary it is itself.
    pub strength: f64,
    /// What explains it in turn: it is less of a root then. `None`: nothing does.
    pub explained_by: Option<Explained>,
    /// What it explains: the target, its symptom that it explains best, and how well.
    pub explains: Vec<Effect>,
}

/// What explains a candidate, and what that makes of its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Explained {
    /// Whose, as a place in the picture.
    pub suspect: usize,
    /// Which of its symptoms.
    pub symptom: usize,
    /// From 0.4 to 1: the score counts so many times.
    pub factor: f64,
}

/// What a cause explains.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// Whose.
    pub suspect: usize,
    /// Which.
    pub symptom: usize,
    /// From 0 to 1: how likely the one sort of trouble causes the other along that relation, times `in_time`.
    pub likely: f64,
    /// How the two are related.
    pub relation: Relation,
    /// From 0 to 1: how well their times fit.
    pub in_time: f64,
}

/// A symptom, by the places of its target and of itself.
type Place = (usize, usize);

/// That one symptom explains another.
#[derive(Clone, Copy)]
struct Link {
    likely: f64,
    relation: Relation,
    in_time: f64,
}

/// The groups of a picture, the heaviest first.
#[must_use]
pub fn groups(suspects: &[Suspect], now: Timestamp) -> Vec<Group> {
    let ranker = Ranker::new(suspects, now);
    let mut groups: Vec<(f64, Group)> = (ranker.components().into_iter())
        .map(|members| (ranker.weight_of(&members), ranker.rank(members)))
        .collect();
    groups.sort_by(|one, other| other.0.total_cmp(&one.0));
    groups.into_iter().map(|(_, group)| group).collect()
}

struct Ranker<'a> {
    suspects: &'a [Suspect],
    now: Timestamp,
    /// Those with any symptom.
    affected: Vec<usize>,
    /// From each target, those that it needs, with the steps.
    needs: Vec<HashMap<usize, u32>>,
    /// Those that fell silent together with many others.
    silent: BTreeSet<usize>,
}

impl<'a> Ranker<'a> {
    fn new(suspects: &'a [Suspect], now: Timestamp) -> Self {
        let places: HashMap<&str, usize> = (suspects.iter().enumerate())
            .map(|(place, suspect)| (suspect.target.as_str(), place))
            .collect();
        let affected: Vec<usize> = (0..suspects.len())
            .filter(|place| {
                suspects
                    .get(*place)
                    .is_some_and(|one| !one.symptoms.is_empty())
            })
            .collect();
        let mut needs: Vec<HashMap<usize, u32>> = vec![HashMap::new(); suspects.len()];
        for &from in &affected {
            let mut waiting = VecDeque::from([(from, 0_u32)]);
            while let Some((place, steps)) = waiting.pop_front() {
                let parents = suspects
                    .get(place)
                    .map_or(&[][..], |one| one.parents.as_slice());
                for parent in parents
                    .iter()
                    .filter_map(|parent| places.get(parent.as_str()))
                {
                    if *parent != from && !needs[from].contains_key(parent) {
                        needs[from].insert(*parent, steps + 1);
                        waiting.push_back((*parent, steps + 1));
                    }
                }
            }
        }
        let silent = silent_together(suspects, &affected);
        Self {
            suspects,
            now,
            affected,
            needs,
            silent,
        }
    }

    fn symptoms(&self, suspect: usize) -> &'a [Symptom] {
        self.suspects
            .get(suspect)
            .map_or(&[], |one| one.symptoms.as_slice())
    }

    /// How two targets are related, the closest first.
    fn relations(&self, cause: usize, effect: usize) -> Vec<Relation> {
        if cause == effect {
            return vec![Relation::Same];
        }
        let (Some(one), Some(other)) = (self.suspects.get(cause), self.suspects.get(effect)) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        if one.home.is_some() && one.home == other.home {
            found.push(match (one.is_machine, other.is_machine) {
                (true, _) => Relation::OnIt,
                (false, true) => Relation::UnderIt,
                (false, false) => Relation::Beside,
            });
        }
        if let Some(steps) = self.needs.get(effect).and_then(|needs| needs.get(&cause)) {
            found.push(Relation::Needs(*steps));
        } else if let Some(home) = &one.home
            && one.is_machine
        {
            // It needs something that runs on that machine.
            let on_it = |place: &usize| {
                self.suspects
                    .get(*place)
                    .is_some_and(|between| between.home.as_ref() == Some(home))
            };
            let steps = self.needs.get(effect).and_then(|needs| {
                needs
                    .iter()
                    .filter(|(place, _)| on_it(place))
                    .map(|(_, steps)| *steps)
                    .min()
            });
            found.extend(steps.map(|steps| Relation::Needs(steps + 1)));
        }
        if one.groups.iter().any(|group| other.groups.contains(group)) {
            found.push(Relation::Shares);
        }
        if self.silent.contains(&cause) && self.silent.contains(&effect) && one.home != other.home {
            found.push(Relation::Line);
        }
        found
    }

    /// How likely it is that one symptom explains another, by how they are related.
    fn likely(&self, cause: Place, effect: Place) -> Option<Link> {
        if cause == effect {
            return None;
        }
        let (one, other) = (self.symptom(cause)?, self.symptom(effect)?);
        let fits = in_time(one, other);
        let named = self
            .is_named_alike(cause, effect.0)
            .then_some(Relation::Named);
        let relations = self.relations(cause.0, effect.0).into_iter().chain(named);
        let best = relations
            .map(|relation| {
                // What shows the same at the same time has no order.
                let fits = if matches!(relation, Relation::Shares | Relation::Line) {
                    together(one, other)
                } else {
                    fits
                };
                Link {
                    likely: causes(one.class, other.class, relation) * fits,
                    relation,
                    in_time: fits,
                }
            })
            .max_by(|one, other| one.likely.total_cmp(&other.likely))?;
        (best.likely >= BELIEVABLE).then_some(best)
    }

    /// Whether what a symptom is about has the name of another target.
    fn is_named_alike(&self, cause: Place, effect: usize) -> bool {
        let subject = self.symptom(cause).and_then(|symptom| match &symptom.sign {
            Sign::Metric { subject, .. } => subject.as_deref(),
            Sign::Failure => None,
        });
        let name = self
            .suspects
            .get(effect)
            .map(|suspect| suspect.name.as_str());
        let is_other = cause.0 != effect;
        is_other && subject.is_some_and(|subject| name == Some(subject))
    }

    fn symptom(&self, place: Place) -> Option<&'a Symptom> {
        self.symptoms(place.0).get(place.1)
    }

    /// How much a target's trouble counts.
    fn weight(&self, suspect: usize) -> f64 {
        let weights = self
            .symptoms(suspect)
            .iter()
            .map(|symptom| strength(symptom, self.now));
        weights.fold(0.0, f64::max)
    }

    fn weight_of(&self, members: &[usize]) -> f64 {
        members.iter().map(|member| self.weight(*member)).sum()
    }

    /// Targets of which one may explain the other belong together.
    fn components(&self) -> Vec<Vec<usize>> {
        let mut left: BTreeSet<usize> = self.affected.iter().copied().collect();
        let mut found = Vec::new();
        while let Some(first) = left.pop_first() {
            let mut members = vec![first];
            let mut waiting = vec![first];
            while let Some(place) = waiting.pop() {
                let near: Vec<usize> = (left.iter().copied())
                    .filter(|other| self.touch(place, *other))
                    .collect();
                for other in near {
                    left.remove(&other);
                    members.push(other);
                    waiting.push(other);
                }
            }
            members.sort_unstable();
            found.push(members);
        }
        found
    }

    fn touch(&self, one: usize, other: usize) -> bool {
        let pairs = |from: usize, to: usize| {
            (0..self.symptoms(from).len()).any(|symptom| {
                (0..self.symptoms(to).len())
                    .any(|effect| self.likely((from, symptom), (to, effect)).is_some())
            })
        };
        pairs(one, other) || pairs(other, one)
    }

    fn rank(&self, members: Vec<usize>) -> Group {
        let total = self.weight_of(&members).max(f64::EPSILON);
        let mut candidates: Vec<Candidate> = Vec::new();
        for &suspect in &members {
            for symptom in 0..self.symptoms(suspect).len() {
                candidates.extend(self.candidate((suspect, symptom), &members, total));
            }
        }
        self.discount_what_is_explained(&mut candidates);
        candidates.sort_by(|one, other| {
            let rank = |candidate: &Candidate| {
                let place = (candidate.suspect, candidate.symptom);
                self.symptom(place).map(|symptom| symptom.seen_at)
            };
            other
                .score
                .total_cmp(&one.score)
                .then(rank(one).cmp(&rank(other)))
        });
        // The best of each target: its other symptoms say the same.
        let mut seen = BTreeSet::new();
        candidates.retain(|candidate| seen.insert(candidate.suspect));
        candidates.truncate(5);
        Group {
            suspects: members,
            candidates,
        }
    }

    fn candidate(&self, cause: Place, members: &[usize], total: f64) -> Option<Candidate> {
        let symptom = self.symptom(cause)?;
        let own = strength(symptom, self.now);
        let mut explained = own;
        let mut explains = Vec::new();
        for &member in members {
            let best = (0..self.symptoms(member).len())
                .filter_map(|index| {
                    let link = self.likely(cause, (member, index))?;
                    let strong = self
                        .symptom((member, index))
                        .map_or(0.0, |one| strength(one, self.now));
                    Some((link, index, link.likely * strong))
                })
                .max_by(|one, other| one.2.total_cmp(&other.2));
            let Some((link, index, _)) = best else {
                continue;
            };
            explains.push(Effect {
                suspect: member,
                symptom: index,
                likely: link.likely,
                relation: link.relation,
                in_time: link.in_time,
            });
            if member != cause.0 {
                explained += link.likely * self.weight(member);
            }
        }
        // Its own target's worst may be another symptom: what it explains of that counts.
        let own_worst = self.weight(cause.0);
        let of_own = explains.iter().find(|effect| effect.suspect == cause.0);
        explained += of_own.map_or(0.0, |effect| (own_worst - own).max(0.0) * effect.likely);
        let (share, strength) = ((explained / total).min(1.0), own.min(1.0));
        Some(Candidate {
            suspect: cause.0,
            symptom: cause.1,
            score: share * (0.5 + 0.5 * strength),
            share,
            strength,
            explained_by: None,
            explains,
        })
    }

    /// What another candidate explains well is no root: its score counts for that one.
    fn discount_what_is_explained(&self, candidates: &mut [Candidate]) {
        let mut found: BTreeMap<Place, Explained> = BTreeMap::new();
        for one in candidates.iter() {
            let place = (one.suspect, one.symptom);
            let mut lowest: Option<Explained> = None;
            for other in candidates.iter() {
                let cause = (other.suspect, other.symptom);
                let Some(link) = self.likely(cause, place) else {
                    continue;
                };
                let back = self.likely(place, cause).map_or(0.0, |back| back.likely);
                if matches!(link.relation, Relation::Shares | Relation::Line) || link.likely <= back
                {
                    continue;
                }
                let factor = 1.0 - 0.6 * (link.likely - back * 0.5) * other.strength;
                if lowest.is_none_or(|lowest| factor < lowest.factor) {
                    lowest = Some(Explained {
                        suspect: other.suspect,
                        symptom: other.symptom,
                        factor,
                    });
                }
            }
            found.extend(lowest.map(|lowest| (place, lowest)));
        }
        for one in candidates.iter_mut() {
            one.explained_by = found.remove(&(one.suspect, one.symptom));
            one.score *= one.explained_by.map_or(1.0, |by| by.factor);
        }
    }
}
