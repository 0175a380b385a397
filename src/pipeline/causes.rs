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
    /// How it was when the cause of an incident was found.
    found: HashMap<IncidentId, Found>,
}

/// How it was when the cause of an incident was found.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    /// How often something had begun by then, anywhere.
    begun: u64,
    /// Which of its targets were ill.
    ill: HashSet<String>,
}

impl Found {
    /// Whether nothing has happened since but that some of the targets are well again. What recovers first would pass for the
    /// effect, and the last to recover for the cause of all.
    fn only_recovers_to(&self, now: &Self) -> bool {
        self.begun == now.begun && now.ill.len() < self.ill.len() && now.ill.is_subset(&self.ill)
    }
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
            let ill = self.picture.ill_of(&targets);
            let found = Found { begun, ill };
            let before = self.explained.found.get(&id);
            if before.is_some_and(|before| before.only_recovers_to(&found)) {
                continue;
            }
            if let Some(analysis) = drawn.of(targets.iter().map(String::as_str)) {
                self.incidents.explain(id, analysis, now);
                self.explained.found.insert(id, found);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_not_sought_anew_while_targets_only_recover() {
        let found = |begun, ill: &[&str]| Found {
            begun,
            ill: ill.iter().map(|name| (*name).to_owned()).collect(),
        };
        let before = found(3, &["t/db", "t/shop", "t/web"]);
        for (now, only_recovers) in [
            (found(3, &["t/db"]), true),
            (found(3, &[]), true),
            // Looks of the same may say more.
            (found(3, &["t/db", "t/shop", "t/web"]), false),
            // One failed anew, or in another way.
            (found(4, &["t/db"]), false),
            // Another one has become a part of it.
            (found(3, &["t/db", "t/pay"]), false),
        ] {
            assert_eq!(before.only_recovers_to(&now), only_recovers, "{now:?}");
        }
    }
}
