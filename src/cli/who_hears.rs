//! Who hears of a problem, and what is not spoken of, in a few lines for `check-config`.

use super::windows::{length, moment, span};
use crate::config::Plan;
use crate::incidents::{Level, Route, Settings, Silence, Window, waits_for_a_level};
use crate::model::{Severity, Timestamp};

/// What the configuration says of it; nothing where all is as usual.
pub(super) fn summary(plan: &Plan, now: Timestamp) -> String {
    let zone = plan.monitoring.zone;
    let mut text = String::new();
    let silences = plan.silences.iter();
    list(
        "silences",
        silences.map(|one| silence(one, zone, now)),
        &mut text,
    );
    list(
        "windows",
        plan.windows.iter().map(|one| window(one, now)),
        &mut text,
    );
    list("escalation", plan.escalation.iter().map(level), &mut text);
    let reporters = plan.reporters.iter().filter_map(|reporter| {
        let waits = waits_for_a_level(&plan.escalation, &reporter.name, reporter.route.as_ref());
        let said = match &reporter.route {
            Some(own) => route(own),
            None if waits => "round reports; incidents only by escalation".to_owned(),
            None => return None,
        };
        Some(format!("{}: {said}", reporter.name))
    });
    list("routes", reporters, &mut text);
    if plan.incidents != Settings::default() {
        text.push_str(&format!("incidents: {}\n", incidents(&plan.incidents)));
    }
    if plan.delivery != crate::config::Delivery::default() {
        let retry = length(plan.delivery.retry);
        text.push_str(&format!("delivery: each message is tried for {retry}\n"));
    }
    plan.secrets.redact(&mut text);
    text
}

fn list(title: &str, lines: impl Iterator<Item = String>, text: &mut String) {
    for (index, line) in lines.enumerate() {
        if index == 0 {
            text.push_str(&format!("{title}:\n"));
        }
        text.push_str(&format!("  {line}\n"));
    }
}

fn silence(silence: &Silence, zone: chrono_tz::Tz, now: Timestamp) -> String {
    let mut said = silence.matcher.to_string();
    match silence.from {
        _ if silence.has_ended(now) => said.push_str(": over since"),
        Some(from) if from > now => said.push_str(&format!(": from {}", moment(from, zone))),
        _ => said.push_str(": now"),
    }
    match silence.until {
        Some(until) if silence.has_ended(now) => {
            said.push_str(&format!(" {}", moment(until, zone)));
        }
        Some(until) => said.push_str(&format!(" until {}", moment(until, zone))),
        None => said.push_str(" and without end"),
    }
    if let Some(author) = &silence.author {
        said.push_str(&format!(", by {author}"));
    }
    if let Some(comment) = &silence.comment {
        said.push_str(&format!(" ({comment})"));
    }
    said
}

fn window(window: &Window, now: Timestamp) -> String {
    let when = match (window.open_at(now), window.next(now, 1).first()) {
        (Some(open), _) => format!("open until {}", moment(open.until, window.zone)),
        (None, Some(next)) => format!("next {}", span(*next, window.zone)),
        (None, None) => "never again".to_owned(),
    };
    format!("{}: {}: {when}", window.name, window.matcher)
}

fn level(level: &Level) -> String {
    format!(
        "after {}: {} incidents to {}",
        length(level.after),
        severities(level.severities.as_deref()),
        level.reporters.join(", ")
    )
}

fn severities(severities: Option<&[Severity]>) -> String {
    severities.map_or_else(
        || "all".to_owned(),
        |list| {
            let words: Vec<&str> = list.iter().map(|severity| severity.word()).collect();
            words.join(" and ")
        },
    )
}

fn route(route: &Route) -> String {
    let mut said = Vec::new();
    if route.digest {
        said.push("round reports".to_owned());
    }
    if route.incidents {
        let matcher = route.matcher.as_ref();
        let of = matcher.map_or_else(String::new, |matcher| format!(" of {matcher}"));
        let severities = severities(route.severities.as_deref());
        said.push(format!("{severities} incidents{of}"));
    }
    if said.is_empty() {
        said.push("nothing but what escalation brings".to_owned());
    }
    said.join("; ")
}

fn incidents(settings: &Settings) -> String {
    let mut groups = vec!["host".to_owned(), "dependencies".to_owned()];
    groups.extend(settings.group_by.iter().map(ToString::to_string));
    let reminders: Vec<String> = settings.reminders.iter().copied().map(length).collect();
    let reminders = if reminders.is_empty() {
        "no reminders".to_owned()
    } else {
        format!("reminders after {}", reminders.join(", "))
    };
    format!(
        "grouped by {} within {}; {reminders}",
        groups.join(", "),
        length(settings.group_window)
    )
}
