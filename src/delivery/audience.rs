//! Which channels hear of what.

use crate::incidents::{Audience, Level, Route, waits_for_a_level};
use crate::model::Incident;

/// What the outbox must know of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// The reporter's name.
    pub name: String,
    /// Which messages it gets; `None`: all, unless a level of escalation names it.
    pub route: Option<Route>,
    /// Whether it is told of what nobody must hear: it brings what it told before up to date, or programs read it.
    pub takes_updates: bool,
}

impl Channel {
    /// Whether round reports go to it.
    pub(super) fn wants_digest(&self) -> bool {
        self.route.as_ref().is_none_or(Route::wants_digest)
    }

    /// Whether it hears of such an incident at once, without any level.
    fn wants(&self, incident: &Incident, levels: &[Level]) -> bool {
        if waits_for_a_level(levels, &self.name, self.route.as_ref()) {
            return false;
        }
        let Some(route) = &self.route else {
            return true;
        };
        incident.members.iter().any(|member| {
            let name = member.target.split_once('/');
            let name = name.map_or(member.target.as_str(), |(_, name)| name);
            route.wants_named(incident.severity, &member.kind, name, &member.labels)
        })
    }

    /// Whether it hears of an announcement. `was_told`: it has told of the incident before, and must tell its end.
    pub(super) fn hears(
        &self,
        incident: &Incident,
        audience: Audience,
        levels: &[Level],
        was_told: bool,
    ) -> bool {
        let in_level = |index: usize| {
            let level = levels.get(index);
            level.is_some_and(|level| level.tells(&self.name))
        };
        match audience {
            Audience::Everyone => {
                was_told
                    || self.wants(incident, levels)
                    || incident.escalated.iter().any(|index| in_level(*index))
            }
            // Whoever heard of it before hears nothing new.
            Audience::Level(index) => in_level(index) && !self.wants(incident, levels),
        }
    }

    /// Whether it hears of the monitor's own trouble: wherever any incident is told at once.
    pub(super) fn hears_of_us(&self, levels: &[Level]) -> bool {
        let route = self.route.as_ref();
        route.is_none_or(|route| route.incidents) && !waits_for_a_level(levels, &self.name, route)
    }
}
