use std::collections::BTreeMap;
use std::time::Duration;

use globset::Glob;
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::SettingsProblem;
use crate::clients::aws::{Account, AssumeRole, check_region};
use crate::document::{DurationText, OneOrMany, Written, shown, shown_choice, shown_name};
use crate::problem::Severity;

/// How old a datapoint may be unless the target says otherwise.
const DATAPOINT_WITHIN: Duration = Duration::from_mins(15);

/// The states in which an instance stays (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html>).
const LASTING_STATES: [&str; 3] = ["running", "stopped", "terminated"];

/// All states.
const STATES: [&str; 6] = [
    "pending",
    "running",
    "stopping",
    "stopped",
    "shutting-down",
    "terminated",
];

/// An EC2 instance, or which instances are to be found.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Such as `i-0123456789abcdef0`.
    pub instance_id: Option<String>,
    /// The region. Default: the variable `AWS_REGION`, then the profile's.
    pub region: Option<String>,
    /// The state it is meant to be in: `running` (default), `stopped` or `terminated`.
    pub expected_state: Option<String>,
    /// How old the newest datapoint may be, such as `15m` (default).
    pub datapoint_within: Option<Written<DurationText>>,
    /// Whether the credit balance of burstable types is asked for, a second metric that is paid for. Default true.
    pub credit_balance: Option<bool>,
    /// A profile of the AWS configuration files.
    pub profile: Option<String>,
    /// A role to take on.
    pub assume_role: Option<AssumeRole>,
    /// Another service that speaks the protocols of EC2 and CloudWatch.
    pub endpoint_url: Option<String>,
    /// Instead of an ID: which instances are watched. New ones appear by themselves.
    pub discover: Option<Discover>,
}

/// Which instances are found.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Discover {
    /// In these regions. Default: that of the target.
    pub regions: OneOrMany,
    /// With all of these tags: a value, or a pattern such as `web-*`.
    pub tags: BTreeMap<String, String>,
    /// In one of these states; default `running`. One that was found stays for a day when it leaves them, unless it is
    /// terminated.
    pub state: OneOrMany,
}

impl Settings {
    /// As whom EC2 is asked.
    #[must_use]
    pub fn account(&self) -> Account {
        Account {
            profile: self.profile.clone(),
            assume_role: self.assume_role.clone(),
            endpoint_url: self.endpoint_url.clone(),
        }
    }

    /// The state it is meant to be in.
    #[must_use]
    pub fn expected_state(&self) -> &str {
        self.expected_state.as_deref().unwrap_or("running")
    }

    /// How old the newest datapoint may be.
    #[must_use]
    pub fn datapoint_within(&self) -> Duration {
        (self.datapoint_within.as_ref()).map_or(DATAPOINT_WITHIN, |text| text.0.0)
    }

    /// Whether credit balances are asked for.
    #[must_use]
    pub fn credit_balance(&self) -> bool {
        self.credit_balance.unwrap_or(true)
    }

    pub(super) fn default_name(&self) -> String {
        if let Some(id) = &self.instance_id {
            return id.clone();
        }
        let mut name = "found".to_owned();
        if let Some(discover) = &self.discover {
            for region in discover.regions.0.iter().chain(&self.region) {
                name.push_str(&format!(" {region}"));
            }
            for (key, value) in &discover.tags {
                name.push_str(&format!(" {key}={value}"));
            }
        }
        name
    }

    pub(super) fn check(&self) -> Vec<SettingsProblem> {
        let problem = |key, severity, message: String, hint: &str| SettingsProblem {
            key,
            severity,
            message,
            hint: Some(hint.to_owned()),
        };
        let error = |key, message, hint: &str| problem(key, Severity::Error, message, hint);
        let mut problems = Vec::new();
        match (&self.instance_id, &self.discover) {
            (None, None) => problems.push(error(
                "instance_id",
                "neither `instance_id` nor `discover` is set".to_owned(),
                "write `instance_id: i-…`, or `discover: {tags: {…}}` to find instances",
            )),
            (Some(_), Some(_)) => problems.push(error(
                "discover",
                "`instance_id` and `discover` exclude each other".to_owned(),
                "make two targets of them",
            )),
            (Some(id), None) if !is_instance_id(id) => problems.push(problem(
                "instance_id",
                Severity::Warning,
                format!("{} is no ID of an instance", shown(id)),
                "IDs look like `i-0123456789abcdef0`; `discover: {tags: {Name: …}}` finds instances by name",
            )),
            _ => {}
        }
        if self.endpoint_url.is_none() {
            let discovered = self
                .discover
                .iter()
                .flat_map(|discover| &discover.regions.0);
            let discovered = discovered.map(|region| ("discover", region));
            let own = self.region.iter().map(|region| ("region", region));
            problems.extend(
                own.chain(discovered)
                    .filter_map(|(key, region)| check_region(key, region)),
            );
        }
        if !LASTING_STATES.contains(&self.expected_state()) {
            problems.push(error(
                "expected_state",
                format!(
                    "{} is no state that lasts",
                    shown_choice(self.expected_state())
                ),
                "write `running`, `stopped` or `terminated`",
            ));
        }
        let discover = self.discover.iter();
        let (states, tags): (Vec<_>, Vec<_>) = discover
            .map(|discover| (&discover.state.0, &discover.tags))
            .unzip();
        for state in states
            .into_iter()
            .flatten()
            .filter(|state| !STATES.contains(&state.as_str()))
        {
            let message = format!("{} is no state of an instance", shown_choice(state));
            problems.push(error(
                "discover",
                message,
                &format!("states: {}", STATES.join(", ")),
            ));
        }
        for (key, value) in tags.into_iter().flatten() {
            if let Err(reason) = Glob::new(value) {
                let message = format!(
                    "the value of the tag {} is no pattern: {}",
                    shown_name(key),
                    reason.kind()
                );
                problems.push(error(
                    "discover",
                    message,
                    "`*` stands for any text, `[…]` for one of some letters",
                ));
            }
        }
        problems
    }
}

fn is_instance_id(text: &str) -> bool {
    text.strip_prefix("i-")
        .is_some_and(|rest| rest.len() >= 8 && rest.chars().all(|c| c.is_ascii_hexdigit()))
}

impl Discover {
    /// Whether an instance in that state is taken in.
    #[must_use]
    pub fn wants(&self, state: &str) -> bool {
        let states = &self.state.0;
        if states.is_empty() {
            state == "running"
        } else {
            states.iter().any(|wanted| wanted == state)
        }
    }

    /// Whether an instance with these tags is one of those that are meant.
    #[must_use]
    pub fn means(&self, tags: &BTreeMap<String, String>) -> bool {
        self.tags.iter().all(|(key, pattern)| {
            let value = tags.get(key);
            let glob = Glob::new(pattern).map(|glob| glob.compile_matcher());
            value.is_some_and(|value| glob.is_ok_and(|glob| glob.is_match(value)))
        })
    }
}
