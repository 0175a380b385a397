//! One message's way: it is leased, tried, and settled by what the channel said.

use std::collections::HashMap;
use std::sync::Arc;

use super::outbox::{Held, Outbox, SelfNote, thread_of};
use super::pace::Voice;
use crate::model::{Event, Incident, IncidentId, ParcelContent, Report, Timestamp};
use crate::store::Ticket;

/// What a channel is to do next.
#[derive(Debug)]
pub enum Lease {
    /// To send this, and to say by [`Outbox::settle`] what came of it.
    Send(Box<Job>),
    /// To wait for a commit.
    Commit,
    /// To wait until then; `None`: for something new.
    Wait(Option<Timestamp>),
}

/// A message to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The parcel.
    pub parcel: String,
    /// What the message is called.
    pub message: String,
    /// How often it was tried before.
    pub tries: u32,
    /// What it tells.
    pub matter: Matter,
}

/// What a message tells, as it is now.
#[derive(Debug, Clone, PartialEq)]
pub enum Matter {
    /// A round report.
    Report(Arc<Report>),
    /// News of an incident.
    Incident {
        /// As it is now.
        incident: Arc<Incident>,
        /// What is new.
        events: Vec<Event>,
        /// What the channel said of the message before.
        before: Option<String>,
    },
    /// News of many.
    Incidents(Vec<(Arc<Incident>, Vec<Event>)>),
    /// What happened inside silences that are over.
    Quiet {
        /// What they were called.
        quiets: Vec<String>,
        /// What was not said.
        unsaid: Vec<(Arc<Incident>, Vec<Event>)>,
    },
    /// How much of that time each target was up.
    Uptime {
        /// From when on.
        from: Timestamp,
        /// Until when.
        to: Timestamp,
    },
    /// What the monitor has to say of itself.
    Note(SelfNote),
}

impl Outbox {
    /// The next message of a channel. `committed`: the newest commit; `None`: the store is in trouble, and nothing is
    /// waited for.
    pub fn lease(&mut self, reporter: &str, now: Timestamp, committed: Option<Ticket>) -> Lease {
        self.advance(now);
        self.expire(now);
        self.make_single(reporter, now);
        let pace = self.paces.entry(reporter.to_owned()).or_default();
        if !pace.is_free(now) {
            return Lease::Wait(pace.not_before.filter(|at| *at > now));
        }
        let under_way = pace.under_way.clone();
        let free_for_quiet = pace.is_free_for_quiet(now);
        let first_of_thread = self.first_of_threads(reporter);
        let mut next: Option<(u8, Timestamp, String)> = None;
        let mut later: Option<Timestamp> = None;
        let mut commit = false;
        for held in self.of(reporter) {
            let is_at_rest = !held.under_way && held.parcel.dead_at.is_none();
            let thread = thread(held);
            let is_first = first_of_thread
                .get(&thread)
                .is_some_and(|(_, id)| *id == held.parcel.id);
            if !is_at_rest || !is_first || under_way.contains(&thread) {
                continue;
            }
            let due_at = held.parcel.due_at;
            if due_at > now {
                later = [later, Some(due_at)].into_iter().flatten().min();
                continue;
            }
            let is_committed = match (held.ticket, committed) {
                (Some(ticket), Some(committed)) => ticket <= committed,
                // One without a ticket was kept before this start, or could not be handed over.
                (None, _) | (_, None) => true,
            };
            if !is_committed {
                commit = true;
                continue;
            }
            // What is wrong now goes before what is only said better, and both before how all was.
            let rank = match (&held.parcel.content, held.voice()) {
                (ParcelContent::Report { .. }, _) => 2,
                (
                    ParcelContent::Incident { .. } | ParcelContent::Incidents { .. },
                    Voice::Quiet,
                ) => {
                    if let Err(from) = free_for_quiet {
                        later = [later, from].into_iter().flatten().min();
                        continue;
                    }
                    1
                }
                _ => 0,
            };
            let candidate = (rank, held.parcel.created_at, held.parcel.id.clone());
            if next.as_ref().is_none_or(|known| candidate < *known) {
                next = Some(candidate);
            }
        }
        match next {
            Some((_, _, id)) => match self.take(&id, now) {
                Some(job) => Lease::Send(Box::new(job)),
                None => self.lease(reporter, now, committed),
            },
            None if commit => Lease::Commit,
            None => Lease::Wait(later),
        }
    }

