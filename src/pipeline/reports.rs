//! Which rounds are reported, and what a report tells beside the rounds.

use std::sync::Arc;

use chrono::TimeDelta;

use super::alerts::{alerts, network_alert};
use super::state::State;
use super::{Pipeline, ReportWhen, memory};
use crate::clock::milliseconds;
use crate::model::{Report, RoundEnd, RoundSummary, Status};
use crate::render::{Seen, Told, compose};

/// Nothing is told again within this after a start unless something changed: a restart loop is quiet.
const QUIET_AFTER_TELLING: TimeDelta = TimeDelta::hours(1);

/// The note of the store that holds what was told last.
pub(super) const TOLD: &str = "report.told";

/// Of how long the uptime is told.
const WEEK: TimeDelta = TimeDelta::days(7);

impl Pipeline {
    pub(super) fn end_round(&mut self, round: &RoundEnd) {
        self.follow_store();
        if self.policy.weekly_group == Some(round.group) {
            let now = self.clock.now();
            self.incidents.mailroom().uptime(now - WEEK, now);
            return;
        }
        let first = self.first_report && round.group == 0;
        if !first && round.group != self.policy.report_group {
            return;
        }
        // Looks of this round are under way while the next has begun: after that the picture may be whole.
        if first && round.unfinished + round.skipped > 0 && !self.is_all_seen() {
            return;
        }
        let mut report = self.report(round);
        self.first_report &= !first;
        if !self.is_wanted(&report, first) {
            tracing::info!(
                event = "report.left_out",
                round.id = report.round.id,
                "no report: nothing that it would tell is new"
            );
            return;
        }
        tracing::info!(
            event = "report.made",
            round.id = report.round.id,
            overall = %report.overall,
            green = report.counts.green,
            yellow = report.counts.yellow,
            red = report.counts.red,
            unknown = report.counts.unknown,
            changes = report.changes.len(),
            "a report was made"
        );
        let (at, told) = (report.round.started_at, Told::by(&report));
        self.explain_report(&mut report, self.clock.now());
        // First the report, then that it was told: a kill in between tells something twice, and loses nothing.
        self.incidents.mailroom().report(&Arc::new(report), None);
        if let Some(json) = memory::write_told(at, &told) {
            // A refusal is counted by the store itself.
            let _kept: bool = self.store.note(TOLD, json);
        }
        self.told = Some((at, told));
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

    /// Whether each target has been looked at, since the start or before.
    fn is_all_seen(&self) -> bool {
        self.states.values().all(|state| state.seen().is_some())
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
        let now = self.clock.now();
        let mut report = compose(summary, &seen, told, self.is_all_seen(), self.analysis(now));
        self.incidents.mark(&mut report.targets, now);
        report.delivery = Some(self.incidents.mailroom().summary());
        report.self_alerts = alerts(&self.store.health(), now);
        let outage = self.network.borrow();
        let told = (outage.as_ref()).and_then(|outage| network_alert(outage, round.started_at));
        report.self_alerts.extend(told);
        report
            .self_alerts
            .extend(self.explaining.said_of_retired(now));
        report
    }
}
