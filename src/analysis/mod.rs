//! What is behind a problem: found by arithmetic over what was seen, and put into words by a language model where one is
//! configured.

pub mod analyst;
pub mod answer;
pub mod baseline;
pub mod correlate;
pub mod prompt;
pub mod score;
pub mod untrusted;
