//! Brings orders from the store to whoever obeys them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::store::{Orders, Placed, Store};

/// How often it is looked whether somebody placed an order: as long as a person waits without wondering.
const LOOKING: Duration = Duration::from_secs(1);

/// Looks for orders until it is to stop. Each is handed on once.
pub async fn run(
    folder: PathBuf,
    store: Arc<Store>,
    to: mpsc::Sender<Placed>,
    stop: CancellationToken,
) {
    let mut orders = Orders::new(folder);
    let (mut newest, mut generation) = (0, store.generation());
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOKING) => {}
        }
        if store.health().trouble.is_some() {
            orders.close();
            continue;
        }
        let looking = tokio::task::spawn_blocking(move || {
            let waiting = orders.waiting();
            (orders, waiting)
        });
        let Ok((back, waiting)) = looking.await else {
            tracing::error!(
                event = "orders.lost",
                "looking for orders panicked: none are taken until the next start"
            );
            stop.cancelled().await;
            return;
        };
        orders = back;
        // Another database counts from the beginning.
        if store.generation() != generation {
            (newest, generation) = (0, store.generation());
        }
        for placed in waiting {
            // An answer takes a moment to be written: until then the order is still there.
            if placed.id <= newest {
                continue;
            }
            newest = placed.id;
            if to.send(placed).await.is_err() {
                return;
            }
        }
    }
}
