//! Who is told when nobody answers.

use schemars::JsonSchema;
use serde::Deserialize;

use super::lists;
use crate::document::{DurationText, Node, OneOrMany, Written, shown_name};
use crate::incidents::Level;
use crate::model::Severity;
use crate::problem::{Problem, nearest};

/// What the section is for.
pub(super) const MEANING: &str = "Who is told when nobody answers. A reporter that is named here gets incidents only from its level on, \
     unless it also has a `route`.";

/// Who is told when nobody has answered for a while.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LevelKeys {
    /// How long after the incident opened, while it is neither acknowledged nor over.
    after: Written<DurationText>,
    /// The names of reporters.
    reporters: OneOrMany,
    /// Of incidents of these severities. Default: all.
    severities: Option<Vec<Severity>>,
}

pub(super) fn read(root: &Node, problems: &mut Vec<Problem>) -> Vec<Level> {
    let known = names_of_reporters(root);
    let mut levels: Vec<Level> = Vec::new();
    for entry in lists::entries::<LevelKeys>(root, "escalation", "after: ", problems) {
        let keys = &entry.keys;
        let after = entry.length("after", &keys.after, problems);
        entry.check_severities(keys.severities.as_ref(), problems);
        if keys.reporters.0.is_empty() {
            let hint = "write the `name` of a reporter, or its kind where it has none";
            entry.refuse("reporters", "nobody would be told", hint, problems);
        }
        for (index, name) in keys.reporters.0.iter().enumerate() {
            if known.contains(&name.as_str()) {
                continue;
            }
            let hint = match (nearest(name, known.iter().copied()), &known[..]) {
                (Some(near), _) => format!("did you mean `{near}`?"),
                (None, []) => "add it under `reporters:`".to_owned(),
                (None, known) => format!("known reporters: {}", known.join(", ")),
            };
            let list = entry.node.get("reporters").unwrap_or(entry.node);
            let (place, path) = lists::item(list, &entry.path.key("reporters"), index);
            let problem = Problem::error(format!("there is no reporter {}", shown_name(name)));
            problems.push(problem.at(&place.location, path.to_string()).hint(hint));
        }
        levels.push(Level {
            after,
            reporters: entry.keys.reporters.0,
            severities: entry.keys.severities,
        });
    }
    // In the order in which they are reached.
    levels.sort_by_key(|level| level.after);
    levels
}

/// The names of all reporters as they are written: one with a mistake of its own is there all the same.
fn names_of_reporters(root: &Node) -> Vec<&str> {
    let listed = root.get("reporters").map_or(&[][..], Node::items).iter();
    let names = listed.filter_map(|entry| entry.get("name").or(entry.get("kind"))?.text());
    let short_form = root.get("telegram").map(|_| "telegram");
    names.chain(short_form).collect()
}
