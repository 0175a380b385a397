use serde::{Deserialize, Serialize};

use super::report::to_seconds;
use super::{Explanation, Timestamp};

/// What the analysis says of the problems of a report or of an incident. Like [`super::Report`] it is a contract: fields are
/// only ever added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Analysis {
    /// When it was made.
    #[serde(serialize_with = "to_seconds")]
    pub at: Timestamp,
    /// What belongs together, the heaviest first. Never more than ten.
    pub groups: Vec<AnalysisGroup>,
    /// How many more there are.
    pub groups_left_out: usize,
    /// How many targets have a problem that has to do with no other, as far as is known.
    pub targets_apart: usize,
    /// What a language model made of it; `null`: it was not asked, or not yet, or said nothing that counts.
    #[serde(default)]
    pub explanation: Option<Explanation>,
    /// Why there is no explanation although a model was to be asked.
    #[serde(default)]
    pub unexplained: Option<String>,
}

impl Analysis {
    /// Nothing is to be said of causes.
    #[must_use]
    pub fn nothing(at: Timestamp) -> Self {
        Self {
            at,
            groups: Vec::new(),
            groups_left_out: 0,
            targets_apart: 0,
            explanation: None,
            unexplained: None,
        }
    }

    /// Whether another says the same but for values and times.
    #[must_use]
    pub fn has_same_causes(&self, other: &Self) -> bool {
        let causes = |one: &Self| -> Vec<_> {
            let groups = one.groups.iter().map(|group| {
                let first = group.candidates.first();
                let first = first.map(|one| {
                    (
                        one.target.clone(),
                        one.metric.clone(),
                        one.subject.clone(),
                        one.explains_count,
                    )
                });
                (first, group.has_common_cause, group.targets.clone())
            });
            groups.collect()
        };
        causes(self) == causes(other)
    }

    /// The groups of which a common cause is known.
    pub fn with_cause(&self) -> impl Iterator<Item = (&AnalysisGroup, &AnalysisCandidate)> {
        let causes = self.groups.iter();
        causes.filter_map(|group| Some((group, group.cause()?)))
    }
}

/// Targets whose problems may have to do with each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnalysisGroup {
    /// Their names as people see them. Never more than twenty.
    pub targets: Vec<String>,
    /// How many more there are.
    pub targets_left_out: usize,
    /// Whether the first candidate explains so much of it that it is the common cause. Otherwise none is known.
    pub has_common_cause: bool,
    /// What may have caused it, most likely first. Never more than five.
    pub candidates: Vec<AnalysisCandidate>,
    /// What that rests on, in the order of their numbers. Never more than twelve.
    pub evidence: Vec<Evidence>,
}

impl AnalysisGroup {
    /// The common cause.
    #[must_use]
    pub fn cause(&self) -> Option<&AnalysisCandidate> {
        self.candidates.first().filter(|_| self.has_common_cause)
    }
}

/// What may have caused a group's problems, and how that was found: the score is the share × (½ + ½ the
/// strength) × what `explained_by` leaves of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnalysisCandidate {
    /// Whose: its name as people see it.
    pub target: String,
    /// Which: `disk_free_percent of db-1:/var/lib fell 31 → 2 between 09:40 and 10:05`.
    pub text: String,
    /// What it stands for, where nobody watches that itself: what all that it explains shares with it, such as `region
    /// eu-central-1`; `null`: it is the cause itself.
    pub stands_for: Option<String>,
    /// The metric; `null`: a look failed.
    pub metric: Option<String>,
    /// What of the target it is about.
    pub subject: Option<String>,
    /// The sort of trouble, such as `disk` or `gone`.
    pub class: String,
    /// The first look at which it was not well.
    #[serde(serialize_with = "to_seconds")]
    pub seen_at: Timestamp,
    /// How much speaks for it.
    pub score_percent: u8,
    /// How much of the group's problems it explains, itself included.
    pub share_percent: u8,
    /// How far out of the ordinary it is in itself.
    pub strength_percent: u8,
    /// What explains it in turn, and by how much that lowers its score; `null`: nothing does.
    pub explained_by: Option<ExplainedBy>,
    /// Of how many other targets it explains a problem.
    pub explains_count: usize,
    /// What it explains, by target. Never more than twelve.
    pub explains: Vec<Explained>,
}

/// A candidate that explains another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedBy {
    /// Its text.
    pub text: String,
    /// What is left of the other's score.
    pub leaves_percent: u8,
}

/// A problem that a candidate explains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// Whose: its name as people see it.
    pub target: String,
    /// Which.
    pub text: String,
    /// How well.
    pub likely_percent: u8,
    /// What the two have to do with each other, in a few words.
    pub because: String,
}

/// A fact that an analysis rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// `E1` and on.
    pub id: String,
    /// Whose: its name as people see it.
    pub target: String,
    /// In one line: `disk_free_percent of db-1:/var/lib fell 31 → 2 between 09:40 and 10:05`.
    pub text: String,
}
