//! Real PostgreSQL servers, on free ports, with all their state in folders that go with them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};

use super::certificates::authority;
use super::children::{Server, free_port, listening, require};

/// Of the superuser `postgres`, who owns all.
pub(crate) const OWNER: &str = "owner-canary";

/// Of every other role.
pub(crate) const PASSWORD: &str = "password-canary";

/// A running server. Its roles, all with [`PASSWORD`]: `watcher` may log in and nothing else, `monitor` is in
/// `pg_monitor`, `tls_only` and `plain_only` must come so, `certified` needs a certificate, `md5` and `cleartext` log in
/// in these ways, `barred` may not use the database `closed`, `nobody` has no line in `pg_hba.conf`; `ghost` has a line
/// but is no role.
pub(crate) struct Postgres {
    pub(crate) port: u16,
    /// The folder of its local socket.
    pub(crate) socket: PathBuf,
    settings: String,
    _server: Server,
}

const RULES: &str = "
local all all scram-sha-256
hostssl all certified all cert
hostssl all tls_only all scram-sha-256
hostnossl all plain_only all scram-sha-256
host all md5 all md5
host all cleartext all password
host all ghost all trust
host all postgres,watcher,monitor,barred all scram-sha-256
host replication postgres all scram-sha-256
";

const ROLES: &str = "
CREATE ROLE watcher LOGIN PASSWORD 'password-canary';
CREATE ROLE monitor LOGIN PASSWORD 'password-canary' IN ROLE pg_monitor;
CREATE ROLE tls_only LOGIN PASSWORD 'password-canary';
CREATE ROLE plain_only LOGIN PASSWORD 'password-canary';
CREATE ROLE certified LOGIN;
CREATE ROLE cleartext LOGIN PASSWORD 'password-canary';
CREATE ROLE barred LOGIN PASSWORD 'password-canary';
CREATE ROLE nobody LOGIN PASSWORD 'password-canary';
SET password_encryption = md5;
CREATE ROLE md5 LOGIN PASSWORD 'password-canary';
";

/// The server that most tests share: with TLS and a good certificate for `localhost`, `127.0.0.1` and `::1`.
pub(crate) async fn postgres() -> &'static Postgres {
    static MAIN: OnceCell<Postgres> = OnceCell::const_new();
    MAIN.get_or_init(with_roles).await
}

/// Another one of the same kind, which standbys may follow.
pub(crate) async fn primary() -> &'static Postgres {
    static PRIMARY: OnceCell<Postgres> = OnceCell::const_new();
    PRIMARY.get_or_init(with_roles).await
}

async fn with_roles() -> Postgres {
    let server = Postgres::create("ssl = on\nmax_prepared_transactions = 4\n").await;
    let owner = server.owner("postgres").await;
    owner.batch_execute(ROLES).await.expect("roles");
    server
}

/// A server without TLS, with one connection for ordinary roles and one for superusers. `watcher` may log in.
pub(crate) async fn small() -> &'static Postgres {
    static SMALL: OnceCell<Postgres> = OnceCell::const_new();
    let start = || async {
        let settings =
            "max_connections = 4\nsuperuser_reserved_connections = 3\nmax_wal_senders = 0\n";
        let server = Postgres::create(settings).await;
        let owner = server.owner("postgres").await;
        let sql = "CREATE ROLE watcher LOGIN PASSWORD 'password-canary'";
        owner.batch_execute(sql).await.expect("a role");
        server
    };
    SMALL.get_or_init(start).await
}

impl Postgres {
    /// A new server.
    async fn create(settings: &str) -> Self {
        let folder = folder();
        let data = folder.join("data");
        std::fs::write(folder.join("password"), OWNER).expect("a password");
        own(&folder);
        let (target, password) = (text(&data), text(&folder.join("password")));
        run(
            "initdb",
            &[
                "--pgdata",
                &target,
                "--pwfile",
                &password,
                "--username=postgres",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ],
        );
        let pair = authority().good();
        let write = |name: &str, text: &str| {
            std::fs::write(data.join(name), text).expect("a file of PostgreSQL");
        };
        write("pg_hba.conf", RULES);
        write("server.crt", &pair.certificate);
        write("server.key", &pair.key);
        let own_authority = authority().file();
        std::fs::copy(own_authority.path(), data.join("root.crt")).expect("the authority");
        Command::new("chmod")
            .args(["600", &text(&data.join("server.key"))])
            .status()
            .expect("`chmod` runs");
        Self::start(&folder, settings).await
    }

    /// A standby that follows this server under that name. `settings`: further ones.
    pub(crate) async fn standby(&self, name: &str, settings: &str) -> Self {
        let standby = self.cold_standby(name, settings).await;
        standby.owner("postgres").await;
        standby
    }

