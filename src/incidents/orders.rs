//! What people order: to take note of an incident.

use super::engine::Engine;
use crate::model::{Acknowledgement, Event, EventKind, IncidentId, Soon, Sort, Timestamp};

/// What is ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Somebody takes note: no reminders and no escalation, until it becomes worse.
    Acknowledge {
        /// `12`, `#12`, or a target's name or `kind/name`.
        incident: String,
        /// Who.
        by: String,
        /// Why, or what is being done.
        why: Option<String>,
    },
}

/// Why an order was not obeyed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotObeyed {
    /// Nothing open is called so.
    #[error("there is no open incident `{0}`")]
    Unknown(String),
    /// Several are.
    #[error("`{asked}` is part of several incidents: {}", found.iter().map(|id| format!("#{id}")).collect::<Vec<_>>().join(", "))]
    Several {
        /// What was asked for.
        asked: String,
        /// The incidents.
        found: Vec<IncidentId>,
    },
}

impl Engine {
    /// Obeys, and says which incident it concerned.
    ///
    /// # Errors
    /// See [`NotObeyed`].
    pub fn obey(&mut self, order: Order, now: Timestamp) -> Result<IncidentId, NotObeyed> {
        self.advance(now);
        let Order::Acknowledge { incident, by, why } = order;
        let id = self.find(&incident)?;
        let Some(found) = self.live.get_mut(&id) else {
            return Err(NotObeyed::Unknown(incident));
        };
        let text = match &why {
            Some(why) => format!("{by}: {why}"),
            None => by.clone(),
        };
        found.acknowledged = Some(Acknowledgement { by, why, at: now });
        found.remind_at = None;
        found.escalates_from = None;
        let event = Event {
            at: now,
            kind: EventKind::Acknowledged,
            name: String::new(),
            status: None,
            text: Some(text),
            rings: true,
        };
        self.tell(id, None, event, Soon::Now, now);
        Ok(id)
    }

    fn find(&self, asked: &str) -> Result<IncidentId, NotObeyed> {
        let number = asked
            .strip_prefix('#')
            .unwrap_or(asked)
            .parse::<IncidentId>();
        if let Ok(id) = number
            && self
                .live
                .get(&id)
                .is_some_and(crate::model::Incident::is_open)
        {
            return Ok(id);
        }
        let named = self.family.iter().filter(|facts| {
            [&facts.target, &facts.name, &facts.own_name].contains(&&asked.to_owned())
        });
        let mut found: Vec<IncidentId> = named
            .flat_map(|facts| {
                [Sort::Problem, Sort::Unmeasured]
                    .map(|sort| self.places.get(&(facts.target.clone(), sort)).copied())
            })
            .flatten()
            .collect();
        found.sort_unstable();
        found.dedup();
        match found.as_slice() {
            [id] => Ok(*id),
            [] => Err(NotObeyed::Unknown(asked.to_owned())),
            _ => Err(NotObeyed::Several {
                asked: asked.to_owned(),
                found,
            }),
        }
    }
}
