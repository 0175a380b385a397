//! From all that an engine says of one container to what is measured of it, and to words that explain that.

use std::time::Duration;

use super::answers::{HealthPlan, Inspected, InspectedState, Tally};
use super::before::Then;
use super::container::Container;
use super::metrics::{
    AGE, EXIT_CODE, HEALTH, OOM_KILLED, RESTART_COUNT, RESTARTS, STARTING_TOO_LONG, STATE, STOPPED,
};
use super::status::{Age, Health, State};
use crate::clients::words::shortened;
use crate::model::{Reading, Timestamp, Unit};

/// How long a container may be `starting` whose health check's plan is not known.
const STARTING: Duration = Duration::from_mins(10);

/// With what a process ends that was killed (128 + SIGKILL).
const KILLED: i64 = 137;

/// The engine's defaults for a health check.
const HEALTH_INTERVAL: Duration = Duration::from_secs(30);
const HEALTH_TIMEOUT: Duration = Duration::from_secs(30);
const HEALTH_RETRIES: u32 = 3;

/// What holds for all containers of a look.
pub(super) struct Circumstances {
    /// By the engine's clock.
    pub(super) now: Timestamp,
    pub(super) exited_within: Duration,
    /// When the last look was, by the engine's clock.
    pub(super) last_look: Option<Timestamp>,
}

/// All that is known of one container.
pub(super) struct Known<'a> {
    pub(super) container: &'a Container,
    /// What the engine said of it alone, if it was asked and told.
    pub(super) inspected: Option<&'a Inspected>,
    /// Why it did not tell, if it was asked.
    pub(super) mute: Option<&'a str>,
    /// What happened to it since the last look.
    pub(super) tally: Tally,
    /// How it was then; one that is new since then was nothing. `None`: there was no last look.
    pub(super) then: Option<Then>,
    /// It is required, and no container of that name runs.
    pub(super) is_needed: bool,
    pub(super) all: &'a Circumstances,
}

