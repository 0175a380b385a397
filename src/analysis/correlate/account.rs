//! From groups and candidates to what people and programs read of them.

use super::class::Relation;
use super::evidence::{facts, text};
use super::picture::Suspect;
use super::rank::{Candidate, Effect, Group};
use super::symptoms::{Sign, Symptom};
use crate::model::{
    AnalysisCandidate, AnalysisGroup, Evidence, Explained, ExplainedBy, Status, Timestamp,
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
    let most = if is_first {
        MOST_EXPLAINED
    } else {
        MOST_EXPLAINED_BY_OTHERS
    };
    Some(AnalysisCandidate {
        target: suspect.name.clone(),
        text: text(suspect, symptom, now),
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
        Relation::Shares => {
            let mut groups = cause.groups.iter();
            let shared = groups.find(|group| effect.groups.contains(group));
            format!("both share {}", shared.map_or("a group", String::as_str))
        }
        Relation::Line => "many fell silent together".to_owned(),
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
