use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::clients::Surroundings;
use crate::collectors::Kind;
use crate::model::{Origin, Target};
use crate::problem::Location;
use crate::reporters::{self, ReporterKind};
use crate::rules::Rules;
use crate::schedule::Cron;
use crate::secret::Redactor;

/// All that a configuration asks for, checked. Pure: nothing was opened or started for it.
pub struct Plan {
    /// The files it came from, the main one first; empty: it is the built-in one.
    pub files: Vec<PathBuf>,
    /// What is watched, in the order of the files.
    pub watched: Vec<Watched>,
    /// How many targets are switched off with `enabled: false`.
    pub disabled: usize,
    /// When rounds begin.
    pub timetable: Timetable,
    /// Where reports go, beside the terminal.
    pub reporters: Vec<PlannedReporter>,
    /// Where each value came from that is not written under `targets`, and each that came from a variable or a
    /// file.
    pub sources: Vec<ValueSource>,
    /// What is never to be said, though it stands in settings that are, such as a token in an address.
    pub secrets: Redactor,
    /// Where we run: what clients find around them.
    pub surroundings: Surroundings,
}

/// A target with all that is needed to look at it and to judge it.
#[derive(Clone)]
pub struct Watched {
    /// The target.
    pub target: Arc<Target>,
    /// Its kind.
    pub kind: &'static Kind,
    /// Its rules.
    pub rules: Arc<Rules>,
    /// Where it stands.
    pub location: Option<Location>,
    /// Where its time-out came from.
    pub timeout_from: Origin,
    /// Whether its name was given, not derived.
    pub named: bool,
    /// Where some of its keys stand, with their paths.
    pub(super) places: HashMap<&'static str, (Location, String)>,
}

/// When rounds begin.
#[derive(Debug, Clone, PartialEq)]
pub enum Timetable {
    /// At the times of a cron entry in a zone.
    Cron(Box<Cron>, chrono_tz::Tz),
    /// At equal distances.
    Every(Duration),
}

/// A channel that reports go to.
#[derive(Clone)]
pub struct PlannedReporter {
    /// What sort of channel.
    pub kind: &'static ReporterKind,
    /// How it is called.
    pub name: String,
    /// What its sort takes.
    pub settings: reporters::Settings,
    /// Where it stands.
    pub location: Option<Location>,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueSource {
    /// Its path in the document.
    pub path: String,
    /// Where it stands.
    pub location: Location,
    /// The variables or files that its text came from; `None`: it is written there.
    pub expanded_from: Option<Arc<str>>,
}
