//! Docker hosts: what state their containers are in, by the interface of the Docker Engine.
//!
//! A look asks for the list of containers, for what happened since the last look, and then only about those containers
//! that are not well: two requests plus one for each of these, over one connection, however many containers there are.
//!
//! How you could get this wrong, and what catches it: an engine is old, new, or Podman, so any field may be absent
//! (recorded answers beside the code); it forgets events (`tests/it/docker_hosts/changes.rs` makes it); one container
//! that hangs must not cost the others; and commands and environments, which hold passwords, must never be read
//! (`tests/it/docker_hosts/secrets.rs` hides some).

mod answers;
mod before;
mod container;
mod look;
mod measure;
mod metrics;
mod settings;
mod status;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use self::answers::Happened;
use self::before::{Before, LastLooks, Then};
use self::container::Container;
use self::look::{List, Visit, Word, not_well};
use self::measure::{Circumstances, Known, in_words};
use self::metrics::{MISSING, OOM_KILLED, RESTART_COUNT, STATE};
use self::settings::Filter;
use super::{Collector, Home, RunContext, SettingsProblem, Variables};
use crate::clients::Clients;
use crate::clients::docker::{Deadline, DockerClients};
use crate::clients::ssh::SshSettings;
use crate::model::{Failure, Gap, KindSpec, Reading, Rule, Target, Unit};

pub use settings::{EngineTls, EngineUrl, Settings};

/// How many names a fact lists before it only counts.
const MOST_NAMES: usize = 10;

/// Looks at Docker hosts.
pub struct DockerHosts {
    docker: DockerClients,
    last_looks: LastLooks,
}

const SAMPLE: &str = r#"
- {}                                     # this machine's /var/run/docker.sock, or what DOCKER_HOST says
- name: build-server
  ssh: {host: build.example.com, username: watcher}   # the keys of vps_servers; its session is shared with them
  required: [registry, "runner-*"]       # each must have a container; as a glob
- url: tcp://docker.example.com:2376
  tls: {verify: true}                    # ca_file: secrets/ca.pem, client_cert: secrets/cert.pem, client_key: secrets/key.pem
  include: ["shop-*"]                    # only these; default: all
  exclude: ["*-test"]                    # not these
  exited_within: 24h                     # a container that failed longer ago is only listed
- name: podman
  socket: /run/podman/podman.sock
"#;

impl Collector for DockerHosts {
    const KIND: KindSpec = KindSpec {
        key: "docker_hosts",
        title: "Docker containers",
        how: "the list of containers, what happened since the last look, and one request more for each container that \
              is not well; only reads, over one connection: a local socket, TCP with TLS, or SSH. `docs/docker.md` \
              tells which permissions that takes",
        sample: SAMPLE,
        metrics: metrics::ALL,
        default_timeout: Duration::from_secs(10),
        built: true,
    };

    type Settings = Settings;

    fn new(clients: &Clients) -> Self {
        Self {
            docker: clients.docker.clone(),
            last_looks: LastLooks::default(),
        }
    }

    fn complete(settings: &mut Settings, variable: Variables<'_>) {
        settings.complete(variable);
    }

    fn host(settings: &Settings) -> Option<String> {
        settings.host()
    }

    fn home(settings: &Settings) -> Option<Home> {
        Some(Home::on(Self::host(settings)))
    }

    fn default_name(settings: &Settings) -> String {
        settings.default_name()
    }

    fn rules(_: &Settings) -> Vec<Rule> {
        metrics::rules()
    }

    fn ssh(settings: &Settings) -> Option<&SshSettings> {
        settings.ssh.as_ref()
    }

    fn check(settings: &Settings, _: Variables<'_>) -> Vec<SettingsProblem> {
        settings.check()
    }

    async fn look(
        &self,
        target: &Target,
        settings: &Settings,
        run: &RunContext,
    ) -> Result<Reading, Failure> {
        let place = settings.place();
        let filter = Filter::new(settings).map_err(|error| {
            Failure::ours(format!("a name in the settings is no glob: {error}")).hint(
                "see what `roundsman check-config` says of `include`, `exclude` and `required`",
            )
        })?;
        let mut visit = Visit {
            clients: &self.docker,
            place: &place,
            round_began: run.round_began,
            deadline: Deadline::within(run.timeout),
            engine: None,
        };
        let list = visit.list().await?;
        let now = list.date.unwrap_or_else(|| run.clock.now());
        let before = self.last_looks.get(&target.id, &place);
        let before = before.as_deref();
        let (happened, deaf) = match visit.events(before, now).await {
            Ok(happened) => (happened, None),
            Err(failure) => (Happened::default(), Some(failure)),
        };
        let exited_within = settings.exited_within();
        let mut watched: Vec<&Container> = (list.containers.iter())
            .filter(|one| filter.wants(&one.name))
            .collect();
        watched.sort_by(|one, other| one.name.cmp(&other.name));
        let chosen = not_well(&watched, &happened, before, now, exited_within);
        let words = visit.inspect(&chosen).await;
        drop(visit);

        let then = remember(&watched, &words, before);
        (self.last_looks).keep(&target.id, Before::new(place, now, then));
        let seen = Seen {
            list: &list,
            watched: &watched,
            filter: &filter,
            happened: &happened,
            words: &words,
            before,
            all: Circumstances {
                now,
                exited_within,
                last_look: before.map(|before| before.until),
            },
        };
        let mut reading = seen.reading();
        if let Some(failure) = deaf {
            reading.gaps.push(Gap {
                metric: OOM_KILLED,
                subject: None,
                unit: Unit::Flag,
                message: format!(
                    "what happened since the last look is not known: {}",
                    failure.message
                ),
                hint: failure.hint,
            });
        }
        Ok(reading)
    }
}

