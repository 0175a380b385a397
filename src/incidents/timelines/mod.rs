//! Stories: what is seen at which time, and what people hear of it. Read them aloud.

mod kept;
mod story;
mod told;

pub(super) use story::{Silence, Story, at, condition, target};
