//! What the incident engine must know of the targets of a plan: who depends on whom, and who fails together.

use std::collections::HashMap;

use crate::collectors::Home;
use crate::config::{Plan, Watched};
use crate::incidents::{Facts, Grouping};
use crate::model::Urgency;
use crate::render::Names;

/// The group of what is at home on a machine.
pub(super) fn group_of_machine(machine: &str) -> String {
    format!("host {machine}")
}

/// Of all targets, in the order of the plan.
pub(super) fn facts(plan: &Plan) -> Vec<Facts> {
    let ids = plan.watched.iter().map(|one| &one.target.id);
    let names = Names::among(ids.clone().map(|id| (id.kind, &*id.name)));
    let mut called: HashMap<String, String> = HashMap::new();
    for id in ids {
        // One name for two is told of when the configuration is read.
        called.insert(id.name.to_string(), id.to_string());
    }
    let homes: Vec<Option<Home>> = (plan.watched.iter())
        .map(|one| (one.kind.home)(&one.target.settings))
        .collect();
    let mut machines: HashMap<&str, String> = HashMap::new();
    for (one, home) in plan.watched.iter().zip(&homes) {
        if let Some(Home::Is(machine)) = home {
            let machines = machines.entry(machine);
            machines.or_insert_with(|| one.target.id.to_string());
        }
    }
    let with_homes = plan.watched.iter().zip(&homes);
    with_homes
        .map(|(one, home)| {
            let id = &one.target.id;
            let target = id.to_string();
            let written = one.target.common.depends_on.iter().map(|name| {
                let by_name = called.get(name).cloned();
                by_name.unwrap_or_else(|| name.clone())
            });
            let machine = match home {
                Some(Home::On(machine)) => machines.get(machine.as_str()).cloned(),
                Some(Home::Is(_)) | None => None,
            };
            let mut parents: Vec<String> = written.chain(machine).collect();
            parents.retain(|parent| *parent != target);
            parents.dedup();
            Facts {
                name: names.of(id.kind, &id.name),
                kind: id.kind.to_owned(),
                own_name: id.name.to_string(),
                critical: one.target.common.critical,
                instant: one.target.common.urgency == Urgency::Instant,
                costs_money: (one.kind.costs_money)(&one.target.settings),
                labels: one.target.common.labels.clone(),
                runbook: one.target.common.runbook.clone(),
                parents,
                groups: groups(one, home.as_ref(), &plan.incidents.group_by),
                home: home.clone(),
                region: (one.kind.region)(&one.target.settings),
                target,
            }
        })
        .collect()
}

fn groups(one: &Watched, home: Option<&Home>, group_by: &[Grouping]) -> Vec<String> {
    let home = home.map(|home| group_of_machine(home.machine()));
    let asked = group_by.iter().filter_map(|grouping| match grouping {
        Grouping::Label(key) => {
            let value = one.target.common.labels.get(key)?;
            Some(format!("label {key}={value}"))
        }
        Grouping::Region => {
            let region = (one.kind.region)(&one.target.settings)?;
            Some(format!("region {region}"))
        }
    });
    home.into_iter().chain(asked).collect()
}
