use super::Timestamp;

/// A time in which our own network was down: what did not answer then says nothing about the targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// When the first of the looks began that got no answer.
    pub since: Timestamp,
    /// When it was over; `None`: it goes on.
    pub until: Option<Timestamp>,
    /// What shows that it is our network, not the targets: each in a few words. No secret.
    pub proofs: Vec<String>,
}

impl Outage {
    /// All proofs in one line.
    #[must_use]
    pub fn proof(&self) -> String {
        self.proofs.join("; ")
    }
}
