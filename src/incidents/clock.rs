//! What happens because time passes: notices fall due, silences end, people are reminded, others are told.

use std::sync::Arc;

use chrono::TimeDelta;

use super::engine::{Engine, Place};
use super::{Announcement, Audience};
use crate::model::{Event, EventKind, Incident, IncidentId, Member, Soon, Timestamp};

/// What was to come comes as much earlier or later.
pub(super) fn shift(incident: &mut Incident, by: TimeDelta) {
    let times = [
        &mut incident.remind_at,
        &mut incident.escalates_from,
        &mut incident.told_at,
    ];
    for time in times.into_iter().flatten() {
        *time += by;
    }
    if let Some(notice) = &mut incident.notice {
        notice.due_at += by;
    }
    for until in incident
        .members
        .iter_mut()
        .filter_map(|member| member.released_until.as_mut())
    {
        *until += by;
    }
}

impl Engine {
    /// Does what is due.
    pub(super) fn tick(&mut self, now: Timestamp) {
        self.advance(now);
        if self.next_due.is_none_or(|due| due > now) {
            return;
        }
        self.next_due = None;
        self.ticking = true;
        let ids: Vec<IncidentId> = self.live.keys().copied().collect();
        for id in &ids {
            self.end_patience(*id, now);
        }
        self.end_quiets(&ids, now);
        for id in ids {
            self.tell_what_is_due(id, now);
            self.remind(id, now);
            self.escalate(id, now);
            self.ask_again(id);
        }
        self.ticking = false;
    }

    /// Members whose look after their release did not come.
    fn end_patience(&mut self, id: IncidentId, now: Timestamp) {
        let Some(incident) = self.live.get(&id) else {
            return;
        };
        let over = |member: &&Member| {
            member.is_open() && member.released_until.is_some_and(|until| until <= now)
        };
        let places: Vec<Place> = (incident.members.iter().filter(over))
            .map(|member| (member.target.clone(), member.sort))
            .collect();
        for place in places {
            let flapping = self.member_mut(id, &place).is_some_and(|member| {
                // Its looks come, and say now this, now that.
                member.released_until = member.released_until.filter(|_| !member.flapping);
                member.flapping
            });
            if !flapping {
                self.speak_of_released(id, &place, now);
            }
        }
    }

    /// What was not said inside silences that are over is said in one summary.
    fn end_quiets(&mut self, ids: &[IncidentId], now: Timestamp) {
        let mut quiets: Vec<String> = Vec::new();
        let mut unsaid: Vec<(IncidentId, Vec<Event>)> = Vec::new();
        for &id in ids {
            let Some(incident) = self.live.get(&id) else {
                continue;
            };
            let silenced: Vec<(Place, String)> = (incident.members.iter())
                .filter(|member| !member.unsaid.is_empty())
                .filter_map(|member| {
                    let by = member.silenced_by.clone()?;
                    Some(((member.target.clone(), member.sort), by))
                })
                .collect();
            let mut events = Vec::new();
            for (place, by) in silenced {
                if self.quiet_now(&place.0, now).is_some() {
                    continue;
                }
                let Some(incident) = self.live.get_mut(&id) else {
                    continue;
                };
                let members = incident.members.iter_mut();
                for member in
                    members.filter(|member| (&member.target, member.sort) == (&place.0, place.1))
                {
                    events.append(&mut member.unsaid);
                    member.silenced_by = None;
                }
                if !quiets.contains(&by) {
                    quiets.push(by);
                }
            }
            if !events.is_empty() {
                events.sort_by_key(|event| event.at);
                unsaid.push((id, events));
            }
        }
        if unsaid.is_empty() {
            return;
        }
        let mut told = Vec::with_capacity(unsaid.len());
        for (id, events) in unsaid {
            self.touch(id);
            let was_told = (self.live.get(&id)).is_some_and(|incident| incident.told_at.is_some());
            self.note_told(id, now);
            let Some(incident) = self.live.get(&id) else {
                continue;
            };
            let incident = Arc::new(incident.clone());
            if was_told {
                // What was told of it before is brought up to date, without another ring.
                let quietly = events.iter().cloned().map(|event| Event {
                    rings: false,
                    ..event
                });
                self.announcements.push(Announcement::Incident {
                    incident: Arc::clone(&incident),
                    events: quietly.collect(),
                    audience: Audience::Everyone,
                });
            }
            told.push((incident, events));
        }
        self.announcements.push(Announcement::QuietEnded {
            quiets,
            unsaid: told,
        });
    }

