//! Ten thousand targets that fail at once, each on a host of its own: how much is said, how soon, and what it takes.
//!
//! The hosts are addresses of the benchmarking network (RFC 2544), which a network namespace has all to itself.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use roundsman::clock::{Clock as _, SystemClock};
use roundsman::model::Timestamp;
use serde_json::Value;

use crate::daemon::Daemon;
use crate::measure::Line;

const TARGETS: usize = 10_000;

/// As long as it is known that nothing more comes: the longest wait between two messages about many, and a little.
const UNTIL_QUIET: Duration = Duration::from_secs(200);

/// What the part inside the namespace prints.
#[derive(serde::Serialize, serde::Deserialize)]
struct Outcome {
    idle_mebibytes: f64,
    peak_mebibytes: f64,
    messages: usize,
    told: usize,
    first_after_last_look_ms: f64,
    first_after_first_look_ms: f64,
    last_after_last_look_ms: f64,
    processor_ms: f64,
}

/// Runs this binary again in a network namespace.
pub(crate) fn figures(folder: &Path) -> Result<Vec<Line>> {
    let folder = folder.join("storm");
    fs::create_dir_all(&folder)?;
    let script =
        "ip link set lo up && ip route add local 198.18.0.0/15 dev lo && exec \"$0\" storm \"$1\"";
    let output = Command::new("unshare")
        .args(["--net", "sh", "-c", script])
        .arg(std::env::current_exe()?)
        .arg(&folder)
        .output()
        .context("a network of its own needs root, `unshare` and `ip`")?;
    if !output.status.success() {
        bail!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let outcome: Outcome = serde_json::from_slice(&output.stdout)?;
    let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    Ok(vec![
        Line::at_most("messages to a channel", count(outcome.messages), "", 5.0),
        Line::at_most(
            "targets that no message tells of",
            count(TARGETS) - count(outcome.told),
            "",
            0.0,
        ),
        Line::at_most(
            "the first message, after the first confirming look",
            outcome.first_after_first_look_ms,
            "ms",
            2_000.0,
        ),
        Line::at_most(
            "the first message, after the last confirming look",
            outcome.first_after_last_look_ms.max(0.0),
            "ms",
            2_000.0,
        ),
        Line::note(
            "all are told, after the last confirming look",
            format!("{:.1} s", outcome.last_after_last_look_ms / 1_000.0),
        ),
        Line::at_most(
            "memory above idle, at its peak",
            outcome.peak_mebibytes - outcome.idle_mebibytes,
            "MB",
            100.0,
        ),
        Line::note(
            "resident while idle",
            format!("{:.1} MB", outcome.idle_mebibytes),
        ),
        Line::note(
            "processor, for two rounds and all that comes of them",
            format!("{:.1} s", outcome.processor_ms / 1_000.0),
        ),
    ])
}

#[derive(Default)]
struct Seen {
    is_ill: AtomicBool,
    posts: Mutex<Vec<(f64, Value)>>,
}

/// The part inside the namespace.
pub(crate) fn inside(folder: &str) -> Result<ExitCode> {
    let folder = Path::new(folder);
    let seen = Arc::new(Seen::default());
    let listener = TcpListener::bind("0.0.0.0:8080")?;
    let serving = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let seen = Arc::clone(&serving);
            std::thread::spawn(move || answer(stream, &seen).ok());
        }
    });
    let mut yaml =
        "monitoring: {every: 60s, confirm_after: 5s, adaptive: false, own_network: false}\n\
         report: {when: problems, schedule: \"0 0 1 1 *\"}\n\
         reporters: [{kind: webhook, url: \"http://198.18.0.1:8080/hook\"}]\n\
         targets:\n  api_endpoints:\n"
            .to_owned();
    for index in 0..TARGETS {
        let (high, low) = (index / 250, index % 250 + 1);
        yaml +=
            &format!("    - {{name: shop-{index}, url: \"http://198.19.{high}.{low}:8080/\"}}\n");
    }
    let config = folder.join("config.yaml");
    fs::write(&config, yaml)?;
    let daemon = Daemon::start(folder, &config, false)?;
    daemon.wait_for("round.ended", 2)?;
    let idle_mebibytes = daemon.resident_mebibytes()?;
    let before = daemon.processor()?;
    seen.is_ill.store(true, Ordering::SeqCst);
    let mut peak_mebibytes = idle_mebibytes;
    let mut quiet_since = std::time::Instant::now();
    let mut count = 0;
    while quiet_since.elapsed() < UNTIL_QUIET {
        crate::daemon::wait(Duration::from_millis(50));
        peak_mebibytes = peak_mebibytes.max(daemon.resident_mebibytes()?);
        let posts = seen.posts.lock().map_or(0, |posts| posts.len());
        if posts != count || count == 0 {
            (count, quiet_since) = (posts, std::time::Instant::now());
        }
    }
    let posts = seen
        .posts
        .lock()
        .map(|posts| posts.clone())
        .unwrap_or_default();
    let posts: Vec<_> = posts
        .iter()
        .filter(|(_, post)| post["event"] != "report")
        .collect();
    let opened: Vec<f64> = (daemon.events("incident.opened")?.iter())
        .filter_map(|event| milliseconds_of(event["timestamp"].as_str()?))
        .collect();
    let first_look = opened.iter().copied().fold(f64::INFINITY, f64::min);
    let last_look = opened.iter().copied().fold(0.0, f64::max);
    let (first, last) = (
        posts.first().context("no message")?.0,
        posts.last().context("none")?.0,
    );
    let outcome = Outcome {
        idle_mebibytes,
        peak_mebibytes,
        messages: posts.len(),
        told: told(&posts),
        first_after_first_look_ms: first - first_look,
        first_after_last_look_ms: first - last_look,
        last_after_last_look_ms: last - last_look,
        processor_ms: daemon.processor()?.saturating_sub(before).as_secs_f64() * 1_000.0,
    };
    println!("{}", serde_json::to_string(&outcome)?);
    Ok(ExitCode::SUCCESS)
}

