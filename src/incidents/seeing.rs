//! What a look changes, and what it changes that there will be none any more.

use chrono::DateTime;

use super::engine::{Engine, Place};
use super::facts::Facts;
use super::marks::{MOST_AGREEING, Marks};
use crate::model::{
    Condition, Event, EventKind, Incident, IncidentId, Member, Severity, Soon, Sort, Status,
    Timestamp,
};

impl Engine {
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
            let since = since(marks.bad_since_ms(), condition.at);
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
        note_how_bad(member, member.worst);
        if was_flapping {
            if marks.is_flapping(true) {
                if status > before {
                    member.status = status;
                    member.status_since = Some(member.condition.at);
                    note_how_bad(member, status);
                    self.touch(id);
                }
                return;
            }
            // One that is well now changed to and fro to the end.
            member.flapping = status == Status::Green;
            member.status_since = Some(since(marks.same_since_ms(), member.condition.at));
            self.change(id, &place, EventKind::FlappingEnded, status, Soon::Now, now);
            if status == Status::Green {
                self.resolve(id, &place, now);
            }
        } else if marks.is_flapping(false) {
            self.start_flapping(id, &place, marks, now);
        } else if status == Status::Green {
            self.resolve(id, &place, now);
        } else if agreed > before {
            member.status_since = Some(since(marks.same_since_ms(), member.condition.at));
            self.speak_up(id, &place, agreed);
            self.change(id, &place, EventKind::Worsened, agreed, Soon::Now, now);
            self.void_acknowledgement(id, now);
            self.explain_again(&facts.target, id, agreed, now);
        } else if status < before {
            member.status_since = Some(member.condition.at);
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
        if status > member.status {
            member.status_since = Some(member.condition.at);
        }
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
            let since = since(marks.bad_since_ms(), condition.at);
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
        let mut member = Member {
            target: facts.target.clone(),
            name: facts.name.clone(),
            sort,
            status,
            worst: status,
            worst_summary: None,
            since,
            status_since: None,
            resolved_at: None,
            under: None,
            explained_by: None,
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
        note_how_bad(&mut member, status);
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
            note_how_bad(member, status);
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
        let name = member.name.clone();
        self.places.remove(place);
        let incident = self.live.get(&id);
        // Whoever was told of an incident is told of its end, whoever's end it is.
        let ends =
            incident.is_some_and(|incident| incident.told_at.is_some() && no_open_member(incident));
        let event = Event {
            at: now,
            kind: EventKind::Resolved,
            name,
            status: Some(Status::Green),
            text: None,
            rings: spoke || ends,
        };
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
}

fn since(first_ms: Option<i64>, at: Timestamp) -> Timestamp {
    let first = first_ms.and_then(DateTime::from_timestamp_millis);
    first.unwrap_or(at).min(at)
}

/// Takes note that it was so bad, and of what the first look said that said so.
fn note_how_bad(member: &mut Member, status: Status) {
    if status > member.worst {
        member.worst = status;
        member.worst_summary = None;
    }
    let condition = &member.condition;
    if member.worst_summary.is_none() && condition.status == member.worst {
        member.worst_summary = Some(condition.summary.clone());
    }
}

pub(super) fn no_open_member(incident: &Incident) -> bool {
    !incident.members.iter().any(Member::is_open)
}
