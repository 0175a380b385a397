//! When rounds are made and reports are sent: what was written, checked.

use std::time::Duration;

use super::plan::Monitoring;
use super::sections::{self, Missed, ReportSection, Store};
use crate::document::{self, Node};
use crate::pipeline::ReportWhen;
use crate::problem::Problem;
use crate::schedule::{Cron, Timetable};

/// Shorter distances would be all we do.
const SHORTEST: Duration = Duration::from_secs(1);

/// Between two reports where rounds are made at equal distances.
const USUAL_REPORTS: Duration = Duration::from_hours(6);

/// How many days the weekly uptime tells of.
const WEEK_DAYS: u32 = 7;

const CHECK_THE_DAY: &str = "check the day and the month";

/// A schedule as it was written.
pub(super) struct Written<'a> {
    pub schedule: Option<&'a Cron>,
    pub every: Option<Duration>,
    /// What holds the two keys.
    pub node: Option<&'a Node>,
    pub path: &'a document::Path,
}

impl Written<'_> {
    /// The timetable, if one was written.
    pub(super) fn timetable(
        &self,
        zone: chrono_tz::Tz,
        problems: &mut Vec<Problem>,
    ) -> Option<Timetable> {
        let mut refuse = |key: Option<&str>, message: &str, hint: &str| {
            let Some(node) = self.node else {
                return;
            };
            let (place, path) = match key {
                Some(key) => (node.get(key).unwrap_or(node), self.path.key(key)),
                None => (node, self.path.clone()),
            };
            let problem = Problem::error(message).at(&place.location, path.to_string());
            problems.push(problem.hint(hint));
        };
        match (self.schedule, self.every) {
            (Some(_), Some(_)) => {
                let message = "`schedule` and `every` exclude each other";
                refuse(None, message, "keep one of them");
                None
            }
            (Some(cron), None) => {
                if !cron.ever_fires() {
                    refuse(Some("schedule"), &never_comes(cron), CHECK_THE_DAY);
                }
                Some(Timetable::Cron(Box::new(cron.clone()), zone))
            }
            (None, Some(every)) => {
                if every < SHORTEST {
                    let message = "expected a time of at least 1 s";
                    refuse(Some("every"), message, "write `every: 30s`");
                }
                Some(Timetable::Every(every.max(SHORTEST)))
            }
            (None, None) => None,
        }
    }
}

fn never_comes(cron: &Cron) -> String {
    format!("`{cron}` never comes: there is no such day")
}

/// When the uptime of the last week is sent.
fn weekly(
    report: &ReportSection,
    store: &Store,
    zone: chrono_tz::Tz,
    root: &Node,
    problems: &mut Vec<Problem>,
) -> Option<Timetable> {
    let cron = &report.weekly.as_ref()?.0;
    let node = root.get("report")?.get("weekly")?;
    let path = "report.weekly";
    if !cron.ever_fires() {
        let problem = Problem::error(never_comes(cron)).at(&node.location, path);
        problems.push(problem.hint(CHECK_THE_DAY));
    }
    if let Some(days) = store.keep_days.filter(|days| *days < WEEK_DAYS) {
        let message = format!("tells of {WEEK_DAYS} days, but the store keeps only {days}");
        let problem = Problem::warning(message).at(&node.location, path);
        problems.push(problem.hint("set `store.keep_days` to 7 or more"));
    }
    Some(Timetable::Cron(Box::new(cron.clone()), zone))
}

/// What `monitoring` and `report` say together; `store` says how far back they can tell.
pub(super) fn monitoring(
    written: &sections::Monitoring,
    report: &ReportSection,
    store: &Store,
    zone: chrono_tz::Tz,
    root: &Node,
    problems: &mut Vec<Problem>,
) -> Monitoring {
    let path = document::Path::default().key("monitoring");
    let own = Written {
        schedule: written.schedule.as_ref().map(|written| &written.0),
        every: written.every.as_ref().map(|written| written.0.0),
        node: root.get("monitoring"),
        path: &path,
    };
    let timetable = own.timetable(zone, problems);
    let timetable = timetable.unwrap_or_else(|| Timetable::Cron(Box::default(), zone));
    let path = document::Path::default().key("report");
    let reports = Written {
        schedule: report.schedule.as_ref().map(|written| &written.0),
        every: None,
        node: root.get("report"),
        path: &path,
    };
    let reports = reports.timetable(zone, problems).or(match timetable {
        Timetable::Every(_) => Some(Timetable::Every(USUAL_REPORTS)),
        Timetable::Cron(..) => None,
    });
    let duration =
        |written: &Option<crate::document::Written<crate::document::DurationText>>,
         usual: Duration| { written.as_ref().map_or(usual, |written| written.0.0) };
    if written.agreeing_looks == Some(0)
        && let Some(node) = root.get("monitoring")
    {
        let place = node.get("for").unwrap_or(node);
        let problem = Problem::error("expected a whole number of at least 1, found 0");
        let problem = problem.at(&place.location, "monitoring.for");
        problems.push(problem.hint("1 believes the first look"));
    }
    Monitoring {
        timetable,
        zone,
        run_on_start: written.run_on_start.unwrap_or(true),
        make_up: written.missed != Some(Missed::Skip),
        jitter: duration(&written.jitter, Duration::ZERO),
        adaptive: written.adaptive.unwrap_or(false),
        confirm_after: duration(&written.confirm_after, Duration::from_secs(30)),
        agreeing_looks: written.agreeing_looks.unwrap_or(2).max(1),
        own_network: written.own_network.unwrap_or(true),
        redact_emails: written.redact_emails.unwrap_or(false),
        grace: duration(&written.grace, Duration::from_secs(8)),
        reports,
        report_when: match report.when {
            None | Some(sections::ReportWhen::Always) => ReportWhen::Always,
            Some(sections::ReportWhen::Problems) => ReportWhen::Problems,
            Some(sections::ReportWhen::Changes) => ReportWhen::Changes,
        },
        weekly: weekly(report, store, zone, root, problems),
    }
}
