//! The log: on stderr at a prompt, on stdout as a daemon.

use tracing::Level;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::spans::TraceLayer;
use crate::traces::TARGET;

/// The words that `LOG_LEVEL` may hold.
const LEVELS: [(&str, Level); 5] = [
    ("TRACE", Level::TRACE),
    ("DEBUG", Level::DEBUG),
    ("INFO", Level::INFO),
    ("WARNING", Level::WARN),
    ("ERROR", Level::ERROR),
];

/// Where the log goes, and in which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// To stderr, for somebody at a prompt: warnings and worse, unless `LOG_LEVEL` says otherwise.
    Prompt {
        /// Whether stderr shows colours, and they are welcome.
        colors: bool,
    },
    /// To stdout, for somebody who watches a daemon in a terminal.
    Terminal {
        /// Whether colours are welcome.
        colors: bool,
    },
    /// To stdout, a JSON object on each line.
    Json,
}

/// Starts logging, and what else looks at what we do.
pub(super) fn start(wanted: Option<&str>, output: Output, traces: Option<TraceLayer>) {
    let usual = match output {
        Output::Prompt { .. } => Level::WARN,
        Output::Terminal { .. } | Output::Json => Level::INFO,
    };
    let word = wanted
        .map(|word| word.trim().to_uppercase())
        .filter(|word| !word.is_empty());
    let word = word.map(|word| {
        if word == "WARN" {
            "WARNING".to_owned()
        } else {
            word
        }
    });
    let known = |word: &String| {
        LEVELS
            .iter()
            .find(|(name, _)| name == word)
            .map(|(_, level)| *level)
    };
    let level = word.as_ref().and_then(known);
    // Spans are not for the log: at a terminal each line would be preceded by all that it is in.
    let ours = Targets::new()
        .with_target("roundsman", level.unwrap_or(usual))
        .with_target(TARGET, LevelFilter::OFF);
    let registry = tracing_subscriber::registry().with(traces);
    let lines = tracing_subscriber::fmt::layer().with_target(false);
    let started = match output {
        Output::Prompt { colors } => {
            let lines = lines.with_writer(std::io::stderr).with_ansi(colors);
            registry.with(lines.compact().with_filter(ours)).try_init()
        }
        Output::Terminal { colors } => {
            let lines = lines.with_ansi(colors).compact();
            registry.with(lines.with_filter(ours)).try_init()
        }
        Output::Json => {
            let lines = lines.json().flatten_event(true);
            let lines = lines.with_current_span(false).with_span_list(false);
            registry.with(lines.with_filter(ours)).try_init()
        }
    };
    if started.is_ok() && word.is_some() && level.is_none() {
        tracing::warn!("`LOG_LEVEL` is none of DEBUG, INFO, WARNING, ERROR: {usual} is used");
    }
    silence_panics();
}

/// A panic's message may hold anything, secrets too: only its place is logged.
fn silence_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(String::new, ToString::to_string);
        tracing::error!(place, "a panic, which is a bug of ours: please report it");
    }));
}
