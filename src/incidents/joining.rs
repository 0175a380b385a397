//! Which incident a problem belongs to: what explains it, what it explains, and what it shares with others.

use chrono::TimeDelta;

use super::engine::{Engine, Place};
use super::facts::{Facts, Family};
use crate::model::{
    Event, EventKind, Incident, IncidentId, Member, Severity, Soon, Sort, Status, Timestamp,
};

/// A problem that follows another of its group by more than this is another incident.
pub(super) const ONE_STORY: TimeDelta = TimeDelta::minutes(10);

/// An incident with so many members takes no more of its group: nobody reads more, and each change writes it whole.
const MOST_MEMBERS: usize = 250;

impl Engine {
    /// Puts a new problem where it belongs.
    pub(super) fn join(&mut self, facts: &Facts, mut member: Member, now: Timestamp) -> IncidentId {
        let place: Place = (member.target.clone(), member.sort);
        let status = member.status;
        let parent = self.explained_by(&facts.target, status);
        let explained = self.explains(&facts.target, status, member.sort, now);
        let id = match (&parent, explained.iter().min()) {
            (Some((_, id)), _) | (None, Some(id)) => *id,
            (None, None) => self
                .shares_with(&member, now)
                .unwrap_or_else(|| self.begin(now)),
        };
        if let Some((parent, _)) = parent {
            place_under(&mut member, parent);
        }
        let alone = member.under.is_none();
        let severity = Severity::of(status, member.critical).unwrap_or(Severity::Warning);
        let event = Event {
            at: now,
            kind: EventKind::Opened,
            name: member.name.clone(),
            status: Some(status),
            text: None,
            rings: alone,
        };
        let groups = groups_of(&self.family, &member);
        if let Some(incident) = self.live.get_mut(&id) {
            let again = |known: &mut Member| {
                known.target == place.0 && known.sort == place.1 && !known.is_open()
            };
            // One that comes again takes the place of what it was, and says what is still to be said of that.
            for before in incident.members.extract_if(.., again) {
                if !before.unsaid.is_empty() {
                    member.unsaid.extend(before.unsaid);
                    member.silenced_by = before.silenced_by;
                }
            }
            let worse = status > incident.status() && incident.status() != Status::Green;
            incident.members.push(member);
            incident.severity = incident.severity.max(severity);
            if alone && worse {
                self.void_acknowledgement(id, now);
            }
        }
        for group in groups {
            self.by_group.insert(group, id);
        }
        self.places.insert(place.clone(), id);
        let soon = self.how_soon(facts, &place, alone, id);
        self.tell(id, Some(&place), event, soon, now);
        if place.1 == Sort::Problem {
            self.gather_below(&facts.target, id, now);
        }
        id
    }

    fn begin(&mut self, now: Timestamp) -> IncidentId {
        let id = self.take_id();
        let incident = Incident {
            id,
            opened_at: now,
            resolved_at: None,
            merged_into: None,
            severity: Severity::Warning,
            members: Vec::new(),
            acknowledged: None,
            title: None,
            told_at: None,
            notice: None,
            remind_at: None,
            reminders: 0,
            escalates_from: None,
            escalated: Vec::new(),
            events: Vec::new(),
            analysis: None,
        };
        self.live.insert(id, incident);
        id
    }

    fn how_soon(&self, facts: &Facts, place: &Place, alone: bool, id: IncidentId) -> Soon {
        let told = (self.live.get(&id)).is_some_and(|incident| incident.told_at.is_some());
        let suspected = || {
            let ancestors = self.family.ancestors(&facts.target);
            let bad = |one: &String| {
                let marks = self.marks.get(one);
                marks.is_some_and(super::Marks::is_bad)
                    && !self.places.contains_key(&(one.clone(), Sort::Problem))
            };
            ancestors.iter().any(bad)
        };
        match place.1 {
            _ if told || !alone => Soon::WithOthers,
            _ if facts.instant => Soon::AtOnce,
            Sort::Problem if suspected() => Soon::WhenExplained,
            Sort::Problem => Soon::Now,
            Sort::Unmeasured => Soon::Gathered,
        }
    }

    /// The nearest of those that it depends on whose problem is as bad, and where that is told.
    pub(super) fn explained_by(
        &self,
        target: &str,
        status: Status,
    ) -> Option<(String, IncidentId)> {
        let ancestors = self.family.ancestors(target).into_iter();
        ancestors.into_iter().find_map(|parent| {
            let id = *self.places.get(&(parent.clone(), Sort::Problem))?;
            let incident = self.live.get(&id)?;
            let member = open_member(incident, &parent, Sort::Problem)?;
            (member.status >= status).then_some((parent, id))
        })
    }

