//! Incidents from end to end: the contract, the files that keep them, and what each channel makes of them.

mod bounds;
mod stories;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use roundsman::document::{LIMITS, from_node, parse};
use roundsman::incidents::{Announcement, Engine, Facts, Family, Order, Policy};
use roundsman::model::{Condition, Event, Incident, IncidentReport, Status};
use roundsman::render::blocks::{Block, line};
use roundsman::render::incident::incident_report;
use roundsman::reporters::file::Settings;
use roundsman::reporters::{self, KINDS, Message, Receipt, terminal, webhook};

use super::{Paper, at, made, means, message};
use crate::support::servers::answering;

/// What programs read, with every field filled in that an open incident has.
const CONTRACT: &str = r#"{
  "schema": 1,
  "id": 12,
  "title": "host-1: connection refused",
  "state": "acknowledged",
  "status": "RED",
  "worst": "RED",
  "severity": "critical",
  "opened_at": "2026-11-21T10:00:30Z",
  "since": "2026-11-21T10:00:00Z",
  "resolved_at": null,
  "duration_ms": null,
  "merged_into": null,
  "acknowledged": {
    "by": "anna",
    "why": "moving racks",
    "at": "2026-11-21T10:05:00Z"
  },
  "counts": {
    "green": 0,
    "yellow": 0,
    "red": 2,
    "unknown": 0
  },
  "targets": [
    {
      "name": "host-1",
      "kind": "vps_servers",
      "labels": {
        "team": "ops"
      },
      "critical": true,
      "sort": "problem",
      "role": "root",
      "explained_by": null,
      "status": "RED",
      "worst": "RED",
      "since": "2026-11-21T10:00:00Z",
      "status_since": "2026-11-21T10:00:00Z",
      "resolved_at": null,
      "flapping": false,
      "flapped": false,
      "silenced": false,
      "looked_at": "2026-11-21T10:00:30Z",
      "seen": "RED",
      "summary": "connection refused",
      "was": null,
      "problems": [
        "connection refused"
      ],
      "problems_left_out": 0,
      "cause": null,
      "recommendations": [
        "start sshd"
      ],
      "runbook": "https://wiki.example/hosts"
    },
    {
      "name": "db-1",
      "kind": "databases",
      "labels": {
        "team": "ops"
      },
      "critical": true,
      "sort": "problem",
      "role": "explained",
      "explained_by": "host-1",
      "status": "RED",
      "worst": "RED",
      "since": "2026-11-21T10:00:00Z",
      "status_since": "2026-11-21T10:00:00Z",
      "resolved_at": null,
      "flapping": false,
      "flapped": false,
      "silenced": false,
      "looked_at": "2026-11-21T10:00:30Z",
      "seen": "RED",
      "summary": "connection refused",
      "was": null,
      "problems": [
        "connection refused"
      ],
      "problems_left_out": 0,
      "cause": null,
      "recommendations": [
        "start sshd"
      ],
      "runbook": "https://wiki.example/hosts"
    }
  ],
  "targets_left_out": 0,
  "targets_explained": 1,
  "targets_silenced": 0,
  "events": [
    {
      "at": "2026-11-21T10:05:00Z",
      "event": "acknowledged",
      "target": null,
      "status": null,
      "text": "anna: moving racks",
      "rings": true
    }
  ],
  "recommendations": [
    "host-1: start sshd",
    "host-1: follow the runbook https://wiki.example/hosts"
  ],
  "analysis": null
}
"#;

fn facts(kind: &str, name: &str, parents: &[&str]) -> Facts {
    Facts {
        target: name.to_owned(),
        name: name.to_owned(),
        kind: kind.to_owned(),
        own_name: name.to_owned(),
        critical: true,
        labels: [("team".to_owned(), "ops".to_owned())].into(),
        runbook: Some("https://wiki.example/hosts".to_owned()),
        parents: parents.iter().map(|&parent| parent.to_owned()).collect(),
        ..Facts::default()
    }
}

