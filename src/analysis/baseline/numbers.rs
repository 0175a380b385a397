//! What is usual for numbers.
//!
//! The looks of an hour are gathered, and their middle is folded into the sum when the next hour comes: so it does not
//! matter how often is looked. What is far out pulls by no more than a few spreads, so that an incident leaves next to no
//! trace; what stays away for most of a day is a new level, which is taken as a whole.

use super::bytes::Reader;
use super::gathered::{Gathered, median};
use super::hours::{FAR, Hours};
use super::{ENOUGH_HOURS, ENOUGH_LOOKS, HALF_LIFE_HOURS, MOST_HOURS, Usual, short, weight};
use crate::model::Unit;

/// The mean distance from the centre, times this, is the standard deviation of what is normally distributed.
const FROM_MEAN_DISTANCE: f64 = 1.253;

/// The same for the median of the distances.
const FROM_MEDIAN_DISTANCE: f64 = 1.483;

/// The time away from the usual is remembered for this half-life, and makes a new level beyond this share: 20 hours in a
/// row do, 12 do not.
const AWAY_HALF_LIFE_HOURS: f64 = 15.0;
const AWAY_FOR_GOOD: f64 = 0.6;

/// Below this share it is over.
const AWAY_NO_MORE: f64 = 0.1;

/// So many hours at the level before, and it was no new level: a weekend, a long outage.
const BACK_AGAIN: f64 = 0.12;

/// And so many looked-at hours at least, each time.
const AWAY_FOLDS: u8 = 3;

/// Fewer folds than this know too little to tell what is away.
const SETTLED: u8 = 6;

/// A spread this many times that of the hours' middles comes from a bad start.
const BAD_START: f64 = 10.0;

/// So much is left of what a metric knows of itself when its level has changed.
const AFTER_A_CHANGE: u8 = 24;

/// So many hours of the day must have been predicted before the wave is believed.
const WAVE_BELIEVED: u8 = 12;

/// A clock that was set back by less is waited for.
const SET_BACK_SECONDS: u32 = 24 * 3_600;

/// The sum of what was seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Numbers {
    first: u32,
    last: u32,
    count: u32,
    /// The centre, whatever the hour of the day, and the spread around it.
    level: f32,
    spread: f32,
    hours: Hours,
    /// The spread around the centres of the hours.
    wave_spread: f32,
    /// For which share of the time lately the hours were far from what is usual, by how much in the mean, and how far
    /// from that mean they were.
    away: f32,
    shift: f32,
    shift_spread: f32,
    /// By how much the level lay elsewhere before its last change; 0: that is long ago.
    back: f32,
    gathered: Gathered,
    /// How many hours were folded, those that a wave predicted, and those that were away.
    folds: u8,
    wave_folds: u8,
    away_folds: u8,
    unit: u8,
}

/// Every unit of numbers; its place is its number in the bytes. Never change one that was released.
const UNITS: [Unit; 8] = [
    Unit::Percent,
    Unit::Milliseconds,
    Unit::Seconds,
    Unit::Days,
    Unit::Bytes,
    Unit::Count,
    Unit::UsDollars,
    Unit::Number,
];

/// The least spread: what nobody would call a difference. Absolute, and as a share of the centre.
fn least_spread(unit: u8, centre: f64) -> f64 {
    let (absolute, share) = match UNITS.get(usize::from(unit)) {
        Some(Unit::Percent) => (1.0, 0.0),
        Some(Unit::Milliseconds) => (1.0, 0.05),
        Some(Unit::Seconds) => (0.5, 0.05),
        Some(Unit::Days) => (0.5, 0.01),
        Some(Unit::Bytes) => (4_096.0, 0.01),
        // One more than never is three spreads away.
        Some(Unit::Count) => (0.3, 0.01),
        Some(Unit::UsDollars) => (0.000_1, 0.05),
        _ => (0.01, 0.01),
    };
    f64::max(absolute, centre.abs() * share)
}

impl Numbers {
    pub(super) fn new(unit: Unit) -> Self {
        let known = UNITS.iter().position(|known| *known == unit);
        Self {
            first: 0,
            last: 0,
            count: 0,
            level: 0.0,
            spread: 0.0,
            hours: Hours::default(),
            wave_spread: 0.0,
            away: 0.0,
            shift: 0.0,
            shift_spread: 0.0,
            back: 0.0,
            gathered: Gathered::default(),
            folds: 0,
            wave_folds: 0,
            away_folds: 0,
            unit: known.and_then(|at| u8::try_from(at).ok()).unwrap_or(7),
        }
    }

