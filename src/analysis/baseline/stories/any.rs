//! What holds for incidents, changes and waves of any size, however often is looked.

use proptest::prelude::*;

use super::*;

/// Minutes between two looks.
fn every() -> impl Strategy<Value = i64> {
    prop_oneof![1..10_i64, 10..120_i64, Just(360)]
}

fn story(every: i64, seed: u64) -> Story {
    Story {
        seed,
        ..Story::new(Unit::Number, minutes(every))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_incident_stays_out_of_the_ordinary_and_what_lasts_does_not(
        every in every(),
        seed in any::<u64>(),
        days in 10..40_i64,
        hours in 1..13_i64,
        spreads in prop_oneof![-1_000.0..-8.0_f64, 8.0..1_000.0_f64],
    ) {
        let level = 10_000.0 + spreads * 100.0;
        let mut story = story(every, seed);
        story.looks(days * DAY, |_, noise| 10_000.0 + 100.0 * noise);
        story.looks(hours, |_, noise| level + 100.0 * noise);
        prop_assert!(story.distance(level).abs() > 3.0, "{:?}", story.usual());
        prop_assert!(story.distance(10_000.0).abs() < 2.0, "{:?}", story.usual());
        story.looks(36, |_, noise| level + 100.0 * noise);
        prop_assert!(story.distance(level).abs() < 3.0, "{:?}", story.usual());
    }

    #[test]
    fn a_wave_is_known_after_three_days(
        every in 1..30_i64,
        seed in any::<u64>(),
        start in 0..24_i64,
        height in 1.0..40.0_f64,
    ) {
        let mut story = story(every, seed);
        story.now += TimeDelta::hours(start);
        let value = |hour: f64, noise: f64| 1_000.0 + height * (wave(hour) - 50.0) + 10.0 * noise;
        story.looks(3 * DAY, value);
        for _ in 0..DAY {
            let hour = f64::from(second(story.now) / 3_600 % 24);
            let distance = story.distance(value(hour + 0.5, 0.0));
            prop_assert!(distance.abs() < 3.0, "at {hour}: {distance}, {:?}", story.usual());
            story.looks(1, value);
        }
        // With what is known of the hours the spread is not that of the whole wave.
        let whole = height * 7.0;
        prop_assert!(story.usual().spread < f64::max(30.0, whole / 2.0), "{whole}: {:?}", story.usual());
    }
}
