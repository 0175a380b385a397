//! Thresholds and rules of one target, checked against what its kind measures.

use super::reachable;
use super::sections::{CommonKeys, RuleEntry};
use crate::document::{Node, Path, is_name, shown_name};
use crate::model::{Bound, KindSpec, Limit, Origin, Rule, Threshold, Unit};
use crate::problem::{Problem, nearest};
use crate::rules::Rules;

/// For each key of a `thresholds` node: where it stands, as the origin of its rule.
pub(super) fn origins(node: Option<&Node>, path: &Path) -> impl Fn(&str) -> Origin {
    move |key| {
        let place = node
            .and_then(|node| node.entry(key))
            .map_or_else(String::new, |entry| format!("{} ", entry.key_location));
        Origin::Configured(format!("{place}{}", path.key(key)).into())
    }
}

/// The rules that a target's own `thresholds` and `rules` stand for; mistakes are noted.
pub(super) fn own_rules(
    common: &CommonKeys,
    node: &Node,
    path: &Path,
    spec: &KindSpec,
    inherited: &Rules,
    problems: &mut Vec<Problem>,
) -> Vec<Rule> {
    let thresholds_path = path.key("thresholds");
    let thresholds_node = node.get("thresholds");
    let mut own = Vec::new();
    for rule in (common.thresholds).rules(origins(thresholds_node, &thresholds_path)) {
        if spec.metric(&rule.metric).is_some() || !spec.built {
            own.push(rule);
        } else if let Some(node) = thresholds_node {
            let message = format!(
                "a limit on `{1}` has no effect: {0} do not measure it",
                spec.key, rule.metric
            );
            let problem = Problem::warning(message);
            let problem = problem.at(&node.location, thresholds_path.to_string());
            problems.push(problem.hint("take it out"));
        }
    }
    check_order(
        &common.thresholds,
        thresholds_node,
        &thresholds_path,
        inherited,
        problems,
    );
    let thresholds = &common.thresholds;
    reachable::check_thresholds(thresholds, thresholds_node, &thresholds_path, problems);
    for (index, entry) in common.rules.iter().enumerate() {
        let path = path.key("rules").index(index);
        let Some(node) = node.get("rules").and_then(|rules| rules.items().get(index)) else {
            continue;
        };
        if let Some(rule) = rule(entry, node, &path, spec, problems) {
            own.push(rule);
        }
    }
    own
}

/// Notes pairs whose RED limit turns before their YELLOW one: a mistake where both are written here, a warning where
/// one of them holds from elsewhere.
pub(super) fn check_order(
    thresholds: &crate::rules::Thresholds,
    node: Option<&Node>,
    path: &Path,
    inherited: &Rules,
    problems: &mut Vec<Problem>,
) {
    for pair in thresholds.out_of_order(inherited) {
        let entry = node.and_then(|node| node.entry(pair.key));
        let Some(entry) = entry else { continue };
        let message = format!(
            "RED at `{}` would turn before YELLOW at `{}`",
            pair.red, pair.yellow
        );
        let problem = if pair.both_written {
            Problem::error(message).hint("swap the two")
        } else {
            Problem::warning(message).hint("set the other side too: it holds from elsewhere")
        };
        problems.push(problem.at(&entry.value.location, path.key(pair.key).to_string()));
    }
}

