use std::time::Duration;

use chrono::TimeDelta;

use crate::model::Timestamp;

/// The first of the times `anchor + n × every`, for any whole n, that lies after `after`.
#[must_use]
pub fn next_on_grid(anchor: Timestamp, every: Duration, after: Timestamp) -> Timestamp {
    let every_ms = i64::try_from(every.as_millis()).unwrap_or(i64::MAX).max(1);
    let passed_ms = after.signed_duration_since(anchor).num_milliseconds();
    let steps = passed_ms.div_euclid(every_ms).saturating_add(1);
    let mut next = anchor;
    if let Some(distance) = TimeDelta::try_milliseconds(steps.saturating_mul(every_ms)) {
        next = anchor
            .checked_add_signed(distance)
            .unwrap_or(Timestamp::MAX_UTC);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_lies_after() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let anchor = at("2026-03-29T00:00:10Z");
        for (after, expected) in [
            ("2026-03-29T00:00:10Z", "2026-03-29T00:00:40Z"),
            ("2026-03-29T00:00:39.999Z", "2026-03-29T00:00:40Z"),
            ("2026-03-29T00:00:09Z", "2026-03-29T00:00:10Z"),
            ("2026-03-28T23:59:10Z", "2026-03-28T23:59:40Z"),
            ("2026-03-30T00:00:00Z", "2026-03-30T00:00:10Z"),
        ] {
            let next = next_on_grid(anchor, Duration::from_secs(30), at(after));
            assert_eq!(next, at(expected), "{after}");
        }
        let far = next_on_grid(anchor, Duration::MAX, anchor);
        assert!(far > anchor);
    }
}
