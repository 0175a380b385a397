//! What is out of the ordinary in all that is watched, and what may have caused it.

mod kept;

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};

use super::target_id;
use crate::analysis::baseline::{Baselines, Known};
use crate::analysis::correlate::{
    Change, Glance, Group, Measured, Suspect, Symptom, Symptoms, Usual, account, groups,
    has_problem,
};
use crate::incidents::{Facts, Family};
use crate::model::{
    Analysis, AnalysisGroup, Blame, Home, ReportTarget, Status, TargetId, Timestamp,
};
use crate::render::Seen;

/// The note of the store that holds what is out of the ordinary.
pub(super) const PICTURE: &str = "analysis.picture";

/// See [`Analysis::groups`].
const MOST_GROUPS: usize = 10;

/// So many targets in trouble are compared with each other: of more, the worst and the first tell what it is.
const MOST_DRAWN: usize = 2_000;

/// A word counts as usual that was seen for such a share of the time.
const USUAL_SHARE: f64 = 0.8;

/// A label of so many targets, and of such a share of them, is no more than that they belong to the same people.
const COMMON_LABEL: (usize, f64) = (8, 0.4);

/// The facts of a look that say where it went, and what it shares with others.
const ADDRESSES: [&str; 3] = ["address", "private address", "public address"];
const CERTIFICATE: [&str; 3] = [
    "certificate subject",
    "certificate issuer",
    "certificate not after",
];
const ZONE: &str = "zone";

/// What is out of the ordinary, by target. Those of which nothing is are not in it.
#[derive(Default)]
pub(super) struct Picture {
    symptoms: HashMap<TargetId, Symptoms>,
    /// What a look found that a target shares with others.
    shared: HashMap<TargetId, Vec<String>>,
    /// Whether anything began or ended since causes were last asked for, and since it was last kept.
    has_changed: bool,
    is_unkept: bool,
    /// How often something began.
    begun: u64,
    /// How often it had when it was last kept: what began is worth more than what ended.
    begun_when_kept: u64,
}

impl Picture {
    /// Takes a look into account. `before`: when the target was looked at last.
    pub(super) fn see(
        &mut self,
        seen: &Seen<'_>,
        before: Option<Timestamp>,
        baselines: &Baselines,
    ) {
        let observation = seen.observation;
        if observation.is_left_out() {
            return;
        }
        let id = &seen.target.id;
        self.learn_shared(seen);
        let at = observation.at;
        let reading = observation.reading();
        let judged: HashMap<(&str, Option<&str>), Status> = (seen.verdict.findings.iter())
            .map(|finding| ((finding.metric, finding.subject.as_deref()), finding.status))
            .collect();
        let measured = reading.measurements.iter().map(|one| {
            let place = (one.metric, one.subject.as_deref());
            Measured {
                metric: one.metric,
                subject: one.subject.as_deref(),
                value: &one.value,
                status: judged.get(&place).copied().unwrap_or(Status::Green),
                usual: baselines
                    .one(id, one.metric, one.subject.as_deref())
                    .and_then(|known| usual(known, at)),
            }
        });
        let measured: Vec<Measured<'_>> = measured.collect();
        let gaps = reading.gaps.iter();
        let gaps: Vec<(&str, Option<&str>)> = gaps
            .map(|gap| (gap.metric, gap.subject.as_deref()))
            .collect();
        let failure = observation.outcome.as_ref().err();
        let glance = Glance {
            at,
            measured: &measured,
            gaps: &gaps,
            failure: failure.map(|failure| (failure.kind, failure.blame, failure.message.as_str())),
        };
        let change = if let Some(known) = self.symptoms.get_mut(id) {
            known.see(id.kind, &glance)
        } else {
            let mut fresh = Symptoms::well_at(before);
            let change = fresh.see(id.kind, &glance);
            if change != Change::Nothing {
                self.symptoms.insert(id.clone(), fresh);
            }
            change
        };
        if self.symptoms.get(id).is_some_and(|known| known.is_empty()) {
            self.symptoms.remove(id);
        }
        let has_changed = change != Change::Nothing;
        self.has_changed |= has_changed;
        self.is_unkept |= has_changed;
        self.begun += u64::from(change == Change::Began);
    }

