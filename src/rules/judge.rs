use super::limits::{Effective, Rules, Side};
use crate::model::{Finding, Limit, Measurement, Observation, Status, Verdict};

/// Says what an observation means: the worst of its failure, its crossed limits, and its gaps.
///
/// `before` is the verdict of the look before, and is asked for one thing only: a finding whose rule has a `clear`
/// limit stays until that is met. It stays YELLOW where there is a YELLOW side, since its RED limit is no longer
/// crossed; RED where there is no other.
#[must_use]
pub fn judge(rules: &Rules, before: Option<&Verdict>, seen: &Observation) -> Verdict {
    let reading = seen.reading();
    let mut findings: Vec<Finding> = reading
        .measurements
        .iter()
        .filter_map(|measurement| {
            let note = reading.note_on(measurement.metric, measurement.subject.as_deref());
            finding(rules, before, measurement, note)
        })
        .collect();
    findings.extend(reading.gaps.iter().map(|gap| Finding {
        metric: gap.metric,
        subject: gap.subject.clone(),
        value: None,
        unit: gap.unit,
        limit: None,
        origin: None,
        status: Status::Unknown,
        message: Some(gap.message.clone()),
    }));
    findings.extend(not_seen_again(rules, before, seen));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.status));
    let failed = seen
        .outcome
        .as_ref()
        .err()
        .map(crate::model::Failure::status);
    let status = findings
        .iter()
        .map(|finding| finding.status)
        .chain(failed)
        .max()
        .unwrap_or(Status::Green);
    Verdict { status, findings }
}

fn finding(
    rules: &Rules,
    before: Option<&Verdict>,
    seen: &Measurement,
    note: Option<&str>,
) -> Option<Finding> {
    let effective = rules.effective(seen.metric, seen.subject.as_deref());
    let crossed =
        |side: Option<Side<'_>>| side.is_some_and(|side| side.limit.is_crossed_by(&seen.value));
    let (status, side, message) = if crossed(effective.red) {
        (Status::Red, effective.red, note.map(str::to_owned))
    } else if crossed(effective.yellow) {
        (Status::Yellow, effective.yellow, note.map(str::to_owned))
    } else {
        let (status, side) = still_held(&effective, before, seen)?;
        let message = format!("stands until it is {}", side.limit);
        (status, Some(side), Some(message))
    };
    let side = side?;
    Some(Finding {
        metric: seen.metric,
        subject: seen.subject.clone(),
        value: Some(seen.value.clone()),
        unit: seen.unit,
        limit: Some(side.limit.clone()),
        origin: Some(side.origin.clone()),
        status,
        message,
    })
}

/// Whether a limit was crossed and nothing has cleared it since: seen then, or carried over looks that did not see it.
fn stands(finding: &Finding) -> bool {
    finding.status >= Status::Yellow || is_carried(finding)
}

/// A gap has no limit; what is carried keeps the one that clears it.
fn is_carried(finding: &Finding) -> bool {
    finding.value.is_none() && finding.limit.is_some()
}

/// Findings that wait for their `clear` limit and that this look could not measure: they are carried, so that a look that
/// fails in between does not clear them. What a good look does not show is gone, such as a mount that was taken away.
fn not_seen_again(rules: &Rules, before: Option<&Verdict>, seen: &Observation) -> Vec<Finding> {
    let stood = before.map_or(&[][..], |verdict| &verdict.findings);
    let reading = seen.reading();
    let is_lost = |finding: &Finding| {
        let same = |metric: &str, subject: &Option<String>| {
            metric == finding.metric && *subject == finding.subject
        };
        let measured = (reading.measurements.iter()).any(|seen| same(seen.metric, &seen.subject));
        let gap = (reading.gaps.iter()).any(|gap| same(gap.metric, &gap.subject));
        !measured && (gap || seen.outcome.is_err())
    };
    (stood
        .iter()
        .filter(|finding| stands(finding) && is_lost(finding)))
    .filter_map(|finding| {
        let clear = rules
            .effective(finding.metric, finding.subject.as_deref())
            .clear?;
        Some(Finding {
            metric: finding.metric,
            subject: finding.subject.clone(),
            value: None,
            unit: finding.unit,
            limit: Some(clear.limit.clone()),
            origin: Some(clear.origin.clone()),
            status: Status::Unknown,
            message: Some(format!(
                "stands until it is {}, and was not seen",
                clear.limit
            )),
        })
    })
    .collect()
}

