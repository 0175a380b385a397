//! What can be said about a Docker host, read into the shape in which it is used.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use globset::{Glob, GlobSet, GlobSetBuilder};
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use crate::clients::docker::{Place, USUAL_SOCKET};
use crate::clients::net::{Port, outside_host};
use crate::clients::ssh::SshSettings;
use crate::clients::tls::{Check, ClientIdentity, Keys, Trust};
use crate::collectors::{SettingsProblem, Variables};
use crate::document::{DurationText, OneOrMany, Word, Written, shown_name, shown_path};
use crate::problem::Severity;

/// How old a failure may be and still count: a day.
const EXITED_WITHIN: Duration = Duration::from_hours(24);
/// The ports that engines are given by custom, with TLS and without.
const TLS_PORT: u16 = 2376;
const PLAIN_PORT: u16 = 2375;

const KEYS: Keys = Keys {
    host: "url",
    ca_file: "tls.ca_file",
    client: Some("`tls.client_cert` and `tls.client_key`"),
    without: "leave `tls` out",
};

/// A Docker Engine, by its `socket`, its `url`, or over `ssh`; by none of them: the usual socket of this machine.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The socket on this machine; with `ssh` on that one. Default: the variable `DOCKER_HOST`, else
    /// `/var/run/docker.sock`.
    pub socket: Option<PathBuf>,
    /// The address of the engine: `tcp://host:2376`.
    pub url: Option<Written<EngineUrl>>,
    /// TLS for `url`. Without it the connection is plain, unless the address begins with `https://`.
    pub tls: Option<EngineTls>,
    /// The machine to reach over SSH, with the keys of `vps_servers`. Its session is shared with other looks.
    pub ssh: Option<SshSettings>,
    /// Only containers with these names, as globs.
    #[serde(default)]
    pub include: OneOrMany,
    /// Not containers with these names, as globs.
    #[serde(default)]
    pub exclude: OneOrMany,
    /// Names, as globs, of which each must have a container. They are looked at even if `exclude` leaves them out.
    #[serde(default)]
    pub required: OneOrMany,
    /// How long ago a container may have failed and still count. Default `24h`.
    pub exited_within: Option<Written<DurationText>>,
    /// The variable `DOCKER_HOST` names an engine in a way that we cannot follow.
    #[serde(skip)]
    pub has_unknown_variable: bool,
}

/// How both ends of `url` prove who they are, as `docker --tlsverify` has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EngineTls {
    /// The authority that signed the engine's certificate (PEM), which is then the only one trusted.
    pub ca_file: Option<PathBuf>,
    /// Our certificate (PEM).
    pub client_cert: Option<PathBuf>,
    /// Its key (PEM).
    pub client_key: Option<PathBuf>,
    /// Whether the engine's certificate is checked. Without it anybody may answer in its place.
    #[serde(default = "yes")]
    pub verify: bool,
}

fn yes() -> bool {
    true
}

/// The address of an engine.
#[derive(Clone, PartialEq, Eq)]
pub struct EngineUrl {
    way: Way,
    /// As names of targets have always had it: what stands behind `//`, without a user.
    name: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    Socket(PathBuf),
    Tcp {
        host: String,
        port: Option<u16>,
        /// `https://`
        secured: bool,
    },
}

impl fmt::Debug for EngineUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl FromStr for EngineUrl {
    type Err = String;

    /// The text is never repeated: somebody may have written a password into it.
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("expected {}", Self::EXPECTED);
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("tcp", text));
        let scheme = scheme.to_ascii_lowercase();
        if scheme == "unix" {
            if !rest.starts_with('/') {
                return Err(
                    "expected `unix://` and the whole path: `unix:///var/run/docker.sock`"
                        .to_owned(),
                );
            }
            return Ok(Self {
                way: Way::Socket(rest.into()),
                name: rest.to_owned(),
            });
        }
        if !matches!(scheme.as_str(), "tcp" | "http" | "https") {
            return Err(expected());
        }
        // By a scheme that has no usual port.
        let url = Url::parse(&format!("tcp://{rest}")).map_err(|_| expected())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "expected no user and no password: engines know certificates only, set `tls`"
                    .to_owned(),
            );
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(expected());
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(expected)?;
        Ok(Self {
            way: Way::Tcp {
                host: host
                    .trim_start_matches('[')
                    .trim_end_matches(']')
                    .to_owned(),
                port: url.port(),
                secured: scheme == "https",
            },
            name: rest.trim_end_matches('/').to_owned(),
        })
    }
}

