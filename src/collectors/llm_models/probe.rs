//! A question with one right answer, and whether a model gave it.

use strsim::damerau_levenshtein;

use super::Settings;
use crate::clients::words::shortened_to;
use crate::model::Timestamp;

/// A question, and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Probe {
    pub(super) question: String,
    pub(super) answer: String,
    is_own: bool,
}

impl Probe {
    /// How long our question is at most, in bytes.
    pub(super) const LONGEST_QUESTION: usize = 80;

    /// That of the settings, or a sum that is another each minute, so that no cache between answers for the model.
    pub(super) fn of(settings: &Settings, now: Timestamp) -> Self {
        if let (Some(question), Some(answer)) = (&settings.question, &settings.answer) {
            return Self {
                question: question.clone(),
                answer: answer.clone(),
                is_own: true,
            };
        }
        let minute = now.timestamp().div_euclid(60);
        let (one, other) = (10 + minute.rem_euclid(83), 10 + minute.rem_euclid(89));
        Self {
            question: format!("What is {one} + {other}? Answer with the number alone."),
            answer: (one + other).to_string(),
            is_own: false,
        }
    }

    /// Whether an answer is right: of a sum the last number counts, since some show how they came to it; of an own
    /// question the answer must be there, as words of its own.
    pub(super) fn is_right(&self, said: &str) -> bool {
        if self.is_own {
            let said = format!(" {} ", words(said));
            return said.contains(&format!(" {} ", words(&self.answer)));
        }
        let is_part = |c: char| c.is_ascii_digit() || c == '.';
        let mut numbers = said
            .split(|c: char| !is_part(c))
            .map(|number| number.trim_matches('.'));
        numbers
            .rfind(|number| !number.is_empty())
            .is_some_and(|number| number == self.answer)
    }
}

/// Small letters and digits, with single spaces for all else.
fn words(text: &str) -> String {
    let words = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// The beginning of an answer on one line.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 60;
    shortened_to(text, MOST)
}

/// Whether a list has a model; Ollama puts `:latest` behind a name without a tag.
pub(super) fn is_offered(model: &str, offered: &[String]) -> bool {
    let latest = format!("{model}:latest");
    offered.iter().any(|name| name == model || *name == latest)
}

/// What to do, with the names that are most like the one that is not there.
pub(super) fn nearest_names(model: &str, offered: &[String]) -> String {
    const NAMED: usize = 3;
    let wanted = model.to_lowercase();
    let mut names: Vec<(usize, &String)> = offered
        .iter()
        .map(|name| {
            let own = name.to_lowercase();
            let begins = own.starts_with(&wanted) || wanted.starts_with(&own);
            (
                if begins {
                    0
                } else {
                    damerau_levenshtein(&own, &wanted)
                },
                name,
            )
        })
        .collect();
    names.sort();
    let near: Vec<String> = (names.iter().take(NAMED))
        .map(|(_, name)| format!("`{name}`"))
        .collect();
    if near.is_empty() {
        return "it offers no model at all to this key".to_owned();
    }
    let models = if offered.len() == 1 {
        "model"
    } else {
        "models"
    };
    format!(
        "it offers {} {models}; the nearest names: {}",
        offered.len(),
        near.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(answer: &str, is_own: bool) -> Probe {
        Probe {
            question: String::new(),
            answer: answer.to_owned(),
            is_own,
        }
    }

    #[test]
    fn answers_are_compared_as_people_would() {
        for (answer, is_own, said, right) in [
            ("42", false, "42", true),
            ("42", false, " 42.\n", true),
            ("42", false, "17 + 25 = 42", true),
            ("42", false, "The answer is **42**.", true),
            ("42", false, "142", false),
            ("42", false, "42.5", false),
            ("42", false, "41", false),
            ("42", false, "", false),
            ("42", false, "42, not 41", false),
            ("Paris", true, "It is Paris!", true),
            ("Paris", true, "paris", true),
            ("Paris", true, "Parisian", false),
            ("New York", true, "new-york", true),
        ] {
            assert_eq!(probe(answer, is_own).is_right(said), right, "{said}");
        }
    }

    #[test]
    fn the_nearest_names_are_told() {
        let offered: Vec<String> = ["gpt-4o", "gpt-4o-mini", "o3", "dall-e-3"]
            .map(str::to_owned)
            .to_vec();
        assert_eq!(
            nearest_names("gpt-4o-minni", &offered),
            "it offers 4 models; the nearest names: `gpt-4o`, `gpt-4o-mini`, `dall-e-3`"
        );
        assert!(is_offered("llama3.2", &["llama3.2:latest".to_owned()]));
    }
}
