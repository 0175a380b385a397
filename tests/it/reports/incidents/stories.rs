//! Stories that the engine tells, as people read them: read them aloud.

use chrono::{NaiveTime, TimeDelta, TimeZone, Utc};
use roundsman::incidents::{
    Announcement, Engine, Facts, Family, Level, Order, Policy, Quiet, Until,
};
use roundsman::model::{Condition, Event, IncidentReport, Status, Timestamp};
use roundsman::render::blocks::{Block, Span};
use roundsman::render::incident::{
    incident_blocks, incident_news, incident_report, incident_title, quiet_blocks, quiet_title,
};
use roundsman::render::text::{TextStyle, text};

pub(super) fn at(time: &str) -> Timestamp {
    let time = NaiveTime::parse_from_str(time, "%H:%M:%S")
        .or_else(|_| NaiveTime::parse_from_str(time, "%H:%M"))
        .expect("a time");
    Utc.with_ymd_and_hms(2026, 11, 21, 0, 0, 0).unwrap() + (time - NaiveTime::MIN)
}

pub(super) fn target(kind: &str, name: &str, parents: &[&str]) -> Facts {
    Facts {
        target: name.to_owned(),
        name: name.to_owned(),
        kind: kind.to_owned(),
        own_name: name.to_owned(),
        critical: true,
        parents: parents.iter().map(|&parent| parent.to_owned()).collect(),
        groups: vec![format!("host {name}")],
        ..Facts::default()
    }
}

fn database(name: &str) -> Facts {
    Facts {
        runbook: Some("https://wiki.example/databases".to_owned()),
        ..target("databases", name, &[])
    }
}

/// A window for everything.
pub(super) struct Backups;

impl Quiet for Backups {
    fn name(&self) -> String {
        "the window backups".to_owned()
    }

    fn covers(&self, _: &Facts, now: Timestamp) -> Option<Until> {
        (at("02:00") <= now && now < at("04:00")).then(|| Some(at("04:00")))
    }
}

/// A silence for one target.
pub(super) struct Hushed;

impl Quiet for Hushed {
    fn name(&self) -> String {
        "a silence".to_owned()
    }

    fn covers(&self, target: &Facts, _: Timestamp) -> Option<Until> {
        (target.name == "hushed").then_some(None)
    }
}

pub(super) struct Story {
    pub(super) engine: Engine,
    now: Timestamp,
    told: Vec<String>,
}

impl Story {
    fn of(targets: Vec<Facts>) -> Self {
        Self::with(targets, Policy::default(), Vec::new())
    }

    pub(super) fn with(targets: Vec<Facts>, policy: Policy, quiets: Vec<Box<dyn Quiet>>) -> Self {
        Self {
            engine: Engine::new(policy, Family::new(targets), quiets),
            now: at("00:00"),
            told: Vec::new(),
        }
    }

    pub(super) fn until(&mut self, now: Timestamp) {
        while let Some(due) = self.engine.next_due().filter(|due| *due <= now) {
            self.step(due.max(self.now));
        }
        self.step(now);
    }

    fn step(&mut self, now: Timestamp) {
        self.now = now;
        for announcement in self.engine.take_step(now).announcements {
            self.told.push(told(&announcement, now));
        }
    }

    /// `10:00 db-1,db-2 red connection refused`, `10:05 ack db-1 anna moving racks`, `10:06 gone db-1`, or a time alone.
    fn tell(mut self, script: &str) -> String {
        for line in script
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            let mut words = line.splitn(4, ' ');
            let mut word = || words.next().unwrap_or_default();
            let (now, who, what, rest) = (at(word()), word(), word(), word());
            self.until(now);
            match (who, what) {
                ("", _) => {}
                ("gone", name) => self.engine.leave(name, now),
                ("ack", name) => {
                    let (by, why) = rest.split_once(' ').unwrap_or((rest, ""));
                    let order = Order::Acknowledge {
                        incident: name.to_owned(),
                        by: by.to_owned(),
                        why: Some(why.to_owned()).filter(|why| !why.is_empty()),
                    };
                    self.engine.obey(order, now).expect("an incident");
                }
                (names, status) => {
                    let status = match status {
                        "green" => Status::Green,
                        "yellow" => Status::Yellow,
                        "red" => Status::Red,
                        "unknown" => Status::Unknown,
                        other => panic!("what is {other}?"),
                    };
                    for name in names.split(',') {
                        self.engine.see(name, condition(status, rest, now), now);
                    }
                }
            }
            self.until(now);
        }
        self.until(self.now + TimeDelta::seconds(45));
        self.told.join("\n=====\n")
    }
}