    /// What belongs together is sent in its order: the oldest of each thread.
    fn first_of_threads(&self, reporter: &str) -> HashMap<String, (Timestamp, String)> {
        let mut first: HashMap<String, (Timestamp, String)> = HashMap::new();
        for held in self
            .of(reporter)
            .filter(|held| held.parcel.dead_at.is_none())
        {
            let age = (held.parcel.created_at, held.parcel.id.clone());
            let known = first.entry(thread(held)).or_insert_with(|| age.clone());
            if age < *known {
                *known = age;
            }
        }
        first
    }

    /// Takes a message under way. `None`: there is nothing left to tell, and it is gone.
    fn take(&mut self, id: &str, now: Timestamp) -> Option<Job> {
        let held = self.parcels.get(id)?;
        let Some(matter) = self.matter(held) else {
            tracing::warn!(
                event = "message.dropped",
                message.id = id,
                "a message was dropped: what it tells of is not kept any more"
            );
            self.remove(id);
            return None;
        };
        let held = self.parcels.get_mut(id)?;
        held.under_way = true;
        let pace = self.paces.entry(held.parcel.reporter.clone()).or_default();
        pace.under_way.insert(thread(held));
        match held.parcel.content {
            ParcelContent::Incident { id, .. } => pace.note_single(held.voice(), id, now),
            ParcelContent::Incidents { .. } => pace.note_together(held.voice(), now),
            _ => {}
        }
        Some(Job {
            parcel: id.to_owned(),
            message: held.parcel.message_id(),
            tries: held.parcel.tries,
            matter,
        })
    }

    /// A message of many that is of a single incident when it is due reads as one; that there was a storm still counts.
    fn make_single(&mut self, reporter: &str, now: Timestamp) {
        let of_one = |held: &&Held| {
            let content = &held.parcel.content;
            let is_of_one = matches!(content, ParcelContent::Incidents { of } if of.len() == 1);
            is_of_one && held.is_open() && held.parcel.due_at <= now
        };
        let found = self.of(reporter).find(of_one);
        let Some(id) = found.map(|held| held.parcel.id.clone()) else {
            return;
        };
        if let Some(held) = self.parcels.get_mut(&id) {
            let voice = held.voice();
            if let ParcelContent::Incidents { of } = &mut held.parcel.content
                && let Some((id, events)) = of.pop()
            {
                held.parcel.content = ParcelContent::Incident { id, events };
            }
            let pace = self.paces.entry(reporter.to_owned()).or_default();
            pace.note_together(voice, now);
        }
        self.touch(&id);
    }

    fn matter(&self, held: &Held) -> Option<Matter> {
        let known = |of: &[(IncidentId, Vec<Event>)]| {
            let all = of.iter().filter_map(|(id, events)| {
                Some((Arc::clone(self.incidents.get(id)?), events.clone()))
            });
            let all: Vec<_> = all.collect();
            (!all.is_empty()).then_some(all)
        };
        match &held.parcel.content {
            ParcelContent::Report { id } => {
                self.reports.get(id).map(Arc::clone).map(Matter::Report)
            }
            ParcelContent::Incident { id, events } => {
                let key = (held.parcel.reporter.clone(), thread_of(*id));
                Some(Matter::Incident {
                    incident: Arc::clone(self.incidents.get(id)?),
                    events: events.clone(),
                    before: self.receipts.get(&key).map(|(_, receipt)| receipt.clone()),
                })
            }
            ParcelContent::Incidents { of } => known(of).map(Matter::Incidents),
            ParcelContent::Quiet { quiets, unsaid } => Some(Matter::Quiet {
                quiets: quiets.clone(),
                unsaid: known(unsaid)?,
            }),
            ParcelContent::Uptime { from, to } => Some(Matter::Uptime {
                from: *from,
                to: *to,
            }),
            ParcelContent::Note {
                about,
                title,
                tone,
                lines,
                rings,
            } => Some(Matter::Note(SelfNote {
                about: about.clone(),
                title: title.clone(),
                tone: *tone,
                lines: lines.clone(),
                rings: *rings,
            })),
        }
    }
}

/// What must not be sent side by side.
pub(super) fn thread(held: &Held) -> String {
    match &held.parcel.content {
        ParcelContent::Incident { id, .. } => thread_of(*id),
        ParcelContent::Report { .. } | ParcelContent::Uptime { .. } => "report".to_owned(),
        _ => held.parcel.id.clone(),
    }
}
