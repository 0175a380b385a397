//! From what people must hear to what channels have taken: audience → outbox → lease → message → reporter.
//!
//! A message is kept before it is sent, and forgotten after its channel took it; so a kill at any point loses none, and
//! sends one again only where it fell between the channel's answer and our commit: under the same name.
//!
//! How you could get this wrong: rows that are handed to the store outside the lock under which the outbox changed may
//! be committed in another order, and a restart then finds what never was. See [`mailroom`].

mod audience;
mod backoff;
mod courier;
mod lease;
mod mailroom;
mod message;
mod orders;
mod outbox;
mod pace;
mod settle;
#[cfg(test)]
mod stories;
mod telling;

pub use audience::Channel;
pub use courier::{Courier, Reporters, send_in_time};
pub use lease::{Job, Lease, Matter};
pub use mailroom::Mailroom;
pub use orders::NotFound;
pub use outbox::{Outbox, SelfNote, Terms};
