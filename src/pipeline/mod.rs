//! From observations to what is told: judge each, keep what it means, compose the report.

mod alerts;
mod causes;
mod conclude;
mod explaining;
mod found;
mod incidents;
mod inlets;
mod memory;
mod obey;
mod picture;
mod reports;
mod self_watch;
mod state;
mod usual;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::{mpsc, watch};

use crate::analysis::baseline::Baselines;
use crate::clock::Clock;
use crate::delivery::Mailroom;
use crate::model::{Observation, Outage, RoundEvent, Status, TargetId, Timestamp, Wish};
use crate::render::Told;
use crate::store::{Entry, Remembered, Store};
use crate::traces;
pub use alerts::network_alert;
pub use conclude::{Earlier, Past, conclude};
use explaining::{ASKED, Explaining};
pub use explaining::{about_incident, about_report, is_wanted};
use found::Sight;
pub use incidents::IncidentRules;
use incidents::Incidents;
pub use inlets::{Inlets, Judged, Outlets, Policy, ReportWhen, Watch};
use picture::{PICTURE, Picture};
use reports::TOLD;
use self_watch::SelfWatch;
use state::{Overview, State};

/// So much is taken in before what came of it is handed over.
const MOST_AT_ONCE: usize = 512;

/// How often it is looked whether anything happened by itself.
const TICK: Duration = Duration::from_secs(1);

/// For how long a silence that is over is still listed.
const ENDED_SILENCES: TimeDelta = TimeDelta::days(1);

/// Between two looks at a target while some are not GREEN, and while a critical one is RED: the predecessor's figures.
const PACE_DEGRADED: TimeDelta = TimeDelta::seconds(15);
const PACE_UNHEALTHY: TimeDelta = TimeDelta::seconds(5);

/// What people were told last, and when, as the store has it.
#[must_use]
pub fn told(remembered: &Remembered) -> Option<(Timestamp, Told)> {
    (remembered.notes.get(TOLD)).and_then(|json| memory::read_told(json))
}

/// The one owner of all that is known of targets.
pub struct Pipeline {
    policy: Policy,
    states: HashMap<TargetId, State>,
    /// Those that were found, by the one that found them.
    found: HashMap<TargetId, HashSet<TargetId>>,
    overview: Overview,
    store: Arc<Store>,
    generation: u64,
    /// What people were told last, and when.
    told: Option<(Timestamp, Told)>,
    /// Whether the report after the start is still to come.
    first_report: bool,
    wishes: mpsc::Sender<Wish>,
    network: watch::Receiver<Option<Outage>>,
    clock: Arc<dyn Clock>,
    incidents: Incidents,
    self_watch: SelfWatch,
    /// Looks that are handed to the store behind what came of them.
    entries: Vec<(TargetId, Entry)>,
    baselines: Baselines,
    picture: Picture,
    explaining: Explaining,
    explained: causes::ExplainedLately,
    /// When what is out of the ordinary was last kept.
    picture_kept_at: Option<Timestamp>,
}

/// The target of that kind and name, as a store or somebody at a prompt writes them; `None`: there is no such kind.
fn target_id(kind: &str, name: &str) -> Option<TargetId> {
    let kind = crate::collectors::kind(kind)?.spec.key;
    let name = name.into();
    Some(TargetId { kind, name })
}

impl Pipeline {
    /// Begins with what is watched and what was kept. `network` gives the newest outage of our own network.
    #[must_use]
    pub fn new(
        watch: Watch,
        store: Arc<Store>,
        remembered: Option<Remembered>,
        outlets: Outlets,
        mailroom: Arc<Mailroom>,
        network: watch::Receiver<Option<Outage>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let mut pipeline = Self {
            incidents: Incidents::new(watch.incidents, mailroom),
            self_watch: SelfWatch::default(),
            entries: Vec::new(),
            baselines: Baselines::default(),
            picture: Picture::default(),
            explaining: Explaining::new(watch.analyst, outlets.asks),
            explained: causes::ExplainedLately::default(),
            picture_kept_at: None,
            policy: watch.policy,
            states: (watch.targets.into_iter())
                .map(|one| (one.target.id.clone(), State::new(one)))
                .collect(),
            found: HashMap::new(),
            overview: Overview::default(),
            generation: store.generation(),
            store,
            told: None,
            first_report: true,
            wishes: outlets.wishes,
            network,
            clock,
        };
        if let Some(remembered) = remembered {
            pipeline.remember(remembered);
        }
        pipeline.overview = Overview::of(pipeline.states.values());
        pipeline
    }

