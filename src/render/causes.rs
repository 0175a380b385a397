//! The likely causes in a few lines: what, what it explains, and what it may be else.

use crate::model::{Analysis, AnalysisCandidate, AnalysisGroup, IncidentTarget};

use super::blocks::{Block, Line, Span, line};
use super::incident::phrases::{names_up_to, short};
use super::words;

/// A second candidate is told of where it has so many percent of the first one's score.
const CLOSE_PERCENT: u32 = 75;

/// How many of those that a cause explains are named.
const NAMED: usize = 4;

/// How long a line may be, in characters.
const LONGEST_LINE: usize = 300;

/// `it explains orders (it runs on db-1), shop (it depends on orders)`
const NAMED_WITH_REASON: usize = 3;

/// The cause of a group in two or three lines; none where none is known.
pub(super) fn cause_in_full(group: &AnalysisGroup) -> Vec<Line> {
    let Some(cause) = group.cause() else {
        return Vec::new();
    };
    let mut lines = vec![strong(&cause.text)];
    let mut others = cause.explains.iter();
    let others: Vec<String> = (others.by_ref())
        .filter(|one| one.target != cause.target)
        .map(|one| format!("{} ({})", one.target, one.because))
        .collect();
    let named: Vec<&str> = others.iter().map(String::as_str).collect();
    let left_out = cause.explains_count.saturating_sub(named.len());
    let named = names_up_to(NAMED_WITH_REASON, &named, left_out);
    lines.push(line(short(&format!("it explains {named}"), LONGEST_LINE)));
    lines.extend(or_else(group).map(line));
    lines
}

/// Where what was seen of a target stands above, its failure is referred to, not repeated.
pub(super) fn refer_to(target: &IncidentTarget, cause: &mut Line) {
    let [Span::Strong(cause)] = cause.as_mut_slice() else {
        return;
    };
    let fails = format!("{} fails since ", target.name);
    let seen = (target.problems.iter()).chain(std::iter::once(&target.summary));
    for seen in seen.map(|seen| short(seen, LONGEST_LINE)) {
        let rest = cause.strip_suffix(&seen);
        let rest = rest.and_then(|rest| rest.strip_suffix(": "));
        if let Some(rest) = rest.filter(|rest| rest.starts_with(&fails)) {
            *cause = rest.to_owned();
            return;
        }
    }
}

/// The same in one line.
pub(super) fn cause_in_short(group: &AnalysisGroup) -> Option<String> {
    let cause = group.cause()?;
    Some(format!("{}; it explains {}", cause.text, explained(cause)))
}

/// `orders, shop and 3 more`
pub(super) fn explained(cause: &AnalysisCandidate) -> String {
    let others = cause.explains.iter();
    let others: Vec<&str> = others
        .map(|one| one.target.as_str())
        .filter(|name| *name != cause.target)
        .collect();
    let left_out = cause.explains_count.saturating_sub(others.len());
    names_up_to(NAMED, &others, left_out)
}

/// What it may be else, where that is close.
fn or_else(group: &AnalysisGroup) -> Option<String> {
    let [first, second, ..] = group.candidates.as_slice() else {
        return None;
    };
    let close = u32::from(first.score_percent) * CLOSE_PERCENT;
    let is_close = u32::from(second.score_percent) * 100 >= close;
    is_close.then(|| short(&format!("or else: {}", second.text), LONGEST_LINE))
}

fn strong(text: &str) -> Line {
    vec![Span::Strong(short(text, LONGEST_LINE))]
}

