//! The only place that asks the system what time it is. Everything else takes the time as an argument or a
//! clock as a part.

use crate::model::Timestamp;

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
