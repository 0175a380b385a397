//! EC2 instances: their state, their checks, their load; by ID, or found by region and tags.
//!
//! All targets of an account are visited together: a few calls for each region, however many instances there are.

mod datapoints;
mod discovery;
mod instances;
mod metrics;
mod reading;
mod region;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::join_all;

use super::{Collector, Home, RunContext, SettingsProblem, Variables};
use crate::clients::Clients;
use crate::clients::aws::AwsClients;
use crate::model::{Blame, Failure, Found, KindSpec, MonthlyPrice, Reading, Rule, Target};
use discovery::Discoveries;
use region::{Regions, Sight};
pub use settings::{Discover, Settings};

/// Looks at EC2 instances.
pub struct Ec2Instances {
    aws: AwsClients,
    regions: Regions,
    discoveries: Discoveries,
}

impl Collector for Ec2Instances {
    const KIND: KindSpec = metrics::KIND;

    type Settings = Settings;

    fn new(clients: &Clients) -> Self {
        Self {
            aws: clients.aws.clone(),
            regions: Regions::new(clients.aws.clone()),
            discoveries: Discoveries::default(),
        }
    }

    fn host(settings: &Settings) -> Option<String> {
        (settings.account()).outside_host("ec2", settings.region.as_deref())
    }

    /// A look goes to the API: no machine that instances share.
    fn home(_settings: &Settings) -> Option<Home> {
        None
    }

    fn region(settings: &Settings) -> Option<String> {
        settings.region.clone()
    }

    fn default_name(settings: &Settings) -> String {
        settings.default_name()
    }

    fn rules(settings: &Settings) -> Vec<Rule> {
        metrics::rules(settings)
    }

    fn check(settings: &Settings, _: Variables<'_>) -> Vec<SettingsProblem> {
        settings.check()
    }

    fn batch_key(settings: &Settings) -> Option<String> {
        Some(settings.account().to_string())
    }

    fn monthly_price(settings: &Settings, looks_per_month: f64) -> Option<MonthlyPrice> {
        Some(metrics::monthly_price(settings, looks_per_month))
    }

    async fn look(
        &self,
        target: &Target,
        settings: &Settings,
        run: &RunContext,
    ) -> Result<Reading, Failure> {
        let mut looked = self.look_at_batch(&[(target, settings)], run).await;
        looked.swap_remove(0)
    }

    async fn look_at_batch(
        &self,
        batch: &[(&Target, &Settings)],
        run: &RunContext,
    ) -> Vec<Result<Reading, Failure>> {
        let regions = join_all(batch.iter().map(|(_, settings)| self.regions_of(settings))).await;
        let mut plans: BTreeMap<&str, region::Plan<'_>> = BTreeMap::new();
        for (index, (target, settings)) in batch.iter().enumerate() {
            for region in regions[index].iter().flatten() {
                let plan = plans.entry(region).or_default();
                match (&settings.instance_id, &settings.discover) {
                    (Some(id), _) => plan.listed.push((id, settings)),
                    (None, Some(_)) => plan.finders.push((&target.id.name, settings)),
                    (None, None) => {}
                }
            }
        }
        let visits = plans.iter().map(|(region, plan)| async {
            let sight = self
                .regions
                .visit(region, plan, &self.discoveries, run)
                .await;
            (*region, sight)
        });
        let sights: BTreeMap<&str, Result<Sight, Failure>> =
            join_all(visits).await.into_iter().collect();
        let mut told_of = BTreeSet::new();
        let looked = batch
            .iter()
            .zip(&regions)
            .map(|((target, settings), regions)| {
                let regions = regions.as_ref().map_err(Clone::clone)?;
                let name = &target.id.name;
                let mut reading = if let Some(id) = &settings.instance_id {
                    let region = regions.first().map_or("", String::as_str);
                    let sight = sights.get(region).ok_or_else(lost)?;
                    reading::of_listed(
                        id,
                        region,
                        sight.as_ref().map_err(Clone::clone)?,
                        settings,
                        run,
                    )?
                } else {
                    self.found(name, regions, &sights, settings, run)?
                };
                // What is missing is named once, by the first target that lacks it.
                for region in regions {
                    if let Some(Ok(sight)) = sights.get(region.as_str())
                        && told_of.insert(region.as_str())
                    {
                        for permission in &sight.missing_permissions {
                            reading.fact("missing permission", permission.clone());
                        }
                    }
                }
                Ok(reading)
            });
        looked.collect()
    }
}

fn lost() -> Failure {
    Failure::ours("the region was not looked at").hint("this is a bug of ours: please report it")
}

impl Ec2Instances {
    async fn regions_of(&self, settings: &Settings) -> Result<Vec<String>, Failure> {
        let written = settings
            .discover
            .iter()
            .flat_map(|discover| &discover.regions.0);
        let regions: BTreeSet<String> = written.cloned().collect();
        if !regions.is_empty() {
            return Ok(regions.into_iter().collect());
        }
        let region = self
            .aws
            .region(&settings.account(), settings.region.as_deref())
            .await?;
        Ok(vec![region])
    }

    /// What was found by a target that finds others.
    fn found(
        &self,
        finder: &Arc<str>,
        regions: &[String],
        sights: &BTreeMap<&str, Result<Sight, Failure>>,
        settings: &Settings,
        run: &RunContext,
    ) -> Result<Reading, Failure> {
        let mut reading = Reading::default();
        let mut found = Vec::new();
        for region in regions {
            match sights.get(region.as_str()).ok_or_else(lost)? {
                Ok(sight) => {
                    for (id, name) in self.discoveries.present(finder, region) {
                        let Some(instance) = sight.instances.get(&id) else {
                            continue;
                        };
                        let outcome = reading::of_instance(instance, region, sight, settings, run);
                        found.push(Found {
                            name,
                            outcome: Ok(outcome),
                        });
                    }
                }
                Err(failure) => {
                    let known = self.discoveries.present(finder, region);
                    // Nothing is known of it yet: what was found before a restart must not count as gone.
                    if known.is_empty() {
                        return Err(failure.clone());
                    }
                    reading.gap(
                        metrics::FOUND,
                        Some(region),
                        crate::model::Unit::Count,
                        failure.message.clone(),
                    );
                    found.extend(known.into_iter().map(|(_, name)| Found {
                        name,
                        outcome: Err(failure.clone()),
                    }));
                }
            }
        }
        let gone = self.discoveries.gone(finder, run.clock.now());
        metrics::count(&mut reading, found.len(), &gone);
        found.sort_by(|one, other| one.name.cmp(&other.name));
        reading.found = Some(found);
        Ok(reading)
    }
}

/// That AWS does not answer says nothing about an instance.
fn ours(mut failure: Failure) -> Failure {
    failure.blame = Blame::Ours;
    failure
}
