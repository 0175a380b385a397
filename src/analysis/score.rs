//! How good a model's answer is, counted by code. A model is not asked: what it says of itself is one more claim.

use super::answer::Answer;
use super::prompt::Prompt;

/// From 0 to 100: a quarter each for cited, specific, actionable and complete.
#[must_use]
pub fn score(answer: &Answer, prompt: &Prompt) -> u8 {
    let parts = [
        cited(answer, prompt),
        specific(answer, prompt),
        actionable(answer),
        complete(answer),
    ];
    let sum: f64 = parts.iter().sum();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 100"
    )]
    let percent = (sum / 4.0 * 100.0).round() as u8;
    percent
}

/// The share of its claims that stayed, and whether more than one fact was used where there are more.
fn cited(answer: &Answer, prompt: &Prompt) -> f64 {
    let kept = usize::from(answer.summary.is_some())
        + usize::from(answer.cause.is_some())
        + usize::from(answer.impact.is_some())
        + answer.steps.len();
    let mut used: Vec<&String> = answer.claims().flat_map(|claim| &claim.evidence).collect();
    used.sort();
    used.dedup();
    let enough = prompt.facts.len().min(3);
    let breadth = share(used.len().min(enough), enough);
    share(kept, kept + answer.claims_dropped) * (0.5 + 0.5 * breadth)
}

/// Whether it speaks of this incident: a target by name, and a number or time of its facts.
fn specific(answer: &Answer, prompt: &Prompt) -> f64 {
    let text: Vec<&str> = answer.claims().map(|claim| claim.text.as_str()).collect();
    let text = text.join(" ");
    let names = prompt.names.iter().any(|name| text.contains(name.as_str()));
    let mut facts = prompt.facts.values();
    let has_number = text.split_whitespace().any(|word| {
        let word = word.trim_matches(|one: char| !one.is_ascii_alphanumeric());
        let is_number = word.len() > 1 && word.starts_with(|one: char| one.is_ascii_digit());
        is_number && facts.any(|fact| fact.contains(word))
    });
    f64::from(u8::from(names)) * 0.5 + f64::from(u8::from(has_number)) * 0.5
}

/// Whether there is something to do: steps that are more than a word, the more up to three.
fn actionable(answer: &Answer) -> f64 {
    let real = answer
        .steps
        .iter()
        .filter(|step| step.text.split_whitespace().count() >= 3);
    share(real.count().min(3), 3)
}

/// Whether all parts are there.
fn complete(answer: &Answer) -> f64 {
    let parts = [
        answer.summary.is_some(),
        answer.cause.is_some(),
        answer.impact.is_some(),
        !answer.steps.is_empty(),
        answer.plain.is_some(),
    ];
    share(parts.iter().filter(|part| **part).count(), parts.len())
}

fn share(part: usize, whole: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    if whole == 0 {
        1.0
    } else {
        number(part) / number(whole)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{Claim, Confidence};

    fn claim(text: &str, evidence: &[&str]) -> Claim {
        Claim {
            text: text.to_owned(),
            evidence: evidence.iter().map(|id| (*id).to_owned()).collect(),
        }
    }

    #[test]
    fn a_good_answer_has_all_and_an_empty_phrase_little() {
        let fact = |text: &str| text.to_owned();
        let prompt = Prompt {
            system: "",
            text: String::new(),
            facts: BTreeMap::from([
                (fact("E01"), fact("disk_free_percent of db-1 fell 31 → 2.5")),
                (fact("E02"), fact("orders fails since 09:53")),
            ]),
            names: vec![fact("db-1")],
            picture: String::new(),
        };
        let good = Answer {
            summary: Some(claim("The disk of db-1 is full: 2.5 % are left.", &["E01"])),
            cause: Some(claim("It filled since 09:40.", &["E01"])),
            confidence: Confidence::High,
            impact: Some(claim("orders fails", &["E02"])),
            steps: vec![
                claim("see what fills it", &["E01"]),
                claim("free some room there", &["E01"]),
                claim("look at orders again", &["E02"]),
            ],
            plain: Some("A disk is full.".to_owned()),
            claims_dropped: 0,
        };
        assert_eq!(score(&good, &prompt), 100);
        let empty = Answer {
            summary: Some(claim("Something is wrong.", &["E01"])),
            cause: None,
            impact: None,
            steps: Vec::new(),
            plain: None,
            claims_dropped: 3,
            ..good
        };
        assert!(score(&empty, &prompt) < 15, "{}", score(&empty, &prompt));
    }
}
