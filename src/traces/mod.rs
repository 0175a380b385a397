//! What is traced: a span for each round, look, send and call to a language model. Where spans go, and whether anywhere,
//! is decided in `telemetry`; where they go nowhere, making one costs a comparison.
//!
//! No span holds what somebody else wrote, such as a message of a failure: names from the configuration, our own words
//! and numbers leave the house, nothing else. The names of attributes stand here and in [`gen_ai`], and nowhere else.

pub mod gen_ai;

use tracing::Span;
use tracing::field::Empty;

/// By this target spans are told from what is logged.
pub const TARGET: &str = "roundsman::traces";

/// What the names of looks begin with.
pub const LOOK: &str = "look ";

/// A round that begins. It ends with [`ended`], or where the last of its looks is forgotten.
#[must_use]
pub fn round(id: &str, targets: usize) -> Span {
    tracing::info_span!(
        target: TARGET,
        parent: None,
        "round",
        otel.name = "round",
        round.id = id,
        // Langfuse shows what has the same session together.
        session.id = id,
        round.targets = whole(targets),
        round.skipped = Empty,
        round.unfinished = Empty,
    )
}

/// How a round of a daemon ended, now.
pub fn ended(round: &Span, skipped: usize, unfinished: usize) {
    round.record("round.skipped", whole(skipped));
    round.record("round.unfinished", whole(unfinished));
    // Leaving a span is what ends it, also where a look that goes on holds it.
    round.in_scope(|| ());
}

/// A look at a target, as part of the span that we are in.
#[must_use]
pub fn look(kind: &'static str, name: &str) -> Span {
    tracing::info_span!(
        target: TARGET,
        "look",
        otel.name = format!("{LOOK}{kind}"),
        otel.status_code = Empty,
        target.kind = kind,
        target.name = name,
        target.status = Empty,
        error.type = Empty,
    )
}

/// A look that ends now, and the word for its failure.
pub fn looked(look: &Span, failure: Option<&'static str>) {
    if let Some(failure) = failure {
        failed(look, failure);
    }
    look.in_scope(|| ());
}

/// The status that followed from a look.
pub fn judged(look: &Span, status: &'static str) {
    look.record("target.status", status);
}

/// What is asked of models about a round or an incident; it holds the calls that this takes. `round`: what it belongs to.
#[must_use]
pub fn analysis(round: Option<&Span>, session: &str) -> Span {
    tracing::info_span!(
        target: TARGET,
        parent: round.and_then(Span::id),
        "analysis",
        otel.name = "analysis",
        session.id = session,
    )
}

/// A message on its way to a channel.
#[must_use]
pub fn send(reporter: &str, message: &str) -> Span {
    tracing::info_span!(
        target: TARGET,
        "send",
        otel.name = "send",
        otel.kind = "client",
        otel.status_code = Empty,
        reporter,
        message.id = message,
        send.outcome = Empty,
        error.type = Empty,
    )
}

/// A message that a channel took.
pub fn sent(send: &Span) {
    send.record("send.outcome", "sent");
}

/// A message that a channel did not take.
pub fn not_sent(send: &Span, is_worth_another_try: bool) {
    let outcome = if is_worth_another_try {
        "not_sent"
    } else {
        "refused"
    };
    send.record("send.outcome", outcome);
    failed(send, outcome);
}

fn failed(span: &Span, word: &'static str) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", word);
}

/// Spans know no other whole numbers: the rest would arrive as text.
fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
