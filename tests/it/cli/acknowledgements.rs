//! `ack`: an order that a daemon obeys, refuses, or has never heard of.

use roundsman::desk::{Answer, Order};
use roundsman::model::Status;
use roundsman::store::Row;
use rusqlite::Connection;

use super::kept::{CANARY, Held, ago, incident, member, ordered, place, row};

fn rows() -> Vec<Row> {
    let of = |name: &str| member(name, Status::Red, ago(300), "answers 500, not 200");
    vec![
        row(&incident(12, ago(300), vec![of("shop"), of("web-1")])),
        row(&incident(13, ago(200), vec![of("web-2")])),
    ]
}

#[tokio::test]
async fn it_says_what_came_of_it() {
    let place = place();
    let held = Held::with(&place, rows());
    let answering = held.answering(Answer::done("#12 is acknowledged by anna"));
    let ended = place
        .run(&["ack", "#12", "--why", "new disk is on its way"])
        .await;
    assert_eq!(
        answering.end(),
        Some(Order::Acknowledge {
            incident: "#12".to_owned(),
            by: "anna".to_owned(),
            why: Some("new disk is on its way".to_owned()),
        })
    );
    ended.assert_code(0);
    assert_eq!(ended.stdout, "#12 is acknowledged by anna\n");
    assert_eq!(ended.stderr, "");
    assert!(held.ordered().is_empty());
}

#[tokio::test]
async fn a_refusal_comes_with_what_is_open() {
    let place = place();
    let held = Held::with(&place, rows());
    let answering = held.answering(Answer::refused("there is no open incident `nobody`"));
    let ended = place.run(&["ack", "nobody", "--by", "ben"]).await;
    let order = answering.end().expect("an order");
    assert!(matches!(order, Order::Acknowledge { by, why: None, .. } if by == "ben"));
    ended.assert_code(1);
    assert_eq!(ended.stdout, "");
    assert_eq!(
        ended.stderr,
        "there is no open incident `nobody`\n  hint: open: #12 shop, #13 web-2\n"
    );
}

#[tokio::test]
async fn what_a_daemon_says_is_neither_obeyed_nor_secret() {
    let place = place();
    let held = Held::with(&place, rows());
    for answer in [Answer::done, Answer::refused] {
        let answering = held.answering(answer(format!("\u{1b}[2J {CANARY}")));
        let ended = place.run(&["ack", "12"]).await;
        assert!(answering.end().is_some());
        assert!(
            format!("{ended}").contains("\\u{1b}[2J [hidden]"),
            "{ended}"
        );
    }
}

#[tokio::test]
async fn where_no_daemon_runs_the_next_one_obeys() {
    let place = place();
    Held::with(&place, rows()).close();
    for asked in ["13", "web-2", "api_endpoints/web-2"] {
        let ended = place.run(&["ack", asked]).await;
        ended.assert_code(0);
        assert_eq!(
            ended.stdout,
            "no daemon runs with this store: the next one does it as soon as it starts\n"
        );
    }
    assert_eq!(ordered(&place.path().join("kept")).len(), 3);
    // What the next one could not obey is not ordered.
    let ended = place.run(&["ack", "14"]).await;
    ended.assert_code(1);
    assert_eq!(
        ended.stderr,
        "there is no open incident `14`\n  hint: open: #12 shop, #13 web-2\n"
    );
    assert_eq!(ordered(&place.path().join("kept")).len(), 3);
}

#[tokio::test]
async fn it_is_root_by_another_name_under_sudo() {
    for (variable, name) in [("SUDO_USER", "carla"), ("LOGNAME", "anna")] {
        let place = place().variable(variable, name);
        Held::with(&place, rows()).close();
        place.run(&["ack", "12"]).await.assert_code(0);
        let orders = ordered(&place.path().join("kept"));
        assert!(matches!(&orders[..], [Order::Acknowledge { by, .. }] if by == name));
    }
}

#[tokio::test]
async fn a_daemon_that_says_nothing_may_still_obey() {
    let place = place();
    let held = Held::with(&place, rows());
    let ended = place.run(&["ack", "12"]).await;
    ended.assert_code(69);
    assert_eq!(
        ended.stderr,
        "the daemon has not answered within 10 s\n  hint: the order stands, and it may still obey; its log says what keeps \
         it\n"
    );
    assert_eq!(held.ordered().len(), 1);
}

#[tokio::test]
async fn without_a_store_or_with_a_locked_one_nothing_is_ordered() {
    let place = place();
    let ended = place.run(&["ack", "12"]).await;
    ended
        .assert_code(1)
        .assert_says("there is no store at `kept/roundsman.db` yet\n  hint: the daemon makes it");
    assert!(!place.path().join("kept").exists());

    let held = Held::with(&place, rows());
    let other = Connection::open(place.path().join("kept/roundsman.db")).expect("a database");
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let ended = place.run(&["ack", "12"]).await;
    ended.assert_code(70).assert_says(
        "the store `kept/roundsman.db` is held by another process\n  hint: see who holds it",
    );
    other.execute_batch("COMMIT").expect("the end of the lock");
    assert!(held.ordered().is_empty());
}

#[tokio::test]
async fn whoever_has_no_variable_has_a_name_all_the_same() {
    let name = std::process::Command::new("id").arg("-un").output();
    let name = String::from_utf8(name.expect("`id` runs").stdout).expect("UTF-8");
    let place = place().variable("USER", "");
    let held = Held::with(&place, rows());
    let answering = held.answering(Answer::done("it is"));
    place.run(&["ack", "12"]).await.assert_code(0);
    let order = answering.end().expect("an order");
    let Order::Acknowledge { by, .. } = &order else {
        panic!("{order:?}");
    };
    assert_eq!(by, name.trim());
}
