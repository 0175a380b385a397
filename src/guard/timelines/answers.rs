//! What answers, where it lies, and how an outage ends.

use super::*;

#[test]
fn a_host_that_answers_disproves_the_others() {
    let mut story = Story::of(&[A, B, C, "d@198.51.100.4"]);
    story.answered("d@198.51.100.4", 0, 1);
    for name in [A, B, C] {
        story.silent(name, 0, 10);
    }
    assert!(!story.state.is_asking(), "the network worked meanwhile");
    assert_eq!(story.passed().len(), 4);
    // Those that began after the answer are another matter; one that comes meanwhile ends the waiting at once.
    for name in [A, B, C] {
        story.silent(name, 5, 15);
    }
    assert_eq!(story.passed(), [""; 0]);
    story.answered("d@198.51.100.4", 14, 16);
    let passed = story.passed();
    assert_eq!(passed[0], "a@198.51.100.1 RED");
    assert_eq!(passed.len(), 4, "{passed:?}");
    story.found_out(down(), 18);
    assert!(story.state.outage().is_none());
}

#[test]
fn an_outage_ends_with_the_first_answer_and_each_is_one_of_its_own() {
    let mut story = Story::of(&[A, B, C, "d@198.51.100.4"]);
    for name in [A, B, C] {
        story.silent(name, 0, 10);
    }
    story.found_out(down(), 13);
    story.passed();
    story.answered("d@198.51.100.4", 20, 21);
    let over = story.state.outage().expect("it").clone();
    assert_eq!((over.since, over.until), (story.at(0), Some(story.at(21))));
    assert_eq!(story.passed(), ["d@198.51.100.4 GREEN"]);
    // Under way while it was down: it says nothing. Begun after: it is the target's own trouble.
    story.silent(A, 18, 28);
    story.silent(B, 22, 32);
    story.found_out(Standing::Up, 32);
    assert_eq!(
        story.passed(),
        ["a@198.51.100.1 UNKNOWN", "b@198.51.100.2 RED"]
    );
    // It breaks again: what was silent before does not count with it.
    story.silent(B, 40, 50);
    story.silent(C, 40, 50);
    story.found_out(down(), 53);
    assert!(!story.state.is_down());
    story.silent(A, 45, 55);
    assert!(story.state.is_down());
    assert_eq!(story.state.outage().expect("it").since, story.at(40));
}

#[test]
fn an_outage_ends_when_the_network_is_found_well() {
    let mut story = Story::of(&FOUR);
    for name in [A, B, C] {
        story.silent(name, 0, 10);
    }
    story.found_out(down(), 13);
    story.passed();
    story.silent(A, 60, 61);
    story.found_out(Standing::Unsure, 64);
    assert_eq!(story.passed(), ["a@198.51.100.1 UNKNOWN"]);
    assert!(story.state.is_down(), "nothing says that it is back");
    story.silent(A, 80, 81);
    story.found_out(Standing::Up, 82);
    assert_eq!(story.state.outage().expect("it").until, Some(story.at(82)));
    assert_eq!(
        story.passed(),
        ["a@198.51.100.1 UNKNOWN"],
        "it began before"
    );
    story.silent(A, 83, 84);
    assert_eq!(story.passed(), ["a@198.51.100.1 RED"]);
    // Whose silence was ours does not count again.
    story.silent(B, 89, 90);
    story.found_out(down(), 93);
    assert_eq!(story.passed(), ["b@198.51.100.2 RED"]);
}

#[test]
fn what_stands_in_the_house_says_nothing_of_the_line() {
    let mut story = Story::of(&[
        A,
        B,
        C,
        "nas@192.168.1.5",
        "printer@192.168.1.6",
        "tv@tv.lan",
    ]);
    story.answered("nas@192.168.1.5", 0, 1);
    story.answered("tv@tv.lan", 0, 1);
    let now = story.at(1);
    assert_eq!(story.state.take_unplaced(), ["tv.lan".into()]);
    story
        .state
        .place("tv.lan".into(), true, now, &mut story.ready);
    for name in [A, B, C, "printer@192.168.1.6"] {
        story.silent(name, 0, 10);
    }
    story.answered("nas@192.168.1.5", 11, 12);
    story.found_out(down(), 13);
    assert_eq!(
        story.passed()[2..],
        [
            "printer@192.168.1.6 RED",
            "nas@192.168.1.5 GREEN",
            "a@198.51.100.1 UNKNOWN",
            "b@198.51.100.2 UNKNOWN",
            "c@198.51.100.3 UNKNOWN",
        ]
    );
    story.answered("nas@192.168.1.5", 14, 15);
    assert!(story.state.is_down());
}

#[test]
fn a_name_that_answers_counts_once_it_is_known_where_it_lies() {
    let mut story = Story::of(&[A, B, C, "d@example.com"]);
    for name in [A, B, C] {
        story.silent(name, 0, 10);
    }
    story.answered("d@example.com", 10, 11);
    assert_eq!(story.passed(), ["d@example.com GREEN"]);
    assert_eq!(story.state.take_unplaced(), ["example.com".into()]);
    let now = story.at(11);
    story
        .state
        .place("example.com".into(), false, now, &mut story.ready);
    assert_eq!(story.passed().len(), 3, "it disproves the others");
    story.found_out(down(), 13);
    assert!(!story.state.is_down());
    story.answered("d@example.com", 20, 21);
    assert!(story.state.take_unplaced().is_empty(), "it is known");
}

#[test]
fn it_can_be_switched_off() {
    let mut story = Story::of(&FOUR);
    for name in [A, B, C] {
        story.silent(name, 0, 10);
    }
    story.found_out(down(), 13);
    story.passed();
    let now = story.at(14);
    story.state.watch(watched(&FOUR, false), now);
    assert!(!story.state.is_down());
    for name in [A, B, C] {
        story.silent(name, 20, 30);
    }
    assert!(!story.state.is_asking());
    assert!(story.passed().iter().all(|one| one.ends_with("RED")));
}
