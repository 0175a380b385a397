use chrono::{SecondsFormat, TimeDelta};
use serde_json::{Value, json};

use super::arguments::ListFormat;
use super::exit::Exit;
use super::incident_text::Times;
use super::orders::Place;
use super::windows::{moment, names, targets_of};
use super::{Session, backup};
use crate::clock::{Clock, SystemClock};
use crate::desk::{self, Order};
use crate::incidents::{Matcher, Occurrence, Silence, Window};
use crate::model::Timestamp;
use crate::render::escape::{escaped_in_json, plain};
use crate::store::Orders;

/// How long after its end a silence that people asked for is still shown.
const SHOWN_FOR: TimeDelta = TimeDelta::days(7);

/// Who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// It stands in the configuration.
    File,
    /// Somebody asked for it.
    People,
    /// Somebody asked for it, and no daemon has seen that yet.
    Order,
}

/// A silence as it is now.
struct Seen {
    silence: Silence,
    source: Source,
    /// The targets that it is for.
    targets: Vec<String>,
}

impl Seen {
    fn state(&self, now: Timestamp) -> &'static str {
        match &self.silence {
            silence if silence.has_ended(now) => "ended",
            _ if self.source == Source::Order => "waits for the daemon",
            silence if silence.is_active(now) => "active",
            _ => "to come",
        }
    }
}

/// A window that is open.
struct Open<'a> {
    window: &'a Window,
    targets: Vec<String>,
    occurrence: Occurrence,
}

/// Shows what is not spoken of, and who says so.
pub(super) fn run(session: &Session, format: ListFormat) -> Exit {
    let place = match Place::find(session) {
        Ok(place) => place,
        Err(exit) => return exit,
    };
    let now = SystemClock.now();
    let times = Times {
        zone: place.plan.monitoring.zone,
        now,
    };
    let mut silences: Vec<(Silence, Source)> = (place.plan.silences.iter())
        .map(|silence| (silence.clone(), Source::File))
        .collect();
    // What the file says holds whatever the store is like.
    let exit = match place.kept(now) {
        Ok(kept) => {
            let lately = |silence: &Silence| !silence.has_ended(now - SHOWN_FOR);
            let kept = kept.unwrap_or_default().silences;
            let kept = kept.into_iter().filter(lately);
            silences.extend(kept.map(|silence| (silence, Source::People)));
            let ordered = ordered(&place);
            silences.extend(ordered.map(|silence| (silence, Source::Order)));
            Exit::Well
        }
        Err(trouble) => backup::refused(session, &trouble),
    };
    let seen: Vec<Seen> = silences
        .into_iter()
        .map(|(silence, source)| Seen {
            targets: targets_of(&silence.matcher, &place.plan),
            silence,
            source,
        })
        .collect();
    let open: Vec<Open<'_>> = (place.plan.windows.iter())
        .filter_map(|window| {
            Some(Open {
                window,
                targets: targets_of(&window.matcher, &place.plan),
                occurrence: window.open_at(now)?,
            })
        })
        .collect();
    let said = match format {
        ListFormat::Text => as_text(&seen, &open, times),
        ListFormat::Json => as_json(&seen, &open, times),
    };
    session.terminal.print(&place.redacted(said), exit)
}

/// Silences that were ordered, and that no daemon has answered for.
pub(super) fn ordered(place: &Place) -> impl Iterator<Item = Silence> {
    let orders = Orders::new(place.folder().to_owned()).waiting();
    orders
        .into_iter()
        .filter_map(|order| match desk::read(&order.wanted) {
            Ok(Order::Silence { silence }) => Some(*silence),
            _ => None,
        })
}

fn as_text(seen: &[Seen], open: &[Open<'_>], times: Times) -> String {
    if seen.is_empty() && open.is_empty() {
        return "there are no silences, and no window is open\n  hint: `roundsman silence NAME --for 2h` makes one; \
                `roundsman windows` shows when windows open\n"
            .to_owned();
    }
    let mut order: Vec<&Seen> = seen.iter().collect();
    let rank = |one: &&Seen| match one.state(times.now) {
        "active" => 0,
        "waits for the daemon" => 1,
        "to come" => 2,
        _ => 3,
    };
    order.sort_by_key(rank);
    let silences = order.into_iter().map(|one| silence(one, times));
    let windows = open.iter().map(|one| {
        let until = moment(one.occurrence.until, one.window.zone);
        let lines = [
            format!("window {}: {}", one.window.name, one.window.matcher),
            format!("  open: until {until}"),
            format!("  targets: {}", names(&one.targets)),
        ];
        let why = one.window.comment.as_ref();
        joined(
            lines
                .into_iter()
                .chain(why.map(|why| format!("  why: {why}"))),
        )
    });
    silences.chain(windows).collect::<Vec<_>>().join("\n")
}

fn silence(seen: &Seen, times: Times) -> String {
    let silence = &seen.silence;
    let from = silence.from.filter(|from| *from > times.now);
    let from = from.map_or_else(String::new, |from| format!(" from {}", times.at(from)));
    let until = match silence.until {
        Some(until) if silence.has_ended(times.now) => format!(" {}", times.and_how_long(until)),
        Some(until) => format!("{from} until {}", times.and_how_long(until)),
        None if seen.source == Source::File => format!("{from} until it is taken out of the file"),
        None => format!("{from} until it is ended"),
    };
    let state = seen.state(times.now);
    let mut lines = vec![
        format!("{}: {}", silence.id, silence.matcher),
        format!("  {state}:{until}"),
        format!("  targets: {}", names(&seen.targets)),
    ];
    let by = match (&silence.author, seen.source) {
        (Some(author), Source::File) => Some(format!("{author}, in the configuration")),
        (None, Source::File) => Some("the configuration".to_owned()),
        (author, _) => author.clone(),
    };
    lines.extend(by.map(|by| format!("  by: {by}")));
    let why = silence.comment.as_ref();
    lines.extend(why.map(|why| format!("  why: {why}")));
    joined(lines)
}

fn joined(lines: impl IntoIterator<Item = String>) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(&plain(&line));
        text.push('\n');
    }
    text
}

fn as_json(seen: &[Seen], open: &[Open<'_>], times: Times) -> String {
    let time = |time: Timestamp| {
        let local = time.with_timezone(&times.zone);
        local.to_rfc3339_opts(SecondsFormat::Secs, false)
    };
    let matcher = |matcher: &Matcher| json!(matcher);
    let silences: Vec<Value> = (seen.iter())
        .map(|one| {
            let silence = &one.silence;
            json!({
                "id": silence.id,
                "source": match one.source {
                    Source::File => "file",
                    Source::People => "people",
                    Source::Order => "order",
                },
                "state": one.state(times.now).replace(' ', "_"),
                "match": matcher(&silence.matcher),
                "targets": one.targets,
                "from": silence.from.map(time),
                "until": silence.until.map(time),
                "author": silence.author,
                "comment": silence.comment,
            })
        })
        .collect();
    let windows: Vec<Value> = (open.iter())
        .map(|one| {
            json!({
                "name": one.window.name,
                "match": matcher(&one.window.matcher),
                "targets": one.targets,
                "from": time(one.occurrence.from),
                "until": time(one.occurrence.until),
                "comment": one.window.comment,
            })
        })
        .collect();
    let whole = json!({"silences": silences, "open_windows": windows});
    format!("{}\n", escaped_in_json(format!("{whole:#}")))
}
