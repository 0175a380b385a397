//! From a look to the message that people read, with the real daemon and channels that record.

mod causes;
mod channels;
mod many;
mod orders;
mod trouble;
mod weekly;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::support::servers::{RawServer, answering_as};

/// Nothing is waited for longer.
const PATIENCE: Duration = Duration::from_mins(2);

/// Endpoints on one server, each of which can be switched off.
pub(crate) struct Endpoints {
    pub(crate) server: RawServer,
    ill: Arc<Mutex<BTreeSet<String>>>,
}

impl Endpoints {
    pub(crate) async fn start() -> Self {
        let ill: Arc<Mutex<BTreeSet<String>>> = Arc::default();
        let known = Arc::clone(&ill);
        let server = answering_as(move |request| {
            let path = request.split(' ').nth(1).unwrap_or("/").to_owned();
            let ill = known.lock().expect("the paths");
            let is_ill = ill.contains("*") || ill.contains(path.trim_start_matches('/'));
            let status = if is_ill {
                "503 Service Unavailable"
            } else {
                "200 OK"
            };
            format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").into()
        })
        .await;
        Self { server, ill }
    }

    /// Switches one off; `*`: all.
    pub(crate) fn fail(&self, name: &str) {
        self.ill.lock().expect("the paths").insert(name.to_owned());
    }

    pub(crate) fn recover(&self, name: &str) {
        self.ill.lock().expect("the paths").remove(name);
    }

    /// `targets` with these, and more keys for each of them.
    pub(crate) fn targets(&self, names: &[&str], more: &str) -> String {
        let entries = names.iter().map(|name| {
            let port = self.server.port;
            format!("    - {{name: {name}, url: \"http://127.0.0.1:{port}/{name}\"{more}}}\n")
        });
        format!(
            "targets:\n  api_endpoints:\n{}",
            entries.collect::<String>()
        )
    }
}

/// A webhook that takes everything while it is well, and what it was given.
pub(crate) struct Hook {
    pub(crate) server: RawServer,
    is_ill: Arc<AtomicBool>,
    taken: Arc<Mutex<Vec<Value>>>,
}

impl Hook {
    pub(crate) async fn start() -> Self {
        let is_ill = Arc::new(AtomicBool::new(false));
        let taken: Arc<Mutex<Vec<Value>>> = Arc::default();
        let (refuses, kept) = (Arc::clone(&is_ill), Arc::clone(&taken));
        let server = answering_as(move |request| {
            if refuses.load(Ordering::SeqCst) {
                return b"HTTP/1.1 503 Service Unavailable\r\n\r\n".to_vec();
            }
            let body = request.split_once("\r\n\r\n").map_or("", |(_, body)| body);
            let post = serde_json::from_str(body).expect("JSON");
            kept.lock().expect("the posts").push(post);
            b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()
        })
        .await;
        Self {
            server,
            is_ill,
            taken,
        }
    }

    pub(crate) fn set_well(&self, well: bool) {
        self.is_ill.store(!well, Ordering::SeqCst);
    }

    pub(crate) fn reporter(&self) -> String {
        let port = self.server.port;
        format!(
            "{{kind: webhook, name: hook, url: \"http://127.0.0.1:{port}/\", secret: canary-hook-secret}}"
        )
    }

    /// What it took.
    pub(crate) fn posts(&self) -> Vec<Value> {
        self.taken.lock().expect("the posts").clone()
    }

    /// Those of incidents, once that many came.
    pub(crate) async fn incidents(&self, count: usize) -> Vec<Value> {
        let of_incidents = || -> Vec<Value> {
            let posts = self.posts().into_iter();
            posts.filter(|post| post["event"] == "incident").collect()
        };
        until(&format!("{count} messages of incidents"), || {
            of_incidents().len() >= count
        })
        .await;
        of_incidents()
    }
}

/// Waits until it is so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(waited.is_ok(), "{PATIENCE:?} passed without {what}");
}
