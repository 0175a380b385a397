//! Who caused it, asked of 1,000 targets in trouble among 10,000, however they are related.

use std::time::Instant;

use anyhow::{Context as _, Result};
use chrono::TimeDelta;
use roundsman::analysis::correlate::{Glance, Measured, Suspect, Symptoms, Usual, groups};
use roundsman::model::{Blame, FailureKind, Status, Timestamp, Value};

use crate::figures::several;
use crate::measure::{Line, median, milliseconds};

const TARGETS: usize = 10_000;
const IN_TROUBLE: usize = 1_000;
const HOSTS: usize = 50;
const MOST_MS: f64 = 50.0;

/// How those in trouble are related.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Silent,
    Region,
    Homes,
    Chain,
    Unrelated,
}

impl Shape {
    fn suspect(self, number: usize) -> Suspect {
        let mut suspect = Suspect {
            target: format!("api_endpoints/target-{number:05}"),
            name: format!("target-{number:05}"),
            kind: "api_endpoints".to_owned(),
            home: Some(format!("target-{number:05}.example.com")),
            is_machine: false,
            groups: Vec::new(),
            parents: Vec::new(),
            symptoms: Symptoms::default(),
        };
        match self {
            Self::Silent => suspect.is_machine = true,
            Self::Region => suspect.groups.push("region eu-central-1".to_owned()),
            Self::Homes => {
                // One machine, and then what lives on it.
                let machine = number - number % (IN_TROUBLE / HOSTS);
                suspect.home = Some(format!("host-{machine:05}.example.com"));
                suspect.is_machine = number == machine;
                if number != machine {
                    let parent = format!("api_endpoints/target-{machine:05}");
                    suspect.parents.push(parent);
                }
            }
            Self::Chain => {
                let before = number.checked_sub(1);
                let parent = before.map(|before| format!("api_endpoints/target-{before:05}"));
                suspect.parents.extend(parent);
            }
            Self::Unrelated => {}
        }
        suspect
    }

    /// How it fails at last.
    fn failure(self, number: usize) -> FailureKind {
        match self {
            Self::Silent => FailureKind::TimedOut,
            Self::Region if number.is_multiple_of(2) => FailureKind::TimedOut,
            _ => FailureKind::Unexpected,
        }
    }

    /// How long after the first it was in trouble.
    fn delay(self, number: usize) -> TimeDelta {
        let number = i64::try_from(number).unwrap_or(0);
        match self {
            Self::Silent | Self::Region | Self::Homes => TimeDelta::seconds(number * 7 % 60),
            Self::Chain => TimeDelta::milliseconds(number * 500),
            Self::Unrelated => TimeDelta::minutes(number * 7 % 80),
        }
    }
}

/// A target that was well, then slow, and then failed.
fn look(suspect: &mut Suspect, began: Timestamp, kind: FailureKind, is_in_trouble: bool) {
    let usual = Usual::Number {
        centre: 120.0,
        spread: 20.0,
    };
    let mut see = |at: Timestamp, milliseconds: f64, failure| {
        let value = Value::Number(milliseconds);
        let measured = [Measured {
            metric: "response_time_ms",
            subject: None,
            value: &value,
            status: Status::Green,
            usual: Some(usual.clone()),
        }];
        suspect.see(&Glance {
            at,
            measured: if failure { &[] } else { &measured },
            gaps: &[],
            failure: failure.then_some((kind, Blame::Target, "no good answer")),
        });
    };
    see(began - TimeDelta::minutes(1), 120.0, false);
    if is_in_trouble {
        see(began, 900.0, false);
        see(began + TimeDelta::minutes(1), 0.0, true);
    }
}

fn picture(shape: Shape, began: Timestamp) -> Vec<Suspect> {
    let suspects = (0..TARGETS).map(|number| {
        let mut suspect = shape.suspect(number);
        let began = began + shape.delay(number);
        look(
            &mut suspect,
            began,
            shape.failure(number),
            number < IN_TROUBLE,
        );
        suspect
    });
    suspects.collect()
}

/// All five shapes; what comes of each is checked, so that nothing is fast because nothing is found.
pub(crate) fn figures() -> Result<Vec<Line>> {
    let began: Timestamp = "2026-11-21T09:00:00Z".parse().context("a time")?;
    let now = began + TimeDelta::minutes(85);
    let shapes = [
        (Shape::Silent, "1,000 hosts fall silent together", 1),
        (Shape::Region, "1,000 endpoints of one region", 1),
        (Shape::Homes, "50 hosts with 20 targets each", HOSTS),
        (Shape::Chain, "a chain of 1,000", 1),
        (Shape::Unrelated, "1,000 that are not related", IN_TROUBLE),
    ];
    let mut lines = Vec::new();
    for (shape, name, wanted) in shapes {
        let suspects = picture(shape, began);
        let times = several(|| {
            let began = Instant::now();
            let groups = groups(&suspects, now);
            let took = milliseconds(began.elapsed());
            let told = groups.iter().map(|group| group.suspects.len());
            anyhow::ensure!(
                told.sum::<usize>() == IN_TROUBLE && groups.len() == wanted,
                "{shape:?}: {} groups",
                groups.len()
            );
            Ok(took)
        })?;
        lines.push(Line::at_most(name, median(times), "ms", MOST_MS));
    }
    Ok(lines)
}
