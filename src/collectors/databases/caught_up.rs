//! When a standby had last replayed all that had come.
//!
//! The server only says when the last transaction it replayed was committed. After a night without writes that is hours
//! ago, and for the moment in which the first new one is on its way it looks as if the standby were hours behind.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::decode::Answers;
use super::questions::Question;
use crate::model::TargetId;

/// What was not caught up for so long is forgotten, so that targets that left the configuration do not stay.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(7 * 24);

/// A look at which a standby had caught up.
struct Then {
    /// When its server was started: another one has another time, and what we know is not about that one.
    started: String,
    at: Instant,
}

/// The last such look at each target.
#[derive(Default)]
pub(super) struct CaughtUp(Mutex<HashMap<TargetId, Then>>);

impl CaughtUp {
    /// Keeps what the answers say. Gives for how long at most the standby can have been behind, as far as that is known.
    /// `asked`: before the questions were sent.
    pub(super) fn since(
        &self,
        target: &TargetId,
        answers: &Answers,
        asked: Instant,
    ) -> Option<Duration> {
        let mut own = answers
            .iter()
            .filter(|(question, _)| *question == Question::OwnLag);
        let row = own.next()?.1.as_ref().ok()?.first()?;
        let started = row.text("started")?;
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if row.text("is_caught_up") == Some("t") {
            looks.retain(|_, then| asked.saturating_duration_since(then.at) < FORGOTTEN_AFTER);
            let started = started.to_owned();
            looks.insert(target.clone(), Then { started, at: asked });
            return Some(Duration::ZERO);
        }
        let then = looks.get(target).filter(|then| then.started == started)?;
        Some(then.at.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::postgres::Row;

    fn answer(started: &str, is_caught_up: &str) -> Answers {
        let column = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        let row = Row(vec![
            column("started", started),
            column("is_caught_up", is_caught_up),
        ]);
        vec![(Question::OwnLag, Ok(vec![row]))]
    }

    #[test]
    fn a_standby_is_no_further_behind_than_since_it_had_caught_up() {
        let caught_up = CaughtUp::default();
        let target = TargetId {
            kind: "databases",
            name: "db".into(),
        };
        let Some(then) = Instant::now().checked_sub(Duration::from_mins(1)) else {
            return;
        };
        let since = |answers: &Answers, asked| caught_up.since(&target, answers, asked);
        assert_eq!(since(&answer("1", "f"), then), None, "nothing is known yet");
        assert_eq!(since(&answer("1", "t"), then), Some(Duration::ZERO));
        let ago = since(&answer("1", "f"), Instant::now()).expect("known");
        assert!(ago >= Duration::from_mins(1), "{ago:?}");
        assert_eq!(since(&answer("2", "f"), then), None, "another server");
        assert_eq!(since(&Vec::new(), then), None);
    }
}
