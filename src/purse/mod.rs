//! The purse that pays for language models: arithmetic alone. What was spent stands in a ledger that the store keeps.
//!
//! A call reserves the most it can cost before it is made, and settles afterwards for what it did cost. A reservation that
//! is never settled, because the process ended in between, counts in full: the call may have been made.

mod prices;

use chrono_tz::Tz;

use crate::model::{Timestamp, UsDollars};
pub use prices::{KNOWN_PRICES, Price, PriceEntry, PriceTable, Pricing, Retired, retired};

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// To see whether a model is well.
    Probe,
    /// To explain what was seen.
    Analysis,
}

impl Purpose {
    /// The word for the ledger and for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Probe => "probe",
            Self::Analysis => "analysis",
        }
    }
}

/// How much may be spent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// By all calls of a day together.
    pub daily: UsDollars,
    /// Whose midnight ends a day.
    pub zone: Tz,
}

/// What all calls of a day may cost unless the configuration says otherwise, in US dollars: the predecessor's figure.
pub const USUAL_DAILY_USD: f64 = 3.0;

impl Budget {
    /// The most that may be spent on a purpose in a day: probes get a quarter, so that they can never take what the
    /// analysis of an incident needs.
    #[must_use]
    pub fn share(&self, purpose: Purpose) -> UsDollars {
        match purpose {
            Purpose::Probe => UsDollars::from_nanos(self.daily.nanos() / 4),
            Purpose::Analysis => self.daily,
        }
    }

    /// The day that a time belongs to: `2026-11-29`.
    #[must_use]
    pub fn day(&self, at: Timestamp) -> String {
        at.with_timezone(&self.zone).format("%Y-%m-%d").to_string()
    }
}

/// What was spent and reserved in a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// By all calls.
    pub all: UsDollars,
    /// By those of the purpose that is asked for.
    pub of_purpose: UsDollars,
}

/// A call that wants to be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What for.
    pub purpose: Purpose,
    /// Who runs the model.
    pub provider: String,
    /// The model.
    pub model: String,
    /// The most it can cost.
    pub worst: UsDollars,
}

/// Why a call is not paid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is not enough left today.
    #[error("the budget of today does not allow it: {left} of {limit} are left for {}, and it may cost {worst}", purpose.word())]
    Spent {
        /// What for.
        purpose: Purpose,
        /// What is left.
        left: UsDollars,
        /// Of so much.
        limit: UsDollars,
        /// What the call may cost.
        worst: UsDollars,
    },
    /// The ledger cannot be used: what cannot be noted is not spent.
    #[error("the ledger of the purse cannot be used: {0}")]
    NoLedger(String),
}

/// Whether a call may be made, after so much was spent. One that costs nothing always may.
///
/// # Errors
/// There is not enough left.
pub fn admit(budget: &Budget, spent: Spent, wanted: &Wanted) -> Result<(), Refusal> {
    if wanted.worst == UsDollars::ZERO {
        return Ok(());
    }
    let limit = budget.share(wanted.purpose);
    let left_of_purpose = limit.saturating_sub(spent.of_purpose);
    let left = left_of_purpose.min(budget.daily.saturating_sub(spent.all));
    if wanted.worst > left {
        return Err(Refusal::Spent {
            purpose: wanted.purpose,
            left,
            limit,
            worst: wanted.worst,
        });
    }
    Ok(())
}

/// A reservation, to be settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserved(pub i64);

/// What a call did cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settled {
    /// So much.
    pub cost: UsDollars,
    /// Tokens of the question.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
    /// Whether the tokens were estimated, because the provider reported none.
    pub estimated: bool,
}

/// Keeps what was spent. All processes that share it see the same sums.
pub trait Ledger: Send + Sync {
    /// Reserves what a call may cost, if the budget allows it; in one go, whoever else asks meanwhile.
    ///
    /// # Errors
    /// It does not, or the ledger cannot be used.
    fn reserve(
        &self,
        budget: &Budget,
        wanted: &Wanted,
        now: Timestamp,
    ) -> Result<Reserved, Refusal>;

    /// Notes what it did cost in the end.
    ///
    /// # Errors
    /// The ledger cannot be used: the reservation then stands.
    fn settle(&self, reserved: Reserved, settled: &Settled) -> Result<(), Refusal>;

