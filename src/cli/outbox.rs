use std::collections::HashMap;

use super::arguments::{ListFormat, Outbox as Asked, OutboxCommand};
use super::exit::Exit;
use super::incident_text::{Times, event, short};
use super::orders::{Place, Words, give, may_be_old, refuse};
use super::{Session, backup, run_once};
use crate::clock::{Clock, SystemClock};
use crate::desk::Order;
use crate::model::{IncidentId, Parcel, ParcelContent, Timestamp};
use crate::render::blocks::{Block, Column, Fit, Line, Span, line};
use crate::render::escape::escaped_in_json;
use crate::render::text::text;
use crate::store::{Kept, Orders};

const WAITING_COLUMNS: &[Column] = &[
    Column::new("ID", Fit::Whole),
    Column::new("TO", Fit::Wrap),
    Column::new("ABOUT", Fit::Wrap),
    Column::new("WAITS SINCE", Fit::Wrap),
    Column::new("TRIES", Fit::Whole),
    Column::new("NEXT TRY", Fit::Whole),
    Column::new("LAST ERROR", Fit::Wrap),
];

const DEAD_COLUMNS: &[Column] = &[
    Column::new("ID", Fit::Whole),
    Column::new("TO", Fit::Wrap),
    Column::new("ABOUT", Fit::Wrap),
    Column::new("TRIES", Fit::Whole),
    Column::new("GIVEN UP", Fit::Wrap),
    Column::new("WHY", Fit::Wrap),
];

/// Shows the messages that no channel has taken, or has something done with them.
pub(super) fn run(session: &Session, asked: &Asked) -> Exit {
    let place = match Place::find(session) {
        Ok(place) => place,
        Err(exit) => return exit,
    };
    let now = SystemClock.now();
    let format = match &asked.command {
        Some(OutboxCommand::List {
            format: Some(format),
        }) => *format,
        _ => asked.format,
    };
    let is_list = matches!(asked.command, None | Some(OutboxCommand::List { .. }));
    let mut kept = match place.kept(now) {
        Ok(Some(kept)) => kept,
        Ok(None) => {
            session.terminal.complain(&place.nothing_kept());
            if !is_list {
                return Exit::Refused;
            }
            Kept::default()
        }
        Err(trouble) => return backup::refused(session, &trouble),
    };
    kept.outbox.sort_by_key(|parcel| parcel.created_at);
    match &asked.command {
        None | Some(OutboxCommand::List { .. }) => {
            let times = Times {
                zone: place.plan.monitoring.zone,
                now,
            };
            let said = match format {
                ListFormat::Text => {
                    let left = left_for_the_daemon(&place, times);
                    let mut blocks = list(&kept, left.len(), times);
                    blocks.extend(left);
                    blocks.extend(may_be_old(&place));
                    text(&blocks, run_once::style(session))
                }
                ListFormat::Json => as_json(&kept.outbox),
            };
            session.terminal.print(&place.redacted(said), Exit::Well)
        }
        Some(OutboxCommand::Retry { id: None }) if kept.outbox.is_empty() => {
            let said = "nothing waits, and nothing was given up\n";
            session.terminal.print(said, Exit::Well)
        }
        Some(OutboxCommand::Retry { id: None }) => {
            order(session, &place, &Order::Retry { message: None })
        }
        Some(OutboxCommand::Retry { id: Some(id) }) => match find(id, &kept.outbox) {
            Ok(found) => order(
                session,
                &place,
                &Order::Retry {
                    message: Some(found.id.clone()),
                },
            ),
            Err((why, hint)) => refuse(session, &place, &why, &hint),
        },
        Some(OutboxCommand::Drop { id }) => match find(id, &kept.outbox) {
            Ok(found) => order(
                session,
                &place,
                &Order::Drop {
                    message: found.id.clone(),
                },
            ),
            Err((why, hint)) => refuse(session, &place, &why, &hint),
        },
    }
}

fn order(session: &Session, place: &Place, order: &Order) -> Exit {
    let words = Words {
        hint: "`roundsman outbox` shows what waits now",
        afterwards: "",
    };
    give(session, place, order, &words)
}

/// The message whose id begins so, or why it is none, and what to do.
fn find<'a>(asked: &str, parcels: &'a [Parcel]) -> Result<&'a Parcel, (String, String)> {
    if let Some(exact) = parcels.iter().find(|parcel| parcel.id == asked) {
        return Ok(exact);
    }
    let begins = |parcel: &&Parcel| !asked.is_empty() && parcel.id.starts_with(asked);
    let found: Vec<&Parcel> = parcels.iter().filter(begins).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err((
            format!("there is no message `{asked}`"),
            "`roundsman outbox` shows them; what a channel has taken is not kept".to_owned(),
        )),
        several => {
            let ids: Vec<&str> = several.iter().map(|parcel| parcel.id.as_str()).collect();
            Err((
                format!("`{asked}` is the beginning of several messages"),
                format!("write one of {}", ids.join(", ")),
            ))
        }
    }
}

/// As they are kept.
fn as_json(parcels: &[Parcel]) -> String {
    // Every parcel has a JSON form: that is how it came.
    let json = serde_json::to_string_pretty(parcels).unwrap_or_default();
    format!("{}\n", escaped_in_json(json))
}

