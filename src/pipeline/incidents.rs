//! The incident engine in a running daemon: fed with looks, asked when time passes, its steps handed to the mailroom.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::clock::milliseconds;
use crate::delivery::{Mailroom, Terms};
use crate::incidents::{
    Engine, Facts, Family, NotObeyed, Order, Policy, Quiet, Record, Silence, Wanted, Window,
};
use crate::model::{
    Analysis, Blame, Explanation, Incident, IncidentId, Observation, Outage, ReportTarget, Status,
    TargetId, Timestamp,
};
use crate::render::{Seen, condition};
use crate::store::{Kept, Row};

/// What the engine is told by the configuration.
pub struct IncidentRules {
    /// All targets.
    pub facts: Vec<Facts>,
    /// How problems are confirmed, gathered and repeated.
    pub policy: Policy,
    /// What is not spoken of.
    pub silences: Vec<Silence>,
    /// When maintenance is done.
    pub windows: Vec<Window>,
    /// Who is told.
    pub terms: Terms,
}

/// The engine, and what it is fed with beside looks.
pub(super) struct Incidents {
    engine: Engine,
    mailroom: Arc<Mailroom>,
    silences: Vec<Silence>,
    windows: Vec<Window>,
    /// Silences that people asked for.
    asked: Vec<Silence>,
    /// Where instances were seen to be, by target.
    addresses: HashMap<String, Vec<String>>,
    /// Those that are open, as the log has it.
    logged: HashSet<IncidentId>,
}

/// The facts of a look that say where an instance is.
const ADDRESSES: [&str; 2] = ["private address", "public address"];

impl Incidents {
    pub(super) fn new(rules: IncidentRules, mailroom: Arc<Mailroom>) -> Self {
        mailroom.replan(rules.terms);
        let mut incidents = Self {
            engine: Engine::new(rules.policy, Family::new(rules.facts), Vec::new()),
            mailroom,
            silences: rules.silences,
            windows: rules.windows,
            asked: Vec::new(),
            addresses: HashMap::new(),
            logged: HashSet::new(),
        };
        incidents.engine.set_quiets(incidents.quiets());
        incidents
    }

    /// Another configuration. Targets that are gone are to be taken out by [`Self::leave`].
    pub(super) fn replan(&mut self, rules: IncidentRules) {
        self.mailroom.replan(rules.terms);
        self.silences = rules.silences;
        self.windows = rules.windows;
        self.addresses.clear();
        let family = Family::new(rules.facts);
        self.engine.replan(rules.policy, family, self.quiets());
    }

    fn quiets(&self) -> Vec<Box<dyn Quiet>> {
        let silences = self.silences.iter().chain(&self.asked).cloned();
        let silences = silences.map(|one| Box::new(one) as Box<dyn Quiet>);
        let windows = self.windows.iter().cloned();
        silences
            .chain(windows.map(|one| Box::new(one) as Box<dyn Quiet>))
            .collect()
    }

    /// Takes over what was kept. `is_watched`: whether there is still such a target.
    pub(super) fn restore(
        &mut self,
        mut kept: Kept,
        is_watched: &dyn Fn(&str) -> bool,
        now: Timestamp,
    ) {
        for silence in std::mem::take(&mut kept.silences) {
            if !self.asked.iter().any(|known| known.id == silence.id) {
                self.asked.push(silence);
            }
        }
        self.mailroom.restore(&mut kept);
        self.engine
            .restore(kept.incidents, kept.marks, kept.next_incident);
        self.logged.extend(self.engine.open().map(|one| one.id));
        self.engine.set_quiets(self.quiets());
        let gone: Vec<String> = (self.engine.targets().into_iter())
            .filter(|target| !is_watched(target))
            .collect();
        for target in gone {
            self.engine.leave(&target, now);
        }
    }

    /// A store that holds nothing of it gets everything.
    pub(super) fn keep_everything(&self) {
        let records = self.engine.everything().into_iter().map(Row::Record);
        let silences = self.asked.iter().cloned().map(Row::Silence);
        self.mailroom
            .keep_everything(records.chain(silences).collect());
    }

