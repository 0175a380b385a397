use std::cmp::Reverse;

use super::arguments::{Incidents as Asked, ListFormat};
use super::exit::Exit;
use super::incident_text::{Times, event, one_of, quiet_of, short, word};
use super::orders::{Place, may_be_old, none_where_gone, say_why};
use super::{Session, backup, run_once};
use crate::clock::{Clock, SystemClock};
use crate::incidents::Quiet;
use crate::model::{Event, Incident, Member, Status};
use crate::render::blocks::{Block, Column, Fit, Line, Span, line};
use crate::render::escape::escaped_in_json;
use crate::render::text::text;
use crate::store;

const OPEN_COLUMNS: &[Column] = &[
    Column::new("INCIDENT", Fit::Whole),
    Column::new("STATUS", Fit::Whole),
    Column::new("TARGET", Fit::Wrap),
    Column::new("PROBLEM", Fit::Wrap),
    Column::new("SINCE", Fit::Wrap),
    Column::new("MORE", Fit::Wrap),
];

const ENDED_COLUMNS: &[Column] = &[
    Column::new("INCIDENT", Fit::Whole),
    Column::new("WORST", Fit::Whole),
    Column::new("TARGET", Fit::Wrap),
    Column::new("ENDED", Fit::Wrap),
    Column::new("LASTED", Fit::Wrap),
    Column::new("MORE", Fit::Wrap),
];

const MEMBER_COLUMNS: &[Column] = &[
    Column::new("STATUS", Fit::Whole),
    Column::new("TARGET", Fit::Wrap),
    Column::new("SINCE", Fit::Wrap),
    Column::new("PROBLEM", Fit::Wrap),
    Column::new("MORE", Fit::Wrap),
];

const EVENT_COLUMNS: &[Column] = &[
    Column::new("AT", Fit::Whole),
    Column::new("EVENT", Fit::Wrap),
    Column::new("TARGET", Fit::Wrap),
    Column::new("STATUS", Fit::Whole),
    Column::new("MORE", Fit::Wrap),
];

/// Shows the incidents that are open, those that ended, or one of them in full.
pub(super) fn run(session: &Session, asked: &Asked) -> Exit {
    let place = match Place::find(session) {
        Ok(place) => place,
        Err(exit) => return exit,
    };
    let now = SystemClock.now();
    let within = match (&asked.incident, asked.all) {
        // Whoever asks for one may mean one of long ago.
        (Some(_), _) => std::time::Duration::MAX,
        (None, true) => asked.since,
        (None, false) => std::time::Duration::ZERO,
    };
    let found = none_where_gone(store::incidents(place.folder(), within, now));
    let silences = place
        .kept(now)
        .map(|kept| kept.unwrap_or_default().silences);
    let (found, silences) = match (found, silences) {
        (Ok(Some(found)), Ok(silences)) => (found, silences),
        (Ok(None), _) if asked.incident.is_none() => {
            return nothing_kept(session, &place, asked.format);
        }
        (Ok(None), _) => return place.not_without_store(session),
        (Err(trouble), _) | (_, Err(trouble)) => return backup::refused(session, &trouble),
    };
    let quiets: Vec<&dyn Quiet> = (place.plan.silences.iter().chain(&silences))
        .map(|silence| silence as &dyn Quiet)
        .chain(place.plan.windows.iter().map(|window| window as &dyn Quiet))
        .collect();
    let times = Times {
        zone: place.plan.monitoring.zone,
        now,
    };
    let found = match &asked.incident {
        None => found,
        Some(wanted) => match one_of(wanted, found) {
            Ok(one) => vec![one],
            Err((why, hint)) => {
                say_why(session, &place, &why, &hint);
                return Exit::Usage;
            }
        },
    };
    let said = if asked.format == ListFormat::Json {
        as_json(&found)
    } else {
        let mut blocks = match (&asked.incident, found.as_slice()) {
            (Some(_), [one]) => in_full(one, &quiets, times),
            _ => all(found, asked.all.then_some(asked.since), &quiets, times),
        };
        blocks.extend(may_be_old(&place));
        text(&blocks, run_once::style(session))
    };
    session.terminal.print(&place.redacted(said), Exit::Well)
}

/// There is no store: a list is empty.
fn nothing_kept(session: &Session, place: &Place, format: ListFormat) -> Exit {
    session.terminal.complain(&place.nothing_kept());
    let said = match format {
        ListFormat::Text => "no incident is known\n",
        ListFormat::Json => "[]\n",
    };
    session.terminal.print(said, Exit::Well)
}

/// As they are kept.
fn as_json(incidents: &[Incident]) -> String {
    // Every incident has a JSON form: that is how it came.
    let json = serde_json::to_string_pretty(incidents).unwrap_or_default();
    format!("{}\n", escaped_in_json(json))
}

