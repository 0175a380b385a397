//! What is to be done next: rounds that begin, looks that are due. Pure: the time is an argument, and it may jump.
//!
//! Every distinct timetable has rounds of its own. With a cron entry a round begins at its times, and the looks follow
//! within [`cron_spread`], critical targets first. At equal distances a round is the time between two beginnings, and
//! each target has its place in it, which hangs on its name alone: so the load is even, and a target keeps its place
//! over restarts and reloads.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use super::{Timetable, share};
use crate::model::{TargetId, Timestamp};

/// Which group of targets with the same timetable.
pub type GroupIndex = usize;

/// A target on the agenda.
#[derive(Debug, Clone, PartialEq)]
pub struct Appointment {
    /// Who.
    pub target: TargetId,
    /// Whether it is looked at first.
    pub critical: bool,
    /// When it is looked at; an index into the timetables.
    pub group: GroupIndex,
    /// Targets of a group with the same text are looked at at the same time.
    pub together: Option<Arc<str>>,
}

/// What is due.
#[derive(Debug, Clone, PartialEq)]
pub enum Due {
    /// A round of this group begins; so many looks belong to it. The round before it is over.
    Round {
        /// Which group.
        group: GroupIndex,
        /// When it was to begin.
        at: Timestamp,
        /// How many looks will follow.
        looks: usize,
        /// How many rounds were missed before it.
        missed: u64,
    },
    /// A look.
    Look {
        /// At whom.
        target: TargetId,
        /// When it was to begin.
        at: Timestamp,
        /// Whether it belongs to the round of its group; otherwise it was asked for in between.
        of_round: bool,
        /// See [`Appointment::together`].
        together: Option<Arc<str>>,
    },
}

/// How the clock moved while nobody looked at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jump {
    /// It was set forward, or the machine slept.
    Forward(Duration),
    /// It was set back.
    Back(Duration),
}

/// A clock that is this far from where it should be was set.
const TOLERANCE: TimeDelta = TimeDelta::seconds(2);

/// The first round begins at once: its looks follow within this, or within the distance of two rounds if that is less.
const FIRST_SPREAD: Duration = Duration::from_secs(10);

/// Over which part of the time between two rounds their looks are spread; the rest is for the last to end in.
const EVERY_SPREAD: f64 = 0.8;

/// How long the looks of a cron round are spread per target, and at most.
const SPREAD_PER_TARGET: Duration = Duration::from_millis(20);
const LONGEST_SPREAD: Duration = Duration::from_mins(1);

/// Over how long the looks of a round with so many targets are spread.
#[must_use]
pub fn cron_spread(targets: usize) -> Duration {
    let targets = u32::try_from(targets).unwrap_or(u32::MAX);
    SPREAD_PER_TARGET
        .saturating_mul(targets)
        .min(LONGEST_SPREAD)
}

#[derive(Debug)]
struct Group {
    timetable: Timetable,
    anchor: Timestamp,
    /// Critical ones first, then by their shares.
    members: Vec<usize>,
    /// When the next round begins.
    next: Option<Timestamp>,
}

#[derive(Debug)]
struct Slot {
    appointment: Appointment,
    /// Its place among its group, from 0 to 1.
    share: f64,
    /// The next look that belongs to a round.
    regular: Option<Timestamp>,
    /// A look that was asked for in between.
    extra: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    // Before the looks: a round begins before its first look.
    Round(GroupIndex),
    Look(usize),
}

/// What is to be done, in order.
#[derive(Debug)]
pub struct Agenda {
    groups: Vec<Group>,
    slots: Vec<Slot>,
    by_target: HashMap<TargetId, usize>,
    /// An item counts only while its group or its target says the same time.
    heap: BinaryHeap<Reverse<(Timestamp, Item)>>,
    jitter: Duration,
    /// The time when it was last asked for.
    seen: Timestamp,
}

