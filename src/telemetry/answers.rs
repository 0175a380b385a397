//! Whether receivers answer, for somebody who asks.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use prost::Message;

use super::Destination;
use super::post::{http_clients, post};

/// How long a receiver may take where somebody waits for it.
const PATIENCE: Duration = Duration::from_secs(3);

/// How a receiver answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answers {
    /// It takes our traces.
    Yes,
    /// It does not.
    No {
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
                Ok(_) => Answers::Yes,
                Err(not) => Answers::No {
                    message: not.message,
                    hint: not.hint,
                },
            }
        }
    });
    futures_util::future::join_all(asking).await
}
