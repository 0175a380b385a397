use schemars::JsonSchema;
use serde::Deserialize;

use crate::clients::net::{Port, host_and_port};
use crate::document::Written;
use crate::secret::Secret;

/// How a server is reached over SSH, and who we are there. Equal settings share one connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SshSettings {
    /// Name or address.
    pub host: String,
    /// Default 22.
    pub port: Option<Written<Port>>,
    /// Who logs in. Default `root`.
    pub username: Option<String>,
    /// The private key. A relative path is taken from the folder in `VPS_SSH_KEY_PATH`.
    pub ssh_key_path: Option<String>,
    /// The passphrase of the key.
    pub passphrase: Option<Secret>,
    /// Whether the SSH agent is asked for keys.
    pub agent: Option<bool>,
    /// A file of known host keys.
    pub known_hosts: Option<String>,
    /// The pinned host key: `SHA256:…`.
    pub host_key: Option<String>,
    /// Whether a host key that was never seen is accepted. Default false.
    pub accept_new: Option<bool>,
    /// A host to go through: `user@host:port`.
    pub jump: Option<String>,
}

impl SshSettings {
    /// `host`, or `host:port` where the port is not 22.
    #[must_use]
    pub fn default_name(&self) -> String {
        host_and_port(&self.host, self.port, 22)
    }
}