    fn tell_what_is_due(&mut self, id: IncidentId, now: Timestamp) {
        let Some(incident) = self.live.get_mut(&id) else {
            return;
        };
        let Some(notice) = incident.notice.take_if(|notice| notice.due_at <= now) else {
            return;
        };
        self.touch(id);
        let mut events = Vec::with_capacity(notice.events.len());
        for event in notice.events {
            // A silence may have begun since it happened.
            match self.silenced_meanwhile(id, &event, now) {
                Some((place, by)) => self.put_off(id, &place, by, event),
                None => events.push(self.unless_explained(id, event)),
            }
        }
        let Some(incident) = self.live.get(&id) else {
            return;
        };
        let first = incident.told_at.is_none();
        let removed = events.iter().any(|event| event.kind == EventKind::Removed);
        let unheard =
            first && (removed && !incident.is_open() || !events.iter().any(|event| event.rings));
        if events.is_empty() || unheard {
            return;
        }
        // What a model says must not put off what happens next to the end of another window.
        if !events.iter().all(|event| event.kind == EventKind::Worded) {
            self.note_told(id, now);
        }
        if let Some(incident) = self.live.get(&id) {
            self.announcements.push(Announcement::Incident {
                incident: Arc::new(incident.clone()),
                events,
                audience: Audience::Everyone,
            });
        }
    }

    /// An event whose member is explained by another by now does not ring.
    fn unless_explained(&self, id: IncidentId, event: Event) -> Event {
        let members = self
            .live
            .get(&id)
            .map_or(&[][..], |incident| &incident.members);
        let is_its = |member: &&Member| member.name == event.name;
        let explained = (members.iter().rev().find(is_its))
            .is_some_and(|member| member.is_open() && member.under.is_some());
        Event {
            rings: event.rings && !explained,
            ..event
        }
    }

    fn silenced_meanwhile(
        &mut self,
        id: IncidentId,
        event: &Event,
        now: Timestamp,
    ) -> Option<(Place, String)> {
        let incident = self.live.get(&id)?;
        let mut members = incident.members.iter().rev();
        if event.name.is_empty() {
            // It concerns all: it is put off where all are silenced.
            let first = incident.members.first()?;
            let place = (first.target.clone(), first.sort);
            let targets: Vec<String> = members.map(|member| member.target.clone()).collect();
            let mut by = None;
            for target in targets {
                by = Some(self.quiet_now(&target, now)?);
            }
            return by.map(|by| (place, by));
        }
        let member = members.find(|member| member.name == event.name)?;
        let place = (member.target.clone(), member.sort);
        let by = self.quiet_now(&place.0, now)?;
        Some((place, by))
    }

    fn put_off(&mut self, id: IncidentId, place: &Place, by: String, event: Event) {
        let Some(incident) = self.live.get_mut(&id) else {
            return;
        };
        let mut members = incident.members.iter_mut().rev();
        if let Some(member) =
            members.find(|member| (&member.target, member.sort) == (&place.0, place.1))
        {
            member.unsaid.push(event);
            member.silenced_by = Some(by);
        }
    }

    /// People have heard of it: from now on they are reminded.
    fn note_told(&mut self, id: IncidentId, now: Timestamp) {
        let first = self.policy.reminders.first().copied();
        let Some(incident) = self.live.get_mut(&id) else {
            return;
        };
        incident.told_at = Some(now);
        if incident.title.is_none() {
            let root = incident.root();
            incident.title = root.map(|root| format!("{}: {}", root.name, root.condition.summary));
        }
        if incident.is_open() && incident.acknowledged.is_none() {
            incident.escalates_from.get_or_insert(now);
            if incident.remind_at.is_none() {
                incident.remind_at = first.map(|wait| now + wait);
            }
        }
    }

