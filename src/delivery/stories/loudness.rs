//! What holds up what, and what does not.

use chrono::TimeDelta;

use super::*;

#[test]
fn what_rings_nowhere_and_what_follows_hold_up_no_alarm() {
    let mut post = Post::new(terms(&["ops"]), "10:00:00");
    post.tell(1, EventKind::Opened);
    post.until("10:00:02");
    post.whisper(1, EventKind::Worded);
    post.until("10:00:03");
    post.whisper(1, EventKind::Explained);
    post.until("10:00:06");
    post.whisper(1, EventKind::Worded);
    post.until("10:00:10");
    post.tell(1, EventKind::Worsened);
    post.until("10:00:20");
    post.tell(1, EventKind::Resolved);
    post.until("10:00:22");
    post.tell(2, EventKind::Opened);
    post.until("10:00:30");
    post.tell(2, EventKind::Resolved);
    post.until("10:05:00");
    insta::assert_snapshot!(post.told(), @"
    10:00:00 ops: #1 opened
    10:00:02 ops: #1 worded in its thread
    10:00:03 ops: #1 explained in its thread
    10:00:06 ops: #1 worded in its thread
    10:00:10 ops: #1 worsened in its thread
    10:00:20 ops: #1 resolved, over in its thread
    10:00:22 ops: #2 opened
    10:00:30 ops: #2 resolved, over in its thread
    ");
}

#[test]
fn many_that_end_hold_up_no_alarm() {
    let mut post = Post::new(terms(&["ops"]), "10:00:00");
    for id in 1..=4 {
        post.tell(id, EventKind::Opened);
        post.after(TimeDelta::seconds(40));
    }
    post.told();
    post.until("11:00:00");
    for id in 1..=4 {
        post.tell(id, EventKind::Resolved);
        post.after(TimeDelta::seconds(1));
    }
    post.tell(5, EventKind::Opened);
    post.until("11:10:00");
    insta::assert_snapshot!(post.told(), @"
    11:00:00 ops: #1 resolved, over in its thread
    11:00:01 ops: #2 resolved, over in its thread
    11:00:02 ops: #3 resolved, over in its thread
    11:00:04 ops: #5 opened
    11:01:02 ops: #4 resolved, over in its thread
    ");
}

#[test]
fn messages_are_brought_up_to_date_ten_times_a_minute_and_alarms_go_before() {
    let mut post = Post::new(terms(&["ops"]), "10:00:00");
    post.tell(1, EventKind::Opened);
    for _ in 0..30 {
        post.after(TimeDelta::seconds(1));
        post.whisper(1, EventKind::Worded);
    }
    post.tell(1, EventKind::Worsened);
    post.tell(2, EventKind::Opened);
    post.after(TimeDelta::minutes(5));
    let told = post.told();
    let edits = told.lines().filter(|line| !line.contains("ened"));
    assert_eq!(edits.count(), 10, "{told}");
    // What waits tells the rest, and whatever rings takes it along at once.
    let worded = ["worded"; 20].join("+");
    let rest = format!("10:00:30 ops: #1 {worded}+worsened in its thread\n10:00:30 ops: #2 opened");
    assert!(told.trim_end().ends_with(&rest), "{told}");
}

#[test]
fn what_was_told_among_many_is_brought_up_to_date_together_and_without_a_ring() {
    let mut post = Post::new(terms(&["ops"]), "10:00:00");
    for id in 0..100 {
        post.hand_in(id, EventKind::Opened, Severity::High, Audience::Everyone);
    }
    post.keep();
    post.after(TimeDelta::seconds(5));
    for id in 0..100 {
        post.whisper(id, EventKind::Explained);
    }
    post.tell(100, EventKind::Opened);
    // What rings is not told among what does not.
    post.tell(7, EventKind::Resolved);
    post.until("10:30:00");
    insta::assert_snapshot!(post.told(), @"
    10:00:00 ops: 100 incidents
    10:00:05 ops: #7 explained+resolved, over
    10:00:05 ops: 99 incidents
    10:01:00 ops: #100 opened
    ");
    assert!(post.kept.is_empty());
}

#[test]
fn words_follow_once_where_no_message_can_be_edited() {
    let mut terms = terms(&["ops", "slack"]);
    terms.channels[1].takes_updates = false;
    let mut post = Post::new(terms, "10:00:00");
    post.tell(1, EventKind::Opened);
    post.until("10:01:00");
    let mut worded = Incident::clone(&incident(1, Severity::Critical, false, post.now));
    for clock in ["10:02:00", "10:03:00"] {
        let event = Event {
            rings: false,
            ..event(EventKind::Worded, post.now)
        };
        worded.events.push(event.clone());
        let announcement = Announcement::Incident {
            incident: Arc::new(worded.clone()),
            events: vec![event],
            audience: Audience::Everyone,
        };
        post.outbox.tell(announcement, post.now);
        post.until(clock);
    }
    insta::assert_snapshot!(post.told(), @r"
    10:00:00 ops: #1 opened
    10:00:00 slack: #1 opened
    10:01:00 ops: #1 worded in its thread
    10:01:00 slack: #1 worded in its thread
    10:02:00 ops: #1 worded in its thread
    ");
}
