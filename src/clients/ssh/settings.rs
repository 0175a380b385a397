use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::place::{Hop, Place, USUAL_PORT};
use crate::clients::net::{Port, host_and_port};
use crate::document::{Written, shown, shown_name};
use crate::secret::Secret;

/// The variable with the folder that relative key paths are taken from (product specification §1).
const KEY_FOLDER: &str = "VPS_SSH_KEY_PATH";

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
    /// A host to go through: `user@host:port`. Several are separated by commas, the nearest first.
    pub jump: Option<String>,
}

/// A mistake in the settings that their types cannot catch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The key it is about.
    pub key: &'static str,
    /// Whether the server cannot be watched like that at all.
    pub is_error: bool,
    /// What is wrong. No secret.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl SshSettings {
    /// `host`, or `host:port` where the port is not 22.
    #[must_use]
    pub fn default_name(&self) -> String {
        host_and_port(&self.host, self.port, 22)
    }

    /// Fills in what the environment gives: relative key paths are taken from the folder in `VPS_SSH_KEY_PATH`, and
    /// `~/` is the home directory.
    pub fn complete(&mut self, variable: &dyn Fn(&str) -> Option<String>) {
        let at_home = |path: &mut Option<String>| {
            if let Some(rest) = path.as_deref().and_then(|path| path.strip_prefix("~/"))
                && let Some(home) = variable("HOME").filter(|home| !home.is_empty())
            {
                *path = Some(format!("{}/{rest}", home.trim_end_matches('/')));
            }
        };
        at_home(&mut self.ssh_key_path);
        at_home(&mut self.known_hosts);
        if let Some(path) = &self.ssh_key_path
            && !path.is_empty()
            && !path.starts_with("~/")
            && let Some(folder) = variable(KEY_FOLDER).filter(|folder| !folder.is_empty())
        {
            let path = Path::new(&folder).join(path);
            self.ssh_key_path = Some(path.display().to_string());
        }
    }

    /// What is wrong with the settings, once they are complete.
    #[must_use]
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut mistakes = Vec::new();
        if let Some(path) = self.ssh_key_path.as_ref().filter(|path| !path.is_empty()) {
            mistakes.extend(key_mistake(path));
        }
        if let Some(path) = &self.known_hosts
            && let Err(error) = can_read(path)
        {
            mistakes.push(Mistake {
                key: "known_hosts",
                is_error: false,
                message: format!("the known hosts in {} cannot be read: {error}", shown_name(path)),
                hint: "put the file there and let this user read it, or leave `known_hosts` away: then the user's own \
                       is read"
                    .to_owned(),
            });
        }
        if let Some(pinned) = &self.host_key
            && !is_fingerprint(pinned)
        {
            mistakes.push(Mistake {
                key: "host_key",
                is_error: true,
                message: format!("{} is no fingerprint of a host key", shown(pinned)),
                hint: "write it as `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` shows it on the server: \
                       `SHA256:` and 43 characters"
                    .to_owned(),
            });
        }
        if let Err(part) = self.hops() {
            mistakes.push(Mistake {
                key: "jump",
                is_error: true,
                message: format!("{} is no host to go through", shown(&part)),
                hint: "write `user@host:port`; user and port may be left out, an IPv6 address before a port stands \
                       in brackets, and several hosts are separated by commas"
                    .to_owned(),
            });
        }
        for (key, value) in [
            ("host", Some(&self.host)),
            ("username", self.username.as_ref()),
            ("ssh_key_path", self.ssh_key_path.as_ref()),
        ] {
            if value.is_some_and(|value| value.trim().is_empty()) {
                mistakes.push(Mistake {
                    key,
                    is_error: true,
                    message: format!("`{key}` is empty"),
                    hint: match key {
                        "host" => "write the name or the address of the server".to_owned(),
                        _ => "leave it away, or write it out: a variable in it may be empty"
                            .to_owned(),
                    },
                });
            }
        }
        let host = self.host.trim();
        let is_host = Place::parse(host).is_some_and(|place| place == Place::new(host, USUAL_PORT));
        if !host.is_empty() && !is_host {
            mistakes.push(Mistake {
                key: "host",
                is_error: true,
                message: format!("{} is no name or address of a server", shown(host)),
                hint: "write the name or the address alone: who logs in belongs to `username`, and the port to `port`"
                    .to_owned(),
            });
        }
        mistakes
    }

    /// A server of which nothing is known but where it is.
    #[must_use]
    pub fn at(place: &Place) -> Self {
        Self {
            host: place.host.clone(),
            port: Some(Written(Port(place.port))),
            username: None,
            ssh_key_path: None,
            passphrase: None,
            agent: None,
            known_hosts: None,
            host_key: None,
            accept_new: None,
            jump: None,
        }
    }

    /// Where it is.
    #[must_use]
    pub fn place(&self) -> Place {
        let port = self.port.map_or(USUAL_PORT, |Written(port)| port.0);
        Place::new(self.host.trim(), port)
    }

    /// The same with all that is usual written out: whoever means the same server in the same way shares a connection.
    pub(super) fn written_out(&self) -> Self {
        let place = self.place();
        let clean = |path: &Option<String>| {
            let path = path.as_ref()?;
            let clean = std::path::absolute(path).ok();
            Some(clean.map_or_else(|| path.clone(), |clean| clean.display().to_string()))
        };
        let jump = self.hops().ok().filter(|hops| !hops.is_empty());
        let jump = jump.map(|hops| {
            let written_out = hops.into_iter().map(|hop| {
                let username = hop.username.unwrap_or_else(|| self.username().to_owned());
                format!("{username}@{}", hop.place.with_port().to_lowercase())
            });
            written_out.collect::<Vec<_>>().join(",")
        });
        Self {
            host: place.host.to_lowercase(),
            port: Some(Written(Port(place.port))),
            username: Some(self.username().to_owned()),
            ssh_key_path: clean(&self.ssh_key_path),
            known_hosts: clean(&self.known_hosts),
            // Without a key, nothing said is a third way: first the agent, then keys of our own.
            agent: (self.agent).or(self.ssh_key_path.is_some().then_some(false)),
            accept_new: Some(self.accept_new == Some(true)),
            jump: jump.or_else(|| self.jump.clone()),
            ..self.clone()
        }
    }

    /// The settings of the hosts on the way, the nearest first. Empty where `jump` is wrong: that is told elsewhere.
    #[must_use]
    pub fn way(&self) -> Vec<Self> {
        let mut way = Vec::new();
        let mut next = self.last_hop();
        while let Ok(Some(hop)) = next {
            next = hop.last_hop();
            way.push(hop);
        }
        way.reverse();
        way
    }

    /// The hosts to go through, the nearest first.
    ///
    /// # Errors
    /// The part that is none.
    pub(super) fn hops(&self) -> Result<Vec<Hop>, String> {
        let Some(jump) = &self.jump else {
            return Ok(Vec::new());
        };
        let hops = jump.split(',').map(str::trim);
        hops.map(|part| Hop::parse(part).ok_or_else(|| part.to_owned()))
            .collect()
    }

    /// The settings of the host that comes before this one on the way, where there is one: we are there who we are
    /// here, except for what its own part of `jump` says.
    pub(super) fn last_hop(&self) -> Result<Option<Self>, String> {
        let mut hops = self.hops()?;
        let Some(last) = hops.pop() else {
            return Ok(None);
        };
        let before: Vec<String> = hops.iter().map(ToString::to_string).collect();
        Ok(Some(Self {
            host: last.place.host,
            port: Some(Written(Port(last.place.port))),
            username: last.username.or_else(|| self.username.clone()),
            jump: (!before.is_empty()).then(|| before.join(",")),
            // The pin is for the server's own key.
            host_key: None,
            ..self.clone()
        }))
    }

    pub(super) fn username(&self) -> &str {
        self.username.as_deref().unwrap_or("root")
    }

    pub(super) fn key_file(&self) -> Option<PathBuf> {
        self.ssh_key_path.as_ref().map(PathBuf::from)
    }
}

