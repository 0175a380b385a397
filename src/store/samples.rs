//! How the samples of a look are written: one after the other, each as short as it can be.
//!
//! A sample is the number of its metric's word, the number of its subject's word (0: none), and a value: a tag, then
//! for whole numbers a zigzag integer (exact up to 2^53), for other numbers a 32-bit float (7 digits: more than any
//! probe measures), for words the number of the word. Numbers are LEB128, as in protocol buffers
//! (<https://protobuf.dev/programming-guides/encoding/>).

use crate::model::Value;

/// A sample with the words replaced by their numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sample {
    pub metric: u64,
    /// 0: none.
    pub subject: u64,
    pub value: SampleValue,
}

/// A value with the words replaced by their numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum SampleValue {
    Number(f64),
    Flag(bool),
    Word(u64),
}

const WHOLE: u8 = 0;
const FLOAT: u8 = 1;
const NO: u8 = 2;
const YES: u8 = 3;
const WORD: u8 = 4;

/// Up to here whole numbers are exact in a 64-bit float.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl SampleValue {
    /// `word` gives the number of a word.
    pub(super) fn of<E>(
        value: &Value,
        word: impl FnOnce(&str) -> Result<u64, E>,
    ) -> Result<Self, E> {
        Ok(match value {
            Value::Number(number) => Self::Number(*number),
            Value::Flag(flag) => Self::Flag(*flag),
            Value::State(state) => Self::Word(word(state)?),
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "whole numbers are checked to fit; others lose digits on purpose"
)]
pub(super) fn write(sample: &Sample, out: &mut Vec<u8>) {
    write_number(sample.metric, out);
    write_number(sample.subject, out);
    match sample.value {
        SampleValue::Number(number) if number.fract() == 0.0 && number.abs() <= EXACT => {
            out.push(WHOLE);
            let whole = number as i64;
            write_number(((whole << 1) ^ (whole >> 63)).cast_unsigned(), out);
        }
        SampleValue::Number(number) => {
            out.push(FLOAT);
            out.extend((number as f32).to_le_bytes());
        }
        SampleValue::Flag(flag) => out.push(if flag { YES } else { NO }),
        SampleValue::Word(word) => {
            out.push(WORD);
            write_number(word, out);
        }
    }
}

/// All samples of a look. What cannot be read ends the list: a damaged row costs its own rest and no more.
pub(super) fn read(mut bytes: &[u8]) -> Vec<Sample> {
    let mut samples = Vec::new();
    while let Some(sample) = read_one(&mut bytes) {
        samples.push(sample);
    }
    samples
}

#[expect(
    clippy::cast_precision_loss,
    reason = "only exact whole numbers are written"
)]
fn read_one(bytes: &mut &[u8]) -> Option<Sample> {
    let metric = read_number(bytes)?;
    let subject = read_number(bytes)?;
    let value = match take::<1>(bytes)?[0] {
        WHOLE => {
            let zigzag = read_number(bytes)?;
            let whole = (zigzag >> 1).cast_signed() ^ -((zigzag & 1).cast_signed());
            SampleValue::Number(whole as f64)
        }
        FLOAT => SampleValue::Number(f64::from(f32::from_le_bytes(take(bytes)?))),
        NO => SampleValue::Flag(false),
        YES => SampleValue::Flag(true),
        WORD => SampleValue::Word(read_number(bytes)?),
        _ => return None,
    };
    Some(Sample {
        metric,
        subject,
        value,
    })
}

pub(super) fn write_number(mut number: u64, out: &mut Vec<u8>) {
    loop {
        let low = u8::try_from(number & 0x7F).unwrap_or(0x7F);
        number >>= 7;
        if number == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

pub(super) fn read_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = take::<1>(bytes)?[0];
        number |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

pub(super) fn take<const LENGTH: usize>(bytes: &mut &[u8]) -> Option<[u8; LENGTH]> {
    let (first, rest) = bytes.split_first_chunk::<LENGTH>()?;
    *bytes = rest;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let values = [
            SampleValue::Number(0.0),
            SampleValue::Number(-1.0),
            SampleValue::Number(98_304_000_000.0),
            SampleValue::Number(-EXACT),
            SampleValue::Number(17.25),
            SampleValue::Flag(true),
            SampleValue::Flag(false),
            SampleValue::Word(300),
        ];
        let mut out = Vec::new();
        let samples: Vec<Sample> = (0..)
            .zip(values)
            .map(|(index, value)| Sample {
                metric: index + 1,
                subject: index * 1_000,
                value,
            })
            .collect();
        for sample in &samples {
            write(sample, &mut out);
        }
        assert_eq!(read(&out), samples);
        for length in 0..out.len() {
            assert!(read(&out[..length]).len() < samples.len());
        }
    }

    #[test]
    fn other_numbers_keep_seven_digits() {
        let mut out = Vec::new();
        let sample = Sample {
            metric: 1,
            subject: 0,
            value: SampleValue::Number(5.213_847),
        };
        write(&sample, &mut out);
        assert_eq!(out.len(), 7);
        let SampleValue::Number(number) = read(&out)[0].value else {
            panic!("a number")
        };
        assert!((number - 5.213_847).abs() < 1e-6, "{number}");
    }
}
