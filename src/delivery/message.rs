//! What a message says: made when it is sent, so that one that waited tells the truth of now.

use std::path::Path;
use std::sync::Arc;

use super::lease::{Job, Matter};
use crate::model::{Status, Timestamp};
use crate::render::blocks::{Block, line};
use crate::render::incident::{incident_report, quiet_blocks, quiet_title, quiet_tone};
use crate::render::uptime::{uptime_blocks, uptime_title, worst_first};
use crate::reporters::{Message, SendError};
use crate::store::uptimes;

/// The message of a job. Blocks: what is told of weeks is read from the store in that folder.
///
/// # Errors
/// The store cannot be read.
pub(super) fn message(job: &Job, store: &Path, now: Timestamp) -> Result<Message, SendError> {
    let id = job.message.clone();
    Ok(match &job.matter {
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
            let tone = quiet_tone(&unsaid);
            let title = quiet_title(quiets, &unsaid, now);
            Message::note(id, title, tone, quiet_blocks(quiets, &unsaid, now))
        }
        Matter::Note(note) => {
            let lines = note.lines.iter();
            let blocks = lines.map(|text| Block::Paragraph(line(text)));
            let message = Message::note(id, note.title.clone(), note.tone, blocks.collect());
            if note.rings {
                message
            } else {
                message.quietly()
            }
        }
        Matter::Uptime { from, to } => {
            let mut uptimes = uptimes(store, *from, *to).map_err(|trouble| {
                let error = SendError::retryable(format!("the uptime cannot be told: {trouble}"));
                error.hint(trouble.hint)
            })?;
            worst_first(&mut uptimes);
            let span = *to - *from;
            let blocks = uptime_blocks(&uptimes, span, *to);
            Message::note(id, uptime_title(&uptimes, span), Status::Green, blocks)
        }
    })
}
