//! Confirms host keys: fetches them, shows them, asks, and records what was accepted in our own file.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use super::Session;
use super::arguments::Trust;
use super::exit::Exit;
use super::run_once::runtime;
use crate::clients::Clients;
use crate::clients::ssh::{
    Confirmed, HostKey, HostKeys, Place, SshSettings, Standing, is_fingerprint,
};
use crate::config::Plan;
use crate::model::{Failure, Status};
use crate::render::escape::plain;

/// How long a server may take to show all its keys.
const FETCHING: Duration = Duration::from_secs(20);

/// Confirms the host keys of the servers that are named, or of all that are not confirmed yet.
pub(super) fn run(session: &Session, asked: &Trust) -> Exit {
    let is_wrong = |one: &&String| !is_fingerprint(one);
    if let Some(wrong) = asked.fingerprint.iter().find(is_wrong) {
        session.terminal.complain(&format!(
            "`{wrong}` is no fingerprint\n  hint: write it as `ssh-keygen -lf` shows it: `SHA256:` and 43 characters"
        ));
        return Exit::Usage;
    }
    let plan = match session.plan() {
        Ok(plan) => plan,
        Err(exit) => return exit,
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            session
                .terminal
                .complain(&format!("the servers cannot be asked: {error}"));
            return Exit::Software;
        }
    };
    let clients = Clients::within(&plan.surroundings);
    let servers = match servers(&plan, &asked.hosts) {
        Ok(servers) => servers,
        Err(message) => {
            session.terminal.complain(&message);
            return Exit::Usage;
        }
    };
    let is_named = !asked.hosts.is_empty();
    let mut asking = Asking {
        session,
        asked,
        clients,
        can_ask: std::io::stdin().is_terminal() && session.terminal.stdout,
        worst: Exit::Well,
    };
    let mut confirmed = 0;
    for server in &servers {
        if !is_named && !asked.replace && asking.clients.ssh.has_record(server) {
            confirmed += 1;
            continue;
        }
        runtime.block_on(asking.confirm(server));
    }
    if !is_named && confirmed == servers.len() {
        asking.say(&match confirmed {
            0 => "no target of the configuration is reached over SSH\n".to_owned(),
            count => format!("nothing to confirm: all {count} servers of the configuration have a record of their host keys; whether they still show them is checked whenever we connect\n"),
        });
    }
    runtime.shutdown_background();
    asking.worst
}

/// The servers that are meant, each once.
fn servers(plan: &Plan, hosts: &[String]) -> Result<Vec<SshSettings>, String> {
    let mut known: Vec<(String, SshSettings)> = Vec::new();
    for watched in &plan.watched {
        if let Some(settings) = (watched.kind.ssh)(&watched.target.settings) {
            // What lies on the way comes first: behind it nobody can be asked before it is confirmed.
            for hop in settings.way() {
                known.push((String::new(), hop));
            }
            known.push((watched.target.id.to_string(), settings.clone()));
        }
    }
    let mut meant: Vec<SshSettings> = Vec::new();
    let mut add = |settings: &SshSettings| {
        let is_same =
            |one: &SshSettings| one.place() == settings.place() && one.jump == settings.jump;
        if !meant.iter().any(is_same) {
            meant.push(settings.clone());
        }
    };
    if hosts.is_empty() {
        for (_, settings) in &known {
            add(settings);
        }
        return Ok(meant);
    }
    for host in hosts {
        let is_called =
            |id: &str| id == host || id.split_once('/').is_some_and(|(_, name)| name == host);
        let by_name: Vec<_> = known.iter().filter(|(id, _)| is_called(id)).collect();
        if !by_name.is_empty() {
            for (_, settings) in by_name {
                add(settings);
            }
            continue;
        }
        let without_user = host
            .rsplit_once('@')
            .map_or(host.as_str(), |(_, host)| host);
        let Some(wanted) = Place::parse(without_user) else {
            return Err(format!(
                "`{host}` is no host\n  hint: write `host`, `host:port`, `[IPv6]:port`, or the name of a target"
            ));
        };
        let mut by_place = known.iter().filter(|(_, one)| one.place() == wanted);
        match by_place.next() {
            Some((_, settings)) => add(settings),
            None => add(&SshSettings::at(&wanted)),
        }
    }
    Ok(meant)
}

struct Asking<'a> {
    session: &'a Session,
    asked: &'a Trust,
    clients: Clients,
    /// Whether a person is there to answer.
    can_ask: bool,
    worst: Exit,
}

