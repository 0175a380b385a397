use chrono::{SecondsFormat, TimeDelta};
use serde_json::{Value, json};

use super::arguments::{ListFormat, Uptime as Asked};
use super::exit::Exit;
use super::orders::{Place, none_where_gone};
use super::{Session, backup};
use crate::clock::{Clock, SystemClock};
use crate::model::{Timestamp, Uptime};
use crate::render::text::text;
use crate::render::uptime::{uptime_blocks, worst_first};
use crate::store;

/// Shows how much of the time each target was up.
pub(super) fn run(session: &Session, asked: &Asked) -> Exit {
    let place = match Place::find(session) {
        Ok(place) => place,
        Err(exit) => return exit,
    };
    let to = SystemClock.now();
    let since = TimeDelta::from_std(asked.since).ok();
    let from = since.and_then(|since| to.checked_sub_signed(since));
    let from = from.unwrap_or_default();
    let mut uptimes = match none_where_gone(store::uptimes(place.folder(), from, to)) {
        Ok(Some(uptimes)) => uptimes,
        Ok(None) => {
            session.terminal.complain(&place.nothing_kept());
            Vec::new()
        }
        Err(trouble) => return backup::refused(session, &trouble),
    };
    let said = match asked.format {
        ListFormat::Text => {
            let blocks = uptime_blocks(&uptimes, to - from, to);
            text(&blocks, super::run_once::style(session))
        }
        ListFormat::Json => {
            worst_first(&mut uptimes);
            as_json(&uptimes, from, to)
        }
    };
    session.terminal.print(&said, Exit::Well)
}

fn as_json(uptimes: &[Uptime], from: Timestamp, to: Timestamp) -> String {
    let second = |at: Timestamp| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let targets: Vec<Value> = (uptimes.iter())
        .map(|one| {
            let [green, unknown, yellow, red] = one.looks;
            json!({
                "kind": one.kind,
                "name": one.name,
                "watched": one.watched,
                "up_percent": one.basis_points().map(in_percent),
                "looks": {"green": green, "yellow": yellow, "red": red, "unknown": unknown},
                "first_look_at": one.first_look_at.map(second),
                "outages": one.outages,
                "red_seconds": one.red_for.num_seconds(),
            })
        })
        .collect();
    let whole = json!({"schema": 1, "from": second(from), "to": second(to), "targets": targets});
    format!("{whole:#}\n")
}

#[expect(clippy::cast_precision_loss, reason = "at most 10,000")]
fn in_percent(basis_points: u64) -> f64 {
    basis_points as f64 / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_get_all_that_is_known() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let (from, to) = (at("2026-11-14T08:00:00Z"), at("2026-11-21T08:00:00.5Z"));
        let uptime = Uptime {
            kind: "databases".to_owned(),
            name: "db".to_owned(),
            watched: true,
            looks: [9_997, 5, 1, 2],
            first_look_at: Some(from),
            outages: 1,
            red_for: TimeDelta::milliseconds(61_500),
        };
        let unknown = Uptime {
            looks: [0; 4],
            first_look_at: None,
            watched: false,
            ..uptime.clone()
        };
        let said: Value = serde_json::from_str(&as_json(&[uptime, unknown], from, to)).unwrap();
        assert_eq!(
            said,
            json!({
                "schema": 1, "from": "2026-11-14T08:00:00Z", "to": "2026-11-21T08:00:00Z",
                "targets": [
                    {"kind": "databases", "name": "db", "watched": true, "up_percent": 99.98,
                        "looks": {"green": 9_997, "yellow": 1, "red": 2, "unknown": 5},
                        "first_look_at": "2026-11-14T08:00:00Z", "outages": 1, "red_seconds": 61},
                    {"kind": "databases", "name": "db", "watched": false, "up_percent": null,
                        "looks": {"green": 0, "yellow": 0, "red": 0, "unknown": 0},
                        "first_look_at": null, "outages": 1, "red_seconds": 61},
                ],
            })
        );
    }
}
