//! Whether a server is who it was: what is recorded about a host, and what that says of the key it shows.
//!
//! Nothing here talks to a server. The key is judged before any credential is sent.

mod known_hosts;
mod store;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use russh::keys::PublicKeyOrCertificate;
use russh::keys::ssh_key::certificate::CertType;
use russh::keys::ssh_key::{Algorithm, Certificate, EcdsaCurve, HashAlg, PublicKey};

use self::known_hosts::{KnownHosts, Marker, Recorded, is_like};
use super::place::Place;
use super::settings::SshSettings;
use super::trust::OtherKey;
use crate::clients::Surroundings;
use crate::model::Timestamp;

pub(super) use self::store::Store;

/// A file with more than this is no file of known hosts.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// The files of known hosts, each read once as long as it does not change.
#[derive(Default)]
pub(super) struct Files {
    read: Mutex<HashMap<PathBuf, (Stamp, Arc<KnownHosts>)>>,
}

/// What tells that a file is not the one that was read: it was written, or another was put in its place.
type Stamp = (Option<SystemTime>, u64, u64);

impl Files {
    /// A file that is not there has no keys.
    fn get(&self, path: &Path) -> io::Result<Arc<KnownHosts>> {
        use std::os::unix::fs::MetadataExt;

        let metadata = match std::fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Arc::default()),
            found => found?,
        };
        if !metadata.is_file() || metadata.len() > MOST_BYTES {
            return Err(io::Error::other("it is no file of known hosts"));
        }
        let stamp = (metadata.modified().ok(), metadata.len(), metadata.ino());
        let held = || self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, file)) = held().get(path)
            && *known == stamp
        {
            return Ok(Arc::clone(file));
        }
        let text = String::from_utf8_lossy(&std::fs::read(path)?).into_owned();
        let file = Arc::new(KnownHosts::parse(path, &text));
        held().insert(path.to_owned(), (stamp, Arc::clone(&file)));
        Ok(file)
    }

    /// All that is recorded about a host. A disk that does not answer holds up nobody else.
    pub(super) async fn lookup(
        self: &Arc<Self>,
        settings: &SshSettings,
        place: &Place,
        around: &Surroundings,
        now: Timestamp,
    ) -> Lookup {
        let files = Arc::clone(self);
        let (settings, place, around) = (settings.clone(), place.clone(), around.clone());
        let nothing = Lookup::new(&settings, &place, now);
        let reading = move || files.lookup_now(&settings, &place, &around, now);
        let read = tokio::task::spawn_blocking(reading).await;
        read.unwrap_or_else(|_| Lookup {
            unread: vec!["the files of known hosts: reading them failed".to_owned()],
            ..nothing
        })
    }

    /// The same. Blocks.
    pub(super) fn lookup_now(
        &self,
        settings: &SshSettings,
        place: &Place,
        around: &Surroundings,
        now: Timestamp,
    ) -> Lookup {
        let mut lookup = Lookup::new(settings, place, now);
        if lookup.pinned.is_some() {
            return lookup;
        }
        // As `UserKnownHostsFile` of OpenSSH, a file of the target's own stands in the place of the user's.
        let own = settings.known_hosts.as_ref().map(PathBuf::from);
        let of_user = || Some(around.home.as_ref()?.join(".ssh/known_hosts"));
        let files = [
            own.or_else(of_user),
            Some(around.system_known_hosts.clone()),
            Some(Store::of(around).path()),
        ];
        let name = place.known_as();
        if let Some(path) = settings.known_hosts.as_ref().map(Path::new)
            && matches!(path.try_exists(), Ok(false))
        {
            // The others may be missing; this one was asked for.
            let unread = format!("`{}`: it is not there", path.display());
            lookup.unread.push(unread);
        }
        for path in files.into_iter().flatten() {
            match self.get(&path) {
                Ok(file) => {
                    lookup.keys.extend(file.find(&name));
                    if name != lookup.host {
                        lookup.at_usual_port.extend(file.find(&lookup.host));
                    }
                }
                Err(error) => lookup.unread.push(format!("`{}`: {error}", path.display())),
            }
        }
        lookup
    }
}