    /// What was spent and reserved in the day of that time; `None`: it cannot be read.
    fn spent(&self, budget: &Budget, purpose: Purpose, now: Timestamp) -> Option<Spent>;

    /// What was bought under that name before; `None`: nothing, or it cannot be read.
    fn bought(&self, name: &str) -> Option<String>;

    /// Keeps what was bought, so that nobody pays for it again. Where that cannot be done, somebody does.
    fn keep_bought(&self, name: &str, what: &str, now: Timestamp);
}

/// For those who have no ledger: only what is free is done.
pub struct NoLedger;

impl Ledger for NoLedger {
    fn reserve(&self, _: &Budget, wanted: &Wanted, _: Timestamp) -> Result<Reserved, Refusal> {
        if wanted.worst == UsDollars::ZERO {
            return Ok(Reserved(0));
        }
        Err(Refusal::NoLedger("there is none".to_owned()))
    }

    fn spent(&self, _: &Budget, _: Purpose, _: Timestamp) -> Option<Spent> {
        None
    }

    fn settle(&self, _: Reserved, _: &Settled) -> Result<(), Refusal> {
        Ok(())
    }

    fn bought(&self, _: &str) -> Option<String> {
        None
    }

    fn keep_bought(&self, _: &str, _: &str, _: Timestamp) {}
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn budget(cents: u64) -> Budget {
        Budget {
            daily: UsDollars::from_nanos(cents * 10_000_000),
            zone: Tz::Europe__Berlin,
        }
    }

    fn wanted(purpose: Purpose, nanos: u64) -> Wanted {
        Wanted {
            purpose,
            provider: "openai".to_owned(),
            model: "any".to_owned(),
            worst: UsDollars::from_nanos(nanos),
        }
    }

    #[test]
    fn a_day_ends_at_midnight_in_its_zone() {
        let at = |text: &str| budget(1).day(text.parse().expect("a time"));
        assert_eq!(at("2026-11-29T22:59:59Z"), "2026-11-29");
        assert_eq!(at("2026-11-29T23:00:00Z"), "2026-11-30");
    }

    #[test]
    fn probes_get_a_quarter_and_what_is_free_is_never_refused() {
        let budget = budget(100);
        let spent = |all: u64, probes: u64| Spent {
            all: UsDollars::from_nanos(all),
            of_purpose: UsDollars::from_nanos(probes),
        };
        let quarter = 250_000_000;
        assert!(admit(&budget, spent(0, 0), &wanted(Purpose::Probe, quarter)).is_ok());
        let refused = admit(&budget, spent(0, 1), &wanted(Purpose::Probe, quarter));
        assert_eq!(
            refused.expect_err("too much").to_string(),
            "the budget of today does not allow it: $0.25 of $0.25 are left for probe, and it may cost $0.25"
        );
        assert!(
            admit(
                &budget,
                spent(1_000_000_000, 0),
                &wanted(Purpose::Analysis, 1)
            )
            .is_err()
        );
        assert!(
            admit(
                &budget,
                spent(1_000_000_000, 0),
                &wanted(Purpose::Analysis, 0)
            )
            .is_ok()
        );
    }

    proptest! {
        #[test]
        fn whatever_is_asked_for_the_budget_is_never_passed(
            cents in 1_u64..500,
            asked in prop::collection::vec((any::<bool>(), 0_u64..2_000_000_000), 1..200),
        ) {
            let budget = budget(cents);
            let (mut all, mut probes) = (UsDollars::ZERO, UsDollars::ZERO);
            for (is_probe, nanos) in asked {
                let purpose = if is_probe { Purpose::Probe } else { Purpose::Analysis };
                let of_purpose = if is_probe { probes } else { all };
                let wanted = wanted(purpose, nanos);
                if admit(&budget, Spent { all, of_purpose }, &wanted).is_ok() {
                    all = all + wanted.worst;
                    if is_probe {
                        probes = probes + wanted.worst;
                    }
                }
            }
            prop_assert!(all <= budget.daily);
            prop_assert!(probes <= budget.share(Purpose::Probe));
        }
    }
}
