//! A document that people wrote, with the position of every key and value: parsed from YAML, merged, expanded,
//! and read into typed structs in such a way that all mistakes are found at once.
//!
//! Layer 0: knows YAML and serde, and nothing of what is configured.

mod advice;
mod error;
mod node;
mod parse;
mod read;
mod shown;
mod word;

pub use error::{ReadError, missing_hint, unknown_key};
pub use node::{Entry, Node, NodeValue, Path, Segment, Source};
pub use parse::{LIMITS, Limits, parse};
pub use read::{from_node, read_all};
pub use shown::{is_name, may_hold_a_secret, shown, shown_choice, shown_name, shown_path};
pub use word::{DurationText, LinkText, Milliseconds, OneOrMany, Word, Written, length_of_time};
