//! How long to wait before a message is tried again.

use chrono::TimeDelta;

use crate::schedule::share;

const FIRST: TimeDelta = TimeDelta::seconds(5);
const LONGEST: TimeDelta = TimeDelta::minutes(15);

/// How much of each wait is left to chance, so that many messages do not come together again.
const JITTER: f64 = 0.2;

/// A message counts as tried for long enough only when its waits, one after the other, took so long: a clock that is set
/// forward, or a machine that sleeps, uses up no tries.
const TRIED_FOR: TimeDelta = TimeDelta::minutes(10);

/// The wait after so many tries, from 1, without chance: 5 s, 10 s, 20 s … 15 min.
fn nominal(tries: u32) -> TimeDelta {
    let doublings = tries.saturating_sub(1).min(16);
    (FIRST * (1 << doublings)).min(LONGEST)
}

/// How long to wait after so many tries of a message, from 1. The same message waits the same.
pub(super) fn wait_after(message: &str, tries: u32) -> TimeDelta {
    let wait = nominal(tries);
    let chance = share(message, u64::from(tries)) * JITTER;
    #[expect(clippy::cast_possible_truncation, reason = "at most 15 minutes")]
    let jitter = (wait.as_seconds_f64() * chance * 1_000.0) as i64;
    // Never longer than is promised.
    wait - TimeDelta::milliseconds(jitter)
}

/// Whether a message of that age that failed so often is given up.
pub(super) fn is_enough(age: TimeDelta, tries: u32, patience: TimeDelta) -> bool {
    let waited = (1..=tries).map(nominal).sum::<TimeDelta>();
    age >= patience && waited >= TRIED_FOR.min(patience / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour() {
        let waits: Vec<i64> = (1..=10).map(|tries| nominal(tries).num_seconds()).collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
        assert_eq!(nominal(u32::MAX), LONGEST);
    }

    #[test]
    fn chance_shortens_a_wait_by_a_fifth_at_most_and_is_the_same_each_time() {
        for tries in 1..40 {
            let wait = wait_after("i12", tries);
            assert!(
                wait <= nominal(tries) && wait >= nominal(tries) * 4 / 5,
                "{wait}"
            );
            assert_eq!(wait, wait_after("i12", tries));
        }
        assert_ne!(wait_after("i12", 9), wait_after("i13", 9));
    }

    #[test]
    fn a_day_asleep_uses_up_no_tries() {
        let day = TimeDelta::hours(24);
        assert!(!is_enough(day * 2, 1, day));
        assert!(!is_enough(day - TimeDelta::seconds(1), 100, day));
        assert!(is_enough(day, 100, day));
        // A short patience is not stretched much.
        let minute = TimeDelta::minutes(1);
        assert!(!is_enough(minute, 2, minute));
        assert!(is_enough(minute, 3, minute));
    }
}
