//! The state machine: what a look changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta};

use super::facts::{Facts, Family};
use super::marks::{MOST_AGREEING, Marks};
use super::speak::Soon;
use super::{Announcement, Policy, Quiet, Record, Step, Wanted};
use crate::model::{
    Condition, Event, EventKind, Incident, IncidentId, Member, Severity, Sort, Status, Timestamp,
};

/// A member of a live incident.
pub(super) type Place = (String, Sort);

/// All that is known of incidents that are not over, or not told to their end.
pub struct Engine {
    pub(super) policy: Policy,
    pub(super) family: Family,
    pub(super) quiets: Vec<Box<dyn Quiet>>,
    pub(super) marks: HashMap<String, Marks>,
    /// Those that are not over, and those of which something is still to be told.
    pub(super) live: BTreeMap<IncidentId, Incident>,
    /// Where the open problem of a target is.
    pub(super) places: HashMap<Place, IncidentId>,
    /// The newest incident of each group and each cause.
    pub(super) by_group: HashMap<String, IncidentId>,
    pub(super) next_id: IncidentId,
    /// The latest time that was given.
    pub(super) now: Timestamp,
    pub(super) next_due: Option<Timestamp>,
    /// Whether what is due is being done: what is due at once is done with it.
    pub(super) ticking: bool,
    dirty: BTreeSet<IncidentId>,
    dirty_marks: BTreeSet<String>,
    dirty_id: bool,
    pub(super) announcements: Vec<Announcement>,
    pub(super) looks: Vec<Wanted>,
}

impl Engine {
    /// Begins with nothing known.
    #[must_use]
    pub fn new(policy: Policy, family: Family, quiets: Vec<Box<dyn Quiet>>) -> Self {
        Self {
            policy,
            family,
            quiets,
            marks: HashMap::new(),
            live: BTreeMap::new(),
            places: HashMap::new(),
            by_group: HashMap::new(),
            next_id: 1,
            now: DateTime::UNIX_EPOCH,
            next_due: None,
            ticking: false,
            dirty: BTreeSet::new(),
            dirty_marks: BTreeSet::new(),
            dirty_id: false,
            announcements: Vec::new(),
            looks: Vec::new(),
        }
    }

    /// Takes over what was kept. What the engine knows already is newer, and stays.
    pub fn restore(
        &mut self,
        incidents: impl IntoIterator<Item = Incident>,
        marks: impl IntoIterator<Item = (String, Marks)>,
        next_id: IncidentId,
    ) {
        let mut shifted = Vec::new();
        if self.live.is_empty() {
            self.next_id = self.next_id.max(next_id);
        } else {
            // Opened before the store was: their numbers may be taken.
            shifted = std::mem::take(&mut self.live).into_values().collect();
        }
        let mut highest = self.next_id.max(next_id);
        for incident in incidents {
            highest = highest.max(incident.id + 1);
            if is_live(&incident) {
                self.live.insert(incident.id, incident);
            }
        }
        self.next_id = highest;
        for mut incident in shifted {
            let known = |member: &Member| {
                let open = |other: &Incident| {
                    (other.member(&member.target, member.sort)).is_some_and(Member::is_open)
                };
                self.live.values().any(open)
            };
            incident.members.retain(|member| !known(member));
            if incident.members.is_empty() {
                continue;
            }
            incident.id = self.take_id();
            self.touch(incident.id);
            self.live.insert(incident.id, incident);
        }
        for (target, kept) in marks {
            self.marks.entry(target).or_insert(kept);
        }
        self.index();
        // Whatever is due is told at the next tick.
        self.next_due = Some(DateTime::UNIX_EPOCH);
    }

    /// What must be kept by a store that has nothing yet.
    #[must_use]
    pub fn everything(&self) -> Vec<Record> {
        let incidents = self.live.values().cloned().map(Arc::new);
        let marks = self.marks.iter().map(|(target, marks)| Record::Marks {
            target: target.clone(),
            marks: Some(marks.clone()),
        });
        (incidents.map(Record::Incident))
            .chain(marks)
            .chain([Record::NextId(self.next_id)])
            .collect()
    }

    /// The incidents that are not over, oldest first.
    pub fn open(&self) -> impl Iterator<Item = &Incident> {
        self.live.values().filter(|incident| incident.is_open())
    }

    /// The open incident of a target's problem, and its part of it.
    #[must_use]
    pub fn incident_of(&self, target: &str) -> Option<(&Incident, &Member)> {
        [Sort::Problem, Sort::Unmeasured]
            .into_iter()
            .find_map(|sort| {
                let id = self.places.get(&(target.to_owned(), sort))?;
                let incident = self.live.get(id)?;
                Some((incident, incident.member(target, sort)?))
            })
    }

