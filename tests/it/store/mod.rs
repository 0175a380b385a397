//! The store in trouble: each fault is made for real, while a daemon runs. Rounds and reports go on, the report says that
//! the memory is gone, and what was seen meanwhile is written when it is back.

mod disks;
mod faults;
mod formats;

use std::path::Path;
use std::time::Duration;

use crate::daemon::{Endpoint, history, looks};
use crate::support::daemon::Daemon;
use crate::support::program::Workplace;

/// A daemon at work, and what it watches.
struct Watching {
    shop: Endpoint,
    place: Workplace,
    daemon: Daemon,
}

/// A daemon that looks every second and reports after every round.
async fn watching(store: &Path) -> Watching {
    let shop = Endpoint::start().await;
    let place = Workplace::with_configuration(&configuration(&shop, store));
    let daemon = Daemon::start(&place);
    Watching {
        shop,
        place,
        daemon,
    }
}

fn configuration(shop: &Endpoint, store: &Path) -> String {
    format!(
        "{}store: {{path: \"{}\"}}\n",
        shop.watched("every: 1s"),
        store.display()
    )
}

impl Watching {
    /// Waits until so many more looks were made.
    async fn looks(&self, more: usize) {
        let wanted = self.shop.asked() + more;
        let looking = async {
            while self.shop.asked() < wanted {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let made = tokio::time::timeout(Duration::from_secs(30), looking).await;
        assert!(made.is_ok(), "the looks stopped");
    }

    /// Ends the daemon; all looks that were made must be in the memory.
    async fn nothing_is_missing(self) {
        let ended = self.daemon.stop().await;
        ended.assert_code(0);
        let known = looks(&history(&self.place, "shop").await);
        let made = u64::try_from(self.shop.asked()).expect("few");
        assert_eq!(known, made, "{ended}");
    }
}
