//! The report as `JUnit` XML: a suite for each kind, a case for each target. Whatever is not GREEN does not pass, so
//! that a build server agrees with the exit code.

use std::collections::BTreeMap;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};

use crate::model::{Explanation, Report, ReportTarget, Status};

use super::escape::plain;
use super::explanation::{WORDS_HEADING, words_of_the_last_report};
use super::issues::problems;
use super::{Format, RenderError};

/// XML that every parser takes, whatever the names in it.
///
/// # Errors
/// The serializer refused a value, which would be a bug of ours.
pub fn junit(report: &Report) -> Result<String, RenderError> {
    let mut suites: BTreeMap<&str, Vec<&ReportTarget>> = BTreeMap::new();
    for target in &report.targets {
        suites.entry(&target.kind).or_default().push(target);
    }
    let mut junit = quick_junit::Report::new("roundsman");
    junit.set_timestamp(report.round.started_at);
    junit.set_time(Duration::from_millis(report.round.duration_ms));
    let analysis = report.analysis.as_ref();
    let explanation = analysis.and_then(|analysis| analysis.explanation.as_ref());
    let mut words = explanation.map(words);
    for (kind, mut targets) in suites {
        // By name, not worst first: a build server compares runs.
        targets.sort_by(|one, other| one.name.cmp(&other.name));
        let mut suite = TestSuite::new(plain(kind));
        for (name, value) in [
            ("overall", report.overall.to_string()),
            ("status", report.status.to_string()),
            ("round", plain(&report.round.id).into_owned()),
        ] {
            suite.add_property(Property::new(name, value));
        }
        suite.set_timestamp(report.round.started_at);
        suite.set_time(Duration::from_millis(
            targets
                .iter()
                .map(|target| target.took_ms)
                .fold(0, u64::saturating_add),
        ));
        suite.add_test_cases(targets.into_iter().map(case));
        // A report has no place for them that is its own.
        if let Some(words) = words.take() {
            suite.set_system_out(words);
        }
        junit.add_test_suite(suite);
    }
    junit
        .to_string()
        .map_err(|error| RenderError::new(Format::Junit, &error))
}

/// What a language model said of the round, below who speaks.
fn words(explanation: &Explanation) -> String {
    let lines = words_of_the_last_report(explanation);
    let lines: Vec<_> = lines.iter().map(|line| plain(line)).collect();
    format!("{WORDS_HEADING}\n{}", lines.join("\n"))
}

fn case(target: &ReportTarget) -> TestCase {
    let mut case = TestCase::new(plain(&target.name), status(target));
    case.set_classname(plain(&target.kind));
    case.set_timestamp(target.looked_at);
    case.set_time(Duration::from_millis(target.took_ms));
    case
}

fn status(target: &ReportTarget) -> TestCaseStatus {
    let kind = match target.status {
        Status::Green => return TestCaseStatus::success(),
        Status::Yellow | Status::Red => NonSuccessKind::Failure,
        Status::Unknown => NonSuccessKind::Error,
    };
    let mut lines: Vec<String> = problems(target)
        .into_iter()
        .map(|(status, text)| format!("[{status}] {}", plain(&text)))
        .collect();
    if let Some(hint) = (target.failure.as_ref()).and_then(|failure| failure.hint.as_ref()) {
        lines.push(format!("hint: {}", plain(hint)));
    }
    if let Some(link) = &target.runbook {
        lines.push(format!("runbook: {}", plain(link)));
    }
    let mut status = TestCaseStatus::non_success(kind);
    status
        .set_type(target.status.word())
        .set_message(plain(&target.summary))
        .set_description(lines.join("\n"));
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples::mixed;

    #[test]
    fn what_is_not_green_does_not_pass() {
        insta::assert_snapshot!(junit(&mixed()).expect("XML"), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="roundsman" tests="4" skipped="0" failures="2" errors="1" timestamp="2026-11-21T09:00:00.000+00:00" time="0.812">
            <testsuite name="api_endpoints" tests="1" skipped="0" errors="1" failures="0" timestamp="2026-11-21T09:00:00.000+00:00" time="0.041">
                <properties>
                    <property name="overall" value="unhealthy"/>
                    <property name="status" value="RED"/>
                    <property name="round" value="r2"/>
                </properties>
                <testcase name="web" classname="api_endpoints" timestamp="2026-11-21T09:00:01.000+00:00" time="0.041">
                    <error message="cpu_percent could not be measured: permission denied" type="UNKNOWN">[UNKNOWN] cpu_percent could not be measured: permission denied</error>
                </testcase>
            </testsuite>
            <testsuite name="vps_servers" tests="3" skipped="0" errors="0" failures="2" timestamp="2026-11-21T09:00:00.000+00:00" time="0.123">
                <properties>
                    <property name="overall" value="unhealthy"/>
                    <property name="status" value="RED"/>
                    <property name="round" value="r2"/>
                </properties>
                <testcase name="cache" classname="vps_servers" timestamp="2026-11-21T09:00:01.000+00:00" time="0.041"/>
                <testcase name="db" classname="vps_servers" timestamp="2026-11-21T09:00:01.000+00:00" time="0.041">
                    <failure message="could not connect to 192.0.2.7:22: connection refused" type="RED">[RED] could not connect to 192.0.2.7:22: connection refused
        hint: start sshd</failure>
                </testcase>
                <testcase name="web" classname="vps_servers" timestamp="2026-11-21T09:00:01.000+00:00" time="0.041">
                    <failure message="disk_free_percent of / is 17.2 &lt; 20 (+1 more)" type="YELLOW">[YELLOW] disk_free_percent of / is 17.2 &lt; 20
        [UNKNOWN] cpu_percent could not be measured: permission denied
        runbook: https://wiki.example/disk</failure>
                </testcase>
            </testsuite>
        </testsuites>
        "#);
    }
}
