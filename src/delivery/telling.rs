//! From what people must hear to messages: who hears of it, what waits takes it along, and what is too much is told together.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::audience::Channel;
use super::outbox::{Held, Outbox, SelfNote, thread_of};
use super::pace::{SINGLES, Voice};
use crate::incidents::{Announcement, Audience, Level};
use crate::model::{
    Event, EventKind, Explanation, Incident, IncidentId, ParcelContent, Report, Status, Timestamp,
};
use crate::render::explanation::{WORDS_TITLE, words_of_the_last_report};
use crate::store::Row;

/// Whether a language model has put an incident into words for the first time: where no message can be edited they follow,
/// once.
fn are_first_words(incident: &Incident, events: &[Event]) -> bool {
    let is_worded = |event: &&Event| event.kind == EventKind::Worded;
    events.iter().any(|event| is_worded(&event))
        && incident.events.iter().filter(is_worded).count() <= 1
}

impl Outbox {
    /// Makes messages of what people must hear.
    pub fn tell(&mut self, announcement: Announcement, now: Timestamp) {
        self.advance(now);
        match announcement {
            Announcement::Incident {
                incident,
                events,
                audience,
            } => {
                let rings = events.iter().any(|event| event.rings);
                let follows = are_first_words(&incident, &events);
                for name in self.audience(|channel, levels, was_told| {
                    (rings || follows || channel.takes_updates)
                        && channel.hears(&incident, audience, levels, was_told(&incident))
                }) {
                    self.put(&name, incident.id, events.clone(), now);
                    let known = Arc::clone(&incident);
                    self.incidents.insert(incident.id, known);
                }
            }
            Announcement::QuietEnded { quiets, unsaid } => self.tell_unsaid(&quiets, &unsaid, now),
        }
    }

    /// The names of the channels for which that is so.
    fn audience(
        &self,
        is_for: impl Fn(&Channel, &[Level], &dyn Fn(&Incident) -> bool) -> bool,
    ) -> Vec<String> {
        let channels = self.terms.channels.iter().filter(|channel| {
            let was_told = |incident: &Incident| {
                let key = (channel.name.clone(), thread_of(incident.id));
                self.receipts.contains_key(&key)
            };
            is_for(channel, &self.terms.levels, &was_told)
        });
        channels.map(|channel| channel.name.clone()).collect()
    }

    fn tell_unsaid(
        &mut self,
        quiets: &[String],
        unsaid: &[(Arc<Incident>, Vec<Event>)],
        now: Timestamp,
    ) {
        let everyone = Audience::Everyone;
        let mut heard: BTreeMap<String, Vec<(IncidentId, Vec<Event>)>> = BTreeMap::new();
        for (incident, events) in unsaid {
            for name in self.audience(|channel, levels, was_told| {
                channel.hears(incident, everyone, levels, was_told(incident))
            }) {
                let all = heard.entry(name).or_default();
                all.push((incident.id, events.clone()));
                self.incidents.insert(incident.id, Arc::clone(incident));
            }
        }
        for (reporter, unsaid) in heard {
            let quiets = quiets.to_vec();
            let content = ParcelContent::Quiet { quiets, unsaid };
            self.add("quiet", &reporter, content, now, now);
        }
    }

    /// Tells of an incident: with what waits already where that can be, and of many together where there are too many.
    pub(super) fn put(
        &mut self,
        reporter: &str,
        incident: IncidentId,
        mut events: Vec<Event>,
        now: Timestamp,
    ) {
        let voice = Voice::of(&events);
        let mut began_at = now;
        if let Some(held) = self.waiting(reporter, |held| held.incidents().contains(&incident)) {
            let id = held.parcel.id.clone();
            // Where a channel is in trouble, nothing gets out sooner by itself.
            if held.voice() >= voice || held.parcel.tries > 0 {
                self.take_along(&id, incident, events);
                return;
            }
            began_at = held.parcel.created_at;
            let mut earlier = self.take_out(&id, incident);
            earlier.append(&mut events);
            events = earlier;
        }
        let has_message = (self.receipts).contains_key(&(reporter.to_owned(), thread_of(incident)));
        let is_fit = |held: &Held| match &held.parcel.content {
            ParcelContent::Incidents { .. } if voice == Voice::Quiet => !has_message,
            ParcelContent::Incidents { .. } => {
                held.voice() == voice || held.voice() > voice && held.parcel.tries > 0
            }
            _ => false,
        };
        if let Some(held) = self.waiting(reporter, is_fit) {
            let id = held.parcel.id.clone();
            self.take_along(&id, incident, events);
            return;
        }
        let singles: Vec<String> = (self.of(reporter))
            .filter(|held| held.is_open() && held.voice() == voice)
            .filter(|held| matches!(held.parcel.content, ParcelContent::Incident { .. }))
            .map(|held| held.parcel.id.clone())
            .collect();
        let pace = self.paces.entry(reporter.to_owned()).or_default();
        let edits = self.terms.channels.iter();
        let edits = edits.filter(|channel| channel.takes_updates);
        let edits = edits
            .map(|channel| &channel.name)
            .any(|name| name == reporter);
        // What is there is brought up to date where it is. How often, is decided when it is sent.
        let is_alone = if voice == Voice::Quiet {
            has_message || !edits
        } else {
            pace.has_room(voice, incident, singles.len(), now)
        };
        if is_alone {
            let content = ParcelContent::Incident {
                id: incident,
                events,
            };
            let id = self.add(&format!("i{incident}"), reporter, content, now, now);
            self.note_began(&id, began_at);
            return;
        }
        let mut of = vec![(incident, events)];
        if voice > Voice::Quiet {
            for single in singles {
                if let Some(held) = self.remove(&single)
                    && let ParcelContent::Incident { id, events } = held.parcel.content
                {
                    began_at = began_at.min(held.parcel.created_at);
                    take_into(&mut of, id, events);
                }
            }
        }
        let id = self.put_together(reporter, voice, of, now);
        self.note_began(&id, began_at);
    }