impl Asking<'_> {
    async fn confirm(&mut self, server: &SshSettings) {
        let shown = match self.clients.ssh.host_keys(server, FETCHING).await {
            Ok(shown) => shown,
            Err(failure) => {
                let place = server.place();
                self.refuse(
                    &format!("the host keys of `{place}` cannot be fetched"),
                    &failure,
                );
                return;
            }
        };
        let HostKeys {
            place,
            standing,
            keys,
        } = &shown;
        let mut text = String::new();
        for key in keys {
            text.push_str(&format!("{}\n", plain(&key.to_string())));
        }
        self.say(&text);
        if matches!(standing, Standing::Known | Standing::Pinned) && !self.has_given(&shown) {
            return;
        }
        let replace = match standing {
            Standing::Known => {
                self.say(&format!(
                    "`{place}` is known already: nothing was changed\n"
                ));
                return;
            }
            Standing::Pinned => {
                self.say(&format!(
                    "`{place}` shows the key that `host_key` pins: nothing to record\n"
                ));
                return;
            }
            Standing::Refused(why) => {
                self.complain(
                    Exit::Worst(Status::Red),
                    &format!("`{place}` is not accepted: {why}"),
                );
                return;
            }
            Standing::New => false,
            Standing::Changed(recorded) => {
                for (key, at) in recorded {
                    self.say(&format!("recorded until now: {key} at `{at}`\n"));
                }
                if !self.asked.replace {
                    self.complain(
                        Exit::Worst(Status::Red),
                        &format!(
                            "the host key of `{place}` has changed: nothing was recorded\n  hint: somebody may stand \
                             between you and the server; if it was installed anew, compare the fingerprint there and \
                             run `roundsman trust --replace {place}`"
                        ),
                    );
                    return;
                }
                true
            }
        };
        let Some(accepted) = self.accepted(&shown) else {
            return;
        };
        match self.clients.ssh.record(server, &accepted, replace).await {
            Ok(confirmed) => {
                let path = confirmed.path.display();
                self.say(&format!("recorded for `{place}` in {path}\n"));
                if replace {
                    self.name_others(place, &confirmed);
                }
            }
            Err(failure) => self.refuse(&format!("`{place}` was not recorded"), &failure),
        }
    }

    /// Whether one of the keys has a fingerprint that was given, or none was given; else it is said.
    fn has_given(&mut self, shown: &HostKeys) -> bool {
        let HostKeys { place, keys, .. } = shown;
        let given = &self.asked.fingerprint;
        if given.is_empty() || keys.iter().any(|key| given.contains(&key.fingerprint)) {
            return true;
        }
        self.complain(
            Exit::Usage,
            &format!(
                "none of the keys of `{place}` has a fingerprint that was given: nothing was recorded\n  hint: compare \
                 them on the server: `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`"
            ),
        );
        false
    }

    /// Which of the keys are accepted: by their fingerprints, or by a person. `None`: none, and it was said why.
    fn accepted(&mut self, shown: &HostKeys) -> Option<Vec<HostKey>> {
        let HostKeys { place, keys, .. } = shown;
        if !self.asked.fingerprint.is_empty() {
            if !self.has_given(shown) {
                return None;
            }
            let has = |key: &&HostKey| self.asked.fingerprint.contains(&key.fingerprint);
            return Some(keys.iter().filter(has).cloned().collect());
        }
        let compare = "compare with what the server itself says: `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` there \
                       (or `…_ecdsa_key.pub`, `…_rsa_key.pub`)";
        if !self.can_ask {
            self.complain(
                Exit::Usage,
                &format!(
                    "nobody is here to confirm the keys of `{place}`: nothing was recorded\n  hint: {compare}, then give \
                     the right one: `roundsman trust {place} --fingerprint SHA256:…`"
                ),
            );
            return None;
        }
        self.say(&format!("{compare}\naccept them for `{place}`? [y/N] "));
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer);
        if read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
            return Some(keys.clone());
        }
        self.complain(
            Exit::Worst(Status::Unknown),
            &format!("`{place}` was not accepted: nothing was recorded"),
        );
        None
    }

    /// Keys that were recorded by others stay, and so do patterns that mean other hosts as well: they are not ours to
    /// change.
    fn name_others(&self, place: &Place, confirmed: &Confirmed) {
        for one in &confirmed.others {
            let (key, at, file) = (&one.key, &one.place, one.path.display());
            let how = if one.path == confirmed.path {
                "its line means other hosts as well, so change it by hand".to_owned()
            } else {
                format!("`ssh-keygen -R '{}' -f {file}`", place.known_as())
            };
            self.say(&format!(
                "{key} still stands at `{at}`, and is accepted as well; to forget it: {how}\n"
            ));
        }
    }

    fn say(&self, text: &str) {
        self.session.terminal.print(text, Exit::Well);
        // The question must be seen before the answer is awaited.
        std::io::stdout().flush().ok();
    }

    fn refuse(&mut self, what: &str, failure: &Failure) {
        let hint =
            (failure.hint.as_ref()).map_or_else(String::new, |hint| format!("\n  hint: {hint}"));
        self.complain(
            Exit::Worst(failure.status()),
            &format!("{what}: {}{hint}", plain(&failure.message)),
        );
    }

    fn complain(&mut self, exit: Exit, text: &str) {
        self.session.terminal.complain(text);
        if rank(exit) > rank(self.worst) {
            self.worst = exit;
        }
    }
}

/// Wrong usage before RED before UNKNOWN.
fn rank(exit: Exit) -> u8 {
    match exit {
        Exit::Well => 0,
        Exit::Worst(Status::Red) => 2,
        Exit::Worst(_) => 1,
        Exit::Refused
        | Exit::Usage
        | Exit::Software
        | Exit::Configuration
        | Exit::Unavailable
        | Exit::Signal(_) => 3,
    }
}
