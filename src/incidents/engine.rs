//! The state machine: what a look changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta};

use super::facts::{Facts, Family};
use super::marks::Marks;
use super::{Announcement, Policy, Quiet, Record, Step, Wanted};
use crate::model::{Incident, IncidentId, Member, Sort, Timestamp};

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
    pub(super) dirty_marks: BTreeSet<String>,
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

    /// Whether anything is remembered of a target: a good look at one of which nothing is says nothing new.
    #[must_use]
    pub fn knows(&self, target: &str) -> bool {
        let has_place = |sort| self.places.contains_key(&(target.to_owned(), sort));
        self.marks.contains_key(target) || has_place(Sort::Problem) || has_place(Sort::Unmeasured)
    }

    /// The targets of which anything is remembered.
    #[must_use]
    pub fn targets(&self) -> BTreeSet<String> {
        let places = self.places.keys().map(|(target, _)| target);
        places.chain(self.marks.keys()).cloned().collect()
    }

    /// A target that is watched.
    #[must_use]
    pub fn facts(&self, target: &str) -> Option<&Facts> {
        self.family.get(target)
    }

    /// The targets that are in any of these groups.
    #[must_use]
    pub fn facts_of_group(&self, groups: &[String]) -> Vec<Facts> {
        let all = self.family.iter();
        let all = all.filter(|facts| facts.groups.iter().any(|group| groups.contains(group)));
        all.cloned().collect()
    }

    /// All targets that are watched.
    #[must_use]
    pub fn family(&self) -> &Family {
        &self.family
    }

    /// A target that was found while running.
    pub fn meet(&mut self, facts: Facts) {
        self.family.add(facts);
    }

    pub(super) fn member_mut(&mut self, id: IncidentId, place: &Place) -> Option<&mut Member> {
        self.dirty.insert(id);
        self.member_unkept(id, place)
    }

    /// The same for what the next look says anew: it need not be kept.
    pub(super) fn member_unkept(&mut self, id: IncidentId, place: &Place) -> Option<&mut Member> {
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

/// Whether anything can still come of it.
fn is_live(incident: &Incident) -> bool {
    let unsaid = |member: &Member| !member.unsaid.is_empty();
    incident.is_open() || incident.notice.is_some() || incident.members.iter().any(unsaid)
}
