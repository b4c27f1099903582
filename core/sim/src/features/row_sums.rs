//! Sums over a row and its change, from which the temporal features are made.
//!
//! A row is summed while it is in the cache, by whoever computes or brings it; rows are then
//! merged in order, so that the sums do not depend on threads or blocks of steps.

use super::MV_PER_V;
use crate::moments::{LANES, total};
use crate::real::Real;
use crate::simd::{DetectedLevel, Vectorised, vectorised};

/// Share of the squares below which a difference of sums has lost more than six digits.
const CANCELLED: f64 = 1e-6;

/// Sums over the cells of a row.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct RowSums {
    /// Sum of the squared potentials, mV^2.
    energy_mv2: f64,
    /// Sum of the absolute changes, mV.
    change_mv: f64,
    /// Sum of the squared deviations of the absolute changes from their mean, mV^2.
    change_deviation_mv2: f64,
    /// Largest absolute change, mV.
    change_max_mv: f64,
}

impl RowSums {
    /// Of a row after and before a step, in volts.
    pub(crate) fn of<T: Real>(level: DetectedLevel, after: &[T], before: &[T]) -> Self {
        vectorised(level, SumRow { after, before, before_scale: MV_PER_V })
    }

    /// Of a row in volts, after one in millivolts.
    pub(super) fn after_millivolts<T: Real>(level: DetectedLevel, after: &[T], before_mv: &[f64]) -> Self {
        vectorised(level, SumRow { after, before: before_mv, before_scale: 1.0 })
    }
}

struct SumRow<'a, T, B> {
    after: &'a [T],
    before: &'a [B],
    before_scale: f64,
}

impl<T: Real, B: Real> Vectorised for SumRow<'_, T, B> {
    type Output = RowSums;

    #[inline(always)]
    fn run(self) -> RowSums {
        let Self { after, before, before_scale } = self;
        let before = &before[..after.len()];
        let value = |cell: usize| {
            let mv = after[cell].wide() * MV_PER_V;
            (mv, (mv - before[cell].wide() * before_scale).abs())
        };
        let (mut energy, mut sum, mut max) = ([0.0; LANES], [0.0; LANES], [0.0_f64; LANES]);
        let mut squares = [0.0; LANES];
        let mut first = |cell: usize, lane: usize| {
            let (mv, change) = value(cell);
            energy[lane] += mv * mv;
            sum[lane] += change;
            squares[lane] += change * change;
            max[lane] = if change > max[lane] { change } else { max[lane] };
        };
        let whole = after.len() / LANES * LANES;
        for start in (0..whole).step_by(LANES) {
            for lane in 0..LANES {
                first(start + lane, lane);
            }
        }
        for cell in whole..after.len() {
            first(cell, cell - whole);
        }
        let change_mv = total(sum);
        let mean = change_mv / after.len() as f64;
        let square_mv2 = total(squares);
        let difference = square_mv2 - mean * change_mv;
        // Nearly equal changes cancel in the difference; then the deviations are summed themselves.
        let change_deviation_mv2 = if difference > CANCELLED * square_mv2 {
            difference
        } else {
            let mut deviation = [0.0; LANES];
            let mut second = |cell: usize, lane: usize| {
                let distance = value(cell).1 - mean;
                deviation[lane] += distance * distance;
            };
            for start in (0..whole).step_by(LANES) {
                for lane in 0..LANES {
                    second(start + lane, lane);
                }
            }
            for cell in whole..after.len() {
                second(cell, cell - whole);
            }
            total(deviation)
        };
        RowSums {
            energy_mv2: total(energy),
            change_mv,
            change_deviation_mv2,
            change_max_mv: max.into_iter().fold(0.0, |max, value| if value > max { value } else { max }),
        }
    }
}

/// Sums over a frame.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FrameSums {
    pub(super) energy_mv2: f64,
    pub(super) change_mv: f64,
    pub(super) change_deviation_mv2: f64,
    pub(super) change_max_mv: f64,
    cells: f64,
}

impl FrameSums {
    /// Of rows with `columns` cells each, in order. The deviations are merged as by Chan, Golub
    /// and LeVeque (1979).
    pub(crate) fn of<'a>(rows: impl IntoIterator<Item = &'a RowSums>, columns: usize) -> Self {
        let mut sums = Self::default();
        for row in rows {
            sums.add(row, columns as f64);
        }
        sums
    }

    pub(super) fn add(&mut self, row: &RowSums, columns: f64) {
        if self.cells > 0.0 {
            let apart = row.change_mv / columns - self.change_mv / self.cells;
            let weight = self.cells * columns / (self.cells + columns);
            self.change_deviation_mv2 += apart * apart * weight;
        }
        self.cells += columns;
        self.energy_mv2 += row.energy_mv2;
        self.change_mv += row.change_mv;
        self.change_deviation_mv2 += row.change_deviation_mv2;
        let max = row.change_max_mv;
        self.change_max_mv = if max > self.change_max_mv { max } else { self.change_max_mv };
    }

    /// Mean absolute change, mV.
    pub(super) fn change_mean_mv(&self) -> f64 {
        self.change_mv / self.cells
    }

    /// Spatial variance of the absolute change, mV^2.
    pub(super) fn change_variance_mv2(&self) -> f64 {
        self.change_deviation_mv2 / self.cells
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the sums of rows longer and shorter than the lanes, on every level, and their
    /// merging against the sums of one long row.
    #[test]
    fn every_cell_is_summed_once() {
        for columns in 1..40_usize {
            let after: Vec<f64> = (0..columns).map(|cell| 0.001 * (cell * cell % 7) as f64).collect();
            let before = vec![0.0; columns];
            let mv: Vec<f64> = after.iter().map(|value| value * MV_PER_V).collect();
            let mean = mv.iter().sum::<f64>() / columns as f64;
            let deviation: f64 = mv.iter().map(|value| (value - mean).powi(2)).sum();
            for level in crate::SimdLevel::available() {
                let row = RowSums::of(level.resolve().expect("available"), &after, &before);
                assert!((row.change_mv - mean * columns as f64).abs() < 1e-12);
                assert!((row.change_deviation_mv2 - deviation).abs() < 1e-11);
                assert!((row.energy_mv2 - mv.iter().map(|value| value * value).sum::<f64>()).abs() < 1e-11);
                assert_eq!(row.change_max_mv, mv.iter().copied().fold(0.0, f64::max));
                let quiet = RowSums::of(level.resolve().expect("available"), &before, &before);
                let frame = FrameSums::of(&[row, quiet], columns);
                assert!((frame.change_mean_mv() - mean / 2.0).abs() < 1e-12);
                let both = (deviation + mean * mean * columns as f64 / 2.0) / (2 * columns) as f64;
                assert!((frame.change_variance_mv2() - both).abs() < 1e-12);
            }
        }
    }
}
