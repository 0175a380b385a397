//! Pasts of a metric, told hour by hour, and what is usual after them.

mod any;
mod kept;
mod odd;

use chrono::{TimeDelta, TimeZone, Utc};

use super::*;

/// A Monday at midnight.
fn monday() -> Timestamp {
    Utc.with_ymd_and_hms(2026, 11, 2, 0, 0, 0)
        .single()
        .expect("a time")
}

/// A metric, and the time that has passed since Monday.
struct Story {
    baseline: Baseline,
    now: Timestamp,
    every: TimeDelta,
    seed: u64,
}

impl Story {
    fn new(unit: Unit, every: TimeDelta) -> Self {
        Self {
            baseline: Baseline::new(unit),
            now: monday(),
            every,
            seed: 7,
        }
    }

    /// About normally distributed around 0 with a standard deviation of 1.
    fn noise(&mut self) -> f64 {
        let mut sum = -6.0;
        for _ in 0..12 {
            self.seed = (self.seed)
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            sum += f64::from(u32::try_from(self.seed >> 32).expect("32 bits")) / 4_294_967_296.0;
        }
        sum
    }

    /// Looks for so many hours; a value comes of the hour of the day and of the noise.
    fn looks(&mut self, hours: i64, value: impl Fn(f64, f64) -> f64) {
        let until = self.now + TimeDelta::hours(hours);
        while self.now < until {
            let noise = self.noise();
            let seconds = f64::from(second(self.now) % 86_400);
            let value = value(seconds / 3_600.0, noise);
            self.baseline.see(&Value::Number(value), self.now);
            self.now += self.every;
        }
    }

    fn usual(&self) -> Usual {
        self.baseline.usual(self.now).expect("enough was seen")
    }

    fn distance(&self, value: f64) -> f64 {
        (self.baseline.distance(&Value::Number(value), self.now)).expect("enough was seen")
    }

    #[track_caller]
    fn assert_usual(&self, centre: (f64, f64), spread: (f64, f64)) {
        let usual = self.usual();
        let is_within = |value: f64, (least, most): (f64, f64)| least <= value && value <= most;
        assert!(
            is_within(usual.centre, centre) && is_within(usual.spread, spread),
            "{usual:?}, wanted {centre:?} ± {spread:?}"
        );
    }
}

fn minutes(count: i64) -> TimeDelta {
    TimeDelta::minutes(count)
}

const DAY: i64 = 24;

/// A day's wave of 40 to 60.
fn wave(hour: f64) -> f64 {
    50.0 + 10.0 * (hour / 24.0 * std::f64::consts::TAU).sin()
}

#[test]
fn the_centre_and_the_spread_are_found_however_often_is_looked() {
    for (every, days) in [
        (TimeDelta::seconds(5), 4),
        (minutes(1), 5),
        (minutes(17), 5),
        (minutes(60), 7),
        (minutes(360), 30),
    ] {
        let mut story = Story::new(Unit::Number, every);
        story.looks(days * DAY, |_, noise| 100.0 + 5.0 * noise);
        story.assert_usual((97.0, 103.0), (3.5, 7.5));
        let count = story.usual().count;
        assert_eq!(
            i64::from(count),
            (days * 86_400 - 1) / every.num_seconds() + 1,
            "each look is counted"
        );
    }
}

#[test]
fn nothing_is_usual_before_enough_was_seen() {
    let mut story = Story::new(Unit::Percent, TimeDelta::seconds(5));
    story.looks(2, |_, noise| 10.0 + noise);
    assert_eq!(story.baseline.usual(story.now), None, "hours are missing");
    assert_eq!(
        (story.baseline).distance(&Value::Number(10.0), story.now),
        None
    );
    story.looks(2, |_, noise| 10.0 + noise);
    story.assert_usual((9.0, 11.0), (0.7, 2.0));
    let mut story = Story::new(Unit::Percent, minutes(360));
    story.looks(42, |_, _| 10.0);
    assert_eq!(story.baseline.usual(story.now), None, "looks are missing");
    story.looks(12, |_, _| 10.0);
    story.assert_usual((10.0, 10.0), (1.0, 1.0));
}

#[test]
fn an_incident_of_hours_does_not_become_the_usual() {
    for every in [TimeDelta::seconds(30), minutes(5), minutes(60)] {
        for hours in [2, 6, 12] {
            let mut story = Story::new(Unit::Milliseconds, every);
            story.looks(4 * DAY, |_, noise| 100.0 + 10.0 * noise);
            story.looks(hours, |_, noise| 4_000.0 + 500.0 * noise);
            assert!(
                story.distance(4_000.0) > 100.0,
                "{hours} h: {:?}",
                story.usual()
            );
            story.looks(1, |_, noise| 100.0 + 10.0 * noise);
            story.assert_usual((80.0, 120.0), (5.0, 25.0));
            // The same hours of the next day expect no incident.
            story.looks(DAY - 1 - hours / 2, |_, noise| 100.0 + 10.0 * noise);
            story.assert_usual((70.0, 130.0), (5.0, 25.0));
            assert!(story.distance(4_000.0) > 100.0);
        }
    }
}

