//! What is said of problems, and to whom, as the plan has it.

use chrono::TimeDelta;
use roundsman::config::Plan;
use roundsman::incidents::{Grouping, Settings, waits_for_a_level};
use roundsman::model::Severity;

use crate::support::program::Workplace;

#[track_caller]
fn plan(yaml: &str) -> Plan {
    let place = Workplace::with_configuration(yaml);
    let loaded = place.load().expect("a file");
    assert_eq!(place.problems(), "");
    loaded.plan.expect("a plan")
}

const TARGETS: &str = "targets:
  local_hosts: [{name: web-1, labels: {rack: 1.10, team: ops}}, {name: web-2, labels: {rack: 1.1}}]
  tcp_ports: [{name: web-3}]
";

#[test]
fn without_a_word_all_is_as_usual() {
    let plan = plan(&format!("{TARGETS}reporters: [{{kind: terminal}}]\n"));
    assert!(plan.silences.is_empty() && plan.windows.is_empty() && plan.escalation.is_empty());
    assert_eq!(plan.incidents, Settings::default());
    assert_eq!(plan.incidents.group_window, TimeDelta::seconds(30));
    assert_eq!(plan.delivery.retry, TimeDelta::hours(24));
    assert_eq!(plan.reporters[0].route, None);
}

#[test]
fn labels_are_compared_as_they_are_written() {
    let yaml = format!(
        "{TARGETS}silences:
  - {{match: {{labels: {{rack: 1.10}}}}, until: 2131-12-02 06:00, author: anna, comment: moving racks}}
  - {{match: {{labels: {{rack: \"\"}}}}, from: 2131-12-01T00:00:00Z}}
  - {{match: {{names: [local_hosts/web-2, nothing]}}}}
monitoring: {{timezone: America/New_York}}
"
    );
    let plan = plan(&yaml);
    let meant = |index: usize| -> Vec<&str> {
        let matcher = &plan.silences[index].matcher;
        let targets = plan.watched.iter().map(|watched| &watched.target);
        let is_meant = targets.filter(|target| matcher.matches(&target.id, &target.common.labels));
        is_meant.map(|target| &*target.id.name).collect()
    };
    assert_eq!(
        [meant(0), meant(1), meant(2)],
        [["web-1"], ["web-3"], ["web-2"]]
    );
    let first = &plan.silences[0];
    assert_eq!(first.author.as_deref(), Some("anna"));
    assert_eq!(first.comment.as_deref(), Some("moving racks"));
    assert_eq!(first.from, None);
    assert_eq!(
        first.until.map(|until| until.to_rfc3339()).as_deref(),
        Some("2131-12-02T11:00:00+00:00")
    );
    assert_eq!(plan.silences[2].until, None);
}

#[test]
fn a_silence_keeps_its_id_when_others_come_and_go() {
    let ids = |silences: &str| -> Vec<String> {
        let plan = plan(&format!("{TARGETS}silences: [{silences}]\n"));
        plan.silences
            .into_iter()
            .map(|silence| silence.id)
            .collect()
    };
    let (one, other) = ("{match: {names: web-1}}", "{match: {names: web-2}}");
    let both = ids(&format!("{one}, {other}"));
    assert_ne!(both[0], both[1]);
    assert_eq!(ids(other), [both[1].clone()]);
    // Said twice it is one.
    assert_eq!(ids(&format!("{one}, {one}")), [both[0].clone()]);
    assert!(both[0].starts_with("file-"), "{both:?}");
}

#[test]
fn a_window_opens_in_its_zone_or_in_that_of_the_rounds() {
    let plan = plan(&format!(
        "{TARGETS}monitoring: {{timezone: America/New_York}}
windows:
  - {{name: one, match: {{kinds: local_*}}, schedule: \"0 2 * * *\", duration: 1h 30m}}
  - {{name: other, match: {{kinds: local_*}}, schedule: \"0 0 1 1 *\", duration: 31days, timezone: UTC, comment: why}}
"
    ));
    let [one, other] = &plan.windows[..] else {
        panic!("{:?}", plan.windows)
    };
    assert_eq!(one.zone, chrono_tz::America::New_York);
    assert_eq!(one.duration, TimeDelta::minutes(90));
    assert_eq!(other.zone, chrono_tz::UTC);
    assert_eq!(other.comment.as_deref(), Some("why"));
    let now = "2026-07-01T00:00:00Z".parse().expect("a time");
    let next = one.next(now, 1)[0];
    assert_eq!(next.from.to_rfc3339(), "2026-07-01T06:00:00+00:00");
}

#[test]
fn levels_are_in_the_order_in_which_they_are_reached() {
    let plan = plan(&format!(
        "{TARGETS}reporters:
  - {{kind: terminal, name: chat}}
  - {{kind: terminal, name: phone}}
  - {{kind: terminal, name: boss, route: {{severities: [critical]}}}}
  - {{kind: terminal, name: team, route: {{labels: {{team: [ops, dev]}}, digest: false}}}}
escalation:
  - {{after: 1h, reporters: [phone, boss]}}
  - {{after: 15m, reporters: phone, severities: [critical, high]}}
"
    ));
    let minutes: Vec<i64> = (plan.escalation.iter())
        .map(|level| level.after.num_minutes())
        .collect();
    assert_eq!(minutes, [15, 60]);
    assert!(!plan.escalation[0].is_for(Severity::Warning));
    assert!(plan.escalation[1].is_for(Severity::Warning) && plan.escalation[1].tells("boss"));
    let waiting: Vec<&str> = (plan.reporters.iter())
        .filter(|one| waits_for_a_level(&plan.escalation, &one.name, one.route.as_ref()))
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(waiting, ["phone"]);
    let routes: Vec<_> = plan.reporters.iter().map(|one| &one.route).collect();
    let (boss, team) = (routes[2].as_ref(), routes[3].as_ref());
    let (boss, team) = (boss.expect("a route"), team.expect("a route"));
    assert!(boss.wants_digest() && !team.wants_digest());
    for watched in &plan.watched {
        let (id, labels) = (&watched.target.id, &watched.target.common.labels);
        assert!(boss.wants(Severity::Critical, id, labels));
        assert!(!boss.wants(Severity::High, id, labels));
        let is_ours = &*id.name == "web-1";
        assert_eq!(team.wants(Severity::Warning, id, labels), is_ours, "{id}");
    }
}

#[test]
fn the_short_form_of_telegram_is_a_reporter_too() {
    let place = Workplace::with_configuration(&format!(
        "{TARGETS}telegram: {{bot_token: x, chat_id: \"1\"}}
escalation: [{{after: 15m, reporters: telegram}}]\n"
    ));
    let loaded = place.load().expect("a file");
    let plan = loaded.plan.expect("a plan");
    assert!(plan.escalation[0].tells("telegram"));
}

#[test]
fn grouping_reminders_and_delivery_are_what_is_written() {
    let written = plan(&format!(
        "{TARGETS}incidents: {{group_by: [\"label:rack\", region], group_window: 2m, reminders: [90m, 1day]}}
delivery: {{retry: 6h}}
"
    ));
    let settings = &written.incidents;
    let rack = Grouping::Label("rack".to_owned());
    assert_eq!(settings.group_by, [rack, Grouping::Region]);
    assert_eq!(settings.group_window, TimeDelta::minutes(2));
    assert_eq!(settings.reminder_after(0), Some(TimeDelta::minutes(90)));
    assert_eq!(settings.reminder_after(9), Some(TimeDelta::days(1)));
    assert_eq!(written.delivery.retry, TimeDelta::hours(6));
    let none = plan(&format!("{TARGETS}incidents: {{reminders: []}}\n"));
    assert_eq!(none.incidents.reminder_after(0), None);
}

/// A list that lies in `conf.d/` is appended, and its mistakes are told with its own places.
#[test]
fn silences_may_lie_in_files_of_their_own() {
    let place = Workplace::with_configuration(&format!(
        "{TARGETS}silences: [{{match: {{names: web-1}}}}]\n"
    ))
    .file(
        "config/conf.d/moving.yaml",
        "silences:\n  - {match: {names: web-2}}\n  - {match: {}}\n",
    );
    let said = place.problems();
    assert!(
        said.starts_with("config/conf.d/moving.yaml:3:13 silences[2].match: expected at least one"),
        "{said}"
    );
}