    /// Tells of all of these at once, which are no news to each other: more than can be told one by one are one message.
    pub(super) fn put_all(
        &mut self,
        reporter: &str,
        all: Vec<(IncidentId, Vec<Event>)>,
        now: Timestamp,
    ) {
        let mut of: Vec<(IncidentId, Vec<Event>)> = Vec::new();
        for (incident, events) in all {
            if (self.waiting(reporter, |held| held.incidents().contains(&incident))).is_some() {
                self.put(reporter, incident, events, now);
            } else {
                take_into(&mut of, incident, events);
            }
        }
        if of.len() > SINGLES {
            let voice = Voice::of(of.iter().flat_map(|(_, events)| events));
            self.put_together(reporter, voice, of, now);
            return;
        }
        for (incident, events) in of {
            self.put(reporter, incident, events, now);
        }
    }

    fn put_together(
        &mut self,
        reporter: &str,
        voice: Voice,
        mut of: Vec<(IncidentId, Vec<Event>)>,
        now: Timestamp,
    ) -> String {
        of.sort_by_key(|(id, _)| *id);
        let pace = self.paces.entry(reporter.to_owned()).or_default();
        let due_at = pace.together_from(voice, now);
        self.add(
            "many",
            reporter,
            ParcelContent::Incidents { of },
            now,
            due_at,
        )
    }

    /// How long it has been waited for counts from there.
    fn note_began(&mut self, parcel: &str, at: Timestamp) {
        if let Some(held) = self.parcels.get_mut(parcel) {
            held.parcel.created_at = at;
        }
    }

    /// A message about incidents that may still take something along.
    fn waiting(&self, reporter: &str, is_it: impl Fn(&Held) -> bool) -> Option<&Held> {
        let open = self.of(reporter).filter(|held| held.is_open());
        let mut open = open.filter(|held| {
            matches!(
                held.parcel.content,
                ParcelContent::Incident { .. } | ParcelContent::Incidents { .. }
            )
        });
        open.find(|held| is_it(held))
    }

    /// What a message that waits would have told of an incident, which is told elsewhere now.
    fn take_out(&mut self, parcel: &str, incident: IncidentId) -> Vec<Event> {
        let Some(held) = self.parcels.get_mut(parcel) else {
            return Vec::new();
        };
        if let ParcelContent::Incidents { of } = &mut held.parcel.content
            && of.len() > 1
        {
            let place = of.iter().position(|(id, _)| *id == incident);
            let taken = place.map(|place| of.remove(place).1);
            held.parcel.revision += 1;
            self.touch(parcel);
            return taken.unwrap_or_default();
        }
        match self.remove(parcel).map(|held| held.parcel.content) {
            Some(ParcelContent::Incident { events, .. }) => events,
            Some(ParcelContent::Incidents { of }) => {
                of.into_iter().flat_map(|(_, events)| events).collect()
            }
            _ => Vec::new(),
        }
    }

    fn open_parcel(
        &self,
        reporter: &str,
        is_it: impl Fn(&ParcelContent) -> bool,
    ) -> Option<String> {
        let mut all = self.of(reporter).filter(|held| held.is_open());
        let found = all.find(|held| is_it(&held.parcel.content))?;
        Some(found.parcel.id.clone())
    }

    /// A message that waits tells of that too.
    pub(super) fn take_along(&mut self, parcel: &str, incident: IncidentId, events: Vec<Event>) {
        let Some(held) = self.parcels.get_mut(parcel) else {
            return;
        };
        match &mut held.parcel.content {
            ParcelContent::Incident { events: known, .. } => {
                known.extend(events);
                known.sort_by_key(|event| event.at);
            }
            ParcelContent::Incidents { of } => take_into(of, incident, events),
            _ => return,
        }
        held.parcel.revision += 1;
        self.touch(parcel);
    }

