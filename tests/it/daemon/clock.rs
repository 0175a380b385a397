//! The system's clock is set while the daemon runs: for that process alone, by libfaketime, which reads the offset from a
//! file. The clock that nobody can set goes on as it is, as it does on a machine whose clock is set.

use std::path::PathBuf;

use super::Endpoint;
use crate::support::daemon::Daemon;
use crate::support::program::Workplace;

fn library() -> PathBuf {
    let found = ["x86_64-linux-gnu", "aarch64-linux-gnu"]
        .map(|folder| PathBuf::from(format!("/usr/lib/{folder}/faketime/libfaketime.so.1")))
        .into_iter()
        .find(|path| path.exists());
    found.unwrap_or_else(|| {
        panic!("`libfaketime` is not installed: `make test` installs what the tests need")
    })
}

struct Clock {
    file: PathBuf,
}

impl Clock {
    fn set(&self, offset: &str) {
        let next = self.file.with_extension("next");
        std::fs::write(&next, format!("{offset}\n")).expect("a file");
        std::fs::rename(next, &self.file).expect("the same folder");
    }
}

fn started(place: &Workplace) -> (Daemon, Clock) {
    let clock = Clock {
        file: place.path().join("clock"),
    };
    clock.set("+0");
    let mut command = place.command(&[]);
    command
        .env("LD_PRELOAD", library())
        .env("FAKETIME_TIMESTAMP_FILE", &clock.file)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    (Daemon::from(command), clock)
}

#[tokio::test]
async fn set_forward_the_missed_rounds_are_counted_and_made_up_for_once() {
    let shop = Endpoint::start().await;
    let place =
        Workplace::with_configuration(&shop.watched("schedule: \"*/10 * * * *\", timezone: UTC"));
    let (mut daemon, clock) = started(&place);
    daemon.event("round.ended").await;
    clock.set("+3h");
    let jumped = daemon.event("clock.jumped").await;
    assert_eq!(jumped["direction"], "forward");
    let missed = daemon.event("round.missed").await;
    let count = missed["missed"].as_u64().expect("a count");
    assert!((17..=18).contains(&count), "{missed}");
    daemon.event("round.ended").await;
    daemon.stop().await.assert_code(0);
    assert_eq!(shop.asked(), 2);
}

#[tokio::test]
async fn set_back_the_rounds_go_on_at_once() {
    let shop = Endpoint::start().await;
    let place = Workplace::with_configuration(&shop.watched("every: 1s"));
    let (mut daemon, clock) = started(&place);
    daemon.event("round.ended").await;
    clock.set("-5h");
    let jumped = daemon.event("clock.jumped").await;
    assert_eq!(jumped["direction"], "back");
    let before = shop.asked();
    for _ in 0..3 {
        daemon.event("round.ended").await;
    }
    assert!(shop.asked() >= before + 2, "{before} {}", shop.asked());
    let ended = daemon.stop().await;
    ended.assert_code(0);
}
