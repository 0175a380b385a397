//! The whole corpus through every text that can reach a question: nothing of it leaves its place.

use roundsman::analysis::analyst::as_sent;
use roundsman::analysis::prompt::{Ill, Prompt, Subject, prompt};
use roundsman::analysis::untrusted::{CLOSE, OPEN};
use roundsman::model::{
    Analysis, AnalysisCandidate, AnalysisGroup, Evidence, Explained, ExplainedBy, Explanation,
    Status, Timestamp,
};
use roundsman::render::escape::plain;
use roundsman::secret::Redactor;

use super::corpus;

/// The longest question, the rules at its end included.
const LONGEST: usize = 10_700;

fn at(clock: &str) -> Timestamp {
    format!("2026-11-21T{clock}:00Z").parse().expect("a time")
}

fn candidate(text: &mut dyn FnMut() -> String) -> AnalysisCandidate {
    AnalysisCandidate {
        target: text(),
        text: text(),
        stands_for: Some(text()),
        metric: Some(text()),
        subject: Some(text()),
        class: text(),
        seen_at: at("09:41"),
        score_percent: 92,
        share_percent: 95,
        strength_percent: 100,
        explained_by: Some(ExplainedBy {
            text: text(),
            leaves_percent: 50,
        }),
        explains_count: 2,
        explains: (0..2)
            .map(|_| Explained {
                target: text(),
                text: text(),
                likely_percent: 80,
                because: text(),
            })
            .collect(),
    }
}

fn group(facts: usize, has_common_cause: bool, text: &mut dyn FnMut() -> String) -> AnalysisGroup {
    AnalysisGroup {
        targets: vec![text(), text()],
        targets_left_out: 0,
        has_common_cause,
        candidates: vec![candidate(text), candidate(text)],
        evidence: (0..facts)
            .map(|_| Evidence {
                id: text(),
                target: text(),
                text: text(),
            })
            .collect(),
    }
}

/// A question in which every text is one of these. The kind is apart: it stands outside of the marks.
pub(super) fn question(targets: usize, kind: &str, text: &mut dyn FnMut() -> String) -> Prompt {
    let analysis = Analysis {
        at: at("10:06"),
        groups: vec![group(2, true, text), group(3, false, text)],
        groups_left_out: 1,
        targets_apart: 2,
        explanation: None::<Explanation>,
        unexplained: Some(text()),
    };
    let ill: Vec<Ill> = (0..targets)
        .map(|_| Ill {
            name: text(),
            kind: kind.to_owned(),
            status: Status::Red,
            summary: text(),
        })
        .collect();
    prompt(&Subject {
        ill: &ill,
        since: at("09:41"),
        analysis: &analysis,
    })
}

/// What stands outside of the marks, and what between them. A mark that is open at the end of a line fails.
fn taken_apart(text: &str) -> (String, Vec<String>) {
    let (mut outside, mut inside) = (String::new(), Vec::new());
    for line in text.lines() {
        let mut rest = line;
        while let Some((before, behind)) = rest.split_once(OPEN) {
            assert!(!before.contains(CLOSE), "a mark closes nothing: {line}");
            let (within, after) = behind
                .split_once(CLOSE)
                .unwrap_or_else(|| panic!("a mark stays open: {line}"));
            assert!(!within.contains(OPEN), "a mark within a mark: {line}");
            outside.push_str(before);
            outside.push_str("⟦⟧");
            inside.push(within.to_owned());
            rest = after;
        }
        assert!(!rest.contains(CLOSE), "a mark closes nothing: {line}");
        outside.push_str(rest);
        outside.push('\n');
    }
    (outside, inside)
}

/// Whatever stands between marks is seen as it is and is no link.
fn assert_tame(inside: &[String], name: &str) {
    for text in inside {
        assert_eq!(plain(text), *text, "{name}");
        for gone in ["://", "@", "<", ">", "`", "{", "}", "]("] {
            assert!(!text.contains(gone), "{name}: {gone} in {text:?}");
        }
        assert!(text.chars().count() <= 200, "{name}: {text}");
    }
}

/// The numbers of facts, in the order in which they stand there.
fn numbers(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| line.starts_with('E'));
    let numbers =
        lines.filter_map(|line| line.split_once(" ⟦").map(|(number, _)| number.to_owned()));
    numbers.collect()
}

fn assert_whole(asked: &Prompt, name: &str) {
    assert!(asked.text.chars().count() <= LONGEST, "{name} is long");
    let sent = as_sent(asked, &Redactor::default());
    for text in [&asked.text, &sent] {
        let (outside, inside) = taken_apart(text);
        assert!(
            outside.is_ascii() || outside.replace(['⟦', '⟧'], "").is_ascii(),
            "{name}: {outside}"
        );
        assert!(!outside.contains("ZEBRA"), "{name}: {outside}");
        assert_tame(&inside, name);
        let ours: Vec<String> = asked.facts.keys().cloned().collect();
        assert_eq!(numbers(text), ours, "{name}");
    }
}

#[test]
fn one_text_in_every_place_changes_nothing_outside_of_its_place() {
    let plain = question(3, "databases", &mut || "shop".to_owned());
    let (skeleton, _) = taken_apart(&plain.text);
    for one in corpus() {
        let asked = question(3, "databases", &mut || one.text.clone());
        assert_whole(&asked, &one.name);
        let sent = as_sent(&asked, &Redactor::default());
        assert_eq!(taken_apart(&asked.text).0, skeleton, "{}", one.name);
        assert_eq!(taken_apart(&sent).0, skeleton, "{} as it is sent", one.name);
    }
}

#[test]
fn a_kind_is_a_key_whatever_it_is_called() {
    for one in corpus() {
        let asked = question(1, &one.text, &mut || "shop".to_owned());
        let line = asked
            .text
            .lines()
            .find(|line| line.starts_with("- "))
            .expect("a target");
        let kind = line
            .strip_prefix("- ⟦shop⟧ (")
            .and_then(|rest| rest.strip_suffix(") is RED: ⟦shop⟧"))
            .unwrap_or_else(|| panic!("{}: {line}", one.name));
        let is_of_key = |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '_';
        assert!(
            kind.chars().all(is_of_key) && kind.len() <= 60,
            "{}: {kind}",
            one.name
        );
    }
}

#[test]
fn all_of_them_together_and_in_any_order_stay_in_their_places() {
    let corpus = corpus();
    for first in 0..corpus.len() {
        for targets in [1, 12, 60] {
            let mut next = first;
            let asked = question(targets, "databases", &mut || {
                next += 1;
                corpus[next % corpus.len()].text.clone()
            });
            assert_whole(&asked, &format!("from {} on", corpus[first].name));
        }
    }
    // Two by two, so that one begins what the other ends.
    for (index, one) in corpus.iter().enumerate() {
        let other = &corpus[(index + 1) % corpus.len()];
        let mut is_first = false;
        let asked = question(4, "databases", &mut || {
            is_first = !is_first;
            if is_first { &one.text } else { &other.text }.clone()
        });
        assert_whole(&asked, &format!("{} and {}", one.name, other.name));
    }
}
