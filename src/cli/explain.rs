use super::arguments::{Explain as Asked, ListFormat};
use super::exit::Exit;
use super::incident_text::{Times, one_of};
use super::orders::{Place, may_be_old, none_where_gone, say_why};
use super::{Session, backup, run_once};
use crate::analysis::analyst::as_sent;
use crate::clock::{Clock, SystemClock};
use crate::model::Incident;
use crate::pipeline::about_incident;
use crate::render::escape::escaped_in_json;
use crate::render::explain::explain;
use crate::render::text::text;
use crate::store;

/// Shows what may have caused an incident, and why each candidate got its score.
pub(super) fn run(session: &Session, asked: &Asked) -> Exit {
    let place = match Place::find(session) {
        Ok(place) => place,
        Err(exit) => return exit,
    };
    let now = SystemClock.now();
    // Whoever asks for one may mean one of long ago.
    let within = match asked.incident {
        Some(_) => std::time::Duration::MAX,
        None => std::time::Duration::ZERO,
    };
    let found = match none_where_gone(store::incidents(place.folder(), within, now)) {
        Ok(Some(found)) => found,
        Ok(None) if asked.incident.is_some() => return place.not_without_store(session),
        Ok(None) => {
            session.terminal.complain(&place.nothing_kept());
            Vec::new()
        }
        Err(trouble) => return backup::refused(session, &trouble),
    };
    let found = match &asked.incident {
        Some(wanted) => one_of(wanted, found),
        None => match worst_open(found) {
            Some(worst) => Ok(worst),
            None => return nothing_open(session, asked),
        },
    };
    let incident = match found {
        Ok(incident) => incident,
        Err((why, hint)) => {
            say_why(session, &place, &why, &hint);
            return Exit::Usage;
        }
    };
    if asked.show_prompt {
        return show_prompt(session, &place, &incident);
    }
    let said = if asked.format == ListFormat::Json {
        let json = serde_json::to_string_pretty(&incident.analysis).unwrap_or_default();
        format!("{}\n", escaped_in_json(json))
    } else {
        let times = Times {
            zone: place.plan.monitoring.zone,
            now,
        };
        let mut blocks = explain(&incident, &|at| times.at(at));
        blocks.extend(may_be_old(&place));
        text(&blocks, run_once::style(session))
    };
    session.terminal.print(&place.redacted(said), Exit::Well)
}

/// Prints the question, system part first, as it would be sent.
fn show_prompt(session: &Session, place: &Place, incident: &Incident) -> Exit {
    let Some(prompt) = about_incident(incident) else {
        let why =
            "there is nothing to ask about: the incident is over, or nothing is known of its cause";
        say_why(
            session,
            place,
            why,
            "`roundsman explain` shows what is known",
        );
        return Exit::Usage;
    };
    let text = as_sent(&prompt, &place.plan.secrets);
    session
        .terminal
        .print(&format!("{}\n{text}\n", prompt.system), Exit::Well)
}

/// The one that somebody means who names none.
fn worst_open(incidents: Vec<Incident>) -> Option<Incident> {
    let open = incidents.into_iter().filter(Incident::is_open);
    open.max_by_key(|one| (one.status(), one.severity, std::cmp::Reverse(one.id)))
}

/// That is good news, and no mistake of whoever asks.
fn nothing_open(session: &Session, asked: &Asked) -> Exit {
    let said = "no incident is open: there is nothing to explain\n  `roundsman incidents --all` lists those that ended; \
                `roundsman explain 12` explains one of them";
    if asked.show_prompt {
        session.terminal.complain(said);
        return Exit::Well;
    }
    let said = match asked.format {
        ListFormat::Text => format!("{said}\n"),
        ListFormat::Json => "null\n".to_owned(),
    };
    session.terminal.print(&said, Exit::Well)
}