/// Reports of rounds at a prompt that no daemon has taken into the outbox yet.
fn left_for_the_daemon(place: &Place, times: Times) -> Vec<Block> {
    let orders = Orders::new(place.folder().to_owned()).waiting().into_iter();
    let left = orders.filter_map(|order| match serde_json::from_str(&order.wanted) {
        Ok(Order::Deliver { reporter, report }) => {
            let round = times.at(report.round.started_at);
            let said =
                format!("the round report of {round} for `{reporter}` waits for the next daemon");
            Some(Block::Paragraph(line(said)))
        }
        _ => None,
    });
    left.collect()
}

/// `left`: how many more wait outside.
fn list(kept: &Kept, left: usize, times: Times) -> Vec<Block> {
    let (dead, waiting): (Vec<&Parcel>, Vec<&Parcel>) =
        (kept.outbox.iter()).partition(|parcel| parcel.dead_at.is_some());
    let title = match (waiting.len() + left, dead.len()) {
        (0, 0) => "nothing waits, and nothing was given up".to_owned(),
        (waiting, dead) => format!("{}, {dead} given up", messages(waiting)),
    };
    let mut blocks = vec![Block::Title(vec![Span::Strong(title)])];
    let telling = Telling::new(kept);
    if !waiting.is_empty() {
        let rows = waiting.iter().map(|parcel| telling.waiting(parcel, times));
        blocks.push(Block::Table {
            columns: WAITING_COLUMNS,
            rows: rows.collect(),
        });
    }
    if !dead.is_empty() {
        blocks.push(Block::Heading("Given up".to_owned()));
        let rows = dead.iter().map(|parcel| telling.dead(parcel, times));
        blocks.push(Block::Table {
            columns: DEAD_COLUMNS,
            rows: rows.collect(),
        });
        let hint =
            "`roundsman outbox retry` tries them once more, `roundsman outbox drop ID` forgets one";
        blocks.push(Block::Paragraph(vec![Span::Faint(hint.to_owned())]));
    }
    blocks
}

fn messages(count: usize) -> String {
    match count {
        1 => "1 message waits".to_owned(),
        count => format!("{count} messages wait"),
    }
}

/// What it takes to tell of parcels.
struct Telling<'a> {
    roots: HashMap<IncidentId, &'a str>,
    rounds: HashMap<&'a str, Timestamp>,
}

impl<'a> Telling<'a> {
    fn new(kept: &'a Kept) -> Self {
        let incidents = kept.incidents.iter();
        let reports = kept.reports.iter();
        Self {
            roots: incidents
                .filter_map(|incident| Some((incident.id, incident.root()?.name.as_str())))
                .collect(),
            rounds: reports
                .map(|(id, report)| (id.as_str(), report.round.started_at))
                .collect(),
        }
    }

    fn waiting(&self, parcel: &Parcel, times: Times) -> Vec<Line> {
        let next = parcel.due_at - times.now;
        let next = if next > chrono::TimeDelta::zero() {
            format!("in {}", short(next))
        } else {
            "now".to_owned()
        };
        let [id, to, about, tries, error] = self.cells(parcel, times);
        let since = line(times.since(parcel.created_at));
        vec![id, to, about, since, tries, line(next), error]
    }

    fn dead(&self, parcel: &Parcel, times: Times) -> Vec<Line> {
        let [id, to, about, tries, error] = self.cells(parcel, times);
        let given_up = parcel
            .dead_at
            .map_or_else(Line::new, |at| line(times.and_how_long(at)));
        vec![id, to, about, tries, given_up, error]
    }

    /// What is told of every message: its id, for whom it is, about what, how often it was tried, and why in vain.
    fn cells(&self, parcel: &Parcel, times: Times) -> [Line; 5] {
        [
            line(parcel.id.clone()),
            vec![Span::Strong(parcel.reporter.clone())],
            line(self.about(&parcel.content, times)),
            line(parcel.tries.to_string()),
            line(parcel.last_error.clone().unwrap_or_default()),
        ]
    }

    fn about(&self, content: &ParcelContent, times: Times) -> String {
        match content {
            ParcelContent::Report { id } => match self.rounds.get(id.as_str()) {
                Some(at) => format!("the round report of {}", times.at(*at)),
                None => "a round report".to_owned(),
            },
            ParcelContent::Incident { id, events } => {
                let root = self.roots.get(id);
                let root = root.map_or_else(String::new, |root| format!(" ({root})"));
                let events: Vec<String> = events.iter().map(event).collect();
                format!("incident #{id}{root}: {}", events.join("; "))
            }
            ParcelContent::Incidents { of } => match of.len() {
                1 => "1 incident".to_owned(),
                count => format!("{count} incidents, told together"),
            },
            ParcelContent::Quiet { quiets, .. } => {
                format!("what was not said during {}", quiets.join(", "))
            }
            ParcelContent::Uptime { to, .. } => format!("the uptime until {}", times.at(*to)),
            ParcelContent::Note { title, .. } => title.clone(),
        }
    }
}
