//! What is not spoken of for a while.

use aws_lc_rs::digest;
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::targets;
use super::super::values::MomentText;
use super::{lists, matching};
use crate::document::{Node, Written};
use crate::incidents::{Matcher, Silence};
use crate::model::Timestamp;
use crate::problem::Problem;

/// What the section is for.
pub(super) const MEANING: &str =
    "What is not spoken of for a while. `roundsman silence` adds more.";

/// Some targets that are not spoken of for a while.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SilenceKeys {
    /// For which targets.
    #[serde(rename = "match")]
    matcher: Matcher,
    /// From when on. Default: it has always been.
    from: Option<Written<MomentText>>,
    /// Until when. Default: until it is taken out of the file.
    until: Option<Written<MomentText>>,
    /// Who says so.
    author: Option<String>,
    /// Why.
    comment: Option<String>,
}

pub(super) fn read(
    root: &Node,
    targets: &targets::Read,
    zone: chrono_tz::Tz,
    now: Timestamp,
    problems: &mut Vec<Problem>,
) -> Vec<Silence> {
    let mut silences: Vec<Silence> = Vec::new();
    for entry in lists::entries::<SilenceKeys>(root, "silences", "match: ", problems) {
        let keys = &entry.keys;
        let instant = |written: &Option<Written<MomentText>>| {
            written.as_ref().map(|written| written.0.instant(zone))
        };
        let (from, until) = (instant(&keys.from), instant(&keys.until));
        if let (Some(from), Some(until)) = (from, until)
            && from >= until
        {
            let message = "expected a time after `from`";
            entry.refuse("until", message, "swap the two", problems);
        } else if until.is_some_and(|until| until <= now) {
            let message = "this silence has ended";
            entry.warn("until", message, "take the entry out", problems);
        }
        if let Some(node) = entry.node.get("match") {
            let path = entry.path.key("match");
            let (matcher, what) = (&keys.matcher, "this silence");
            matching::check(matcher, what, node, &path, targets, problems);
        }
        let mut silence = Silence {
            id: String::new(),
            matcher: entry.keys.matcher,
            from,
            until,
            author: entry.keys.author,
            comment: entry.keys.comment,
        };
        silence.id = id_of(&silence);
        // Said twice it is one.
        if !silences.contains(&silence) {
            silences.push(silence);
        }
    }
    silences
}

/// An id that hangs on what the silence says, so that it stays when others come and go around it.
fn id_of(silence: &Silence) -> String {
    let json = serde_json::to_vec(silence).unwrap_or_default();
    let hash = digest::digest(&digest::SHA256, &json);
    let hex: Vec<String> = (hash.as_ref().iter().take(4))
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("file-{}", hex.concat())
}