impl Word for EngineUrl {
    const EXPECTED: &'static str =
        "the address of a Docker Engine: `tcp://host:2376`, or `unix:///var/run/docker.sock`";
}

impl Settings {
    /// Where the engine listens.
    pub(super) fn place(&self) -> Place {
        if let Some(ssh) = &self.ssh {
            let socket = self.socket.clone();
            return Place::Ssh {
                settings: Box::new(ssh.clone()),
                socket: socket.unwrap_or_else(|| USUAL_SOCKET.into()),
            };
        }
        if let Some(path) = &self.socket {
            return Place::Socket(path.clone());
        }
        match self.url.as_ref().map(|Written(url)| &url.way) {
            None => Place::Socket(USUAL_SOCKET.into()),
            Some(Way::Socket(path)) => Place::Socket(path.clone()),
            Some(Way::Tcp {
                host,
                port,
                secured,
            }) => {
                let trust = (self.tls.as_ref().map(EngineTls::trust))
                    .or_else(|| secured.then(|| EngineTls::default().trust()));
                let usual = if trust.is_some() {
                    TLS_PORT
                } else {
                    PLAIN_PORT
                };
                Place::Tcp {
                    host: host.clone(),
                    port: port.unwrap_or(usual),
                    tls: trust.map(Box::new),
                }
            }
        }
    }

    /// See [`crate::collectors::Collector::host`].
    pub(super) fn host(&self) -> Option<String> {
        match self.place() {
            Place::Ssh { settings, .. } => outside_host(&settings.host),
            Place::Tcp { host, .. } => outside_host(&host),
            Place::Socket(_) => None,
        }
    }

    pub(super) fn exited_within(&self) -> Duration {
        (self.exited_within.as_ref()).map_or(EXITED_WITHIN, |Written(DurationText(length))| *length)
    }

    /// A target's history hangs on it: `docker@host`, the host and port as they are written, or `docker`.
    pub(super) fn default_name(&self) -> String {
        match (&self.ssh, &self.url) {
            (Some(ssh), _) => format!("docker@{}", ssh.default_name()),
            (None, Some(Written(url))) => url.name.clone(),
            (None, None) => "docker".to_owned(),
        }
    }

    /// The variables that the `docker` command obeys too say where the engine is, if the settings do not.
    pub(super) fn complete(&mut self, variable: Variables<'_>) {
        if let Some(ssh) = &mut self.ssh {
            ssh.complete(variable);
        }
        // As `DOCKER_HOST` has it.
        if let Some(path) = (self.socket.as_ref().and_then(|path| path.to_str()))
            .and_then(|text| text.strip_prefix("unix://"))
        {
            self.socket = Some(PathBuf::from(path));
        }
        if self.socket.is_some() || self.url.is_some() || self.ssh.is_some() {
            return;
        }
        let Some(text) = variable("DOCKER_HOST").filter(|text| !text.trim().is_empty()) else {
            return;
        };
        if let Some(ssh) = over_ssh(&text) {
            self.ssh.insert(ssh).complete(variable);
            return;
        }
        // Another engine must not be looked at in its place.
        let Ok(url) = EngineUrl::from_str(&text) else {
            self.has_unknown_variable = true;
            return;
        };
        match url.way {
            Way::Socket(path) => self.socket = Some(path),
            Way::Tcp { .. } => {
                self.url = Some(Written(url));
                let wants_tls = variable("DOCKER_TLS_VERIFY").is_some_and(|word| !word.is_empty());
                if wants_tls && self.tls.is_none() {
                    let named = variable("DOCKER_CERT_PATH").filter(|folder| !folder.is_empty());
                    let usual = || Some(Path::new(&variable("HOME")?).join(".docker"));
                    let folder = named.map(PathBuf::from).or_else(usual).unwrap_or_default();
                    let file = |name: &str| Some(folder.join(name));
                    self.tls = Some(EngineTls {
                        ca_file: file("ca.pem"),
                        client_cert: file("cert.pem"),
                        client_key: file("key.pem"),
                        verify: true,
                    });
                }
            }
        }
    }

