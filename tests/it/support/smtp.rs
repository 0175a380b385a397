//! A mail server that others wrote, which checks what it is told and shows what it took.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::certificates::{Pair, authority};
use super::children::{Server, free_port, listening};
use super::packages::installed;

/// Who may log in.
pub(crate) const USER: &str = "roundsman";
pub(crate) const PASSWORD: &str = "canary-smtp-password";

const SCRIPT: &str = include_str!("smtp_server.py");

/// What the server does; what it refuses stands in the addresses (`smtp_server.py`).
pub(crate) struct Manner {
    /// `starttls`, `implicit` or `none`.
    pub(crate) tls: &'static str,
    /// Whether it takes mail only after a login.
    pub(crate) login_required: bool,
    /// Ways to log in that it does not offer.
    pub(crate) excluded_mechanisms: &'static [&'static str],
    /// Whether it takes addresses beyond ASCII.
    pub(crate) utf8: bool,
    /// Its certificate.
    pub(crate) certificate: Pair,
}

impl Default for Manner {
    /// STARTTLS, and a login, as most have it.
    fn default() -> Self {
        Self {
            tls: "starttls",
            login_required: true,
            excluded_mechanisms: &[],
            utf8: true,
            certificate: authority().good(),
        }
    }
}

/// A server of a test's own; it ends when this is dropped.
pub(crate) struct SmtpServer {
    pub(crate) port: u16,
    folder: PathBuf,
    _server: Server,
}

/// A mail that the server took, taken apart by Python's parser.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Mail {
    /// Of the envelope.
    pub(crate) from: String,
    /// Of the envelope.
    pub(crate) to: Vec<String>,
    /// What was said behind the sender.
    pub(crate) options: Vec<String>,
    /// Who had logged in.
    pub(crate) login: Option<String>,
    /// Whether it came over TLS.
    pub(crate) protected: bool,
    /// Decoded, in their order.
    pub(crate) headers: Vec<(String, String)>,
    /// The types of all parts.
    pub(crate) kinds: Vec<String>,
    /// The part for programs that show no HTML.
    pub(crate) text: String,
    /// The other part.
    pub(crate) html: String,
    /// As it was sent.
    pub(crate) bytes: usize,
    /// In bytes.
    pub(crate) longest_line: usize,
    /// As it was sent.
    pub(crate) is_ascii: bool,
    /// What the parser found wrong.
    pub(crate) defects: Vec<String>,
}

impl Mail {
    /// The value of a header; all its values if there are several, which is a mistake for most.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let found = self.headers.iter();
        let found = found.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let values: Vec<&str> = found.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(" AND "))
    }
}

/// Starts a server.
pub(crate) async fn smtp(manner: &Manner) -> SmtpServer {
    let port = free_port();
    let folder = tempfile::tempdir().expect("a folder").keep();
    let mails = folder.join("mails");
    std::fs::create_dir(&mails).expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let settings = json!({
        "port": port,
        "folder": mails,
        "tls": manner.tls,
        "certificate": write("certificate.pem", &manner.certificate.certificate),
        "key": write("key.pem", &manner.certificate.key),
        "user": USER,
        "password": PASSWORD,
        "login_required": manner.login_required,
        "excluded_mechanisms": manner.excluded_mechanisms,
        "utf8": manner.utf8,
    });
    let script = write("server.py", SCRIPT);
    let program = installed("python/bin/python3").display().to_string();
    let server = Server::start(&folder, &program, &[&script, &settings.to_string()]);
    listening(port, "aiosmtpd").await;
    SmtpServer {
        port,
        folder: mails,
        _server: server,
    }
}

impl SmtpServer {
    /// The mails that were taken so far, in their order.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(&self.folder)
            .expect("a folder")
            .map(|entry| entry.expect("a file").path())
            .filter(|path| path.extension().is_some_and(|end| end == "json"))
            .collect();
        paths.sort();
        paths.iter().map(|path| read(path)).collect()
    }

    /// The mails, once there are so many.
    pub(crate) async fn mails_when(&self, count: usize) -> Vec<Mail> {
        let enough = async {
            while self.mails().len() < count {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), enough).await;
        let mails = self.mails();
        assert!(waited.is_ok(), "{} of {count} mails came", mails.len());
        mails
    }
}

fn read(path: &Path) -> Mail {
    let json = std::fs::read_to_string(path).expect("a mail");
    serde_json::from_str(&json).expect("a mail")
}
