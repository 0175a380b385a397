//! How fast a channel is spoken to: few messages at a time, however much happens.

use std::collections::{BTreeSet, HashSet, VecDeque};

use chrono::TimeDelta;

use crate::model::{Event, EventKind, IncidentId, Timestamp};

/// So many incidents are told one by one within that time; what goes beyond is told together.
pub(super) const SINGLES: usize = 2;
const SINGLES_WITHIN: TimeDelta = TimeDelta::seconds(30);

/// Between two messages that tell of many: first, and at most. Where each target is looked at once a minute, all that
/// fail at once are told in two of them.
const WINDOW: TimeDelta = TimeDelta::minutes(1);
const LONGEST_WINDOW: TimeDelta = TimeDelta::minutes(5);

/// What happens at once comes within this, and is told in the first message that tells of many.
const GATHERING: TimeDelta = TimeDelta::milliseconds(300);

/// So many messages are under way to one channel: one that hangs holds up no other. One place is kept for what rings.
const AT_ONCE: usize = 3;
const QUIET_AT_ONCE: usize = 2;

/// So many messages are brought up to date without a ring within that time. Telegram lets 20 a minute into a group.
const QUIET: usize = 10;
const QUIET_WITHIN: TimeDelta = TimeDelta::minutes(1);

/// How loud a message is. Each has a pace of its own: what rings nowhere must not hold up an alarm, nor must good news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Voice {
    /// It brings up to date what is there.
    Quiet,
    /// It rings, and nothing is worse than before.
    News,
    /// Something began or became worse.
    Alarm,
}

impl Voice {
    /// How loud it is to tell of these.
    pub(super) fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let ringing = events.into_iter().filter(|event| event.rings);
        let voices = ringing.map(|event| match event.kind {
            EventKind::Opened
            | EventKind::Worsened
            | EventKind::Remained
            | EventKind::FlappingStarted
            | EventKind::Escalated => Self::Alarm,
            EventKind::Improved
            | EventKind::FlappingEnded
            | EventKind::Resolved
            | EventKind::Removed
            | EventKind::Merged
            | EventKind::Acknowledged
            | EventKind::Reminded
            | EventKind::Explained
            | EventKind::Worded => Self::News,
        });
        voices.max().unwrap_or(Self::Quiet)
    }
}

/// One channel's pace.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// The channel takes nothing before.
    pub(super) not_before: Option<Timestamp>,
    alarms: Lane,
    news: Lane,
    quiet: Lane,
    /// When something was told lately without a ring.
    quietly: VecDeque<Timestamp>,
    /// The threads of what is under way.
    pub(super) under_way: BTreeSet<String>,
    /// Whether the last message was given up, and others were told so.
    pub(super) is_given_up: bool,
}

/// What was told lately in one voice.
#[derive(Debug, Default)]
struct Lane {
    /// When incidents were told by themselves.
    singles: VecDeque<(Timestamp, IncidentId)>,
    /// When many were told together last, and how often that followed soon upon the one before.
    together_at: Option<Timestamp>,
    widenings: u32,
    /// The same before the last.
    before: (Option<Timestamp>, u32),
}

impl Lane {
    fn window(&self) -> TimeDelta {
        (WINDOW * (1 << self.widenings.min(5))).min(LONGEST_WINDOW)
    }

    fn is_soon(&self, now: Timestamp) -> bool {
        self.together_at
            .is_some_and(|at| now - at < self.window() * 2)
    }
}

impl Pace {
    fn lane(&mut self, voice: Voice) -> &mut Lane {
        match voice {
            Voice::Alarm => &mut self.alarms,
            Voice::News => &mut self.news,
            Voice::Quiet => &mut self.quiet,
        }
    }

    /// Whether an incident can be told by itself, when so many others wait to be in that voice. What follows in one that was
    /// told a moment ago counts no further. As long as there is a storm, all that comes is told together.
    pub(super) fn has_room(
        &mut self,
        voice: Voice,
        incident: IncidentId,
        waiting: usize,
        now: Timestamp,
    ) -> bool {
        let lane = self.lane(voice);
        if lane.is_soon(now) {
            return false;
        }
        let lately = lane.singles.iter();
        let lately = lately.filter(|(at, _)| now - *at < SINGLES_WITHIN);
        let lately: HashSet<IncidentId> = lately.map(|(_, id)| *id).collect();
        lately.contains(&incident) || lately.len() + waiting < SINGLES
    }

    /// When many can be told together.
    pub(super) fn together_from(&mut self, voice: Voice, now: Timestamp) -> Timestamp {
        let gathered = now + GATHERING;
        let lane = self.lane(voice);
        match lane.together_at {
            Some(at) => gathered.max(at + lane.window()),
            None => gathered,
        }
    }

    /// Whether another message may be under way.
    pub(super) fn is_free(&self, now: Timestamp) -> bool {
        self.under_way.len() < AT_ONCE && self.not_before.is_none_or(|at| at <= now)
    }

    /// Whether it may be one that rings nowhere. `Err`: from when on, where that is known.
    pub(super) fn is_free_for_quiet(&self, now: Timestamp) -> Result<(), Option<Timestamp>> {
        if self.under_way.len() >= QUIET_AT_ONCE {
            return Err(None);
        }
        match self.quietly.front() {
            Some(first) if self.quietly.len() >= QUIET && now - *first < QUIET_WITHIN => {
                Err(Some(*first + QUIET_WITHIN))
            }
            _ => Ok(()),
        }
    }