    pub(super) fn check(&self) -> Vec<SettingsProblem> {
        let mut problems = Vec::new();
        let mut told = |key, severity, message: String, hint: &str| {
            problems.push(SettingsProblem {
                key,
                severity,
                message,
                hint: Some(hint.to_owned()),
            });
        };
        for (key, is_set) in [
            ("socket", self.socket.is_some()),
            ("ssh", self.ssh.is_some()),
        ] {
            if is_set && self.url.is_some() {
                let message = format!("`{key}` and `url` are both set");
                let hint = "one engine is reached in one way: keep one of them";
                told("url", Severity::Error, message, hint);
            }
        }
        let socket = self.socket.as_ref().and_then(|path| path.to_str());
        if socket.is_some_and(|text| text.contains("://")) {
            let message = "expected the path of a socket, found an address".to_owned();
            let hint = "an address belongs to `url`: `url: tcp://host:2376`";
            told("socket", Severity::Error, message, hint);
        }
        if self.has_unknown_variable {
            let message = "the variable `DOCKER_HOST` names no engine that can be looked at";
            let hint = "`unix://`, `tcp://` and `ssh://user@host` can be; or name the engine here: `socket`, `url` or `ssh`";
            told("socket", Severity::Error, message.to_owned(), hint);
        }
        for mistake in self.ssh.iter().flat_map(SshSettings::mistakes) {
            let severity = if mistake.is_error {
                Severity::Error
            } else {
                Severity::Warning
            };
            let message = format!("`{}`: {}", mistake.key, mistake.message);
            told("ssh", severity, message, &mistake.hint);
        }
        for (key, globs) in [
            ("include", &self.include),
            ("exclude", &self.exclude),
            ("required", &self.required),
        ] {
            for glob in &globs.0 {
                if let Err(error) = Glob::new(glob) {
                    let message = format!("{} is no glob: {}", shown_name(glob), error.kind());
                    let hint = "write a container's name, with `*` for any part of it: `web-*`";
                    told(key, Severity::Error, message, hint);
                }
            }
        }
        if let Some(tls) = &self.tls {
            if !matches!(self.place(), Place::Tcp { .. }) {
                let message = "`tls` is set, but there is no `url` to use it for".to_owned();
                told(
                    "tls",
                    Severity::Error,
                    message,
                    "set `url: tcp://host:2376`, or leave `tls` out",
                );
            }
            if tls.client_cert.is_some() != tls.client_key.is_some() {
                let message = "`client_cert` and `client_key` belong together".to_owned();
                told("tls", Severity::Error, message, "set both, or neither");
            }
            for path in tls.files().filter(|path| !path.is_file()) {
                let message = format!("there is no file {}", shown_path(path));
                let hint = "without it the engine cannot be asked, and the target will be UNKNOWN";
                told("tls", Severity::Warning, message, hint);
            }
        }
        problems
    }
}

/// The machine in `ssh://[user@]host[:port]`, as the `docker` command has it.
fn over_ssh(text: &str) -> Option<SshSettings> {
    let url = url::Url::parse(text.trim()).ok()?;
    if url.scheme() != "ssh" || url.password().is_some() {
        return None;
    }
    let host = url.host_str().filter(|host| !host.is_empty())?;
    Some(SshSettings {
        host: host.trim_matches(['[', ']']).to_owned(),
        port: url.port().map(|port| Written(Port(port))),
        username: Some(url.username().to_owned()).filter(|name| !name.is_empty()),
        ssh_key_path: None,
        passphrase: None,
        agent: None,
        known_hosts: None,
        host_key: None,
        accept_new: None,
        jump: None,
    })
}

impl Default for EngineTls {
    fn default() -> Self {
        Self {
            ca_file: None,
            client_cert: None,
            client_key: None,
            verify: true,
        }
    }
}

