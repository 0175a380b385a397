//! The line that an engine has for people, `Exited (137) 2 hours ago`, read back. It is all that a list says of exit
//! codes, ages and health.
//!
//! Sources: `State.String` in the engine's `daemon/container/state.go`, `HumanDuration` in `docker/go-units`.

use std::time::Duration;

/// What a container is doing. The engine's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Created,
    Running,
    Paused,
    Restarting,
    Exited,
    Removing,
    Stopping,
    Dead,
}

impl State {
    /// By the word of the engine; Podman has some more.
    pub(super) fn read(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "created" | "configured" | "initialized" => Self::Created,
            "running" => Self::Running,
            "paused" => Self::Paused,
            "restarting" => Self::Restarting,
            "exited" | "stopped" => Self::Exited,
            "removing" => Self::Removing,
            "stopping" => Self::Stopping,
            "dead" => Self::Dead,
            _ => return None,
        })
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Exited => "exited",
            Self::Removing => "removing",
            Self::Stopping => "stopping",
            Self::Dead => "dead",
        }
    }
}

/// How long ago something was, as far as words tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Age {
    pub(super) least: Duration,
    pub(super) most: Duration,
}

/// What the line says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct StatusLine {
    /// The state that it begins with, for engines whose lists have no other word for it.
    pub(super) state: Option<State>,
    pub(super) exit_code: Option<i64>,
    /// Since it is up, or since it ended.
    pub(super) age: Option<Age>,
    pub(super) health: Option<Health>,
}

/// How a container's own check finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    Starting,
    Healthy,
    Unhealthy,
}

impl Health {
    /// By the word of the engine; `none` and anything else are none.
    pub(super) fn read(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "starting" => Some(Self::Starting),
            "healthy" => Some(Self::Healthy),
            "unhealthy" => Some(Self::Unhealthy),
            _ => None,
        }
    }
}

impl StatusLine {
    /// Reads what can be read.
    pub(super) fn read(text: &str) -> Self {
        let text = text.trim();
        let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
        let rest = rest.trim();
        let in_brackets = |text: &str| {
            let inner = text.strip_prefix('(')?;
            inner
                .split_once(')')
                .map(|(inner, rest)| (inner.to_owned(), rest.trim().to_owned()))
        };
        match first {
            "Up" => {
                let (age, note) = rest.split_once('(').unwrap_or((rest, ""));
                let note = note.trim_end_matches(')');
                Self {
                    state: Some(if note == "Paused" {
                        State::Paused
                    } else {
                        State::Running
                    }),
                    exit_code: None,
                    age: Age::read(age),
                    health: Health::read(note.trim_start_matches("health: ")),
                }
            }
            "Exited" | "Restarting" => {
                let (code, age) = in_brackets(rest).unwrap_or_default();
                Self {
                    state: State::read(first),
                    exit_code: code.parse().ok(),
                    age: age.strip_suffix("ago").and_then(Age::read),
                    health: None,
                }
            }
            "Removal" => Self {
                state: Some(State::Removing),
                ..Self::default()
            },
            word => Self {
                state: State::read(word),
                ..Self::default()
            },
        }
    }
}

const SECOND: u64 = 1;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

impl Age {
    fn between(least: u64, most: u64) -> Self {
        Self {
            least: Duration::from_secs(least),
            most: Duration::from_secs(most),
        }
    }

    /// What the words most likely mean.
    pub(super) fn likely(self) -> Duration {
        (self.least + self.most) / 2
    }

    /// Reads `5 minutes`, `About an hour`, `Less than a second`.
    fn read(text: &str) -> Option<Self> {
        match text.trim() {
            "Less than a second" => return Some(Self::between(0, SECOND)),
            "About a minute" => return Some(Self::between(MINUTE, 2 * MINUTE)),
            "About an hour" => return Some(Self::between(HOUR, HOUR + HOUR / 2)),
            _ => {}
        }
        let (number, unit) = text.trim().split_once(' ')?;
        let number: u64 = number.parse().ok().filter(|number| *number < 100_000)?;
        let unit = match unit.strip_suffix('s').unwrap_or(unit) {
            "second" => SECOND,
            "minute" => MINUTE,
            // Hours are rounded, and what is longer is counted in them.
            "hour" => {
                let half = HOUR / 2;
                return Some(Self::between(
                    number * HOUR - half.min(number * HOUR),
                    number * HOUR + half,
                ));
            }
            "day" => DAY,
            "week" => 7 * DAY,
            "month" => 30 * DAY,
            "year" => 365 * DAY,
            _ => return None,
        };
        let rounding = if unit >= DAY { HOUR / 2 } else { 0 };
        let least = number * unit;
        Some(Self::between(least - rounding.min(least), least + unit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(
        state: State,
        exit_code: Option<i64>,
        age: Option<(u64, u64)>,
        health: Option<Health>,
    ) -> StatusLine {
        StatusLine {
            state: Some(state),
            exit_code,
            age: age.map(|(least, most)| Age::between(least, most)),
            health,
        }
    }

    #[test]
    fn the_lines_of_all_engines_are_read() {
        use Health::{Healthy, Starting, Unhealthy};
        use State::{Created, Dead, Exited, Paused, Removing, Restarting, Running};
        for (text, expected) in [
            (
                "Up Less than a second",
                line(Running, None, Some((0, 1)), None),
            ),
            ("Up 1 second", line(Running, None, Some((1, 2)), None)),
            (
                "Up 5 minutes (healthy)",
                line(Running, None, Some((300, 360)), Some(Healthy)),
            ),
            (
                "Up About a minute (unhealthy)",
                line(Running, None, Some((60, 120)), Some(Unhealthy)),
            ),
            (
                "Up 3 seconds (health: starting)",
                line(Running, None, Some((3, 4)), Some(Starting)),
            ),
            (
                "Up 2 hours (Paused)",
                line(Paused, None, Some((5400, 9000)), None),
            ),
            (
                "Exited (137) 2 hours ago",
                line(Exited, Some(137), Some((5400, 9000)), None),
            ),
            (
                "Exited (0) About an hour ago",
                line(Exited, Some(0), Some((3600, 5400)), None),
            ),
            (
                "Exited (-1) 3 days ago",
                line(Exited, Some(-1), Some((257_400, 345_600)), None),
            ),
            (
                "Exited (1) 2 weeks ago",
                line(Exited, Some(1), Some((1_207_800, 1_814_400)), None),
            ),
            (
                "Exited (1) 4 months ago",
                line(Exited, Some(1), Some((10_366_200, 12_960_000)), None),
            ),
            (
                "Restarting (1) 5 seconds ago",
                line(Restarting, Some(1), Some((5, 6)), None),
            ),
            ("Created", line(Created, None, None, None)),
            ("Dead", line(Dead, None, None, None)),
            ("Removal In Progress", line(Removing, None, None, None)),
            ("Exited", line(Exited, None, None, None)),
            ("Exited (x) soon", line(Exited, None, None, None)),
            (
                "Up 99999999999999999999 days",
                line(Running, None, None, None),
            ),
            // Podman before 4 has no `Up`.
            ("running", line(Running, None, None, None)),
        ] {
            assert_eq!(StatusLine::read(text), expected, "{text}");
        }
        assert_eq!(StatusLine::read("").state, None);
        assert_eq!(StatusLine::read("Wobbling 3 days").state, None);
    }
}
