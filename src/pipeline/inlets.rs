//! What goes into a pipeline: what is watched and how, what is seen, and what people order.

use std::sync::Arc;

use chrono::TimeDelta;
use tokio::sync::mpsc;

use super::IncidentRules;
use crate::analysis::analyst::{self, Ask, Told};
use crate::model::{KindSpec, RoundEvent, Target, Wish};
use crate::rules::Rules;
use crate::store::Placed;

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
    /// The group whose rounds are followed by the uptime of a week.
    pub weekly_group: Option<usize>,
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

/// What is watched from now on.
pub struct Watch {
    /// All targets.
    pub targets: Vec<Judged>,
    /// How they are dealt with.
    pub policy: Policy,
    /// How their problems become incidents, and who hears of them.
    pub incidents: IncidentRules,
    /// Who puts incidents into words; `None`: nobody.
    pub analyst: Option<analyst::Settings>,
}

/// What comes out of a pipeline beside what is kept and told.
pub struct Outlets {
    /// Looks that would tell more.
    pub wishes: mpsc::Sender<Wish>,
    /// Questions for the analyst.
    pub asks: mpsc::Sender<Ask>,
}

/// What goes into a pipeline.
pub struct Inlets {
    /// What is seen.
    pub events: mpsc::Receiver<RoundEvent>,
    /// Other configurations.
    pub watches: mpsc::Receiver<Watch>,
    /// What people order.
    pub orders: mpsc::Receiver<Placed>,
    /// What a language model says.
    pub words: mpsc::Receiver<Told>,
}
