//! Logging in, with keys only.

use std::sync::Arc;

use russh::client::{AuthResult, Handle};
use russh::keys::agent::AgentIdentity;
use russh::keys::ssh_encoding::Encode;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::ssh_key::{Algorithm, HashAlg, PublicKey};
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg, signature};
use russh::{AgentAuthError, MethodKind, MethodSet, SendError, Signer};

use super::handler::{Guard, Notes};
use super::host_keys::describe;
use super::identity::{Agent, Identities, KeyFile};
use super::problems;
use super::wire::Record;
use crate::model::{Failure, FailureKind};

/// `MaxAuthTries` of sshd is 6 by default, and it hangs up at the sixth.
const MOST_OFFERED: usize = 5;

/// One login.
pub(super) struct Login<'a> {
    pub(super) handle: &'a mut Handle<Guard>,
    pub(super) place: &'a str,
    pub(super) username: &'a str,
    pub(super) notes: &'a Notes,
    pub(super) record: &'a Record,
    /// What was offered so far, in words.
    pub(super) offered: Vec<String>,
    /// How many more keys there would have been.
    pub(super) left_out: usize,
    /// Why the agent gave no keys.
    pub(super) no_agent: Option<String>,
}

/// How an offer ended that did not let us in.
enum Refused {
    /// The next key may do.
    TryNext,
    /// No key will do: these methods would.
    NoKeys(MethodSet),
    /// The key was accepted, and more is wanted.
    WantsMore(MethodSet),
}

