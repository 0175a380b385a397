//! Reports from end to end: the contract, hostile text in every format, and the files that keep them.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use roundsman::clients::Clients;
use roundsman::document::{LIMITS, parse};
use roundsman::model::{
    Change, Counts, FailureKind, Overall, Report, ReportFailure, ReportFinding, ReportMeasurement,
    ReportTarget, RoundSummary, Status, Timestamp, Unit, Value,
};
use roundsman::render::{Format, TextStyle, render};
use roundsman::reporters::file::{Settings, read_latest};
use roundsman::reporters::terminal::Screen;
use roundsman::reporters::{self, AnyReporter, KINDS, Means, Message, Receipt, Retry, SendError};

/// The example of the product specification with every field filled in.
const CONTRACT: &str = r#"{
  "schema": 1,
  "round": {
    "id": "r-1",
    "started_at": "2026-11-21T09:00:00Z",
    "duration_ms": 812,
    "next_at": "2026-11-21T15:00:00Z"
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
        "hint": "look at the network"
      },
      "facts": {
        "kernel": "6.8"
      },
      "runbook": "https://wiki.example/disk"
    }
  ],
  "changes": [
    {
      "target": "web-1",
      "from": "GREEN",
      "to": "YELLOW"
    },
    {
      "target": "old",
      "from": "RED",
      "to": null
    }
  ],
  "issues_found": [
    "[YELLOW] web-1: disk_free_percent of / is 17.2 < 20"
  ],
  "recommendations": [
    "web-1: make room"
  ],
  "analysis": null,
  "complete": true
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
            },
            Change {
                target: "old".to_owned(),
                from: Some(Status::Red),
                to: None,
            },
        ],
        issues_found: vec!["[YELLOW] web-1: disk_free_percent of / is 17.2 < 20".to_owned()],
        recommendations: vec!["web-1: make room".to_owned()],
        analysis: None,
        complete: true,
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
        }),
        facts: [("kernel".to_owned(), "6.8".to_owned())].into(),
        runbook: Some("https://wiki.example/disk".to_owned()),
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
    target["findings"][0]
        .as_object_mut()
        .unwrap()
        .remove("message");
    let report: Report = serde_json::from_value(older).unwrap();
    assert!(report.complete);
}

/// What Python's parser makes of the XML: one line per element, with attributes, in order.
fn parsed_by_python(xml: &str) -> Vec<serde_json::Value> {
    let script = "import sys, json, xml.etree.ElementTree as tree\n\
                  root = tree.fromstring(sys.stdin.buffer.read())\n\
                  print(json.dumps([[e.tag, e.attrib, e.text or ''] for e in root.iter()]))\n";
    let mut python = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("this test needs python3 to parse XML independently");
    let mut input = python.stdin.take().expect("a pipe");
    input.write_all(xml.as_bytes()).expect("python3 reads");
    drop(input);
    let output = python.wait_with_output().expect("python3 ends");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "no XML: {errors}\n{xml}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn junit_agrees_with_the_exit_code() {
    let mut report = sample();
    report.targets = vec![
        target("red", "databases", Status::Red),
        target("yellow", "vps_servers", Status::Yellow),
        target("unknown", "vps_servers", Status::Unknown),
        target("green", "vps_servers", Status::Green),
    ];
    let xml = render(&report, Format::Junit, TextStyle::default()).unwrap();
    let elements = parsed_by_python(&xml);
    let root = &elements[0][1];
    assert_eq!(
        (&root["tests"], &root["failures"]),
        (&"4".into(), &"2".into())
    );
    assert_eq!(root["errors"], "1");
    let mut outcomes = Vec::new();
    let mut case = String::new();
    for element in &elements {
        match element[0].as_str().unwrap() {
            "testcase" => {
                case = element[1]["name"].as_str().unwrap().to_owned();
                assert_eq!(element[1]["time"], "0.041");
            }
            tag @ ("failure" | "error") => {
                outcomes.push(format!(
                    "{case}: {tag} {}",
                    element[1]["type"].as_str().unwrap()
                ));
            }
            _ => {}
        }
    }
    assert_eq!(
        outcomes,
        [
            "red: failure RED",
            "unknown: error UNKNOWN",
            "yellow: failure YELLOW"
        ]
    );
    let overall = elements
        .iter()
        .find(|element| element[1]["name"] == "overall")
        .unwrap();
    assert_eq!(overall[1]["value"], "degraded");
}

