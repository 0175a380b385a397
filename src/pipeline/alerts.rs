//! What a report says of the memory that it is made from.

use std::path::Path;

use chrono::TimeDelta;

use crate::model::{SelfAlert, Timestamp};
use crate::store::Health;

/// For how long a report speaks of a store that was moved aside.
const SPOKEN_OF: TimeDelta = TimeDelta::days(1);

/// What a report says of the store.
#[must_use]
pub(super) fn alerts(health: &Health, now: Timestamp) -> Vec<SelfAlert> {
    let mut alerts = Vec::new();
    if let Some(trouble) = &health.trouble {
        alerts.push(SelfAlert {
            message: format!(
                "the memory is gone: {trouble}; what is seen waits until it is back ({} waiting, {} given up)",
                health.waiting, health.lost
            ),
            hint: Some(trouble.hint.clone()),
        });
    } else if health.lost > 0 {
        alerts.push(SelfAlert {
            message: format!(
                "{} looks are missing in the memory: it could not be written for too long",
                health.lost
            ),
            hint: None,
        });
    }
    if let Some((at, moved)) = &health.moved_aside
        && now.signed_duration_since(*at) < SPOKEN_OF
    {
        alerts.push(moved_aside(moved));
    }
    alerts
}

fn moved_aside(file: &Path) -> SelfAlert {
    SelfAlert {
        message: format!(
            "the memory was damaged and begun anew; the old one is kept as `{}`",
            file.display()
        ),
        hint: Some(
            "look at the disk; a copy made by `roundsman backup` can take its place".to_owned(),
        ),
    }
}
