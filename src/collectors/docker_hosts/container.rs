//! One container, as the engine's list shows it.

use std::time::Duration;

use super::answers::{Created, Listed};
use super::before::Then;
use super::status::{Health, State, StatusLine};
use crate::clients::words::{shortened, shortened_name};
use crate::model::Timestamp;

/// As much of an id as people see.
const SHORT_ID: usize = 12;
/// A container as the list shows it.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) id: String,
    /// Its name, or the beginning of its id.
    pub(super) name: String,
    /// The state, or the word that we do not know.
    pub(super) state: Result<State, String>,
    pub(super) line: StatusLine,
    pub(super) health: Option<Health>,
    pub(super) created: Option<Timestamp>,
}

impl Container {
    /// Reads an entry of the list; `None` if it has no id.
    pub(super) fn read(listed: &Listed<'_>) -> Option<Self> {
        let id = listed.id.as_deref().filter(|id| !id.is_empty())?.to_owned();
        let names = listed.names.as_deref().unwrap_or_default().iter();
        let names = names.map(|name| name.trim_start_matches('/'));
        // A link is a name within another container's: `/web/db`.
        let name = names.min_by_key(|name| name.matches('/').count());
        let name = match name.map(shortened_name) {
            Some(name) if !name.is_empty() => name,
            _ => id.chars().take(SHORT_ID).collect(),
        };
        let line = StatusLine::read(listed.status.as_deref().unwrap_or_default());
        let word = listed.state.as_deref().unwrap_or_default();
        let told = listed
            .health
            .as_ref()
            .and_then(|health| health.status.as_deref());
        let created = match listed.created {
            Some(Created::Seconds(seconds)) => Timestamp::from_timestamp(seconds, 0),
            _ => None,
        };
        Some(Self {
            id,
            name,
            state: State::read(word)
                .or(line.state)
                .ok_or_else(|| shortened(word)),
            health: told.and_then(Health::read).or(line.health),
            line,
            created,
        })
    }

    pub(super) fn is(&self, state: State) -> bool {
        self.state == Ok(state)
    }

    /// Whether its main process is there.
    pub(super) fn runs(&self) -> bool {
        matches!(
            self.state,
            Ok(State::Running | State::Paused | State::Restarting | State::Stopping)
        )
    }

    /// Whether it failed, and perhaps not too long ago to count.
    pub(super) fn may_have_failed(&self, exited_within: Duration) -> bool {
        self.is(State::Exited)
            && self.line.exit_code != Some(0)
            && self.line.age.is_none_or(|age| age.least <= exited_within)
    }

    /// Whether it was started after the last look, and perhaps ran then too.
    pub(super) fn may_have_restarted(&self, since_last_look: Duration, then: Then) -> bool {
        self.is(State::Running)
            && then.ran
            && self.line.age.is_some_and(|age| age.least < since_last_look)
    }
}
