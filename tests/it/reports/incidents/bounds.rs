//! What holds for all messages about incidents: many, hostile, and whatever the engine may tell.

use chrono::TimeDelta;
use proptest::prelude::*;
use roundsman::incidents::{Engine, Facts, Family, Order, Policy, Quiet};
use roundsman::model::{Event, EventKind, Incident, IncidentReport, Status};
use roundsman::render::escape::plain;
use roundsman::render::incident::{
    incident_blocks, incident_news, incident_report, incident_title, incidents_blocks,
    incidents_title, incidents_tone, quiet_blocks, quiet_title,
};
use roundsman::render::text::{TextStyle, text};

use super::stories::{Backups, Hushed, Story, at, condition, shown, target};

#[test]
fn ten_thousand_at_once_are_counted() {
    let mut reports = Vec::new();
    for number in 0..10_012_u64 {
        let (kind, status) = match number % 10 {
            0 => ("databases", Status::Unknown),
            1..4 => ("api_endpoints", Status::Yellow),
            _ => ("vps_servers", Status::Red),
        };
        let mut incident = incident(number, kind, status, &format!("web-{number}"));
        if number >= 10_000 {
            incident.resolved_at = Some(at("10:10"));
            incident.members[0].resolved_at = Some(at("10:10"));
        }
        reports.push(incident_report(&incident, &[]));
    }
    let now = at("10:12");
    let blocks = incidents_blocks(&reports, now);
    insta::assert_snapshot!(shown(&incidents_title(&reports, now), None, &blocks), @r"
    (rings nobody)
    [RED] 10,000 incidents are open: 6,000 RED, 3,000 YELLOW, 1,000 UNKNOWN; 12 are over
    - #4 [RED] web-4: connection refused (for 12 min)
    - #5 [RED] web-5: connection refused (for 12 min)
    - #6 [RED] web-6: connection refused (for 12 min)
    - #7 [RED] web-7: connection refused (for 12 min)
    - #8 [RED] web-8: connection refused (for 12 min)
    - #9 [RED] web-9: connection refused (for 12 min)
    - #14 [RED] web-14: connection refused (for 12 min)
    - #15 [RED] web-15: connection refused (for 12 min)
    - #16 [RED] web-16: connection refused (for 12 min)
    - #17 [RED] web-17: connection refused (for 12 min)
    - … and 9,990 more: 5,990 RED, 3,000 YELLOW, 1,000 UNKNOWN

    Targets by kind
    - vps_servers: 6,000
    - api_endpoints: 3,000
    - databases: 1,000

    Over
    - #10000 web-10000 after 10 min
    - #10001 web-10001 after 10 min
    - #10002 web-10002 after 10 min
    - #10003 web-10003 after 10 min
    - #10004 web-10004 after 10 min
    - … and 7 more

    roundsman incidents
    ");
    let over = &reports[10_000..];
    let blocks = incidents_blocks(over, now);
    insta::assert_snapshot!(shown(&incidents_title(over, now), None, &blocks), @r"
    (rings nobody)
    [RESOLVED] 12 incidents are over
    Over
    - #10000 web-10000 after 10 min
    - #10001 web-10001 after 10 min
    - #10002 web-10002 after 10 min
    - #10003 web-10003 after 10 min
    - #10004 web-10004 after 10 min
    - … and 7 more

    roundsman incidents
    ");
}

#[test]
fn what_is_silenced_is_counted_apart_and_has_no_colour() {
    let now = at("10:04");
    let mut reports: Vec<IncidentReport> = (1..=11)
        .map(|number| {
            let mut incident = incident(number, "databases", Status::Red, "db");
            incident.members[0].silenced_by = Some("a silence".to_owned());
            incident_report(&incident, &[])
        })
        .collect();
    assert_eq!(
        incident_title(&reports[0], now),
        "[SILENCED, RED] db: connection refused (for 4 min)"
    );
    assert_eq!(
        incidents_title(&reports, now),
        "[SILENCED] 11 incidents are open: 11 silenced"
    );
    assert_eq!(incidents_tone(&reports), Status::Green);
    let unmeasured = incident(12, "databases", Status::Unknown, "orders");
    reports.push(incident_report(&unmeasured, &[]));
    let title = incidents_title(&reports, now);
    assert_eq!(
        title,
        "[UNKNOWN] 12 incidents are open: 1 UNKNOWN, 11 silenced"
    );
    let shown = shown(&title, None, &incidents_blocks(&reports, now));
    let rows: Vec<&str> = (shown.lines())
        .filter(|line| line.starts_with("- "))
        .collect();
    assert_eq!(
        rows[0],
        "- #12 [UNKNOWN] orders cannot be measured: connection refused (for 4 min)"
    );
    assert_eq!(rows[10], "- … and 2 more: 2 silenced");
}

fn incident(id: u64, kind: &str, status: Status, name: &str) -> Incident {
    let facts = target(kind, name, &[]);
    let mut engine = Engine::new(Policy::default(), Family::new([facts]), Vec::new());
    for time in ["10:00", "10:00:30"] {
        engine.see(
            name,
            condition(status, "connection refused", at(time)),
            at(time),
        );
    }
    let opened = engine.open().next().expect("an incident").clone();
    Incident { id, ..opened }
}

#[test]
fn hostile_texts_neither_act_nor_fill_the_screen() {
    for hostile in [
        "<b>&amp;</b> `x` *bold* $(reboot) 'quoted' \\",
        "a\u{202e}b\u{1b}[2J\r\nc\u{200b}\0",
        &"größe 🟢 ".repeat(1_500),
        &"\u{1b}".repeat(10_000),
        "-rf",
        "",
    ] {
        let now = at("10:04");
        let (mut seen, mut incident) = (condition(Status::Red, hostile, now), {
            incident(12, "databases", Status::Red, "db")
        });
        seen.problems = vec![hostile.to_owned(); 5];
        seen.advice = vec![hostile.to_owned(); 4];
        let first = incident.members.remove(0);
        for number in 0..60 {
            let mut member = first.clone();
            member.name = hostile.to_owned();
            member.target = format!("db-{number}");
            member.condition = seen.clone();
            member.runbook = Some(hostile.to_owned());
            member.under = (number > 30).then(|| "db-0".to_owned());
            incident.members.push(member);
        }
        incident.title = None;
        let mut events = incident.events.clone();
        for kind in [
            EventKind::Acknowledged,
            EventKind::Remained,
            EventKind::FlappingStarted,
        ] {
            events.push(Event {
                at: now,
                kind,
                name: hostile.to_owned(),
                status: Some(Status::Red),
                text: Some(hostile.to_owned()),
                rings: true,
            });
        }
        let report = incident_report(&incident, &events);
        let reports = vec![report.clone(); 12];
        let quiets = [hostile.to_owned()];
        let unsaid = vec![(report.clone(), events.clone()); 3];
        let all = [
            incident_blocks(&report, now),
            incidents_blocks(&reports, now),
            quiet_blocks(&quiets, &unsaid, now),
        ];
        let titles = [
            incident_title(&report, now),
            incidents_title(&reports, now),
            quiet_title(&quiets, &unsaid, now),
            incident_news(&report).expect("it rings"),
        ];
        for title in &titles {
            assert!(title.chars().count() < 500, "{title}");
            assert_eq!(plain(title), *title);
        }
        for blocks in all {
            let shown = text(&blocks, TextStyle::default());
            let lines = shown.lines().filter(|line| !line.is_empty()).count();
            assert!(lines <= 25, "{lines}: {shown}");
            assert!(shown.chars().count() < 9_000, "{}", shown.chars().count());
            assert!(shown.lines().all(|line| plain(line) == line));
        }
    }
}

#[test]
fn a_name_is_no_command() {
    let command = |name: &str| {
        let mut incident = incident(12, "databases", Status::Red, "db");
        incident.members[0].name = name.to_owned();
        let report = incident_report(&incident, &[]);
        let blocks = incident_blocks(&report, at("10:04"));
        let shown = text(&blocks, TextStyle::default());
        shown.lines().last().expect("a line").to_owned()
    };
    assert_eq!(
        command("databases/db-1"),
        "roundsman history databases/db-1 · roundsman ack 12"
    );
    assert_eq!(
        command("it's $(reboot)"),
        r"roundsman history 'it'\''s $(reboot)' · roundsman ack 12"
    );
    for no_help in ["-rf", "", "a\u{202e}b", &"x".repeat(1_000)] {
        assert_eq!(command(no_help), "roundsman incidents · roundsman ack 12");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_the_engine_tells_has_words(
        looks in prop::collection::vec((0..8_usize, 0..5_usize, 1..120_i64), 1..120),
    ) {
        let names = ["host-1", "db-1", "db-2", "app", "web-1", "web-2", "web-3", "hushed"];
        let mut targets: Vec<Facts> = names.iter().map(|name| match *name {
            "db-1" | "db-2" | "hushed" => target("databases", name, &["host-1"]),
            "app" => target("api_endpoints", name, &["db-1"]),
            _ => target("vps_servers", name, &[]),
        }).collect();
        for web in &mut targets[4..7] {
            web.groups = vec!["label rack=7".to_owned()];
        }
        let quiets: Vec<Box<dyn Quiet>> = vec![Box::new(Hushed), Box::new(Backups)];
        let mut story = Story::with(targets, Policy::default(), quiets);
        let mut now = at("01:00");
        for (target, what, seconds) in looks {
            now += TimeDelta::seconds(seconds);
            story.until(now);
            let name = names[target];
            let status = Status::ALL.get(what).copied();
            if let Some(status) = status {
                    let seen = condition(status, "something is seen", now);
                    story.engine.see(name, seen, now);
            } else {
                    let order = Order::Acknowledge {
                        incident: name.to_owned(),
                        by: "anna".to_owned(),
                        why: None,
                    };
                    story.engine.obey(order, now).ok();
            }
            story.until(now);
        }
        // `told` checks what it renders.
        story.until(now + TimeDelta::hours(30));
    }
}
