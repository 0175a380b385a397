//! One look: the list, what happened since the last one, and what the engine says of those that are not well.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use http::header;
use serde::de::DeserializeOwned;

use super::answers::{Happened, Inspected, Listed, Tally};
use super::before::{Before, Then};
use super::container::Container;
use super::status::{Health, State};
use crate::clients::docker::{Answer, Deadline, DockerClients, Engine, Place};
use crate::clients::words::shortened;
use crate::model::{Failure, FailureKind, Timestamp};

/// A list of 500 containers with many labels takes 3 MB.
const MOST_LIST_BYTES: usize = 64 * 1024 * 1024;
const MOST_EVENT_BYTES: usize = 4 * 1024 * 1024;
const MOST_CONTAINER_BYTES: usize = 4 * 1024 * 1024;
/// More containers than this are not asked about in one look.
pub(super) const MOST_INSPECTED: usize = 100;
/// Which part of a look's time the engine may take over one of the smaller questions, so that one that hangs does not
/// cost the others.
const SMALL_PART: u32 = 3;
/// How far back events are asked for at the first look.
const FIRST_WINDOW: chrono::TimeDelta = chrono::TimeDelta::hours(1);

const LIST: &str = "/containers/json?all=true";
/// What a socket proxy calls the right to ask for containers, and for events.
const CONTAINERS: &str = "CONTAINERS";
const EVENTS: &str = "EVENTS";

/// What is asked, of whom, and until when.
pub(super) struct Visit<'a> {
    pub(super) clients: &'a DockerClients,
    pub(super) place: &'a Place,
    pub(super) round_began: Instant,
    pub(super) deadline: Deadline,
    /// The open connection, if there is one.
    pub(super) engine: Option<Engine>,
}

/// The list, with what its headers say.
pub(super) struct List {
    pub(super) containers: Vec<Container>,
    /// Entries that we could not make anything of.
    pub(super) nameless: usize,
    /// The engine's clock, if it shows it.
    pub(super) date: Option<Timestamp>,
    pub(super) engine_version: Option<String>,
    pub(super) api_version: Option<String>,
}

/// What the engine said of one container, or why it did not.
pub(super) enum Word {
    Said(Box<Inspected>),
    /// It is gone since the list was made.
    Gone,
    Mute(Failure),
    /// Others were more urgent, or there was no time left.
    NotAsked(&'static str),
}

impl Visit<'_> {
    /// Over the connection that is open, or a new one. One that was used before may have been closed meanwhile, which
    /// shows only when it is used again.
    async fn get(
        &mut self,
        path: &str,
        most_bytes: usize,
        deadline: Deadline,
    ) -> Result<Answer, Failure> {
        if let Some(mut engine) = self.engine.take().filter(Engine::is_open) {
            match engine.get(path, most_bytes, deadline).await {
                Err(failure) if failure.kind != FailureKind::TimedOut => {}
                outcome => return self.keep(engine, outcome),
            }
        }
        let connecting = self.clients.connect(self.place, self.round_began, deadline);
        let mut engine = connecting.await?;
        let outcome = engine.get(path, most_bytes, deadline).await;
        self.keep(engine, outcome)
    }

    /// Keeps a connection that is of use for the next request.
    fn keep(
        &mut self,
        engine: Engine,
        outcome: Result<Answer, Failure>,
    ) -> Result<Answer, Failure> {
        if outcome.as_ref().is_ok_and(|answer| !answer.cut) {
            self.engine = Some(engine);
        }
        outcome
    }

