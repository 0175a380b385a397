//! What targets in trouble have in common, declared or not.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::class::Class;
use super::picture::Suspect;
use super::relations::{Member, Relations};
use super::symptoms::Sign;
use super::timing::{Moment, together};

/// So many that fail alike at the same time, and have nothing else in common, have something in common that nobody told us of.
const ENOUGH_ALIKE: usize = 3;

/// Where many are watched it takes one in so many.
const ALIKE_OF_MANY: usize = 100;

/// How sure it must be that they failed at the same time.
const TOGETHER: f64 = 0.9;

/// What the members of a set have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Common {
    /// A machine.
    Home {
        /// It is watched, and nothing is wrong with it.
        is_well: bool,
    },
    /// Something declared or known that may fail as one.
    Group,
    /// Names whose servers are the same.
    Zone,
    /// A line: they fell silent together.
    Line,
    /// A certificate that ended, or a login that is not accepted any more: they fail so together.
    Credentials,
    /// Somebody in trouble who needs them all.
    Client,
    /// The machine that looks at them: they became slow together.
    Watcher,
}

/// Targets that have something in common.
pub(super) struct Set {
    pub(super) common: Common,
    pub(super) members: Vec<Member>,
}

impl<'a> Relations<'a> {
    /// Finds all of them, where these are watched.
    pub(super) fn find_sets(&mut self, suspects: &'a [Suspect]) {
        let watched = suspects.len();
        self.find_shared(suspects);
        self.find_zones();
        self.find_silent_together(watched);
        self.find_credentials();
        self.find_clients();
        self.find_watched(watched);
    }

    /// Notes a set, unless it is one of one.
    fn share(&mut self, common: Common, members: Vec<Member>) {
        if members.len() < 2 {
            return;
        }
        for member in &members {
            self.affected[*member].sets.push(self.sets.len());
        }
        self.sets.push(Set { common, members });
    }

    /// Machines, and what is declared or known to fail as one.
    fn find_shared(&mut self, suspects: &'a [Suspect]) {
        let mut homes: BTreeMap<&str, Vec<Member>> = BTreeMap::new();
        let mut groups: BTreeMap<&str, Vec<Member>> = BTreeMap::new();
        for (member, one) in self.affected.iter().enumerate() {
            let suspect: &'a Suspect = one.suspect;
            if let Some(home) = &suspect.home {
                homes.entry(home).or_default().push(member);
            }
            for group in suspect.groups.iter().collect::<BTreeSet<_>>() {
                groups.entry(group).or_default().push(member);
            }
        }
        let well = suspects.iter();
        let well = well.filter(|suspect| suspect.is_machine && suspect.symptoms.is_empty());
        let well: HashSet<&str> = well.filter_map(|one| one.home.as_deref()).collect();
        for (home, members) in homes {
            let is_well = well.contains(home);
            self.share(Common::Home { is_well }, members);
        }
        for members in groups.into_values() {
            self.share(Common::Group, members);
        }
    }

    /// Names of one zone are answered for by the same servers.
    fn find_zones(&mut self) {
        let mut zones: BTreeMap<&str, Vec<Member>> = BTreeMap::new();
        for (member, one) in self.affected.iter().enumerate() {
            let suspect: &'a Suspect = one.suspect;
            let (_, zone) = (suspect.home.as_deref())
                .and_then(|home| home.split_once('.'))
                .unwrap_or_default();
            let mut moments = one.moments.iter();
            let is_about_names = moments.any(|(_, moment)| moment.symptom.class == Class::Name);
            if zone.contains('.') && is_about_names {
                zones.entry(zone).or_default().push(member);
            }
        }
        for members in zones.into_values() {
            self.share(Common::Zone, members);
        }
    }

