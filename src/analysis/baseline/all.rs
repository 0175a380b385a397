//! The baselines of all targets of a daemon.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use chrono::TimeDelta;

use super::bytes::Reader;
use super::{Baseline, second};
use crate::model::{Measurement, Reading, TargetId, Timestamp};

/// A metric of a target has at most so many subjects.
const MOST_SUBJECTS: usize = 200;

/// What was not seen for so long is forgotten.
const FORGOTTEN_SECONDS: u32 = 14 * 86_400;

/// A subject that was not seen for so long makes room for a new one where there are too many.
const REPLACED_SECONDS: u32 = 86_400;

/// What was learnt is gathered for so long before it is to be kept.
const GATHERED_FOR: TimeDelta = TimeDelta::minutes(5);

/// Names are looked through for those in use when there are so many more than the last time.
const NAMES_STEP: usize = 10_000;

/// The version of a target's bytes.
const VERSION: u8 = 1;

/// How an absent subject is written.
const NO_SUBJECT: u16 = u16::MAX;

/// A metric of a target, or of a part of it, with what is usual for it.
#[derive(Debug, Clone)]
pub struct Known {
    /// The metric.
    pub metric: Arc<str>,
    /// Which part of the target, where the metric has parts.
    pub subject: Option<Arc<str>>,
    /// What is usual.
    pub baseline: Baseline,
    /// See [`Self::distance`]; not a number: not known.
    distance: f32,
}

impl Known {
    /// How many spreads the newest value lay away from what had been usual until then.
    #[must_use]
    pub fn distance(&self) -> Option<f64> {
        (!self.distance.is_nan()).then(|| f64::from(self.distance))
    }

    fn place(&self) -> (&str, Option<&str>) {
        (&self.metric, self.subject.as_deref())
    }

    fn last(&self) -> u32 {
        self.baseline.seconds().1
    }
}

/// What is known of one target.
#[derive(Debug, Default)]
struct Target {
    /// By metric and subject.
    known: Vec<Known>,
    is_waiting: bool,
}

impl Target {
    fn find(&self, metric: &str, subject: Option<&str>) -> Result<usize, usize> {
        (self.known).binary_search_by(|known| known.place().cmp(&(metric, subject)))
    }

    fn sort(&mut self) {
        // A sort that keeps the order of equals takes memory of its own, between that of two targets.
        (self.known).sort_unstable_by(|one, other| one.place().cmp(&other.place()));
        (self.known).dedup_by(|one, other| one.place() == other.place());
        self.known.shrink_to_fit();
    }
}

/// The baselines of all targets.
#[derive(Debug, Default)]
pub struct Baselines {
    targets: HashMap<TargetId, Target>,
    /// Every metric and subject once: thousands of targets have the same.
    names: HashSet<Arc<str>>,
    /// Below so many names none is looked for that is not in use any more.
    names_are_few: usize,
    /// Targets that learnt something since they were kept, and since when, the oldest first.
    waiting: VecDeque<(Timestamp, TargetId)>,
}

impl Baselines {
    /// Learns from a look that succeeded. Before that, how far each value lies from what was usual is noted.
    pub fn see(&mut self, id: &TargetId, reading: &Reading, at: Timestamp) {
        if reading.measurements.is_empty() {
            return;
        }
        if !self.targets.contains_key(id) {
            self.targets.insert(id.clone(), Target::default());
        }
        let Some(target) = self.targets.get_mut(id) else {
            return;
        };
        let mut fresh = Vec::new();
        for measurement in &reading.measurements {
            match target.find(measurement.metric, measurement.subject.as_deref()) {
                Ok(index) => learn(&mut target.known[index], measurement, at),
                Err(_) => fresh.push(measurement),
            }
        }
        if !fresh.is_empty() {
            forget_old(&mut target.known, second(at));
            target.known.reserve_exact(fresh.len());
            for measurement in fresh {
                if make_room(&mut target.known, measurement.metric, second(at)) {
                    let mut known = Known {
                        metric: named(&mut self.names, measurement.metric),
                        subject: (measurement.subject.as_deref())
                            .map(|subject| named(&mut self.names, subject)),
                        baseline: Baseline::new(measurement.unit),
                        distance: f32::NAN,
                    };
                    learn(&mut known, measurement, at);
                    target.known.push(known);
                }
            }
            target.sort();
        }
        if !std::mem::replace(&mut target.is_waiting, true) {
            self.waiting.push_back((at, id.clone()));
        }
        self.forget_names();
    }

    /// What is known of a target, by metric and subject.
    #[must_use]
    pub fn of(&self, id: &TargetId) -> &[Known] {
        self.targets.get(id).map_or(&[], |target| &target.known)
    }

