//! Judging: pure functions from observations and limits to verdicts.

mod judge;
mod limits;
mod thresholds;

pub use judge::judge;
pub use limits::{Effective, Rules, Side};
pub use thresholds::{OutOfOrder, Thresholds};
