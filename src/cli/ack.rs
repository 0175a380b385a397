use super::Session;
use super::arguments::Ack;
use super::exit::Exit;
use super::incident_text::{is_name_of, is_number_of, list};
use super::orders::{Place, Words, give, refuse, who};
use crate::clock::{Clock, SystemClock};
use crate::desk::Order;
use crate::model::Incident;
use crate::store;

/// Takes note of an incident.
pub(super) fn run(session: &Session, asked: Ack) -> Exit {
    let place = match Place::find(session) {
        Ok(place) => place,
        Err(exit) => return exit,
    };
    let open = match place.kept(SystemClock.now()) {
        Ok(Some(kept)) => kept.incidents,
        Ok(None) => {
            session.terminal.complain(&place.nothing_kept());
            return Exit::Refused;
        }
        Err(trouble) => return super::backup::refused(session, &trouble),
    };
    let hint = match open.as_slice() {
        [] => "no incident is open".to_owned(),
        open => format!("open: {}", list(open)),
    };
    // A daemon that runs may know more than it has kept, and answers by itself.
    if !store::is_held(place.folder()) && !open.iter().any(|one| is_meant(&asked.incident, one)) {
        let why = format!("there is no open incident `{}`", asked.incident);
        return refuse(session, &place, &why, &hint);
    }
    let order = Order::Acknowledge {
        incident: asked.incident,
        by: who(session, asked.by),
        why: asked.why,
    };
    let words = Words {
        hint: &hint,
        afterwards: "",
    };
    give(session, &place, &order, &words)
}

fn is_meant(asked: &str, incident: &Incident) -> bool {
    let mut open = incident.members.iter().filter(|member| member.is_open());
    is_number_of(asked, incident) || open.any(|member| is_name_of(asked, member))
}
