//! Who we are: which keys are offered to a server, and in what order.

mod agent;
mod file;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use russh::keys::ssh_key::PublicKey;

use super::settings::SshSettings;
use crate::clients::Surroundings;
use crate::model::Failure;
use crate::secret::Secret;

pub(super) use self::agent::Agent;
pub(super) use self::file::KeyFile;
use self::file::Problem;

/// The keys that OpenSSH takes where it is told of none, in its order, as far as we can read them.
const DEFAULT_KEYS: [&str; 3] = ["id_rsa", "id_ecdsa", "id_ed25519"];

/// What a server is offered: certificates before their keys, files before the agent's where one was named.
pub(super) struct Identities {
    pub(super) files: Vec<Arc<KeyFile>>,
    /// The agent to ask, by its socket.
    pub(super) agent: Option<PathBuf>,
    /// Whether the agent's keys come before those of files.
    pub(super) agent_first: bool,
    /// The key of the agent that was named by its file, which cannot be used itself.
    pub(super) wanted: Option<PublicKey>,
}

/// Keys that were read, each once as long as its file does not change: decrypting one takes long on purpose, and a
/// hundred servers may take the same.
#[derive(Default)]
pub(super) struct Keys {
    read: Mutex<HashMap<(PathBuf, Option<Secret>), Slot>>,
}

type Slot = Arc<tokio::sync::Mutex<Option<(Stamp, Result<Arc<KeyFile>, Problem>)>>>;
/// Changes with the key or its certificate, and with what we may do to them.
type Stamp = [Option<(SystemTime, u64, u64, u32, u32)>; 2];

impl Keys {
    /// The keys for a server.
    ///
    /// # Errors
    /// The one that was named cannot be used, or there is none at all.
    pub(super) async fn for_server(
        &self,
        settings: &SshSettings,
        around: &Surroundings,
    ) -> Result<Identities, Failure> {
        let us = rustix::process::geteuid().as_raw();
        let mut identities = Identities {
            files: Vec::new(),
            agent: None,
            agent_first: false,
            wanted: None,
        };
        let asks_agent = settings.agent == Some(true) && around.agent_socket.is_some();
        if let Some(path) = settings.key_file() {
            match self.get(&path, settings.passphrase.as_ref(), us).await {
                Ok(key) => identities.files.push(key),
                // As OpenSSH: the agent may have its private half.
                Err(Problem::Public | Problem::NoPassphrase) if asks_agent => {
                    let reading = tokio::task::spawn_blocking(move || file::public_half(&path));
                    identities.wanted = reading.await.ok().flatten();
                }
                Err(problem) => return Err(problem.tell(&path, us)),
            }
        }
        if settings.agent == Some(true) {
            let Some(socket) = &around.agent_socket else {
                return Err(Failure::ours(
                    "cannot ask the SSH agent for keys: `SSH_AUTH_SOCK` is not set",
                )
                .hint(
                    "start the program where the agent runs, or name a key with `ssh_key_path`",
                ));
            };
            identities.agent = Some(socket.clone());
        }
        if !identities.files.is_empty() || settings.agent == Some(true) {
            return Ok(identities);
        }
        if settings.agent != Some(false) {
            identities.agent.clone_from(&around.agent_socket);
            identities.agent_first = true;
        }
        let mut unusable = None;
        for name in DEFAULT_KEYS {
            let Some(home) = &around.home else { break };
            let path = home.join(".ssh").join(name);
            match self.get(&path, settings.passphrase.as_ref(), us).await {
                Ok(key) => identities.files.push(key),
                Err(Problem::Missing) => {}
                Err(problem) => unusable = Some(problem.tell(&path, us)),
            }
        }
        if identities.files.is_empty() && identities.agent.is_none() {
            return Err(unusable.unwrap_or_else(|| {
                let agent = match settings.agent {
                    Some(false) => "the SSH agent is not to be asked",
                    _ => "no SSH agent runs (`SSH_AUTH_SOCK`)",
                };
                Failure::ours(format!(
                    "there is no key to log in with: none is named, {agent}, and there is none of our own in `~/.ssh`"
                ))
                .hint("name one with `ssh_key_path`")
            }));
        }
        Ok(identities)
    }

    async fn get(
        &self,
        path: &Path,
        passphrase: Option<&Secret>,
        us: u32,
    ) -> Result<Arc<KeyFile>, Problem> {
        let slot = {
            let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(
                read.entry((path.to_owned(), passphrase.cloned()))
                    .or_default(),
            )
        };
        // Those who want the same key wait for the one that reads it.
        let mut held = slot.lock().await;
        let (file, secret) = (path.to_owned(), passphrase.cloned());
        let known = held.as_ref().map(|(stamp, _)| *stamp);
        let loading = tokio::task::spawn_blocking(move || {
            let stamp = stamp(&file);
            let is_read = known == Some(stamp);
            (!is_read).then(|| (stamp, file::load(&file, secret.as_ref(), us).map(Arc::new)))
        });
        match loading.await {
            Ok(Some(read)) => *held = Some(read),
            Ok(None) => {}
            Err(_) => return Err(Problem::Unread("reading it failed".to_owned())),
        }
        match &*held {
            Some((_, outcome)) => outcome.clone(),
            None => Err(Problem::Missing),
        }
    }
}

fn stamp(path: &Path) -> Stamp {
    use std::os::unix::fs::MetadataExt;

    let of = |path: &Path| {
        let metadata = std::fs::metadata(path).ok()?;
        let (owner, mode) = (metadata.uid(), metadata.mode());
        Some((
            metadata.modified().ok()?,
            metadata.len(),
            metadata.ino(),
            owner,
            mode,
        ))
    };
    let mut beside = path.as_os_str().to_owned();
    beside.push("-cert.pub");
    [of(path), of(beside.as_ref())]
}