    /// Whether a silence or a window covers a target.
    #[must_use]
    pub fn is_silenced(&self, target: &str, now: Timestamp) -> bool {
        (self.family.get(target)).is_some_and(|facts| self.quiet(facts, now).is_some())
    }

    /// When something is due that no look causes.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.next_due
    }

    /// The configuration was loaded anew: other rules from now on. Targets that are gone are to be taken out by
    /// [`Self::leave`].
    pub fn replan(&mut self, policy: Policy, family: Family, quiets: Vec<Box<dyn Quiet>>) {
        self.policy = policy;
        self.family = family;
        self.quiets = quiets;
        self.next_due = Some(DateTime::UNIX_EPOCH);
    }

    /// Other silences and windows from now on.
    pub fn set_quiets(&mut self, quiets: Vec<Box<dyn Quiet>>) {
        self.quiets = quiets;
        self.next_due = Some(DateTime::UNIX_EPOCH);
    }

    /// A target that was found while running.
    pub fn meet(&mut self, facts: Facts) {
        self.family.add(facts);
    }

    /// A look was made.
    pub fn see(&mut self, target: &str, condition: Condition, now: Timestamp) {
        self.advance(now);
        let Some(facts) = self.family.get(target).cloned() else {
            return;
        };
        let (status, at) = (condition.status, condition.at);
        let known = self.marks.get(target);
        let was_bad = known.is_some_and(Marks::is_bad);
        let mut marks = known.cloned().unwrap_or_default();
        let agreeing = self.agreeing(&facts);
        marks.see(status, at.timestamp_millis(), agreeing);
        self.keep_marks(target, known != Some(&marks), &marks);
        if status == Status::Unknown {
            self.see_unmeasured(&facts, condition, &marks, now);
        } else {
            self.settle_unmeasured(&facts, &condition, now);
            self.see_measured(&facts, condition, &marks, now);
        }
        let is_bad = marks.is_bad();
        if is_bad && !was_bad {
            self.ask_parents(&facts, now);
        } else if !is_bad && was_bad {
            self.stop_waiting_for(target, now);
        }
    }

    fn agreeing(&self, facts: &Facts) -> usize {
        if facts.instant {
            return 1;
        }
        let asked = usize::try_from(self.policy.agreeing_looks).unwrap_or(MOST_AGREEING);
        asked.clamp(1, MOST_AGREEING)
    }

    fn keep_marks(&mut self, target: &str, changed: bool, marks: &Marks) {
        if marks.is_at_rest() {
            if self.marks.remove(target).is_some() {
                self.dirty_marks.insert(target.to_owned());
            }
        } else if changed {
            self.marks.insert(target.to_owned(), marks.clone());
            self.dirty_marks.insert(target.to_owned());
        }
    }

    fn see_measured(&mut self, facts: &Facts, condition: Condition, marks: &Marks, now: Timestamp) {
        let place = (facts.target.clone(), Sort::Problem);
        let status = condition.status;
        let agreed = marks.agreed(self.agreeing(facts));
        let Some(&id) = self.places.get(&place) else {
            let flapping = marks.is_flapping(false);
            if agreed == Status::Green && !flapping {
                return;
            }
            let since = since(marks, condition.at);
            let opened = self.open_member(facts, Sort::Problem, agreed, since, condition, now);
            if flapping {
                self.start_flapping(opened, &place, marks, now);
            }
            return;
        };
        let Some(member) = self.member_unkept(id, &place) else {
            return;
        };
        let (before, was_flapping) = (member.status, member.flapping);
        member.condition = condition;
        if was_flapping {
            if marks.is_flapping(true) {
                member.status = before.max(status);
                member.worst = member.worst.max(status);
                if status > before {
                    self.touch(id);
                }
                return;
            }
            member.flapping = false;
            self.change(id, &place, EventKind::FlappingEnded, status, Soon::Now, now);
            if status == Status::Green {
                self.resolve(id, &place, now);
            }
        } else if marks.is_flapping(false) {
            self.start_flapping(id, &place, marks, now);
        } else if status == Status::Green {
            self.resolve(id, &place, now);
        } else if agreed > before {
            self.change(id, &place, EventKind::Worsened, agreed, Soon::Now, now);
            self.void_acknowledgement(id, now);
        } else if status < before {
            self.change(id, &place, EventKind::Improved, status, Soon::Now, now);
            self.release_children(&facts.target, status, now);
        } else {
            self.speak_of_released(id, &place, now);
        }
    }

    fn start_flapping(&mut self, id: IncidentId, place: &Place, marks: &Marks, now: Timestamp) {
        let Some(member) = self.member_mut(id, place) else {
            return;
        };
        member.flapping = true;
        let seen = member.condition.status.max(Status::Yellow);
        let status = member.status.max(seen);
        let text = format!("{} changes within the last 20 looks", marks.changes());
        let event = EventKind::FlappingStarted;
        self.change_with(id, place, event, status, Some(text), Soon::Now, now);
    }

    fn see_unmeasured(
        &mut self,
        facts: &Facts,
        condition: Condition,
        marks: &Marks,
        now: Timestamp,
    ) {
        let place = (facts.target.clone(), Sort::Unmeasured);
        if let Some(&id) = self.places.get(&place) {
            if let Some(member) = self.member_unkept(id, &place) {
                member.condition = condition;
            }
            return;
        }
        if marks.unmeasured() >= self.agreeing(facts) {
            let since = since(marks, condition.at);
            self.open_member(
                facts,
                Sort::Unmeasured,
                Status::Unknown,
                since,
                condition,
                now,
            );
        }
    }

    /// It was measured, whatever came of it.
    fn settle_unmeasured(&mut self, facts: &Facts, condition: &Condition, now: Timestamp) {
        let place = (facts.target.clone(), Sort::Unmeasured);
        if let Some(&id) = self.places.get(&place) {
            if let Some(member) = self.member_mut(id, &place) {
                member.condition = condition.clone();
            }
            self.resolve(id, &place, now);
        }
    }

    fn open_member(
        &mut self,
        facts: &Facts,
        sort: Sort,
        status: Status,
        since: Timestamp,
        condition: Condition,
        now: Timestamp,
    ) -> IncidentId {
        let status = status.max(match sort {
            Sort::Problem => Status::Yellow,
            Sort::Unmeasured => Status::Unknown,
        });
        let member = Member {
            target: facts.target.clone(),
            name: facts.name.clone(),
            sort,
            status,
            worst: status,
            since,
            resolved_at: None,
            under: None,
            released_until: None,
            flapping: false,
            unsaid: Vec::new(),
            silenced_by: None,
            critical: facts.critical,
            kind: facts.kind.clone(),
            labels: facts.labels.clone(),
            runbook: facts.runbook.clone(),
            condition,
        };
        self.join(facts, member, now)
    }

    /// A member's status changed.
    fn change(
        &mut self,
        id: IncidentId,
        place: &Place,
        kind: EventKind,
        status: Status,
        soon: Soon,
        now: Timestamp,
    ) {
        self.change_with(id, place, kind, status, None, soon, now);
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "what happened, to whom, and when"
    )]
    pub(super) fn change_with(
        &mut self,
        id: IncidentId,
        place: &Place,
        kind: EventKind,
        status: Status,
        text: Option<String>,
        soon: Soon,
        now: Timestamp,
    ) {
        let Some(member) = self.member_mut(id, place) else {
            return;
        };
        let in_its_own_name = member.under.is_none() && member.released_until.is_none();
        if kind != EventKind::Resolved {
            member.status = status;
            member.worst = member.worst.max(status);
        }
        let severity = Severity::of(member.worst, member.critical);
        let event = Event {
            at: now,
            kind,
            name: member.name.clone(),
            status: Some(status),
            text,
            rings: in_its_own_name,
        };
        if let Some(incident) = self.live.get_mut(&id) {
            let severity = severity.unwrap_or(Severity::Warning);
            if severity > incident.severity {
                incident.severity = severity;
                // Whoever is told of it has as long as with any other that is so bad.
                incident.escalates_from = incident.escalates_from.map(|_| now);
            }
        }
        self.tell(id, Some(place), event, soon, now);
    }

    /// A member's problem is over.
    pub(super) fn resolve(&mut self, id: IncidentId, place: &Place, now: Timestamp) {
        let Some(member) = self.member_mut(id, place) else {
            return;
        };
        member.resolved_at = Some(now);
        member.status = Status::Green;
        let spoke = member.under.is_none() && member.released_until.is_none();
        member.released_until = None;
        let event = Event {
            at: now,
            kind: EventKind::Resolved,
            name: member.name.clone(),
            status: Some(Status::Green),
            text: None,
            rings: spoke,
        };
        self.places.remove(place);
        let incident = self.live.get(&id);
        let explained = |member: &Member| member.under.as_ref() == Some(&place.0);
        let soon = if incident.is_some_and(no_open_member) {
            Soon::Now
        } else if incident.is_some_and(|incident| incident.members.iter().any(explained)) {
            // Whether what it explains is over too will soon be known.
            Soon::Gathered
        } else {
            Soon::WithOthers
        };
        self.tell(id, Some(place), event, soon, now);
        if place.1 == Sort::Problem {
            self.release_children(&place.0, Status::Green, now);
        }
        self.end_where_over(id, now);
    }

    /// The incident ends with its last member.
    pub(super) fn end_where_over(&mut self, id: IncidentId, now: Timestamp) {
        if let Some(incident) = self.live.get_mut(&id)
            && incident.is_open()
            && no_open_member(incident)
        {
            incident.resolved_at = Some(now);
            incident.remind_at = None;
            self.by_group.retain(|_, known| *known != id);
        }
    }

    /// A target is not watched any more: its incident closes quietly.
    pub fn leave(&mut self, target: &str, now: Timestamp) {
        self.advance(now);
        self.family.remove(target);
        if self.marks.remove(target).is_some() {
            self.dirty_marks.insert(target.to_owned());
        }
        for sort in [Sort::Problem, Sort::Unmeasured] {
            let place = (target.to_owned(), sort);
            let Some(id) = self.places.remove(&place) else {
                continue;
            };
            let Some(member) = self.member_mut(id, &place) else {
                continue;
            };
            member.resolved_at = Some(now);
            member.status = Status::Green;
            member.unsaid.clear();
            let event = Event {
                at: now,
                kind: EventKind::Removed,
                name: member.name.clone(),
                status: None,
                text: None,
                rings: false,
            };
            self.tell(id, None, event, Soon::WithOthers, now);
            self.release_children(target, Status::Green, now);
            self.end_where_over(id, now);
        }
    }

    pub(super) fn member_mut(&mut self, id: IncidentId, place: &Place) -> Option<&mut Member> {
        self.dirty.insert(id);
        self.member_unkept(id, place)
    }

    /// The same for what the next look says anew: it need not be kept.
    fn member_unkept(&mut self, id: IncidentId, place: &Place) -> Option<&mut Member> {
        let members = &mut self.live.get_mut(&id)?.members;
        // One that was over may have come again: the newest counts.
        (members.iter_mut().rev())
            .find(|member| member.target == place.0 && member.sort == place.1 && member.is_open())
    }

    pub(super) fn take_id(&mut self) -> IncidentId {
        self.dirty_id = true;
        self.next_id += 1;
        self.next_id - 1
    }

    pub(super) fn touch(&mut self, id: IncidentId) {
        self.dirty.insert(id);
    }

    fn index(&mut self) {
        self.places.clear();
        self.by_group.clear();
        // One that became part of another is only still to be told of.
        let own = |incident: &&Incident| incident.merged_into.is_none();
        for incident in self.live.values().filter(own) {
            for member in incident.members.iter().filter(|member| member.is_open()) {
                let place = (member.target.clone(), member.sort);
                self.places.insert(place, incident.id);
                for group in super::joining::groups_of(&self.family, member) {
                    self.by_group.insert(group, incident.id);
                }
            }
        }
    }

    /// A clock that was set back must not put off what was due soon.
    pub(super) fn advance(&mut self, now: Timestamp) {
        let back = self.now - now;
        if back > TimeDelta::seconds(2) && self.now != DateTime::UNIX_EPOCH {
            let ids: Vec<IncidentId> = self.live.keys().copied().collect();
            for id in ids {
                if let Some(incident) = self.live.get_mut(&id) {
                    super::clock::shift(incident, -back);
                    self.dirty.insert(id);
                }
            }
            self.next_due = Some(DateTime::UNIX_EPOCH);
        }
        self.now = now;
    }

    /// What came of all that went in since the last time.
    pub fn take_step(&mut self, now: Timestamp) -> Step {
        self.tick(now);
        let mut records = Vec::new();
        for id in std::mem::take(&mut self.dirty) {
            let Some(incident) = self.live.get(&id) else {
                continue;
            };
            records.push(Record::Incident(Arc::new(incident.clone())));
            if !is_live(incident) {
                self.live.remove(&id);
            }
        }
        for target in std::mem::take(&mut self.dirty_marks) {
            let marks = self.marks.get(&target).cloned();
            records.push(Record::Marks { target, marks });
        }
        if std::mem::take(&mut self.dirty_id) {
            records.push(Record::NextId(self.next_id));
        }
        Step {
            records,
            announcements: std::mem::take(&mut self.announcements),
            looks: std::mem::take(&mut self.looks),
        }
    }
}

fn since(marks: &Marks, at: Timestamp) -> Timestamp {
    let since = marks
        .bad_since_ms()
        .and_then(DateTime::from_timestamp_millis);
    since.unwrap_or(at).min(at)
}

pub(super) fn no_open_member(incident: &Incident) -> bool {
    !incident.members.iter().any(Member::is_open)
}

/// Whether anything can still come of it.
fn is_live(incident: &Incident) -> bool {
    let unsaid = |member: &Member| !member.unsaid.is_empty();
    incident.is_open() || incident.notice.is_some() || incident.members.iter().any(unsaid)
}
