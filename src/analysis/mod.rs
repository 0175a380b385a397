//! What is behind a problem: found by arithmetic over what was seen.

pub mod baseline;
pub mod correlate;
