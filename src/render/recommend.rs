//! What to do, each piece of advice once, however many targets need it.

use std::collections::{HashMap, HashSet};

use crate::model::{Analysis, AnalysisCandidate, KindSpec, Status};

use super::causes::explained;
use super::compose::Seen;
use super::names::Names;
use super::words;

/// How many targets a piece of advice names before it only counts them.
const NAMED_TARGETS: usize = 3;
/// A command with a longer name in it is no help.
const LONGEST_SUBJECT: usize = 80;
/// The command that confirms the host keys of servers: what several need is one command.
const CONFIRM: &str = "roundsman trust ";
/// More servers than this are not written into one command: without any it asks about all.
const CONFIRMED_AT_ONCE: usize = 12;

/// `name: what to do`: first about the causes, with what each explains; then in the order of the targets given, which is worst
/// first.
pub(super) fn recommendations(
    seen: &[&Seen<'_>],
    names: &Names<'_>,
    analysis: Option<&Analysis>,
) -> Vec<String> {
    let mut told: HashSet<(String, String)> = HashSet::new();
    let mut lines = Vec::new();
    for (_, cause) in analysis.iter().flat_map(|analysis| analysis.with_cause()) {
        let explained = explained(cause);
        if let Some(shared) = &cause.stands_for {
            lines.push(format!(
                "{} and {explained}: look at what they have in common first ({shared})",
                cause.target
            ));
            continue;
        }
        let whose = seen.iter().find(|one| {
            let id = &one.target.id;
            names.of(id.kind, &id.name) == cause.target
        });
        let what_to_do = whose.and_then(|one| advice_on(one, cause));
        // Our own trouble with several is one piece of advice for all of them, below.
        let is_ours = |one: &&Seen<'_>| one.verdict.status == Status::Unknown;
        let all_need_it = what_to_do.as_ref().is_some_and(|what_to_do| {
            server_to_confirm(what_to_do).is_some()
                || whose.is_some_and(is_ours)
                    && (seen.iter().filter(|one| is_ours(one))).any(|one| {
                        names.of(one.target.id.kind, &one.target.id.name) != cause.target
                            && advice_for(one).contains(what_to_do)
                    })
        });
        if all_need_it {
            continue;
        }
        lines.push(match &what_to_do {
            Some(what_to_do) => format!(
                "{}: {what_to_do} (first of all: it explains {explained})",
                cause.target
            ),
            None => format!("{}: look here first: it explains {explained}", cause.target),
        });
        told.extend(what_to_do.map(|what_to_do| (cause.target.clone(), what_to_do)));
    }
    let mut advice = Advice::default();
    for one in seen {
        if one.verdict.status == Status::Green {
            continue;
        }
        let id = &one.target.id;
        let name = names.of(id.kind, &id.name);
        for what_to_do in advice_for(one) {
            if !told.contains(&(name.clone(), what_to_do.clone())) {
                advice.add(&name, &what_to_do);
            }
        }
        if let Some(link) = &one.target.common.runbook {
            advice.add(&name, &format!("follow the runbook {link}"));
        }
    }
    lines.extend(advice.into_lines());
    lines
}

/// What to do about one target: what its failure says, then its findings, then what could not be measured.
pub(super) fn advice_for(seen: &Seen<'_>) -> Vec<String> {
    let failure = seen.observation.outcome.as_ref().err();
    let hint = failure.and_then(|failure| failure.hint.clone());
    let findings = (seen.verdict.findings.iter())
        .filter(|finding| matches!(finding.status, Status::Yellow | Status::Red));
    let mut subjects: HashMap<&str, Option<&str>> = HashMap::new();
    for finding in findings.clone() {
        let subject = finding.subject.as_deref();
        // Several of a sort are one piece of advice, with the word that stands for each.
        subjects
            .entry(finding.metric)
            .and_modify(|known| *known = known.filter(|known| Some(*known) == subject))
            .or_insert(subject);
    }
    let findings = findings.filter_map(|finding| {
        let advice = seen.spec.metric(finding.metric)?.advice?;
        let subject = subjects.get(finding.metric).copied().flatten();
        Some(about(advice, seen.spec, finding.metric, subject))
    });
    let gaps = seen.observation.reading().gaps.iter();
    (hint.into_iter())
        .chain(findings)
        .chain(gaps.filter_map(|gap| gap.hint.clone()))
        .collect()
}

/// What to do about a cause, be its target well or not.
fn advice_on(seen: &Seen<'_>, cause: &AnalysisCandidate) -> Option<String> {
    let Some(metric) = &cause.metric else {
        let failure = seen.observation.outcome.as_ref().err();
        return failure.and_then(|failure| failure.hint.clone());
    };
    let advice = seen.spec.metric(metric)?.advice?;
    Some(about(advice, seen.spec, metric, cause.subject.as_deref()))
}

/// Advice with the subject in place of the word that stands for it, such as `MOUNT`: people copy it into a shell, which must
/// not obey a name.
fn about(advice: &str, spec: &KindSpec, metric: &str, subject: Option<&str>) -> String {
    let word = spec.metric(metric).and_then(|metric| metric.subject);
    match (word, subject) {
        (Some(word), Some(subject)) if is_harmless(subject) => {
            advice.replace(&word.to_uppercase(), subject)
        }
        _ => advice.to_owned(),
    }
}

/// Whether a shell takes it as one plain word.
fn is_harmless(subject: &str) -> bool {
    let is_plain = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | '/' | ':' | '@')
    };
    !subject.is_empty()
        && subject.len() <= LONGEST_SUBJECT
        && !subject.starts_with('-')
        && subject.chars().all(is_plain)
}

