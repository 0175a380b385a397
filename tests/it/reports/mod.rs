//! Reports from end to end: the contract, hostile text in every format, and the files that keep them.

mod channels;
mod email;
mod files;
mod formats;
mod incidents;
pub(crate) mod slack;
mod telegram;
mod webhook;

use std::sync::{Arc, Mutex};

use roundsman::clients::Clients;
use roundsman::model::{
    Change, Counts, DeliverySummary, FailureKind, Overall, Report, ReportFailure, ReportFinding,
    ReportMeasurement, ReportTarget, RoundSummary, Status, Timestamp, Unit, Value,
};
use roundsman::render::{Format, TextStyle, render};
use roundsman::reporters::terminal::Screen;
use roundsman::reporters::{self, AnyReporter, Means, Message};

/// The example of the product specification with every field filled in.
const CONTRACT: &str = r#"{
  "schema": 1,
  "round": {
    "id": "r-1",
    "started_at": "2026-11-21T09:00:00Z",
    "duration_ms": 812,
    "next_at": "2026-11-21T15:00:00Z",
    "skipped_looks": 0,
    "missed_rounds": 0
  },
  "overall": "degraded",
  "status": "YELLOW",
  "counts": {
    "green": 0,
    "yellow": 1,
    "red": 0,
    "unknown": 0
  },
  "targets": [
    {
      "name": "web-1",
      "kind": "vps_servers",
      "labels": {
        "team": "ops"
      },
      "critical": true,
      "status": "YELLOW",
      "since": "2026-11-21T03:00:01Z",
      "looked_at": "2026-11-21T09:00:01Z",
      "took_ms": 41,
      "summary": "disk_free_percent of / is 17.2 < 20",
      "silenced": false,
      "acknowledged": false,
      "findings": [
        {
          "metric": "disk_free_percent",
          "subject": "/",
          "value": 17.2,
          "unit": "percent",
          "limit": "< 20",
          "status": "YELLOW",
          "message": null
        }
      ],
      "measurements": [
        {
          "metric": "cpu_percent",
          "subject": null,
          "value": 3.1,
          "unit": "percent"
        }
      ],
      "failure": {
        "kind": "timed_out",
        "message": "no answer within 5 s",
        "hint": "look at the network",
        "by_choice": false
      },
      "facts": {
        "kernel": "6.8"
      },
      "runbook": "https://wiki.example/disk",
      "found_by": null
    }
  ],
  "changes": [
    {
      "target": "web-1",
      "from": "GREEN",
      "to": "YELLOW",
      "kind": "vps_servers",
      "name": "web-1"
    },
    {
      "target": "old",
      "from": "RED",
      "to": null,
      "kind": null,
      "name": null
    }
  ],
  "issues_found": [
    "[YELLOW] web-1: disk_free_percent of / is 17.2 < 20"
  ],
  "recommendations": [
    "web-1: make room"
  ],
  "analysis": null,
  "complete": true,
  "self_alerts": [],
  "delivery": {
    "waiting": 3,
    "dead": 1,
    "oldest_waiting_at": "2026-11-21T02:10:00Z"
  }
}
"#;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn sample() -> Report {
    Report {
        schema: 1,
        round: RoundSummary {
            id: "r-1".to_owned(),
            started_at: at("2026-11-21T09:00:00Z"),
            duration_ms: 812,
            next_at: Some(at("2026-11-21T15:00:00Z")),
            skipped_looks: 0,
            missed_rounds: 0,
        },
        overall: Overall::Degraded,
        status: Status::Yellow,
        counts: Counts {
            yellow: 1,
            ..Counts::default()
        },
        targets: vec![target("web-1", "vps_servers", Status::Yellow)],
        changes: vec![
            Change {
                target: "web-1".to_owned(),
                from: Some(Status::Green),
                to: Some(Status::Yellow),
                kind: Some("vps_servers".to_owned()),
                name: Some("web-1".to_owned()),
            },
            Change {
                target: "old".to_owned(),
                from: Some(Status::Red),
                to: None,
                kind: None,
                name: None,
            },
        ],
        issues_found: vec!["[YELLOW] web-1: disk_free_percent of / is 17.2 < 20".to_owned()],
        recommendations: vec!["web-1: make room".to_owned()],
        analysis: None,
        complete: true,
        self_alerts: Vec::new(),
        delivery: Some(DeliverySummary {
            waiting: 3,
            dead: 1,
            oldest_waiting_at: Some(at("2026-11-21T02:10:00Z")),
        }),
    }
}

fn target(name: &str, kind: &str, status: Status) -> ReportTarget {
    ReportTarget {
        name: name.to_owned(),
        kind: kind.to_owned(),
        labels: [("team".to_owned(), "ops".to_owned())].into(),
        critical: true,
        status,
        since: at("2026-11-21T03:00:01Z"),
        looked_at: at("2026-11-21T09:00:01Z"),
        took_ms: 41,
        summary: "disk_free_percent of / is 17.2 < 20".to_owned(),
        silenced: false,
        acknowledged: false,
        findings: vec![ReportFinding {
            metric: "disk_free_percent".to_owned(),
            subject: Some("/".to_owned()),
            value: Some(Value::Number(17.2)),
            unit: Unit::Percent,
            limit: Some("< 20".to_owned()),
            status: Status::Yellow,
            message: None,
        }],
        measurements: vec![ReportMeasurement {
            metric: "cpu_percent".to_owned(),
            subject: None,
            value: Value::Number(3.1),
            unit: Unit::Percent,
        }],
        failure: Some(ReportFailure {
            kind: FailureKind::TimedOut,
            message: "no answer within 5 s".to_owned(),
            hint: Some("look at the network".to_owned()),
            by_choice: false,
        }),
        facts: [("kernel".to_owned(), "6.8".to_owned())].into(),
        runbook: Some("https://wiki.example/disk".to_owned()),
        found_by: None,
    }
}

#[test]
fn the_contract_is_written_and_read_to_the_letter() {
    let json = render(&sample(), Format::Json, TextStyle::default()).unwrap();
    assert_eq!(json, CONTRACT);
    assert_eq!(serde_json::from_str::<Report>(CONTRACT).unwrap(), sample());
}

#[test]
fn a_report_without_later_fields_is_read() {
    let mut older: serde_json::Value = serde_json::from_str(CONTRACT).unwrap();
    older.as_object_mut().unwrap().remove("complete");
    let target = older["targets"][0].as_object_mut().unwrap();
    target.remove("facts");
    target.remove("runbook");
    target.remove("found_by");
    target["findings"][0]
        .as_object_mut()
        .unwrap()
        .remove("message");
    let report: Report = serde_json::from_value(older).unwrap();
    assert!(report.complete);
}

/// A writer whose text can be looked at afterwards.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn means(paper: &Paper) -> Means {
    Means {
        clients: Clients::new(),
        screen: Screen::new(paper.clone(), TextStyle::default()),
        clock: std::sync::Arc::new(roundsman::clock::SystemClock),
    }
}

fn made(key: &str, settings: &reporters::Settings) -> Box<dyn AnyReporter> {
    let kind = reporters::kind(key).expect("a known word");
    kind.make(settings, &means(&Paper::default()))
        .expect("its own settings")
}

fn message(started_at: &str) -> Message {
    let mut report = sample();
    report.round.started_at = at(started_at);
    report.round.id = String::from(started_at);
    Message::digest(Arc::new(report))
}
