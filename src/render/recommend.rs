//! What to do, each piece of advice once, however many targets need it.

use std::collections::HashMap;

use crate::model::Status;

use super::compose::Seen;
use super::names::Names;
use super::words;

/// How many targets a piece of advice names before it only counts them.
const NAMED_TARGETS: usize = 3;
/// The command that confirms the host keys of servers: what several need is one command.
const CONFIRM: &str = "roundsman trust ";
/// More servers than this are not written into one command: without any it asks about all.
const CONFIRMED_AT_ONCE: usize = 12;

/// `name: what to do`, in the order of the targets given, which is worst first.
pub(super) fn recommendations(seen: &[&Seen<'_>], names: &Names<'_>) -> Vec<String> {
    let mut advice = Advice::default();
    for one in seen {
        if one.verdict.status == Status::Green {
            continue;
        }
        let id = &one.target.id;
        let name = names.of(id.kind, &id.name);
        for what_to_do in advice_for(one) {
            advice.add(&name, what_to_do);
        }
        if let Some(link) = &one.target.common.runbook {
            advice.add(&name, &format!("follow the runbook {link}"));
        }
    }
    advice.into_lines()
}

/// What to do about one target: what its failure says, then its findings, then what could not be measured.
pub(super) fn advice_for<'a>(seen: &'a Seen<'_>) -> impl Iterator<Item = &'a str> {
    let failure = seen.observation.outcome.as_ref().err();
    let findings = (seen.verdict.findings.iter())
        .filter(|finding| matches!(finding.status, Status::Yellow | Status::Red))
        .filter_map(|finding| seen.spec.metric(finding.metric)?.advice);
    let gaps = seen.observation.reading().gaps.iter();
    (failure
        .and_then(|failure| failure.hint.as_deref())
        .into_iter())
    .chain(findings)
    .chain(gaps.filter_map(|gap| gap.hint.as_deref()))
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