impl Login<'_> {
    /// Offers one key after the other until one is accepted.
    pub(super) async fn run(mut self, identities: &Identities) -> Result<(), Failure> {
        let mut agent_keys = Vec::new();
        let mut agent = None;
        if let Some(socket) = &identities.agent {
            match Agent::ask(socket).await {
                Ok((asked, keys)) => (agent, agent_keys) = (Some(asked), keys),
                // Other keys may do.
                Err(failure) if !identities.files.is_empty() => {
                    self.no_agent = Some(failure.message);
                }
                Err(failure) => return Err(failure),
            }
        }
        if let Some(wanted) = &identities.wanted {
            let is_other = |one: &AgentIdentity| one.public_key().key_data() != wanted.key_data();
            agent_keys.sort_by_key(is_other);
        }
        if identities.files.is_empty() && agent_keys.is_empty() {
            return Err(Failure::ours("the SSH agent has no keys")
                .hint("add one: `ssh-add FILE`; or name a key with `ssh_key_path`"));
        }
        if identities.agent_first && self.with_agent(&mut agent, &agent_keys).await? {
            return Ok(());
        }
        for file in &identities.files {
            if self.with_file(file).await? {
                return Ok(());
            }
        }
        if !identities.agent_first && self.with_agent(&mut agent, &agent_keys).await? {
            return Ok(());
        }
        Err(self.refused())
    }

    /// Whether a key in a file, or its certificate, lets us in.
    async fn with_file(&mut self, file: &KeyFile) -> Result<bool, Failure> {
        if let Some(certificate) = &file.certificate
            && self.has_room()
        {
            let public = PublicKey::new(certificate.public_key().clone(), "");
            let hash = self.hash_for(&public).await?;
            let mut signer = FileSigner(Arc::clone(&file.key));
            self.offer(format!("the certificate of {}", describe(&public)));
            let outcome = self
                .handle
                .authenticate_certificate_with(
                    self.username,
                    certificate.clone(),
                    hash,
                    &mut signer,
                )
                .await;
            let outcome = outcome.map_err(|error| self.cannot_sign(&error.to_string()))?;
            if self.is_in(outcome)? {
                return Ok(true);
            }
        }
        if !self.has_room() {
            self.left_out += 1;
            return Ok(false);
        }
        let hash = self.hash_for(file.key.public_key()).await?;
        self.offer(format!(
            "{} (`{}`)",
            describe(file.key.public_key()),
            file.path.display()
        ));
        let key = PrivateKeyWithHashAlg::new(Arc::clone(&file.key), hash);
        let outcome = self.handle.authenticate_publickey(self.username, key).await;
        let outcome = outcome.map_err(|_| self.hung_up())?;
        self.is_in(outcome)
    }

    /// Whether a key of the agent lets us in.
    async fn with_agent(
        &mut self,
        agent: &mut Option<Agent>,
        keys: &[AgentIdentity],
    ) -> Result<bool, Failure> {
        let Some(agent) = agent else {
            return Ok(false);
        };
        for (index, one) in keys.iter().enumerate() {
            if !self.has_room() {
                self.left_out += keys.len() - index;
                return Ok(false);
            }
            let public = one.public_key().into_owned();
            let hash = self.hash_for(&public).await?;
            self.offer(format!("{} (SSH agent)", describe(&public)));
            let outcome = match one {
                AgentIdentity::PublicKey { key, .. } => {
                    let key = key.clone();
                    self.handle
                        .authenticate_publickey_with(self.username, key, hash, agent)
                        .await
                }
                AgentIdentity::Certificate { certificate, .. } => {
                    let certificate = certificate.clone();
                    self.handle
                        .authenticate_certificate_with(self.username, certificate, hash, agent)
                        .await
                }
            };
            match outcome {
                Ok(outcome) => {
                    if self.is_in(outcome)? {
                        return Ok(true);
                    }
                }
                Err(AgentAuthError::Send(_)) => return Err(self.hung_up()),
                // It may be told to ask a person who is not there, and what it answers then is no answer to the next.
                Err(_) if agent.is_mute => return Ok(false),
                // The agent does not sign with this one: the next may do.
                Err(AgentAuthError::Key(_)) => {}
            }
        }
        Ok(false)
    }

    fn has_room(&self) -> bool {
        self.offered.len() < MOST_OFFERED
    }

    fn offer(&mut self, what: String) {
        self.offered.push(what);
    }

    /// The digest that an RSA key signs with: the best that the server knows, and never SHA-1.
    async fn hash_for(&self, key: &PublicKey) -> Result<Option<HashAlg>, Failure> {
        if !matches!(key.algorithm(), Algorithm::Rsa { .. }) {
            return Ok(None);
        }
        let best = self.handle.best_supported_rsa_hash().await;
        let best = best.map_err(|_| self.hung_up())?;
        Ok(Some(best.flatten().unwrap_or(HashAlg::Sha512)))
    }

    /// Whether we are in; an error where no further key can help.
    fn is_in(&self, outcome: AuthResult) -> Result<bool, Failure> {
        let refused = match outcome {
            AuthResult::Success => return Ok(true),
            // How the library tells that the connection is gone.
            AuthResult::Failure { .. } if self.handle.is_closed() => return Err(self.hung_up()),
            AuthResult::Failure {
                remaining_methods,
                partial_success: true,
            } => Refused::WantsMore(remaining_methods),
            AuthResult::Failure {
                remaining_methods, ..
            } if remaining_methods.contains(&MethodKind::PublicKey) => Refused::TryNext,
            AuthResult::Failure {
                remaining_methods, ..
            } => Refused::NoKeys(remaining_methods),
        };
        let denied = |why: String, hint: String| {
            let Self {
                place, username, ..
            } = self;
            let message = format!("`{place}` does not let `{username}` in: {why}");
            Err(Failure::new(FailureKind::Denied, message).hint(hint))
        };
        match refused {
            Refused::TryNext => Ok(false),
            Refused::WantsMore(methods) => denied(
                format!("it accepted {}, and wants {} as well", self.last(), list(&methods)),
                "we can only show a key: exempt this user from the second factor (`AuthenticationMethods` in a \
                 `Match User` block of its `sshd_config`)"
                    .to_owned(),
            ),
            Refused::NoKeys(methods) if methods.is_empty() => Ok(false),
            Refused::NoKeys(methods) => denied(
                format!("it takes no keys, only {}", list(&methods)),
                "allow keys there (`PubkeyAuthentication yes` in its `sshd_config`): we never send passwords".to_owned(),
            ),
        }
    }

    fn last(&self) -> &str {
        self.offered.last().map_or("the key", String::as_str)
    }

    /// Every key was refused.
    fn refused(&self) -> Failure {
        let Self {
            place,
            username,
            offered,
            ..
        } = self;
        let mut message = format!(
            "`{place}` refused the login of `{username}`: it did not accept {}",
            offered.join(", nor ")
        );
        let mut hint = format!(
            "add the public key to `authorized_keys` of `{username}` there, and check that the user may log in \
             (`PermitRootLogin`, `AllowUsers`) and is not locked (`passwd -S {username}`): its sshd's log says why \
             (`journalctl -u ssh`)"
        );
        if self.left_out > 0 {
            message.push_str(&format!("; {} more keys were not offered", self.left_out));
            hint.insert_str(
                0,
                "name the key with `ssh_key_path`, since servers take only a few; or ",
            );
        }
        if let Some(why) = &self.no_agent {
            message.push_str(&format!("; {why}"));
        }
        Failure::new(FailureKind::Denied, message).hint(hint)
    }

    /// The connection ended in the middle of the login.
    fn hung_up(&self) -> Failure {
        let place = self.place;
        if let Some(words) = self.notes.get().farewell {
            let words = problems::shown(&words);
            return Failure::new(
                FailureKind::Denied,
                format!(
                    "`{place}` hung up during the login of `{}`: `{words}`",
                    self.username
                ),
            )
            .hint("its sshd's log says why (`journalctl -u ssh`)");
        }
        let what = format!(
            "the connection to `{place}` ended in the login of `{}`",
            self.username
        );
        match self.record.seen().end {
            Some(end) => problems::lost(&end, &what),
            None => Failure::new(FailureKind::Unreachable, what)
                .hint("its sshd's log says why (`journalctl -u ssh`)"),
        }
    }

    fn cannot_sign(&self, error: &str) -> Failure {
        if self.handle.is_closed() {
            return self.hung_up();
        }
        Failure::ours(format!(
            "cannot sign with {}: {}",
            self.last(),
            problems::shown(error)
        ))
        .hint("`ssh-keygen -y -f` with the key file shows whether the key is whole")
    }
}

