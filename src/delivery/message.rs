//! What a message says: made when it is sent, so that one that waited tells the truth of now.

use std::sync::Arc;

use super::lease::{Job, Matter};
use crate::model::{Status, Timestamp};
use crate::render::blocks::{Block, line};
use crate::render::incident::{incident_report, quiet_blocks, quiet_title};
use crate::reporters::Message;

/// The message of a job.
pub(super) fn message(job: &Job, now: Timestamp) -> Message {
    let id = job.message.clone();
    match &job.matter {
        Matter::Report(report) => Message::digest(Arc::clone(report)),
        Matter::Incident {
            incident,
            events,
            before,
        } => {
            let report = Arc::new(incident_report(incident, events));
            Message::incident(id, report, before.clone(), now)
        }
        Matter::Incidents(of) => {
            let reports = of
                .iter()
                .map(|(incident, events)| incident_report(incident, events));
            Message::incidents(id, reports.collect(), now)
        }
        Matter::Quiet { quiets, unsaid } => {
            let unsaid: Vec<_> = (unsaid.iter())
                .map(|(incident, events)| (incident_report(incident, events), events.clone()))
                .collect();
            let tone = unsaid.iter().map(|(report, _)| report.status).max();
            let tone = tone.unwrap_or(Status::Green);
            let title = quiet_title(quiets, &unsaid, now);
            Message::note(id, title, tone, quiet_blocks(quiets, &unsaid, now))
        }
        Matter::Note(note) => {
            let lines = note.lines.iter();
            let blocks = lines.map(|text| Block::Paragraph(line(text)));
            Message::note(id, note.title.clone(), note.tone, blocks.collect())
        }
    }
}
