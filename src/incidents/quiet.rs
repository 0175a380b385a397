use chrono::TimeDelta;

use super::{Facts, Silence, Window};
use crate::model::Timestamp;

/// When something ends; `None`: not by itself.
pub type Until = Option<Timestamp>;

/// Keeps people from being told of some targets for a while: a silence, or a maintenance window.
pub trait Quiet: Send + Sync {
    /// What it is called, for the summary at its end.
    fn name(&self) -> String;
    /// Whether it covers the target at that time, and until when.
    fn covers(&self, target: &Facts, now: Timestamp) -> Option<Until>;
}

impl Quiet for Silence {
    fn name(&self) -> String {
        let author = self
            .author
            .as_deref()
            .map(|author| format!("the silence of {author}"));
        let name = author.unwrap_or_else(|| "a silence".to_owned());
        match &self.comment {
            Some(comment) => format!("{name} ({comment})"),
            None => name,
        }
    }

    fn covers(&self, target: &Facts, now: Timestamp) -> Option<Until> {
        let covered = self.is_active(now)
            && (self.matcher).matches_named(&target.kind, &target.own_name, &target.labels);
        covered.then_some(self.until)
    }
}

impl Quiet for Window {
    fn name(&self) -> String {
        format!("the window {}", self.name)
    }

    fn covers(&self, target: &Facts, now: Timestamp) -> Option<Until> {
        if !(self.matcher).matches_named(&target.kind, &target.own_name, &target.labels) {
            return None;
        }
        let open = self.open_at(now)?;
        // One that seems to be open for ever is asked again.
        Some(Some(open.until.min(now + TimeDelta::days(1))))
    }
}