/// The messages of an incident from its beginning to its end, as the engine has them told: opened, acknowledged, resolved.
pub(super) fn told(id: u64) -> [IncidentReport; 3] {
    let family = Family::new([
        facts("vps_servers", "host-1", &[]),
        facts("databases", "db-1", &["host-1"]),
    ]);
    let mut engine = Engine::new(Policy::default(), family, Vec::new());
    let mut told: Vec<(Arc<Incident>, Vec<Event>)> = Vec::new();
    for (time, status) in [
        ("2026-11-21T10:00:00Z", Status::Red),
        ("2026-11-21T10:00:30Z", Status::Red),
        ("2026-11-21T10:05:00Z", Status::Unknown),
        ("2026-11-21T10:12:00Z", Status::Green),
    ] {
        let now = at(time);
        for name in ["host-1", "db-1"] {
            match status {
                Status::Unknown if name == "host-1" => {
                    let order = Order::Acknowledge {
                        incident: name.to_owned(),
                        by: "anna".to_owned(),
                        why: Some("moving racks".to_owned()),
                    };
                    engine.obey(order, now).expect("an incident");
                }
                Status::Unknown => {}
                _ => {
                    let bad = status != Status::Green;
                    let words = |words: &str| bad.then(|| words.to_owned());
                    let summary = if bad { "connection refused" } else { "cpu 3 %" };
                    let condition = Condition {
                        status,
                        at: now,
                        summary: summary.to_owned(),
                        problems: words("connection refused").into_iter().collect(),
                        more_problems: 0,
                        advice: words("start sshd").into_iter().collect(),
                        cause: None,
                    };
                    engine.see(name, condition, now);
                }
            }
        }
        for wait in [0, 1, 5, 40] {
            let step = engine.take_step(now + chrono::TimeDelta::seconds(wait));
            told.extend(step.announcements.into_iter().filter_map(|one| match one {
                Announcement::Incident {
                    incident, events, ..
                } => Some((incident, events)),
                Announcement::QuietEnded { .. } => None,
            }));
        }
    }
    let reports: Vec<IncidentReport> = told
        .iter()
        .map(|(incident, events)| {
            let incident = Incident {
                id,
                ..Incident::clone(incident)
            };
            incident_report(&incident, events)
        })
        .collect();
    reports.try_into().expect("three messages")
}

/// The messages about them, each in the place of the one before.
pub(super) fn news(number: usize, before: Option<&Receipt>) -> Message {
    let report = told(12)[number].clone();
    let before = before.and_then(|receipt| receipt.external_id.clone());
    let now = at("2026-11-21T10:12:05Z");
    Message::incident(format!("m-{number}"), Arc::new(report), before, now)
}

#[test]
fn the_contract_is_written_and_read_to_the_letter() {
    let report = told(12)[1].clone();
    let json = serde_json::to_string_pretty(&report).unwrap() + "\n";
    assert_eq!(json, CONTRACT);
    let read: IncidentReport = serde_json::from_str(CONTRACT).unwrap();
    assert_eq!(read, report);
}

async fn write(directory: &Path, message: &Message) -> Option<String> {
    let settings: reporters::Settings = Arc::new(Settings::new(directory));
    let sent = made("file", &settings).send(message).await;
    sent.expect("it is written").external_id
}

fn files(directory: &Path) -> Vec<String> {
    let files = std::fs::read_dir(directory).expect("a folder");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        let name = entry.expect("a listed file").file_name();
        name.into_string().expect("a name in UTF-8")
    };
    let mut names: Vec<String> = files.map(name).collect();
    names.sort();
    names
}

#[tokio::test]
async fn each_incident_has_one_file_and_the_newest_takes_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("not/there/yet");
    let path = write(&directory, &news(0, None)).await.expect("a file");
    assert!(path.ends_with("/incident_12.json"), "{path}");
    write(&directory, &news(1, None)).await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), CONTRACT);
    let now = at("2026-11-21T10:12:05Z");
    let many = Message::incidents("m-4".to_owned(), told(13).to_vec(), now);
    assert_eq!(write(&directory, &many).await, None);
    let blocks = vec![Block::Paragraph(line("db-1 came and went"))];
    let note = Message::note("m-5".to_owned(), "a note".to_owned(), Status::Green, blocks);
    assert_eq!(write(&directory, &note).await, None);
    assert_eq!(files(&directory), ["incident_12.json"]);
}

