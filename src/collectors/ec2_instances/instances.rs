//! The instances of a region, by pages: EC2 is asked for all, or by a filter. A list of IDs would fail whole for one that
//! does not exist.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, InstanceStatus, MonitoringState};

use crate::clients::aws::{Call, CallFailed, Pages, call_failed};
use crate::model::Timestamp;

/// The most that one page may hold
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html>).
const PAGE: i32 = 1_000;

/// A filter takes so many values.
const FILTER_VALUES: usize = 200;

/// An instance as EC2 describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Instance {
    pub(super) id: String,
    pub(super) state: String,
    pub(super) kind: String,
    pub(super) zone: Option<String>,
    pub(super) private_address: Option<String>,
    pub(super) public_address: Option<String>,
    pub(super) launched_at: Option<Timestamp>,
    /// Whether there is a datapoint for each minute, not for each five.
    pub(super) detailed_monitoring: bool,
    /// Why it is in its state, where EC2 says so.
    pub(super) state_reason: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
}

impl Instance {
    /// Its `Name` tag.
    pub(super) fn name(&self) -> Option<&str> {
        self.tags
            .get("Name")
            .map(|name| name.trim())
            .filter(|name| !name.is_empty())
    }
}

/// The status checks of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checks {
    /// Of the machine below it.
    pub(super) system: Option<String>,
    /// Of the instance itself.
    pub(super) instance: Option<String>,
    /// What AWS has planned for it: `instance-retirement not before 2026-12-01`.
    pub(super) events: Vec<String>,
}

/// The instances of a region by ID; `ids`: no others are wanted.
pub(super) async fn describe(
    client: &Client,
    whom: &str,
    ids: Option<&BTreeSet<String>>,
    now: Timestamp,
) -> Result<BTreeMap<String, Instance>, CallFailed> {
    let filter = ids.filter(|ids| ids.len() <= FILTER_VALUES).map(|ids| {
        let values = ids.iter().cloned().collect();
        Filter::builder()
            .name("instance-id")
            .set_values(Some(values))
            .build()
    });
    let call = Call {
        permission: "ec2:DescribeInstances",
        whom,
        now,
    };
    let mut found = BTreeMap::new();
    let mut pages = Pages::of(whom);
    loop {
        let asked = client
            .describe_instances()
            .max_results(PAGE)
            .set_next_token(pages.token());
        let asked = match &filter {
            Some(filter) => asked.filters(filter.clone()),
            None => asked,
        };
        let page = asked
            .send()
            .await
            .map_err(|error| call_failed(&error, &call))?;
        for reservation in page.reservations() {
            for instance in reservation.instances() {
                if let Some(instance) = read(instance) {
                    found.insert(instance.id.clone(), instance);
                }
            }
        }
        if !pages.turn(page.next_token())? {
            return Ok(found);
        }
    }
}

/// The checks of the running instances of a region by ID.
pub(super) async fn checks(
    client: &Client,
    whom: &str,
    now: Timestamp,
) -> Result<BTreeMap<String, Checks>, CallFailed> {
    let call = Call {
        permission: "ec2:DescribeInstanceStatus",
        whom,
        now,
    };
    let mut found = BTreeMap::new();
    let mut pages = Pages::of(whom);
    loop {
        let asked = client
            .describe_instance_status()
            .max_results(PAGE)
            .set_next_token(pages.token());
        let page = asked
            .send()
            .await
            .map_err(|error| call_failed(&error, &call))?;
        for status in page.instance_statuses() {
            if let Some(id) = status.instance_id() {
                found.insert(id.to_owned(), read_checks(status));
            }
        }
        if !pages.turn(page.next_token())? {
            return Ok(found);
        }
    }
}

fn read(instance: &aws_sdk_ec2::types::Instance) -> Option<Instance> {
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let state = instance.state().and_then(|state| state.name());
    let tags = instance.tags().iter().filter_map(|tag| {
        Some((
            tag.key()?.to_owned(),
            tag.value().unwrap_or_default().to_owned(),
        ))
    });
    Some(Instance {
        id: instance.instance_id()?.to_owned(),
        state: state.map_or_else(|| "unknown".to_owned(), |state| state.as_str().to_owned()),
        kind: (instance.instance_type()).map_or_else(String::new, |kind| kind.as_str().to_owned()),
        zone: text(
            instance
                .placement()
                .and_then(|placement| placement.availability_zone()),
        ),
        private_address: text(instance.private_ip_address()),
        public_address: text(instance.public_ip_address()),
        launched_at: (instance.launch_time())
            .and_then(|time| Timestamp::from_timestamp(time.secs(), time.subsec_nanos())),
        detailed_monitoring: instance
            .monitoring()
            .and_then(|monitoring| monitoring.state())
            == Some(&MonitoringState::Enabled),
        state_reason: text(instance.state_reason().and_then(|reason| reason.message())),
        tags: tags.collect(),
    })
}

fn read_checks(status: &InstanceStatus) -> Checks {
    let word = |summary: Option<&aws_sdk_ec2::types::InstanceStatusSummary>| {
        summary
            .and_then(|summary| summary.status())
            .map(|status| status.as_str().to_owned())
    };
    let events = status.events().iter().filter_map(|event| {
        let code = event.code()?.as_str();
        let when = event
            .not_before()
            .and_then(|time| Timestamp::from_timestamp(time.secs(), 0));
        // Past events stay in the list for a week, with a mark.
        let is_over = event
            .description()
            .is_some_and(|text| text.starts_with('['));
        let when = when.map_or_else(String::new, |when| {
            format!(" not before {}", when.format("%Y-%m-%d %H:%M UTC"))
        });
        (!is_over).then(|| format!("{code}{when}"))
    });
    Checks {
        system: word(status.system_status()),
        instance: word(status.instance_status()),
        events: events.collect(),
    }
}
