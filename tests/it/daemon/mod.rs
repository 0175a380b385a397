//! The daemon as a whole: rounds, signals, its memory, and the clock.

mod clock;
mod kills;
mod memory;
mod network;
mod rounds;
mod signals;
mod soak;
mod usual;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::Value;

use crate::support::program::Workplace;
use crate::support::servers::{RawServer, answering_as};

/// An endpoint that can be switched off, and counts who asks.
pub(crate) struct Endpoint {
    pub(crate) server: RawServer,
    well: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl Endpoint {
    pub(crate) async fn start() -> Self {
        let well = Arc::new(AtomicBool::new(true));
        let asked = Arc::new(AtomicUsize::new(0));
        let (is_well, count) = (Arc::clone(&well), Arc::clone(&asked));
        let server = answering_as(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            let status = if is_well.load(Ordering::SeqCst) {
                "200 OK"
            } else {
                "503 Service Unavailable"
            };
            format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").into()
        })
        .await;
        Self {
            server,
            well,
            asked,
        }
    }

    pub(crate) fn set_well(&self, well: bool) {
        self.well.store(well, Ordering::SeqCst);
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// A configuration that watches it as `shop`, with more keys for `monitoring`.
    pub(crate) fn watched(&self, monitoring: &str) -> String {
        format!(
            "monitoring: {{{monitoring}}}\ntargets:\n  api_endpoints:\n    - {{name: shop, url: \"http://127.0.0.1:{}/\"}}\n",
            self.server.port
        )
    }
}

/// What `history` knows of a target.
pub(crate) async fn history(place: &Workplace, target: &str) -> Value {
    let ended = place
        .run(&["history", target, "--since", "24h", "--format", "json"])
        .await;
    ended.assert_code(0);
    ended.json()
}

/// How many looks a history counts.
pub(crate) fn looks(history: &Value) -> u64 {
    let counts = history["looks"].as_object().expect("counts");
    counts.values().filter_map(Value::as_u64).sum()
}

/// The changes of a history, such as `- GREEN`, `GREEN RED`.
pub(crate) fn changes(history: &Value) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let changes = history["changes"].as_array().expect("changes");
    (changes.iter())
        .map(|change| format!("{} {}", word(&change["from"]), word(&change["to"])))
        .collect()
}