impl Agenda {
    /// An agenda whose first round begins now, if `at_once`. Look-alikes of `before` keep their times.
    #[must_use]
    pub fn new(
        timetables: &[Timetable],
        appointments: Vec<Appointment>,
        jitter: Duration,
        now: Timestamp,
        at_once: bool,
        before: Option<&Self>,
    ) -> Self {
        let mut agenda = Self {
            groups: Vec::with_capacity(timetables.len()),
            slots: Vec::with_capacity(appointments.len()),
            by_target: HashMap::with_capacity(appointments.len()),
            heap: BinaryHeap::new(),
            jitter,
            seen: now,
        };
        for timetable in timetables {
            let kept = before.and_then(|before| {
                before
                    .groups
                    .iter()
                    .find(|group| group.timetable == *timetable)
            });
            let anchor = kept.map_or(now, |group| group.anchor);
            agenda.groups.push(Group {
                timetable: timetable.clone(),
                anchor,
                members: Vec::new(),
                next: kept.map_or_else(|| timetable.next_after(anchor, now), |group| group.next),
            });
        }
        for appointment in appointments {
            agenda.add(appointment);
        }
        for index in 0..agenda.groups.len() {
            agenda.order_members(index);
            // The first is the round of all; another without targets is there for its times alone.
            let group = &mut agenda.groups[index];
            if before.is_none() && at_once && (index == 0 || !group.members.is_empty()) {
                group.next = Some(now);
            }
        }
        if let Some(before) = before {
            agenda.keep_times(before, now);
        }
        agenda.fill_heap();
        agenda
    }

    fn add(&mut self, appointment: Appointment) {
        let index = self.slots.len();
        self.by_target.insert(appointment.target.clone(), index);
        if let Some(group) = self.groups.get_mut(appointment.group) {
            group.members.push(index);
        }
        self.slots.push(Slot {
            share: match &appointment.together {
                Some(together) => share(together, 0),
                None => share(&appointment.target.to_string(), 0),
            },
            appointment,
            regular: None,
            extra: None,
        });
    }

    fn order_members(&mut self, group: GroupIndex) {
        let slots = &self.slots;
        let order = |index: &usize| {
            let slot = &slots[*index];
            (!slot.appointment.critical, slot.share)
        };
        self.groups[group].members.sort_by(|one, other| {
            let (one, other) = (order(one), order(other));
            one.0.cmp(&other.0).then(one.1.total_cmp(&other.1))
        });
    }

    /// Targets whose timetable is the same go on as before; new ones are looked at soon.
    fn keep_times(&mut self, before: &Self, now: Timestamp) {
        for slot in &mut self.slots {
            let timetable = &self.groups[slot.appointment.group].timetable;
            let known = before.by_target.get(&slot.appointment.target);
            let known = known
                .map(|index| &before.slots[*index])
                .filter(|known| before.groups[known.appointment.group].timetable == *timetable);
            match known {
                Some(known) => {
                    slot.regular = known.regular;
                    slot.extra = known.extra;
                }
                None => {
                    slot.extra = Some(now + delta(FIRST_SPREAD.mul_f64(slot.share)));
                }
            }
        }
    }

    fn fill_heap(&mut self) {
        self.heap.clear();
        for (index, group) in self.groups.iter().enumerate() {
            self.heap
                .extend(group.next.map(|at| Reverse((at, Item::Round(index)))));
        }
        for (index, slot) in self.slots.iter().enumerate() {
            let times = slot.regular.into_iter().chain(slot.extra);
            self.heap
                .extend(times.map(|at| Reverse((at, Item::Look(index)))));
        }
    }

    /// When something is due next.
    pub fn next_at(&mut self) -> Option<Timestamp> {
        while let Some(Reverse((at, item))) = self.heap.peek() {
            if self.is_current(*at, *item) {
                return Some(*at);
            }
            self.heap.pop();
        }
        None
    }

    fn is_current(&self, at: Timestamp, item: Item) -> bool {
        match item {
            Item::Round(group) => self.groups[group].next == Some(at),
            Item::Look(slot) => {
                let slot = &self.slots[slot];
                slot.regular == Some(at) || slot.extra == Some(at)
            }
        }
    }

    /// When the next round of a group begins.
    #[must_use]
    pub fn next_round(&self, group: GroupIndex) -> Option<Timestamp> {
        self.groups.get(group).and_then(|group| group.next)
    }