impl EngineTls {
    fn files(&self) -> impl Iterator<Item = &Path> {
        let files = [&self.ca_file, &self.client_cert, &self.client_key];
        files.into_iter().filter_map(Option::as_deref)
    }

    fn trust(&self) -> Trust {
        let pair = self.client_cert.clone().zip(self.client_key.clone());
        Trust {
            check: if self.verify {
                Check::Full
            } else {
                Check::Nothing
            },
            ca_file: self.ca_file.clone(),
            only_ca_file: true,
            client: pair.map(|(certificate, key)| ClientIdentity { certificate, key }),
            protocols: &[b"http/1.1"],
            keys: KEYS,
        }
    }
}

/// Which containers are looked at.
pub(super) struct Filter {
    include: Option<GlobSet>,
    exclude: GlobSet,
    /// Each glob of `required`, with what it was written as.
    pub(super) required: Vec<(String, GlobSet)>,
}

impl Filter {
    /// # Errors
    /// One of the globs is none; [`Settings::check`] says so before.
    pub(super) fn new(settings: &Settings) -> Result<Self, globset::Error> {
        let set = |globs: &[String]| -> Result<GlobSet, globset::Error> {
            let mut builder = GlobSetBuilder::new();
            for glob in globs {
                builder.add(Glob::new(glob)?);
            }
            builder.build()
        };
        let include = &settings.include.0;
        let required = settings.required.0.iter();
        Ok(Self {
            include: (!include.is_empty()).then(|| set(include)).transpose()?,
            exclude: set(&settings.exclude.0)?,
            required: required
                .map(|glob| Ok((glob.clone(), set(std::slice::from_ref(glob))?)))
                .collect::<Result<_, globset::Error>>()?,
        })
    }