/// The list. `ended`: within which time those ended that are shown too.
fn all(
    incidents: Vec<Incident>,
    ended: Option<std::time::Duration>,
    quiets: &[&dyn Quiet],
    times: Times,
) -> Vec<Block> {
    let (mut open, mut over): (Vec<_>, Vec<_>) = incidents.into_iter().partition(Incident::is_open);
    open.sort_by_key(|one| (Reverse(one.status()), one.opened_at));
    over.sort_by_key(|one| Reverse(one.resolved_at));
    let mut title = match open.len() {
        0 => "no incident is open".to_owned(),
        1 => "1 incident is open".to_owned(),
        count => format!("{count} incidents are open"),
    };
    if let Some(ended) = ended {
        let within = short(chrono::TimeDelta::from_std(ended).unwrap_or(chrono::TimeDelta::MAX));
        title.push_str(&format!(", {} ended in the last {within}", over.len()));
    }
    let mut blocks = vec![Block::Title(vec![Span::Strong(title)])];
    if !open.is_empty() {
        blocks.push(Block::Table {
            columns: OPEN_COLUMNS,
            rows: open
                .iter()
                .map(|one| open_row(one, quiets, times))
                .collect(),
        });
    }
    if !over.is_empty() {
        blocks.push(Block::Heading("Ended".to_owned()));
        blocks.push(Block::Table {
            columns: ENDED_COLUMNS,
            rows: over.iter().map(|one| ended_row(one, times)).collect(),
        });
    }
    blocks
}

fn open_row(incident: &Incident, quiets: &[&dyn Quiet], times: Times) -> Vec<Line> {
    let root = incident.root();
    let problem = root.map_or("", |root| &root.condition.summary);
    vec![
        line(format!("#{}", incident.id)),
        vec![Span::Status(incident.status())],
        vec![Span::Strong(root.map_or("", |root| &root.name).to_owned())],
        line(problem),
        line(times.since(incident.opened_at)),
        line(more(incident, quiets, times).join("; ")),
    ]
}

/// What else is to be known of an open incident.
fn more(incident: &Incident, quiets: &[&dyn Quiet], times: Times) -> Vec<String> {
    let mut more = Vec::new();
    let root = incident.root().map(|root| (&root.target, root.sort));
    let open = || incident.members.iter().filter(|member| member.is_open());
    let others = || open().filter(|member| Some((&member.target, member.sort)) != root);
    let below = others().filter(|member| member.under.is_some()).count();
    let beside = others().count() - below;
    if below > 0 {
        more.push(format!("{below} below it"));
    }
    if beside > 0 {
        more.push(format!("{beside} beside it"));
    }
    if open().any(|member| member.flapping) {
        more.push("flapping".to_owned());
    }
    let silenced: Vec<String> = open()
        .filter_map(|member| quiet_of(quiets, member, times.now))
        .collect();
    match (silenced.first(), open().count() - silenced.len()) {
        (Some(first), 0) => more.push(format!("silenced by {first}")),
        (Some(_), awake) => {
            let count = silenced.len() + awake;
            more.push(format!("{} of {count} silenced", silenced.len()));
        }
        (None, _) => {}
    }
    if let Some(noted) = &incident.acknowledged {
        let why = noted.why.as_ref();
        let why = why.map_or_else(String::new, |why| format!(" ({why})"));
        more.push(format!("acknowledged by {}{why}", noted.by));
    }
    if let Some(level) = incident.escalated.iter().max() {
        more.push(format!("escalated to level {}", level + 1));
    }
    if let Some(at) = incident.remind_at {
        more.push(format!("people are reminded {}", times.and_how_long(at)));
    }
    more
}

fn ended_row(incident: &Incident, times: Times) -> Vec<Line> {
    let worst = incident.members.iter().map(|member| member.worst).max();
    let ended = incident.resolved_at.unwrap_or(times.now);
    let mut more = Vec::new();
    if let Some(other) = incident.merged_into {
        more.push(format!("became part of #{other}"));
    }
    if incident.members.len() > 1 {
        more.push(format!("{} targets", incident.members.len()));
    }
    if let Some(noted) = &incident.acknowledged {
        more.push(format!("acknowledged by {}", noted.by));
    }
    vec![
        line(format!("#{}", incident.id)),
        vec![Span::Status(worst.unwrap_or(Status::Green))],
        line(incident.root().map_or("", |root| &root.name)),
        line(times.at(ended)),
        line(short(ended - incident.opened_at)),
        line(more.join("; ")),
    ]
}