/// Whether there is a file, and we may read it. A pipe would hold us up.
fn can_read(path: &str) -> std::io::Result<()> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is no file"));
    }
    std::fs::File::open(path).map(drop)
}

/// What is wrong with the place of a key.
fn key_mistake(path: &str) -> Option<Mistake> {
    let (what, hint) = match Path::new(path).try_exists() {
        Ok(true) => return None,
        Ok(false) => (
            "is not there".to_owned(),
            format!(
                "put it there, or mount it; a relative path is taken from the folder in `{KEY_FOLDER}`"
            ),
        ),
        Err(error) if error.kind() == ErrorKind::NotADirectory => (
            "lies below a file, not below a folder".to_owned(),
            format!(
                "`{KEY_FOLDER}` names the folder of the keys: if it names a key, name its folder there"
            ),
        ),
        Err(error) => (
            format!("cannot be seen by this user: {error}"),
            format!(
                "`namei -l {path}` shows which folder is closed; the service may run as another user"
            ),
        ),
    };
    Some(Mistake {
        key: "ssh_key_path",
        is_error: false,
        message: format!("the key file {} {what}", shown_name(path)),
        hint,
    })
}

/// Whether it is `SHA256:` and the digest, as OpenSSH writes it: base64 without padding.
#[must_use]
pub fn is_fingerprint(text: &str) -> bool {
    text.parse::<russh::keys::ssh_key::Fingerprint>()
        .is_ok_and(russh::keys::ssh_key::Fingerprint::is_sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(yaml: serde_json::Value) -> SshSettings {
        serde_json::from_value(yaml).expect("settings")
    }

    #[test]
    fn relative_keys_lie_in_the_folder_of_the_variable() {
        let variable = |name: &str| match name {
            "VPS_SSH_KEY_PATH" => Some("/app/secrets".to_owned()),
            "HOME" => Some("/home/me".to_owned()),
            _ => None,
        };
        for (written, expected) in [
            ("web.key", "/app/secrets/web.key"),
            ("/keys/web", "/keys/web"),
            ("~/.ssh/web", "/home/me/.ssh/web"),
        ] {
            let mut one = settings(serde_json::json!({ "host": "web", "ssh_key_path": written }));
            one.complete(&variable);
            assert_eq!(one.ssh_key_path.as_deref(), Some(expected));
        }
        let mut one = settings(serde_json::json!({ "host": "web", "ssh_key_path": "web.key" }));
        one.complete(&|_| None);
        assert_eq!(one.ssh_key_path.as_deref(), Some("web.key"));
    }

    #[test]
    fn what_is_usual_need_not_be_written() {
        let short = settings(serde_json::json!({ "host": "Web" }));
        let long = serde_json::json!({ "host": "web", "port": "22", "username": "root", "accept_new": false });
        assert_eq!(short.written_out(), settings(long).written_out());
        let short = serde_json::json!({
            "host": "db", "ssh_key_path": "/keys/db", "jump": "ann@Outer, inner"
        });
        let short = settings(short);
        let long = settings(serde_json::json!({
            "host": "db", "ssh_key_path": "/keys//./db", "agent": false, "jump": "ann@outer:22,root@inner:22"
        }));
        assert_eq!(short.written_out(), long.written_out());
        // A host on the way is the same as a target.
        let outer =
            serde_json::json!({ "host": "outer", "username": "ann", "ssh_key_path": "/keys/db" });
        assert_eq!(short.way()[0].written_out(), settings(outer).written_out());
        let short = settings(serde_json::json!({ "host": "Web" }));
        for other in ["agent", "accept_new"] {
            let other = settings(serde_json::json!({ "host": "web", other: true }));
            assert_ne!(short.written_out(), other.written_out());
        }
        let other = settings(serde_json::json!({ "host": "web", "username": "me" }));
        assert_ne!(short.written_out(), other.written_out());
    }

    #[test]
    fn mistakes_are_named() {
        let of = |yaml| {
            let mistakes = settings(yaml).mistakes();
            mistakes.iter().map(|one| one.key).collect::<Vec<_>>()
        };
        let good = "SHA256:uNiVztksCsDhcc0u9e8BrmXKr8U3ZrWfPHJ5nOq3nGk";
        assert!(
            of(serde_json::json!({ "host": "web", "host_key": good, "jump": "a,b@c:22" }))
                .is_empty()
        );
        assert_eq!(
            of(serde_json::json!({ "host": "web", "host_key": "MD5:00" })),
            ["host_key"]
        );
        assert_eq!(
            of(serde_json::json!({ "host": "web", "jump": "a:b" })),
            ["jump"]
        );
        assert_eq!(
            of(serde_json::json!({ "host": "web", "ssh_key_path": "/no/such" })),
            ["ssh_key_path"]
        );
        for host in [
            "",
            "root@web",
            "web:2222",
            "web:22",
            "ssh://web",
            "[::1]:22",
            "a b",
        ] {
            assert_eq!(of(serde_json::json!({ "host": host })), ["host"], "{host}");
        }
        for host in ["web", "::1", "[::1]", "10.0.0.1", "fe80::1%eth0"] {
            assert!(of(serde_json::json!({ "host": host })).is_empty(), "{host}");
        }
        for key in ["username", "ssh_key_path"] {
            assert_eq!(of(serde_json::json!({ "host": "web", key: "" })), [key]);
        }
        for path in ["/no/such", "/"] {
            assert_eq!(
                of(serde_json::json!({ "host": "web", "known_hosts": path })),
                ["known_hosts"]
            );
        }
    }

    #[test]
    fn the_way_is_walked_backwards() {
        let target = settings(serde_json::json!({
            "host": "db", "username": "watch", "jump": "ann@outer:2022,inner", "host_key": "SHA256:x"
        }));
        let inner = target.last_hop().expect("hops").expect("one");
        assert_eq!(
            (inner.default_name().as_str(), inner.username()),
            ("inner", "watch")
        );
        assert_eq!(inner.host_key, None);
        let outer = inner.last_hop().expect("hops").expect("one");
        assert_eq!(
            (outer.default_name().as_str(), outer.username()),
            ("outer:2022", "ann")
        );
        assert_eq!(outer.last_hop(), Ok(None));
    }
}