    /// Takes what comes until there is nothing more to come.
    ///
    /// Nothing is left behind when it stops: the rounds end first, and what they gave is still taken.
    pub async fn run(mut self, mut inlets: Inlets) {
        let mut batch = Vec::with_capacity(MOST_AT_ONCE);
        loop {
            let wait = self.until_next_due();
            tokio::select! {
                biased;
                Some(watch) = inlets.watches.recv() => self.watch(watch),
                Some(placed) = inlets.orders.recv() => self.obey(&placed),
                Some(told) = inlets.words.recv() => self.take_words(told),
                count = inlets.events.recv_many(&mut batch, MOST_AT_ONCE) => {
                    if count == 0 {
                        self.flush();
                        self.keep_all_baselines();
                        self.keep_picture();
                        return;
                    }
                    for event in batch.drain(..) {
                        match event {
                            RoundEvent::Seen(observation) => self.see(*observation),
                            RoundEvent::Ended(round) => {
                                self.flush();
                                self.end_round(&round);
                            }
                        }
                    }
                }
                () = tokio::time::sleep(wait) => self.tick(),
            }
            self.flush();
        }
    }

    /// How long nothing happens by itself; never long, since clocks are set and stores come back.
    fn until_next_due(&self) -> Duration {
        let left = self.incidents.next_due().map(|due| due - self.clock.now());
        let left = left.map_or(TICK, |left| left.to_std().unwrap_or_default());
        left.min(TICK)
    }

    fn tick(&mut self) {
        self.follow_store();
        let now = self.clock.now();
        let outage = self.network.borrow().clone();
        let health = self.store.health();
        for note in self.self_watch.notes(&health, outage.as_ref(), now) {
            self.incidents.mailroom().note(&note);
        }
        self.incidents.forget_ended_silences(now - ENDED_SILENCES);
        self.explain_now_and_then(now);
        self.ask_next(now);
    }

    /// Hands over what came of the looks, then the looks: a kill in between never leaves a look whose meaning is lost.
    fn flush(&mut self) {
        let now = self.clock.now();
        self.explain_now_and_then(now);
        self.explain_what_is_told(now);
        for wanted in self.incidents.step(now) {
            let id = wanted.target.split_once('/');
            let id = id.and_then(|(kind, name)| target_id(kind, name));
            if let Some(state) = id.and_then(|id| self.states.get(&id)) {
                self.wish(state.visited_as(), wanted.at);
            }
        }
        for (id, entry) in std::mem::take(&mut self.entries) {
            if !self.store.record(entry)
                && let Some(state) = self.states.get_mut(&id)
            {
                state.keep_anew();
            }
        }
        self.keep_baselines(now);
    }

    fn wish(&self, target: TargetId, at: Timestamp) {
        // A full queue means that looks are far behind: the next regular one will do.
        if self.wishes.try_send(Wish { target, at }).is_err() {
            tracing::debug!("a wish for another look was given up: too many wait");
        }
    }

    fn remember(&mut self, remembered: Remembered) {
        if self.told.is_none() {
            self.told = told(&remembered);
        }
        let mut left = Vec::new();
        for state in remembered.states {
            let Some(id) = target_id(&state.kind, &state.name) else {
                continue;
            };
            let finder = state.found_by.as_deref();
            if let Some(finder) = finder.and_then(|name| target_id(&state.kind, name)) {
                self.add_found(&finder, &id);
            }
            match self.states.get_mut(&id) {
                Some(known) => known.remember(&state),
                None => left.push((id, state.status)),
            }
        }
        self.remember_baselines(remembered.baselines);
        if let Some(json) = remembered.notes.get(PICTURE) {
            let is_watched = |id: &TargetId| self.states.contains_key(id);
            self.picture.restore(json, &is_watched);
        }
        if let Some(json) = remembered.notes.get(ASKED) {
            self.explaining.restore(json);
        }
        // Whoever is not watched any more is told of once, and its history stays.
        for (id, status) in left {
            self.record_left(id, status);
        }
        let now = self.clock.now();
        let watched: HashSet<String> = self.states.keys().map(ToString::to_string).collect();
        let is_watched = |target: &str| watched.contains(target);
        self.incidents.restore(remembered.kept, &is_watched, now);
        self.ask_again();
    }

    fn record_left(&mut self, id: TargetId, status: Status) {
        self.baselines.forget(&id);
        self.picture.leave(&id);
        // A refusal is counted by the store itself.
        let _kept: bool = self.store.record_left(id, self.clock.now(), status);
    }

    /// Makes room for a target that was found. Whether it is that: one that is configured has its own look.
    fn add_found(&mut self, finder: &TargetId, id: &TargetId) -> bool {
        if let Some(known) = self.states.get(id) {
            return known.found_by() == Some(&*finder.name);
        }
        let Some(finding) = self.states.get(finder) else {
            return false;
        };
        let state = State::new(finding.judged().found(id));
        self.states.insert(id.clone(), state);
        self.incidents.meet(finder, id);
        let all = self.found.entry(finder.clone()).or_default();
        all.insert(id.clone())
    }

