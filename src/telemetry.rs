//! What the program says about itself, on stderr.

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The words that `LOG_LEVEL` may hold.
const LEVELS: [(&str, Level); 5] = [
    ("TRACE", Level::TRACE),
    ("DEBUG", Level::DEBUG),
    ("INFO", Level::INFO),
    ("WARNING", Level::WARN),
    ("ERROR", Level::ERROR),
];

/// Starts logging. `wanted` is the value of `LOG_LEVEL`; a word that is none gives `usual` and a line that says so.
/// `colors`: stderr shows them, and they are welcome.
///
/// Only our own events are shown: what libraries log may hold headers and addresses with secrets in them.
pub fn start(wanted: Option<&str>, usual: Level, colors: bool) {
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
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(colors)
        .with_target(false)
        .compact();
    let started = tracing_subscriber::registry()
        .with(Targets::new().with_target("roundsman", level.unwrap_or(usual)))
        .with(lines)
        .try_init();
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
