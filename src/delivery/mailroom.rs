//! Where messages are handed in and taken out. Whatever changes the outbox hands its rows to the store under the same
//! lock: rows are committed in the order in which they came to be.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::lease::Lease;
use super::orders::NotFound;
use super::outbox::{Outbox, SelfNote, Terms};
use crate::clock::Clock;
use crate::incidents::{Announcement, Record};
use crate::model::{DeliverySummary, Explanation, Report, Timestamp};
use crate::reporters::{Receipt, SendError};
use crate::store::{Kept, Row, Store};

/// The outbox of a running daemon.
pub struct Mailroom {
    outbox: Mutex<Outbox>,
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    /// Grows with whatever may be sent.
    handed_in: watch::Sender<u64>,
}

impl Mailroom {
    /// Begins with nothing.
    #[must_use]
    pub fn new(terms: Terms, store: Arc<Store>, clock: Arc<dyn Clock>) -> Self {
        Self {
            outbox: Mutex::new(Outbox::new(terms)),
            store,
            clock,
            handed_in: watch::Sender::new(0),
        }
    }

    /// Sees whenever there may be something to send.
    pub(super) fn handed_in(&self) -> watch::Receiver<u64> {
        self.handed_in.subscribe()
    }

    /// Takes over what was kept.
    pub fn restore(&self, kept: &mut Kept) {
        self.change(|outbox, now| outbox.restore(kept, now));
    }

    /// The configuration was loaded anew.
    pub fn replan(&self, terms: Terms) {
        self.change(|outbox, _| outbox.replan(terms));
    }

    /// One step of the incident engine: its records and the messages that come of it are one commit. Without any, nothing
    /// is handed to the store.
    pub fn post(&self, records: Vec<Record>, announcements: Vec<Announcement>, now: Timestamp) {
        let mut outbox = self.lock();
        for record in &records {
            if let Record::Incident(incident) = record {
                outbox.learn(incident);
            }
        }
        for announcement in announcements {
            outbox.tell(announcement, now);
        }
        let rows = records.into_iter().map(Row::Record).collect();
        self.keep(&mut outbox, rows);
    }

    /// Keeps rows beside the outbox: silences, answers.
    pub fn keep_rows(&self, rows: Vec<Row>) {
        let mut outbox = self.lock();
        self.keep(&mut outbox, rows);
    }

    /// Hands everything over anew, to a store that has nothing yet.
    pub fn keep_everything(&self, mut rows: Vec<Row>) {
        let mut outbox = self.lock();
        rows.extend(outbox.everything());
        self.keep(&mut outbox, rows);
    }

    /// A round report, for all channels that get them or for one.
    pub fn report(&self, report: &Arc<Report>, only_to: Option<&str>) {
        self.change(|outbox, now| outbox.report(report, only_to, now));
    }

    /// How much of that time each target was up.
    pub fn uptime(&self, from: Timestamp, to: Timestamp) {
        self.change(|outbox, _| outbox.uptime(from, to));
    }

    /// What a language model said of the newest round report.
    pub fn follow(&self, explanation: &Explanation) {
        self.change(|outbox, now| outbox.follow(explanation, now));
    }

    /// What the monitor has to say of itself.
    pub fn note(&self, note: &SelfNote) {
        self.change(|outbox, now| outbox.note(note, None, now));
    }

    /// See [`Outbox::retry`].
    ///
    /// # Errors
    /// See [`NotFound`].
    pub fn retry(&self, message: Option<&str>) -> Result<usize, NotFound> {
        self.change(|outbox, now| outbox.retry(message, now))
    }

    /// See [`Outbox::drop_message`].
    ///
    /// # Errors
    /// See [`NotFound`].
    pub fn drop_message(&self, message: &str) -> Result<String, NotFound> {
        self.change(|outbox, _| outbox.drop_message(message))
    }

    /// Whether a channel of that name is configured.
    #[must_use]
    pub fn has_channel(&self, name: &str) -> bool {
        let outbox = self.lock();
        (outbox.terms.channels.iter()).any(|channel| channel.name == name)
    }

    /// How messages get out, in figures.
    #[must_use]
    pub fn summary(&self) -> DeliverySummary {
        self.lock().summary()
    }

    pub(super) fn lease(&self, reporter: &str) -> Lease {
        let committed = match self.store.health().trouble {
            None => Some(*self.store.committed().borrow()),
            // Nobody must be left in the dark because a disk is full.
            Some(_) => None,
        };
        let mut outbox = self.lock();
        let lease = outbox.lease(reporter, self.clock.now(), committed);
        self.keep(&mut outbox, Vec::new());
        lease
    }

    pub(super) fn settle(&self, parcel: &str, outcome: &Result<Receipt, SendError>) {
        self.change(|outbox, now| outbox.settle(parcel, outcome, now));
    }

    fn change<T>(&self, change: impl FnOnce(&mut Outbox, Timestamp) -> T) -> T {
        let mut outbox = self.lock();
        let changed = change(&mut outbox, self.clock.now());
        self.keep(&mut outbox, Vec::new());
        changed
    }

    fn keep(&self, outbox: &mut Outbox, mut rows: Vec<Row>) {
        rows.extend(outbox.take_rows());
        if rows.is_empty() {
            return;
        }
        if let Some(ticket) = self.store.keep(rows) {
            outbox.stamp(ticket);
        }
        self.handed_in.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, Outbox> {
        // Whoever panicked while holding it left whole parcels behind: each is changed in one go.
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
