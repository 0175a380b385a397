use serde::{Deserialize, Serialize};

use super::Timestamp;
use super::report::to_seconds;

/// What a language model added to an analysis. Nothing of it changes a status, a recipient or a silence. Like
/// [`super::Analysis`] it is a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// When it was asked.
    #[serde(serialize_with = "to_seconds")]
    pub at: Timestamp,
    /// Whether the picture has changed since: it says nothing of what is known now.
    #[serde(default)]
    pub outdated: bool,
    /// Whether it was said of the same picture before: this time nobody was asked, and nothing paid.
    #[serde(default)]
    pub reused: bool,
    /// Who runs the model.
    pub provider: String,
    /// The model, as it called itself, or as it was asked for.
    pub model: String,
    /// What is to be said of who was asked, such as that a model was retired; `null`: nothing.
    pub note: Option<String>,
    /// What happened, in a sentence or two; `null`: it did not say, or nothing that the facts carry.
    pub summary: Option<Claim>,
    /// The likely cause; `null`: it did not say, or nothing that the facts carry.
    pub cause: Option<Claim>,
    /// How sure it says that it is.
    pub confidence: Confidence,
    /// What that means for those who use what is watched.
    pub impact: Option<Claim>,
    /// What to do, in order.
    pub steps: Vec<Claim>,
    /// The same for somebody who is no engineer.
    pub plain: Option<String>,
    /// The facts that it rests on, as they were when it was asked.
    #[serde(default)]
    pub facts: Vec<CitedFact>,
    /// How many of its claims were dropped: they named no fact that there is, said what no fact says, or would harm.
    pub claims_dropped: usize,
    /// How good it is, counted by code: cited, specific, actionable, complete.
    pub score_percent: u8,
    /// What it cost: `$0.0042`.
    pub cost: String,
    /// What was spent by then: `today $0.31 of $3.00`; `null`: it is not known.
    pub budget: Option<String>,
    /// How long it took.
    pub took_ms: u64,
}

/// Something that a model says, with the facts that it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// What.
    pub text: String,
    /// `E01` and on: see [`Explanation::facts`].
    pub evidence: Vec<String>,
}

/// A fact by its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CitedFact {
    /// `E01` and on.
    pub id: String,
    /// In one line: `disk_free_percent of db-1:/var/lib fell 31 → 2 between 09:40 and 10:05`.
    pub text: String,
}

/// How sure a model says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Little speaks for it.
    Low,
    /// Something does.
    Medium,
    /// Much does.
    High,
}