    /// What the last report says of a target, of which nothing better was kept: what was not well then has been so since that time.
    pub(super) fn recall(&mut self, id: &TargetId, known: &ReportTarget) {
        if known.status == Status::Green || self.symptoms.contains_key(id) {
            return;
        }
        let findings = known.findings.iter().filter_map(|finding| {
            Some(Measured {
                metric: &finding.metric,
                subject: finding.subject.as_deref(),
                value: finding.value.as_ref()?,
                status: finding.status,
                usual: None,
            })
        });
        let measured: Vec<Measured<'_>> = findings.collect();
        let blame = match known.status {
            Status::Unknown => Blame::Ours,
            _ => Blame::Target,
        };
        let failure = known.failure.as_ref();
        let mut symptoms = Symptoms::well_at(None);
        let change = symptoms.see(
            id.kind,
            &Glance {
                at: known.since,
                measured: &measured,
                gaps: &[],
                failure: failure.map(|failure| (failure.kind, blame, failure.message.as_str())),
            },
        );
        if change != Change::Nothing {
            self.symptoms.insert(id.clone(), symptoms);
        }
    }

    /// What the look went to: it fails as one with whatever else goes there.
    fn learn_shared(&mut self, seen: &Seen<'_>) {
        let facts = &seen.observation.reading().facts;
        let says = |name: &str| {
            facts
                .iter()
                .find(|fact| fact.name == name)
                .map(|fact| &*fact.value)
        };
        let mut shared: Vec<String> = (ADDRESSES.iter())
            .filter_map(|name| says(name).and_then(address))
            .map(|address| format!("address {address}"))
            .collect();
        shared.extend(says(ZONE).map(|zone| format!("zone {zone}")));
        let certificate: Vec<&str> = CERTIFICATE.iter().filter_map(|name| says(name)).collect();
        if certificate.len() == CERTIFICATE.len() {
            shared.push(format!("certificate {}", certificate.join(", ")));
        }
        // One that failed says nothing of it.
        if shared.is_empty() {
            return;
        }
        let id = &seen.target.id;
        if self.shared.get(id) != Some(&shared) {
            self.shared.insert(id.clone(), shared);
        }
    }

    pub(super) fn leave(&mut self, id: &TargetId) {
        self.shared.remove(id);
        let was_there = self.symptoms.remove(id).is_some();
        self.has_changed |= was_there;
        self.is_unkept |= was_there;
    }