    pub(super) fn see(&mut self, number: f64, second: u32) {
        if !number.is_finite() {
            return;
        }
        if self.count == 0 {
            self.first = second;
            self.last = second;
        }
        let (hour, now) = (self.last / 3_600, second / 3_600);
        if now < hour && self.last - second < SET_BACK_SECONDS {
            return;
        }
        if now != hour {
            // Set back by far, the clock was wrong before: what was seen then counts for an hour.
            self.fold(f64::from(now.saturating_sub(hour).clamp(1, MOST_HOURS)));
            self.last = second;
            self.first = self.first.min(second);
        }
        self.gathered.add(short(number));
        self.last = self.last.max(second);
        self.count = self.count.saturating_add(1);
    }

    pub(super) fn usual(&self, second: u32) -> Option<Usual> {
        if self.count < ENOUGH_LOOKS || u32::from(self.folds) < ENOUGH_HOURS {
            return None;
        }
        let (centre, spread) = self.expected(hour_of_day(second));
        Some(Usual {
            centre,
            spread,
            count: self.count,
        })
    }

    /// The centre and the spread at an hour of the day.
    fn expected(&self, hour: usize) -> (f64, f64) {
        let wave = (self.hours.believed(hour)).filter(|_| self.wave_folds >= WAVE_BELIEVED);
        let (centre, spread) = match wave {
            Some(centre) => (centre, self.wave_spread),
            None => (f64::from(self.level), self.spread),
        };
        (centre, self.at_least(spread, centre))
    }

    fn at_least(&self, spread: f32, centre: f64) -> f64 {
        f64::from(spread).max(least_spread(self.unit, centre))
    }

    /// Takes in what was gathered; it stands for so many hours.
    fn fold(&mut self, hours: f64) {
        let gathered = std::mem::take(&mut self.gathered);
        let values = gathered.values();
        if values.is_empty() {
            return;
        }
        let middle = median(values);
        let hour = hour_of_day(self.last);
        if self.folds == 0 {
            self.level = short(middle);
            let mut distances = [0.0; 7];
            for (distance, value) in distances.iter_mut().zip(values) {
                *distance = short((f64::from(*value) - middle).abs());
            }
            self.spread = short(FROM_MEDIAN_DISTANCE * median(&distances[..values.len().min(7)]));
        } else if self.folds >= SETTLED {
            self.watch_the_level(middle, hour, hours);
        }
        let gain = |folds: u8| {
            let young = 1.0 / (f64::from(folds) + 1.0);
            young.max(weight(hours, HALF_LIFE_HOURS))
        };
        if let Some(centre) = self.hours.known(hour) {
            let spread = if self.wave_folds == 0 {
                self.spread
            } else {
                self.wave_spread
            };
            // The hour's centre may be one outlier: it must not say how far is far.
            let far = FAR * self.at_least(spread, f64::from(self.level));
            let seen = spread_of(values, centre, far);
            let step = gain(self.wave_folds) * (seen - f64::from(self.wave_spread));
            self.wave_spread = short(f64::from(self.wave_spread) + step);
            self.wave_folds = self.wave_folds.saturating_add(1);
        }
        let level = f64::from(self.level);
        let (_, believed_spread) = self.expected(hour);
        self.hours.learn(hour, middle, level, believed_spread);

        let far = FAR * self.at_least(self.spread, level);
        let gain = gain(self.folds);
        let seen = spread_of(values, level, far);
        self.level = short(level + gain * (middle - level).clamp(-far, far));
        if self.folds > 0 {
            self.spread = short(f64::from(self.spread) + gain * (seen - f64::from(self.spread)));
        }
        self.folds = self.folds.saturating_add(1);
        if self.folds == SETTLED || self.folds == AFTER_A_CHANGE {
            self.forget_a_bad_start(spread_of(values, middle, far));
        }
    }

    /// The first values may have been out of the ordinary, and everything else was measured from there: then the middle
    /// of the hours so far knows better. `spread` is that of the newest hour.
    fn forget_a_bad_start(&mut self, spread: f64) {
        let (level, distance) = self.hours.middle();
        let spread = f64::max(FROM_MEDIAN_DISTANCE * distance, spread);
        let least = self.at_least(short(spread), level);
        let is_elsewhere = (f64::from(self.level) - level).abs() > FAR * least;
        if is_elsewhere || f64::from(self.spread) > BAD_START * least {
            (self.level, self.spread) = (short(level), short(spread));
            (self.wave_folds, self.wave_spread) = (0, 0.0);
            self.forget_away();
        }
    }