    /// Takes a look, and with it those at the targets that it found.
    fn see(&mut self, mut observation: Observation) {
        self.follow_store();
        let finder = observation.target.clone();
        let (at, took) = (observation.at, observation.took);
        let sight = found::take(&mut observation);
        self.see_one(observation);
        let mut before = self.found.get(&finder).cloned().unwrap_or_default();
        match sight {
            Sight::All(found) => {
                for observation in found {
                    before.remove(&observation.target);
                    if self.add_found(&finder, &observation.target) {
                        self.see_one(observation);
                    }
                }
                for id in before {
                    self.lose(&finder, &id);
                }
            }
            Sight::Failed(failure) => {
                for target in before {
                    self.see_one(Observation {
                        target,
                        at,
                        took,
                        outcome: Err(failure.clone()),
                        trace: tracing::Span::none(),
                    });
                }
            }
        }
    }

    /// A target that was found before is not there any more.
    fn lose(&mut self, finder: &TargetId, id: &TargetId) {
        let Some(state) = self.states.remove(id) else {
            return;
        };
        if let Some(found) = self.found.get_mut(finder) {
            found.remove(id);
        }
        tracing::info!(
            event = "target.gone",
            target.name = %id.name,
            target.kind = id.kind,
            "`{finder}` does not find it any more"
        );
        if let Some(status) = state.status() {
            self.record_left(id.clone(), status);
        }
        self.incidents.leave(id, self.clock.now());
        self.overview = Overview::of(self.states.values());
    }

    fn see_one(&mut self, mut observation: Observation) {
        // An observation is kept until the next one; its trace ends here.
        let trace = std::mem::replace(&mut observation.trace, tracing::Span::none());
        let Some(state) = self.states.get_mut(&observation.target) else {
            // Its target was taken out of the configuration while it was under way.
            return;
        };
        let before = state.standing();
        let looked_at = state.looked_at();
        let step = state.see(observation, &self.policy);
        traces::judged(&trace, step.entry.status.word());
        self.overview.moved(before, state.standing());
        if let Some((from, to)) = step.changed {
            let id = state.id();
            tracing::info!(
                event = "target.changed",
                target.name = %id.name,
                target.kind = id.kind,
                from = from.map(Status::word),
                to = to.word(),
                "{}", step.summary
            );
        }
        let now = self.clock.now();
        if let Some(seen) = state.seen() {
            self.incidents
                .see(&seen, self.network.borrow().as_ref(), now);
            self.picture.see(&seen, looked_at, &self.baselines);
            usual::learn(&mut self.baselines, &seen);
        }
        self.entries.push((state.id().clone(), step.entry));
        let pace = if step.repeat {
            Some(self.policy.confirm_after)
        } else {
            pace(&self.policy, self.overview).filter(|_| !state.costs_money())
        };
        if let Some(pace) = pace {
            let target = state.visited_as();
            self.wish(target, now + pace);
        }
    }

    /// A store that was opened late, or begun anew.
    fn follow_store(&mut self) {
        let generation = self.store.generation();
        if generation != self.generation {
            self.generation = generation;
            for state in self.states.values_mut() {
                state.keep_anew();
            }
            self.incidents.keep_everything();
            self.baselines.keep_everything(self.clock.now());
            self.picture.keep_everything();
        }
        if self.store.has_remembered()
            && let Some(remembered) = self.store.remembered(std::time::Duration::ZERO)
        {
            self.remember(remembered);
            self.overview = Overview::of(self.states.values());
        }
    }

    fn watch(&mut self, watch: Watch) {
        self.policy = watch.policy;
        self.incidents.replan(watch.incidents);
        self.explaining.replan(watch.analyst);
        let now = self.clock.now();
        let mut before = std::mem::take(&mut self.states);
        for one in watch.targets {
            let id = one.target.id.clone();
            let state = match before.remove(&id) {
                Some(state) => state.watched_as(one),
                None => State::new(one),
            };
            self.states.insert(id, state);
        }
        for (finder, found) in std::mem::take(&mut self.found) {
            for id in found {
                // One that is configured now has been taken over above.
                let Some(state) = before.remove(&id) else {
                    continue;
                };
                if self.add_found(&finder, &id)
                    && let Some(room) = self.states.remove(&id)
                {
                    let judged = room.judged().clone();
                    self.states.insert(id, state.watched_as(judged));
                } else {
                    before.insert(id, state);
                }
            }
        }
        for (id, state) in before {
            self.incidents.leave(&id, now);
            if let Some(status) = state.status() {
                self.record_left(id, status);
            }
        }
        self.overview = Overview::of(self.states.values());
    }
}

/// How soon to look again while something is wrong.
fn pace(policy: &Policy, overview: Overview) -> Option<TimeDelta> {
    match overview {
        _ if !policy.adaptive => None,
        Overview {
            critical_red: 1.., ..
        } => Some(PACE_UNHEALTHY),
        Overview { not_green: 1.., .. } => Some(PACE_DEGRADED),
        Overview { .. } => None,
    }
}
