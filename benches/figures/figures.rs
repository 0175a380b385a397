//! The figures themselves: what is run, what is read off, and what must be reached.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

use crate::measure::{Line, Run, descriptor_limit, median, milliseconds, run, short};
use crate::rounds::{Round, Shape, Targets, round, roundsman, without_looks};
use crate::server::{Server, Wanted};
use crate::{aws, bare, blackbox, docker, postgres};

const RUNS: usize = 5;
const ANSWER_AFTER: Duration = Duration::from_millis(50);
const MEBIBYTE: f64 = 1024.0 * 1024.0;

type Part = fn(&Bench) -> Result<Vec<Line>>;

/// All parts by the name that chooses them.
pub(crate) const PARTS: &[(&str, Part)] = &[
    ("no-configuration", no_configuration),
    ("http: 1,000 targets that answer after 50 ms", http),
    (
        "https: 1,000 targets, fresh TLS, certificate checked",
        https,
    ),
    ("spread: 1,000 HTTPS targets over 60 s", spread),
    (
        "silent: 10,000 targets, 5,000 of them silent, time-out 2 s",
        silent,
    ),
    ("ssh: 100 servers, one connection each", |bench| {
        crate::ssh::figures(bench.path())
    }),
    ("postgres: 100 databases, fresh TLS, SCRAM", databases),
    (
        "docker: a host with 500 containers, 20 of them not well",
        docker::containers,
    ),
    (
        "ec2: 500 instances in one region, each call 200 ms",
        aws::instances,
    ),
    ("s3: 200 buckets, each call 200 ms", aws::buckets),
    ("purse: 1,000 reservations from 4 processes", |bench| {
        crate::purse::figures(bench.path())
    }),
    ("idle: a daemon with 100 targets every 6 hours", |bench| {
        crate::daemon::idle(bench.path())
    }),
    (
        "busy: a daemon with 10,000 HTTP targets every 60 s for 10 minutes",
        |bench| crate::daemon::busy(bench.path()),
    ),
    ("start: 10,000 targets and 1 GiB of memory", |bench| {
        crate::daemon::start(bench.path())
    }),
    ("storm: 10,000 targets turn RED at once", |bench| {
        crate::storm::figures(bench.path())
    }),
    ("baselines: 50 metrics of each of 1,000 targets", |bench| {
        crate::baselines::figures(bench.path())
    }),
    ("correlation: 1,000 in trouble among 10,000 targets", |_| {
        crate::correlate::figures()
    }),
    ("whole path: looks judged, correlated and reported", |_| {
        crate::whole_path::figures()
    }),
    ("words: a language model that is dead", |bench| {
        crate::words::figures(bench.path())
    }),
    ("store: looks of 5 samples", |bench| {
        crate::store::figures(bench.path())
    }),
];

/// What the parts share: a folder that goes away, and certificates in it.
pub(crate) struct Bench {
    folder: TempDir,
    authority: PathBuf,
}

impl Bench {
    /// Makes the folder and the certificates.
    pub(crate) fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let authority = folder.path().join("authority.pem");
        let (key, server_key) = (KeyPair::generate()?, KeyPair::generate()?);
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "Roundsman's bench");
        std::fs::write(&authority, params.self_signed(&key)?.pem())?;
        let issuer = Issuer::new(params, key);
        let server = CertificateParams::new(["127.0.0.1".to_owned(), "localhost".to_owned()])?;
        let server = server.signed_by(&server_key, &issuer)?;
        std::fs::write(folder.path().join("server.pem"), server.pem())?;
        std::fs::write(folder.path().join("server.key"), server_key.serialize_pem())?;
        Ok(Self { folder, authority })
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// From the start of the process to its end: this machine, the report on the terminal.
fn no_configuration(_: &Bench) -> Result<Vec<Line>> {
    let (mut walls, mut samples) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let empty = tempfile::tempdir()?;
        let run = run(roundsman(empty.path()).args(["--no-notify", "--format", "json"]))?;
        let report: serde_json::Value = serde_json::from_str(&run.output)
            .with_context(|| format!("no report ({:?}): {}", run.exit_code, run.complaints))?;
        let sample = report["targets"][0]["facts"]["cpu_interval_ms"].as_str();
        samples.push(sample.context("a processor sample")?.parse()?);
        walls.push(milliseconds(run.wall));
    }
    Ok(vec![
        Line::at_most(
            "process start to finished report",
            median(walls),
            "ms",
            400.0,
        ),
        Line::at_most(
            "of which the processor sample",
            median(samples),
            "ms",
            250.0,
        ),
    ])
}

fn http(bench: &Bench) -> Result<Vec<Line>> {
    let wanted = Wanted {
        answering: 8,
        delay: ANSWER_AFTER,
        ..Wanted::default()
    };
    let server = Server::start(wanted)?;
    let shape = Shape {
        count: 1_000,
        answering: &server.ports,
        silent: &[],
        authority: None,
        timeout_ms: 5_000,
    };
    let targets = Targets::write(bench.path(), &shape)?;
    let rounds = several(|| round(&targets))?;
    let mut lines = vec![Line::at_most(
        "one round, as its report says",
        median(rounds.iter().map(|round| round.duration_ms)),
        "ms",
        250.0,
    )];
    lines.extend(per_look(&targets, &rounds, None, 0.15)?);
    lines.extend(blackbox::per_look(
        bench.path(),
        &server.ports,
        targets.count,
    )?);
    Ok(lines)
}

