//! How far a round is, on stderr, while it is running: only where a person sees it.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::config::Watched;
use crate::model::TargetId;
use crate::render::cut;
use crate::render::escape::plain;

/// A round that takes no longer is not worth a line.
const PATIENCE: Duration = Duration::from_millis(300);
const REDRAW: Duration = Duration::from_millis(150);
/// How many of those that are awaited are named.
const NAMED: usize = 3;

/// What is done and what is awaited.
pub(super) struct Progress {
    total: usize,
    awaited: Mutex<BTreeSet<TargetId>>,
}

impl Progress {
    pub(super) fn new(watched: &[Watched]) -> Self {
        Self {
            total: watched.len(),
            awaited: Mutex::new(watched.iter().map(|one| one.target.id.clone()).collect()),
        }
    }

    /// Takes note of a look that ended.
    pub(super) fn done(&self, target: &TargetId) {
        self.awaited
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(target);
    }

    fn line(&self, width: usize) -> String {
        let awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        let names: Vec<&str> = awaited.iter().take(NAMED).map(|id| &*id.name).collect();
        let more = match awaited.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let done = self.total - awaited.len();
        let line = format!(
            "looked at {done} of {}; awaiting {}{more}",
            self.total,
            names.join(", ")
        );
        // A line that reaches the border would be broken there, and then not be taken away as a whole.
        cut(&plain(&line), width.saturating_sub(1))
    }

    /// Draws until it is dropped.
    pub(super) async fn draw(&self, width: usize) {
        tokio::time::sleep(PATIENCE).await;
        let _clear = Clear;
        loop {
            write(&format!("\r\u{1b}[2K{}", self.line(width)));
            tokio::time::sleep(REDRAW).await;
        }
    }
}

/// Takes the line away again.
struct Clear;

impl Drop for Clear {
    fn drop(&mut self) {
        write("\r\u{1b}[2K");
    }
}

fn write(text: &str) {
    let mut out = std::io::stderr().lock();
    if out
        .write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .is_err()
    {
        tracing::debug!("stderr cannot be written");
    }
}