    /// An incident is told by itself.
    pub(super) fn note_single(&mut self, voice: Voice, incident: IncidentId, now: Timestamp) {
        if voice == Voice::Quiet {
            self.note_quiet(now);
            return;
        }
        let singles = &mut self.lane(voice).singles;
        singles.retain(|(at, _)| now - *at < SINGLES_WITHIN);
        singles.push_back((now, incident));
    }

    /// The last message of that incident did not arrive: it disturbed nobody.
    pub(super) fn forget_single(&mut self, voice: Voice, incident: IncidentId) {
        let singles = &mut self.lane(voice).singles;
        if let Some(place) = singles.iter().rposition(|(_, id)| *id == incident) {
            singles.remove(place);
        }
    }

    /// The same of the last that told of many.
    pub(super) fn forget_together(&mut self, voice: Voice) {
        let lane = self.lane(voice);
        (lane.together_at, lane.widenings) = lane.before;
    }

    pub(super) fn note_together(&mut self, voice: Voice, now: Timestamp) {
        if voice == Voice::Quiet {
            self.note_quiet(now);
        }
        let lane = self.lane(voice);
        lane.before = (lane.together_at, lane.widenings);
        lane.widenings = if lane.is_soon(now) {
            lane.widenings + 1
        } else {
            0
        };
        lane.together_at = Some(now);
    }

    /// A channel that does not take it is asked as seldom.
    fn note_quiet(&mut self, now: Timestamp) {
        self.quietly.push_back(now);
        while self.quietly.len() > QUIET {
            self.quietly.pop_front();
        }
    }

    /// The clock was set back.
    pub(super) fn shift(&mut self, by: TimeDelta) {
        for lane in [&mut self.alarms, &mut self.news, &mut self.quiet] {
            let singles = lane.singles.iter_mut().map(|(at, _)| at);
            for at in singles.chain(&mut lane.together_at) {
                *at += by;
            }
        }
        for at in self.quietly.iter_mut().chain(&mut self.not_before) {
            *at += by;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALARM: Voice = Voice::Alarm;

    #[test]
    fn two_in_half_a_minute_are_told_one_by_one() {
        let start = Timestamp::UNIX_EPOCH;
        let mut pace = Pace::default();
        assert!(pace.has_room(ALARM, 1, 1, start) && !pace.has_room(ALARM, 1, 2, start));
        for (incident, second) in [(0, 0), (1, 1)] {
            let now = start + TimeDelta::seconds(second);
            assert!(pace.has_room(ALARM, incident, 0, now));
            pace.note_single(ALARM, incident, now);
        }
        let soon = start + TimeDelta::seconds(29);
        assert!(!pace.has_room(ALARM, 7, 0, soon));
        // What follows in one of them, and the end of another, is no third.
        assert!(pace.has_room(ALARM, 1, 0, soon) && pace.has_room(Voice::News, 7, 0, soon));
        let later = start + TimeDelta::seconds(30);
        assert!(pace.has_room(ALARM, 7, 0, later));
        assert!(!pace.has_room(ALARM, 7, 1, later));
    }

    #[test]
    fn the_longer_a_storm_lasts_the_less_is_said() {
        let mut now = Timestamp::UNIX_EPOCH;
        let mut pace = Pace::default();
        let mut waits = Vec::new();
        for _ in 0..7 {
            let next = pace.together_from(ALARM, now);
            waits.push((next - now).num_seconds());
            now = next;
            pace.note_together(ALARM, now);
        }
        assert_eq!(waits, [0, 60, 120, 240, 300, 300, 300]);
        now += TimeDelta::hours(1);
        pace.note_together(ALARM, now);
        assert_eq!((pace.together_from(ALARM, now) - now).num_seconds(), 60);
    }

    #[test]
    fn ten_a_minute_are_brought_up_to_date() {
        let start = Timestamp::UNIX_EPOCH;
        let mut pace = Pace::default();
        for second in 0..10 {
            let now = start + TimeDelta::seconds(second);
            assert_eq!(pace.is_free_for_quiet(now), Ok(()));
            pace.note_single(Voice::Quiet, 1, now);
        }
        let minute = start + TimeDelta::minutes(1);
        let soon = start + TimeDelta::seconds(10);
        assert_eq!(pace.is_free_for_quiet(soon), Err(Some(minute)));
        assert!(pace.has_room(ALARM, 2, 0, soon));
        assert_eq!(pace.is_free_for_quiet(minute), Ok(()));
    }

    #[test]
    fn a_clock_that_is_set_back_puts_nothing_off() {
        let start = Timestamp::UNIX_EPOCH + TimeDelta::days(1);
        let mut pace = Pace::default();
        pace.note_together(ALARM, start);
        for _ in 0..QUIET {
            pace.note_single(Voice::Quiet, 1, start);
        }
        pace.not_before = Some(start + TimeDelta::seconds(10));
        let hour = TimeDelta::hours(1);
        pace.shift(-hour);
        assert_eq!(
            pace.together_from(ALARM, start - hour),
            start - hour + WINDOW
        );
        assert!(pace.is_free(start - hour + TimeDelta::seconds(10)));
        assert_eq!(pace.is_free_for_quiet(start - hour + WINDOW), Ok(()));
    }
}
