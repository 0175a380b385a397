//! A symptom that is tried as the cause of a component, and all that it explains.

use super::class::Relation;
use super::links::{BELIEVABLE, Link};
use super::relations::{Member, Place, Relations};

/// A cause that is tried.
pub(super) struct Tried {
    pub(super) place: Place,
    /// From 0 to 1.
    pub(super) strength: f64,
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
            let strength = relations.moment(place).map_or(0.0, |one| one.strength);
            Self {
                place,
                strength: strength.min(1.0),
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
    pub(super) fn go_on(relations: &Relations<'_>, tried: &mut [Self]) {
        let through: Vec<Vec<(Place, Link)>> = (tried.iter())
            .map(|one| one.through(relations, tried))
            .collect();
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

    /// What it explains by way of another.
    fn through(&self, relations: &Relations<'_>, tried: &[Self]) -> Vec<(Place, Link)> {
        let mut found: Vec<(Place, Link)> = Vec::new();
        for (place, first) in self.links.iter().filter(|(_, link)| has_direction(link)) {
            let Ok(index) = tried.binary_search_by_key(place, |other| other.place) else {
                continue;
            };
            let onward = tried[index].explains.iter();
            let onward = onward.filter(|(far, second)| {
                has_direction(second)
                    && far.0 != self.place.0
                    && first.likely * second.likely >= BELIEVABLE
            });
            found.extend(onward.map(|(far, second)| {
                let link = Link {
                    likely: first.likely * second.likely,
                    relation: Relation::Through,
                    in_time: first.in_time * second.in_time,
                };
                (*far, link)
            }));
        }
        found.sort_by_key(|(place, _)| *place);
        best_of_each(relations, &found)
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
        link.likely * relations.moment(*place).map_or(0.0, |one| one.strength)
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