/// The likely causes of what a report tells of: a line for each, and that none is known of the rest.
pub(super) fn add_causes(blocks: &mut Vec<Block>, analysis: Option<&Analysis>, most: usize) {
    let Some(analysis) = analysis else {
        return;
    };
    let groups: Vec<&AnalysisGroup> = analysis.with_cause().map(|(group, _)| group).collect();
    let mut lines: Vec<Line> = Vec::new();
    for group in groups.iter().take(most) {
        let said = cause_in_short(group).unwrap_or_default();
        lines.push(line(short(&said, LONGEST_LINE)));
        lines.extend(or_else(group).map(|text| vec![Span::Faint(text)]));
    }
    let more = groups.len().saturating_sub(most) + analysis.groups_left_out;
    let apart = analysis.targets_apart;
    // One thing alone needs no word about what it has in common with others.
    if groups.is_empty() {
        let all = analysis.groups.len() + analysis.groups_left_out;
        if all > 1 {
            lines.push(line("no common cause is known"));
        }
    } else if apart > 0 {
        let have = if apart == 1 { "has" } else { "have" };
        let targets = words::counted(apart, "target");
        lines.push(line(format!(
            "{targets} {have} problems that nothing of this explains"
        )));
    }
    if more > 0 && !groups.is_empty() {
        lines.push(line(format!("… and {} more", words::count(more))));
    }
    if lines.is_empty() {
        return;
    }
    blocks.push(Block::Heading("Likely causes".to_owned()));
    blocks.push(Block::List(lines));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Evidence, Explained, Timestamp};
    use crate::render::TextStyle;
    use crate::render::text::text;

    fn at(clock: &str) -> Timestamp {
        format!("2026-11-21T{clock}:00Z").parse().expect("a time")
    }

    fn candidate(
        target: &str,
        text: &str,
        score_percent: u8,
        explains: &[&str],
    ) -> AnalysisCandidate {
        AnalysisCandidate {
            target: target.to_owned(),
            text: text.to_owned(),
            stands_for: None,
            metric: None,
            subject: None,
            class: "disk".to_owned(),
            seen_at: at("09:41"),
            score_percent,
            share_percent: 90,
            strength_percent: 100,
            explained_by: None,
            explains_count: explains.len(),
            explains: (explains.iter())
                .map(|name| Explained {
                    target: (*name).to_owned(),
                    text: format!("{name} fails"),
                    likely_percent: 80,
                    because: "it depends on db-1".to_owned(),
                })
                .collect(),
        }
    }

    fn group(candidates: Vec<AnalysisCandidate>) -> AnalysisGroup {
        AnalysisGroup {
            targets: vec!["db-1".to_owned(), "shop".to_owned()],
            targets_left_out: 0,
            has_common_cause: candidates
                .first()
                .is_some_and(|first| first.explains_count > 0),
            candidates,
            evidence: vec![Evidence {
                id: "E1".to_owned(),
                target: "db-1".to_owned(),
                text: "it is full".to_owned(),
            }],
        }
    }

    fn said(analysis: &Analysis) -> String {
        let mut blocks = Vec::new();
        add_causes(&mut blocks, Some(analysis), 3);
        let style = TextStyle {
            color: false,
            width: None,
            dots: false,
        };
        text(&blocks, style)
    }

    fn analysis(groups: Vec<AnalysisGroup>, targets_apart: usize) -> Analysis {
        Analysis {
            at: at("10:05"),
            groups,
            groups_left_out: 0,
            targets_apart,
            explanation: None,
            unexplained: None,
        }
    }

    #[test]
    fn what_stands_above_is_referred_to() {
        let said = |summary: &str, cause: &str| {
            let target: IncidentTarget = serde_json::from_value(serde_json::json!({
                "name": "db-api", "kind": "api_endpoints", "critical": true, "sort": "problem", "role": "root",
                "status": "RED", "worst": "RED", "since": at("09:40"), "status_since": at("09:40"),
                "resolved_at": null, "flapping": false, "flapped": false, "silenced": false, "looked_at": at("09:40"),
                "seen": "RED", "summary": summary, "labels": {}, "problems": [], "problems_left_out": 0,
                "explained_by": null, "was": null, "cause": null, "recommendations": [], "runbook": null,
            }))
            .expect("a target");
            let mut line = vec![Span::Strong(cause.to_owned())];
            refer_to(&target, &mut line);
            line.iter().map(Span::text).collect::<String>()
        };
        let fails = "db-api fails since 09:40: it answered 503";
        assert_eq!(said("it answered 503", fails), "db-api fails since 09:40");
        assert_eq!(said("no answer", fails), fails);
        let other = "auth fails since 09:40: it answered 503";
        assert_eq!(said("it answered 503", other), other);
    }

    #[test]
    fn a_cause_is_told_with_what_it_explains_and_what_else_comes_close() {
        let disk = "disk_free_percent of db-1:/ fell 31 → 2 between 09:40 and 10:05";
        let clear = group(vec![
            candidate("db-1", disk, 90, &["a", "b", "c", "d", "e", "f"]),
            candidate("shop", "shop fails since 09:54: 500", 20, &[]),
        ]);
        let close = group(vec![
            candidate("db-1", disk, 60, &["shop"]),
            candidate(
                "host-1",
                "cpu_percent of host-1 rose 12 → 99",
                50,
                &["shop"],
            ),
        ]);
        insta::assert_snapshot!(said(&analysis(vec![clear, close.clone()], 2)), @r"
        Likely causes
        - disk_free_percent of db-1:/ fell 31 → 2 between 09:40 and 10:05; it explains a, b, c, d and 2 more
        - disk_free_percent of db-1:/ fell 31 → 2 between 09:40 and 10:05; it explains shop
        - or else: cpu_percent of host-1 rose 12 → 99
        - 2 targets have problems that nothing of this explains
        ");
        let full: Vec<String> = (cause_in_full(&close).iter())
            .map(|line| line.iter().map(Span::text).collect())
            .collect();
        insta::assert_snapshot!(full.join("\n"), @r"
        disk_free_percent of db-1:/ fell 31 → 2 between 09:40 and 10:05
        it explains shop (it depends on db-1)
        or else: cpu_percent of host-1 rose 12 → 99
        ");
    }

    #[test]
    fn that_none_is_known_is_said_where_several_things_are_wrong() {
        let alone = || group(vec![candidate("db-1", "it is full", 100, &[])]);
        assert_eq!(said(&analysis(vec![alone()], 1)), "");
        insta::assert_snapshot!(said(&analysis(vec![alone(), alone()], 2)), @r"
        Likely causes
        - no common cause is known
        ");
    }
}