    /// A round report: for all channels that get them, or for one. A report that still waits is part of the new one.
    pub fn report(&mut self, report: &Arc<Report>, only_to: Option<&str>, now: Timestamp) {
        self.advance(now);
        let names = match only_to {
            Some(name) => vec![name.to_owned()],
            None => self.audience(|channel, _, _| channel.wants_digest()),
        };
        // Channels that are equally far behind get the same.
        let mut made: HashMap<Option<String>, String> = HashMap::new();
        for name in names {
            let earlier = self.take_unsent_report(&name);
            let key = earlier.as_ref().map(|(id, _)| id.clone());
            let id = made.get(&key).cloned().unwrap_or_else(|| {
                let report = match earlier {
                    Some((_, earlier)) => Arc::new(Report::clone(report).merged_over(&earlier)),
                    None => Arc::clone(report),
                };
                self.keep_report(report)
            });
            made.insert(key, id.clone());
            let kind = format!("r{}", report.round.id);
            self.add(&kind, &name, ParcelContent::Report { id }, now, now);
        }
        self.forget_what_nothing_tells_of();
    }

    /// Takes out the oldest report that a channel has not got, and drops those after it.
    fn take_unsent_report(&mut self, reporter: &str) -> Option<(String, Arc<Report>)> {
        let unsent = self.of(reporter).filter(|held| {
            let is_report = matches!(held.parcel.content, ParcelContent::Report { .. });
            is_report && (held.is_open() || held.parcel.dead_at.is_some())
        });
        let mut ids: Vec<(Timestamp, String)> = unsent
            .map(|held| (held.parcel.created_at, held.parcel.id.clone()))
            .collect();
        ids.sort();
        let removed: Vec<Held> = (ids.iter()).filter_map(|(_, id)| self.remove(id)).collect();
        let ParcelContent::Report { id } = &removed.first()?.parcel.content else {
            return None;
        };
        Some((id.clone(), Arc::clone(self.reports.get(id)?)))
    }

    fn keep_report(&mut self, report: Arc<Report>) -> String {
        let base = report.round.id.clone();
        let mut id = base.clone();
        let mut others = 1;
        while self.reports.contains_key(&id) {
            others += 1;
            id = format!("{base}.{others}");
        }
        self.rows.push(Row::Report(id.clone(), Arc::clone(&report)));
        self.reports.insert(id.clone(), report);
        id
    }

    /// How much of that time each target was up, for all channels that get round reports.
    pub fn uptime(&mut self, from: Timestamp, to: Timestamp) {
        self.advance(to);
        for name in self.audience(|channel, _, _| channel.wants_digest()) {
            let same = |content: &ParcelContent| matches!(content, ParcelContent::Uptime { .. });
            let unsent = self.of(&name).filter(|held| {
                same(&held.parcel.content) && (held.is_open() || held.parcel.dead_at.is_some())
            });
            let ids: Vec<String> = unsent.map(|held| held.parcel.id.clone()).collect();
            for id in ids {
                self.remove(&id);
            }
            self.add("uptime", &name, ParcelContent::Uptime { from, to }, to, to);
        }
    }

    /// What a language model said of the newest round report, for all channels that get them.
    pub fn follow(&mut self, explanation: &Explanation, now: Timestamp) {
        self.advance(now);
        for name in self.audience(|channel, _, _| channel.wants_digest()) {
            let content = ParcelContent::Note {
                about: "analysis".to_owned(),
                title: WORDS_TITLE.to_owned(),
                tone: Status::Unknown,
                lines: words_of_the_last_report(explanation),
                rings: false,
            };
            self.add("analysis", &name, content, now, now);
        }
    }

    /// What the monitor has to say of itself, for all channels but one. A newer note about the same takes its place.
    pub fn note(&mut self, note: &SelfNote, but: Option<&str>, now: Timestamp) {
        self.advance(now);
        let names = self.audience(|channel, levels, _| {
            channel.hears_of_us(levels) && but != Some(channel.name.as_str())
        });
        for name in names {
            let same = |content: &ParcelContent| matches!(content, ParcelContent::Note { about, .. } if *about == note.about);
            if let Some(id) = self.open_parcel(&name, same) {
                self.remove(&id);
            }
            let content = ParcelContent::Note {
                about: note.about.clone(),
                title: note.title.clone(),
                tone: note.tone,
                lines: note.lines.clone(),
                rings: note.rings,
            };
            self.add("note", &name, content, now, now);
        }
    }
}

fn take_into(of: &mut Vec<(IncidentId, Vec<Event>)>, incident: IncidentId, events: Vec<Event>) {
    match of.binary_search_by_key(&incident, |(id, _)| *id) {
        Ok(index) => {
            if let Some((_, known)) = of.get_mut(index) {
                known.extend(events);
                known.sort_by_key(|event| event.at);
            }
        }
        Err(index) => of.insert(index, (incident, events)),
    }
}
