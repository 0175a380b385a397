//! From observations to what is told: judge each, keep what it means, compose the report.

mod alerts;
mod conclude;
mod found;
mod memory;
mod state;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::TimeDelta;
use tokio::sync::{mpsc, watch};

use crate::clock::{Clock, milliseconds};
use crate::model::{
    KindSpec, Observation, Outage, Report, RoundEnd, RoundEvent, RoundSummary, Status, Target,
    TargetId, Timestamp, Wish,
};
use crate::render::{Seen, Told, compose};
use crate::rules::Rules;
use crate::store::{Remembered, Store};
use alerts::alerts;
pub use alerts::network_alert;
pub use conclude::conclude;
use found::Sight;
use state::{Overview, State};

/// A target with what it takes to judge it.
#[derive(Clone)]
pub struct Judged {
    /// The target.
    pub target: Arc<Target>,
    /// Its kind.
    pub spec: &'static KindSpec,
    /// Whether a look at it costs money: then it is not repeated.
    pub costs_money: bool,
    /// Its rules.
    pub rules: Arc<Rules>,
}

/// How looks are confirmed, when more of them are made, and when people are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// How many looks must agree before a target counts as worse.
    pub agreeing_looks: u32,
    /// When a look that turns a target worse is repeated.
    pub confirm_after: TimeDelta,
    /// Whether there are more looks while something is wrong.
    pub adaptive: bool,
    /// The group whose rounds a report follows.
    pub report_group: usize,
    /// Which reports are sent.
    pub report_when: ReportWhen,
}

/// Which reports are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportWhen {
    /// All.
    Always,
    /// Those with something that is not GREEN.
    Problems,
    /// Those with a change since the last.
    Changes,
}

/// Between two looks at a target while some are not GREEN, and while a critical one is RED: the predecessor's figures.
const PACE_DEGRADED: TimeDelta = TimeDelta::seconds(15);
const PACE_UNHEALTHY: TimeDelta = TimeDelta::seconds(5);

/// Nothing is told again within this after a start unless something changed: a restart loop is quiet.
const QUIET_AFTER_TELLING: TimeDelta = TimeDelta::hours(1);

/// The note of the store that holds what was told last.
const TOLD: &str = "report.told";

/// What people were told last, and when, as the store has it.
#[must_use]
pub fn told(remembered: &Remembered) -> Option<(Timestamp, Told)> {
    (remembered.notes.get(TOLD)).and_then(|json| memory::read_told(json))
}

/// What is watched from now on.
pub struct Watch {
    /// All targets.
    pub targets: Vec<Judged>,
    /// How they are dealt with.
    pub policy: Policy,
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
    reports: mpsc::Sender<Arc<Report>>,
    network: watch::Receiver<Option<Outage>>,
    clock: Arc<dyn Clock>,
}