/// A server with 1,000 HTTPS targets, and the configuration that names them.
fn https_targets(bench: &Bench) -> Result<(Server, Targets)> {
    let wanted = Wanted {
        answering: 8,
        delay: ANSWER_AFTER,
        tls: Some(bench.path()),
        ..Wanted::default()
    };
    let server = Server::start(wanted)?;
    let authority = Some(bench.authority.as_path());
    let shape = Shape {
        count: 1_000,
        answering: &server.ports,
        silent: &[],
        authority,
        timeout_ms: 5_000,
    };
    let targets = Targets::write(bench.path(), &shape)?;
    Ok((server, targets))
}

fn https(bench: &Bench) -> Result<Vec<Line>> {
    let authority = Some(bench.authority.as_path());
    let (_server, targets) = https_targets(bench)?;
    let rounds = several(|| round(&targets))?;
    let duration = median(rounds.iter().map(|round| round.duration_ms));
    let mut lines = vec![Line::note(
        "one round, as its report says",
        format!("{} ms", short(duration)),
    )];
    lines.extend(per_look(&targets, &rounds, authority, 0.4)?);
    Ok(lines)
}

/// One run: five would take as many minutes, and the peak of memory hardly varies.
fn spread(bench: &Bench) -> Result<Vec<Line>> {
    let (_server, targets) = https_targets(bench)?;
    let run = crate::spread::process(&targets.config)?;
    Ok(vec![Line::at_most(
        "resident memory, one run",
        megabytes(run.peak_bytes),
        "MB",
        40.0,
    )])
}

fn silent(bench: &Bench) -> Result<Vec<Line>> {
    let count = 10_000;
    if descriptor_limit()? < count + 1_000 {
        bail!(
            "a process may have {} descriptors only: see `ulimit -Hn`",
            descriptor_limit()?
        );
    }
    let wanted = Wanted {
        answering: 16,
        silent: 16,
        delay: ANSWER_AFTER,
        ..Wanted::default()
    };
    let server = Server::start(wanted)?;
    let (answering, silent) = server.ports.split_at(wanted.answering);
    let count = usize::try_from(count)?;
    let shape = Shape {
        count,
        answering,
        silent,
        authority: None,
        timeout_ms: 2_000,
    };
    let targets = Targets::write(bench.path(), &shape)?;
    let rounds = several(|| round(&targets))?;
    let seconds = median(rounds.iter().map(|round| round.run.wall.as_secs_f64()));
    Ok(vec![
        Line::at_most("process start to finished report", seconds, "s", 4.0),
        memory(&rounds, 200.0),
    ])
}

fn databases(bench: &Bench) -> Result<Vec<Line>> {
    let (count, share) = (100, 100_u32);
    let server = postgres::Server::start(bench.path())?;
    let each = |run: &Run| milliseconds(run.processor / share);
    let only = ["--only", "db-00000"];
    let rest = several(|| postgres::round(bench.path(), &server, count, &only))?;
    let rounds = several(|| postgres::round(bench.path(), &server, count, &[]))?;
    let one = several(|| postgres::round(bench.path(), &server, 1, &[]))?;
    Ok(vec![
        Line::at_most(
            "processor time per look, whole process",
            median(rounds.iter().map(each)),
            "ms",
            5.0,
        ),
        Line::note(
            "of which start, configuration, report and one look",
            format!("{} ms", short(median(rest.iter().map(each)))),
        ),
        Line::note(
            "process start to finished report, one database",
            format!(
                "{} ms",
                short(median(one.iter().map(|run| milliseconds(run.wall))))
            ),
        ),
        Line::note(
            "process start to finished report",
            format!(
                "{} ms",
                short(median(rounds.iter().map(|run| milliseconds(run.wall))))
            ),
        ),
    ])
}

/// The processor time of a look, connection included: of the whole process, start, configuration and report as
/// well; beside it what of that is not looks, and what a bare client needs.
fn per_look(
    targets: &Targets,
    rounds: &[Round],
    authority: Option<&Path>,
    target_ms: f64,
) -> Result<Vec<Line>> {
    let each = |runs: Vec<&Run>| {
        let looks = u32::try_from(targets.count).unwrap_or(u32::MAX);
        median(
            runs.into_iter()
                .map(|run| milliseconds(run.processor / looks)),
        )
    };
    let ours = each(rounds.iter().map(|round| &round.run).collect());
    let rest = several(|| without_looks(targets))?;
    let rest = each(rest.iter().collect());
    let bare = several(|| bare::client(&targets.requests, authority))?;
    let bare = each(bare.iter().collect());
    let wall = median(rounds.iter().map(|round| milliseconds(round.run.wall)));
    Ok(vec![
        Line::note(
            "process start to finished report",
            format!("{} ms", short(wall)),
        ),
        Line::at_most(
            "processor time per look, whole process",
            ours,
            "ms",
            target_ms,
        ),
        Line::note(
            "of which start, configuration and report",
            format!("{} ms", short(rest)),
        ),
        Line::note(
            "a bare client in the same run",
            format!("{} ms", short(bare)),
        ),
        Line::note("ours to bare", short(ours / bare)),
        Line::note("resident memory", format!("{} MB", short(peak(rounds)))),
    ])
}

fn memory(rounds: &[Round], target: f64) -> Line {
    Line::at_most("resident memory", peak(rounds), "MB", target)
}

fn peak(rounds: &[Round]) -> f64 {
    median(rounds.iter().map(|round| megabytes(round.run.peak_bytes)))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a peak of 2^53 bytes is not to be feared"
)]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / MEBIBYTE
}

/// As many runs as a figure is the median of.
pub(crate) fn several<T>(measure: impl Fn() -> Result<T>) -> Result<Vec<T>> {
    (0..RUNS).map(|_| measure()).collect()
}
