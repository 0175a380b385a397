//! The only place that asks the system what time it is. Everything else takes the time as an argument or a
//! clock as a part.

use std::time::Duration;

use crate::model::Timestamp;

/// A length of time in whole milliseconds, for logs and reports.
#[must_use]
pub fn milliseconds(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The time now, in UTC.
    fn now(&self) -> Timestamp;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that may read the wall clock"
    )]
    fn now(&self) -> Timestamp {
        chrono::Utc::now()
    }
}
