//! A digest that takes the place of one that never got out: it tells what changed since people were told last.

use std::collections::{BTreeMap, HashSet};

use super::names::Names;
use crate::model::{Change, Report, ReportTarget, Status};

/// A target's kind and name.
type Key = (String, String);

impl Report {
    /// This report in the place of `earlier`, which is the one before it, and which nobody got. Its changes are those
    /// since the report before both; what cancels out is not told. Missed rounds and skipped looks add up.
    ///
    /// Where a filter kept one of them from knowing how a target is, the other's change is told as it is.
    #[must_use]
    pub fn merged_over(mut self, earlier: &Self) -> Self {
        self.changes = changes_over(&self, earlier);
        let (round, before) = (&mut self.round, &earlier.round);
        round.missed_rounds = round.missed_rounds.saturating_add(before.missed_rounds);
        round.skipped_looks = round.skipped_looks.saturating_add(before.skipped_looks);
        self
    }
}

fn changes_over(newer: &Report, earlier: &Report) -> Vec<Change> {
    let key_of = |change: &Change| key_of(change, [newer, earlier]);
    // How targets were before both; `None`: not watched. Whoever is not in it is not known, or was not watched.
    let mut before: BTreeMap<Key, Option<Status>> = (earlier.targets.iter())
        .map(|target| (key(target), Some(target.status)))
        .collect();
    for change in &earlier.changes {
        before.insert(key_of(change), change.from);
    }
    let names = Names::among(
        (newer
            .targets
            .iter()
            .map(|target| (&target.kind, &target.name)))
        .chain((before.iter()).filter_map(|((kind, name), from)| from.map(|_| (kind, name))))
        .map(|(kind, name)| (kind.as_str(), name.as_str())),
    );
    let change = |(kind, name): &Key, from, to| Change {
        target: names.of(kind, name),
        from,
        to,
        kind: (!kind.is_empty()).then(|| kind.clone()),
        name: (!kind.is_empty()).then(|| name.clone()),
    };
    let mut changes = Vec::new();
    let mut present = HashSet::new();
    for target in &newer.targets {
        let key = key(target);
        let from = match before.get(&key) {
            Some(from) => Some(*from),
            None if earlier.complete => Some(None),
            None => None,
        };
        let to = Some(target.status);
        if let Some(from) = from.filter(|from| *from != to) {
            changes.push(change(&key, from, to));
        }
        present.insert(key);
    }
    if newer.complete {
        let gone = (before.iter()).filter(|(key, from)| from.is_some() && !present.contains(*key));
        changes.extend(gone.map(|(key, from)| change(key, *from, None)));
    } else {
        let unseen = (earlier.changes.iter()).filter(|change| !present.contains(&key_of(change)));
        changes.extend(unseen.cloned());
    }
    if !earlier.complete {
        let unseen = (newer.changes.iter()).filter(|change| !before.contains_key(&key_of(change)));
        changes.extend(unseen.cloned());
    }
    changes
}

fn key(target: &ReportTarget) -> Key {
    (target.kind.clone(), target.name.clone())
}