/// What the next look must know of this one.
fn remember(
    watched: &[&Container],
    words: &HashMap<String, Word>,
    before: Option<&Before>,
) -> HashMap<String, Then> {
    let then = watched.iter().map(|container| {
        let said = match words.get(&container.id) {
            Some(Word::Said(inspected)) => inspected.restart_count,
            _ => None,
        };
        // One that nobody asked about has not restarted since, or so little that nobody noticed.
        let known = before.and_then(|before| before.containers.get(&container.id)?.restart_count);
        let then = Then {
            ran: container.runs(),
            restart_count: said.or(known),
        };
        (container.id.clone(), then)
    });
    then.collect()
}

/// All that a look saw.
struct Seen<'a> {
    list: &'a List,
    watched: &'a [&'a Container],
    filter: &'a Filter,
    happened: &'a Happened,
    words: &'a HashMap<String, Word>,
    before: Option<&'a Before>,
    all: Circumstances,
}

impl Seen<'_> {
    fn reading(&self) -> Reading {
        let mut reading = Reading::default();
        let needed = self.required(&mut reading);
        let mut old_failures = Vec::new();
        let mut not_asked: BTreeMap<&str, usize> = BTreeMap::new();
        for container in self.watched {
            let word = self.words.get(&container.id);
            let (inspected, mute) = match word {
                Some(Word::Said(inspected)) => (Some(&**inspected), None),
                Some(Word::Mute(failure)) => (None, Some(failure.message.as_str())),
                Some(Word::NotAsked(why)) => {
                    *not_asked.entry(why).or_default() += 1;
                    (None, Some(*why))
                }
                Some(Word::Gone) | None => (None, None),
            };
            if let Some(Word::Mute(failure)) = word {
                reading.gaps.push(Gap {
                    metric: RESTART_COUNT,
                    subject: Some(container.name.clone()),
                    unit: Unit::Count,
                    message: failure.message.clone(),
                    hint: failure.hint.clone(),
                });
            }
            let then = self.before.map(|before| {
                let new = Then {
                    ran: false,
                    restart_count: Some(0),
                };
                before.containers.get(&container.id).copied().unwrap_or(new)
            });
            let tally = self.happened.tallies.get(&container.id).copied();
            let known = Known {
                container,
                inspected,
                mute,
                tally: tally.unwrap_or_default(),
                then,
                is_needed: needed.contains(&container.id.as_str()),
                all: &self.all,
            };
            known.measure(&mut reading);
            old_failures.extend(known.old_failure());
        }
        self.facts(&mut reading, &old_failures, &not_asked);
        reading
    }

    /// Says which required names no container has, and gives the ids of those that should run and of whose name none
    /// does.
    fn required(&self, reading: &mut Reading) -> Vec<&str> {
        let mut needed = Vec::new();
        for (glob, matcher) in &self.filter.required {
            let of_that_name = || {
                let all = self.list.containers.iter();
                all.filter(|container| matcher.is_match(&container.name))
            };
            if of_that_name().next().is_none() {
                reading.state(STATE, Some(glob), MISSING);
                reading.note(
                    STATE,
                    Some(glob),
                    "it is required, and no container has that name",
                );
            } else if !of_that_name().any(Container::runs) {
                needed.extend(of_that_name().map(|container| container.id.as_str()));
            }
        }
        needed
    }

    fn facts(
        &self,
        reading: &mut Reading,
        old_failures: &[String],
        not_asked: &BTreeMap<&str, usize>,
    ) {
        let list = self.list;
        if let Some(version) = &list.engine_version {
            reading.fact("engine_version", version.clone());
        }
        if let Some(version) = &list.api_version {
            reading.fact("api_version", version.clone());
        }
        if !old_failures.is_empty() {
            reading.fact("failed_earlier", shortened(old_failures));
        }
        if self.before.is_none() {
            let restarted: Vec<String> = (self.watched.iter())
                .filter_map(|container| {
                    let tally = self.happened.tallies.get(&container.id)?;
                    let ends = tally.ends.saturating_sub(tally.stops);
                    (container.runs() && ends > 0).then(|| format!("{} {ends}×", container.name))
                })
                .collect();
            if !restarted.is_empty() {
                reading.fact("restarted_in_the_last_hour", shortened(&restarted));
            }
        }
        if let Some(since) = self.happened.known_since {
            let ago = (self.all.now - since).to_std().unwrap_or_default();
            let ago = in_words(ago);
            reading.fact(
                "events",
                format!("the engine remembers the last {ago} only; health checks fill its memory"),
            );
        }
        for (why, count) in not_asked {
            reading.fact("not_inspected", format!("{count} containers: {why}"));
        }
        if list.nameless > 0 {
            reading.fact(
                "not_understood",
                format!("{} entries of the list", list.nameless),
            );
        }
    }
}

/// As many as people read.
fn shortened(names: &[String]) -> String {
    let shown = names[..names.len().min(MOST_NAMES)].join(", ");
    match names.len().saturating_sub(MOST_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