impl Known<'_> {
    /// Measures it all.
    pub(super) fn measure(&self, reading: &mut Reading) {
        let name = Some(self.container.name.as_str());
        if let Some(created) = self.container.created {
            let days = (self.all.now - created).as_seconds_f64() / 86_400.0;
            reading.number(AGE, name, days.max(0.0), Unit::Days);
        }
        let state = match &self.container.state {
            Ok(state) => *state,
            Err(word) => {
                let message = format!("the engine calls it `{word}`, a state that we do not know");
                reading.gap(STATE, name, Unit::State, message);
                return;
            }
        };
        self.measure_state(reading, state);
        if state == State::Exited {
            self.measure_end(reading);
        }
        self.measure_memory(reading);
        // A check says nothing of a container that does not run.
        if let Some(health) = self.container.health
            && state == State::Running
        {
            self.measure_health(reading, health);
        }
        self.measure_restarts(reading);
    }

    fn measure_state(&self, reading: &mut Reading, state: State) {
        let name = Some(self.container.name.as_str());
        let is_over = matches!(state, State::Exited | State::Created | State::Removing);
        // What must run is down, however long ago it failed. A failure that still counts is told by its exit code.
        let is_told = self.exit_code().is_some_and(|code| code != 0) && self.end_counts();
        if self.is_needed && is_over && !is_told {
            reading.state(STATE, name, STOPPED);
            let why = match state {
                State::Created => "was never started".to_owned(),
                State::Removing => "is being removed".to_owned(),
                _ => self.ending(),
            };
            reading.note(STATE, name, format!("it is required, and {why}"));
            return;
        }
        reading.state(STATE, name, state.word());
        match (state, self.error()) {
            (State::Restarting, _) => reading.note(STATE, name, self.ending()),
            (State::Dead, Some(error)) => reading.note(STATE, name, error),
            _ => {}
        }
    }

    fn measure_end(&self, reading: &mut Reading) {
        let name = Some(self.container.name.as_str());
        match self.exit_code() {
            Some(0) => reading.number(EXIT_CODE, name, 0.0, Unit::Number),
            Some(code) if self.end_counts() && !self.ended_for_memory() => {
                #[expect(clippy::cast_precision_loss, reason = "exit codes are small")]
                reading.number(EXIT_CODE, name, code as f64, Unit::Number);
                reading.note(EXIT_CODE, name, self.how_it_ended("ended "));
            }
            Some(_) => {}
            None => {
                let why = (self.mute).unwrap_or("the engine does not say what it ended with");
                reading.gap(EXIT_CODE, name, Unit::Number, why);
            }
        }
    }

    fn measure_memory(&self, reading: &mut Reading) {
        let name = Some(self.container.name.as_str());
        let is_down = matches!(
            self.container.state,
            Ok(State::Exited | State::Dead | State::Restarting)
        );
        if is_down && self.end_counts() && self.ended_for_memory() {
            reading.flag(OOM_KILLED, name, true);
            // Of one that restarts, the state's own note tells it.
            if !self.container.is(State::Restarting) {
                reading.note(OOM_KILLED, name, self.ending());
            }
        } else if self.tally.kills > 0 {
            reading.flag(OOM_KILLED, name, true);
            let kills = times(u64::from(self.tally.kills));
            let since = match self.all.last_look {
                Some(_) => "since the last look",
                None => "in the last hour",
            };
            let runs = if self.container.runs() {
                "; the container runs"
            } else {
                ""
            };
            let note = format!("a process in it was killed {kills} {since}{runs}");
            reading.note(OOM_KILLED, name, note);
        }
    }

    fn measure_health(&self, reading: &mut Reading, health: Health) {
        let name = Some(self.container.name.as_str());
        match health {
            Health::Healthy => reading.state(HEALTH, name, "healthy"),
            Health::Unhealthy => {
                reading.state(HEALTH, name, "unhealthy");
                reading.note(HEALTH, name, self.evidence());
            }
            Health::Starting => {
                let config = self
                    .inspected
                    .and_then(|inspected| inspected.config.as_ref());
                let plan = config.and_then(|config| config.healthcheck);
                let limit = plan.map_or(STARTING, longest_start);
                match self.runs_for() {
                    Some(length) if length > limit => {
                        reading.state(HEALTH, name, STARTING_TOO_LONG);
                        let note = format!(
                            "for {}, where {} should do; {}",
                            in_words(length),
                            in_words(limit),
                            self.evidence()
                        );
                        reading.note(HEALTH, name, note);
                    }
                    _ => reading.state(HEALTH, name, "starting"),
                }
            }
        }
    }

    fn measure_restarts(&self, reading: &mut Reading) {
        let name = Some(self.container.name.as_str());
        let count = self.restart_count();
        if let Some(count) = count {
            reading.number(RESTART_COUNT, name, float(count), Unit::Count);
        }
        let Some(then) = self.then else { return };
        let Tally { ends, stops, .. } = self.tally;
        // Of one that ended for good, the last end has no new start.
        let last = u32::from(!self.container.runs());
        let by_events = u64::from(ends.saturating_sub(stops).saturating_sub(last));
        let by_count = match (count, then.restart_count) {
            // A start by hand begins the count anew.
            (Some(now), Some(then)) if now < then => now,
            (Some(now), Some(then)) => now - then,
            (Some(now), None) if self.started_since_last_look() => now.min(1),
            _ => 0,
        };
        let restarts = by_events.max(by_count);
        reading.number(RESTARTS, name, float(restarts), Unit::Count);
        if restarts > 0 && self.container.is(State::Running) {
            let note = self.runs_for().map_or_else(
                || "it runs again".to_owned(),
                |length| format!("it runs again, for {}", in_words(length)),
            );
            reading.note(RESTARTS, name, note);
        }
    }

    /// `web (exit 3, 4 days ago)`, of one that failed too long ago to count.
    pub(super) fn old_failure(&self) -> Option<String> {
        let code = self.exit_code().filter(|code| *code != 0)?;
        let ago = self.ended_ago()?;
        (self.container.is(State::Exited) && !self.end_counts()).then(|| {
            format!(
                "{} (exit {code}, {} ago)",
                self.container.name,
                in_words(ago)
            )
        })
    }

    fn told(&self) -> Option<&InspectedState> {
        self.inspected?.state.as_ref()
    }

    fn restart_count(&self) -> Option<u64> {
        self.inspected?.restart_count
    }

    fn exit_code(&self) -> Option<i64> {
        let told = self.told().and_then(|told| told.exit_code);
        told.or(self.container.line.exit_code)
    }

    /// Why the engine could not run it, in its own words.
    fn error(&self) -> Option<String> {
        let error = shortened(self.told()?.error.as_deref()?);
        (!error.is_empty()).then_some(error)
    }

    fn ended_for_memory(&self) -> bool {
        // Where the engine hears of the end before it hears why, its own word for it stays `false` for ever; the event comes
        // all the same.
        let by_event =
            self.tally.kills > 0 && self.exit_code() == Some(KILLED) && !self.container.runs();
        by_event || self.told().and_then(|told| told.oom_killed) == Some(true)
    }

    /// How long ago it ended: exactly, or as far as the list's words tell.
    fn ended_ago(&self) -> Option<Duration> {
        let exactly = self.told().and_then(|told| told.finished_at.as_deref());
        self.since(exactly)
            .or(self.container.line.age.map(Age::likely))
    }

    /// How long it has run, likewise.
    fn runs_for(&self) -> Option<Duration> {
        let exactly = self.told().and_then(|told| told.started_at.as_deref());
        self.since(exactly)
            .or(self.container.line.age.map(Age::likely))
    }

    fn since(&self, text: Option<&str>) -> Option<Duration> {
        // The engine's clock is read in whole seconds: what just happened may seem to lie ahead.
        time(text?).map(|at| (self.all.now - at).to_std().unwrap_or(Duration::ZERO))
    }

    /// Whether its end is not too long ago; one that nobody dates counts.
    fn end_counts(&self) -> bool {
        (self.ended_ago()).is_none_or(|ago| ago <= self.all.exited_within)
    }

    fn started_since_last_look(&self) -> bool {
        let started = self
            .told()
            .and_then(|told| time(told.started_at.as_deref()?));
        (started.zip(self.all.last_look)).is_some_and(|(started, last)| started > last)
    }

    /// `exited with 3, 5 min ago`, with what is known of why.
    fn ending(&self) -> String {
        let how = self.how_it_ended("");
        match self.exit_code() {
            Some(code) => format!("exited with {code}, {how}"),
            None => format!("exited, {how}"),
        }
    }

    /// `killed by signal 9, 5 min ago; restarted twice so far`. `lead` stands before the time where nothing else does.
    fn how_it_ended(&self, lead: &str) -> String {
        let mut parts = Vec::new();
        if self.ended_for_memory() {
            parts.push("killed for want of memory".to_owned());
        } else {
            if let Some(code @ 129..=192) = self.exit_code() {
                parts.push(format!("killed by signal {}", code - 128));
            }
            if self.tally.stops > 0 {
                parts.push("after it was asked to stop".to_owned());
            }
        }
        let lead = if parts.is_empty() { lead } else { "" };
        parts.push(self.ended_ago().map_or_else(
            || "it is not known when".to_owned(),
            |ago| format!("{lead}{} ago", in_words(ago)),
        ));
        let mut text = parts.join(", ");
        if let Some(error) = self.error() {
            text.push_str(&format!(": {error}"));
        }
        if let Some(count) = self.restart_count().filter(|count| *count > 0) {
            text.push_str(&format!("; restarted {} so far", times(count)));
        }
        text
    }

    /// What its health check said: `its check failed 3 times in a row, the last with exit 1: connection refused`.
    fn evidence(&self) -> String {
        let Some(health) = self.told().and_then(|told| told.health.as_ref()) else {
            let why = self.mute.unwrap_or("the engine does not say why");
            return why.to_owned();
        };
        let mut text = match health.failing_streak {
            None | Some(0) => "no check failed yet".to_owned(),
            Some(1) => "its check failed".to_owned(),
            Some(more) => format!("its check failed {more} times in a row"),
        };
        if let Some(last) = health.log.as_deref().unwrap_or_default().last() {
            if let Some(code) = last.exit_code {
                text.push_str(&format!(", the last with exit {code}"));
            }
            let output = shortened(last.output.as_deref().unwrap_or_default());
            if !output.is_empty() {
                text.push_str(&format!(": {output}"));
            }
        }
        text
    }
}

