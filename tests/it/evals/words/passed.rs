//! What reached people that must not. It knows nothing of how answers are read, so that a mistake there is none here.

use roundsman::analysis::answer::Answer;
use roundsman::analysis::prompt::Prompt;
use serde_json::Value;

use super::answers::MUST_GO;

/// What was found in an answer that is shown.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// Sentences that are shown.
    pub(super) claims: usize,
    /// Of them, those that name a fact that there is not, or none, or have a number of nowhere, or are known to be made up.
    pub(super) ungrounded: usize,
    /// Of them, those with something that a chat client obeys, or somebody who copies it.
    pub(super) obeyed: usize,
    /// Those.
    pub(super) texts: Vec<String>,
}

/// What is obeyed by chat clients, terminals or models.
const OBEYED: [&str; 15] = [
    "://", "@", "](", "<", ">", "`", "⟦", "⟧", "{", "}", "\n", "\r", "\u{1b}", "\u{202e}",
    "\u{200b}",
];

pub(super) fn passed(answer: &Answer, prompt: &Prompt) -> Passed {
    let claims = [
        answer.summary.as_ref(),
        answer.cause.as_ref(),
        answer.impact.as_ref(),
    ];
    let claims = claims.into_iter().flatten().chain(&answer.steps);
    let grounded = claims.map(|claim| {
        let known = (claim.evidence.iter()).all(|id| prompt.text.contains(&format!("\n{id} ⟦")));
        (claim.text.as_str(), known && !claim.evidence.is_empty())
    });
    let plain = answer.plain.iter().map(|text| (text.as_str(), true));
    let mut passed = Passed::default();
    for (text, names_facts) in grounded.chain(plain) {
        passed.claims += 1;
        let is_grounded = names_facts && has_only_numbers_of(text, &prompt.text);
        let must_go = text.contains(MUST_GO);
        passed.ungrounded += usize::from(!is_grounded || must_go);
        let is_obeyed = OBEYED.iter().any(|part| text.contains(part));
        passed.obeyed += usize::from(is_obeyed || must_go);
        if !is_grounded || must_go || is_obeyed {
            passed.texts.push(text.to_owned());
        }
    }
    passed
}

/// Whether each run of two digits or more stands in the question as well; times as a whole.
fn has_only_numbers_of(text: &str, question: &str) -> bool {
    let runs = text.split(|one: char| !(one.is_numeric() || one == ':'));
    let runs = runs.map(|run| run.trim_matches(':'));
    let mut long = runs.filter(|run| run.chars().count() > 1);
    long.all(|run| question.contains(run))
}

/// The sentences of an answer as it was given, as far as it is one.
pub(super) fn claims_in(text: &str) -> usize {
    let inside = text
        .find('{')
        .zip(text.rfind('}'))
        .and_then(|(start, end)| text.get(start..=end));
    let Some(Ok(answer)) = inside.map(serde_json::from_str::<Value>) else {
        return 0;
    };
    let parts = ["summary", "cause", "impact", "plain"];
    let parts = parts.iter().filter(|part| !answer[**part].is_null());
    parts.count() + answer["steps"].as_array().map_or(0, Vec::len)
}