    /// What is known of one metric of a target, or of one part of it.
    #[must_use]
    pub fn one(&self, id: &TargetId, metric: &str, subject: Option<&str>) -> Option<&Known> {
        let target = self.targets.get(id)?;
        let index = target.find(metric, subject).ok()?;
        target.known.get(index)
    }

    /// Forgets a target that is not watched any more.
    pub fn forget(&mut self, id: &TargetId) {
        self.targets.remove(id);
    }

    /// Takes up what was kept of a target. Where more was learnt since, that stays.
    pub fn restore(&mut self, id: &TargetId, bytes: &[u8]) {
        let target = self.targets.entry(id.clone()).or_default();
        let mut reader = Reader(bytes.get(1..).unwrap_or_default());
        let count = std::iter::from_fn(|| read_one(&mut reader)).count();
        target.known.reserve_exact(count);
        for (metric, subject, baseline) in read(bytes) {
            match target.find(metric, subject) {
                Ok(index) if target.known[index].baseline.count() < baseline.count() => {
                    target.known[index].baseline = baseline;
                }
                Ok(_) => {}
                Err(index) => {
                    let known = Known {
                        metric: named(&mut self.names, metric),
                        subject: subject.map(|subject| named(&mut self.names, subject)),
                        baseline,
                        distance: f32::NAN,
                    };
                    target.known.insert(index, known);
                }
            }
        }
        target.known.shrink_to_fit();
    }

    /// Up to so many targets that have something to be kept, each with its bytes, and not again before five minutes.
    pub fn due(&mut self, now: Timestamp, most: usize) -> Vec<(TargetId, Vec<u8>)> {
        let mut due = Vec::new();
        while due.len() < most
            && let Some((since, _)) = self.waiting.front()
            // A clock that was set back must not make it wait for ever.
            && (now - *since).abs() >= GATHERED_FOR
        {
            due.extend(self.next());
        }
        due
    }

    /// Everything that has something to be kept: when the daemon stops.
    pub fn dirty(&mut self) -> Vec<(TargetId, Vec<u8>)> {
        let mut all = Vec::with_capacity(self.waiting.len());
        while !self.waiting.is_empty() {
            all.extend(self.next());
        }
        all
    }

    /// What was handed over is not kept: it is to be handed over again, with what comes meanwhile.
    pub fn keep_anew(&mut self, id: &TargetId, now: Timestamp) {
        if let Some(target) = self.targets.get_mut(id)
            && !std::mem::replace(&mut target.is_waiting, true)
        {
            self.waiting.push_back((now, id.clone()));
        }
    }

    /// Nothing of it is kept.
    pub fn keep_everything(&mut self, now: Timestamp) {
        for (id, target) in &mut self.targets {
            if !std::mem::replace(&mut target.is_waiting, true) {
                self.waiting.push_back((now, id.clone()));
            }
        }
    }

    fn next(&mut self) -> Option<(TargetId, Vec<u8>)> {
        let (_, id) = self.waiting.pop_front()?;
        // It may have left, and even have come again.
        let target = self.targets.get_mut(&id)?;
        if !std::mem::replace(&mut target.is_waiting, false) {
            return None;
        }
        let newest = target.known.iter().map(Known::last).max().unwrap_or(0);
        forget_old(&mut target.known, newest);
        Some((id, write(&target.known)))
    }

