//! The same looks through Debian's prometheus-blackbox-exporter, where it is installed.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::bare;
use crate::measure::{Line, short};

const PROGRAM: &str = "/usr/bin/prometheus-blackbox-exporter";

/// The unit of processor time in `/proc/PID/stat`, the same on every Linux that Rust runs on.
const TICK_MS: f64 = 10.0;

/// Its processor time per look. Nothing where it is not installed.
pub(crate) fn per_look(folder: &Path, ports: &[u16], count: usize) -> Result<Vec<Line>> {
    if !Path::new(PROGRAM).exists() {
        return Ok(Vec::new());
    }
    let config = folder.join("blackbox.yml");
    fs::write(
        &config,
        "modules: {http_2xx: {prober: http, timeout: 5s}}\n",
    )?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let child = Command::new(PROGRAM)
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let exporter = Exporter(child);
    wait_until_open(port)?;

    let requests: Vec<String> = (0..count)
        .map(|index| {
            let target = ports[index % ports.len()];
            format!(
                "{port} /probe?module=http_2xx&target=http%3A%2F%2F127.0.0.1%3A{target}%2F{index}\n"
            )
        })
        .collect();
    let file = folder.join("blackbox-requests.txt");
    fs::write(&file, requests.concat())?;
    let before = exporter.processor_ms()?;
    bare::client(&file, None)?;
    let looks = f64::from(u32::try_from(count)?);
    let each = (exporter.processor_ms()? - before) / looks;
    Ok(vec![Line::note(
        "blackbox_exporter, its probes alone",
        format!("{} ms", short(each)),
    )])
}

struct Exporter(Child);

impl Exporter {
    fn processor_ms(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        // The name in parentheses may hold anything; user and system time are the 12th and 13th field after it.
        let (_, fields) = stat.rsplit_once(") ").context("a name")?;
        let fields: Vec<&str> = fields.split(' ').collect();
        let ticks: u32 = fields
            .get(11..13)
            .context("too few fields")?
            .iter()
            .flat_map(|it| it.parse::<u32>())
            .sum();
        Ok(f64::from(ticks) * TICK_MS)
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        // It may have ended by itself, which showed as an error already.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn wait_until_open(port: u16) -> Result<()> {
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if began.elapsed() > Duration::from_secs(10) {
            bail!("blackbox_exporter did not start");
        }
        std::thread::yield_now();
    }
    Ok(())
}
