//! Metrics that do not vary, clocks that do, and what is no number.

use super::*;

#[test]
fn what_was_constant_for_weeks_has_a_spread_and_sees_every_step() {
    for (unit, value, step) in [
        (Unit::Count, 0.0, 1.0),
        (Unit::Percent, 100.0, -5.0),
        (Unit::Percent, 0.0, 5.0),
        (Unit::Number, 200.0, 303.0),
        (Unit::Bytes, 1e12, 5e10),
        (Unit::Milliseconds, 0.0, 20.0),
        (Unit::UsDollars, 0.001, 0.01),
    ] {
        let mut story = Story::new(unit, minutes(5));
        story.looks(21 * DAY, |_, _| value);
        let usual = story.usual();
        assert!(usual.spread > 0.0, "{unit:?}: {usual:?}");
        assert!(
            (usual.centre - value).abs() <= value.abs() * 1e-6,
            "{unit:?}: {usual:?}"
        );
        let distance = story.distance(value + step);
        assert!(distance * step.signum() > 3.0, "{unit:?}: {distance}");
        assert!(story.distance(value).abs() < 1e-3);
    }
}

#[test]
fn whole_numbers_that_come_and_go_are_usual() {
    let mut story = Story::new(Unit::Count, minutes(5));
    story.looks(7 * DAY, |_, noise| if noise > 0.5 { 1.0 } else { 0.0 });
    assert!(story.distance(1.0) < 3.0, "{:?}", story.usual());
    assert!(story.distance(0.0) > -2.0, "{:?}", story.usual());
    assert!(story.distance(10.0) > 5.0, "{:?}", story.usual());
}

#[test]
fn percentages_near_their_edge_are_no_alarm() {
    let mut story = Story::new(Unit::Percent, minutes(5));
    story.looks(7 * DAY, |_, noise| {
        (99.8_f64 + noise.abs() / 10.0).min(100.0)
    });
    assert!(story.distance(100.0).abs() < 1.0, "{:?}", story.usual());
    assert!(story.distance(90.0) < -5.0, "{:?}", story.usual());
}

#[test]
fn a_counter_that_is_reset_does_no_harm() {
    let mut story = Story::new(Unit::Seconds, minutes(5));
    let begin = story.now;
    for hour in 0..10 * DAY {
        let uptime = (hour % 100) * 3_600;
        #[expect(clippy::cast_precision_loss, reason = "few")]
        (story.baseline).see(
            &Value::Number(uptime as f64),
            begin + TimeDelta::hours(hour),
        );
    }
    story.now = begin + TimeDelta::days(10);
    let usual = story.usual();
    assert!(
        (0.0..400_000.0).contains(&usual.centre) && usual.spread < 400_000.0,
        "{usual:?}"
    );
}

#[test]
fn what_is_no_number_teaches_nothing() {
    let mut story = Story::new(Unit::Percent, minutes(5));
    story.looks(2 * DAY, |_, noise| 50.0 + noise);
    let before = story.baseline.clone();
    for value in [
        Value::Number(f64::NAN),
        Value::Number(f64::INFINITY),
        Value::Flag(true),
        Value::State("running".into()),
    ] {
        story.baseline.see(&value, story.now);
        assert_eq!(story.baseline.distance(&value, story.now), None);
    }
    assert_eq!(story.baseline, before);
    // The largest there is must leave numbers behind.
    let largest = Value::Number(f64::MAX);
    for hour in 0..60 {
        let at = story.now + TimeDelta::hours(hour);
        story.baseline.see(&largest, at);
    }
    let usual = story.usual();
    assert!(
        usual.centre.is_finite() && usual.spread.is_finite(),
        "{usual:?}"
    );
    let kept = Baseline::from_bytes(&story.baseline.to_bytes());
    assert_eq!(kept.as_ref(), Some(&story.baseline));
}

#[test]
fn a_clock_that_is_set_back_is_followed() {
    for back in [
        TimeDelta::minutes(40),
        TimeDelta::hours(5),
        TimeDelta::days(400),
    ] {
        let mut story = Story::new(Unit::Percent, minutes(5));
        story.looks(5 * DAY, |_, noise| 50.0 + noise);
        story.now -= back;
        story.looks(2 * DAY, |_, noise| 50.0 + noise);
        story.assert_usual((49.0, 51.0), (0.7, 2.0));
        story.looks(2 * DAY, |_, noise| 80.0 + noise);
        assert!(story.distance(80.0).abs() < 2.0, "{:?}", story.usual());
    }
}

#[test]
fn half_is_forgotten_after_days() {
    // A drift too slow to be a change.
    let mut story = Story::new(Unit::Number, minutes(30));
    story.looks(30 * DAY, |_, noise| 100.0 + 5.0 * noise);
    story.looks(5 * DAY, |_, noise| 108.0 + 5.0 * noise);
    story.assert_usual((102.5, 106.5), (3.5, 8.0));
    story.looks(20 * DAY, |_, noise| 108.0 + 5.0 * noise);
    story.assert_usual((106.0, 110.0), (3.5, 8.0));
}

#[test]
fn a_long_absence_teaches_little() {
    let mut story = Story::new(Unit::Percent, minutes(5));
    story.looks(5 * DAY, |_, noise| 50.0 + noise);
    story.now += TimeDelta::days(30);
    story.looks(1, |_, _| 90.0);
    assert!(story.distance(90.0) > 10.0, "{:?}", story.usual());
}
