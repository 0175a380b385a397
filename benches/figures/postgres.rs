//! A real PostgreSQL with TLS, and rounds of the release binary over databases on it.

use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tempfile::TempDir;

use crate::measure::{Run, run};
use crate::rounds::roundsman;

/// More than it ever takes.
const LONGEST_START: Duration = Duration::from_mins(1);

const PASSWORD: &str = "bench-password";

/// A running server; it ends when this is dropped.
pub(crate) struct Server {
    port: u16,
    child: Child,
    programs: PathBuf,
    folder: TempDir,
}

impl Server {
    /// Starts one with the certificate `server.pem` of a folder.
    pub(crate) fn start(certificates: &Path) -> Result<Self> {
        let programs = programs()?;
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD)?;
        own(folder.path())?;
        let made = as_postgres(&programs.join("initdb"))
            .arg("--pgdata")
            .arg(&data)
            .arg("--pwfile")
            .arg(&password)
            .args(["--username=postgres", "--auth=scram-sha-256", "--no-sync"])
            .stdout(Stdio::null())
            .status()?;
        if !made.success() {
            bail!("`initdb` failed");
        }
        for (from, to) in [("server.pem", "server.crt"), ("server.key", "server.key")] {
            fs::copy(certificates.join(from), data.join(to))?;
        }
        Command::new("chmod")
            .arg("600")
            .arg(data.join("server.key"))
            .status()?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let settings = format!(
            "port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nssl = on\nfsync = off\n\
             max_connections = 300\n"
        );
        fs::write(data.join("postgresql.auto.conf"), settings)?;
        own(folder.path())?;
        let child = as_postgres(&programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let server = Self {
            port,
            child,
            programs,
            folder,
        };
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if began.elapsed() > LONGEST_START {
                bail!("PostgreSQL does not start");
            }
            std::thread::yield_now();
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.folder.path().join("data");
        let stopped = as_postgres(&self.programs.join("pg_ctl"))
            .arg("stop")
            .arg("-D")
            .arg(data)
            .args(["-m", "immediate"])
            .stdout(Stdio::null())
            .status();
        if stopped.is_err() {
            self.child.kill().ok();
        }
        self.child.wait().ok();
    }
}

/// One round over so many databases, all of which must be GREEN.
pub(crate) fn round(folder: &Path, server: &Server, count: usize, only: &[&str]) -> Result<Run> {
    let mut config = String::from("targets:\n  databases:\n");
    for index in 0..count {
        writeln!(
            config,
            "    - {{name: db-{index:05}, host: 127.0.0.1, port: {}, database: postgres, ssl_mode: verify-full, \
             ca_file: authority.pem, password: {PASSWORD}}}",
            server.port
        )?;
    }
    let file = folder.join("databases.yaml");
    fs::write(&file, config)?;
    let run = run(roundsman(folder)
        .arg("--config")
        .arg(&file)
        .args(["--no-notify", "--format", "json"])
        .args(only))?;
    let report: Value = serde_json::from_str(&run.output)
        .with_context(|| format!("no report ({:?}): {}", run.exit_code, run.complaints))?;
    let expected = if only.is_empty() { count } else { 1 };
    if report["counts"]["green"].as_u64() != Some(u64::try_from(expected)?) {
        let first = &report["issues_found"][0];
        bail!("the report says {}; first issue: {first}", report["counts"]);
    }
    Ok(run)
}

/// Where the newest version's programs are: Debian keeps them out of the PATH.
fn programs() -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").context("PostgreSQL is not installed")?;
    let newest = versions
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .max();
    let version = newest.context("PostgreSQL is not installed")?;
    Ok(format!("/usr/lib/postgresql/{version}/bin").into())
}

/// PostgreSQL does not run as root.
fn as_postgres(program: &Path) -> Command {
    let mut command = Command::new("env");
    if is_root() {
        command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command.arg(program).current_dir("/");
    command
}

fn own(folder: &Path) -> Result<()> {
    if is_root() {
        let status = Command::new("chown")
            .args(["-R", "postgres:postgres"])
            .arg(folder)
            .status()?;
        if !status.success() {
            bail!("there is no user `postgres`");
        }
    }
    Ok(())
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
