//! What becomes of what a problem explained, and what may explain it.

use chrono::TimeDelta;

use super::Wanted;
use super::engine::{Engine, Place};
use super::facts::Facts;
use super::joining::{ONE_STORY, open_member, place_under};
use crate::model::{EventKind, IncidentId, Soon, Sort, Status, Timestamp};

/// A look at what may explain a problem is wished for, unless there was one within this.
const LOOKED_LATELY: TimeDelta = TimeDelta::seconds(5);

impl Engine {
    /// A problem is over, or became better: what it does not explain any more is looked at again, and speaks for
    /// itself if it is still there.
    pub(super) fn release_children(&mut self, parent: &str, status: Status, now: Timestamp) {
        for child in self.family.descendants(parent) {
            for sort in [Sort::Problem, Sort::Unmeasured] {
                let place = (child.clone(), sort);
                let Some(&id) = self.places.get(&place) else {
                    continue;
                };
                let patience = self.policy.confirm_after * 2 + TimeDelta::seconds(10);
                let other = self.explained_by(&child, status.max(Status::Yellow));
                let Some(member) = self.member_mut(id, &place) else {
                    continue;
                };
                if member.under.as_deref() != Some(parent) || member.status <= status {
                    continue;
                }
                if let Some((other, where_)) = other
                    && where_ == id
                    && other != parent
                {
                    place_under(member, other);
                    continue;
                }
                member.under = None;
                let until = now + patience;
                member.released_until = Some(until);
                self.due(until);
                self.wish(&child, now);
            }
        }
    }

    /// What becomes worse than what explains it is not explained by that.
    pub(super) fn speak_up(&mut self, id: IncidentId, place: &Place, status: Status) {
        let parent = (self.live.get(&id)).and_then(|incident| {
            let member = open_member(incident, &place.0, place.1)?;
            let parent = open_member(incident, member.under.as_ref()?, Sort::Problem)?;
            Some(parent.status)
        });
        if parent.is_none_or(|parent| parent >= status) {
            return;
        }
        let other = self.explained_by(&place.0, status);
        let Some(member) = self.member_mut(id, place) else {
            return;
        };
        member.under = None;
        if let Some((other, where_)) = other
            && where_ == id
        {
            place_under(member, other);
        }
    }

    /// What became as bad lately as it is by now is explained by it, although it was not when it spoke.
    pub(super) fn explain_again(
        &mut self,
        parent: &str,
        id: IncidentId,
        status: Status,
        now: Timestamp,
    ) {
        for child in self.family.descendants(parent) {
            let place = (child, Sort::Problem);
            if self.places.get(&place) != Some(&id) {
                continue;
            }
            let explained = (self.live.get(&id))
                .and_then(|incident| open_member(incident, &place.0, place.1))
                .is_some_and(|member| {
                    let lately = now - member.status_since() <= ONE_STORY;
                    member.under.is_none() && member.status <= status && lately
                });
            if explained && let Some(member) = self.member_mut(id, &place) {
                place_under(member, parent.to_owned());
                member.released_until = None;
            }
        }
    }

    /// A look at a released member said that it is still bad.
    pub(super) fn speak_of_released(&mut self, id: IncidentId, place: &Place, now: Timestamp) {
        let waits = (self.live.get(&id))
            .and_then(|incident| open_member(incident, &place.0, place.1))
            .is_some_and(|member| member.released_until.is_some());
        if !waits {
            return;
        }
        let Some(member) = self.member_mut(id, place) else {
            return;
        };
        member.released_until = None;
        let status = member.status;
        self.change_with(id, place, EventKind::Remained, status, None, Soon::Now, now);
    }

    /// What a new problem may come from is looked at, so that it is known when the problem is confirmed.
    pub(super) fn ask_parents(&mut self, facts: &Facts, now: Timestamp) {
        for parent in self.family.ancestors(&facts.target) {
            if !self.places.contains_key(&(parent.clone(), Sort::Problem)) {
                self.wish(&parent, now);
            }
        }
    }

    fn wish(&mut self, target: &str, now: Timestamp) {
        let costs = self
            .family
            .get(target)
            .is_none_or(|facts| facts.costs_money);
        let at = now + TimeDelta::milliseconds(500);
        let asked = |look: &Wanted| look.target == target && (at - look.at).abs() < LOOKED_LATELY;
        if !costs && !self.looks.iter().any(asked) {
            let target = target.to_owned();
            self.looks.push(Wanted { target, at });
        }
    }

    /// A target that might have explained problems is well: they need not wait for it.
    pub(super) fn stop_waiting_for(&mut self, target: &str, now: Timestamp) {
        for child in self.family.descendants(target) {
            let Some(&id) = self.places.get(&(child, Sort::Problem)) else {
                continue;
            };
            if self
                .live
                .get(&id)
                .is_some_and(|incident| incident.told_at.is_none())
            {
                self.hurry(id, Soon::Now, now);
            }
        }
    }
}
