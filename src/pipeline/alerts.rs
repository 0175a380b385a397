//! What a report says of the memory that it is made from.

use std::path::Path;

use chrono::TimeDelta;

use crate::model::{Outage, SelfAlert, Timestamp};
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

/// What a report says of our own network, if it was down at any time from `from` on.
#[must_use]
pub fn network_alert(outage: &Outage, from: Timestamp) -> Option<SelfAlert> {
    let time = |at: Timestamp| at.format("%Y-%m-%d %H:%M:%S UTC");
    let since = time(outage.since);
    let when = match outage.until {
        None => format!("is down since {since}"),
        Some(until) if until >= from => format!("was down from {since} to {}", time(until)),
        Some(_) => return None,
    };
    Some(SelfAlert {
        message: format!(
            "our own network {when}: what did not answer is UNKNOWN, not RED ({})",
            outage.proof()
        ),
        hint: Some(
            "look at the network of the machine that Roundsman runs on: its link, `ip route`, and its DNS servers"
                .to_owned(),
        ),
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_while_it_lasts_and_in_the_round_that_it_fell_into() {
        let at = |text: &str| -> Timestamp { text.parse().expect("a time") };
        let outage = |until: Option<&str>| Outage {
            since: at("2026-11-21T09:00:00Z"),
            until: until.map(at),
            proofs: vec![
                "the gateway is gone".to_owned(),
                "`a` does not answer".to_owned(),
            ],
        };
        let told = |until, from| {
            network_alert(&outage(until), at(from)).map(|alert| {
                assert!(alert.hint.is_some());
                alert.message
            })
        };
        let lasting = told(None, "2026-11-21T15:00:00Z").expect("it lasts");
        insta::assert_snapshot!(lasting, @"our own network is down since 2026-11-21 09:00:00 UTC: what did not answer is UNKNOWN, not RED (the gateway is gone; `a` does not answer)");
        let until = Some("2026-11-21T09:10:00Z");
        let over = told(until, "2026-11-21T09:05:00Z").expect("it fell into the round");
        insta::assert_snapshot!(over, @"our own network was down from 2026-11-21 09:00:00 UTC to 2026-11-21 09:10:00 UTC: what did not answer is UNKNOWN, not RED (the gateway is gone; `a` does not answer)");
        assert_eq!(told(until, "2026-11-21T10:00:00Z"), None);
    }
}
