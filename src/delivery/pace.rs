//! How fast a channel is spoken to: few messages at a time, however much happens.

use std::collections::{BTreeSet, VecDeque};

use chrono::TimeDelta;

use crate::model::Timestamp;

/// So many incidents are told one by one within that time; what goes beyond is told together.
const SINGLES: usize = 2;
const SINGLES_WITHIN: TimeDelta = TimeDelta::seconds(30);

/// Between two messages that tell of many: first, and at most. Where each target is looked at once a minute, all that
/// fail at once are told in two of them.
const WINDOW: TimeDelta = TimeDelta::minutes(1);
const LONGEST_WINDOW: TimeDelta = TimeDelta::minutes(5);

/// What happens at once comes within this, and is told in the first message that tells of many.
const GATHERING: TimeDelta = TimeDelta::milliseconds(300);

/// So many messages are under way to one channel: one that hangs holds up no other.
const AT_ONCE: usize = 3;

/// One channel's pace.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// The channel takes nothing before.
    pub(super) not_before: Option<Timestamp>,
    /// When single incidents were told lately.
    singles: VecDeque<Timestamp>,
    /// When many were told together last, and how often that followed soon upon the one before.
    together_at: Option<Timestamp>,
    widenings: u32,
    /// The same before the last.
    before: (Option<Timestamp>, u32),
    /// The threads of what is under way.
    pub(super) under_way: BTreeSet<String>,
    /// Whether the last message was given up, and others were told so.
    pub(super) is_given_up: bool,
}

impl Pace {
    /// Whether one more incident can be told by itself, when so many wait to be. As long as there is a storm, all that
    /// comes is told together.
    pub(super) fn has_room(&self, waiting: usize, now: Timestamp) -> bool {
        let is_stormy = self
            .together_at
            .is_some_and(|at| now - at < self.window() * 2);
        if is_stormy {
            return false;
        }
        let lately = self
            .singles
            .iter()
            .filter(|at| now - **at < SINGLES_WITHIN)
            .count();
        lately + waiting < SINGLES
    }

    /// When many can be told together.
    pub(super) fn together_from(&self, now: Timestamp) -> Timestamp {
        let gathered = now + GATHERING;
        match self.together_at {
            Some(at) => gathered.max(at + self.window()),
            None => gathered,
        }
    }

    fn window(&self) -> TimeDelta {
        (WINDOW * (1 << self.widenings.min(5))).min(LONGEST_WINDOW)
    }

    /// Whether another message may be under way.
    pub(super) fn is_free(&self, now: Timestamp) -> bool {
        self.under_way.len() < AT_ONCE && self.not_before.is_none_or(|at| at <= now)
    }

    pub(super) fn note_single(&mut self, now: Timestamp) {
        self.singles.push_back(now);
        while self.singles.len() > SINGLES {
            self.singles.pop_front();
        }
    }

    /// The last single one did not arrive: it disturbed nobody.
    pub(super) fn forget_single(&mut self) {
        self.singles.pop_back();
    }

    /// The same of the last that told of many.
    pub(super) fn forget_together(&mut self) {
        (self.together_at, self.widenings) = self.before;
    }

    pub(super) fn note_together(&mut self, now: Timestamp) {
        self.before = (self.together_at, self.widenings);
        let soon = self
            .together_at
            .is_some_and(|at| now - at < self.window() * 2);
        self.widenings = if soon { self.widenings + 1 } else { 0 };
        self.together_at = Some(now);
    }

    /// The clock was set back.
    pub(super) fn shift(&mut self, by: TimeDelta) {
        let times = self.singles.iter_mut();
        for at in times
            .chain(&mut self.together_at)
            .chain(&mut self.not_before)
        {
            *at += by;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_in_half_a_minute_are_told_one_by_one() {
        let start = Timestamp::UNIX_EPOCH;
        let mut pace = Pace::default();
        assert!(pace.has_room(1, start) && !pace.has_room(2, start));
        for second in 0..2 {
            let now = start + TimeDelta::seconds(second);
            assert!(pace.has_room(0, now));
            pace.note_single(now);
        }
        assert!(!pace.has_room(0, start + TimeDelta::seconds(29)));
        assert!(pace.has_room(0, start + TimeDelta::seconds(30)));
        assert!(!pace.has_room(1, start + TimeDelta::seconds(30)));
    }

    #[test]
    fn the_longer_a_storm_lasts_the_less_is_said() {
        let mut now = Timestamp::UNIX_EPOCH;
        let mut pace = Pace::default();
        let mut waits = Vec::new();
        for _ in 0..7 {
            let next = pace.together_from(now);
            waits.push((next - now).num_seconds());
            now = next;
            pace.note_together(now);
        }
        assert_eq!(waits, [0, 60, 120, 240, 300, 300, 300]);
        now += TimeDelta::hours(1);
        pace.note_together(now);
        assert_eq!((pace.together_from(now) - now).num_seconds(), 60);
    }

    #[test]
    fn a_clock_that_is_set_back_puts_nothing_off() {
        let start = Timestamp::UNIX_EPOCH + TimeDelta::days(1);
        let mut pace = Pace::default();
        pace.note_together(start);
        pace.not_before = Some(start + TimeDelta::seconds(10));
        let hour = TimeDelta::hours(1);
        pace.shift(-hour);
        assert_eq!(pace.together_from(start - hour), start - hour + WINDOW);
        assert!(pace.is_free(start - hour + TimeDelta::seconds(10)));
    }
}
