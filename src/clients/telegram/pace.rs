//! How often a chat may be written to (<https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this>).
//! Who writes faster is refused for a while, and what came meanwhile waits with it: so calls are spaced before they are made.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Between two calls about one chat.
const SPACING: Duration = Duration::from_secs(1);

/// A group takes so many messages in a minute.
const MOST_A_MINUTE: usize = 20;
const MINUTE: Duration = Duration::from_mins(1);

/// How long one may wait for one's turn; whoever would wait longer comes back later.
const LONGEST_WAIT: Duration = Duration::from_secs(6);

/// When a chat was written to, and when it may be again.
#[derive(Debug, Default)]
pub(super) struct Pace {
    calls: VecDeque<Instant>,
    closed_until: Option<Instant>,
}

impl Pace {
    /// Takes the next turn, and gives its time; or how long to stay away.
    pub(super) fn turn(&mut self, now: Instant, is_group: bool) -> Result<Instant, Duration> {
        let after_last = self.calls.back().map(|last| *last + SPACING);
        let full = is_group && self.calls.len() >= MOST_A_MINUTE;
        let after_first = self.calls.front().filter(|_| full);
        let after_first = after_first.map(|first| *first + MINUTE);
        let turn = [after_last, after_first, self.closed_until];
        let turn = turn.into_iter().flatten().fold(now, Instant::max);
        let wait = turn.saturating_duration_since(now);
        if wait > LONGEST_WAIT {
            return Err(wait);
        }
        self.calls.push_back(turn);
        if self.calls.len() > MOST_A_MINUTE {
            self.calls.pop_front();
        }
        Ok(turn)
    }

    /// Telegram said to stay away until then.
    pub(super) fn close(&mut self, until: Instant) {
        self.closed_until = Some(until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    #[test]
    fn a_chat_is_written_to_once_a_second() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let turns: Vec<_> = (0..8).map(|_| pace.turn(start, false)).collect();
        let expected = (0..8).map(|number| match number {
            0..=6 => Ok(start + seconds(number)),
            _ => Err(seconds(number)),
        });
        assert_eq!(turns, expected.collect::<Vec<_>>());
        assert_eq!(
            pace.turn(start + seconds(60), false),
            Ok(start + seconds(60))
        );
    }

    #[test]
    fn a_group_is_written_to_twenty_times_a_minute() {
        let start = Instant::now();
        for (is_group, expected) in [(true, Err(seconds(40))), (false, Ok(start + seconds(20)))] {
            let mut pace = Pace::default();
            for number in 0..20 {
                let now = start + seconds(number);
                assert_eq!(pace.turn(now, is_group), Ok(now));
            }
            assert_eq!(pace.turn(start + seconds(20), is_group), expected);
            let now = start + seconds(60);
            assert_eq!(pace.turn(now, is_group), Ok(now));
        }
    }

    #[test]
    fn a_chat_that_is_closed_is_left_alone() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        pace.close(start + seconds(30));
        assert_eq!(pace.turn(start, false), Err(seconds(30)));
        let soon = start + seconds(28);
        assert_eq!(pace.turn(soon, false), Ok(start + seconds(30)));
    }
}
