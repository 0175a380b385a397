//! How values, times and counts are written for people.

use crate::model::{Bound, Comparison, Limit, Timestamp, Value};

/// Decimals that a report keeps.
const DECIMALS: f64 = 1000.0;

/// The value without the noise of binary fractions.
pub(super) fn rounded(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(rounded_number(*number)),
        other => other.clone(),
    }
}

/// The value that crossed a limit, rounded unless that would put it on the limit: a report must not say that 20
/// is less than 20.
pub(super) fn rounded_beyond(value: &Value, limit: Option<&Limit>) -> Value {
    let rounded = rounded(value);
    match limit {
        Some(limit) if limit.is_crossed_by(value) && !limit.is_crossed_by(&rounded) => {
            value.clone()
        }
        _ => rounded,
    }
}

fn rounded_number(number: f64) -> f64 {
    let scaled = number * DECIMALS;
    // Past 2^53 there are no fractions, and the product may overflow.
    if scaled.abs() < 9_007_199_254_740_992.0 {
        // Adding 0.0 makes a negative zero positive.
        scaled.round() / DECIMALS + 0.0
    } else {
        number
    }
}

/// `is 17.2 < 20`: how a value stands to the limit that it crossed.
pub(super) fn against(value: &Value, limit: &Limit) -> String {
    let shown = told_apart(value, limit);
    match limit.comparison {
        Comparison::Equal => format!("is {shown}"),
        Comparison::NotEqual => match &limit.bound {
            Bound::Number(number) => format!("is {shown}, not {number}"),
            Bound::Text(text) => format!("is {shown}, not {text}"),
        },
        _ => format!("is {shown} {limit}"),
    }
}

/// The value for people, with as many decimals as it takes to lie on the bad side of the limit.
fn told_apart(value: &Value, limit: &Limit) -> String {
    let short = value.to_string();
    let Value::Number(number) = value else {
        return short;
    };
    let still_crosses = |text: &str| {
        text.parse()
            .is_ok_and(|shown| limit.is_crossed_by(&Value::Number(shown)))
    };
    if still_crosses(&short) {
        return short;
    }
    (1..=3)
        .map(|decimals| format!("{number:.decimals$}"))
        .find(|text| still_crosses(text))
        .unwrap_or_else(|| number.to_string())
}

/// `disk_free_percent of /`
pub(super) fn part(metric: &str, subject: Option<&str>) -> String {
    match subject {
        Some(subject) => format!("{metric} of {subject}"),
        None => metric.to_owned(),
    }
}

/// `2026-11-21 09:00 UTC`
pub(super) fn minute(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// `09:00 UTC`
pub(super) fn time_of_day(at: Timestamp) -> String {
    at.format("%H:%M UTC").to_string()
}

/// `2026-11-21 09:00:12 UTC`
pub(super) fn second(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A span of time in its largest unit, or its two largest where the first is small: `41 s`, `12 min`, `3 h 5 min`,
/// `9 days`.
pub(super) fn span(length: chrono::TimeDelta) -> String {
    let seconds = length.num_seconds().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (minutes, hours, days) {
        (0, ..) => format!("{seconds} s"),
        (_, 0, _) => format!("{minutes} min"),
        (_, _, 0) if minutes % 60 == 0 => format!("{hours} h"),
        (_, _, 0) => format!("{hours} h {} min", minutes % 60),
        (_, _, 1) => "1 day".to_owned(),
        _ => format!("{days} days"),
    }
}

/// `812 ms`, `4.1 s`
pub(super) fn milliseconds(length_ms: u64) -> String {
    if length_ms < 10_000 {
        format!("{length_ms} ms")
    } else {
        format!("{}.{} s", length_ms / 1000, length_ms % 1000 / 100)
    }
}

/// `10,000`
pub(super) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The same of a number from a report.
pub(super) fn number_of(number: u64, noun: &str) -> String {
    counted(usize::try_from(number).unwrap_or(usize::MAX), noun)
}

/// `1 target`, `2 targets`
pub(super) fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_three_decimals_and_no_noise() {
        for (number, expected) in [
            (0.1 + 0.2, 0.3),
            (17.249_999_999, 17.25),
            (1.0e300, 1.0e300),
            (-0.0001, 0.0),
            (8_589_934_592.0, 8_589_934_592.0),
        ] {
            assert_eq!(rounded(&Value::Number(number)), Value::Number(expected));
        }
    }

    #[test]
    fn a_value_never_stands_on_the_limit_that_it_crossed() {
        for (number, limit, expected) in [
            (17.2, "< 20", "is 17.2 < 20"),
            (19.96, "< 20", "is 19.96 < 20"),
            (19.999_6, "< 20", "is 19.9996 < 20"),
            (90.01, "> 90", "is 90.01 > 90"),
            (2000.4, "> 2000", "is 2000.4 > 2000"),
            (503.0, "!= 200", "is 503, not 200"),
            (0.0, "== 0", "is 0"),
        ] {
            let limit: Limit = limit.parse().expect("a limit");
            let value = rounded_beyond(&Value::Number(number), Some(&limit));
            assert_eq!(against(&value, &limit), expected);
        }
        let limit: Limit = "!= running".parse().expect("a limit");
        assert_eq!(
            against(&Value::State("stopped".into()), &limit),
            "is stopped, not running"
        );
    }

    #[test]
    fn spans_and_counts_are_short() {
        for (seconds, expected) in [
            (-5, "0 s"),
            (41, "41 s"),
            (720, "12 min"),
            (10_800, "3 h"),
            (11_100, "3 h 5 min"),
            (90_000, "1 day"),
            (800_000, "9 days"),
        ] {
            assert_eq!(span(chrono::TimeDelta::seconds(seconds)), expected);
        }
        assert_eq!(count(4900), "4,900");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!(counted(1, "target"), "1 target");
        assert_eq!(milliseconds(812), "812 ms");
        assert_eq!(milliseconds(12_345), "12.3 s");
    }
}