#[tokio::test]
async fn files_of_incidents_that_are_long_over_are_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path();
    let [open, _, over] = told(12);
    let keep = |days: u64| {
        SystemTime::from(at("2026-11-21T09:00:00Z")) - Duration::from_secs(days * 86_400)
    };
    let (open, over) = (
        serde_json::to_string(&open).unwrap(),
        serde_json::to_string(&over).unwrap(),
    );
    for (name, content, days) in [
        ("incident_1.json", over.as_str(), 91),
        ("incident_2.json", &over, 89),
        ("incident_3.json", &open, 91),
        ("incident_4.json", "damaged", 91),
        (".incident_5.json.partial", "half of", 91),
        ("incident_06.json", &over, 91),
        ("incident_7.json.bak", &over, 91),
    ] {
        let path = directory.join(name);
        std::fs::write(&path, content).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(keep(days)).unwrap();
    }
    write(directory, &message("2026-11-21T09:00:00Z")).await;
    assert_eq!(
        files(directory),
        [
            "incident_06.json",
            "incident_2.json",
            "incident_3.json",
            "incident_7.json.bak",
            "latest_report.json",
            "monitoring_report_20261121_090000.json",
        ]
    );
}

async fn posted(message: &Message) -> serde_json::Value {
    let server = answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let yaml = format!("url: http://127.0.0.1:{}/hook\n", server.port);
    let node = parse(&"reporters.yaml".into(), &yaml, LIMITS, &mut Vec::new());
    let settings: webhook::Settings = from_node(&node.expect("a document")).expect("settings");
    let settings: reporters::Settings = Arc::new(settings);
    let sent = made("webhook", &settings).send(message).await;
    assert_eq!(
        sent.expect("it is taken").external_id.as_ref(),
        Some(&message.id)
    );
    let request = server.requests().remove(0);
    let (_, body) = request.split_once("\r\n\r\n").expect("a body");
    serde_json::from_str(body).expect("JSON")
}

#[tokio::test]
async fn a_webhook_gets_the_incident_as_programs_read_it() {
    let body = posted(&news(1, None)).await;
    assert_eq!(body["event"], "incident");
    assert_eq!(body["status"], "RED");
    let contract: serde_json::Value = serde_json::from_str(CONTRACT).unwrap();
    assert_eq!(body["incident"], contract);
    assert!(body.get("report").is_none() && body.get("incidents").is_none());
    let now = at("2026-11-21T10:12:05Z");
    let many = Message::incidents("m-4".to_owned(), told(13).to_vec(), now);
    let body = posted(&many).await;
    assert_eq!(body["event"], "incidents");
    assert_eq!(body["incidents"].as_array().map(Vec::len), Some(3));
    assert!(body.get("incident").is_none());
}

#[tokio::test]
async fn a_terminal_prints_what_people_read() {
    let paper = Paper::default();
    let kind = reporters::kind("terminal").unwrap();
    let settings: reporters::Settings = Arc::new(terminal::Settings::default());
    let reporter = kind.make(&settings, &means(&paper)).unwrap();
    reporter.send(&news(2, None)).await.unwrap();
    let printed = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    assert!(
        printed.starts_with("[RESOLVED] host-1 and 1 below it after 12 min"),
        "{printed}"
    );
    assert!(
        printed.contains("\n#12, critical, from 2026-11-21 10:00 UTC"),
        "{printed}"
    );
}

#[test]
fn the_first_message_is_itself_the_news_and_an_end_is_green() {
    let first = news(0, None);
    let thread = first.thread.expect("a thread");
    assert_eq!((thread.key.as_str(), thread.news), ("incident-12", None));
    assert_eq!(thread.title, "host-1: connection refused");
    let receipt = Receipt {
        external_id: Some("1".to_owned()),
    };
    let last = news(2, Some(&receipt));
    assert_eq!(last.tone, Status::Green);
    let thread = last.thread.expect("a thread");
    assert_eq!(thread.news.as_deref(), Some("resolved after 12 min"));
    assert_eq!(thread.title, "host-1: connection refused");
}

#[test]
fn those_that_edit_and_programs_hear_of_what_rings_nowhere() {
    let edits = KINDS.iter().filter(|kind| kind.spec.edits);
    let keys: Vec<&str> = edits.map(|kind| kind.spec.key).collect();
    assert_eq!(keys, ["telegram", "webhook", "file"]);
}