fn hostile_names() -> Vec<String> {
    let mut names: Vec<String> = (0..0x20)
        .chain([0x7f, 0x80, 0x85, 0x9b])
        .filter_map(char::from_u32)
        .map(|control| format!("a{control}b"))
        .collect();
    names.extend(
        [
            "\u{1b}[2J\u{1b}[31mred\u{1b}]0;title\u{7}",
            "a\u{202e}txt.exe\u{2066}\u{200b}\u{feff}\u{2028}b",
            "\u{fffe}\u{ffff}\u{fdd0}",
            "</testcase></testsuite><testsuite name=\"x\">",
            "]]> & <!-- -- > &#0; &bogus;",
            "| a | b",
            "``` `x` ```",
            "@everyone #1 [a](javascript:b) <script>alert(1)</script>",
            "**b** __c__ \\| \\",
            "",
            " ",
        ]
        .map(str::to_owned),
    );
    names.push("x".repeat(10_000));
    names.push("|".repeat(10_000));
    names
}

/// A report in which every free text is the hostile one.
fn hostile_report(name: &str) -> Report {
    let mut report = sample();
    let mut hostile = target(name, "vps_servers", Status::Red);
    let text = || name.to_owned();
    hostile.summary = text();
    hostile.findings[0].subject = Some(text());
    hostile.findings[0].message = Some(text());
    hostile.failure = Some(ReportFailure {
        kind: FailureKind::Unexpected,
        message: text(),
        hint: Some(text()),
    });
    hostile.runbook = Some(text());
    let mut green = target(name, "api_endpoints", Status::Green);
    green.summary = text();
    report.round.id = text();
    report.counts.green = 1;
    report.changes[0].target = text();
    report.recommendations = vec![format!("{name}: {name}")];
    report.targets = vec![hostile, green];
    report
}

fn is_shown(character: char) -> bool {
    character == '\n'
        || !(character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'))
}

#[test]
fn hostile_names_change_nothing_but_their_own_place() {
    let calm = hostile_report("calm");
    let lines_of = |report: &Report, format| {
        let text = render(report, format, TextStyle::default()).unwrap();
        (text.lines().count(), text)
    };
    for name in hostile_names() {
        let report = hostile_report(&name);
        let json = render(&report, Format::Json, TextStyle::default()).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
        assert!(json.chars().all(is_shown), "JSON of {name:?}");
        for format in [Format::Text, Format::Markdown] {
            let (lines, text) = lines_of(&report, format);
            assert_eq!(
                lines,
                lines_of(&calm, format).0,
                "{format} of {name:?}:\n{text}"
            );
            let bad: Vec<char> = text.chars().filter(|one| !is_shown(*one)).collect();
            assert!(bad.is_empty(), "{format} of {name:?} has {bad:?}");
        }
        for width in [40, 80] {
            let style = TextStyle {
                color: false,
                width: Some(width),
                dots: true,
            };
            let text = render(&report, Format::Text, style).unwrap();
            let bad: Vec<char> = text.chars().filter(|one| !is_shown(*one)).collect();
            assert!(bad.is_empty(), "text of {name:?} has {bad:?}");
        }
    }
}

#[test]
fn no_name_can_add_a_cell_or_markup_to_markdown() {
    for name in hostile_names() {
        let markdown = render(
            &hostile_report(&name),
            Format::Markdown,
            TextStyle::default(),
        )
        .unwrap();
        for row in markdown.lines().filter(|line| line.starts_with('|')) {
            let unescaped = row.replace("\\\\", "").replace("\\|", "");
            assert_eq!(unescaped.matches('|').count(), 5, "{name:?}: {row}");
        }
        let own_markup = markdown.replace("<b>", "").replace("</b>", "");
        assert!(!own_markup.contains('<'), "{name:?}:\n{markdown}");
        assert!(!markdown.contains("@everyone"), "{markdown}");
    }
}

#[test]
fn no_name_can_break_the_xml() {
    let mut report = sample();
    report.targets = hostile_names()
        .iter()
        .flat_map(|name| hostile_report(name).targets)
        .collect();
    let xml = render(&report, Format::Junit, TextStyle::default()).unwrap();
    let elements = parsed_by_python(&xml);
    let count = |tag: &str| elements.iter().filter(|element| element[0] == tag).count();
    assert_eq!(count("testsuite"), 2);
    assert_eq!(count("testcase"), report.targets.len());
    assert_eq!(count("failure"), report.targets.len() / 2);
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

async fn write(directory: &Path, message: &Message) -> Result<Receipt, SendError> {
    let settings: reporters::Settings = Arc::new(Settings::new(directory));
    made("file", &settings).send(message).await
}

fn names_in(directory: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        let name = entry.expect("a listed file").file_name();
        name.into_string().expect("a name in UTF-8")
    };
    let files = std::fs::read_dir(directory).expect("a folder");
    let mut names: Vec<String> = files.map(name).collect();
    names.sort();
    names
}

#[tokio::test]
async fn two_reports_of_one_second_are_both_kept() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("not/there/yet");
    let sent = message("2026-11-21T09:00:00Z");
    let receipt = write(&directory, &sent).await.unwrap();
    assert!(
        receipt
            .external_id
            .unwrap()
            .ends_with("/monitoring_report_20261121_090000.json")
    );
    write(&directory, &sent).await.unwrap();
    assert_eq!(
        names_in(&directory),
        [
            "latest_report.json",
            "monitoring_report_20261121_090000.json",
            "monitoring_report_20261121_090000_2.json",
        ]
    );
    assert_eq!(
        read_latest(&directory).unwrap().as_ref(),
        Some(&*sent.report)
    );
}

