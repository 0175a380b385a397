//! What becomes of a message that was tried: taken, tried again, given up, or brought back.

use chrono::TimeDelta;

use super::backoff;
use super::lease::thread;
use super::outbox::{Held, Outbox, SelfNote, thread_of};
use crate::model::{EventKind, ParcelContent, Status, Timestamp};
use crate::reporters::{Receipt, Retry, SendError};
use crate::store::Row;

/// What was given up is kept for so long, for `outbox retry` and for a channel that comes back.
const KEPT_DEAD: TimeDelta = TimeDelta::days(7);

/// The newest message of an incident is remembered for so long. One that lasts is spoken of each day.
const KEPT_RECEIPTS: TimeDelta = TimeDelta::days(14);

/// Beyond so many, incidents that were given up for a channel are kept together.
const MOST_DEAD_SINGLES: usize = 20;

impl Outbox {
    /// What came of a message that was leased.
    pub fn settle(&mut self, id: &str, outcome: &Result<Receipt, SendError>, now: Timestamp) {
        self.advance(now);
        let Some(held) = self.parcels.get_mut(id) else {
            return;
        };
        held.under_way = false;
        let reporter = held.parcel.reporter.clone();
        let (thread, voice) = (thread(held), held.voice());
        let pace = self.paces.entry(reporter.clone()).or_default();
        pace.under_way.remove(&thread);
        match outcome {
            Ok(receipt) => {
                pace.not_before = None;
                let came_back = std::mem::take(&mut pace.is_given_up);
                self.taken(id, receipt, now);
                self.revive(&reporter, now);
                if came_back {
                    self.say_it_works_again(&reporter, now);
                }
            }
            Err(error) => {
                match held.parcel.content {
                    ParcelContent::Incident { id, .. } => pace.forget_single(voice, id),
                    ParcelContent::Incidents { .. } => pace.forget_together(voice),
                    _ => {}
                }
                held.parcel.tries += 1;
                held.parcel.last_error = Some(error.message.clone());
                let (tries, age) = (held.parcel.tries, now - held.parcel.created_at);
                let wait = backoff::wait_after(id, tries);
                held.parcel.due_at = now + wait;
                let give_up = match error.retry {
                    Retry::Never => true,
                    Retry::Later { not_before } => {
                        let asked = not_before.and_then(|wait| TimeDelta::from_std(wait).ok());
                        pace.not_before = asked.map(|wait| now + wait);
                        if let Some(asked) = asked {
                            held.parcel.due_at = held.parcel.due_at.max(now + asked);
                        }
                        backoff::is_enough(age, tries, self.terms.retry)
                    }
                };
                self.touch(id);
                if give_up {
                    self.give_up(id, error, now);
                } else {
                    self.gather(id);
                }
            }
        }
        self.forget_what_nothing_tells_of();
    }

    /// A channel took it.
    fn taken(&mut self, id: &str, receipt: &Receipt, now: Timestamp) {
        let Some(held) = self.remove(id) else {
            return;
        };
        if let (ParcelContent::Incident { id, .. }, Some(external_id)) =
            (&held.parcel.content, &receipt.external_id)
        {
            let key = (held.parcel.reporter, thread_of(*id));
            self.rows.push(Row::Receipt {
                reporter: key.0.clone(),
                thread: key.1.clone(),
                at: now,
                receipt: external_id.clone(),
            });
            self.receipts.insert(key, (now, external_id.clone()));
        }
    }

    /// A message that comes back joins those of the same kind that were made meanwhile.
    fn gather(&mut self, id: &str) {
        let Some(held) = self.parcels.get(id).filter(|held| held.is_open()) else {
            return;
        };
        let (reporter, content) = (held.parcel.reporter.clone(), held.parcel.content.clone());
        let voice = held.voice();
        let ParcelContent::Incident {
            id: incident,
            events,
        } = content
        else {
            return;
        };
        let other = self
            .of(&reporter)
            .filter(|other| other.is_open() && other.parcel.id != id);
        let into = other.filter(|other| match &other.parcel.content {
            // What is not as loud may wait longer.
            ParcelContent::Incidents { .. } => other.voice() >= voice,
            ParcelContent::Incident { id, .. } => *id == incident,
            _ => false,
        });
        let Some(into) = into.map(|other| other.parcel.id.clone()).next() else {
            return;
        };
        let Some(gone) = self.remove(id) else {
            return;
        };
        self.take_along(&into, incident, events);
        // How long it has been tried counts on.
        if let Some(held) = self.parcels.get_mut(&into) {
            held.parcel.created_at = held.parcel.created_at.min(gone.parcel.created_at);
            held.parcel.tries = held.parcel.tries.max(gone.parcel.tries);
            held.parcel.due_at = held.parcel.due_at.max(gone.parcel.due_at);
            held.parcel.last_error = gone.parcel.last_error;
        }
    }

