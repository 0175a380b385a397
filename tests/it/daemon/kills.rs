use std::time::Duration;

use super::{Endpoint, history, looks};
use crate::support::daemon::Daemon;
use crate::support::program::Workplace;

/// How often it is killed.
const KILLS: u64 = 12;

/// The kills after this one come long enough after the look.
const SURELY_COMMITTED: u64 = 8;

#[tokio::test]
async fn a_kill_at_any_point_leaves_a_store_that_opens_and_a_state_that_was_seen() {
    let shop = Endpoint::start().await;
    let place = Workplace::with_configuration(&shop.watched("every: 1s, for: 1"));
    let mut seen = 0;
    for kill in 0..KILLS {
        shop.set_well(kill % 2 == 0);
        let mut daemon = Daemon::start(&place);
        let started = daemon.event("daemon.started").await;
        if kill > SURELY_COMMITTED {
            assert_eq!(started["remembered"], 1, "{started}");
        }
        daemon.event("round.ended").await;
        // From right after the look to after its commit, which comes 100 ms later.
        tokio::time::sleep(Duration::from_millis(kill * 31)).await;
        daemon.kill().await;
        let verified = place.run(&["verify"]).await;
        if kill > 0 {
            verified.assert_code(0);
        }
        seen += 1;
    }
    let history = history(&place, "shop").await;
    assert!(looks(&history) <= seen * 2 && looks(&history) >= seen / 2);
    // The state and the last change were committed together.
    let changes = history["changes"].as_array().expect("changes");
    assert_eq!(
        changes.last().expect("one")["to"],
        history["state"]["status"],
        "{history:#}"
    );
}

/// How often it is killed while it starts.
const EARLY_KILLS: u64 = 20;

/// Between two of those kills: the last one comes after a start is over.
const EARLIER_BY: Duration = Duration::from_millis(12);

#[tokio::test]
async fn a_kill_while_it_starts_leaves_a_store_that_opens() {
    let shop = Endpoint::start().await;
    let place = Workplace::with_configuration(&shop.watched("every: 1s, for: 1"));
    for kill in 0..EARLY_KILLS {
        // While the store is made the first time, and then while one is made in the place of a damaged one.
        let database = place.path().join("config/data/roundsman.db");
        if kill == EARLY_KILLS / 2 {
            // Its log would mend it.
            std::fs::remove_file(database.with_extension("db-wal")).ok();
            // On a busy machine none of the starts may have come as far as that.
            let folder = database.parent().expect("a folder");
            std::fs::create_dir_all(folder).expect("the store's folder");
            std::fs::write(&database, "this is no database".repeat(500)).expect("a file");
        }
        let daemon = Daemon::start(&place);
        tokio::time::sleep(EARLIER_BY * u32::try_from(kill % (EARLY_KILLS / 2)).expect("few"))
            .await;
        daemon.kill().await;
    }
    let mut daemon = Daemon::start(&place);
    daemon.event("round.ended").await;
    let ended = daemon.stop().await;
    ended.assert_code(0);
    place.run(&["verify"]).await.assert_code(0);
    let history = history(&place, "shop").await;
    assert_eq!(history["state"]["status"], "GREEN", "{history:#}");
    let folder = std::fs::read_dir(place.path().join("config/data")).expect("the store's folder");
    let kept = folder.filter(|entry| {
        let file = entry.as_ref().expect("a file").path();
        std::fs::read(file).is_ok_and(|bytes| bytes.starts_with(b"this is no database"))
    });
    assert_eq!(kept.count(), 1, "what was damaged is kept");
}
