//! What is remembered of a target's looks: whether enough agree, and whether it changes to and fro.

use serde::{Deserialize, Serialize};

use crate::model::Status;

/// Over how many looks it is judged whether a target changes to and fro.
const FLAP_LOOKS: u32 = 20;

/// Changes are weighted from this for the oldest look …
const OLDEST_WEIGHT: f64 = 0.8;

/// … to this for the newest: the way of Icinga and Nagios
/// (<https://icinga.com/docs/icinga-2/latest/doc/08-advanced-topics/#check-flapping>).
const NEWEST_WEIGHT: f64 = 1.2;

/// Flapping starts above this share of changes …
const FLAPPING_STARTS: f64 = 0.30;

/// … and ends below this one.
const FLAPPING_ENDS: f64 = 0.25;

/// More looks than this are never asked to agree.
pub(super) const MOST_AGREEING: usize = 20;

/// The newest looks at one target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// GREEN, YELLOW or RED, the newest last. What could not be measured is not among them: it says nothing.
    recent: Vec<Status>,
    /// One bit for each look, the newest lowest: whether it changed between well and not well.
    changes: u32,
    /// How many looks in a row could not be measured.
    unmeasured: u32,
    /// When the first of the newest looks was made that were not well, in milliseconds since 1970.
    bad_since: Option<i64>,
    /// When the first of the newest looks was made that said the same, if that is not GREEN.
    #[serde(default)]
    same_since: Option<i64>,
}

impl Marks {
    /// Takes note of a look.
    pub(super) fn see(&mut self, status: Status, at_ms: i64, agreeing: usize) {
        if status == Status::Unknown {
            self.unmeasured = self.unmeasured.saturating_add(1);
            if self.unmeasured == 1 && !self.is_bad() {
                self.bad_since = Some(at_ms);
            }
            return;
        }
        if self.unmeasured > 0 && !self.is_bad() {
            self.bad_since = None;
        }
        self.unmeasured = 0;
        let bad = status != Status::Green;
        let changed = bad != self.is_bad();
        self.changes = (self.changes << 1 | u32::from(changed)) & ((1 << FLAP_LOOKS) - 1);
        match (bad, self.bad_since) {
            (true, None) => self.bad_since = Some(at_ms),
            (false, _) => self.bad_since = None,
            _ => {}
        }
        if !bad {
            self.same_since = None;
        } else if self.recent.last() != Some(&status) || self.same_since.is_none() {
            self.same_since = Some(at_ms);
        }
        self.recent.push(status);
        let too_many = self.recent.len().saturating_sub(agreeing.max(1));
        self.recent.drain(..too_many);
    }

    /// Whether the newest look that measured anything was not well.
    pub(super) fn is_bad(&self) -> bool {
        self.recent
            .last()
            .is_some_and(|last| *last != Status::Green)
    }

    /// The status on which that many of the newest looks agree: none of them was better.
    pub(super) fn agreed(&self, agreeing: usize) -> Status {
        let newest = self.recent.iter().rev().take(agreeing);
        if newest.len() < agreeing {
            return Status::Green;
        }
        newest.copied().min().unwrap_or(Status::Green)
    }

    /// How many looks in a row could not be measured.
    pub(super) fn unmeasured(&self) -> usize {
        usize::try_from(self.unmeasured).unwrap_or(usize::MAX)
    }

    /// When the first of the newest looks was made that were not well.
    pub(super) fn bad_since_ms(&self) -> Option<i64> {
        self.bad_since
    }

    /// When the first of the newest looks was made that said the same, if that is not GREEN.
    pub(super) fn same_since_ms(&self) -> Option<i64> {
        self.same_since
    }

    /// Whether it changes to and fro, given whether it did before.
    pub(super) fn is_flapping(&self, before: bool) -> bool {
        let share = self.share_of_changes();
        if before {
            share >= FLAPPING_ENDS
        } else {
            share > FLAPPING_STARTS
        }
    }

    fn share_of_changes(&self) -> f64 {
        let step = (NEWEST_WEIGHT - OLDEST_WEIGHT) / f64::from(FLAP_LOOKS - 1);
        let changed = (0..FLAP_LOOKS).filter(|age| self.changes >> age & 1 == 1);
        let weights = changed.map(|age| NEWEST_WEIGHT - step * f64::from(age));
        weights.sum::<f64>() / f64::from(FLAP_LOOKS)
    }

    /// How many of the newest looks changed between well and not well.
    pub(super) fn changes(&self) -> u32 {
        self.changes.count_ones()
    }

    /// Whether nothing of it matters: all is well, and has been for long.
    pub(super) fn is_at_rest(&self) -> bool {
        self.changes == 0
            && self.unmeasured == 0
            && self.recent.iter().all(|status| *status == Status::Green)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(looks: &str) -> Marks {
        let mut marks = Marks::default();
        for (at, look) in looks.chars().enumerate() {
            let status = match look {
                'g' => Status::Green,
                'y' => Status::Yellow,
                'r' => Status::Red,
                _ => Status::Unknown,
            };
            marks.see(status, i64::try_from(at).unwrap(), 2);
        }
        marks
    }

    #[test]
    fn looks_agree_on_the_best_of_them_and_what_was_not_measured_says_nothing() {
        for (looks, agreed) in [
            ("", Status::Green),
            ("r", Status::Green),
            ("rr", Status::Red),
            ("ry", Status::Yellow),
            ("r?r", Status::Red),
            ("rg", Status::Green),
            ("rgr", Status::Green),
            ("??", Status::Green),
        ] {
            assert_eq!(after(looks).agreed(2), agreed, "{looks}");
        }
        assert_eq!(after("r").agreed(1), Status::Red);
    }

    #[test]
    fn the_beginning_is_the_first_of_the_looks_that_were_not_well() {
        for (looks, since) in [
            ("g", None),
            ("gr", Some(1)),
            ("gr?r", Some(1)),
            ("g?r", Some(2)),
            ("grgr", Some(3)),
            ("g??", Some(1)),
            ("r?", Some(0)),
        ] {
            assert_eq!(after(looks).bad_since_ms(), since, "{looks}");
        }
    }

    #[test]
    fn flapping_starts_above_thirty_percent_and_ends_below_twenty_five() {
        // Seven of the newest looks: (1.2 + … + 1.074) / 20 is 39.8 %; six old ones 25 %.
        assert!(after("grgrgrgr").is_flapping(false));
        assert!(!after("grgrgr").is_flapping(false));
        assert!(!after("rrrrrrrrrrrrrrrr").is_flapping(false));
        // Problems that get worse and better are no flapping.
        assert!(!after("yryryryryryryryryry").is_flapping(false));
        let mut calm = after("grgrgrgrg");
        let mut looks = 0;
        while calm.is_flapping(true) {
            calm.see(Status::Green, 0, 2);
            looks += 1;
        }
        assert_eq!((looks, calm.changes()), (15, 5));
        for _ in 0..20 {
            calm.see(Status::Green, 0, 2);
        }
        assert!(calm.is_at_rest());
    }
}
