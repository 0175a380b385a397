//! What can be said about a mail server and about who writes to whom.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;

use super::address::{Address, Recipients};
use crate::clients::net::Port;
use crate::document::{Word, Written, shown};
use crate::problem::{SettingsProblem, Variables};
use crate::secret::Secret;

const HOST: &str = "SMTP_HOST";
const PORT: &str = "SMTP_PORT";
const USER: &str = "SMTP_USER";
const PASSWORD: &str = "SMTP_PASSWORD";

/// A mail server, and who writes to whom.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The mail server's name or address. Default: the variable `SMTP_HOST`.
    pub host: Option<Written<Host>>,
    /// Default: the variable `SMTP_PORT`, or else 587, 465 where `tls` is `implicit`, 25 where it is `none`.
    pub port: Option<Written<Port>>,
    /// How the connection is protected. Default `starttls`; on port 465 `implicit`.
    pub tls: Option<Protection>,
    /// A file of certificates (PEM) that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether `tls: none` may go to another machine. Default false.
    #[serde(default)]
    pub allow_plaintext: bool,
    /// Who logs in. Default: the variable `SMTP_USER`. Nobody: the server takes mail from us without.
    pub username: Option<String>,
    /// Default: the variable `SMTP_PASSWORD`.
    pub password: Option<Secret>,
    /// Who writes.
    #[schemars(required)]
    pub from: Option<Written<Address>>,
    /// Who gets it: one or many.
    #[schemars(required)]
    pub to: Option<Recipients>,
    /// Who gets the answers, where that is not `from`.
    pub reply_to: Option<Written<Address>>,
}

/// How the connection to the server is protected. Never only if the server happens to offer it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// TLS from the start, usually on port 465.
    Implicit,
    /// The server is asked for TLS before anything else, usually on port 587.
    Starttls,
    /// Not at all.
    None,
}

/// The name or the address of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host(
    /// Without brackets.
    pub String,
);

impl FromStr for Host {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let host = text.trim();
        let inner = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let host = inner.unwrap_or(host);
        let is_name =
            |character: char| character.is_alphanumeric() || matches!(character, '.' | '-' | '_');
        if host.parse::<IpAddr>().is_ok() || (!host.is_empty() && host.chars().all(is_name)) {
            return Ok(Self(host.to_owned()));
        }
        Err(format!(
            "expected {}, found {}",
            Self::EXPECTED,
            shown(text)
        ))
    }
}

impl Word for Host {
    const EXPECTED: &'static str =
        "a name or an address such as `mail.example.com`, without a port";
}

impl Host {
    fn is_loopback(&self) -> bool {
        let name = self.0.trim_end_matches('.').to_ascii_lowercase();
        match name.parse::<IpAddr>() {
            Ok(address) => address.is_loopback(),
            // RFC 6761 §6.3; the network clients keep to it.
            Err(_) => name == "localhost" || name.ends_with(".localhost"),
        }
    }
}

/// The value of a variable, if it has one.
fn given(variable: Variables<'_>, name: &str) -> Option<String> {
    variable(name).filter(|value| !value.trim().is_empty())
}

impl Settings {
    /// What the environment gives where the settings say nothing.
    pub(super) fn complete(&mut self, variable: Variables<'_>) {
        if self.host.is_none() {
            let host = given(variable, HOST).and_then(|text| text.parse().ok());
            self.host = host.map(Written);
        }
        if self.port.is_none() {
            let port = given(variable, PORT).and_then(|text| text.parse().ok());
            self.port = port.map(Written);
        }
        // Nobody logs in over such a connection: a login for other entries does not stand in its way.
        if self.tls == Some(Protection::None) {
            return;
        }
        if self.username.as_deref().is_none_or(str::is_empty) {
            self.username = given(variable, USER);
        }
        let password = self.password.as_ref();
        if password.is_none_or(|own| own.expose().is_empty()) {
            self.password = given(variable, PASSWORD).map(Secret::new);
        }
    }

    /// How the connection is protected.
    pub(super) fn protection(&self) -> Protection {
        let on_465 = self.port.is_some_and(|Written(Port(port))| port == 465);
        self.tls.unwrap_or(if on_465 {
            Protection::Implicit
        } else {
            Protection::Starttls
        })
    }

    /// The port, also where none was written.
    pub(super) fn port(&self) -> u16 {
        let usual = match self.protection() {
            Protection::Implicit => 465,
            Protection::Starttls => 587,
            Protection::None => 25,
        };
        self.port.map_or(usual, |Written(Port(port))| port)
    }

