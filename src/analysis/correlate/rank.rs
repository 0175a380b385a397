//! Groups what belongs together, and ranks what may have caused it.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::class::Relation;
use super::picture::Suspect;
use super::relations::{Member, Place, Relations};
use super::tried::{Best, Tried};
use crate::model::Timestamp;

/// A cause of a group must explain so much of it, or the group has none in common.
const ENOUGH: f64 = 0.35;

/// In a bigger component so many targets are tried as its cause: those on which most hang, the earlier first. What hangs on
/// nothing else and explains little is no cause of hundreds.
const MOST_TRIED: usize = 32;

/// Where each has many symptoms, fewer are tried, so that no more pairs of symptoms than these are held against each other; and
/// never fewer than those.
const MOST_PAIRS: usize = 500_000;
const FEWEST_TRIED: usize = 8;

/// So much of its score a candidate gives to the one that explains it, where that is certain and far out of the ordinary.
const GIVEN: f64 = 0.8;

/// So many candidates are named.
const MOST_NAMED: usize = 5;

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
    /// From 0.2 to 1: the score counts so many times.
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

/// The groups of a picture, the heaviest first. The order in which targets are given says nothing.
#[must_use]
pub fn groups(suspects: &[Suspect], now: Timestamp) -> Vec<Group> {
    let relations = Relations::new(suspects, now);
    let mut components: Vec<Component<'_>> = (relations.components().into_iter())
        .map(|members| Component::new(&relations, members))
        .collect();
    components.sort_by(|one, other| other.weight.total_cmp(&one.weight));
    let mut best = Best::new(&relations);
    let groups = components
        .iter()
        .map(|component| component.group(&mut best));
    groups.collect()
}

/// Targets that belong together.
struct Component<'a> {
    relations: &'a Relations<'a>,
    members: Vec<Member>,
    weight: f64,
}

impl<'a> Component<'a> {
    fn new(relations: &'a Relations<'a>, members: Vec<Member>) -> Self {
        let weights = members
            .iter()
            .map(|member| relations.affected[*member].weight);
        let weight = weights.sum();
        Self {
            relations,
            members,
            weight,
        }
    }

    fn group(&self, best: &mut Best) -> Group {
        let mut tried: Vec<Tried> = (self.worth_trying().into_iter())
            .flat_map(|member| Tried::all_of(self.relations, &self.members, member))
            .collect();
        Tried::go_on(&mut tried, best);
        let candidates = tried.iter().map(|one| self.candidate(one, &tried));
        let mut candidates: Vec<(Candidate, Place)> =
            candidates.zip(tried.iter().map(|one| one.place)).collect();
        candidates.sort_by_key(|(candidate, place)| {
            let symptom = self.relations.moment(*place).map(|one| one.symptom);
            let is_over = symptom.is_some_and(|symptom| !symptom.is_open());
            let seen_at = symptom.map(|symptom| symptom.seen_at);
            let score = Reverse(rounded(candidate.score));
            (score, is_over, seen_at, *place)
        });
        // The best of each target: its other symptoms say the same.
        let mut seen = BTreeSet::new();
        candidates.retain(|(_, place)| seen.insert(place.0));
        candidates.truncate(MOST_NAMED);
        let mut suspects: Vec<usize> = (self.members.iter())
            .map(|member| self.relations.affected[*member].place)
            .collect();
        suspects.sort_unstable();
        Group {
            suspects,
            candidates: candidates.into_iter().map(|(one, _)| one).collect(),
        }
    }

    /// The targets that are tried as causes; sorted.
    fn worth_trying(&self) -> Vec<Member> {
        let mut members = self.members.clone();
        if members.len() > MOST_TRIED {
            let count = |member: &Member| self.relations.affected[*member].moments.len();
            let symptoms: usize = members.iter().map(count).sum();
            let pairs_of_each = (symptoms / members.len()).max(1) * symptoms;
            let most = (MOST_PAIRS / pairs_of_each).clamp(FEWEST_TRIED, MOST_TRIED);
            members.sort_by_cached_key(|member| {
                let one = &self.relations.affected[*member];
                let moments = one.moments.iter();
                let seen_at = moments.map(|(_, moment)| moment.symptom.seen_at).min();
                let hanging = self.relations.hanging_on(*member);
                (Reverse(hanging), one.needs.len(), seen_at, *member)
            });
            members.truncate(most);
            members.sort_unstable();
        }
        members
    }

    fn candidate(&self, one: &Tried, tried: &[Tried]) -> Candidate {
        let share = self.share(one);
        let explained_by = self.explained_by(one, tried);
        let factor = explained_by.map_or(1.0, |by| by.factor);
        let (suspect, symptom) = self.relations.in_picture(one.place);
        let explains = one.explains.iter().map(|(place, link)| {
            let (suspect, symptom) = self.relations.in_picture(*place);
            Effect {
                suspect,
                symptom,
                likely: link.likely,
                relation: link.relation,
                in_time: link.in_time,
            }
        });
        Candidate {
            suspect,
            symptom,
            score: share * (0.5 + 0.5 * one.strength) * factor,
            share,
            strength: one.strength,
            explained_by,
            explains: explains.collect(),
        }
    }

    /// How much of the weight a cause explains, itself included.
    fn share(&self, one: &Tried) -> f64 {
        let explained = one.explains.iter().map(|(effect, link)| {
            let weight = self.relations.affected[effect.0].weight;
            if effect.0 == one.place.0 {
                // Its own target's worst may be another symptom: what it explains of that counts.
                (weight - one.weight).max(0.0) * link.likely
            } else {
                weight * link.likely
            }
        });
        let explained = one.weight + explained.sum::<f64>();
        (explained / self.weight.max(f64::EPSILON)).min(1.0)
    }

    /// What another explains well is no root: its score counts for that one.
    fn explained_by(&self, one: &Tried, tried: &[Tried]) -> Option<Explained> {
        let mut lowest: Option<Explained> = None;
        for other in tried {
            let Some(link) = other.link_to(one.place) else {
                continue;
            };
            let back = one.link_to(other.place).map_or(0.0, |back| back.likely);
            if matches!(link.relation, Relation::Shares | Relation::Line) || link.likely <= back {
                continue;
            }
            let factor = 1.0 - GIVEN * (link.likely - back * 0.5) * other.strength;
            if lowest.is_none_or(|lowest| factor < lowest.factor) {
                let (suspect, symptom) = self.relations.in_picture(other.place);
                lowest = Some(Explained {
                    suspect,
                    symptom,
                    factor,
                });
            }
        }
        lowest
    }
}

/// Scores that differ by less are one: the order in which they were summed up is no reason to be first.
#[expect(clippy::cast_possible_truncation, reason = "from 0 to 1")]
fn rounded(score: f64) -> i64 {
    (score * 1e9).round() as i64
}
