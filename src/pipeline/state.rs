//! What is known of one target.

use std::sync::Arc;

use chrono::TimeDelta;

use super::{Judged, Policy, memory};
use crate::model::{Observation, ReportTarget, Status, TargetId, Timestamp, Urgency, Verdict};
use crate::render::{Seen, state};
use crate::rules::judge;
use crate::store::{Changed, Entry};

/// A state whose words did not change is kept anew after this, for its values.
const KEPT_ANEW_AFTER: TimeDelta = TimeDelta::minutes(10);

/// One target, its newest look, and how it came to its status.
pub(super) struct State {
    judged: Judged,
    last: Option<Last>,
    /// The last status on which enough looks agreed.
    settled: Option<Status>,
    /// How many looks in a row were worse than that.
    worse: u32,
    /// What the store holds; `None`: it must be handed over anew.
    kept: Option<Kept>,
}

struct Last {
    observation: Observation,
    verdict: Verdict,
    since: Timestamp,
}

struct Kept {
    at: Timestamp,
    words: Words,
}

/// What makes two states differ for people.
#[derive(PartialEq)]
struct Words {
    status: Status,
    failure: Option<String>,
    findings: Vec<(&'static str, Option<String>, Status)>,
}

impl Words {
    fn of(last: &Last) -> Self {
        let failure = last.observation.outcome.as_ref().err();
        Self {
            status: last.verdict.status,
            failure: failure.map(|failure| failure.kind.word().to_owned()),
            findings: (last.verdict.findings.iter())
                .map(|finding| (finding.metric, finding.subject.clone(), finding.status))
                .collect(),
        }
    }
}

/// How a target stands, for counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    status: Option<Status>,
    critical: bool,
}

/// What a look brought.
pub(super) struct Step {
    /// The status before and now, where they differ.
    pub changed: Option<(Option<Status>, Status)>,
    /// How the target is, in one line, where that changed.
    pub summary: String,
    /// What the store is to keep.
    pub entry: Entry,
    /// Whether the look is to be repeated soon, because it made the target worse.
    pub repeat: bool,
}

impl State {
    pub(super) fn new(judged: Judged) -> Self {
        Self {
            judged,
            last: None,
            settled: None,
            worse: 0,
            kept: None,
        }
    }

    /// The same target after the configuration was loaded anew: what is known of it stays.
    pub(super) fn watched_as(mut self, judged: Judged) -> Self {
        self.judged = judged;
        self
    }

    pub(super) fn id(&self) -> &TargetId {
        &self.judged.target.id
    }

    pub(super) fn judged(&self) -> &Judged {
        &self.judged
    }

    /// The target that found this one.
    pub(super) fn found_by(&self) -> Option<&str> {
        self.judged.target.found_by.as_deref()
    }

    /// Whose look sees this target: its own, or that of the one that found it.
    pub(super) fn visited_as(&self) -> TargetId {
        let finder = self.judged.target.found_by.as_ref();
        TargetId {
            kind: self.id().kind,
            name: Arc::clone(finder.unwrap_or(&self.id().name)),
        }
    }

    pub(super) fn costs_money(&self) -> bool {
        self.judged.costs_money
    }

    pub(super) fn status(&self) -> Option<Status> {
        self.last.as_ref().map(|last| last.verdict.status)
    }

    /// When it was last looked at.
    pub(super) fn looked_at(&self) -> Option<Timestamp> {
        self.last.as_ref().map(|last| last.observation.at)
    }

    pub(super) fn standing(&self) -> Standing {
        let left_out = self
            .last
            .as_ref()
            .is_some_and(|last| last.observation.is_left_out());
        Standing {
            status: self.status().filter(|_| !left_out),
            critical: self.judged.target.common.critical,
        }
    }

    pub(super) fn keep_anew(&mut self) {
        self.kept = None;
    }

