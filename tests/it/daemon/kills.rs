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
