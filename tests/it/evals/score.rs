//! How right the correlation is about an incident, and about all of them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use roundsman::analysis::correlate::{Candidate, Group, Sign, Suspect, facts, groups};
use roundsman::collectors;
use roundsman::model::{Measurement, Observation, Reading, Status, TargetId, Timestamp, Value};
use roundsman::rules::{Rules, judge};

use super::incident::{Cause, Incident};
use super::replay::{Variation, replay};
use crate::support::program::Workplace;

/// The rules that each kind has by default.
static RULES: LazyLock<BTreeMap<&'static str, Arc<Rules>>> = LazyLock::new(|| {
    let yaml = "targets:\n  local_hosts: [{}]\n  vps_servers: [{host: h.example.com, username: u}]\n  \
        databases: [{host: h.example.com, database: d, username: u, password: canary}]\n  \
        api_endpoints: [{url: \"https://h.example.com/\"}]\n  docker_hosts: [{socket: /var/run/docker.sock}]\n  \
        ec2_instances: [{instance_id: i-0123456789abcdef0, region: eu-central-1}]\n  \
        s3_buckets: [{bucket: backups, region: eu-central-1}]\n  llm_models: [{provider: ollama, model_id: m}]\n  \
        llm_keys: [{provider: openai}]\n";
    let place = Workplace::with_configuration(yaml);
    let plan = place.load().expect("a file").plan;
    let plan = plan.unwrap_or_else(|| panic!("{}", place.problems()));
    let rules = plan
        .watched
        .iter()
        .map(|one| (one.kind.spec.key, Arc::clone(&one.rules)));
    rules.collect()
});

/// What a value means by the rules that its kind has by default.
pub(super) fn judged(kind: &str, metric: &str, value: &Value) -> Status {
    let known = collectors::kind(kind).unwrap_or_else(|| panic!("there is no kind `{kind}`"));
    let spec = known.spec.metric(metric);
    let spec = spec.unwrap_or_else(|| panic!("`{kind}` has no metric `{metric}`"));
    let Some(rules) = RULES.get(known.spec.key) else {
        return Status::Green;
    };
    let mut reading = Reading::default();
    reading.measurements.push(Measurement {
        metric: spec.name,
        subject: None,
        value: value.clone(),
        unit: spec.unit,
    });
    let observation = Observation {
        target: TargetId {
            kind: known.spec.key,
            name: "one".into(),
        },
        at: Timestamp::UNIX_EPOCH,
        took: Duration::ZERO,
        outcome: Ok(reading),
        trace: tracing::Span::none(),
    };
    judge(rules, None, &observation).status
}

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
    pub(super) details: String,
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

fn sign(suspect: &Suspect, symptom: usize) -> String {
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

/// Asks, and compares with what is true.
pub(super) fn score(incident: &Incident, variation: Variation) -> Score {
    let (suspects, now) = replay(incident, variation);
    let found = groups(&suspects, now);
    let truth = &incident.truth;
    let mut wanted: Vec<Cause> = truth.causes.clone();
    if let Some(cause) = truth.cause.as_ref().filter(|cause| *cause != "none") {
        wanted.push(Cause::of(cause, &truth.also));
    }
    let is_it = |wanted: &Cause, name: &str| {
        wanted.name == name || wanted.also.iter().any(|also| also == name)
    };
    let given: Vec<(&Group, String)> = found
        .iter()
        .filter_map(|group| Some((group, named(&suspects, group.cause()?))))
        .collect();
    let is_first = !wanted.is_empty()
        && wanted
            .iter()
            .all(|cause| given.iter().any(|(_, name)| is_it(cause, name)));
    let is_among_three = !wanted.is_empty()
        && wanted.iter().all(|cause| {
            let mut all = found
                .iter()
                .flat_map(|group| group.candidates.iter().take(3));
            all.any(|candidate| is_it(cause, &named(&suspects, candidate)))
        });
    let is_false = given
        .iter()
        .any(|(_, name)| !wanted.iter().any(|cause| is_it(cause, name)));
    let cited: Vec<String> = given
        .iter()
        .flat_map(|(group, _)| cited(&suspects, group, now))
        .collect();
    let has = |fact: &String| cited.contains(fact);
    let mut details = format!("  wanted {wanted:?}\n");
    for fact in truth.facts.iter().filter(|fact| !has(fact)) {
        details += &format!("  not cited: {fact}\n");
    }
    for herring in truth.herrings.iter().filter(|herring| has(herring)) {
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
    for group in &found {
        details += "  group";
        for suspect in &group.suspects {
            details += &format!(" {}", suspects[*suspect].name);
        }
        details += "\n";
        for candidate in &group.candidates {
            let name = named(&suspects, candidate);
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
    Score {
        has_cause: !wanted.is_empty(),
        is_first,
        is_among_three,
        is_false,
        cited: truth.facts.iter().filter(|fact| has(fact)).count(),
        to_cite: truth.facts.len(),
        herrings: truth.herrings.iter().filter(|fact| has(fact)).count(),
        said: said(&wanted, &given),
        details,
    }
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

/// What is shown of a group in which a cause is named.
fn cited(suspects: &[Suspect], group: &Group, now: Timestamp) -> Vec<String> {
    let shown = facts(suspects, group, now).into_iter();
    shown
        .map(|fact| sign(&suspects[fact.suspect], fact.symptom))
        .collect()
}

/// A count among a count.
#[derive(Debug, Clone, Copy, Default)]
struct Share {
    right: usize,
    all: usize,
}

impl Share {
    fn add(&mut self, is_right: bool) {
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
