//! Private keys in files: checked as OpenSSH checks them, read, and decrypted.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use russh::keys::ssh_key::{Algorithm, Certificate, PublicKey};
use russh::keys::{Error, PrivateKey, decode_secret_key};
use rustix::fs::OFlags;

use crate::model::Failure;
use crate::secret::Secret;

/// A file with more than this is no key.
const MOST_BYTES: u64 = 1024 * 1024;
/// The name of PBES2, 1.2.840.113549.1.5.13 (RFC 8018 appendix A.4), as it stands in files.
const PBES2: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];

/// A private key that was read. What it holds is nobody's to print, so there is no `Debug`.
pub(in super::super) struct KeyFile {
    pub(in super::super) path: PathBuf,
    pub(in super::super) key: Arc<PrivateKey>,
    /// The certificate that lies beside it.
    pub(in super::super) certificate: Option<Certificate>,
}

/// Why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// It is not there.
    Missing,
    /// What should be a folder on the way to it is a file.
    InFile,
    /// The system does not let us read it. Owner and mode, unless a folder on the way is closed to us already.
    Closed(Option<(u32, u32)>),
    /// Others may read it: its mode.
    Open(u32),
    /// It could not be read.
    Unread(String),
    /// It is the public half.
    Public,
    /// It is no private key, or of a sort that we cannot read.
    NoKey,
    /// It is encrypted in a way that we cannot read.
    OldEncryption,
    /// It is encrypted, and there is no passphrase.
    NoPassphrase,
    /// It is encrypted, and not with this passphrase.
    WrongPassphrase,
}

/// Reads a key. Decrypting one takes long on purpose: not on a thread that others wait for.
pub(super) fn load(path: &Path, passphrase: Option<&Secret>, us: u32) -> Result<KeyFile, Problem> {
    let text = read(path, us)?;
    let key = decode(&text, passphrase)?;
    let mut beside = path.as_os_str().to_owned();
    beside.push("-cert.pub");
    // A certificate that cannot be read does not make the key worse.
    let certificate = std::fs::read_to_string(beside).ok();
    let certificate = certificate.and_then(|text| Certificate::from_openssh(text.trim()).ok());
    Ok(KeyFile {
        path: path.to_owned(),
        certificate: certificate.filter(|one| one.public_key() == key.public_key().key_data()),
        key: Arc::new(key),
    })
}

/// The public half of a key that cannot be used itself: its file may be that, or it lies beside it.
pub(super) fn public_half(path: &Path) -> Option<PublicKey> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".pub");
    let of = |path: &Path| PublicKey::from_openssh(std::fs::read_to_string(path).ok()?.trim()).ok();
    of(path).or_else(|| of(beside.as_ref()))
}

fn read(path: &Path, us: u32) -> Result<String, Problem> {
    let why = |error: &io::Error, seen: Option<(u32, u32)>| match error.kind() {
        io::ErrorKind::NotFound => Problem::Missing,
        io::ErrorKind::PermissionDenied => Problem::Closed(seen),
        io::ErrorKind::NotADirectory => Problem::InFile,
        _ => Problem::Unread(error.to_string()),
    };
    // A pipe must not hold us up.
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = opened.map_err(|error| {
        let seen = std::fs::metadata(path).ok();
        why(&error, seen.map(|one| (one.uid(), one.mode() & 0o7777)))
    })?;
    let metadata = file.metadata().map_err(|error| why(&error, None))?;
    if !metadata.is_file() {
        return Err(Problem::Unread("it is no file".to_owned()));
    }
    let mut text = String::new();
    let read = file.take(MOST_BYTES).read_to_string(&mut text);
    // It may be read by others, and is to be told for what it is.
    if is_public(&text) {
        return Err(Problem::Public);
    }
    check_mode(metadata.uid(), metadata.mode() & 0o7777, us)?;
    match read {
        Ok(_) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(Problem::NoKey),
        Err(error) => Err(Problem::Unread(error.to_string())),
    }
}

