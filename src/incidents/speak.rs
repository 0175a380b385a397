//! What is told, and when. Every event goes through one gate: what happens inside a silence is kept for its end.

use chrono::{DurationRound, TimeDelta};

use super::engine::{Engine, Place};
use super::facts::Facts;
use super::{Quiet, Until};
use crate::model::{Event, IncidentId, Notice, Soon, Timestamp};

/// What happens to several at once is told together.
const SETTLING: TimeDelta = TimeDelta::seconds(1);

/// The same for what cannot be measured: it has one cause, and nobody runs for it.
const GATHERING: TimeDelta = TimeDelta::seconds(5);

/// What is heard of a problem is not held back longer than this beyond the look that confirms what may explain it.
const EXPLAINING: TimeDelta = TimeDelta::seconds(15);

/// What is told at other times than at once is told at a multiple of this: thousands of problems within seconds are so
/// told in a few steps.
const STEP: TimeDelta = TimeDelta::milliseconds(250);

/// How many events an incident remembers.
const MOST_EVENTS: usize = 50;

impl Engine {
    /// The first silence or window that covers a target.
    pub(super) fn quiet(&self, facts: &Facts, now: Timestamp) -> Option<(&dyn Quiet, Until)> {
        self.quiets.iter().find_map(|quiet| {
            let until = quiet.covers(facts, now)?;
            Some((quiet.as_ref(), until))
        })
    }

    /// The silence or window that covers a target. When it may end is a time to ask again.
    pub(super) fn quiet_now(&mut self, target: &str, now: Timestamp) -> Option<String> {
        let facts = self.family.get(target)?;
        let (quiet, until) = self.quiet(facts, now)?;
        let name = quiet.name();
        if let Some(until) = until {
            self.due(until);
        }
        Some(name)
    }

    /// Takes note of an event, and has it told, unless its target is silenced. `place`: whose event it is.
    pub(super) fn tell(
        &mut self,
        id: IncidentId,
        place: Option<&Place>,
        event: Event,
        soon: Soon,
        now: Timestamp,
    ) {
        let quiet = place.and_then(|place| self.quiet_now(&place.0, now));
        let window = self.policy.group_window;
        let confirm_after = self.policy.confirm_after;
        self.touch(id);
        let Some(incident) = self.live.get_mut(&id) else {
            return;
        };
        if incident.events.len() >= MOST_EVENTS {
            incident.events.remove(0);
        }
        incident.events.push(event.clone());
        if let Some(quiet) = quiet
            && let Some(place) = place
            && let Some(member) = (incident.members.iter_mut().rev())
                .find(|member| member.target == place.0 && member.sort == place.1)
        {
            member.silenced_by = Some(quiet);
            // How it began and how it is: what lies between is in the incident's own list.
            if member.unsaid.len() >= MOST_EVENTS {
                member.unsaid.remove(1);
            }
            member.unsaid.push(event);
            return;
        }
        let wait = match soon {
            Soon::AtOnce => TimeDelta::zero(),
            Soon::Now => SETTLING,
            Soon::Gathered => GATHERING,
            Soon::WhenExplained => confirm_after + EXPLAINING,
            Soon::WithOthers => match incident.told_at {
                Some(told_at) => (told_at + window - now).max(SETTLING),
                // The first message is still to come, and takes it along.
                None => window,
            },
        };
        let due_at = at_a_step(now + wait, soon);
        let notice = incident.notice.get_or_insert_with(|| Notice {
            due_at,
            soon,
            events: Vec::new(),
        });
        hasten(notice, due_at, soon);
        notice.events.push(event);
        let due_at = notice.due_at;
        self.due(due_at);
    }

    /// What waits to be told does not wait longer than that.
    pub(super) fn hurry(&mut self, id: IncidentId, soon: Soon, now: Timestamp) {
        let wait = match soon {
            Soon::AtOnce => TimeDelta::zero(),
            _ => SETTLING,
        };
        let Some(notice) = (self.live.get_mut(&id)).and_then(|incident| incident.notice.as_mut())
        else {
            return;
        };
        hasten(notice, at_a_step(now + wait, soon), soon);
        let due_at = notice.due_at;
        self.touch(id);
        self.due(due_at);
    }

    /// Worse than what somebody took note of: nobody has taken note of this.
    pub(super) fn void_acknowledgement(&mut self, id: IncidentId, now: Timestamp) {
        let first = self.policy.reminders.first().copied();
        let Some(incident) = self.live.get_mut(&id) else {
            return;
        };
        if incident.acknowledged.take().is_none() {
            return;
        }
        incident.reminders = 0;
        incident.remind_at = first.map(|wait| now + wait);
        incident.escalates_from = Some(now);
        self.touch(id);
        if let Some(wait) = first {
            self.due(now + wait);
        }
    }

    pub(super) fn due(&mut self, at: Timestamp) {
        if self.ticking && at <= self.now {
            return;
        }
        self.next_due = Some(self.next_due.map_or(at, |known| known.min(at)));
    }
}

/// What waits on purpose is pulled forward by what is urgent, and by nothing else: otherwise people would be rung up for
/// the half of it.
fn hasten(notice: &mut Notice, due_at: Timestamp, soon: Soon) {
    if soon >= Soon::Now || soon == notice.soon {
        notice.due_at = notice.due_at.min(due_at);
    } else if soon > notice.soon {
        notice.due_at = due_at;
    }
    notice.soon = notice.soon.max(soon);
}

fn at_a_step(due_at: Timestamp, soon: Soon) -> Timestamp {
    if soon == Soon::AtOnce {
        return due_at;
    }
    // It fails in years that nobody lives to see.
    due_at.duration_round_up(STEP).unwrap_or(due_at)
}
