//! Our spans, made into those of `OpenTelemetry` and given to every receiver.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::trace::TracerProvider;
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::{Layer, Registry};

use super::outlet::{Outlet, Shared};
use super::{Sampling, Wanted};
use crate::traces::TARGET;

/// What looks at spans.
pub(super) type TraceLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// The traces that are being sent. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Traces {
    outlets: Arc<Mutex<Vec<Arc<Outlet>>>>,
}

impl Traces {
    /// Sends what waits, to all receivers at once, and gives up after that time. What is made later is lost.
    ///
    /// It blocks: in a runtime it belongs into a thread that may.
    pub fn close(&self, patience: Duration) {
        let mut outlets = self.outlets.lock().unwrap_or_else(PoisonError::into_inner);
        let outlets = std::mem::take(&mut *outlets);
        let until = Instant::now() + patience;
        let (closed, wait) = sync_channel::<()>(outlets.len());
        for outlet in &outlets {
            let (outlet, closed) = (Arc::clone(outlet), closed.clone());
            let closing = std::thread::Builder::new().spawn(move || {
                outlet.close(patience);
                closed.send(()).ok();
            });
            if let Err(error) = closing {
                tracing::debug!(%error, "no thread to send the last traces from");
            }
        }
        drop(closed);
        for _ in &outlets {
            let left = until.saturating_duration_since(Instant::now());
            if let Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) =
                wait.recv_timeout(left)
            {
                break;
            }
        }
        for outlet in outlets {
            outlet.say_lost();
        }
    }
}

/// What came of starting.
#[derive(Default)]
pub(super) struct Started {
    pub(super) traces: Traces,
    pub(super) layer: Option<TraceLayer>,
    /// Receivers that no thread could be started for.
    pub(super) refused: Vec<(String, std::io::Error)>,
}

/// Begins to send, where traces go anywhere.
/// What the system refused is told by whoever can: there is no log yet.
pub(super) fn start(wanted: &Wanted) -> Started {
    if wanted.destinations.is_empty() || wanted.sampling == Sampling::None {
        return Started::default();
    }
    let about_us = wanted.about_us.iter();
    let about_us = about_us.map(|(name, value)| KeyValue::new(name.clone(), value.clone()));
    // The library would read the environment for itself, past `.env`.
    let resource = Resource::builder_empty().with_attributes(about_us).build();
    let sampler = match wanted.sampling {
        Sampling::All => Sampler::AlwaysOn,
        Sampling::None => Sampler::AlwaysOff,
        Sampling::Share(share) => Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(share))),
    };
    let mut provider = SdkTracerProvider::builder()
        .with_sampler(sampler)
        .with_resource(resource.clone());
    let mut outlets = Vec::new();
    let mut refused = Vec::new();
    for to in &wanted.destinations {
        match Outlet::open(to.clone(), &resource, wanted.queue, wanted.every) {
            Ok(outlet) => {
                let outlet = Arc::new(outlet);
                provider = provider.with_span_processor(Shared(Arc::clone(&outlet)));
                outlets.push(outlet);
            }
            Err(error) => refused.push((to.name(), error)),
        }
    }
    let scope = InstrumentationScope::builder("roundsman").with_version(env!("CARGO_PKG_VERSION"));
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.build().tracer_with_scope(scope.build()))
        .with_location(false)
        .with_threads(false)
        .with_level(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_context_activation(false)
        .with_filter(Targets::new().with_target(TARGET, LevelFilter::INFO));
    let traces = Traces {
        outlets: Arc::new(Mutex::new(outlets)),
    };
    Started {
        traces,
        layer: Some(Box::new(layer)),
        refused,
    }
}
