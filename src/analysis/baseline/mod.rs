//! What is usual for each metric of each target, learnt from the looks as they arrive.
//!
//! A [`Baseline`] is a fixed, small sum of a metric's past: no sample is kept, and none is read again. [`Baselines`] are
//! all that a daemon has. Why it is done like this: `docs/decisions/0021-baselines.md`.

mod all;
mod bytes;
mod gathered;
mod hours;
mod numbers;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod stories;
mod words;

pub use all::{Baselines, Known, read};

use crate::model::{Timestamp, Unit, Value};
use bytes::Reader;
use numbers::Numbers;
use words::Words;

/// So many looks are the least that something usual is told from: the spread of fewer values is too often half or twice
/// the true one.
pub const ENOUGH_LOOKS: u32 = 8;

/// And over so many hours: what happened in a shorter time may all have been one incident.
pub const ENOUGH_HOURS: u32 = 3;

/// The version of the bytes.
const VERSION: u8 = 1;

/// A look stands for no more time than this, however long none was made before or after it.
const MOST_HOURS: u32 = 12;

/// After so many hours half of what was learnt is forgotten.
const HALF_LIFE_HOURS: f64 = 120.0;

/// What is usual for one metric of one target, or of one part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    learnt: Learnt,
}

#[derive(Debug, Clone, PartialEq)]
enum Learnt {
    Numbers(Numbers),
    Words(Words),
}

/// What is usual at some time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usual {
    /// Where values lie.
    pub centre: f64,
    /// How far they lie from there, as a standard deviation of what is not far out. Never 0.
    pub spread: f64,
    /// How many looks taught it.
    pub count: u32,
}

impl Baseline {
    /// Nothing is known yet of a metric of that unit.
    #[must_use]
    pub fn new(unit: Unit) -> Self {
        let learnt = match unit {
            Unit::Flag | Unit::State => Learnt::Words(Words::default()),
            _ => Learnt::Numbers(Numbers::new(unit)),
        };
        Self { learnt }
    }

    /// Learns from a look. A value that is no number, or not of this metric's sort, teaches nothing.
    pub fn see(&mut self, value: &Value, at: Timestamp) {
        let second = second(at);
        match (&mut self.learnt, value) {
            (Learnt::Numbers(numbers), Value::Number(number)) => numbers.see(*number, second),
            (Learnt::Words(words), Value::Flag(_)) => words.see(&value.to_string(), second),
            (Learnt::Words(words), Value::State(word)) => words.see(word, second),
            _ => {}
        }
    }

    /// What is usual then. `None`: words, or too little was seen ([`ENOUGH_LOOKS`], [`ENOUGH_HOURS`]).
    #[must_use]
    pub fn usual(&self, at: Timestamp) -> Option<Usual> {
        match &self.learnt {
            Learnt::Numbers(numbers) => numbers.usual(second(at)),
            Learnt::Words(_) => None,
        }
    }

    /// How many spreads a value lies above what is usual then; less than 0: below.
    #[must_use]
    pub fn distance(&self, value: &Value, at: Timestamp) -> Option<f64> {
        let Value::Number(number) = value else {
            return None;
        };
        let usual = self.usual(at)?;
        number
            .is_finite()
            .then(|| (number - usual.centre) / usual.spread)
    }

    /// The word that is usual of late (`yes` and `no` for a flag; a long word's beginning), and the share of the time that
    /// it was seen. `None`: numbers, or too little was seen.
    #[must_use]
    pub fn usual_word(&self) -> Option<(&str, f64)> {
        match &self.learnt {
            Learnt::Words(words) => words.usual(),
            Learnt::Numbers(_) => None,
        }
    }

    /// For which share of the time a word was seen, 0 to 1. `None`: numbers, or too little was seen.
    #[must_use]
    pub fn share(&self, value: &Value) -> Option<f64> {
        match (&self.learnt, value) {
            (Learnt::Words(words), Value::Flag(_)) => words.share(&value.to_string()),
            (Learnt::Words(words), Value::State(word)) => words.share(word),
            _ => None,
        }
    }

    /// How many looks taught it.
    #[must_use]
    pub fn count(&self) -> u32 {
        match &self.learnt {
            Learnt::Numbers(numbers) => numbers.count(),
            Learnt::Words(words) => words.count(),
        }
    }

    /// When the first and the last of them were, in seconds since 1970.
    #[must_use]
    pub fn seconds(&self) -> (u32, u32) {
        match &self.learnt {
            Learnt::Numbers(numbers) => numbers.seconds(),
            Learnt::Words(words) => words.seconds(),
        }
    }

    /// As it is kept: at most 200 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(200);
        out.push(VERSION);
        match &self.learnt {
            Learnt::Numbers(numbers) => numbers.write(&mut out),
            Learnt::Words(words) => words.write(&mut out),
        }
        out
    }

    /// Reads what was kept. `None`: it is damaged, or of a version that is not known: then it is learnt anew.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        if reader.byte()? != VERSION {
            return None;
        }
        let learnt = match reader.byte()? {
            words::TAG => Learnt::Words(Words::read(&mut reader)?),
            tag => Learnt::Numbers(Numbers::read(tag, &mut reader)?),
        };
        reader.0.is_empty().then_some(Self { learnt })
    }
}

/// Seconds since 1970, as short as they are kept.
fn second(at: Timestamp) -> u32 {
    u32::try_from(at.timestamp().max(0)).unwrap_or(u32::MAX)
}

/// As a number is kept. Sums of numbers of this size stay finite.
#[expect(
    clippy::cast_possible_truncation,
    reason = "7 digits are more than any probe measures"
)]
fn short(number: f64) -> f32 {
    number.clamp(-1e36, 1e36) as f32
}

/// How much a look that stands for so many hours teaches, where so much is forgotten after a half-life.
fn weight(hours: f64, half_life_hours: f64) -> f64 {
    1.0 - (-hours / half_life_hours).exp2()
}
