//! What is measured of containers, and the limits that come with it.

use crate::model::{Limit, MetricSpec, Rule, Unit};

pub(super) const STATE: &str = "container_state";
pub(super) const HEALTH: &str = "container_health";
pub(super) const EXIT_CODE: &str = "exit_code";
pub(super) const OOM_KILLED: &str = "oom_killed";
pub(super) const RESTARTS: &str = "restarts_since_last_look";
pub(super) const RESTART_COUNT: &str = "restart_count";
pub(super) const AGE: &str = "container_age_days";

/// A glob of `required` that no container has.
pub(super) const MISSING: &str = "missing";
/// A required container whose work is over, or was never begun.
pub(super) const STOPPED: &str = "stopped";
/// Longer than its health check's own plan allows.
pub(super) const STARTING_TOO_LONG: &str = "starting too long";

const CONTAINER: Option<&str> = Some("container");

pub(super) const ALL: &[MetricSpec] = &[
    MetricSpec {
        name: STATE,
        unit: Unit::State,
        subject: CONTAINER,
        meaning: "created, running, paused, restarting, exited, stopping, removing or dead, as the engine says; \
                  stopped: exited with 0 or only created, though `required`; missing: no container has that \
                  `required` name",
        headline: Some("containers"),
        advice: Some(
            "`docker ps -a` and `docker logs --tail 50 CONTAINER` tell more; `docker start CONTAINER`",
        ),
    },
    MetricSpec {
        name: HEALTH,
        unit: Unit::State,
        subject: CONTAINER,
        meaning: "starting, healthy or unhealthy by the container's own check; absent where it has none; starting \
                  too long: longer than start period and retries of that check allow",
        headline: None,
        advice: Some(
            "see what its check says: `docker inspect -f '{{json .State.Health}}' CONTAINER`",
        ),
    },
    MetricSpec {
        name: EXIT_CODE,
        unit: Unit::Number,
        subject: CONTAINER,
        meaning: "what an exited container ended with; absent where it failed longer ago than `exited_within`, and \
                  where `oom_killed` says why",
        headline: None,
        advice: Some("`docker logs --tail 50 CONTAINER` shows its last words"),
    },
    MetricSpec {
        name: OOM_KILLED,
        unit: Unit::Flag,
        subject: CONTAINER,
        meaning: "yes: it ended for want of memory within `exited_within`, or a process in it was killed for that \
                  since the last look (at the first: in the last hour); absent otherwise",
        headline: None,
        advice: Some(
            "raise its memory limit, or find what needs so much: `docker stats --no-stream`",
        ),
    },
    MetricSpec {
        name: RESTARTS,
        unit: Unit::Count,
        subject: CONTAINER,
        meaning: "how often it ended without being asked to and was started again since the last look; absent at \
                  the first look",
        headline: None,
        advice: Some("`docker logs --tail 50 CONTAINER` shows why it ended"),
    },
    MetricSpec {
        name: RESTART_COUNT,
        unit: Unit::Count,
        subject: CONTAINER,
        meaning: "how often the engine restarted it since it was last started by hand; only of containers that \
                  are or were not well",
        headline: None,
        advice: Some("`docker logs --tail 50 CONTAINER` shows why it ended"),
    },
    MetricSpec {
        name: AGE,
        unit: Unit::Days,
        subject: CONTAINER,
        meaning: "since the container was made",
        headline: None,
        advice: Some("pull its image and make it anew, so that it gets its updates"),
    },
];

/// The limits of the specification (§2).
pub(super) fn rules() -> Vec<Rule> {
    vec![
        Rule::default_of_kind(
            STATE,
            Some(Limit::equal("paused | restarting | stopped")),
            Some(Limit::equal("dead | missing")),
        ),
        Rule::default_of_kind(
            HEALTH,
            Some(Limit::equal(STARTING_TOO_LONG)),
            Some(Limit::equal("unhealthy")),
        ),
        Rule::default_of_kind(EXIT_CODE, None, Some(Limit::other_than(0.0))),
        Rule::default_of_kind(OOM_KILLED, None, Some(Limit::equal("yes"))),
        Rule::default_of_kind(RESTARTS, Some(Limit::above(0.0)), Some(Limit::above(3.0))),
    ]
}
