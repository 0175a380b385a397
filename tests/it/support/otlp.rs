//! Receivers of spans: one that others wrote, and a recorder of our own that is as strict as the standard.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::children::{Server, free_port, listening};
use super::packages::installed;
use super::servers::{RawServer, raw};

/// Nothing is waited for longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A span as it arrived, its attributes as text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Arrived {
    pub(crate) name: String,
    pub(crate) id: Vec<u8>,
    pub(crate) parent: Vec<u8>,
    pub(crate) trace: Vec<u8>,
    pub(crate) took: Duration,
    pub(crate) failed: bool,
    pub(crate) attributes: BTreeMap<String, String>,
}

impl Arrived {
    /// An attribute; none is an empty text.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

/// A request that carried spans.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) path: String,
    /// By their names in small letters.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) about: BTreeMap<String, String>,
    /// Whose spans they are: `name version`.
    pub(crate) scope: String,
    pub(crate) spans: Vec<Arrived>,
    /// All of it, for canaries.
    pub(crate) bytes: Vec<u8>,
}

/// Takes spans and keeps them. What is no OTLP over HTTP as it is written is refused with 400, and fails the test.
pub(crate) struct Recorder {
    server: RawServer,
    batches: Arc<Mutex<Vec<Batch>>>,
    faults: Arc<Mutex<Vec<String>>>,
    status: Arc<AtomicU16>,
    delay_ms: Arc<AtomicU64>,
    /// What it says where all is well: its sort, and the body.
    said: Arc<Mutex<(&'static str, Vec<u8>)>>,
}

impl Recorder {
    pub(crate) async fn start() -> Self {
        let batches = Arc::<Mutex<Vec<Batch>>>::default();
        let faults = Arc::<Mutex<Vec<String>>>::default();
        let status = Arc::new(AtomicU16::new(200));
        let delay_ms = Arc::<AtomicU64>::default();
        let pause = Arc::clone(&delay_ms);
        let said = Arc::new(Mutex::new(("application/x-protobuf", Vec::new())));
        let says = Arc::clone(&said);
        let (kept, wrong, answer) = (
            Arc::clone(&batches),
            Arc::clone(&faults),
            Arc::clone(&status),
        );
        let server = raw(move |mut stream| {
            let (kept, wrong, answer) =
                (Arc::clone(&kept), Arc::clone(&wrong), Arc::clone(&answer));
            let (pause, says) = (Arc::clone(&pause), Arc::clone(&says));
            async move {
                let mut bytes = Vec::new();
                let Some((head, body)) = read(&mut stream, &mut bytes).await else {
                    return;
                };
                let delay = Duration::from_millis(pause.load(Ordering::SeqCst));
                tokio::time::sleep(delay).await;
                let mut status = answer.load(Ordering::SeqCst);
                match understood(&head, &body) {
                    Ok(batch) if status == 200 => kept.lock().expect("batches").push(batch),
                    Ok(_) => {}
                    Err(fault) => {
                        status = 400;
                        wrong.lock().expect("faults").push(fault);
                    }
                }
                // Its words may not be repeated by anybody.
                let (kind, body) = if status == 200 {
                    says.lock().expect("what it says").clone()
                } else {
                    ("application/x-protobuf", b"canary-in-an-answer".to_vec())
                };
                let head = format!(
                    "HTTP/1.1 {status} Any\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                let answer = [head.into_bytes(), body].concat();
                stream.write_all(&answer).await.ok();
                stream.shutdown().await.ok();
            }
        })
        .await;
        Self {
            server,
            batches,
            faults,
            status,
            delay_ms,
            said,
        }
    }

    /// Says that in an answer of 200 from now on.
    pub(crate) fn says(&self, kind: &'static str, body: impl Into<Vec<u8>>) {
        *self.said.lock().expect("what it says") = (kind, body.into());
    }

    /// Answers with another status from now on.
    pub(crate) fn answers(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// Takes so long for each request from now on.
    pub(crate) fn takes_ms(&self, delay_ms: u64) {
        self.delay_ms.store(delay_ms, Ordering::SeqCst);
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port)
    }

    /// What came so far.
    #[track_caller]
    pub(crate) fn batches(&self) -> Vec<Batch> {
        let faults = self.faults.lock().expect("faults");
        assert!(faults.is_empty(), "{faults:#?}");
        self.batches.lock().expect("batches").clone()
    }

    #[track_caller]
    pub(crate) fn spans(&self) -> Vec<Arrived> {
        let batches = self.batches().into_iter();
        batches.flat_map(|batch| batch.spans).collect()
    }

    /// The one span whose name begins so.
    #[track_caller]
    pub(crate) fn span(&self, name: &str) -> Arrived {
        let spans = self.spans();
        let found: Vec<&Arrived> = spans
            .iter()
            .filter(|one| one.name.starts_with(name))
            .collect();
        assert_eq!(found.len(), 1, "`{name}` among {spans:#?}");
        found[0].clone()
    }

    /// Waits until a span has come whose name begins so.
    pub(crate) async fn until(&self, name: &str) {
        let came = async {
            while !self.spans().iter().any(|span| span.name.starts_with(name)) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, came).await;
        assert!(waited.is_ok(), "no `{name}` among {:#?}", self.spans());
    }
}

async fn read(
    stream: &mut tokio::net::TcpStream,
    bytes: &mut Vec<u8>,
) -> Option<(String, Vec<u8>)> {
    let mut part = [0; 4_096];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = headers(&head)
                .get("content-length")?
                .parse::<usize>()
                .ok()?;
            let body = &bytes[end + 4..];
            if body.len() >= length {
                return Some((head, body.to_vec()));
            }
        }
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&part[..read]),
        }
    }
}

