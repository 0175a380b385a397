use std::collections::BTreeMap;

use aws_lc_rs::digest;
use chrono::TimeDelta;

use super::arguments::Silence as Asked;
use super::exit::Exit;
use super::incident_text::Times;
use super::orders::{Place, Words, give, refuse, who};
use super::silences::ordered;
use super::windows::names;
use super::{Session, backup};
use crate::clock::{Clock, SystemClock};
use crate::collectors::KINDS;
use crate::config;
use crate::desk::Order;
use crate::incidents::{Matcher, Pattern, Silence};
use crate::model::Timestamp;
use crate::problem::nearest;
use crate::render::escape::plain;
use crate::store;

/// Whoever asks for more has mixed up the units, or the year.
const LONGEST: TimeDelta = TimeDelta::days(366);

/// Keeps some targets from being spoken of for a while, or ends that.
pub(super) fn run(session: &Session, asked: Asked) -> Exit {
    if let Some(id) = &asked.end {
        return end(session, id);
    }
    let place = match Place::find(session) {
        Ok(place) => place,
        Err(exit) => return exit,
    };
    let times = Times {
        zone: place.plan.monitoring.zone,
        now: SystemClock.now(),
    };
    let read = matcher(&asked).and_then(|matcher| Ok((matcher, until(&asked, times)?)));
    let (matcher, until) = match read {
        Ok(read) => read,
        Err(message) => {
            session.terminal.complain(&message);
            return Exit::Usage;
        }
    };
    let known = match known(&place) {
        Ok(Some(known)) => known,
        Ok(None) => {
            let hint = "start the daemon first, or write it under `silences:` in the configuration";
            session.terminal.complain(&place.nothing_kept_but(hint));
            return Exit::Refused;
        }
        Err(trouble) => return backup::refused(session, &trouble),
    };
    let targets: Vec<String> = (known.iter())
        .filter(|one| matcher.matches_named(&one.kind, &one.name, &one.labels))
        .map(|one| format!("{}/{}", one.kind, one.name))
        .collect();
    if targets.is_empty() && !asked.anyway {
        let why = format!("{matcher}: this is for no target that is known, so nothing was done");
        return refuse(session, &place, &why, &hint_of_names(&asked.names, &known));
    }
    let mut silence = Silence {
        id: String::new(),
        matcher,
        from: Some(times.now),
        until: Some(until),
        author: Some(who(session, asked.by)),
        comment: asked.comment,
    };
    silence.id = id_of(&silence);
    let said = format!(
        "{}: until {}\n  targets: {}\n",
        plain(&silence.matcher.to_string()),
        times.and_how_long(until),
        plain(&names(&targets))
    );
    session.terminal.print(&place.redacted(said), Exit::Well);
    let afterwards = format!("`roundsman silence --end {}` ends it\n", silence.id);
    let order = Order::Silence {
        silence: Box::new(silence),
    };
    let words = Words {
        hint: "`roundsman silences` shows what holds",
        afterwards: &afterwards,
    };
    give(session, &place, &order, &words)
}

