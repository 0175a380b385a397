use chrono::{DateTime, SecondsFormat, TimeDelta};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::Session;
use super::arguments::ListFormat;
use super::exit::Exit;
use crate::clock::{Clock, SystemClock};
use crate::config::Plan;
use crate::incidents::{Matcher, Occurrence, Window};
use crate::model::Timestamp;

/// How many of the next times of a window are shown.
const NEXT_TIMES: usize = 5;

/// How many targets are named for people.
const MOST_NAMES: usize = 5;

/// A window as it is now.
struct Seen<'a> {
    window: &'a Window,
    /// The targets that it is for.
    targets: Vec<String>,
    open: Option<Occurrence>,
    next: Vec<Occurrence>,
}

impl<'a> Seen<'a> {
    fn new(window: &'a Window, targets: Vec<String>, now: Timestamp) -> Self {
        Self {
            window,
            targets,
            open: window.open_at(now),
            next: window.next(now, NEXT_TIMES),
        }
    }
}

/// Shows for each window what it is for, whether it is open, and when it opens next.
pub(super) fn run(session: &Session, format: ListFormat) -> Exit {
    let plan = match session.plan() {
        Ok(plan) => plan,
        Err(exit) => return exit,
    };
    let now = SystemClock.now();
    let windows = plan.windows.iter();
    let seen: Vec<Seen> = windows
        .map(|window| Seen::new(window, targets_of(&window.matcher, &plan), now))
        .collect();
    let mut said = match format {
        ListFormat::Text => as_text(&seen),
        ListFormat::Json => as_json(&seen),
    };
    plan.secrets.redact(&mut said);
    session.terminal.print(&said, Exit::Well)
}

/// The targets of the configuration that are meant.
pub(super) fn targets_of(matcher: &Matcher, plan: &Plan) -> Vec<String> {
    let targets = plan.watched.iter().map(|watched| &watched.target);
    targets
        .filter(|target| matcher.matches(&target.id, &target.common.labels))
        .map(|target| target.id.to_string())
        .collect()
}

fn as_text(seen: &[Seen]) -> String {
    if seen.is_empty() {
        return "there are no windows\n  hint: add one under `windows:`; docs/incidents.md shows how\n"
            .to_owned();
    }
    let windows = seen.iter().map(|one| {
        let window = one.window;
        let comment = window.comment.as_ref();
        let comment = comment.map_or_else(String::new, |comment| format!(": {comment}"));
        let now = match one.open {
            Some(open) => format!("open until {}", moment(open.until, window.zone)),
            None => "not open".to_owned(),
        };
        let next: Vec<String> = (one.next.iter())
            .map(|occurrence| span(*occurrence, window.zone))
            .collect();
        format!(
            "{}{comment}\n  targets: {}\n  opens: {} ({}, {}), for {}\n  now: {now}\n  next: {}\n",
            window.name,
            names(&one.targets),
            window.cron.in_words(),
            window.cron,
            window.zone,
            length(window.duration),
            next.join("\n        "),
        )
    });
    windows.collect::<Vec<_>>().join("\n")
}

/// Targets for people: not all of them where they are many.
pub(super) fn names(targets: &[String]) -> String {
    match targets {
        [] => "none that is configured".to_owned(),
        few if few.len() <= MOST_NAMES => few.join(", "),
        many => format!(
            "{}, and {} more",
            many[..MOST_NAMES].join(", "),
            many.len() - MOST_NAMES
        ),
    }
}

fn as_json(seen: &[Seen]) -> String {
    let windows: Vec<Value> = seen
        .iter()
        .map(|one| {
            let window = one.window;
            let time = |time: Timestamp| {
                let local = time.with_timezone(&window.zone);
                local.to_rfc3339_opts(SecondsFormat::Secs, false)
            };
            let occurrence =
                |one: &Occurrence| json!({"from": time(one.from), "until": time(one.until)});
            json!({
                "name": window.name,
                "comment": window.comment,
                "match": window.matcher,
                "targets": one.targets,
                "schedule": window.cron.to_string(),
                "timezone": window.zone.name(),
                "duration_seconds": window.duration.num_seconds(),
                "open": one.open.as_ref().map(occurrence),
                "next": one.next.iter().map(occurrence).collect::<Vec<_>>(),
            })
        })
        .collect();
    format!("{:#}\n", Value::Array(windows))
}

/// A length of time for people.
pub(super) fn length(length: TimeDelta) -> String {
    // humantime would make months of 30.44 days.
    let days = match length.num_days() {
        0 => None,
        1 => Some("1 day".to_owned()),
        days => Some(format!("{days} days")),
    };
    let rest = length - TimeDelta::days(length.num_days());
    let rest = rest.to_std().ok().filter(|rest| !rest.is_zero());
    let rest = rest.map(|rest| humantime::format_duration(rest).to_string());
    let parts: Vec<String> = days.into_iter().chain(rest).collect();
    parts.join(" ")
}

/// A point in time for people: `Tue 2026-12-01 02:00 +01:00`.
pub(super) fn moment(time: Timestamp, zone: Tz) -> String {
    let local = time.with_timezone(&zone);
    format!("{} {}", local.format("%a %F"), clock(&local))
}

