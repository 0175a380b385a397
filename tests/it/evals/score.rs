//! How right the correlation is about an incident, and about all of them.

use std::collections::BTreeMap;
use std::fmt;

use roundsman::analysis::correlate::{Candidate, Group, Sign, Suspect, facts};
use roundsman::model::Timestamp;

use super::incident::{Cause, Incident};
use super::replay::Seen;

/// What came of one incident.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a column of the page"
)]
pub(super) struct Score {
    pub(super) has_cause: bool,
    pub(super) is_first: bool,
    pub(super) is_among_three: bool,
    /// A cause was named that is none.
    pub(super) is_false: bool,
    pub(super) cited: usize,
    pub(super) to_cite: usize,
    pub(super) herrings: usize,
    /// What was named instead, in a sentence.
    pub(super) said: String,
}

impl Score {
    pub(super) fn is_right(&self) -> bool {
        !self.is_false && (self.is_first || !self.has_cause)
    }

    /// Whether what is shown is what must be shown, and nothing that misleads.
    pub(super) fn shows_all(&self) -> bool {
        self.cited == self.to_cite && self.herrings == 0
    }
}

/// A symptom as a file writes it.
pub(super) fn sign(suspect: &Suspect, symptom: usize) -> String {
    match &suspect.symptoms[symptom].sign {
        Sign::Failure => format!("{} fails", suspect.name),
        Sign::Metric { name, subject } => {
            let subject = subject
                .as_ref()
                .map_or_else(String::new, |subject| format!(" {subject}"));
            format!("{} {name}{subject}", suspect.name)
        }
    }
}

fn named(suspects: &[Suspect], candidate: &Candidate) -> String {
    sign(&suspects[candidate.suspect], candidate.symptom)
}

/// Compares what is found with what is true.
pub(super) fn score(incident: &Incident, seen: &Seen) -> Score {
    let Seen {
        suspects,
        groups: found,
        ..
    } = seen;
    let truth = &incident.truth;
    let wanted = truth.wanted();
    let given: Vec<(&Group, String)> = found
        .iter()
        .filter_map(|group| Some((group, named(suspects, group.cause()?))))
        .collect();
    let is_first = !wanted.is_empty()
        && wanted
            .iter()
            .all(|cause| given.iter().any(|(_, name)| cause.is(name)));
    let is_among_three = !wanted.is_empty()
        && wanted.iter().all(|cause| {
            let mut all = found
                .iter()
                .flat_map(|group| group.candidates.iter().take(3));
            all.any(|candidate| cause.is(&named(suspects, candidate)))
        });
    let is_false = given
        .iter()
        .any(|(_, name)| !wanted.iter().any(|cause| cause.is(name)));
    let cited = all_cited(seen);
    let has = |fact: &&String| cited.contains(fact);
    Score {
        has_cause: !wanted.is_empty(),
        is_first,
        is_among_three,
        is_false,
        cited: truth.facts.iter().filter(has).count(),
        to_cite: truth.facts.len(),
        herrings: truth.herrings.iter().filter(has).count(),
        said: said(&wanted, &given),
    }
}

/// Why it is so, for those who want to better it.
pub(super) fn details(incident: &Incident, seen: &Seen) -> String {
    let Seen {
        suspects,
        groups: found,
        ..
    } = seen;
    let truth = &incident.truth;
    let cited = all_cited(seen);
    let has = |fact: &&String| cited.contains(fact);
    let mut details = format!("  wanted {:?}\n", truth.wanted());
    for fact in truth.facts.iter().filter(|fact| !has(fact)) {
        details += &format!("  not cited: {fact}\n");
    }
    for herring in truth.herrings.iter().filter(has) {
        details += &format!("  cited, and a herring: {herring}\n");
    }
    for suspect in suspects.iter().filter(|one| !one.symptoms.is_empty()) {
        for (index, one) in suspect.symptoms.iter().enumerate() {
            let clock = |at: Option<Timestamp>| {
                at.map_or_else(|| "-".to_owned(), |at| at.format("%H:%M").to_string())
            };
            details += &format!(
                "    {} ({:?}, {:?}): {} {} {}, well {}, seen {}, over {}, {:?} off\n",
                sign(suspect, index),
                one.class,
                one.status,
                one.before
                    .as_ref()
                    .map_or_else(String::new, ToString::to_string),
                "→",
                one.now,
                clock(one.well_at),
                clock(Some(one.seen_at)),
                clock(one.over_at),
                one.distance.map(f64::round)
            );
        }
    }
    for group in found {
        details += "  group";
        for suspect in &group.suspects {
            details += &format!(" {}", suspects[*suspect].name);
        }
        details += "\n";
        for candidate in &group.candidates {
            let name = named(suspects, candidate);
            let explains: Vec<String> = (candidate.explains.iter())
                .map(|effect| {
                    format!(
                        "{} {:.1}",
                        sign(&suspects[effect.suspect], effect.symptom),
                        effect.likely
                    )
                })
                .collect();
            details += &format!(
                "    {:.2} {name}: {}\n",
                candidate.score,
                explains.join(", ")
            );
        }
    }
    details
}

