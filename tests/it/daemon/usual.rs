//! What is usual for metrics outlasts the daemon: it is taken up at the start, learnt from every look, and kept at the
//! end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use roundsman::analysis::baseline::Baselines;
use roundsman::clock::{Clock, SystemClock};
use roundsman::model::{Reading, TargetId, Unit};
use roundsman::store::{Keep, Settings, Store};
use serde_json::Value;

use super::{Endpoint, history, looks};
use crate::support::daemon::Daemon;
use crate::support::program::Workplace;

/// How many looks are known of each target before a daemon starts: one an hour.
const BEFORE: u64 = 72;

const RESPONSE_MS: f64 = 7_000.0;

fn id(name: &str) -> TargetId {
    TargetId {
        kind: "api_endpoints",
        name: name.into(),
    }
}

fn folder(place: &Workplace) -> PathBuf {
    place.path().join("kept")
}

/// Keeps a past of three days of these targets.
fn teach(place: &Workplace, names: &[&str]) {
    let mut baselines = Baselines::default();
    let now = SystemClock.now();
    for hour in 0..BEFORE {
        let hours = i64::try_from(BEFORE - hour).expect("few");
        let mut reading = Reading::default();
        reading.number("response_time_ms", None, RESPONSE_MS, Unit::Milliseconds);
        for name in names {
            baselines.see(&id(name), &reading, now - TimeDelta::hours(hours));
        }
    }
    let settings = Settings {
        folder: folder(place),
        keep: Keep::USUAL,
    };
    let store = Store::start(settings, Arc::new(SystemClock)).expect("nobody has it");
    for (id, bytes) in baselines.dirty() {
        assert!(store.keep_baselines(id, bytes), "there is room");
    }
    assert!(store.close(Duration::from_secs(20)), "all is written");
}

fn database(place: &Workplace) -> rusqlite::Connection {
    rusqlite::Connection::open(folder(place).join("roundsman.db")).expect("a database")
}

/// The targets of which something usual is kept.
fn kept(place: &Workplace) -> Vec<String> {
    let database = database(place);
    let mut statement = database
        .prepare("SELECT name FROM baselines JOIN targets ON targets.id = target ORDER BY name")
        .expect("a statement");
    let names = statement.query_map([], |row| row.get(0)).expect("rows");
    names.collect::<Result<_, _>>().expect("names")
}

fn usual(history: &Value) -> Value {
    let series = history["series"].as_array().expect("series");
    let response = series
        .iter()
        .find(|one| one["metric"] == "response_time_ms");
    response.expect("it was measured")["usual"].clone()
}

async fn some_rounds(place: &Workplace) {
    let mut daemon = Daemon::start(place);
    for _ in 0..3 {
        daemon.event("round.ended").await;
    }
    daemon.stop().await.assert_code(0);
}

#[tokio::test]
async fn it_is_taken_up_learnt_on_and_kept() {
    let shop = Endpoint::start().await;
    let yaml = format!(
        "{}    - {{name: gone, url: \"http://127.0.0.1:1/\"}}\nstore: {{path: kept}}\n",
        shop.watched("every: 1s")
    );
    let place = Workplace::with_configuration(&yaml);
    teach(&place, &["shop", "gone"]);
    some_rounds(&place).await;
    let known = history(&place, "shop").await;
    let usual_now = usual(&known);
    assert_eq!(usual_now["looks"], BEFORE + looks(&known), "{usual_now}");
    // An hour that ends meanwhile moves it a little, never to what the endpoint takes.
    let centre = usual_now["centre"].as_f64().expect("a number");
    assert!((centre - RESPONSE_MS).abs() < 50.0, "{usual_now}");
    // Looks that failed teach nothing.
    let bytes: Vec<u8> = database(&place)
        .query_row(
            "SELECT bytes FROM baselines JOIN targets ON targets.id = target WHERE name = 'gone'",
            [],
            |row| row.get(0),
        )
        .expect("it is watched");
    let counts: Vec<u32> = roundsman::analysis::baseline::read(&bytes)
        .map(|(_, _, baseline)| baseline.count())
        .collect();
    assert_eq!(counts, [72]);

    let shown = place
        .run(&["history", "shop", "--metric", "response_time_ms"])
        .await;
    shown.assert_code(0).assert_prints("USUAL");
    shown.assert_prints(&format!("{centre:.0} ± 3"));

    // Who is not watched any more is forgotten.
    let yaml = format!("{}store: {{path: kept}}\n", shop.watched("every: 1s"));
    std::fs::write(place.path().join("config/config.yaml"), yaml).expect("it may be written");
    some_rounds(&place).await;
    assert_eq!(kept(&place), ["shop"]);
    let later = history(&place, "shop").await;
    assert_eq!(usual(&later)["looks"], BEFORE + looks(&later));
}

#[tokio::test]
async fn a_store_of_the_version_before_is_read_and_taken_further() {
    let shop = Endpoint::start().await;
    let yaml = format!("{}store: {{path: kept}}\n", shop.watched("every: 1s"));
    let place = Workplace::with_configuration(&yaml);
    some_rounds(&place).await;
    database(&place)
        .execute_batch("DROP TABLE baselines; PRAGMA user_version = 2")
        .expect("an older store");
    let before = history(&place, "shop").await;
    assert_eq!(usual(&before), Value::Null);
    some_rounds(&place).await;
    assert_eq!(kept(&place), ["shop"]);
    assert!(looks(&history(&place, "shop").await) > looks(&before));
}
