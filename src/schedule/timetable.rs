//! When something happens again and again.

use std::time::Duration;

use super::{Cron, next_on_grid};
use crate::model::Timestamp;

/// When rounds begin.
#[derive(Debug, Clone, PartialEq)]
pub enum Timetable {
    /// At the times of a cron entry in a zone.
    Cron(Box<Cron>, chrono_tz::Tz),
    /// At equal distances.
    Every(Duration),
}

impl Timetable {
    /// The first time after `after`; equal distances are counted from `anchor`. `None`: it never comes.
    #[must_use]
    pub fn next_after(&self, anchor: Timestamp, after: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Cron(cron, zone) => cron.next_after(after, *zone),
            Self::Every(every) => Some(next_on_grid(anchor, *every, after)),
        }
    }

    /// How many times a day it comes, about: counted over the next four weeks.
    #[must_use]
    pub fn times_a_day(&self, now: Timestamp) -> f64 {
        const DAYS: i32 = 28;
        match self {
            Self::Every(every) => 86_400.0 / every.as_secs_f64().max(0.001),
            Self::Cron(cron, zone) => {
                let end = now + chrono::TimeDelta::days(DAYS.into());
                let mut count = 0;
                let mut at = now;
                while let Some(next) = cron.next_after(at, *zone) {
                    // Every minute for a day tells as much as for four weeks.
                    if count >= 1_440 {
                        let days = (at - now).num_seconds().max(1);
                        #[expect(clippy::cast_precision_loss, reason = "seconds of a few weeks")]
                        return f64::from(count) * 86_400.0 / days as f64;
                    }
                    if next >= end {
                        break;
                    }
                    count += 1;
                    at = next;
                }
                f64::from(count) / f64::from(DAYS)
            }
        }
    }
}