/// The status and the `clear` side of a finding that was there before and is not clear yet.
fn still_held<'a>(
    effective: &Effective<'a>,
    before: Option<&Verdict>,
    seen: &Measurement,
) -> Option<(Status, Side<'a>)> {
    let clear = effective.clear?;
    let stood = before?.findings.iter().any(|finding| {
        finding.metric == seen.metric && finding.subject == seen.subject && stands(finding)
    });
    if !stood || Limit::is_crossed_by(clear.limit, &seen.value) {
        return None;
    }
    let status = match (effective.yellow, effective.red) {
        (None, Some(_)) => Status::Red,
        _ => Status::Yellow,
    };
    Some((status, clear))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::model::{
        Failure, FailureKind, Origin, Reading, Rule, TargetId, Threshold, Timestamp, Unit,
    };

    fn rules(yellow: Option<&str>, red: Option<&str>, clear: Option<&str>) -> Rules {
        let limit = |text: &str| text.parse::<Limit>().expect("a limit");
        let rule = Rule {
            metric: "cpu_percent".into(),
            subject: None,
            yellow: yellow.map(|text| Threshold::At(limit(text))),
            red: red.map(|text| Threshold::At(limit(text))),
            clear: clear.map(limit),
            origin: Origin::Default,
        };
        Rules::new(Arc::from([rule]), Vec::new())
    }

    fn look(outcome: Result<Reading, Failure>) -> Observation {
        Observation {
            target: TargetId {
                kind: "local_hosts",
                name: "here".into(),
            },
            at: Timestamp::UNIX_EPOCH,
            took: Duration::ZERO,
            outcome,
            trace: tracing::Span::none(),
        }
    }

    fn cpu(percent: f64) -> Observation {
        let mut reading = Reading::default();
        reading.number("cpu_percent", None, percent, Unit::Percent);
        look(Ok(reading))
    }

    #[test]
    fn a_limit_turns_when_it_is_crossed_and_not_before() {
        let usual = rules(Some("> 70"), Some("> 90"), None);
        for (percent, status) in [
            (70.0, Status::Green),
            (70.000_1, Status::Yellow),
            (90.0, Status::Yellow),
            (90.000_1, Status::Red),
        ] {
            assert_eq!(
                judge(&usual, None, &cpu(percent)).status,
                status,
                "{percent}"
            );
        }
    }

    #[test]
    fn clear_holds_a_finding_and_only_a_finding() {
        let both = rules(Some("> 70"), Some("> 90"), Some("< 65"));
        let calm = judge(&both, None, &cpu(68.0));
        assert_eq!(calm.status, Status::Green, "nothing stood before");
        let red = judge(&both, Some(&calm), &cpu(95.0));
        assert_eq!(red.status, Status::Red);
        let held = judge(&both, Some(&red), &cpu(68.0));
        assert_eq!(held.status, Status::Yellow);
        assert_eq!(
            held.findings[0].message.as_deref(),
            Some("stands until it is < 65")
        );
        assert_eq!(judge(&both, Some(&held), &cpu(65.0)).status, Status::Yellow);
        assert_eq!(judge(&both, Some(&held), &cpu(64.9)).status, Status::Green);

        let red_only = rules(None, Some("> 90"), Some("< 65"));
        let red = judge(&red_only, None, &cpu(95.0));
        assert_eq!(judge(&red_only, Some(&red), &cpu(80.0)).status, Status::Red);
    }

    #[test]
    fn clear_holds_over_looks_that_see_nothing() {
        let both = rules(Some("> 70"), Some("> 90"), Some("< 65"));
        let red = judge(&both, None, &cpu(95.0));
        let failed = look(Err(Failure::new(FailureKind::TimedOut, "no answer")));
        let blind = judge(&both, Some(&red), &failed);
        assert_eq!(blind.status, Status::Red);
        assert_eq!(blind.findings[0].status, Status::Unknown);
        let blind = judge(&both, Some(&blind), &failed);
        assert_eq!(
            judge(&both, Some(&blind), &cpu(68.0)).status,
            Status::Yellow
        );
        let clear = judge(&both, Some(&blind), &cpu(60.0));
        assert_eq!(clear.status, Status::Green);
        assert_eq!(judge(&both, Some(&clear), &cpu(68.0)).status, Status::Green);
    }

    #[test]
    fn blame_decides_and_what_was_seen_is_judged_too() {
        let none = Rules::default();
        for (kind, status) in [
            (FailureKind::Unreachable, Status::Red),
            (FailureKind::TimedOut, Status::Red),
            (FailureKind::Missing, Status::Red),
            (FailureKind::Unexpected, Status::Red),
            (FailureKind::Denied, Status::Unknown),
            (FailureKind::Throttled, Status::Unknown),
            (FailureKind::Ours, Status::Unknown),
        ] {
            let failed = look(Err(Failure::new(kind, "it failed")));
            assert_eq!(judge(&none, None, &failed).status, status, "{kind}");
        }
        let mut seen = Reading::default();
        seen.number("cpu_percent", None, 95.0, Unit::Percent);
        let failed = look(Err(Failure::ours("cut short").seen(seen)));
        let verdict = judge(&rules(None, Some("> 90"), None), None, &failed);
        assert_eq!(verdict.status, Status::Red);
        assert_eq!(verdict.findings.len(), 1);
    }

    #[test]
    fn a_note_goes_with_its_finding_and_with_no_other() {
        let usual = rules(Some("> 70"), Some("> 90"), None);
        for (percent, expected) in [(50.0, None), (80.0, Some("make")), (95.0, Some("make"))] {
            let mut reading = Reading::default();
            reading.number("cpu_percent", None, percent, Unit::Percent);
            reading.number("cpu_percent", Some("0"), percent, Unit::Percent);
            reading.note("cpu_percent", None, "make");
            let verdict = judge(&usual, None, &look(Ok(reading)));
            let notes: Vec<_> = (verdict.findings.iter())
                .map(|one| one.message.as_deref())
                .collect();
            assert_eq!(
                notes,
                expected.map_or(vec![], |note| vec![Some(note), None])
            );
        }
    }

    #[test]
    fn a_gap_is_unknown_and_never_covers_what_is_worse() {
        let mut reading = Reading::default();
        reading.gap(
            "ram_percent",
            None,
            Unit::Percent,
            "`/proc/meminfo` was empty",
        );
        let unknown = judge(&Rules::default(), None, &look(Ok(reading.clone())));
        assert_eq!(unknown.status, Status::Unknown);
        reading.number("cpu_percent", None, 80.0, Unit::Percent);
        let yellow = judge(&rules(Some("> 70"), None, None), None, &look(Ok(reading)));
        assert_eq!(yellow.status, Status::Yellow);
        assert_eq!(yellow.findings.len(), 2);
        assert_eq!(yellow.findings[0].status, Status::Yellow);
    }
}