    /// Takes over what was kept. A look that has been made already is newer, and keeps only since when it is so.
    pub(super) fn remember(&mut self, told: &ReportTarget) {
        match &mut self.last {
            Some(last) if last.verdict.status == told.status => {
                last.since = last.since.min(told.since);
                self.kept = None;
            }
            Some(_) => {}
            None => {
                self.settled = Some(told.status);
                self.last = Some(Last {
                    observation: memory::observation(told, self.id(), self.judged.spec),
                    verdict: memory::verdict(told, self.judged.spec),
                    since: told.since,
                });
            }
        }
    }

    pub(super) fn see(&mut self, observation: Observation, policy: &Policy) -> Step {
        let at = observation.at;
        let took = observation.took;
        let before = self.last.as_ref().map(|last| &last.verdict);
        let from = before.map(|verdict| verdict.status);
        let verdict = judge(&self.judged.rules, before, &observation);
        let to = verdict.status;
        let same = self.last.as_ref().filter(|_| from == Some(to));
        let since = same.map_or(at, |last| last.since.min(at));
        let measurements = observation.reading().measurements.clone();
        let last = Last {
            observation,
            verdict,
            since,
        };
        let words = Words::of(&last);
        self.last = Some(last);
        let known = self
            .kept
            .as_ref()
            .is_some_and(|kept| kept.words == words && (at - kept.at).abs() < KEPT_ANEW_AFTER);
        let changed = (from != Some(to)).then_some((from, to));
        let told = (!known).then(|| self.seen().map(|seen| Arc::new(state(&seen))));
        let told = told.flatten();
        if !known {
            self.kept = Some(Kept { at, words });
        }
        let summary =
            (changed.and(told.as_ref())).map_or_else(String::new, |told| told.summary.clone());
        Step {
            changed,
            entry: Entry {
                target: self.id().clone(),
                at,
                took,
                status: to,
                measurements,
                state: told,
                change: changed.map(|(from, to)| Changed {
                    from,
                    to: Some(to),
                    summary: summary.clone(),
                }),
            },
            summary,
            repeat: self.settle(to, policy),
        }
    }

    /// Whether the look is to be repeated: it is worse than what was agreed on, and too few agree yet.
    fn settle(&mut self, status: Status, policy: &Policy) -> bool {
        let settled = self.settled.unwrap_or(Status::Green);
        if status <= settled {
            self.settled = Some(status);
            self.worse = 0;
            return false;
        }
        self.worse += 1;
        let enough = match self.judged.target.common.urgency {
            Urgency::Instant => 1,
            Urgency::Normal => policy.agreeing_looks,
        };
        if self.worse >= enough {
            self.settled = Some(status);
            self.worse = 0;
            return false;
        }
        !self.judged.costs_money
    }

    pub(super) fn seen(&self) -> Option<Seen<'_>> {
        let last = self.last.as_ref()?;
        Some(Seen {
            target: &self.judged.target,
            spec: self.judged.spec,
            observation: &last.observation,
            verdict: &last.verdict,
            since: last.since,
        })
    }
}

/// How all are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Overview {
    /// How many are YELLOW, RED or UNKNOWN.
    pub not_green: usize,
    /// How many critical ones are RED.
    pub critical_red: usize,
}

impl Overview {
    pub(super) fn of<'a>(states: impl Iterator<Item = &'a State>) -> Self {
        let mut overview = Self::default();
        for state in states {
            let (not_green, critical_red) = counted(state.standing());
            overview.not_green += usize::from(not_green);
            overview.critical_red += usize::from(critical_red);
        }
        overview
    }

    pub(super) fn moved(&mut self, from: Standing, to: Standing) {
        let (was_not_green, was_red) = counted(from);
        let (is_not_green, is_red) = counted(to);
        self.not_green = self.not_green - usize::from(was_not_green) + usize::from(is_not_green);
        self.critical_red = self.critical_red - usize::from(was_red) + usize::from(is_red);
    }
}

fn counted(standing: Standing) -> (bool, bool) {
    let Some(status) = standing.status else {
        return (false, false);
    };
    (
        status != Status::Green,
        status == Status::Red && standing.critical,
    )
}
