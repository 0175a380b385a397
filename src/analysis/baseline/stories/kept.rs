//! Words, and how baselines are kept.

use super::*;

#[test]
fn words_are_counted_by_time() {
    let mut baseline = Baseline::new(Unit::State);
    let state = |word: &'static str| Value::State(word.into());
    let mut now = monday();
    let mut looks = |baseline: &mut Baseline, word: &'static str, hours: i64| {
        for _ in 0..hours * 12 {
            baseline.see(&state(word), now);
            now += minutes(5);
        }
    };
    looks(&mut baseline, "running", 2);
    assert_eq!(baseline.usual_word(), None);
    looks(&mut baseline, "running", 5 * DAY);
    assert_eq!(baseline.usual_word().expect("enough").0, "running");
    looks(&mut baseline, "exited", 12);
    let (word, share) = baseline.usual_word().expect("enough");
    assert_eq!(word, "running", "an incident of hours");
    assert!((0.9..0.97).contains(&share), "{share}");
    assert_eq!(baseline.share(&state("dead")), Some(0.0));
    looks(&mut baseline, "running", DAY);
    looks(&mut baseline, "paused", DAY);
    assert_eq!(
        baseline.usual_word().expect("enough").0,
        "paused",
        "for good"
    );
    for word in ["a", "b", "c", "d", "e", "f"] {
        looks(&mut baseline, word, 1);
    }
    assert_eq!(baseline.usual_word().expect("enough").0, "paused");
    assert!(baseline.share(&state("running")).expect("enough") > 0.5);
}

#[test]
fn long_words_are_told_apart_and_flags_are_words() {
    let long = |end: &str| Value::State(format!("{}{end}", "ü".repeat(30)).into());
    let mut baseline = Baseline::new(Unit::State);
    for hour in 0..48 {
        baseline.see(&long("one"), monday() + TimeDelta::hours(hour));
    }
    assert_eq!(baseline.share(&long("two")), Some(0.0));
    assert_eq!(baseline.share(&long("one")), Some(1.0));
    assert_eq!(baseline.usual_word(), Some(("ü".repeat(13).as_str(), 1.0)));
    let kept = Baseline::from_bytes(&baseline.to_bytes());
    assert_eq!(kept.as_ref(), Some(&baseline));
    let mut baseline = Baseline::new(Unit::Flag);
    for hour in 0..48 {
        baseline.see(&Value::Flag(true), monday() + TimeDelta::hours(hour));
    }
    assert_eq!(baseline.usual_word(), Some(("yes", 1.0)));
    assert_eq!(baseline.share(&Value::Flag(false)), Some(0.0));
}

/// What is `Copy` has nothing allocated.
fn holds_nothing<T: Copy>(_: &T) {}

#[test]
fn it_takes_at_most_200_bytes() {
    assert!(size_of::<Baseline>() <= 200, "{}", size_of::<Baseline>());
    let mut story = Story::new(Unit::Percent, TimeDelta::seconds(30));
    story.looks(10 * DAY, |hour, noise| wave(hour) + noise);
    match &story.baseline.learnt {
        Learnt::Numbers(numbers) => holds_nothing(numbers),
        Learnt::Words(words) => holds_nothing(words),
    }
    for looks in 0..20 {
        let length = story.baseline.to_bytes().len();
        assert!(length <= 200, "{length} bytes after {looks} more");
        let value = Value::Number(50.0);
        story.baseline.see(&value, story.now);
        story.now += minutes(7);
    }
}

#[test]
fn damaged_bytes_are_refused_and_never_panic() {
    let mut story = Story::new(Unit::Percent, minutes(5));
    story.looks(5 * DAY, |hour, noise| wave(hour) + noise);
    let bytes = story.baseline.to_bytes();
    for length in 0..bytes.len() {
        assert_eq!(Baseline::from_bytes(&bytes[..length]), None);
    }
    let newer = [&[VERSION + 1], &bytes[1..]].concat();
    assert_eq!(Baseline::from_bytes(&newer), None);
    for at in 0..bytes.len() {
        for byte in [0, 127, 255] {
            let mut bytes = bytes.clone();
            bytes[at] = byte;
            if let Some(mut baseline) = Baseline::from_bytes(&bytes) {
                for hour in 0..50 {
                    let at = story.now + TimeDelta::hours(hour);
                    baseline.see(&Value::Number(1.0), at);
                    let usual = baseline.usual(at);
                    assert!(usual.is_none_or(|usual| usual.spread > 0.0));
                }
            }
        }
    }
}