fn said(wanted: &[Cause], given: &[(&Group, String)]) -> String {
    let wanted: Vec<String> = wanted
        .iter()
        .map(|cause| format!("`{}`", cause.name))
        .collect();
    let given: Vec<String> = given.iter().map(|(_, name)| format!("`{name}`")).collect();
    let or_none = |names: Vec<String>| {
        if names.is_empty() {
            "no common cause".to_owned()
        } else {
            names.join(" and ")
        }
    };
    format!("It is {}; it says {}.", or_none(wanted), or_none(given))
}

/// What is shown of all groups in which a cause is named.
fn all_cited(seen: &Seen) -> Vec<String> {
    let with_cause = seen.groups.iter().filter(|group| group.cause().is_some());
    with_cause
        .flat_map(|group| cited(&seen.suspects, group, seen.now))
        .collect()
}

fn cited(suspects: &[Suspect], group: &Group, now: Timestamp) -> Vec<String> {
    let shown = facts(suspects, group, now).into_iter();
    shown
        .map(|fact| sign(&suspects[fact.suspect], fact.symptom))
        .collect()
}

/// A count among a count.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Share {
    pub(super) right: usize,
    pub(super) all: usize,
}

impl Share {
    pub(super) fn add(&mut self, is_right: bool) {
        self.right += usize::from(is_right);
        self.all += 1;
    }
}

impl fmt::Display for Share {
    /// With the bounds of Wilson at 95 % (<https://doi.org/10.1080/01621459.1927.10502953>).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.all == 0 {
            return f.write_str("-");
        }
        let number = |count: usize| f64::from(u32::try_from(count).expect("few"));
        let (count, all, z) = (number(self.right), number(self.all), 1.96);
        let share = count / all;
        let middle = share + z * z / (2.0 * all);
        let wide = z * (share * (1.0 - share) / all + z * z / (4.0 * all * all)).sqrt();
        let over = 1.0 + z * z / all;
        write!(
            f,
            "{} of {} ({:.0}–{:.0} %)",
            self.right,
            self.all,
            ((middle - wide) / over * 100.0).max(0.0),
            (middle + wide) / over * 100.0
        )
    }
}

/// Those of a family, or of all.
#[derive(Debug, Clone, Copy, Default)]
struct Family {
    first: Share,
    among_three: Share,
    abstained: Share,
    false_causes: Share,
    cited: Share,
    herrings: usize,
}

impl Family {
    fn add(&mut self, score: &Score) {
        if score.has_cause {
            self.first.add(score.is_first);
            self.among_three.add(score.is_among_three);
        } else {
            self.abstained.add(!score.is_false);
        }
        self.false_causes.add(score.is_false);
        self.cited.right += score.cited;
        self.cited.all += score.to_cite;
        self.herrings += score.herrings;
    }
}

/// All families.
#[derive(Default)]
pub(super) struct Scores {
    families: BTreeMap<String, Family>,
    all: Family,
}

impl Scores {
    pub(super) fn add(&mut self, family: &str, score: &Score) {
        self.families
            .entry(family.to_owned())
            .or_default()
            .add(score);
        self.all.add(score);
    }
}

impl fmt::Display for Scores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| family | first | among three | none where there is none | false causes | facts cited | herrings cited |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|")?;
        let families = self
            .families
            .iter()
            .map(|(name, family)| (name.as_str(), family));
        for (name, family) in families.chain([("all", &self.all)]) {
            writeln!(
                f,
                "| {name} | {} | {} | {} | {} | {} | {} |",
                family.first,
                family.among_three,
                family.abstained,
                family.false_causes,
                family.cited,
                family.herrings
            )?;
        }
        Ok(())
    }
}
