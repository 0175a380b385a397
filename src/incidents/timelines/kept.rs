//! What is kept of what happened, for those who tell of it.

use super::{Story, at, target};
use crate::incidents::Marks;
use crate::model::{Member, Notice, Soon, Status};

#[test]
fn how_bad_it_was_and_since_when_is_kept() {
    let mut story = Story::of(vec![target("db", &[])]);
    story.lines(
        "10:00 db yellow
         10:00:30 db yellow
         10:10 db red
         10:10:30 db red",
    );
    let db = story.kept("db");
    assert_eq!((db.since, db.status_since()), (at("10:00"), at("10:10")));
    assert_eq!(db.worst_summary.as_deref(), Some("red"));
    story.lines("10:20 db yellow");
    let db = story.kept("db");
    assert_eq!((db.since, db.status_since()), (at("10:00"), at("10:20")));
    story.lines("10:30 db green");
    let db = story.kept("db");
    assert_eq!(db.condition.summary, "green");
    assert_eq!(db.worst_summary.as_deref(), Some("red"));
}

#[test]
fn a_summary_that_is_worse_than_what_is_believed_is_not_kept_as_its_worst() {
    let mut story = Story::of(vec![target("db", &[])]);
    story.lines(
        "10:00 db yellow
         10:00:30 db red",
    );
    let db = story.kept("db");
    assert_eq!(
        (db.worst, db.worst_summary.as_deref()),
        (Status::Yellow, None)
    );
    story.lines(
        "10:01 db yellow
         10:02 db green",
    );
    assert_eq!(story.kept("db").worst_summary.as_deref(), Some("yellow"));
}

#[test]
fn what_changed_to_and_fro_to_the_end_is_remembered_as_that() {
    let mut script = String::new();
    for minute in 0..8 {
        let status = if minute % 2 == 0 { "red" } else { "green" };
        script.push_str(&format!("10:{minute:02} db {status}\n"));
    }
    let calm = |status: &str| {
        let lines = (8..50).map(|minute| format!("10:{minute:02} db {status}\n"));
        lines.collect::<String>()
    };
    let mut story = Story::of(vec![target("db", &[])]);
    story.lines(&script);
    story.lines(&calm("green"));
    let db = story.kept("db");
    assert!(db.flapping && !db.is_open(), "{db:?}");
    let mut story = Story::of(vec![target("db", &[])]);
    story.lines(&script);
    story.lines(&calm("red"));
    story.lines("10:55 db green");
    let db = story.kept("db");
    assert!(!db.flapping && !db.is_open(), "{db:?}");
}

#[test]
fn what_was_kept_before_there_was_more_to_keep_is_read() {
    let mut story = Story::of(vec![target("db", &[])]);
    story.lines(
        "10:00 db yellow
         10:00:30 db yellow
         10:10 db red
         10:10:30 db red",
    );
    let mut db = serde_json::to_value(story.kept("db")).unwrap();
    let keys = db.as_object_mut().unwrap();
    for key in ["worst_summary", "status_since", "explained_by"] {
        keys.remove(key).expect(key);
    }
    let db: Member = serde_json::from_value(db).unwrap();
    assert_eq!(db.status_since(), at("10:00"));
    assert_eq!((db.worst_summary, db.explained_by), (None, None));
    let notice = r#"{"due_at": "2026-11-21T10:00:31Z", "events": []}"#;
    let notice: Notice = serde_json::from_str(notice).unwrap();
    assert_eq!(notice.soon, Soon::Now);
    let marks = r#"{"recent": ["YELLOW", "RED"], "changes": 1, "unmeasured": 0, "bad_since": 1}"#;
    let mut marks: Marks = serde_json::from_str(marks).unwrap();
    assert_eq!(marks.same_since_ms(), None);
    marks.see(Status::Red, 3, 2);
    assert_eq!(marks.same_since_ms(), Some(3));
}
