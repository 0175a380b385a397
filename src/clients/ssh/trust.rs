//! Host keys for people to confirm: fetched without a login, and recorded in our own file.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use russh::keys::ssh_key::public::KeyData;
use russh::keys::ssh_key::{Algorithm, EcdsaCurve, HashAlg, Mpint, PublicKey};

use super::SshClients;
use super::connect::Attempt;
use super::host_keys::{ALL_TYPES, Judgement, Store, type_word};
use super::place::Place;
use super::settings::SshSettings;
use crate::model::{Failure, FailureKind};

/// A key that a server showed.
#[derive(Debug, Clone)]
pub struct HostKey {
    /// `SHA256:…`
    pub fingerprint: String,
    key: PublicKey,
    name: String,
}

impl std::fmt::Display for HostKey {
    /// As `ssh-keygen -l` has it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = type_word(&self.key.algorithm());
        let Self {
            fingerprint, name, ..
        } = self;
        write!(f, "{} {fingerprint} {name} ({kind})", bits(&self.key))
    }
}

/// What a server's keys are to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// One of them is recorded.
    Known,
    /// The pin of the configuration alone decides, and it is good.
    Pinned,
    /// Nothing is recorded about the server.
    New,
    /// Others are recorded: each as its type and fingerprint, and the file and line where it stands.
    Changed(Vec<(String, String)>),
    /// They must not be accepted; why.
    Refused(String),
}

/// The keys of a server.
#[derive(Debug, Clone)]
pub struct HostKeys {
    /// Where they were shown.
    pub place: Place,
    /// What they are to us.
    pub standing: Standing,
    /// The keys, best first; at least one.
    pub keys: Vec<HostKey>,
}

impl SshClients {
    /// Whether a key of the server is recorded, or pinned. Whether it is still the one that the server shows is not
    /// asked. Blocks.
    #[must_use]
    pub fn has_record(&self, settings: &SshSettings) -> bool {
        let shared = &self.shared;
        let lookup = (shared.files).lookup_now(
            settings,
            &settings.place(),
            &shared.around,
            shared.clock.now(),
        );
        lookup.has_record()
    }

    /// The host keys that a server shows, one connection for each type. Nobody logs in there; on hosts in between we
    /// must.
    ///
    /// # Errors
    /// It cannot be reached, or speaks no SSH.
    pub async fn host_keys(
        &self,
        settings: &SshSettings,
        timeout: Duration,
    ) -> Result<HostKeys, Failure> {
        let place = settings.place();
        let attempt = Attempt {
            shared: &self.shared,
            settings,
            round_began: Instant::now(),
            deadline: tokio::time::Instant::now() + timeout,
            timeout,
        };
        let mut shown = Vec::new();
        let mut kinds: Vec<Vec<Algorithm>> = Vec::new();
        for one in ALL_TYPES {
            match kinds.last_mut() {
                Some(same) if type_word(&same[0]) == type_word(&one) => same.push(one),
                _ => kinds.push(vec![one]),
            }
        }
        for types in kinds {
            shown.extend(attempt.show(&place, &types).await?);
        }
        if shown.is_empty() {
            return Err(Failure::new(
                FailureKind::Unexpected,
                format!("`{place}` has no host key of a type that is safe today"),
            )
            .hint("update its sshd, or make it an ed25519 key there: `ssh-keygen -A`"));
        }
        let keys = shown.iter().map(|(key, _)| HostKey {
            fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
            key: key.clone(),
            name: place.to_string(),
        });
        Ok(HostKeys {
            keys: keys.collect(),
            standing: standing(settings, &shown),
            place,
        })
    }

    /// Records keys of a server as confirmed. With `replace`, what our own file had about it goes.
    ///
    /// # Errors
    /// Our own file cannot be written.
    pub async fn record(
        &self,
        settings: &SshSettings,
        keys: &[HostKey],
        replace: bool,
    ) -> Result<Confirmed, Failure> {
        let shared = &self.shared;
        let store = Store::of(&shared.around);
        let (place, keys): (_, Vec<_>) = (
            settings.place(),
            keys.iter().map(|one| one.key.clone()).collect(),
        );
        let recording = store.record(&place, &keys, replace, Duration::MAX);
        (recording.await).map_err(|error| Failure::ours(error.to_string()).hint(error.hint()))?;
        let files = &shared.files;
        let lookup = files.lookup(settings, &place, &shared.around, shared.clock.now());
        Ok(Confirmed {
            path: store.path(),
            others: lookup.await.recorded_beside(&keys),
        })
    }
}

/// What came of recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// The file that was written.
    pub path: PathBuf,
    /// Other keys that are still recorded for the server, and accepted as well.
    pub others: Vec<OtherKey>,
}

/// A key that stands in a file of known hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherKey {
    /// Its type and fingerprint.
    pub key: String,
    /// The file.
    pub path: PathBuf,
    /// `file:line`.
    pub place: String,
}

/// What the keys of a server are to us together.
fn standing(settings: &SshSettings, shown: &[(PublicKey, Judgement)]) -> Standing {
    let mut standing = Standing::New;
    for (_, judgement) in shown {
        match judgement {
            Judgement::Known if settings.host_key.is_some() => return Standing::Pinned,
            // Another may have been revoked.
            Judgement::Known => standing = Standing::Known,
            Judgement::Revoked(at) => {
                return Standing::Refused(format!("a key that it shows is revoked by `{at}`"));
            }
            Judgement::NotPinned(pinned) => {
                standing = Standing::Refused(format!(
                    "none of its keys is the pinned one: `host_key` is {pinned}"
                ));
            }
            Judgement::Changed(recorded) if standing != Standing::Known => {
                standing = Standing::Changed(recorded.clone());
            }
            Judgement::Changed(_) | Judgement::New | Judgement::BadCertificate(_) => {}
        }
    }
    standing
}

/// How long a key is, as `ssh-keygen -l` counts.
fn bits(key: &PublicKey) -> usize {
    match key.key_data() {
        KeyData::Rsa(key) => bits_of(key.n()),
        KeyData::Ecdsa(key) => match key.curve() {
            EcdsaCurve::NistP256 => 256,
            EcdsaCurve::NistP384 => 384,
            EcdsaCurve::NistP521 => 521,
        },
        _ => 256,
    }
}

fn bits_of(number: &Mpint) -> usize {
    let bytes = number.as_positive_bytes().unwrap_or_default();
    let first = bytes
        .first()
        .map_or(0, |byte| byte.leading_zeros() as usize);
    bytes.len() * 8 - first
}