#[derive(Default)]
pub(super) struct Advice {
    /// What to do, and who needs it, in order of appearance.
    pieces: Vec<(String, Vec<String>)>,
    known: HashMap<String, usize>,
    /// The servers whose host keys are to be confirmed.
    to_confirm: Vec<String>,
}

impl Advice {
    /// One piece for one target. All for one target comes in a row.
    pub(super) fn add(&mut self, name: &str, what_to_do: &str) {
        let what_to_do = match server_to_confirm(what_to_do) {
            Some(server) => {
                if !self.to_confirm.iter().any(|known| known == server) {
                    self.to_confirm.push(server.to_owned());
                }
                CONFIRM
            }
            None => what_to_do,
        };
        let next = self.pieces.len();
        let index = *self.known.entry(what_to_do.to_owned()).or_insert(next);
        if index == next {
            self.pieces.push((what_to_do.to_owned(), Vec::new()));
        }
        let (_, names) = &mut self.pieces[index];
        // All advice for one target is added in a row.
        if names.last().is_none_or(|last| last != name) {
            names.push(name.to_owned());
        }
    }

    /// `name, name and 7 more: what to do`
    pub(super) fn into_lines(self) -> Vec<String> {
        let confirm = match self.to_confirm.len() {
            ..=CONFIRMED_AT_ONCE => format!("{CONFIRM}{}", self.to_confirm.join(" ")),
            _ => CONFIRM.trim_end().to_owned(),
        };
        let line = |(what_to_do, names): (String, Vec<String>)| {
            let what_to_do = if what_to_do == CONFIRM {
                &confirm
            } else {
                &what_to_do
            };
            let named = names[..names.len().min(NAMED_TARGETS)].join(", ");
            match names.len().saturating_sub(NAMED_TARGETS) {
                0 => format!("{named}: {what_to_do}"),
                more => format!("{named} and {} more: {what_to_do}", words::count(more)),
            }
        };
        self.pieces.into_iter().map(line).collect()
    }
}

/// The server that a hint such as `roundsman trust web-1` is about.
fn server_to_confirm(what_to_do: &str) -> Option<&str> {
    let server = what_to_do.strip_prefix(CONFIRM)?;
    let is_server = !server.is_empty() && !server.starts_with('-') && !server.contains(' ');
    is_server.then_some(server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_keys_are_confirmed_by_one_command() {
        let mut advice = Advice::default();
        advice.add("web-1", "roundsman trust web-1.example.com");
        advice.add("db", "stop it");
        advice.add("web-2", "roundsman trust [::1]:2222");
        advice.add("docker-2", "roundsman trust [::1]:2222");
        advice.add("web-3", "roundsman trust --replace web-3");
        assert_eq!(
            advice.into_lines(),
            [
                "web-1, web-2, docker-2: roundsman trust web-1.example.com [::1]:2222",
                "db: stop it",
                "web-3: roundsman trust --replace web-3",
            ]
        );
        let mut advice = Advice::default();
        for number in 1..=100 {
            advice.add(
                &format!("web-{number}"),
                &format!("roundsman trust 10.0.0.{number}"),
            );
        }
        assert_eq!(
            advice.into_lines(),
            ["web-1, web-2, web-3 and 97 more: roundsman trust"]
        );
    }

    #[test]
    fn advice_for_many_is_given_once() {
        let mut advice = Advice::default();
        for number in 1..=500 {
            advice.add(&format!("web-{number}"), "start it");
            advice.add(&format!("web-{number}"), "start it");
        }
        advice.add("db", "stop it");
        assert_eq!(
            advice.into_lines(),
            ["web-1, web-2, web-3 and 497 more: start it", "db: stop it"]
        );
    }
}