fn headers(head: &str) -> BTreeMap<String, String> {
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    lines
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect()
}

fn understood(head: &str, body: &[u8]) -> Result<Batch, String> {
    let line = head.lines().next().unwrap_or_default();
    let path = (line.strip_prefix("POST ")).and_then(|line| line.strip_suffix(" HTTP/1.1"));
    let path = path.ok_or_else(|| format!("no POST: {line}"))?;
    let headers = headers(head);
    let kind = headers.get("content-type").map(String::as_str);
    if kind != Some("application/x-protobuf") {
        return Err(format!("the body is {kind:?}"));
    }
    if body.is_empty() {
        return Err("there is no body".to_owned());
    }
    let request = ExportTraceServiceRequest::decode(body).map_err(|error| error.to_string())?;
    let mut batch = Batch {
        path: path.to_owned(),
        headers,
        about: BTreeMap::new(),
        scope: String::new(),
        spans: Vec::new(),
        bytes: body.to_vec(),
    };
    for of_resource in request.resource_spans {
        if let Some(resource) = of_resource.resource {
            batch.about.extend(texts(resource.attributes));
        }
        for scope in of_resource.scope_spans.iter().map(|one| &one.scope) {
            let scope = scope.as_ref().ok_or("spans of nobody")?;
            batch.scope = format!("{} {}", scope.name, scope.version);
        }
        for span in of_resource
            .scope_spans
            .into_iter()
            .flat_map(|scope| scope.spans)
        {
            if span.trace_id.len() != 16 || span.span_id.len() != 8 || span.name.is_empty() {
                return Err(format!("no span: {span:?}"));
            }
            let names: Vec<&str> = span.attributes.iter().map(|one| one.key.as_str()).collect();
            let mut unique = names.clone();
            unique.sort_unstable();
            unique.dedup();
            if unique.len() != names.len() {
                return Err(format!("an attribute comes twice: {names:?}"));
            }
            let took = span
                .end_time_unix_nano
                .checked_sub(span.start_time_unix_nano);
            batch.spans.push(Arrived {
                name: span.name,
                id: span.span_id,
                parent: span.parent_span_id,
                trace: span.trace_id,
                took: Duration::from_nanos(took.ok_or("it ended before it began")?),
                failed: span.status.is_some_and(|status| status.code == 2),
                attributes: texts(span.attributes),
            });
        }
    }
    Ok(batch)
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let texts = attributes.into_iter().map(|one| (one.key, text(one.value)));
    texts.collect()
}

/// Text is text, the rest shows what it is: `int 3`, `[text]`.
fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => format!("int {number}"),
        Some(Value::DoubleValue(number)) => format!("double {number}"),
        Some(Value::BoolValue(flag)) => format!("bool {flag}"),
        Some(Value::ArrayValue(list)) => {
            let all: Vec<String> = list.values.into_iter().map(|one| text(Some(one))).collect();
            format!("[{}]", all.join(", "))
        }
        other => format!("{other:?}"),
    }
}

/// A collector that others wrote, which prints what it decodes.
pub(crate) struct Rotel {
    pub(crate) port: u16,
    printed: std::path::PathBuf,
    _server: Server,
}

impl Rotel {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder").keep();
        let (port, printed) = (free_port(), folder.join("printed"));
        let agent = installed("python/bin/rotel-agent").display().to_string();
        let http = format!("127.0.0.1:{port}");
        let grpc = format!("127.0.0.1:{}", free_port());
        let place = |name: &str| folder.join(name).display().to_string();
        let script = r#"printed=$1; shift; exec "$@" >"$printed" 2>&1"#;
        let server = Server::start(
            &folder,
            "sh",
            &[
                "-c",
                script,
                "sh",
                &place("printed"),
                &agent,
                "start",
                "--otlp-http-endpoint",
                &http,
                "--otlp-grpc-endpoint",
                &grpc,
                "--pid-file",
                &place("pid"),
                "--log-file",
                &place("log"),
                "--exporter",
                "blackhole",
                "--debug-log",
                "traces",
                "--debug-log-verbosity",
                "detailed",
            ],
        );
        listening(port, "rotel").await;
        Self {
            port,
            printed,
            _server: server,
        }
    }

    /// Waits until it has printed all of these, and gives what it has printed.
    pub(crate) async fn printed(&self, expected: &[&str]) -> String {
        let text = || std::fs::read_to_string(&self.printed).unwrap_or_default();
        let came = async {
            while !expected.iter().all(|words| text().contains(words)) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, came).await;
        assert!(waited.is_ok(), "{expected:?} is not all in:\n{}", text());
        text()
    }
}