#[tokio::test]
async fn many_writers_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().to_owned();
    let writers: Vec<_> = (0..20)
        .map(|_| {
            let directory = directory.clone();
            tokio::spawn(async move { write(&directory, &message("2026-11-21T09:00:00Z")).await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    let names = names_in(&directory);
    assert_eq!(names.len(), 21, "{names:?}");
    for name in names {
        let json = std::fs::read_to_string(directory.join(&name)).unwrap();
        assert!(serde_json::from_str::<Report>(&json).is_ok(), "{name}");
    }
}

#[tokio::test]
async fn only_own_reports_are_deleted_and_only_after_ninety_days() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path();
    for name in [
        "monitoring_report_20260823_085959.json",
        "monitoring_report_20260823_085959_2.json",
        ".monitoring_report_20260823_085959.json.partial",
        ".latest_report.json.monitoring_report_20260823_085959.json.partial",
        "monitoring_report_20260823_090000.json",
        "monitoring_report_20200101_000000.json.bak",
        "monitoring_report_2020.json",
        "notes.txt",
    ] {
        std::fs::write(directory.join(name), "{}").unwrap();
    }
    std::fs::create_dir(directory.join("monitoring_report_20200101_000000.json")).unwrap();
    write(directory, &message("2026-11-21T09:00:00Z"))
        .await
        .unwrap();
    assert_eq!(
        names_in(directory),
        [
            "latest_report.json",
            "monitoring_report_2020.json",
            "monitoring_report_20200101_000000.json",
            "monitoring_report_20200101_000000.json.bak",
            "monitoring_report_20260823_090000.json",
            "monitoring_report_20261121_090000.json",
            "notes.txt",
        ]
    );
}

#[tokio::test]
async fn a_folder_that_is_none_is_said_in_our_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reports");
    std::fs::write(&file, "").unwrap();
    for (directory, words) in [
        (file.clone(), "a file stands where a folder should be"),
        (file.join("below"), "a file stands where a folder should be"),
        ("/proc/reports".into(), "there is no such folder"),
    ] {
        let error = write(&directory, &message("2026-11-21T09:00:00Z"))
            .await
            .unwrap_err();
        let expected = format!(
            "could not make the folder `{}`: {words}",
            directory.display()
        );
        assert_eq!(error.message, expected);
        assert_eq!(error.retry, Retry::Never);
        assert!(error.hint.is_some());
    }
}

#[tokio::test]
async fn a_damaged_latest_report_is_a_warning_and_stays_until_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path();
    assert_eq!(read_latest(directory), Ok(None));
    assert_eq!(read_latest(&directory.join("missing")), Ok(None));
    let latest = directory.join("latest_report.json");
    for (damage, words) in [
        (&CONTRACT[..200], "it is damaged or not ours"),
        ("", "it is damaged or not ours"),
        ("[1, 2]", "it is damaged or not ours"),
        (
            &CONTRACT.replace("\"schema\": 1", "\"schema\": 2"),
            "its schema is 2, expected 1",
        ),
    ] {
        std::fs::write(&latest, damage).unwrap();
        let warning = read_latest(directory).unwrap_err();
        assert!(warning.contains(words), "{warning}");
        assert_eq!(std::fs::read_to_string(&latest).unwrap(), damage);
    }
    write(directory, &message("2026-11-21T09:00:00Z"))
        .await
        .unwrap();
    assert!(read_latest(directory).unwrap().is_some());
}