    /// Mistakes that the types cannot catch.
    pub(super) fn check(&self, variable: Variables<'_>) -> Vec<SettingsProblem> {
        let mut problems = Vec::new();
        let mut add = |key, message: String, hint: &str| {
            problems.push(SettingsProblem::error(key, message, hint));
        };
        for (key, name, is_set, expected) in [
            ("host", HOST, self.host.is_some(), Host::EXPECTED),
            ("port", PORT, self.port.is_some(), Port::EXPECTED),
        ] {
            let bad = !is_set && given(variable, name).is_some();
            if bad {
                let message = format!("the variable `{name}` is wrong: expected {expected}");
                add(
                    key,
                    message,
                    &format!("correct `{name}`, or set `{key}` here"),
                );
            } else if key == "host" && !is_set {
                let hint = format!("set `{name}`, or add `host: …` to this entry");
                add(key, "`host` is missing".to_owned(), &hint);
            }
        }
        if self.from.is_none() {
            let hint = "add `from: Roundsman <roundsman@example.com>` with an address that the server lets you send from";
            add("from", "`from` is missing".to_owned(), hint);
        }
        if self.to.as_ref().is_none_or(|to| to.0.is_empty()) {
            let message = "`to` is missing: nobody would get the mail";
            add(
                "to",
                message.to_owned(),
                "add `to: ops@example.com`, or a list of addresses",
            );
        }
        let has_login = self
            .username
            .as_deref()
            .is_some_and(|name| !name.is_empty());
        let has_password = (self.password.as_ref()).is_some_and(|own| !own.expose().is_empty());
        if self.protection() == Protection::None {
            if let Some(Written(host)) = &self.host
                && !host.is_loopback()
                && !self.allow_plaintext
            {
                let message = format!("`tls: none` would send the mail readable to `{}`", host.0);
                add(
                    "tls",
                    message,
                    "use `starttls` or `implicit`, or set `allow_plaintext: true` where the way to the server is safe",
                );
            }
            if has_login || has_password {
                let message = "a login is never sent without TLS";
                let key = if has_login { "username" } else { "password" };
                add(
                    key,
                    message.to_owned(),
                    "use `tls: starttls` or `tls: implicit`, or take the login out",
                );
            }
        } else if has_login != has_password {
            let (there, missing, name) = if has_login {
                ("username", "password", PASSWORD)
            } else {
                ("password", "username", USER)
            };
            add(
                there,
                format!("`{there}` is set, and no `{missing}`"),
                &format!("set `{missing}` or the variable `{name}`, or take `{there}` out"),
            );
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{LIMITS, from_node, parse};

    fn settings(yaml: &str, variables: &[(&str, &str)]) -> (Settings, Vec<SettingsProblem>) {
        let node = parse(&"reporters.yaml".into(), yaml, LIMITS, &mut Vec::new());
        let mut settings: Settings = from_node(&node.expect("a document")).expect("settings");
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        settings.complete(&variable);
        let problems = settings.check(&variable);
        (settings, problems)
    }

    const PEOPLE: &str = "from: a@example.com\nto: b@example.com\n";

    #[test]
    fn the_environment_gives_what_the_entry_does_not() {
        let variables = [
            (HOST, "smtp.example.com"),
            (PORT, "465"),
            (USER, "me"),
            (PASSWORD, "canary-password"),
        ];
        let (own, problems) = settings(PEOPLE, &variables);
        assert_eq!(problems, []);
        assert_eq!(own.host, Some(Written(Host("smtp.example.com".to_owned()))));
        assert_eq!((own.port(), own.protection()), (465, Protection::Implicit));
        assert_eq!(own.username.as_deref(), Some("me"));
        assert!(own.password.is_some());
        assert!(!format!("{own:?}").contains("canary"), "{own:?}");

        let yaml =
            format!("{PEOPLE}host: other.example.com\nport: 2525\nusername: you\npassword: x\n");
        let (own, problems) = settings(&yaml, &variables);
        assert_eq!(problems, []);
        assert_eq!((own.port(), own.protection()), (2525, Protection::Starttls));
        assert_eq!(own.username.as_deref(), Some("you"));
    }

    #[test]
    fn mistakes_are_told_with_what_to_do() {
        for (yaml, variables, expected) in [
            (
                "{}",
                &[][..],
                &[
                    "`host` is missing",
                    "`from` is missing",
                    "`to` is missing: nobody would get the mail",
                ][..],
            ),
            (
                PEOPLE,
                &[(HOST, "canary host:1"), (PORT, "canary")],
                &[
                    "the variable `SMTP_HOST` is wrong: expected a name or an address such as `mail.example.com`, without a port",
                    "the variable `SMTP_PORT` is wrong: expected a whole number from 1 to 65535",
                ],
            ),
            (
                "host: mail.example.com\ntls: none",
                &[],
                &["`tls: none` would send the mail readable to `mail.example.com`"],
            ),
            (
                "host: mail.example.com\ntls: none\nallow_plaintext: true",
                &[],
                &[],
            ),
            (
                "host: localhost\ntls: none",
                &[(USER, "me"), (PASSWORD, "canary")],
                &[],
            ),
            ("host: \"[::1]\"\ntls: none", &[], &[]),
            (
                "host: 127.0.0.1\ntls: none\nusername: me\npassword: canary",
                &[],
                &["a login is never sent without TLS"],
            ),
            (
                "host: h\nusername: me",
                &[],
                &["`username` is set, and no `password`"],
            ),
            (
                "host: h\npassword: canary",
                &[],
                &["`password` is set, and no `username`"],
            ),
        ] {
            let yaml = if yaml == "{}" || yaml == PEOPLE {
                yaml.to_owned()
            } else {
                format!("{PEOPLE}{yaml}\n")
            };
            let (_, problems) = settings(&yaml, variables);
            let said: Vec<&str> = problems.iter().map(|one| one.message.as_str()).collect();
            assert_eq!(said, expected, "{yaml}");
            assert!(problems.iter().all(|one| one.hint.is_some()));
            assert!(!format!("{problems:?}").contains("canary"), "{problems:?}");
        }
    }

    #[test]
    fn editors_are_told_what_every_entry_needs() {
        let schema = schemars::schema_for!(Settings);
        let required = schema.get("required").and_then(|keys| keys.as_array());
        assert_eq!(
            required.map(Vec::as_slice),
            Some(&["from".into(), "to".into()][..])
        );
    }

    #[test]
    fn the_port_follows_the_protection() {
        for (yaml, port) in [
            ("", 587),
            ("tls: starttls", 587),
            ("tls: implicit", 465),
            ("tls: none", 25),
        ] {
            let (own, _) = settings(&format!("{PEOPLE}host: localhost\n{yaml}\n"), &[]);
            assert_eq!(own.port(), port, "{yaml}");
        }
    }
}
