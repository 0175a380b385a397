use chrono::TimeDelta;

use super::Timestamp;

/// How much of a time a target was up, as far as it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uptime {
    /// The YAML key of its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Whether it is still watched.
    pub watched: bool,
    /// How many looks gave GREEN, UNKNOWN, YELLOW and RED.
    pub looks: [u64; 4],
    /// When the first of them was made, to the hour where hours are all that is kept.
    pub first_look_at: Option<Timestamp>,
    /// How many times it was RED: one that was under way at the beginning is one. UNKNOWN does not end it, as it says
    /// nothing about the target.
    pub outages: u64,
    /// How long it was RED: from the look that saw it to the one that saw something else.
    pub red_for: TimeDelta,
}

impl Uptime {
    /// How many looks were GREEN or YELLOW.
    #[must_use]
    pub fn up(&self) -> u64 {
        let [green, _, yellow, _] = self.looks;
        green.saturating_add(yellow)
    }

    /// How many looks measured something: all but those that were UNKNOWN.
    #[must_use]
    pub fn measured(&self) -> u64 {
        let [.., red] = self.looks;
        self.up().saturating_add(red)
    }

    /// The share of looks that were GREEN or YELLOW among those that measured something, in hundredths of a percent and
    /// rounded down, so that 10,000 means all of them. `None`: nothing was measured.
    #[must_use]
    pub fn basis_points(&self) -> Option<u64> {
        let share = u128::from(self.up()) * 10_000;
        let share = share.checked_div(u128::from(self.measured()))?;
        u64::try_from(share).ok()
    }
}