    /// The incidents in which something depends on the target that became bad lately.
    fn explains(
        &self,
        target: &str,
        status: Status,
        sort: Sort,
        now: Timestamp,
    ) -> Vec<IncidentId> {
        if sort == Sort::Unmeasured {
            return Vec::new();
        }
        let mut ids: Vec<IncidentId> = (self.family.descendants(target).iter())
            .filter_map(|child| self.recent_below(child, status, now))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Where a child's problem is told, if a parent that is that bad would explain it.
    fn recent_below(&self, child: &str, status: Status, now: Timestamp) -> Option<IncidentId> {
        [Sort::Problem, Sort::Unmeasured]
            .into_iter()
            .find_map(|sort| {
                let id = *self.places.get(&(child.to_owned(), sort))?;
                let incident = self.live.get(&id)?;
                let member = open_member(incident, child, sort)?;
                let explained = member.status <= status && now - member.since <= ONE_STORY;
                explained.then_some(id)
            })
    }

    /// The incident that a problem of its group or cause began lately.
    fn shares_with(&self, member: &Member, now: Timestamp) -> Option<IncidentId> {
        let groups = groups_of(&self.family, member).into_iter();
        groups.into_iter().find_map(|group| {
            let id = *self.by_group.get(&group)?;
            let incident = self.live.get(&id)?;
            let newest = incident.members.iter().map(|known| known.since).max()?;
            // What cannot be measured for one reason is one matter, however long it takes to be noticed.
            let lately = member.sort == Sort::Unmeasured || now - newest <= ONE_STORY;
            let room = incident.members.len() < MOST_MEMBERS;
            (incident.is_open() && lately && room).then_some(id)
        })
    }

    /// Lists what depends on the target below it, also what other incidents told of.
    fn gather_below(&mut self, target: &str, id: IncidentId, now: Timestamp) {
        let Some(status) = (self.live.get(&id))
            .and_then(|incident| open_member(incident, target, Sort::Problem))
            .map(|member| member.status)
        else {
            return;
        };
        for child in self.family.descendants(target) {
            let Some(from) = self.recent_below(&child, status, now) else {
                continue;
            };
            for sort in [Sort::Problem, Sort::Unmeasured] {
                let place = (child.clone(), sort);
                if self.places.get(&place) != Some(&from) {
                    continue;
                }
                let Some(member) = self.member_mut(from, &place) else {
                    continue;
                };
                if member.under.is_none() || from != id {
                    place_under(member, target.to_owned());
                    member.released_until = None;
                }
                if from != id {
                    self.move_member(from, id, &place);
                    self.end_where_merged(from, id, now);
                }
            }
        }
        self.touch(id);
    }

    fn move_member(&mut self, from: IncidentId, to: IncidentId, place: &Place) {
        let is_it = |member: &Member| {
            member.target == place.0 && member.sort == place.1 && member.is_open()
        };
        let Some(source) = self.live.get_mut(&from) else {
            return;
        };
        let Some(index) = source.members.iter().position(is_it) else {
            return;
        };
        let member = source.members[index].clone();
        // The last one stays, so that the incident that it leaves can still be told of. What was not said goes along.
        if source.members.len() > 1 {
            source.members.remove(index);
        } else {
            source.members[index].unsaid.clear();
        }
        if let Some(target) = self.live.get_mut(&to) {
            target.members.push(member);
        }
        self.places.insert(place.clone(), to);
        self.touch(from);
        self.touch(to);
        // What it explains goes with it.
        let below: Vec<Place> = (self.live.get(&from).into_iter())
            .flat_map(|source| &source.members)
            .filter(|member| member.is_open() && member.under.as_ref() == Some(&place.0))
            .map(|member| (member.target.clone(), member.sort))
            .collect();
        for place in below {
            self.move_member(from, to, &place);
        }
    }

    fn end_where_merged(&mut self, from: IncidentId, into: IncidentId, now: Timestamp) {
        let Some(source) = self.live.get_mut(&from) else {
            return;
        };
        let still_here = |member: &Member| {
            member.is_open()
                && self.places.get(&(member.target.clone(), member.sort)) == Some(&from)
        };
        if source.members.iter().any(still_here) {
            return;
        }
        source.merged_into = Some(into);
        source.resolved_at = Some(now);
        source.remind_at = None;
        if source.told_at.is_none() {
            // Nobody has heard of it, and nobody needs to; but of what came and went in it.
            let over = std::mem::take(&mut source.members);
            let untold = source
                .notice
                .take()
                .map_or_else(Vec::new, |notice| notice.events);
            self.take_over(into, over, untold, now);
            return;
        }
        let event = Event {
            at: now,
            kind: EventKind::Merged,
            name: String::new(),
            status: None,
            text: Some(format!("part of #{into}")),
            rings: false,
        };
        self.tell(from, None, event, Soon::Now, now);
    }
}

impl Engine {
    /// Problems that are over, of an incident of which nobody has heard, become part of another.
    fn take_over(
        &mut self,
        into: IncidentId,
        over: Vec<Member>,
        untold: Vec<Event>,
        now: Timestamp,
    ) {
        let Some(incident) = self.live.get_mut(&into) else {
            return;
        };
        let names: Vec<String> = over.iter().map(|member| member.name.clone()).collect();
        for member in over {
            if incident.member(&member.target, member.sort).is_none() {
                incident.members.push(member);
            }
        }
        for event in untold {
            if names.contains(&event.name) {
                self.tell(into, None, event, Soon::Now, now);
            }
        }
    }
}

/// From now on that explains it.
pub(super) fn place_under(member: &mut Member, parent: String) {
    member.explained_by = Some(parent.clone());
    member.under = Some(parent);
}

pub(super) fn open_member<'a>(
    incident: &'a Incident,
    target: &str,
    sort: Sort,
) -> Option<&'a Member> {
    (incident.members.iter())
        .find(|member| member.target == target && member.sort == sort && member.is_open())
}

/// What makes a problem one with others.
pub(super) fn groups_of(family: &Family, member: &Member) -> Vec<String> {
    match member.sort {
        Sort::Problem => {
            let facts = family.get(&member.target);
            facts.map_or_else(Vec::new, |facts| facts.groups.clone())
        }
        Sort::Unmeasured => {
            let cause = member.condition.cause.as_deref();
            let cause = cause.unwrap_or(&member.condition.summary);
            vec![format!("cause {cause}")]
        }
    }
}
