//! Who hears of a problem, when, and when nobody does: matchers, silences, windows, routes and escalation.
//! Pure: the time is an argument.

mod escalation;
mod matcher;
mod route;
mod settings;
mod silence;
mod window;

pub use escalation::{Level, waits_for_a_level};
pub use matcher::{Matcher, MatcherError, Pattern};
pub use route::Route;
pub use settings::{Grouping, Settings};
pub use silence::Silence;
pub use window::{LONGEST_OPEN, Occurrence, Window};
