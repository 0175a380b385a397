//! What an entry of `vps_servers` takes.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::clients::net::Port;
use crate::clients::ssh::SshSettings;
use crate::collectors::SettingsProblem;
use crate::collectors::host::choice;
use crate::document::Written;
use crate::problem::Severity;
use crate::secret::Secret;

/// A server over SSH.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(from = "Entry")]
pub struct Settings {
    /// How it is reached.
    pub ssh: SshSettings,
    /// Mount points that are not looked at, as globs.
    pub exclude_mounts: Vec<String>,
    /// How many of the busiest and the largest processes are named.
    pub top_processes: u8,
}

/// The keys as they are written: those of [`SshSettings`] stand beside our own. `flatten` would lose the places of
/// mistakes and take unknown keys; a test compares the two lists.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Name or address.
    host: String,
    /// Default 22.
    port: Option<Written<Port>>,
    /// Who logs in. Default `root`.
    username: Option<String>,
    /// The private key. A relative path is taken from the folder in `VPS_SSH_KEY_PATH`.
    ssh_key_path: Option<String>,
    /// The passphrase of the key.
    passphrase: Option<Secret>,
    /// Whether the SSH agent is asked for keys.
    agent: Option<bool>,
    /// A file of known host keys.
    known_hosts: Option<String>,
    /// The pinned host key: `SHA256:…`.
    host_key: Option<String>,
    /// Whether a host key that was never seen is accepted. Default false.
    accept_new: Option<bool>,
    /// A host to go through: `user@host:port`. Several are separated by commas, the nearest first.
    jump: Option<String>,
    /// Mount points that are not looked at, as globs in which `*` also matches `/`. A file system that is mounted in
    /// several places is shown under the shortest one that is not excluded.
    #[serde(default)]
    exclude_mounts: Vec<String>,
    /// How many of the processes that need most processor time and most memory are named, 0 to 50. Names only:
    /// arguments hold passwords.
    #[serde(default = "choice::usual_top_processes")]
    #[schemars(range(min = 0, max = 50))]
    top_processes: u8,
}

impl From<Entry> for Settings {
    fn from(entry: Entry) -> Self {
        Self {
            ssh: SshSettings {
                host: entry.host,
                port: entry.port,
                username: entry.username,
                ssh_key_path: entry.ssh_key_path,
                passphrase: entry.passphrase,
                agent: entry.agent,
                known_hosts: entry.known_hosts,
                host_key: entry.host_key,
                accept_new: entry.accept_new,
                jump: entry.jump,
            },
            exclude_mounts: entry.exclude_mounts,
            top_processes: entry.top_processes,
        }
    }
}

impl Settings {
    /// Who logs in.
    pub(super) fn username(&self) -> &str {
        self.ssh.username.as_deref().unwrap_or("root")
    }

    /// Mistakes that the types cannot catch.
    pub(super) fn check(&self) -> Vec<SettingsProblem> {
        let of_ssh = self
            .ssh
            .mistakes()
            .into_iter()
            .map(|mistake| SettingsProblem {
                key: mistake.key,
                severity: if mistake.is_error {
                    Severity::Error
                } else {
                    Severity::Warning
                },
                message: mistake.message,
                hint: Some(mistake.hint),
            });
        let own = choice::check(&self.exclude_mounts, self.top_processes);
        of_ssh.chain(own).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn properties<T: JsonSchema>() -> serde_json::Map<String, Value> {
        let schema = schemars::SchemaGenerator::default().into_root_schema_for::<T>();
        let properties = schema.get("properties").and_then(Value::as_object);
        properties.expect("properties").clone()
    }

    #[test]
    fn the_keys_of_ssh_are_all_there_with_the_same_words() {
        let mut ours = properties::<Settings>();
        for own in ["exclude_mounts", "top_processes"] {
            assert!(ours.remove(own).is_some(), "no `{own}`");
        }
        assert_eq!(ours, properties::<SshSettings>());
    }
}
