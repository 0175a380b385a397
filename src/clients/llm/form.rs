//! The form that an answer is to have: a JSON object of a schema, by what each wire format has for it.

use serde_json::{Value, json};

use super::{FirstToken, Parsed, Wire};

/// What providers put around a schema: some turn a forced tool into hundreds of tokens of their own words
/// (<https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/overview>).
const OVERHEAD_TOKENS: u64 = 1_024;

/// What a tool is said to do whose input is the answer.
pub(super) const TOOL: &str = "Takes your answer.";

/// The form of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Its name: letters, digits, `_` and `-`, at most 64.
    pub name: &'static str,
    /// Its JSON Schema. All members of its objects must be required, and no others allowed.
    pub schema: Value,
}

impl Form {
    /// The most tokens that it adds to a question.
    pub(super) fn longest(&self) -> u64 {
        let bytes = self.name.len() + self.schema.to_string().len();
        u64::try_from(bytes)
            .unwrap_or(u64::MAX)
            .saturating_add(OVERHEAD_TOKENS)
    }

    /// As `OpenAI` wants it.
    pub(super) fn as_response_format(&self) -> Value {
        json!({
            "type": "json_schema",
            "json_schema": {"name": self.name, "schema": self.schema, "strict": true},
        })
    }
}

/// Whether a server that speaks something else than `OpenAI`'s format refuses the form, by the words that it says.
pub(super) fn is_refused(wire: Wire, status: u16, words: &str) -> bool {
    let words = words.to_lowercase();
    let about = |list: &[&str]| list.iter().any(|word| words.contains(word));
    match (wire, status) {
        (Wire::Anthropic, 400 | 422) => about(&["tool"]),
        // It says with 500 that it cannot make a grammar of a schema.
        (Wire::Ollama, 400 | 422 | 500) => about(&["format", "grammar", "schema"]),
        _ => false,
    }
}

impl Parsed {
    /// A tool is called in the block of that number: what it is given is the answer, and what was said before is none.
    /// Only the first counts.
    pub(super) fn begin_tool(&mut self, block: u64) {
        if self.tool.is_none() {
            self.tool = Some(block);
            self.text.clear();
        }
    }

    /// A part of a text came.
    pub(super) fn add_text(&mut self, part: &str, first: FirstToken) {
        if self.tool.is_none() {
            self.add(part, first);
        }
    }

    /// A part of what a tool is given came.
    pub(super) fn add_input(&mut self, block: u64, part: &str, first: FirstToken) {
        self.begin_tool(block);
        if self.tool == Some(block) {
            self.add(part, first);
        }
    }

    fn add(&mut self, part: &str, first: FirstToken) {
        if self.text.is_empty() && !part.is_empty() {
            self.first_token = first;
        }
        self.text.push_str(part);
    }
}