#[test]
fn an_incident_on_the_first_day_is_no_wave() {
    let mut story = Story::new(Unit::Percent, minutes(5));
    story.looks(10, |_, noise| 20.0 + 2.0 * noise);
    story.looks(3, |_, _| 99.0);
    story.looks(11, |_, noise| 20.0 + 2.0 * noise);
    story.looks(2 * DAY + 11, |_, noise| 20.0 + 2.0 * noise);
    story.assert_usual((17.0, 23.0), (1.5, 6.0));
    assert!(story.distance(99.0) > 10.0, "{:?}", story.usual());
}

#[test]
fn a_bad_start_is_forgotten() {
    for every in [minutes(1), minutes(20), minutes(60)] {
        for hours in [1, 2] {
            let mut story = Story::new(Unit::Milliseconds, every);
            story.looks(hours, |_, noise| 30_000.0 + 2_000.0 * noise);
            story.looks(DAY, |_, noise| 100.0 + 10.0 * noise);
            story.assert_usual((80.0, 120.0), (5.0, 40.0));
            assert!(story.distance(1_000.0) > 20.0, "{:?}", story.usual());
        }
        // Half a day takes a day.
        let mut story = Story::new(Unit::Milliseconds, every);
        story.looks(9, |_, noise| 30_000.0 + 2_000.0 * noise);
        story.looks(DAY, |_, noise| 100.0 + 10.0 * noise);
        story.assert_usual((80.0, 120.0), (5.0, 60.0));
    }
}

#[test]
fn a_level_that_changed_for_good_is_usual_after_a_day() {
    for (every, hours) in [
        (TimeDelta::seconds(30), DAY),
        (minutes(60), DAY),
        (minutes(360), 30),
    ] {
        for level in [1_000.0, 130.0, 20.0] {
            let mut story = Story::new(Unit::Number, every);
            story.looks(20 * DAY, |_, noise| 100.0 + 5.0 * noise);
            story.looks(8, |_, noise| level + 5.0 * noise);
            assert!(story.distance(level).abs() > 3.0, "not yet");
            story.looks(hours - 8, |_, noise| level + 5.0 * noise);
            assert!(
                story.distance(level).abs() < 2.0,
                "{level} every {every}: {:?}",
                story.usual()
            );
            assert!(story.distance(100.0).abs() > 3.0, "it is known no more");
        }
    }
}

#[test]
fn what_comes_back_after_a_weekend_is_known_within_hours() {
    let mut story = Story::new(Unit::Count, minutes(5));
    story.looks(5 * DAY, |_, noise| 500.0 + 20.0 * noise);
    story.looks(2 * DAY, |_, noise| 100.0 + 5.0 * noise);
    assert!(story.distance(100.0).abs() < 2.0, "{:?}", story.usual());
    story.looks(5, |_, noise| 500.0 + 20.0 * noise);
    assert!(story.distance(500.0).abs() < 2.0, "{:?}", story.usual());
}

#[test]
fn a_daily_wave_is_learnt_within_three_days() {
    for every in [TimeDelta::seconds(30), minutes(5), minutes(30)] {
        let mut story = Story::new(Unit::Percent, every);
        story.looks(3 * DAY, |hour, noise| wave(hour) + noise);
        for _ in 0..DAY {
            let hour = f64::from(second(story.now) % 86_400) / 3_600.0;
            assert!(
                story.distance(wave(hour + 0.5)).abs() < 2.0,
                "at {hour}: {:?}",
                story.usual()
            );
            // The height of the day is out of the ordinary at night, and the other way round.
            let opposite = story.distance(wave(hour + 12.5)).abs();
            assert!(
                opposite > 3.0 || (wave(hour + 0.5) - 50.0).abs() < 5.0,
                "at {hour}: {opposite}"
            );
            story.looks(1, |hour, noise| wave(hour) + noise);
        }
    }
}

#[test]
fn a_wave_that_moves_to_another_level_keeps_its_shape() {
    let mut story = Story::new(Unit::Percent, minutes(5));
    story.looks(6 * DAY, |hour, noise| wave(hour) - 20.0 + noise);
    story.looks(DAY, |hour, noise| wave(hour) + 20.0 + noise);
    for _ in 0..DAY {
        let hour = f64::from(second(story.now) % 86_400) / 3_600.0;
        let distance = story.distance(wave(hour + 0.5) + 20.0);
        assert!(
            distance.abs() < 3.0,
            "at {hour}: {distance}, {:?}",
            story.usual()
        );
        story.looks(1, |hour, noise| wave(hour) + 20.0 + noise);
    }
}

#[test]
fn a_nightly_job_is_learnt_and_told_from_one_at_noon() {
    let job = |hour: f64, noise: f64| {
        let busy = (2.0..3.0).contains(&hour);
        (if busy { 90.0 } else { 5.0 }) + noise
    };
    let mut story = Story::new(Unit::Percent, minutes(5));
    story.looks(3 * DAY + 2, job);
    assert!(story.distance(90.0).abs() < 3.0, "{:?}", story.usual());
    story.looks(10, job);
    assert!(story.distance(90.0) > 10.0, "{:?}", story.usual());
    // A job that begins after weeks of rest is known after its third night.
    let mut story = Story::new(Unit::Percent, minutes(5));
    story.looks(21 * DAY, |_, noise| 5.0 + noise);
    story.looks(3 * DAY + 2, job);
    assert!(story.distance(90.0).abs() < 3.0, "{:?}", story.usual());
}