    /// All containers.
    pub(super) async fn list(&mut self) -> Result<List, Failure> {
        let place = self.place.to_string();
        let answer = self.get(LIST, MOST_LIST_BYTES, self.deadline).await?;
        let answer = answer.accepted(&place, LIST, CONTAINERS)?;
        if answer.cut {
            let message = format!(
                "the list of containers of `{place}` is larger than {MOST_LIST_BYTES} bytes"
            );
            let hint =
                "are there that many containers? `docker container prune` removes those that ended";
            return Err(Failure::new(FailureKind::Unexpected, message).hint(hint));
        }
        let listed: Vec<Listed<'_>> = serde_json::from_slice(&answer.body).map_err(|_| {
            let message = format!("`{place}` answered `GET /containers/json` with something that is no list of containers");
            Failure::new(FailureKind::Unexpected, message)
                .hint("that may be no Docker engine, or something stands before it: check the address")
        })?;
        let containers: Vec<Container> = listed.iter().filter_map(Container::read).collect();
        let text = |name: &str| {
            let value = answer.headers.get(name)?.to_str().ok()?;
            Some(shortened(value))
        };
        let date = text(header::DATE.as_str())
            .and_then(|date| chrono::DateTime::parse_from_rfc2822(&date).ok());
        Ok(List {
            nameless: listed.len() - containers.len(),
            containers,
            date: date.map(|date| date.to_utc()),
            // `Docker/20.10.24 (linux)`
            engine_version: text(header::SERVER.as_str()).map(|server| {
                server
                    .split(" (")
                    .next()
                    .unwrap_or_default()
                    .replacen('/', " ", 1)
            }),
            api_version: text("api-version"),
        })
    }

    /// What happened since the last look, up to `until`, which must not lie in the engine's future: it would wait.
    ///
    /// All events are asked for, not only those that matter here: the engine forgets old ones, and only by their
    /// number can be told that it did.
    pub(super) async fn events(
        &mut self,
        before: Option<&Before>,
        until: Timestamp,
    ) -> Result<Happened, Failure> {
        let since = before.map_or(until - FIRST_WINDOW, |before| before.until.min(until));
        let path = format!(
            "/events?since={}&until={}&stream=false",
            since.timestamp(),
            until.timestamp()
        );
        let place = self.place.to_string();
        let deadline = self.deadline.part(SMALL_PART);
        let answer = self.get(&path, MOST_EVENT_BYTES, deadline).await?;
        let answer = answer.accepted(&place, &path, EVENTS)?;
        Ok(Happened::read(&answer.body, answer.cut))
    }

    /// What the engine says of those containers that are not well, were not, or ended lately; the most urgent first.
    pub(super) async fn inspect(&mut self, chosen: &[&Container]) -> HashMap<String, Word> {
        let mut words = HashMap::new();
        for (index, container) in chosen.iter().enumerate() {
            let word = if index >= MOST_INSPECTED {
                Word::NotAsked("too many are not well to ask about each")
            } else if self.deadline.left().is_zero() {
                Word::NotAsked("there was no time left to ask")
            } else {
                self.inspect_one(container).await
            };
            words.insert(container.id.clone(), word);
        }
        words
    }

    async fn inspect_one(&mut self, container: &Container) -> Word {
        if !container
            .id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric())
        {
            return Word::NotAsked("its id is none");
        }
        let path = format!("/containers/{}/json", container.id);
        let place = self.place.to_string();
        let deadline = self.deadline.part(SMALL_PART);
        let answer = match self.get(&path, MOST_CONTAINER_BYTES, deadline).await {
            Ok(answer) if answer.status == http::StatusCode::NOT_FOUND => return Word::Gone,
            Ok(answer) => answer.accepted(&place, &path, CONTAINERS),
            Err(failure) => Err(failure),
        };
        match answer {
            Ok(answer) => read(&answer.body, container, &place),
            Err(failure) => Word::Mute(failure),
        }
    }
}

fn read(body: &[u8], container: &Container, place: &str) -> Word {
    fn whole<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
        serde_json::from_slice(body).ok()
    }
    match whole::<Inspected>(body) {
        Some(inspected) => Word::Said(Box::new(inspected)),
        None => Word::Mute(
            Failure::new(
                FailureKind::Unexpected,
                format!(
                    "what `{place}` says of the container `{}` cannot be read",
                    container.name
                ),
            )
            .hint("please report it, with the engine's version"),
        ),
    }
}

/// Those to ask about, the most urgent first.
pub(super) fn not_well<'a>(
    containers: &[&'a Container],
    happened: &Happened,
    before: Option<&Before>,
    now: Timestamp,
    exited_within: Duration,
) -> Vec<&'a Container> {
    let since = before.and_then(|before| (now - before.until).to_std().ok());
    let mut chosen: Vec<(u8, Reverse<bool>, Duration, &'a Container)> = Vec::new();
    for container in containers {
        let Tally { ends, stops, kills } = happened
            .tallies
            .get(&container.id)
            .copied()
            .unwrap_or_default();
        let then = before.and_then(|before| before.containers.get(&container.id));
        let restarted = since
            .zip(then)
            .is_some_and(|(since, then): (Duration, &Then)| {
                container.may_have_restarted(since, *then)
            });
        let is_bad = (container.runs() && container.health == Some(Health::Unhealthy))
            || container.is(State::Restarting)
            || container.is(State::Dead)
            || kills > 0;
        let failed = container.may_have_failed(exited_within);
        let urgency = match () {
            () if is_bad => 0,
            () if failed => 1,
            () if (ends > stops && container.runs())
                || restarted
                || container.health == Some(Health::Starting) =>
            {
                2
            }
            () => continue,
        };
        let age = container.line.age.map_or(Duration::ZERO, |age| age.least);
        chosen.push((urgency, Reverse(container.runs()), age, container));
    }
    chosen.sort_by_key(|(urgency, runs, age, _)| (*urgency, *runs, *age));
    chosen
        .into_iter()
        .map(|(.., container)| container)
        .collect()
}
