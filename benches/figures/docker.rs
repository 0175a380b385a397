//! A Docker host with many containers: what a look at it costs. No engine runs hundreds of containers on a small
//! machine, so this one only answers: the texts are those of a real engine (20.10, as its `curl` shows them), with other
//! names and ids, and with the labels, networks and mounts that a compose file brings.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::figures::{Bench, several};
use crate::measure::{Line, median, milliseconds, run, short};
use crate::rounds::roundsman;

const CONTAINERS: usize = 500;
/// Every fiftieth is unhealthy, and as many failed lately.
const EACH: usize = 50;
const UNHEALTHY: usize = CONTAINERS / EACH;
const FAILED: usize = CONTAINERS / EACH;
/// As many as an engine keeps; three for each run of a health check.
const EVENTS: usize = 256;

/// An engine that only answers.
struct Recorder {
    port: u16,
    requests: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
}

pub(crate) fn containers(bench: &Bench) -> Result<Vec<Line>> {
    let engine = Recorder::start()?;
    let config = bench.path().join("docker.yaml");
    let port = engine.port;
    let text =
        format!("targets: {{docker_hosts: [{{name: many, url: 'tcp://127.0.0.1:{port}'}}]}}\n");
    std::fs::write(&config, text)?;
    let looks = several(|| {
        engine.requests.store(0, Ordering::SeqCst);
        engine.connections.store(0, Ordering::SeqCst);
        let mut command = roundsman(bench.path());
        command
            .arg("--config")
            .arg(&config)
            .args(["--no-notify", "--format", "json"]);
        let run = run(&mut command)?;
        let report: Value = serde_json::from_str(&run.output)
            .with_context(|| format!("no report: {}", run.complaints))?;
        let target = &report["targets"][0];
        let findings = target["findings"].as_array().map_or(0, Vec::len);
        if findings != UNHEALTHY + FAILED {
            bail!(
                "expected {} findings, found {findings}: {target}",
                UNHEALTHY + FAILED
            );
        }
        let took_ms = target["took_ms"].as_f64().context("how long it took")?;
        Ok((run, took_ms))
    })?;
    let requests = engine.requests.load(Ordering::SeqCst);
    let connections = engine.connections.load(Ordering::SeqCst);
    let beyond = requests - UNHEALTHY - FAILED;
    #[expect(clippy::cast_precision_loss, reason = "a few requests")]
    let beyond = beyond as f64;
    Ok(vec![
        Line::at_most(
            "processor time, whole process, report included",
            median(looks.iter().map(|(run, _)| milliseconds(run.processor))),
            "ms",
            150.0,
        ),
        Line::at_most(
            "requests beside one for each that is not well",
            beyond,
            "requests",
            2.0,
        ),
        Line::note("connections", connections.to_string()),
        Line::note(
            "the look, as its report says",
            format!(
                "{} ms",
                short(median(looks.iter().map(|(_, took_ms)| *took_ms)))
            ),
        ),
    ])
}

impl Recorder {
    fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let recorder = Self {
            port: listener.local_addr()?.port(),
            requests: Arc::default(),
            connections: Arc::default(),
        };
        let (requests, connections) = (
            Arc::clone(&recorder.requests),
            Arc::clone(&recorder.connections),
        );
        let (list, events, container) =
            (Arc::new(list()), Arc::new(events()?), Arc::new(container()));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                connections.fetch_add(1, Ordering::SeqCst);
                let requests = Arc::clone(&requests);
                let (list, events, container) = (
                    Arc::clone(&list),
                    Arc::clone(&events),
                    Arc::clone(&container),
                );
                std::thread::spawn(move || {
                    serve(stream, &requests, |path| match path {
                        path if path.starts_with("/containers/json") => list.as_str(),
                        path if path.starts_with("/events") => events.as_str(),
                        _ => container.as_str(),
                    })
                    .ok();
                });
            }
        });
        Ok(recorder)
    }
}

/// Answers one request after the other until the other side has enough.
fn serve<'a>(
    mut stream: TcpStream,
    requests: &AtomicUsize,
    answer: impl Fn(&str) -> &'a str,
) -> Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    while let Some(first) = lines.next().transpose()? {
        let path = first.split(' ').nth(1).context("a path")?.to_owned();
        for line in lines.by_ref() {
            if line?.is_empty() {
                break;
            }
        }
        requests.fetch_add(1, Ordering::SeqCst);
        let body = answer(&path);
        let head = format!(
            "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\nServer: Docker/20.10.24 (linux)\r\n\
             Date: Sat, 21 Nov 2026 14:39:55 GMT\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        // In one piece, as an engine writes it: two small ones wait for each other's acknowledgement.
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
    }
    Ok(())
}

fn id(number: usize) -> String {
    format!("{number:064x}")
}