/// OpenSSH refuses a key of ours that others may read, and does not ask about one that belongs to somebody else: that
/// is how containers are given their secrets.
fn check_mode(owner: u32, mode: u32, us: u32) -> Result<(), Problem> {
    if owner == us && mode & 0o077 != 0 {
        return Err(Problem::Open(mode));
    }
    Ok(())
}

/// Whether it is the public half of a key, in any of the formats.
fn is_public(text: &str) -> bool {
    let begins = |word: &str| text.trim_start().starts_with(word);
    [
        "ssh-",
        "ecdsa-",
        "sk-",
        "---- BEGIN SSH2 PUBLIC",
        "-----BEGIN PUBLIC",
        "-----BEGIN RSA PUBLIC",
    ]
    .into_iter()
    .any(begins)
}

fn decode(text: &str, passphrase: Option<&Secret>) -> Result<PrivateKey, Problem> {
    if is_public(text) {
        return Err(Problem::Public);
    }
    let is_ppk = text.trim_start().starts_with("PuTTY-User-Key-File-");
    let is_encrypted = match decode_secret_key(text, None) {
        Ok(key) => return usable(key),
        Err(Error::KeyIsEncrypted) => true,
        Err(_) if is_ppk => !text.contains("Encryption: none"),
        Err(_) => text.contains("ENCRYPTED"),
    };
    if !is_encrypted {
        return Err(Problem::NoKey);
    }
    let Some(passphrase) = passphrase else {
        return Err(Problem::NoPassphrase);
    };
    match decode_secret_key(text, Some(passphrase.expose())) {
        Ok(key) => usable(key),
        Err(_) if text.contains("DEK-Info:") && !text.contains("DEK-Info: AES-128-CBC,") => {
            Err(Problem::OldEncryption)
        }
        Err(error) if is_unsupported(text, &error) => Err(Problem::OldEncryption),
        Err(_) => Err(Problem::WrongPassphrase),
    }
}

/// Whether the encryption is one that the library does not know. Beside its words, which are all that tells since the
/// types of its errors belong to libraries that it does not show, the file does: of PKCS#8 only PBES2 is known.
fn is_unsupported(text: &str, error: &Error) -> bool {
    let words = error.to_string().to_lowercase();
    let is_told = ["unsupported", "unknown", "are invalid"]
        .iter()
        .any(|word| words.contains(word));
    is_told || (text.contains("BEGIN ENCRYPTED PRIVATE KEY") && !is_pbes2(text))
}

fn is_pbes2(text: &str) -> bool {
    let lines = text
        .lines()
        .skip_while(|line| !line.starts_with("-----BEGIN "));
    let body: String = lines
        .skip(1)
        .take_while(|line| !line.starts_with('-'))
        .collect();
    let bytes = STANDARD.decode(body.replace(char::is_whitespace, ""));
    bytes.is_ok_and(|bytes| bytes.windows(PBES2.len()).any(|part| part == PBES2))
}

/// A key that lives in a security key cannot sign without a person beside it.
fn usable(key: PrivateKey) -> Result<PrivateKey, Problem> {
    match key.algorithm() {
        Algorithm::Ed25519 | Algorithm::Ecdsa { .. } | Algorithm::Rsa { .. } => Ok(key),
        _ => Err(Problem::NoKey),
    }
}