pub(super) fn condition(status: Status, summary: &str, now: Timestamp) -> Condition {
    let bad = status != Status::Green;
    let advice = match status {
        Status::Green => None,
        Status::Unknown => Some("make new credentials"),
        _ => Some("look for sessions that are idle in a transaction"),
    };
    Condition {
        status,
        at: now,
        summary: summary.to_owned(),
        problems: (bad.then(|| summary.to_owned())).into_iter().collect(),
        more_problems: 0,
        advice: advice.map(str::to_owned).into_iter().collect(),
        cause: (status == Status::Unknown).then(|| format!("denied databases: {summary}")),
    }
}

pub(super) fn shown(title: &str, news: Option<String>, blocks: &[Block]) -> String {
    let Some(Block::Title(line)) = blocks.first() else {
        panic!("no title: {blocks:?}");
    };
    let line: String = line.iter().map(Span::text).collect();
    assert_eq!(line, title);
    let news = news.map_or_else(|| "(rings nobody)".to_owned(), |news| format!("({news})"));
    format!("{news}\n{}", text(blocks, TextStyle::default()))
}

/// What is true of every report.
fn check(report: &IncidentReport, now: Timestamp) {
    let open: Vec<_> = report
        .targets
        .iter()
        .filter(|target| target.is_open())
        .collect();
    let counts = report.counts;
    assert_eq!(open.len(), counts.total() - counts.green, "{report:#?}");
    assert_eq!(report.targets_left_out, 0);
    if report.merged_into.is_none() {
        // What is silenced may be all that is left.
        let none = open.is_empty() && report.targets_silenced == 0;
        assert!(
            report.resolved_at.is_none() || open.is_empty(),
            "{report:#?}"
        );
        assert!(report.resolved_at.is_some() || !none, "{report:#?}");
    }
    let worst = open.iter().map(|target| target.status).max();
    assert_eq!(report.status, worst.unwrap_or(Status::Green));
    assert_eq!(report.state.is_open(), report.resolved_at.is_none());
    let title = incident_title(report, now);
    assert!(
        title.starts_with('[') && title.contains(&report.targets[0].name)
            || title.contains(" targets "),
        "{title}"
    );
    if let Some(news) = incident_news(report) {
        assert!(!news.is_empty() && news.chars().count() < 400, "{news}");
        assert!(report.events.iter().any(|event| event.rings), "{report:#?}");
    }
}

fn told(announcement: &Announcement, now: Timestamp) -> String {
    match announcement {
        Announcement::Incident {
            incident, events, ..
        } => {
            let report = incident_report(incident, events);
            check(&report, now);
            let blocks = incident_blocks(&report, now);
            let shown = shown(
                &incident_title(&report, now),
                incident_news(&report),
                &blocks,
            );
            assert!(shown.lines().count() <= 1 + 25, "too long:\n{shown}");
            let json = serde_json::to_string(&report).expect("JSON");
            let read: IncidentReport = serde_json::from_str(&json).expect("a report");
            // The contract has seconds; all times of these stories are whole.
            assert_eq!(read, report);
            shown
        }
        Announcement::QuietEnded { quiets, unsaid } => {
            let unsaid: Vec<(IncidentReport, Vec<Event>)> = (unsaid.iter())
                .map(|(incident, events)| (incident_report(incident, events), events.clone()))
                .collect();
            let blocks = quiet_blocks(quiets, &unsaid, now);
            shown(&quiet_title(quiets, &unsaid, now), None, &blocks)
        }
    }
}

