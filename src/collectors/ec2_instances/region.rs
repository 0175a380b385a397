//! One visit to a region: its instances, their checks, their metrics.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::datapoints::{Answers, Memory, Wanted};
use super::discovery::Discoveries;
use super::instances::{self, Checks, Instance};
use super::{RunContext, Settings, ours};
use crate::clients::aws::{Account, AwsClients, Class};
use crate::model::{Failure, FailureKind};

/// What is to be looked at in a region.
#[derive(Default)]
pub(super) struct Plan<'a> {
    /// Instances by ID.
    pub(super) listed: Vec<(&'a String, &'a Settings)>,
    /// Targets that find instances.
    pub(super) finders: Vec<(&'a Arc<str>, &'a Settings)>,
}

/// What was seen of a region.
pub(super) struct Sight {
    pub(super) instances: BTreeMap<String, Instance>,
    /// `None`: they may not be asked for.
    pub(super) checks: Option<Result<BTreeMap<String, Checks>, Failure>>,
    pub(super) answers: Answers,
    /// What is missing, and what that means: `ec2:DescribeInstanceStatus (checks are left out)`.
    pub(super) missing_permissions: Vec<String>,
}

type Place = (Account, String);

/// The regions of all accounts, with what is remembered of their metrics.
pub(super) struct Regions {
    aws: AwsClients,
    memories: Mutex<HashMap<Place, Arc<Memory>>>,
    /// Missing permissions that were logged.
    logged: Mutex<BTreeSet<(String, &'static str)>>,
}

impl Regions {
    pub(super) fn new(aws: AwsClients) -> Self {
        Self {
            aws,
            memories: Mutex::default(),
            logged: Mutex::default(),
        }
    }

    /// Visits a region. What AWS does not say is our own inability, never an instance's fault.
    pub(super) async fn visit(
        &self,
        region: &str,
        plan: &Plan<'_>,
        discoveries: &Discoveries,
        run: &RunContext,
    ) -> Result<Sight, Failure> {
        let began = Instant::now();
        let until = began + run.timeout;
        let settings = plan.listed.iter().map(|(_, one)| one);
        let mut settings = settings.chain(plan.finders.iter().map(|(_, one)| one));
        let account = settings.next().map(|one| one.account()).unwrap_or_default();
        let now = run.clock.now();
        let whom = format!("EC2 in {region}");
        let client = self.aws.ec2(&account, region).await;
        let ids: BTreeSet<String> = plan.listed.iter().map(|(id, _)| (*id).clone()).collect();
        let only = plan.finders.is_empty().then_some(&ids);
        let described = async {
            tokio::join!(
                instances::describe(&client, &whom, only, now),
                instances::checks(&client, &whom, now)
            )
        };
        let described = tokio::time::timeout(left(until), described).await;
        let silent_because = || {
            let mute = self.aws.mute_since(began);
            mute.unwrap_or_else(|| silent(&whom, run.timeout))
        };
        let (instances, checks) = described.map_err(|_| silent_because())?;
        let instances = instances.map_err(|failed| ours(failed.failure))?;
        let mut missing_permissions = Vec::new();
        let checks = match checks {
            Ok(checks) => Some(Ok(checks)),
            Err(failed) if failed.class == Class::NotPermitted => {
                let permission = "ec2:DescribeInstanceStatus";
                missing_permissions.push(format!("{permission} (the status checks are left out)"));
                self.log(&account, permission);
                None
            }
            Err(failed) => Some(Err(ours(failed.failure))),
        };
        for (finder, settings) in &plan.finders {
            let free = instances.values().filter(|one| !ids.contains(&one.id));
            discoveries.see(finder, region, settings, free, now);
        }
        let wanted = wanted(plan, region, discoveries, &instances);
        let answers = self.ask(&account, region, &wanted, until, run).await;
        if let Some(permission) = answers.missing_permission {
            missing_permissions.push(format!(
                "{permission} (GetMetricStatistics is used: a call for each metric)"
            ));
            self.log(&account, permission);
        }
        Ok(Sight {
            instances,
            checks,
            answers,
            missing_permissions,
        })
    }

    async fn ask(
        &self,
        account: &Account,
        region: &str,
        wanted: &[Wanted],
        until: Instant,
        run: &RunContext,
    ) -> Answers {
        if wanted.is_empty() {
            return Answers::default();
        }
        let whom = format!("CloudWatch in {region}");
        let client = self.aws.cloudwatch(account, region).await;
        let memory = self.memory(account, region);
        let asked = memory.ask(&client, &whom, wanted, run.clock.now());
        match tokio::time::timeout(left(until), asked).await {
            Ok(mut answers) => {
                memory.forget_all_but(|instance| wanted.iter().any(|one| one.instance == instance));
                answers
                    .known
                    .values_mut()
                    .for_each(super::datapoints::Known::blame_us);
                answers
            }
            Err(_) => Answers::failed(wanted, &silent(&whom, run.timeout)),
        }
    }

    fn memory(&self, account: &Account, region: &str) -> Arc<Memory> {
        let place = (account.clone(), region.to_owned());
        let mut memories = self.memories.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(memories.entry(place).or_default())
    }

    /// Once for each account, however often it is missed.
    fn log(&self, account: &Account, permission: &'static str) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.insert((account.to_string(), permission)) {
            tracing::warn!(
                event = "aws.permission_missing",
                permission,
                account = %account,
                "a permission is missing; hint: `deployment/aws-iam-policy.json` has all that is needed"
            );
        }
    }
}

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

fn silent(whom: &str, timeout: Duration) -> Failure {
    let message = format!("{whom} did not answer within {} ms", timeout.as_millis());
    let failure = Failure::new(FailureKind::TimedOut, message).hint(
        "look at the network between, and at https://health.aws.amazon.com; or raise `timeout_ms`",
    );
    ours(failure)
}

/// The metrics of all running instances that are watched.
fn wanted(
    plan: &Plan<'_>,
    region: &str,
    discoveries: &Discoveries,
    instances: &BTreeMap<String, Instance>,
) -> Vec<Wanted> {
    let listed = plan
        .listed
        .iter()
        .map(|(id, settings)| ((*id).clone(), *settings));
    let found = plan.finders.iter().flat_map(|(finder, settings)| {
        let present = discoveries.present(finder, region).into_iter();
        present.map(|(id, _)| (id, *settings))
    });
    let mut wanted = Vec::new();
    let mut seen = BTreeSet::new();
    for (id, settings) in listed.chain(found) {
        let Some(instance) = instances.get(&id).filter(|one| one.state == "running") else {
            continue;
        };
        let credits = settings.credit_balance() && super::metrics::is_burstable(&instance.kind);
        let metrics = [
            (super::metrics::CPU_METRIC, true),
            (super::metrics::CREDIT_METRIC, credits),
        ];
        for (metric, is_wanted) in metrics {
            if is_wanted && seen.insert((id.clone(), metric)) {
                // Credits come every five minutes, whatever the monitoring.
                let detailed = instance.detailed_monitoring && metric == super::metrics::CPU_METRIC;
                wanted.push(Wanted {
                    instance: id.clone(),
                    metric,
                    period: if detailed { 60 } else { 300 },
                    within: settings.datapoint_within(),
                });
            }
        }
    }
    wanted
}