    fn forget_names(&mut self) {
        if self.names.len() > self.names_are_few + NAMES_STEP {
            self.names.retain(|name| Arc::strong_count(name) > 1);
            self.names_are_few = self.names.len();
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a distance for people")]
fn learn(known: &mut Known, measurement: &Measurement, at: Timestamp) {
    let distance = known.baseline.distance(&measurement.value, at);
    known.distance = distance.map_or(f32::NAN, |distance| distance as f32);
    known.baseline.see(&measurement.value, at);
}

fn named(names: &mut HashSet<Arc<str>>, name: &str) -> Arc<str> {
    if let Some(known) = names.get(name) {
        return Arc::clone(known);
    }
    let fresh: Arc<str> = name.into();
    names.insert(Arc::clone(&fresh));
    fresh
}

fn forget_old(known: &mut Vec<Known>, now: u32) {
    known.retain(|known| now.saturating_sub(known.last()) < FORGOTTEN_SECONDS);
}

/// Whether a metric may have one more subject; one that is long gone goes for it.
fn make_room(known: &mut Vec<Known>, metric: &str, now: u32) -> bool {
    let of_metric = || (known.iter().enumerate()).filter(|(_, known)| &*known.metric == metric);
    if of_metric().count() < MOST_SUBJECTS {
        return true;
    }
    let oldest = of_metric().min_by_key(|(_, known)| known.last());
    let gone = oldest.filter(|(_, known)| now.saturating_sub(known.last()) > REPLACED_SECONDS);
    let Some(index) = gone.map(|(index, _)| index) else {
        return false;
    };
    known.remove(index);
    true
}

fn write(all: &[Known]) -> Vec<u8> {
    let mut out = vec![VERSION];
    for known in all {
        let metric = known.metric.as_bytes();
        let subject = known.subject.as_deref().map(str::as_bytes);
        let baseline = known.baseline.to_bytes();
        let length = u16::try_from(subject.map_or(0, <[u8]>::len)).ok();
        let (Ok(metric_length), Some(subject_length), Ok(length)) = (
            u8::try_from(metric.len()),
            length.filter(|length| *length != NO_SUBJECT),
            u8::try_from(baseline.len()),
        ) else {
            // No metric has such a name, and a subject of 64 KiB is none.
            continue;
        };
        out.push(metric_length);
        out.extend(metric);
        out.extend(subject.map_or(NO_SUBJECT, |_| subject_length).to_le_bytes());
        out.extend(subject.unwrap_or_default());
        out.push(length);
        out.extend(baseline);
    }
    out.shrink_to_fit();
    out
}

/// The baselines in a target's bytes: metric, subject, baseline. What is damaged ends the list, or is left out: it is
/// learnt anew.
pub fn read(bytes: &[u8]) -> impl Iterator<Item = (&str, Option<&str>, Baseline)> {
    let mut reader = Reader(bytes);
    if reader.byte() != Some(VERSION) {
        reader.0 = &[];
    }
    std::iter::from_fn(move || read_one(&mut reader)).filter_map(|(metric, subject, bytes)| {
        let baseline = Baseline::from_bytes(bytes)?;
        Some((metric, subject, baseline))
    })
}

/// A metric, its subject, and the bytes of its baseline.
type Entry<'a> = (&'a str, Option<&'a str>, &'a [u8]);

fn read_one<'a>(reader: &mut Reader<'a>) -> Option<Entry<'a>> {
    let length = reader.byte()?;
    let metric = std::str::from_utf8(reader.slice(length.into())?).ok()?;
    let subject = match reader.u16()? {
        NO_SUBJECT => None,
        length => Some(std::str::from_utf8(reader.slice(length.into())?).ok()?),
    };
    let length = reader.byte()?;
    let baseline = reader.slice(length.into())?;
    Some((metric, subject, baseline))
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone, Utc};

    use super::*;
    use crate::model::Unit;

    fn at(minute: i64) -> Timestamp {
        let begin = Utc.timestamp_opt(1_793_577_600, 0).single();
        begin.expect("a time") + TimeDelta::minutes(minute)
    }

    fn id(name: &str) -> TargetId {
        TargetId {
            kind: "vps_servers",
            name: name.into(),
        }
    }

    fn reading(cpu: f64, disks: &[&str]) -> Reading {
        let mut reading = Reading::default();
        reading.number("cpu_percent", None, cpu, Unit::Percent);
        for disk in disks {
            reading.number("disk_free_percent", Some(disk), 40.0, Unit::Percent);
        }
        reading.flag("reboot_required", None, false);
        reading
    }

    /// A look each ten minutes for so many hours.
    fn taught(baselines: &mut Baselines, name: &str, hours: i64, disks: &[&str]) {
        for minute in (0..hours * 60).step_by(10) {
            baselines.see(&id(name), &reading(20.0, disks), at(minute));
        }
    }

    fn subjects(baselines: &Baselines, name: &str) -> Vec<String> {
        let known = baselines.of(&id(name)).iter();
        known
            .filter_map(|known| Some(known.subject.as_deref()?.to_owned()))
            .collect()
    }

    #[test]
    fn a_distance_is_that_from_what_was_known_before_the_look() {
        let mut baselines = Baselines::default();
        taught(&mut baselines, "a", 12, &["/"]);
        let cpu = |baselines: &Baselines| {
            let known = baselines.one(&id("a"), "cpu_percent", None).expect("known");
            known.distance().expect("enough was seen")
        };
        assert!(cpu(&baselines).abs() < 0.01);
        for minute in [720, 730, 740] {
            baselines.see(&id("a"), &reading(95.0, &["/"]), at(minute));
            assert!((cpu(&baselines) - 75.0).abs() < 0.01, "{}", cpu(&baselines));
        }
        let reboot = baselines
            .one(&id("a"), "reboot_required", None)
            .expect("known");
        assert_eq!(reboot.baseline.usual_word(), Some(("no", 1.0)));
        assert_eq!(reboot.distance(), None);
    }

    #[test]
    fn what_is_kept_is_restored_and_what_was_learnt_since_stays() {
        let mut baselines = Baselines::default();
        taught(&mut baselines, "a", 12, &["/", "/var"]);
        let [(target, bytes)] = &baselines.dirty()[..] else {
            panic!("one target")
        };
        assert_eq!(target, &id("a"));
        let mut restored = Baselines::default();
        restored.see(&id("a"), &reading(20.0, &["/new"]), at(730));
        restored.restore(&id("a"), bytes);
        assert_eq!(subjects(&restored, "a"), ["/", "/new", "/var"]);
        let cpu = |all: &Baselines| all.one(&id("a"), "cpu_percent", None).cloned();
        let (before, after) = (cpu(&baselines), cpu(&restored));
        assert_eq!(
            before.map(|known| known.baseline),
            after.map(|known| known.baseline)
        );
        // What is older than what is known changes nothing.
        taught(&mut restored, "a", 24, &["/"]);
        let count = |all: &Baselines| cpu(all).map(|known| known.baseline.count());
        let learnt = count(&restored);
        restored.restore(&id("a"), bytes);
        assert_eq!(count(&restored), learnt);
        // Damage costs what is damaged.
        for length in 0..bytes.len() {
            let mut hurt = Baselines::default();
            hurt.restore(&id("a"), &bytes[..length]);
            assert!(hurt.of(&id("a")).len() < 4);
        }
    }

    #[test]
    fn it_is_kept_each_five_minutes_at_most_and_again_where_it_was_refused() {
        let mut baselines = Baselines::default();
        let mut kept = 0;
        for second in 0..3_600 {
            let now = at(0) + TimeDelta::seconds(second);
            baselines.see(&id("a"), &reading(20.0, &[]), now);
            kept += baselines.due(now, 10).len();
        }
        assert_eq!(kept, 11);
        assert_eq!(baselines.dirty().len(), 1);
        assert!(baselines.due(at(600), 10).is_empty(), "nothing is new");
        baselines.keep_anew(&id("a"), at(600));
        assert!(baselines.due(at(604), 10).is_empty());
        assert_eq!(baselines.due(at(605), 10).len(), 1);
        baselines.keep_everything(at(605));
        baselines.forget(&id("a"));
        assert!(baselines.dirty().is_empty(), "it has left");
        assert!(baselines.of(&id("a")).is_empty());
    }

    #[test]
    fn what_is_not_seen_for_two_weeks_is_forgotten() {
        let mut baselines = Baselines::default();
        taught(&mut baselines, "a", 1, &["/", "/old"]);
        for day in 1..=15 {
            baselines.see(&id("a"), &reading(20.0, &["/"]), at(day * 1_440));
            baselines.dirty();
        }
        assert_eq!(subjects(&baselines, "a"), ["/"]);
    }

    #[test]
    fn a_metric_has_at_most_so_many_subjects() {
        let names = |from: usize, count: usize| -> Vec<String> {
            (from..from + count)
                .map(|number| format!("{number:04}"))
                .collect()
        };
        let mut baselines = Baselines::default();
        let mut see = |names: &[String], minute: i64| {
            let disks: Vec<&str> = names.iter().map(String::as_str).collect();
            baselines.see(&id("a"), &reading(20.0, &disks), at(minute));
            subjects(&baselines, "a")
        };
        let first = names(0, 200);
        assert_eq!(see(&names(0, 300), 0), first);
        assert_eq!(see(&names(100, 300), 60), first, "nobody is pushed out");
        // Those of yesterday make room.
        let later = see(&names(100, 300), 1_500);
        assert_eq!(later, names(100, 200));
    }

    #[test]
    fn names_that_are_not_in_use_are_forgotten() {
        let mut baselines = Baselines::default();
        for day in 0..200_i64 {
            let names: Vec<String> = (0..150).map(|number| format!("{day}-{number}")).collect();
            let disks: Vec<&str> = names.iter().map(String::as_str).collect();
            baselines.see(&id("a"), &reading(20.0, &disks), at(day * 3_000));
        }
        assert!(
            baselines.names.len() <= NAMES_STEP + 500,
            "{}",
            baselines.names.len()
        );
    }

    #[test]
    fn a_metric_takes_little_memory() {
        assert!(size_of::<Known>() <= 240, "{}", size_of::<Known>());
        let mut baselines = Baselines::default();
        taught(&mut baselines, "a", 1, &["/", "/var"]);
        let target = &baselines.targets[&id("a")];
        assert_eq!(target.known.len(), 4);
        assert_eq!(target.known.capacity(), 4, "nothing is held for later");
        taught(&mut baselines, "b", 1, &["/", "/var"]);
        assert_eq!(baselines.names.len(), 5, "names are shared");
    }
}
