//! The values of the hour that is under way, few of them, so that looks each second weigh no more than looks each hour.

use super::bytes::Reader;

/// An odd number, so that one of them is in the middle.
const MOST: usize = 7;

/// Values that lie evenly in time: when there are too many, each second one goes, and from then on each second look is
/// left out.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Gathered {
    values: [f32; MOST],
    length: u8,
    /// One of two to the power of this many looks is taken.
    power: u8,
    /// How many were left out since the last that was taken.
    left_out: u16,
}

impl Gathered {
    pub(super) fn add(&mut self, value: f32) {
        if self.left_out > 0 {
            self.left_out -= 1;
            return;
        }
        if usize::from(self.length) == MOST {
            for index in 0..=MOST / 2 {
                self.values[index] = self.values[index * 2];
            }
            self.length = 4;
            // This one stands in the middle between two that lie evenly from now on.
            self.left_out = (1 << self.power) - 1;
            self.power = (self.power + 1).min(15);
            return;
        }
        self.values[usize::from(self.length)] = value;
        self.length += 1;
        self.left_out = (1 << self.power) - 1;
    }

    /// What was gathered.
    pub(super) fn values(&self) -> &[f32] {
        &self.values[..usize::from(self.length)]
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend([self.length, self.power]);
        out.extend(self.left_out.to_le_bytes());
        for value in self.values() {
            out.extend(value.to_le_bytes());
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (length, power) = (reader.byte()?, reader.byte()?);
        if usize::from(length) > MOST || power > 15 {
            return None;
        }
        let mut gathered = Self {
            length,
            power,
            left_out: reader.u16()?,
            ..Self::default()
        };
        for value in gathered.values.iter_mut().take(usize::from(length)) {
            *value = reader.float()?;
        }
        Some(gathered)
    }
}

/// More values than this have no middle here.
const MOST_SORTED: usize = 24;

/// The middle one; of an even number the mean of both in the middle. 0 where there are none.
pub(super) fn median(values: &[f32]) -> f64 {
    let mut sorted = [0.0_f32; MOST_SORTED];
    let length = values.len().min(MOST_SORTED);
    sorted[..length].copy_from_slice(&values[..length]);
    let sorted = &mut sorted[..length];
    sorted.sort_by(f32::total_cmp);
    let middle = |index: usize| sorted.get(index).copied().map_or(0.0, f64::from);
    f64::midpoint(middle(length.saturating_sub(1) / 2), middle(length / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_stand_for_many_and_lie_evenly() {
        let mut gathered = Gathered::default();
        for index in 0..3_600_u16 {
            gathered.add(f32::from(index));
        }
        let values = gathered.values();
        assert!(values.len() >= 4, "{values:?}");
        let steps: Vec<f32> = values.windows(2).map(|two| two[1] - two[0]).collect();
        assert!(
            steps.iter().all(|step| (step - 1_024.0).abs() < 0.5),
            "{values:?}"
        );
    }

    #[test]
    fn the_middle_is_found() {
        for (values, middle) in [
            (&[][..], 0.0),
            (&[3.0][..], 3.0),
            (&[9.0, 1.0][..], 5.0),
            (&[1e9, 2.0, 1.0][..], 2.0),
            (&[7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0][..], 4.0),
        ] {
            assert!((median(values) - middle).abs() < 1e-9, "{values:?}");
        }
    }
}
