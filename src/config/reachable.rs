//! Limits that no value can ever cross, or that every value does: `cpu_red: 900`.

use std::ops::RangeInclusive;

use crate::document::{Node, Path};
use crate::model::{Comparison, Limit, Unit};
use crate::problem::{Location, Problem};
use crate::rules::Thresholds;

/// What a value of that unit can be. `None`: any number, or none at all.
fn values(metric: &str, unit: Unit) -> Option<RangeInclusive<f64>> {
    match unit {
        Unit::Percent => Some(0.0..=100.0),
        Unit::Milliseconds | Unit::Bytes | Unit::UsDollars => Some(0.0..=f64::INFINITY),
        Unit::Count if metric != "exit_code" => Some(0.0..=f64::INFINITY),
        Unit::Count | Unit::Seconds | Unit::Days | Unit::Number | Unit::Flag | Unit::State => None,
    }
}

/// Notes a limit that lies outside of what can be measured.
pub(super) fn check_limit(
    metric: &str,
    unit: Unit,
    limit: &Limit,
    (location, path): (&Location, &Path),
    problems: &mut Vec<Problem>,
) {
    let (Some(values), Some(number)) = (values(metric, unit), limit.number()) else {
        return;
    };
    if values.contains(&number) {
        return;
    }
    let above = number > *values.end();
    let comparison = limit.comparison;
    let is_always = comparison == Comparison::NotEqual
        || (above && comparison.lower_is_worse())
        || (!above && comparison.higher_is_worse());
    let how_often = if is_always { "always" } else { "never" };
    let (range, hint) = if values.end().is_finite() {
        ("is from 0 to 100", "write percent, from 0 to 100")
    } else {
        ("is never below 0", "write a number that is not below 0")
    };
    let message = format!("`{metric}` {range}: `{limit}` is {how_often} so");
    problems.push(
        Problem::warning(message)
            .at(location, path.to_string())
            .hint(hint),
    );
}

/// Notes such limits of a `thresholds` node.
pub(super) fn check_thresholds(
    thresholds: &Thresholds,
    node: Option<&Node>,
    path: &Path,
    problems: &mut Vec<Problem>,
) {
    let Some(node) = node else { return };
    for (key, metric, limit) in thresholds.limits() {
        let unit = match metric {
            "load_per_core" => Unit::Count,
            "response_time_ms" => Unit::Milliseconds,
            percent if percent.ends_with("_percent") => Unit::Percent,
            _ => continue,
        };
        let place = node.get(key).unwrap_or(node);
        check_limit(
            metric,
            unit,
            &limit,
            (&place.location, &path.key(key)),
            problems,
        );
    }
}