    /// Which group a target belongs to.
    #[must_use]
    pub fn group_of(&self, target: &TargetId) -> Option<GroupIndex> {
        let slot = self.by_target.get(target).map(|index| &self.slots[*index]);
        slot.map(|slot| slot.appointment.group)
    }

    /// How many looks of the running round of a group have not begun.
    #[must_use]
    pub fn pending(&self, group: GroupIndex) -> usize {
        let members = self
            .groups
            .get(group)
            .map_or(&[][..], |group| &group.members);
        let is_pending = |index: &&usize| self.slots[**index].regular.is_some();
        members.iter().filter(is_pending).count()
    }

    /// The timetable of a group.
    #[must_use]
    pub fn timetable(&self, group: GroupIndex) -> Option<&Timetable> {
        self.groups.get(group).map(|group| &group.timetable)
    }

    /// Asks for a look in between, at that time, unless one is due before it anyway.
    pub fn ask(&mut self, target: &TargetId, at: Timestamp) {
        let Some(&index) = self.by_target.get(target) else {
            return;
        };
        let slot = &mut self.slots[index];
        // So that those that are asked for shortly after each other are looked at together.
        let at = match &slot.appointment.together {
            Some(_) => whole_second_from(at),
            None => at,
        };
        let sooner = |known: Option<Timestamp>| known.is_some_and(|known| known <= at);
        if sooner(slot.regular) || sooner(slot.extra) {
            return;
        }
        slot.extra = Some(at);
        self.heap.push(Reverse((at, Item::Look(index))));
    }

    /// Says how long ago, by a clock that nobody can set, the agenda was last asked; gives the jump of the wall clock
    /// since. After a jump back, what was to be done at equal distances comes after the same waiting as before.
    pub fn notice_jump(&mut self, now: Timestamp, elapsed: Duration) -> Option<Jump> {
        let expected = self.seen + delta(elapsed);
        let moved = now - expected;
        self.seen = now;
        if moved.abs() <= TOLERANCE {
            return None;
        }
        if moved > TimeDelta::zero() {
            return Some(Jump::Forward(moved.to_std().unwrap_or_default()));
        }
        for group in &mut self.groups {
            match &group.timetable {
                Timetable::Every(_) => {
                    group.anchor += moved;
                    group.next = group.next.map(|at| at + moved);
                }
                Timetable::Cron(cron, zone) => group.next = cron.next_after(now, *zone),
            }
        }
        for slot in &mut self.slots {
            slot.regular = slot.regular.map(|at| at + moved);
            slot.extra = slot.extra.map(|at| at + moved);
        }
        self.fill_heap();
        Some(Jump::Back(moved.abs().to_std().unwrap_or_default()))
    }

    /// All that is due by now, in order.
    pub fn take_due(&mut self, now: Timestamp) -> Vec<Due> {
        let mut due = Vec::new();
        while let Some(at) = self.next_at().filter(|at| *at <= now) {
            let Some(Reverse((_, item))) = self.heap.pop() else {
                break;
            };
            match item {
                Item::Round(group) => due.push(self.begin_round(group, at, now)),
                Item::Look(index) => due.push(self.take_look(index, at, now)),
            }
        }
        due
    }

    fn take_look(&mut self, index: usize, at: Timestamp, now: Timestamp) -> Due {
        let slot = &mut self.slots[index];
        let of_round = slot.regular == Some(at);
        if of_round {
            slot.regular = None;
            // Both at once would be one look too many.
            slot.extra = slot.extra.filter(|extra| *extra > now);
        } else {
            slot.extra = None;
        }
        Due::Look {
            target: slot.appointment.target.clone(),
            at,
            of_round,
            together: slot.appointment.together.clone(),
        }
    }

