//! What a language model is asked about an incident, as the program would ask it.

use std::collections::BTreeMap;

use roundsman::analysis::correlate::{Sign, Suspect, Symptom, account, facts, has_problem};
use roundsman::analysis::prompt::{Ill, Prompt, Subject, prompt};
use roundsman::analysis::untrusted::harmless;
use roundsman::model::{Analysis, Status, Timestamp};

use super::super::replay::Seen;
use super::super::score::sign;

/// A question, or why nobody is asked.
pub(in super::super) enum Question {
    /// By the rules nothing is wrong.
    NothingIsWrong,
    /// Nothing is out of the ordinary: what is said without a fact is thrown away.
    NoFacts,
    Asked(Asked),
}

impl Question {
    pub(in super::super) fn asked(self) -> Option<Asked> {
        match self {
            Self::Asked(asked) => Some(asked),
            Self::NothingIsWrong | Self::NoFacts => None,
        }
    }
}

/// A question.
pub(in super::super) struct Asked {
    pub(in super::super) prompt: Prompt,
    /// The facts by their numbers, as the files name them: `db-1 disk_free_percent /var/lib`.
    pub(in super::super) signs: BTreeMap<String, String>,
}

/// What is asked about an incident.
pub(in super::super) fn asked(seen: &Seen) -> Question {
    let mut ill: Vec<(Timestamp, Ill)> = seen.suspects.iter().filter_map(ill).collect();
    let Some(since) = ill.iter().map(|(since, _)| *since).min() else {
        return Question::NothingIsWrong;
    };
    ill.sort_by_key(|(_, one)| std::cmp::Reverse(one.status));
    let ill: Vec<Ill> = ill.into_iter().map(|(_, one)| one).collect();
    let of_problems = || (seen.groups.iter()).filter(|group| has_problem(&seen.suspects, group));
    let analysis = Analysis {
        at: seen.now,
        groups: of_problems()
            .map(|group| account(&seen.suspects, group, seen.now))
            .collect(),
        groups_left_out: 0,
        targets_apart: of_problems()
            .filter(|group| group.suspects.len() == 1)
            .count(),
        explanation: None,
        unexplained: None,
    };
    let prompt = prompt(&Subject {
        ill: &ill,
        since,
        analysis: &analysis,
    });
    if prompt.facts.is_empty() {
        return Question::NoFacts;
    }
    let known: Vec<(String, String)> = (of_problems())
        .flat_map(|group| facts(&seen.suspects, group, seen.now))
        .map(|fact| {
            (
                harmless(&fact.text, usize::MAX),
                sign(&seen.suspects[fact.suspect], fact.symptom),
            )
        })
        .collect();
    let sign_of = |shown: &str| {
        // A long one is cut.
        let shown = shown.trim_end_matches('…');
        let mut known = known.iter().filter(|(text, _)| text.starts_with(shown));
        known.next().map(|(_, sign)| sign.clone())
    };
    let signs = (prompt.facts.iter())
        .filter_map(|(id, shown)| Some((id.clone(), sign_of(shown)?)))
        .collect();
    Question::Asked(Asked { prompt, signs })
}

/// How a target is by its rules, and since when; `None`: it is well.
fn ill(suspect: &Suspect) -> Option<(Timestamp, Ill)> {
    let open = (suspect.symptoms.iter())
        .filter(|symptom| symptom.is_open() && symptom.status > Status::Green);
    let worst = open.clone().max_by_key(|symptom| symptom.status)?;
    let since = open.map(|symptom| symptom.seen_at).min()?;
    let ill = Ill {
        name: suspect.name.clone(),
        kind: suspect.kind.clone(),
        status: worst.status,
        summary: summary(worst),
    };
    Some((since, ill))
}

fn summary(symptom: &Symptom) -> String {
    match &symptom.sign {
        Sign::Failure => symptom.now.to_string(),
        Sign::Metric {
            name,
            subject: Some(subject),
        } => format!("{name} of {subject} is {}", symptom.now),
        Sign::Metric {
            name,
            subject: None,
        } => format!("{name} is {}", symptom.now),
    }
}
