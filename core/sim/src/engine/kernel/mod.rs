//! The row kernels: what happens to the cells of a row in one step.
//!
//! [`Coupled`] does diffusion, reaction, activation and clamping of all three fields in one loop
//! over registers; [`Alone`] does the potential where the other two stand still. The rare parts
//! (maps, noise, rates of a host, a time step other than 1) are branches that go the same way
//! for a whole row, left out of [`Coupled`] at compile time where a row has none of them. All
//! ways do the same operations in the same order for each cell, and so give the same bits.
//!
//! The loops are in methods and not in closures, which could not be forced into the function that
//! is compiled for a level.

mod alone;
mod cells;
mod coupled;
mod finish;
mod stencil;

pub(crate) use alone::Alone;
pub(crate) use coupled::Coupled;
pub(crate) use finish::Finish;

use std::ops::Range;

use crate::real::Real;

/// `value` moved into [`low`, `high`]; NaN stays NaN.
#[inline(always)]
pub(crate) fn clamp<T: Real>(value: T, low: T, high: T) -> T {
    let raised = if value < low { low } else { value };
    if raised > high { high } else { raised }
}

/// Cells of a row. All rows that are too short end in one place: with a message for each slice the
/// kernels would be larger by a third.
#[inline(always)]
pub(crate) fn part<T>(row: &[T], at: Range<usize>) -> &[T] {
    match row.get(at) {
        Some(part) => part,
        None => too_short(),
    }
}

/// The same, to be written to.
#[inline(always)]
pub(crate) fn part_mut<T>(row: &mut [T], at: Range<usize>) -> &mut [T] {
    match row.get_mut(at) {
        Some(part) => part,
        None => too_short(),
    }
}

#[cold]
#[inline(never)]
fn too_short() -> ! {
    panic!("a row is shorter than the cells to be computed")
}

/// The numbers of a step, in the type of the fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbers<T> {
    pub(crate) alpha: T,
    pub(crate) d_activator: T,
    pub(crate) d_inhibitor: T,
    pub(crate) threshold: T,
    /// What an activated cell gains in a step, V.
    pub(crate) gain: T,
    pub(crate) time_step: T,
    pub(crate) leak_rate: T,
}

/// What happened in a row or in steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Cells whose activator exceeded the threshold.
    pub(crate) activations: u64,
    /// Cells whose potential was changed by the clamp; a NaN cell counts.
    pub(crate) clamps: u64,
    /// Whether any of the last values is NaN or infinite.
    pub(crate) not_finite: bool,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.activations += other.activations;
        self.clamps += other.clamps;
        self.not_finite |= other.not_finite;
    }
}

/// What lies above the first or below the last row of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outside {
    /// Another row.
    Row,
    /// The same row once more.
    Itself,
    /// Zeros.
    Zeros,
}

/// Rows of one step that are computed by one call: for a narrow grid a call costs as much as a
/// row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch<'a, T> {
    /// A ring of rows of the step before, each with all fields, one field after the other. A
    /// field has at least one cell more on either side of those that are computed, and room for
    /// a whole register behind them. The new rows have the same places in a ring of their own.
    pub(crate) before: &'a [T],
    /// A row of zeros.
    pub(crate) zeros: &'a [T],
    /// Cells from a row to the next.
    pub(crate) row_cells: usize,
    /// Rows in the ring.
    pub(crate) slots: usize,
    /// The first row to be computed.
    pub(crate) slot: usize,
    /// Rows to be computed.
    pub(crate) rows: usize,
    pub(crate) above: Outside,
    pub(crate) below: Outside,
    /// What the rows have in common.
    pub(crate) span: Span,
}

impl<'a, T> Batch<'a, T> {
    /// Where row `index` of the batch begins in its ring, and the rows from which it is computed.
    #[inline(always)]
    pub(crate) fn row(&self, index: usize) -> (usize, Rows<'a, T>) {
        let Self { before, row_cells, slots, .. } = *self;
        // Else the compiler writes the first and the last row out apart: three kernels in place of one.
        let index = std::hint::black_box(index);
        let slot = self.slot + index;
        let slot = if slot < slots { slot } else { slot - slots };
        let place = slot * row_cells;
        let previous = if slot == 0 { slots * row_cells } else { place } - row_cells;
        let following = if slot + 1 == slots { 0 } else { place + row_cells };
        let centre = part(before, place..place + row_cells);
        let mut rows = Rows {
            up: part(before, previous..previous + row_cells),
            centre,
            down: part(before, following..following + row_cells),
            span: self.span,
        };
        if index == 0 && self.above != Outside::Row {
            rows.up = if self.above == Outside::Itself { centre } else { self.zeros };
        }
        if index + 1 == self.rows && self.below != Outside::Row {
            rows.down = if self.below == Outside::Itself { centre } else { self.zeros };
        }
        (place, rows)
    }
}

/// The rows around the one that is computed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a, T> {
    pub(crate) up: &'a [T],
    pub(crate) centre: &'a [T],
    pub(crate) down: &'a [T],
    pub(crate) span: Span,
}

/// The cells that are computed in a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// Cells from a field to the next.
    pub(crate) stride: usize,
    /// Place of the first cell to be computed.
    pub(crate) first: usize,
    /// Cells to be computed.
    pub(crate) cells: usize,
    /// Whether the right neighbour is summed before the left one, as MFN 4.1 does on a
    /// Dirichlet grid.
    pub(crate) right_first: bool,
}

/// Rows of a map of diffusion coefficients; the first number belongs to the cell left of the
/// first one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MapRows<'a, T> {
    pub(crate) up: &'a [T],
    pub(crate) centre: &'a [T],
    pub(crate) down: &'a [T],
}

impl Span {
    /// Whole registers, cells in the last one that is not whole, registers with it.
    #[inline(always)]
    pub(crate) fn vectors(self, lanes: usize) -> (usize, usize, usize) {
        // The narrow type tells the compiler that no product of these overflows, so that it looks
        // at the length of a slice once and not twice.
        let cells = self.cells as u32;
        let (whole, rest) = (cells / lanes as u32, cells % lanes as u32);
        (whole as usize, rest as usize, (whole + u32::from(rest > 0)) as usize)
    }
}

/// What only some runs have. The slices begin at the first cell unless said otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extras<'a, T> {
    /// Diffusion coefficients of potential, activator, inhibitor.
    pub(crate) diffusion: [Option<MapRows<'a, T>>; 3],
    /// Factors of the two rates.
    pub(crate) factors: [Option<&'a [T]>; 2],
    /// Rates that were computed elsewhere.
    pub(crate) rates: Option<[&'a [T]; 2]>,
    /// Added to the potential, V.
    pub(crate) noise: Option<&'a [T]>,
}

impl<T: Copy> Extras<'_, T> {
    pub(crate) const NONE: Self = Self { diffusion: [None; 3], factors: [None; 2], rates: None, noise: None };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the clamp: NaN stays, infinities and limits do not move wrongly.
    #[test]
    fn clamp_keeps_nan() {
        assert!(clamp(f64::NAN, 0.0, 1.0).is_nan());
        assert_eq!(clamp(f64::NEG_INFINITY, 0.0, 1.0), 0.0);
        assert_eq!([0.0, 0.5, 1.0, 2.0].map(|x| clamp(x, 0.0, 1.0)), [0.0, 0.5, 1.0, 1.0]);
    }
}