    fn begin_round(&mut self, index: GroupIndex, at: Timestamp, now: Timestamp) -> Due {
        let group = &mut self.groups[index];
        let first = group.next == Some(group.anchor);
        let next = group.timetable.next_after(group.anchor, at);
        // Times that have passed meanwhile: the machine slept, or the clock was set.
        let mut missed = 0;
        let mut following = next;
        if next.is_some_and(|next| next <= now) {
            missed = missed_between(&group.timetable, at, now);
            following = group.timetable.next_after(group.anchor, now);
        }
        group.next = following;
        let begin = if missed > 0 { now } else { at };
        let members = std::mem::take(&mut group.members);
        let every = match group.timetable {
            Timetable::Every(every) => Some(every),
            Timetable::Cron(..) => None,
        };
        let spread = match every {
            Some(every) if first => FIRST_SPREAD.min(every / 2),
            Some(every) => every.mul_f64(EVERY_SPREAD),
            None => cron_spread(members.len()),
        };
        let count = members.len();
        let mut first_of: HashMap<Arc<str>, usize> = HashMap::new();
        for (rank, member) in members.iter().enumerate() {
            let slot = &mut self.slots[*member];
            let together = slot.appointment.together.clone();
            let rank = together.map_or(rank, |key| *first_of.entry(key).or_insert(rank));
            let place = if every.is_some() && !first {
                slot.share
            } else {
                rank_share(rank, count)
            };
            let seed = begin.timestamp().cast_unsigned();
            let jitter = self.jitter.mul_f64(match &slot.appointment.together {
                Some(together) => share(together, seed),
                None => share(&slot.appointment.target.name, seed),
            });
            let look_at = begin + delta(spread.mul_f64(place) + jitter);
            slot.regular = Some(look_at);
            self.heap.push(Reverse((look_at, Item::Look(*member))));
            // Its place in the next round is far away: one look more, at its place in this one.
            if let Some(every) = every.filter(|_| first && slot.share >= 0.5) {
                let extra = begin + delta(every.mul_f64(EVERY_SPREAD * slot.share));
                slot.extra = Some(extra);
                self.heap.push(Reverse((extra, Item::Look(*member))));
            }
        }
        self.groups[index].members = members;
        self.heap
            .extend(following.map(|at| Reverse((at, Item::Round(index)))));
        Due::Round {
            group: index,
            at: begin,
            looks: count,
            missed,
        }
    }
}

/// The same time, or the next at which a second begins.
fn whole_second_from(at: Timestamp) -> Timestamp {
    let past = TimeDelta::nanoseconds(i64::from(at.timestamp_subsec_nanos()));
    if past.is_zero() {
        at
    } else {
        at - past + TimeDelta::seconds(1)
    }
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "a list of targets is short")]
fn rank_share(rank: usize, count: usize) -> f64 {
    rank as f64 / count.max(1) as f64
}

