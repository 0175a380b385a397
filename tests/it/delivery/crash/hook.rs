//! A webhook that fails half of the time, and remembers what it accepted.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use roundsman::model::IncidentReport;
use roundsman::schedule::share;
use serde::Deserialize;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::axe::{Axe, Point};
use crate::support::servers::request;

/// For how long nobody listens after a connection was refused.
const CLOSED: Duration = Duration::from_millis(150);

/// How long it thinks at most before it accepts.
const THINKING_MS: f64 = 120.0;

/// What was posted, as far as it matters here.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Posted {
    pub(super) id: String,
    #[serde(default)]
    incident: Option<IncidentReport>,
    #[serde(default)]
    incidents: Vec<IncidentReport>,
    #[serde(default)]
    pub(super) report: Option<Value>,
}

impl Posted {
    /// All incidents that it tells of.
    pub(super) fn incidents(&self) -> impl Iterator<Item = &IncidentReport> {
        self.incident.iter().chain(&self.incidents)
    }
}

/// A message that was accepted.
#[derive(Debug, Clone)]
pub(super) struct Accepted {
    pub(super) posted: Posted,
    /// The life that sent it: it may have ended before this was accepted.
    pub(super) life: usize,
    pub(super) at: Instant,
    /// When all of the answer was written; `None`: the connection was cut before.
    pub(super) answered: Option<Instant>,
}

/// The receiver.
pub(super) struct Hook {
    seed: u64,
    pub(super) port: u16,
    axe: Arc<Axe>,
    requests: AtomicU64,
    pub(super) is_failing: AtomicBool,
    closing: Notify,
    accepted: Mutex<Vec<Accepted>>,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Refused,
    Oops,
    TooMany,
    CutBefore,
    CutAfter,
}

const FAULTS: [Fault; 5] = [
    Fault::Refused,
    Fault::Oops,
    Fault::TooMany,
    Fault::CutBefore,
    Fault::CutAfter,
];

impl Hook {
    /// Listens until the test ends.
    pub(super) async fn start(seed: u64, axe: &Arc<Axe>) -> Arc<Self> {
        let listener = listen(0).await;
        let hook = Arc::new(Self {
            seed,
            port: listener.local_addr().expect("an address").port(),
            axe: Arc::clone(axe),
            requests: AtomicU64::new(0),
            is_failing: AtomicBool::new(true),
            closing: Notify::new(),
            accepted: Mutex::default(),
        });
        tokio::spawn(Arc::clone(&hook).serve(listener));
        hook
    }

    /// Everything that was accepted, in order.
    pub(super) fn accepted(&self) -> Vec<Accepted> {
        self.accepted.lock().expect("no panic").clone()
    }

    /// How often it was asked.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }

    async fn serve(self: Arc<Self>, mut listener: TcpListener) {
        loop {
            tokio::select! {
                Ok((stream, _)) = listener.accept() => {
                    tokio::spawn(Arc::clone(&self).take(stream));
                }
                () = self.closing.notified() => {
                    drop(listener);
                    tokio::time::sleep(CLOSED).await;
                    listener = listen(self.port).await;
                }
            }
        }
    }

    async fn take(self: Arc<Self>, mut stream: TcpStream) {
        let number = self.requests.fetch_add(1, Ordering::SeqCst);
        let fault = self.fault(number);
        if fault == Some(Fault::Refused) {
            self.closing.notify_one();
            return;
        }
        let life = self.axe.life();
        let request = request(&mut stream).await;
        let body = request.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        // One whose sender died is not whole.
        let Ok(posted) = serde_json::from_str::<Posted>(body) else {
            return;
        };
        self.axe.pass(Point::Read);
        let thinks = share(&format!("{} hook thinks", self.seed), number);
        tokio::time::sleep(Duration::from_secs_f64(thinks * THINKING_MS / 1_000.0)).await;
        let answer = match fault {
            Some(Fault::Oops) => "500 Oops",
            Some(Fault::TooMany) => "429 Too Many\r\nRetry-After: 1",
            Some(Fault::CutBefore) => return,
            _ => "204 Taken",
        };
        let mut place = None;
        if answer.starts_with("204") {
            let mut accepted = self.accepted.lock().expect("no panic");
            place = Some(accepted.len());
            accepted.push(Accepted {
                posted,
                life,
                at: Instant::now(),
                answered: None,
            });
            drop(accepted);
            self.axe.pass(Point::Accepted);
        }
        if fault == Some(Fault::CutAfter) {
            return;
        }
        let answer = format!("HTTP/1.1 {answer}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        let written = stream.write_all(answer.as_bytes()).await;
        if let (Some(place), Ok(())) = (place, written) {
            self.accepted.lock().expect("no panic")[place].answered = Some(Instant::now());
            self.axe.pass(Point::Answered);
        }
        stream.shutdown().await.ok();
    }

    fn fault(&self, number: u64) -> Option<Fault> {
        let is_failing = self.is_failing.load(Ordering::SeqCst);
        let chance = share(&format!("{} hook", self.seed), number) * 10.0;
        // Half of the time, and each fault as often as the others.
        FAULTS
            .into_iter()
            .zip(1..)
            .find(|(_, number)| is_failing && chance < f64::from(*number))
            .map(|(fault, _)| fault)
    }
}

async fn listen(port: u16) -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .expect("a port of our own")
}
