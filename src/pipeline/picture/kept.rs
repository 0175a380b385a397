//! What outlasts a restart of what is out of the ordinary.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::{Picture, target_id};
use crate::analysis::correlate::Symptoms;
use crate::model::TargetId;

/// Of so many targets it is kept what is out of the ordinary: more are one fault, which is seen anew.
const MOST_KEPT: usize = 2_000;

/// What is out of the ordinary with so many targets is kept as soon as something begins: of more it would be too much work.
const FEW: usize = 200;

impl Picture {
    /// Whether something began that is not kept, and there is little to keep.
    pub(in crate::pipeline) fn is_worth_keeping_now(&self) -> bool {
        self.is_unkept && self.begun != self.begun_when_kept && self.symptoms.len() <= FEW
    }

    /// What is to be kept, where that changed since it was last asked.
    pub(in crate::pipeline) fn take_unkept(&mut self) -> Option<String> {
        if !std::mem::take(&mut self.is_unkept) {
            return None;
        }
        self.begun_when_kept = self.begun;
        let mut all: Vec<(&TargetId, &Symptoms)> = self.symptoms.iter().collect();
        all.sort_by_key(|(_, symptoms)| Reverse(symptoms.looked_at()));
        all.truncate(MOST_KEPT);
        let all: Vec<KeptFrom<'_>> = (all.into_iter())
            .map(|(id, symptoms)| KeptFrom {
                kind: id.kind,
                name: &id.name,
                symptoms,
            })
            .collect();
        serde_json::to_string(&all).ok()
    }

    pub(in crate::pipeline) fn keep_everything(&mut self) {
        self.is_unkept = true;
    }

    /// Takes up what was kept. What was seen since is newer, and stays.
    pub(in crate::pipeline) fn restore(
        &mut self,
        json: &str,
        is_watched: &dyn Fn(&TargetId) -> bool,
    ) {
        let kept: Vec<Kept> = serde_json::from_str(json).unwrap_or_else(|error| {
            tracing::warn!(
                event = "analysis.forgotten",
                "what was out of the ordinary before the start cannot be read, and is seen anew: {error}"
            );
            Vec::new()
        });
        for one in kept {
            let Some(id) = target_id(&one.kind, &one.name) else {
                continue;
            };
            if is_watched(&id) {
                self.symptoms.entry(id).or_insert(one.symptoms);
            }
        }
    }
}

/// One target's, as it is written.
#[derive(Serialize)]
struct KeptFrom<'a> {
    kind: &'a str,
    name: &'a str,
    symptoms: &'a Symptoms,
}

/// The same as it is read.
#[derive(Deserialize)]
struct Kept {
    kind: String,
    name: String,
    symptoms: Symptoms,
}