/// One incident: how it is, its members, what happened, and what is to be told.
fn in_full(incident: &Incident, quiets: &[&dyn Quiet], times: Times) -> Vec<Block> {
    let mut title = vec![Span::Strong(format!("#{} ", incident.id))];
    title.push(Span::Status(incident.status()));
    if let Some(root) = incident.root() {
        title.push(Span::Strong(format!(" {}", root.name)));
        title.push(Span::Text(format!(": {}", problem_of(root))));
    }
    let mut blocks = vec![
        Block::Title(title),
        Block::List(facts(incident, quiets, times)),
    ];
    blocks.push(Block::Heading("Targets".to_owned()));
    blocks.push(Block::Table {
        columns: MEMBER_COLUMNS,
        rows: (incident.members.iter())
            .map(|member| member_row(member, quiets, times))
            .collect(),
    });
    let advice = advice(incident);
    if !advice.is_empty() {
        blocks.push(Block::Heading("What to do".to_owned()));
        blocks.push(Block::List(advice));
    }
    if !incident.events.is_empty() {
        blocks.push(Block::Heading("What happened".to_owned()));
        blocks.push(Block::Table {
            columns: EVENT_COLUMNS,
            rows: incident
                .events
                .iter()
                .map(|one| event_row(one, times))
                .collect(),
        });
    }
    if let Some(notice) = &incident.notice {
        let when = times.and_how_long(notice.due_at);
        blocks.push(Block::Heading(format!("To be told {when}")));
        blocks.push(Block::List(
            notice.events.iter().map(|one| line(event(one))).collect(),
        ));
    }
    blocks
}

fn facts(incident: &Incident, quiets: &[&dyn Quiet], times: Times) -> Vec<Line> {
    let opened = times.at(incident.opened_at);
    let mut facts = vec![match incident.resolved_at {
        None => format!("open since {}", times.since(incident.opened_at)),
        Some(end) => format!(
            "from {opened} to {}: {}",
            times.at(end),
            short(end - incident.opened_at)
        ),
    }];
    facts.push(format!("severity: {}", incident.severity));
    if let Some(other) = incident.merged_into {
        facts.push(format!("became part of #{other}"));
    }
    match (&incident.title, incident.told_at) {
        (Some(title), Some(told_at)) => {
            facts.push(format!(
                "last told {}: {title}",
                times.and_how_long(told_at)
            ));
        }
        _ => facts.push("nobody was told of it yet".to_owned()),
    }
    if incident.reminders > 0 {
        facts.push(format!("people were reminded: {}", incident.reminders));
    }
    if incident.is_open() {
        facts.extend(more(incident, quiets, times));
    }
    facts.into_iter().map(line).collect()
}

fn member_row(member: &Member, quiets: &[&dyn Quiet], times: Times) -> Vec<Line> {
    let condition = &member.condition;
    let (status, since) = match member.resolved_at {
        None => (member.status, times.since(member.since)),
        Some(end) => (Status::Green, format!("over since {}", times.at(end))),
    };
    let mut problem = vec![problem_of(member)];
    let problems = condition.problems.iter();
    let problems = problems.filter(|one| member.is_open() && **one != condition.summary);
    problem.extend(problems.cloned());
    if condition.more_problems > 0 {
        problem.push(format!("and {} more", condition.more_problems));
    }
    let mut more = Vec::new();
    if let Some(under) = &member.under {
        more.push(format!("explained by {under}"));
    }
    if member.flapping {
        let word = if member.is_open() {
            "flapping"
        } else {
            "flapped"
        };
        more.push(word.to_owned());
    } else if member.is_open() && member.status_since() > member.since {
        let since = times.since(member.status_since());
        more.push(format!("{} since {since}", member.status));
    }
    let quiet = quiet_of(quiets, member, times.now).filter(|_| member.is_open());
    if let Some(quiet) = quiet {
        more.push(format!("silenced by {quiet}"));
    }
    if !member.unsaid.is_empty() {
        let unsaid: Vec<&str> = member.unsaid.iter().map(|one| word(one.kind)).collect();
        more.push(format!("not said yet: {}", unsaid.join(", ")));
    }
    if let Some(runbook) = &member.runbook {
        more.push(runbook.clone());
    }
    vec![
        vec![Span::Status(status)],
        vec![Span::Strong(member.name.clone())],
        line(since),
        line(problem.join("; ")),
        line(more.join("; ")),
    ]
}

/// What is wrong with a target; where that is over, what it was at worst.
fn problem_of(member: &Member) -> String {
    let now = &member.condition.summary;
    match &member.worst_summary {
        _ if member.is_open() => now.clone(),
        Some(was) => format!("was {}: {was}", member.worst),
        None => format!("was {}; now {now}", member.worst),
    }
}

/// What to do, each thing once.
fn advice(incident: &Incident) -> Vec<Line> {
    let mut advice: Vec<&String> = Vec::new();
    for one in (incident.members.iter().filter(|member| member.is_open()))
        .flat_map(|member| &member.condition.advice)
    {
        if !advice.contains(&one) {
            advice.push(one);
        }
    }
    advice.into_iter().map(|one| line(one.clone())).collect()
}

fn event_row(event: &Event, times: Times) -> Vec<Line> {
    vec![
        line(times.at(event.at)),
        line(word(event.kind)),
        line(event.name.clone()),
        event
            .status
            .map_or_else(Vec::new, |status| vec![Span::Status(status)]),
        line(event.text.clone().unwrap_or_default()),
    ]
}
