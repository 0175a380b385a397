//! A symptom that is tried as the cause of a component, and all that it explains.

use super::class::Relation;
use super::links::{BELIEVABLE, Link};
use super::relations::{Member, Place, Relations};

/// What is explained best of each target by way of others. There is one for all that are tried, since each would fill as much
/// memory as there are targets in trouble.
pub(super) struct Best {
    of_each: Vec<Option<(Place, Link)>>,
    touched: Vec<Member>,
}

impl Best {
    pub(super) fn new(relations: &Relations<'_>) -> Self {
        Self {
            of_each: vec![None; relations.affected.len()],
            touched: Vec::new(),
        }
    }

    fn offer(&mut self, far: Place, likely: f64, in_time: f64) {
        let known = &mut self.of_each[far.0];
        match known {
            Some((_, known)) if known.likely >= likely => return,
            Some(_) => {}
            None => self.touched.push(far.0),
        }
        let relation = Relation::Through;
        *known = Some((
            far,
            Link {
                likely,
                relation,
                in_time,
            },
        ));
    }

    /// What was offered; sorted.
    fn take(&mut self) -> Vec<(Place, Link)> {
        self.touched.sort_unstable();
        let touched = self.touched.drain(..);
        let taken = touched.filter_map(|member| self.of_each[member].take());
        taken.collect()
    }
}

/// A cause that is tried.
pub(super) struct Tried {
    pub(super) place: Place,
    /// From 0 to 1: how far out of the ordinary it is itself.
    pub(super) strength: f64,
    /// How much it counts itself.
    pub(super) weight: f64,
    /// All that it explains itself, by the places of the effects; sorted.
    links: Vec<(Place, Link)>,
    /// Of each target what it explains best; sorted.
    pub(super) explains: Vec<(Place, Link)>,
}

impl Tried {
    /// Each symptom of a target, tried as the cause of what is in its reach among the members of a component.
    pub(super) fn all_of(
        relations: &Relations<'_>,
        members: &[Member],
        member: Member,
    ) -> Vec<Self> {
        let count = |member: Member| relations.affected[member].moments.len();
        let reach = relations.in_reach_of(member).into_iter();
        let reach = reach.filter(|effect| members.binary_search(effect).is_ok());
        let reach: Vec<(Member, _)> = reach
            .map(|effect| (effect, relations.kin(member, effect)))
            .collect();
        let tried = (0..count(member)).map(|symptom| {
            let place = (member, symptom);
            let mut links: Vec<(Place, Link)> = Vec::new();
            for (effect, kin) in &reach {
                let effects = (0..count(*effect)).map(|index| (*effect, index));
                let found =
                    effects.filter_map(|other| Some((other, relations.link(place, other, kin)?)));
                links.extend(found);
            }
            let moment = relations.moment(place);
            Self {
                place,
                strength: moment.map_or(0.0, |one| one.strength),
                weight: moment.map_or(0.0, |one| one.weight),
                explains: best_of_each(relations, &links),
                links,
            }
        });
        tried.collect()
    }

    /// Adds what they explain by way of what they explain: the release that wears out a database slows everybody whom the
    /// database serves. One step more: what is farther away is hardly ever believable.
    ///
    /// The tried are sorted by their places.
    pub(super) fn go_on(tried: &mut [Self], best: &mut Best) {
        let through: Vec<Vec<(Place, Link)>> =
            (tried.iter()).map(|one| one.through(tried, best)).collect();
        for (one, through) in tried.iter_mut().zip(through) {
            one.explains.extend(through);
            // Both are sorted by target, and there is at most one of each.
            one.explains.sort_by(|(one, first), (other, second)| {
                one.0
                    .cmp(&other.0)
                    .then(second.likely.total_cmp(&first.likely))
            });
            one.explains.dedup_by_key(|(place, _)| place.0);
        }
    }

    /// What it explains by way of another, at best.
    fn through(&self, tried: &[Self], best: &mut Best) -> Vec<(Place, Link)> {
        for (place, first) in self.links.iter().filter(|(_, link)| has_direction(link)) {
            let Ok(index) = tried.binary_search_by_key(place, |other| other.place) else {
                continue;
            };
            for (far, second) in &tried[index].explains {
                let likely = first.likely * second.likely;
                if likely >= BELIEVABLE && has_direction(second) {
                    let in_time = first.in_time * second.in_time;
                    best.offer(*far, likely, in_time);
                }
            }
        }
        let mut found = best.take();
        found.retain(|(far, _)| far.0 != self.place.0);
        found
    }

    /// How it explains that symptom itself.
    pub(super) fn link_to(&self, effect: Place) -> Option<&Link> {
        let found = self
            .links
            .binary_search_by_key(&effect, |(place, _)| *place);
        Some(&self.links.get(found.ok()?)?.1)
    }
}

/// What shows the same at the same time explains nothing onward.
fn has_direction(link: &Link) -> bool {
    !matches!(
        link.relation,
        Relation::Shares | Relation::Line | Relation::Alike
    )
}

/// Of each target the symptom that is explained best, by how much it counts.
fn best_of_each(relations: &Relations<'_>, links: &[(Place, Link)]) -> Vec<(Place, Link)> {
    let counts = |(place, link): &(Place, Link)| {
        link.likely * relations.moment(*place).map_or(0.0, |one| one.weight)
    };
    let of_each = links.chunk_by(|(one, _), (other, _)| one.0 == other.0);
    let best = of_each.filter_map(|links| {
        let (first, rest) = links.split_first()?;
        let mut best = first;
        for one in rest {
            if counts(one) >= counts(best) {
                best = one;
            }
        }
        Some(*best)
    });
    best.collect()
}
