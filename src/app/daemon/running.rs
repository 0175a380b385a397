//! The configuration of a running daemon, and how another takes its place.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::{mpsc, watch};

use super::Given;
use crate::app::facts::facts;
use crate::app::{Channels, guarded, judged};
use crate::clients::Clients;
use crate::clock::Clock;
use crate::config::Plan;
use crate::delivery::{Reporters, Terms};
use crate::guard;
use crate::incidents;
use crate::model::Timestamp;
use crate::pipeline::{self, IncidentRules, Policy};
use crate::problem::Severity;
use crate::reporters::Means;
use crate::round::{Fleet, RoundOptions};
use crate::rounds::{self, Order};
use crate::schedule::Timetable;

use super::CPU_WINDOW;

/// What changes when the configuration is loaded anew.
pub(super) struct Running {
    pub(super) plan: Plan,
    pub(super) given: Given,
    pub(super) clients: Clients,
    pub(super) fleet: Fleet,
    pub(super) limit: usize,
    pub(super) orders: mpsc::Sender<Order>,
    pub(super) watches: mpsc::Sender<pipeline::Watch>,
    pub(super) guards: watch::Sender<Arc<guard::Watched>>,
    pub(super) reporters: watch::Sender<Arc<Reporters>>,
    pub(super) means: Means,
    pub(super) clock: Arc<dyn Clock>,
}

impl Running {
    /// Loads the configuration anew; where it has mistakes, the old one stays.
    pub(super) async fn reload(&mut self) {
        let reload = Arc::clone(&self.given.reload);
        let Ok(loaded) = tokio::task::spawn_blocking(move || reload()).await else {
            tracing::error!(
                event = "config.refused",
                "loading the configuration panicked: the old one stays"
            );
            return;
        };
        for problem in &loaded.problems {
            match problem.severity {
                Severity::Error => tracing::error!(event = "config.problem", "{problem}"),
                Severity::Warning => tracing::warn!(event = "config.problem", "{problem}"),
            }
        }
        let Some(plan) = loaded.plan else {
            tracing::error!(
                event = "config.refused",
                "the new configuration has mistakes: the old one stays; hint: `roundsman check-config` shows them"
            );
            return;
        };
        if plan.store != self.plan.store {
            tracing::warn!(
                event = "config.needs_restart",
                "another `store` is used from the next start on"
            );
        }
        if plan.surroundings != self.plan.surroundings {
            tracing::warn!(
                event = "config.needs_restart",
                "another home, SSH agent, data folder or variable of AWS is used from the next start on"
            );
        }
        self.clients.llm.use_terms(plan.purse.clone());
        let kinds = plan.watched.iter().map(|one| one.kind);
        self.fleet = self.fleet.clone().with(kinds, &self.clients);
        let watch = watch_of(&plan, self.fleet.clone(), self.limit, false, &self.clock);
        let known = known_of(&plan, self.given.at_a_terminal);
        let guarded = guarded(&plan, &plan.watched);
        self.guards.send_replace(Arc::new(guarded));
        // First whoever takes what is seen, then whoever looks: nothing that is seen is unknown.
        let taken = self.watches.send(known).await.is_ok()
            && self
                .orders
                .send(Order::Watch(Box::new(watch)))
                .await
                .is_ok();
        let channels = Channels::of_daemon(&plan, self.given.at_a_terminal);
        self.reporters
            .send_replace(Arc::new(channels.reporters(&self.means)));
        if taken {
            tracing::info!(
                event = "config.loaded",
                targets = plan.watched.len(),
                "the new configuration is in use"
            );
        }
        self.plan = plan;
    }
}

/// Whether the first round begins at once: always, unless that is not wanted and nothing was missed.
pub(super) fn first_at_once(plan: &Plan, seen_at: Option<Timestamp>, clock: &dyn Clock) -> bool {
    let monitoring = &plan.monitoring;
    if monitoring.run_on_start {
        return true;
    }
    let missed = || {
        let next = monitoring.timetable.next_after(seen_at?, seen_at?)?;
        Some(next <= clock.now())
    };
    monitoring.make_up && missed().unwrap_or(false)
}

/// The timetables that looks follow, each once, that of the rounds first; and for each target, in the order of the
/// plan, the place of its own in that list: its group.
fn groups(plan: &Plan) -> (Vec<Timetable>, Vec<usize>) {
    let mut timetables = vec![plan.monitoring.timetable.clone()];
    let groups = plan.watched.iter().map(|one| {
        let Some(own) = &one.timetable else { return 0 };
        let known = timetables.iter().position(|known| known == own);
        known.unwrap_or_else(|| {
            timetables.push(own.clone());
            timetables.len() - 1
        })
    });
    let groups = groups.collect();
    (timetables, groups)
}

pub(super) fn watch_of(
    plan: &Plan,
    fleet: Fleet,
    permits: usize,
    at_once: bool,
    clock: &Arc<dyn Clock>,
) -> rounds::Watch {
    let (mut timetables, groups) = groups(plan);
    // Behind those of the looks, where `policy` expects it.
    timetables.extend(plan.monitoring.reports.clone());
    timetables.extend(plan.monitoring.weekly.clone());
    let targets = plan.watched.iter().map(|one| Arc::clone(&one.target));
    rounds::Watch {
        targets: targets.zip(groups).collect(),
        timetables,
        jitter: plan.monitoring.jitter,
        at_once,
        fleet,
        options: RoundOptions {
            permits,
            spread: Duration::ZERO,
            cpu_window: CPU_WINDOW,
            redactor: Arc::new(plan.redactor()),
            clock: Arc::clone(clock),
        },
    }
}

/// What the pipeline must know of a plan.
pub(super) fn known_of(plan: &Plan, at_a_terminal: bool) -> pipeline::Watch {
    let policy = policy(plan);
    pipeline::Watch {
        analyst: plan.analyst.clone(),
        targets: plan.watched.iter().map(judged).collect(),
        incidents: IncidentRules {
            facts: facts(plan),
            policy: incidents::Policy {
                agreeing_looks: policy.agreeing_looks,
                confirm_after: policy.confirm_after,
                group_window: plan.incidents.group_window,
                reminders: plan.incidents.reminders.clone(),
                escalation: plan.escalation.clone(),
            },
            silences: plan.silences.clone(),
            windows: plan.windows.clone(),
            terms: Terms {
                channels: Channels::of_daemon(plan, at_a_terminal).addressees(),
                levels: plan.escalation.clone(),
                retry: plan.delivery.retry,
            },
        },
        policy,
    }
}

fn policy(plan: &Plan) -> Policy {
    let monitoring = &plan.monitoring;
    // Reports have a timetable of their own behind all others, or follow the rounds of all.
    let behind = groups(plan).0.len();
    let report_group = monitoring.reports.as_ref().map_or(0, |_| behind);
    let weekly_group = behind + usize::from(monitoring.reports.is_some());
    Policy {
        agreeing_looks: monitoring.agreeing_looks,
        confirm_after: TimeDelta::from_std(monitoring.confirm_after).unwrap_or(TimeDelta::MAX),
        adaptive: monitoring.adaptive,
        report_group,
        weekly_group: monitoring.weekly.as_ref().map(|_| weekly_group),
        report_when: monitoring.report_when,
    }
}