/// From when until when: `Tue 2026-12-01 02:00 +01:00 to 04:00 +01:00`.
pub(super) fn span(occurrence: Occurrence, zone: Tz) -> String {
    let [from, until] = [occurrence.from, occurrence.until].map(|time| time.with_timezone(&zone));
    let end = if from.date_naive() == until.date_naive() {
        clock(&until)
    } else {
        moment(occurrence.until, zone)
    };
    format!("{} to {end}", moment(occurrence.from, zone))
}

fn clock(local: &DateTime<Tz>) -> String {
    let is_whole_minute = local.timestamp() % 60 == 0;
    let format = if is_whole_minute { "%R %:z" } else { "%T %:z" };
    local.format(format).to_string()
}

#[cfg(test)]
mod tests {
    use chrono_tz::Europe;

    use super::*;

    fn window(cron: &str, minutes: i64, comment: Option<&str>) -> Window {
        Window {
            name: "backups".to_owned(),
            matcher: serde_json::from_str(r#"{"kinds": "databases"}"#).unwrap(),
            cron: cron.parse().unwrap(),
            duration: TimeDelta::minutes(minutes),
            zone: Europe::Berlin,
            comment: comment.map(str::to_owned),
        }
    }

    fn targets(count: usize) -> Vec<String> {
        (1..=count)
            .map(|number| format!("databases/db-{number}"))
            .collect()
    }

    #[test]
    fn each_window_is_told_with_its_next_times_in_its_zone() {
        let nightly = window("0 2 * * *", 120, Some("nightly dump"));
        let weekly = window("30 23 * * 6", 90, None);
        let now = "2026-10-23T12:00:00Z".parse().unwrap();
        let open = "2026-10-24T22:10:00Z".parse().unwrap();
        let seen = [
            Seen::new(&nightly, targets(7), now),
            Seen::new(&weekly, targets(0), open),
        ];
        insta::assert_snapshot!(as_text(&seen), @r"
        backups: nightly dump
          targets: databases/db-1, databases/db-2, databases/db-3, databases/db-4, databases/db-5, and 2 more
          opens: at 02:00 (0 2 * * *, Europe/Berlin), for 2h
          now: not open
          next: Sat 2026-10-24 02:00 +02:00 to 04:00 +02:00
                Sun 2026-10-25 02:00 +02:00 to 03:00 +01:00
                Mon 2026-10-26 02:00 +01:00 to 04:00 +01:00
                Tue 2026-10-27 02:00 +01:00 to 04:00 +01:00
                Wed 2026-10-28 02:00 +01:00 to 04:00 +01:00

        backups
          targets: none that is configured
          opens: at 23:30, on Saturday (30 23 * * 6, Europe/Berlin), for 1h 30m
          now: open until Sun 2026-10-25 01:00 +02:00
          next: Sat 2026-10-31 23:30 +01:00 to Sun 2026-11-01 01:00 +01:00
                Sat 2026-11-07 23:30 +01:00 to Sun 2026-11-08 01:00 +01:00
                Sat 2026-11-14 23:30 +01:00 to Sun 2026-11-15 01:00 +01:00
                Sat 2026-11-21 23:30 +01:00 to Sun 2026-11-22 01:00 +01:00
                Sat 2026-11-28 23:30 +01:00 to Sun 2026-11-29 01:00 +01:00
        ");
    }

    #[test]
    fn a_length_is_told_in_days_and_less() {
        for (minutes, text) in [
            (90, "1h 30m"),
            (24 * 60, "1 day"),
            (31 * 24 * 60, "31 days"),
            (49 * 60 + 1, "2 days 1h 1m"),
        ] {
            assert_eq!(length(TimeDelta::minutes(minutes)), text);
        }
    }

    #[test]
    fn seconds_are_told_where_there_are_some() {
        let short = Occurrence {
            from: "2026-12-01T01:00:00Z".parse().unwrap(),
            until: "2026-12-01T01:01:30Z".parse().unwrap(),
        };
        assert_eq!(
            span(short, Europe::Berlin),
            "Tue 2026-12-01 02:00 +01:00 to 02:01:30 +01:00"
        );
    }

    #[test]
    fn programs_get_all_targets_and_times_with_their_offset() {
        let nightly = window("0 2 * * *", 120, Some("nightly dump"));
        let open = "2026-10-25T01:30:00Z".parse().unwrap();
        let mut seen = Seen::new(&nightly, targets(2), open);
        seen.next.truncate(1);
        let json: Value = serde_json::from_str(&as_json(&[seen])).unwrap();
        assert_eq!(
            json,
            json!([{
                "name": "backups",
                "comment": "nightly dump",
                "match": {"kinds": ["databases"]},
                "targets": ["databases/db-1", "databases/db-2"],
                "schedule": "0 2 * * *",
                "timezone": "Europe/Berlin",
                "duration_seconds": 7200,
                "open": {"from": "2026-10-25T02:00:00+02:00", "until": "2026-10-25T03:00:00+01:00"},
                "next": [{"from": "2026-10-26T02:00:00+01:00", "until": "2026-10-26T04:00:00+01:00"}],
            }])
        );
    }
}
