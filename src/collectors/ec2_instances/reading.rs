//! What was seen of one instance.

use chrono::TimeDelta;

use super::datapoints::Known;
use super::instances::Instance;
use super::metrics::{
    BILLED, CPU, CPU_METRIC, CREDIT_METRIC, CREDITS, INSTANCE_CHECK, STATE, SYSTEM_CHECK,
};
use super::region::Sight;
use super::{RunContext, Settings};
use crate::model::{Failure, FailureKind, Gap, Reading, Unit};

/// For so long after its launch an instance need not have datapoints, or checks.
const YOUNG: TimeDelta = TimeDelta::minutes(15);

/// The instance of that ID.
pub(super) fn of_listed(
    id: &str,
    region: &str,
    sight: &Sight,
    settings: &Settings,
    run: &RunContext,
) -> Result<Reading, Failure> {
    match sight.instances.get(id) {
        Some(instance) => Ok(of_instance(instance, region, sight, settings, run)),
        // A terminated instance disappears within an hour.
        None if settings.expected_state() == "terminated" => {
            let mut reading = Reading::default();
            reading.state(STATE, None, "terminated");
            Ok(reading)
        }
        None => {
            let message = format!("there is no instance `{id}` in {region}");
            Err(Failure::new(FailureKind::Missing, message).hint(
                "check the ID, the region and the account; one that was terminated disappears within an hour",
            ))
        }
    }
}

/// An instance that is there.
pub(super) fn of_instance(
    instance: &Instance,
    region: &str,
    sight: &Sight,
    settings: &Settings,
    run: &RunContext,
) -> Reading {
    let mut reading = Reading::default();
    reading.state(STATE, None, instance.state.clone());
    if let Some(reason) = instance
        .state_reason
        .as_ref()
        .filter(|_| instance.state != settings.expected_state())
    {
        reading.note(STATE, None, reason.clone());
    }
    facts(&mut reading, instance, region);
    if instance.state != "running" {
        return reading;
    }
    let is_young =
        (instance.launched_at).is_some_and(|launched_at| run.clock.now() - launched_at < YOUNG);
    checks(&mut reading, instance, sight, is_young);
    let known = |metric: &'static str| sight.answers.known.get(&(instance.id.clone(), metric));
    match known(CPU_METRIC) {
        Some(Known::Value(point)) => {
            reading.number(CPU, None, point.value, Unit::Percent);
            reading.fact(
                "CPU measured from",
                point.at.format("%Y-%m-%d %H:%M UTC").to_string(),
            );
        }
        Some(Known::Failed(failure)) => gap(
            &mut reading,
            CPU,
            Unit::Percent,
            &failure.message,
            failure.hint.as_deref(),
        ),
        Some(Known::Nothing) if is_young => {}
        Some(Known::Nothing) | None => {
            let minutes = settings.datapoint_within().as_secs() / 60;
            let message = format!("CloudWatch has no datapoint of the last {minutes} minutes");
            let hint = "they come 5 to 15 minutes late: raise `datapoint_within` if that is usual here; \
                        check the permission `cloudwatch:GetMetricData`";
            gap(&mut reading, CPU, Unit::Percent, &message, Some(hint));
        }
    }
    match known(CREDIT_METRIC) {
        Some(Known::Value(point)) => reading.number(CREDITS, None, point.value, Unit::Number),
        Some(Known::Failed(failure)) => gap(
            &mut reading,
            CREDITS,
            Unit::Number,
            &failure.message,
            failure.hint.as_deref(),
        ),
        Some(Known::Nothing) | None => {}
    }
    let billed = sight.answers.billed.get(&instance.id).copied().unwrap_or(0);
    reading.number(BILLED, None, f64::from(billed), Unit::Count);
    reading
}

fn checks(reading: &mut Reading, instance: &Instance, sight: &Sight, is_young: bool) {
    match &sight.checks {
        None => {}
        Some(Err(failure)) => {
            for metric in [SYSTEM_CHECK, INSTANCE_CHECK] {
                gap(
                    reading,
                    metric,
                    Unit::State,
                    &failure.message,
                    failure.hint.as_deref(),
                );
            }
        }
        Some(Ok(checks)) => {
            let found = checks.get(&instance.id);
            for event in found.iter().flat_map(|found| &found.events) {
                reading.fact("scheduled event", event.clone());
            }
            let system = found.and_then(|found| found.system.as_ref());
            let own = found.and_then(|found| found.instance.as_ref());
            for (metric, word) in [(SYSTEM_CHECK, system), (INSTANCE_CHECK, own)] {
                match word {
                    Some(word) => reading.state(metric, None, word.clone()),
                    None if is_young => {}
                    None => gap(
                        reading,
                        metric,
                        Unit::State,
                        "EC2 gave no status check of it, although it runs",
                        Some("it is asked again in the next round"),
                    ),
                }
            }
        }
    }
}

fn facts(reading: &mut Reading, instance: &Instance, region: &str) {
    if let Some(name) = instance.name() {
        reading.fact("name tag", name);
    }
    reading.fact("instance", instance.id.clone());
    reading.fact("type", instance.kind.clone());
    reading.fact(
        "zone",
        instance.zone.clone().unwrap_or_else(|| region.to_owned()),
    );
    if let Some(address) = &instance.private_address {
        reading.fact("private address", address.clone());
    }
    if let Some(address) = &instance.public_address {
        reading.fact("public address", address.clone());
    }
    if let Some(at) = instance.launched_at {
        reading.fact("launched", at.format("%Y-%m-%d %H:%M UTC").to_string());
    }
}

fn gap(reading: &mut Reading, metric: &'static str, unit: Unit, message: &str, hint: Option<&str>) {
    reading.gaps.push(Gap {
        metric,
        subject: None,
        unit,
        message: message.to_owned(),
        hint: hint.map(str::to_owned),
    });
}
