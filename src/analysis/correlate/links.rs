//! How likely it is that one symptom explains another.

use super::class::{Class, Relation};
use super::common::Common;
use super::relations::{Member, Place, Relations, subject};
use super::timing::{Moment, forgotten_together, in_time, together};

/// A cause that explains less than this counts as none.
pub(super) const BELIEVABLE: f64 = 0.3;

/// That one symptom explains another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub(super) likely: f64,
    pub(super) relation: Relation,
    pub(super) in_time: f64,
}

/// How two targets are related, from the side of the one that may be the cause.
#[derive(Debug, Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each may hold beside the others"
)]
pub(super) struct Kin {
    is_same: bool,
    at_home: Option<Relation>,
    /// The machine that both live on is watched, and nothing is wrong with it.
    is_home_well: bool,
    needs: Option<u32>,
    in_group: bool,
    in_zone: bool,
    on_line: bool,
    by_credentials: bool,
    by_client: bool,
    is_watched: bool,
}

impl Relations<'_> {
    /// How two are related.
    pub(super) fn kin(&self, cause: Member, effect: Member) -> Kin {
        let mut kin = Kin {
            is_same: cause == effect,
            ..Kin::default()
        };
        let (Some(one), Some(other)) = (self.affected.get(cause), self.affected.get(effect)) else {
            return kin;
        };
        if kin.is_same {
            return kin;
        }
        let needs = other
            .needs
            .binary_search_by_key(&cause, |(member, _)| *member);
        kin.needs = needs.ok().and_then(|index| Some(other.needs.get(index)?.1));
        let mut sets = other.sets.iter().peekable();
        for set in &one.sets {
            while sets.next_if(|known| *known < set).is_some() {}
            if sets.peek() != Some(&set) {
                continue;
            }
            match self.sets.get(*set).map(|set| set.common) {
                Some(Common::Home { is_well }) => {
                    kin.is_home_well = is_well;
                    let machines = (one.suspect.is_machine, other.suspect.is_machine);
                    kin.at_home = Some(match machines {
                        (true, _) => Relation::OnIt,
                        (false, true) => Relation::UnderIt,
                        (false, false) => Relation::Beside,
                    });
                }
                Some(Common::Group) => kin.in_group = true,
                Some(Common::Zone) => kin.in_zone = true,
                Some(Common::Line) => kin.on_line = one.suspect.home != other.suspect.home,
                Some(Common::Credentials) => kin.by_credentials = true,
                Some(Common::Client) => kin.by_client = true,
                Some(Common::Watcher) => kin.is_watched = one.is_the_watcher(),
                None => {}
            }
        }
        kin
    }

    /// How likely it is that one symptom explains another; `None`: it is not believable.
    pub(super) fn link(&self, cause: Place, effect: Place, kin: &Kin) -> Option<Link> {
        if cause == effect {
            return None;
        }
        let (one, other) = (self.moment(cause)?, self.moment(effect)?);
        if one.is_as_always || other.is_as_always {
            return None;
        }
        if self.is_blindness(cause.0, one) && !self.is_blindness(effect.0, other) {
            return None;
        }
        if self.is_for_another_time(cause, effect) {
            return None;
        }
        let (from, to) = (one.symptom.class, other.symptom.class);
        let mut best: Option<Link> = None;
        let mut try_it = |relation: Relation, fits: &dyn Fn() -> f64| {
            let by_class = self.chances.of(from, to, relation);
            if by_class < BELIEVABLE {
                return;
            }
            let in_time = fits();
            let likely = by_class * in_time;
            if likely >= BELIEVABLE && best.is_none_or(|best| likely >= best.likely) {
                best = Some(Link {
                    likely,
                    relation,
                    in_time,
                });
            }
        };
        let follows = || in_time(one, other);
        // What shows the same at the same time has no order.
        let began_together = || together(one, other);
        if kin.is_same {
            try_it(Relation::Same, &follows);
        }
        if let Some(relation) = kin.at_home {
            try_it(relation, &follows);
        }
        if let Some(steps) = kin.needs {
            try_it(Relation::Needs(steps), &follows);
        }
        // What lives at one place shares it, and shows what becomes of it even where nobody watches the place itself.
        // A machine that is watched and well is no such place; an engine on it may run what is beside it.
        let is_engine = self.affected[cause.0].suspect.kind == "docker_hosts";
        let is_beside = kin.at_home == Some(Relation::Beside) && (!kin.is_home_well || is_engine);
        if kin.in_group || is_beside || (kin.by_credentials && from == to) {
            try_it(Relation::Shares, &began_together);
        }
        if kin.in_zone && from == Class::Name && to == Class::Name {
            try_it(Relation::Shares, &|| forgotten_together(one, other));
        }
        if kin.on_line {
            try_it(Relation::Line, &began_together);
        }
        if kin.by_client {
            if one.symptom.sign == other.symptom.sign {
                try_it(Relation::Alike, &began_together);
            }
            try_it(Relation::Loads, &follows);
        }
        if kin.is_watched {
            try_it(Relation::Watches, &follows);
        }
        let is_named = !kin.is_same
            && subject(one).is_some_and(|name| self.affected[effect.0].suspect.name == name);
        if is_named {
            try_it(Relation::Named, &follows);
        }
        best
    }

    /// What a target may explain by what they have to do with each other, itself among them; sorted.
    pub(super) fn in_reach_of(&self, cause: Member) -> Vec<Member> {
        let Some(one) = self.affected.get(cause) else {
            return Vec::new();
        };
        let sets = one.sets.iter().filter_map(|set| self.sets.get(*set));
        let mut found: Vec<Member> = sets.flat_map(|set| &set.members).copied().collect();
        found.extend(one.needed_by.iter().chain(&one.names));
        found.push(cause);
        found.sort_unstable();
        found.dedup();
        found
    }

    /// How many need it, or are at home on the machine that it is.
    pub(super) fn hanging_on(&self, cause: Member) -> usize {
        let Some(one) = self.affected.get(cause) else {
            return 0;
        };
        let sets = one.sets.iter().filter_map(|set| self.sets.get(*set));
        let mut homes =
            sets.filter(|set| one.suspect.is_machine && matches!(set.common, Common::Home { .. }));
        let living = homes.next().map_or(0, |set| set.members.len() - 1);
        one.needed_by.len().max(living)
    }

    /// The places of a target and its symptom in the picture.
    pub(super) fn in_picture(&self, place: Place) -> (usize, usize) {
        let one = &self.affected[place.0];
        let symptom = one.moments.get(place.1).map_or(0, |(index, _)| *index);
        (one.place, symptom)
    }

    pub(super) fn moment(&self, place: Place) -> Option<&Moment<'_>> {
        Some(&self.affected.get(place.0)?.moments.get(place.1)?.1)
    }

    /// Whether the cause is over and came back, and the effect began only after that: what is open now is its candidate. Nor is
    /// what came back an effect of what it was before.
    fn is_for_another_time(&self, cause: Place, effect: Place) -> bool {
        let (Some(one), Some(other)) = (self.moment(cause), self.moment(effect)) else {
            return false;
        };
        let Some(over_at) = one.symptom.over_at else {
            return false;
        };
        if other
            .symptom
            .well_at
            .is_none_or(|well_at| well_at < over_at)
        {
            return false;
        }
        if cause.0 == effect.0 && one.symptom.sign == other.symptom.sign {
            return true;
        }
        let mut moments = self.affected[cause.0].moments.iter();
        moments.any(|(_, again)| {
            again.symptom.sign == one.symptom.sign
                && again.symptom.seen_at >= over_at
                && again.earliest < other.symptom.seen_at
        })
    }

    /// Whether it says no more than that we could not look: that our login at a cloud is refused, that we ask too often, or that
    /// we cannot look at all, breaks nothing there. With a model's key it is otherwise: what we look with is what the product lives
    /// on. And where our own network is down, that is why.
    fn is_blindness(&self, member: Member, moment: &Moment<'_>) -> bool {
        let symptom = moment.symptom;
        symptom.is_ours()
            && !symptom.is_our_network()
            && !self.affected[member].suspect.kind.starts_with("llm_")
    }
}
