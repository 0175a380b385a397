//! What an instance measures, and when it turns.

use std::time::Duration;

use super::Settings;
use super::discovery::Gone;
use crate::model::{KindSpec, Limit, MetricSpec, MonthlyPrice, Reading, Rule, Unit};

pub(super) const STATE: &str = "state";
pub(super) const SYSTEM_CHECK: &str = "system_check";
pub(super) const INSTANCE_CHECK: &str = "instance_check";
pub(super) const CPU: &str = "cpu_percent";
pub(super) const CREDITS: &str = "cpu_credit_balance";
pub(super) const BILLED: &str = "billed_metric_requests";
pub(super) const FOUND: &str = "instances_found";
pub(super) const GONE: &str = "gone_percent";

/// How CloudWatch calls them
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html>).
pub(super) const CPU_METRIC: &str = "CPUUtilization";
pub(super) const CREDIT_METRIC: &str = "CPUCreditBalance";

/// US dollars for one metric asked for (<https://aws.amazon.com/cloudwatch/pricing/>, `GetMetricData`, first tier).
const USD_PER_METRIC: f64 = 0.01 / 1_000.0;

const SECONDS_PER_MONTH: f64 = 30.4375 * 86_400.0;

/// A window is asked for once.
const WINDOW_SECONDS: f64 = 300.0;

const SAMPLE: &str = r#"
- instance_id: i-0123456789abcdef0
  name: shop
  region: eu-central-1                   # default: AWS_REGION, then the profile's
- instance_id: i-0fedcba9876543210
  expected_state: stopped                # RED as soon as somebody starts it
- name: web servers
  discover:                              # found by themselves: new ones appear, those that are gone are told of
    regions: [eu-central-1, us-east-1]
    tags: {role: web, stage: "prod*"}
    state: running
  profile: partner                       # of ~/.aws/config
  assume_role: {role_arn: "arn:aws:iam::123456789012:role/monitor", external_id: shop}
  datapoint_within: 15m                  # how old the newest datapoint may be
  credit_balance: false                  # one metric less to pay for, of burstable types
"#;

const METRICS: &[MetricSpec] = &[
    MetricSpec {
        advice: Some("look at who changed it: the CloudTrail events of the instance"),
        ..MetricSpec::plain(
            STATE,
            Unit::State,
            "pending, running, stopping, stopped, shutting-down or terminated",
        )
    },
    MetricSpec {
        advice: Some(
            "the machine below is in trouble: stop and start the instance, so that it moves to another",
        ),
        ..MetricSpec::plain(
            SYSTEM_CHECK,
            Unit::State,
            "the status check of the machine below it, while it runs",
        )
    },
    MetricSpec {
        advice: Some(
            "look at its system log and its console: it does not answer, or does not start properly",
        ),
        ..MetricSpec::plain(
            INSTANCE_CHECK,
            Unit::State,
            "the status check of the instance itself, while it runs",
        )
    },
    MetricSpec {
        headline: Some("CPU"),
        advice: Some("see what keeps it busy, and whether its type is large enough"),
        ..MetricSpec::plain(
            CPU,
            Unit::Percent,
            "CPUUtilization of CloudWatch: the average of the newest period that has ended, within `datapoint_within`",
        )
    },
    MetricSpec {
        advice: Some(
            "at 0 a burstable instance falls back to its baseline: take a larger type, or `unlimited`",
        ),
        ..MetricSpec::plain(
            CREDITS,
            Unit::Number,
            "CPU credits that a burstable type has left, where `credit_balance` is on",
        )
    },
    MetricSpec::plain(
        BILLED,
        Unit::Count,
        "how many metrics this look asked CloudWatch for; each is paid for, and no window is asked for twice",
    ),
    MetricSpec {
        headline: Some("instances:"),
        advice: Some("check `discover`: its regions, its tags, its state"),
        ..MetricSpec::plain(
            FOUND,
            Unit::Count,
            "how many instances were found, of a target that finds others",
        )
    },
    MetricSpec {
        advice: Some(
            "see who ended them: the CloudTrail events TerminateInstances, the activity of the scaling group",
        ),
        ..MetricSpec::plain(
            GONE,
            Unit::Percent,
            "how many of those that were there within the last hour are gone, of a target that finds others",
        )
    },
];

