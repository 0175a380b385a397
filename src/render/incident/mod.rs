//! Incidents, as programs and people read them.
//!
//! An incident becomes an [`crate::model::IncidentReport`]; that becomes a title, the line that rings the phone, and blocks
//! that a tired person reads on it. Everything that was collected is shortened here, and neutralised by the renderers.

mod blocks;
mod many;
mod news;
pub(super) mod phrases;
mod quiet;
mod report;
mod title;

pub use blocks::incident_blocks;
pub use many::{incidents_blocks, incidents_title, incidents_tone};
pub use news::incident_news;
pub use quiet::{quiet_blocks, quiet_title, quiet_tone};
pub use report::incident_report;
pub use title::incident_title;