impl Problem {
    /// In words, with what to do.
    pub(super) fn tell(&self, path: &Path, us: u32) -> Failure {
        let file = path.display();
        let (why, hint) = match self {
            Self::Missing => (
                "it is not there".to_owned(),
                "put it there, or mount it; a relative `ssh_key_path` is taken from the folder in `VPS_SSH_KEY_PATH`"
                    .to_owned(),
            ),
            Self::InFile => (
                "what should be a folder on the way to it is a file".to_owned(),
                "`VPS_SSH_KEY_PATH` names the folder of the keys: if it names a key, name its folder there".to_owned(),
            ),
            Self::Closed(None) => (
                format!("a folder on the way to it is closed to user {us}, as whom this program runs"),
                format!("let user {us} enter its folders: `namei -l {file}` shows whose they are"),
            ),
            Self::Closed(Some((owner, mode))) if *owner == us => (
                format!("its mode {mode:04o} does not let us read it, although it is ours"),
                format!("`chmod 600 {file}`"),
            ),
            Self::Closed(Some((owner, mode))) => (
                format!(
                    "it belongs to user {owner} (mode {mode:04o}), and this program runs as user {us}"
                ),
                format!(
                    "`chown {us} {file}`; a container can also be run as its owner: `--user {owner}`"
                ),
            ),
            Self::Open(mode) => (
                format!("others may read it (mode {mode:04o}): OpenSSH would not take it either"),
                format!("`chmod 600 {file}`"),
            ),
            Self::Unread(error) => (error.clone(), "look at the file and its disk".to_owned()),
            Self::Public => (
                "it is a public key".to_owned(),
                "name the private one: the same path without `.pub`".to_owned(),
            ),
            Self::NoKey => (
                "it is no private key that we can read".to_owned(),
                format!(
                    "we read ed25519, ECDSA and RSA keys: `ssh-keygen -y -f {file}` shows whether it is one"
                ),
            ),
            Self::OldEncryption => (
                "it is encrypted in a way that we cannot read".to_owned(),
                format!("`ssh-keygen -p -f {file}` writes it anew in OpenSSH's format"),
            ),
            Self::NoPassphrase => (
                "it is encrypted, and there is no passphrase".to_owned(),
                "set `passphrase`, best from a variable or a file: `${NAME}`, `${file:path}`".to_owned(),
            ),
            Self::WrongPassphrase => (
                "the passphrase is wrong".to_owned(),
                format!("check `passphrase`: `ssh-keygen -y -f {file}` asks for it"),
            ),
        };
        Failure::ours(format!("cannot use the key `{file}`: {why}")).hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_judged_as_openssh_does() {
        for (owner, mode, us, good) in [
            (1000, 0o600, 1000, true),
            (1000, 0o400, 1000, true),
            (1000, 0o640, 1000, false),
            (1000, 0o644, 1000, false),
            (0, 0o604, 0, false),
            // A secret that a container was given.
            (0, 0o444, 1000, true),
            (1000, 0o644, 0, true),
        ] {
            assert_eq!(
                check_mode(owner, mode, us).is_ok(),
                good,
                "{owner} {mode:o} {us}"
            );
        }
    }

    #[test]
    fn a_problem_names_who_may_and_what_to_do() {
        for (problem, message, hint) in [
            (
                Problem::Closed(Some((1000, 0o600))),
                "it belongs to user 1000 (mode 0600), and this program runs as user 10001",
                "`chown 10001 /app/secrets/web`; a container can also be run as its owner: `--user 1000`",
            ),
            (
                Problem::Closed(Some((10001, 0o200))),
                "its mode 0200 does not let us read it, although it is ours",
                "`chmod 600 /app/secrets/web`",
            ),
            (
                Problem::Closed(None),
                "a folder on the way to it is closed to user 10001, as whom this program runs",
                "let user 10001 enter its folders: `namei -l /app/secrets/web` shows whose they are",
            ),
            (
                Problem::Open(0o644),
                "others may read it (mode 0644): OpenSSH would not take it either",
                "`chmod 600 /app/secrets/web`",
            ),
        ] {
            let failure = problem.tell(Path::new("/app/secrets/web"), 10001);
            assert_eq!(
                failure.message,
                format!("cannot use the key `/app/secrets/web`: {message}")
            );
            assert_eq!(failure.hint.as_deref(), Some(hint));
        }
    }

    #[test]
    fn what_is_no_private_key_is_told_apart() {
        let of = |text: &str| decode(text, None).err();
        assert_eq!(of("ssh-ed25519 AAAA me@here"), Some(Problem::Public));
        assert_eq!(of("-----BEGIN PUBLIC KEY-----\n"), Some(Problem::Public));
        assert_eq!(of(""), Some(Problem::NoKey));
        assert_eq!(of("hello"), Some(Problem::NoKey));
        assert_eq!(
            of("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"),
            Some(Problem::NoKey)
        );
    }
}