pub(super) const KIND: KindSpec = KindSpec {
    key: "ec2_instances",
    title: "EC2 instances",
    how: "DescribeInstances and DescribeInstanceStatus by pages, GetMetricData for up to 500 metrics at once; \
          an account's targets together",
    sample: SAMPLE,
    metrics: METRICS,
    default_timeout: Duration::from_secs(20),
    built: true,
};

/// The limits of the kind.
pub(super) fn rules(settings: &Settings) -> Vec<Rule> {
    const IN_TRANSITION: &str = "pending | stopping | shutting-down";
    // Written out, since the words of a limit are shown: those that last, and what EC2 does not say.
    let other = match settings.expected_state() {
        "stopped" => Limit::equal("running | terminated | unknown"),
        "terminated" => Limit::equal("running | stopped | unknown"),
        _ => Limit::equal("stopped | terminated | unknown"),
    };
    let check = |metric| {
        Rule::default_of_kind(
            metric,
            Some(Limit::equal("insufficient-data")),
            Some(Limit::equal("impaired")),
        )
    };
    vec![
        Rule::default_of_kind(STATE, Some(Limit::equal(IN_TRANSITION)), Some(other)),
        check(SYSTEM_CHECK),
        check(INSTANCE_CHECK),
        Rule::default_of_kind(CPU, Some(Limit::above(70.0)), Some(Limit::above(90.0))),
        Rule::default_of_kind(FOUND, Some(Limit::below(1.0)), None),
        Rule::default_of_kind(GONE, None, Some(Limit::above(20.0))),
    ]
}

/// Whether a type earns and spends CPU credits
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-performance-instances.html>).
pub(super) fn is_burstable(instance_type: &str) -> bool {
    let family = instance_type.split('.').next().unwrap_or_default();
    matches!(family, "t2" | "t3" | "t3a" | "t4g")
}

/// What the metrics cost at most, for each instance.
pub(super) fn monthly_price(settings: &Settings, looks_per_month: f64) -> MonthlyPrice {
    let metrics = if settings.credit_balance() { 2.0 } else { 1.0 };
    let windows = looks_per_month.min(SECONDS_PER_MONTH / WINDOW_SECONDS);
    MonthlyPrice {
        usd: metrics * windows * USD_PER_METRIC,
        what: "metrics of CloudWatch",
        of_each_found: settings.discover.is_some(),
    }
}

/// How many are there, and how many went.
pub(super) fn count(reading: &mut Reading, found: usize, gone: &Gone) {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand at most")]
    let (present, went) = (found as f64, gone.names.len() as f64);
    reading.number(FOUND, None, present, Unit::Count);
    let before = present + went;
    let share = if before > 0.0 {
        went / before * 100.0
    } else {
        0.0
    };
    reading.number(GONE, None, share, Unit::Percent);
    if !gone.names.is_empty() {
        const LISTED: usize = 5;
        let mut names = gone
            .names
            .iter()
            .take(LISTED)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        if gone.names.len() > LISTED {
            names.push_str(&format!(" and {} more", gone.names.len() - LISTED));
        }
        reading.note(GONE, None, format!("gone: {names}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Value;

    #[test]
    fn a_state_turns_as_the_specification_says() {
        let settings = |expected: &str| Settings {
            instance_id: Some("i-00000000".to_owned()),
            region: None,
            expected_state: Some(expected.to_owned()),
            datapoint_within: None,
            credit_balance: None,
            profile: None,
            assume_role: None,
            endpoint_url: None,
            discover: None,
        };
        for (expected, state, yellow, red) in [
            ("running", "running", false, false),
            ("running", "stopped", false, true),
            ("running", "terminated", false, true),
            ("running", "pending", true, false),
            ("running", "stopping", true, false),
            ("stopped", "running", false, true),
            ("stopped", "stopped", false, false),
        ] {
            let rules = rules(&settings(expected));
            let value = Value::State(state.into());
            let crossed = |threshold: &Option<crate::model::Threshold>| {
                let limit = threshold.as_ref().and_then(|threshold| threshold.limit());
                limit.is_some_and(|limit| limit.is_crossed_by(&value))
            };
            assert_eq!(
                (crossed(&rules[0].yellow), crossed(&rules[0].red)),
                (yellow, red),
                "{state} where {expected} is expected"
            );
        }
    }
}
