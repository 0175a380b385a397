//! The names of report files. Only a file that has exactly such a name is ours, and only ours are deleted.

use chrono::NaiveDateTime;

use crate::model::{IncidentId, Timestamp};

const INCIDENT: &str = "incident_";
const PREFIX: &str = "monitoring_report_";
const SUFFIX: &str = ".json";
const STAMP: &str = "%Y%m%d_%H%M%S";
/// `YYYYMMDD_HHMMSS`
const STAMP_LENGTH: usize = 15;

/// `monitoring_report_20261121_090000.json`; the second one of that second ends in `_2.json`.
pub(super) fn of(started_at: Timestamp, number: u32) -> String {
    let stamp = started_at.format(STAMP);
    if number <= 1 {
        format!("{PREFIX}{stamp}{SUFFIX}")
    } else {
        format!("{PREFIX}{stamp}_{number}{SUFFIX}")
    }
}

/// When the report of that name was made, and which of its second it is; `None`: the file is not ours.
pub(super) fn read(name: &str) -> Option<(Timestamp, u32)> {
    let inner = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let (stamp, rest) = inner.split_at_checked(STAMP_LENGTH)?;
    let number = match rest.strip_prefix('_') {
        Some(digits) => digits.parse().ok().filter(|number| *number >= 2)?,
        None if rest.is_empty() => 1,
        None => return None,
    };
    let at = NaiveDateTime::parse_from_str(stamp, STAMP).ok()?.and_utc();
    // Whatever is read leniently is not ours: only what we would write ourselves.
    (of(at, number) == name).then_some((at, number))
}

/// `incident_12.json`
pub(super) fn of_incident(id: IncidentId) -> String {
    format!("{INCIDENT}{id}{SUFFIX}")
}

/// Which incident a file of that name tells of; `None`: it is not ours.
pub(super) fn read_incident(name: &str) -> Option<IncidentId> {
    let digits = name.strip_prefix(INCIDENT)?.strip_suffix(SUFFIX)?;
    let id = digits.parse().ok()?;
    (of_incident(id) == name).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_names_are_ours() {
        for (name, number) in [
            ("monitoring_report_20261121_090000.json", Some(1)),
            ("monitoring_report_20261121_090000_2.json", Some(2)),
            ("monitoring_report_20261121_090000_10.json", Some(10)),
            ("monitoring_report_20261121_090000_1.json", None),
            ("monitoring_report_20261121_090000_02.json", None),
            ("monitoring_report_20261121_090000_+2.json", None),
            ("monitoring_report_20261121_090000.json.bak", None),
            ("monitoring_report_20261321_090000.json", None),
            ("monitoring_report_20261121-090000.json", None),
            ("monitoring_report_2026112 _090000.json", None),
            ("monitoring_report_ä0261121_090000.json", None),
            ("my_monitoring_report_20261121_090000.json", None),
            ("monitoring_report_.json", None),
            ("latest_report.json", None),
        ] {
            assert_eq!(read(name).map(|(_, number)| number), number, "`{name}`");
        }
    }

    #[test]
    fn only_exact_names_are_those_of_incidents() {
        for (name, id) in [
            ("incident_12.json", Some(12)),
            ("incident_012.json", None),
            ("incident_+12.json", None),
            ("incident_.json", None),
            ("incident_12.json.bak", None),
            ("my_incident_12.json", None),
            ("monitoring_report_20261121_090000.json", None),
        ] {
            assert_eq!(read_incident(name), id, "`{name}`");
        }
    }
}
