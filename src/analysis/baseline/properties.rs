//! What holds for every past.

use chrono::{TimeDelta, TimeZone, Utc};
use proptest::prelude::*;

use super::*;

fn at(minute: i64) -> Timestamp {
    let begin = Utc.timestamp_opt(1_793_577_600, 0).single();
    begin.expect("a time") + TimeDelta::minutes(minute)
}

/// Values as they come, one each 20 minutes.
fn learnt(values: impl IntoIterator<Item = f64>) -> Baseline {
    let mut baseline = Baseline::new(Unit::Number);
    for (index, value) in (0..).zip(values) {
        baseline.see(&Value::Number(value), at(index * 20));
    }
    baseline
}

fn a_day_later(looks: usize) -> Timestamp {
    at(i64::try_from(looks).expect("few") * 20)
}

/// Four to ten days of values around some hundreds.
fn past() -> impl Strategy<Value = Vec<f64>> {
    (288..720_usize).prop_flat_map(|looks| prop::collection::vec(300.0..500.0_f64, looks))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn scaled_values_have_a_scaled_usual(values in past(), power in -3..10_i32) {
        let scale = 2.0_f64.powi(power);
        let now = a_day_later(values.len());
        let plain = learnt(values.iter().copied()).usual(now).expect("enough");
        let scaled = learnt(values.iter().map(|value| value * scale)).usual(now).expect("enough");
        prop_assert!((scaled.centre / scale - plain.centre).abs() < plain.centre * 1e-3, "{plain:?} {scaled:?}");
        prop_assert!((scaled.spread / scale - plain.spread).abs() < plain.spread * 1e-2, "{plain:?} {scaled:?}");
    }

    #[test]
    fn few_outliers_change_little_wherever_they_stand(
        values in past(),
        places in prop::collection::hash_set(0..288_usize, 0..12),
        outlier in prop_oneof![Just(0.0), Just(-1e9), Just(1e12), 1e3..1e6_f64],
    ) {
        let now = a_day_later(values.len());
        let plain = learnt(values.iter().copied()).usual(now).expect("enough");
        let mut hurt = values;
        for place in places {
            hurt[place] = outlier;
        }
        let hurt = learnt(hurt).usual(now).expect("enough");
        prop_assert!((hurt.centre - plain.centre).abs() < plain.spread, "{plain:?} {hurt:?}");
        prop_assert!((0.5..2.0).contains(&(hurt.spread / plain.spread)), "{plain:?} {hurt:?}");
    }

    #[test]
    fn what_is_kept_is_read_and_learns_on_as_if_nothing_had_been(
        values in prop::collection::vec(any::<f64>(), 0..200),
        steps in prop::collection::vec(-4_000..40_000_i64, 200),
    ) {
        let mut baseline = Baseline::new(Unit::Bytes);
        let mut kept = baseline.clone();
        let mut now = at(0);
        for (value, step) in values.iter().zip(steps) {
            now += TimeDelta::seconds(step);
            baseline.see(&Value::Number(*value), now);
            kept.see(&Value::Number(*value), now);
            let bytes = kept.to_bytes();
            prop_assert!(bytes.len() <= 200);
            kept = Baseline::from_bytes(&bytes).expect("it was just written");
            if let Some(usual) = kept.usual(now) {
                prop_assert!(usual.spread > 0.0 && usual.spread.is_finite() && usual.centre.is_finite());
            }
            prop_assert_eq!(kept.usual(now), baseline.usual(now));
        }
    }
}