    /// Whether anything began or ended since this was last asked.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.has_changed)
    }

    /// How often something began, became worse or went wrong in another way.
    pub(super) fn begun(&self) -> u64 {
        self.begun
    }

    /// Those of the targets, as `kind/name`, with which something is wrong as far as the last look saw.
    pub(super) fn ill_of(&self, targets: &[String]) -> HashSet<String> {
        let is_ill = |target: &&String| {
            let id = target.split_once('/');
            let id = id.and_then(|(kind, name)| target_id(kind, name));
            let symptoms = id.and_then(|id| self.symptoms.get(&id));
            symptoms.is_some_and(|known| known.iter().any(Symptom::is_open))
        };
        targets.iter().filter(is_ill).cloned().collect()
    }

    /// What there is to be said of causes now.
    pub(super) fn draw(&self, family: &Family, now: Timestamp) -> Drawn {
        let by_name = self.most_telling();
        let shared: HashMap<String, &Vec<String>> = (self.shared.iter())
            .map(|(id, shared)| (id.to_string(), shared))
            .collect();
        let common = common_labels(family);
        let machines = machines_by_address(family, &shared);
        let mut suspects: Vec<Suspect> = (family.iter())
            .map(|facts| {
                let shared = shared.get(&facts.target).copied();
                let mut suspect = suspect(facts, shared, &common, &machines);
                if let Some(symptoms) = by_name.get(&facts.target) {
                    suspect.symptoms = (*symptoms).clone();
                }
                suspect
            })
            .collect();
        // The order of a map is another one each time.
        suspects.sort_by(|one, other| one.target.cmp(&other.target));
        let groups = groups(&suspects, now);
        let mut places = HashMap::new();
        for (index, group) in groups.iter().enumerate() {
            for place in &group.suspects {
                if let Some(suspect) = suspects.get(*place) {
                    places.insert(suspect.target.clone(), index);
                }
            }
        }
        Drawn {
            at: now,
            suspects,
            groups,
            places,
        }
    }

    /// The symptoms by `kind/name`: of thousands the worst, and of those the first.
    fn most_telling(&self) -> HashMap<String, &Symptoms> {
        let mut all: Vec<(&TargetId, &Symptoms)> = self.symptoms.iter().collect();
        if all.len() > MOST_DRAWN {
            all.sort_by_key(|(id, symptoms)| {
                let open = symptoms.iter().filter(|symptom| symptom.is_open());
                let worst = open.map(|symptom| symptom.status).max();
                let first = symptoms.iter().map(|symptom| symptom.seen_at).min();
                (Reverse(worst), first, *id)
            });
            all.truncate(MOST_DRAWN);
        }
        let named = all.into_iter();
        named
            .map(|(id, symptoms)| (id.to_string(), symptoms))
            .collect()
    }
}

fn usual(known: &Known, at: Timestamp) -> Option<Usual> {
    if let Some(usual) = known.baseline.usual(at) {
        return Some(Usual::Number {
            centre: usual.centre,
            spread: usual.spread,
        });
    }
    let (word, share) = known.baseline.usual_word()?;
    (share >= USUAL_SHARE).then(|| Usual::Word(word.to_owned()))
}

/// `192.0.2.7:5432` → `192.0.2.7`. That of this machine is everybody's.
fn address(written: &str) -> Option<IpAddr> {
    let parsed = written.parse::<SocketAddr>().map(|address| address.ip());
    let address = parsed.or_else(|_| written.parse::<IpAddr>()).ok()?;
    (!address.is_loopback()).then_some(address)
}

/// Labels that nearly everything has.
fn common_labels(family: &Family) -> HashSet<(&str, &str)> {
    let mut counts: HashMap<(&str, &str), usize> = HashMap::new();
    let mut all: f64 = 0.0;
    for facts in family.iter() {
        all += 1.0;
        for (key, value) in &facts.labels {
            *counts.entry((key, value)).or_default() += 1;
        }
    }
    let (least, share) = COMMON_LABEL;
    let is_common = |count: usize| {
        count > least && f64::from(u32::try_from(count).unwrap_or(u32::MAX)) > share * all
    };
    let common = counts.into_iter().filter(|(_, count)| is_common(*count));
    common.map(|(label, _)| label).collect()
}

/// Instances, which are no machine by their settings, by the addresses that they were seen to have.
fn machines_by_address<'a>(
    family: &'a Family,
    shared: &HashMap<String, &'a Vec<String>>,
) -> HashMap<&'a str, &'a str> {
    let instances = (family.iter()).filter(|facts| facts.kind == "ec2_instances");
    let mut found = HashMap::new();
    for facts in instances {
        for address in shared.get(&facts.target).into_iter().copied().flatten() {
            if address.starts_with("address ") {
                found.insert(address.as_str(), facts.target.as_str());
            }
        }
    }
    found
}

