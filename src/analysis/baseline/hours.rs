//! What is usual at each hour of the day (UTC: a clock that is put forward moves the wave by an hour, which is learnt).

use super::bytes::Reader;
use super::gathered::median;
use super::{HALF_LIFE_HOURS, short, weight};

const HOURS: usize = 24;

/// A value this many spreads away is not followed at once.
pub(super) const FAR: f64 = 3.0;

/// So many days must have agreed on an hour before it is believed.
const BELIEVED: u8 = 2;

/// More days than this are not counted.
const MOST_DAYS: u8 = 15;

/// So many days in a row an hour must have been elsewhere on the same side before it has moved: a job that runs each
/// night from now on.
const MOVED: i8 = 3;

/// The centres of the hours.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Hours {
    centres: [f32; HOURS],
    marks: [Mark; HOURS],
}

/// How an hour came to its centre, in one byte.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Mark(u8);

impl Mark {
    fn new(days: u8, elsewhere: i8) -> Self {
        let elsewhere = elsewhere.clamp(-MOVED, MOVED) + MOVED;
        Self(days.min(MOST_DAYS) | (elsewhere.cast_unsigned() << 4))
    }

    /// How many days agreed.
    fn days(self) -> u8 {
        self.0 & 0x0F
    }

    /// How many days in a row it was far above the centre; less than 0: below.
    fn elsewhere(self) -> i8 {
        if self.0 == 0 {
            return 0;
        }
        (self.0 >> 4).cast_signed() - MOVED
    }
}

impl Hours {
    /// The centre of an hour, once it is believed.
    pub(super) fn believed(&self, hour: usize) -> Option<f64> {
        (self.marks[hour].days() >= BELIEVED).then(|| f64::from(self.centres[hour]))
    }

    /// The centre of an hour, once there is one.
    pub(super) fn known(&self, hour: usize) -> Option<f64> {
        (self.marks[hour].days() > 0).then(|| f64::from(self.centres[hour]))
    }

    /// The middle of the centres, and the middle of their distances from there.
    pub(super) fn middle(&self) -> (f64, f64) {
        let mut known = [0.0; HOURS];
        let mut length = 0;
        for (centre, mark) in self.centres.iter().zip(self.marks) {
            if mark.days() > 0 {
                known[length] = *centre;
                length += 1;
            }
        }
        let known = &mut known[..length];
        let middle = median(known);
        for centre in known.iter_mut() {
            *centre = short((f64::from(*centre) - middle).abs());
        }
        (middle, median(known))
    }

    /// Learns what an hour gave. In doubt `level`, what is usual at any time, decides.
    pub(super) fn learn(&mut self, hour: usize, middle: f64, level: f64, spread: f64) {
        let mark = self.marks[hour];
        let centre = f64::from(self.centres[hour]);
        let off = middle - centre;
        let is_far = off.abs() > FAR * spread;
        let (centre, mark) = match mark.days() {
            0 => (middle, Mark::new(1, 0)),
            // Two days that do not agree: one of them was out of the ordinary.
            1 if is_far => {
                let is_nearer = (middle - level).abs() < (centre - level).abs();
                (if is_nearer { middle } else { centre }, Mark::new(1, 0))
            }
            days if !is_far => {
                let gain = (1.0 / f64::from(days + 1)).max(weight(24.0, HALF_LIFE_HOURS));
                (centre + gain * off, Mark::new(days + 1, 0))
            }
            days => {
                let side: i8 = if off > 0.0 { 1 } else { -1 };
                let before = mark.elsewhere();
                let row = if before.signum() == side {
                    before + side
                } else {
                    side
                };
                match row.abs() {
                    MOVED.. => (middle, Mark::new(BELIEVED, 0)),
                    2 => (centre + off / 2.0, Mark::new(days, row)),
                    _ => {
                        let gain = weight(24.0, HALF_LIFE_HOURS);
                        let step = off.clamp(-FAR * spread, FAR * spread);
                        (centre + gain * step, Mark::new(days, row))
                    }
                }
            }
        };
        self.centres[hour] = short(centre);
        self.marks[hour] = mark;
    }

    /// All of it lies higher from now on by so much.
    pub(super) fn shift(&mut self, by: f64) {
        for (centre, mark) in self.centres.iter_mut().zip(&mut self.marks) {
            if mark.days() > 0 {
                *centre = short(f64::from(*centre) + by);
                *mark = Mark::new(mark.days().min(BELIEVED), 0);
            }
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for (centre, mark) in self.centres.iter().zip(self.marks) {
            out.push(mark.0);
            if mark.days() > 0 {
                out.extend(centre.to_le_bytes());
            }
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut hours = Self::default();
        for hour in 0..HOURS {
            let mark = Mark(reader.byte()?);
            if mark.days() > 0 {
                hours.centres[hour] = reader.float()?;
                hours.marks[hour] = mark;
            }
        }
        Some(hours)
    }
}
