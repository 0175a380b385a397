//! One message through one reporter, for whoever wants to know whether it works.

use std::sync::Arc;

use super::{clients, send_in_time};
use crate::clock::SystemClock;
use crate::config::{Plan, PlannedReporter};
use crate::reporters::terminal::Screen;
use crate::reporters::{Means, Message, Receipt, SendError};

/// Sends it once, now, past the store.
///
/// # Errors
/// The channel did not take it.
pub async fn send_one(
    plan: &Plan,
    planned: &PlannedReporter,
    message: &Message,
    screen: Screen,
) -> Result<Receipt, SendError> {
    let means = Means {
        clients: clients(plan),
        screen,
        clock: Arc::new(SystemClock),
    };
    let reporter = planned.kind.make(&planned.settings, &means);
    let reporter = reporter.ok_or_else(|| {
        SendError::permanent("its settings are of another channel, a bug of ours")
    })?;
    send_in_time(&planned.name, reporter.as_ref(), message).await
}