    /// Those whose hosts fell silent, or became hard to reach, at about the same time as those of others.
    ///
    /// Three of eight have our line in common; of ten thousand three fall silent in the same minutes each day, and all the others
    /// that answer speak for the line.
    fn find_silent_together(&mut self, watched: usize) {
        let enough = ENOUGH_ALIKE.max(watched / ALIKE_OF_MANY);
        let silent = self.with(|moment| match moment.symptom.class {
            Class::Gone | Class::Name | Class::Reach => true,
            Class::Monitor => moment.symptom.is_our_network(),
            _ => false,
        });
        let mut numbers: HashMap<Option<&str>, usize> = HashMap::new();
        let homes = silent.iter().map(|(member, _)| {
            let next = numbers.len();
            let home = self.affected[*member].suspect.home.as_deref();
            *numbers.entry(home).or_insert(next)
        });
        let homes: Vec<usize> = homes.collect();
        // For whom each home was counted last.
        let mut counted_for: Vec<Option<Member>> = vec![None; numbers.len()];
        let mut members: Vec<Member> = Vec::new();
        for (member, moment) in &silent {
            let mut count = 0;
            for ((_, near), home) in silent.iter().zip(&homes) {
                let is_counted = counted_for[*home] == Some(*member);
                if !is_counted && together(moment, near) >= TOGETHER {
                    counted_for[*home] = Some(*member);
                    count += 1;
                }
                if count >= enough {
                    members.push(*member);
                    break;
                }
            }
        }
        self.share(Common::Line, members);
    }

    /// Certificates that end in the same minutes are one certificate; who is refused in many places at once has one login; and
    /// what is our own trouble has us in common, wherever we look.
    fn find_credentials(&mut self) {
        for class in [Class::Certificate, Class::Access, Class::Monitor] {
            let failed = self.with(|moment| {
                moment.symptom.class == class && moment.symptom.sign == Sign::Failure
            });
            let members = failed.iter().filter(|(_, moment)| {
                let near = failed
                    .iter()
                    .filter(|(_, other)| together(moment, other) >= TOGETHER);
                near.take(ENOUGH_ALIKE).count() >= ENOUGH_ALIKE
            });
            let members = members.map(|(member, _)| *member).collect();
            self.share(Common::Credentials, members);
        }
    }

    /// Many that became slow together, and the machine that measures how slow they are.
    fn find_watched(&mut self, watched: usize) {
        let watchers = self.affected.iter().enumerate();
        let watchers = watchers.filter(|(_, one)| one.is_the_watcher());
        let mut members: Vec<Member> = watchers.map(|(member, _)| member).collect();
        if members.is_empty() {
            return;
        }
        let enough = ENOUGH_ALIKE.max(watched / ALIKE_OF_MANY);
        let mut slow = self.with(|moment| {
            matches!(
                moment.symptom.class,
                Class::Slow | Class::Reach | Class::Name
            )
        });
        slow.retain(|(member, _)| !members.contains(member));
        let together = slow.iter().filter(|(_, moment)| {
            let near = slow
                .iter()
                .filter(|(_, other)| together(moment, other) >= TOGETHER);
            near.take(enough).count() >= enough
        });
        members.extend(together.map(|(member, _)| *member));
        self.share(Common::Watcher, members);
    }

    /// What one in trouble needs has that one in common.
    fn find_clients(&mut self) {
        // A thousand endpoints may need the same two.
        let mut served_by: Vec<Vec<Member>> = (self.affected.iter())
            .map(|one| one.served_by.clone())
            .collect();
        // The container that is called as it is runs it.
        for (member, one) in self.affected.iter().enumerate() {
            for named in &one.names {
                served_by[*named].push(member);
            }
        }
        let served_by: BTreeSet<Vec<Member>> = (served_by.into_iter())
            .map(|mut members| {
                members.sort_unstable();
                members.dedup();
                members
            })
            .collect();
        for members in served_by {
            self.share(Common::Client, members);
        }
    }

    /// The first such symptom of each.
    fn with(&self, is_it: impl Fn(&Moment<'a>) -> bool) -> Vec<(Member, Moment<'a>)> {
        let found = self
            .affected
            .iter()
            .enumerate()
            .filter_map(|(member, one)| {
                let mut moments = one.moments.iter().map(|(_, moment)| *moment);
                Some((member, moments.find(&is_it)?))
            });
        found.collect()
    }
}
