//! What is usual for words: how often each of the few most usual ones was seen.

use super::bytes::Reader;
use super::{ENOUGH_HOURS, ENOUGH_LOOKS, HALF_LIFE_HOURS, MOST_HOURS, short, weight};

/// How words begin in the bytes: no number of a unit.
pub(super) const TAG: u8 = 255;

/// How many words are counted. A new one takes the place of the rarest.
const MOST_WORDS: usize = 4;

/// So much of a word's text is kept.
const MOST_TEXT: usize = 27;

/// A word that came for good is the usual one after this; one that came for less is not.
const LATELY_HALF_LIFE_HOURS: f64 = 20.0;

/// The words that were seen.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Words {
    first: u32,
    last: u32,
    count: u32,
    known: [Word; MOST_WORDS],
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Word {
    /// Of the whole word: texts may be cut.
    hash: u32,
    /// Shares of the time, lately and in all.
    lately: f32,
    share: f32,
    length: u8,
    text: [u8; MOST_TEXT],
}

impl Word {
    fn new(word: &str) -> Self {
        let end = word.floor_char_boundary(MOST_TEXT);
        let mut text = [0; MOST_TEXT];
        text[..end].copy_from_slice(&word.as_bytes()[..end]);
        Self {
            hash: hash(word),
            lately: 0.0,
            share: 0.0,
            length: u8::try_from(end).unwrap_or(0),
            text,
        }
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.text[..usize::from(self.length)]).unwrap_or_default()
    }

    fn is(&self, other: &Self) -> bool {
        self.hash == other.hash && self.length == other.length && self.text == other.text
    }
}

/// FNV-1a (RFC 9923): it is kept, so it must be the same in every build.
fn hash(word: &str) -> u32 {
    word.bytes().fold(0x811C_9DC5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

impl Words {
    pub(super) fn see(&mut self, word: &str, second: u32) {
        let seen = Word::new(word);
        // Whoever set the clock back is waited for: such a look counts, and stands for no time.
        let passed = second.saturating_sub(self.last).min(MOST_HOURS * 3_600);
        let is_first = self.count == 0;
        if is_first {
            self.first = second;
        }
        self.count = self.count.saturating_add(1);
        if is_first || second > self.last || self.last - second >= 24 * 3_600 {
            self.last = second;
            self.first = self.first.min(second);
        }
        let known = self.known.iter().position(|word| word.is(&seen));
        let at = known.unwrap_or_else(|| {
            let rarest = (self.known.iter().enumerate())
                .min_by(|one, other| one.1.share.total_cmp(&other.1.share));
            rarest.map_or(0, |(at, _)| at)
        });
        if known.is_none() {
            self.known[at] = seen;
        }
        let hours = f64::from(passed) / 3_600.0;
        for (index, word) in self.known.iter_mut().enumerate() {
            let target = if index == at { 1.0 } else { 0.0 };
            let move_to = |share: f32, half_life: f64| {
                let gain = if is_first {
                    1.0
                } else {
                    weight(hours, half_life)
                };
                short(f64::from(share) + gain * (target - f64::from(share)))
            };
            word.lately = move_to(word.lately, LATELY_HALF_LIFE_HOURS);
            word.share = move_to(word.share, HALF_LIFE_HOURS);
        }
    }

    fn is_enough(&self) -> bool {
        self.count >= ENOUGH_LOOKS && self.last - self.first >= ENOUGH_HOURS * 3_600
    }

    pub(super) fn usual(&self) -> Option<(&str, f64)> {
        let words = self.known.iter().filter(|_| self.is_enough());
        let most = words.max_by(|one, other| one.lately.total_cmp(&other.lately))?;
        Some((most.text(), f64::from(most.share)))
    }

    pub(super) fn share(&self, word: &str) -> Option<f64> {
        let asked = Word::new(word);
        self.is_enough().then(|| {
            let known = self.known.iter().find(|word| word.is(&asked));
            known.map_or(0.0, |word| f64::from(word.share))
        })
    }

    pub(super) fn count(&self) -> u32 {
        self.count
    }

    pub(super) fn seconds(&self) -> (u32, u32) {
        (self.first, self.last)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(TAG);
        for number in [self.first, self.last, self.count] {
            out.extend(number.to_le_bytes());
        }
        for word in &self.known {
            out.push(word.length);
            out.extend(word.text().as_bytes());
            out.extend(word.hash.to_le_bytes());
            out.extend(word.lately.to_le_bytes());
            out.extend(word.share.to_le_bytes());
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut words = Self {
            first: reader.u32()?,
            last: reader.u32()?,
            count: reader.u32()?,
            ..Self::default()
        };
        if words.first > words.last {
            return None;
        }
        for word in &mut words.known {
            let length = usize::from(reader.byte()?);
            if length > MOST_TEXT {
                return None;
            }
            let text = std::str::from_utf8(reader.slice(length)?).ok()?;
            *word = Word {
                hash: reader.u32()?,
                lately: reader.float()?,
                share: reader.float()?,
                ..Word::new(text)
            };
        }
        Some(words)
    }
}
