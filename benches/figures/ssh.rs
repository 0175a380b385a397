//! Servers over SSH: a port of an sshd for each target, and rounds over all of them in a process of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use roundsman::app::{App, Before};
use roundsman::clients::Clients;
use roundsman::collectors::vps_servers::Settings;
use roundsman::config::{self, Environment, Found, Plan};
use tokio::task::JoinSet;

use crate::measure::{Line, median, milliseconds, run};

const TARGETS: usize = 100;
/// One sshd has no more sockets that listen (`MAX_LISTEN_SOCKS`).
const PORTS_OF_ONE: usize = 16;
/// Over how long the looks of a round begin, as in the daemon: all servers are this one machine, and hundred shells at
/// once would fill each other's lists of processes.
const SPREAD: Duration = Duration::from_secs(20);
const LATER_ROUNDS: usize = 2;
/// How often the logins alone are measured.
const LOGINS: usize = 3;
/// They keep a small machine busy all the same.
const TIMEOUT: Duration = Duration::from_mins(2);

/// An sshd that ends with this.
struct Sshd(Child);

impl Drop for Sshd {
    fn drop(&mut self) {
        // It is ours and has not been waited for.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// The processor time of a look: in the round that connects and logs in, and in the rounds that follow.
pub(crate) fn figures(folder: &Path) -> Result<Vec<Line>> {
    let folder = &folder.join("ssh");
    std::fs::create_dir_all(folder)?;
    let (_servers, config) = start(folder)?;
    let rounds = in_a_process("ssh-rounds", &config)?;
    let (first, later) = rounds.split_first().context("a round")?;
    let mut sessions = Vec::new();
    for _ in 0..LOGINS {
        sessions.extend(in_a_process("ssh-sessions", &config)?);
    }
    Ok(vec![
        Line::at_most("first round, processor time per look", *first, "ms", 10.0),
        Line::note(
            "of which connecting, checking the host key and logging in",
            format!("{:.1} ms", median(sessions)),
        ),
        Line::at_most(
            "later rounds, processor time per look",
            median(later.to_vec()),
            "ms",
            2.0,
        ),
    ])
}

/// The milliseconds that a process of ours prints, one line for each round.
fn in_a_process(mode: &str, config: &Path) -> Result<Vec<f64>> {
    let mut command = Command::new(std::env::current_exe()?);
    let run = run(command.arg(mode).arg(config))?;
    if run.exit_code != Some(0) {
        bail!("{mode} failed: {}{}", run.output, run.complaints);
    }
    let lines = run.output.lines();
    Ok(lines.map(str::parse).collect::<Result<_, _>>()?)
}

fn start(folder: &Path) -> Result<(Vec<Sshd>, PathBuf)> {
    let place = folder.display();
    let keygen = |name: &str| -> Result<String> {
        let file = folder.join(name);
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"])
            .arg(&file)
            .status()
            .context("`ssh-keygen` is needed")?;
        if !made.success() {
            bail!("`ssh-keygen` failed");
        }
        Ok(std::fs::read_to_string(file.with_extension("pub"))?)
    };
    let (host, client) = (keygen("host")?, keygen("client")?);
    // Held until all are known, so that no two are the same.
    let held: Vec<TcpListener> = (0..TARGETS)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .collect::<Result<_, _>>()?;
    let mut ports = Vec::new();
    for one in &held {
        ports.push(one.local_addr()?.port());
    }
    drop(held);
    let mut known_hosts = String::new();
    let mut config = String::from("targets:\n  vps_servers:\n");
    for port in &ports {
        write!(known_hosts, "[127.0.0.1]:{port} {host}")?;
        writeln!(
            config,
            "    - {{host: 127.0.0.1, port: {port}, ssh_key_path: {place}/client, known_hosts: \
             {place}/known_hosts, timeout_ms: {}}}",
            TIMEOUT.as_millis()
        )?;
    }
    std::fs::write(folder.join("known_hosts"), known_hosts)?;
    std::fs::write(folder.join("authorized_keys"), client)?;
    std::fs::write(folder.join("config.yaml"), config)?;
    // The path is compiled in; packages make it when they start.
    std::fs::create_dir_all("/run/sshd").context("sshd needs `/run/sshd`, and so root")?;
    let servers = ports.chunks(PORTS_OF_ONE).map(|ports| serve(folder, ports));
    let servers: Vec<Sshd> = servers.collect::<Result<_>>()?;
    Ok((servers, folder.join("config.yaml")))
}

/// Starts one sshd, and waits until it listens.
fn serve(folder: &Path, ports: &[u16]) -> Result<Sshd> {
    let place = folder.display();
    let mut config = String::new();
    for port in ports {
        writeln!(config, "Port {port}")?;
    }
    write!(
        config,
        "ListenAddress 127.0.0.1\nHostKey {place}/host\nAuthorizedKeysFile {place}/authorized_keys\nUsePAM no\n\
         StrictModes no\nPidFile none\nMaxStartups 1000\nPasswordAuthentication no\n"
    )?;
    let first = ports.first().context("a port")?;
    let file = folder.join(format!("sshd_config-{first}"));
    std::fs::write(&file, config)?;
    let log = folder.join(format!("log-{first}"));
    let sshd = Command::new("/usr/sbin/sshd")
        .args(["-D", "-f"])
        .arg(&file)
        .arg("-E")
        .arg(&log)
        .stdin(Stdio::null())
        .spawn()
        .context("`/usr/sbin/sshd` is needed")?;
    let sshd = Sshd(sshd);
    let began = Instant::now();
    let listens = |text: String| text.matches("Server listening on").count() >= ports.len();
    while !std::fs::read_to_string(&log).is_ok_and(listens) {
        if began.elapsed() > Duration::from_secs(20) {
            bail!("sshd does not listen: {}", std::fs::read_to_string(&log)?);
        }
    }
    Ok(sshd)
}

/// What the process with the rounds does: the parts that the program itself is made of.
pub(crate) fn rounds(config: &str) -> Result<ExitCode> {
    let plan = plan(config)?;
    let app = App::new(&plan.watched, &plan).spread_over(SPREAD);
    runtime()?.block_on(async {
        for _ in 0..=LATER_ROUNDS {
            let before = processor_time()?;
            let report = app
                .round(&plan.watched, &Before::default(), true, &|_| ())
                .await;
            print(before, plan.watched.len())?;
            // Hundred shells on one machine make it busy, so that their status may be any.
            if let Some(failure) = report.targets.iter().find_map(|one| one.failure.as_ref()) {
                bail!("{failure:?}");
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// What the process does that only logs in.
pub(crate) fn sessions(config: &str) -> Result<ExitCode> {
    let plan = plan(config)?;
    let clients = Clients::within(&plan.surroundings);
    let round_began = Instant::now();
    runtime()?.block_on(async {
        let before = processor_time()?;
        let mut tasks = JoinSet::new();
        for one in &plan.watched {
            let target = one.target.clone();
            let ssh = clients.ssh.clone();
            tasks.spawn(async move {
                let settings = target.settings.downcast_ref::<Settings>();
                let settings = &settings.context("a server")?.ssh;
                Ok::<_, anyhow::Error>(ssh.session(settings, round_began, TIMEOUT).await?)
            });
        }
        let mut held = Vec::new();
        while let Some(session) = tasks.join_next().await {
            held.push(session??);
        }
        print(before, plan.watched.len())?;
        Ok(ExitCode::SUCCESS)
    })
}

fn plan(config: &str) -> Result<Plan> {
    let mut problems = Vec::new();
    let environment = Environment::from_parts(BTreeMap::new(), Path::new("."), &mut problems);
    let Found::File(loaded) = config::load(Some(Path::new(config)), &environment, Path::new("."))
    else {
        bail!("no configuration");
    };
    loaded.plan.context("a configuration without mistakes")
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}

/// The processor time of this process so far, all threads, user and system.
fn processor_time() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let total = usage.user_time() + usage.system_time();
    let microseconds = total.tv_sec() * 1_000_000 + total.tv_usec();
    Ok(Duration::from_micros(u64::try_from(microseconds)?))
}

#[expect(clippy::print_stdout, reason = "the process that started us reads it")]
fn print(before: Duration, looks: usize) -> Result<()> {
    let took = processor_time()?.saturating_sub(before);
    println!(
        "{:.4}",
        milliseconds(took) / f64::from(u32::try_from(looks)?)
    );
    Ok(())
}
