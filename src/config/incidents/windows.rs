//! When maintenance is done.

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::targets;
use super::super::values::ZoneText;
use super::{lists, matching};
use crate::document::{DurationText, Node, Written, shown_name};
use crate::incidents::{LONGEST_OPEN, Matcher, Window};
use crate::model::Timestamp;
use crate::problem::Problem;
use crate::schedule::Cron;

/// What the section is for.
pub(super) const MEANING: &str =
    "When maintenance is done, again and again: what is wrong meanwhile is not spoken of.";

/// When maintenance is done, and on what.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WindowKeys {
    /// How it is called. Unique.
    name: String,
    /// For which targets.
    #[serde(rename = "match")]
    matcher: Matcher,
    /// When it opens: five cron fields (minute hour day month weekday).
    schedule: Written<Cron>,
    /// How long it is open each time, in real time: a change of the clocks makes it no longer and no shorter.
    duration: Written<DurationText>,
    /// The zone in which `schedule` is meant. Default: `monitoring.timezone`.
    timezone: Option<Written<ZoneText>>,
    /// Why.
    comment: Option<String>,
}

pub(super) fn read(
    root: &Node,
    targets: &targets::Read,
    zone: chrono_tz::Tz,
    now: Timestamp,
    problems: &mut Vec<Problem>,
) -> Vec<Window> {
    let mut windows: Vec<Window> = Vec::new();
    for entry in lists::entries::<WindowKeys>(root, "windows", "name: ", problems) {
        let keys = &entry.keys;
        let name = keys.name.trim();
        if name.is_empty() {
            let message = "expected a name";
            entry.refuse("name", message, "say what is done: `backups`", problems);
        } else if windows.iter().any(|known| known.name == name) {
            let message = format!("the name {} is already taken", shown_name(name));
            let hint = "give each window a `name` of its own";
            entry.refuse("name", &message, hint, problems);
        }
        let duration = entry.length("duration", &keys.duration, problems);
        let window = Window {
            name: name.to_owned(),
            matcher: keys.matcher.clone(),
            cron: keys.schedule.0.clone(),
            duration: duration.min(LONGEST_OPEN),
            zone: keys.timezone.map_or(zone, |written| written.0.0),
            comment: keys.comment.clone(),
        };
        check_times(&entry, &window, duration, now, problems);
        if let Some(node) = entry.node.get("match") {
            let path = entry.path.key("match");
            let (matcher, what) = (&keys.matcher, "this window");
            matching::check(matcher, what, node, &path, targets, problems);
        }
        windows.push(window);
    }
    windows
}

/// Notes a window that never opens, and one that never closes.
fn check_times(
    entry: &lists::Entry<'_, WindowKeys>,
    window: &Window,
    duration: TimeDelta,
    now: Timestamp,
    problems: &mut Vec<Problem>,
) {
    let most = LONGEST_OPEN.num_days();
    if !window.cron.ever_fires() {
        let message = format!("`{}` never comes: there is no such day", window.cron);
        let hint = "check the day and the month";
        entry.refuse("schedule", &message, hint, problems);
    } else if duration > LONGEST_OPEN || !window.closes(now) {
        let message = format!("it would be open for more than {most} days without a break");
        let hint = "shorten it, or write a silence or `enabled: false`";
        entry.refuse("duration", &message, hint, problems);
    }
}
