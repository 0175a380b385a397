//! Targets that fall ill and get well by a seeded plan, and all that they answered.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use roundsman::clock::{Clock, SystemClock};
use roundsman::model::Timestamp;
use roundsman::schedule::share;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::axe::{Axe, Point};
use crate::support::servers::{RawServer, raw, request};

/// How many hosts there are, and how many targets on each.
const HOSTS: u8 = 8;
const ON_EACH: usize = 3;

/// The one that changes to and fro.
const RESTLESS: &str = "shop-2-2";

/// The first of each of these depends on nobody, and the others on it.
const WITH_PARENT: [u8; 2] = [1, 3];

/// What a target said.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) target: String,
    pub(super) at: Timestamp,
    pub(super) instant: Instant,
    pub(super) red: bool,
    pub(super) life: usize,
}

/// All targets.
pub(super) struct World {
    seed: u64,
    began: Instant,
    axe: Arc<Axe>,
    answers: Mutex<Vec<Answer>>,
    /// The restless one has come to rest.
    pub(super) is_calm: AtomicBool,
    /// All are well from now on.
    pub(super) is_well: AtomicBool,
}

/// The server that all are on.
pub(super) async fn start(seed: u64, axe: &Arc<Axe>) -> (Arc<World>, RawServer) {
    let world = Arc::new(World {
        seed,
        began: Instant::now(),
        axe: Arc::clone(axe),
        answers: Mutex::default(),
        is_calm: AtomicBool::new(false),
        is_well: AtomicBool::new(false),
    });
    let shared = Arc::clone(&world);
    let server = raw(move |stream| Arc::clone(&shared).answer(stream));
    let server = server.await;
    (world, server)
}

/// Those of all hosts: host and name.
fn targets() -> impl Iterator<Item = (u8, usize, String)> {
    (1..=HOSTS).flat_map(|host| {
        (0..ON_EACH).map(move |index| (host, index, format!("shop-{host}-{index}")))
    })
}

/// What stands in `/etc/hosts`: a name for each host, because all that is on this machine would be one group.
pub(super) fn hosts_file() -> String {
    let lines = (1..=HOSTS).map(|host| format!("127.0.0.1 host-{host}.test\n"));
    lines.collect()
}

/// The section `targets` of a configuration.
pub(super) fn configured(port: u16) -> String {
    let mut yaml = String::from("targets:\n  api_endpoints:\n");
    for (host, index, name) in targets() {
        let critical = index % 2 == 0;
        let parent = match parent(host, index) {
            Some(parent) => format!(", depends_on: {parent}"),
            None => String::new(),
        };
        yaml.push_str(&format!(
            "    - {{name: {name}, url: \"http://host-{host}.test:{port}/{name}\", critical: {critical}{parent}}}\n"
        ));
    }
    yaml
}

fn parent(host: u8, index: usize) -> Option<String> {
    (WITH_PARENT.contains(&host) && index > 0).then(|| format!("shop-{host}-0"))
}

impl World {
    /// Everything that was said, in order.
    pub(super) fn answers(&self) -> Vec<Answer> {
        self.answers.lock().expect("no panic").clone()
    }

    async fn answer(self: Arc<Self>, mut stream: TcpStream) {
        let request = request(&mut stream).await;
        let Some(path) = request.split(' ').nth(1) else {
            return;
        };
        let name = path.trim_start_matches('/').to_owned();
        let red = self.is_red(&name);
        let status = if red { "503 Ill" } else { "200 OK" };
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let (at, instant, life) = (SystemClock.now(), Instant::now(), self.axe.life());
        if stream.write_all(answer.as_bytes()).await.is_ok() {
            self.answers.lock().expect("no panic").push(Answer {
                target: name,
                at,
                instant,
                red,
                life,
            });
        }
        self.axe.pass(Point::Looked);
        stream.shutdown().await.ok();
    }

    fn is_red(&self, name: &str) -> bool {
        if self.is_well.load(Ordering::SeqCst) {
            return false;
        }
        let found = targets().find(|(.., known)| known == name);
        let parent = found.and_then(|(host, index, _)| parent(host, index));
        self.is_ill(name) || parent.is_some_and(|parent| self.is_ill(&parent))
    }

    /// Whether it is ill by itself.
    fn is_ill(&self, name: &str) -> bool {
        let (well, ill) = match name {
            RESTLESS if self.is_calm.load(Ordering::SeqCst) => return false,
            RESTLESS => ((0.8, 1.5), (0.8, 1.5)),
            _ => ((4.0, 14.0), (3.0, 6.0)),
        };
        let key = format!("{} {name}", self.seed);
        let length = |number: u64, (least, more): (f64, f64)| {
            Duration::from_secs_f64(least + more * share(&key, number))
        };
        let mut left = self.began.elapsed();
        for number in 0.. {
            for (is_ill, bounds) in [(false, well), (true, ill)] {
                let stretch = length(number * 2 + u64::from(is_ill), bounds);
                if left < stretch {
                    return is_ill;
                }
                left -= stretch;
            }
        }
        false
    }
}