/// Whom a change is of.
fn key_of(change: &Change, reports: [&Report; 2]) -> Key {
    if let (Some(kind), Some(name)) = (&change.kind, &change.name) {
        return (kind.clone(), name.clone());
    }
    // It has only the name for people, which holds the kind where that is needed.
    let called = change.target.as_str();
    let is_meant = |target: &&ReportTarget| {
        let after_kind = called.strip_prefix(target.kind.as_str());
        let bare = after_kind.and_then(|rest| rest.strip_prefix('/'));
        called == target.name || bare == Some(&target.name)
    };
    let mut targets = reports.into_iter().flat_map(|report| &report.targets);
    let meant = targets.find(is_meant);
    meant.map_or_else(|| (String::new(), called.to_owned()), key)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::model::{DeliverySummary, SelfAlert};
    use crate::render::samples::{ENDPOINTS, SERVERS, Visit, at, report, round};

    /// How each target is: `web` of two kinds, so that its name alone does not tell them apart, and one whose name holds
    /// that of a kind.
    type World = BTreeMap<(bool, &'static str), Status>;

    const NAMES: [&str; 4] = ["web", "db", "vps_servers/web", "x/y"];

    fn told_of(world: &World, previous: Option<&Report>, complete: bool) -> Report {
        let visits: Vec<Visit> = (world.iter())
            .map(|((is_server, name), status)| {
                let spec = if *is_server { &SERVERS } else { &ENDPOINTS };
                let mut visit = Visit::green(spec, name, "09:00:01");
                visit.verdict.status = *status;
                visit
            })
            .collect();
        report(round("r", "09:00:00"), &visits, previous, complete)
    }

    fn world(text: &str) -> World {
        let statuses = text.split_whitespace().map(|one| {
            let (name, letter) = one.split_once('=').expect("name=letter");
            let name = NAMES.into_iter().find(|known| *known == name);
            let status = Status::ALL
                .into_iter()
                .find(|status| status.word().starts_with(letter));
            ((true, name.expect("a name")), status.expect("a status"))
        });
        statuses.collect()
    }

    fn in_words(changes: &[Change]) -> String {
        let word = |status: Option<Status>| status.map_or("-", Status::word);
        let changes = changes.iter().map(|change| {
            format!(
                "{} {} {}",
                change.target,
                word(change.from),
                word(change.to)
            )
        });
        changes.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn changes_are_told_since_the_last_report_that_people_got() {
        for (got, lost, newest, expected) in [
            ("web=G", "web=R", "web=R", "web GREEN RED"),
            ("web=G", "web=G", "web=R", "web GREEN RED"),
            ("web=G", "web=Y", "web=R", "web GREEN RED"),
            ("web=G", "web=R", "web=G", ""),
            ("web=R", "web=U", "web=G", "web RED GREEN"),
            ("", "web=G", "web=R", "web - RED"),
            ("", "web=R", "", ""),
            ("web=Y", "", "", "web YELLOW -"),
            ("web=Y", "web=R", "", "web YELLOW -"),
            ("web=Y", "", "web=Y", ""),
            ("web=Y", "", "web=G", "web YELLOW GREEN"),
            (
                "web=G db=G",
                "web=R db=G",
                "web=R db=Y x/y=G",
                "web GREEN RED, db GREEN YELLOW, x/y - GREEN",
            ),
        ] {
            let got = told_of(&world(got), None, true);
            let lost = told_of(&world(lost), Some(&got), true);
            let newest = told_of(&world(newest), Some(&lost), true);
            let merged = newest.merged_over(&lost);
            assert_eq!(in_words(&merged.changes), expected);
        }
    }

    #[test]
    fn a_filtered_report_hides_no_change_of_those_that_it_left_out() {
        let got = told_of(&world("web=G db=G"), None, true);
        let lost = told_of(&world("web=R db=R"), Some(&got), true);
        let only_web = told_of(&world("web=G"), Some(&lost), false);
        let merged = only_web.merged_over(&lost);
        assert_eq!(in_words(&merged.changes), "db GREEN RED");

        let only_web = told_of(&world("web=R"), Some(&got), false);
        let all = told_of(&world("web=R db=R"), Some(&only_web), true);
        let merged = all.merged_over(&only_web);
        assert_eq!(in_words(&merged.changes), "web GREEN RED");
    }

    #[test]
    fn what_was_missed_adds_up_and_the_rest_is_that_of_the_newer() {
        let alert = |message: &str| SelfAlert {
            message: message.to_owned(),
            hint: None,
        };
        let mut lost = told_of(&world("web=G"), None, true);
        (lost.round.missed_rounds, lost.round.skipped_looks) = (2, u64::MAX);
        lost.self_alerts = vec![alert("the disk is full")];
        lost.delivery = Some(DeliverySummary::default());
        let mut newest = told_of(&world("web=G"), Some(&lost), true);
        (newest.round.missed_rounds, newest.round.skipped_looks) = (3, 4);
        newest.round.id = "newest".to_owned();
        newest.self_alerts = vec![alert("the disk is locked")];
        newest.delivery = Some(DeliverySummary {
            waiting: 1,
            dead: 0,
            oldest_waiting_at: Some(at("02:10:00")),
        });
        let merged = newest.clone().merged_over(&lost);
        let mut expected = newest;
        (expected.round.missed_rounds, expected.round.skipped_looks) = (5, u64::MAX);
        assert_eq!(merged, expected);
    }

    #[test]
    fn changes_without_a_kind_are_found_by_the_name() {
        let got = told_of(&world("web=G db=G"), None, true);
        let mut lost = told_of(&world("web=R"), Some(&got), true);
        for change in &mut lost.changes {
            (change.kind, change.name) = (None, None);
        }
        let newest = told_of(&world("web=Y db=Y"), Some(&lost), true);
        let merged = newest.merged_over(&lost);
        assert_eq!(
            in_words(&merged.changes),
            "db GREEN YELLOW, web GREEN YELLOW"
        );
    }

    fn worlds() -> impl Strategy<Value = Vec<World>> {
        let key = (any::<bool>(), prop::sample::select(&NAMES[..]));
        let status = prop::sample::select(&Status::ALL[..]);
        let world = prop::collection::btree_map(key, status, 0..6);
        prop::collection::vec(world, 3..7)
    }

    proptest! {
        #[test]
        fn any_chain_tells_what_changed_from_the_first_to_the_last(worlds in worlds()) {
            let mut reports: Vec<Report> = Vec::new();
            for world in &worlds {
                let report = told_of(world, reports.last(), true);
                // As it lies in an outbox.
                let json = serde_json::to_string(&report).expect("JSON");
                reports.push(serde_json::from_str(&json).expect("a report"));
            }
            let [first, rest @ ..] = &reports[..] else { unreachable!("at least three") };
            let expected = told_of(&worlds[worlds.len() - 1], Some(first), true).changes;
            // Each over what waits, as the outbox does it.
            let one_by_one = rest.iter().cloned().reduce(|waiting, newer| newer.merged_over(&waiting));
            prop_assert_eq!(&one_by_one.expect("one").changes, &expected);
            // The newest over the others, back to the oldest.
            let newest_first = rest.iter().rev().cloned().reduce(|newer, older| newer.merged_over(&older));
            prop_assert_eq!(&newest_first.expect("one").changes, &expected);
        }
    }
}
