//! When something is due: pure arithmetic over cron entries and equal distances. The time is an argument.

mod agenda;
mod cron;
pub mod heartbeat;
mod interval;
mod spread;
mod timetable;
mod words;
mod zone;

pub use agenda::{Agenda, Appointment, Due, GroupIndex, Jump, cron_spread};
pub use cron::{Cron, CronError};
pub use interval::next_on_grid;
pub use spread::share;
pub use timetable::Timetable;
pub use zone::first_instant;