    /// Whether a container of that name is looked at.
    pub(super) fn wants(&self, name: &str) -> bool {
        let is_included = self.include.as_ref().is_none_or(|set| set.is_match(name));
        (is_included && !self.exclude.is_match(name))
            || self.required.iter().any(|(_, glob)| glob.is_match(name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(value: serde_json::Value) -> Settings {
        serde_json::from_value(value).expect("settings")
    }

    #[test]
    fn the_variables_of_the_docker_command_are_followed_or_refused() {
        for (host, verify, place, mistakes) in [
            ("", "", "/var/run/docker.sock", 0),
            ("unix:///run/other.sock", "", "/run/other.sock", 0),
            ("tcp://a.example.com:2375", "", "a.example.com:2375", 0),
            // The three files are not there.
            ("tcp://a.example.com:2376", "1", "a.example.com:2376", 3),
            (
                "ssh://me@build.example.com:2222",
                "",
                " of build.example.com:2222",
                0,
            ),
            (
                "ssh://me:canary@build.example.com",
                "",
                "/var/run/docker.sock",
                1,
            ),
            ("fd://", "", "/var/run/docker.sock", 1),
            ("npipe:////./pipe/docker", "", "/var/run/docker.sock", 1),
        ] {
            let mut settings = settings(json!({}));
            settings.complete(&|name| match name {
                "DOCKER_HOST" => Some(host.to_owned()),
                "DOCKER_TLS_VERIFY" => Some(verify.to_owned()),
                "HOME" => Some("/nobody".to_owned()),
                _ => None,
            });
            let problems = settings.check();
            assert_eq!(problems.len(), mistakes, "{host}: {problems:?}");
            assert!(!format!("{problems:?}").contains("canary"));
            assert_eq!(settings.tls.is_some(), !verify.is_empty(), "{host}");
            let found = settings.place().to_string();
            assert!(found.contains(place), "{host}: {found}");
        }
    }

    #[test]
    fn an_address_is_read_in_all_its_forms() {
        for (settings_of, place, name) in [
            (json!({}), "/var/run/docker.sock", "docker"),
            (
                json!({"socket": "/run/podman/podman.sock"}),
                "/run/podman/podman.sock",
                "docker",
            ),
            (
                json!({"url": "unix:///run/docker.sock"}),
                "/run/docker.sock",
                "/run/docker.sock",
            ),
            (
                json!({"url": "tcp://a.example.com:2376"}),
                "a.example.com:2376",
                "a.example.com:2376",
            ),
            (
                json!({"url": "tcp://a.example.com:443/"}),
                "a.example.com:443",
                "a.example.com:443",
            ),
            (
                json!({"url": "tcp://a.example.com"}),
                "a.example.com:2375",
                "a.example.com",
            ),
            (
                json!({"url": "tcp://a.example.com", "tls": {}}),
                "a.example.com:2376",
                "a.example.com",
            ),
            (
                json!({"url": "https://a.example.com"}),
                "a.example.com:2376",
                "a.example.com",
            ),
            (json!({"url": "http://[::1]:99"}), "[::1]:99", "[::1]:99"),
            (
                json!({"url": "a.example.com"}),
                "a.example.com:2375",
                "a.example.com",
            ),
            (
                json!({"ssh": {"host": "b", "port": "2222"}}),
                "/var/run/docker.sock of b:2222",
                "docker@b:2222",
            ),
            (
                json!({"ssh": {"host": "b"}, "socket": "/run/podman/podman.sock"}),
                "/run/podman/podman.sock of b",
                "docker@b",
            ),
        ] {
            let shown = settings_of.to_string();
            let settings = settings(settings_of);
            assert_eq!(settings.place().to_string(), place, "{shown}");
            assert_eq!(settings.default_name(), name, "{shown}");
            assert_eq!(settings.check(), [], "{shown}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_and_never_repeated() {
        for text in [
            "ssh://canary@host",
            "tcp://me:canary@host",
            "unix://canary.sock",
            "tcp://",
            "tcp://h/canary",
            "canary://h",
        ] {
            let error = EngineUrl::from_str(text).expect_err(text);
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn mistakes_in_the_settings_are_found() {
        let problems = settings(json!({
            "socket": "/run/docker.sock",
            "url": "tcp://host",
            "include": ["web-*", "web-["],
            "tls": {"client_cert": "/nowhere/cert.pem"},
            "ssh": {"host": "host", "ssh_key_path": "/nowhere/key"},
        }))
        .check();
        let messages: Vec<String> = (problems.iter())
            .map(|problem| {
                format!(
                    "{:?} {}: {}",
                    problem.severity, problem.key, problem.message
                )
            })
            .collect();
        assert_eq!(
            messages,
            [
                "Error url: `socket` and `url` are both set",
                "Error url: `ssh` and `url` are both set",
                "Warning ssh: `ssh_key_path`: the key file `/nowhere/key` is not there",
                "Error include: `web-[` is no glob: unclosed character class; missing ']'",
                "Error tls: `tls` is set, but there is no `url` to use it for",
                "Error tls: `client_cert` and `client_key` belong together",
                "Warning tls: there is no file `/nowhere/cert.pem`",
            ]
        );
    }

    #[test]
    fn the_environment_of_the_docker_command_counts() {
        let variables = |name: &str| match name {
            "DOCKER_HOST" => Some("tcp://a.example.com:2376".to_owned()),
            "DOCKER_TLS_VERIFY" => Some("1".to_owned()),
            "DOCKER_CERT_PATH" => Some("/certificates".to_owned()),
            _ => None,
        };
        let mut nothing_said = settings(json!({}));
        nothing_said.complete(&variables);
        assert_eq!(nothing_said.place().to_string(), "a.example.com:2376");
        let ca_file = nothing_said.tls.expect("TLS").ca_file;
        assert_eq!(ca_file, Some("/certificates/ca.pem".into()));
        let mut said = settings(json!({"socket": "/run/docker.sock"}));
        said.complete(&variables);
        assert_eq!(said.place().to_string(), "/run/docker.sock");
    }

    #[test]
    fn required_containers_are_looked_at_whatever_is_left_out() {
        let settings =
            settings(json!({"include": "shop-*", "exclude": ["*-test"], "required": "db"}));
        let filter = Filter::new(&settings).expect("globs");
        for (name, wanted) in [
            ("shop-web", true),
            ("shop-test", false),
            ("db", true),
            ("web", false),
        ] {
            assert_eq!(filter.wants(name), wanted, "{name}");
        }
    }
}
