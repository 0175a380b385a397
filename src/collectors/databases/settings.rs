//! What can be said about a database.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::{SettingsProblem, Variables};
use crate::clients::net::{Port, host_and_port};
use crate::clients::postgres::{Login, SslMode};
use crate::clients::tls::ClientIdentity;
use crate::document::{Word, Written, shown, shown_path};
use crate::problem::Severity;
use crate::secret::Secret;

/// PostgreSQL's own port.
const USUAL_PORT: u16 = 5432;

/// Who logs in where nobody is named.
const USUAL_USERNAME: &str = "postgres";

/// More tables than this are a list that nobody reads.
pub(super) const MOST_TABLES: u8 = 50;

/// A PostgreSQL database, and how we log in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Name or address, or the folder of a local socket such as `/var/run/postgresql`.
    pub host: String,
    /// Default 5432.
    pub port: Option<Written<Port>>,
    /// The database.
    pub database: String,
    /// Default `postgres`, the only one so far.
    pub engine: Option<Written<Engine>>,
    /// How the connection is protected. Default `prefer`.
    pub ssl_mode: Option<SslMode>,
    /// Who logs in. Default: the variable `POSTGRES_USER`, or else `postgres`.
    pub username: Option<String>,
    /// Default: the variable `POSTGRES_PASSWORD`.
    pub password: Option<Secret>,
    /// A file of certificates (PEM): the authorities that are trusted instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Our certificate (PEM), where the server wants one.
    pub client_cert: Option<PathBuf>,
    /// Its key (PEM).
    pub client_key: Option<PathBuf>,
    /// How many of the largest tables are measured, 0 to 50.
    #[serde(default = "five")]
    #[schemars(range(min = 0, max = 50))]
    pub tables: u8,
}

fn five() -> u8 {
    5
}

/// A database engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// PostgreSQL.
    Postgres,
}

impl FromStr for Engine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let kind = match text.trim().to_ascii_lowercase().as_str() {
            "postgres" | "postgresql" => return Ok(Self::Postgres),
            "mysql" | "mariadb" => "mysql_servers",
            "mongodb" | "mongo" => "mongodb_servers",
            "redis" | "valkey" => "redis_servers",
            _ => {
                return Err(format!(
                    "expected {}, found {}",
                    Self::EXPECTED,
                    shown(text)
                ));
            }
        };
        Err(format!(
            "expected {}, found {}: such a server is watched under `{kind}`",
            Self::EXPECTED,
            shown(text)
        ))
    }
}

impl Word for Engine {
    const EXPECTED: &'static str = "`postgres`";
}

impl Settings {
    /// What the environment gives where the settings say nothing.
    pub(super) fn complete(&mut self, variable: Variables<'_>) {
        let given = |name: &str| variable(name).filter(|value| !value.is_empty());
        if self.username.as_deref().is_none_or(str::is_empty) {
            self.username = given("POSTGRES_USER");
        }
        if self
            .password
            .as_ref()
            .is_none_or(|own| own.expose().is_empty())
        {
            self.password = given("POSTGRES_PASSWORD").map(Secret::new);
        }
    }

    /// `database@host`, with the port where it is not the usual one.
    pub(super) fn default_name(&self) -> String {
        let host = host_and_port(&self.host, self.port, USUAL_PORT);
        format!("{}@{host}", self.database)
    }

