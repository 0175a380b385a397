//! The way of spans to one receiver: a queue with a bound, and a thread that empties it.
//!
//! Whatever the receiver does, whoever makes a span only counts. The thread has a runtime of its own, so that it sends
//! while ours stops, and our looks do not wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor,
};
use prost::Message;
use tokio::runtime::Runtime;

use super::Destination;
use super::post::{NotTaken, Taken, http_clients, post};
use crate::clients::http::HttpClients;
use crate::traces::LOOK;

/// How many spans go in one request; the standard's own figure.
const BATCH: usize = 512;

/// Looks leave so much of the queue to what holds them together, which ends behind them, and to calls that cost money.
const RESERVE: usize = 64;

/// A short queue leaves this part of it.
const RESERVED_PART: usize = 8;

/// What became of spans.
#[derive(Debug, Default)]
struct Counts {
    /// Spans that wait, those that are under way included.
    waiting: AtomicUsize,
    /// There was no room for them.
    overflown: AtomicU64,
    /// The receiver did not take them.
    lost: AtomicU64,
    /// Whether it was said that the receiver took a part only.
    said_part: AtomicBool,
    /// Whether the receiver took nothing when it was last tried.
    is_down: AtomicBool,
    is_closed: AtomicBool,
}

/// A receiver, and what waits for it.
#[derive(Debug)]
pub(super) struct Outlet {
    name: String,
    batches: BatchSpanProcessor,
    counts: Arc<Counts>,
    queue: usize,
    /// How much of it looks may fill.
    for_looks: usize,
}

impl Outlet {
    /// Begins to send.
    ///
    /// # Errors
    /// The system refuses what every process gets.
    pub(super) fn open(
        to: Destination,
        resource: &Resource,
        queue: usize,
        every: Duration,
    ) -> std::io::Result<Self> {
        let counts = Arc::<Counts>::default();
        let name = to.name();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let exporter = Exporter {
            to,
            http: http_clients(),
            runtime,
            resource: resource.into(),
            counts: Arc::clone(&counts),
        };
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(queue)
            .with_max_export_batch_size(BATCH.min(queue))
            .with_scheduled_delay(every)
            .build();
        Ok(Self {
            name,
            batches: BatchSpanProcessor::new(exporter, config),
            counts,
            queue,
            for_looks: queue - (queue / RESERVED_PART).clamp(1, RESERVE).min(queue - 1),
        })
    }

    /// Sends what waits, and takes nothing more. Waits no longer than that.
    pub(super) fn close(&self, patience: Duration) {
        self.counts.is_closed.store(true, Ordering::Relaxed);
        // Whether it was in time is seen by what still waits.
        self.batches.shutdown_with_timeout(patience).ok();
    }

    /// Says what was lost, if anything was.
    pub(super) fn say_lost(&self) {
        let waiting = self.counts.waiting.load(Ordering::Relaxed);
        let waiting = u64::try_from(waiting).unwrap_or(u64::MAX);
        let overflown = self.counts.overflown.load(Ordering::Relaxed);
        let refused = self.counts.lost.load(Ordering::Relaxed);
        let spans = waiting + overflown + refused;
        let receiver = &self.name;
        if overflown == 0 && waiting == 0 {
            if spans > 0 {
                // Why was said when it happened.
                tracing::info!(
                    event = "traces.lost",
                    receiver,
                    spans,
                    "so many spans did not get out"
                );
            }
            return;
        }
        let (why, hint) = if overflown > 0 {
            (
                format!(
                    "there was no room for {overflown} of them among the {} that may wait",
                    self.queue
                ),
                "raise `OTEL_BSP_MAX_QUEUE_SIZE`, or trace less (`OTEL_TRACES_SAMPLER`)",
            )
        } else {
            (
                format!(
                    "{waiting} of them still waited for the receiver when there was no more time"
                ),
                "look at what keeps the receiver, or whether it is the right address",
            )
        };
        tracing::warn!(
            event = "traces.lost",
            receiver,
            spans,
            hint,
            "so many spans did not get out: {why}"
        );
    }

    fn take(&self, span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        let waiting = self.counts.waiting.fetch_add(1, Ordering::Relaxed);
        let room = if span.name.starts_with(LOOK) {
            self.for_looks
        } else {
            self.queue
        };
        if waiting < room && !self.counts.is_closed.load(Ordering::Relaxed) {
            self.batches.on_end(span);
        } else {
            self.counts.waiting.fetch_sub(1, Ordering::Relaxed);
            self.counts.overflown.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// An outlet as the library knows it.
#[derive(Debug)]
pub(super) struct Shared(pub(super) Arc<Outlet>);

impl SpanProcessor for Shared {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        self.0.take(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.close(timeout);
        Ok(())
    }
}

/// Sends batches, from the thread that empties the queue.
struct Exporter {
    to: Destination,
    http: HttpClients,
    runtime: Runtime,
    resource: ResourceAttributesWithSchema,
    counts: Arc<Counts>,
}

impl std::fmt::Debug for Exporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to.name())
    }
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        let request = ExportTraceServiceRequest {
            resource_spans: group_spans_by_resource_and_scope(batch, &self.resource),
        };
        // The thread that polls us has no runtime: it is ours alone, and may wait.
        let sending = post(
            &self.http,
            &self.to,
            request.encode_to_vec(),
            self.to.timeout,
        );
        let outcome = self.runtime.block_on(sending);
        self.counts.waiting.fetch_sub(count, Ordering::Relaxed);
        let lost = match &outcome {
            Ok(taken) => taken.rejected,
            Err(_) => u64::try_from(count).unwrap_or(u64::MAX),
        };
        let lost = self.counts.lost.fetch_add(lost, Ordering::Relaxed) + lost;
        if let Ok(taken) = &outcome {
            self.say_part(taken);
        }
        self.say(outcome.as_ref().err(), lost);
        let failed = |not: NotTaken| OTelSdkError::InternalFailure(not.message);
        outcome.map(|_| ()).map_err(failed)
    }
}

impl Exporter {
    /// Once that the receiver throws away a part of what it takes.
    fn say_part(&self, taken: &Taken) {
        if let Some(trouble) = taken.trouble(&self.to)
            && !self.counts.said_part.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                event = "traces.not_taken",
                receiver = self.to.name(),
                hint = trouble.hint,
                "a part of the traces does not get out: {}",
                trouble.message
            );
        }
    }

    /// Once that spans do not get out, and once that they do again.
    fn say(&self, trouble: Option<&NotTaken>, lost: u64) {
        let was_down = (self.counts.is_down).swap(trouble.is_some(), Ordering::Relaxed);
        match trouble {
            Some(trouble) if !was_down => tracing::warn!(
                event = "traces.not_taken",
                receiver = self.to.name(),
                hint = trouble.hint,
                "traces do not get out, and are dropped: {}",
                trouble.message
            ),
            None if was_down => tracing::info!(
                event = "traces.taken",
                receiver = self.to.name(),
                lost,
                "traces get out again"
            ),
            _ => {}
        }
    }
}