impl Pipeline {
    /// Begins with what is watched and what was kept. `network` gives the newest outage of our own network.
    #[must_use]
    pub fn new(
        watch: Watch,
        store: Arc<Store>,
        remembered: Option<Remembered>,
        wishes: mpsc::Sender<Wish>,
        reports: mpsc::Sender<Arc<Report>>,
        network: watch::Receiver<Option<Outage>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let mut pipeline = Self {
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
            wishes,
            reports,
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
    pub async fn run(
        mut self,
        mut events: mpsc::Receiver<RoundEvent>,
        mut watches: mpsc::Receiver<Watch>,
    ) {
        loop {
            tokio::select! {
                biased;
                Some(watch) = watches.recv() => self.watch(watch),
                event = events.recv() => match event {
                    Some(RoundEvent::Seen(observation)) => self.see(*observation),
                    Some(RoundEvent::Ended(round)) => {
                        self.end_round(&round);
                    }
                    None => return,
                },
            }
        }
    }

    fn remember(&mut self, remembered: Remembered) {
        if self.told.is_none() {
            self.told = told(&remembered);
        }
        let mut left = Vec::new();
        for state in remembered.states {
            let Some(kind) = crate::collectors::kind(&state.kind).map(|kind| kind.spec.key) else {
                continue;
            };
            let id = |name: &str| TargetId {
                kind,
                name: name.into(),
            };
            let finder = state.found_by.as_deref().map(id);
            let id = id(&state.name);
            if let Some(finder) = finder {
                self.add_found(&finder, &id);
            }
            match self.states.get_mut(&id) {
                Some(known) => known.remember(&state),
                None => left.push((id, state.status)),
            }
        }
        // Whoever is not watched any more is told of once, and its history stays.
        for (id, status) in left {
            self.record_left(id, status);
        }
    }

    fn record_left(&self, id: TargetId, status: Status) {
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
        self.overview = Overview::of(self.states.values());
    }

    fn see_one(&mut self, observation: Observation) {
        let Some(state) = self.states.get_mut(&observation.target) else {
            // Its target was taken out of the configuration while it was under way.
            return;
        };
        let before = state.standing();
        let step = state.see(observation, &self.policy);
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
        if !self.store.record(step.entry) {
            state.keep_anew();
        }
        let now = self.clock.now();
        let pace = if step.repeat {
            Some(self.policy.confirm_after)
        } else {
            pace(&self.policy, self.overview).filter(|_| !state.costs_money())
        };
        if let Some(pace) = pace {
            let wish = Wish {
                target: state.visited_as(),
                at: now + pace,
            };
            // A full queue means that looks are far behind: the next regular one will do.
            if self.wishes.try_send(wish).is_err() {
                tracing::debug!("a wish for another look was given up: too many wait");
            }
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
            if let Some(status) = state.status() {
                self.record_left(id, status);
            }
        }
        self.overview = Overview::of(self.states.values());
    }

    fn end_round(&mut self, round: &RoundEnd) {
        self.follow_store();
        let first = self.first_report && round.group == 0;
        if !first && round.group != self.policy.report_group {
            return;
        }
        let report = self.report(round);
        self.first_report &= !first;
        if !self.is_wanted(&report, first) {
            tracing::info!(
                event = "report.left_out",
                round.id = report.round.id,
                "no report: nothing that it would tell is new"
            );
            return;
        }
        let told = Told::by(&report);
        if let Some(json) = memory::write_told(report.round.started_at, &told) {
            // A refusal is counted by the store itself.
            let _kept: bool = self.store.note(TOLD, json);
        }
        self.told = Some((report.round.started_at, told));
        // Never waited for: a channel that hangs must not hold up what is seen.
        if let Err(error) = self.reports.try_send(Arc::new(report)) {
            tracing::error!(
                event = "report.lost",
                %error,
                "the report could not be handed on: those before are still being sent"
            );
        }
    }

    fn is_wanted(&self, report: &Report, first: bool) -> bool {
        let changed = !report.changes.is_empty();
        if first && let Some((at, _)) = &self.told {
            let quiet = report.round.started_at.signed_duration_since(*at);
            let recently = quiet >= TimeDelta::zero() && quiet < QUIET_AFTER_TELLING;
            if recently && !changed {
                return false;
            }
        }
        match self.policy.report_when {
            ReportWhen::Always => true,
            ReportWhen::Problems => report.status != Status::Green,
            ReportWhen::Changes => changed || self.told.is_none(),
        }
    }

    fn report(&self, round: &RoundEnd) -> Report {
        let summary = RoundSummary {
            id: round.id.clone(),
            started_at: round.started_at,
            duration_ms: milliseconds(round.took),
            next_at: round.next_at,
            skipped_looks: u64::try_from(round.skipped).unwrap_or(u64::MAX),
            missed_rounds: round.missed,
        };
        let seen: Vec<Seen<'_>> = self.states.values().filter_map(State::seen).collect();
        let told = self.told.as_ref().map(|(_, told)| told);
        let mut report = compose(summary, &seen, told, true);
        report.self_alerts = alerts(&self.store.health(), self.clock.now());
        let outage = self.network.borrow();
        let told = (outage.as_ref()).and_then(|outage| network_alert(outage, round.started_at));
        report.self_alerts.extend(told);
        report
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
