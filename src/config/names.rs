//! Names of targets: unique within a kind, and what they depend on.

use std::collections::HashMap;
use std::sync::Arc;

use super::plan::Watched;
use crate::document::shown_name;
use crate::model::TargetId;
use crate::problem::{Problem, nearest};

/// Tells derived names apart by a number (`api.example.com`, `api.example.com #2`), and notes given ones that stand
/// twice.
pub(super) fn make_unique(watched: &mut [Watched], problems: &mut Vec<Problem>) {
    let mut seen: HashMap<(&'static str, Arc<str>), String> = HashMap::new();
    // Given names first: a derived one makes way for them.
    let mut order: Vec<usize> = (0..watched.len()).collect();
    order.sort_by_key(|index| !watched[*index].named);
    for index in order {
        let one = &mut watched[index];
        let here = one
            .location
            .as_ref()
            .map_or_else(String::new, ToString::to_string);
        let id = one.target.id.clone();
        let Some(first) = seen.get(&(id.kind, Arc::clone(&id.name))) else {
            seen.insert((id.kind, id.name), here);
            continue;
        };
        if one.named {
            let message = format!(
                "the name {} is already taken, at {first}",
                shown_name(&id.name)
            );
            let mut problem = Problem::error(message).hint("names are unique within a kind");
            if let Some((location, path)) = one.places.get("name") {
                problem = problem.at(location, path.clone());
            }
            problems.push(problem);
            continue;
        }
        let free = (2..).map(|number| Arc::from(format!("{} #{number}", id.name)));
        let free = free
            .into_iter()
            .find(|name: &Arc<str>| !seen.contains_key(&(id.kind, Arc::clone(name))));
        if let Some(name) = free {
            seen.insert((id.kind, Arc::clone(&name)), here);
            Arc::make_mut(&mut one.target).id.name = name;
        }
    }
}

/// Notes dependencies on targets that are not there, that could be two, or that go round in a circle.
/// One that is switched off may be depended on: it is out of the way for now.
pub(super) fn check_dependencies(
    watched: &[Watched],
    disabled: &[TargetId],
    problems: &mut Vec<Problem>,
) {
    let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, one) in watched.iter().enumerate() {
        let id = &one.target.id;
        by_name.entry(id.name.to_string()).or_default().push(index);
        by_name.entry(id.to_string()).or_default().push(index);
    }
    let mut parents: Vec<Vec<usize>> = vec![Vec::new(); watched.len()];
    for (index, one) in watched.iter().enumerate() {
        for name in &one.target.common.depends_on {
            let found = by_name.get(name).map_or(&[][..], Vec::as_slice);
            if found.is_empty()
                && (disabled.iter()).any(|id| *id.name == **name || id.to_string() == *name)
            {
                continue;
            }
            let problem = match found {
                [parent] if *parent == index => {
                    Problem::error("a target cannot depend on itself").hint("take it out")
                }
                [parent] => {
                    parents[index].push(*parent);
                    continue;
                }
                [] => {
                    let hint = nearest(name, by_name.keys().map(String::as_str)).map_or_else(
                        || "write the `name` of a target, or `kind/name`".to_owned(),
                        |near| format!("did you mean `{near}`?"),
                    );
                    Problem::error(format!("there is no target {}", shown_name(name))).hint(hint)
                }
                several => {
                    let ids: Vec<String> = several
                        .iter()
                        .map(|index| shown_name(&watched[*index].target.id.to_string()))
                        .collect();
                    Problem::error(format!(
                        "{} could be {}",
                        shown_name(name),
                        ids.join(" or ")
                    ))
                    .hint("write the kind too")
                }
            };
            problems.push(place(problem, one));
        }
    }
    if let Some(circle) = circle(&parents) {
        let names: Vec<String> = circle
            .iter()
            .chain(circle.first())
            .map(|index| shown_name(&watched[*index].target.id.name))
            .collect();
        let message = format!("dependencies go round in a circle: {}", names.join(" → "));
        let problem = Problem::error(message).hint("take one of them out");
        problems.push(place(problem, &watched[circle[0]]));
    }
}

fn place(problem: Problem, one: &Watched) -> Problem {
    match one.places.get("depends_on") {
        Some((location, path)) => problem.at(location, path.clone()),
        None => problem,
    }
}

/// The first circle of parents, if there is one.
fn circle(parents: &[Vec<usize>]) -> Option<Vec<usize>> {
    // What is finished leads into no circle.
    let mut finished = vec![false; parents.len()];
    for start in 0..parents.len() {
        let mut trail: Vec<(usize, usize)> = vec![(start, 0)];
        while let Some((node, next)) = trail.last_mut() {
            let Some(parent) = parents[*node].get(*next).copied() else {
                finished[*node] = true;
                trail.pop();
                continue;
            };
            *next += 1;
            if let Some(at) = trail.iter().position(|(node, _)| *node == parent) {
                return Some(trail[at..].iter().map(|(node, _)| *node).collect());
            }
            if !finished[parent] {
                trail.push((parent, 0));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::circle;

    #[test]
    fn circles_are_found_and_shared_parents_are_none() {
        assert_eq!(circle(&[vec![1, 2], vec![2], vec![]]), None);
        assert_eq!(circle(&[vec![1], vec![2], vec![0]]), Some(vec![0, 1, 2]));
        assert_eq!(circle(&[vec![1], vec![2], vec![1]]), Some(vec![1, 2]));
    }
}
