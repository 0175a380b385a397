//! When causes are asked for: before people are told of an incident, with each report, and now and then while something
//! changes.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;

use super::Pipeline;
use super::picture::{Drawn, PICTURE};
use crate::model::{Analysis, IncidentId, Timestamp};

/// What is told at once of more incidents than this is told together, without a cause for each.
const MOST_AT_ONCE: usize = 100;

/// While something changes, causes are asked for no more often: at once for people, and seldom in a storm of more incidents
/// than these.
const ASKED_EVERY: TimeDelta = TimeDelta::seconds(1);
const ASKED_IN_A_STORM_EVERY: TimeDelta = TimeDelta::seconds(10);
const STORM: usize = 20;

/// What is out of the ordinary is kept no more often.
const KEPT_EVERY: TimeDelta = TimeDelta::seconds(30);

/// What causes were last asked for without need.
#[derive(Default)]
pub(super) struct ExplainedLately {
    /// When it was last looked at whether there is need.
    tried_at: Option<Timestamp>,
    at: Option<Timestamp>,
    /// The incidents that were open, each with its targets that were not well.
    incidents: Vec<(IncidentId, Vec<String>)>,
    /// When the cause of an incident was found: how often something had begun by then, and which of its targets were ill.
    found: HashMap<IncidentId, (u64, HashSet<String>)>,
}

impl Pipeline {
    /// The incidents that are about to be told of learn their causes.
    pub(super) fn explain_what_is_told(&mut self, now: Timestamp) {
        let due = self.incidents.about_to_tell(now, MOST_AT_ONCE);
        if !due.is_empty() {
            let ids: Vec<IncidentId> = due.iter().map(|(id, _)| *id).collect();
            self.explain(due, now);
            self.ask_about(&ids, now);
        }
    }

    /// Those that are open learn what may have changed: something began or ended, or has become a part of one of them.
    pub(super) fn explain_now_and_then(&mut self, now: Timestamp) {
        let is_due = |at: Option<Timestamp>, every| at.is_none_or(|at| (now - at).abs() >= every);
        if is_due(self.explained.tried_at, ASKED_EVERY) {
            self.explained.tried_at = Some(now);
            let open = self.incidents.open(MOST_AT_ONCE);
            let is_calm = open.len() <= STORM;
            if (is_calm || is_due(self.explained.at, ASKED_IN_A_STORM_EVERY))
                && (self.picture.take_changed() || open != self.explained.incidents)
            {
                self.explained.at = Some(now);
                self.explained.incidents.clone_from(&open);
                let ids: Vec<IncidentId> = open.iter().map(|(id, _)| *id).collect();
                self.explained.found.retain(|id, _| ids.contains(id));
                if !open.is_empty() {
                    self.explain(open, now);
                    self.mark_outdated(&ids);
                    self.ask_next(now);
                }
            }
        }
        let every = if self.picture.is_worth_keeping_now() {
            ASKED_EVERY
        } else {
            KEPT_EVERY
        };
        if is_due(self.picture_kept_at, every) {
            self.picture_kept_at = Some(now);
            self.keep_picture();
        }
    }

    pub(super) fn keep_picture(&mut self) {
        if let Some(json) = self.picture.take_unkept()
            && !self.store.note(PICTURE, json)
        {
            self.picture.keep_everything();
        }
    }

    fn explain(&mut self, incidents: Vec<(IncidentId, Vec<String>)>, now: Timestamp) {
        let drawn = self.draw(now);
        let begun = self.picture.begun();
        for (id, targets) in incidents {
            // What recovers first would pass for the effect, and the last to recover for the cause of all.
            let ill = self.picture.ill_of(&targets);
            let found = self.explained.found.get(&id);
            let only_recovers = found.is_some_and(|(begun_by_then, were_ill)| {
                *begun_by_then == begun && ill.len() < were_ill.len() && ill.is_subset(were_ill)
            });
            if only_recovers {
                continue;
            }
            if let Some(analysis) = drawn.of(targets.iter().map(String::as_str)) {
                self.incidents.explain(id, analysis, now);
                self.explained.found.insert(id, (begun, ill));
            }
        }
    }

    fn draw(&self, now: Timestamp) -> Drawn {
        self.picture.draw(self.incidents.family(), now)
    }

    /// What there is to be said of all that is not well.
    pub(super) fn analysis(&self, now: Timestamp) -> Option<Analysis> {
        self.draw(now).of_all()
    }
}
