//! The SSH agent: keys that we may use and never see.

use std::path::Path;
use std::time::Duration;

use russh::keys::HashAlg;
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::{AgentAuthError, Signer};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::super::problems;
use crate::model::Failure;

/// How long an agent may take to answer. It runs on this machine; one that asks a person first cannot serve us.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection to the agent.
pub(in super::super) struct Agent {
    client: AgentClient<UnixStream>,
    /// Whether it has not answered in time.
    pub(in super::super) is_mute: bool,
}

impl Agent {
    /// Asks the agent for its keys.
    ///
    /// # Errors
    /// It cannot be asked, or does not answer.
    pub(in super::super) async fn ask(
        socket: &Path,
    ) -> Result<(Self, Vec<AgentIdentity>), Failure> {
        let asking = async {
            let mut client = AgentClient::connect_uds(socket).await?;
            let keys = client.request_identities().await?;
            Ok::<_, russh::keys::Error>((client, keys))
        };
        let why = match timeout(PATIENCE, asking).await {
            Ok(Ok((client, keys))) => {
                let is_mute = false;
                return Ok((Self { client, is_mute }, keys));
            }
            Ok(Err(error)) => problems::shown(&error.to_string()),
            Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
        };
        Err(Failure::ours(format!(
            "cannot ask the SSH agent at `{}` for keys: {why}",
            socket.display()
        ))
        .hint("check that the agent runs and that we may use its socket: `ssh-add -l`"))
    }
}

impl Signer for Agent {
    type Error = AgentAuthError;

    async fn auth_sign(
        &mut self,
        key: &AgentIdentity,
        hash: Option<HashAlg>,
        data: Vec<u8>,
    ) -> Result<Vec<u8>, AgentAuthError> {
        if let Ok(signed) = timeout(PATIENCE, self.client.sign_request(key, hash, data)).await {
            return Ok(signed?);
        }
        self.is_mute = true;
        Err(russh::keys::Error::AgentFailure.into())
    }
}