fn rule(
    entry: &RuleEntry,
    node: &Node,
    path: &Path,
    spec: &KindSpec,
    problems: &mut Vec<Problem>,
) -> Option<Rule> {
    let at = |key: &str| {
        node.get(key)
            .map_or(&node.location, |value| &value.location)
    };
    let metric = spec.metric(&entry.metric);
    if metric.is_none() && spec.built {
        let names = spec.metrics.iter().map(|metric| metric.name);
        let message = format!("{} do not measure {}", spec.key, shown_name(&entry.metric));
        let hint = nearest(&entry.metric, names.clone()).map_or_else(
            || format!("they measure {}", names.collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        let problem = Problem::error(message).at(at("metric"), path.key("metric").to_string());
        problems.push(problem.hint(hint));
        return None;
    }
    if entry.subject.is_some() && metric.is_some_and(|metric| metric.subject.is_none()) {
        let message = format!("{} has no parts to choose from", shown_name(&entry.metric));
        let problem = Problem::error(message).at(at("subject"), path.key("subject").to_string());
        problems.push(problem.hint("leave `subject` out"));
    }
    let inside = format!("{path}.");
    let is_broken = |problem: &Problem| problem.path.starts_with(&inside);
    if entry.yellow.is_none() && entry.red.is_none() && entry.clear.is_none() {
        if problems.iter().any(is_broken) {
            return None;
        }
        let problem = Problem::error("a rule without a limit").at(&node.location, path.to_string());
        problems.push(problem.hint("give `yellow`, `red` or `clear`, such as `red: \"> 90\"`"));
        return None;
    }
    let yellow = entry.yellow.as_ref().map(|written| written.0.0.clone());
    let red = entry.red.as_ref().map(|written| written.0.0.clone());
    let clear = entry.clear.as_ref().map(|written| written.0.0.clone());
    let sides = [
        ("yellow", yellow.as_ref().and_then(Threshold::limit)),
        ("red", red.as_ref().and_then(Threshold::limit)),
        ("clear", clear.as_ref()),
    ];
    for (key, limit) in sides {
        let (Some(metric), Some(limit)) = (metric, limit) else {
            continue;
        };
        if let Some(expected) = misfit(metric.unit, limit) {
            let message = format!(
                "{} can never be compared with `{}`",
                shown_limit(limit),
                metric.name
            );
            let problem = Problem::error(message).at(at(key), path.key(key).to_string());
            problems.push(problem.hint(format!("compare it with {expected}")));
        }
        let place = (at(key), &path.key(key));
        reachable::check_limit(metric.name, metric.unit, limit, place, problems);
    }
    if let (Some(Threshold::At(yellow)), Some(Threshold::At(red))) = (&yellow, &red)
        && turns_first(red, yellow)
    {
        let message = format!(
            "RED at {} would turn before YELLOW at {}",
            shown_limit(red),
            shown_limit(yellow)
        );
        let problem = Problem::error(message).at(at("red"), path.key("red").to_string());
        problems.push(problem.hint("swap the two"));
    }
    if let Some(clear) = &clear {
        let same_way = [&yellow, &red]
            .into_iter()
            .flatten()
            .any(|side| match side {
                Threshold::At(limit) => same_direction(limit, clear),
                Threshold::Never => false,
            });
        if same_way {
            let message = format!(
                "`clear` at {} points the same way as the limit",
                shown_limit(clear)
            );
            let problem = Problem::error(message).at(at("clear"), path.key("clear").to_string());
            problems.push(problem.hint(
                "`clear` says when all is well again: `clear: \"< 65\"` for `red: \"> 90\"`",
            ));
        }
    }
    let place = format!("{} {path}", node.location);
    Some(Rule {
        metric: metric.map_or_else(|| entry.metric.clone().into(), |metric| metric.name.into()),
        subject: entry.subject.as_ref().map(|written| written.0.0.clone()),
        yellow,
        red,
        clear,
        origin: Origin::Configured(place.into()),
    })
}

/// What a value of that unit can be compared with, where this limit is none: it would silently take a default away.
fn misfit(unit: Unit, limit: &Limit) -> Option<&'static str> {
    let (fits, expected) = match unit {
        Unit::State => (limit.number().is_none(), "a word: `== paused | dead`"),
        Unit::Flag => (limit.is_of_flags(), "yes or no: `== yes`"),
        _ => (limit.is_of_numbers(), "a number: `> 90`, `!= 0 | 143`"),
    };
    (!fits).then_some(expected)
}

/// Whether `red` is crossed by values that do not cross `yellow`, both pointing the same way.
fn turns_first(red: &Limit, yellow: &Limit) -> bool {
    let (Some(red_at), Some(yellow_at)) = (red.number(), yellow.number()) else {
        return false;
    };
    (red.comparison.higher_is_worse() && yellow.comparison.higher_is_worse() && red_at < yellow_at)
        || (red.comparison.lower_is_worse()
            && yellow.comparison.lower_is_worse()
            && red_at > yellow_at)
}

fn same_direction(one: &Limit, other: &Limit) -> bool {
    (one.comparison.higher_is_worse() && other.comparison.higher_is_worse())
        || (one.comparison.lower_is_worse() && other.comparison.lower_is_worse())
}

/// A limit in a sentence. A text to compare with may be a secret in the wrong place.
fn shown_limit(limit: &Limit) -> String {
    match &limit.bound {
        Bound::Text(text) if !is_name(&text.replace('|', " ")) => "a text".to_owned(),
        _ => format!("`{limit}`"),
    }
}