    /// Tells an incident from a change for good.
    fn watch_the_level(&mut self, middle: f64, hour: usize, hours: f64) {
        let (centre, spread) = self.expected(hour);
        let off = middle - centre;
        let is_away = off.abs() > FAR * spread;
        let gain = weight(hours, AWAY_HALF_LIFE_HOURS);
        let share = f64::from(self.away) * (1.0 - gain) + if is_away { gain } else { 0.0 };
        self.away = short(share);
        if !is_away {
            if share < AWAY_NO_MORE {
                self.away_folds = 0;
            }
            return;
        }
        if self.away_folds == 0 {
            (self.shift, self.shift_spread) = (short(off), 0.0);
        }
        self.away_folds = self.away_folds.saturating_add(1);
        let gain = 1.0 / f64::from(self.away_folds.min(AFTER_A_CHANGE));
        let shift = f64::from(self.shift);
        let distance = (off - shift).abs() - f64::from(self.shift_spread);
        self.shift = short(shift + gain * (off - shift));
        self.shift_spread = short(f64::from(self.shift_spread) + gain * distance);
        if self.away_folds < AWAY_FOLDS {
            return;
        }
        let (shift, back) = (f64::from(self.shift), f64::from(self.back));
        let is_back = back != 0.0
            && self.folds < AFTER_A_CHANGE + 168
            && share >= BACK_AGAIN
            && (shift - back).abs() <= FAR * spread;
        if is_back {
            self.move_by(back);
            self.back = 0.0;
        } else if share > AWAY_FOR_GOOD {
            if f64::from(self.shift_spread) <= FAR * spread {
                self.move_by(shift);
                self.back = short(-shift);
            } else {
                // It has another shape, not just another place.
                self.level = short(f64::from(self.level) + shift);
                self.spread = short(FROM_MEAN_DISTANCE * f64::from(self.shift_spread));
                self.hours = Hours::default();
                (self.wave_folds, self.wave_spread) = (0, 0.0);
                (self.folds, self.back) = (SETTLED, 0.0);
                self.forget_away();
            }
        }
    }

    fn move_by(&mut self, shift: f64) {
        self.level = short(f64::from(self.level) + shift);
        self.hours.shift(shift);
        self.folds = self.folds.min(AFTER_A_CHANGE);
        self.forget_away();
    }

    fn forget_away(&mut self) {
        (self.away, self.away_folds) = (0.0, 0);
        (self.shift, self.shift_spread) = (0.0, 0.0);
    }

    pub(super) fn count(&self) -> u32 {
        self.count
    }

    pub(super) fn seconds(&self) -> (u32, u32) {
        (self.first, self.last)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend([self.unit, self.folds, self.wave_folds, self.away_folds]);
        for number in [self.first, self.last, self.count] {
            out.extend(number.to_le_bytes());
        }
        for float in [
            self.level,
            self.spread,
            self.wave_spread,
            self.away,
            self.shift,
            self.shift_spread,
            self.back,
        ] {
            out.extend(float.to_le_bytes());
        }
        self.gathered.write(out);
        self.hours.write(out);
    }

    pub(super) fn read(unit: u8, reader: &mut Reader<'_>) -> Option<Self> {
        let mut numbers = Self::new(*UNITS.get(usize::from(unit))?);
        numbers.folds = reader.byte()?;
        numbers.wave_folds = reader.byte()?;
        numbers.away_folds = reader.byte()?;
        numbers.first = reader.u32()?;
        numbers.last = reader.u32()?;
        numbers.count = reader.u32()?;
        for float in [
            &mut numbers.level,
            &mut numbers.spread,
            &mut numbers.wave_spread,
            &mut numbers.away,
            &mut numbers.shift,
            &mut numbers.shift_spread,
            &mut numbers.back,
        ] {
            *float = reader.float()?;
        }
        numbers.gathered = Gathered::read(reader)?;
        numbers.hours = Hours::read(reader)?;
        Some(numbers)
    }
}

fn hour_of_day(second: u32) -> usize {
    usize::try_from(second / 3_600 % 24).unwrap_or(0)
}

/// The spread of values around a centre; none of them counts as farther than `far`.
fn spread_of(values: &[f32], centre: f64, far: f64) -> f64 {
    let sum: f64 = (values.iter())
        .map(|value| (f64::from(*value) - centre).abs().min(far))
        .sum();
    let count = u32::try_from(values.len()).unwrap_or(1).max(1);
    FROM_MEAN_DISTANCE * sum / f64::from(count)
}
