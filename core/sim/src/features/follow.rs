//! Following a row from frame to frame: the sums behind the temporal features, on vector registers.

use super::MV_PER_V;
use crate::moments::{LANES, sum_row};
use crate::simd::Vectorised;

/// What one pass over a row or a frame gives.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FrameSums {
    pub(super) energy_mv2: f64,
    pub(super) change_mv: f64,
    pub(super) change_mv2: f64,
    pub(super) change_max_mv: f64,
}

/// Makes a row of a frame the last one, mV, leaves its absolute change and sums up both.
pub(super) struct Follow<'a> {
    pub(super) row: &'a [f64],
    pub(super) last: &'a mut [f64],
    pub(super) change: &'a mut [f64],
}

impl Vectorised for Follow<'_> {
    type Output = FrameSums;

    #[inline(always)]
    fn run(self) -> FrameSums {
        let Self { row, last, change } = self;
        for ((last, change), &value) in last.iter_mut().zip(change.iter_mut()).zip(row) {
            let value_mv = value * MV_PER_V;
            *change = (value_mv - *last).abs();
            *last = value_mv;
        }
        let [energy_mv2] = sum_row(last, |value| [value * value]);
        let [change_mv, change_mv2] = sum_row(change, |value| [value, value * value]);
        // A NaN is passed over here; it shows in the sum.
        let larger = |max: f64, value: f64| if value > max { value } else { max };
        let mut chunks = change.chunks_exact(LANES);
        let mut max = [0.0; LANES];
        for chunk in &mut chunks {
            for (max, &value) in max.iter_mut().zip(chunk) {
                *max = larger(*max, value);
            }
        }
        let rest = chunks.remainder().iter().copied().fold(0.0, larger);
        FrameSums { energy_mv2, change_mv, change_mv2, change_max_mv: max.into_iter().fold(rest, larger) }
    }
}

/// The sum of the squared distances of a row from a mean.
pub(super) struct Spread<'a> {
    pub(super) row: &'a [f64],
    pub(super) mean: f64,
}

impl Vectorised for Spread<'_> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let Self { row, mean } = self;
        let [sum] = sum_row(row, |value| [(value - mean) * (value - mean)]);
        sum
    }
}
