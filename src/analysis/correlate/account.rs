//! From groups and candidates to what people and programs read of them.

use std::collections::BTreeMap;
use std::fmt;

use super::class::Relation;
use super::evidence::{facts, text};
use super::picture::Suspect;
use super::rank::{Candidate, Effect, Group};
use super::symptoms::{Sign, Symptom};
use crate::model::{
    AnalysisCandidate, AnalysisGroup, Evidence, Explained, ExplainedBy, Status, THIS_MACHINE,
    Timestamp,
};

/// See [`AnalysisGroup::targets`], [`AnalysisCandidate::explains`].
const MOST_TARGETS: usize = 20;
const MOST_EXPLAINED: usize = 12;

/// What those behind the first candidate explain is told less of.
const MOST_EXPLAINED_BY_OTHERS: usize = 4;

/// Whether any target of a group is not well now by its rules. Otherwise it is only out of the ordinary.
#[must_use]
pub fn has_problem(suspects: &[Suspect], group: &Group) -> bool {
    let mut members = group
        .suspects
        .iter()
        .filter_map(|place| suspects.get(*place));
    members.any(|one| {
        let mut symptoms = one.symptoms.iter();
        symptoms.any(|symptom| symptom.is_open() && symptom.status > Status::Green)
    })
}

/// What there is to be said of a group.
#[must_use]
pub fn account(suspects: &[Suspect], group: &Group, now: Timestamp) -> AnalysisGroup {
    let named = group
        .suspects
        .iter()
        .filter_map(|place| suspects.get(*place));
    let candidates = group.candidates.iter();
    AnalysisGroup {
        targets: named
            .take(MOST_TARGETS)
            .map(|one| one.name.clone())
            .collect(),
        targets_left_out: group.suspects.len().saturating_sub(MOST_TARGETS),
        has_common_cause: group.cause().is_some(),
        candidates: (candidates.enumerate())
            .filter_map(|(index, one)| candidate(suspects, one, index == 0, now))
            .collect(),
        evidence: (facts(suspects, group, now).into_iter())
            .filter_map(|fact| {
                Some(Evidence {
                    id: fact.id,
                    target: suspects.get(fact.suspect)?.name.clone(),
                    text: fact.text,
                })
            })
            .collect(),
    }
}

fn find(suspects: &[Suspect], suspect: usize, symptom: usize) -> Option<(&Suspect, &Symptom)> {
    let suspect = suspects.get(suspect)?;
    Some((suspect, suspect.symptoms.get(symptom)?))
}

fn candidate(
    suspects: &[Suspect],
    candidate: &Candidate,
    is_first: bool,
    now: Timestamp,
) -> Option<AnalysisCandidate> {
    let (suspect, symptom) = find(suspects, candidate.suspect, candidate.symptom)?;
    let (metric, subject) = match &symptom.sign {
        Sign::Failure => (None, None),
        Sign::Metric { name, subject } => (Some(name.clone()), subject.clone()),
    };
    let explained_by = candidate.explained_by.and_then(|by| {
        let (suspect, symptom) = find(suspects, by.suspect, by.symptom)?;
        Some(ExplainedBy {
            text: text(suspect, symptom, now),
            leaves_percent: percent(by.factor),
        })
    });
    let others = |effect: &&Effect| effect.suspect != candidate.suspect;
    let explains = candidate.explains.iter().filter_map(|effect| {
        let (other, its) = find(suspects, effect.suspect, effect.symptom)?;
        Some(Explained {
            target: other.name.clone(),
            text: text(other, its, now),
            likely_percent: percent(effect.likely),
            because: because(suspect, other, effect.relation),
        })
    });
    let stands_for = stands_for(suspects, candidate);
    let most = if is_first {
        MOST_EXPLAINED
    } else {
        MOST_EXPLAINED_BY_OTHERS
    };
    Some(AnalysisCandidate {
        target: suspect.name.clone(),
        text: match &stands_for {
            Some(shared) => format!(
                "{shared}; the first sign of it: {}",
                text(suspect, symptom, now)
            ),
            None => text(suspect, symptom, now),
        },
        stands_for,
        metric,
        subject,
        class: symptom.class.word().to_owned(),
        seen_at: symptom.seen_at,
        score_percent: percent(candidate.score),
        share_percent: percent(candidate.share),
        strength_percent: percent(candidate.strength),
        explained_by,
        explains_count: candidate.explains.iter().filter(others).count(),
        explains: explains.take(most).collect(),
    })
}

/// What it is that a cause stands for, where nobody watches that itself: what most of those that it explains share with it. Some
/// of them may hang on it besides.
fn stands_for(suspects: &[Suspect], candidate: &Candidate) -> Option<String> {
    let cause = suspects.get(candidate.suspect)?;
    let is_home_well = (cause.home.as_deref()).is_some_and(|home| is_well(suspects, home));
    let (mut others, mut sharing) = (0_usize, 0_usize);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for effect in &candidate.explains {
        if effect.suspect == candidate.suspect {
            continue;
        }
        others += 1;
        let what = match effect.relation {
            Relation::Shares => match shared_by(cause, suspects.get(effect.suspect)?) {
                Shared::Host(_) if is_home_well => continue,
                shared => shared.to_string(),
            },
            Relation::Line => LINE.to_owned(),
            _ => continue,
        };
        sharing += 1;
        *counts.entry(what).or_default() += 1;
    }
    let is_most = |count: usize| count > 0 && count * 3 >= others * 2;
    let (shared, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    if is_most(count) {
        return Some(shared);
    }
    is_most(sharing).then(|| "something that they share".to_owned())
}

/// Between us and those that became hard to reach together.
const LINE: &str = "the line from here to them";

/// Whether a machine is watched and nothing is wrong with it.
fn is_well(suspects: &[Suspect], home: &str) -> bool {
    let mut machines = suspects.iter().filter(|one| one.is_machine);
    machines.any(|one| one.symptoms.is_empty() && one.home.as_deref() == Some(home))
}

/// What two have in common.
enum Shared<'a> {
    Group(&'a str),
    Host(&'a str),
    Something,
}

impl fmt::Display for Shared<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(group) => f.write_str(group),
            Self::Host(THIS_MACHINE) => f.write_str(THIS_MACHINE),
            Self::Host(home) => write!(f, "host {home}"),
            Self::Something => f.write_str("something that they share"),
        }
    }
}