/// How many times of the timetable lie after `at`, up to `now`, but for the last, which is made up for.
fn missed_between(timetable: &Timetable, at: Timestamp, now: Timestamp) -> u64 {
    /// More are not counted one by one.
    const MOST: u64 = 100_000;
    match timetable {
        Timetable::Every(every) => {
            let every_ms = every.as_millis().max(1);
            let passed = (now - at).num_milliseconds().max(0).unsigned_abs();
            u64::try_from(u128::from(passed) / every_ms).unwrap_or(MOST)
        }
        Timetable::Cron(cron, zone) => {
            let mut count = 0;
            let mut time = at;
            while let Some(next) = cron.next_after(time, *zone) {
                if next > now || count >= MOST {
                    break;
                }
                count += 1;
                time = next;
            }
            count
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn every(seconds: u64) -> Timetable {
        Timetable::Every(Duration::from_secs(seconds))
    }

    fn cron(entry: &str) -> Timetable {
        let entry = entry.parse().expect("an entry");
        Timetable::Cron(Box::new(entry), chrono_tz::UTC)
    }

    fn target(name: &str) -> TargetId {
        TargetId {
            kind: "api_endpoints",
            name: name.into(),
        }
    }

    fn appointments(names: &[&str]) -> Vec<Appointment> {
        let one = |name: &&str| Appointment {
            target: target(name),
            critical: name.starts_with("vital"),
            group: 0,
            together: name.starts_with("batch").then(|| "batch".into()),
        };
        names.iter().map(one).collect()
    }

    fn agenda(timetable: Timetable, names: &[&str], now: Timestamp) -> Agenda {
        Agenda::new(
            &[timetable],
            appointments(names),
            Duration::ZERO,
            now,
            true,
            None,
        )
    }

    /// A story: what happens until then, one line for each, by a clock that goes right.
    fn story(agenda: &mut Agenda, until: Timestamp) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(now) = agenda.next_at().filter(|next| *next <= until) {
            for due in agenda.take_due(now) {
                lines.push(match due {
                    Due::Round { looks, missed, .. } => {
                        let missed = match missed {
                            0 => String::new(),
                            missed => format!(", {missed} missed"),
                        };
                        format!("{} round of {looks}{missed}", now.format("%H:%M:%S"))
                    }
                    Due::Look {
                        target, of_round, ..
                    } => {
                        let extra = if of_round { "" } else { " in between" };
                        format!("{} {}{extra}", now.format("%H:%M:%S"), target.name)
                    }
                });
            }
        }
        lines
    }

    #[test]
    fn a_round_begins_at_once_and_the_critical_come_first() {
        let now = at("2026-11-21T09:10:00Z");
        let mut agenda = agenda(cron("0 */6 * * *"), &["a", "b", "vital"], now);
        insta::assert_snapshot!(story(&mut agenda, at("2026-11-21T12:00:01Z")).join("\n"), @r"
        09:10:00 round of 3
        09:10:00 vital
        09:10:00 a
        09:10:00 b
        12:00:00 round of 3
        12:00:00 vital
        12:00:00 a
        12:00:00 b
        ");
    }

    #[test]
    fn at_equal_distances_every_target_has_its_place_and_no_two_looks_are_far_apart() {
        let now = at("2026-11-21T09:00:00Z");
        let names: Vec<String> = (0..200).map(|index| format!("shop-{index}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut agenda = agenda(every(60), &names, now);
        let mut looks: HashMap<TargetId, Vec<Timestamp>> = HashMap::new();
        let end = now + TimeDelta::minutes(10);
        while let Some(time) = agenda.next_at().filter(|time| *time < end) {
            for due in agenda.take_due(time) {
                if let Due::Look { target, .. } = due {
                    looks.entry(target).or_default().push(time);
                }
            }
        }
        assert_eq!(looks.len(), 200);
        for (target, times) in looks {
            assert!(times[0] < now + TimeDelta::seconds(10), "{target}");
            let gaps: Vec<i64> = (times.windows(2))
                .map(|pair| (pair[1] - pair[0]).num_milliseconds())
                .collect();
            assert!(gaps.iter().all(|gap| *gap <= 90_000), "{target}: {gaps:?}");
            assert!(
                gaps[2..].iter().all(|gap| (59_999..=60_001).contains(gap)),
                "{target}: {gaps:?}"
            );
        }
    }

    #[test]
    fn a_look_in_between_is_made_unless_one_is_due_before() {
        let now = at("2026-11-21T09:00:00Z");
        let mut agenda = agenda(cron("0 * * * *"), &["a"], now);
        story(&mut agenda, now);
        agenda.ask(&target("a"), now + TimeDelta::seconds(30));
        agenda.ask(&target("a"), now + TimeDelta::seconds(40));
        agenda.ask(&target("unknown"), now);
        insta::assert_snapshot!(story(&mut agenda, at("2026-11-21T09:59:00Z")).join("\n"), @"09:00:30 a in between");
        agenda.ask(&target("a"), at("2026-11-21T10:05:00Z"));
        story(&mut agenda, at("2026-11-21T10:00:00Z"));
        insta::assert_snapshot!(story(&mut agenda, at("2026-11-21T10:30:00Z")).join("\n"), @"10:05:00 a in between");
    }

    #[test]
    fn those_that_are_looked_at_together_are_due_at_the_same_time() {
        let now = at("2026-11-21T09:00:00Z");
        let names = ["batch-1", "a", "b", "batch-2", "c", "vital", "batch-3"];
        for timetable in [every(60), cron("* * * * *")] {
            let mut agenda = agenda(timetable, &names, now);
            let mut times: HashMap<Timestamp, usize> = HashMap::new();
            let end = now + TimeDelta::minutes(3);
            while let Some(time) = agenda.next_at().filter(|time| *time < end) {
                for due in agenda.take_due(time) {
                    if let Due::Look { target, .. } = due
                        && target.name.starts_with("batch")
                    {
                        *times.entry(time).or_default() += 1;
                    }
                }
            }
            assert!(times.len() >= 3, "{times:?}");
            assert!(times.values().all(|count| *count == 3), "{times:?}");
            // Asked for shortly after each other, by looks that ended one after the other.
            for (index, name) in ["batch-1", "batch-2", "batch-3"].iter().enumerate() {
                let after = TimeDelta::milliseconds(100 * i64::try_from(index).expect("small"));
                agenda.ask(&target(name), end + TimeDelta::milliseconds(100) + after);
            }
            let asked = ["batch-1", "batch-2", "batch-3"].map(|name| {
                let slot = &agenda.slots[agenda.by_target[&target(name)]];
                slot.extra.or(slot.regular)
            });
            assert!(asked.iter().all(|at| *at == asked[0]), "{asked:?}");
        }
    }

    #[test]
    fn asleep_for_hours_it_makes_up_for_one_round() {
        let now = at("2026-11-21T09:00:00Z");
        let mut agenda = agenda(cron("*/10 * * * *"), &["a"], now);
        story(&mut agenda, now);
        let woken = at("2026-11-21T12:05:00Z");
        assert_eq!(
            agenda.notice_jump(woken, Duration::from_secs(1)),
            Some(Jump::Forward(Duration::from_secs(3 * 3_600 + 299)))
        );
        let due = agenda.take_due(woken);
        assert_eq!(
            due,
            [
                Due::Round {
                    group: 0,
                    at: woken,
                    looks: 1,
                    missed: 17
                },
                Due::Look {
                    target: target("a"),
                    at: woken,
                    of_round: true,
                    together: None
                }
            ]
        );
        assert_eq!(agenda.next_at(), Some(at("2026-11-21T12:10:00Z")));
    }

    #[test]
    fn set_back_nothing_waits_for_the_old_time() {
        let now = at("2026-11-21T09:00:00Z");
        let back = at("2026-11-21T04:00:30Z");
        for (timetable, expected) in [
            (every(60), "2026-11-21T04:01:00Z"),
            (cron("*/10 * * * *"), "2026-11-21T04:10:00Z"),
        ] {
            let mut agenda = agenda(timetable, &["a"], now);
            story(&mut agenda, now);
            let jump = agenda.notice_jump(back, Duration::from_secs(30));
            assert_eq!(jump, Some(Jump::Back(Duration::from_hours(5))));
            assert_eq!(agenda.next_round(0), Some(at(expected)));
            assert!(agenda.next_at() <= Some(at(expected)));
        }
        let mut agenda = agenda(every(60), &["a"], now);
        assert_eq!(
            agenda.notice_jump(now + TimeDelta::seconds(31), Duration::from_secs(30)),
            None,
            "clocks that are slewed do not jump"
        );
    }

    #[test]
    fn after_a_reload_the_same_targets_keep_their_times_and_new_ones_come_soon() {
        let now = at("2026-11-21T09:00:00Z");
        let mut before = agenda(every(3_600), &["a", "b"], now);
        story(&mut before, now + TimeDelta::seconds(20));
        let later = at("2026-11-21T09:30:00Z");
        let mut after = Agenda::new(
            &[every(3_600)],
            appointments(&["a", "c"]),
            Duration::ZERO,
            later,
            true,
            Some(&before),
        );
        let lines = story(&mut after, at("2026-11-21T09:31:00Z"));
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].ends_with(" c in between"), "{lines:?}");
        assert_eq!(after.next_round(0), before.next_round(0));
    }

    #[test]
    fn jitter_puts_off_and_never_brings_forward() {
        let now = at("2026-11-21T09:00:00Z");
        let mut agenda = Agenda::new(
            &[cron("0 * * * *")],
            appointments(&["a", "b", "c", "d"]),
            Duration::from_secs(30),
            now,
            true,
            None,
        );
        let lines = story(&mut agenda, now + TimeDelta::seconds(31));
        assert_eq!(lines.len(), 5);
        assert!(
            lines[1..]
                .windows(2)
                .all(|pair| pair[0][..8] <= pair[1][..8])
        );
        assert_ne!(lines[1][..8], lines[4][..8]);
    }
}
