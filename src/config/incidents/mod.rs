//! What is said of problems, and to whom: the sections `silences`, `windows`, `escalation`, `incidents` and `delivery`, and
//! the routes of reporters, each read and then checked against the targets that are there.

mod escalation;
mod lists;
mod matching;
mod routes;
mod settings;
mod silences;
mod windows;

use schemars::{Schema, SchemaGenerator};

pub(super) use routes::RouteKeys;
pub(super) use settings::{DeliveryKeys, IncidentKeys};

use super::plan::Delivery;
use super::targets;
use crate::document::Node;
use crate::incidents::{Level, Settings, Silence, Window};
use crate::model::Timestamp;
use crate::problem::Problem;

/// What the sections say.
pub(super) struct Read {
    pub silences: Vec<Silence>,
    pub windows: Vec<Window>,
    pub escalation: Vec<Level>,
    pub settings: Settings,
    pub delivery: Delivery,
}

/// Reads all of them. `targets` are those that they may mean.
pub(super) fn read(
    root: &Node,
    targets: &targets::Read,
    zone: chrono_tz::Tz,
    now: Timestamp,
    problems: &mut Vec<Problem>,
) -> Read {
    Read {
        silences: silences::read(root, targets, zone, now, problems),
        windows: windows::read(root, targets, zone, now, problems),
        escalation: escalation::read(root, problems),
        settings: settings::incidents(root, problems),
        delivery: settings::delivery(root, problems),
    }
}

/// The JSON Schema of each section that is a list.
pub(super) fn lists(generator: &mut SchemaGenerator) -> [(&'static str, Schema); 3] {
    let silences = lists::schema::<silences::SilenceKeys>(silences::MEANING, generator);
    let windows = lists::schema::<windows::WindowKeys>(windows::MEANING, generator);
    let escalation = lists::schema::<escalation::LevelKeys>(escalation::MEANING, generator);
    [
        ("silences", silences),
        ("windows", windows),
        ("escalation", escalation),
    ]
}
