//! What is watched, when all that can be named and said is hostile: endpoints, an engine with containers, a database.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Hostile;
use crate::support::servers::{RawServer, answering_as, raw};

/// So many endpoints have a hostile name, reason, body or expectation.
const ENDPOINTS: usize = 6;

/// Servers that are well until they are told otherwise, but for the database, which never is.
pub(super) struct World {
    endpoints: RawServer,
    engine: RawServer,
    database: RawServer,
    is_ill: Arc<AtomicBool>,
    texts: Vec<String>,
}

impl World {
    pub(super) async fn start(entries: &[Hostile]) -> Self {
        let texts: Vec<String> = entries.iter().map(|one| one.text.clone()).collect();
        let is_ill = Arc::new(AtomicBool::new(false));
        Self {
            endpoints: endpoints(texts.clone(), Arc::clone(&is_ill)).await,
            engine: engine(texts.clone(), Arc::clone(&is_ill)).await,
            database: database(texts[ENDPOINTS + 1].clone()).await,
            is_ill,
            texts,
        }
    }

    /// All but the database fail from now on.
    pub(super) fn fail(&self) {
        self.is_ill.store(true, Ordering::SeqCst);
    }

    /// How many targets there are.
    pub(super) const TARGETS: usize = ENDPOINTS + 3;

    /// The section `targets`.
    pub(super) fn targets(&self) -> String {
        let port = self.endpoints.port;
        let mut yaml = format!(
            "targets:\n  api_endpoints:\n    - {{name: partner, url: \"http://127.0.0.1:{port}/0\"}}\n"
        );
        for index in 1..=ENDPOINTS {
            let (name, text) = (name(index, &self.texts[index]), &self.texts[index]);
            // Each second answers well, but not what is wanted.
            let expected = if index % 2 == 0 {
                format!(", expect: {{contains: {}}}", quoted(text))
            } else {
                String::new()
            };
            writeln!(
                yaml,
                "    - {{name: {}, url: \"http://127.0.0.1:{port}/{index}\", depends_on: [partner], labels: {{team: {}}}{expected}}}",
                quoted(&name),
                quoted(&name),
            )
            .expect("a line");
        }
        writeln!(
            yaml,
            "  docker_hosts:\n    - {{name: {}, url: \"http://127.0.0.1:{}\"}}\n  databases:\n    - {{name: {}, host: 127.0.0.1, port: {}, \
             database: shop, username: watcher, password: canary-database, ssl_mode: disable}}",
            quoted(&name(90, &self.texts[0])),
            self.engine.port,
            quoted(&name(91, &self.texts[ENDPOINTS + 1])),
            self.database.port,
        )
        .expect("lines");
        yaml
    }
}

/// As long as a name may be, and on one line; the number keeps them apart.
fn name(number: usize, text: &str) -> String {
    let name: String = text.chars().filter(|one| !one.is_control()).collect();
    let name: String = format!("{number} {name}").chars().take(180).collect();
    name.trim().to_owned()
}

/// In YAML's quotes, whatever it is.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for one in text.chars() {
        if one.is_ascii_alphanumeric() || one == ' ' {
            quoted.push(one);
        } else {
            write!(quoted, "\\U{:08X}", u32::from(one)).expect("a character");
        }
    }
    quoted + "\""
}

fn with_body(head: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .into_bytes()
}

async fn endpoints(texts: Vec<String>, is_ill: Arc<AtomicBool>) -> RawServer {
    answering_as(move |request| {
        let path = request.split(' ').nth(1).unwrap_or("/0");
        let index: usize = path.trim_start_matches('/').parse().unwrap_or(0);
        let text = &texts[index];
        if !is_ill.load(Ordering::SeqCst) {
            return with_body("200 OK", text);
        }
        if index > 0 && index.is_multiple_of(2) {
            return with_body("200 OK", "something else: all is well");
        }
        // A reason is one line.
        let reason = text.replace(|one: char| one.is_control(), " ");
        with_body(&format!("503 {reason}"), text)
    })
    .await
}

async fn engine(texts: Vec<String>, is_ill: Arc<AtomicBool>) -> RawServer {
    answering_as(move |request| {
        let path = request.split(' ').nth(1).unwrap_or("/");
        let ill = is_ill.load(Ordering::SeqCst);
        if path.starts_with("/containers/json") {
            let all = texts.iter().enumerate().map(|(index, text)| {
                let (state, status) = match (ill, index % 2) {
                    (false, _) => ("running", "Up 2 hours"),
                    (true, 0) => ("exited", "Exited (3) 2 hours ago"),
                    (true, _) => ("running", "Up 2 hours (unhealthy)"),
                };
                json!({"Id": format!("c{index}"), "Names": [format!("/{index} {text}")], "Image": text, "State": state, "Status": status})
            });
            return with_body("200 OK", &all.collect::<serde_json::Value>().to_string());
        }
        let index = (path.strip_prefix("/containers/c"))
            .and_then(|rest| rest.strip_suffix("/json"))
            .and_then(|index| index.parse::<usize>().ok());
        let Some(text) = index.and_then(|index| texts.get(index)) else {
            return with_body("200 OK", "");
        };
        let state = json!({
            "ExitCode": 3, "Error": text, "StartedAt": "2026-01-01T00:00:00Z", "FinishedAt": "2026-01-01T01:00:00Z",
            "Health": {"FailingStreak": 4, "Log": [{"ExitCode": 1, "Output": text}]},
        });
        with_body("200 OK", &json!({"RestartCount": 0, "State": state}).to_string())
    })
    .await
}

/// Lets nobody in, and says why.
async fn database(text: String) -> RawServer {
    raw(move |mut stream| {
        let text = text.replace('\0', " ");
        async move {
            let mut asked = [0; 1024];
            if stream.read(&mut asked).await.unwrap_or_default() == 0 {
                return;
            }
            let fields = format!("SFATAL\0VFATAL\0C53300\0M{text}\0H{text}\0D{text}\0\0");
            let length = u32::try_from(fields.len() + 4).expect("not that long");
            stream.write_all(b"E").await.ok();
            stream.write_all(&length.to_be_bytes()).await.ok();
            stream.write_all(fields.as_bytes()).await.ok();
        }
    })
    .await
}