/// What is recorded about one host.
pub(super) struct Lookup {
    /// Lower case.
    host: String,
    /// The only key that is accepted, as a fingerprint.
    pinned: Option<String>,
    now: Timestamp,
    keys: Vec<Recorded>,
    /// What is recorded about the host at the usual port, where it is asked for at another: the same key is as good
    /// there, a different one says nothing.
    at_usual_port: Vec<Recorded>,
    /// Files that could not be read, and why.
    pub(super) unread: Vec<String>,
}

/// What the records say of a key that a server shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It is the host's.
    Known,
    /// Nothing is recorded about the host.
    New,
    /// Another is recorded, or several: each as its description and where it stands.
    Changed(Vec<(String, String)>),
    /// It must not be accepted; the file and line that say so.
    Revoked(String),
    /// It is not the pinned one.
    NotPinned(String),
    /// A certificate that is not good, and why; nor is its key recorded.
    BadCertificate(&'static str),
}

impl Lookup {
    fn new(settings: &SshSettings, place: &Place, now: Timestamp) -> Self {
        Self {
            host: place.host.to_lowercase(),
            pinned: settings.host_key.clone(),
            now,
            keys: Vec::new(),
            at_usual_port: Vec::new(),
            unread: Vec::new(),
        }
    }

    /// Judges what a server shows.
    pub(super) fn judge(&self, shown: &PublicKeyOrCertificate) -> Judgement {
        let key = shown.public_key();
        if let Some(pinned) = &self.pinned {
            return if key.fingerprint(HashAlg::Sha256).to_string() == *pinned {
                Judgement::Known
            } else {
                Judgement::NotPinned(pinned.clone())
            };
        }
        let is = |key: &PublicKey| {
            let key = key.key_data().clone();
            move |one: &&Recorded| *one.key.key_data() == key
        };
        let signer = shown
            .certificate()
            .map(|one| PublicKey::new(one.signature_key().clone(), ""));
        let all = || self.keys.iter().chain(&self.at_usual_port);
        let mut revoked = all().filter(|one| one.marker == Marker::Revoked);
        if let Some(one) = revoked
            .find(|one| is(&key)(one) || signer.as_ref().is_some_and(|signer| is(signer)(one)))
        {
            return Judgement::Revoked(one.place.clone());
        }
        let mut plain = all().filter(|one| one.marker == Marker::None);
        if plain.any(|one| is(&key)(&one)) {
            return Judgement::Known;
        }
        let mut bad_certificate = None;
        if let Some(certificate) = shown.certificate() {
            match self.check_certificate(certificate) {
                Ok(()) => return Judgement::Known,
                Err(why) => bad_certificate = Some(why),
            }
        }
        let recorded: Vec<_> = (self.keys.iter())
            .filter(|one| one.marker == Marker::None)
            .map(|one| (describe(&one.key), one.place.clone()))
            .collect();
        match bad_certificate {
            _ if !recorded.is_empty() => Judgement::Changed(recorded),
            Some(why) => Judgement::BadCertificate(why),
            None => Judgement::New,
        }
    }