    fn remind(&mut self, id: IncidentId, now: Timestamp) {
        let Some(incident) = self.live.get(&id) else {
            return;
        };
        let due = incident.is_open() && incident.remind_at.is_some_and(|at| at <= now);
        if !due {
            return;
        }
        let (acknowledged, reminders) = (incident.acknowledged.is_some(), incident.reminders);
        let silent = self.all_quiet(id, now);
        self.touch(id);
        let waits = &self.policy.reminders;
        let nth = |index: u32| {
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            waits.get(index.min(waits.len().saturating_sub(1))).copied()
        };
        let next = if silent { nth(0) } else { nth(reminders + 1) };
        let Some(incident) = self.live.get_mut(&id) else {
            return;
        };
        if acknowledged {
            incident.remind_at = None;
            return;
        }
        incident.remind_at = next.map(|wait| now + wait);
        if silent {
            return;
        }
        incident.reminders += 1;
        let event = Event {
            at: now,
            kind: EventKind::Reminded,
            name: String::new(),
            status: Some(incident.status()),
            text: Some(format!("reminder {}", incident.reminders)),
            rings: true,
        };
        self.tell(id, None, event, Soon::AtOnce, now);
        self.tell_what_is_due(id, now);
    }

    /// Whether everything that is open of it and speaks for itself is silenced.
    fn all_quiet(&mut self, id: IncidentId, now: Timestamp) -> bool {
        let Some(incident) = self.live.get(&id) else {
            return true;
        };
        let speaks = |member: &&Member| member.is_open() && member.under.is_none();
        let targets: Vec<String> = (incident.members.iter().filter(speaks))
            .map(|member| member.target.clone())
            .collect();
        targets
            .iter()
            .all(|target| self.quiet_now(target, now).is_some())
    }

    fn escalate(&mut self, id: IncidentId, now: Timestamp) {
        let Some(incident) = self.live.get(&id) else {
            return;
        };
        let due: Vec<usize> = (self.escalations(incident).into_iter())
            .filter(|(_, at)| *at <= now)
            .map(|(level, _)| level)
            .collect();
        if due.is_empty() || self.all_quiet(id, now) {
            return;
        }
        self.touch(id);
        for level in due {
            let Some(incident) = self.live.get_mut(&id) else {
                return;
            };
            let event = Event {
                at: now,
                kind: EventKind::Escalated,
                name: String::new(),
                status: Some(incident.status()),
                text: Some(format!("level {}", level + 1)),
                rings: true,
            };
            incident.events.push(event.clone());
            incident.escalated.push(level);
            self.announcements.push(Announcement::Incident {
                incident: Arc::new(incident.clone()),
                events: vec![event],
                audience: Audience::Level(level),
            });
        }
    }

    /// The levels that are still to be told, and when, unless somebody takes note.
    fn escalations(&self, incident: &Incident) -> Vec<(usize, Timestamp)> {
        let waits = incident.is_open() && incident.acknowledged.is_none();
        let Some(from) = incident.escalates_from.filter(|_| waits) else {
            return Vec::new();
        };
        let levels = self.policy.escalation.iter().enumerate();
        levels
            .filter(|(index, _)| !incident.escalated.contains(index))
            .filter(|(_, level)| level.is_for(incident.severity))
            .map(|(index, level)| (index, from + level.after))
            .collect()
    }

    /// When something of it is due next.
    fn ask_again(&mut self, id: IncidentId) {
        let Some(incident) = self.live.get(&id) else {
            return;
        };
        let released = incident.members.iter().filter(|member| member.is_open());
        let times = [
            incident.notice.as_ref().map(|notice| notice.due_at),
            incident.remind_at.filter(|_| incident.is_open()),
            self.escalations(incident)
                .into_iter()
                .map(|(_, at)| at)
                .min(),
            released.filter_map(|member| member.released_until).min(),
        ];
        // Past ones wait for the end of a silence, which is a time of its own.
        let now = self.now;
        if let Some(next) = times.into_iter().flatten().filter(|at| *at > now).min() {
            self.due(next);
        }
    }
}