fn suspect(
    facts: &Facts,
    shared: Option<&Vec<String>>,
    common: &HashSet<(&str, &str)>,
    machines: &HashMap<&str, &str>,
) -> Suspect {
    let labels = (facts.labels.iter())
        .filter(|(key, value)| !common.contains(&(key.as_str(), value.as_str())))
        .map(|(key, value)| format!("label {key}={value}"));
    let region = facts.region.iter().map(|region| format!("region {region}"));
    let shared = shared.into_iter().flatten();
    let mut parents = facts.parents.clone();
    for address in shared.clone() {
        if let Some(machine) = machines.get(address.as_str())
            && *machine != facts.target
            && !parents.iter().any(|known| known == machine)
        {
            parents.push((*machine).to_owned());
        }
    }
    Suspect {
        target: facts.target.clone(),
        name: facts.name.clone(),
        kind: facts.kind.clone(),
        home: facts.home.as_ref().map(|home| home.machine().to_owned()),
        is_machine: matches!(facts.home, Some(Home::Is(_))),
        groups: labels.chain(region).chain(shared.cloned()).collect(),
        parents,
        symptoms: Symptoms::default(),
    }
}

/// The causes as they are at a time.
pub(super) struct Drawn {
    at: Timestamp,
    suspects: Vec<Suspect>,
    groups: Vec<Group>,
    /// The group of each target of which anything is out of the ordinary.
    places: HashMap<String, usize>,
}

