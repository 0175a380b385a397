//! Who may have to do with whom. Pairs are found by what they have in common, never by trying each with all: of ten thousand
//! targets a thousand may be in trouble at once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use super::chances::{CHANCES, Chances, MOST_STEPS};
use super::common::Set;
use super::picture::Suspect;
use super::symptoms::Sign;
use super::timing::Moment;
use crate::model::Timestamp;

/// So many symptoms of one target are looked at. A host with hundreds of containers may have hundreds, which say the same.
const MOST_SYMPTOMS: usize = 16;

/// A target in trouble, by its number among those in trouble.
pub(super) type Member = usize;

/// A symptom, by the number of its target among those in trouble and its own among that target's.
pub(super) type Place = (Member, usize);

/// A target in trouble.
pub(super) struct Affected<'a> {
    /// Its place in the picture.
    pub(super) place: usize,
    pub(super) suspect: &'a Suspect,
    /// Its symptoms, with their places.
    pub(super) moments: Vec<(usize, Moment<'a>)>,
    /// How much its trouble counts.
    pub(super) weight: f64,
    /// What it has in common with others; sorted.
    pub(super) sets: Vec<usize>,
    /// What it needs, and over how many steps; sorted.
    pub(super) needs: Vec<(Member, u32)>,
    /// What needs it.
    pub(super) needed_by: Vec<Member>,
    /// What its symptoms name.
    pub(super) names: Vec<Member>,
    /// What it needs itself, and the machines below that, but for its own; sorted.
    pub(super) served_by: Vec<Member>,
}

impl<'a> Affected<'a> {
    /// Whether it is the machine that we run on.
    pub(super) fn is_the_watcher(&self) -> bool {
        self.suspect.kind == "local_hosts"
    }

    fn new(place: usize, suspect: &'a Suspect, now: Timestamp, names: &HashSet<&str>) -> Self {
        let moments = suspect.symptoms.iter().enumerate();
        let moments = moments.map(|(index, symptom)| (index, Moment::new(suspect, symptom, now)));
        let mut moments: Vec<(usize, Moment<'a>)> = moments.collect();
        let weights = moments.iter().map(|(_, moment)| moment.weight);
        let weight = weights.fold(0.0, f64::max);
        if moments.len() > MOST_SYMPTOMS {
            moments.sort_by(|(_, one), (_, other)| {
                let measured = |moment: &Moment<'_>| moment.symptom.sign != Sign::Failure;
                let is_nobody = |moment| subject(moment).is_none_or(|name| !names.contains(name));
                (measured(one).cmp(&measured(other)))
                    .then(is_nobody(one).cmp(&is_nobody(other)))
                    .then(other.weight.total_cmp(&one.weight))
                    .then(one.symptom.seen_at.cmp(&other.symptom.seen_at))
                    .then(one.symptom.sign.cmp(&other.symptom.sign))
            });
            moments.truncate(MOST_SYMPTOMS);
            moments.sort_by_key(|(index, _)| *index);
        }
        Self {
            place,
            suspect,
            moments,
            weight,
            sets: Vec::new(),
            needs: Vec::new(),
            needed_by: Vec::new(),
            names: Vec::new(),
            served_by: Vec::new(),
        }
    }
}

/// What a symptom is about, such as a container.
pub(super) fn subject<'a>(moment: &Moment<'a>) -> Option<&'a str> {
    match &moment.symptom.sign {
        Sign::Metric { subject, .. } => subject.as_deref(),
        Sign::Failure => None,
    }
}

/// The targets in trouble, and what they have to do with each other.
///
/// They are numbered in the order of their names, so that nothing hangs on the order in which they are given.
pub(super) struct Relations<'a> {
    pub(super) affected: Vec<Affected<'a>>,
    pub(super) sets: Vec<Set>,
    pub(super) chances: &'static Chances,
}

impl<'a> Relations<'a> {
    pub(super) fn new(suspects: &'a [Suspect], now: Timestamp) -> Self {
        let ill = suspects.iter().enumerate();
        let ill = ill.filter(|(_, suspect)| !suspect.symptoms.is_empty());
        let names: HashSet<&str> = (ill.clone())
            .map(|(_, suspect)| suspect.name.as_str())
            .collect();
        let mut affected: Vec<Affected<'a>> = ill
            .map(|(place, suspect)| Affected::new(place, suspect, now, &names))
            .collect();
        affected.sort_by(|one, other| one.suspect.target.cmp(&other.suspect.target));
        let mut relations = Self {
            affected,
            sets: Vec::new(),
            chances: &CHANCES,
        };
        relations.find_needs(suspects);
        relations.find_names();
        relations.find_sets(suspects);
        relations
    }

