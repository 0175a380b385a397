//! What was found before: who is new, who is gone.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;

use super::Settings;
use super::instances::Instance;
use crate::model::Timestamp;

/// An instance that was found stays for so long after it left the states that are looked for: one that is stopped by
/// accident must be seen, and one that was stopped for good must not be in every report for ever.
const STAYS_FOR: TimeDelta = TimeDelta::days(1);

/// Those that went within so long count as gone at once: long enough for several looks to agree on it.
const GONE_FOR: TimeDelta = TimeDelta::hours(1);

/// How long a name may be that is made of a tag.
const LONGEST_NAME: usize = 100;

/// What every target found that finds others, for as long as the process runs.
#[derive(Default)]
pub(super) struct Discoveries(Mutex<HashMap<Arc<str>, Discovery>>);

#[derive(Default)]
struct Discovery {
    /// By region, then by ID.
    present: BTreeMap<String, BTreeMap<String, Seen>>,
    gone: Vec<(Timestamp, String)>,
}

struct Seen {
    /// Kept although its tag may change: its history hangs on it.
    name: String,
    wanted_at: Timestamp,
}

/// What went away lately.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Gone {
    /// The names of those that went.
    pub(super) names: Vec<String>,
}

impl Discoveries {
    /// Compares what there is in a region with what was found there before.
    pub(super) fn see<'a>(
        &self,
        finder: &Arc<str>,
        region: &str,
        settings: &Settings,
        instances: impl Iterator<Item = &'a Instance>,
        now: Timestamp,
    ) {
        let Some(discover) = &settings.discover else {
            return;
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let discovery = all.entry(Arc::clone(finder)).or_default();
        let present = discovery.present.entry(region.to_owned()).or_default();
        let mut before = std::mem::take(present);
        for instance in instances {
            let known = before.remove(&instance.id);
            let is_meant = discover.means(&instance.tags);
            let is_wanted = is_meant && discover.wants(&instance.state);
            let is_ending = matches!(instance.state.as_str(), "shutting-down" | "terminated");
            let seen = match known {
                Some(seen) if is_wanted => Seen {
                    wanted_at: now,
                    ..seen
                },
                Some(seen) if is_ending => {
                    discovery.gone.push((now, seen.name));
                    continue;
                }
                // Whoever changes what is looked for, or a tag, does not want to see it any more.
                Some(seen) if is_meant && now - seen.wanted_at < STAYS_FOR => seen,
                None if is_wanted => Seen {
                    name: name(instance),
                    wanted_at: now,
                },
                Some(_) | None => continue,
            };
            present.insert(instance.id.clone(), seen);
        }
        discovery
            .gone
            .extend(before.into_values().map(|seen| (now, seen.name)));
        discovery.gone.retain(|(at, _)| now - *at < GONE_FOR);
    }

    /// What is there in a region by ID, with its name.
    pub(super) fn present(&self, finder: &Arc<str>, region: &str) -> Vec<(String, String)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let present = all
            .get(finder)
            .and_then(|discovery| discovery.present.get(region));
        let present = present.into_iter().flatten();
        present
            .map(|(id, seen)| (id.clone(), seen.name.clone()))
            .collect()
    }

    /// Who went within the last hour.
    pub(super) fn gone(&self, finder: &Arc<str>, now: Timestamp) -> Gone {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = all
            .get(finder)
            .into_iter()
            .flat_map(|discovery| &discovery.gone);
        let names = gone
            .filter(|(at, _)| now - *at < GONE_FOR)
            .map(|(_, name)| name.clone());
        Gone {
            names: names.collect(),
        }
    }
}

/// `web-1:i-0123456789abcdef0`: what people call it, and what makes it unique.
fn name(instance: &Instance) -> String {
    let Some(name) = instance.name() else {
        return instance.id.clone();
    };
    let clean: String = name
        .chars()
        .map(|c| if c.is_control() || c == '/' { ' ' } else { c })
        .take(LONGEST_NAME)
        .collect();
    format!("{clean}:{}", instance.id)
}