fn shared_by<'a>(one: &'a Suspect, other: &Suspect) -> Shared<'a> {
    let mut groups = one.groups.iter();
    if let Some(group) = groups.find(|group| other.groups.contains(group)) {
        return Shared::Group(group);
    }
    match &one.home {
        Some(home) if one.home == other.home => Shared::Host(home),
        _ => Shared::Something,
    }
}

/// What the effect has to do with the cause.
fn because(cause: &Suspect, effect: &Suspect, relation: Relation) -> String {
    match relation {
        Relation::Same => "it is the same target".to_owned(),
        Relation::OnIt => format!("it runs on {}", cause.name),
        Relation::UnderIt => format!("{} runs on it", cause.name),
        Relation::Beside => format!("it runs beside {}", cause.name),
        Relation::Needs(1) => format!("it depends on {}", cause.name),
        Relation::Needs(steps) => format!("it depends on {} over {steps} steps", cause.name),
        Relation::Named => format!("{} has something of its name", cause.name),
        Relation::Shares => match shared_by(cause, effect) {
            Shared::Something => "both began so at the same time".to_owned(),
            Shared::Host(THIS_MACHINE) => format!("both run on {THIS_MACHINE}"),
            shared => format!("both share {shared}"),
        },
        Relation::Line => "many became hard to reach at once".to_owned(),
        Relation::Alike => format!(
            "the same became of {}, and both are needed by one",
            cause.name
        ),
        Relation::Loads => format!("what needs {} asks more of it", cause.name),
        Relation::Watches => format!("{} is what looks at it", cause.name),
        Relation::Through => format!("what {} explains explains it", cause.name),
    }
}

/// Whole percents: more would not be honest.
fn percent(share: f64) -> u8 {
    let percent = (share * 100.0).round().clamp(0.0, 100.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 100"
    )]
    let percent = percent as u8;
    percent
}

#[cfg(test)]
mod tests {
    use super::super::{Glance, Symptoms, groups};
    use super::*;
    use crate::model::{Blame, FailureKind};

    fn at(clock: &str) -> Timestamp {
        format!("2026-11-21T{clock}:00Z").parse().expect("a time")
    }

    /// Two that fail in the same minute, the second of which has that to do with the first.
    fn told(first: Suspect, second: Suspect) -> AnalysisCandidate {
        let mut suspects = [first, second];
        for (suspect, clock) in suspects.iter_mut().zip(["10:01", "10:02"]) {
            let well = Glance {
                at: at("10:00"),
                measured: &[],
                gaps: &[],
                failure: None,
            };
            suspect.see(&well);
            suspect.see(&Glance {
                at: at(clock),
                failure: Some((FailureKind::TimedOut, Blame::Target, "no answer")),
                ..well
            });
        }
        let found = groups(&suspects, at("10:03"));
        assert_eq!(found.len(), 1, "{found:#?}");
        let mut group = account(&suspects, &found[0], at("10:03"));
        assert!(group.has_common_cause, "{group:#?}");
        group.candidates.swap_remove(0)
    }

    fn suspect(kind: &str, name: &str) -> Suspect {
        Suspect {
            target: format!("{kind}/{name}"),
            name: name.to_owned(),
            kind: kind.to_owned(),
            home: None,
            is_machine: false,
            groups: Vec::new(),
            parents: Vec::new(),
            symptoms: Symptoms::default(),
        }
    }

    #[test]
    fn what_nobody_watches_is_named_by_what_they_share() {
        let shares = |name: &str| Suspect {
            groups: vec!["region eu-central-1".to_owned()],
            ..suspect("ec2_instances", name)
        };
        let cause = told(shares("web-1"), shares("web-2"));
        assert_eq!(cause.stands_for.as_deref(), Some("region eu-central-1"));
        assert_eq!(
            cause.text,
            "region eu-central-1; the first sign of it: web-1 fails since 10:01: no answer"
        );
        let because: Vec<&str> = cause.explains.iter().map(|one| &*one.because).collect();
        assert_eq!(because, ["both share region eu-central-1"]);
    }

    #[test]
    fn a_cause_that_is_watched_speaks_for_itself() {
        let shop = Suspect {
            parents: vec!["databases/orders".to_owned()],
            ..suspect("api_endpoints", "shop")
        };
        let cause = told(suspect("databases", "orders"), shop);
        assert_eq!(cause.stands_for, None);
        assert_eq!(cause.text, "orders fails since 10:01: no answer");
        assert_eq!(
            (cause.explains_count, &*cause.explains[0].because),
            (1, "it depends on orders")
        );
    }
}
