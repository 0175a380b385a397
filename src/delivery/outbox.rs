//! Everything that no channel has taken yet. Pure: `now` goes in, and out come rows to keep and messages to send.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::TimeDelta;

use super::audience::Channel;
use super::pace::{Pace, Voice};
use crate::incidents::Level;
use crate::model::{
    DeliverySummary, Incident, IncidentId, Parcel, ParcelContent, Report, Status, Timestamp,
};
use crate::schedule::share;
use crate::store::{Kept, Row, Ticket};

/// What the configuration says of delivery.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// The channels, in the order of the configuration.
    pub channels: Vec<Channel>,
    /// The levels of escalation.
    pub levels: Vec<Level>,
    /// How long a message is tried.
    pub retry: TimeDelta,
}

/// A message, and what is known of it while this process runs.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) parcel: Parcel,
    /// It is being sent.
    pub(super) under_way: bool,
    /// The commit that it waits for.
    pub(super) ticket: Option<Ticket>,
}

impl Held {
    /// Whether it may still take something along.
    pub(super) fn is_open(&self) -> bool {
        !self.under_way && !self.parcel.in_doubt && self.parcel.dead_at.is_none()
    }

    /// How loud it is.
    pub(super) fn voice(&self) -> Voice {
        match &self.parcel.content {
            ParcelContent::Incident { events, .. } => Voice::of(events),
            ParcelContent::Incidents { of } => Voice::of(of.iter().flat_map(|(_, events)| events)),
            ParcelContent::Note { rings: false, .. } => Voice::Quiet,
            ParcelContent::Note { .. }
            | ParcelContent::Quiet { .. }
            | ParcelContent::Report { .. }
            | ParcelContent::Uptime { .. } => Voice::News,
        }
    }

    /// The incidents that it tells of.
    pub(super) fn incidents(&self) -> Vec<IncidentId> {
        match &self.parcel.content {
            ParcelContent::Incident { id, .. } => vec![*id],
            ParcelContent::Incidents { of } | ParcelContent::Quiet { unsaid: of, .. } => {
                of.iter().map(|(id, _)| *id).collect()
            }
            ParcelContent::Report { .. }
            | ParcelContent::Uptime { .. }
            | ParcelContent::Note { .. } => Vec::new(),
        }
    }
}

/// All messages that wait, are under way, or were given up.
#[derive(Debug)]
pub struct Outbox {
    pub(super) terms: Terms,
    pub(super) parcels: BTreeMap<String, Held>,
    pub(super) paces: HashMap<String, Pace>,
    /// Those that parcels tell of, as they are now.
    pub(super) incidents: HashMap<IncidentId, Arc<Incident>>,
    pub(super) reports: HashMap<String, Arc<Report>>,
    /// What channels said of the newest message of each thread: by reporter and thread.
    pub(super) receipts: HashMap<(String, String), (Timestamp, String)>,
    /// The latest time that was given.
    now: Timestamp,
    changed: BTreeSet<String>,
    pub(super) rows: Vec<Row>,
    unstamped: Vec<String>,
}

/// The thread of an incident's messages.
pub(super) fn thread_of(incident: IncidentId) -> String {
    format!("incident-{incident}")
}

