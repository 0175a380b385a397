//! What an engine answers, as far as it is looked at. Every field may be absent: engines of ten years and Podman speak
//! the same interface, each with fields of its own. What is not named here is skipped as it is read; commands and
//! environments, which hold passwords, above all.
//!
//! Sources: the Docker Engine API, `GET /containers/json`, `/containers/{id}/json` and `/events`
//! (<https://docs.docker.com/reference/api/engine/>).

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;

use crate::model::Timestamp;

/// An entry of the list of containers.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Listed<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Cow<'a, str>>,
    /// Each with a slash before it; more than one where old-fashioned links name it too.
    #[serde(borrow)]
    pub(super) names: Option<Vec<Cow<'a, str>>>,
    #[serde(borrow)]
    pub(super) image: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) state: Option<Cow<'a, str>>,
    /// For people: `Up 5 minutes (healthy)`.
    #[serde(borrow)]
    pub(super) status: Option<Cow<'a, str>>,
    /// When it was made, in seconds since 1970. Old Podman writes a text.
    pub(super) created: Option<Created>,
    /// Since API 1.52.
    #[serde(borrow)]
    pub(super) health: Option<ListedHealth<'a>>,
}

/// Seconds since 1970, or a text that we have no use for.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Created {
    Seconds(i64),
    Other(serde::de::IgnoredAny),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct ListedHealth<'a> {
    #[serde(borrow)]
    pub(super) status: Option<Cow<'a, str>>,
}

/// What an engine says about one container.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Inspected {
    pub(super) restart_count: Option<u64>,
    pub(super) state: Option<InspectedState>,
    pub(super) config: Option<InspectedConfig>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct InspectedState {
    #[serde(rename = "OOMKilled")]
    pub(super) oom_killed: Option<bool>,
    pub(super) exit_code: Option<i64>,
    /// Why it could not be started.
    pub(super) error: Option<String>,
    pub(super) started_at: Option<String>,
    pub(super) finished_at: Option<String>,
    /// Podman before 4 calls it `Healthcheck`.
    #[serde(alias = "Healthcheck")]
    pub(super) health: Option<InspectedHealth>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct InspectedHealth {
    pub(super) failing_streak: Option<u64>,
    pub(super) log: Option<Vec<HealthCheck>>,
}

/// One run of a health check.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct HealthCheck {
    pub(super) exit_code: Option<i64>,
    pub(super) output: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct InspectedConfig {
    pub(super) healthcheck: Option<HealthPlan>,
}

/// How a container's health is checked. Lengths of time are in nanoseconds; 0 is the engine's default.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct HealthPlan {
    pub(super) interval: Option<u64>,
    pub(super) timeout: Option<u64>,
    pub(super) start_period: Option<u64>,
    pub(super) retries: Option<u64>,
}

/// Something that happened.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event<'a> {
    #[serde(rename = "Type", borrow)]
    pub(super) kind: Option<Cow<'a, str>>,
    /// May hold the command line of a health check: compared, never shown.
    #[serde(rename = "Action", borrow)]
    pub(super) action: Option<Cow<'a, str>>,
    /// What engines before 1.10 call the action.
    #[serde(borrow)]
    pub(super) status: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) id: Option<Cow<'a, str>>,
    #[serde(rename = "Actor", borrow)]
    pub(super) actor: Option<Actor<'a>>,
    pub(super) time: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Actor<'a> {
    #[serde(rename = "ID", borrow)]
    pub(super) id: Option<Cow<'a, str>>,
}

/// What happened to one container.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    /// How often its main process ended.
    pub(super) ends: u32,
    /// How often somebody asked the engine to end it.
    pub(super) stops: u32,
    /// How often something in it was killed for want of memory.
    pub(super) kills: u32,
}

/// What happened since the last look.
#[derive(Debug, Default)]
pub(super) struct Happened {
    /// By the container's id.
    pub(super) tallies: HashMap<String, Tally>,
    /// The first event that the engine still knows, where it has forgotten some of the time asked for.
    pub(super) known_since: Option<Timestamp>,
}

/// How many events an engine keeps (`eventsLimit` in its source, `daemon/events/events.go`). Each run of a health
/// check takes three.
const KEPT_EVENTS: usize = 256;
/// As many as that mean that the engine may have forgotten others: those of the second that has just begun are kept
/// too, and are not asked for.
const NEARLY_ALL: usize = KEPT_EVENTS - 56;

impl Happened {
    /// Reads events, one JSON value after the other. `cut`: there were more than we took. What is no event is
    /// skipped, and is counted as forgotten.
    pub(super) fn read(body: &[u8], cut: bool) -> Self {
        let mut happened = Self::default();
        let (mut count, mut garbled) = (0, cut);
        let mut first: Option<i64> = None;
        let lines = body.split(|byte| *byte == b'\n');
        for line in lines.filter(|line| !line.trim_ascii().is_empty()) {
            let Ok(event) = serde_json::from_slice::<Event<'_>>(line) else {
                garbled = true;
                continue;
            };
            count += 1;
            first = first.into_iter().chain(event.time).min();
            happened.add(&event);
        }
        if count >= NEARLY_ALL || garbled {
            happened.known_since = first.and_then(|at| Timestamp::from_timestamp(at, 0));
        }
        happened
    }

    fn add(&mut self, event: &Event<'_>) {
        if event
            .kind
            .as_deref()
            .is_some_and(|kind| kind != "container")
        {
            return;
        }
        let actor = event.actor.as_ref().and_then(|actor| actor.id.as_deref());
        let (Some(id), Some(action)) = (
            actor.or(event.id.as_deref()),
            event.action.as_deref().or(event.status.as_deref()),
        ) else {
            return;
        };
        let counter: fn(&mut Tally) -> &mut u32 = match action {
            // Podman says `died`.
            "die" | "died" => |tally| &mut tally.ends,
            "stop" => |tally| &mut tally.stops,
            "oom" => |tally| &mut tally.kills,
            _ => return,
        };
        *counter(self.tallies.entry(id.to_owned()).or_default()) += 1;
    }
}