    /// A target that another found: it shares what that one depends on.
    pub(super) fn meet(&mut self, finder: &TargetId, id: &TargetId) {
        let Some(facts) = self.engine.facts(&finder.to_string()) else {
            return;
        };
        self.engine.meet(facts.of_found(id));
    }

    pub(super) fn leave(&mut self, id: &TargetId, now: Timestamp) {
        self.engine.leave(&id.to_string(), now);
    }

    /// A look was made.
    pub(super) fn see(&mut self, seen: &Seen<'_>, outage: Option<&Outage>, now: Timestamp) {
        let observation = seen.observation;
        // What was left out by choice, and what our own network hid, says nothing of the target.
        if observation.is_left_out() || outage.is_some_and(|outage| hidden(observation, outage)) {
            return;
        }
        let target = seen.target.id.to_string();
        self.learn_addresses(&target, observation);
        if seen.verdict.status == Status::Green && !self.engine.knows(&target) {
            return;
        }
        self.engine.see(&target, condition(seen), now);
    }

    /// Whatever is at home at an instance's address depends on the instance.
    fn learn_addresses(&mut self, target: &str, observation: &Observation) {
        let facts = observation.reading().facts.iter();
        let found: Vec<String> = facts
            .filter(|fact| ADDRESSES.contains(&fact.name))
            .map(|fact| fact.value.clone())
            .collect();
        if found.is_empty() || self.addresses.get(target) == Some(&found) {
            return;
        }
        let homes: Vec<String> = found.iter().map(|at| format!("host {at}")).collect();
        for facts in self.engine.facts_of_group(&homes) {
            if facts.target != target && !facts.parents.iter().any(|known| known == target) {
                let mut facts = facts;
                facts.parents.push(target.to_owned());
                self.engine.meet(facts);
            }
        }
        self.addresses.insert(target.to_owned(), found);
    }

    /// One step: what came of all that went in is kept and told. Gives the looks that would tell more.
    pub(super) fn step(&mut self, now: Timestamp) -> Vec<Wanted> {
        let step = self.engine.take_step(now);
        if !step.records.is_empty() || !step.announcements.is_empty() {
            for record in &step.records {
                if let Record::Incident(incident) = record {
                    self.log(incident);
                }
            }
            self.mailroom.post(step.records, step.announcements, now);
        }
        step.looks
    }

    /// Says once that an incident began, and once that it ended.
    fn log(&mut self, incident: &Incident) {
        let id = incident.id;
        if incident.is_open() && self.logged.insert(id) {
            let root = incident.root().map(|root| root.name.as_str());
            tracing::info!(
                event = "incident.opened",
                incident.id = id,
                root,
                severity = incident.severity.word(),
                "a problem is confirmed"
            );
        }
        if let Some(at) = incident.resolved_at
            && self.logged.remove(&id)
        {
            let took = at.signed_duration_since(incident.opened_at);
            tracing::info!(
                event = "incident.closed",
                incident.id = id,
                duration_ms = milliseconds(took.to_std().unwrap_or_default()),
                "an incident is over"
            );
        }
    }

    /// The incidents that the next step tells of, the most severe first, each with its targets that are not well.
    pub(super) fn about_to_tell(
        &self,
        now: Timestamp,
        most: usize,
    ) -> Vec<(IncidentId, Vec<String>)> {
        to_explain(self.engine.about_to_tell(now), most)
    }

    /// The same of those that are open.
    pub(super) fn open(&self, most: usize) -> Vec<(IncidentId, Vec<String>)> {
        to_explain(self.engine.open().collect(), most)
    }

    pub(super) fn explain(&mut self, id: IncidentId, analysis: Analysis, now: Timestamp) {
        self.engine.explain(id, analysis, now);
    }

    /// See [`Engine::put_into_words`].
    pub(super) fn put_into_words(
        &mut self,
        id: IncidentId,
        words: Result<Explanation, String>,
        now: Timestamp,
    ) {
        self.engine.put_into_words(id, words, now);
    }

