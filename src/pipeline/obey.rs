//! Orders, obeyed where what they concern is owned.

use std::sync::Arc;

use chrono::TimeDelta;

use super::Pipeline;
use crate::desk::{Answer, Order, read};
use crate::store::{Placed, Row};

/// An order may have waited for a daemon: nobody reads an older report.
const OLDEST_REPORT: TimeDelta = TimeDelta::days(1);

impl Pipeline {
    /// Obeys, and answers in the store once what came of it is handed over.
    pub(super) fn obey(&mut self, placed: &Placed) {
        self.follow_store();
        let answer = match read(&placed.wanted) {
            Ok(order) => self.answer(order),
            Err(refused) => refused,
        };
        tracing::info!(
            event = "order.answered",
            order.id = placed.id,
            done = answer.done,
            "{}",
            answer.text
        );
        self.flush();
        let Ok(json) = serde_json::to_string(&answer) else {
            return;
        };
        self.incidents.mailroom().keep_rows(vec![Row::Answer {
            order: placed.id,
            answer: json,
        }]);
    }

    fn answer(&mut self, order: Order) -> Answer {
        let now = self.clock.now();
        match order {
            Order::Acknowledge { incident, by, why } => {
                match self.incidents.acknowledge(incident, by, why, now) {
                    Ok(id) => Answer::done(format!(
                        "#{id} is acknowledged: no reminders until it becomes worse"
                    )),
                    Err(error) => Answer::refused(error.to_string()),
                }
            }
            Order::Silence { silence } => {
                let id = silence.id.clone();
                self.incidents.silence(*silence);
                Answer::done(format!("the silence `{id}` holds"))
            }
            Order::EndSilence { id } => match self.incidents.end_silence(&id) {
                Ok(id) => Answer::done(format!("the silence `{id}` is over")),
                Err(why) => Answer::refused(why),
            },
            Order::Retry { message } => match self.incidents.mailroom().retry(message.as_deref()) {
                Ok(0) => Answer::done("no message waits, and none was given up"),
                Ok(1) => Answer::done("1 message is tried now"),
                Ok(count) => Answer::done(format!("{count} messages are tried now")),
                Err(error) => Answer::refused(error.to_string()),
            },
            Order::Drop { message } => match self.incidents.mailroom().drop_message(&message) {
                Ok(id) => Answer::done(format!("`{id}` is dropped")),
                Err(error) => Answer::refused(error.to_string()),
            },
            Order::Deliver { reporter, report } => {
                if !self.incidents.mailroom().has_channel(&reporter) {
                    return Answer::refused(format!("there is no reporter `{reporter}`"));
                }
                let age = now.signed_duration_since(report.round.started_at);
                if age > OLDEST_REPORT {
                    return Answer::refused("the report is older than a day");
                }
                let mailroom = self.incidents.mailroom();
                mailroom.report(&Arc::new(*report), Some(&reporter));
                Answer::done(format!("`{reporter}` gets the report as soon as it can"))
            }
        }
    }
}
