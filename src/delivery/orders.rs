//! What people order of messages: to try one again, or to forget it.

use super::outbox::Outbox;
use crate::model::{ParcelContent, Timestamp};

/// Why an order about messages was not obeyed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// No message begins so.
    #[error("no message begins with `{0}`")]
    Unknown(String),
    /// More than one does.
    #[error("{count} messages begin with `{asked}`: give more of it")]
    Several {
        /// What was asked for.
        asked: String,
        /// How many.
        count: usize,
    },
    /// It is being sent.
    #[error("`{0}` is being sent at this moment")]
    UnderWay(String),
}

impl Outbox {
    /// Tries now what waits or was given up: one message, by a beginning of its name, or all. Gives how many.
    ///
    /// # Errors
    /// See [`NotFound`].
    pub fn retry(&mut self, message: Option<&str>, now: Timestamp) -> Result<usize, NotFound> {
        let ids = match message {
            Some(asked) => vec![self.find(asked)?],
            None => self.parcels.keys().cloned().collect(),
        };
        let mut count = 0;
        for id in ids {
            let Some(held) = self.parcels.get_mut(&id).filter(|held| !held.under_way) else {
                continue;
            };
            if held.parcel.dead_at.is_some() {
                held.parcel.try_anew(now);
            }
            held.parcel.due_at = now;
            let reporter = held.parcel.reporter.clone();
            self.paces.entry(reporter).or_default().not_before = None;
            self.touch(&id);
            count += 1;
        }
        Ok(count)
    }

    /// Forgets a message, by a beginning of its name. Gives its whole name.
    ///
    /// # Errors
    /// See [`NotFound`].
    pub fn drop_message(&mut self, message: &str) -> Result<String, NotFound> {
        let id = self.find(message)?;
        if self.parcels.get(&id).is_some_and(|held| held.under_way) {
            return Err(NotFound::UnderWay(id));
        }
        if let Some(held) = self.remove(&id)
            && let ParcelContent::Incident { id: incident, .. } = held.parcel.content
        {
            tracing::info!(
                event = "message.dropped",
                message.id = held.parcel.id,
                incident.id = incident,
                "a message was dropped because somebody asked for it"
            );
        }
        self.forget_what_nothing_tells_of();
        Ok(id)
    }

    fn find(&self, asked: &str) -> Result<String, NotFound> {
        if self.parcels.contains_key(asked) {
            return Ok(asked.to_owned());
        }
        let found: Vec<&String> = (self.parcels.keys())
            .filter(|id| id.starts_with(asked))
            .collect();
        match found.as_slice() {
            [id] => Ok((*id).clone()),
            [] => Err(NotFound::Unknown(asked.to_owned())),
            all => Err(NotFound::Several {
                asked: asked.to_owned(),
                count: all.len(),
            }),
        }
    }
}
