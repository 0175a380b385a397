use std::fmt;
use std::iter::Sum;
use std::ops::Add;

/// An amount of US dollars in whole billionths, so that sums are exact: a token may cost a ten-millionth of a dollar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsDollars(u64);

const NANOS: f64 = 1e9;

impl UsDollars {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many billionths.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// So many dollars, rounded up to a whole billionth; `None`: it is negative, or no number.
    #[must_use]
    pub fn from_dollars(dollars: f64) -> Option<Self> {
        if !(0.0..=1e9).contains(&dollars) {
            return None;
        }
        // Up, but not for the dust of binary fractions: 0.1 dollars are 100,000,000 billionths.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within the range that was checked"
        )]
        let nanos = (dollars * NANOS - 1e-4).ceil().max(0.0) as u64;
        Some(Self(nanos))
    }

    /// In billionths.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// In dollars, for people and for metrics.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "exact below nine million dollars"
    )]
    pub fn dollars(self) -> f64 {
        self.0 as f64 / NANOS
    }

    /// What is left when that is taken away; nothing where it is more.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add for UsDollars {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for UsDollars {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for UsDollars {
    /// `$3.00`, `$0.0042`, `$0.0000019`: two decimals, or two digits where that would be nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dollars = self.dollars();
        let decimals = match self.0 {
            0 | 10_000_000.. => 2,
            1_000_000.. => 4,
            100_000.. => 5,
            10_000.. => 6,
            1_000.. => 7,
            _ => 9,
        };
        write!(f, "${dollars:.decimals$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_and_readable() {
        for (dollars, nanos, text) in [
            (0.0, 0, "$0.00"),
            (0.1, 100_000_000, "$0.10"),
            (3.0, 3_000_000_000, "$3.00"),
            (0.004_2, 4_200_000, "$0.0042"),
            (0.000_001_9, 1_900, "$0.0000019"),
            (0.000_000_000_1, 1, "$0.000000001"),
        ] {
            let amount = UsDollars::from_dollars(dollars).expect("an amount");
            assert_eq!((amount.nanos(), amount.to_string().as_str()), (nanos, text));
        }
        assert_eq!(UsDollars::from_dollars(-1.0), None);
        assert_eq!(UsDollars::from_dollars(f64::NAN), None);
    }
}