    /// See [`Engine::outdate_words`].
    pub(super) fn outdate_words(&mut self, id: IncidentId) {
        self.engine.outdate_words(id);
    }

    pub(super) fn incident(&self, id: IncidentId) -> Option<&Incident> {
        self.engine.open().find(|incident| incident.id == id)
    }

    pub(super) fn family(&self) -> &Family {
        self.engine.family()
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.engine.next_due()
    }

    pub(super) fn mailroom(&self) -> &Mailroom {
        &self.mailroom
    }

    /// Says of each target whether it is silenced, and whether somebody takes care of its problem.
    pub(super) fn mark(&self, targets: &mut [ReportTarget], now: Timestamp) {
        for target in targets {
            let key = format!("{}/{}", target.kind, target.name);
            target.silenced = self.engine.is_silenced(&key, now);
            target.acknowledged = (self.engine.incident_of(&key))
                .is_some_and(|(incident, _)| incident.acknowledged.is_some());
        }
    }

    pub(super) fn acknowledge(
        &mut self,
        incident: String,
        by: String,
        why: Option<String>,
        now: Timestamp,
    ) -> Result<IncidentId, NotObeyed> {
        self.engine
            .obey(Order::Acknowledge { incident, by, why }, now)
    }

    /// Adds a silence that somebody asked for, or gives it other words.
    pub(super) fn silence(&mut self, silence: Silence) {
        self.asked.retain(|known| known.id != silence.id);
        self.mailroom.keep_rows(vec![Row::Silence(silence.clone())]);
        self.asked.push(silence);
        self.engine.set_quiets(self.quiets());
    }

    /// Takes back a silence that somebody asked for, by a beginning of its name. Gives its whole name.
    pub(super) fn end_silence(&mut self, asked: &str) -> Result<String, String> {
        let all = self
            .asked
            .iter()
            .filter(|known| known.id.starts_with(asked));
        let found: Vec<String> = all.map(|known| known.id.clone()).collect();
        let exact = found.iter().find(|id| *id == asked);
        let id = match (exact, found.as_slice()) {
            (Some(id), _) | (None, [id]) => id.clone(),
            (None, []) if self.silences.iter().any(|known| known.id == asked) => {
                return Err(format!(
                    "`{asked}` stands in the configuration: take it out there, then `kill -HUP` the daemon"
                ));
            }
            (None, []) => return Err(format!("there is no silence `{asked}`")),
            (None, several) => {
                return Err(format!("{} silences begin with `{asked}`", several.len()));
            }
        };
        self.forget_silences(|known| known.id == id);
        Ok(id)
    }

    /// Silences that ended some time ago are not needed any more.
    pub(super) fn forget_ended_silences(&mut self, before: Timestamp) {
        if self.asked.iter().any(|known| known.has_ended(before)) {
            self.forget_silences(|known| known.has_ended(before));
        }
    }

    fn forget_silences(&mut self, is_over: impl Fn(&Silence) -> bool) {
        let (over, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.asked)
            .into_iter()
            .partition(is_over);
        self.asked = rest;
        let rows = over.into_iter().map(|known| Row::SilenceGone(known.id));
        self.mailroom.keep_rows(rows.collect());
        self.engine.set_quiets(self.quiets());
    }
}

fn to_explain(mut incidents: Vec<&Incident>, most: usize) -> Vec<(IncidentId, Vec<String>)> {
    incidents.sort_by_key(|incident| (Reverse(incident.severity), incident.id));
    let told = incidents.into_iter().take(most).map(|incident| {
        let open = incident.members.iter().filter(|member| member.is_open());
        (
            incident.id,
            open.map(|member| member.target.clone()).collect(),
        )
    });
    told.collect()
}

/// Whether a look got no answer because our own network was down.
fn hidden(observation: &Observation, outage: &Outage) -> bool {
    let is_ours = (observation.outcome.as_ref()).is_err_and(|failure| failure.blame == Blame::Ours);
    is_ours && outage.until.is_none_or(|until| observation.at <= until)
}
