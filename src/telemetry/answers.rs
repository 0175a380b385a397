//! Whether receivers answer, for somebody who asks.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use prost::Message;

use super::Destination;
use super::post::{NotTaken, http_clients, post};

/// How long a receiver may take at most where somebody waits for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a receiver answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answers {
    /// It takes our traces.
    Yes,
    /// It does not, or not all of them, or nobody knows.
    No {
        /// Which of these.
        verdict: &'static str,
        /// What we tried, against what, and why it failed.
        message: String,
        /// What to do next.
        hint: String,
    },
}

/// Asks all receivers at once: each is sent a batch without spans.
pub async fn ask(destinations: &[Destination]) -> Vec<Answers> {
    let http = http_clients();
    let request = ExportTraceServiceRequest {
        // Not even an entry would be a body without a byte, which some take for a mistake.
        resource_spans: vec![ResourceSpans::default()],
    };
    let body = request.encode_to_vec();
    let asking = destinations.iter().map(|to| {
        let (http, body) = (&http, body.clone());
        async move {
            match post(http, to, body, PATIENCE.min(to.timeout)).await {
                Ok(taken) => (taken.trouble(to)).map_or(Answers::Yes, |trouble| {
                    no("it takes a part of them only", trouble)
                }),
                Err(late) if late.is_late => no("whether it takes them is not known", late),
                Err(not) => no("it does not take them", not),
            }
        }
    });
    futures_util::future::join_all(asking).await
}

fn no(verdict: &'static str, trouble: NotTaken) -> Answers {
    Answers::No {
        verdict,
        message: trouble.message,
        hint: trouble.hint,
    }
}