fn list() -> String {
    let all = (0..CONTAINERS).map(|number| {
        let (state, status) = match number % EACH {
            0 => ("running", "Up 3 hours (unhealthy)"),
            1 => ("exited", "Exited (3) 28 seconds ago"),
            2..5 => ("exited", "Exited (0) 5 days ago"),
            _ => ("running", "Up 3 hours (healthy)"),
        };
        json!({
            "Id": id(number),
            "Names": [format!("/shop-service-{number}-1")],
            "Image": "registry.example.com/shop/service:2026.11.3",
            "ImageID": "sha256:4ecf3dad62142cf08dd30174fd2c1403d17d715fbf39e09ad567ca4c9196e0d6",
            "Command": "/usr/local/bin/entrypoint --config /etc/service/config.yaml",
            "Created": 1_795_271_991,
            "Ports": [{"IP": "0.0.0.0", "PrivatePort": 8080, "PublicPort": 20_000 + number, "Type": "tcp"}],
            "Labels": {
                "com.docker.compose.config-hash": id(number),
                "com.docker.compose.container-number": "1",
                "com.docker.compose.depends_on": "database:service_healthy:false",
                "com.docker.compose.image": "sha256:4ecf3dad62142cf08dd30174fd2c1403d17d715fbf39e09ad567ca4c9196e0d6",
                "com.docker.compose.project": "shop",
                "com.docker.compose.project.config_files": "/srv/shop/compose.yaml",
                "com.docker.compose.service": format!("service-{number}"),
                "com.docker.compose.version": "2.29.7",
            },
            "State": state,
            "Status": status,
            "HostConfig": {"NetworkMode": "shop_default"},
            "NetworkSettings": {"Networks": {"shop_default": {
                "IPAMConfig": null, "Links": null, "Aliases": null,
                "NetworkID": id(1), "EndpointID": id(number), "Gateway": "172.18.0.1",
                "IPAddress": "172.18.0.9", "IPPrefixLen": 16, "IPv6Gateway": "", "GlobalIPv6Address": "",
                "GlobalIPv6PrefixLen": 0, "MacAddress": "02:42:ac:12:00:09", "DriverOpts": null,
            }}},
            "Mounts": [{
                "Type": "volume", "Name": "shop_data", "Source": "/var/lib/docker/volumes/shop_data/_data",
                "Destination": "/data", "Driver": "local", "Mode": "z", "RW": true, "Propagation": "",
            }],
        })
    });
    Value::Array(all.collect()).to_string()
}

fn events() -> Result<String> {
    let mut events = String::new();
    for number in 0..EVENTS {
        let what = [
            "exec_create: /bin/sh -c check",
            "exec_start: /bin/sh -c check",
            "exec_die",
        ][number % 3];
        let event = json!({
            "status": what, "id": id(number), "from": "registry.example.com/shop/service:2026.11.3",
            "Type": "container", "Action": what,
            "Actor": {"ID": id(number), "Attributes": {
                "com.docker.compose.project": "shop", "com.docker.compose.service": format!("service-{number}"),
                "execID": id(number), "image": "registry.example.com/shop/service:2026.11.3",
                "name": format!("shop-service-{number}-1"),
            }},
            "scope": "local", "time": 1_795_271_990, "timeNano": 1_795_271_990_743_592_175_u64,
        });
        writeln!(events, "{event}")?;
    }
    Ok(events)
}

/// What an engine says of one: 5 kB, of which the health check's log is the largest part.
fn container() -> String {
    let check = json!({
        "Start": "2026-11-21T14:39:50.686445458Z", "End": "2026-11-21T14:39:50.743864174Z",
        "ExitCode": 1, "Output": "curl: (7) Failed to connect to localhost port 8080: Connection refused\n",
    });
    json!({
        "Id": id(0), "Created": "2026-11-21T14:39:27.2Z", "Path": "/usr/local/bin/entrypoint",
        "Args": ["--config", "/etc/service/config.yaml"],
        "State": {
            "Status": "running", "Running": true, "Paused": false, "Restarting": false, "OOMKilled": false,
            "Dead": false, "Pid": 6490, "ExitCode": 3, "Error": "", "StartedAt": "2026-11-21T11:39:27.579828995Z",
            "FinishedAt": "2026-11-21T14:39:27.579828995Z",
            "Health": {"Status": "unhealthy", "FailingStreak": 26, "Log": vec![check; 5]},
        },
        "RestartCount": 0,
        "Config": {
            "Env": vec!["A_VARIABLE_OF_THE_SERVICE=with some value"; 30],
            "Healthcheck": {"Test": ["CMD-SHELL", "check"], "Interval": 1_000_000_000, "Retries": 1},
        },
        "HostConfig": {"MaskedPaths": vec!["/proc/some/path/that/is/masked"; 30]},
    })
    .to_string()
}