#[test]
fn one_target_fails_becomes_worse_and_is_well_again() {
    let told = Story::of(vec![database("prod-db-1")]).tell(
        "10:00 prod-db-1 yellow connections_used_percent is 84 > 80
         10:00:30 prod-db-1 yellow connections_used_percent is 85 > 80
         10:04 prod-db-1 red connections_used_percent is 96 > 95
         10:04:30 prod-db-1 red connections_used_percent is 97 > 95
         10:08 prod-db-1 yellow connections_used_percent is 88 > 80
         10:12 prod-db-1 green connections 41 %",
    );
    insta::assert_snapshot!(told, @r"
    (prod-db-1: YELLOW, connections_used_percent is 85 > 80)
    [YELLOW] prod-db-1: connections_used_percent is 85 > 80 (for 31 s)
    #1, warning, since 2026-11-21 10:00 UTC (31 s)

    Seen at 10:00 UTC
    - connections_used_percent is 85 > 80

    What to do
    - look for sessions that are idle in a transaction
    - follow the runbook https://wiki.example/databases

    roundsman history prod-db-1 · roundsman ack 1

    =====
    (prod-db-1: worse, RED now)
    [RED] prod-db-1: connections_used_percent is 97 > 95 (for 31 s)
    #1, critical, since 2026-11-21 10:00 UTC (4 min)

    Seen at 10:04 UTC
    - connections_used_percent is 97 > 95
    - RED since 10:04 UTC, not well since 10:00 UTC

    What to do
    - look for sessions that are idle in a transaction
    - follow the runbook https://wiki.example/databases

    New
    - 10:04 UTC: prod-db-1: worse, RED now

    roundsman history prod-db-1 · roundsman ack 1

    =====
    (prod-db-1: better, YELLOW now)
    [YELLOW] prod-db-1: connections_used_percent is 88 > 80 (for 1 s)
    #1, critical, since 2026-11-21 10:00 UTC (8 min)

    Seen at 10:08 UTC
    - connections_used_percent is 88 > 80
    - YELLOW since 10:08 UTC, not well since 10:00 UTC

    What to do
    - look for sessions that are idle in a transaction
    - follow the runbook https://wiki.example/databases

    New
    - 10:08 UTC: prod-db-1: better, YELLOW now

    roundsman history prod-db-1 · roundsman ack 1

    =====
    (resolved after 12 min)
    [RESOLVED] prod-db-1 after 12 min: was RED, connections_used_percent is 97 > 95
    #1, critical, from 2026-11-21 10:00 UTC to 10:12 UTC (12 min)

    - prod-db-1 was not well for 12 min, RED at worst; now connections 41 %

    roundsman history prod-db-1
    ");
}

#[test]
fn the_end_of_what_was_told_once_says_how_it_was() {
    let told = Story::of(vec![database("prod-db-1")]).tell(
        "10:00 prod-db-1 red connections_used_percent is 96 > 95
         10:00:30 prod-db-1 red connections_used_percent is 97 > 95
         10:12 prod-db-1 green connections 41 %",
    );
    insta::assert_snapshot!(told, @r"
    (prod-db-1: RED, connections_used_percent is 97 > 95)
    [RED] prod-db-1: connections_used_percent is 97 > 95 (for 31 s)
    #1, critical, since 2026-11-21 10:00 UTC (31 s)

    Seen at 10:00 UTC
    - connections_used_percent is 97 > 95

    What to do
    - look for sessions that are idle in a transaction
    - follow the runbook https://wiki.example/databases

    roundsman history prod-db-1 · roundsman ack 1

    =====
    (resolved after 12 min)
    [RESOLVED] prod-db-1 after 12 min: was RED, connections_used_percent is 97 > 95
    #1, critical, from 2026-11-21 10:00 UTC to 10:12 UTC (12 min)

    - prod-db-1 was RED for 12 min; now connections 41 %

    roundsman history prod-db-1
    ");
}

fn a_host_with(children: usize) -> (Vec<Facts>, String) {
    let names: Vec<String> = (1..=children)
        .map(|number| format!("app-{number}"))
        .collect();
    let below = names
        .iter()
        .map(|name| target("docker_hosts", name, &["host-1"]));
    let targets = below
        .chain([target("vps_servers", "host-1", &[])])
        .collect();
    (targets, names.join(","))
}

#[test]
fn a_host_is_named_with_what_depends_on_it_and_what_remains_speaks_then() {
    let (targets, names) = a_host_with(12);
    let unknown = "app-10,app-11,app-12";
    let red = names.replace(",app-10,app-11,app-12", "");
    let told = Story::of(targets).tell(&format!(
        "10:00 host-1 red could not connect to `host-1:22`: connection refused
         10:00 {red} red could not connect to `host-1:2376`: connection refused
         10:00:01 {unknown} unknown no answer through `host-1`
         10:00:30 host-1 red could not connect to `host-1:22`: connection refused
         10:00:30 {red} red could not connect to `host-1:2376`: connection refused
         10:00:31 {unknown} unknown no answer through `host-1`
         10:20 host-1 green cpu 3 %
         10:20:01 app-1,app-2,app-3,app-4,app-5,app-6,app-7,app-8,{unknown} green running 3
         10:20:02 app-9 red exit_code of web is 1
         10:22 app-9 green running 3"
    ));
    insta::assert_snapshot!(told, @r"
    (host-1: RED, could not connect to `host-1:22`: connection refused, and 9 below it)
    [RED] host-1: could not connect to `host-1:22`: connection refused (for 31 s), and 9 below it
    #1, critical, since 2026-11-21 10:00 UTC (31 s); 10 targets, all RED

    Seen of host-1 at 10:00 UTC
    - could not connect to `host-1:22`: connection refused

    Explained by host-1, on which they depend
    - RED app-1: could not connect to `host-1:2376`: connection refused (for 31 s)
    - RED app-2: could not connect to `host-1:2376`: connection refused (for 31 s)
    - RED app-3: could not connect to `host-1:2376`: connection refused (for 31 s)
    - RED app-4: could not connect to `host-1:2376`: connection refused (for 31 s)
    - RED app-5: could not connect to `host-1:2376`: connection refused (for 31 s)
    - … and 4 more RED

    What to do
    - host-1: look for sessions that are idle in a transaction

    roundsman history host-1 · roundsman incidents · roundsman ack 1

    =====
    (rings nobody)
    [RED] host-1: could not connect to `host-1:22`: connection refused (for 1 min), and 12 below it
    #1, critical, since 2026-11-21 10:00 UTC (1 min); 13 targets: 10 RED, 3 UNKNOWN

    Seen of host-1 at 10:00 UTC
    - could not connect to `host-1:22`: connection refused

    Explained by host-1, on which they depend
    - RED app-1: could not connect to `host-1:2376`: connection refused (for 1 min)
    - RED app-2: could not connect to `host-1:2376`: connection refused (for 1 min)
    - RED app-3: could not connect to `host-1:2376`: connection refused (for 1 min)
    - RED app-4: could not connect to `host-1:2376`: connection refused (for 1 min)
    - RED app-5: could not connect to `host-1:2376`: connection refused (for 1 min)
    - … and 7 more: 4 RED, 3 UNKNOWN

    What to do
    - host-1: look for sessions that are idle in a transaction

    New
    - 10:00 UTC: also: app-10, app-11 and app-12

    roundsman history host-1 · roundsman incidents · roundsman ack 1

    =====
    (host-1 is back; app-9 is still RED)
    [RED] app-9: exit_code of web is 1 (for 20 min)
    #1, critical, since 2026-11-21 10:00 UTC (20 min); 12 back

    Seen at 10:20 UTC
    - exit_code of web is 1

    What to do
    - look for sessions that are idle in a transaction

    New
    - 10:20 UTC: host-1, app-1, app-2 and 9 more are back
    - 10:20 UTC: app-9 is still RED

    roundsman history app-9 · roundsman incidents · roundsman ack 1

    =====
    (resolved after 22 min)
    [RESOLVED] host-1 and 12 below it after 22 min: was RED, could not connect to `host-1:22`: connection refused
    #1, critical, from 2026-11-21 10:00 UTC to 10:22 UTC (22 min)

    - host-1 was RED for 20 min; now cpu 3 %
    - app-1 was RED for 20 min: could not connect to `host-1:2376`: connection refused; now running 3
    - app-2 was RED for 20 min: could not connect to `host-1:2376`: connection refused; now running 3
    - app-3 was RED for 20 min: could not connect to `host-1:2376`: connection refused; now running 3
    - app-4 was RED for 20 min: could not connect to `host-1:2376`: connection refused; now running 3
    - … and 8 more

    roundsman history host-1 · roundsman incidents
    ");
}

#[test]
fn what_spoke_first_comes_below_what_explains_it() {
    let targets = vec![
        target("vps_servers", "host-1", &[]),
        database("db-1"),
        target("databases", "db-2", &["host-1"]),
        target("api_endpoints", "app", &["db-2"]),
    ];
    let told = Story::of(targets).tell(
        "10:00 db-2 red connection refused
         10:00:20 host-1 green cpu 3 %
         10:00:30 db-2 red connection refused
         10:00:40 app yellow response_time_ms is 2400 > 2000
         10:01:10 app yellow response_time_ms is 2500 > 2000
         10:02 host-1 red could not connect to `host-1:22`: connection refused
         10:02:30 host-1 red could not connect to `host-1:22`: connection refused
         10:12 host-1,db-2,app green all is well",
    );
    insta::assert_snapshot!(told, @r"
    (db-2: RED, connection refused)
    [RED] db-2: connection refused (for 31 s)
    #1, critical, since 2026-11-21 10:00 UTC (31 s)

    Seen at 10:00 UTC
    - connection refused

    What to do
    - look for sessions that are idle in a transaction

    roundsman history db-2 · roundsman ack 1

    =====
    (rings nobody)
    [RED] db-2: connection refused (for 1 min), and 1 below it
    #1, critical, since 2026-11-21 10:00 UTC (1 min); 2 targets: 1 RED, 1 YELLOW

    Seen of db-2 at 10:00 UTC
    - connection refused

    Explained by db-2, on which it depends
    - YELLOW app: response_time_ms is 2500 > 2000 (for 31 s)

    What to do
    - db-2: look for sessions that are idle in a transaction

    New
    - 10:01 UTC: also: app

    roundsman history db-2 · roundsman incidents · roundsman ack 1

    =====
    (host-1: RED, could not connect to `host-1:22`: connection refused, and 2 below it)
    [RED] host-1: could not connect to `host-1:22`: connection refused (for 31 s), and 2 below it
    #1, critical, since 2026-11-21 10:00 UTC (2 min); 3 targets: 2 RED, 1 YELLOW

    Seen of host-1 at 10:02 UTC
    - could not connect to `host-1:22`: connection refused

    Explained by host-1, on which they depend
    - RED db-2: connection refused (for 2 min)
    - YELLOW app: response_time_ms is 2500 > 2000 (for 1 min), through db-2

    What to do
    - host-1: look for sessions that are idle in a transaction

    roundsman history host-1 · roundsman incidents · roundsman ack 1

    =====
    (resolved after 12 min)
    [RESOLVED] host-1 and 2 below it after 12 min: was RED, could not connect to `host-1:22`: connection refused
    #1, critical, from 2026-11-21 10:00 UTC to 10:12 UTC (12 min)

    - host-1 was RED for 10 min; now all is well
    - db-2 was RED for 12 min: connection refused; now all is well
    - app was YELLOW for 11 min: response_time_ms is 2500 > 2000; now all is well

    roundsman history host-1 · roundsman incidents
    ");
}

#[test]
fn what_becomes_part_of_another_says_so_and_what_is_silenced_is_only_counted() {
    let targets = vec![
        target("vps_servers", "host-1", &[]),
        target("databases", "db-1", &["host-1"]),
        target("databases", "db-2", &["host-1"]),
        target("databases", "hushed", &["host-1"]),
    ];
    let told = Story::with(targets, Policy::default(), vec![Box::new(Hushed)]).tell(
        "10:00 db-1 red connection refused
         10:00:30 db-1 red connection refused
         10:01 db-2,hushed red connection refused
         10:01:30 db-2,hushed red connection refused
         10:02 host-1 red could not connect to `host-1:22`: connection refused
         10:02:30 host-1 red could not connect to `host-1:22`: connection refused
         10:20 host-1,db-1,db-2 green all is well
         10:20:30 hushed red connection refused",
    );
    insta::assert_snapshot!(told, @r"
    (db-1: RED, connection refused)
    [RED] db-1: connection refused (for 31 s)
    #1, critical, since 2026-11-21 10:00 UTC (31 s)

    Seen at 10:00 UTC
    - connection refused

    What to do
    - look for sessions that are idle in a transaction

    roundsman history db-1 · roundsman ack 1

    =====
    (db-2: RED, connection refused)
    [RED] db-2: connection refused (for 31 s)
    #2, critical, since 2026-11-21 10:01 UTC (31 s)

    Seen at 10:01 UTC
    - connection refused

    What to do
    - look for sessions that are idle in a transaction

    roundsman history db-2 · roundsman ack 2

    =====
    (host-1: RED, could not connect to `host-1:22`: connection refused, and 2 below it)
    [RED] host-1: could not connect to `host-1:22`: connection refused (for 31 s), and 2 below it
    #1, critical, since 2026-11-21 10:00 UTC (2 min); 3 targets, all RED; 1 silenced

    Seen of host-1 at 10:02 UTC
    - could not connect to `host-1:22`: connection refused

    Explained by host-1, on which they depend
    - RED db-1: connection refused (for 2 min)
    - RED db-2: connection refused (for 1 min)

    What to do
    - host-1: look for sessions that are idle in a transaction

    roundsman history host-1 · roundsman incidents · roundsman ack 1

    =====
    (rings nobody)
    [MERGED] db-2 is part of #1 now
    #2, critical, from 2026-11-21 10:01 UTC to 10:02 UTC (1 min)

    roundsman history db-2

    =====
    (host-1 is back)
    [SILENCED] host-1 and 2 below it are back after 20 min; what is left (1 target) is silenced
    #1, critical, since 2026-11-21 10:00 UTC (20 min); 1 silenced

    - host-1 was RED for 18 min; now all is well
    - db-1 was RED for 20 min: connection refused; now all is well
    - db-2 was RED for 19 min: connection refused; now all is well

    New
    - 10:20 UTC: host-1, db-1 and db-2 are back

    roundsman history host-1 · roundsman incidents · roundsman ack 1
    ");
}

#[test]
fn worse_than_what_somebody_took_note_of_is_open_again() {
    let told = Story::of(vec![target("databases", "db", &[])]).tell(
        "10:00 db yellow connections_used_percent is 84 > 80
         10:00:30 db yellow connections_used_percent is 84 > 80
         10:05 ack db anna
         10:10 db red connections_used_percent is 97 > 95
         10:10:30 db red connections_used_percent is 97 > 95",
    );
    insta::assert_snapshot!(told, @r"
    (db: YELLOW, connections_used_percent is 84 > 80)
    [YELLOW] db: connections_used_percent is 84 > 80 (for 31 s)
    #1, warning, since 2026-11-21 10:00 UTC (31 s)

    Seen at 10:00 UTC
    - connections_used_percent is 84 > 80

    What to do
    - look for sessions that are idle in a transaction

    roundsman history db · roundsman ack 1

    =====
    (anna: looking at it)
    [YELLOW] db: connections_used_percent is 84 > 80 (for 5 min), acknowledged by anna
    #1, warning, since 2026-11-21 10:00 UTC (5 min)

    anna has taken note at 10:05 UTC

    Seen at 10:00 UTC
    - connections_used_percent is 84 > 80

    What to do
    - look for sessions that are idle in a transaction

    roundsman history db

    =====
    (db: worse, RED now)
    [RED] db: connections_used_percent is 97 > 95 (for 31 s)
    #1, critical, since 2026-11-21 10:00 UTC (10 min)

    Seen at 10:10 UTC
    - connections_used_percent is 97 > 95
    - RED since 10:10 UTC, not well since 10:00 UTC

    What to do
    - look for sessions that are idle in a transaction

    New
    - 10:10 UTC: db: worse, RED now

    roundsman history db · roundsman ack 1
    ");
}

#[test]
fn three_of_a_group_are_one_matter() {
    let in_rack = |name: &str| Facts {
        groups: vec!["label rack=7".to_owned()],
        ..target("api_endpoints", name, &[])
    };
    let told = Story::of(vec![in_rack("web-1"), in_rack("web-2"), in_rack("web-3")]).tell(
        "10:00 web-1 red no answer within 5 s
         10:00:30 web-1 red no answer within 5 s
         10:00:33 web-2,web-3 red no answer within 5 s
         10:01:03 web-2,web-3 red answered 503
         10:05 web-1 green response time 80 ms
         10:06 web-2,web-3 green response time 80 ms",
    );
    insta::assert_snapshot!(told, @r"
    (web-1: RED, no answer within 5 s)
    [RED] web-1: no answer within 5 s (for 31 s)
    #1, critical, since 2026-11-21 10:00 UTC (31 s)

    Seen at 10:00 UTC
    - no answer within 5 s

    What to do
    - look for sessions that are idle in a transaction

    roundsman history web-1 · roundsman ack 1

    =====
    (also: web-2 and web-3)
    [RED] web-1: no answer within 5 s (for 1 min), and 2 others
    #1, critical, since 2026-11-21 10:00 UTC (1 min); 3 targets, all RED

    Seen of web-1 at 10:00 UTC
    - no answer within 5 s

    Also
    - RED web-2: answered 503 (for 31 s)
    - RED web-3: answered 503 (for 31 s)

    What to do
    - web-1, web-2, web-3: look for sessions that are idle in a transaction

    New
    - 10:01 UTC: also: web-2 and web-3

    roundsman history web-1 · roundsman incidents · roundsman ack 1

    =====
    (web-1 is back; still RED: web-2 and web-3)
    [RED] web-2: answered 503 (for 4 min), and 1 other
    #1, critical, since 2026-11-21 10:00 UTC (5 min); 2 targets, both RED; 1 back

    Seen of web-2 at 10:01 UTC
    - answered 503

    Also
    - RED web-3: answered 503 (for 4 min)

    What to do
    - web-2, web-3: look for sessions that are idle in a transaction

    New
    - 10:05 UTC: web-1 is back; still RED: web-2 and web-3

    roundsman history web-2 · roundsman incidents · roundsman ack 1

    =====
    (resolved after 6 min)
    [RESOLVED] web-1 and 2 others after 6 min: was RED, no answer within 5 s
    #1, critical, from 2026-11-21 10:00 UTC to 10:06 UTC (6 min)

    - web-1 was RED for 5 min; now response time 80 ms
    - web-2 was RED for 5 min: answered 503; now response time 80 ms
    - web-3 was RED for 5 min: answered 503; now response time 80 ms

    roundsman history web-1 · roundsman incidents
    ");
}

#[test]
fn one_that_becomes_worse_among_others_says_since_when_it_is_so_bad() {
    let in_rack = |name: &str| Facts {
        groups: vec!["label rack=7".to_owned()],
        ..target("api_endpoints", name, &[])
    };
    let told = Story::of(vec![in_rack("web-1"), in_rack("web-2")]).tell(
        "10:00 web-1,web-2 yellow response_time_ms is 2400 > 2000
         10:00:30 web-1,web-2 yellow response_time_ms is 2400 > 2000
         10:05 web-2,web-1 red answered 503
         10:05:30 web-1,web-2 red answered 503
         10:09 web-1,web-2 green response time 80 ms",
    );
    let second = told.split("=====\n").nth(1).expect("a second message");
    insta::assert_snapshot!(second, @r"
    (worse: web-1 and web-2, RED now)
    [RED] web-1: answered 503 (for 31 s), and 1 other
    #1, critical, since 2026-11-21 10:00 UTC (5 min); 2 targets, both RED

    Seen of web-1 at 10:05 UTC
    - answered 503
    - RED since 10:05 UTC, not well since 10:00 UTC

    Also
    - RED web-2: answered 503 (for 31 s, not well for 5 min)

    What to do
    - web-1, web-2: look for sessions that are idle in a transaction

    New
    - 10:05 UTC: worse: web-1 and web-2, RED now

    roundsman history web-1 · roundsman incidents · roundsman ack 1
    ");
    let last = told.split("=====\n").last().expect("an end");
    insta::assert_snapshot!(last, @r"
    (resolved after 9 min)
    [RESOLVED] web-1 and 1 other after 9 min: was RED, answered 503
    #1, critical, from 2026-11-21 10:00 UTC to 10:09 UTC (9 min)

    - web-1 was not well for 9 min, RED at worst; now response time 80 ms
    - web-2 was not well for 9 min, RED at worst: answered 503; now response time 80 ms

    roundsman history web-1 · roundsman incidents
    ");
}

#[test]
fn what_flapped_inside_a_window_came_and_went_once() {
    let mut script = String::new();
    for minute in 5..45 {
        let seen = if minute < 13 && minute % 2 == 1 {
            "red connection refused"
        } else {
            "green connections 41 %"
        };
        script.push_str(&format!("02:{minute:02} db {seen}\n"));
    }
    script.push_str("04:00");
    let targets = vec![target("databases", "db", &[])];
    let story = Story::with(targets, Policy::default(), vec![Box::new(Backups)]);
    insta::assert_snapshot!(story.tell(&script), @r"
    (rings nobody)
    After the window backups: 1 problem came and went
    Came and went
    - db flapped 02:10–02:27 UTC, RED at worst

    roundsman incidents
    ");
}

#[test]
fn fifty_that_cannot_be_measured_for_one_reason_are_one_message() {
    let names: Vec<String> = (1..=50).map(|number| format!("db-{number:02}")).collect();
    let targets = names.iter().map(|name| target("databases", name, &[]));
    let all = names.join(",");
    let told = Story::of(targets.collect()).tell(&format!(
        "10:00 {all} unknown credentials have expired
         10:00:30 {all} unknown credentials have expired
         10:12 db-01 green connections 41 %
         10:14 {all} green connections 41 %"
    ));
    insta::assert_snapshot!(told, @r"
    (50 targets cannot be measured: credentials have expired)
    [UNKNOWN] 50 targets cannot be measured: credentials have expired (for 35 s)
    #1, warning, since 2026-11-21 10:00 UTC (35 s); 50 targets, all UNKNOWN

    Seen of db-01 at 10:00 UTC
    - credentials have expired

    For the same reason
    - db-01, db-02, db-03, db-04, db-05, db-06, db-07, db-08 and 42 more

    What to do
    - db-01, db-02, db-03 and 47 more: make new credentials

    roundsman history db-01 · roundsman incidents · roundsman ack 1

    =====
    (db-01 can be measured again; still UNKNOWN: db-02, db-03, db-04 and 46 more)
    [UNKNOWN] 49 targets cannot be measured: credentials have expired (for 12 min)
    #1, warning, since 2026-11-21 10:00 UTC (12 min); 49 targets, all UNKNOWN; 1 back

    Seen of db-02 at 10:00 UTC
    - credentials have expired

    For the same reason
    - db-02, db-03, db-04, db-05, db-06, db-07, db-08, db-09 and 41 more

    What to do
    - db-02, db-03, db-04 and 46 more: make new credentials

    New
    - 10:12 UTC: db-01 can be measured again; still UNKNOWN: db-02, db-03, db-04 and 46 more

    roundsman history db-02 · roundsman incidents · roundsman ack 1

    =====
    (resolved after 14 min)
    [RESOLVED] 50 targets can be measured again, after 14 min
    #1, warning, from 2026-11-21 10:00 UTC to 10:14 UTC (14 min)

    - db-01 was UNKNOWN for 12 min; now connections 41 %
    - db-02 was UNKNOWN for 14 min; now connections 41 %
    - db-03 was UNKNOWN for 14 min; now connections 41 %
    - db-04 was UNKNOWN for 14 min; now connections 41 %
    - db-05 was UNKNOWN for 14 min; now connections 41 %
    - … and 45 more

    roundsman history db-01 · roundsman incidents
    ");
}

#[test]
fn what_changes_to_and_fro_is_told_at_its_beginning_and_its_end() {
    let mut script = String::new();
    for minute in 0..8 {
        let seen = ["red connection refused", "green connections 41 %"][minute % 2];
        script.push_str(&format!("10:{minute:02} db {seen}\n"));
    }
    for minute in 8..30 {
        script.push_str(&format!("10:{minute:02} db green connections 41 %\n"));
    }
    let told = Story::of(vec![target("databases", "db", &[])]).tell(&script);
    insta::assert_snapshot!(told, @r"
    (flapping: 6 changes within the last 20 looks)
    [FLAPPING] db changes to and fro, just now GREEN: connections 41 % (for 1 s)
    #1, warning, since 2026-11-21 10:05 UTC (1 s)

    Seen at 10:05 UTC
    - connections 41 %

    New
    - 10:05 UTC: flapping: 6 changes within the last 20 looks

    roundsman history db · roundsman ack 1

    =====
    (steady again: GREEN; resolved after 17 min)
    [RESOLVED] db after 17 min: flapped, RED at worst
    #1, critical, from 2026-11-21 10:05 UTC to 10:22 UTC (17 min)

    - db flapped for 17 min, RED at worst; now connections 41 %

    New
    - 10:22 UTC: steady again: GREEN

    roundsman history db
    ");
}

#[test]
fn who_takes_note_is_told_and_so_is_what_nobody_takes_note_of() {
    let policy = Policy {
        escalation: vec![Level {
            after: TimeDelta::minutes(15),
            reporters: vec!["phone".to_owned()],
            severities: None,
        }],
        ..Policy::default()
    };
    let told = Story::with(vec![database("db")], policy, Vec::new()).tell(
        "10:00 db red connection refused
         10:00:30 db red connection refused
         13:30
         14:00 ack db anna moving racks
         15:00 db red connection refused
         15:10 gone db",
    );
    insta::assert_snapshot!(told, @r"
    (db: RED, connection refused)
    [RED] db: connection refused (for 31 s)
    #1, critical, since 2026-11-21 10:00 UTC (31 s)

    Seen at 10:00 UTC
    - connection refused

    What to do
    - look for sessions that are idle in a transaction
    - follow the runbook https://wiki.example/databases

    roundsman history db · roundsman ack 1

    =====
    (still RED after 15 min, and nobody has taken note (level 1))
    [RED] db: connection refused (for 15 min)
    #1, critical, since 2026-11-21 10:00 UTC (15 min)

    Seen at 10:00 UTC
    - connection refused

    What to do
    - look for sessions that are idle in a transaction
    - follow the runbook https://wiki.example/databases

    New
    - 10:15 UTC: still RED after 15 min, and nobody has taken note (level 1)

    roundsman history db · roundsman ack 1

    =====
    (still RED after 1 h (reminder 1))
    [RED] db: connection refused (for 1 h)
    #1, critical, since 2026-11-21 10:00 UTC (1 h)

    Seen at 10:00 UTC
    - connection refused

    What to do
    - look for sessions that are idle in a transaction
    - follow the runbook https://wiki.example/databases

    New
    - 11:00 UTC: still RED after 1 h (reminder 1)

    roundsman history db · roundsman ack 1

    =====
    (still RED after 3 h (reminder 2))
    [RED] db: connection refused (for 3 h)
    #1, critical, since 2026-11-21 10:00 UTC (3 h)

    Seen at 10:00 UTC
    - connection refused

    What to do
    - look for sessions that are idle in a transaction
    - follow the runbook https://wiki.example/databases

    New
    - 13:00 UTC: still RED after 3 h (reminder 2)

    roundsman history db · roundsman ack 1

    =====
    (anna: moving racks)
    [RED] db: connection refused (for 4 h), acknowledged by anna
    #1, critical, since 2026-11-21 10:00 UTC (4 h)

    anna has taken note at 14:00 UTC: moving racks

    Seen at 10:00 UTC
    - connection refused

    What to do
    - look for sessions that are idle in a transaction
    - follow the runbook https://wiki.example/databases

    roundsman history db

    =====
    (rings nobody)
    [REMOVED] db is not watched any more, after 5 h 10 min: was RED
    #1, critical, from 2026-11-21 10:00 UTC to 15:10 UTC (5 h 10 min)

    roundsman history db
    ");
}

#[test]
fn after_a_silence_what_is_still_there_comes_before_what_came_and_went() {
    let targets = vec![
        database("db-1"),
        database("db-2"),
        target("api_endpoints", "app", &[]),
    ];
    let told = Story::with(targets, Policy::default(), vec![Box::new(Backups)]).tell(
        "01:50 app red answered 503
         01:50:30 app red answered 503
         02:10 db-1 red connection refused
         02:10:30 db-1 red connection refused
         02:15 app green response time 80 ms
         02:20 db-1 green connections 41 %
         02:40 db-2 yellow connections_used_percent is 84 > 80
         02:40:30 db-2 yellow connections_used_percent is 84 > 80
         04:00",
    );
    insta::assert_snapshot!(told, @r"
    (app: RED, answered 503)
    [RED] app: answered 503 (for 31 s)
    #1, critical, since 2026-11-21 01:50 UTC (31 s)

    Seen at 01:50 UTC
    - answered 503

    What to do
    - look for sessions that are idle in a transaction

    roundsman history app · roundsman ack 1

    =====
    (rings nobody)
    [RESOLVED] app after 25 min: was RED, answered 503
    #1, critical, from 2026-11-21 01:50 UTC to 02:15 UTC (25 min)

    - app was RED for 25 min; now response time 80 ms

    roundsman history app

    =====
    (rings nobody)
    After the window backups: db-2 is still YELLOW, and 2 problems came and went
    Still there
    - YELLOW db-2: connections_used_percent is 84 > 80, since 02:40 UTC (for 1 h 20 min), #3

    Came and went
    - app was RED 01:50–02:15 UTC
    - db-1 was RED 02:10–02:20 UTC

    roundsman incidents
    ");
}