impl Outbox {
    /// Begins with nothing.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self {
            terms,
            parcels: BTreeMap::new(),
            paces: HashMap::new(),
            incidents: HashMap::new(),
            reports: HashMap::new(),
            receipts: HashMap::new(),
            now: Timestamp::UNIX_EPOCH,
            changed: BTreeSet::new(),
            rows: Vec::new(),
            unstamped: Vec::new(),
        }
    }

    /// The configuration was loaded anew. What waits for a channel that is gone waits on: it may come back.
    pub fn replan(&mut self, terms: Terms) {
        self.terms = terms;
    }

    /// Takes over what was kept. What is here already is newer, and stays.
    pub fn restore(&mut self, kept: &mut Kept, now: Timestamp) {
        for mut parcel in std::mem::take(&mut kept.outbox) {
            // It may have been under way when the process was killed.
            parcel.in_doubt |= parcel.dead_at.is_none();
            let id = parcel.id.clone();
            self.parcels.entry(id).or_insert(Held {
                under_way: false,
                ticket: None,
                parcel,
            });
        }
        for (id, report) in std::mem::take(&mut kept.reports) {
            self.reports.entry(id).or_insert(report);
        }
        for (reporter, thread, receipt) in std::mem::take(&mut kept.receipts) {
            let known = self.receipts.entry((reporter, thread));
            known.or_insert((now, receipt));
        }
        for incident in &kept.incidents {
            let known = self.incidents.entry(incident.id);
            known.or_insert_with(|| Arc::new(incident.clone()));
        }
        self.forget_what_nothing_tells_of();
    }

    /// Everything, for a store that has nothing yet.
    #[must_use]
    pub fn everything(&mut self) -> Vec<Row> {
        self.changed.clear();
        self.rows.clear();
        let reports = self.reports.iter();
        let reports = reports.map(|(id, report)| Row::Report(id.clone(), Arc::clone(report)));
        let parcels = self.parcels.values();
        let parcels = parcels.map(|held| Row::Parcel(Box::new(held.parcel.clone())));
        let receipts = self.receipts.iter();
        let receipts = receipts.map(|((reporter, thread), (at, receipt))| Row::Receipt {
            reporter: reporter.clone(),
            thread: thread.clone(),
            at: *at,
            receipt: receipt.clone(),
        });
        self.unstamped = self.parcels.keys().cloned().collect();
        reports.chain(parcels).chain(receipts).collect()
    }

    /// What is to be kept since the last time.
    #[must_use]
    pub fn take_rows(&mut self) -> Vec<Row> {
        let mut rows = std::mem::take(&mut self.rows);
        for id in std::mem::take(&mut self.changed) {
            if let Some(held) = self.parcels.get(&id) {
                rows.push(Row::Parcel(Box::new(held.parcel.clone())));
                self.unstamped.push(id);
            }
        }
        rows
    }

    /// What [`Self::take_rows`] gave is committed with that.
    pub fn stamp(&mut self, ticket: Ticket) {
        for id in std::mem::take(&mut self.unstamped) {
            if let Some(held) = self.parcels.get_mut(&id) {
                held.ticket = Some(ticket);
            }
        }
    }

    /// An incident as it is now: what waits tells of it as it is when it is sent.
    pub fn learn(&mut self, incident: &Arc<Incident>) {
        if let Some(known) = self.incidents.get_mut(&incident.id) {
            *known = Arc::clone(incident);
        }
    }

    /// Those of a channel, in no special order.
    pub(super) fn of(&self, reporter: &str) -> impl Iterator<Item = &Held> {
        let all = self.parcels.values();
        all.filter(move |held| held.parcel.reporter == reporter)
    }

    pub(super) fn add(
        &mut self,
        kind: &str,
        reporter: &str,
        content: ParcelContent,
        now: Timestamp,
        due_at: Timestamp,
    ) -> String {
        // The same for the same message, whatever becomes of it, and different for each channel.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to 65,535"
        )]
        let channel = (share(reporter, 0) * 65_536.0) as u32;
        let stamp = now.format("%Y%m%dT%H%M%S%3fZ");
        let base = format!("{kind}-{stamp}-{channel:04x}");
        let mut id = base.clone();
        let mut others = 1;
        while self.parcels.contains_key(&id) {
            others += 1;
            id = format!("{base}-{others}");
        }
        let parcel = Parcel {
            id: id.clone(),
            reporter: reporter.to_owned(),
            content,
            revision: 0,
            created_at: now,
            due_at,
            tries: 0,
            last_error: None,
            in_doubt: false,
            dead_at: None,
        };
        let held = Held {
            parcel,
            under_way: false,
            ticket: None,
        };
        self.parcels.insert(id.clone(), held);
        self.changed.insert(id.clone());
        id
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<Held> {
        let held = self.parcels.remove(id)?;
        self.changed.remove(id);
        self.rows.push(Row::ParcelGone(id.to_owned()));
        Some(held)
    }

    pub(super) fn touch(&mut self, id: &str) {
        self.changed.insert(id.to_owned());
    }

    /// Incidents and reports that no parcel tells of are not needed any more.
    pub(super) fn forget_what_nothing_tells_of(&mut self) {
        let told: HashSet<IncidentId> = self.parcels.values().flat_map(Held::incidents).collect();
        self.incidents.retain(|id, _| told.contains(id));
        let parcels = self.parcels.values();
        let told: HashSet<&String> = parcels
            .filter_map(|held| match &held.parcel.content {
                ParcelContent::Report { id } => Some(id),
                _ => None,
            })
            .collect();
        let rows = &mut self.rows;
        self.reports.retain(|id, _| {
            let is_told = told.contains(id);
            if !is_told {
                rows.push(Row::ReportGone(id.clone()));
            }
            is_told
        });
    }

    /// A clock that was set back must not put off what is due.
    pub(super) fn advance(&mut self, now: Timestamp) {
        let back = self.now - now;
        if back > TimeDelta::seconds(2) && self.now != Timestamp::UNIX_EPOCH {
            for held in self.parcels.values_mut() {
                held.parcel.due_at -= back;
                held.parcel.created_at -= back;
            }
            for pace in self.paces.values_mut() {
                pace.shift(-back);
            }
        }
        self.now = now;
    }

    /// How messages get out, in figures.
    #[must_use]
    pub fn summary(&self) -> DeliverySummary {
        let (dead, waiting): (Vec<_>, Vec<_>) =
            (self.parcels.values()).partition(|held| held.parcel.dead_at.is_some());
        DeliverySummary {
            waiting: waiting.len(),
            dead: dead.len(),
            oldest_waiting_at: waiting.iter().map(|held| held.parcel.created_at).min(),
        }
    }

    /// All messages, oldest first.
    #[must_use]
    pub fn parcels(&self) -> Vec<&Parcel> {
        let mut all: Vec<&Parcel> = self.parcels.values().map(|held| &held.parcel).collect();
        all.sort_by_key(|parcel| (parcel.created_at, parcel.id.clone()));
        all
    }
}

/// What the monitor has to say of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelfNote {
    /// What it is about.
    pub about: String,
    /// In one line.
    pub title: String,
    /// How bad it is.
    pub tone: Status,
    /// More of it, a line each.
    pub lines: Vec<String>,
    /// Whether somebody must hear of it now.
    pub rings: bool,
}