    /// A host certificate (OpenSSH's PROTOCOL.certkeys) is good if a known authority signed it for this host and now.
    fn check_certificate(&self, certificate: &Certificate) -> Result<(), &'static str> {
        let authorities: Vec<_> = (self.authorities())
            .map(|one| one.key.fingerprint(HashAlg::Sha256))
            .collect();
        let signer = certificate.signature_key().fingerprint(HashAlg::Sha256);
        if !authorities.contains(&signer) {
            return Err("its authority is not known for this host");
        }
        let now = u64::try_from(self.now.timestamp()).unwrap_or_default();
        if now < certificate.valid_after() {
            return Err("it is not valid yet");
        }
        if now >= certificate.valid_before() {
            return Err("it has expired");
        }
        if certificate.validate_at(now, &authorities).is_err() {
            return Err("its signature is wrong");
        }
        if certificate.cert_type() != CertType::Host {
            return Err("it is a user's, not a host's");
        }
        if certificate.critical_options().iter().next().is_some() {
            return Err("it has conditions that we do not know");
        }
        let names = certificate.valid_principals();
        if !names.is_empty() && !names.iter().any(|name| is_like(name, &self.host)) {
            return Err("it is for other hosts");
        }
        Ok(())
    }

    fn authorities(&self) -> impl Iterator<Item = &Recorded> {
        let all = self.keys.iter().chain(&self.at_usual_port);
        all.filter(|one| one.marker == Marker::Authority)
    }

    /// Whether a key of the host itself is recorded, or pinned. An authority may have signed it, or not.
    pub(super) fn has_record(&self) -> bool {
        self.pinned.is_some() || self.keys.iter().any(|one| one.marker == Marker::None)
    }

    /// The keys that are recorded for the host beside these.
    pub(super) fn recorded_beside(&self, keys: &[PublicKey]) -> Vec<OtherKey> {
        let is_among = |one: &Recorded| {
            let mut all = keys.iter();
            all.any(|key| key.key_data() == one.key.key_data())
        };
        let others = (self.keys.iter()).filter(|one| one.marker == Marker::None && !is_among(one));
        let others = others.map(|one| OtherKey {
            key: describe(&one.key),
            path: one.path.clone(),
            place: one.place.clone(),
        });
        others.collect()
    }

    /// Whether certificates are to be asked for: where no authority is known, none could be accepted.
    pub(super) fn wants_certificates(&self) -> bool {
        self.pinned.is_none() && self.authorities().next().is_some()
    }

    /// The types of host keys to ask for, the recorded ones first: a server with several keys shows the first that it
    /// has, and one of another type would look like a change.
    pub(super) fn preferred(&self) -> Vec<Algorithm> {
        let recorded = |wanted: &Algorithm| {
            let mut plain = self.keys.iter().filter(|one| one.marker == Marker::None);
            plain.any(|one| is_of_type(&one.key.algorithm(), wanted))
        };
        let mut types = ALL_TYPES.to_vec();
        // Stable: the order among the recorded stays.
        types.sort_by_key(|one| !recorded(one));
        types
    }
}

/// The types of host keys that we accept, best first. `ssh-rsa` with SHA-1 is not among them, as in OpenSSH since 8.8.
pub(super) const ALL_TYPES: [Algorithm; 6] = [
    Algorithm::Ed25519,
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP256,
    },
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP384,
    },
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP521,
    },
    Algorithm::Rsa {
        hash: Some(HashAlg::Sha512),
    },
    Algorithm::Rsa {
        hash: Some(HashAlg::Sha256),
    },
];

/// Whether a key is one that signs by that algorithm: RSA keys do so with any digest.
pub(super) fn is_of_type(key: &Algorithm, wanted: &Algorithm) -> bool {
    match (key, wanted) {
        (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }) => true,
        (key, wanted) => key == wanted,
    }
}

/// The word that `ssh-keygen -l` has for a type of keys.
pub(super) fn type_word(algorithm: &Algorithm) -> String {
    match algorithm {
        Algorithm::Ed25519 => "ED25519".to_owned(),
        Algorithm::Ecdsa { .. } => "ECDSA".to_owned(),
        Algorithm::Rsa { .. } => "RSA".to_owned(),
        other => other.as_str().to_owned(),
    }
}

/// `ED25519 SHA256:…`
pub(super) fn describe(key: &PublicKey) -> String {
    let fingerprint = key.fingerprint(HashAlg::Sha256);
    format!("{} {fingerprint}", type_word(&key.algorithm()))
}