/// How long a health check may take to come to an answer.
fn longest_start(plan: HealthPlan) -> Duration {
    let planned = |nanoseconds: Option<u64>, usual: Duration| match nanoseconds {
        None | Some(0) => usual,
        Some(nanoseconds) => Duration::from_nanos(nanoseconds),
    };
    let retries = plan.retries.and_then(|retries| u32::try_from(retries).ok());
    let retries = retries.filter(|retries| *retries > 0);
    let each = planned(plan.interval, HEALTH_INTERVAL)
        .saturating_add(planned(plan.timeout, HEALTH_TIMEOUT));
    planned(plan.start_period, Duration::ZERO)
        .saturating_add(each.saturating_mul(retries.unwrap_or(HEALTH_RETRIES)))
}

/// What never happened was in the year 1.
fn time(text: &str) -> Option<Timestamp> {
    let at = chrono::DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    (at.timestamp() > 0).then_some(at)
}

fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

/// `41 s`, `12 min`, `5 h`, `9 days`
pub(super) fn in_words(length: Duration) -> String {
    match length.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of what happened are small"
)]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::collectors::docker_hosts::answers::Listed;

    /// Now, by the engine's clock.
    const NOW: &str = "2026-11-21T12:00:00Z";
    const AN_HOUR_AGO: &str = "2026-11-21T11:00:00.5Z";
    const TWO_DAYS_AGO: &str = "2026-11-19T12:00:00Z";

    /// What else is known, for those tests that need it.
    #[derive(Default)]
    struct More {
        tally: Tally,
        then: Option<Then>,
        mute: Option<&'static str>,
        is_needed: bool,
    }

    /// The measurements as `metric: value (note)`, and the gaps as `metric? message`.
    fn measured(status: &str, inspected: Value, more: &More) -> Vec<String> {
        let entry = json!({ "Id": "a1", "Names": ["/web"], "Status": status }).to_string();
        let listed: Listed<'_> = serde_json::from_str(&entry).expect("an entry");
        let container = Container::read(&listed).expect("a container");
        let inspected: Option<Inspected> = serde_json::from_value(inspected).expect("a container");
        let all = Circumstances {
            now: time(NOW).expect("a time"),
            exited_within: Duration::from_hours(24),
            last_look: more.then.and_then(|_| time(AN_HOUR_AGO)),
        };
        let known = Known {
            container: &container,
            inspected: inspected.as_ref(),
            mute: more.mute,
            tally: more.tally,
            then: more.then,
            is_needed: more.is_needed,
            all: &all,
        };
        let mut reading = Reading::default();
        known.measure(&mut reading);
        let mut lines: Vec<String> = (reading.measurements.iter())
            .map(|one| {
                let note = reading.note_on(one.metric, one.subject.as_deref());
                let note = note.map_or_else(String::new, |note| format!(" ({note})"));
                format!("{}: {}{note}", one.metric, one.value)
            })
            .collect();
        lines.extend((reading.gaps.iter()).map(|gap| format!("{}? {}", gap.metric, gap.message)));
        lines.extend(known.old_failure().map(|text| format!("earlier: {text}")));
        lines
    }

    #[test]
    fn what_must_run_is_down_however_long_ago_it_ended() {
        for (status, expected) in [
            ("Up 2 hours", "container_state: running"),
            ("Exited (3) 23 hours ago", "exit_code: 3 (ended 23 h ago)"),
            (
                "Exited (3) 4 weeks ago",
                "container_state: stopped (it is required, and exited with 3, ",
            ),
            (
                "Exited (0) 4 weeks ago",
                "container_state: stopped (it is required, and exited with 0, ",
            ),
            (
                "Created",
                "container_state: stopped (it is required, and was never started)",
            ),
            (
                "Removal In Progress",
                "container_state: stopped (it is required, and is being removed)",
            ),
        ] {
            let needed = More {
                is_needed: true,
                ..More::default()
            };
            let lines = measured(status, Value::Null, &needed);
            assert!(
                lines.iter().any(|line| line.starts_with(expected)),
                "{status}: {lines:?}"
            );
        }
    }

    #[test]
    fn an_end_counts_by_its_exact_time_where_that_is_known() {
        let ended =
            |at: &str| json!({ "RestartCount": 0, "State": { "ExitCode": 3, "FinishedAt": at } });
        for (status, inspected, expected) in [
            (
                "Exited (3) 24 hours ago",
                ended("2026-11-20T12:00:01Z"),
                vec![
                    "container_state: exited",
                    "exit_code: 3 (ended 23 h ago)",
                    "restart_count: 0",
                ],
            ),
            (
                "Exited (3) 24 hours ago",
                ended("2026-11-20T11:59:59Z"),
                vec![
                    "container_state: exited",
                    "restart_count: 0",
                    "earlier: web (exit 3, 24 h ago)",
                ],
            ),
            (
                "Exited (3) 23 hours ago",
                Value::Null,
                vec!["container_state: exited", "exit_code: 3 (ended 23 h ago)"],
            ),
            (
                "Exited (3) 4 weeks ago",
                Value::Null,
                vec![
                    "container_state: exited",
                    "earlier: web (exit 3, 31 days ago)",
                ],
            ),
            (
                "Exited",
                Value::Null,
                vec![
                    "container_state: exited",
                    "exit_code? the engine does not say what it ended with",
                ],
            ),
        ] {
            assert_eq!(
                measured(status, inspected, &More::default()),
                expected,
                "{status}"
            );
        }
    }

    #[test]
    fn why_it_ended_is_said_once() {
        let ended = |code: i64, memory: bool, error: &str| {
            json!({
                "RestartCount": 3,
                "State": { "ExitCode": code, "OOMKilled": memory, "Error": error, "FinishedAt": AN_HOUR_AGO },
            })
        };
        let stopped = More {
            tally: Tally {
                ends: 1,
                stops: 1,
                kills: 0,
            },
            ..More::default()
        };
        // The engine knew that it had ended before it knew why.
        let killed = More {
            tally: Tally {
                ends: 1,
                stops: 0,
                kills: 1,
            },
            ..More::default()
        };
        for (status, inspected, more, expected) in [
            (
                "Exited (137) About an hour ago",
                ended(137, true, ""),
                More::default(),
                "oom_killed: yes (exited with 137, killed for want of memory, 59 min ago; restarted 3 times so far)",
            ),
            (
                "Exited (137) About an hour ago",
                ended(137, false, ""),
                killed,
                "oom_killed: yes (exited with 137, killed for want of memory, 59 min ago; restarted 3 times so far)",
            ),
            (
                "Exited (143) About an hour ago",
                ended(143, false, ""),
                stopped,
                "exit_code: 143 (killed by signal 15, after it was asked to stop, 59 min ago; restarted 3 times so far)",
            ),
            (
                "Exited (127) About an hour ago",
                ended(127, false, "no such\nprogram"),
                More::default(),
                "exit_code: 127 (ended 59 min ago: no such program; restarted 3 times so far)",
            ),
            (
                "Restarting (1) 2 seconds ago",
                Value::Null,
                More {
                    mute: Some("it hangs"),
                    ..More::default()
                },
                "container_state: restarting (exited with 1, 2 s ago)",
            ),
            (
                "Dead",
                ended(1, false, "device is busy"),
                More::default(),
                "container_state: dead (device is busy)",
            ),
        ] {
            let lines = measured(status, inspected, &more);
            assert!(
                lines.iter().any(|line| line == expected),
                "{status}: {lines:?}"
            );
            let explained = lines.iter().filter(|line| line.contains(" (")).count();
            assert_eq!(explained, 1, "{lines:?}");
        }
    }

    #[test]
    fn starting_is_too_long_when_its_plan_is_over() {
        let since = |at: &str, plan: Value| {
            let log = json!([{ "ExitCode": 1, "Output": "not yet" }]);
            json!({
                "State": { "StartedAt": at, "Health": { "FailingStreak": 0, "Log": log } },
                "Config": { "Healthcheck": plan },
            })
        };
        let second: u64 = 1_000_000_000;
        let (usual, long) = (json!({}), json!({ "StartPeriod": 7200 * second }));
        let short = json!({ "Interval": second, "Timeout": second, "Retries": 2, "StartPeriod": 60 * second });
        let too_long = "container_health: starting too long (for";
        for (status, inspected, expected) in [
            (
                "Up 59 minutes (health: starting)",
                since(AN_HOUR_AGO, usual),
                too_long,
            ),
            (
                "Up 59 minutes (health: starting)",
                since(AN_HOUR_AGO, short.clone()),
                too_long,
            ),
            (
                "Up 59 minutes (health: starting)",
                since(AN_HOUR_AGO, long),
                "container_health: starting",
            ),
            (
                "Up 5 seconds (health: starting)",
                since("2026-11-21T11:59:55Z", short),
                "container_health: starting",
            ),
            (
                "Up 5 minutes (health: starting)",
                Value::Null,
                "container_health: starting",
            ),
            ("Up 12 minutes (health: starting)", Value::Null, too_long),
        ] {
            let lines = measured(status, inspected, &More::default());
            let found = lines
                .iter()
                .find(|line| line.starts_with("container_health"));
            let found = found.map_or("", String::as_str);
            assert!(found.starts_with(expected), "{status}: {lines:?}");
            assert_eq!(
                found.contains("too long"),
                expected == too_long,
                "{lines:?}"
            );
        }
        let lines = measured(
            "Up 59 minutes (health: starting)",
            since(
                AN_HOUR_AGO,
                json!({ "Interval": second, "Timeout": second, "Retries": 2 }),
            ),
            &More::default(),
        );
        let expected = "container_health: starting too long (for 59 min, where 4 s should do; no check failed yet, the \
                        last with exit 1: not yet)";
        assert_eq!(lines.last().map(String::as_str), Some(expected));
    }

    #[test]
    fn restarts_are_counted_by_events_and_by_the_engines_own_count() {
        let running = |count: u64| json!({ "RestartCount": count, "State": { "StartedAt": "2026-11-21T11:30:00Z" } });
        let then = |restart_count| {
            Some(Then {
                ran: true,
                restart_count,
            })
        };
        let tally = |ends, stops| Tally {
            ends,
            stops,
            kills: 0,
        };
        for (status, inspected, tally, then, expected) in [
            ("Up 2 minutes", Value::Null, tally(0, 0), then(None), "0"),
            // Ended twice, once on request.
            ("Up 2 minutes", Value::Null, tally(2, 1), then(None), "1"),
            // The engine forgot the events.
            ("Up 30 minutes", running(7), tally(0, 0), then(Some(3)), "4"),
            ("Up 30 minutes", running(7), tally(0, 0), then(None), "1"),
            // Started by hand meanwhile, which begins the count anew.
            ("Up 30 minutes", running(2), tally(3, 1), then(Some(5)), "2"),
            ("Up 30 minutes", running(0), tally(1, 1), then(Some(0)), "0"),
            // The last end was for good.
            (
                "Exited (1) 5 seconds ago",
                Value::Null,
                tally(4, 0),
                then(Some(0)),
                "3",
            ),
            (
                "Exited (0) 5 seconds ago",
                Value::Null,
                tally(1, 0),
                then(Some(0)),
                "0",
            ),
        ] {
            let more = More {
                tally,
                then,
                ..More::default()
            };
            let lines = measured(status, inspected, &more);
            let wanted = format!("restarts_since_last_look: {expected}");
            assert!(
                lines.iter().any(|line| line.starts_with(&wanted)),
                "{wanted}: {lines:?}"
            );
        }
        let first = measured(
            "Up 2 minutes",
            running(9),
            &More {
                tally: tally(4, 0),
                ..More::default()
            },
        );
        assert_eq!(first, ["container_state: running", "restart_count: 9"]);
    }

    #[test]
    fn times_are_short() {
        for (seconds, expected) in [
            (0, "0 s"),
            (61, "1 min"),
            (7_199, "119 min"),
            (7_200, "2 h"),
            (172_800, "2 days"),
        ] {
            assert_eq!(in_words(Duration::from_secs(seconds)), expected);
        }
        assert_eq!(
            time(TWO_DAYS_AGO).map(|at| at.to_rfc3339()),
            Some("2026-11-19T12:00:00+00:00".to_owned())
        );
        assert_eq!(time("0001-01-01T00:00:00Z"), None);
    }
}