    /// Where to log in, and as whom.
    pub(super) fn login(&self) -> Login<'_> {
        let identity = self.client_cert.clone().zip(self.client_key.clone());
        Login {
            host: &self.host,
            port: self.port.map_or(USUAL_PORT, |Written(Port(port))| port),
            database: &self.database,
            username: self.username.as_deref().unwrap_or(USUAL_USERNAME),
            password: self.password.as_ref(),
            ssl_mode: self.ssl_mode.unwrap_or_default(),
            ca_file: self.ca_file.as_deref(),
            client: identity.map(|(certificate, key)| ClientIdentity { certificate, key }),
        }
    }

    /// Mistakes that the types cannot catch.
    pub(super) fn check(&self) -> Vec<SettingsProblem> {
        let mut problems = Vec::new();
        let mut add = |key, severity, message: String, hint: &str| {
            problems.push(SettingsProblem {
                key,
                severity,
                message,
                hint: Some(hint.to_owned()),
            });
        };
        for (key, text) in [("host", &self.host), ("database", &self.database)] {
            if text.trim().is_empty() {
                let message = format!("`{key}` is empty");
                add(
                    key,
                    Severity::Error,
                    message,
                    "name it, or remove this entry",
                );
            }
        }
        // A folder of sockets begins with a slash.
        let host = self.host.trim();
        let is_address = !host.starts_with('/') && host.contains(['/', '@', '?']);
        if is_address {
            let message = "expected the name or the address of a server alone".to_owned();
            let hint = "write the parts apart: `host`, `port`, `database`, `username`, and `password: ${NAME}`";
            add("host", Severity::Error, message, hint);
        }
        if self.tables > MOST_TABLES {
            let message = format!(
                "expected a whole number from 0 to {MOST_TABLES}, found `{}`",
                self.tables
            );
            add("tables", Severity::Error, message, "0 measures no table");
        }
        for (key, own, other_key, other) in [
            (
                "client_cert",
                &self.client_cert,
                "client_key",
                &self.client_key,
            ),
            (
                "client_key",
                &self.client_key,
                "client_cert",
                &self.client_cert,
            ),
        ] {
            if own.is_some() && other.is_none() {
                let message = format!("there is no `{other_key}` beside it");
                let hint = "a certificate serves only together with its key: set both, or neither";
                add(key, Severity::Error, message, hint);
            }
        }
        let files: [(_, Option<&Path>); 3] = [
            ("ca_file", self.ca_file.as_deref()),
            ("client_cert", self.client_cert.as_deref()),
            ("client_key", self.client_key.as_deref()),
        ];
        for (key, path) in files {
            if let Some(path) = path.filter(|path| !path.is_file()) {
                let message = format!("there is no file {}", shown_path(path));
                let hint = "put it there, or mount it; without it the target will be UNKNOWN";
                add(key, Severity::Warning, message, hint);
            }
        }
        let mode = self.ssl_mode.unwrap_or_default();
        if self.ca_file.is_some() && matches!(mode, SslMode::Disable | SslMode::Prefer) {
            let message = format!("it has no effect with `ssl_mode: {}`", mode.word());
            let hint = "set `ssl_mode: verify-full`, so that the server's certificate is checked";
            add("ca_file", Severity::Warning, message, hint);
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::tls::Check;

    fn settings(json: serde_json::Value) -> Settings {
        let mut whole = serde_json::json!({ "host": "db.example.com", "database": "shop" });
        if let (Some(whole), serde_json::Value::Object(more)) = (whole.as_object_mut(), json) {
            whole.extend(more);
        }
        serde_json::from_value(whole).expect("settings")
    }

    #[test]
    fn the_name_is_the_database_at_its_host() {
        for (json, name) in [
            (serde_json::json!({}), "shop@db.example.com"),
            (serde_json::json!({"port": "5432"}), "shop@db.example.com"),
            (
                serde_json::json!({"port": "6432"}),
                "shop@db.example.com:6432",
            ),
            (
                serde_json::json!({"host": "/run/postgresql"}),
                "shop@/run/postgresql",
            ),
        ] {
            assert_eq!(settings(json).default_name(), name);
        }
    }

    #[test]
    fn the_environment_gives_what_the_settings_leave_out() {
        let variable = |name: &str| match name {
            "POSTGRES_USER" => Some("watcher".to_owned()),
            "POSTGRES_PASSWORD" => Some("canary".to_owned()),
            _ => None,
        };
        let mut bare = settings(serde_json::json!({}));
        assert_eq!(bare.login().username, "postgres");
        bare.complete(&variable);
        let login = bare.login();
        assert_eq!(login.username, "watcher");
        assert_eq!(login.password.map(Secret::expose), Some("canary"));
        assert!(!format!("{bare:?}").contains("canary"));

        let mut own = settings(serde_json::json!({"username": "me", "password": "mine"}));
        own.complete(&variable);
        let login = own.login();
        assert_eq!(login.username, "me");
        assert_eq!(login.password.map(Secret::expose), Some("mine"));
    }

    #[test]
    fn every_mode_checks_what_libpq_checks() {
        for (mode, alone, with_authority) in [
            ("disable", Check::Nothing, Check::Nothing),
            ("prefer", Check::Nothing, Check::Nothing),
            ("require", Check::Nothing, Check::Chain),
            ("verify-ca", Check::Chain, Check::Chain),
            ("verify-full", Check::Full, Check::Full),
        ] {
            let without = settings(serde_json::json!({"ssl_mode": mode}));
            assert_eq!(without.login().check(), alone, "{mode}");
            assert_eq!(without.login().ssl_mode.word(), mode);
            let with = settings(serde_json::json!({"ssl_mode": mode, "ca_file": "/ca.pem"}));
            assert_eq!(with.login().check(), with_authority, "{mode}");
        }
    }

    #[test]
    fn mistakes_are_found() {
        let wrong = settings(serde_json::json!({
            "host": " ", "tables": 51, "client_key": "/nowhere/key.pem", "ca_file": "/nowhere/ca.pem"
        }));
        let problems: Vec<_> = (wrong.check().into_iter())
            .map(|problem| {
                format!(
                    "{:?} {}: {}",
                    problem.severity, problem.key, problem.message
                )
            })
            .collect();
        assert_eq!(
            problems,
            [
                "Error host: `host` is empty",
                "Error tables: expected a whole number from 0 to 50, found `51`",
                "Error client_key: there is no `client_cert` beside it",
                "Warning ca_file: there is no file `/nowhere/ca.pem`",
                "Warning client_key: there is no file `/nowhere/key.pem`",
                "Warning ca_file: it has no effect with `ssl_mode: prefer`",
            ]
        );
    }

    #[test]
    fn another_engine_is_led_to_its_kind() {
        assert_eq!("PostgreSQL".parse(), Ok(Engine::Postgres));
        for (text, words) in [
            ("mysql", "watched under `mysql_servers`"),
            ("oracle", "expected `postgres`, found `oracle`"),
        ] {
            let error = text.parse::<Engine>().expect_err(text);
            assert!(error.contains(words), "{error}");
        }
    }
}
