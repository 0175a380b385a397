//! What Python's parser, a Markdown reader and a terminal make of a report, hostile text included.

use std::io::Write as _;
use std::process::{Command, Stdio};

use roundsman::model::{FailureKind, Report, ReportFailure, Status};
use roundsman::render::{Format, TextStyle, render};

use super::{sample, target};

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
        by_choice: false,
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