impl Drawn {
    /// What there is to be said of the problems of these targets; `None`: nothing is out of the ordinary with them.
    pub(super) fn of<'a>(&self, targets: impl Iterator<Item = &'a str>) -> Option<Analysis> {
        let mut places: Vec<usize> = targets
            .filter_map(|target| self.places.get(target).copied())
            .collect();
        // The groups are in the order of their weight.
        places.sort_unstable();
        places.dedup();
        self.tell(&places)
    }

    /// What there is to be said of all problems; `None`: there are none.
    pub(super) fn of_all(&self) -> Option<Analysis> {
        let with_problem = (self.groups.iter().enumerate())
            .filter(|(_, group)| has_problem(&self.suspects, group))
            .map(|(place, _)| place);
        let places: Vec<usize> = with_problem.collect();
        self.tell(&places)
    }

    fn tell(&self, places: &[usize]) -> Option<Analysis> {
        if places.is_empty() {
            return None;
        }
        let groups = || places.iter().filter_map(|place| self.groups.get(*place));
        let told: Vec<AnalysisGroup> = groups()
            .take(MOST_GROUPS)
            .map(|group| account(&self.suspects, group, self.at))
            .collect();
        Some(Analysis {
            at: self.at,
            groups_left_out: places.len() - told.len(),
            groups: told,
            targets_apart: groups().filter(|group| group.suspects.len() == 1).count(),
            explanation: None,
            unexplained: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::model::{
        Common, Failure, FailureKind, Observation, Reading, Target, Urgency, Verdict,
    };

    fn at(clock: &str) -> Timestamp {
        format!("2026-11-21T{clock}:00Z").parse().expect("a time")
    }

    fn id(kind: &'static str, name: &str) -> TargetId {
        TargetId {
            kind,
            name: name.into(),
        }
    }

    fn facts(kind: &str, name: &str) -> Facts {
        Facts {
            target: format!("{kind}/{name}"),
            name: name.to_owned(),
            kind: kind.to_owned(),
            own_name: name.to_owned(),
            ..Facts::default()
        }
    }

    fn see(picture: &mut Picture, id: &TargetId, clock: &str, outcome: Result<Reading, Failure>) {
        let target = Target {
            id: id.clone(),
            common: Common {
                critical: true,
                urgency: Urgency::Normal,
                timeout: Duration::from_secs(1),
                labels: BTreeMap::new(),
                depends_on: Vec::new(),
                runbook: None,
            },
            settings: Arc::new(()),
            found_by: None,
        };
        let observation = Observation {
            target: id.clone(),
            at: at(clock),
            took: Duration::ZERO,
            outcome,
            trace: tracing::Span::none(),
        };
        let failure = observation.outcome.as_ref().err();
        let verdict = Verdict {
            status: failure.map_or(Status::Green, Failure::status),
            findings: Vec::new(),
        };
        let seen = Seen {
            target: &target,
            spec: &crate::collectors::kind(id.kind).expect("built").spec,
            observation: &observation,
            verdict: &verdict,
            since: at(clock),
        };
        picture.see(&seen, None, &Baselines::default());
    }

    fn with(facts: &[(&'static str, &str)]) -> Reading {
        let mut reading = Reading::default();
        for (name, value) in facts {
            reading.fact(name, *value);
        }
        reading
    }

    fn gone() -> Result<Reading, Failure> {
        Err(Failure::new(FailureKind::TimedOut, "no answer"))
    }

    #[test]
    fn an_endpoint_depends_on_the_instance_that_has_its_address() {
        let (instance, shop) = (id("ec2_instances", "i-1"), id("api_endpoints", "shop"));
        let (blog, local) = (id("api_endpoints", "blog"), id("databases", "local"));
        let mut picture = Picture::default();
        see(
            &mut picture,
            &instance,
            "10:00",
            Ok(with(&[
                ("public address", "203.0.113.7"),
                ("zone", "eu-1a"),
            ])),
        );
        see(
            &mut picture,
            &shop,
            "10:00",
            Ok(with(&[("address", "203.0.113.7:443")])),
        );
        see(
            &mut picture,
            &blog,
            "10:00",
            Ok(with(&[("address", "203.0.113.8:443")])),
        );
        see(
            &mut picture,
            &local,
            "10:00",
            Ok(with(&[("address", "127.0.0.1:5432")])),
        );
        for id in [&instance, &shop, &blog] {
            see(&mut picture, id, "10:01", gone());
        }
        let all = [
            facts("ec2_instances", "i-1"),
            facts("api_endpoints", "shop"),
            facts("api_endpoints", "blog"),
            facts("databases", "local"),
        ];
        let drawn = picture.draw(&Family::new(all), at("10:02"));
        let suspect = |name: &str| {
            drawn
                .suspects
                .iter()
                .find(|one| one.name == name)
                .expect("it")
        };
        assert_eq!(suspect("shop").parents, ["ec2_instances/i-1"]);
        assert_eq!(suspect("shop").groups, ["address 203.0.113.7"]);
        assert_eq!(suspect("blog").parents, [] as [&str; 0]);
        assert_eq!(suspect("local").groups, [] as [&str; 0]);
        assert_eq!(suspect("i-1").groups, ["address 203.0.113.7", "zone eu-1a"]);
    }

    #[test]
    fn a_label_that_nearly_everything_has_is_nothing_in_common() {
        let all = (0..20).map(|number| {
            let mut facts = facts("api_endpoints", &format!("shop-{number}"));
            facts.labels.insert("env".to_owned(), "prod".to_owned());
            if number < 3 {
                facts.labels.insert("rack".to_owned(), "7".to_owned());
            }
            facts
        });
        let family = Family::new(all);
        let drawn = Picture::default().draw(&family, at("10:00"));
        let mut groups: Vec<&String> = drawn.suspects.iter().flat_map(|one| &one.groups).collect();
        groups.dedup();
        assert_eq!(groups, ["label rack=7"]);
    }

    #[test]
    fn what_begins_is_worth_keeping_at_once_and_what_ends_is_not() {
        let shop = id("api_endpoints", "shop");
        let refused = || Err(Failure::new(FailureKind::Unreachable, "refused"));
        let mut picture = Picture::default();
        let mut steps = Vec::new();
        for (clock, outcome) in [
            ("10:00", gone()),
            ("10:01", gone()),
            ("10:02", refused()),
            ("10:03", Ok(Reading::default())),
        ] {
            see(&mut picture, &shop, clock, outcome);
            let ill = picture.ill_of(&["api_endpoints/shop".to_owned()]).len();
            steps.push((picture.is_worth_keeping_now(), picture.begun(), ill));
            if picture.is_worth_keeping_now() {
                picture.take_unkept().expect("something began");
            }
        }
        assert_eq!(
            steps,
            [(true, 1, 1), (false, 1, 1), (true, 2, 1), (false, 2, 0)]
        );
        assert!(picture.take_unkept().is_some(), "what ended waits its turn");
    }

    #[test]
    fn what_was_kept_is_taken_up_for_those_that_are_watched_and_not_seen_yet() {
        let (shop, blog, old) = (
            id("api_endpoints", "shop"),
            id("api_endpoints", "blog"),
            id("api_endpoints", "old"),
        );
        let mut before = Picture::default();
        for id in [&shop, &blog, &old] {
            see(&mut before, id, "10:00", gone());
        }
        let kept = before.take_unkept().expect("something new");
        assert_eq!(before.take_unkept(), None, "nothing new");
        let mut after = Picture::default();
        see(&mut after, &blog, "10:05", gone());
        after.restore(&kept, &|id| *id != old);
        let seen_at = |id| after.symptoms.get(id).map(|symptoms| symptoms[0].seen_at);
        assert_eq!(seen_at(&shop), Some(at("10:00")));
        assert_eq!(
            seen_at(&blog),
            Some(at("10:05")),
            "what was seen since is newer"
        );
        assert_eq!(seen_at(&old), None);
        after.restore("{", &|_| true);
        assert_eq!(after.symptoms.len(), 2);
    }

    #[test]
    fn what_the_last_report_says_began_when_it_says() {
        let (shop, blog) = (id("api_endpoints", "shop"), id("api_endpoints", "blog"));
        let known = |status: &str, failure: serde_json::Value| -> ReportTarget {
            serde_json::from_value(serde_json::json!({
                "name": "shop", "kind": "api_endpoints", "labels": {}, "critical": true, "status": status,
                "since": at("09:40"), "looked_at": at("10:00"), "took_ms": 1, "summary": "", "silenced": false,
                "acknowledged": false, "findings": [], "measurements": [], "failure": failure,
            }))
            .expect("a target")
        };
        let failure =
            serde_json::json!({"kind": "timed_out", "message": "no answer", "hint": null});
        let mut picture = Picture::default();
        picture.recall(&shop, &known("RED", failure));
        picture.recall(&blog, &known("GREEN", serde_json::Value::Null));
        for id in [&shop, &blog] {
            see(&mut picture, id, "10:05", gone());
        }
        let seen_at = |id| {
            picture
                .symptoms
                .get(id)
                .map(|all| (all.len(), all[0].seen_at))
        };
        assert_eq!(seen_at(&shop), Some((1, at("09:40"))));
        assert_eq!(seen_at(&blog), Some((1, at("10:05"))));
    }

    #[test]
    fn problems_without_each_other_are_counted_and_well_ones_are_not_told_of() {
        let (shop, blog) = (id("api_endpoints", "shop"), id("api_endpoints", "blog"));
        let mut picture = Picture::default();
        let family = Family::new([
            facts("api_endpoints", "shop"),
            facts("api_endpoints", "blog"),
        ]);
        assert_eq!(picture.draw(&family, at("10:00")).of_all(), None);
        see(&mut picture, &shop, "10:00", gone());
        see(&mut picture, &blog, "11:30", gone());
        let all = picture
            .draw(&family, at("11:31"))
            .of_all()
            .expect("an analysis");
        assert_eq!((all.targets_apart, all.groups.len()), (2, 2), "{all:#?}");
        let one = picture.draw(&family, at("11:31"));
        let one = one
            .of(["api_endpoints/shop"].into_iter())
            .expect("an analysis");
        assert_eq!(one.groups[0].targets, ["shop"]);
    }
}
