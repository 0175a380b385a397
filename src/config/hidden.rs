use std::borrow::Cow;

use crate::document::{Node, is_name};
use crate::problem::Problem;
use crate::redaction;
use crate::secret::Redactor;

/// Words in the name of a variable that holds a secret.
const SECRET_WORDS: [&str; 8] = [
    "TOKEN",
    "KEY",
    "SECRET",
    "PASS",
    "CREDENTIAL",
    "AUTH",
    "WEBHOOK",
    "COOKIE",
];

/// How the name of a variable ends that holds a place, not the secret that lies there: people need it in messages.
const PLACES: [&str; 4] = ["_PATH", "_FILE", "_DIR", "_SOCK"];

/// The values of variables and files that a configuration uses. The types that read values keep them out of their
/// messages already; this is the net below.
#[derive(Default)]
pub(super) struct Hidden {
    /// All of them: taken out of every problem, whoever wrote it.
    values: Redactor,
    /// Those that are secrets by where they come from: taken out of everything that is ever said.
    pub(super) secrets: Redactor,
}

impl Hidden {
    /// Adds the value of a variable.
    pub(super) fn add_variable(&mut self, name: &str, value: &str) {
        self.values.add(value);
        let name = name.to_ascii_uppercase();
        let is_place = PLACES.iter().any(|end| name.ends_with(end));
        if !is_place && SECRET_WORDS.iter().any(|word| name.contains(word)) {
            self.secrets.add(value);
        }
    }

    /// Adds the content of a file: who keeps a value apart has a reason.
    pub(super) fn add_file(&mut self, content: &str) {
        self.values.add(content);
        self.secrets.add(content);
    }

    /// Adds what is written under the keys of secrets in a document, words aside: they are found in many sentences.
    pub(super) fn add_written(&mut self, node: &Node) {
        if let Some(text) = node.text()
            && node.private
            && !is_name(text)
        {
            self.values.add(text);
        }
        let entries = node.entries().iter().map(|entry| &entry.value);
        for inner in node.items().iter().chain(entries) {
            self.add_written(inner);
        }
    }

    /// Takes the values out of what is said, and whatever else looks like a secret. Places stay: they hold no values.
    pub(super) fn scrub(&self, looks: &redaction::Redactor, problems: &mut [Problem]) {
        for problem in problems {
            self.values.redact(&mut problem.message);
            if let Cow::Owned(redacted) = looks.redact(&problem.message) {
                problem.message = redacted;
            }
            if let Some(hint) = &mut problem.hint {
                self.values.redact(hint);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Hidden;

    #[test]
    fn what_lies_somewhere_is_secret_and_not_the_place() {
        for (name, secret) in [
            ("POSTGRES_PASSWORD", true),
            ("OPENAI_API_KEY", true),
            ("SLACK_WEBHOOK_URL", true),
            ("VPS_SSH_KEY_PATH", false),
            ("SSH_AUTH_SOCK", false),
            ("POSTGRES_USER", false),
        ] {
            let mut hidden = Hidden::default();
            hidden.add_variable(name, "canary-value");
            let mut text = "canary-value".to_owned();
            hidden.secrets.redact(&mut text);
            assert_eq!(text == "[hidden]", secret, "{name}");
        }
    }
}