    /// Nobody tries it again, unless somebody asks, or the channel comes back.
    fn give_up(&mut self, id: &str, error: &SendError, now: Timestamp) {
        let Some(held) = self.parcels.get_mut(id) else {
            return;
        };
        held.parcel.dead_at = Some(now);
        let reporter = held.parcel.reporter.clone();
        let about_us = matches!(held.parcel.content, ParcelContent::Note { .. });
        tracing::error!(
            event = "message.given_up",
            message.id = held.parcel.message_id(),
            reporter,
            tries = held.parcel.tries,
            hint = error.hint,
            "{}",
            error.message
        );
        if about_us {
            // Others were told, or there are none; it is not worth a place in the outbox.
            self.remove(id);
            return;
        }
        self.gather_dead(&reporter);
        let pace = self.paces.entry(reporter.clone()).or_default();
        if std::mem::replace(&mut pace.is_given_up, true) {
            return;
        }
        let mut lines = vec![error.message.clone()];
        lines.extend(
            error
                .hint
                .as_ref()
                .map(|hint| format!("what to do: {hint}")),
        );
        lines.push("see what was given up with `roundsman outbox list`, try it again with `roundsman outbox retry`".to_owned());
        let note = SelfNote {
            about: about_given_up(&reporter),
            title: format!("messages do not get out through `{reporter}`"),
            tone: Status::Red,
            lines,
            rings: true,
        };
        self.note(&note, Some(&reporter), now);
    }

    fn say_it_works_again(&mut self, reporter: &str, now: Timestamp) {
        let note = SelfNote {
            about: about_given_up(reporter),
            title: format!("messages get out through `{reporter}` again"),
            tone: Status::Green,
            lines: vec!["it has been told of every incident that is still open".to_owned()],
            rings: true,
        };
        self.note(&note, Some(reporter), now);
    }

    /// Keeps what was given up small: of many single incidents, one list.
    fn gather_dead(&mut self, reporter: &str) {
        let dead = self
            .of(reporter)
            .filter(|held| held.parcel.dead_at.is_some());
        let mut singles: Vec<String> = dead
            .filter(|held| !held.parcel.in_doubt)
            .filter(|held| matches!(held.parcel.content, ParcelContent::Incident { .. }))
            .map(|held| held.parcel.id.clone())
            .collect();
        if singles.len() <= MOST_DEAD_SINGLES {
            return;
        }
        let into = singles.remove(0);
        let Some(first) = self.parcels.get_mut(&into) else {
            return;
        };
        if let ParcelContent::Incident { id, events } = &first.parcel.content {
            first.parcel.content = ParcelContent::Incidents {
                of: vec![(*id, events.clone())],
            };
        }
        for single in singles {
            if let Some(held) = self.remove(&single)
                && let ParcelContent::Incident { id, events } = held.parcel.content
            {
                self.take_along(&into, id, events);
            }
        }
        self.touch(&into);
    }

    /// A channel that works again gets what was given up and still matters: what is open, and the end of what it told of.
    fn revive(&mut self, reporter: &str, now: Timestamp) {
        let dead = self
            .of(reporter)
            .filter(|held| held.parcel.dead_at.is_some());
        let dead = dead.filter(|held| {
            !matches!(
                held.parcel.content,
                ParcelContent::Report { .. }
                    | ParcelContent::Uptime { .. }
                    | ParcelContent::Note { .. }
            )
        });
        let ids: Vec<String> = dead.map(|held| held.parcel.id.clone()).collect();
        let mut still_matters = Vec::new();
        for id in ids {
            if let Some(held) = self.parcels.get_mut(&id)
                && held.parcel.in_doubt
            {
                // It keeps its name: whoever got it already can tell.
                held.parcel.try_anew(now);
                self.touch(&id);
                continue;
            }
            let Some(held) = self.remove(&id) else {
                continue;
            };
            let of = match held.parcel.content {
                ParcelContent::Incident { id, events } => vec![(id, events)],
                ParcelContent::Incidents { of } | ParcelContent::Quiet { unsaid: of, .. } => of,
                ParcelContent::Report { .. }
                | ParcelContent::Uptime { .. }
                | ParcelContent::Note { .. } => continue,
            };
            for (incident, events) in of {
                let is_open = self
                    .incidents
                    .get(&incident)
                    .is_some_and(|one| one.is_open());
                let began = events.iter().any(|event| event.kind == EventKind::Opened);
                if is_open || !began {
                    still_matters.push((incident, events));
                }
            }
        }
        self.put_all(reporter, still_matters, now);
    }

    /// What was given up long ago goes, and what waits for a channel that nobody configured any more is given up.
    pub(super) fn expire(&mut self, now: Timestamp) {
        self.receipts.retain(|_, (at, _)| now - *at < KEPT_RECEIPTS);
        let is_old = |held: &&Held| held.parcel.dead_at.is_some_and(|at| now - at > KEPT_DEAD);
        let old: Vec<String> = (self.parcels.values().filter(is_old))
            .map(|held| held.parcel.id.clone())
            .collect();
        for id in &old {
            tracing::warn!(
                event = "message.dropped",
                message.id = id.as_str(),
                "a message that was given up a week ago was dropped"
            );
            self.remove(id);
        }
        let channels = &self.terms.channels;
        let is_configured = |name: &str| channels.iter().any(|channel| channel.name == name);
        let patience = self.terms.retry;
        let is_orphan = |held: &&Held| {
            held.parcel.dead_at.is_none()
                && now - held.parcel.created_at > patience
                && !is_configured(&held.parcel.reporter)
        };
        let orphans: Vec<String> = (self.parcels.values().filter(is_orphan))
            .map(|held| held.parcel.id.clone())
            .collect();
        for id in &orphans {
            if let Some(held) = self.parcels.get_mut(id) {
                held.parcel.dead_at = Some(now);
                let why = format!("no reporter `{}` is configured", held.parcel.reporter);
                held.parcel.last_error = Some(why);
            }
            self.touch(id);
        }
        if !old.is_empty() {
            self.forget_what_nothing_tells_of();
        }
    }
}

fn about_given_up(reporter: &str) -> String {
    format!("given up: {reporter}")
}
