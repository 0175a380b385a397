//! Which looks are passed on, which are held, and which are turned into UNKNOWN. Pure: `now` is an argument.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use chrono::TimeDelta;

use super::Watched;
use super::silences::{SUSPICIOUS, Silences, Word, end_of};
use crate::clients::net::outside::is_private;
use crate::clients::net::own_network::Standing;
use crate::model::{Failure, Observation, Outage, RoundEvent, TargetId, Timestamp};

/// For how long an answer of the network is believed, so that a storm of failures asks once.
const BELIEVED_FOR: TimeDelta = TimeDelta::seconds(5);

/// What becomes of a look that got no answer.
enum Fate {
    Passed,
    Turned,
    /// Until it is known how our own network is.
    Held,
}

/// All that is known of our own network, and what waits for more.
pub(super) struct State {
    watched: Arc<Watched>,
    silences: Silences,
    /// Which hosts lie in private networks, as far as their names were looked up.
    private: HashMap<Arc<str>, bool>,
    /// Names that answered, and when, but of which it is not known yet where their hosts lie.
    unplaced: HashMap<Arc<str>, Timestamp>,
    /// Those of them that are still to be looked up.
    to_place: Vec<Arc<str>>,
    /// In their order; begins with a look that got no answer.
    held: VecDeque<RoundEvent>,
    held_targets: HashSet<TargetId>,
    is_asking: bool,
    standing: Option<(Standing, Timestamp)>,
    /// The newest outage, also when it is over.
    outage: Option<Outage>,
}

impl State {
    pub(super) fn new(watched: Arc<Watched>) -> Self {
        Self {
            watched,
            silences: Silences::default(),
            private: HashMap::new(),
            unplaced: HashMap::new(),
            to_place: Vec::new(),
            held: VecDeque::new(),
            held_targets: HashSet::new(),
            is_asking: false,
            standing: None,
            outage: None,
        }
    }

    /// Takes another configuration.
    pub(super) fn watch(&mut self, watched: Arc<Watched>, now: Timestamp) {
        self.silences.keep(|host| watched.has_host(host));
        self.private.retain(|host, _| watched.has_host(host));
        self.unplaced.retain(|host, _| watched.has_host(host));
        if !watched.is_on {
            self.end_outage(now);
        }
        self.watched = watched;
    }

    /// The newest outage, also when it is over.
    pub(super) fn outage(&self) -> Option<&Outage> {
        self.outage.as_ref()
    }

    pub(super) fn is_down(&self) -> bool {
        (self.outage.as_ref()).is_some_and(|outage| outage.until.is_none())
    }

    /// Whether it must be found out how our own network is; then [`Self::found_out`] is waited for.
    pub(super) fn is_asking(&self) -> bool {
        self.is_asking
    }

    /// Asks anew, though nothing came in.
    pub(super) fn ask(&mut self) {
        self.is_asking = true;
    }

    /// Names that are to be looked up, each once; [`Self::place`] takes what was found.
    pub(super) fn take_unplaced(&mut self) -> Vec<Arc<str>> {
        std::mem::take(&mut self.to_place)
    }

    /// Takes whether a host lies in a private network.
    pub(super) fn place(
        &mut self,
        host: Arc<str>,
        is_private: bool,
        now: Timestamp,
        ready: &mut Vec<RoundEvent>,
    ) {
        if let Some(at) = self.unplaced.remove(&host) {
            self.note_answer(&host, is_private, at, now, ready);
        }
        self.private.insert(host, is_private);
    }

    /// Takes what comes from the rounds. `ready` gets what can be passed on.
    pub(super) fn take(&mut self, event: RoundEvent, now: Timestamp, ready: &mut Vec<RoundEvent>) {
        let observation = match event {
            RoundEvent::Seen(observation) => observation,
            RoundEvent::Ended(round) => {
                self.silences.note_round(round.group, round.took);
                let event = RoundEvent::Ended(round);
                // Behind the looks that came before it.
                if self.held.is_empty() {
                    ready.push(event);
                } else {
                    self.held.push_back(event);
                }
                return;
            }
        };
        let watched = Arc::clone(&self.watched);
        let host = watched.host(&observation.target);
        let word = host.map_or(Word::Nothing, |_| Word::of(&observation));
        if let Some(host) = host {
            self.note(host, word, &observation, now, ready);
        }
        if self.held_targets.contains(&observation.target) {
            self.held.push_back(RoundEvent::Seen(observation));
            return;
        }
        let fate = match host {
            Some(host) if word == Word::Silent => self.fate(host, &observation, now),
            _ => Fate::Passed,
        };
        match fate {
            Fate::Passed => ready.push(RoundEvent::Seen(observation)),
            Fate::Turned => ready.push(RoundEvent::Seen(self.turned(observation))),
            Fate::Held => {
                self.is_asking = true;
                self.held_targets.insert(observation.target.clone());
                self.held.push_back(RoundEvent::Seen(observation));
            }
        }
    }

    fn note(
        &mut self,
        host: &Arc<str>,
        word: Word,
        observation: &Observation,
        now: Timestamp,
        ready: &mut Vec<RoundEvent>,
    ) {
        match word {
            Word::Nothing => {}
            Word::Silent => {
                let is_private = self.is_private(host);
                self.silences.note_silence(host, is_private, observation);
            }
            Word::Answered => {
                let at = end_of(observation);
                let is_private = self.place_of(host).unwrap_or_else(|| {
                    // Until it is known, it counts for as little as it may.
                    if self.unplaced.insert(Arc::clone(host), at).is_none() {
                        self.to_place.push(Arc::clone(host));
                    }
                    true
                });
                self.note_answer(host, is_private, at, now, ready);
            }
        }
    }