/// Which targets are meant.
fn matcher(asked: &Asked) -> Result<Matcher, String> {
    let keys = || KINDS.iter().map(|kind| kind.spec.key);
    for kind in &asked.kind {
        let pattern: Pattern = kind.parse()?;
        if !keys().any(|key| pattern.matches(key)) {
            let hint = nearest(kind, keys()).map_or_else(
                || "`roundsman kinds` lists them".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(format!("there is no kind `{kind}`\n  hint: {hint}"));
        }
    }
    let patterns = |texts: &[String]| {
        let patterns: Result<Vec<Pattern>, String> =
            texts.iter().map(|text| text.parse()).collect();
        patterns
    };
    let mut labels: BTreeMap<String, Vec<Pattern>> = BTreeMap::new();
    for label in &asked.label {
        let Some((key, value)) = label.split_once('=') else {
            return Err(format!(
                "expected a label and its value, found `{label}`\n  hint: write `--label team=ops`; `--label team=` is \
                 all that have no such label"
            ));
        };
        labels
            .entry(key.to_owned())
            .or_default()
            .push(value.parse()?);
    }
    if asked.names.is_empty() && asked.kind.is_empty() && labels.is_empty() {
        return Err(
            "nothing says which targets are meant\n  hint: give names, `--kind` or `--label`; `'*'` is all of them"
                .to_owned(),
        );
    }
    Matcher::new(patterns(&asked.names)?, patterns(&asked.kind)?, labels)
        .map_err(|error| error.to_string())
}

/// Until when.
fn until(asked: &Asked, times: Times) -> Result<Timestamp, String> {
    let until = match (asked.length, &asked.until) {
        (Some(length), _) => TimeDelta::from_std(length)
            .ok()
            .and_then(|length| times.now.checked_add_signed(length))
            .ok_or_else(too_long)?,
        (None, Some(text)) => config::instant(text, times.zone)?,
        (None, None) => {
            return Err(
                "nothing says until when\n  hint: add `--for 2h`, or `--until '2026-12-02 06:00'`"
                    .to_owned(),
            );
        }
    };
    if until <= times.now {
        let when = times.and_how_long(until);
        return Err(format!(
            "it would be over already: {when}\n  hint: give a time that is to come"
        ));
    }
    if until - times.now > LONGEST {
        return Err(too_long());
    }
    Ok(until)
}

fn too_long() -> String {
    format!(
        "a silence of more than {} days would be forgotten\n  hint: `m` is a minute, `h` an hour, `d` a day; what shall \
         never be told of gets `enabled: false`, or an entry under `silences:` in the configuration",
        LONGEST.num_days()
    )
}

/// A target that may be meant.
struct Known {
    kind: String,
    name: String,
    labels: BTreeMap<String, String>,
}

/// The targets of the configuration, and those that the daemon found; `None`: there is no store yet.
fn known(place: &Place) -> Result<Option<Vec<Known>>, store::Trouble> {
    let Some(remembered) = store::read(place.folder())? else {
        return Ok(None);
    };
    let mut known: Vec<Known> = (place.plan.watched.iter())
        .map(|one| Known {
            kind: one.target.id.kind.to_owned(),
            name: one.target.id.name.to_string(),
            labels: one.target.common.labels.clone(),
        })
        .collect();
    let states = remembered.states.into_iter();
    let found = states.filter(|state| state.found_by.is_some());
    known.extend(found.map(|state| Known {
        kind: state.kind,
        name: state.name,
        labels: state.labels,
    }));
    Ok(Some(known))
}

fn hint_of_names(asked: &[String], known: &[Known]) -> String {
    let names = || known.iter().map(|one| one.name.as_str());
    let near = asked.iter().find_map(|name| nearest(name, names()));
    near.map_or_else(
        || {
            "names, kinds and labels must all fit, and `roundsman graph` shows the names; `--anyway` silences all the same"
                .to_owned()
        },
        |near| format!("did you mean `{near}`? `--anyway` silences all the same"),
    )
}

/// Short enough to be typed; the time in it makes it another than that of the same silence before.
fn id_of(silence: &Silence) -> String {
    let json = serde_json::to_vec(silence).unwrap_or_default();
    let hash = digest::digest(&digest::SHA256, &json);
    let hex: Vec<String> = (hash.as_ref().iter().take(4))
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("silence-{}", hex.concat())
}

/// Ends a silence that people asked for.
fn end(session: &Session, asked: &str) -> Exit {
    let place = match Place::find(session) {
        Ok(place) => place,
        Err(exit) => return exit,
    };
    let now = SystemClock.now();
    let kept = match place.kept(now) {
        Ok(Some(kept)) => kept.silences,
        Ok(None) => {
            session.terminal.complain(&place.nothing_kept());
            return Exit::Refused;
        }
        Err(trouble) => return backup::refused(session, &trouble),
    };
    let all: Vec<Silence> = kept.into_iter().chain(ordered(&place)).collect();
    let mut found: Vec<&Silence> = (all.iter()).filter(|silence| silence.id == asked).collect();
    if found.is_empty() {
        let begins = |silence: &&Silence| {
            let short = silence.id.strip_prefix("silence-").unwrap_or(&silence.id);
            !asked.is_empty() && (silence.id.starts_with(asked) || short.starts_with(asked))
        };
        found = all.iter().filter(begins).collect();
    }
    let shows = "`roundsman silences` shows them";
    match found.as_slice() {
        [one] if one.has_ended(now) => {
            let why = format!("the silence `{}` has ended already", one.id);
            refuse(session, &place, &why, shows)
        }
        [one] => {
            let order = Order::EndSilence { id: one.id.clone() };
            let words = Words {
                hint: shows,
                afterwards: "",
            };
            give(session, &place, &order, &words)
        }
        [] if !asked.is_empty()
            && place
                .plan
                .silences
                .iter()
                .any(|one| one.id.starts_with(asked)) =>
        {
            let why = format!("the silence `{asked}` stands in the configuration");
            let hint = "take it out there, and send the daemon SIGHUP";
            refuse(session, &place, &why, hint)
        }
        [] => {
            let why = format!("there is no silence `{asked}`");
            refuse(session, &place, &why, shows)
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|one| one.id.as_str()).collect();
            let why = format!("`{asked}` is the beginning of several silences");
            refuse(
                session,
                &place,
                &why,
                &format!("write one of {}", ids.join(", ")),
            )
        }
    }
}