#[tokio::test]
async fn a_filtered_report_does_not_hide_the_last_complete_one() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path();
    let mut report = sample();
    report.complete = false;
    write(directory, &Message::digest(Arc::new(report.clone())))
        .await
        .unwrap();
    assert_eq!(
        read_latest(directory),
        Ok(Some(report.clone())),
        "there is no other"
    );
    write(directory, &message("2026-11-21T10:00:00Z"))
        .await
        .unwrap();
    report.round.started_at = at("2026-11-21T11:00:00Z");
    write(directory, &Message::digest(Arc::new(report)))
        .await
        .unwrap();
    let previous = read_latest(directory).unwrap().unwrap();
    assert_eq!(previous.round.started_at, at("2026-11-21T10:00:00Z"));
}

#[tokio::test]
async fn a_full_disk_is_worth_another_try_and_leaves_nothing_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=8k", "tmpfs"])
        .arg(folder.path())
        .output();
    if !mount.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: a full disk needs the right to mount");
        return;
    }
    let mut large = sample();
    large.issues_found = vec!["x".repeat(20_000)];
    let error = write(folder.path(), &Message::digest(Arc::new(large))).await;
    let left = names_in(folder.path());
    let unmounted = Command::new("umount").arg(folder.path()).status().unwrap();
    assert!(unmounted.success());
    let error = error.unwrap_err();
    assert!(error.message.ends_with(": disk full"), "{error}");
    assert_eq!(error.retry, Retry::Later { not_before: None });
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn the_terminal_prints_the_digest() {
    let paper = Paper::default();
    let kind = reporters::kind("terminal").unwrap();
    let settings: reporters::Settings = Arc::new(reporters::terminal::Settings::default());
    let reporter = kind.make(&settings, &means(&paper)).unwrap();
    reporter
        .send(&message("2026-11-21T09:00:00Z"))
        .await
        .unwrap();
    let printed = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    assert!(printed.starts_with("degraded: "), "{printed}");
}

#[tokio::test]
async fn every_channel_of_the_specification_is_a_known_word() {
    let keys: Vec<&str> = KINDS.iter().map(|kind| kind.spec.key).collect();
    assert_eq!(
        keys,
        [
            "telegram",
            "slack",
            "email",
            "discord",
            "webhook",
            "alertmanager",
            "github",
            "file",
            "terminal"
        ]
    );
    let yaml = "url: https://example.org/canary\nmany: [1, {a: b}]\n";
    let node = parse(&"reporters.yaml".into(), yaml, LIMITS, &mut Vec::new()).unwrap();
    for kind in KINDS.iter().filter(|kind| !kind.spec.built) {
        let settings = (kind.read)(&node).unwrap();
        let reporter = kind.make(&settings, &means(&Paper::default())).unwrap();
        let error = reporter
            .send(&message("2026-11-21T09:00:00Z"))
            .await
            .unwrap_err();
        assert_eq!(error.retry, Retry::Never);
        assert!(error.message.contains(kind.spec.key), "{error}");
    }
    for kind in KINDS.iter().filter(|kind| kind.spec.built) {
        assert!(
            (kind.read)(&node).is_err(),
            "`{}` takes anything",
            kind.spec.key
        );
        assert!(!kind.spec.sample.is_empty());
    }
}
