//! Faults one after the other, for a short while in `make test` and for an hour in `make soak`: the store locked, targets
//! that flap, good and bad configurations. Afterwards every look and every change is counted: none is missing, none is
//! wrong.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use roundsman::schedule::share;
use rusqlite::Connection;
use rustix::process::Signal;

use super::{changes, history, looks};
use crate::support::daemon::Daemon;
use crate::support::program::Workplace;
use crate::support::servers::answering_as;

const TARGETS: usize = 10;

/// How long it takes in `make test`; `ROUNDSMAN_SOAK_SECONDS` makes it longer.
const USUAL: Duration = Duration::from_secs(20);

/// What each target answered, in order.
type Answers = Arc<Mutex<BTreeMap<String, Vec<bool>>>>;

fn configuration(port: u16, every: &str) -> String {
    let mut yaml = format!("monitoring: {{every: {every}, for: 1}}\ntargets:\n  api_endpoints:\n");
    for index in 0..TARGETS {
        yaml.push_str(&format!(
            "    - {{name: shop-{index}, url: \"http://127.0.0.1:{port}/shop-{index}\"}}\n"
        ));
    }
    yaml
}

#[tokio::test]
async fn under_faults_no_look_and_no_change_is_missing_or_wrong() {
    let answers: Answers = Arc::default();
    let well: Arc<Mutex<BTreeMap<String, bool>>> = Arc::default();
    let (record, is_well) = (Arc::clone(&answers), Arc::clone(&well));
    let server = answering_as(move |request| {
        let path = request.split(' ').nth(1).unwrap_or("/");
        let name = path.trim_start_matches('/').to_owned();
        let well = *is_well.lock().expect("states").get(&name).unwrap_or(&true);
        record
            .lock()
            .expect("answers")
            .entry(name)
            .or_default()
            .push(well);
        let status = if well { "200 OK" } else { "500 Oops" };
        format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into()
    })
    .await;
    let good = configuration(server.port, "1s");
    let place = Workplace::with_configuration(&good);
    let write = |yaml: &str| {
        std::fs::write(place.path().join("config/config.yaml"), yaml).expect("a file");
    };
    let mut daemon = Daemon::start(&place);
    daemon.event("round.ended").await;
    #[expect(
        clippy::disallowed_methods,
        reason = "`make soak` says how long, and a test has no other ear"
    )]
    let seconds = std::env::var("ROUNDSMAN_SOAK_SECONDS").ok();
    let length = seconds.map_or(USUAL, |text| {
        Duration::from_secs(text.parse().expect("a number of seconds"))
    });
    let began = Instant::now();
    let (mut locks, mut reloads, mut refusals) = (0, 0, 0);
    let mut step = 0_u64;
    while began.elapsed() < length {
        step += 1;
        for index in 0..TARGETS {
            let name = format!("shop-{index}");
            let stays = share(&name, step) < 0.7;
            let mut well = well.lock().expect("states");
            let now = well.entry(name).or_insert(true);
            *now ^= !stays;
        }
        match step % 4 {
            0 => {
                let database = Connection::open(place.path().join("config/data/roundsman.db"));
                let database = database.expect("a database");
                database
                    .busy_timeout(Duration::from_secs(10))
                    .expect("a time-out");
                database.execute_batch("BEGIN EXCLUSIVE").expect("the lock");
                let held = Duration::from_secs_f64(1.0 + 5.0 * share("lock", step));
                tokio::time::sleep(held).await;
                database.execute_batch("COMMIT").expect("the end");
                locks += 1;
            }
            1 => {
                // Another distance, so that the timetable really is another.
                write(&configuration(
                    server.port,
                    if step % 8 == 1 { "2s" } else { "1s" },
                ));
                daemon.signal(Signal::HUP);
                daemon.event("config.loaded").await;
                reloads += 1;
            }
            2 => {
                write(&good.replace("url:", "uri:"));
                daemon.signal(Signal::HUP);
                daemon.event("config.refused").await;
                refusals += 1;
            }
            _ => tokio::time::sleep(Duration::from_millis(1_500)).await,
        }
    }
    write(&good);
    let ended = daemon.stop().await;
    ended.assert_code(0);
    assert!(locks > 0 && reloads > 0 && refusals > 0);
    let answers = answers.lock().expect("answers").clone();
    assert_eq!(answers.len(), TARGETS);
    for (name, given) in answers {
        let known = history(&place, &name).await;
        let made = u64::try_from(given.len()).expect("few");
        assert_eq!(looks(&known), made, "{name}: looks");
        let word = |well: &bool| if *well { "GREEN" } else { "RED" };
        let mut expected = vec![format!("- {}", word(&given[0]))];
        expected.extend(
            given
                .windows(2)
                .filter(|pair| pair[0] != pair[1])
                .map(|pair| format!("{} {}", word(&pair[0]), word(&pair[1]))),
        );
        assert_eq!(changes(&known), expected, "{name}: changes");
        // The distance is at most 2 s: half of that many looks would be missing looks.
        let least = began.elapsed().as_secs() / 3;
        assert!(
            made >= least,
            "{name}: {made} looks, at least {least} were due"
        );
    }
}
