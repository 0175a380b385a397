//! The guard told as timelines: looks come in, the network is asked, and each look leaves as it was or as UNKNOWN.

mod answers;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use super::Watched;
use super::silences::Word;
use super::state::State;
use crate::clients::net::own_network::Standing;
use crate::model::{
    Blame, Failure, FailureKind, Observation, Reading, RoundEnd, RoundEvent, Status, TargetId,
    Timestamp,
};

fn id(name: &str) -> TargetId {
    TargetId {
        kind: "api_endpoints",
        name: name.into(),
    }
}

/// Targets `target@host`; one without a host is this machine.
fn watched(names: &[&'static str], is_on: bool) -> Arc<Watched> {
    let outside = names.iter().filter_map(|name| {
        let (_, host) = name.split_once('@')?;
        Some((id(name), host.to_owned()))
    });
    Arc::new(Watched::new(outside, Vec::new(), is_on))
}

struct Story {
    state: State,
    start: Timestamp,
    ready: Vec<RoundEvent>,
}

fn down() -> Standing {
    Standing::Down(vec!["the gateway is gone".to_owned()])
}

impl Story {
    fn of(names: &[&'static str]) -> Self {
        Self {
            state: State::new(watched(names, true)),
            start: Timestamp::default(),
            ready: Vec::new(),
        }
    }

    fn at(&self, seconds: i64) -> Timestamp {
        self.start + TimeDelta::seconds(seconds)
    }

    fn look(&mut self, name: &str, from: i64, to: i64, outcome: Result<Reading, Failure>) {
        let observation = Observation {
            target: id(name),
            at: self.at(from),
            took: Duration::from_secs(to.abs_diff(from)),
            outcome,
            trace: tracing::Span::none(),
        };
        let now = self.at(to);
        let event = RoundEvent::Seen(Box::new(observation));
        self.state.take(event, now, &mut self.ready);
    }

    /// A look that got no answer.
    fn silent(&mut self, name: &str, from: i64, to: i64) {
        let failure = Failure::new(FailureKind::TimedOut, format!("{name} is silent"));
        self.look(name, from, to, Err(failure.hint("look at it")));
    }

    fn answered(&mut self, name: &str, from: i64, to: i64) {
        self.look(name, from, to, Ok(Reading::default()));
    }

    fn round_ended(&mut self, from: i64, to: i64) {
        let end = RoundEnd {
            group: 0,
            id: "round".to_owned(),
            started_at: self.at(from),
            took: Duration::from_secs(to.abs_diff(from)),
            looks: 0,
            skipped: 0,
            unfinished: 0,
            missed: 0,
            next_at: None,
        };
        let now = self.at(to);
        self.state
            .take(RoundEvent::Ended(end), now, &mut self.ready);
    }

    #[track_caller]
    fn found_out(&mut self, standing: Standing, at: i64) {
        assert!(self.state.is_asking(), "nobody wants to know");
        let now = self.at(at);
        self.state.found_out(standing, now, &mut self.ready);
    }

    /// What was passed on since this was asked last: `a RED`.
    fn passed(&mut self) -> Vec<String> {
        let word = |event: RoundEvent| match event {
            RoundEvent::Seen(seen) => {
                let status = seen.outcome.as_ref().err().map(Failure::status);
                format!("{} {}", seen.target.name, status.unwrap_or(Status::Green))
            }
            RoundEvent::Ended(_) => "ended".to_owned(),
        };
        self.ready.drain(..).map(word).collect()
    }
}

const FOUR: [&str; 4] = ["a@198.51.100.1", "b@198.51.100.2", "c@198.51.100.3", "here"];
const A: &str = FOUR[0];
const B: &str = FOUR[1];
const C: &str = FOUR[2];
const HERE: &str = FOUR[3];

#[test]
fn three_hosts_that_fall_silent_with_the_gateway_are_unknown() {
    let mut story = Story::of(&FOUR);
    story.silent(A, 0, 10);
    assert!(story.state.is_asking());
    story.answered(HERE, 0, 10);
    story.silent(B, 1, 11);
    story.silent(C, 2, 12);
    story.round_ended(0, 12);
    assert_eq!(story.passed(), ["here GREEN"], "nobody else is held");
    story.found_out(down(), 13);
    assert_eq!(
        story.passed(),
        [
            "a@198.51.100.1 UNKNOWN",
            "b@198.51.100.2 UNKNOWN",
            "c@198.51.100.3 UNKNOWN",
            "ended"
        ],
        "the round ends behind its looks"
    );
    let outage = story.state.outage().expect("an outage");
    assert_eq!((outage.since, outage.until), (story.at(0), None));
    // What comes soon after asks nobody.
    story.silent(A, 7, 17);
    assert!(!story.state.is_asking());
    assert_eq!(story.passed(), ["a@198.51.100.1 UNKNOWN"]);
    // Later it is asked again, and the look waits for that.
    story.silent(A, 20, 30);
    assert_eq!(story.passed(), [""; 0]);
    story.found_out(down(), 33);
    assert_eq!(story.passed(), ["a@198.51.100.1 UNKNOWN"]);
}

#[test]
fn what_is_turned_says_why_and_keeps_what_was_said() {
    let mut story = Story::of(&FOUR);
    for name in [A, B, C] {
        story.silent(name, 0, 10);
    }
    story.found_out(down(), 13);
    let Some(RoundEvent::Seen(seen)) = story.ready.first() else {
        panic!("a look");
    };
    let failure = seen.outcome.as_ref().expect_err("a failure");
    assert_eq!(
        (failure.kind, failure.blame, failure.by_choice),
        (FailureKind::Ours, Blame::Ours, false)
    );
    insta::assert_snapshot!(failure.message, @"our own network is down (the gateway is gone), so that nothing is known of the target; the look itself said: a@198.51.100.1 is silent");
    assert!(failure.hint.is_some());
}

#[test]
fn too_few_hosts_stay_red() {
    for (what, names) in [
        (
            "two hosts",
            ["a@198.51.100.1", "b@198.51.100.2", "b2@198.51.100.2"],
        ),
        (
            "one host",
            ["a@198.51.100.1", "a2@198.51.100.1", "a3@198.51.100.1"],
        ),
    ] {
        // There is a third and a fourth that is not looked at now.
        let mut all = names.to_vec();
        all.extend(["other@198.51.100.8", "another@198.51.100.9"]);
        let mut story = Story::of(&all);
        for name in names {
            story.silent(name, 0, 10);
        }
        story.found_out(down(), 13);
        let passed = story.passed();
        assert_eq!(passed.len(), 3, "{what}");
        assert!(passed.iter().all(|one| one.ends_with("RED")), "{passed:?}");
        assert!(story.state.outage().is_none(), "{what}");
    }
}

#[test]
fn where_fewer_than_three_hosts_are_watched_nobody_is_asked() {
    let mut story = Story::of(&[A, B, "b2@198.51.100.2"]);
    for name in [A, B, "b2@198.51.100.2"] {
        story.silent(name, 0, 10);
    }
    assert!(!story.state.is_asking());
    assert_eq!(story.passed().len(), 3);
}

#[test]
fn hosts_that_are_down_while_the_network_answers_stay_red() {
    for standing in [Standing::Up, Standing::Unsure] {
        let mut story = Story::of(&FOUR);
        for name in [A, B, C] {
            story.silent(name, 0, 10);
        }
        story.found_out(standing.clone(), 10);
        let red = [
            "a@198.51.100.1 RED",
            "b@198.51.100.2 RED",
            "c@198.51.100.3 RED",
        ];
        assert_eq!(story.passed(), red, "{standing:?}");
        // The answer is believed for a while.
        story.silent(A, 10, 14);
        assert!(!story.state.is_asking());
        assert_eq!(story.passed(), red[..1]);
    }
}

#[test]
fn silences_count_together_by_the_length_of_a_round() {
    const HOUR: i64 = 3_600;
    let mut story = Story::of(&FOUR);
    for (name, hour) in [(A, 0), (B, 6), (C, 12)] {
        let begins = hour * HOUR;
        story.silent(name, begins, begins + 10);
        story.found_out(down(), begins + 13);
        assert!(story.passed()[0].ends_with("RED"), "they are hours apart");
        story.round_ended(begins, begins + 10);
        story.passed();
    }
    // Looks of a round that takes half an hour count together.
    let begins = 18 * HOUR;
    story.round_ended(begins - 1_800, begins);
    story.passed();
    for (name, minutes) in [(A, 0), (B, 8), (C, 16)] {
        let begins = begins + minutes * 60;
        story.silent(name, begins, begins + 10);
        story.found_out(down(), begins + 13);
    }
    assert!(story.state.is_down());
    assert_eq!(
        story.passed().pop().as_deref(),
        Some("c@198.51.100.3 UNKNOWN")
    );
}

#[test]
fn a_storm_of_failures_asks_once() {
    let names: Vec<&'static str> = (0..500)
        .map(|index| &*format!("t@host-{index}.example.com").leak())
        .collect();
    let mut story = Story::of(&names);
    for name in &names[..250] {
        story.silent(name, 0, 10);
    }
    assert_eq!(story.passed(), [""; 0]);
    story.found_out(down(), 13);
    assert_eq!(story.passed().len(), 250);
    for name in &names[250..] {
        story.silent(name, 0, 14);
    }
    assert!(!story.state.is_asking());
    let passed = story.passed();
    assert_eq!(passed.len(), 250);
    assert!(passed.iter().all(|one| one.ends_with("UNKNOWN")));
}

#[test]
fn looks_at_one_target_keep_their_order() {
    let mut story = Story::of(&[A, B, C]);
    story.silent(A, 0, 10);
    story.look(
        A,
        11,
        12,
        Err(Failure::new(FailureKind::Denied, "no entry")),
    );
    story.silent(A, 12, 12);
    assert_eq!(story.passed(), [""; 0]);
    story.found_out(Standing::Up, 13);
    assert_eq!(
        story.passed(),
        [
            "a@198.51.100.1 RED",
            "a@198.51.100.1 UNKNOWN",
            "a@198.51.100.1 RED"
        ]
    );
}

#[test]
fn a_failure_says_whether_somebody_answered() {
    let word = |outcome| {
        Word::of(&Observation {
            target: id("a"),
            at: Timestamp::default(),
            took: Duration::ZERO,
            outcome,
            trace: tracing::Span::none(),
        })
    };
    for (kind, expected) in [
        (FailureKind::Unreachable, Word::Silent),
        (FailureKind::TimedOut, Word::Silent),
        (FailureKind::Missing, Word::Answered),
        (FailureKind::Unexpected, Word::Answered),
        (FailureKind::Denied, Word::Nothing),
        (FailureKind::Throttled, Word::Nothing),
        (FailureKind::Ours, Word::Nothing),
    ] {
        assert_eq!(word(Err(Failure::new(kind, ""))), expected, "{kind}");
        let ours = Failure {
            blame: Blame::Ours,
            ..Failure::new(kind, "")
        };
        assert_eq!(word(Err(ours)), Word::Nothing, "{kind}");
    }
    assert_eq!(word(Ok(Reading::default())), Word::Answered);
}
