//! What the program says about itself: a log (`docs/logging.md`) and traces (`docs/traces.md`).

mod answers;
mod destinations;
mod installation;
mod log;
mod outlet;
mod post;
mod spans;

pub use answers::{Answers, ask};
pub use destinations::{Destination, Sampling, VARIABLES, Wanted, wanted};
pub use installation::Installation;
pub use log::Output;
pub use spans::Traces;

/// Starts logging and, where traces go anywhere, tracing. `level` is the value of `LOG_LEVEL`; a word that is none
/// gives the usual level and a line that says so.
///
/// Only our own events are shown, and our own spans sent: what libraries say may hold headers and addresses with secrets
/// in them.
#[must_use]
pub fn start(level: Option<&str>, output: Output, traced: Option<&Wanted>) -> Traces {
    let started = traced.map(spans::start).unwrap_or_default();
    log::start(level, output, started.layer);
    for (receiver, error) in started.refused {
        tracing::warn!(
            event = "traces.not_taken",
            receiver,
            "no traces are sent there: nothing could be started for it: {error}"
        );
    }
    started.traces
}
