//! The store alone: how much it takes, how large it gets, and how fast a long history is read.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use roundsman::clock::{Clock as _, SystemClock};
use roundsman::model::{Measurement, Status, TargetId, Timestamp, Unit, Value};
use roundsman::store::{self, Changed, Entry, Keep, Settings, Span, Store};

use crate::measure::{Line, median};

const LOOKS: u32 = 300_000;
const SAMPLES: f64 = 5.0;
/// How many looks of one target follow each other where a store is only to be large.
const RUN: u32 = 100;
const CLOSING: Duration = Duration::from_mins(2);

const METRICS: [&str; 5] = [
    "response_time_ms",
    "connect_time_ms",
    "http_status",
    "certificate_days_left",
    "dns_time_ms",
];

fn entry(target: u32, at: Timestamp, seed: u32) -> Entry {
    let number = f64::from(seed % 9_973) / 97.0 + 0.137;
    let measurement = |metric: &'static str, value: f64| Measurement {
        metric,
        subject: None,
        value: Value::Number(value),
        unit: Unit::Number,
    };
    let values = [number, number / 3.0, 200.0, 61.0, number / 7.0];
    Entry {
        target: TargetId {
            kind: "api_endpoints",
            name: format!("target-{target:05}").into(),
        },
        at,
        took: Duration::from_millis(51),
        status: Status::Green,
        measurements: (METRICS.into_iter().zip(values))
            .map(|(metric, value)| measurement(metric, value))
            .collect(),
        state: None,
        change: None,
    }
}

fn keep_all() -> Keep {
    Keep {
        age: Duration::from_hours(24 * 800),
        bytes: 64 << 30,
    }
}

fn open(folder: &Path) -> Result<Store> {
    let settings = Settings {
        folder: folder.to_owned(),
        keep: keep_all(),
    };
    Ok(Store::start(settings, Arc::new(SystemClock))?)
}

fn hand_over(store: &Store, entry: &Entry) {
    // The store takes what it can hold; here it is meant to be behind.
    while store.health().waiting > 20_000 {
        std::thread::yield_now();
    }
    while !store.record(entry.clone()) {
        std::thread::yield_now();
    }
}

/// A look with many samples, so that a store is soon large, and with a state.
fn large(target: u32, at: Timestamp, seed: u32) -> Result<Entry> {
    let mut entry = entry(target, at, seed);
    for disk in 0..60_u32 {
        entry.measurements.push(Measurement {
            metric: "disk_free_percent",
            subject: Some(format!("/disk-{disk}")),
            value: Value::Number(f64::from(seed % 89 + disk) / 1.7),
            unit: Unit::Percent,
        });
    }
    if seed.is_multiple_of(RUN) {
        let state = serde_json::json!({
            "name": &*entry.target.name, "kind": entry.target.kind, "labels": {}, "critical": true, "status": "GREEN",
            "since": at, "looked_at": at, "took_ms": 51, "summary": "answered in 51 ms", "silenced": false,
            "acknowledged": false, "findings": [], "failure": null, "measurements": [
                {"metric": "response_time_ms", "subject": null, "value": 51.2, "unit": "milliseconds"},
                {"metric": "http_status", "subject": null, "value": 200.0, "unit": "number"}]
        });
        entry.state = Some(Arc::new(serde_json::from_value(state)?));
    }
    Ok(entry)
}

/// Fills a store until it is that large; gives its size in bytes.
pub(crate) fn fill(folder: &Path, targets: u32, bytes: u64) -> Result<f64> {
    let store = open(folder)?;
    let database = folder.join(store::DATABASE);
    let begin = SystemClock.now() - chrono::TimeDelta::days(6);
    let mut seed = 0_u32;
    while database.metadata().map_or(0, |metadata| metadata.len()) < bytes {
        for _ in 0..50_000 {
            let at = begin + chrono::TimeDelta::milliseconds(i64::from(seed) * 30);
            hand_over(&store, &large(seed / RUN % targets, at, seed)?);
            seed += 1;
        }
    }
    anyhow::ensure!(store.close(CLOSING), "the store did not close");
    #[expect(clippy::cast_precision_loss, reason = "a size for people")]
    let size = database.metadata()?.len() as f64;
    Ok(size)
}

