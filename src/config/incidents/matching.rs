//! Whether matchers mean anything that is there.

use super::super::plan::Watched;
use super::super::targets;
use super::lists;
use crate::collectors::{KINDS, ec2_instances};
use crate::document::{Node, Path, shown_name};
use crate::incidents::Matcher;
use crate::problem::{Problem, Severity, nearest};

/// Notes kinds that there are not, and, as a warning, that no target is meant. `node` holds `names`, `kinds` and
/// `labels`; `what` says what the matcher belongs to.
pub(super) fn check(
    matcher: &Matcher,
    what: &str,
    node: &Node,
    path: &Path,
    targets: &targets::Read,
    problems: &mut Vec<Problem>,
) {
    let mut unknown = false;
    for (index, pattern) in matcher.kinds().iter().enumerate() {
        let keys = KINDS.iter().map(|kind| kind.spec.key);
        if keys.clone().any(|key| pattern.matches(key)) {
            continue;
        }
        unknown = true;
        let hint = nearest(pattern.glob(), keys).map_or_else(
            || "`roundsman kinds` lists them".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        let kinds = node.get("kinds").unwrap_or(node);
        let (place, path) = lists::item(kinds, &path.key("kinds"), index);
        let message = format!("there is no kind {}", shown_name(pattern.glob()));
        let problem = Problem::error(message).at(&place.location, path.to_string());
        problems.push(problem.hint(hint));
    }
    if !unknown && !may_mean_one(matcher, targets) && all_are_read(problems) {
        let message = format!("{what} matches no target that is configured");
        let problem = Problem::warning(message).at(&node.location, path.to_string());
        let hint = "names, kinds and labels must all fit; `*` stands for any text";
        problems.push(problem.hint(hint));
    }
}

/// Whether a target is meant, or one may be that is switched off, or that another one finds.
fn may_mean_one(matcher: &Matcher, targets: &targets::Read) -> bool {
    let may_find = |one: &Watched| {
        let target = &one.target;
        let settings = target.settings.downcast_ref::<ec2_instances::Settings>();
        settings.is_some_and(|settings| settings.discover.is_some())
            && matcher.matches_kind(target.id.kind)
            && matcher.matches_labels(&target.common.labels)
    };
    let is_meant =
        |one: &Watched| matcher.matches(&one.target.id, &one.target.common.labels) || may_find(one);
    // Of those that are switched off only the name is known.
    targets.watched.iter().any(is_meant)
        || (targets.disabled.iter())
            .any(|id| matcher.matches_kind(id.kind) && matcher.matches_name(id.kind, &id.name))
}

/// Whether no target was left out for its mistakes: it might be the one that is meant.
fn all_are_read(problems: &[Problem]) -> bool {
    !problems.iter().any(|problem| {
        problem.severity == Severity::Error
            && (problem.path == "targets" || problem.path.starts_with("targets."))
    })
}