/// `password`, `keyboard-interactive`
fn list(methods: &MethodSet) -> String {
    let words = methods
        .iter()
        .map(|method| format!("`{}`", <&str>::from(method)));
    words.collect::<Vec<_>>().join(", ")
}

/// Signs with a key that was read from a file: the library signs with certificates of RSA keys by SHA-1 only.
struct FileSigner(Arc<PrivateKey>);

/// Why it could not sign.
#[derive(Debug, thiserror::Error)]
enum SignError {
    #[error(transparent)]
    Gone(#[from] SendError),
    #[error(transparent)]
    Sign(#[from] signature::Error),
    #[error(transparent)]
    Encode(#[from] russh::keys::ssh_encoding::Error),
}

impl Signer for FileSigner {
    type Error = SignError;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        hash: Option<HashAlg>,
        mut data: Vec<u8>,
    ) -> Result<Vec<u8>, SignError> {
        use signature::Signer as _;

        let signed = match self.0.key_data() {
            KeypairData::Rsa(pair) => (pair, hash).try_sign(&data)?,
            other => other.try_sign(&data)?,
        };
        let mut bytes = Vec::new();
        signed.encode(&mut bytes)?;
        bytes.encode(&mut data)?;
        Ok(data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_listed_in_their_own_words() {
        let methods = MethodSet::from(&[MethodKind::Password, MethodKind::KeyboardInteractive][..]);
        assert_eq!(list(&methods), "`password`, `keyboard-interactive`");
    }
}
