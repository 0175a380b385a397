//! What to do, each piece of advice once, however many targets need it.

use std::collections::HashMap;

use crate::model::Status;

use super::compose::Seen;
use super::names::Names;
use super::words;

/// How many targets a piece of advice names before it only counts them.
const NAMED_TARGETS: usize = 3;

/// `name: what to do`, in the order of the targets given, which is worst first.
pub(super) fn recommendations(seen: &[&Seen<'_>], names: &Names<'_>) -> Vec<String> {
    let mut advice = Advice::default();
    for one in seen {
        if one.verdict.status == Status::Green {
            continue;
        }
        let id = &one.target.id;
        let name = names.of(id.kind, &id.name);
        if let Err(failure) = &one.observation.outcome
            && let Some(hint) = &failure.hint
        {
            advice.add(&name, hint);
        }
        for finding in &one.verdict.findings {
            if let (Status::Yellow | Status::Red, Some(metric)) =
                (finding.status, one.spec.metric(finding.metric))
                && let Some(what_to_do) = metric.advice
            {
                advice.add(&name, what_to_do);
            }
        }
        for gap in &one.observation.reading().gaps {
            if let Some(hint) = &gap.hint {
                advice.add(&name, hint);
            }
        }
        if let Some(link) = &one.target.common.runbook {
            advice.add(&name, &format!("follow the runbook {link}"));
        }
    }
    advice.into_lines()
}

#[derive(Default)]
struct Advice {
    /// What to do, and who needs it, in order of appearance.
    pieces: Vec<(String, Vec<String>)>,
    known: HashMap<String, usize>,
}

impl Advice {
    fn add(&mut self, name: &str, what_to_do: &str) {
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

    fn into_lines(self) -> Vec<String> {
        let line = |(what_to_do, names): (String, Vec<String>)| {
            let named = names[..names.len().min(NAMED_TARGETS)].join(", ");
            match names.len().saturating_sub(NAMED_TARGETS) {
                0 => format!("{named}: {what_to_do}"),
                more => format!("{named} and {} more: {what_to_do}", words::count(more)),
            }
        };
        self.pieces.into_iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
