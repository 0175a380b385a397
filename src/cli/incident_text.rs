//! Incidents, silences and messages in words at a prompt.

use chrono::TimeDelta;
use chrono_tz::Tz;

use super::windows::{length, moment};
use crate::incidents::{Facts, Quiet};
use crate::model::{Event, EventKind, Incident, Member, Timestamp};

/// How times are told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub zone: Tz,
    pub now: Timestamp,
}

impl Times {
    /// `Tue 2026-12-01 02:00:12 +01:00`
    pub(super) fn at(&self, time: Timestamp) -> String {
        moment(time, self.zone)
    }

    /// The time, and how long ago it was or will be.
    pub(super) fn and_how_long(&self, time: Timestamp) -> String {
        let ago = self.now - time;
        let words = if ago >= TimeDelta::zero() {
            format!("{} ago", short(ago))
        } else {
            format!("in {}", short(-ago))
        };
        format!("{} ({words})", self.at(time))
    }

    /// The time, and for how long it has been so.
    pub(super) fn since(&self, time: Timestamp) -> String {
        format!("{} ({})", self.at(time), short(self.now - time))
    }
}

/// A length of time, as exact as people need it: `41s`, `12m`, `3h 5m`, `9 days 4h`.
pub(super) fn short(time: TimeDelta) -> String {
    let unit_seconds = match time.num_seconds() {
        ..60 => 1,
        60..86_400 => 60,
        _ => 3_600,
    };
    match time.num_seconds().max(0) / unit_seconds * unit_seconds {
        0 => "0s".to_owned(),
        seconds => length(TimeDelta::seconds(seconds)),
    }
}

/// What happened, with the target and how that was then.
pub(super) fn event(event: &Event) -> String {
    let mut said = word(event.kind).to_owned();
    if !event.name.is_empty() {
        said = format!("{} {said}", event.name);
    }
    if let Some(status) = event.status {
        said.push_str(&format!(", {status}"));
    }
    if let Some(text) = &event.text {
        said.push_str(&format!(" ({text})"));
    }
    said
}

/// What happened.
pub(super) fn word(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Opened => "opened",
        EventKind::Worsened => "became worse",
        EventKind::Improved => "became better",
        EventKind::Remained => "is still there",
        EventKind::FlappingStarted => "began to flap",
        EventKind::FlappingEnded => "stopped flapping",
        EventKind::Resolved => "resolved",
        EventKind::Removed => "is not watched any more",
        EventKind::Merged => "became part of another",
        EventKind::Acknowledged => "acknowledged",
        EventKind::Reminded => "reminded",
        EventKind::Escalated => "escalated",
        EventKind::Explained => "explained",
        EventKind::Worded => "put into words",
    }
}

/// The name of a target without its kind.
pub(super) fn own_name(member: &Member) -> &str {
    let name = member.target.strip_prefix(member.kind.as_str());
    name.and_then(|name| name.strip_prefix('/'))
        .unwrap_or(&member.target)
}

/// Whether an incident is meant by a number such as `12` or `#12`.
pub(super) fn is_number_of(asked: &str, incident: &Incident) -> bool {
    let digits = asked.strip_prefix('#').unwrap_or(asked);
    digits.parse() == Ok(incident.id)
}

/// Whether a member is meant by a name.
pub(super) fn is_name_of(asked: &str, member: &Member) -> bool {
    [member.target.as_str(), &member.name, own_name(member)].contains(&asked)
}

/// What covers a member now.
pub(super) fn quiet_of(quiets: &[&dyn Quiet], member: &Member, now: Timestamp) -> Option<String> {
    let facts = Facts {
        target: member.target.clone(),
        kind: member.kind.clone(),
        own_name: own_name(member).to_owned(),
        labels: member.labels.clone(),
        ..Facts::default()
    };
    let mut quiets = quiets.iter();
    let quiet = quiets.find(|quiet| quiet.covers(&facts, now).is_some());
    quiet.map(|quiet| quiet.name())
}

/// `#12 databases/orders, #13 web-1`; for hints.
pub(super) fn list(incidents: &[Incident]) -> String {
    let names = incidents.iter().map(|incident| {
        let root = incident.root().map_or("", |root| &root.name);
        format!("#{} {root}", incident.id)
    });
    names.collect::<Vec<_>>().join(", ")
}

/// The incident of that number, or the one with that target: one where its problem is still there before others. Else why
/// there is none, and what to do.
pub(super) fn one_of(
    wanted: &str,
    mut incidents: Vec<Incident>,
) -> Result<Incident, (String, String)> {
    if let Some(index) = (incidents.iter()).position(|one| is_number_of(wanted, one)) {
        return Ok(incidents.swap_remove(index));
    }
    let is_open = |one: &&Incident| one.is_open();
    let open: Vec<Incident> = incidents.iter().filter(is_open).cloned().collect();
    let concerns = |one: &Incident| one.members.iter().any(|member| is_name_of(wanted, member));
    let is_there = |one: &Incident| {
        let mut members = one.members.iter();
        members.any(|member| member.is_open() && is_name_of(wanted, member))
    };
    incidents.retain(concerns);
    if incidents.iter().any(is_there) {
        incidents.retain(is_there);
    }
    match incidents.as_slice() {
        [one] => Ok(one.clone()),
        [] => {
            let hint = match open.as_slice() {
                [] => "none is open; `roundsman incidents --all` lists those that ended".to_owned(),
                open => format!("open: {}", list(open)),
            };
            Err((format!("there is no incident `{wanted}`"), hint))
        }
        several => Err((
            format!("`{wanted}` is or was part of several incidents"),
            format!("write one of {}", list(several)),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_as_exact_as_it_is_short() {
        for (seconds, expected) in [
            (-5, "0s"),
            (0, "0s"),
            (41, "41s"),
            (745, "12m"),
            (11_159, "3h 5m"),
            (86_400, "1 day"),
            (790_000, "9 days 3h"),
        ] {
            assert_eq!(short(TimeDelta::seconds(seconds)), expected);
        }
    }
}