/// How many targets the messages tell of: one that tells of very many counts those that it does not list.
fn told(posts: &[&(f64, Value)]) -> usize {
    let mut incidents = std::collections::BTreeSet::new();
    let mut counted = 0;
    for (_, post) in posts {
        let one = post["incident"]["id"].as_u64();
        let many = post["incidents"].as_array().into_iter().flatten();
        let many = many.filter_map(|incident| incident["id"].as_u64());
        incidents.extend(one.into_iter().chain(many));
        counted += post["incidents_left_out"].as_u64().unwrap_or(0);
    }
    incidents.len() + usize::try_from(counted).unwrap_or(0)
}

fn milliseconds_of(text: &str) -> Option<f64> {
    Some(since_1970(text.parse().ok()?))
}

/// In milliseconds.
#[expect(clippy::cast_precision_loss, reason = "53 bits last for a long time")]
fn since_1970(at: Timestamp) -> f64 {
    at.timestamp_micros() as f64 / 1_000.0
}

fn answer(mut stream: TcpStream, seen: &Seen) -> Result<()> {
    let mut request = Vec::new();
    let mut part = vec![0; 65_536];
    loop {
        let read = stream.read(&mut part)?;
        request.extend_from_slice(part.get(..read).unwrap_or_default());
        let head = request.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = head {
            let text =
                String::from_utf8_lossy(request.get(..end).unwrap_or_default()).to_lowercase();
            let length = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length
                .and_then(|length| length.trim().parse().ok())
                .unwrap_or(0);
            if request.len() >= end + 4 + length {
                if text.starts_with("post") {
                    let body = request.get(end + 4..).unwrap_or_default();
                    let post = serde_json::from_slice(body)?;
                    seen.posts
                        .lock()
                        .map_err(|_| anyhow::anyhow!("poisoned"))?
                        .push((since_1970(SystemClock.now()), post));
                }
                break;
            }
        }
        if read == 0 {
            return Ok(());
        }
    }
    let status = if seen.is_ill.load(Ordering::SeqCst) && !request.starts_with(b"POST") {
        "503 Service Unavailable"
    } else {
        "200 OK"
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
    )?;
    Ok(())
}
