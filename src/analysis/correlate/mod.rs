//! The cause by arithmetic: pure functions over what was seen. Order in time, dependencies, what runs on one machine, distance
//! from what is usual, and what can cause what.
//!
//! How you could get this wrong: whatever is looked at less often is seen later, also where it is the cause. So each symptom
//! has two times, and a cause is ruled out only where it was still well after its effect was not.

mod account;
mod chances;
mod class;
mod common;
mod components;
mod evidence;
mod links;
mod picture;
#[cfg(test)]
mod properties;
mod rank;
mod relations;
#[cfg(test)]
mod stories;
mod symptoms;
mod timing;
mod tried;

pub use account::{account, has_problem};
pub use class::{Class, Relation};
pub use evidence::{Fact, facts};
pub use picture::Suspect;
pub use rank::{Candidate, Effect, Explained, Group, groups};
pub use symptoms::{Change, Glance, Measured, Sign, Symptom, Symptoms, Usual};
