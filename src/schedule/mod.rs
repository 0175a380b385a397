//! When something is due: pure arithmetic over cron entries and equal distances. The time is an argument.

mod agenda;
#[cfg(test)]
mod clock_changes;
mod cron;
pub mod heartbeat;
mod interval;
mod spread;
mod timetable;

pub use agenda::{Agenda, Appointment, Due, GroupIndex, Jump, cron_spread};
pub use cron::{Cron, CronError};
pub use interval::next_on_grid;
pub use spread::share;
pub use timetable::Timetable;