/// How fast looks are written, how large they get, and how fast a year is read.
pub(crate) fn figures(folder: &Path) -> Result<Vec<Line>> {
    let place = folder.join("written");
    let store = open(&place)?;
    let first = SystemClock.now() - chrono::TimeDelta::hours(2);
    let began = Instant::now();
    for seed in 0..LOOKS {
        let at = first + chrono::TimeDelta::milliseconds(i64::from(seed) * 10);
        hand_over(&store, &entry(seed % 1_000, at, seed));
    }
    anyhow::ensure!(store.close(CLOSING), "the store did not close");
    let rate = f64::from(LOOKS) / began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a size for people")]
    let size = place.join(store::DATABASE).metadata()?.len() as f64;

    let place = folder.join("year");
    let store = open(&place)?;
    let end = SystemClock.now();
    for minute in (0..525_600_u32).rev() {
        let at = end - chrono::TimeDelta::minutes(i64::from(minute));
        hand_over(&store, &entry(0, at, minute));
    }
    anyhow::ensure!(store.close(CLOSING), "the store did not close");
    let store = open(&place)?;
    let id = entry(0, end, 0).target;
    let span = Span {
        from: end - chrono::TimeDelta::days(365),
        to: end,
        buckets: 32,
    };
    let began = Instant::now();
    // Hours are made in the background; then a history is read from them.
    while hours(&place) < 8_750 && began.elapsed() < CLOSING {
        std::thread::yield_now();
    }
    let mut times = Vec::new();
    for _ in 0..5 {
        let began = Instant::now();
        let found = store::history(&place, &id, None, span)?.context("a history")?;
        anyhow::ensure!(
            found.looks.iter().sum::<u64>() >= 525_000,
            "{:?}",
            found.looks
        );
        times.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    anyhow::ensure!(store.close(CLOSING), "the store did not close");
    let uptimes = uptimes_of_a_week(&folder.join("week"))?;
    Ok(vec![
        Line::at_most(
            "to write 1,000 looks of 5 samples",
            1_000_000.0 / rate,
            "ms",
            1_000.0,
        ),
        Line::at_most(
            "on disk",
            size / f64::from(LOOKS) / SAMPLES,
            "bytes per sample",
            30.0,
        ),
        Line::at_most("a year of minutes read", median(times), "ms", 100.0),
        Line::at_most(
            "the uptimes of 1,000 targets over a week of minutes",
            uptimes,
            "ms",
            300.0,
        ),
    ])
}

/// How long it takes to read the uptimes of 1,000 targets over a week of minutes, in milliseconds.
fn uptimes_of_a_week(place: &Path) -> Result<f64> {
    const TARGETS: u32 = 1_000;
    let store = open(place)?;
    let end = SystemClock.now();
    for minute in (0..7 * 24 * 60_u32).rev() {
        let at = end - chrono::TimeDelta::minutes(i64::from(minute));
        for target in 0..TARGETS {
            let mut entry = entry(target, at, minute);
            // Each is RED for a minute, ten times.
            let (from, to) = match (minute + target) % TARGETS {
                0 => (Status::Red, Status::Green),
                1 => (Status::Green, Status::Red),
                _ => (Status::Green, Status::Green),
            };
            entry.status = to;
            entry.change = (from != to).then(|| Changed {
                from: Some(from),
                to: Some(to),
                summary: "status 503".to_owned(),
            });
            hand_over(&store, &entry);
        }
    }
    anyhow::ensure!(store.close(CLOSING), "the store did not close");
    let store = open(place)?;
    let began = Instant::now();
    while hours(place) < 167 * i64::from(TARGETS) && began.elapsed() < CLOSING {
        std::thread::yield_now();
    }
    let mut times = Vec::new();
    for _ in 0..5 {
        let began = Instant::now();
        let found = store::uptimes(place, end - chrono::TimeDelta::days(7), end)?;
        let looks: u64 = found.iter().flat_map(|one| one.looks).sum();
        anyhow::ensure!(
            looks >= 10_000_000 && found.len() == 1_000,
            "{looks} looks of {} targets",
            found.len()
        );
        times.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    anyhow::ensure!(store.close(CLOSING), "the store did not close");
    Ok(median(times))
}

fn hours(folder: &Path) -> i64 {
    let database = rusqlite::Connection::open(folder.join(store::DATABASE));
    let count = database.and_then(|database| {
        database.query_row("SELECT count(*) FROM hours", [], |row| row.get(0))
    });
    count.unwrap_or(0)
}