    fn note_answer(
        &mut self,
        host: &str,
        is_private: bool,
        at: Timestamp,
        now: Timestamp,
        ready: &mut Vec<RoundEvent>,
    ) {
        self.silences.note_answer(host, is_private, at);
        let is_of_before = |outage: &Outage| at < outage.since;
        if !is_private && !self.outage.as_ref().is_some_and(is_of_before) {
            self.end_outage(at.min(now));
        }
        if !self.held.is_empty() && !self.is_down() && self.silences.counted(now).0 == 0 {
            self.release(ready);
        }
    }

    /// Whether a host lies in a private network, if that is known.
    fn place_of(&self, host: &str) -> Option<bool> {
        let address = host.parse::<IpAddr>().ok().map(is_private);
        address.or_else(|| self.private.get(host).copied())
    }

    fn is_private(&self, host: &str) -> bool {
        self.place_of(host).unwrap_or(false)
    }

    fn fate(&mut self, host: &str, observation: &Observation, now: Timestamp) -> Fate {
        if !self.watched.is_on {
            return Fate::Passed;
        }
        if self.fell_into_the_past_outage(observation) {
            return Fate::Turned;
        }
        if self
            .silences
            .is_disproved(observation.at, self.is_private(host))
            || self.watched.distinct.len() < SUSPICIOUS
        {
            return Fate::Passed;
        }
        let is_believed = |(_, at): &&(Standing, Timestamp)| {
            let age = now.signed_duration_since(*at);
            age >= TimeDelta::zero() && age < BELIEVED_FOR
        };
        let believed = self.standing.as_ref().filter(is_believed);
        match believed.map(|(standing, _)| standing.clone()) {
            None => Fate::Held,
            Some(Standing::Down(proofs)) if self.suspect(&proofs, now) => Fate::Turned,
            Some(_) if self.is_down() => Fate::Turned,
            Some(_) => Fate::Passed,
        }
    }

    /// A look that was under way while our network was down says nothing, also when it ends later.
    fn fell_into_the_past_outage(&self, observation: &Observation) -> bool {
        let outage = self.outage.as_ref();
        outage.is_some_and(|outage| {
            let until = outage.until;
            until.is_some_and(|until| observation.at < until && end_of(observation) >= outage.since)
        })
    }

    /// Whether our network is down, given that all that we can ask says so.
    fn suspect(&mut self, proofs: &[String], now: Timestamp) -> bool {
        if self.is_down() {
            return true;
        }
        let (count, since) = self.silences.counted(now);
        let suspicious = count >= SUSPICIOUS;
        if suspicious {
            self.outage = Some(Outage {
                since: since.unwrap_or(now),
                until: None,
                proofs: proofs.to_vec(),
            });
        }
        suspicious
    }

    /// Takes what was found out about our own network.
    pub(super) fn found_out(
        &mut self,
        standing: Standing,
        now: Timestamp,
        ready: &mut Vec<RoundEvent>,
    ) {
        self.is_asking = false;
        match &standing {
            Standing::Up => self.end_outage(now),
            Standing::Down(proofs) => {
                self.suspect(proofs, now);
            }
            Standing::Unsure => {}
        }
        self.standing = Some((standing, now));
        self.release(ready);
    }

    fn end_outage(&mut self, at: Timestamp) {
        if let Some(outage) = (self.outage.as_mut()).filter(|outage| outage.until.is_none()) {
            outage.until = Some(at.max(outage.since));
            self.standing = None;
            self.silences.forget();
        }
    }

    /// Passes on all that is held, with what is known now.
    fn release(&mut self, ready: &mut Vec<RoundEvent>) {
        self.held_targets.clear();
        for event in std::mem::take(&mut self.held) {
            let event = match event {
                RoundEvent::Seen(observation) if self.is_ours(&observation) => {
                    RoundEvent::Seen(self.turned(observation))
                }
                event => event,
            };
            ready.push(event);
        }
    }

    /// Whether our network, not the target, is to blame for a look.
    fn is_ours(&self, observation: &Observation) -> bool {
        let Some(host) = self.watched.host(&observation.target) else {
            return false;
        };
        let disproved = || {
            self.silences
                .is_disproved(observation.at, self.is_private(host))
        };
        Word::of(observation) == Word::Silent
            && (self.fell_into_the_past_outage(observation) || (self.is_down() && !disproved()))
    }

    fn turned(&self, mut observation: Box<Observation>) -> Box<Observation> {
        if let Some(outage) = &self.outage {
            turn(&mut observation, outage);
        }
        observation
    }
}

/// Makes a look that got no answer one that says nothing of its target.
pub(super) fn turn(observation: &mut Observation, outage: &Outage) {
    if let Err(failure) = &mut observation.outcome {
        let is_or_was = if outage.until.is_none() { "is" } else { "was" };
        let message = format!(
            "our own network {is_or_was} down ({}), so that nothing is known of the target; the look itself said: {}",
            outage.proof(),
            failure.message
        );
        let hint = "look at the network of the machine that Roundsman runs on: its link, `ip route`, and its DNS servers";
        *failure = Failure::ours(message)
            .hint(hint)
            .seen(std::mem::take(&mut *failure.seen));
    }
}