    /// As [`Self::standby`], but nobody waits until it lets anybody in.
    pub(crate) async fn cold_standby(&self, name: &str, settings: &str) -> Self {
        let folder = folder();
        own(&folder);
        let from = format!(
            "host=127.0.0.1 port={} user=postgres password={OWNER} application_name={name}",
            self.port
        );
        let target = text(&folder.join("data"));
        run(
            "pg_basebackup",
            &[
                "--dbname",
                &from,
                "--pgdata",
                &target,
                "--write-recovery-conf",
                "--checkpoint=fast",
                "--no-sync",
            ],
        );
        // A standby that has less room than its primary stops.
        Self::start(&folder, &(self.settings.clone() + settings)).await
    }

    async fn start(folder: &Path, settings: &str) -> Self {
        let data = folder.join("data");
        let port = free_port();
        let whole = format!(
            "port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\nfsync = off\n\
             ssl_ca_file = 'root.crt'\nautovacuum = off\nmax_wal_size = 64MB\nshared_buffers = 8MB\n{settings}",
            folder.display()
        );
        std::fs::write(data.join("postgresql.auto.conf"), whole + &kept(&data)).expect("settings");
        own(folder);
        // SIGTERM would let it wait for its clients; and `sh` does not pass a signal on by itself.
        let script = r#"exec 2>"$1"; shift; "$@" & server=$!; trap 'kill -INT $server' TERM; wait $server; wait $server"#;
        let program = text(&programs().join("postgres"));
        let (target, log) = (text(&data), text(&folder.join("log")));
        let mut command = as_postgres();
        command
            .extend(["sh", "-c", script, "sh", &log, &program, "-D", &target].map(str::to_owned));
        let arguments: Vec<_> = command.iter().skip(1).map(String::as_str).collect();
        let server = Server::start(folder, &command[0], &arguments);
        listening(port, "PostgreSQL").await;
        Self {
            port,
            socket: folder.to_owned(),
            settings: settings.to_owned(),
            _server: server,
        }
    }

    /// A session of the superuser, as soon as the server lets anybody in.
    pub(crate) async fn owner(&self, database: &str) -> Client {
        let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
        loop {
            match self.session("postgres", OWNER, database).await {
                Ok(client) => return client,
                Err(error) if tokio::time::Instant::now() > deadline => {
                    let log = std::fs::read_to_string(self.socket.join("log"));
                    panic!(
                        "PostgreSQL does not let us in: {error:?}\n{}",
                        log.unwrap_or_default()
                    )
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }

    /// A new database, for one test, and a session of its owner.
    pub(crate) async fn database(&self, name: &str) -> Client {
        let owner = self.owner("postgres").await;
        let sql = format!("CREATE DATABASE {name}");
        owner.batch_execute(&sql).await.expect("a database");
        self.owner(name).await
    }

    /// A session of a role, which ends when this is dropped.
    pub(crate) async fn session(
        &self,
        role: &str,
        password: &str,
        database: &str,
    ) -> Result<Client, tokio_postgres::Error> {
        let text = format!(
            "host=127.0.0.1 port={} user={role} password={password} dbname={database}",
            self.port
        );
        let (client, connection) = tokio_postgres::connect(&text, NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

/// What a standby was made with, which a restart must not forget.
fn kept(data: &Path) -> String {
    let before = std::fs::read_to_string(data.join("postgresql.auto.conf")).unwrap_or_default();
    let kept = before
        .lines()
        .filter(|line| line.starts_with("primary_conninfo"));
    kept.collect::<Vec<_>>().join("\n")
}

fn folder() -> PathBuf {
    tempfile::tempdir().expect("a folder").keep()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Where the newest version's programs are: Debian keeps them out of the PATH.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let newest = versions
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .max();
    if let Some(version) = newest {
        return format!("/usr/lib/postgresql/{version}/bin").into();
    }
    require("postgres");
    let found = Command::new("sh")
        .args(["-c", "command -v postgres"])
        .output();
    let found = String::from_utf8(found.expect("`sh` runs").stdout).expect("UTF-8");
    Path::new(found.trim())
        .parent()
        .expect("a folder")
        .to_owned()
}

/// PostgreSQL does not run as root.
fn as_postgres() -> Vec<String> {
    let root = rustix::process::geteuid().is_root();
    let words: &[&str] = if root {
        &[
            "setpriv",
            "--reuid=postgres",
            "--regid=postgres",
            "--clear-groups",
        ]
    } else {
        &["env"]
    };
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Makes the folder and all in it the server's own.
fn own(folder: &Path) {
    if rustix::process::geteuid().is_root() {
        let status = Command::new("chown")
            .args(["-R", "postgres:postgres", &text(folder)])
            .status();
        assert!(
            status.expect("`chown` runs").success(),
            "there is a user `postgres`"
        );
    }
}

fn run(program: &str, arguments: &[&str]) {
    let mut command = as_postgres();
    command.push(text(&programs().join(program)));
    let output = Command::new(&command[0])
        .args(&command[1..])
        .args(arguments)
        .current_dir("/")
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`{program}` failed: {said}");
}