    fn find_needs(&mut self, suspects: &[Suspect]) {
        let places: HashMap<&str, usize> = (suspects.iter().enumerate())
            .map(|(place, suspect)| (suspect.target.as_str(), place))
            .collect();
        let mut members: Vec<Option<Member>> = vec![None; suspects.len()];
        let mut machines: HashMap<&str, Vec<Member>> = HashMap::new();
        for (member, one) in self.affected.iter().enumerate() {
            if let Some(known) = members.get_mut(one.place) {
                *known = Some(member);
            }
            if let Some(home) = one
                .suspect
                .home
                .as_deref()
                .filter(|_| one.suspect.is_machine)
            {
                machines.entry(home).or_default().push(member);
            }
        }
        let parents_of = |place: usize| {
            let parents = suspects.get(place).map_or(&[][..], |one| &one.parents);
            parents
                .iter()
                .filter_map(|parent| places.get(parent.as_str()).copied())
        };
        // By whom each was visited last: a set for each of a thousand would take longer than the walk.
        let mut visited_by: Vec<Option<Member>> = vec![None; suspects.len()];
        for effect in 0..self.affected.len() {
            let from = self.affected[effect].place;
            visited_by[from] = Some(effect);
            let mut waiting = VecDeque::from([(from, 0_u32)]);
            let mut needs: BTreeMap<Member, u32> = BTreeMap::new();
            let mut on_machines: BTreeMap<Member, u32> = BTreeMap::new();
            let mut served_by: BTreeSet<Member> = BTreeSet::new();
            let own_home = suspects[from].home.as_deref();
            while let Some((place, steps)) = waiting.pop_front() {
                for parent in parents_of(place).filter(|_| steps + 1 < MOST_STEPS) {
                    if visited_by[parent] == Some(effect) {
                        continue;
                    }
                    visited_by[parent] = Some(effect);
                    waiting.push_back((parent, steps + 1));
                    if let Some(member) = members.get(parent).copied().flatten() {
                        needs.insert(member, steps + 1);
                        if steps == 0 {
                            served_by.insert(member);
                        }
                    }
                    // It needs something that runs on that machine, and so the machine.
                    let home = suspects.get(parent).and_then(|one| one.home.as_deref());
                    for machine in home
                        .and_then(|home| machines.get(home))
                        .into_iter()
                        .flatten()
                    {
                        if *machine != effect {
                            on_machines.entry(*machine).or_insert(steps + 2);
                            if steps == 0 {
                                served_by.insert(*machine);
                            }
                        }
                    }
                }
            }
            for (machine, steps) in on_machines {
                needs.entry(machine).or_insert(steps);
            }
            // Where its own machine is gone it asks nobody for anything.
            served_by.retain(|member| {
                let machine = self.affected[*member].suspect;
                !(machine.is_machine && own_home.is_some() && machine.home.as_deref() == own_home)
            });
            self.affected[effect].served_by = served_by.into_iter().collect();
            for cause in needs.keys() {
                self.affected[*cause].needed_by.push(effect);
            }
            self.affected[effect].needs = needs.into_iter().collect();
        }
    }

    fn find_names(&mut self) {
        let mut by_name: HashMap<&str, Vec<Member>> = HashMap::new();
        for (member, one) in self.affected.iter().enumerate() {
            by_name.entry(&one.suspect.name).or_default().push(member);
        }
        let named = self.affected.iter().enumerate().map(|(member, one)| {
            let subjects = one.moments.iter().filter_map(|(_, moment)| subject(moment));
            let named = subjects.filter_map(|subject| by_name.get(subject));
            let named: BTreeSet<Member> = named.flatten().copied().collect();
            named.into_iter().filter(|other| *other != member).collect()
        });
        let named: Vec<Vec<Member>> = named.collect();
        for (one, names) in self.affected.iter_mut().zip(named) {
            one.names = names;
        }
    }
}
