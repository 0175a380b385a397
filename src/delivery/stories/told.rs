use chrono::TimeDelta;

use super::*;

#[test]
fn a_message_is_tried_with_growing_waits_and_takes_along_what_happens_meanwhile() {
    let mut post = Post::new(terms(&["ops"]), "10:00:00");
    post.mood("ops", Mood::Fails);
    post.tell(7, EventKind::Opened);
    post.until("10:00:20");
    post.tell(7, EventKind::Worsened);
    post.until("10:01:00");
    post.mood("ops", Mood::Takes);
    post.until("10:30:00");
    insta::assert_snapshot!(post.told(), @r"
    10:00:00 ops: #7 opened — connection refused
    10:00:04 ops: #7 opened — connection refused
    10:00:13 ops: #7 opened — connection refused
    10:00:30 ops: #7 opened+worsened — connection refused
    10:01:09 ops: #7 opened+worsened
    ");
    assert_eq!(post.outbox.summary().waiting, 0);
    assert!(post.kept.is_empty(), "nothing is left in the store");
    // The next is known to belong to it.
    post.tell(7, EventKind::Resolved);
    post.until("10:31:00");
    insta::assert_snapshot!(post.told(), @r"
    10:30:00 ops: #7 resolved, over in its thread
    ");
}

#[test]
fn a_channel_that_was_dead_for_six_hours_is_told_how_it_is_now_in_few_messages() {
    let mut post = Post::new(terms(&["ops"]), "02:00:00");
    post.mood("ops", Mood::Fails);
    for hour in 0..6 {
        for id in 0..30 {
            post.tell(hour * 100 + id, EventKind::Opened);
            if id >= 5 {
                post.after(TimeDelta::minutes(1));
                post.tell(hour * 100 + id, EventKind::Resolved);
            }
        }
        let round = format!("r{hour}");
        post.report(samples::report(
            samples::round(&round, "03:00:00"),
            &[],
            None,
            true,
        ));
        post.after(TimeDelta::minutes(35));
    }
    let (tries, waiting) = (post.tries, post.outbox.summary().waiting);
    assert!(waiting <= 5, "{waiting} wait");
    assert!(tries < 200, "tried {tries} times");
    post.told();
    post.mood("ops", Mood::Takes);
    post.after(TimeDelta::minutes(20));
    let told = post.told();
    assert!(post.arrived <= 5, "{told}");
    assert!(
        told.contains("incidents") && told.contains("report r5"),
        "{told}"
    );
    assert_eq!(post.outbox.summary().waiting, 0);
    assert!(post.kept.is_empty() && post.reports.is_empty());
}

#[test]
fn what_a_channel_refuses_is_given_up_aloud_and_comes_when_it_works_again() {
    let mut post = Post::new(terms(&["ops", "phone"]), "10:00:00");
    post.tell(3, EventKind::Opened);
    post.until("10:00:10");
    post.told();
    post.mood("phone", Mood::Refuses);
    post.tell(1, EventKind::Opened);
    post.until("10:01:00");
    post.tell(2, EventKind::Opened);
    post.until("10:02:00");
    post.tell(2, EventKind::Resolved);
    post.until("10:03:00");
    post.tell(3, EventKind::Resolved);
    post.until("10:04:00");
    insta::assert_snapshot!(post.told(), @r"
    10:00:10 ops: #1 opened
    10:00:10 phone: #1 opened — the bot was blocked
    10:01:00 ops: note: messages do not get out through `phone`
    10:01:00 ops: #2 opened
    10:01:00 phone: #2 opened — the bot was blocked
    10:02:00 ops: #2 resolved, over in its thread
    10:02:00 phone: #2 resolved, over — the bot was blocked
    10:03:00 ops: #3 resolved, over in its thread
    10:03:00 phone: #3 resolved, over in its thread — the bot was blocked
    ");
    assert_eq!(post.outbox.summary().dead, 4);
    assert_eq!(post.outbox.summary().waiting, 0);
    post.restart();
    post.mood("phone", Mood::Takes);
    post.until("11:00:00");
    post.tell(4, EventKind::Opened);
    post.until("11:10:00");
    insta::assert_snapshot!(post.told(), @r"
    11:00:00 ops: #4 opened
    11:00:00 phone: #4 opened
    11:00:00 phone: 3 incidents
    ");
    assert_eq!(post.outbox.summary().dead, 0);
    assert!(post.kept.is_empty());
}

#[test]
fn ten_thousand_at_once_are_few_messages() {
    let mut post = Post::new(terms(&["ops"]), "10:00:00");
    for step in 0..20 {
        for id in 0..500 {
            let (kind, everyone) = (EventKind::Opened, Audience::Everyone);
            post.hand_in(step * 500 + id, kind, Severity::High, everyone);
        }
        post.keep();
        post.after(TimeDelta::milliseconds(250));
    }
    post.after(TimeDelta::minutes(10));
    let told = post.told();
    assert!(post.arrived <= 5, "{told}");
    let first = told.lines().next().expect("a message");
    assert!(first.starts_with("10:00:00"), "{told}");
    for id in 0..10_000 {
        post.hand_in(id, EventKind::Resolved, Severity::High, Audience::Everyone);
    }
    post.keep();
    post.after(TimeDelta::minutes(10));
    assert!(post.arrived <= 8, "{}", post.told());
    assert!(post.kept.is_empty());
}

#[test]
fn a_clock_that_is_set_back_an_hour_delays_nothing() {
    let mut post = Post::new(terms(&["ops"]), "10:00:00");
    post.mood("ops", Mood::Fails);
    post.tell(1, EventKind::Opened);
    post.until("10:00:30");
    post.told();
    post.mood("ops", Mood::Takes);
    post.now = at("09:00:30");
    post.until("09:01:00");
    insta::assert_snapshot!(post.told(), @r"
    09:00:32 ops: #1 opened
    ");
}

#[test]
fn a_channel_that_asks_to_wait_is_left_alone_as_long() {
    let mut post = Post::new(terms(&["ops"]), "10:00:00");
    post.mood("ops", Mood::AsksToWait(90));
    post.tell(1, EventKind::Opened);
    post.until("10:00:01");
    post.mood("ops", Mood::Takes);
    post.tell(2, EventKind::Opened);
    post.until("10:05:00");
    insta::assert_snapshot!(post.told(), @r"
    10:00:00 ops: #1 opened — too many requests
    10:01:30 ops: #1 opened
    10:01:30 ops: #2 opened
    ");
}

#[test]
fn a_message_that_a_kill_left_in_doubt_is_sent_again_as_it_was() {
    let mut post = Post::new(terms(&["ops"]), "10:00:00");
    post.tell(1, EventKind::Opened);
    let Lease::Send(first) = post.outbox.lease("ops", post.now, None) else {
        panic!("it is due");
    };
    // The channel took it, and before we knew, we were killed.
    post.restart();
    post.tell(1, EventKind::Resolved);
    let Lease::Send(again) = post.outbox.lease("ops", post.now, None) else {
        panic!("it is due");
    };
    assert_eq!(first.message, again.message);
    let Matter::Incident { events, .. } = &again.matter else {
        panic!("{again:?}");
    };
    assert_eq!(words(events), "opened");
    // It does not even change when it fails once more.
    post.outbox
        .settle(&again.parcel, &Mood::Fails.answer(String::new()), post.now);
    post.keep();
    post.after(TimeDelta::minutes(1));
    insta::assert_snapshot!(post.told(), @r"
    10:00:04 ops: #1 opened, over
    10:00:04 ops: #1 resolved, over in its thread
    ");
}

#[test]
fn one_that_hangs_holds_up_no_other_and_what_belongs_together_keeps_its_order() {
    let mut post = Post::new(terms(&["ops"]), "10:00:00");
    post.tell(1, EventKind::Opened);
    let Lease::Send(hanging) = post.outbox.lease("ops", post.now, None) else {
        panic!("it is due");
    };
    post.until("10:00:35");
    post.tell(1, EventKind::Worsened);
    post.tell(2, EventKind::Opened);
    post.until("10:00:36");
    insta::assert_snapshot!(post.told(), @r"
    10:00:35 ops: #2 opened
    ");
    post.outbox.settle(
        &hanging.parcel,
        &Mood::Takes.answer("m1".to_owned()),
        post.now,
    );
    post.until("10:00:40");
    insta::assert_snapshot!(post.told(), @r"
    10:00:36 ops: #1 worsened in its thread
    ");
}

#[test]
fn everyone_hears_what_their_route_wants_and_levels_come_when_they_are_reached() {
    let severe = Route {
        severities: Some(vec![Severity::Critical, Severity::High]),
        ..Route::default()
    };
    let mut terms = terms(&["all", "severe", "boss", "mail"]);
    terms.channels[1].route = Some(severe);
    terms.channels[3].takes_updates = false;
    terms.levels = vec![Level {
        after: TimeDelta::minutes(15),
        reporters: vec!["boss".to_owned()],
        severities: None,
    }];
    let mut post = Post::new(terms, "10:00:00");
    post.tell_as(1, EventKind::Opened, Severity::Warning, Audience::Everyone);
    post.until("10:15:00");
    post.tell_as(
        1,
        EventKind::Escalated,
        Severity::Warning,
        Audience::Level(0),
    );
    post.until("10:20:00");
    let quiet = Event {
        rings: false,
        ..event(EventKind::Improved, post.now)
    };
    let announcement = Announcement::Incident {
        incident: incident(1, Severity::Warning, false, post.now),
        events: vec![quiet],
        audience: Audience::Everyone,
    };
    post.outbox.tell(announcement, post.now);
    post.until("10:30:00");
    // Whoever heard of the beginning hears of the end.
    post.tell_as(
        1,
        EventKind::Resolved,
        Severity::Warning,
        Audience::Everyone,
    );
    post.until("10:40:00");
    insta::assert_snapshot!(post.told(), @r"
    10:00:00 all: #1 opened
    10:00:00 mail: #1 opened
    10:15:00 boss: #1 escalated
    10:20:00 all: #1 improved in its thread
    10:20:00 boss: #1 improved in its thread
    10:30:00 all: #1 resolved, over in its thread
    10:30:00 boss: #1 resolved, over in its thread
    10:30:00 mail: #1 resolved, over in its thread
    ");
}

#[test]
fn people_can_try_again_and_drop_by_a_beginning_of_a_name() {
    let mut post = Post::new(terms(&["ops"]), "10:00:00");
    post.mood("ops", Mood::Refuses);
    post.tell(12, EventKind::Opened);
    post.tell(34, EventKind::Opened);
    post.until("10:01:00");
    post.told();
    assert_eq!(post.outbox.retry(Some("i12"), post.now), Ok(1));
    post.mood("ops", Mood::Fails);
    post.until("10:01:01");
    insta::assert_snapshot!(post.told(), @r"
    10:01:00 ops: #12 opened — connection refused
    ");
    let wrong = post.outbox.retry(Some("i5"), post.now).unwrap_err();
    assert_eq!(wrong.to_string(), "no message begins with `i5`");
    let wrong = post.outbox.drop_message("i").unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "2 messages begin with `i`: give more of it"
    );
    assert!(post.outbox.drop_message("i34").is_ok());
    post.keep();
    assert_eq!(post.kept.len(), 1);
    assert_eq!(post.outbox.retry(None, post.now), Ok(1));
}

#[test]
fn nothing_is_sent_before_it_is_kept_unless_nothing_can_be() {
    let mut post = Post::new(terms(&["ops"]), "10:00:00");
    post.tell(1, EventKind::Opened);
    post.outbox.stamp(5);
    assert!(matches!(
        post.outbox.lease("ops", post.now, Some(4)),
        Lease::Commit
    ));
    assert!(matches!(
        post.outbox.lease("ops", post.now, Some(5)),
        Lease::Send(_)
    ));
    post.tell(2, EventKind::Opened);
    post.outbox.stamp(6);
    assert!(matches!(
        post.outbox.lease("ops", post.now, None),
        Lease::Send(_)
    ));
}

#[test]
fn what_waits_for_a_day_is_given_up_but_not_because_the_machine_slept() {
    let mut post = Post::new(terms(&["ops", "mail"]), "00:00:00");
    post.mood("ops", Mood::Fails);
    post.tell(1, EventKind::Opened);
    post.after(TimeDelta::seconds(8));
    post.now += TimeDelta::days(3);
    post.after(TimeDelta::minutes(1));
    assert_eq!(post.outbox.summary().dead, 0);
    post.after(TimeDelta::hours(2));
    assert_eq!(post.outbox.summary().dead, 1);
    let told = post.told();
    assert!(
        told.contains("mail: note: messages do not get out through `ops`"),
        "{told}"
    );
}

#[test]
fn a_newer_note_about_the_same_takes_the_place_of_one_that_waits() {
    let mut post = Post::new(terms(&["ops"]), "10:00:00");
    post.mood("ops", Mood::Fails);
    for title in ["the network is down", "the network was down for 8 min"] {
        let note = SelfNote {
            about: "network".to_owned(),
            title: title.to_owned(),
            tone: Status::Unknown,
            lines: Vec::new(),
            rings: true,
        };
        post.outbox.note(&note, None, post.now);
        post.keep();
        post.after(TimeDelta::minutes(8));
    }
    post.mood("ops", Mood::Takes);
    post.told();
    post.after(TimeDelta::hours(1));
    insta::assert_snapshot!(post.told(), @r"
    10:17:46 ops: note: the network was down for 8 min
    ");
}
