use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use roundsman::clock::SystemClock;
use roundsman::model::{Measurement, Status, TargetId, Timestamp, Unit, Value};
use roundsman::store::{self, Changed, Entry, Keep, Settings, Span, Store};

fn entry(name: &str, at: Timestamp, number: f64) -> Entry {
    let measurement = |metric, subject: Option<&str>, value, unit| Measurement {
        metric,
        subject: subject.map(str::to_owned),
        value,
        unit,
    };
    Entry {
        target: TargetId {
            kind: "local_hosts",
            name: name.into(),
        },
        at,
        took: Duration::from_millis(12),
        status: if number > 90.0 {
            Status::Red
        } else {
            Status::Green
        },
        measurements: vec![
            measurement("cpu_percent", None, Value::Number(number), Unit::Percent),
            measurement(
                "disk_free_percent",
                Some("/"),
                Value::Number(58.0),
                Unit::Percent,
            ),
        ],
        state: None,
        change: (number > 90.0).then(|| Changed {
            from: Some(Status::Green),
            to: Some(Status::Red),
            summary: "cpu_percent is high".to_owned(),
        }),
    }
}

fn id() -> TargetId {
    TargetId {
        kind: "local_hosts",
        name: "here".into(),
    }
}

fn settings(folder: &tempfile::TempDir, keep: Keep) -> Settings {
    Settings {
        folder: folder.path().join("store"),
        keep,
    }
}

fn start(settings: &Settings) -> Store {
    Store::start(settings.clone(), Arc::new(SystemClock)).expect("nobody else has it")
}

fn now() -> Timestamp {
    use roundsman::clock::Clock;
    SystemClock.now()
}

#[test]
fn looks_come_back_as_they_were_and_only_we_can_read_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = settings(&folder, Keep::USUAL);
    let store = start(&settings);
    let end = now();
    let minute = chrono::TimeDelta::minutes(1);
    for index in 0..10 {
        let at = end - minute * (10 - index);
        assert!(store.record(entry("here", at, f64::from(index) * 10.0 + 1.5)));
    }
    assert!(store.close(Duration::from_secs(10)));
    let span = Span {
        from: end - chrono::TimeDelta::hours(1),
        to: end,
        buckets: 6,
    };
    let found = store::history(&settings.folder, &id(), None, span)
        .expect("it is sound")
        .expect("it is known");
    assert_eq!(found.looks, [9, 0, 0, 1]);
    assert_eq!(found.changes.len(), 1);
    let cpu = &found.series[0];
    assert_eq!((cpu.metric.as_str(), cpu.count), ("cpu_percent", 10));
    assert!((cpu.least - 1.5).abs() < 1e-9 && (cpu.most - 91.5).abs() < 1e-9);
    assert!(cpu.buckets[..5].iter().all(Option::is_none), "{cpu:?}");
    assert_eq!(found.series[1].subject.as_deref(), Some("/"));
    let mode = |name: &str| {
        let path = settings.folder.join(name);
        path.metadata().expect("it is there").permissions().mode() & 0o777
    };
    assert_eq!((mode("."), mode("roundsman.db")), (0o700, 0o600));
}

#[test]
fn long_histories_come_from_hours_and_agree_with_the_looks() {
    let folder = tempfile::tempdir().expect("a folder");
    let keep = Keep {
        age: Duration::from_hours(24 * 400),
        ..Keep::USUAL
    };
    let settings = settings(&folder, keep);
    let store = start(&settings);
    let end = now();
    let mut made = 0_u64;
    for minutes in (0..60 * 24 * 6).rev().step_by(10) {
        let at = end - chrono::TimeDelta::minutes(minutes);
        let number = f64::from(u32::try_from(minutes % 80).expect("small"));
        assert!(store.record(entry("here", at, number)));
        made += 1;
    }
    assert!(store.close(Duration::from_secs(10)));
    // The next start makes the hours.
    let store = start(&settings);
    let reached = || {
        let database = rusqlite::Connection::open(settings.folder.join("roundsman.db"));
        let database = database.expect("a database");
        let count = database.query_row("SELECT count(*) FROM hours", [], |row| row.get(0));
        count.unwrap_or(0_i64)
    };
    let began = std::time::Instant::now();
    while reached() < 24 * 6 - 1 {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", reached());
        std::thread::yield_now();
    }
    assert!(store.close(Duration::from_secs(10)));
    let span = Span {
        from: end - chrono::TimeDelta::days(30),
        to: end + chrono::TimeDelta::seconds(1),
        buckets: 30,
    };
    let found = store::history(&settings.folder, &id(), Some("cpu_percent"), span)
        .expect("it is sound")
        .expect("it is known");
    assert_eq!(found.looks.iter().sum::<u64>(), made);
    assert_eq!(found.series.len(), 1);
    assert_eq!(found.series[0].count, made);
    assert!((found.series[0].least, found.series[0].most) == (9.0, 79.0));
}

#[test]
fn what_is_too_old_or_too_much_goes_and_the_state_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let keep = Keep {
        age: Duration::from_hours(24),
        bytes: 600_000,
    };
    let settings = settings(&folder, keep);
    let store = start(&settings);
    let end = now();
    for seconds in (0..40_000).rev() {
        // Half of them are older than a day.
        let at = end - chrono::TimeDelta::seconds(seconds * 4);
        let mut look = entry("here", at, 5.0);
        look.change = None;
        while !store.record(look.clone()) {
            std::thread::yield_now();
        }
    }
    assert!(store.close(Duration::from_secs(30)));
    let store = start(&settings);
    let used = || {
        let database = rusqlite::Connection::open(settings.folder.join("roundsman.db"));
        let database = database.expect("a database");
        let number = |sql: &str| -> i64 {
            database
                .query_row(sql, [], |row| row.get(0))
                .unwrap_or(i64::MAX)
        };
        let pages = number("PRAGMA page_count") - number("PRAGMA freelist_count");
        let cutoff = (end - chrono::TimeDelta::hours(24)).timestamp_millis();
        let old = number(&format!(
            "SELECT count(*) FROM observations WHERE at < {cutoff}"
        ));
        (pages * number("PRAGMA page_size"), old)
    };
    let began = std::time::Instant::now();
    loop {
        let (bytes, old) = used();
        if bytes <= 600_000 && old < 2_000 {
            break;
        }
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{bytes} bytes, {old} old"
        );
        std::thread::yield_now();
    }
    assert!(store.close(Duration::from_secs(10)));
}
